//! The fold in tables: which events give which report and exit code.

use super::*;
use crate::ids::{RunId, TargetKind};
use crate::verdict::Expectation;

fn start() -> RunEventKind {
    RunEventKind::RunStarted(RunStart {
        format: EVENT_FORMAT,
        run: RunId::new("run"),
        version: "0".to_owned(),
        started_at_ns: 0,
        seed: 7,
        target: TargetKind::Embedded,
        options: Vec::new(),
        shard: None,
        machine: None,
        scenarios: 1,
    })
}

fn scenario() -> ScenarioId {
    ScenarioId::new("s")
}

fn parity() -> StepId {
    StepId::at(1, StepKind::Parity)
}

fn begun() -> RunEventKind {
    RunEventKind::ScenarioStarted {
        scenario: scenario(),
        title: "t".to_owned(),
        file: PathBuf::from("a b.yaml"),
        steps: vec![(StepId::at(0, StepKind::Seed), StepKind::Seed), (parity(), StepKind::Parity)],
        sabotage: None,
    }
}

fn seeded() -> RunEventKind {
    RunEventKind::StepFinished {
        scenario: scenario(),
        step: StepId::at(0, StepKind::Seed),
        facts: vec![],
        findings: vec![],
    }
}

fn judged(judgement: Judgement) -> RunEventKind {
    RunEventKind::CheckJudged {
        scenario: scenario(),
        step: parity(),
        facts: vec![],
        verdict: Verdict {
            expectations: vec![Expectation {
                expected: "missing = 0".to_owned(),
                observed: "0".to_owned(),
                judgement,
                reason: None,
                timed: false,
            }],
            findings: vec![],
        },
        figures: vec![],
    }
}

fn fold(kinds: Vec<RunEventKind>) -> RunReport {
    let numbered = |(seq, kind)| RunEvent { seq, elapsed: Duration::from_secs(seq), kind };
    let events: Vec<_> = (0..).zip(kinds).map(numbered).collect();
    RunReport::fold(&events).unwrap()
}

fn exit_of(middle: Vec<RunEventKind>) -> Exit {
    let mut kinds = vec![start(), begun()];
    kinds.extend(middle);
    kinds.extend(finished());
    fold(kinds).exit
}

fn finished() -> [RunEventKind; 2] {
    [RunEventKind::ScenarioFinished { scenario: scenario() }, RunEventKind::RunFinished]
}

#[test]
fn a_passed_check_passes_the_run() {
    assert_eq!(exit_of(vec![seeded(), judged(Judgement::Pass)]), Exit::Passed);
}

#[test]
fn a_failed_check_fails_the_run() {
    assert_eq!(exit_of(vec![seeded(), judged(Judgement::Fail)]), Exit::Failed);
}

#[test]
fn a_run_in_which_everything_was_skipped_judged_nothing() {
    assert_eq!(exit_of(vec![seeded(), judged(Judgement::Skipped)]), Exit::NothingJudged);
}

#[test]
fn a_check_that_was_never_reached_is_inconclusive() {
    assert_eq!(exit_of(vec![seeded()]), Exit::Inconclusive);
}

#[test]
fn a_scenario_without_a_check_judged_nothing() {
    let mut kind = begun();
    if let RunEventKind::ScenarioStarted { steps, .. } = &mut kind {
        steps.pop();
    }
    let mut kinds = vec![start(), kind, seeded()];
    kinds.extend(finished());
    assert_eq!(fold(kinds).exit, Exit::NothingJudged);
}

#[test]
fn a_run_without_scenarios_judged_nothing() {
    let mut start = start();
    if let RunEventKind::RunStarted(start) = &mut start {
        start.scenarios = 0;
    }
    assert_eq!(fold(vec![start, RunEventKind::RunFinished]).exit, Exit::NothingJudged);
}

#[test]
fn a_scenario_that_was_planned_and_never_begun_is_an_error() {
    let mut start = start();
    if let RunEventKind::RunStarted(start) = &mut start {
        start.scenarios = 2;
    }
    let mut kinds = vec![start, begun(), seeded(), judged(Judgement::Pass)];
    kinds.extend(finished());
    assert_eq!(fold(kinds).exit, Exit::Error);
}

#[test]
fn a_record_that_breaks_off_is_an_error() {
    let report = fold(vec![start(), begun(), seeded(), judged(Judgement::Pass)]);
    assert_eq!((report.complete, report.exit), (false, Exit::Error));
}

#[test]
fn an_error_outweighs_a_failed_check() {
    let error = RunEventKind::ErrorRaised {
        scenario: Some(scenario()),
        step: None,
        messages: vec!["no port".to_owned()],
    };
    assert_eq!(exit_of(vec![seeded(), judged(Judgement::Fail), error]), Exit::Error);
}

#[test]
fn an_unclean_end_outweighs_a_failed_check() {
    let left = RunEventKind::LeftUnclean { scenario: scenario(), what: "a fault".to_owned() };
    assert_eq!(exit_of(vec![seeded(), judged(Judgement::Fail), left]), Exit::Unclean);
}

#[test]
fn an_interrupted_run_is_never_a_pass() {
    let events = vec![seeded(), judged(Judgement::Pass), RunEventKind::Interrupted];
    assert_eq!(exit_of(events), Exit::Inconclusive);
}

#[test]
fn a_finding_while_seeding_makes_the_run_inconclusive() {
    let mut kind = seeded();
    if let RunEventKind::StepFinished { findings, .. } = &mut kind {
        findings.push(Finding {
            code: crate::FindingCode::LocalTimeUnclear,
            message: "twice".to_owned(),
            witness: None,
        });
    }
    assert_eq!(exit_of(vec![kind, judged(Judgement::Pass)]), Exit::Inconclusive);
}

#[test]
fn a_missing_event_is_refused() {
    let events = [(0, start()), (2, begun())].map(|(seq, kind)| RunEvent {
        seq,
        elapsed: Duration::ZERO,
        kind,
    });
    assert_eq!(RunReport::fold(&events), Err(FoldError::Gap { expected: 1, found: 2 }));
}

#[test]
fn the_reproducing_command_quotes_a_path_with_a_space() {
    let report = fold(vec![start(), begun(), RunEventKind::RunFinished]);
    let expected = "cutover run 'a b.yaml' --target embedded --seed 7";
    assert_eq!(report.scenarios[0].reproduce, expected);
}

#[test]
fn the_reproducing_command_tells_the_target_what_it_was_told() {
    let RunEventKind::RunStarted(mut started) = start() else { panic!("a run starts") };
    started.options = ["--stack", "my stack.json"].map(str::to_owned).to_vec();
    let report = fold(vec![RunEventKind::RunStarted(started), begun(), RunEventKind::RunFinished]);
    let expected = "cutover run 'a b.yaml' --target embedded --stack 'my stack.json' --seed 7";
    assert_eq!(report.scenarios[0].reproduce, expected);
}

#[test]
fn a_report_reads_back_from_its_own_json() {
    let report = fold(vec![start(), begun(), judged(Judgement::Fail), RunEventKind::RunFinished]);
    let json = serde_json::to_string(&report).unwrap();
    assert_eq!(serde_json::from_str::<RunReport>(&json).unwrap(), report);
}
