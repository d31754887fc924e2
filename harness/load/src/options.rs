//! What both kinds of run need to know.
//!
//! The main type is [`RunOptions`]; [`RunError`] says why a run could not take place.

use std::collections::BTreeSet;
use std::time::Duration;

use cutover_model::Shard;
use tokio::time::Instant;

use crate::operation::Labelled;

/// The frame of a run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RunOptions {
    /// How long arrivals are measured, after the warm-up.
    pub duration: Duration,
    /// How long the load runs before it counts; recorded apart.
    pub warm_up: Duration,
    /// After how long an operation is given up. Also the time that an open load is given, after
    /// its last arrival was due, to send what is still waiting for a connection.
    pub timeout: Duration,
    /// How many operations of an open load may be under way at once. A closed load has as many
    /// as it has users.
    pub connections: usize,
    /// Which arrivals, or users, of the load are driven here: with [`Shard::WHOLE`] all of them.
    /// `connections` are those of this shard alone.
    pub shard: Shard,
}

/// A run that could not take place or broke off without a recording.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum RunError {
    /// There is nothing to drive.
    #[error("no operation was given")]
    NoOperation,
    /// Two operations would be recorded as one.
    #[error("the label `{0}` is used by two operations")]
    RepeatedLabel(String),
    /// An operation would never come.
    #[error("the weight of `{0}` is zero")]
    ZeroWeight(String),
    /// Nothing would be measured.
    #[error("the duration of the run is zero")]
    ZeroDuration,
    /// Nothing could be sent.
    #[error("an open load needs at least one connection")]
    NoConnection,
    /// A limit that cannot be held against the load: one that is no upper limit, or of another
    /// unit than its figure, or whose window is empty or longer than the load.
    #[error("the load cannot be aborted by `{0}`")]
    AbortRule(String),
    /// Nobody would send.
    #[error("a closed load needs at least one user")]
    NoUser,
    /// Nobody would send.
    #[error("a load over HTTP needs at least one thread")]
    NoThread,
    /// A request, or the server's name, cannot be written down.
    #[error("the {0} cannot be part of a request")]
    NotHttp(String),
    /// No server could be trusted.
    #[error("no authority was found that may sign the server's certificate")]
    NoRoot,
    /// The system did not give what a run needs: a thread, a poller, a timer.
    #[error("the system refused what a run needs: {0}")]
    System(std::io::ErrorKind),
    /// The end of the run is beyond what the clock can name.
    #[error("the warm-up, the duration and the timeout are too long together")]
    TooLong,
    /// An operation panicked, so the recording would have a hole.
    #[error("an operation panicked")]
    Panicked,
}

/// When a run ends.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Ends {
    /// No arrival is due from here on.
    pub(crate) measured: Instant,
    /// Arrivals that are still waiting are given up.
    pub(crate) give_up: Instant,
}

impl RunOptions {
    /// The end of the measured phase, and the time at which waiting for anything ends.
    pub(crate) fn ends(&self, start: Instant) -> Result<Ends, RunError> {
        let measured = self.warm_up.checked_add(self.duration);
        let measured = measured.and_then(|end| start.checked_add(end)).ok_or(RunError::TooLong)?;
        let give_up = measured.checked_add(self.timeout).ok_or(RunError::TooLong)?;
        // An operation that is sent at the very last still needs an instant for its timeout.
        give_up.checked_add(self.timeout).ok_or(RunError::TooLong)?;
        Ok(Ends { measured, give_up })
    }

    pub(crate) fn check<O>(&self, operations: &[Labelled<O>]) -> Result<(), RunError> {
        if operations.is_empty() {
            return Err(RunError::NoOperation);
        }
        if self.duration.is_zero() {
            return Err(RunError::ZeroDuration);
        }
        if let Some(idle) = operations.iter().find(|operation| operation.weight == 0) {
            return Err(RunError::ZeroWeight(idle.label.clone()));
        }
        let mut labels = BTreeSet::new();
        match operations.iter().find(|operation| !labels.insert(operation.label.as_str())) {
            Some(repeated) => Err(RunError::RepeatedLabel(repeated.label.clone())),
            None => Ok(()),
        }
    }
}
