//! Functions that need all points of a window at once: `median`, `mode`, `stddev`, `spread`,
//! `percentile`, `distinct`, `top`, `bottom`, and the count of distinct values.

use std::collections::BTreeMap;

use super::aggregate::{compare, unsupported};
use super::options::Options;
use super::points::{Head, Points};
use super::read::Engine;
use crate::influxql::ast::DataType;
use crate::influxql::error::Outcome;
use crate::influxql::types::call_type;
use crate::influxql::value::Value;

/// A function over the points of a window.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Reduction {
    Median,
    Mode,
    Stddev,
    Spread,
    Percentile(f64),
    Distinct,
    Top(usize),
    Bottom(usize),
    Count,
}

impl Reduction {
    /// The function's name in the server's refusals.
    fn name(self) -> &'static str {
        match self {
            Self::Median => "median",
            Self::Mode => "mode",
            Self::Stddev => "stddev",
            Self::Spread => "spread",
            Self::Percentile(_) => "percentile",
            Self::Distinct => "distinct",
            Self::Top(_) => "top",
            Self::Bottom(_) => "bottom",
            Self::Count => "count",
        }
    }

    fn supports(self, data_type: DataType) -> bool {
        data_type.is_numeric() || matches!(self, Self::Mode | Self::Distinct | Self::Count)
    }
}

/// A point of the result: its place among the window's points where it is one of them.
struct Reduced {
    value: Value,
    time_ns: Option<i64>,
    aux_of: Option<usize>,
}

impl Reduced {
    fn value(value: Value) -> Self {
        Self { value, time_ns: None, aux_of: None }
    }

    fn point(points: &Points, index: usize) -> Self {
        let Head { time_ns, value, .. } = &points.heads[index];
        Self { value: value.clone(), time_ns: Some(*time_ns), aux_of: Some(index) }
    }
}

/// Applies a function to each window of points that come in order.
pub(super) fn reduce(
    engine: &Engine<'_>,
    input: &Points,
    reduction: Reduction,
    options: &Options,
) -> Outcome<Points> {
    if !reduction.supports(input.data_type) {
        return Err(unsupported(reduction.name(), input.data_type));
    }
    let data_type = call_type(reduction.name(), input.data_type);
    let mut output = Points::new(data_type, input.width);
    let grouping = options.grouping();
    let mut from = 0;
    while from < input.heads.len() {
        if input.heads[from].value.is_null() {
            from += 1;
            continue;
        }
        let shown = |head: &Head| {
            let mut table = engine.table.borrow_mut();
            table.subset(head.series, &options.dimensions)
        };
        let first = shown(&input.heads[from]);
        let (window_ns, stop_ns) = options.window(input.heads[from].time_ns);
        if !(window_ns..stop_ns).contains(&input.heads[from].time_ns) {
            // A point beyond the span of the query ends the server's reading.
            break;
        }
        let mut groups: BTreeMap<u32, Vec<usize>> = BTreeMap::new();
        let mut to = from;
        while let Some(head) = input.heads.get(to) {
            let inside = (window_ns..stop_ns).contains(&head.time_ns);
            if !inside || shown(head) != first {
                break;
            }
            if !head.value.is_null() {
                let group = engine.table.borrow_mut().subset(head.series, &grouping);
                groups.entry(group).or_default().push(to);
            }
            to += 1;
        }
        emit_window(engine, (input, &mut output), (reduction, options, window_ns), groups)?;
        from = to;
    }
    Ok(output)
}

/// Reduces the groups of one window and adds what they give in order.
fn emit_window(
    engine: &Engine<'_>,
    (input, output): (&Points, &mut Points),
    (reduction, options, window_ns): (Reduction, &Options, i64),
    groups: BTreeMap<u32, Vec<usize>>,
) -> Outcome<()> {
    let mut groups: Vec<(u32, Vec<usize>)> = groups.into_iter().collect();
    {
        let table = engine.table.borrow();
        groups.sort_by(|left, right| table.order(left.0, right.0, options.direction()));
    }
    let mut emitted = Vec::new();
    let mut timed = false;
    for (series, indexes) in groups {
        for reduced in apply(reduction, input, indexes) {
            timed |= reduced.time_ns.is_some();
            let time_ns = reduced.time_ns.unwrap_or(window_ns);
            let head = Head { series, count: 1, time_ns, value: reduced.value };
            emitted.push((head, reduced.aux_of));
        }
    }
    if timed {
        emitted.sort_by(|(left, _), (right, _)| {
            let order = left.time_ns.cmp(&right.time_ns);
            if options.ascending { order } else { order.reverse() }
        });
    }
    engine.charge(emitted.len(), input.width)?;
    for (head, aux_of) in emitted {
        match aux_of {
            Some(index) => output.push(head, input.aux(index).iter().cloned()),
            None => output.push(head, []),
        }
    }
    Ok(())
}

fn apply(reduction: Reduction, input: &Points, mut indexes: Vec<usize>) -> Vec<Reduced> {
    let by_value = |left: &usize, right: &usize| {
        compare(&input.heads[*left].value, &input.heads[*right].value)
    };
    let value = |index: usize| &input.heads[index].value;
    let alone = indexes.len() == 1;
    match reduction {
        Reduction::Count => {
            let count = i64::try_from(indexes.len()).unwrap_or(i64::MAX);
            vec![Reduced::value(Value::Integer(count))]
        }
        Reduction::Median if alone && input.data_type == DataType::Float => {
            vec![Reduced::point(input, indexes[0])]
        }
        Reduction::Mode if alone => vec![Reduced::point(input, indexes[0])],
        Reduction::Median => {
            indexes.sort_by(by_value);
            vec![Reduced::value(median(input, &indexes))]
        }
        Reduction::Mode => vec![Reduced::value(mode(input, indexes))],
        Reduction::Stddev => vec![Reduced::value(stddev(input, &indexes))],
        Reduction::Spread => vec![Reduced::value(spread(input, &indexes))],
        Reduction::Percentile(percent) => {
            let rank = (indexes.len() as f64 * percent / 100.0 + 0.5).floor();
            let place = crate::influxql::value::integer_of(rank).wrapping_sub(1);
            match usize::try_from(place) {
                Ok(place) if place < indexes.len() => {
                    indexes.sort_by(by_value);
                    vec![Reduced::point(input, indexes[place])]
                }
                _ => Vec::new(),
            }
        }
        Reduction::Distinct => {
            indexes.sort_by(by_value);
            indexes.dedup_by(|right, left| value(*left) == value(*right));
            indexes.sort_by_key(|index| input.heads[*index].time_ns);
            let distinct = indexes
                .into_iter()
                .map(|index| Reduced { aux_of: None, ..Reduced::point(input, index) });
            distinct.collect()
        }
        Reduction::Top(limit) | Reduction::Bottom(limit) => {
            let top = matches!(reduction, Reduction::Top(_));
            indexes.sort_by(|left, right| {
                let order = by_value(left, right);
                let order = if top { order.reverse() } else { order };
                order.then(input.heads[*left].time_ns.cmp(&input.heads[*right].time_ns))
            });
            indexes.truncate(limit);
            indexes.into_iter().map(|index| Reduced::point(input, index)).collect()
        }
    }
}

fn median(input: &Points, sorted: &[usize]) -> Value {
    let at = |place: usize| input.heads[sorted[place]].value.clone();
    let middle = sorted.len() / 2;
    let float = |value: &Value| value.as_float().unwrap_or_default();
    if sorted.len() % 2 == 1 {
        return Value::Float(float(&at(middle)));
    }
    let (low, high) = (at(middle - 1), at(middle));
    let half = match (&low, &high) {
        (Value::Integer(low), Value::Integer(high)) => high.wrapping_sub(*low) as f64 / 2.0,
        (Value::Unsigned(low), Value::Unsigned(high)) => high.wrapping_sub(*low) as f64 / 2.0,
        _ => (float(&high) - float(&low)) / 2.0,
    };
    Value::Float(float(&low) + half)
}

/// The most frequent value; of several the one that began earliest, as far as the server looks.
fn mode(input: &Points, mut indexes: Vec<usize>) -> Value {
    let head = |index: usize| &input.heads[index];
    if input.data_type == DataType::Boolean {
        let trues = indexes.iter().filter(|index| head(**index).value == Value::Boolean(true));
        return Value::Boolean(2 * trues.count() >= indexes.len());
    }
    indexes.sort_by(|left, right| compare(&head(*left).value, &head(*right).value));
    let first = head(indexes[0]);
    let (mut most, mut most_value, mut most_ns) = (0, &first.value, first.time_ns);
    let (mut count, mut value, mut time_ns) = (0, &first.value, first.time_ns);
    for &index in &indexes {
        let own = head(index);
        if own.value != *value {
            (count, value, time_ns) = (1, &own.value, own.time_ns);
            continue;
        }
        count += 1;
        if most > count || (most == count && time_ns > most_ns) {
            continue;
        }
        (most, most_value, most_ns) = (count, &own.value, own.time_ns);
    }
    most_value.clone()
}

fn stddev(input: &Points, indexes: &[usize]) -> Value {
    let numbers = || indexes.iter().filter_map(|index| input.heads[*index].value.as_float());
    if indexes.len() < 2 {
        return Value::Float(f64::NAN);
    }
    let (mut mean, mut count) = (0.0, 0.0);
    for number in numbers() {
        count += 1.0;
        mean += (number - mean) / count;
    }
    let variance: f64 = numbers().map(|number| (number - mean).powi(2)).sum();
    Value::Float((variance / (count - 1.0)).sqrt())
}

fn spread(input: &Points, indexes: &[usize]) -> Value {
    let values = || indexes.iter().map(|index| &input.heads[*index].value);
    let least = values().min_by(|left, right| compare(left, right));
    let greatest = values().max_by(|left, right| compare(left, right));
    match (least, greatest) {
        (Some(Value::Float(least)), Some(Value::Float(greatest))) => Value::Float(greatest - least),
        (Some(Value::Integer(least)), Some(Value::Integer(greatest))) => {
            Value::Integer(greatest.wrapping_sub(*least))
        }
        (Some(Value::Unsigned(least)), Some(Value::Unsigned(greatest))) => {
            Value::Unsigned(greatest.wrapping_sub(*least))
        }
        _ => Value::Null,
    }
}
