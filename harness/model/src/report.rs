//! The report of a run: one fold over its events, from which every output and the exit code come.
//!
//! The main type is [`RunReport`]. It holds nothing that the events do not say. A record without
//! its last event is reported as incomplete, and an incomplete run is never a success.

use std::path::{Path, PathBuf};
use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::calibration::Calibration;
use crate::event::{EVENT_FORMAT, Fact, Figure, RunEvent, RunEventKind, RunStart, Sabotaged};
use crate::exit::Exit;
use crate::ids::{ScenarioId, StepId, StepKind, Timing};
use crate::verdict::{Finding, Judgement, Verdict};

/// The version of the report format.
pub const REPORT_FORMAT: u32 = 2;

/// What a run came to.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct RunReport {
    /// The report format, [`REPORT_FORMAT`].
    pub format: u32,
    /// What the run started from.
    pub start: RunStart,
    /// What the machine that measured can do by itself, if anything was to be judged by time.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub calibration: Option<Calibration>,
    /// How long it took, up to its last event.
    pub elapsed: Duration,
    /// Whether the record has its last event.
    pub complete: bool,
    /// Whether the user asked to stop.
    pub interrupted: bool,
    /// How the run ended.
    pub exit: Exit,
    /// Checks by judgement.
    pub counts: Counts,
    /// The scenarios, in the order of the run.
    pub scenarios: Vec<ScenarioReport>,
    /// Errors that concern no single scenario.
    pub errors: Vec<Vec<String>>,
}

/// Checks by judgement.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Counts {
    /// Observed, and as expected.
    pub passed: u32,
    /// Observed, and not as expected.
    pub failed: u32,
    /// The evidence does not allow an answer.
    pub inconclusive: u32,
    /// Not judged.
    pub skipped: u32,
}

/// What one scenario came to.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ScenarioReport {
    /// Its id.
    pub id: ScenarioId,
    /// What it proves.
    pub title: String,
    /// Its file, as the user named it.
    pub file: PathBuf,
    /// What the target's clock readings are worth, once it answered.
    pub timing: Option<Timing>,
    /// What the destination is, once it answered.
    pub destination: Option<String>,
    /// What the reader should know about the stores, in order.
    pub notes: Vec<String>,
    /// The heaviest of its steps.
    pub judgement: Judgement,
    /// Whether the record has its end.
    pub ended: bool,
    /// Its steps, in order.
    pub steps: Vec<StepReport>,
    /// Errors that concern no single step.
    pub errors: Vec<Vec<String>>,
    /// What could not be put back.
    pub unclean: Vec<String>,
    /// The declared break that was made, if the run was made for one.
    pub sabotage: Option<Sabotaged>,
    /// The command that runs this scenario again in the same way.
    pub reproduce: String,
}

/// What one step came to.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct StepReport {
    /// Its id.
    pub id: StepId,
    /// What it does.
    pub kind: StepKind,
    /// How far it came.
    pub state: StepState,
    /// When it began, from the start of the run.
    pub started: Option<Duration>,
    /// How long it took.
    pub elapsed: Option<Duration>,
    /// What it counted or measured.
    pub facts: Vec<Fact>,
    /// What it concludes, if it is a check that was judged.
    pub verdict: Option<Verdict>,
    /// What it found wrong with the data, if it is not a check.
    pub findings: Vec<Finding>,
    /// What can be drawn of it.
    pub figures: Vec<Figure>,
    /// Its evidence, from the folder of the run.
    pub evidence: Option<PathBuf>,
    /// What failed in the harness or its environment, and the causes.
    pub errors: Vec<Vec<String>>,
}

/// How far a step came.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum StepState {
    /// The run ended before it.
    NotReached,
    /// It began and did not end.
    Begun,
    /// It ended.
    Done,
    /// It was left out, and why.
    Skipped(String),
}

impl StepReport {
    /// What the step says of the scenario. `None` for a step without a verdict that went well.
    pub fn judgement(&self) -> Option<Judgement> {
        if !self.errors.is_empty() {
            return Some(Judgement::Inconclusive);
        }
        match (&self.state, &self.verdict) {
            (StepState::Skipped(_), _) => Some(Judgement::Skipped),
            (StepState::NotReached | StepState::Begun, _) => Some(Judgement::Inconclusive),
            (StepState::Done, Some(verdict)) => Some(verdict.judgement()),
            (StepState::Done, None) if !self.findings.is_empty() => Some(Judgement::Inconclusive),
            (StepState::Done, None) => None,
        }
    }
}

/// Events that are no record of a run.
#[derive(Debug, PartialEq, Eq)]
pub enum FoldError {
    /// There is no event, or the first is not the start of a run.
    NoStart,
    /// The record is of a newer format.
    NewerFormat(u32),
    /// An event is missing before this one.
    Gap {
        /// The number that was due.
        expected: u64,
        /// The number that was found.
        found: u64,
    },
    /// An event names a scenario or a step that was never started.
    Unknown(String),
}

impl std::fmt::Display for FoldError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::NoStart => f.write_str("the record does not begin with the start of a run"),
            Self::NewerFormat(found) => {
                write!(f, "the record has format {found}, and this version reads {EVENT_FORMAT}")
            }
            Self::Gap { expected, found } => {
                write!(f, "event {found} follows where event {expected} is due")
            }
            Self::Unknown(what) => write!(f, "an event names `{what}`, which was never started"),
        }
    }
}

impl std::error::Error for FoldError {}

impl RunReport {
    /// Folds the events of a run, in order, into its report.
    pub fn fold<'a>(events: impl IntoIterator<Item = &'a RunEvent>) -> Result<Self, FoldError> {
        let mut events = events.into_iter();
        let start = match events.next().map(|event| (event.seq, &event.kind)) {
            Some((0, RunEventKind::RunStarted(start))) => start.clone(),
            _ => return Err(FoldError::NoStart),
        };
        if start.format > EVENT_FORMAT {
            return Err(FoldError::NewerFormat(start.format));
        }
        let mut report = Self::empty(start);
        for (expected, event) in (1..).zip(events) {
            if event.seq != expected {
                return Err(FoldError::Gap { expected, found: event.seq });
            }
            report.elapsed = event.elapsed;
            report.apply(event)?;
        }
        report.conclude();
        Ok(report)
    }

    fn empty(start: RunStart) -> Self {
        Self {
            format: REPORT_FORMAT,
            start,
            calibration: None,
            elapsed: Duration::ZERO,
            complete: false,
            interrupted: false,
            exit: Exit::NothingJudged,
            counts: Counts::default(),
            scenarios: Vec::new(),
            errors: Vec::new(),
        }
    }

    fn apply(&mut self, event: &RunEvent) -> Result<(), FoldError> {
        match &event.kind {
            RunEventKind::RunStarted(_) => return Err(FoldError::NoStart),
            RunEventKind::ScenarioStarted { scenario, title, file, steps, sabotage } => {
                let reproduce = self.reproduce(file, sabotage.as_ref());
                self.scenarios.push(ScenarioReport {
                    id: scenario.clone(),
                    title: title.clone(),
                    file: file.clone(),
                    timing: None,
                    destination: None,
                    notes: Vec::new(),
                    ended: false,
                    judgement: Judgement::Inconclusive,
                    steps: steps.iter().map(|(id, kind)| StepReport::due(id, *kind)).collect(),
                    errors: Vec::new(),
                    unclean: Vec::new(),
                    sabotage: sabotage.clone(),
                    reproduce,
                });
            }
            RunEventKind::Calibrated(calibration) => self.calibration = Some(*calibration),
            RunEventKind::TargetReady { scenario, timing, destination } => {
                let scenario = self.scenario(scenario)?;
                scenario.timing = Some(*timing);
                scenario.destination = Some(destination.clone());
            }
            RunEventKind::Noted { scenario, message } => {
                self.scenario(scenario)?.notes.push(message.clone());
            }
            RunEventKind::ErrorRaised { scenario, step, messages } => {
                self.errors_of(scenario.as_ref(), step.as_ref())?.push(messages.clone());
            }
            RunEventKind::LeftUnclean { scenario, what } => {
                self.scenario(scenario)?.unclean.push(what.clone());
            }
            RunEventKind::ScenarioFinished { scenario } => self.scenario(scenario)?.ended = true,
            RunEventKind::Interrupted => self.interrupted = true,
            RunEventKind::RunFinished => self.complete = true,
            _ => self.apply_to_step(event)?,
        }
        Ok(())
    }

    fn reproduce(&self, file: &Path, sabotage: Option<&Sabotaged>) -> String {
        let RunStart { target, options, seed, shard, .. } = &self.start;
        let mut words = vec!["cutover run".to_owned(), quoted(&file.display().to_string())];
        words.push(format!("--target {}", target.word()));
        words.extend(options.iter().map(|word| quoted(word)));
        words.push(format!("--seed {seed}"));
        words.extend(shard.map(|shard| format!("--shard {shard}")));
        words.extend(sabotage.map(|it| format!("--sabotage {}", it.place)));
        words.join(" ")
    }

    fn apply_to_step(&mut self, event: &RunEvent) -> Result<(), FoldError> {
        match &event.kind {
            RunEventKind::StepStarted { scenario, step } => {
                let step = self.step(scenario, step)?;
                step.state = StepState::Begun;
                step.started = Some(event.elapsed);
            }
            RunEventKind::EvidenceWritten { scenario, step, path } => {
                self.step(scenario, step)?.evidence = Some(path.clone());
            }
            RunEventKind::StepFinished { scenario, step, facts, findings } => {
                let step = self.step(scenario, step)?;
                step.end(event.elapsed);
                step.facts.clone_from(facts);
                step.findings.clone_from(findings);
            }
            RunEventKind::CheckJudged { scenario, step, facts, verdict, figures } => {
                let step = self.step(scenario, step)?;
                step.end(event.elapsed);
                step.facts.clone_from(facts);
                step.verdict = Some(verdict.clone());
                step.figures.clone_from(figures);
            }
            RunEventKind::StepSkipped { scenario, step, reason } => {
                self.step(scenario, step)?.state = StepState::Skipped(reason.clone());
            }
            _ => {}
        }
        Ok(())
    }

    fn scenario(&mut self, id: &ScenarioId) -> Result<&mut ScenarioReport, FoldError> {
        self.scenarios
            .iter_mut()
            .find(|scenario| scenario.id == *id)
            .ok_or_else(|| FoldError::Unknown(id.to_string()))
    }

    fn step(&mut self, id: &ScenarioId, step: &StepId) -> Result<&mut StepReport, FoldError> {
        self.scenario(id)?
            .steps
            .iter_mut()
            .find(|report| report.id == *step)
            .ok_or_else(|| FoldError::Unknown(format!("{id}/{step}")))
    }

    fn errors_of(
        &mut self,
        scenario: Option<&ScenarioId>,
        step: Option<&StepId>,
    ) -> Result<&mut Vec<Vec<String>>, FoldError> {
        match (scenario, step) {
            (None, _) => Ok(&mut self.errors),
            (Some(scenario), None) => Ok(&mut self.scenario(scenario)?.errors),
            (Some(scenario), Some(step)) => Ok(&mut self.step(scenario, step)?.errors),
        }
    }

    fn conclude(&mut self) {
        for scenario in &mut self.scenarios {
            scenario.judgement = scenario.heaviest();
            for step in scenario.steps.iter().filter(|step| step.kind.is_check()) {
                self.counts.add(step.judgement().unwrap_or(Judgement::Inconclusive));
            }
        }
        self.exit = self.exit_code();
    }

    /// Whether the record has the end of the run, and of each scenario that the run was to have.
    fn is_whole(&self) -> bool {
        let ended = self.scenarios.iter().filter(|scenario| scenario.ended).count();
        self.complete && u32::try_from(ended) == Ok(self.start.scenarios)
    }

    /// When several apply, the order is error, unclean, failed, inconclusive, nothing judged.
    fn exit_code(&self) -> Exit {
        let any = |judgement| self.scenarios.iter().any(|it| it.judgement == judgement);
        let erred = !self.errors.is_empty() || self.scenarios.iter().any(ScenarioReport::erred);
        if erred || (!self.is_whole() && !self.interrupted) {
            Exit::Error
        } else if self.scenarios.iter().any(|scenario| !scenario.unclean.is_empty()) {
            Exit::Unclean
        } else if any(Judgement::Fail) {
            Exit::Failed
        } else if self.interrupted || any(Judgement::Inconclusive) {
            Exit::Inconclusive
        } else if self.counts.passed == 0 || self.start.shard.is_some() {
            // What a shard passes says nothing of the run that it is a part of.
            Exit::NothingJudged
        } else {
            Exit::Passed
        }
    }
}

impl ScenarioReport {
    fn heaviest(&self) -> Judgement {
        let own = (!self.errors.is_empty()).then_some(Judgement::Inconclusive);
        let parts: Vec<_> =
            self.steps.iter().filter_map(StepReport::judgement).chain(own).collect();
        if parts.is_empty() {
            // It has no check and went well: there was nothing to judge.
            return Judgement::Skipped;
        }
        Judgement::of_all(parts)
    }

    fn erred(&self) -> bool {
        !self.errors.is_empty() || self.steps.iter().any(|step| !step.errors.is_empty())
    }
}

impl StepReport {
    fn due(id: &StepId, kind: StepKind) -> Self {
        Self {
            id: id.clone(),
            kind,
            state: StepState::NotReached,
            started: None,
            elapsed: None,
            facts: Vec::new(),
            verdict: None,
            findings: Vec::new(),
            figures: Vec::new(),
            evidence: None,
            errors: Vec::new(),
        }
    }

    fn end(&mut self, at: Duration) {
        self.state = StepState::Done;
        self.elapsed = self.started.map(|started| at.saturating_sub(started));
    }
}

impl Counts {
    fn add(&mut self, judgement: Judgement) {
        match judgement {
            Judgement::Pass => self.passed += 1,
            Judgement::Fail => self.failed += 1,
            Judgement::Inconclusive => self.inconclusive += 1,
            Judgement::Skipped => self.skipped += 1,
        }
    }
}

/// A word of a shell command, in quotes where it needs them.
fn quoted(word: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || "/._-+=:@%".contains(c);
    if !word.is_empty() && word.chars().all(plain) {
        word.to_owned()
    } else {
        format!("'{}'", word.replace('\'', r"'\''"))
    }
}

#[cfg(test)]
mod tests;
