//! The thing that is driven, and how it may end.
//!
//! [`Operation`] is the trait that a caller implements; its answer is an [`Outcome`].

use std::future::Future;
use std::sync::Arc;

/// Something that can be done again and again: a write of a batch, a query.
///
/// A run clones the operation for each connection, so a clone may hold a connection of its own.
/// The future is dropped when the run's timeout expires.
pub trait Operation: Clone + Send + Sync + 'static {
    /// Does it once. `k` counts from 0, for each operation by itself, without gap or repetition.
    /// Operations of equal weight that share `k` are meant to be compared: use it to pick the
    /// same parameters for each of them.
    fn run(&self, k: u64) -> impl Future<Output = Outcome> + Send;
}

/// An operation, the name under which it is recorded, and how often it comes.
#[derive(Clone, Debug)]
pub struct Labelled<O> {
    /// The name; no two operations of a run share one.
    pub label: String,
    /// How often it comes in each round of all operations: at least once.
    pub weight: u32,
    /// The operation.
    pub operation: O,
}

/// How often each operation comes in a round.
pub(crate) fn weights_of<O>(operations: &[Labelled<O>]) -> Arc<[u32]> {
    operations.iter().map(|operation| operation.weight).collect()
}

/// How one operation ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Outcome {
    /// The kind of ending.
    pub class: OutcomeClass,
    /// How much was achieved, in the caller's unit: points acknowledged, rows read.
    pub work: u64,
}

impl Outcome {
    /// Success, with so much work done.
    pub const fn ok(work: u64) -> Self {
        Self { class: OutcomeClass::Ok, work }
    }

    /// An ending without any work done.
    pub const fn failed(class: OutcomeClass) -> Self {
        Self { class, work: 0 }
    }
}

/// The kinds of endings. Codes are short, fixed words: each becomes a counter.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OutcomeClass {
    /// The answer was there and right.
    Ok,
    /// The service or the way to it failed: `connect`, `503`.
    Error(&'static str),
    /// The service understood and said no: `400`, `partial`.
    Rejected(&'static str),
    /// No answer in time. Its latency counts as at least the run's timeout.
    Timeout,
    /// The answer was there and not the one that was due.
    WrongAnswer,
    /// It was still under way when its load was aborted, and was not awaited.
    Cut,
}
