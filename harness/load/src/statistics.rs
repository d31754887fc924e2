//! Quantiles, and how much is known about them.
//!
//! [`Quantile`] is an exact share, so that ranks are integers and not a matter of rounding.
//! [`interval_of`] gives the range in which the true quantile lies with 95 % confidence.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::histogram::Histogram;

const WHOLE: u64 = 1_000_000_000;
/// What is left over on each side of a 95 % interval.
const TAIL: f64 = 0.025;

/// A share of all samples, in billionths, above 0 and up to 1.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(into = "f64", try_from = "f64")]
pub struct Quantile(u64);

/// A number that is not the share of a quantile.
#[derive(Clone, Copy, Debug, PartialEq, thiserror::Error)]
#[error("`{0}` is not a quantile; it must be above 0 and at most 1")]
pub struct QuantileError(f64);

impl Quantile {
    /// The median.
    pub const P50: Self = Self(500_000_000);
    /// Nine in ten.
    pub const P90: Self = Self(900_000_000);
    /// 95 in a hundred.
    pub const P95: Self = Self(950_000_000);
    /// 99 in a hundred.
    pub const P99: Self = Self(990_000_000);
    /// 999 in a thousand.
    pub const P999: Self = Self(999_000_000);

    /// The place, counted from 1 in ascending order, of the sample that marks this quantile; 0 if
    /// there are no samples.
    pub fn rank(self, samples: u64) -> u64 {
        let rank = (u128::from(samples) * u128::from(self.0)).div_ceil(u128::from(WHOLE));
        u64::try_from(rank).expect("a rank is at most the number of samples")
    }
}

impl TryFrom<f64> for Quantile {
    type Error = QuantileError;

    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "the range is checked after the saturating cast"
    )]
    fn try_from(share: f64) -> Result<Self, QuantileError> {
        let billionths = (share * WHOLE as f64).round() as u64;
        let valid = share <= 1.0 && billionths >= 1;
        valid.then_some(Self(billionths)).ok_or(QuantileError(share))
    }
}

impl From<Quantile> for f64 {
    fn from(quantile: Quantile) -> Self {
        quantile.0 as Self / WHOLE as Self
    }
}

/// A range of durations.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Interval {
    /// The lower end.
    pub low: Duration,
    /// The upper end.
    pub high: Duration,
}

/// The range between two samples in which the true quantile lies with 95 % confidence, whatever
/// the law of the latencies; none if there are too few samples to bound it on both sides.
///
/// How many of `n` samples lie below the true quantile is a binomial variable, so the ranks of the
/// two samples follow without a model. A stall makes neighbours alike and the true range wider, so
/// `alikeness` says how many of the samples are worth one independent one.
#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "numbers of samples are positive, and far below where a float loses units"
)]
pub(crate) fn interval_of(
    samples: &Histogram,
    quantile: Quantile,
    alikeness: f64,
) -> Option<Interval> {
    let all = samples.samples();
    let independent = (all as f64 / alikeness).floor() as u64;
    let (low, high) = interval_ranks(independent, quantile)?;
    let rank = |of: u64| of as f64 / independent as f64 * all as f64;
    let (low, high) = (rank(low).floor() as u64, (rank(high).ceil() as u64).min(all));
    Some(Interval { low: samples.at_rank(low)?, high: samples.at_rank(high)? })
}

/// The greatest rank that is low enough and the least that is high enough, each leaving at most
/// 2.5 % outside.
fn interval_ranks(samples: u64, quantile: Quantile) -> Option<(u64, u64)> {
    let share = f64::from(quantile);
    if samples == 0 || share >= 1.0 {
        return None;
    }
    let weights = BinomialWeights::around_mode(samples, share);
    let mut below = 0.0;
    let (mut low, mut high) = (0, None);
    for (successes, weight) in (weights.first..).zip(&weights.weights) {
        below += weight / weights.total;
        // `below` is the chance that at most this many samples lie below the true quantile.
        if below <= TAIL {
            low = successes + 1;
        }
        if below >= 1.0 - TAIL {
            high = Some(successes + 1);
            break;
        }
    }
    let high = high.filter(|high| *high <= samples)?;
    (low >= 1).then_some((low, high))
}

/// The binomial distribution up to a common factor, where it is not negligible.
struct BinomialWeights {
    first: u64,
    weights: Vec<f64>,
    total: f64,
}

impl BinomialWeights {
    /// Walks down and up from the most likely number of successes until nothing is left. The number
    /// of steps grows with the square root of the number of samples.
    fn around_mode(samples: u64, share: f64) -> Self {
        const NEGLIGIBLE: f64 = 1e-18;
        let odds = share / (1.0 - share);
        let mode =
            Quantile::rank(Quantile::try_from(share).expect("the share of a quantile"), samples);
        let mut down = Vec::new();
        let (mut weight, mut successes) = (1.0, mode);
        while successes > 0 && weight > NEGLIGIBLE {
            weight *= successes as f64 / ((samples - successes + 1) as f64 * odds);
            successes -= 1;
            down.push(weight);
        }
        let first = successes;
        let mut weights: Vec<f64> = down.into_iter().rev().collect();
        weights.push(1.0);
        (weight, successes) = (1.0, mode);
        while successes < samples && weight > NEGLIGIBLE {
            successes += 1;
            weight *= (samples - successes + 1) as f64 * odds / successes as f64;
            weights.push(weight);
        }
        let total = weights.iter().sum();
        Self { first, weights, total }
    }
}

#[cfg(test)]
mod tests {
    use cutover_model::draw::draw_unit;

    use super::*;

    #[test]
    fn the_rank_of_a_quantile_is_exact() {
        let seven = Quantile::try_from(0.07).unwrap();
        assert_eq!(seven.rank(100), 7);
        assert_eq!(Quantile::P95.rank(1000), 950);
        assert_eq!(Quantile::P999.rank(1001), 1000);
        assert_eq!(Quantile::P50.rank(1), 1);
        assert_eq!(Quantile::P95.rank(0), 0);
    }

    #[test]
    fn a_share_outside_of_zero_to_one_is_no_quantile() {
        for share in [0.0, -0.1, 1.000_001, f64::NAN, f64::INFINITY] {
            assert!(Quantile::try_from(share).is_err(), "{share}");
        }
    }

    #[test]
    fn the_interval_of_a_median_has_the_ranks_of_the_tables() {
        // Conover, Practical Nonparametric Statistics: 95 % for the median of 10, 20 and 100.
        assert_eq!(interval_ranks(10, Quantile::P50), Some((2, 9)));
        assert_eq!(interval_ranks(20, Quantile::P50), Some((6, 15)));
        assert_eq!(interval_ranks(100, Quantile::P50), Some((40, 61)));
    }

    #[test]
    fn a_p95_needs_72_samples_to_be_bounded_from_above() {
        assert_eq!(interval_ranks(71, Quantile::P95), None);
        assert!(interval_ranks(73, Quantile::P95).is_some());
    }

    #[test]
    fn ten_million_samples_give_an_interval_as_narrow_as_the_normal_law_says() {
        let (low, high) = interval_ranks(10_000_000, Quantile::P95).unwrap();
        let half = 1.959_964 * (10_000_000.0_f64 * 0.95 * 0.05).sqrt();
        assert!(((high - low) as f64 / 2.0 - half).abs() < 2.0, "{low} {high} {half}");
    }

    #[test]
    fn the_interval_holds_the_true_quantile_in_95_of_100_runs() {
        let held = (0..1000).filter(|run| {
            let mut histogram = Histogram::default();
            for place in 0..500 {
                // An exponential law with a mean of 10 ms.
                let ms = -(1.0 - draw_unit(*run, 0, place)).ln() * 10.0;
                histogram.record(Duration::from_secs_f64(ms / 1000.0));
            }
            let truth = Duration::from_secs_f64(-(0.05_f64.ln()) * 0.01);
            let interval = interval_of(&histogram, Quantile::P95, 1.0).unwrap();
            interval.low <= truth && truth <= interval.high
        });
        let held = held.count();
        assert!((930..=975).contains(&held), "{held} of 1000");
    }
}
