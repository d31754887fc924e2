//! Limits: a comparison with a value that has a unit.

use std::fmt;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::units::{Rate, Ratio, ShortDuration};

/// How an observed value is held against a limit.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Comparison {
    /// Below the limit.
    #[serde(rename = "<")]
    Below,
    /// Below it or equal.
    #[serde(rename = "<=")]
    AtMost,
    /// Above the limit.
    #[serde(rename = ">")]
    Above,
    /// Above it or equal.
    #[serde(rename = ">=")]
    AtLeast,
}

impl Comparison {
    /// Whether `observed` stands in this relation to `limit`. Never true for a NaN.
    pub fn holds(self, observed: f64, limit: f64) -> bool {
        match self {
            Self::Below => observed < limit,
            Self::AtMost => observed <= limit,
            Self::Above => observed > limit,
            Self::AtLeast => observed >= limit,
        }
    }

    /// The sign used in files.
    pub fn sign(self) -> &'static str {
        match self {
            Self::Below => "<",
            Self::AtMost => "<=",
            Self::Above => ">",
            Self::AtLeast => ">=",
        }
    }
}

/// The value of a limit, by its unit.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum LimitValue {
    /// A time.
    Duration(Duration),
    /// A share from 0 to 1.
    Ratio(Ratio),
    /// A quotient of two like things, such as destination by source. Finite, not negative.
    Factor(f64),
    /// Something per second.
    Rate(Rate),
}

impl LimitValue {
    /// The value as a plain number: seconds, share, quotient, or count per second.
    pub fn number(self) -> f64 {
        match self {
            Self::Duration(duration) => duration.as_secs_f64(),
            Self::Ratio(ratio) => ratio.get(),
            Self::Factor(factor) => factor,
            Self::Rate(rate) => rate.per_second(),
        }
    }
}

impl fmt::Display for LimitValue {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Duration(duration) => ShortDuration(*duration).fmt(f),
            Self::Ratio(ratio) => ratio.fmt(f),
            Self::Factor(factor) => write!(f, "{factor}"),
            Self::Rate(rate) => rate.fmt(f),
        }
    }
}

/// A comparison with a value: `< 100ms`, `>= 99.9%`.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Limit {
    /// How the observed value is held against it.
    pub comparison: Comparison,
    /// What it is held against.
    pub value: LimitValue,
}

impl fmt::Display for Limit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.comparison.sign(), self.value)
    }
}

/// What is read off a measurement.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Statistic {
    /// The median latency.
    P50,
    /// The 90th percentile of latency.
    P90,
    /// The 95th percentile of latency.
    P95,
    /// The 99th percentile of latency.
    P99,
    /// The 99.9th percentile of latency.
    P999,
    /// The highest latency.
    Max,
    /// The mean latency.
    Mean,
    /// The share of operations that did not succeed.
    Errors,
    /// The share of the asked rate that was achieved.
    Achieved,
    /// Operations per second that succeeded.
    Operations,
}

impl Statistic {
    /// The key used in files.
    pub fn key(self) -> &'static str {
        match self {
            Self::P50 => "p50",
            Self::P90 => "p90",
            Self::P95 => "p95",
            Self::P99 => "p99",
            Self::P999 => "p999",
            Self::Max => "max",
            Self::Mean => "mean",
            Self::Errors => "errors",
            Self::Achieved => "achieved",
            Self::Operations => "operations",
        }
    }

    /// The quantile, for statistics that are one.
    pub fn quantile(self) -> Option<f64> {
        match self {
            Self::P50 => Some(0.50),
            Self::P90 => Some(0.90),
            Self::P95 => Some(0.95),
            Self::P99 => Some(0.99),
            Self::P999 => Some(0.999),
            Self::Max => Some(1.0),
            Self::Mean | Self::Errors | Self::Achieved | Self::Operations => None,
        }
    }

    /// Whether the value depends on how fast the machine is, so that only real timing decides.
    pub fn is_timed(self) -> bool {
        !matches!(self, Self::Errors)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_nan_satisfies_no_comparison() {
        for comparison in
            [Comparison::Below, Comparison::AtMost, Comparison::Above, Comparison::AtLeast]
        {
            assert!(!comparison.holds(f64::NAN, 1.0));
        }
    }

    #[test]
    fn below_excludes_the_limit_itself() {
        assert!(!Comparison::Below.holds(0.1, 0.1));
        assert!(Comparison::AtMost.holds(0.1, 0.1));
    }
}
