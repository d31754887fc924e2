//! What all who take part in a drill share: time, chance, the log, and the tasks under way.

use std::future::Future;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use cutover_model::draw::draw;
use cutover_model::scenario::RollbackSabotage;
use cutover_traffic::Observation;
use tokio::task::JoinSet;
use tokio::time::Instant;

use super::flag_store::FlagStore;
use super::history::{Attempt, QueryEvent, WriteEvent};

/// The streams of chance, so that no two purposes share one.
#[derive(Clone, Copy, Debug)]
#[repr(u64)]
pub(super) enum Chance {
    Writes = 1,
    Queries = 2,
    Polls = 3,
    Backoff = 4,
    Faults = 5,
}

/// What all who take part in a drill share.
#[derive(Debug)]
pub(super) struct Stage {
    pub(super) seed: u64,
    pub(super) sabotage: Option<RollbackSabotage>,
    pub(super) flags: FlagStore,
    start: Instant,
    log: Mutex<Log>,
    observations: Mutex<Vec<Observation>>,
    tasks: Mutex<JoinSet<()>>,
    writes_taken: AtomicU64,
}

/// What happened so far, in the order in which it ended.
#[derive(Debug, Default)]
pub(super) struct Log {
    pub(super) writes: Vec<WriteEvent>,
    pub(super) queries: Vec<QueryEvent>,
    pub(super) attempts: Vec<Attempt>,
}

impl Stage {
    /// A stage whose time begins now.
    pub(super) fn new(seed: u64, sabotage: Option<RollbackSabotage>) -> Self {
        Self {
            seed,
            sabotage,
            flags: FlagStore::default(),
            start: Instant::now(),
            log: Mutex::default(),
            observations: Mutex::default(),
            tasks: Mutex::default(),
            writes_taken: AtomicU64::new(0),
        }
    }

    /// The time since the start.
    pub(super) fn now(&self) -> Duration {
        self.start.elapsed()
    }

    /// Waits until a time since the start.
    pub(super) async fn until(&self, at: Duration) {
        tokio::time::sleep_until(self.start + at).await;
    }

    /// A number of chance below `limit`, the `n`th of `whom` for this purpose.
    pub(super) fn draw_below(
        &self,
        limit: Duration,
        chance: Chance,
        (whom, n): (u32, u64),
    ) -> Duration {
        let stream = ((chance as u64) << 32) | u64::from(whom);
        let nanos = u64::try_from(limit.as_nanos()).unwrap_or(u64::MAX).max(1);
        Duration::from_nanos(draw(self.seed, stream, n) % nanos)
    }

    /// The seed for one purpose.
    pub(super) fn seed_of(&self, chance: Chance) -> u64 {
        draw(self.seed, chance as u64, 0)
    }

    /// Whether the drill is broken in this way.
    pub(super) fn is_sabotaged_by(&self, sabotage: RollbackSabotage) -> bool {
        self.sabotage == Some(sabotage)
    }

    /// The number of this write among all that the backend took, from 0.
    pub(super) fn count_write(&self) -> u64 {
        self.writes_taken.fetch_add(1, Ordering::Relaxed)
    }

    pub(super) fn log(&self) -> MutexGuard<'_, Log> {
        self.log.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Reports how a request to a store ended.
    pub(super) fn report(&self, observation: Observation) {
        self.lock_observations().push(observation);
    }

    /// What was reported since the last time, in the order of time.
    pub(super) fn take_reports(&self) -> Vec<Observation> {
        let mut reports = std::mem::take(&mut *self.lock_observations());
        reports.sort_by_key(|observation| observation.at);
        reports
    }

    /// Runs a task that the drill waits for at its end.
    pub(super) fn spawn(&self, task: impl Future<Output = ()> + Send + 'static) {
        let mut tasks = self.lock_tasks();
        tasks.spawn(task);
        while tasks.try_join_next().is_some() {}
    }

    /// Waits for all tasks, and for those that they start.
    pub(super) async fn drain(&self) {
        loop {
            let mut tasks = std::mem::take(&mut *self.lock_tasks());
            if tasks.is_empty() {
                return;
            }
            while tasks.join_next().await.is_some() {}
        }
    }

    fn lock_observations(&self) -> MutexGuard<'_, Vec<Observation>> {
        self.observations.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn lock_tasks(&self) -> MutexGuard<'_, JoinSet<()>> {
        self.tasks.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
