//! What both kinds of run need to know.
//!
//! The main type is [`RunOptions`]; [`RunError`] says why a run could not take place.

use std::collections::BTreeSet;
use std::time::Duration;

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
    /// Nothing would be measured.
    #[error("the duration of the run is zero")]
    ZeroDuration,
    /// Nothing could be sent.
    #[error("an open load needs at least one connection")]
    NoConnection,
    /// Nobody would send.
    #[error("a closed load needs at least one user")]
    NoUser,
    /// An operation panicked, so the recording would have a hole.
    #[error("an operation panicked")]
    Panicked,
}

impl RunOptions {
    pub(crate) fn check<O>(&self, operations: &[Labelled<O>]) -> Result<(), RunError> {
        if operations.is_empty() {
            return Err(RunError::NoOperation);
        }
        if self.duration.is_zero() {
            return Err(RunError::ZeroDuration);
        }
        let mut labels = BTreeSet::new();
        match operations.iter().find(|operation| !labels.insert(operation.label.as_str())) {
            Some(repeated) => Err(RunError::RepeatedLabel(repeated.label.clone())),
            None => Ok(()),
        }
    }
}
