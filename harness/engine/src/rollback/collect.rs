//! Carrying a drill out: the order of things from an empty world to complete evidence.

use std::sync::Arc;

use cutover_faults::Faults;
use cutover_model::scenario::{RollbackSabotage, RollbackStep};
use tokio::task::JoinSet;

use super::backend::Instance;
use super::controller::Controller;
use super::devices;
use super::error::DrillError;
use super::history::RollbackEvidence;
use super::names::REQUEST_LIMIT;
use super::stage::{Chance, Stage};
use super::world::{World, read_destination, read_source, set_up};
use crate::Stop;

/// Carries the drill of `step` out, as it is or broken by `sabotage`, and tells what was seen.
///
/// Virtual time needs a runtime of its own, which this makes on the calling thread: call it where
/// blocking is allowed. The same seed gives the same evidence.
pub fn collect(
    step: &RollbackStep,
    sabotage: Option<RollbackSabotage>,
    seed: u64,
    stop: &Stop,
) -> Result<RollbackEvidence, DrillError> {
    let workload = &step.workload;
    if workload.instances == 0 || workload.devices == 0 || workload.poll_every.is_zero() {
        return Err(DrillError::NoWorkload);
    }
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_time()
        .start_paused(true)
        .build()
        .map_err(DrillError::Runtime)?;
    runtime.block_on(run(step, sabotage, seed, stop))
}

async fn run(
    step: &RollbackStep,
    sabotage: Option<RollbackSabotage>,
    seed: u64,
    stop: &Stop,
) -> Result<RollbackEvidence, DrillError> {
    let stage = Arc::new(Stage::new(seed, sabotage));
    let faults = Faults::new(stage.seed_of(Chance::Faults));
    let mut controller = Controller::new(step, stage.clone(), faults.clone())?;
    let world = World::start(&faults, seed)?;
    let probe = world.stores("probe", 0).await?;
    set_up(&probe).await?;

    let mut instances = Vec::new();
    let mut polling = JoinSet::new();
    for index in 0..step.workload.instances {
        let stores = world.stores(&format!("backend-{index}"), u64::from(index) + 1).await?;
        let instance = Arc::new(Instance::new(index, stores, stage.clone()));
        let (polled, every) = (instance.clone(), step.workload.poll_every);
        polling.spawn(async move { polled.poll(every).await });
        instances.push(instance);
    }
    let devices = devices::start(&step.workload, &stage, &instances);
    controller.run(stop).await?;
    drop(devices);
    let ended = stage.now();
    let seen = controller.finish();
    stage.drain().await;
    drop(polling);
    for instance in &instances {
        instance.repair().await;
    }

    let source = read_source(&probe).await?;
    let destination = read_destination(&probe).await?;
    let mut log = std::mem::take(&mut *stage.log());
    log.writes.sort_by_key(|write| (write.sent, write.id));
    log.queries.sort_by_key(|query| (query.sent, query.device));
    log.attempts.sort_by_key(|attempt| (attempt.sent, attempt.device, attempt.kind));
    Ok(RollbackEvidence {
        ended,
        request_limit: REQUEST_LIMIT,
        triggers: step.triggers.clone(),
        fault: seen.fault,
        decisions: seen.decisions,
        published: stage.flags.history(),
        evaluations: seen.evaluations,
        instances: instances.iter().map(|instance| instance.history()).collect(),
        writes: log.writes,
        queries: log.queries,
        attempts: log.attempts,
        source,
        destination,
    })
}
