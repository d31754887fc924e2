//! Quirks: ways in which the stand-in can be told to misbehave.
//!
//! A [`Quirk`] says what goes wrong ([`QuirkKind`]), for which requests ([`Scope`]), for how many
//! of them and when ([`Schedule`]). [`Quirks`] decides for each request what befalls it; the HTTP
//! side carries that out. Which requests are hit depends on the seed and on their order alone. A
//! quirk works inside the server, where it knows what a write means; what can go wrong on the way
//! is left to a proxy.

mod wire;

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use cutover_model::Ratio;
use cutover_model::draw::draw_unit;
use http::{Method, StatusCode};

pub(crate) use self::wire::{QuirkWire, decode, encode};

/// A way to misbehave.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum QuirkKind {
    /// Holds the request back for a while.
    Latency {
        /// For how long.
        add: Duration,
    },
    /// Answers with an error, and nothing of what was asked is done.
    HttpError {
        /// The status of the answer.
        status: StatusCode,
        /// What `Retry-After` says, rounded up to whole seconds.
        retry_after: Option<Duration>,
    },
    /// Closes the connection without an answer, and nothing of what was asked is done.
    RefuseConnections,
    /// Does what was asked, and closes the connection without its answer.
    AckLost,
    /// Stores the first half of the points of a write and answers with 422. Other requests than
    /// writes are left alone.
    PartialWrite,
    /// Does what was asked twice, one after the other, and gives the second answer.
    DuplicateApply,
    /// Ends an answer of CSV in the middle of a row, as if that were its end. Other answers are
    /// left alone.
    TruncatedCsv,
    /// Ends an answer of CSV after half of its rows with a table that tells of an error. Other
    /// answers are left alone.
    ErrorTable,
    /// Does what was asked, and closes the connection halfway through the body of the answer.
    ConnectionReset,
    /// Does what was asked, sends half of the body of the answer and then nothing more.
    StalledBody,
}

/// A way to misbehave, and the requests that it befalls.
#[derive(Clone, Debug, PartialEq)]
pub struct Quirk {
    /// What goes wrong.
    pub kind: QuirkKind,
    /// The share of the requests in scope that are hit.
    pub ratio: Ratio,
    /// The requests that may be hit.
    pub scope: Scope,
    /// When they may be hit.
    pub schedule: Schedule,
}

impl Quirk {
    /// Misbehaves at every request in scope, at all times.
    pub fn always(kind: QuirkKind, scope: Scope) -> Self {
        Self { kind, ratio: Ratio::ONE, scope, schedule: Schedule::Always }
    }
}

/// The requests that a quirk is for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Scope {
    /// The method, or any.
    pub method: Option<Method>,
    /// The path, with everything below it. `/` is every path.
    pub path: String,
}

impl Scope {
    /// Every request.
    pub fn all() -> Self {
        Self { method: None, path: "/".to_owned() }
    }

    /// The writes of the v2 API.
    pub fn writes() -> Self {
        Self { method: Some(Method::POST), path: "/api/v2/write".to_owned() }
    }

    /// The queries of the v2 API.
    pub fn queries() -> Self {
        Self { method: Some(Method::POST), path: "/api/v2/query".to_owned() }
    }

    fn covers(&self, method: &Method, path: &str) -> bool {
        let is_method = self.method.as_ref().is_none_or(|expected| expected == method);
        let below = path.strip_prefix(self.path.trim_end_matches('/'));
        is_method && below.is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
    }
}

/// When a quirk is on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Schedule {
    /// From start to end.
    Always,
    /// By the stand-in's clock, in nanoseconds since 1970.
    Between {
        /// The first instant.
        from_ns: i64,
        /// The first instant after.
        until_ns: i64,
    },
    /// By the number of the request among those in scope, the first being 1.
    Requests {
        /// The first request.
        from: u64,
        /// The first request after.
        until: u64,
    },
}

impl Schedule {
    fn covers(self, number: u64, now_ns: i64) -> bool {
        match self {
            Self::Always => true,
            Self::Between { from_ns, until_ns } => (from_ns..until_ns).contains(&now_ns),
            Self::Requests { from, until } => (from..until).contains(&number),
        }
    }
}

/// A quirk and how often it had a chance.
#[derive(Clone, Debug, PartialEq)]
pub struct QuirkCount {
    /// The quirk.
    pub quirk: Quirk,
    /// How many requests in scope there were.
    pub seen: u64,
    /// How many of them it was to befall.
    pub hit: u64,
}

/// The quirks that are switched on.
#[derive(Debug)]
pub(crate) struct Quirks {
    seed: u64,
    on: Mutex<Vec<QuirkCount>>,
}

/// What befalls one request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Fate {
    /// How long it is held back.
    pub(crate) delay: Duration,
    /// What goes wrong then, of the quirks other than latency the first that hits.
    pub(crate) fault: Option<QuirkKind>,
}

impl Quirks {
    pub(crate) fn new(seed: u64, quirks: Vec<Quirk>) -> Self {
        let new = Self { seed, on: Mutex::new(Vec::new()) };
        new.set(quirks);
        new
    }

    /// Replaces the quirks; counting begins anew.
    pub(crate) fn set(&self, quirks: Vec<Quirk>) {
        let fresh = quirks.into_iter().map(|quirk| QuirkCount { quirk, seen: 0, hit: 0 });
        *self.lock() = fresh.collect();
    }

    pub(crate) fn counts(&self) -> Vec<QuirkCount> {
        self.lock().clone()
    }

    fn lock(&self) -> MutexGuard<'_, Vec<QuirkCount>> {
        self.on.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Decides about the next request.
    pub(crate) fn decide(&self, method: &Method, path: &str, now_ns: i64) -> Fate {
        let mut fate = Fate { delay: Duration::ZERO, fault: None };
        for (stream, count) in self.lock().iter_mut().enumerate() {
            if !count.quirk.scope.covers(method, path) {
                continue;
            }
            count.seen += 1;
            // Each quirk draws from a stream of its own, so that they hit independently.
            let drawn = draw_unit(self.seed, stream as u64, count.seen);
            if !count.quirk.schedule.covers(count.seen, now_ns) || drawn >= count.quirk.ratio.get()
            {
                continue;
            }
            match count.quirk.kind {
                QuirkKind::Latency { add } => fate.delay = fate.delay.saturating_add(add),
                _ if fate.fault.is_some() => continue,
                kind => fate.fault = Some(kind),
            }
            count.hit += 1;
        }
        fate
    }
}

#[cfg(test)]
mod tests;
