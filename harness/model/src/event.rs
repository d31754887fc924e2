//! Events: what happened in a run, in order. They are the record; every output is folded from them.
//!
//! An event carries values, never formatted text, so that a run can be shown again in any form.
//! [`report`](crate::report) folds them.

use std::path::PathBuf;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::calibration::Calibration;
use crate::ids::{RunId, ScenarioId, StepId, StepKind, TargetKind, Timing};
use crate::measured::Measured;
use crate::shard::Shard;
use crate::verdict::{Finding, Judgement, Verdict};

/// The version of the event format. A reader refuses a higher one.
pub const EVENT_FORMAT: u32 = 2;

/// One thing that happened.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct RunEvent {
    /// Its place in the run, from 0, without gaps.
    pub seq: u64,
    /// When, counted from the start of the run.
    pub elapsed: Duration,
    /// What.
    pub kind: RunEventKind,
}

/// What happened.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum RunEventKind {
    /// The run began. Always the first event.
    RunStarted(RunStart),
    /// The machine was measured by itself, before anything that a clock judges.
    Calibrated(Calibration),
    /// A scenario began.
    ScenarioStarted {
        /// Its id.
        scenario: ScenarioId,
        /// What it proves.
        title: String,
        /// Its file, as the user named it.
        file: PathBuf,
        /// Its steps, in order.
        steps: Vec<(StepId, StepKind)>,
        /// The declared break that is made in this run, if it is made for one.
        sabotage: Option<Sabotaged>,
    },
    /// The stores of a scenario answer.
    TargetReady {
        /// The scenario.
        scenario: ScenarioId,
        /// What the target's clock readings are worth.
        timing: Timing,
        /// What the destination is, with its version.
        destination: String,
    },
    /// Something about a scenario's stores that the reader of a report should know: what was made
    /// for it, what was kept, how a server ended.
    Noted {
        /// The scenario.
        scenario: ScenarioId,
        /// What, as a sentence.
        message: String,
    },
    /// A step began.
    StepStarted {
        /// The scenario.
        scenario: ScenarioId,
        /// The step.
        step: StepId,
    },
    /// A step got on.
    StepProgressed {
        /// The scenario.
        scenario: ScenarioId,
        /// The step.
        step: StepId,
        /// How much is done.
        done: u64,
        /// How much there is, where it is known.
        total: Option<u64>,
        /// Of what, in the plural: `rows`, `requests`.
        unit: String,
    },
    /// The evidence of a check was written down, before it is judged.
    EvidenceWritten {
        /// The scenario.
        scenario: ScenarioId,
        /// The step.
        step: StepId,
        /// The file, from the folder of the run.
        path: PathBuf,
    },
    /// A step without a verdict of its own ended.
    StepFinished {
        /// The scenario.
        scenario: ScenarioId,
        /// The step.
        step: StepId,
        /// What it counted.
        facts: Vec<Fact>,
        /// What it found wrong with the data. Any finding makes the scenario inconclusive.
        findings: Vec<Finding>,
    },
    /// A check was judged.
    CheckJudged {
        /// The scenario.
        scenario: ScenarioId,
        /// The step.
        step: StepId,
        /// What it measured.
        facts: Vec<Fact>,
        /// What it concludes.
        verdict: Verdict,
        /// What can be drawn of it.
        figures: Vec<Figure>,
    },
    /// A step was not run.
    StepSkipped {
        /// The scenario.
        scenario: ScenarioId,
        /// The step.
        step: StepId,
        /// Why.
        reason: String,
    },
    /// The harness or its environment failed.
    ErrorRaised {
        /// The scenario, unless it concerns the whole run.
        scenario: Option<ScenarioId>,
        /// The step, if one was under way.
        step: Option<StepId>,
        /// What failed, and its causes, outermost first.
        messages: Vec<String>,
    },
    /// Something could not be put back: a fault, a flag, a server, a folder.
    LeftUnclean {
        /// The scenario.
        scenario: ScenarioId,
        /// What was left, and where.
        what: String,
    },
    /// A scenario ended and gave its stores back.
    ScenarioFinished {
        /// The scenario.
        scenario: ScenarioId,
    },
    /// The user asked to stop.
    Interrupted,
    /// The run ended. Always the last event; without it the record is incomplete.
    RunFinished,
}

/// A declared break that a run makes, to see whether its check notices.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Sabotaged {
    /// Where it is declared: the step and its number there, from 1, as `3-parity/2`.
    pub place: String,
    /// The break, as the file names it: `drop_rows: 1`.
    pub name: String,
}

/// What a run starts from.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct RunStart {
    /// The event format, [`EVENT_FORMAT`].
    pub format: u32,
    /// The run.
    pub run: RunId,
    /// The version of cutover.
    pub version: String,
    /// The wall clock at the start, in nanoseconds since the epoch. It is read this once.
    pub started_at_ns: i64,
    /// Where every random choice comes from.
    pub seed: u64,
    /// Where the scenarios run.
    pub target: TargetKind,
    /// What the target was told on the command line, word by word. No secret is told there.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub options: Vec<String>,
    /// Which part of a shared run it is. Alone it passes nothing.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub shard: Option<Shard>,
    /// What it runs on; absent in records of earlier versions.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub machine: Option<Machine>,
    /// How many scenarios there are.
    pub scenarios: u32,
}

/// What of a machine its figures depend on, so that those of another are not held against them.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Machine {
    /// Cores that the process may use.
    pub cores: u32,
    /// The operating system and the instruction set, as `linux x86_64`.
    pub system: String,
}

/// Something counted or measured that is worth a line in a report.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Fact {
    /// What it is: `rows read`, `destination p95`.
    pub name: String,
    /// How much.
    pub value: FactValue,
}

impl Fact {
    /// A count.
    pub fn count(name: impl Into<String>, count: u64) -> Self {
        Self { name: name.into(), value: FactValue::Count(count) }
    }

    /// A time that a clock read.
    pub fn duration(name: impl Into<String>, duration: Duration) -> Self {
        Self { name: name.into(), value: FactValue::Duration(duration) }
    }

    /// What was measured of an operation.
    pub fn measured(operation: impl Into<String>, measured: Measured) -> Self {
        Self { name: operation.into(), value: FactValue::Measured(Box::new(measured)) }
    }

    /// A text that no clock enters.
    pub fn text(name: impl Into<String>, text: impl Into<String>) -> Self {
        Self { name: name.into(), value: FactValue::Text(text.into()) }
    }
}

/// The value of a fact, by what it is and whether a clock enters into it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum FactValue {
    /// A number of things, the same in every run with this seed.
    Count(u64),
    /// A text, the same in every run with this seed.
    Text(String),
    /// A time that a clock read.
    Duration(Duration),
    /// Something per second, read by a clock.
    PerSecond(f64),
    /// A number of things that depends on how fast the machine was.
    TimedCount(u64),
    /// What was measured of the operation that the fact is named after.
    Measured(Box<Measured>),
}

impl FactValue {
    /// Whether a clock enters into it, so that no two runs agree.
    pub fn is_timed(&self) -> bool {
        !matches!(self, Self::Count(_) | Self::Text(_))
    }
}

/// Something to draw.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Figure {
    /// Latency by percentile, one line per series.
    Percentiles {
        /// What is drawn.
        title: String,
        /// The lines.
        series: Vec<PercentileSeries>,
    },
    /// Something per second over time, one line per series.
    PerSecond {
        /// What is drawn.
        title: String,
        /// What is counted, in the plural.
        unit: String,
        /// How much of it was warm-up.
        #[serde(default, skip_serializing_if = "Duration::is_zero")]
        warm_up: Duration,
        /// The lines.
        series: Vec<PerSecondSeries>,
    },
    /// Latency in each second, one line per series.
    LatencyPerSecond {
        /// What is drawn.
        title: String,
        /// How much of it was warm-up.
        warm_up: Duration,
        /// The lines.
        series: Vec<LatencySeries>,
    },
    /// Traffic shares and triggers over the time of a drill.
    Traffic(TrafficFigure),
}

/// One line of a percentile chart.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct PercentileSeries {
    /// Whose latencies.
    pub label: String,
    /// Quantiles from 0 to 1, rising, and the latency at each.
    pub points: Vec<(f64, Duration)>,
}

/// One line of a per-second chart.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct PerSecondSeries {
    /// Of what.
    pub label: String,
    /// The value in each second from the start.
    pub values: Vec<f64>,
}

/// One line of a chart of latency in each second.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct LatencySeries {
    /// Of what.
    pub label: String,
    /// The latency in each second from the start; none where there was no sample.
    pub values: Vec<Option<Duration>>,
}

/// Traffic shares and triggers over the time of a drill.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct TrafficFigure {
    /// The share of traffic that the flags sent to InfluxDB, from each instant on.
    pub flags: Vec<(Duration, f64)>,
    /// The share of requests that InfluxDB served, by the middle of each period.
    pub served: Vec<(Duration, f64)>,
    /// When the fault was in force.
    pub fault: Option<(Duration, Duration)>,
    /// What the triggers saw at the end of each period.
    pub evaluations: Vec<TriggerPoint>,
    /// When a trigger fired, and which.
    pub fired: Option<(Duration, String)>,
}

/// What one trigger saw at one instant.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct TriggerPoint {
    /// When.
    pub at: Duration,
    /// Which trigger.
    pub trigger: String,
    /// The measured value as a share of the limit: above 1 is a breach, `None` is no data.
    pub of_limit: Option<f64>,
    /// Whether this period is in breach.
    pub breach: bool,
}

impl RunEventKind {
    /// The judgement that this event brings, for those that watch a run.
    pub fn judgement(&self) -> Option<Judgement> {
        match self {
            Self::CheckJudged { verdict, .. } => Some(verdict.judgement()),
            Self::StepSkipped { .. } => Some(Judgement::Skipped),
            _ => None,
        }
    }
}
