//! Scales and ticks: from values to places on a drawing.
//!
//! The main types are [`Scale`] and [`Tick`]. A value that is not finite has no place; callers
//! leave a gap there.

use std::fmt::Write;
use std::time::Duration;

use cutover_model::ShortDuration;
use serde::Serialize;

/// A linear map from values to places.
#[derive(Clone, Copy)]
pub(super) struct Scale {
    /// The values at both ends.
    pub(super) values: (f64, f64),
    /// The places of both ends.
    pub(super) places: (f64, f64),
}

impl Scale {
    /// The place of a value, within the ends.
    pub(super) fn at(&self, value: f64) -> f64 {
        let (low, high) = self.values;
        let share = if high > low { ((value - low) / (high - low)).clamp(0.0, 1.0) } else { 0.0 };
        self.places.0 + share * (self.places.1 - self.places.0)
    }
}

/// A labelled place on an axis.
#[derive(Serialize)]
pub(super) struct Tick {
    pub(super) at: String,
    pub(super) label: String,
}

/// A place as SVG takes it, to a tenth of a unit.
pub(super) fn place(at: f64) -> String {
    format!("{at:.1}")
}

/// Steps of 1, 2 or 5 of a power of ten from zero to at least `max`, about four of them.
pub(super) fn steps_to(max: f64) -> Vec<f64> {
    let max = if max.is_finite() && max > 0.0 { max } else { 1.0 };
    let raw = max / 4.0;
    let power = 10_f64.powf(raw.log10().floor());
    let step = [1.0, 2.0, 5.0, 10.0].map(|it| it * power).into_iter().find(|step| *step >= raw);
    multiples(step.unwrap_or(raw), max)
}

/// Steps of whole seconds, minutes or hours from zero to at most `max`, about eight of them.
pub(super) fn seconds_to(max: f64) -> Vec<f64> {
    const STEPS: [f64; 17] = [
        1.0, 2.0, 5.0, 10.0, 15.0, 30.0, 60.0, 120.0, 300.0, 600.0, 900.0, 1_800.0, 3_600.0,
        7_200.0, 21_600.0, 43_200.0, 86_400.0,
    ];
    if max < 2.0 {
        return steps_to(max).into_iter().filter(|step| *step <= max).collect();
    }
    let step = STEPS.into_iter().find(|step| max / step <= 9.0).unwrap_or(max / 8.0);
    let mut steps = multiples(step, max);
    steps.retain(|at| *at <= max);
    steps
}

fn multiples(step: f64, max: f64) -> Vec<f64> {
    let count = (max / step - 1e-9).ceil().max(1.0);
    // At most 17 by the choice of the step; the bound keeps a mistake from filling the page.
    (0..=32_u32).map(f64::from).take_while(|it| *it <= count).map(|it| it * step).collect()
}

/// Seconds as a person reads them.
pub(super) fn seconds(value: f64) -> String {
    match Duration::try_from_secs_f64(value) {
        Ok(duration) if duration.is_zero() => "0".to_owned(),
        Ok(duration) => ShortDuration(duration).to_string(),
        Err(_) => "no time".to_owned(),
    }
}

/// A path through the points, with a gap wherever there is none.
pub(super) fn path(points: impl IntoIterator<Item = Option<(f64, f64)>>) -> String {
    let mut path = String::new();
    let mut pen_down = false;
    for point in points {
        if let Some((x, y)) = point {
            let command = if pen_down { 'L' } else { 'M' };
            write!(path, "{command}{x:.1} {y:.1}").expect("a string takes every text");
        }
        pen_down = point.is_some();
    }
    path
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_step_reaches_the_highest_value() {
        for max in [0.0, 0.003, 1.0, 7.3, 99.0, 1e12] {
            let steps = steps_to(max);
            assert!(*steps.last().unwrap() >= max, "{max}: {steps:?}");
            assert!((2..=8).contains(&steps.len()), "{max}: {steps:?}");
        }
    }

    #[test]
    fn no_tick_of_time_lies_beyond_the_end() {
        for max in [0.0, 0.4, 1.0, 59.0, 3_000.0, 1e7] {
            assert!(seconds_to(max).iter().all(|at| *at <= max), "{max}: {:?}", seconds_to(max));
        }
    }

    #[test]
    fn a_value_beyond_the_scale_stays_at_its_end() {
        let scale = Scale { values: (0.0, 1.0), places: (100.0, 0.0) };
        assert!((scale.at(7.0) - 0.0).abs() < f64::EPSILON);
    }

    #[test]
    fn a_missing_value_leaves_a_gap_in_the_path() {
        let points = [Some((0.0, 1.0)), Some((1.0, 1.0)), None, Some((3.0, 1.0))];
        assert_eq!(path(points), "M0.0 1.0L1.0 1.0M3.0 1.0");
    }
}
