//! The highest rate that still holds: trials of an open load, one after the other.
//!
//! The check is [`FindRateCheck`]. Which rate is tried next, and what all trials together say, is
//! known by [`RateSearch`]; each trial is driven and judged as a load is.

use std::time::Duration;

use cutover_load::find_rate::{
    Attempt, FoundRate, Next, RateSearch, RateSearchPlan, SearchEnd, Trial, TrialOutcome,
    queue_grows,
};
use cutover_model::event::{Fact, FactValue, Figure};
use cutover_model::scenario::{FindRateStep, LimitValue, LoadSabotage, LoadStep};
use cutover_model::{Expectation, Judgement, Rate, Timing, Verdict};
use serde::{Deserialize, Serialize};
use tokio::time::Instant;

use super::load::{LoadCheck, LoadEvidence, failed_without_limit, limits_of};
use super::timed::{DoubtKind, shown};
use super::{Check, CollectError};
use crate::step::StepCx;

/// The check, and the break to make if this run is for one.
pub(crate) struct FindRateCheck<'a> {
    pub(crate) step: &'a FindRateStep,
    pub(crate) sabotage: Option<&'a LoadSabotage>,
}

/// What was seen.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct FindRateEvidence {
    /// What the clock readings are worth. Where they are only indicative nothing is tried.
    pub timing: Timing,
    /// The trials, in order.
    pub trials: Vec<Trial>,
    /// How the search ended, if it took place.
    pub end: Option<SearchEnd>,
}

impl Check for FindRateCheck<'_> {
    type Evidence = FindRateEvidence;

    fn subject(&self) -> &'static str {
        "the highest rate that holds is high enough"
    }

    async fn collect(&self, cx: &StepCx<'_>) -> Result<FindRateEvidence, CollectError> {
        let timing = cx.target.capabilities.timing;
        let mut evidence = FindRateEvidence { timing, trials: Vec::new(), end: None };
        if timing == Timing::Indicative {
            return Ok(evidence);
        }
        let FindRateStep { from, to, precision, trial, within, .. } = *self.step;
        let plan = RateSearchPlan { from, to, precision, trial, budget: within };
        let mut search = RateSearch::new(plan)?;
        loop {
            let attempt = match search.next() {
                Next::Try(attempt) => attempt,
                Next::Ended(end) => {
                    evidence.end = Some(end);
                    return Ok(evidence);
                }
            };
            let trial = self.attempt(attempt, cx).await?;
            search.tell(trial);
            evidence.trials.push(trial);
            cx.progress(evidence.trials.len() as u64, None, "trials");
        }
    }

    fn judge(&self, evidence: &FindRateEvidence) -> Verdict {
        let (judgement, observed, reason) = decide(self.step, evidence);
        let limit = self.step.expect;
        Verdict {
            expectations: vec![Expectation {
                expected: format!("highest rate that holds {limit}"),
                observed,
                judgement,
                reason,
                timed: true,
            }],
            findings: Vec::new(),
        }
    }

    fn facts(&self, evidence: &FindRateEvidence) -> Vec<Fact> {
        let (Some(SearchEnd::Found(found) | SearchEnd::Unsettled(found)), trials) =
            (evidence.end, evidence.trials.len() as u64)
        else {
            return Vec::new();
        };
        let rate = |name: &str, rate: Rate| Fact {
            name: name.to_owned(),
            value: FactValue::PerSecond(rate.per_second()),
        };
        vec![
            rate("highest rate that holds", found.rate),
            rate("at least", found.low),
            rate("at most", found.high),
            Fact { name: "trials".to_owned(), value: FactValue::TimedCount(trials) },
        ]
    }

    fn figures(&self, _evidence: &FindRateEvidence) -> Vec<Figure> {
        Vec::new()
    }
}

impl FindRateCheck<'_> {
    async fn attempt(
        &self,
        Attempt { rate, warm_up, duration }: Attempt,
        cx: &StepCx<'_>,
    ) -> Result<Trial, CollectError> {
        let began = Instant::now();
        let load = self.step.at(rate, (warm_up, duration));
        let check = LoadCheck { step: &load, sabotage: self.sabotage, shard: None };
        let seen = check.collect(cx).await?;
        Ok(Trial { rate, outcome: outcome(self.step, &load, &seen), took: began.elapsed() })
    }
}

/// What a trial says of its rate.
fn outcome(step: &FindRateStep, load: &LoadStep, seen: &LoadEvidence) -> TrialOutcome {
    let subject = step.subject();
    let Some((label, recording)) = seen.of(subject) else { return TrialOutcome::Untold };
    let limits = limits_of(load, seen);
    let broken = limits.contains(&Ok(false));
    let doubtful =
        |kind| limits.iter().any(|held| held.as_ref().is_err_and(|doubt| doubt.kind == kind));
    if broken || failed_without_limit(load, subject, seen) {
        TrialOutcome::Breaks
    } else if doubtful(DoubtKind::Generator) {
        TrialOutcome::GeneratorLimited
    } else if queue_grows(&recording, label) {
        TrialOutcome::Breaks
    } else if doubtful(DoubtKind::Straddles) {
        TrialOutcome::Straddles
    } else if limits.iter().any(Result::is_err) {
        TrialOutcome::Untold
    } else {
        TrialOutcome::Holds
    }
}

fn decide(step: &FindRateStep, evidence: &FindRateEvidence) -> (Judgement, String, Option<String>) {
    let limit = step.expect;
    let show = |rate: Rate| shown(limit.value, rate.per_second());
    let holds = |rate: Rate| limit.comparison.holds(rate.per_second(), limit.value.number());
    let least = |rate: Rate, judgement_below: Judgement, why: String| {
        let observed = format!("{} or more", show(rate));
        if holds(rate) {
            (Judgement::Pass, observed, None)
        } else {
            (judgement_below, observed, Some(why))
        }
    };
    match evidence.end {
        None => {
            let reason = "timing on a stand-in is indicative: nothing was tried".to_owned();
            (Judgement::Skipped, String::new(), Some(reason))
        }
        Some(SearchEnd::Found(found)) => among(step, found, None),
        Some(SearchEnd::Unsettled(found)) => {
            let spent: Duration = evidence.trials.iter().map(|trial| trial.took).sum();
            let spent = spent.as_secs();
            among(step, found, Some(format!("not settled after {spent} s of trials")))
        }
        Some(SearchEnd::NothingHolds) => {
            let observed = format!("below {}", show(step.from));
            if holds(step.from) {
                let why = format!("even {} does not hold: lower `from`", show(step.from));
                (Judgement::Inconclusive, observed, Some(why))
            } else {
                (Judgement::Fail, observed, None)
            }
        }
        Some(SearchEnd::EverythingHolds) => {
            let why = format!("even {} holds: raise `to`", show(step.to));
            least(step.to, Judgement::Inconclusive, why)
        }
        Some(SearchEnd::GeneratorLimited { held, beyond }) => {
            let why = format!("from {} on the generator is the limit", show(beyond));
            match held {
                Some(held) => least(held, Judgement::Inconclusive, why),
                None => (Judgement::Inconclusive, String::new(), Some(why)),
            }
        }
    }
}

/// A rate that is known to lie in a range, held against the limit.
fn among(
    step: &FindRateStep,
    FoundRate { rate, low, high }: FoundRate,
    unsettled: Option<String>,
) -> (Judgement, String, Option<String>) {
    let limit = step.expect;
    let unit: LimitValue = limit.value;
    let show = |rate: Rate| shown(unit, rate.per_second());
    let holds = |rate: Rate| limit.comparison.holds(rate.per_second(), unit.number());
    let observed = format!("{} ({} to {})", show(rate), show(low), show(high));
    match (holds(low), holds(high)) {
        (true, true) => (Judgement::Pass, observed, None),
        (false, false) => (Judgement::Fail, observed, None),
        _ => {
            let within = "the limit lies within what is known of the rate".to_owned();
            (Judgement::Inconclusive, observed, Some(unsettled.unwrap_or(within)))
        }
    }
}

#[cfg(test)]
mod tests {
    use cutover_model::Ratio;
    use cutover_model::scenario::{Comparison, Limit, Transport};

    use super::*;

    fn rate(per_second: f64) -> Rate {
        Rate::try_from(per_second).unwrap()
    }

    /// At least 10,000/s is asked for, from 1,000/s to 100,000/s is tried.
    fn step() -> FindRateStep {
        FindRateStep {
            load: LoadStep {
                write: None,
                read: None,
                warm_up: Duration::ZERO,
                duration: Duration::from_secs(6),
                transport: Transport {
                    connections: 1,
                    threads: 1,
                    timeout: Duration::from_secs(1),
                },
                expect: Vec::new(),
                abort: Vec::new(),
                prove_no_acknowledged_write_lost: false,
                sabotage: Vec::new(),
            },
            from: rate(1_000.0),
            to: rate(100_000.0),
            precision: Ratio::from_percent(3.0).unwrap(),
            trial: Duration::from_secs(6),
            within: Duration::from_mins(2),
            expect: Limit {
                comparison: Comparison::AtLeast,
                value: LimitValue::Rate(rate(10_000.0)),
            },
        }
    }

    fn judged(end: Option<SearchEnd>) -> (Judgement, String) {
        let evidence = FindRateEvidence { timing: Timing::Real, trials: Vec::new(), end };
        let (judgement, observed, _) = decide(&step(), &evidence);
        (judgement, observed)
    }

    fn found(low: f64, middle: f64, high: f64) -> SearchEnd {
        SearchEnd::Found(FoundRate { rate: rate(middle), low: rate(low), high: rate(high) })
    }

    #[test]
    fn a_rate_is_judged_by_both_ends_of_what_is_known_of_it() {
        assert_eq!(judged(Some(found(11_000.0, 11_200.0, 11_400.0))).0, Judgement::Pass);
        assert_eq!(judged(Some(found(8_000.0, 8_200.0, 8_400.0))).0, Judgement::Fail);
        let (judgement, observed) = judged(Some(found(9_900.0, 10_100.0, 10_300.0)));
        assert_eq!(judgement, Judgement::Inconclusive);
        assert_eq!(observed, "10100/s (9900/s to 10300/s)");
    }

    #[test]
    fn a_service_that_holds_nothing_fails_what_is_above() {
        assert_eq!(judged(Some(SearchEnd::NothingHolds)), (Judgement::Fail, "below 1000/s".into()));
    }

    #[test]
    fn a_service_that_holds_everything_passes_what_was_tried() {
        let expected = (Judgement::Pass, "100000/s or more".into());
        assert_eq!(judged(Some(SearchEnd::EverythingHolds)), expected);
    }

    #[test]
    fn a_generator_at_its_limit_proves_only_what_held() {
        let limited = |held| {
            let held = Some(rate(held));
            judged(Some(SearchEnd::GeneratorLimited { held, beyond: rate(50_000.0) })).0
        };
        assert_eq!(limited(30_000.0), Judgement::Pass);
        assert_eq!(limited(5_000.0), Judgement::Inconclusive);
    }

    #[test]
    fn nothing_tried_is_no_pass() {
        assert_eq!(judged(None).0, Judgement::Skipped);
    }
}
