//! Latencies by the thousand in fixed memory.
//!
//! The main type is [`Histogram`]: an HDR histogram of nanoseconds with three significant digits,
//! and the exact sum, least and greatest value beside it. It is written down as the values that
//! occurred with their counts, which is short, stable and exact: merging what was read back gives
//! the same histogram as recording everything in one.

use std::time::Duration;

use hdrhistogram::Histogram as Hdr;
use serde::{Deserialize, Serialize};

use crate::statistics::Quantile;

const DIGITS: u8 = 3;
/// Longer latencies are counted as this long; the greatest value stays exact.
pub(crate) const LONGEST_NS: u64 = 24 * 3600 * 1_000_000_000;

/// A histogram of durations.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(into = "Wire", try_from = "Wire")]
pub struct Histogram {
    counts: Hdr<u64>,
    sum_ns: u64,
    min_ns: u64,
    max_ns: u64,
}

/// A written histogram that contradicts itself.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum HistogramError {
    /// A value that no histogram of ours writes.
    #[error("the histogram holds the value {0}, which is none of its own")]
    Value(u64),
    /// Values are not in ascending order, or one has no count.
    #[error("the counts of the histogram are not in order at the value {0}")]
    Order(u64),
    /// Counts or sums that no recording could reach, or bounds that do not fit the counts.
    #[error("the totals of the histogram do not fit its counts")]
    Totals,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Wire {
    sum_ns: u64,
    min_ns: u64,
    max_ns: u64,
    counts: Vec<(u64, u64)>,
}

impl Default for Histogram {
    fn default() -> Self {
        Self {
            counts: Hdr::new(DIGITS).expect("three digits are within the allowed range"),
            sum_ns: 0,
            min_ns: u64::MAX,
            max_ns: 0,
        }
    }
}

impl Histogram {
    /// Records one duration.
    pub fn record(&mut self, duration: Duration) {
        self.record_times(duration, 1);
    }

    /// Records one duration as often as it occurred.
    pub fn record_times(&mut self, duration: Duration, count: u64) {
        if count == 0 {
            return;
        }
        let ns = whole_ns(duration);
        self.record_counted(ns.min(LONGEST_NS), count);
        self.sum_ns = self.sum_ns.saturating_add(ns.saturating_mul(count));
        self.min_ns = self.min_ns.min(ns);
        self.max_ns = self.max_ns.max(ns);
    }

    fn record_counted(&mut self, ns: u64, count: u64) {
        self.counts.record_n(ns, count).expect("the histogram grows up to the longest value");
    }

    /// Adds everything that another histogram recorded.
    pub fn merge(&mut self, other: &Self) {
        self.counts.add(&other.counts).expect("the histogram grows as far as the other");
        self.sum_ns = self.sum_ns.saturating_add(other.sum_ns);
        self.min_ns = self.min_ns.min(other.min_ns);
        self.max_ns = self.max_ns.max(other.max_ns);
    }

    /// How many durations were recorded.
    pub fn samples(&self) -> u64 {
        self.counts.len()
    }

    /// The greatest duration, exactly; none if nothing was recorded.
    pub fn max(&self) -> Option<Duration> {
        (self.samples() > 0).then(|| Duration::from_nanos(self.max_ns))
    }

    /// The least duration, exactly; none if nothing was recorded.
    pub fn min(&self) -> Option<Duration> {
        (self.samples() > 0).then(|| Duration::from_nanos(self.min_ns))
    }

    /// The mean, exactly; none if nothing was recorded.
    pub fn mean(&self) -> Option<Duration> {
        self.sum_ns.checked_div(self.samples()).map(Duration::from_nanos)
    }

    /// The least recorded duration that at least this share of all durations does not exceed;
    /// none if nothing was recorded. Up to 0.1 % above the truth, never below it.
    pub fn quantile(&self, quantile: Quantile) -> Option<Duration> {
        self.at_rank(quantile.rank(self.samples()))
    }

    /// The duration that comes at this place in ascending order, counted from 1.
    pub fn at_rank(&self, rank: u64) -> Option<Duration> {
        let mut below = 0;
        let bucket = self.counts.iter_recorded().find(|bucket| {
            below += bucket.count_at_value();
            rank >= 1 && below >= rank
        })?;
        Some(Duration::from_nanos(bucket.value_iterated_to().clamp(self.min_ns, self.max_ns)))
    }

    /// The values that occurred and how often, in ascending order; each value stands for all
    /// that share its first three digits.
    pub fn counts(&self) -> impl Iterator<Item = (Duration, u64)> {
        self.counts.iter_recorded().map(|bucket| {
            (Duration::from_nanos(bucket.value_iterated_to()), bucket.count_at_value())
        })
    }
}

/// Nanoseconds, as far as 64 bits reach (five centuries).
pub(crate) fn whole_ns(duration: Duration) -> u64 {
    u64::try_from(duration.as_nanos()).unwrap_or(u64::MAX)
}

/// The greatest value that shares its histogram bucket with this one.
pub(crate) fn quantised_ns(ns: u64) -> u64 {
    let ns = ns.min(LONGEST_NS);
    // Three digits take buckets of one part in 1,024 or finer, so 11 leading bits count.
    let dropped = (u64::BITS - ns.leading_zeros()).saturating_sub(11);
    ns | ((1 << dropped) - 1)
}

impl From<Histogram> for Wire {
    fn from(histogram: Histogram) -> Self {
        let counts = histogram.counts.iter_recorded();
        Self {
            sum_ns: histogram.sum_ns,
            min_ns: if histogram.samples() == 0 { 0 } else { histogram.min_ns },
            max_ns: histogram.max_ns,
            counts: counts.map(|b| (b.value_iterated_to(), b.count_at_value())).collect(),
        }
    }
}

impl TryFrom<Wire> for Histogram {
    type Error = HistogramError;

    fn try_from(wire: Wire) -> Result<Self, HistogramError> {
        let Wire { sum_ns, min_ns, max_ns, counts } = wire;
        let mut histogram = Self::default();
        let mut last = None;
        let mut total = 0_u64;
        for (value, count) in counts {
            if last.is_some_and(|last| last >= value) || count == 0 {
                return Err(HistogramError::Order(value));
            }
            if value > histogram.counts.highest_equivalent(LONGEST_NS)
                || histogram.counts.highest_equivalent(value) != value
            {
                return Err(HistogramError::Value(value));
            }
            total = total.checked_add(count).ok_or(HistogramError::Totals)?;
            histogram.record_counted(value, count);
            last = Some(value);
        }
        let bounds_fit = match (histogram.counts().next(), last) {
            (Some((first, _)), Some(last)) => {
                let bucket = |ns: u64| histogram.counts.highest_equivalent(ns.min(LONGEST_NS));
                min_ns <= max_ns
                    && first.as_nanos() == bucket(min_ns).into()
                    && last == bucket(max_ns)
            }
            _ => min_ns == 0 && max_ns == 0 && sum_ns == 0,
        };
        if !bounds_fit {
            return Err(HistogramError::Totals);
        }
        histogram.sum_ns = sum_ns;
        histogram.max_ns = max_ns;
        if total > 0 {
            histogram.min_ns = min_ns;
        }
        Ok(histogram)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn histogram(values: &[u64]) -> Histogram {
        let mut histogram = Histogram::default();
        for ns in values {
            histogram.record(Duration::from_nanos(*ns));
        }
        histogram
    }

    fn durations() -> impl Strategy<Value = Vec<u64>> {
        let wide = (0_u32..63).prop_flat_map(|bits| 0..1_u64 << bits);
        proptest::collection::vec(wide, 0..200)
    }

    #[test]
    fn an_empty_histogram_has_no_quantile_and_no_mean() {
        let empty = Histogram::default();
        assert_eq!((empty.quantile(Quantile::P95), empty.mean()), (None, None));
        assert_eq!((empty.min(), empty.max()), (None, None));
    }

    #[test]
    fn the_greatest_and_the_mean_are_exact() {
        let histogram = histogram(&[1_000_000_001, 3_000_000_002]);
        assert_eq!(histogram.max(), Some(Duration::from_nanos(3_000_000_002)));
        assert_eq!(histogram.mean(), Some(Duration::from_nanos(2_000_000_001)));
    }

    #[test]
    fn counts_that_are_not_in_order_are_refused() {
        let text = r#"{"sum_ns":3,"min_ns":1,"max_ns":2,"counts":[[2,1],[1,1]]}"#;
        let error = serde_json::from_str::<Histogram>(text).unwrap_err();
        assert!(error.to_string().contains("not in order at the value 1"), "{error}");
    }

    #[test]
    fn a_value_between_two_buckets_is_refused() {
        let text = r#"{"sum_ns":5000,"min_ns":5000,"max_ns":5000,"counts":[[5000,1]]}"#;
        let error = serde_json::from_str::<Histogram>(text).unwrap_err();
        assert!(error.to_string().contains("none of its own"), "{error}");
    }

    #[test]
    fn a_greatest_value_outside_the_counts_is_refused() {
        let text = r#"{"sum_ns":1,"min_ns":1,"max_ns":99,"counts":[[1,1]]}"#;
        assert!(serde_json::from_str::<Histogram>(text).is_err());
    }

    proptest! {
        #[test]
        fn merging_parts_equals_recording_the_whole(
            values in durations(), cut: prop::sample::Index,
        ) {
            let (left, right) = values.split_at(cut.index(values.len() + 1));
            let mut merged = histogram(right);
            merged.merge(&histogram(left));
            prop_assert_eq!(merged, histogram(&values));
        }

        #[test]
        fn a_histogram_survives_json(values in durations()) {
            let recorded = histogram(&values);
            let json = serde_json::to_string(&recorded).unwrap();
            let back: Histogram = serde_json::from_str(&json).unwrap();
            prop_assert_eq!(serde_json::to_string(&back).unwrap(), json);
            prop_assert_eq!(back, recorded);
        }

        #[test]
        fn a_quantile_is_at_most_a_thousandth_above_the_sorted_truth(
            values in durations(), share in 0.001_f64..=1.0,
        ) {
            prop_assume!(!values.is_empty());
            let quantile = Quantile::try_from(share).unwrap();
            let mut sorted: Vec<u64> = values.iter().map(|ns| (*ns).min(LONGEST_NS)).collect();
            sorted.sort_unstable();
            let rank = usize::try_from(quantile.rank(values.len() as u64)).unwrap();
            let truth = sorted[rank - 1];
            let found = whole_ns(histogram(&values).quantile(quantile).unwrap()).min(LONGEST_NS);
            prop_assert!(found >= truth && found <= truth + truth / 1000, "{found} for {truth}");
        }

        #[test]
        fn the_short_form_of_a_value_is_the_one_of_the_histogram(bits in 0_u32..47, low: u64) {
            let ns = (1_u64 << bits) | (low & ((1 << bits) - 1));
            prop_assume!(ns <= LONGEST_NS);
            let theirs = Hdr::<u64>::new(DIGITS).unwrap().highest_equivalent(ns);
            prop_assert_eq!(quantised_ns(ns), theirs);
        }
    }
}
