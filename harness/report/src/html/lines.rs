//! Charts of lines: latency by percentile, and something per second over time.
//!
//! The main type is [`LineChart`]: the geometry and the labels, which `charts.html` draws. Each
//! chart carries its numbers as a table too, for those who cannot see it or want to check it.

use std::time::Duration;

use cutover_model::ShortDuration;
use cutover_model::event::{LatencySeries, PerSecondSeries, PercentileSeries};
use serde::Serialize;

use super::axis::{Scale, Tick, path, place, seconds, seconds_to, steps_to};
use crate::text::{decimal, many, shortened};

const LEFT: f64 = 58.0;
const RIGHT: f64 = 540.0;
const TOP: f64 = 12.0;
const BOTTOM: f64 = 196.0;

/// Beyond this many points a line is drawn through means.
const POINTS_LIMIT: usize = 240;

/// A chart of lines over one axis.
#[derive(Serialize)]
pub(super) struct LineChart {
    title: String,
    /// What a reader who cannot see the chart is told.
    summary: String,
    note: Option<String>,
    warm_up: Option<WarmUp>,
    x_label: String,
    x_ticks: Vec<Tick>,
    y_ticks: Vec<Tick>,
    lines: Vec<Line>,
    numbers: Numbers,
}

/// The part of a chart over time that is in no figure.
#[derive(Serialize)]
struct WarmUp {
    width: String,
    says: String,
}

#[derive(Serialize)]
struct Line {
    label: String,
    path: String,
    dots: Vec<(String, String)>,
}

/// The numbers behind a chart.
#[derive(Serialize)]
pub(super) struct Numbers {
    pub(super) head: Vec<String>,
    pub(super) rows: Vec<Vec<String>>,
    /// How many rows more there are.
    pub(super) left_out: usize,
}

/// Latency by percentile. The axis counts nines, so that the tail has as much room as the middle.
pub(super) fn percentiles(title: &str, series: &[PercentileSeries]) -> LineChart {
    let drawn = |points: &[(f64, Duration)]| -> Vec<(f64, f64)> {
        let points = points.iter().filter(|(quantile, _)| (0.0..1.0).contains(quantile));
        points.map(|(quantile, latency)| (nines(*quantile), latency.as_secs_f64())).collect()
    };
    let series: Vec<_> = series.iter().map(|it| (it, drawn(&it.points))).collect();
    let all = || series.iter().flat_map(|(_, points)| points);
    let last = all().map(|point| point.0).fold(nines(0.9), f64::max);
    let y_steps = steps_to(all().map(|point| point.1).fold(0.0, f64::max));
    let x = Scale { values: (0.0, last), places: (LEFT, RIGHT - 10.0) };
    let y = y_scale(&y_steps);

    let x_ticks = [0.5, 0.9, 0.95, 0.99, 0.999, 0.9999, 0.99999]
        .into_iter()
        .filter(|quantile| nines(*quantile) <= last + 1e-9)
        .map(|quantile| Tick { at: place(x.at(nines(quantile))), label: percent(quantile) })
        .collect();
    let lines = series.iter().map(|(series, points)| {
        let places: Vec<_> = points.iter().map(|it| (x.at(it.0), y.at(it.1))).collect();
        Line {
            label: series.label.clone(),
            path: path(places.iter().copied().map(Some)),
            dots: places.iter().map(|it| (place(it.0), place(it.1))).collect(),
        }
    });
    let series: Vec<_> = series.iter().map(|(series, _)| *series).collect();
    LineChart {
        title: title.to_owned(),
        summary: format!("{} of latency by percentile", many(series.len(), "line")),
        note: None,
        warm_up: None,
        x_label: "percentile of requests".to_owned(),
        x_ticks,
        y_ticks: y_ticks(&y_steps, y, |step| seconds(*step)),
        lines: lines.collect(),
        numbers: percentile_numbers(&series),
    }
}

/// Something per second over time.
pub(super) fn per_second(
    (title, unit): (&str, &str),
    warm_up: Duration,
    series: &[PerSecondSeries],
) -> LineChart {
    let series: Vec<_> = series.iter().map(|it| (it.label.as_str(), it.values.clone())).collect();
    over_time(
        Titles {
            title: title.to_owned(),
            summary: format!("of {unit} per second over time"),
            x_label: format!("{} per second, by time since the start", shortened(unit, 30)),
            kind: "per second",
        },
        warm_up,
        (&series, &decimal),
    )
}

/// Latency in each second.
pub(super) fn latency_per_second(
    title: &str,
    warm_up: Duration,
    series: &[LatencySeries],
) -> LineChart {
    let values = |it: &LatencySeries| {
        it.values.iter().map(|it| it.map_or(f64::NAN, |it| it.as_secs_f64())).collect()
    };
    let series: Vec<_> = series.iter().map(|it| (it.label.as_str(), values(it))).collect();
    over_time(
        Titles {
            title: title.to_owned(),
            summary: "of latency in each second".to_owned(),
            x_label: "latency in each second, by time since the start".to_owned(),
            kind: "in a second",
        },
        warm_up,
        (&series, &seconds),
    )
}

/// A line of a chart over time: its label, and a value for each second.
type Values<'a> = (&'a str, Vec<f64>);

/// How a value is written.
type Shown<'a> = &'a dyn Fn(f64) -> String;

/// The words of a chart over time.
struct Titles {
    title: String,
    summary: String,
    x_label: String,
    /// What the table calls its values.
    kind: &'static str,
}

/// Lines by second from the start; a value that is no number is a gap. `shown` writes a value.
fn over_time(
    titles: Titles,
    warm_up: Duration,
    (series, shown): (&[Values<'_>], Shown<'_>),
) -> LineChart {
    let longest = series.iter().map(|it| it.1.len()).max().unwrap_or(0);
    let width = longest.div_ceil(POINTS_LIMIT).max(1);
    let end = longest.saturating_sub(1).max(1) as f64;
    let finite = series.iter().flat_map(|it| &it.1).copied().filter(|it| it.is_finite());
    let y_steps = steps_to(finite.fold(0.0, f64::max));
    let x = Scale { values: (0.0, end), places: (LEFT, RIGHT - 10.0) };
    let y = y_scale(&y_steps);

    let lines = series.iter().map(|(label, values)| {
        let points: Vec<_> = means(values, width)
            .map(|(second, mean)| mean.map(|mean| (x.at(second), y.at(mean))))
            .collect();
        let dots = if points.len() == 1 { &points[..] } else { &[] };
        Line {
            label: (*label).to_owned(),
            path: path(points.iter().copied()),
            dots: dots.iter().flatten().map(|it| (place(it.0), place(it.1))).collect(),
        }
    });
    LineChart {
        title: titles.title,
        summary: format!("{} {}", many(series.len(), "line"), titles.summary),
        note: (width > 1).then(|| format!("each point is the mean of {width} s")),
        warm_up: (!warm_up.is_zero()).then(|| WarmUp {
            width: place(x.at(warm_up.as_secs_f64()) - LEFT),
            says: format!("warm-up of {}, in no figure", ShortDuration(warm_up)),
        }),
        x_label: titles.x_label,
        x_ticks: seconds_to(end)
            .into_iter()
            .map(|it| Tick { at: place(x.at(it)), label: seconds(it) })
            .collect(),
        y_ticks: y_ticks(&y_steps, y, |step| shown(*step)),
        lines: lines.collect(),
        numbers: numbers_over_time(titles.kind, series, shown),
    }
}

/// How many nines a quantile has: 1 for 90%, 2 for 99%.
fn nines(quantile: f64) -> f64 {
    -(1.0 - quantile).log10()
}

fn percent(quantile: f64) -> String {
    let text = format!("{:.3}", quantile * 100.0);
    text.trim_end_matches('0').trim_end_matches('.').to_owned()
}

fn y_scale(steps: &[f64]) -> Scale {
    Scale { values: (0.0, steps.last().copied().unwrap_or(1.0)), places: (BOTTOM, TOP) }
}

fn y_ticks(steps: &[f64], scale: Scale, label: impl Fn(&f64) -> String) -> Vec<Tick> {
    steps.iter().map(|it| Tick { at: place(scale.at(*it)), label: label(it) }).collect()
}

/// The mean of each `width` seconds that have a value, at their first second.
fn means(values: &[f64], width: usize) -> impl Iterator<Item = (f64, Option<f64>)> {
    values.chunks(width).enumerate().map(move |(index, chunk)| {
        let finite: Vec<_> = chunk.iter().copied().filter(|it| it.is_finite()).collect();
        let mean = finite.iter().sum::<f64>() / finite.len() as f64;
        ((index * width) as f64, (!finite.is_empty()).then_some(mean))
    })
}

fn percentile_numbers(series: &[&PercentileSeries]) -> Numbers {
    let mut quantiles: Vec<f64> =
        series.iter().flat_map(|it| &it.points).map(|point| point.0).collect();
    quantiles.sort_by(f64::total_cmp);
    quantiles.dedup();
    let head = quantiles.iter().map(|quantile| match quantile {
        1.0 => "highest".to_owned(),
        0.0 => "lowest".to_owned(),
        quantile => format!("p{}", percent(*quantile)),
    });
    let row = |series: &PercentileSeries| {
        let cell = |quantile: &f64| {
            let point = series.points.iter().find(|point| point.0.total_cmp(quantile).is_eq());
            point.map_or(String::new(), |point| ShortDuration(point.1).to_string())
        };
        std::iter::once(series.label.clone()).chain(quantiles.iter().map(cell)).collect()
    };
    Numbers {
        head: std::iter::once("latency".to_owned()).chain(head).collect(),
        rows: series.iter().map(|series| row(series)).collect(),
        left_out: 0,
    }
}

fn numbers_over_time(kind: &str, series: &[Values<'_>], shown: Shown<'_>) -> Numbers {
    let row = |(label, all): &Values<'_>| {
        let mut values: Vec<_> = all.iter().copied().filter(|it| it.is_finite()).collect();
        values.sort_by(f64::total_cmp);
        let mean = values.iter().sum::<f64>() / values.len() as f64;
        let cells = match (values.first(), values.last()) {
            (Some(lowest), Some(highest)) => [*lowest, mean, *highest].map(shown),
            _ => [const { String::new() }; 3],
        };
        let length = many(all.len(), "second");
        std::iter::once((*label).to_owned()).chain(cells).chain([length]).collect()
    };
    Numbers {
        head: [kind, "lowest", "mean", "highest", "over"].map(str::to_owned).to_vec(),
        rows: series.iter().map(row).collect(),
        left_out: 0,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_quantile_of_one_has_no_place_and_stays_in_the_table() {
        let points = vec![(0.5, Duration::from_millis(1)), (1.0, Duration::from_millis(9))];
        let series = [PercentileSeries { label: "source".to_owned(), points }];
        let chart = percentiles("t", &series);
        assert_eq!(chart.lines[0].dots.len(), 1);
        assert_eq!(chart.numbers.rows[0], ["source", "1ms", "9ms"]);
    }

    #[test]
    fn the_tail_has_as_much_room_as_the_middle() {
        assert!((nines(0.999) - nines(0.99) - (nines(0.99) - nines(0.9))).abs() < 1e-9);
    }

    #[test]
    fn a_long_series_is_drawn_through_its_means_and_says_so() {
        let series =
            [PerSecondSeries { label: "writes".to_owned(), values: vec![2.0; POINTS_LIMIT * 2] }];
        let chart = per_second(("t", "points"), Duration::ZERO, &series);
        assert_eq!(chart.note.as_deref(), Some("each point is the mean of 2 s"));
    }

    #[test]
    fn a_chart_without_a_number_draws_nothing_and_does_not_panic() {
        let series = [PerSecondSeries { label: "none".to_owned(), values: vec![f64::NAN] }];
        assert_eq!(per_second(("t", "points"), Duration::ZERO, &series).lines[0].path, "");
        assert!(percentiles("t", &[]).lines.is_empty());
    }
}
