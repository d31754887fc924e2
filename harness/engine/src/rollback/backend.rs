//! The reference backend: what the migrated application does with its flags.
//!
//! The main type is [`Instance`]. Timestream is the system of record: every write goes there and
//! is acknowledged when it is there. While the flags feed a device, its points are copied to
//! InfluxDB as well; a copy that fails is tried again as the same point, then kept for repair, and
//! never fails the write. While the flags read a device, its queries are answered from InfluxDB,
//! and a query that fails there is an error to the device. A device always talks to the same
//! instance, as over a lasting connection, so its reads and writes follow the same flags.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use cutover_clients::RetryPolicy;
use cutover_model::Store;
use cutover_model::scenario::{OutcomeClass, RollbackSabotage};
use cutover_traffic::{Flags, Observation};

use super::history::{
    Attempt, AttemptKind, InstanceHistory, QueryEvent, SeenFlags, WriteEvent, WriteFate,
};
use super::names::{at_ns, device_name};
use super::stage::{Chance, Stage};
use super::stores::{CopyOutcome, Point, Stores};

/// The share of `poll_every` by which polls come earlier or later, so that no two instances poll
/// in step.
const POLL_JITTER: f64 = 0.2;

/// One write in this many is lost under the sabotage that loses writes.
const LOST_ONE_IN: u64 = 1_000;

/// One instance of the backend.
#[derive(Debug)]
pub(super) struct Instance {
    index: u32,
    stores: Stores,
    stage: Arc<Stage>,
    retry: RetryPolicy,
    state: Mutex<State>,
}

#[derive(Debug)]
struct State {
    flags: InForce,
    seen: Vec<SeenFlags>,
    /// Points that are in the source and could not be copied.
    repair: Vec<Point>,
}

/// The flags in force at an instance.
#[derive(Clone, Copy, Debug)]
struct InForce {
    version: u64,
    flags: Flags,
}

impl Instance {
    /// An instance that has not yet seen any flags.
    pub(super) fn new(index: u32, stores: Stores, stage: Arc<Stage>) -> Self {
        let retry = RetryPolicy {
            attempts: 4,
            base: Duration::from_millis(200),
            max: Duration::from_secs(2),
            patience: Duration::from_secs(30),
            seed: stage.seed_of(Chance::Backoff),
        };
        let flags = InForce { version: 0, flags: Flags::SOURCE_ONLY };
        let state = Mutex::new(State { flags, seen: Vec::new(), repair: Vec::new() });
        Self { index, stores, stage, retry, state }
    }

    /// Polls the flags for ever, and repairs what could not be copied.
    pub(super) async fn poll(&self, every: Duration) {
        let first = self.stage.draw_below(every, Chance::Polls, (self.index, 0));
        tokio::time::sleep(first).await;
        for n in 1.. {
            self.take_over_flags();
            if self.keeps_stale_flags() {
                return;
            }
            self.repair().await;
            let shortest = every.mul_f64(1.0 - POLL_JITTER);
            let spread = every.mul_f64(2.0 * POLL_JITTER);
            let extra = self.stage.draw_below(spread, Chance::Polls, (self.index, n));
            tokio::time::sleep(shortest + extra).await;
        }
    }

    fn take_over_flags(&self) {
        let known = self.in_force().version;
        let Some((version, document)) = self.stage.flags.poll(known) else { return };
        // Flags that cannot be read leave those in force that could.
        if let Ok(flags) = Flags::parse(&document) {
            let mut state = self.lock();
            state.flags = InForce { version, flags };
            state.seen.push(SeenFlags { version, at: self.stage.now() });
        }
    }

    fn keeps_stale_flags(&self) -> bool {
        let sabotage = RollbackSabotage::OneInstanceKeepsStaleFlags;
        self.index == 0 && self.in_force().flags.queries && self.stage.is_sabotaged_by(sabotage)
    }

    /// Takes a device's point and answers when the source has it.
    pub(super) async fn write(self: Arc<Self>, point: Point) {
        let sent = self.stage.now();
        let InForce { version, flags } = self.in_force();
        let fate = if self.loses_write() {
            WriteFate::Acknowledged
        } else {
            let fate = self.write_source(&point).await;
            if fate == WriteFate::Acknowledged && flags.feeds(&device_name(point.device)) {
                self.stage.spawn(self.clone().copy(point));
            }
            fate
        };
        let answered = self.stage.now();
        let Point { id, device, time_ns } = point;
        let instance = self.index;
        let event = WriteEvent { id, device, time_ns, instance, version, sent, answered, fate };
        self.stage.log().writes.push(event);
    }

    fn loses_write(&self) -> bool {
        let sabotage = RollbackSabotage::LoseAcknowledgedWrites;
        let n = self.stage.count_write();
        n % LOST_ONE_IN == LOST_ONE_IN / 2 && self.stage.is_sabotaged_by(sabotage)
    }

    /// Answers a device's query for its last points.
    pub(super) async fn query(self: Arc<Self>, device: u32) {
        let sent = self.stage.now();
        let InForce { version, flags } = self.in_force();
        let (store, outcome) = if flags.reads(&device_name(device)) {
            let outcome = self.stores.query_destination(device).await;
            self.log_attempt(AttemptKind::Query, (device, sent), outcome);
            (Store::Destination, outcome)
        } else {
            let outcome = self.stores.query_source(device).await;
            self.report(Store::Source, sent, outcome);
            (Store::Source, outcome)
        };
        let (instance, answered) = (self.index, self.stage.now());
        let event = QueryEvent { device, instance, version, store, sent, answered, outcome };
        self.stage.log().queries.push(event);
    }

    /// Copies a point to the destination, and tries again for a while.
    async fn copy(self: Arc<Self>, mut point: Point) {
        for n in 1.. {
            let copied = self.write_destination(&point).await;
            if copied.class == OutcomeClass::Success {
                return;
            }
            let wait = self.retry.wait(point.id, n, copied.retry_after);
            let Some(wait) = wait.filter(|_| copied.is_transient) else { break };
            tokio::time::sleep(wait).await;
            // The flags may have taken the device off in the meantime.
            if !self.feeds(point.device) {
                break;
            }
            if self.stage.is_sabotaged_by(RollbackSabotage::RetryWithNewTime) {
                // What an application does that stamps points when it sends them and repeats
                // the whole of a failed write.
                point.time_ns = at_ns(self.stage.now());
                self.write_source(&point).await;
            }
        }
        self.lock().repair.push(point);
    }

    /// Tries once more to copy what could not be copied, as far as the flags want it copied.
    pub(super) async fn repair(&self) {
        let waiting = std::mem::take(&mut self.lock().repair);
        for point in waiting {
            let is_copied = self.feeds(point.device)
                && self.write_destination(&point).await.class == OutcomeClass::Success;
            if !is_copied {
                self.lock().repair.push(point);
            }
        }
    }

    /// What the instance went through.
    pub(super) fn history(&self) -> InstanceHistory {
        let state = self.lock();
        let left_for_repair = state.repair.len() as u64;
        InstanceHistory { seen: state.seen.clone(), left_for_repair }
    }

    async fn write_source(&self, point: &Point) -> WriteFate {
        let sent = self.stage.now();
        let (outcome, fate) = self.stores.write_source(point).await;
        self.report(Store::Source, sent, outcome);
        fate
    }

    async fn write_destination(&self, point: &Point) -> CopyOutcome {
        let sent = self.stage.now();
        let copied = self.stores.write_destination(point).await;
        self.log_attempt(AttemptKind::Write, (point.device, sent), copied.class);
        copied
    }

    fn log_attempt(
        &self,
        kind: AttemptKind,
        (device, sent): (u32, Duration),
        outcome: OutcomeClass,
    ) {
        self.report(Store::Destination, sent, outcome);
        let latency = self.stage.now().saturating_sub(sent);
        let instance = self.index;
        let attempt = Attempt { instance, kind, device, sent, latency, outcome };
        self.stage.log().attempts.push(attempt);
    }

    fn report(&self, store: Store, sent: Duration, outcome: OutcomeClass) {
        let at = self.stage.now();
        let latency = at.saturating_sub(sent);
        self.stage.report(Observation { at, store, outcome, latency });
    }

    fn feeds(&self, device: u32) -> bool {
        self.in_force().flags.feeds(&device_name(device))
    }

    fn in_force(&self) -> InForce {
        self.lock().flags
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
