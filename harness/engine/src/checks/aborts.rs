//! Limits that must hold in every window of a load, or it is stopped.
//!
//! [`rules_of`] arms them, [`judge`] says what became of each. A limit of latency is armed only
//! where timing is judged.

use cutover_load::{AbortFigure, AbortRule, Aborted, Quantile, Recording};
use cutover_model::scenario::{LoadAbort, LoadSubject, Statistic};
use cutover_model::units::ShortDuration;
use cutover_model::{Expectation, Judgement, Timing};

use super::timed::{Circumstances, shown};

/// The rules that a load of the subject is under.
pub(super) fn rules_of(
    aborts: &[LoadAbort],
    subject: LoadSubject,
    timing: Timing,
) -> Vec<AbortRule> {
    let armed = |abort: &&LoadAbort| {
        let judged = !abort.statistic.is_timed() || timing == Timing::Real;
        abort.subject == subject && judged
    };
    aborts.iter().filter(armed).filter_map(rule_of).collect()
}

fn rule_of(abort: &LoadAbort) -> Option<AbortRule> {
    let LoadAbort { statistic, limit, over, .. } = *abort;
    let figure = match statistic {
        Statistic::Errors => AbortFigure::Errors,
        _ => AbortFigure::Response(Quantile::try_from(statistic.quantile()?).ok()?),
    };
    Some(AbortRule { figure, limit, over })
}

/// Whether a limit held in every window of a load.
pub(super) fn judge(
    abort: &LoadAbort,
    label: &str,
    (recording, timing): (Option<&Recording>, Timing),
) -> Expectation {
    let (judgement, observed, reason) = decide(abort, label, (recording, timing));
    let LoadAbort { statistic, limit, over, .. } = abort;
    let over = ShortDuration(*over);
    Expectation {
        expected: format!("{label} {} {limit} over every {over}", statistic.key()),
        observed,
        judgement,
        reason,
        timed: statistic.is_timed(),
    }
}

fn decide(
    abort: &LoadAbort,
    label: &str,
    (recording, timing): (Option<&Recording>, Timing),
) -> (Judgement, String, Option<String>) {
    let inconclusive = |reason: String| (Judgement::Inconclusive, String::new(), Some(reason));
    if abort.statistic.is_timed() && timing == Timing::Indicative {
        let reason = "timing on a stand-in is indicative: shown, not judged";
        return (Judgement::Skipped, String::new(), Some(reason.to_owned()));
    }
    let summary = recording.and_then(|recording| Some((recording, recording.summary(label)?)));
    let Some((recording, summary)) = summary else {
        return inconclusive("nothing was measured".to_owned());
    };
    let doubt = Circumstances::of(&summary, recording).doubt(abort.statistic, abort.limit.value);
    let broken = recording.aborted.filter(|aborted| Some(aborted.rule) == rule_of(abort));
    let ended = format!("the load was ended after {}", ShortDuration(recording.covered));
    match (broken, doubt) {
        (_, Some(doubt)) => inconclusive(doubt.reason),
        (Some(Aborted { observed, at, .. }), None) => {
            let observed = shown(abort.limit.value, observed.number());
            let at = ShortDuration(at);
            (Judgement::Fail, observed, Some(format!("the load was stopped after {at}")))
        }
        (None, None) if !recording.complete => inconclusive(ended),
        (None, None) if summary.samples == 0 => inconclusive("nothing was measured".to_owned()),
        (None, None) => (Judgement::Pass, "it held in every window".to_owned(), None),
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use cutover_load::{Model, OperationRecording};
    use cutover_model::scenario::{Comparison, Limit, LimitValue};

    use super::*;

    fn abort() -> LoadAbort {
        LoadAbort {
            subject: LoadSubject::Write,
            statistic: Statistic::P95,
            limit: Limit {
                comparison: Comparison::Below,
                value: LimitValue::Duration(Duration::from_millis(100)),
            },
            over: Duration::from_secs(10),
        }
    }

    fn recording(complete: bool, aborted: Option<Aborted>) -> Recording {
        let mut write = OperationRecording::default();
        write.measured.response.record(Duration::from_millis(5));
        write.measured.outcomes.ok = 1;
        Recording {
            model: Model::Open,
            complete,
            warm_up: Duration::ZERO,
            duration: Duration::from_mins(1),
            covered: Duration::from_secs(12),
            span: Duration::from_secs(12),
            generator: None,
            aborted,
            operations: [("write".to_owned(), write)].into(),
        }
    }

    fn judged(recording: Option<&Recording>, timing: Timing) -> Judgement {
        judge(&abort(), "write", (recording, timing)).judgement
    }

    #[test]
    fn a_breach_fails_and_says_when() {
        let observed = LimitValue::Duration(Duration::from_millis(250));
        let rule = rule_of(&abort()).unwrap();
        let aborted = Aborted { rule, observed, at: Duration::from_secs(12) };
        let broken = recording(false, Some(aborted));
        let expectation = judge(&abort(), "write", (Some(&broken), Timing::Real));
        assert_eq!(expectation.judgement, Judgement::Fail);
        assert_eq!(expectation.expected, "write p95 < 100ms over every 10s");
        assert_eq!(expectation.observed, "250ms");
        assert_eq!(expectation.reason.unwrap(), "the load was stopped after 12s");
    }

    #[test]
    fn a_whole_load_without_a_breach_passes() {
        assert_eq!(judged(Some(&recording(true, None)), Timing::Real), Judgement::Pass);
    }

    #[test]
    fn a_load_that_another_rule_ended_is_inconclusive() {
        assert_eq!(judged(Some(&recording(false, None)), Timing::Real), Judgement::Inconclusive);
    }

    #[test]
    fn nothing_measured_is_inconclusive() {
        assert_eq!(judged(None, Timing::Real), Judgement::Inconclusive);
        let mut nothing = recording(true, None);
        nothing.operations.clear();
        assert_eq!(judged(Some(&nothing), Timing::Real), Judgement::Inconclusive);
    }

    #[test]
    fn latency_on_a_stand_in_ends_no_load() {
        assert_eq!(rules_of(&[abort()], LoadSubject::Write, Timing::Indicative), []);
        assert_eq!(rules_of(&[abort()], LoadSubject::Write, Timing::Real).len(), 1);
        assert_eq!(rules_of(&[abort()], LoadSubject::Read, Timing::Real), []);
        assert_eq!(judged(Some(&recording(true, None)), Timing::Indicative), Judgement::Skipped);
    }
}
