//! What the sink knows about the latency that it caused.
//!
//! The main type is [`SinkReport`]; a `Ledger` collects it while the sink serves.

use std::time::Duration;

use hdrhistogram::Histogram;
use serde::{Deserialize, Serialize};

/// Quantiles of what the sink did; all zero if it did nothing.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Quantiles {
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
}

/// What the sink did from its start to its stop.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct SinkReport {
    /// Connections that were accepted.
    pub connections: u64,
    /// Requests that were read to their end.
    pub requests: u64,
    /// Bytes of their bodies.
    pub body_bytes: u64,
    /// The delays as they were drawn from the law.
    pub drawn: Quantiles,
    /// From the reading of a request to the writing of its answer.
    pub kept: Quantiles,
    /// How much later than drawn an answer was written: the sink's own fault.
    pub late: Quantiles,
}

/// Collects a report.
#[derive(Debug)]
pub(crate) struct Ledger {
    pub(crate) connections: u64,
    pub(crate) requests: u64,
    pub(crate) body_bytes: u64,
    drawn: Histogram<u64>,
    kept: Histogram<u64>,
    late: Histogram<u64>,
}

impl Ledger {
    pub(crate) fn new() -> Self {
        // Four digits: the judge of a histogram of three must see more than that has.
        let histogram = || Histogram::new(4).expect("four digits are within the allowed range");
        Self {
            connections: 0,
            requests: 0,
            body_bytes: 0,
            drawn: histogram(),
            kept: histogram(),
            late: histogram(),
        }
    }

    pub(crate) fn answered(&mut self, drawn: Duration, kept: Duration) {
        let record = |histogram: &mut Histogram<u64>, time: Duration| {
            let ns = u64::try_from(time.as_nanos()).unwrap_or(u64::MAX);
            histogram.record(ns).expect("the histogram grows up to any value");
        };
        record(&mut self.drawn, drawn);
        record(&mut self.kept, kept);
        record(&mut self.late, kept.saturating_sub(drawn));
    }

    pub(crate) fn report(&self) -> SinkReport {
        SinkReport {
            connections: self.connections,
            requests: self.requests,
            body_bytes: self.body_bytes,
            drawn: quantiles(&self.drawn),
            kept: quantiles(&self.kept),
            late: quantiles(&self.late),
        }
    }
}

fn quantiles(histogram: &Histogram<u64>) -> Quantiles {
    let at = |share| Duration::from_nanos(histogram.value_at_quantile(share));
    Quantiles {
        p50: at(0.5),
        p90: at(0.9),
        p95: at(0.95),
        p99: at(0.99),
        p999: at(0.999),
        max: Duration::from_nanos(histogram.max()),
    }
}
