//! What a trigger measures over a period, kept as whole numbers so that limits are exact.
//!
//! A [`Tally`] collects the outcomes of one period for one rule; [`Tally::measure`] turns it into
//! a [`Measure`], a fraction of two whole numbers that is held against the limit without rounding.

use std::time::Duration;

use cutover_model::Store;
use cutover_model::scenario::{Comparison, OutcomeClass, TriggerName, TriggerRule};

use crate::triggers::Observation;

/// Limits are read to nine decimals: a share to a ten-millionth of a percent, a time to the
/// nanosecond. The binary number of a file's `5.01%` means exactly 0.0501 then.
const DECIMALS: i32 = 1_000_000_000;

/// A measured value, as a fraction.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Measure {
    pub(crate) part: i128,
    pub(crate) whole: i128,
}

impl Measure {
    pub(crate) fn value(self) -> f64 {
        self.part as f64 / self.whole as f64
    }

    /// Whether the value stands in this relation to `limit`, which is no NaN.
    pub(crate) fn is(self, comparison: Comparison, limit: f64) -> bool {
        #[expect(clippy::cast_possible_truncation, reason = "a limit beyond i128 saturates")]
        let limit = (limit * f64::from(DECIMALS)).round() as i128;
        let observed = self.part.saturating_mul(DECIMALS.into());
        let limit = limit.saturating_mul(self.whole);
        match comparison {
            Comparison::Below => observed < limit,
            Comparison::AtMost => observed <= limit,
            Comparison::Above => observed > limit,
            Comparison::AtLeast => observed >= limit,
        }
    }
}

/// The outcomes of one period, as far as one rule needs them.
#[derive(Clone, Debug, Default)]
pub(crate) struct Tally {
    /// Requests to the destination.
    requests: u64,
    /// Those among them that the rule counts.
    counted: u64,
    source: Vec<Duration>,
    destination: Vec<Duration>,
}

impl Tally {
    pub(crate) fn add(&mut self, rule: &TriggerRule, observation: &Observation) {
        if rule.name == TriggerName::LatencyDifference {
            // A request that fails at once would make a failing store look fast; one that is
            // given up after a long wait was at least that slow.
            if matches!(observation.outcome, OutcomeClass::Success | OutcomeClass::Timeout) {
                match observation.store {
                    Store::Source => self.source.push(observation.latency),
                    Store::Destination => self.destination.push(observation.latency),
                }
            }
        } else if observation.store == Store::Destination {
            self.requests += 1;
            self.counted += u64::from(counts(rule, observation.outcome));
        }
    }

    /// How many requests the measure rests on: for a difference, those of the store with fewer.
    pub(crate) fn samples(&self, rule: &TriggerRule) -> u64 {
        match rule.name {
            TriggerName::LatencyDifference => self.source.len().min(self.destination.len()) as u64,
            _ => self.requests,
        }
    }

    /// The value, unless there is nothing to make it of.
    pub(crate) fn measure(&mut self, rule: &TriggerRule) -> Option<Measure> {
        let share = |part: u64, whole: u64| Measure { part: part.into(), whole: whole.into() };
        match rule.name {
            TriggerName::ErrorRate => {
                (self.requests > 0).then(|| share(self.counted, self.requests))
            }
            TriggerName::SuccessRate => {
                (self.requests > 0).then(|| share(self.requests - self.counted, self.requests))
            }
            TriggerName::ConnectionFailures => Some(share(self.counted, 1)),
            TriggerName::LatencyDifference => {
                let destination = p95_ns(&mut self.destination)?;
                let source = p95_ns(&mut self.source)?;
                Some(Measure { part: destination - source, whole: 1_000_000_000 })
            }
        }
    }
}

/// Whether `rule` counts this outcome of a request to the destination.
pub(crate) fn counts(rule: &TriggerRule, outcome: OutcomeClass) -> bool {
    match rule.name {
        TriggerName::ErrorRate | TriggerName::SuccessRate => rule.counts.contains(&outcome),
        TriggerName::ConnectionFailures => outcome == OutcomeClass::ConnectionFailure,
        TriggerName::LatencyDifference => false,
    }
}

/// The smallest latency that at least 95% of the requests did not exceed (nearest rank).
fn p95_ns(latencies: &mut [Duration]) -> Option<i128> {
    let rank = (latencies.len() * 95).div_ceil(100);
    let index = rank.checked_sub(1)?;
    let (_, p95, _) = latencies.select_nth_unstable(index);
    Some(i128::try_from(p95.as_nanos()).unwrap_or(i128::MAX))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn percent(percent: f64) -> f64 {
        percent / 100.0
    }

    #[test]
    fn a_share_equal_to_its_limit_is_not_above_it_whatever_the_binary_digits() {
        for hundredths in 1..=10_000_i128 {
            let measure = Measure { part: hundredths, whole: 10_000 };
            let limit = percent(hundredths as f64 / 100.0);
            assert!(!measure.is(Comparison::Above, limit), "{hundredths}");
            assert!(measure.is(Comparison::AtMost, limit), "{hundredths}");
            let over = Measure { part: hundredths * 1_000 + 1, whole: 10_000_000 };
            assert!(over.is(Comparison::Above, limit), "{hundredths}");
        }
    }

    #[test]
    fn the_95th_percentile_of_twenty_is_the_nineteenth() {
        let mut latencies: Vec<_> = (1..=20).rev().map(Duration::from_nanos).collect();
        assert_eq!(p95_ns(&mut latencies), Some(19));
    }

    #[test]
    fn the_95th_percentile_of_one_is_itself_and_of_none_is_unknown() {
        assert_eq!(p95_ns(&mut [Duration::from_nanos(7)]), Some(7));
        assert_eq!(p95_ns(&mut []), None);
    }
}
