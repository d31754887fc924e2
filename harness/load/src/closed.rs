//! The closed model: each of a number of users waits for an answer before asking again.
//!
//! [`run_closed`] is for questions such as "do 50 users get their answers?". It cannot show what a
//! stall does to those who would have come meanwhile; that is what [`run_open`](crate::run_open)
//! is for, and the recording says which of the two it is.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use cutover_model::Shard;
use cutover_model::draw::{draw, stream_of};
use tokio::sync::watch;
use tokio::task::{JoinSet, yield_now};
use tokio::time::{Instant, timeout_at};

use crate::interleave::{Dealer, Turn};
use crate::operation::{Labelled, Operation, Outcome, OutcomeClass, weights_of};
use crate::options::{RunError, RunOptions};
use crate::pacing::{Waited, rest_or_stop};
use crate::recorder::{Arrived, Frame, Recorder};
use crate::recording::{Model, Recording};
use crate::share::Share;

/// The users of a closed load.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Closed {
    /// How many users there are.
    pub users: u32,
    /// How long a user pauses after each answer.
    pub think: Duration,
    /// In which time the users join, one after the other at equal distances.
    pub ramp_up: Duration,
    /// Decides the order of interleaved operations.
    pub seed: u64,
}

impl Closed {
    /// Decides what one user asks, request by request.
    pub(crate) fn dealer(&self, user: u64, weights: &Arc<[u32]>) -> Dealer {
        Dealer::new(draw(self.seed, stream_of("user"), user), Arc::clone(weights))
    }

    /// The turn of one user with a number that no other user's has.
    pub(crate) fn among_all(&self, turn: Turn, user: u64) -> Turn {
        Turn { number: turn.number * u64::from(self.users) + user, ..turn }
    }

    /// How many of the users a shard plays: at least one.
    pub(crate) fn users_of(&self, shard: Shard) -> Result<usize, RunError> {
        let all = usize::try_from(self.users).expect("32 bits of users");
        match Share::of_shard(shard).size(all) {
            0 => Err(RunError::NoUser),
            own => Ok(own),
        }
    }
}

/// Drives operations by users who wait for their answers.
///
/// With several operations each user goes through them in rounds, in a random order and each as
/// often as its weight says; [`Operation::run`] is given a number that no other user has for it.
/// `stop` and the phases are as in [`run_open`](crate::run_open); [`RunOptions::connections`] has
/// no say.
///
/// On a runtime whose clock is paused the operation or the think time has to take some time,
/// since the clock does not move otherwise.
pub async fn run_closed<O: Operation>(
    operations: Vec<Labelled<O>>,
    closed: Closed,
    options: RunOptions,
    stop: watch::Receiver<bool>,
) -> Result<Recording, RunError> {
    options.check(&operations)?;
    let share = Share::of_shard(options.shard);
    let own = closed.users_of(options.shard)?;
    let labels: Vec<_> = operations.iter().map(|operation| operation.label.clone()).collect();
    let weights = weights_of(&operations);
    let operations: Vec<O> = operations.into_iter().map(|labelled| labelled.operation).collect();
    let recorder = Recorder::new(labels.len(), options.warm_up, options.timeout);
    let recorder = Arc::new(Mutex::new(recorder));
    let start = Instant::now();
    let end = options.ends(start)?.measured;
    let mut users = JoinSet::new();
    for index in 0..own {
        let number = share.at(index);
        let user = User {
            number: u32::try_from(number).expect("32 bits of users"),
            dealer: closed.dealer(number, &weights),
            closed,
            start,
            end,
            timeout: options.timeout,
            operations: operations.clone(),
            recorder: Arc::clone(&recorder),
            stop: stop.clone(),
        };
        users.spawn(user.live());
    }
    let mut stopped = None;
    while let Some(joined) = users.join_next().await {
        let told = joined.map_err(|_| RunError::Panicked)?;
        stopped = stopped.or(told);
    }
    let recorder = Arc::into_inner(recorder).expect("every user has ended");
    let recorder = recorder.into_inner().unwrap_or_else(PoisonError::into_inner);
    let frame = Frame { model: Model::Closed, duration: options.duration, stopped };
    Ok(recorder.finish(frame, labels))
}

struct User<O> {
    number: u32,
    closed: Closed,
    start: Instant,
    end: Instant,
    timeout: Duration,
    operations: Vec<O>,
    dealer: Dealer,
    recorder: Arc<Mutex<Recorder>>,
    stop: watch::Receiver<bool>,
}

impl<O: Operation> User<O> {
    /// Asks and thinks until the end or until the run is stopped; says when it was stopped.
    async fn live(mut self) -> Option<Duration> {
        let joins = self.closed.ramp_up / self.closed.users;
        let joins = joins.checked_mul(self.number).and_then(|after| self.start.checked_add(after));
        let mut next = joins.unwrap_or(self.end);
        for k in 0_u64.. {
            if next >= self.end {
                return self.rest_until_end().await;
            }
            if rest_or_stop(next, &mut self.stop).await == Waited::Stopped {
                return Some(self.start.elapsed());
            }
            if Instant::now() >= self.end {
                return None;
            }
            self.ask(k).await;
            let now = Instant::now();
            next = now.checked_add(self.closed.think).unwrap_or(self.end);
            // An operation that never waits must not keep the other users from theirs.
            yield_now().await;
        }
        None
    }

    /// A pause that reaches beyond the end is cut there, and a stop is still heard.
    async fn rest_until_end(&mut self) -> Option<Duration> {
        let waited = rest_or_stop(self.end, &mut self.stop).await;
        (waited == Waited::Stopped).then(|| self.start.elapsed())
    }

    async fn ask(&mut self, k: u64) {
        let turn = self.closed.among_all(self.dealer.deal(k), self.number.into());
        let sent = Instant::now();
        let outcome =
            timeout_at(sent + self.timeout, self.operations[turn.operation].run(turn.number))
                .await
                .unwrap_or(Outcome::failed(OutcomeClass::Timeout));
        let done = self.start.elapsed();
        let sent = sent.duration_since(self.start);
        self.recorder.lock().unwrap_or_else(PoisonError::into_inner).record(Arrived {
            operation: turn.operation,
            due: sent,
            free: sent,
            sent,
            done,
            outcome,
        });
    }
}
