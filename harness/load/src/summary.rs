//! The numbers that people ask for, made from a recording.
//!
//! The main type is [`Summary`]. Where nothing was measured there is no percentile: an absent
//! number cannot pass a limit by being zero.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::certainty::Certainty;
use crate::histogram::Histogram;
use crate::recording::{Model, OperationRecording, OutcomeCounts, Recording};
use crate::statistics::{Interval, Quantile};

/// Percentiles of one histogram.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Latency {
    /// The median.
    pub p50: Duration,
    /// Nine in ten were at most this.
    pub p90: Duration,
    /// 95 in a hundred were at most this.
    pub p95: Duration,
    /// 99 in a hundred were at most this.
    pub p99: Duration,
    /// 999 in a thousand were at most this.
    pub p999: Duration,
    /// The greatest.
    pub max: Duration,
    /// The mean.
    pub mean: Duration,
}

/// The ranges in which the true figures lie with 95 % confidence, where enough samples bound them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Intervals {
    /// Of the median.
    pub p50: Option<Interval>,
    /// Of the 90th percentile.
    pub p90: Option<Interval>,
    /// Of the 95th percentile.
    pub p95: Option<Interval>,
    /// Of the 99th percentile.
    pub p99: Option<Interval>,
    /// Of the 99.9th percentile.
    pub p999: Option<Interval>,
    /// Of the mean.
    pub mean: Option<Interval>,
}

/// The measured phase of one operation in numbers.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Summary {
    /// Arrivals in the base of the percentiles: all that were due.
    pub samples: u64,
    /// How they ended.
    pub outcomes: OutcomeCounts,
    /// The work that was done.
    pub work: u64,
    /// From the due instant to the answer; absent if there are no samples.
    pub response: Option<Latency>,
    /// What is known of `response`.
    pub certainty: Intervals,
    /// From the sending to the answer; absent if nothing was sent.
    pub service: Option<Latency>,
    /// 95 % of the arrivals were sent at most this late by the generator's own doing; absent if
    /// nothing was sent.
    pub lag_p95: Option<Duration>,
    /// Arrivals that found no free connection when they were due.
    pub waited: u64,
    /// Arrivals that were due in each second; absent for a closed load, which asks for none.
    pub asked_per_second: Option<f64>,
    /// Arrivals that were sent in each second, up to the last of them.
    pub achieved_per_second: f64,
    /// Work done in each second, up to the last arrival.
    pub work_per_second: f64,
}

impl Latency {
    /// The percentiles of a histogram; none if it is empty.
    pub fn of(histogram: &Histogram) -> Option<Self> {
        Some(Self {
            p50: histogram.quantile(Quantile::P50)?,
            p90: histogram.quantile(Quantile::P90)?,
            p95: histogram.quantile(Quantile::P95)?,
            p99: histogram.quantile(Quantile::P99)?,
            p999: histogram.quantile(Quantile::P999)?,
            max: histogram.max()?,
            mean: histogram.mean()?,
        })
    }
}

impl Intervals {
    fn of(operation: &OperationRecording, from_second: u64) -> Self {
        let certainty = Certainty::of(operation, from_second);
        Self {
            p50: certainty.quantile(Quantile::P50),
            p90: certainty.quantile(Quantile::P90),
            p95: certainty.quantile(Quantile::P95),
            p99: certainty.quantile(Quantile::P99),
            p999: certainty.quantile(Quantile::P999),
            mean: certainty.mean(),
        }
    }
}

impl Recording {
    /// The measured phase of one operation; none if no operation has this label.
    pub fn summary(&self, label: &str) -> Option<Summary> {
        let operation = self.operations.get(label)?;
        let samples = &operation.measured;
        let due = samples.response.samples();
        let sent = due.saturating_sub(samples.outcomes.unsent);
        let per_second = |count: u64, time: Duration| {
            if time.is_zero() { 0.0 } else { count as f64 / time.as_secs_f64() }
        };
        Some(Summary {
            samples: due,
            outcomes: samples.outcomes.clone(),
            work: samples.work,
            response: Latency::of(&samples.response),
            certainty: Intervals::of(operation, self.warm_up.as_secs()),
            service: Latency::of(&samples.service),
            lag_p95: samples.lag.quantile(Quantile::P95),
            waited: samples.waited,
            asked_per_second: match self.model {
                Model::Open => Some(per_second(due, self.covered)),
                Model::Closed => None,
            },
            achieved_per_second: per_second(sent, self.span),
            work_per_second: per_second(samples.work, self.span),
        })
    }
}
