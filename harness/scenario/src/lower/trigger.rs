//! The rules that send traffic back, and whether each of them can ever be the first to.

use std::collections::BTreeSet;
use std::time::Duration;

use cutover_model::scenario::{
    Comparison, Limit, OutcomeClass, TriggerName, TriggerRule, TriggerWindow,
};

use super::Lowering;
use crate::mistakes::Place;
use crate::reader::At;
use crate::wire::List;
use crate::wire::items;
use crate::wire::rollback::{
    DifferenceWire, ErrorRateWire, FailuresWire, OutcomeWire, SuccessRateWire, TriggersWire,
};
use crate::wire::scalar::{PositiveCount, PositiveLength, Size};

/// How long a period is, unless the file says.
const DEFAULT_PERIOD: Duration = Duration::from_mins(1);

/// Everything but success.
const EVERY_FAILURE: [OutcomeClass; 4] = [
    OutcomeClass::ServerError,
    OutcomeClass::ClientError,
    OutcomeClass::Timeout,
    OutcomeClass::ConnectionFailure,
];

impl Lowering<'_> {
    /// The rules of a step: those that it names, or the migration's four.
    pub(super) fn trigger_rules(
        &mut self,
        wire: Option<&At<TriggersWire>>,
    ) -> Option<Vec<TriggerRule>> {
        let Some(wire) = wire else { return Some(migration_rules()) };
        let TriggersWire { error_rate, latency_difference, connection_failures, success_rate } =
            &wire.value;
        for counts in [
            error_rate.as_ref().and_then(|rule| rule.value.counts.as_ref()),
            success_rate.as_ref().and_then(|rule| rule.value.counts.as_ref()),
        ] {
            self.check_counts(items(counts));
        }
        let error = error_rate.as_ref().map(|rule| error_rule(&rule.value));
        let success = success_rate.as_ref().map(|rule| success_rule(&rule.value));
        if let (Some(Some(error)), Some(Some(success)), Some(errors), Some(successes)) =
            (&error, &success, error_rate, success_rate)
        {
            self.check_dominated(error, success, (&errors.place, &successes.place));
        }
        let rules = [
            error,
            latency_difference.as_ref().map(|rule| difference_rule(&rule.value)),
            connection_failures.as_ref().map(|rule| failures_rule(&rule.value)),
            success,
        ];
        rules.into_iter().flatten().collect()
    }

    fn check_counts(&mut self, counts: &[At<OutcomeWire>]) {
        let mut known = BTreeSet::new();
        for count in counts {
            let class = outcome(&count.value);
            if !known.insert(class) {
                let message = format!("`{}` is there twice", class.key());
                self.mistakes.error(&count.place, message, "remove one");
            }
        }
    }

    /// Refuses a rule that can never fire before another one.
    fn check_dominated(
        &mut self,
        error: &TriggerRule,
        success: &TriggerRule,
        (errors, successes): (&Place, &Place),
    ) {
        let (loser, winner, place) = if implies(success, error) {
            (success, error, successes)
        } else if implies(error, success) {
            (error, success, errors)
        } else {
            return;
        };
        let (loser, winner) = (loser.name.key(), winner.name.key());
        let message = format!("`{loser}` can never fire before `{winner}`");
        let help = format!(
            "whatever breaches it breaches `{winner}` as soon: let `{loser}` count other outcomes, \
             or give it a closer limit or fewer periods"
        );
        self.mistakes.error(place, message, help);
    }
}

/// The rules that the migration itself runs with.
fn migration_rules() -> Vec<TriggerRule> {
    let consecutive =
        |periods| TriggerWindow::Consecutive { periods, period: DEFAULT_PERIOD, min_samples: 200 };
    let rule = |name, comparison, limit, window, counts: &[OutcomeClass]| TriggerRule {
        name,
        comparison,
        limit,
        window,
        counts: counts.to_vec(),
    };
    let stretch = TriggerWindow::Sliding { length: Duration::from_mins(5) };
    let (above, below) = (Comparison::Above, Comparison::Below);
    vec![
        rule(TriggerName::ErrorRate, above, 0.05, consecutive(2), &[OutcomeClass::ServerError]),
        rule(TriggerName::LatencyDifference, above, 10.0, consecutive(3), &[]),
        rule(TriggerName::ConnectionFailures, above, 10.0, stretch, &[]),
        rule(TriggerName::SuccessRate, below, 0.95, consecutive(3), &EVERY_FAILURE),
    ]
}

fn error_rule(wire: &ErrorRateWire) -> Option<TriggerRule> {
    let ErrorRateWire { breach, periods, period, min_samples, counts } = wire;
    let window = consecutive(periods.as_ref(), period.as_ref(), min_samples.as_ref())?;
    let counts = counts_of(counts.as_ref(), &[OutcomeClass::ServerError]);
    Some(rule(TriggerName::ErrorRate, breach.as_ref()?.value.0, window, counts))
}

fn success_rule(wire: &SuccessRateWire) -> Option<TriggerRule> {
    let SuccessRateWire { breach, periods, period, min_samples, counts } = wire;
    let window = consecutive(periods.as_ref(), period.as_ref(), min_samples.as_ref())?;
    let counts = counts_of(counts.as_ref(), &EVERY_FAILURE);
    Some(rule(TriggerName::SuccessRate, breach.as_ref()?.value.0, window, counts))
}

fn difference_rule(wire: &DifferenceWire) -> Option<TriggerRule> {
    let DifferenceWire { breach, periods, period, min_samples } = wire;
    let window = consecutive(periods.as_ref(), period.as_ref(), min_samples.as_ref())?;
    Some(rule(TriggerName::LatencyDifference, breach.as_ref()?.value.0, window, Vec::new()))
}

fn failures_rule(wire: &FailuresWire) -> Option<TriggerRule> {
    let FailuresWire { breach, window } = wire;
    let window = TriggerWindow::Sliding { length: window.as_ref()?.value.0 };
    Some(rule(TriggerName::ConnectionFailures, breach.as_ref()?.value.0, window, Vec::new()))
}

fn rule(
    name: TriggerName,
    breach: Limit,
    window: TriggerWindow,
    counts: Vec<OutcomeClass>,
) -> TriggerRule {
    let Limit { comparison, value } = breach;
    TriggerRule { name, comparison, limit: value.number(), window, counts }
}

fn consecutive(
    periods: Option<&At<Size>>,
    period: Option<&At<PositiveLength>>,
    min_samples: Option<&At<PositiveCount>>,
) -> Option<TriggerWindow> {
    Some(TriggerWindow::Consecutive {
        periods: periods?.value.0,
        period: period.map_or(DEFAULT_PERIOD, |period| period.value.0),
        min_samples: min_samples?.value.0,
    })
}

fn counts_of(
    wire: Option<&At<List<OutcomeWire, 1>>>,
    default: &[OutcomeClass],
) -> Vec<OutcomeClass> {
    match wire {
        Some(wire) => wire.value.0.iter().map(|count| outcome(&count.value)).collect(),
        None => default.to_vec(),
    }
}

fn outcome(wire: &OutcomeWire) -> OutcomeClass {
    match wire {
        OutcomeWire::ServerError => OutcomeClass::ServerError,
        OutcomeWire::ClientError => OutcomeClass::ClientError,
        OutcomeWire::Timeout => OutcomeClass::Timeout,
        OutcomeWire::ConnectionFailure => OutcomeClass::ConnectionFailure,
    }
}

/// Whether `one`, whenever it fires, has `other` firing at the same time or before.
fn implies(one: &TriggerRule, other: &TriggerRule) -> bool {
    let (
        TriggerWindow::Consecutive { periods, period, min_samples },
        TriggerWindow::Consecutive {
            periods: other_periods,
            period: other_period,
            min_samples: other_samples,
        },
    ) = (one.window, other.window)
    else {
        return false;
    };
    // Both as shares of failures: below 95% success is above 5% failures.
    let (limit, strict) = failures_in_breach(one);
    let (other_limit, other_strict) = failures_in_breach(other);
    let same = (limit - other_limit).abs() < 1e-9;
    let as_lax = if same { strict || !other_strict } else { limit > other_limit };
    one.counts.iter().all(|class| other.counts.contains(class))
        && as_lax
        && periods >= other_periods
        && period == other_period
        && min_samples >= other_samples
}

/// The share of failures from which a rule is in breach, and whether it itself is still fine.
fn failures_in_breach(rule: &TriggerRule) -> (f64, bool) {
    let strict = matches!(rule.comparison, Comparison::Above | Comparison::Below);
    match rule.comparison {
        Comparison::Above | Comparison::AtLeast => (rule.limit, strict),
        Comparison::Below | Comparison::AtMost => (1.0 - rule.limit, strict),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pair(error_counts: &[OutcomeClass], success: (f64, u32)) -> (TriggerRule, TriggerRule) {
        let mut rules = migration_rules();
        let mut success_rule = rules.remove(3);
        let mut error_rule = rules.remove(0);
        error_rule.counts = error_counts.to_vec();
        success_rule.limit = success.0;
        if let TriggerWindow::Consecutive { periods, .. } = &mut success_rule.window {
            *periods = success.1;
        }
        (error_rule, success_rule)
    }

    #[test]
    fn the_migrations_own_rules_do_not_dominate_each_other() {
        let (error, success) = pair(&[OutcomeClass::ServerError], (0.95, 3));
        assert!(!implies(&success, &error));
        assert!(!implies(&error, &success));
    }

    #[test]
    fn a_success_rate_of_the_same_failures_and_more_periods_is_dominated() {
        let (error, success) = pair(&EVERY_FAILURE, (0.95, 3));
        assert!(implies(&success, &error));
    }

    #[test]
    fn an_error_rate_of_fewer_failures_and_more_periods_is_dominated() {
        let (error, success) = pair(&[OutcomeClass::ServerError], (0.95, 1));
        assert!(implies(&error, &success));
    }

    #[test]
    fn a_closer_limit_is_not_dominated() {
        let (error, success) = pair(&EVERY_FAILURE, (0.96, 3));
        assert!(!implies(&success, &error));
    }

    #[test]
    fn fewer_samples_are_not_dominated() {
        let (error, mut success) = pair(&EVERY_FAILURE, (0.95, 3));
        if let TriggerWindow::Consecutive { min_samples, .. } = &mut success.window {
            *min_samples = 100;
        }
        assert!(!implies(&success, &error));
    }
}
