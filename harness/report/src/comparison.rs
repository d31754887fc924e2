//! Is a run slower than earlier ones, or is it noise?
//!
//! The main type is [`Comparison`], made by [`compare`]. Each figure is compared by its logarithm.
//! With few kept runs all that is known of chance is how uncertain each figure is within its run.
//! With [`ENOUGH_RUNS`] the runs themselves show how much one differs from the next, and a new one
//! is held against what that predicts. Several figures are compared at once, so that the chance of
//! a single false alarm among them is held to 5 % (Holm, A simple sequentially rejective multiple
//! test procedure, 1979). Words and tables are [`compared`](crate::compared)'s.

use std::time::Duration;

use cutover_model::{Exit, Ratio, RunId, ScenarioId, ShortDuration, StepId, TargetKind};
use serde::Serialize;

use crate::baselines::{Baseline, KeptFigure, KeptOperation, KeptStatistic, Load};
use crate::student::{critical, two_sided};

/// From so many kept runs on, they show how much one run differs from the next.
pub const ENOUGH_RUNS: usize = 5;

/// No more kept runs than these are looked at, the latest ones.
const LATEST_RUNS: usize = 30;

/// The chance of a false alarm, among all figures together.
const CHANCE: f64 = 0.05;

/// Measured phases that are shorter do not tell how alike neighbours are.
const LEAST_SECONDS: u64 = 10;

/// Into how many blocks a measured phase is cut to see how alike neighbours are.
const BLOCKS: u64 = 20;

/// A run held against earlier ones.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Comparison {
    /// The run.
    pub run: RunId,
    /// A difference below this is told and no alarm.
    pub at_least: Ratio,
    /// What the machine could do by itself, if that was measured now and before.
    pub ceilings: Option<Ceilings>,
    /// Each figure, in the order of the run.
    pub figures: Vec<Compared>,
}

/// Small requests each second that a machine can drive by itself. Where they fell as much as the
/// figures of a run, it is the machine that is slower.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Ceilings {
    /// Those of this run.
    pub now: f64,
    /// The geometric mean of those of the kept runs on the same machine.
    pub before: f64,
}

/// One figure held against earlier runs.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Compared {
    /// The scenario.
    pub scenario: ScenarioId,
    /// Where it ran.
    pub target: TargetKind,
    /// The step.
    pub step: StepId,
    /// The operation.
    pub operation: String,
    /// The figure.
    pub statistic: KeptStatistic,
    /// What it is now, if it was measured: seconds, or requests per second.
    pub now: Option<f64>,
    /// The figure by the earlier ones, if it can be compared.
    pub quotient: Option<Quotient>,
    /// How much of a latency may be the generator's own doing, in seconds.
    pub late: Option<f64>,
    /// What is said of it.
    pub change: Change,
    /// The figure in the earlier runs, oldest first.
    pub trend: Vec<Earlier>,
}

/// A figure by the geometric mean of the earlier ones.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Quotient {
    /// How many times as much it is.
    pub value: f64,
    /// The 95 % interval.
    pub low: f64,
    /// The 95 % interval.
    pub high: f64,
    /// The geometric mean of the earlier ones.
    pub before: f64,
    /// How many earlier ones there are.
    pub runs: usize,
    /// The chance of such a difference without a cause.
    pub chance: f64,
}

/// A figure of an earlier run.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Earlier {
    /// The run.
    pub run: RunId,
    /// When it began, in nanoseconds since the epoch.
    pub started_at_ns: i64,
    /// The figure.
    pub value: f64,
}

/// What is said of a figure.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Change {
    /// It is slower.
    Slower,
    /// It is slower, by less than the user cares about.
    LittleSlower,
    /// It is faster.
    Faster,
    /// No difference that can be told.
    NoDifference,
    /// It cannot be compared, and why.
    Unknown(String),
}

impl Change {
    /// The words used in outputs.
    pub fn words(&self) -> &'static str {
        match self {
            Self::Slower => "slower",
            Self::LittleSlower => "slower, but little",
            Self::Faster => "faster",
            Self::NoDifference => "no difference that can be told",
            Self::Unknown(_) => "cannot be compared",
        }
    }
}

impl Comparison {
    /// How many figures are so.
    pub fn count(&self, is: impl Fn(&Change) -> bool) -> usize {
        self.figures.iter().filter(|figure| is(&figure.change)).count()
    }

    /// Failed if anything is slower; inconclusive if a difference may be the generator's, or if
    /// there is an operation of which nothing can be told, or none at all.
    pub fn exit(&self) -> Exit {
        if self.count(|change| *change == Change::Slower) > 0 {
            return Exit::Failed;
        }
        let mut operations = self.figures.chunk_by(Compared::is_of_operation);
        let told = |operation: &[Compared]| operation.iter().any(|it| it.quotient.is_some());
        let blamed =
            |it: &Compared| it.quotient.is_some() && matches!(it.change, Change::Unknown(_));
        if self.figures.is_empty() || !operations.all(told) || self.figures.iter().any(blamed) {
            return Exit::Inconclusive;
        }
        Exit::Passed
    }
}

impl Compared {
    /// Whether both are figures of one operation.
    pub(crate) fn is_of_operation(&self, other: &Self) -> bool {
        (&self.scenario, &self.step, &self.operation)
            == (&other.scenario, &other.step, &other.operation)
    }

    /// How many times as slow it is.
    fn slowdown(&self) -> f64 {
        let quotient = self.quotient.map_or(1.0, |it| it.value);
        if self.statistic.is_latency() { quotient } else { 1.0 / quotient }
    }

    /// The generator's lag, where that alone may be why a latency is longer.
    fn generators_own(&self) -> Option<ShortDuration> {
        let longer = self.now? - self.quotient?.before;
        let late = self.late.filter(|late| longer <= *late)?;
        Some(ShortDuration(Duration::try_from_secs_f64(late).ok()?))
    }
}

/// Holds the scenarios of a run against kept ones, of any scenario and target.
pub fn compare(now: &[Baseline], kept: &[Baseline], at_least: Ratio) -> Comparison {
    let mut figures = Vec::new();
    for run in now {
        let same = |it: &&Baseline| {
            (&it.scenario, it.target) == (&run.scenario, run.target) && it.run != run.run
        };
        let mut history: Vec<&Baseline> = kept.iter().filter(same).collect();
        history.sort_by_key(|it| it.started_at_ns);
        figures.extend(run.operations.iter().flat_map(|it| of_operation(run, it, &history)));
        figures.extend(missing(run, &history));
    }
    alarm(&mut figures, at_least);
    let run = now.first().map_or_else(|| RunId::new(""), |it| it.run.clone());
    let ceilings = now.first().and_then(|now| ceilings(now, kept));
    Comparison { run, at_least, ceilings, figures }
}

fn ceilings(now: &Baseline, kept: &[Baseline]) -> Option<Ceilings> {
    let of = |it: &Baseline| Some(it.calibration?.ceiling_per_second).filter(|it| *it > 0.0);
    let same = kept.iter().filter(|it| it.machine == now.machine && it.run != now.run);
    let logs: Vec<f64> = same.filter_map(of).map(f64::ln).collect();
    let before = (logs.iter().sum::<f64>() / logs.len() as f64).exp();
    Some(Ceilings { now: of(now)?, before }).filter(|_| !logs.is_empty())
}

fn of_operation<'a>(
    run: &'a Baseline,
    operation: &'a KeptOperation,
    history: &'a [&Baseline],
) -> impl Iterator<Item = Compared> + 'a {
    operation.figures.iter().map(move |figure| {
        let (trend, compared) = match comparable(run, (operation, figure), history) {
            Ok(earlier) => {
                let trend = earlier.iter().map(|(run, it)| Earlier {
                    run: run.run.clone(),
                    started_at_ns: run.started_at_ns,
                    value: it.value,
                });
                let figures: Vec<_> = earlier.iter().map(|(_, it)| *it).collect();
                (trend.collect(), quotient(figure, &figures, &operation.load))
            }
            Err(why) => (Vec::new(), Err(why)),
        };
        let (quotient, change) = match compared {
            Ok(quotient) => (Some(quotient), Change::NoDifference),
            Err(why) => (None, Change::Unknown(why)),
        };
        Compared {
            scenario: run.scenario.clone(),
            target: run.target,
            step: operation.step.clone(),
            operation: operation.operation.clone(),
            statistic: figure.statistic,
            now: Some(figure.value),
            quotient,
            late: figure.late,
            change,
            trend,
        }
    })
}

/// What the last kept run measured and this one did not.
fn missing<'a>(run: &'a Baseline, history: &[&'a Baseline]) -> impl Iterator<Item = Compared> {
    let is = |one: &KeptOperation, other: &KeptOperation| {
        (&one.step, &one.operation) == (&other.step, &other.operation)
    };
    let last = history.last().into_iter().flat_map(|last| &last.operations);
    last.filter(move |it| !run.operations.iter().any(|own| is(own, it))).flat_map(|operation| {
        operation.figures.iter().map(|figure| Compared {
            scenario: run.scenario.clone(),
            target: run.target,
            step: operation.step.clone(),
            operation: operation.operation.clone(),
            statistic: figure.statistic,
            now: None,
            quotient: None,
            late: None,
            change: Change::Unknown("the run did not measure it".to_owned()),
            trend: Vec::new(),
        })
    })
}

/// The same figure of earlier runs that can be compared with it, or why there is none.
fn comparable<'a>(
    run: &Baseline,
    (operation, figure): (&KeptOperation, &KeptFigure),
    history: &[&'a Baseline],
) -> Result<Vec<(&'a Baseline, &'a KeptFigure)>, String> {
    if let Some(doubt) = &figure.doubt {
        return Err(doubt.clone());
    }
    if figure.value <= 0.0 {
        return Err("there is nothing to compare".to_owned());
    }
    let mut why = "no run of this scenario on this target is kept".to_owned();
    let mut earlier = Vec::new();
    for kept in history {
        let found = same_figure(kept, (operation, figure.statistic));
        match found.and_then(|found| differs(run, kept, operation).map_or(Ok(found), Err)) {
            Ok(found) => earlier.push((*kept, found)),
            Err(reason) => why = reason,
        }
    }
    let first = earlier.len().saturating_sub(LATEST_RUNS);
    if earlier.is_empty() { Err(why) } else { Ok(earlier.split_off(first)) }
}

fn same_figure<'a>(
    kept: &'a Baseline,
    (operation, statistic): (&KeptOperation, KeptStatistic),
) -> Result<&'a KeptFigure, String> {
    let found = find(kept, operation).ok_or_else(|| {
        let KeptOperation { step, operation, .. } = operation;
        format!("`{}` has no `{operation}` of `{step}`", kept.run)
    })?;
    let figure = found.figures.iter().find(|it| it.statistic == statistic && it.value > 0.0);
    let figure = figure.ok_or_else(|| format!("`{}` has no such figure", kept.run))?;
    match &figure.doubt {
        Some(doubt) => Err(format!("of `{}`: {doubt}", kept.run)),
        None => Ok(figure),
    }
}

fn find<'a>(kept: &'a Baseline, operation: &KeptOperation) -> Option<&'a KeptOperation> {
    let is =
        |it: &&KeptOperation| (&it.step, &it.operation) == (&operation.step, &operation.operation);
    kept.operations.iter().find(is)
}

/// Why an operation of a kept run was not asked for the same in the same place, if so.
fn differs(run: &Baseline, kept: &Baseline, operation: &KeptOperation) -> Option<String> {
    if kept.machine != run.machine {
        return Some(format!("`{}` ran on another machine", kept.run));
    }
    let found = find(kept, operation)?;
    let Load { arrivals, plan, asked_per_second, warm_up, duration } = &operation.load;
    let same_rate = match (asked_per_second, found.load.asked_per_second) {
        (Some(one), Some(other)) => (one / other - 1.0).abs() < 1e-6,
        (None, None) => true,
        _ => false,
    };
    let Load { arrivals: kind, plan: planned, warm_up: warmed, duration: length, .. } = &found.load;
    let same = (arrivals, plan, warm_up, duration) == (kind, planned, warmed, length);
    (!same || !same_rate).then(|| format!("`{}` drove another load", kept.run))
}

/// A figure and what is known of it within its run, as logarithms.
#[derive(Clone, Copy)]
struct Within {
    error: f64,
    degrees: f64,
}

impl Within {
    fn of(figure: &KeptFigure, load: &Load) -> Option<Self> {
        let (low, high) = figure.interval.filter(|(low, _)| *low > 0.0)?;
        let seconds = load.duration.as_secs();
        let blocks = seconds.div_ceil(seconds.div_ceil(BLOCKS).max(1));
        let degrees = blocks.saturating_sub(1).max(1) as f64;
        let half = (high.ln() - low.ln()) / 2.0;
        Some(Self { error: half / critical(0.05, degrees), degrees })
    }
}

/// A figure by earlier ones, with what chance alone would do.
fn quotient(figure: &KeptFigure, earlier: &[&KeptFigure], load: &Load) -> Result<Quotient, String> {
    let runs = earlier.len();
    let logs: Vec<f64> = earlier.iter().map(|it| it.value.ln()).collect();
    let mean = logs.iter().sum::<f64>() / runs as f64;
    let own = Within::of(figure, load);
    let withins: Vec<_> = earlier.iter().filter_map(|it| Within::of(it, load)).collect();
    let (error, degrees) = if runs >= ENOUGH_RUNS {
        from_run_to_run(&logs, mean, (own, &withins))
    } else {
        if load.duration.as_secs() < LEAST_SECONDS {
            return Err(format!(
                "less than {LEAST_SECONDS} s do not tell how uncertain it is, and fewer than \
                 {ENOUGH_RUNS} runs are kept"
            ));
        }
        let Some(own) = own.filter(|_| withins.len() == runs) else {
            return Err("too few samples bound it".to_owned());
        };
        within_runs(own, &withins)
    };
    let difference = figure.value.ln() - mean;
    let half = error * critical(CHANCE, degrees);
    Ok(Quotient {
        value: difference.exp(),
        low: (difference - half).exp(),
        high: (difference + half).exp(),
        before: mean.exp(),
        runs,
        // Runs that never differed predict that this one does not either.
        chance: if difference == 0.0 { 1.0 } else { two_sided(difference / error, degrees) },
    })
}

/// The error of the difference by what is known within each run alone.
fn within_runs(own: Within, earlier: &[Within]) -> (f64, f64) {
    let runs = earlier.len() as f64;
    let squares = earlier.iter().map(|it| it.error.powi(2)).sum::<f64>();
    let degrees = earlier.iter().map(|it| it.degrees).fold(own.degrees, f64::min);
    ((own.error.powi(2) + squares / runs.powi(2)).sqrt(), degrees)
}

/// The error of predicting one more run from how the earlier ones differ. They have in them what is
/// uncertain within a run; if that is more for this one, as much is added.
fn from_run_to_run(logs: &[f64], mean: f64, known: (Option<Within>, &[Within])) -> (f64, f64) {
    let runs = logs.len() as f64;
    let spread = logs.iter().map(|it| (it - mean).powi(2)).sum::<f64>() / (runs - 1.0);
    let (own, earlier) = known;
    let count = earlier.len().max(1) as f64;
    let usual = earlier.iter().map(|it| it.error.powi(2)).sum::<f64>() / count;
    let own = own.filter(|_| !earlier.is_empty());
    let more = own.map_or(0.0, |own| (own.error.powi(2) - usual).max(0.0));
    ((spread * (1.0 + 1.0 / runs) + more).sqrt(), runs - 1.0)
}

/// Says of each figure whether it differs, with a chance of [`CHANCE`] that any of those that do
/// not is said to.
fn alarm(figures: &mut [Compared], at_least: Ratio) {
    let mut compared: Vec<(f64, &mut Compared)> =
        figures.iter_mut().filter_map(|figure| Some((figure.quotient?.chance, figure))).collect();
    compared.sort_by(|one, other| one.0.total_cmp(&other.0));
    let count = compared.len();
    for (index, (chance, figure)) in compared.into_iter().enumerate() {
        if chance > CHANCE / (count - index) as f64 {
            break;
        }
        let slowdown = figure.slowdown();
        figure.change = if slowdown < 1.0 {
            Change::Faster
        } else if slowdown < 1.0 + at_least.get() {
            Change::LittleSlower
        } else if let Some(late) = figure.generators_own() {
            let why = format!("the generator itself was {late} late, which may be the difference");
            Change::Unknown(why)
        } else {
            Change::Slower
        };
    }
}

#[cfg(test)]
mod tests;
