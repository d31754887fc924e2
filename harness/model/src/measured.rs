//! What was measured of one operation: figures, what is known of each, and what the generator did.
//!
//! The main type is [`Measured`], the value of a fact. Every output shows it and a later run is
//! compared with it, so it holds numbers and never text. How it was recorded is the load crate's.

use std::collections::BTreeMap;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::ids::Timing;

/// How requests came about. Latencies of the two are never put together.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Arrivals {
    /// Requests were due at instants fixed beforehand.
    Open,
    /// Each user waited for an answer before asking again.
    Closed,
}

impl Arrivals {
    /// The word used in files and reports.
    pub fn word(self) -> &'static str {
        match self {
            Self::Open => "open",
            Self::Closed => "closed",
        }
    }
}

/// The measured phase of one operation.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Measured {
    /// How its requests came about.
    pub arrivals: Arrivals,
    /// What was to be driven, as a digest: figures of different loads are not compared.
    pub plan: String,
    /// What its clock readings are worth.
    pub timing: Timing,
    /// The planned length of the warm-up, which is in none of the figures.
    pub warm_up: Duration,
    /// The planned length of the measured phase.
    pub duration: Duration,
    /// How much of it took place: all of it unless the load was ended early.
    pub covered: Duration,
    /// Requests in the base of the percentiles: all that were due, whatever became of them.
    pub requests: u64,
    /// Requests that were due in each second; absent for a closed load, which asks for none.
    pub asked_per_second: Option<f64>,
    /// Requests that were sent in each second.
    pub achieved_per_second: f64,
    /// Requests that ended well in each second.
    pub well_per_second: Estimate<f64>,
    /// From the instant at which a request was due to its answer; absent if there was none.
    pub response: Option<LatencyFigures>,
    /// From the sending to the answer; absent if nothing was sent.
    pub service: Option<LatencyFigures>,
    /// Requests that found no free connection when they were due.
    pub waited: u64,
    /// How often a request was told to come back later and did.
    pub retries: u64,
    /// Requests that did not end well, by what happened to them.
    pub failed: BTreeMap<String, u64>,
    /// What the generator did meanwhile.
    pub generator: GeneratorFigures,
}

impl Measured {
    /// Requests that did not end well.
    pub fn failures(&self) -> u64 {
        self.failed.values().sum()
    }
}

/// Latencies of one kind.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct LatencyFigures {
    /// How many there are.
    pub samples: u64,
    /// The median.
    pub p50: Estimate<Duration>,
    /// 95 in a hundred were at most this.
    pub p95: Estimate<Duration>,
    /// 99 in a hundred were at most this.
    pub p99: Estimate<Duration>,
    /// The greatest that was seen, which is no estimate of anything.
    pub max: Duration,
}

/// A figure and what is known of the truth behind it.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Estimate<T> {
    /// The figure.
    pub value: T,
    /// Where the truth lies with 95 % confidence, where that can be told.
    pub interval: Option<(T, T)>,
    /// How many independent samples its samples are worth: neighbours in time are alike.
    pub worth: u64,
}

/// What a generator did.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct GeneratorFigures {
    /// 95 % of the requests were sent at most this late by its own doing.
    pub lag_p95: Option<Duration>,
    /// The share of its threads' time that it was at work, where it has threads of its own.
    pub busy: Option<f64>,
    /// How far the wall clock was set, or the machine was suspended.
    pub clock_step: Duration,
    /// Why several generators did not drive the whole load together, if so.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub divided: Option<String>,
}

impl GeneratorFigures {
    /// The share of its time that a generator may be at work: with nothing to spare it measures
    /// itself.
    pub const BUSY_LIMIT: f64 = 0.9;
    /// How far the wall clock may be set, or the machine be suspended, during a measurement.
    pub const CLOCK_LIMIT: Duration = Duration::from_millis(100);
}
