//! The numbers that people ask for, made from a recording.
//!
//! The main type is [`Summary`]. Where nothing was measured there is no percentile: an absent
//! number cannot pass a limit by being zero.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::certainty::{Alikeness, Certainty, rate_interval};
use crate::histogram::Histogram;
use crate::recording::{Generator, Model, OperationRecording, OutcomeCounts, Recording};
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

/// How many independent samples those behind a figure are worth: neighbours in time are alike.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Worth {
    /// Those behind the median.
    pub p50: u64,
    /// Those behind the 95th percentile.
    pub p95: u64,
    /// Those behind the 99th percentile.
    pub p99: u64,
}

/// The measured phase of one operation in numbers.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Summary {
    /// How the arrivals came about.
    pub model: Model,
    /// The planned length of the warm-up, which is in none of the figures.
    pub warm_up: Duration,
    /// The planned length of the measured phase.
    pub duration: Duration,
    /// How much of it took place.
    pub covered: Duration,
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
    /// What the samples of `response` are worth.
    pub worth: Worth,
    /// From the sending to the answer; absent if nothing was sent.
    pub service: Option<Latency>,
    /// What is known of `service`. Its neighbours are taken to be as alike as those of `response`,
    /// which waiting behind each other makes more alike.
    pub service_certainty: Intervals,
    /// What the samples of `service` are worth.
    pub service_worth: Worth,
    /// How many samples `service` has.
    pub sent: u64,
    /// 95 % of the arrivals were sent at most this late by the generator's own doing; absent if
    /// nothing was sent.
    pub lag_p95: Option<Duration>,
    /// Arrivals that found no free connection when they were due.
    pub waited: u64,
    /// How often an arrival was told to come back later and did.
    pub retries: u64,
    /// What the generator was busy with; absent where it shares its threads with others.
    pub generator: Option<Generator>,
    /// Arrivals that were due in each second; absent for a closed load, which asks for none.
    pub asked_per_second: Option<f64>,
    /// Arrivals that were sent in each second, up to the last of them.
    pub achieved_per_second: f64,
    /// Arrivals that ended well in each second, up to the last arrival.
    pub well_per_second: f64,
    /// Where the true `well_per_second` lies with 95 % confidence; absent for less than 10 seconds.
    pub well_interval: Option<(f64, f64)>,
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

/// How alike neighbours are, for each figure that they bear upon.
struct Alike {
    p50: Alikeness,
    p90: Alikeness,
    p95: Alikeness,
    p99: Alikeness,
    p999: Alikeness,
}

impl Alike {
    fn of(certainty: &Certainty<'_>) -> Self {
        Self {
            p50: certainty.alikeness_at(Quantile::P50),
            p90: certainty.alikeness_at(Quantile::P90),
            p95: certainty.alikeness_at(Quantile::P95),
            p99: certainty.alikeness_at(Quantile::P99),
            p999: certainty.alikeness_at(Quantile::P999),
        }
    }

    fn intervals(&self, samples: &Histogram, mean: Option<Interval>) -> Intervals {
        Intervals {
            p50: self.p50.interval(samples, Quantile::P50),
            p90: self.p90.interval(samples, Quantile::P90),
            p95: self.p95.interval(samples, Quantile::P95),
            p99: self.p99.interval(samples, Quantile::P99),
            p999: self.p999.interval(samples, Quantile::P999),
            mean,
        }
    }

    fn worth(&self, samples: u64) -> Worth {
        Worth {
            p50: self.p50.worth(samples),
            p95: self.p95.worth(samples),
            p99: self.p99.worth(samples),
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
        let certainty = Certainty::of(operation, self.warm_up.as_secs());
        let alike = Alike::of(&certainty);
        let well_per_second = per_second(samples.outcomes.ok, self.span);
        Some(Summary {
            model: self.model,
            warm_up: self.warm_up,
            duration: self.duration,
            covered: self.covered,
            samples: due,
            outcomes: samples.outcomes.clone(),
            work: samples.work,
            response: Latency::of(&samples.response),
            certainty: alike.intervals(&samples.response, certainty.mean()),
            worth: alike.worth(due),
            service: Latency::of(&samples.service),
            service_certainty: alike.intervals(&samples.service, None),
            service_worth: alike.worth(samples.service.samples()),
            sent: samples.service.samples(),
            lag_p95: samples.lag.quantile(Quantile::P95),
            waited: samples.waited,
            retries: samples.retries,
            generator: self.generator,
            asked_per_second: match self.model {
                Model::Open => Some(per_second(due, self.covered)),
                Model::Closed => None,
            },
            achieved_per_second: per_second(sent, self.span),
            well_per_second,
            well_interval: rate_interval(well_per_second, &self.well_by_second(operation)),
            work_per_second: per_second(samples.work, self.span),
        })
    }

    /// How many arrivals ended well in each whole second of the measured phase.
    fn well_by_second(&self, operation: &OperationRecording) -> Vec<u64> {
        let first = self.warm_up.as_secs() + u64::from(self.warm_up.subsec_nanos() > 0);
        let end = (self.warm_up + self.covered).as_secs();
        let well = |second| {
            let second = operation.seconds.get(&second);
            second.map_or(0, |it| it.ended.saturating_sub(it.failed))
        };
        (first..end).map(well).collect()
    }
}
