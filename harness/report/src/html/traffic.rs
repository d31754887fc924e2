//! The chart of a drill: where the traffic went, and what the triggers saw, over one axis of time.
//!
//! The main type is [`TrafficChart`]. The upper panel has the share that the flags asked for and
//! the share that was served; below it each trigger has a lane with a bar per period, drawn
//! against its limit. So one look tells fault, breaches, firing and the way back.

use std::time::Duration;

use cutover_model::event::{TrafficFigure, TriggerPoint};
use serde::Serialize;

use super::axis::{Scale, Tick, path, place, seconds, seconds_to};
use super::lines::Numbers;
use crate::text::{clipped, decimal, many, shortened};

const LEFT: f64 = 150.0;
const RIGHT: f64 = 1_100.0;
const SHARE_TOP: f64 = 26.0;
const SHARE_BOTTOM: f64 = 166.0;
const LANES_TOP: f64 = 186.0;
const LANE_HEIGHT: f64 = 38.0;

/// A lane ends at this share of the limit; a higher bar is cut and marked.
const LANE_MAX: f64 = 1.5;

/// More periods than this make no table that anybody reads.
const PERIODS_LIMIT: usize = 200;

/// The chart of a drill.
#[derive(Serialize)]
pub(super) struct TrafficChart {
    /// What a reader who cannot see the chart is told.
    summary: String,
    height: String,
    lanes_bottom: String,
    x_ticks: Vec<Tick>,
    share_ticks: Vec<Tick>,
    flags: String,
    served: String,
    fault: Option<Band>,
    fired: Option<Mark>,
    lanes: Vec<Lane>,
    numbers: Numbers,
}

#[derive(Serialize)]
struct Band {
    x: String,
    width: String,
    height: String,
    label: String,
}

#[derive(Serialize)]
struct Mark {
    x: String,
    label: String,
    /// On which side of the mark its label has room: `start` or `end`, as SVG has it.
    anchor: &'static str,
    label_x: String,
}

#[derive(Serialize)]
struct Lane {
    name: String,
    full_name: String,
    fired: bool,
    label_y: String,
    base: String,
    limit: String,
    bars: Vec<Bar>,
}

#[derive(Serialize)]
struct Bar {
    x: String,
    y: String,
    width: String,
    height: String,
    /// `breach`, `calm` or `none`.
    tone: &'static str,
    middle: String,
    /// Whether the bar is cut at the top of its lane.
    cut: bool,
    /// What a pointer that rests on the bar is told.
    says: String,
}

/// The chart of one drill.
pub(super) fn traffic(figure: &TrafficFigure) -> TrafficChart {
    let end = end(figure);
    let x = Scale { values: (0.0, end), places: (LEFT, RIGHT - 14.0) };
    let share = Scale { values: (0.0, 1.0), places: (SHARE_BOTTOM, SHARE_TOP) };
    let triggers = triggers(figure);
    let lanes_bottom = LANES_TOP + LANE_HEIGHT * triggers.len() as f64;
    let fired =
        figure.fired.as_ref().map(|(at, trigger)| mark(x.at(at.as_secs_f64()), *at, trigger));
    let lanes = triggers.iter().enumerate().map(|(index, trigger)| {
        let base = LANES_TOP + LANE_HEIGHT * (index + 1) as f64 - 4.0;
        lane(figure, trigger, Panel { x, base })
    });
    let percent = [0.0, 0.25, 0.5, 0.75, 1.0].into_iter();
    TrafficChart {
        summary: summary(figure),
        height: place(lanes_bottom + 22.0),
        lanes_bottom: place(lanes_bottom),
        x_ticks: seconds_to(end)
            .into_iter()
            .map(|it| Tick { at: place(x.at(it)), label: seconds(it) })
            .collect(),
        share_ticks: percent
            .map(|it| Tick { at: place(share.at(it)), label: format!("{}%", it * 100.0) })
            .collect(),
        flags: path(stairs(&figure.flags, end).map(|(at, it)| point(x, share, at, it))),
        served: path(figure.served.iter().map(|(at, it)| point(x, share, at.as_secs_f64(), *it))),
        fault: figure.fault.map(|fault| band(x, lanes_bottom, fault)),
        fired,
        lanes: lanes.collect(),
        numbers: numbers(figure, &triggers),
    }
}

/// The last instant that the figure knows, in seconds; never zero.
fn end(figure: &TrafficFigure) -> f64 {
    let times = figure.flags.iter().chain(&figure.served).map(|point| point.0);
    let times = times.chain(figure.evaluations.iter().map(|point| point.at));
    let times = times.chain(figure.fired.iter().map(|fired| fired.0));
    let end = times.chain(figure.fault.iter().map(|fault| fault.1)).max().unwrap_or_default();
    end.max(Duration::from_secs(1)).as_secs_f64()
}

/// The triggers in the order in which they first spoke.
fn triggers(figure: &TrafficFigure) -> Vec<&str> {
    let mut triggers = Vec::new();
    for point in &figure.evaluations {
        if !triggers.contains(&point.trigger.as_str()) {
            triggers.push(point.trigger.as_str());
        }
    }
    triggers
}

/// Each share holds until the next one, and the last until the end.
fn stairs(flags: &[(Duration, f64)], end: f64) -> impl Iterator<Item = (f64, f64)> {
    let next = flags.iter().skip(1).map(|flag| flag.0.as_secs_f64()).chain([end]);
    flags
        .iter()
        .zip(next)
        .flat_map(|((at, share), next)| [(at.as_secs_f64(), *share), (next, *share)])
}

fn point(x: Scale, y: Scale, at: f64, share: f64) -> Option<(f64, f64)> {
    share.is_finite().then(|| (x.at(at), y.at(share)))
}

fn band(x: Scale, bottom: f64, (from, to): (Duration, Duration)) -> Band {
    let (start, stop) = (x.at(from.as_secs_f64()), x.at(to.as_secs_f64()));
    Band {
        x: place(start),
        width: place((stop - start).max(1.0)),
        height: place(bottom - SHARE_TOP),
        label: format!("fault {} to {}", seconds(from.as_secs_f64()), seconds(to.as_secs_f64())),
    }
}

fn mark(at: f64, time: Duration, trigger: &str) -> Mark {
    let room_right = at < f64::midpoint(LEFT, RIGHT);
    Mark {
        x: place(at),
        label: format!("{} fired at {}", shortened(trigger, 40), seconds(time.as_secs_f64())),
        anchor: if room_right { "start" } else { "end" },
        label_x: place(if room_right { at + 5.0 } else { at - 5.0 }),
    }
}

/// Where a lane stands.
#[derive(Clone, Copy)]
struct Panel {
    x: Scale,
    base: f64,
}

fn lane(figure: &TrafficFigure, trigger: &str, panel: Panel) -> Lane {
    let points: Vec<_> = figure.evaluations.iter().filter(|it| it.trigger == trigger).collect();
    let y = Scale { values: (0.0, LANE_MAX), places: (panel.base, panel.base - LANE_HEIGHT + 8.0) };
    let places = points.iter().map(|it| panel.x.at(it.at.as_secs_f64()));
    let gaps = places.clone().zip(places.skip(1)).map(|(here, next)| next - here);
    let period = gaps.filter(|gap| *gap > 0.0).fold(f64::INFINITY, f64::min);
    // A period ends at its point, so its bar stands left of it.
    let width = if period.is_finite() { (period * 0.8).clamp(1.0, 40.0) } else { 8.0 };
    Lane {
        name: shortened(trigger, 20),
        full_name: trigger.to_owned(),
        fired: figure.fired.as_ref().is_some_and(|(_, fired)| fired == trigger),
        label_y: place(panel.base - 10.0),
        base: place(panel.base),
        limit: place(y.at(1.0)),
        bars: points.iter().map(|it| bar(it, panel.x, y, width)).collect(),
    }
}

fn bar(point: &TriggerPoint, x: Scale, y: Scale, width: f64) -> Bar {
    let value = point.of_limit.filter(|it| it.is_finite());
    let (base, right) = (y.places.0, x.at(point.at.as_secs_f64()));
    // A value of nothing and a missing value differ: the first has a foot, the second none.
    let top = value.map_or(base, |value| y.at(value).min(base - 1.0));
    let left = (right - width).max(LEFT);
    Bar {
        x: place(left),
        y: place(top),
        width: place((right - left).max(1.0)),
        height: place(base - top),
        tone: match (value, point.breach) {
            (_, true) => "breach",
            (Some(_), false) => "calm",
            (None, false) => "none",
        },
        middle: place(f64::midpoint(left, right)),
        cut: value.is_some_and(|it| it > LANE_MAX),
        says: format!(
            "{} at {}: {}{}",
            clipped(&point.trigger, 80),
            seconds(point.at.as_secs_f64()),
            of_limit(value),
            if point.breach { ", in breach" } else { "" }
        ),
    }
}

fn of_limit(value: Option<f64>) -> String {
    match value {
        Some(value) => format!("{}% of the limit", decimal((value * 1_000.0).round() / 10.0)),
        None => "no data".to_owned(),
    }
}

fn summary(figure: &TrafficFigure) -> String {
    let highest = figure.flags.iter().map(|flag| flag.1).fold(0.0, f64::max);
    let last = figure.flags.last().map_or(0.0, |flag| flag.1);
    let breaches = figure.evaluations.iter().filter(|point| point.breach).count();
    let fired = figure.fired.as_ref().map_or("No trigger fired".to_owned(), |(at, trigger)| {
        format!("{trigger} fired at {}", seconds(at.as_secs_f64()))
    });
    format!(
        "The share of traffic on InfluxDB rose to {}% and ended at {}%. {}. {fired}.",
        decimal(highest * 100.0),
        decimal(last * 100.0),
        many(breaches, "period") + " in breach"
    )
}

/// One row per instant at which triggers spoke, one column per trigger.
fn numbers(figure: &TrafficFigure, triggers: &[&str]) -> Numbers {
    let mut instants: Vec<_> = figure.evaluations.iter().map(|point| point.at).collect();
    instants.sort_unstable();
    instants.dedup();
    let cell = |at: Duration, trigger: &str| {
        let point = figure.evaluations.iter().find(|it| it.at == at && it.trigger == trigger);
        point.map_or(String::new(), |point| {
            let breach = if point.breach { ", breach" } else { "" };
            of_limit(point.of_limit.filter(|it| it.is_finite())) + breach
        })
    };
    let row = |at: &Duration| {
        let cells = triggers.iter().map(|trigger| cell(*at, trigger));
        std::iter::once(seconds(at.as_secs_f64())).chain(cells).collect()
    };
    let head = std::iter::once("at the end of").chain(triggers.iter().copied());
    Numbers {
        head: head.map(str::to_owned).collect(),
        rows: instants.iter().take(PERIODS_LIMIT).map(row).collect(),
        left_out: instants.len().saturating_sub(PERIODS_LIMIT),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn figure() -> TrafficFigure {
        let at = Duration::from_mins(1);
        let point =
            |of_limit, breach| TriggerPoint { at, trigger: "errors".into(), of_limit, breach };
        TrafficFigure {
            flags: vec![(Duration::ZERO, 0.0), (at, 0.5)],
            served: vec![(at, f64::NAN)],
            fault: Some((at, at)),
            evaluations: vec![point(Some(9.0), true), point(None, false)],
            fired: Some((at, "errors".into())),
        }
    }

    #[test]
    fn a_bar_beyond_the_lane_is_cut_and_marked() {
        let bars = &traffic(&figure()).lanes[0].bars;
        assert!(bars[0].cut);
        assert_eq!(bars[0].tone, "breach");
    }

    #[test]
    fn a_period_without_data_is_not_drawn_as_zero() {
        let bars = &traffic(&figure()).lanes[0].bars;
        assert_eq!((bars[1].tone, bars[1].height.as_str()), ("none", "0.0"));
    }

    #[test]
    fn an_empty_drill_is_drawn_without_a_panic() {
        let empty = TrafficFigure {
            flags: Vec::new(),
            served: Vec::new(),
            fault: None,
            evaluations: Vec::new(),
            fired: None,
        };
        assert!(traffic(&empty).lanes.is_empty());
    }
}
