//! The open model: arrivals come when they are due, whatever the answers do.
//!
//! [`run_open`] keeps a fixed number of connections. Each takes the next arrival from one shared
//! queue, waits until it is due, sends, and records; no task and no message exists for a single
//! arrival. When every connection is busy, due arrivals stay in the queue and their latency goes
//! on counting, so a stall is charged to everyone who had to wait for it.

use std::sync::{Arc, Mutex as StdMutex, PoisonError};
use std::time::Duration;

use tokio::sync::{Mutex, watch};
use tokio::task::JoinSet;
use tokio::time::{Instant, timeout_at};

use crate::interleave::Turn;
use crate::operation::{Labelled, Operation, Outcome, OutcomeClass, weights_of};
use crate::options::{RunError, RunOptions};
use crate::pacing::{Waited, until_or_stop};
use crate::recorder::{Arrived, Frame, Recorder, Unsent};
use crate::recording::{Model, Recording};
use crate::schedule::Schedule;
use crate::share::{Arrivals, Share};

/// Time for the connections to get ready before the first arrival is due.
const LEAD: Duration = Duration::from_millis(5);

/// Drives operations at the instants of a schedule.
///
/// With several operations the arrivals are dealt to them in rounds, in a random order that
/// the schedule's seed decides; each operation then has a share of the schedule's rate by its
/// weight, and [`Operation::run`] is given how many arrivals it had before. When `stop` turns true,
/// nothing more is sent, what is under way is awaited, and the recording is marked as incomplete.
///
/// Timing is exact on a runtime whose clock is paused, to a tick of its timer.
pub async fn run_open<O: Operation>(
    operations: Vec<Labelled<O>>,
    schedule: Schedule,
    options: RunOptions,
    stop: watch::Receiver<bool>,
) -> Result<Recording, RunError> {
    options.check(&operations)?;
    if options.connections == 0 {
        return Err(RunError::NoConnection);
    }
    let labels: Vec<_> = operations.iter().map(|operation| operation.label.clone()).collect();
    let weights = weights_of(&operations);
    let operations: Vec<O> = operations.into_iter().map(|labelled| labelled.operation).collect();
    let start = Instant::now() + LEAD;
    let ends = options.ends(start)?;
    let shared = Arc::new(Shared {
        start,
        give_up: ends.give_up,
        timeout: options.timeout,
        queue: Mutex::new(Arrivals::new(
            &schedule,
            &weights,
            Share::of_shard(options.shard),
            ends.measured - start,
        )),
        recorder: StdMutex::new(Recorder::new(labels.len(), options.warm_up, options.timeout)),
    });
    let mut connections = JoinSet::new();
    for _ in 0..options.connections {
        let connection = Connection {
            shared: Arc::clone(&shared),
            operations: operations.clone(),
            stop: stop.clone(),
        };
        connections.spawn(connection.serve());
    }
    let mut stopped = None;
    while let Some(joined) = connections.join_next().await {
        let told = joined.map_err(|_| RunError::Panicked)?;
        stopped = stopped.or(told);
    }
    let shared = Arc::into_inner(shared).expect("every connection has ended");
    Ok(shared.finish(Frame { model: Model::Open, duration: options.duration, stopped }, labels))
}

#[derive(Debug)]
struct Shared {
    start: Instant,
    /// When arrivals that are still in the queue are abandoned.
    give_up: Instant,
    timeout: Duration,
    /// The arrivals that nobody has taken yet.
    queue: Mutex<Arrivals>,
    recorder: StdMutex<Recorder>,
}

struct Connection<O> {
    shared: Arc<Shared>,
    operations: Vec<O>,
    stop: watch::Receiver<bool>,
}

impl<O: Operation> Connection<O> {
    /// Takes arrivals until there are none or the run is stopped; says when it was stopped.
    async fn serve(mut self) -> Option<Duration> {
        let shared = Arc::clone(&self.shared);
        loop {
            let free = Instant::now();
            let mut queue = shared.queue.lock().await;
            if *self.stop.borrow() {
                return Some(shared.since_start(Instant::now()));
            }
            if Instant::now() >= shared.give_up {
                return None;
            }
            let (turn, due) = queue.next()?;
            // The queue stays locked while its head is not due: one connection waits for the
            // clock, the others for the queue.
            if until_or_stop(shared.start + due, &mut self.stop).await == Waited::Stopped {
                return Some(shared.since_start(Instant::now()));
            }
            drop(queue);
            self.send(turn, due, free).await;
        }
    }

    async fn send(&self, turn: Turn, due: Duration, free: Instant) {
        let shared = &self.shared;
        let sent = Instant::now();
        let running = self.operations[turn.operation].run(turn.number);
        let outcome = timeout_at(sent + shared.timeout, running)
            .await
            .unwrap_or(Outcome::failed(OutcomeClass::Timeout));
        let done = Instant::now();
        shared.recorder.lock().unwrap_or_else(PoisonError::into_inner).record(Arrived {
            operation: turn.operation,
            due,
            free: shared.since_start(free),
            sent: shared.since_start(sent),
            done: shared.since_start(done),
            outcome,
        });
    }
}

impl Shared {
    fn since_start(&self, instant: Instant) -> Duration {
        instant.saturating_duration_since(self.start)
    }

    /// Records what was due and never sent, and ends the recording.
    fn finish(self, frame: Frame, labels: Vec<String>) -> Recording {
        let now = self.since_start(Instant::now());
        let mut recorder = self.recorder.into_inner().unwrap_or_else(PoisonError::into_inner);
        let mut queue = self.queue.into_inner();
        queue.end_at(frame.stopped.unwrap_or(Duration::MAX));
        for (turn, due) in queue {
            recorder.record_unsent(Unsent { operation: turn.operation, due, given_up: now });
        }
        recorder.finish(frame, labels)
    }
}
