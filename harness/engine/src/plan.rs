//! The plan of a run: which scenarios, in which order, under which seeds.

use cutover_model::draw::{draw, stream_of};
use cutover_model::event::Sabotaged;
use cutover_model::scenario::{FindRateStep, LoadModel, LoadStep, Step};
use cutover_model::{Scenario, ScenarioId, Shard, StepId};

/// What a run does, before it does anything.
#[derive(Clone, Debug, PartialEq)]
pub struct Plan {
    /// Where every random choice comes from.
    pub seed: u64,
    /// The scenarios, in order.
    pub scenarios: Vec<PlannedScenario>,
    /// Which part of a shared run this is.
    pub shard: Option<Shard>,
}

/// A load that cannot be divided so often.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the {users} users of `{step}` of `{scenario}` cannot be divided among {of} shards")]
pub struct IndivisibleError {
    scenario: ScenarioId,
    step: StepId,
    users: u32,
    of: u32,
}

/// One scenario of a plan.
#[derive(Clone, Debug, PartialEq)]
pub struct PlannedScenario {
    /// What to do.
    pub scenario: Scenario,
    /// Its own seed, from the run's and its id, so that it does not depend on its neighbours.
    pub seed: u64,
    /// The break to make, if this is no ordinary run.
    pub sabotage: Option<Sabotage>,
    /// Which part of a shared run this is.
    pub shard: Option<Shard>,
}

/// One declared break of one check.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Sabotage {
    /// The place of the check among the steps.
    pub step: usize,
    /// The place of the break among the check's own.
    pub entry: usize,
}

impl Plan {
    /// The plan of an ordinary run.
    pub fn new(scenarios: Vec<Scenario>, seed: u64) -> Self {
        let planned = |scenario| PlannedScenario::new(scenario, seed, None);
        Self { seed, scenarios: scenarios.into_iter().map(planned).collect(), shard: None }
    }

    /// The part of the plan that is this shard's. Each has to have a user of every closed load.
    pub fn sharded(mut self, shard: Shard) -> Result<Self, IndivisibleError> {
        self.shard = Some(shard);
        for planned in &mut self.scenarios {
            planned.shard = Some(shard);
            if let Some((step, users)) = planned.fewest_users().filter(|it| it.1 < shard.of()) {
                let (scenario, of) = (planned.scenario.id.clone(), shard.of());
                return Err(IndivisibleError { scenario, step, users, of });
            }
        }
        Ok(self)
    }

    /// Whether any step that is carried out measures time against the wall.
    pub(crate) fn measures_time(&self) -> bool {
        let timed = |step: &Step| matches!(step, Step::Latency(_) | Step::Load(_));
        self.scenarios.iter().any(|planned| {
            let steps = planned.scenario.steps.iter().enumerate();
            let mut done =
                steps.filter(|(index, _)| !planned.leaves_out(*index) && !planned.is_left(*index));
            done.any(|(_, step)| timed(step))
        })
    }

    /// One plan for each declared break: the scenario's groundwork, the break, and its check.
    pub fn sabotaged(scenario: &Scenario, seed: u64) -> Vec<Self> {
        let breaks = scenario.steps.iter().enumerate().flat_map(|(step, it)| {
            (0..sabotages(it).len()).map(move |entry| Sabotage { step, entry })
        });
        let plan = |sabotage| Self {
            seed,
            scenarios: vec![PlannedScenario::new(scenario.clone(), seed, Some(sabotage))],
            shard: None,
        };
        breaks.map(plan).collect()
    }
}

impl PlannedScenario {
    fn new(scenario: Scenario, seed: u64, sabotage: Option<Sabotage>) -> Self {
        let seed = draw(seed, stream_of(scenario.id.as_str()), 0);
        Self { scenario, seed, sabotage, shard: None }
    }

    /// The steps with their ids, in order.
    pub fn steps(&self) -> impl Iterator<Item = (StepId, &Step)> {
        let steps = self.scenario.steps.iter().enumerate();
        steps.map(|(index, step)| (StepId::at(index, step.kind()), step))
    }

    /// The places of the steps in the order in which they are done: that of the file. In a shared
    /// run the checks that one shard does alone come last, so that all shards get to their loads at
    /// the same time; loads write to a bucket that no other check reads.
    pub(crate) fn order(&self) -> Vec<usize> {
        let mut order: Vec<usize> = (0..self.scenario.steps.len()).collect();
        if self.shard.is_some() {
            order.sort_by_key(|index| self.is_for_one(*index));
        }
        order
    }

    /// Whether the check at `index` is left to another shard.
    pub(crate) fn is_left(&self, index: usize) -> bool {
        self.is_for_one(index) && self.shard.is_some_and(|shard| !shard.is_first())
    }

    /// Whether the step at `index` cannot be shared and need not be repeated.
    fn is_for_one(&self, index: usize) -> bool {
        match self.scenario.steps[index] {
            Step::Parity(_) | Step::Latency(_) | Step::FindRate(_) | Step::Rollback(_) => true,
            // What they put into the stores is the same whoever does it, and however often.
            Step::Seed(_) | Step::Migrate(_) | Step::Load(_) => false,
        }
    }

    /// The closed load with the fewest users.
    fn fewest_users(&self) -> Option<(StepId, u32)> {
        let loads = self.steps().filter_map(|(id, step)| match step {
            Step::Load(step) => Some((id, step)),
            _ => None,
        });
        let users = loads.flat_map(|(id, LoadStep { write, read, .. })| {
            let writers = write.as_ref().and_then(|it| it.source.model());
            let models = [writers, read.as_ref().map(|it| &it.model)];
            models.into_iter().flatten().filter_map(move |model| match model {
                LoadModel::Closed { users, .. } => Some((id.clone(), *users)),
                LoadModel::Open(_) => None,
            })
        });
        users.min_by_key(|(_, users)| *users)
    }

    /// The declared break of the check at `index`, if it is the one to make.
    pub(crate) fn break_of(&self, index: usize) -> Option<usize> {
        self.sabotage.filter(|sabotage| sabotage.step == index).map(|sabotage| sabotage.entry)
    }

    /// Whether the check at `index` is none of this plan's business.
    pub(crate) fn leaves_out(&self, index: usize) -> bool {
        let check = self.scenario.steps[index].kind().is_check();
        check && self.sabotage.is_some_and(|sabotage| sabotage.step != index)
    }

    /// Whether the break to make shows in timing alone.
    pub fn sabotage_needs_timing(&self) -> bool {
        use cutover_model::scenario::{LatencySabotage, LoadSabotage};
        self.sabotage.is_some_and(|Sabotage { step, entry }| match &self.scenario.steps[step] {
            Step::Latency(step) => {
                matches!(step.sabotage.get(entry), Some(LatencySabotage::AddLatency(_)))
            }
            // Nothing is tried where timing is not judged.
            Step::FindRate(_) => true,
            Step::Load(step) => {
                matches!(step.sabotage.get(entry), Some(LoadSabotage::AddLatency(_)))
            }
            Step::Seed(_) | Step::Migrate(_) | Step::Parity(_) | Step::Rollback(_) => false,
        })
    }

    /// The declared break to make, with its place.
    pub fn sabotaged(&self) -> Option<Sabotaged> {
        let Sabotage { step, entry } = self.sabotage?;
        let it = &self.scenario.steps[step];
        let name = sabotages(it).into_iter().nth(entry)?;
        let place = format!("{}/{}", StepId::at(step, it.kind()), entry + 1);
        Some(Sabotaged { place, name })
    }
}

/// The declared breaks of a step, as the file names them.
fn sabotages(step: &Step) -> Vec<String> {
    use cutover_model::ShortDuration;
    use cutover_model::scenario::{LatencySabotage, LoadSabotage, ParitySabotage};
    match step {
        Step::Seed(_) | Step::Migrate(_) => Vec::new(),
        Step::Parity(step) => step
            .sabotage
            .iter()
            .map(|sabotage| match sabotage {
                ParitySabotage::DropRows(rows) => format!("drop_rows: {rows}"),
                ParitySabotage::AddRows(rows) => format!("add_rows: {rows}"),
                ParitySabotage::ShiftTime(by) => format!("shift_time: {}", ShortDuration(*by)),
                ParitySabotage::FlipLowestBit(field) => format!("flip_lowest_bit: {field}"),
            })
            .collect(),
        Step::Latency(step) => step
            .sabotage
            .iter()
            .map(|sabotage| match sabotage {
                LatencySabotage::FailQueries(share) => format!("fail_queries: {share}"),
                LatencySabotage::WrongAnswer(share) => format!("wrong_answer: {share}"),
                LatencySabotage::AddLatency(by) => format!("add_latency: {}", ShortDuration(*by)),
            })
            .collect(),
        Step::Load(step) | Step::FindRate(FindRateStep { load: step, .. }) => step
            .sabotage
            .iter()
            .map(|sabotage| match sabotage {
                LoadSabotage::SwallowWrites(share) => format!("swallow_writes: {share}"),
                LoadSabotage::FailRequests(share) => format!("fail_requests: {share}"),
                LoadSabotage::WrongAnswer(share) => format!("wrong_answer: {share}"),
                LoadSabotage::AddLatency(by) => format!("add_latency: {}", ShortDuration(*by)),
            })
            .collect(),
        Step::Rollback(step) => {
            step.sabotage.iter().map(|sabotage| sabotage.key().to_owned()).collect()
        }
    }
}
