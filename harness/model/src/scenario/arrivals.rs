//! How operations come about: at a rate that may change, or by users who wait.
//!
//! The main types are [`Arrivals`], of an open load, and [`LoadModel`]. Which instants follow from
//! them is not known here.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::units::Rate;

/// How operations come about.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum LoadModel {
    /// Arrivals at a rate, whatever the answers do. For writers, the rate counts points.
    Open(Arrivals),
    /// Users who each wait for their answer before they go on.
    Closed {
        /// How many.
        users: u32,
        /// Over which time they start, evenly.
        ramp_up: Duration,
        /// How long each pauses after an answer.
        think: Duration,
    },
}

/// A rate over time, counted from the start of the load, warm-up included.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Arrivals {
    /// What the rate does, in order. After the last one its final rate goes on. Not empty.
    pub stages: Vec<RateStage>,
    /// How arrivals lie between each other.
    pub spacing: Spacing,
}

/// A stretch in which the rate changes steadily, or stays.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct RateStage {
    /// The rate at its beginning; `None` if nothing arrives.
    pub from: Option<Rate>,
    /// The rate at its end; `None` if nothing arrives.
    pub to: Option<Rate>,
    /// How long it is.
    pub over: Duration,
}

/// How arrivals lie between each other.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Spacing {
    /// As evenly as the rate allows.
    Even,
    /// At random, each independent of the others.
    Poisson,
}

impl Arrivals {
    /// Evenly, always at the same rate.
    pub fn constant(rate: Rate) -> Self {
        let stage = RateStage { from: Some(rate), to: Some(rate), over: Duration::ZERO };
        Self { stages: vec![stage], spacing: Spacing::Even }
    }

    /// How many arrivals are due on average between two instants.
    pub fn expected(&self, from: Duration, to: Duration) -> f64 {
        self.expected_until(to) - self.expected_until(from)
    }

    fn expected_until(&self, end: Duration) -> f64 {
        let mut begun = Duration::ZERO;
        let mut expected = 0.0;
        for stage in &self.stages {
            let within = end.saturating_sub(begun).min(stage.over).as_secs_f64();
            let (from, to) = (number(stage.from), number(stage.to));
            if within > 0.0 {
                let reached = from + (to - from) * within / stage.over.as_secs_f64();
                expected += f64::midpoint(from, reached) * within;
            }
            begun = begun.saturating_add(stage.over);
        }
        let last = self.stages.last().map_or(0.0, |stage| number(stage.to));
        expected + last * end.saturating_sub(begun).as_secs_f64()
    }
}

/// A rate as a number per second.
fn number(rate: Option<Rate>) -> f64 {
    rate.map_or(0.0, Rate::per_second)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rate(per_second: f64) -> Option<Rate> {
        Rate::try_from(per_second).ok()
    }

    fn seconds(count: u64) -> Duration {
        Duration::from_secs(count)
    }

    #[test]
    fn a_ramp_from_nothing_brings_half_of_its_last_rate() {
        let stages = vec![RateStage { from: None, to: rate(100.0), over: seconds(60) }];
        let ramp = Arrivals { stages, spacing: Spacing::Even };
        assert!((ramp.expected(seconds(0), seconds(60)) - 3_000.0).abs() < 1e-6);
        assert!((ramp.expected(seconds(60), seconds(70)) - 1_000.0).abs() < 1e-6);
        assert!((ramp.expected(seconds(0), seconds(30)) - 750.0).abs() < 1e-6);
    }

    #[test]
    fn nothing_arrives_in_a_pause() {
        let stages = vec![
            RateStage { from: rate(10.0), to: rate(10.0), over: seconds(10) },
            RateStage { from: None, to: None, over: seconds(10) },
            RateStage { from: rate(5.0), to: rate(5.0), over: seconds(10) },
        ];
        let arrivals = Arrivals { stages, spacing: Spacing::Poisson };
        assert!((arrivals.expected(seconds(5), seconds(25)) - 75.0).abs() < 1e-6);
    }
}
