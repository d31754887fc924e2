//! The records of all shards of a run, put together into the record of the run.
//!
//! The main function is [`merge`]. It is pure: records in, events and evidence out. The merged
//! record is that of the first shard, with every load judged over what all shards saw, by the
//! function that judges an unshared one, and with what went wrong on the others. Shards that are
//! not those of one run, each once, are refused before anything comes of them. Reading records and
//! writing the merged one is the caller's.

mod refusal;
#[cfg(test)]
mod tests;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::time::Duration;

use cutover_model::event::{Fact, RunStart};
use cutover_model::scenario::{LoadStep, Step};
use cutover_model::{
    Calibration, RunEvent, RunEventKind, RunId, Scenario, ScenarioId, Shard, ShortDuration, StepId,
    TargetKind, Verdict,
};
use serde::{Deserialize, Serialize};

pub use refusal::MergeRefusal;

use crate::checks::Check;
use crate::checks::load::{LoadCheck, LoadEvidence};

/// The share of a load's duration by which its shards may begin apart: with more, the whole load
/// was not there for 99 % of the time.
const APART: f64 = 0.01;

/// What a shard has to do, beside its number: the scenarios as they were read.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ShardPlan {
    /// The scenarios, in order.
    pub scenarios: Vec<Scenario>,
}

/// The record of one shard.
#[derive(Clone, Debug, PartialEq)]
pub struct ShardRecord {
    /// Where it was found.
    pub folder: PathBuf,
    /// What it had to do.
    pub plan: ShardPlan,
    /// What happened.
    pub events: Vec<RunEvent>,
    /// The evidence of the loads that it drove.
    pub loads: BTreeMap<(ScenarioId, StepId), LoadEvidence>,
}

/// The record of a run whose shards were put together.
#[derive(Clone, Debug, PartialEq)]
pub struct Merged {
    /// The run.
    pub run: RunId,
    /// What happened.
    pub events: Vec<RunEvent>,
    /// The evidence of each load, with its file from the folder of the run.
    pub loads: Vec<(PathBuf, LoadEvidence)>,
    /// Where the first shard's record is, which has the evidence of every other check.
    pub first: PathBuf,
}

/// Puts the shards of a run together.
pub fn merge(records: Vec<ShardRecord>) -> Result<Merged, MergeRefusal> {
    let shards = refusal::in_order(records)?;
    let first = &shards[0];
    let mut whole = Whole { shards: &shards, events: Vec::new(), loads: Vec::new() };
    for event in &first.record.events {
        whole.take(event);
    }
    let run = RunId::new(format!("{}-merged", first.start.run));
    let (events, loads) = (whole.events, whole.loads);
    Ok(Merged { run, events, loads, first: first.record.folder.clone() })
}

/// A record of which it is known which shard it is of.
#[derive(Debug)]
struct Known {
    shard: Shard,
    start: RunStart,
    record: ShardRecord,
}

impl Known {
    /// What happened in a scenario's step.
    fn of_step<'a>(
        &'a self,
        scenario: &'a ScenarioId,
        step: &'a StepId,
    ) -> impl Iterator<Item = &'a RunEvent> {
        let events = self.record.events.iter();
        events.filter(move |event| place(&event.kind) == Some((scenario, step)))
    }

    /// When a step began, in nanoseconds since the epoch.
    fn began(&self, scenario: &ScenarioId, step: &StepId) -> Option<i128> {
        let started = |event: &&RunEvent| matches!(event.kind, RunEventKind::StepStarted { .. });
        let event = self.of_step(scenario, step).find(started)?;
        let after = i128::try_from(event.elapsed.as_nanos()).ok()?;
        Some(i128::from(self.start.started_at_ns) + after)
    }

    /// Why there is no evidence of a load.
    fn without(&self, scenario: &ScenarioId, step: &StepId) -> String {
        let mut why = "it did not come to it".to_owned();
        for event in self.of_step(scenario, step) {
            match &event.kind {
                RunEventKind::StepSkipped { reason, .. } => why.clone_from(reason),
                RunEventKind::ErrorRaised { messages, .. } => why = messages.join(": "),
                RunEventKind::CheckJudged { verdict, .. } => {
                    let reason = verdict.expectations.iter().find_map(|it| it.reason.clone());
                    why = reason.unwrap_or(why);
                }
                _ => {}
            }
        }
        format!("shard {} has no evidence: {why}", self.shard)
    }
}

/// The step that an event ends or is about.
fn place(kind: &RunEventKind) -> Option<(&ScenarioId, &StepId)> {
    match kind {
        RunEventKind::StepStarted { scenario, step }
        | RunEventKind::StepSkipped { scenario, step, .. }
        | RunEventKind::StepFinished { scenario, step, .. }
        | RunEventKind::CheckJudged { scenario, step, .. }
        | RunEventKind::EvidenceWritten { scenario, step, .. }
        | RunEventKind::ErrorRaised { scenario: Some(scenario), step: Some(step), .. } => {
            Some((scenario, step))
        }
        _ => None,
    }
}

/// The record that comes of the shards.
struct Whole<'a> {
    shards: &'a [Known],
    events: Vec<RunEvent>,
    loads: Vec<(PathBuf, LoadEvidence)>,
}

impl Whole<'_> {
    fn tell(&mut self, elapsed: Duration, kind: RunEventKind) {
        self.events.push(RunEvent { seq: self.events.len() as u64, elapsed, kind });
    }

    /// Takes an event of the first shard over, with what the others say to it.
    fn take(&mut self, event: &RunEvent) {
        let (at, kind) = (event.elapsed, event.kind.clone());
        if let RunEventKind::StepSkipped { scenario, step, .. }
        | RunEventKind::CheckJudged { scenario, step, .. } = &kind
            && let Some(load) = load_of(&self.shards[0].record.plan, scenario, step)
        {
            return self.judge(load, (scenario, step), event);
        }
        match kind {
            RunEventKind::RunStarted(start) => {
                let run = RunId::new(format!("{}-merged", start.run));
                self.tell(at, RunEventKind::RunStarted(RunStart { run, shard: None, ..start }));
            }
            RunEventKind::Calibrated(own) => {
                self.tell(at, RunEventKind::Calibrated(self.weakest(own)));
            }
            RunEventKind::ScenarioStarted { ref scenario, .. } => {
                let scenario = scenario.clone();
                self.tell(at, kind);
                self.tell(at, RunEventKind::Noted { scenario, message: self.origin() });
            }
            RunEventKind::StepFinished { scenario, step, facts, mut findings } => {
                for other in self.others_of_step(&scenario, &step) {
                    if let RunEventKind::StepFinished { findings: found, .. } = other {
                        let new: Vec<_> =
                            found.iter().filter(|it| !findings.contains(it)).cloned().collect();
                        findings.extend(new);
                    }
                }
                self.tell(at, RunEventKind::StepFinished { scenario, step, facts, findings });
            }
            RunEventKind::ScenarioFinished { ref scenario } => {
                self.troubles(at, Some(scenario));
                self.tell(at, kind);
            }
            RunEventKind::RunFinished => {
                self.troubles(at, None);
                let ends = self.shards.iter().filter_map(|it| it.record.events.last());
                let last = ends.map(|end| end.elapsed).max().unwrap_or(at);
                self.tell(last, kind);
            }
            // The evidence of a load is told of where it is judged.
            RunEventKind::EvidenceWritten { ref scenario, ref step, .. }
                if load_of(&self.shards[0].record.plan, scenario, step).is_some() => {}
            kind => self.tell(at, named(kind, self.shards[0].shard)),
        }
    }

    /// Judges a load over what all shards saw of it.
    fn judge(
        &mut self,
        load: &LoadStep,
        (scenario, step): (&ScenarioId, &StepId),
        event: &RunEvent,
    ) {
        let (shards, at) = (self.shards, event.elapsed);
        let key = (scenario.clone(), step.clone());
        if shards.iter().all(|it| !it.record.loads.contains_key(&key))
            && matches!(event.kind, RunEventKind::StepSkipped { .. })
        {
            return self.tell(at, event.kind.clone());
        }
        let check = LoadCheck { step: load, sabotage: None, shard: None };
        let (facts, verdict, figures) = match together(shards, (scenario, step), load.duration) {
            Ok(evidence) => {
                let path = Path::new("evidence").join(scenario.as_str());
                let path = path.join(format!("{step}.json"));
                self.tell(
                    at,
                    RunEventKind::EvidenceWritten {
                        scenario: scenario.clone(),
                        step: step.clone(),
                        path: path.clone(),
                    },
                );
                let mut facts = check.facts(&evidence);
                facts.insert(0, Fact::count("shards", shards.len() as u64));
                let judged = (facts, check.judge(&evidence), check.figures(&evidence));
                self.loads.push((path, evidence));
                judged
            }
            Err(why) => (Vec::new(), Verdict::not_collected(check.subject(), why), Vec::new()),
        };
        let (scenario, step) = key;
        self.tell(at, RunEventKind::CheckJudged { scenario, step, facts, verdict, figures });
    }

    /// What the shards after the first told of a step.
    fn others_of_step<'s>(
        &'s self,
        scenario: &'s ScenarioId,
        step: &'s StepId,
    ) -> impl Iterator<Item = &'s RunEventKind> {
        let others = self.shards[1..].iter();
        others.flat_map(move |it| it.of_step(scenario, step)).map(|event| &event.kind)
    }

    /// Tells what went wrong on the other shards, in a scenario or outside of any.
    fn troubles(&mut self, at: Duration, of: Option<&ScenarioId>) {
        for other in &self.shards[1..] {
            for event in &other.record.events {
                let about = match &event.kind {
                    RunEventKind::ErrorRaised { scenario, .. } => scenario.as_ref(),
                    RunEventKind::LeftUnclean { scenario, .. }
                    | RunEventKind::Noted { scenario, .. } => Some(scenario),
                    _ => continue,
                };
                if about == of {
                    self.tell(at, named(event.kind.clone(), other.shard));
                }
            }
        }
    }

    /// What the machine that adds most to a latency can do: no limit is judged better than there.
    fn weakest(&self, own: Calibration) -> Calibration {
        let events = self.shards.iter().flat_map(|it| &it.record.events);
        let calibrations = events.filter_map(|event| match event.kind {
            RunEventKind::Calibrated(calibration) => Some(calibration),
            _ => None,
        });
        calibrations.max_by_key(|it| it.lag_p95).unwrap_or(own)
    }

    /// Which runs it was put together from.
    fn origin(&self) -> String {
        let runs: Vec<&str> = self.shards.iter().map(|it| it.start.run.as_str()).collect();
        format!("put together from {} shards: {}", runs.len(), runs.join(", "))
    }
}

/// What only one shard tells, with its name.
fn named(kind: RunEventKind, shard: Shard) -> RunEventKind {
    let by = |text: String| format!("shard {shard}: {text}");
    match kind {
        RunEventKind::ErrorRaised { scenario, step, mut messages } => {
            if let Some(first) = messages.first_mut() {
                *first = by(std::mem::take(first));
            }
            RunEventKind::ErrorRaised { scenario, step, messages }
        }
        RunEventKind::LeftUnclean { scenario, what } => {
            RunEventKind::LeftUnclean { scenario, what: by(what) }
        }
        RunEventKind::Noted { scenario, message } => {
            RunEventKind::Noted { scenario, message: by(message) }
        }
        kind => kind,
    }
}

/// The load at a place of a plan.
fn load_of<'p>(plan: &'p ShardPlan, scenario: &ScenarioId, step: &StepId) -> Option<&'p LoadStep> {
    let scenario = plan.scenarios.iter().find(|it| it.id == *scenario)?;
    scenario.steps.iter().enumerate().find_map(|(index, it)| match it {
        Step::Load(load) if StepId::at(index, it.kind()) == *step => Some(load),
        _ => None,
    })
}

/// What all shards saw of a load, or why nothing can be said of it.
fn together(
    shards: &[Known],
    (scenario, step): (&ScenarioId, &StepId),
    duration: Duration,
) -> Result<LoadEvidence, String> {
    let key = (scenario.clone(), step.clone());
    let mut whole: Option<LoadEvidence> = None;
    for known in shards {
        let own = known.record.loads.get(&key).cloned();
        let own = own.ok_or_else(|| known.without(scenario, step))?;
        match &mut whole {
            None => whole = Some(own),
            Some(whole) => whole.merge(own).map_err(|error| {
                format!("the evidence of shard {} does not fit: {error}", known.shard)
            })?,
        }
    }
    let began: Option<Vec<i128>> = shards.iter().map(|it| it.began(scenario, step)).collect();
    let divided = divided(shards[0].start.target, &began.unwrap_or_default(), duration);
    whole.map(|whole| LoadEvidence { divided, ..whole }).ok_or_else(|| "no shard".to_owned())
}

/// Why the shards did not put the whole load on one destination at the same time, if so.
fn divided(target: TargetKind, began: &[i128], duration: Duration) -> Option<String> {
    if began.len() < 2 {
        return None;
    }
    match target {
        TargetKind::Embedded | TargetKind::Process | TargetKind::Container => {
            Some("each shard had a destination of its own, and put its part on that".to_owned())
        }
        TargetKind::Deployed => {
            let apart = began.iter().max()? - began.iter().min()?;
            let apart = Duration::from_nanos(u64::try_from(apart).unwrap_or(u64::MAX));
            (apart.as_secs_f64() > duration.as_secs_f64() * APART).then(|| {
                let apart = ShortDuration(apart);
                format!("the shards began {apart} apart, so that the load was not whole throughout")
            })
        }
    }
}
