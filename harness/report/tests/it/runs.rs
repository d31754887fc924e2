//! Generated runs: any mix of steps and outcomes, finished, interrupted or cut off.

use std::time::Duration;

use cutover_model::event::{EVENT_FORMAT, Fact, RunEvent, RunEventKind, RunStart};
use cutover_model::{
    Expectation, Finding, FindingCode, Judgement, RunId, RunReport, ScenarioId, StepId, StepKind,
    TargetKind, Verdict,
};
use proptest::prelude::*;

/// What becomes of one step.
#[derive(Clone, Debug)]
enum Outcome {
    NotReached,
    Begun,
    Ended { findings: usize },
    Judged(Vec<Judgement>),
    Skipped,
    Erred,
}

/// What becomes of one scenario.
#[derive(Clone, Debug)]
struct Fate {
    steps: Vec<(StepKind, Outcome)>,
    erred: bool,
    unclean: bool,
}

/// A report of a run of any shape, with `text` wherever text from outside goes.
pub(crate) fn reports(text: &'static str) -> impl Strategy<Value = RunReport> {
    let run = (prop::collection::vec(fates(), 0..4), any::<bool>(), any::<bool>(), 0..8_u8);
    run.prop_map(move |(fates, interrupted, complete, erred)| {
        let events = events(&fates, text, (interrupted, complete, erred == 0));
        RunReport::fold(&events).expect("the generated events are a record")
    })
}

fn fates() -> impl Strategy<Value = Fate> {
    let step = (kinds(), outcomes()).prop_map(|(kind, outcome)| match (kind, outcome) {
        (StepKind::Seed | StepKind::Migrate, Outcome::Judged(_)) => {
            (kind, Outcome::Ended { findings: 0 })
        }
        (StepKind::Seed | StepKind::Migrate, outcome) => (kind, outcome),
        (kind, Outcome::Ended { .. }) => (kind, Outcome::Judged(vec![Judgement::Pass])),
        (kind, outcome) => (kind, outcome),
    });
    (prop::collection::vec(step, 0..5), 0..8_u8, 0..8_u8).prop_map(|(steps, erred, unclean)| Fate {
        steps,
        erred: erred == 0,
        unclean: unclean == 0,
    })
}

fn kinds() -> impl Strategy<Value = StepKind> {
    prop::sample::select(vec![
        StepKind::Seed,
        StepKind::Migrate,
        StepKind::Parity,
        StepKind::Latency,
        StepKind::Load,
        StepKind::Rollback,
    ])
}

/// Passing is frequent, so that runs that pass as a whole are generated too.
fn outcomes() -> impl Strategy<Value = Outcome> {
    let judgements = prop::sample::select(vec![
        Judgement::Skipped,
        Judgement::Pass,
        Judgement::Inconclusive,
        Judgement::Fail,
    ]);
    prop_oneof![
        1 => Just(Outcome::NotReached),
        1 => Just(Outcome::Begun),
        2 => (0..3_usize).prop_map(|findings| Outcome::Ended { findings }),
        8 => Just(Outcome::Judged(vec![Judgement::Pass])),
        3 => prop::collection::vec(judgements, 0..3).prop_map(Outcome::Judged),
        2 => Just(Outcome::Skipped),
        1 => Just(Outcome::Erred),
    ]
}

fn events(fates: &[Fate], text: &str, ends: (bool, bool, bool)) -> Vec<RunEvent> {
    let (interrupted, complete, erred) = ends;
    let mut kinds = vec![RunEventKind::RunStarted(RunStart {
        format: EVENT_FORMAT,
        run: RunId::new(text),
        version: text.to_owned(),
        started_at_ns: 0,
        seed: 1,
        target: TargetKind::Embedded,
        options: Vec::new(),
        shard: None,
        machine: None,
        scenarios: u32::try_from(fates.len()).expect("there are few"),
    })];
    for (index, fate) in fates.iter().enumerate() {
        tell(&mut kinds, &ScenarioId::new(format!("{index}{text}")), fate, text);
    }
    if erred {
        let messages = vec![text.to_owned()];
        kinds.push(RunEventKind::ErrorRaised { scenario: None, step: None, messages });
    }
    kinds.extend(interrupted.then_some(RunEventKind::Interrupted));
    kinds.extend(complete.then_some(RunEventKind::RunFinished));
    let event = |(seq, kind)| RunEvent { seq, elapsed: Duration::from_millis(seq), kind };
    (0..).zip(kinds).map(event).collect()
}

fn tell(kinds: &mut Vec<RunEventKind>, id: &ScenarioId, fate: &Fate, text: &str) {
    let steps = || fate.steps.iter().enumerate();
    kinds.push(RunEventKind::ScenarioStarted {
        scenario: id.clone(),
        title: text.to_owned(),
        file: text.into(),
        sabotage: None,
        steps: steps().map(|(index, (kind, _))| (StepId::at(index, *kind), *kind)).collect(),
    });
    for (index, (kind, outcome)) in steps() {
        let (scenario, step) = (id.clone(), StepId::at(index, *kind));
        if !matches!(outcome, Outcome::NotReached | Outcome::Skipped) {
            let (scenario, step) = (scenario.clone(), step.clone());
            kinds.push(RunEventKind::StepStarted { scenario, step });
        }
        let facts = vec![Fact::text(text, text)];
        let finding = || Finding {
            code: FindingCode::ValueUnreadable,
            message: text.to_owned(),
            witness: None,
        };
        kinds.extend(match outcome {
            Outcome::NotReached | Outcome::Begun => None,
            Outcome::Ended { findings } => {
                let findings = (0..*findings).map(|_| finding()).collect();
                Some(RunEventKind::StepFinished { scenario, step, facts, findings })
            }
            Outcome::Judged(judgements) => {
                let verdict = verdict(judgements, text);
                let figures = Vec::new();
                Some(RunEventKind::CheckJudged { scenario, step, facts, verdict, figures })
            }
            Outcome::Skipped => {
                Some(RunEventKind::StepSkipped { scenario, step, reason: text.to_owned() })
            }
            Outcome::Erred => Some(RunEventKind::ErrorRaised {
                scenario: Some(scenario),
                step: Some(step),
                messages: vec![text.to_owned(), text.to_owned()],
            }),
        });
    }
    if fate.erred {
        let messages = vec![text.to_owned()];
        let scenario = Some(id.clone());
        kinds.push(RunEventKind::ErrorRaised { scenario, step: None, messages });
    }
    if fate.unclean {
        let what = text.to_owned();
        kinds.push(RunEventKind::LeftUnclean { scenario: id.clone(), what });
    }
    kinds.push(RunEventKind::ScenarioFinished { scenario: id.clone() });
}

fn verdict(judgements: &[Judgement], text: &str) -> Verdict {
    let expectation = |judgement: &Judgement| Expectation {
        expected: text.to_owned(),
        observed: text.to_owned(),
        judgement: *judgement,
        reason: Some(text.to_owned()),
        timed: false,
    };
    Verdict { expectations: judgements.iter().map(expectation).collect(), findings: Vec::new() }
}
