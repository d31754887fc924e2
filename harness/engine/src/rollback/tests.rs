//! Whole drills, as they are and sabotaged in every way, on a small workload.

use std::sync::OnceLock;
use std::time::Duration;

use cutover_model::scenario::{
    Comparison, Fault, Invariant, OutcomeClass, RollbackExpect, RollbackSabotage, RollbackStep,
    TriggerName, TriggerRule, TriggerWindow, Workload,
};
use cutover_model::{FindingCode, Judgement, Rate, Ratio, Verdict};

use cutover_traffic::{Cause, PeriodClass};

use super::{RollbackEvidence, WriteFate, collect, judge};
use crate::{Stop, StopSwitch};

fn percent(percent: f64) -> Ratio {
    Ratio::from_percent(percent).unwrap()
}

fn seconds(seconds: u64) -> Duration {
    Duration::from_secs(seconds)
}

fn rate(per_second: f64) -> Rate {
    Rate::try_from(per_second).unwrap()
}

fn stop() -> Stop {
    StopSwitch::new().1
}

fn rule(name: TriggerName, comparison: Comparison, limit: f64) -> TriggerRule {
    let failures = [OutcomeClass::ServerError, OutcomeClass::Timeout];
    let (periods, counts) = match name {
        TriggerName::ErrorRate => (2, failures.to_vec()),
        TriggerName::SuccessRate => (3, failures.to_vec()),
        _ => (3, Vec::new()),
    };
    let window = match name {
        TriggerName::ConnectionFailures => TriggerWindow::Sliding { length: seconds(60) },
        _ => TriggerWindow::Consecutive { periods, period: seconds(10), min_samples: 10 },
    };
    TriggerRule { name, comparison, limit, window, counts }
}

/// A drill of about two virtual minutes with about a thousand requests.
fn small() -> RollbackStep {
    RollbackStep {
        steps: [25.0, 50.0, 100.0].map(percent).to_vec(),
        hold: seconds(30),
        at: percent(50.0),
        fault: Some(Fault::HttpError { status: 503, ratio: percent(30.0) }),
        triggers: vec![
            rule(TriggerName::ErrorRate, Comparison::Above, 0.05),
            rule(TriggerName::LatencyDifference, Comparison::Above, 10.0),
            rule(TriggerName::ConnectionFailures, Comparison::Above, 10.0),
            rule(TriggerName::SuccessRate, Comparison::Below, 0.95),
        ],
        workload: Workload {
            instances: 3,
            poll_every: seconds(6),
            devices: 40,
            writes: rate(6.0),
            queries: rate(1.5),
        },
        expect: RollbackExpect {
            rolled_back_by: Some(TriggerName::ErrorRate),
            within_periods: 3,
            final_share: Ratio::ZERO,
        },
        prove: vec![
            Invariant::NoAcknowledgedWriteLost,
            Invariant::NoWriteAppliedTwice,
            Invariant::EveryClientConverged,
            Invariant::ReadersNeverPrecedeWriters,
        ],
        sabotage: Vec::new(),
    }
}

/// A healthy InfluxDB with noise: periods in breach come and go, and never six in a row.
fn noisy() -> RollbackStep {
    let mut step = small();
    step.steps = vec![Ratio::ONE];
    step.at = Ratio::ONE;
    step.hold = seconds(200);
    step.fault = Some(Fault::HttpError { status: 503, ratio: percent(8.0) });
    let mut noise = rule(TriggerName::ErrorRate, Comparison::Above, 0.1);
    noise.window = TriggerWindow::Consecutive { periods: 6, period: seconds(5), min_samples: 10 };
    step.triggers = vec![noise];
    step.workload.writes = rate(4.0);
    step.workload.queries = rate(0.5);
    step.expect =
        RollbackExpect { rolled_back_by: None, within_periods: 0, final_share: Ratio::ONE };
    step
}

fn drill(step: &RollbackStep, sabotage: Option<RollbackSabotage>) -> RollbackEvidence {
    collect(step, sabotage, 7, &stop()).unwrap()
}

/// What failed, by the beginning of its expectation.
fn failures(verdict: &Verdict) -> Vec<&str> {
    let failed = verdict.expectations.iter().filter(|it| it.judgement == Judgement::Fail);
    failed.map(|it| it.expected.as_str()).collect()
}

fn shown(verdict: &Verdict) -> String {
    let lines = verdict.expectations.iter().map(|it| {
        let reason = it.reason.as_deref().unwrap_or_default();
        format!("{}: {} -- {} {reason}\n", it.judgement, it.expected, it.observed)
    });
    let findings = verdict.findings.iter().map(|it| format!("{}: {}\n", it.code, it.message));
    lines.chain(findings).collect()
}

/// The drill that is not sabotaged, run once for all tests that need it.
fn recorded() -> &'static RollbackEvidence {
    static RECORDED: OnceLock<RollbackEvidence> = OnceLock::new();
    RECORDED.get_or_init(|| drill(&small(), None))
}

fn assert_passes(step: &RollbackStep, evidence: &RollbackEvidence) {
    let verdict = judge(step, evidence);
    assert_eq!(verdict.judgement(), Judgement::Pass, "{}", shown(&verdict));
    assert!(verdict.findings.is_empty(), "{}", shown(&verdict));
}

/// Runs a sabotaged drill, and tells which expectations caught it.
fn caught(step: &RollbackStep, sabotage: RollbackSabotage) -> (Vec<String>, Vec<FindingCode>) {
    let verdict = judge(step, &drill(step, Some(sabotage)));
    let mut codes: Vec<_> = verdict.findings.iter().map(|finding| finding.code).collect();
    codes.sort_unstable();
    codes.dedup();
    (failures(&verdict).into_iter().map(str::to_owned).collect(), codes)
}

#[test]
fn a_drill_that_is_not_sabotaged_passes() {
    assert_passes(&small(), recorded());
}

#[test]
fn two_drills_with_one_seed_have_the_same_evidence() {
    assert!(drill(&small(), None) == *recorded());
}

#[test]
fn another_seed_is_another_drill_with_the_same_verdict() {
    let evidence = collect(&small(), None, 8, &stop()).unwrap();
    assert!(evidence != *recorded());
    assert_passes(&small(), &evidence);
}

#[test]
fn evidence_that_was_written_down_is_judged_alike() {
    let text = serde_json::to_string(recorded()).unwrap();
    let read: RollbackEvidence = serde_json::from_str(&text).unwrap();
    assert!(read == *recorded());
}

#[test]
fn a_rollback_that_does_nothing_is_caught() {
    let (failed, codes) = caught(&small(), RollbackSabotage::RollbackIsANoop);
    assert_eq!(failed, ["final share 0%", "every_client_converged"]);
    assert_eq!(codes, [FindingCode::RollbackWrong, FindingCode::ClientNotConverged]);
}

#[test]
fn a_rollback_by_one_step_is_caught() {
    let (failed, codes) = caught(&small(), RollbackSabotage::RollbackToPreviousStep);
    assert_eq!(failed, ["final share 0%", "every_client_converged"]);
    assert_eq!(codes, [FindingCode::RollbackWrong, FindingCode::ClientNotConverged]);
}

#[test]
fn an_instance_with_stale_flags_is_caught() {
    let (failed, codes) = caught(&small(), RollbackSabotage::OneInstanceKeepsStaleFlags);
    assert_eq!(failed, ["every_client_converged"]);
    assert_eq!(codes, [FindingCode::ClientNotConverged]);
}

#[test]
fn acknowledged_writes_that_are_lost_are_caught() {
    let (failed, codes) = caught(&small(), RollbackSabotage::LoseAcknowledgedWrites);
    assert_eq!(failed, ["no_acknowledged_write_lost"]);
    assert_eq!(codes, [FindingCode::AcknowledgedWriteLost]);
}

#[test]
fn retries_with_a_new_time_are_caught() {
    let (failed, codes) = caught(&small(), RollbackSabotage::RetryWithNewTime);
    assert_eq!(failed, ["no_write_applied_twice"]);
    assert_eq!(codes, [FindingCode::WriteAppliedTwice]);
}

#[test]
fn queries_that_are_switched_on_before_ingestion_are_caught() {
    let (failed, codes) = caught(&small(), RollbackSabotage::QueriesBeforeIngestion);
    assert_eq!(failed, ["readers_never_precede_writers"]);
    assert_eq!(codes, [FindingCode::ReaderPrecededWriter]);
}

#[test]
fn noise_does_not_send_traffic_back() {
    assert_passes(&noisy(), &drill(&noisy(), None));
}

#[test]
fn breaches_counted_in_all_instead_of_in_a_row_are_caught() {
    let (failed, codes) = caught(&noisy(), RollbackSabotage::TriggersCountInTotal);
    assert_eq!(
        failed,
        [
            "no rollback",
            "error_rate over 6 periods in a row fires at once when its rule says so",
            "final share 100%"
        ]
    );
    assert_eq!(codes, [FindingCode::RollbackWrong]);
}

#[test]
fn a_slow_destination_is_left_because_of_its_latency() {
    let mut step = small();
    step.fault = Some(Fault::Latency { add: seconds(12) });
    step.expect.rolled_back_by = Some(TriggerName::LatencyDifference);
    step.expect.within_periods = 5;
    assert_passes(&step, &drill(&step, None));
}

#[test]
fn a_destination_that_refuses_connections_is_left_because_of_them() {
    let mut step = small();
    step.fault = Some(Fault::RefuseConnections { ratio: percent(30.0) });
    step.expect.rolled_back_by = Some(TriggerName::ConnectionFailures);
    step.expect.within_periods = 1;
    assert_passes(&step, &drill(&step, None));
}

#[test]
fn a_healthy_rollout_ends_with_all_traffic_at_the_destination() {
    let mut step = small();
    step.fault = None;
    step.expect.rolled_back_by = None;
    step.expect.final_share = Ratio::ONE;
    assert_passes(&step, &drill(&step, None));
}

#[test]
fn a_drill_that_is_stopped_has_no_evidence() {
    let (switch, stop) = StopSwitch::new();
    switch.stop();
    let stopped = collect(&small(), None, 7, &stop).unwrap_err();
    assert_eq!(stopped.to_string(), "the drill was stopped before its end");
}

#[test]
fn a_fault_at_a_share_that_is_no_step_is_refused() {
    let mut step = small();
    step.at = percent(33.0);
    let refused = collect(&step, None, 7, &stop()).unwrap_err();
    assert_eq!(refused.to_string(), "the fault begins at `33%`, which is no step of the rollout");
}

/// Changes the recorded evidence, and tells how an expectation is judged then.
fn judged(edit: impl FnOnce(&mut RollbackEvidence), expected: &str) -> Judgement {
    let mut evidence = recorded().clone();
    edit(&mut evidence);
    let verdict = judge(&small(), &evidence);
    let found = verdict.expectations.iter().find(|it| it.expected.starts_with(expected));
    found.unwrap_or_else(|| panic!("`{expected}` in\n{}", shown(&verdict))).judgement
}

#[test]
fn one_write_that_is_missing_in_the_source_is_lost_and_named() {
    let mut evidence = recorded().clone();
    let gone = evidence.source.remove(3);
    let verdict = judge(&small(), &evidence);
    let finding = &verdict.findings[0];
    assert_eq!(finding.code, FindingCode::AcknowledgedWriteLost);
    assert_eq!(finding.witness.as_ref().unwrap().time_ns, gone.time_ns);
}

#[test]
fn a_write_that_is_stored_at_another_time_is_lost() {
    let moved = |evidence: &mut RollbackEvidence| evidence.source[3].time_ns += 1;
    assert_eq!(judged(moved, "no_acknowledged_write_lost"), Judgement::Fail);
}

#[test]
fn a_write_that_nobody_sent_is_found() {
    let strange = |evidence: &mut RollbackEvidence| evidence.destination[0].id = u64::MAX;
    assert_eq!(judged(strange, "no_write_applied_twice"), Judgement::Fail);
}

#[test]
fn a_write_without_an_answer_may_be_in_the_store_or_not() {
    let unknown = |evidence: &mut RollbackEvidence| {
        let write = evidence.writes[5];
        evidence.writes[5].fate = WriteFate::Unknown;
        evidence.source.retain(|point| point.id != write.id);
    };
    assert_eq!(judged(unknown, "no_acknowledged_write_lost"), Judgement::Pass);
}

#[test]
fn no_acknowledged_write_at_all_proves_nothing() {
    let nothing = |evidence: &mut RollbackEvidence| evidence.writes.clear();
    assert_eq!(judged(nothing, "no_acknowledged_write_lost"), Judgement::Inconclusive);
}

#[test]
fn no_query_to_the_destination_proves_nothing() {
    let nothing = |evidence: &mut RollbackEvidence| evidence.queries.clear();
    assert_eq!(judged(nothing, "readers_never_precede_writers"), Judgement::Inconclusive);
}

#[test]
fn a_drill_that_ends_before_everyone_has_polled_proves_nothing() {
    let early = |evidence: &mut RollbackEvidence| {
        evidence.ended = evidence.decisions.last().unwrap().at + seconds(10);
    };
    assert_eq!(judged(early, "every_client_converged"), Judgement::Inconclusive);
}

#[test]
fn a_fault_that_no_client_met_proves_nothing() {
    let unseen = |evidence: &mut RollbackEvidence| {
        for attempt in &mut evidence.attempts {
            attempt.outcome = OutcomeClass::Success;
        }
    };
    assert_eq!(judged(unseen, "clients meet the fault"), Judgement::Inconclusive);
}

/// As if no trigger had ever fired.
fn without_rollback(evidence: &mut RollbackEvidence) {
    evidence.decisions.retain(|decision| decision.cause == Cause::Ladder);
    evidence.published.retain(|published| published.cause == Cause::Ladder);
}

#[test]
fn a_rollback_that_does_not_come_fails() {
    assert_eq!(judged(without_rollback, "rolled back by"), Judgement::Fail);
}

#[test]
fn a_rollback_that_does_not_come_for_want_of_requests_proves_nothing() {
    let starved = |evidence: &mut RollbackEvidence| {
        without_rollback(evidence);
        for evaluation in &mut evidence.evaluations {
            evaluation.class = PeriodClass::NoData;
        }
    };
    assert_eq!(judged(starved, "rolled back by"), Judgement::Inconclusive);
}

#[test]
fn a_rollback_a_period_late_fails() {
    let late = |evidence: &mut RollbackEvidence| {
        for decision in evidence.decisions.iter_mut().filter(|it| it.cause != Cause::Ladder) {
            decision.at += seconds(10);
        }
    };
    assert_eq!(judged(late, "error_rate over 2 periods"), Judgement::Fail);
}

#[test]
fn a_rollback_for_another_reason_fails() {
    let other = |evidence: &mut RollbackEvidence| {
        for decision in evidence.decisions.iter_mut().filter(|it| it.cause != Cause::Ladder) {
            decision.cause = Cause::Trigger(TriggerName::SuccessRate);
        }
    };
    assert_eq!(judged(other, "rolled back by"), Judgement::Fail);
}

#[test]
fn traffic_that_climbs_again_after_the_rollback_fails() {
    let again = |evidence: &mut RollbackEvidence| {
        let mut next = *evidence.published.last().unwrap();
        next.version += 1;
        next.flags.share = percent(10.0);
        evidence.published.push(next);
    };
    assert_eq!(judged(again, "one rollback"), Judgement::Fail);
}

#[test]
fn the_figure_shows_the_fault_and_what_fired() {
    let figure = super::figure(recorded());
    let (began, ended) = figure.fault.unwrap();
    let (fired, trigger) = figure.fired.unwrap();
    assert!(began < fired && fired < ended);
    assert_eq!(trigger, "error_rate");
    let peak = figure.served.iter().map(|(_, share)| *share).fold(0.0, f64::max);
    assert!((0.3..0.7).contains(&peak), "{peak}");
}
