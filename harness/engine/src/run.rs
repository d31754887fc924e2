//! The loop of a run: scenarios in order, each on a target of its own that is always given back.

use std::path::Path;

use cutover_clients::Http;
use cutover_model::event::RunStart;
use cutover_model::{RunEventKind, ScenarioId, StepId, Timing};
use cutover_targets::{ProvisionError, Provisioned, Target, acquire, provision};

use crate::calibrate::{CalibrationError, Effort, calibrate};
use crate::cx::RunCx;
use crate::dispatch::{refused, run_step};
use crate::events::Events;
use crate::plan::{Plan, PlannedScenario};
use crate::step::{Ended, StepCx};
use crate::stores::Stores;

/// The log of the destination's server, in the folder of a scenario's evidence.
const LOG: &str = "influxdb.log";

/// Runs a plan. What happens is told through `events`; the last one says that the run ended.
pub async fn run(plan: Plan, cx: RunCx, start: RunStart, events: Events) {
    events.emit(RunEventKind::RunStarted(start));
    if cx.target.timing() == Timing::Real && plan.measures_time() {
        tell_calibration(&cx, &events).await;
    }
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
        let task = tokio::spawn(run_scenario(planned, cx.clone(), events.clone()));
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

/// Tells what this machine can do by itself, before it measures anything else.
async fn tell_calibration(cx: &RunCx, events: &Events) {
    match calibrate(Effort::Brief, &cx.clock, &cx.stop).await {
        Ok(calibration) => events.emit(RunEventKind::Calibrated(calibration)),
        Err(CalibrationError::Interrupted) => {}
        Err(error) => events.error(None, None, &error),
    }
}

async fn run_scenario(planned: PlannedScenario, cx: RunCx, events: Events) {
    let scenario = planned.scenario.id.clone();
    events.take_trouble();
    let acquiring = acquire(&cx.target, planned.scenario.container, &cx.leases, &cx.clock);
    let acquired = tokio::select! {
        biased;
        acquired = acquiring => acquired,
        // What was started until now is given back by being dropped.
        () = cx.stop.asked() => return,
    };
    let mut target = match acquired {
        Ok(target) => target,
        Err(error) => return events.error(Some(&scenario), None, &error),
    };
    run_on(&planned, &target, &cx, &events).await;
    let note = |message| {
        events.emit(RunEventKind::Noted { scenario: scenario.clone(), message });
    };
    if let Some(how) = target.destination_ended().await {
        note(format!("the destination ended by itself: {how}"));
    }
    if events.take_trouble() {
        keep_log(&target, &scenario, (&cx, &events)).await;
    }
    match target.release().await {
        Ok(kept) => kept.into_iter().for_each(note),
        Err(left) => {
            for error in left {
                let what = crate::events::messages(&error).join(": ");
                events.emit(RunEventKind::LeftUnclean { scenario: scenario.clone(), what });
            }
        }
    }
}

/// Writes the destination's log down beside the evidence of the checks.
async fn keep_log(target: &Target, scenario: &ScenarioId, (cx, events): (&RunCx, &Events)) {
    let Some(log) = target.destination_log().await.filter(|log| !log.is_empty()) else { return };
    let relative = Path::new("evidence").join(scenario.as_str()).join(LOG);
    let path = cx.folder.join(&relative);
    let folder = path.parent().unwrap_or(&cx.folder);
    let written = std::fs::create_dir_all(folder).and_then(|()| std::fs::write(&path, log));
    match written {
        Ok(()) => {
            let message = format!("the destination's log is in {}", relative.display());
            events.emit(RunEventKind::Noted { scenario: scenario.clone(), message });
        }
        Err(error) => events.error(Some(scenario), None, &error),
    }
}

/// Prepares the destination, runs the steps and takes the tokens back.
async fn run_on(planned: &PlannedScenario, target: &Target, cx: &RunCx, events: &Events) {
    let scenario = &planned.scenario.id;
    let provisioned = match prepare(planned, target, cx).await {
        Ok(provisioned) => provisioned,
        Err(error) => return events.error(Some(scenario), None, &error),
    };
    events.emit(RunEventKind::TargetReady {
        scenario: scenario.clone(),
        timing: target.capabilities.timing,
        destination: target.description.clone(),
    });
    if let Some(message) = provisioned.describe() {
        events.emit(RunEventKind::Noted { scenario: scenario.clone(), message });
    }
    let ends = (provisioned.writer.clone(), provisioned.reader.clone());
    match Stores::connect(target.source.clone(), ends, cx, planned.seed).await {
        Ok(stores) => run_steps(planned, (target, &stores), cx, events).await,
        Err(error) => events.error(Some(scenario), None, &error),
    }
    // Where the destination is gone, its tokens are, too; where it is not, they end with it or
    // can do no more than the scenario could.
    if let Err(error) = provisioned.revoke().await {
        let message = format!("a token could not be taken back: {error}");
        events.emit(RunEventKind::Noted { scenario: scenario.clone(), message });
    }
}

async fn prepare(
    planned: &PlannedScenario,
    target: &Target,
    cx: &RunCx,
) -> Result<Provisioned, ProvisionError> {
    let http = Http::sockets(cx.timeouts)
        .map_err(|cause| ProvisionError::Refused { subject: target.description.clone(), cause })?;
    let (name, buckets) = (planned.scenario.id.as_str(), &planned.scenario.buckets);
    provision(&target.destination, &http, name, buckets).await
}

async fn run_steps(
    planned: &PlannedScenario,
    (target, stores): (&Target, &Stores),
    cx: &RunCx,
    events: &Events,
) {
    let scenario = &planned.scenario.id;
    let mut broken: Option<StepId> = None;
    for index in planned.order() {
        let step = &planned.scenario.steps[index];
        let id = StepId::at(index, step.kind());
        let skip = |reason: String| RunEventKind::StepSkipped {
            scenario: scenario.clone(),
            step: id.clone(),
            reason,
        };
        if planned.leaves_out(index) {
            events.emit(skip("not the check that is sabotaged".to_owned()));
            continue;
        }
        if planned.is_left(index) {
            events.emit(skip("left to the first shard".to_owned()));
            continue;
        }
        let can = (index, &target.capabilities);
        if let Some(reason) = refused(step, planned, can) {
            events.emit(skip(reason.to_owned()));
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
        let step_cx = StepCx { planned, index, id: &id, stores, target, cx, events };
        if run_step(step, &step_cx).await == Ended::Broken {
            broken = Some(id);
        }
    }
}
