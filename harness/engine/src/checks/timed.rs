//! What latency and load share: figures read off a recording, held against limits.

use std::time::Duration;

use cutover_load::{OutcomeCounts, Quantile, Recording, Summary};
use cutover_model::event::{Fact, FactValue, Figure, PerSecondSeries, PercentileSeries};
use cutover_model::scenario::{Limit, LimitValue, Statistic};
use cutover_model::units::ShortDuration;
use cutover_model::{Expectation, Finding, FindingCode, Judgement, Rate, Ratio, Timing};

/// The share of a latency limit that the generator's own lag may take before nothing can be said.
const LAG_SHARE: f64 = 0.1;

/// A figure that is to be held against a limit.
pub(crate) struct Observed {
    /// The figure, in the unit of the limit: seconds, share, quotient or count per second. `None`
    /// when nothing was measured.
    pub(crate) value: Option<f64>,
    /// What it rests on.
    pub(crate) samples: u64,
    /// How late the generator itself was, where that matters.
    pub(crate) lag: Option<Duration>,
}

/// What a figure is held against.
pub(crate) struct Demand {
    /// Whose figure it is: `destination`, `write`.
    pub(crate) subject: String,
    pub(crate) statistic: Statistic,
    pub(crate) limit: Limit,
    pub(crate) min_samples: u64,
}

/// Holds a figure against a limit.
pub(crate) fn judge(demand: &Demand, observed: &Observed, timing: Timing) -> Expectation {
    let Demand { subject, statistic, limit, min_samples } = demand;
    let (judgement, reason) = decide(demand, observed, timing);
    Expectation {
        expected: format!("{subject} {} {limit} (of at least {min_samples})", statistic.key()),
        observed: observed.value.map_or_else(String::new, |value| shown(limit.value, value)),
        judgement,
        reason,
        timed: statistic.is_timed(),
    }
}

fn decide(demand: &Demand, observed: &Observed, timing: Timing) -> (Judgement, Option<String>) {
    let Demand { statistic, limit, min_samples, .. } = demand;
    let Some(value) = observed.value else {
        return (Judgement::Inconclusive, Some("nothing was measured".to_owned()));
    };
    if observed.samples < *min_samples {
        let reason = format!("{} samples are too few", observed.samples);
        return (Judgement::Inconclusive, Some(reason));
    }
    if statistic.is_timed() && timing == Timing::Indicative {
        let reason = "timing on a stand-in is indicative: shown, not judged";
        return (Judgement::Skipped, Some(reason.to_owned()));
    }
    if let (LimitValue::Duration(limit), Some(lag)) = (limit.value, observed.lag)
        && lag.as_secs_f64() > limit.as_secs_f64() * LAG_SHARE
    {
        let lag = ShortDuration(lag);
        let reason = format!("the generator itself was {lag} late, over a tenth of the limit");
        return (Judgement::Inconclusive, Some(reason));
    }
    let holds = limit.comparison.holds(value, limit.value.number());
    (if holds { Judgement::Pass } else { Judgement::Fail }, None)
}

fn shown(unit: LimitValue, value: f64) -> String {
    match unit {
        LimitValue::Duration(_) => {
            ShortDuration(Duration::try_from_secs_f64(value).unwrap_or_default()).to_string()
        }
        LimitValue::Ratio(_) => {
            Ratio::try_from(value).map_or_else(|_| format!("{value:.4}"), |it| it.to_string())
        }
        LimitValue::Factor(_) => format!("{value:.3}"),
        LimitValue::Rate(_) => {
            Rate::try_from(value.round()).map_or_else(|_| "0/s".to_owned(), |it| it.to_string())
        }
    }
}

/// Reads one figure off a summary.
pub(crate) fn read(summary: &Summary, statistic: Statistic) -> Option<f64> {
    let response = summary.response.as_ref();
    let seconds = |duration: Duration| duration.as_secs_f64();
    match statistic {
        Statistic::P50 => response.map(|it| seconds(it.p50)),
        Statistic::P90 => response.map(|it| seconds(it.p90)),
        Statistic::P95 => response.map(|it| seconds(it.p95)),
        Statistic::P99 => response.map(|it| seconds(it.p99)),
        Statistic::P999 => response.map(|it| seconds(it.p999)),
        Statistic::Max => response.map(|it| seconds(it.max)),
        Statistic::Mean => response.map(|it| seconds(it.mean)),
        Statistic::Errors => Ratio::of(failed(&summary.outcomes), summary.samples).map(Ratio::get),
        Statistic::Achieved => {
            let asked = summary.asked_per_second.filter(|asked| *asked > 0.0)?;
            // Rounding of the span may bring it a hair above the whole.
            Some((summary.achieved_per_second / asked).min(1.0))
        }
        Statistic::Operations => {
            let ok = Ratio::of(summary.outcomes.ok, summary.samples)?;
            Some(summary.achieved_per_second * ok.get())
        }
    }
}

/// Operations that did not end well.
pub(crate) fn failed(outcomes: &OutcomeCounts) -> u64 {
    outcomes.total() - outcomes.ok
}

/// The expectation that no operation fails, for checks whose file states no limit on errors: a
/// store that refuses everything at once would otherwise be the fastest of all.
pub(crate) fn no_errors(subject: &str, summary: Option<&Summary>) -> Expectation {
    let (observed, judgement, reason) = match summary {
        Some(summary) if summary.samples > 0 => {
            let failed = failed(&summary.outcomes);
            let judgement = if failed == 0 { Judgement::Pass } else { Judgement::Fail };
            (format!("{failed} of {}", summary.samples), judgement, None)
        }
        _ => {
            let reason = Some("nothing was measured".to_owned());
            (String::new(), Judgement::Inconclusive, reason)
        }
    };
    let expected = format!("{subject} requests that fail = 0");
    Expectation { expected, observed, judgement, reason, timed: false }
}

/// One finding for each way in which operations failed.
pub(crate) fn failures(subject: &str, outcomes: &OutcomeCounts) -> Vec<Finding> {
    let named =
        outcomes.errors.iter().chain(&outcomes.rejected).map(|(code, n)| (code.as_str(), *n));
    let others = [
        ("timeout", outcomes.timeouts),
        ("wrong answer", outcomes.wrong_answers),
        ("never sent", outcomes.unsent),
    ];
    named
        .chain(others)
        .filter(|(_, count)| *count > 0)
        .map(|(code, count)| Finding {
            code: FindingCode::RequestFailed,
            message: format!("{count} {subject} requests failed: {code}"),
            witness: None,
        })
        .collect()
}

/// What the report says of one operation.
pub(crate) fn facts(subject: &str, summary: &Summary) -> Vec<Fact> {
    let mut facts = vec![Fact {
        name: format!("{subject} requests"),
        value: match summary.asked_per_second {
            // How many arrivals an open load has is decided beforehand.
            Some(_) => FactValue::Count(summary.samples),
            None => FactValue::TimedCount(summary.samples),
        },
    }];
    if let Some(response) = &summary.response {
        facts.push(Fact::duration(format!("{subject} p50"), response.p50));
        facts.push(Fact::duration(format!("{subject} p95"), response.p95));
        facts.push(Fact::duration(format!("{subject} p99"), response.p99));
    }
    let name = format!("{subject} requests per second");
    facts.push(Fact { name, value: FactValue::PerSecond(summary.achieved_per_second) });
    facts
}

/// Latency by percentile, a line for each operation that was measured.
pub(crate) fn percentiles(title: &str, recordings: &[&Recording]) -> Figure {
    let quantiles = [0.5, 0.9, 0.95, 0.99, 0.999, 1.0];
    let operations = recordings.iter().flat_map(|recording| &recording.operations);
    let series = operations.map(|(label, operation)| PercentileSeries {
        label: label.clone(),
        points: quantiles
            .into_iter()
            .filter_map(|share| {
                let quantile = Quantile::try_from(share).ok()?;
                Some((share, operation.measured.response.quantile(quantile)?))
            })
            .collect(),
    });
    let series = series.filter(|series| !series.points.is_empty()).collect();
    Figure::Percentiles { title: title.to_owned(), series }
}

/// Requests that ended in each second, a line for each operation.
pub(crate) fn per_second(title: &str, unit: &str, recordings: &[&Recording]) -> Figure {
    let series = recordings.iter().flat_map(|recording| {
        let length = (recording.warm_up + recording.duration).as_secs().max(1);
        recording.operations.iter().map(move |(label, operation)| PerSecondSeries {
            label: label.clone(),
            values: (0..length)
                .map(|second| operation.seconds.get(&second).map_or(0.0, |it| it.work as f64))
                .collect(),
        })
    });
    Figure::PerSecond { title: title.to_owned(), unit: unit.to_owned(), series: series.collect() }
}

#[cfg(test)]
mod tests {
    use cutover_model::scenario::Comparison;

    use super::*;

    fn demand() -> Demand {
        Demand {
            subject: "destination".to_owned(),
            statistic: Statistic::P95,
            limit: Limit {
                comparison: Comparison::Below,
                value: LimitValue::Duration(Duration::from_millis(150)),
            },
            min_samples: 1_000,
        }
    }

    fn observed(seconds: f64, samples: u64) -> Observed {
        Observed { value: Some(seconds), samples, lag: Some(Duration::ZERO) }
    }

    fn judged(observed: &Observed, timing: Timing) -> Judgement {
        judge(&demand(), observed, timing).judgement
    }

    #[test]
    fn a_p95_below_the_limit_passes() {
        assert_eq!(judged(&observed(0.149_999_999, 1_000), Timing::Real), Judgement::Pass);
    }

    #[test]
    fn a_p95_at_the_limit_fails() {
        assert_eq!(judged(&observed(0.15, 1_000), Timing::Real), Judgement::Fail);
    }

    #[test]
    fn too_few_samples_are_inconclusive_even_when_fast() {
        assert_eq!(judged(&observed(0.001, 999), Timing::Real), Judgement::Inconclusive);
    }

    #[test]
    fn nothing_measured_is_inconclusive_even_on_a_stand_in() {
        let nothing = Observed { value: None, samples: 0, lag: None };
        assert_eq!(judged(&nothing, Timing::Indicative), Judgement::Inconclusive);
    }

    #[test]
    fn a_stand_in_s_latency_is_shown_and_not_judged() {
        let expectation = judge(&demand(), &observed(9.0, 1_000), Timing::Indicative);
        assert_eq!(expectation.judgement, Judgement::Skipped);
        assert_eq!(expectation.observed, "9s");
    }

    #[test]
    fn a_late_generator_blames_nobody() {
        let late = Observed { lag: Some(Duration::from_millis(16)), ..observed(0.2, 1_000) };
        assert_eq!(judged(&late, Timing::Real), Judgement::Inconclusive);
    }

    #[test]
    fn errors_are_judged_on_stand_ins_too() {
        let demand = Demand {
            statistic: Statistic::Errors,
            limit: Limit {
                comparison: Comparison::Below,
                value: LimitValue::Ratio(Ratio::from_percent(1.0).unwrap()),
            },
            ..demand()
        };
        let expectation = judge(&demand, &observed(0.01, 1_000), Timing::Indicative);
        assert_eq!(expectation.judgement, Judgement::Fail);
    }
}
