//! What is known of a figure when neighbours are alike.
//!
//! [`Certainty`] puts a 95 % interval around quantiles and the mean of an operation. A stall makes
//! the arrivals of a second alike, so they tell less than as many independent ones: the measured
//! phase is cut into blocks of seconds, and how much the blocks differ says how many independent
//! samples theirs are worth (Woodruff, Confidence intervals for medians and other position
//! measures, 1952, with the variance of a ratio between clusters).

use std::time::Duration;

use crate::histogram::Histogram;
use crate::recording::{OperationRecording, Second};
use crate::statistics::{Interval, Quantile, interval_of};

/// Into how many blocks the measured phase is cut, if it has as many seconds.
const BLOCKS: usize = 20;

/// What a 95 % interval takes on each side, in standard errors, by blocks less one (Student's t).
/// With fewer blocks nothing can be said of how alike they are.
const STUDENT: [f64; BLOCKS] = [
    f64::INFINITY,
    12.706,
    4.303,
    3.182,
    2.776,
    2.571,
    2.447,
    2.365,
    2.306,
    2.262,
    2.228,
    2.201,
    2.179,
    2.160,
    2.145,
    2.131,
    2.120,
    2.110,
    2.101,
    2.093,
];

/// The fewest blocks that tell how alike neighbours are. Samples of shorter runs are taken as
/// independent.
const LEAST_BLOCKS: usize = 10;

/// The same for samples without number.
const NORMAL: f64 = 1.960;

/// Intervals around the figures of one operation.
#[derive(Debug)]
pub(crate) struct Certainty<'a> {
    all: &'a Histogram,
    blocks: Vec<Vec<&'a Second>>,
}

impl<'a> Certainty<'a> {
    /// For the measured phase of an operation, which begins in this second of the run.
    pub(crate) fn of(operation: &'a OperationRecording, from_second: u64) -> Self {
        let seconds: Vec<&Second> =
            operation.seconds.range(from_second..).map(|(_, second)| second).collect();
        let seconds: Vec<&Second> =
            seconds.into_iter().filter(|second| second.response.samples() > 0).collect();
        let long = seconds.len().div_ceil(BLOCKS).max(1);
        let blocks = seconds.chunks(long).map(<[&Second]>::to_vec).collect();
        Self { all: &operation.measured.response, blocks }
    }

    /// The range in which the true quantile lies with 95 % confidence; none where too few samples
    /// bound it.
    #[cfg(test)]
    pub(crate) fn quantile(&self, quantile: Quantile) -> Option<Interval> {
        self.alikeness_at(quantile).interval(self.all, quantile)
    }

    /// How alike neighbours are in whether they exceed this quantile.
    pub(crate) fn alikeness_at(&self, quantile: Quantile) -> Alikeness {
        let Some(value) = self.all.quantile(quantile) else { return Alikeness::NONE };
        let above = |second: &Second| {
            let counts = second.response.iter().filter(|(own, _)| *own > value);
            counts.map(|(_, count)| count as f64).sum::<f64>()
        };
        self.alikeness(&above).unwrap_or(Alikeness::NONE)
    }

    /// The range in which the true mean lies with 95 % confidence; none for a single sample.
    pub(crate) fn mean(&self) -> Option<Interval> {
        let mean = self.all.mean()?.as_secs_f64();
        let total = |second: &Second| {
            let counts = second.response.iter();
            counts.map(|(value, count)| value.as_secs_f64() * count as f64).sum::<f64>()
        };
        let blocks = self.error(&total).zip(self.student());
        let half = match blocks {
            Some((error, student)) => error.sqrt() * student,
            None => self.independent_error(mean)?.sqrt() * NORMAL,
        };
        let duration = |seconds: f64| Duration::try_from_secs_f64(seconds).unwrap_or_default();
        Some(Interval { low: duration(mean - half), high: duration(mean + half) })
    }

    /// The variance of the mean of independent samples.
    fn independent_error(&self, mean: f64) -> Option<f64> {
        let samples = self.all.samples() as f64;
        let squares = self.all.counts();
        let squares =
            squares.map(|(value, count)| (value.as_secs_f64() - mean).powi(2) * count as f64);
        (samples > 1.0).then(|| squares.sum::<f64>() / (samples * (samples - 1.0)))
    }

    fn student(&self) -> Option<f64> {
        let blocks = self.blocks.len();
        (blocks >= LEAST_BLOCKS).then(|| STUDENT[blocks.min(BLOCKS) - 1])
    }

    /// The variance of a mean over all samples, from how its blocks differ.
    fn error(&self, sum: &impl Fn(&Second) -> f64) -> Option<f64> {
        let blocks = self.blocks.len() as f64;
        self.student()?;
        let sums: Vec<(f64, f64)> = self
            .blocks
            .iter()
            .map(|block| {
                let samples = block.iter().map(|second| second.response.samples() as f64).sum();
                (block.iter().map(|second| sum(second)).sum(), samples)
            })
            .collect();
        let samples: f64 = sums.iter().map(|(_, samples)| samples).sum();
        let mean = sums.iter().map(|(sum, _)| sum).sum::<f64>() / samples;
        let squares = sums.iter().map(|(sum, samples)| (sum - mean * samples).powi(2));
        Some(blocks / (blocks - 1.0) * squares.sum::<f64>() / samples.powi(2))
    }

    fn alikeness(&self, above: &impl Fn(&Second) -> f64) -> Option<Alikeness> {
        let samples: f64 =
            self.blocks.iter().flatten().map(|second| second.response.samples() as f64).sum();
        let share = self.blocks.iter().flatten().map(|second| above(second)).sum::<f64>() / samples;
        let independent = share * (1.0 - share) / samples;
        let widened = (self.student()? / NORMAL).powi(2);
        let alike = self.error(above)? / independent;
        (independent > 0.0)
            .then(|| Alikeness { samples: alike.max(1.0), bounding: (alike * widened).max(1.0) })
    }
}

/// How alike neighbours in time are.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Alikeness {
    /// How many samples are worth one independent one, at least one.
    samples: f64,
    /// The same with what is not known of it, as the interval takes it.
    bounding: f64,
}

impl Alikeness {
    /// Samples that are taken as independent.
    const NONE: Self = Self { samples: 1.0, bounding: 1.0 };

    /// The range in which the true quantile of these samples lies with 95 % confidence.
    pub(crate) fn interval(self, samples: &Histogram, quantile: Quantile) -> Option<Interval> {
        interval_of(samples, quantile, self.bounding)
    }

    /// How many independent samples so many samples are worth.
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "a quotient of a count by at least one is a count again"
    )]
    pub(crate) fn worth(self, samples: u64) -> u64 {
        (samples as f64 / self.samples).round() as u64
    }
}

/// The range in which the true number per second lies with 95 % confidence, by how the blocks of
/// the counts of all seconds differ; none for less than 10 seconds.
pub(crate) fn rate_interval(rate: f64, seconds: &[u64]) -> Option<(f64, f64)> {
    let long = seconds.len().div_ceil(BLOCKS).max(1);
    let means: Vec<f64> = seconds
        .chunks_exact(long)
        .map(|block| block.iter().sum::<u64>() as f64 / long as f64)
        .collect();
    let student =
        *STUDENT.get(means.len().checked_sub(1)?).filter(|_| means.len() >= LEAST_BLOCKS)?;
    let blocks = means.len() as f64;
    let mean = means.iter().sum::<f64>() / blocks;
    let squares = means.iter().map(|it| (it - mean).powi(2)).sum::<f64>();
    let half = student * (squares / (blocks * (blocks - 1.0))).sqrt();
    Some(((rate - half).max(0.0), rate + half))
}

#[cfg(test)]
mod tests {
    use cutover_model::draw::{draw, draw_unit};

    use super::*;
    use crate::operation::Outcome;
    use crate::recorder::{Arrived, Frame, Recorder};
    use crate::recording::Model;

    /// A run of 60 seconds with 50 arrivals in each; all those of a spell are slower by one factor.
    fn run(seed: u64, spell_seconds: u64, spread: f64) -> OperationRecording {
        let timeout = Duration::from_mins(1);
        let mut recorder = Recorder::new(1, Duration::ZERO, timeout);
        for second in 0..60_u64 {
            let factor = (spread * normal(seed, 1, second / spell_seconds.max(1))).exp();
            for k in 0..50_u64 {
                let ms = -(1.0 - draw_unit(seed, 0, second * 50 + k)).ln() * 10.0 * factor;
                let due = Duration::from_secs(second) + Duration::from_millis(k * 20);
                recorder.record(Arrived {
                    operation: 0,
                    due,
                    free: due,
                    sent: due,
                    done: due + Duration::from_secs_f64(ms / 1_000.0),
                    outcome: Outcome::ok(1),
                });
            }
        }
        let frame = Frame { model: Model::Open, duration: Duration::from_mins(1), stopped: None };
        let mut recording = recorder.finish(frame, vec!["all".to_owned()]);
        recording.operations.remove("all").unwrap()
    }

    /// A draw of the normal law (Box and Muller).
    fn normal(seed: u64, stream: u64, n: u64) -> f64 {
        let radius = (-2.0 * (1.0 - draw_unit(seed, stream, 2 * n)).ln()).sqrt();
        radius * (std::f64::consts::TAU * draw_unit(seed, stream, 2 * n + 1)).cos()
    }

    /// In how many of 1,000 runs the interval holds the truth.
    fn held(spell_seconds: u64, spread: f64, truth: f64) -> usize {
        let truth = Duration::from_secs_f64(truth);
        let holds = |seed: &u64| {
            let run = run(*seed, spell_seconds, spread);
            let interval = Certainty::of(&run, 0).quantile(Quantile::P95).unwrap();
            interval.low <= truth && truth <= interval.high
        };
        (0..1_000).filter(holds).count()
    }

    /// The 95th percentile of an exponential law of mean 10 ms times a lognormal factor.
    fn p95(spread: f64) -> f64 {
        let mut low = 0.0_f64;
        let mut high = 10.0_f64;
        for _ in 0..60 {
            let middle = f64::midpoint(low, high);
            // The share above, averaged over the factor by 2,001 points of the normal law.
            let points = (0..=2_000_i32).map(|at| f64::from(at - 1_000) / 166.0);
            let weighted = points.map(|z| {
                let weight = (-z * z / 2.0).exp();
                (weight, weight * (-middle / (0.01 * (spread * z).exp())).exp())
            });
            let (weights, above) = weighted
                .fold((0.0, 0.0), |sums, (weight, share)| (sums.0 + weight, sums.1 + share));
            if above / weights > 0.05 { low = middle } else { high = middle }
        }
        low
    }

    #[test]
    fn the_interval_holds_the_truth_in_95_of_100_runs_of_independent_arrivals() {
        let held = held(1, 0.0, p95(0.0));
        assert!((930..=970).contains(&held), "{held} of 1000");
    }

    #[test]
    fn the_interval_holds_the_truth_when_arrivals_of_a_spell_are_alike() {
        let held = held(3, 0.3, p95(0.3));
        assert!((930..=970).contains(&held), "{held} of 1000");
    }

    #[test]
    fn alike_arrivals_are_worth_fewer_than_independent_ones() {
        let width = |run: &OperationRecording| {
            let interval = Certainty::of(run, 0).quantile(Quantile::P95).unwrap();
            interval.high.saturating_sub(interval.low)
        };
        assert!(width(&run(7, 3, 0.8)) > 2 * width(&run(7, 3, 0.0)));
    }

    #[test]
    fn the_interval_of_the_mean_holds_it() {
        let held = (0..500).filter(|seed| {
            let run = run(*seed, 3, 0.3);
            let interval = Certainty::of(&run, 0).mean().unwrap();
            let truth = Duration::from_secs_f64(0.01 * (0.3_f64.powi(2) / 2.0).exp());
            interval.low <= truth && truth <= interval.high
        });
        let held = held.count();
        assert!((455..=495).contains(&held), "{held} of 500");
    }

    #[test]
    fn independent_arrivals_are_worth_about_as_many_and_alike_ones_far_fewer() {
        let worth = |spread: f64| {
            let runs = (0..20).map(|seed| run(seed, 3, spread));
            let worth = runs.map(|run| {
                let samples = run.measured.response.samples();
                Certainty::of(&run, 0).alikeness_at(Quantile::P95).worth(samples)
            });
            worth.sum::<u64>() / 20
        };
        let (independent, alike) = (worth(0.0), worth(0.8));
        assert!((2_000..=3_000).contains(&independent), "{independent} of 3000");
        assert!(alike < independent / 4, "{alike} of {independent}");
    }

    #[test]
    fn the_interval_of_a_rate_holds_it() {
        let held = (0..1_000_u64).filter(|seed| {
            // Each second has 80 to 120 at random.
            let count = |second: u64| 80 + draw(*seed, 5, second) % 41;
            let seconds: Vec<u64> = (0..60).map(count).collect();
            let rate = seconds.iter().sum::<u64>() as f64 / 60.0;
            let (low, high) = rate_interval(rate, &seconds).unwrap();
            low <= 100.0 && 100.0 <= high
        });
        let held = held.count();
        assert!((930..=970).contains(&held), "{held} of 1000");
    }

    #[test]
    fn less_than_ten_seconds_bound_no_rate() {
        assert_eq!(rate_interval(100.0, &[100; 9]), None);
        assert_eq!(rate_interval(0.0, &[]), None);
    }

    #[test]
    fn a_short_run_has_the_interval_of_independent_samples() {
        let mut run = run(7, 3, 0.3);
        run.seconds.retain(|second, _| *second < 5);
        let certainty = Certainty::of(&run, 0);
        let alone = interval_of(&run.measured.response, Quantile::P95, 1.0);
        assert_eq!(certainty.quantile(Quantile::P95), alone);
        let mean = certainty.mean().unwrap();
        assert!(mean.low < mean.high);
    }

    #[test]
    fn nothing_measured_has_no_interval() {
        let nothing = OperationRecording::default();
        assert_eq!(Certainty::of(&nothing, 0).quantile(Quantile::P50), None);
        assert_eq!(Certainty::of(&nothing, 0).mean(), None);
    }
}
