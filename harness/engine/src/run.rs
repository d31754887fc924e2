//! The loop of a run: scenarios in order, each on a target of its own that is always given back.

use cutover_model::event::RunStart;
use cutover_model::{RunEventKind, StepId};
use cutover_targets::{Target, acquire};

use crate::cx::RunCx;
use crate::dispatch::run_step;
use crate::events::Events;
use crate::plan::{Plan, PlannedScenario};
use crate::step::{Ended, StepCx};
use crate::stores::Stores;

/// Runs a plan. What happens is told through `events`; the last one says that the run ended.
pub async fn run(plan: Plan, cx: RunCx, start: RunStart, events: Events) {
    let target = plan.target;
    events.emit(RunEventKind::RunStarted(start));
    for planned in plan.scenarios {
        if cx.stop.is_asked() {
            break;
        }
        let scenario = planned.scenario.id.clone();
        events.emit(RunEventKind::ScenarioStarted {
            scenario: scenario.clone(),
            title: planned.scenario.title.clone(),
            file: planned.scenario.file.clone(),
            steps: planned.steps().map(|(id, step)| (id, step.kind())).collect(),
            sabotage: planned.sabotaged(),
        });
        // A task of its own, so that a panic is told and the run goes on.
        let task = tokio::spawn(run_scenario(planned, target, cx.clone(), events.clone()));
        if let Err(panicked) = task.await {
            events.error(Some(&scenario), None, &panicked);
        }
        events.emit(RunEventKind::ScenarioFinished { scenario });
    }
    if cx.stop.is_asked() {
        events.emit(RunEventKind::Interrupted);
    }
    events.emit(RunEventKind::RunFinished);
}

async fn run_scenario(
    planned: PlannedScenario,
    kind: cutover_model::TargetKind,
    cx: RunCx,
    events: Events,
) {
    let scenario = planned.scenario.id.clone();
    let target = match acquire(kind, &cx.clock).await {
        Ok(target) => target,
        Err(error) => return events.error(Some(&scenario), None, &error),
    };
    let timing = target.capabilities.timing;
    events.emit(RunEventKind::TargetReady { scenario: scenario.clone(), timing });
    run_steps(&planned, &target, &cx, &events).await;
    if let Err(left) = target.release().await {
        for error in left {
            let what = error.to_string();
            events.emit(RunEventKind::LeftUnclean { scenario: scenario.clone(), what });
        }
    }
}

async fn run_steps(planned: &PlannedScenario, target: &Target, cx: &RunCx, events: &Events) {
    let scenario = &planned.scenario.id;
    let stores = match Stores::connect(target, cx, planned.seed).await {
        Ok(stores) => stores,
        Err(error) => return events.error(Some(scenario), None, &error),
    };
    let mut broken: Option<StepId> = None;
    for (index, (id, step)) in planned.steps().enumerate() {
        let skip = |reason: String| RunEventKind::StepSkipped {
            scenario: scenario.clone(),
            step: id.clone(),
            reason,
        };
        if planned.leaves_out(index) {
            events.emit(skip("not the check that is sabotaged".to_owned()));
            continue;
        }
        if let Some(broken) = &broken {
            events.emit(skip(format!("`{broken}`, which it builds on, did not end")));
            continue;
        }
        if cx.stop.is_asked() {
            return;
        }
        let (scenario, step_id) = (scenario.clone(), id.clone());
        events.emit(RunEventKind::StepStarted { scenario, step: step_id });
        let step_cx = StepCx { planned, index, id: &id, stores: &stores, target, cx, events };
        if run_step(step, &step_cx).await == Ended::Broken {
            broken = Some(id);
        }
    }
}
