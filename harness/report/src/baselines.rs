//! Baselines: the timed figures of earlier runs, kept to tell whether a later one is slower.
//!
//! The main type is [`Baseline`], what is kept of one scenario of a run: a line of JSON in a file
//! for the scenario and the target. [`of_run`] reads the figures off a report and [`kept_of_run`]
//! refuses those that should not be kept. Nothing here compares: that is
//! [`comparison`](crate::comparison).

use std::collections::BTreeSet;
use std::time::Duration;

use cutover_model::event::Machine;
use cutover_model::measured::{Arrivals, Estimate, GeneratorFigures, Measured};
use cutover_model::report::{ScenarioReport, StepReport};
use cutover_model::{
    Calibration, Exit, FindingCode, Judgement, RunId, RunReport, ScenarioId, ShortDuration, StepId,
    TargetKind, Timing,
};
use serde::{Deserialize, Serialize};

use crate::measured;

/// The version of the format of baselines. A reader refuses another one.
pub const BASELINE_FORMAT: u32 = 1;

/// More failures than this share of the requests: what was measured is how fast it fails.
const FAILED_SHARE: f64 = 0.01;

/// What is kept of one scenario of a run.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Baseline {
    /// The format, [`BASELINE_FORMAT`].
    pub format: u32,
    /// The run.
    pub run: RunId,
    /// When it began, in nanoseconds since the epoch.
    pub started_at_ns: i64,
    /// The version of cutover.
    pub version: String,
    /// Where every random choice came from.
    pub seed: u64,
    /// The scenario.
    pub scenario: ScenarioId,
    /// Where it ran.
    pub target: TargetKind,
    /// What the destination was, with its version.
    pub destination: Option<String>,
    /// What it ran on.
    pub machine: Option<Machine>,
    /// What the machine could do by itself, where that was measured.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub calibration: Option<Calibration>,
    /// What was measured, in the order of the run.
    pub operations: Vec<KeptOperation>,
}

/// The figures of one operation, with what it was asked to do.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct KeptOperation {
    /// The step that measured it.
    pub step: StepId,
    /// Its name.
    pub operation: String,
    /// How its load was made.
    pub load: Load,
    /// Its figures.
    pub figures: Vec<KeptFigure>,
}

/// How a load was made. Figures of different loads are not held against each other.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Load {
    /// How its requests came about.
    pub arrivals: Arrivals,
    /// What was to be driven, as a digest.
    pub plan: String,
    /// Requests that were asked for in each second, if it was open.
    pub asked_per_second: Option<f64>,
    /// The length of the warm-up.
    pub warm_up: Duration,
    /// The length of the measured phase.
    pub duration: Duration,
}

/// One figure of an operation.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct KeptFigure {
    /// Which.
    pub statistic: KeptStatistic,
    /// Seconds, or requests per second.
    pub value: f64,
    /// Where the truth lies with 95 % confidence, where that can be told.
    pub interval: Option<(f64, f64)>,
    /// What it rests on.
    pub samples: u64,
    /// How many independent samples these are worth.
    pub worth: u64,
    /// How much of a latency may be the generator's own doing, in seconds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub late: Option<f64>,
    /// Why it says nothing of the service, if so.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub doubt: Option<String>,
}

/// The figures that are kept of an operation.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum KeptStatistic {
    /// The median of the response time.
    P50,
    /// Its 95th percentile.
    P95,
    /// Its 99th percentile.
    P99,
    /// Requests that ended well in each second.
    Throughput,
}

impl KeptStatistic {
    /// The words used in outputs.
    pub fn word(self) -> &'static str {
        match self {
            Self::P50 => "p50",
            Self::P95 => "p95",
            Self::P99 => "p99",
            Self::Throughput => "well ended per second",
        }
    }

    /// Whether more of it is worse.
    pub(crate) fn is_latency(self) -> bool {
        self != Self::Throughput
    }
}

/// A run that has no figures to keep or to compare.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NoBaseline {
    /// It is a part of a run.
    #[error("`{0}` is a shard, a part of a run")]
    Shard(RunId),
    /// It broke off.
    #[error("`{0}` did not come to its end")]
    Incomplete(RunId),
    /// It was made to see whether a break is noticed.
    #[error("`{run}` was made with the break `{place}`")]
    Sabotaged {
        /// The run.
        run: RunId,
        /// The break.
        place: String,
    },
    /// Something of the harness or its environment failed.
    #[error("`{run}` ended with exit {}: {}", exit.code(), exit.meaning())]
    Erred {
        /// The run.
        run: RunId,
        /// Its exit.
        exit: Exit,
    },
    /// It measured no operation.
    #[error("`{0}` has no timed figure: none of its steps measured a load or a latency")]
    Nothing(RunId),
    /// What it measured are stand-ins.
    #[error("`{scenario}` of `{run}` ran on stand-ins, whose timing is indicative")]
    Indicative {
        /// The run.
        run: RunId,
        /// The scenario.
        scenario: ScenarioId,
    },
    /// Its answers or its data were wrong, so how fast they came says nothing.
    #[error("`{step}` of `{scenario}` of `{run}` failed by more than the time that it took")]
    Wrong {
        /// The run.
        run: RunId,
        /// The scenario.
        scenario: ScenarioId,
        /// The check that failed.
        step: StepId,
    },
}

impl NoBaseline {
    /// What to do about it.
    pub fn remedy(&self) -> &'static str {
        match self {
            Self::Shard(_) => "put the shards together first: cutover merge RUN…",
            Self::Incomplete(_) | Self::Erred { .. } => "run it again, to its end",
            Self::Sabotaged { .. } => "run it without --sabotage",
            Self::Nothing(_) => "name a run whose scenarios have a load or a latency step",
            Self::Indicative { .. } => {
                "run it on a real InfluxDB: --target process, container or deployed"
            }
            Self::Wrong { .. } => "see the report; mend what is wrong and run it again",
        }
    }
}

/// The timed figures of each scenario of a run that has any.
pub fn of_run(report: &RunReport) -> Result<Vec<Baseline>, NoBaseline> {
    let run = || report.start.run.clone();
    if report.start.shard.is_some() {
        return Err(NoBaseline::Shard(run()));
    }
    if !report.complete || report.interrupted {
        return Err(NoBaseline::Incomplete(run()));
    }
    if let Some(sabotage) = report.scenarios.iter().find_map(|it| it.sabotage.as_ref()) {
        return Err(NoBaseline::Sabotaged { run: run(), place: sabotage.place.clone() });
    }
    if matches!(report.exit, Exit::Error | Exit::Unclean) {
        return Err(NoBaseline::Erred { run: run(), exit: report.exit });
    }
    let baselines: Vec<_> = report.scenarios.iter().map(|it| of_scenario(report, it)).collect();
    let baselines: Vec<_> = baselines.into_iter().filter(|it| !it.operations.is_empty()).collect();
    if baselines.is_empty() { Err(NoBaseline::Nothing(run())) } else { Ok(baselines) }
}

/// The same, of a run that later ones may be held against.
pub fn kept_of_run(report: &RunReport) -> Result<Vec<Baseline>, NoBaseline> {
    let mut baselines = of_run(report)?;
    for scenario in &report.scenarios {
        let (run, id) = (report.start.run.clone(), scenario.id.clone());
        if let Some(step) = scenario.steps.iter().find(|step| is_wrong(step)) {
            let step = step.id.clone();
            return Err(NoBaseline::Wrong { run, scenario: id, step });
        }
        let mut timings = scenario
            .steps
            .iter()
            .flat_map(measured::operations)
            .map(|(_, measured)| measured.timing)
            .peekable();
        if timings.peek().is_some() && timings.all(|timing| timing == Timing::Indicative) {
            return Err(NoBaseline::Indicative { run, scenario: id });
        }
    }
    for baseline in &mut baselines {
        baseline.operations.retain(|it| !it.is_on_a_stand_in());
    }
    Ok(baselines)
}

/// Whether a check failed for more than a clock reading: such a run is no measure of anything.
/// Requests that failed are expected or not by themselves.
fn is_wrong(step: &StepReport) -> bool {
    let Some(verdict) = &step.verdict else { return false };
    let fails = |timed: bool| {
        let failed = verdict.expectations.iter().filter(|it| it.judgement == Judgement::Fail);
        failed.into_iter().any(|it| it.timed == timed)
    };
    let found = verdict.findings.iter().any(|it| it.code != FindingCode::RequestFailed);
    fails(false) || (fails(true) && found)
}

fn of_scenario(report: &RunReport, scenario: &ScenarioReport) -> Baseline {
    let start = &report.start;
    let operations = scenario.steps.iter().flat_map(|step| {
        measured::operations(step).map(|(operation, measured)| KeptOperation {
            step: step.id.clone(),
            operation,
            load: Load {
                arrivals: measured.arrivals,
                plan: measured.plan.clone(),
                asked_per_second: measured.asked_per_second,
                warm_up: measured.warm_up,
                duration: measured.duration,
            },
            figures: figures(measured),
        })
    });
    Baseline {
        format: BASELINE_FORMAT,
        run: start.run.clone(),
        started_at_ns: start.started_at_ns,
        version: start.version.clone(),
        seed: start.seed,
        scenario: scenario.id.clone(),
        target: start.target,
        destination: scenario.destination.clone(),
        machine: start.machine.clone(),
        calibration: report.calibration,
        operations: operations.collect(),
    }
}

fn figures(measured: &Measured) -> Vec<KeptFigure> {
    let mut figures = Vec::new();
    if let Some(response) = &measured.response {
        let percentiles = [
            (KeptStatistic::P50, &response.p50),
            (KeptStatistic::P95, &response.p95),
            (KeptStatistic::P99, &response.p99),
        ];
        figures.extend(percentiles.map(|(statistic, estimate)| {
            let Estimate { value, interval, worth } = *estimate;
            KeptFigure {
                statistic,
                value: value.as_secs_f64(),
                interval: interval.map(|(low, high)| (low.as_secs_f64(), high.as_secs_f64())),
                samples: response.samples,
                worth,
                late: measured.generator.lag_p95.map(|lag| lag.as_secs_f64()),
                doubt: doubt(measured),
            }
        }));
    }
    let Estimate { value, interval, worth } = measured.well_per_second;
    figures.push(KeptFigure {
        statistic: KeptStatistic::Throughput,
        value,
        interval,
        samples: measured.requests,
        worth,
        late: None,
        doubt: doubt(measured),
    });
    figures
}

const STAND_IN: &str = "it was measured on a stand-in, whose timing is indicative";

impl KeptOperation {
    fn is_on_a_stand_in(&self) -> bool {
        self.figures.iter().any(|it| it.doubt.as_deref() == Some(STAND_IN))
    }
}

/// Why nothing that was measured says anything of the service, if so.
fn doubt(measured: &Measured) -> Option<String> {
    let GeneratorFigures { busy, clock_step, divided, .. } = &measured.generator;
    if measured.timing == Timing::Indicative {
        return Some(STAND_IN.to_owned());
    }
    if measured.covered < measured.duration {
        let covered = ShortDuration(measured.covered);
        return Some(format!("the load was ended after {covered}"));
    }
    let failures = measured.failures();
    if failures as f64 > measured.requests as f64 * FAILED_SHARE {
        return Some(format!("{failures} of {} requests failed", measured.requests));
    }
    if *clock_step > GeneratorFigures::CLOCK_LIMIT {
        let step = ShortDuration(*clock_step);
        return Some(format!("the clock was set, or the machine suspended, by {step}"));
    }
    if let Some(busy) = busy.filter(|busy| *busy > GeneratorFigures::BUSY_LIMIT) {
        let percent = busy * 100.0;
        return Some(format!("the generator had nothing to spare: {percent:.0}% of its time"));
    }
    divided.clone()
}

/// A line of a file of baselines that cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum LineError {
    /// It is no baseline: perhaps it was cut off while it was written.
    #[error("it is no baseline, or was cut off")]
    Torn(#[source] serde_json::Error),
    /// It is of another version.
    #[error("it has format {0}, and this version reads {BASELINE_FORMAT}")]
    Format(u32),
    /// It belongs into another file.
    #[error("it is of `{scenario}` on {}, which has a file of its own", target.word())]
    Misplaced {
        /// Its scenario.
        scenario: ScenarioId,
        /// Its target.
        target: TargetKind,
    },
    /// The run would count twice.
    #[error("the run `{0}` is kept twice")]
    Doubled(RunId),
}

impl Baseline {
    /// The name of the file that holds the baselines of a scenario on a target; none if the
    /// scenario's name is not fit for one.
    pub fn file_name(&self) -> Option<String> {
        let name = self.scenario.as_str();
        let plain = |c: char| c.is_ascii_alphanumeric() || "-_".contains(c);
        let fit = !name.is_empty() && name.chars().all(plain);
        fit.then(|| format!("{name}.{}.jsonl", self.target.word()))
    }

    /// The baseline as a line, with its end.
    pub fn line(&self) -> String {
        let line = serde_json::to_string(self).expect("a baseline has no map and no path");
        line + "\n"
    }
}

/// Reads a file of baselines. An error has the number of its line, from 1.
pub fn read_baselines(file_name: &str, text: &str) -> Result<Vec<Baseline>, (usize, LineError)> {
    /// What every format has.
    #[derive(Deserialize)]
    struct Formatted {
        format: u32,
    }
    let read = |line: &str| {
        let Formatted { format } = serde_json::from_str(line).map_err(LineError::Torn)?;
        if format != BASELINE_FORMAT {
            return Err(LineError::Format(format));
        }
        let baseline: Baseline = serde_json::from_str(line).map_err(LineError::Torn)?;
        if baseline.file_name().as_deref() != Some(file_name) {
            let Baseline { scenario, target, .. } = baseline;
            return Err(LineError::Misplaced { scenario, target });
        }
        Ok(baseline)
    };
    let mut runs = BTreeSet::new();
    let mut baselines = Vec::new();
    for (number, line) in (1..).zip(text.lines()) {
        let baseline = read(line).map_err(|error| (number, error))?;
        if !runs.insert(baseline.run.clone()) {
            return Err((number, LineError::Doubled(baseline.run)));
        }
        baselines.push(baseline);
    }
    Ok(baselines)
}
