//! `count`, `sum`, `mean`, `min`, `max`, `first` and `last`: computed over whole columns, series
//! by series, and joined window by window.

use std::cmp::Ordering;

use super::options::Options;
use super::points::{Head, Points, SeriesKey};
use super::read::{Engine, Rows};
use crate::influxql::ast::{DataType, Measurement, VarRef};
use crate::influxql::error::{Outcome, QueryError};
use crate::influxql::types::call_type;
use crate::influxql::value::Value;
use crate::store::Values;

/// A function that can be joined from parts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Function {
    Count,
    Sum,
    Mean,
    Min,
    Max,
    First,
    Last,
}

impl Function {
    /// The function of this name.
    pub(super) fn named(name: &str) -> Option<Self> {
        Some(match name {
            "count" => Self::Count,
            "sum" => Self::Sum,
            "mean" => Self::Mean,
            "min" => Self::Min,
            "max" => Self::Max,
            "first" => Self::First,
            "last" => Self::Last,
            _ => return None,
        })
    }

    fn name(self) -> &'static str {
        match self {
            Self::Count => "count",
            Self::Sum => "sum",
            Self::Mean => "mean",
            Self::Min => "min",
            Self::Max => "max",
            Self::First => "first",
            Self::Last => "last",
        }
    }

    fn supports(self, data_type: DataType) -> bool {
        match data_type {
            DataType::String => matches!(self, Self::Count | Self::First | Self::Last),
            DataType::Boolean => !matches!(self, Self::Sum | Self::Mean),
            _ => true,
        }
    }

    /// Whether the function gives one of the points, with its time.
    fn selects(self) -> bool {
        !matches!(self, Self::Count | Self::Sum | Self::Mean)
    }
}

/// The refusal of a type, in the server's words.
pub(super) fn unsupported(function: &str, data_type: DataType) -> QueryError {
    QueryError::new(format!(
        "unsupported {function} iterator type: *query.{data_type}InterruptIterator"
    ))
}

/// A part of a result: one window of one series.
struct Part {
    /// The series under the tags of the whole query, which comes first in the order.
    shown: u32,
    window_ns: i64,
    /// Rows of a subquery may go back in time; each time a window is begun it is another run.
    run: u32,
    head: Head,
    aux: Vec<Value>,
}

/// Where the points of a call came from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Origin {
    OneSubquery,
    Sources,
}

/// Parts of one call on their way to points.
pub(super) struct Aggregation<'e, 'a> {
    engine: &'e Engine<'a>,
    options: &'e Options,
    function: Function,
    data_type: DataType,
    /// Whether any source has the field.
    readable: bool,
    parts: Vec<Part>,
}

impl<'e, 'a> Aggregation<'e, 'a> {
    pub(super) fn new(
        engine: &'e Engine<'a>,
        function: Function,
        data_type: DataType,
        options: &'e Options,
    ) -> Self {
        Self { engine, options, function, data_type, readable: false, parts: Vec::new() }
    }

    /// Adds a measurement.
    pub(super) fn add_source(&mut self, source: &Measurement, field: &VarRef) -> Outcome<()> {
        let whole = self.options.interval_ns == 0;
        if whole && matches!(self.function, Function::First | Function::Last) {
            return self.add_ends(source, field);
        }
        let (engine, options) = (self.engine, self.options);
        engine.tag_sets(source, Some(field), options, &mut |name, set| {
            self.readable |= set.readable;
            if set.readable && !self.function.supports(self.data_type) {
                return Err(unsupported(self.function.name(), self.data_type));
            }
            let key = SeriesKey { name: std::sync::Arc::clone(name), tags: set.tags.clone() };
            let shown = engine.table.borrow_mut().number(key);
            set.rows.iter().try_for_each(|rows| self.add_rows(rows, shown))
        })
    }

    /// `first` and `last` of everything look at the first two points of each tag set alone.
    fn add_ends(&mut self, source: &Measurement, field: &VarRef) -> Outcome<()> {
        let mut options = self.options.clone();
        options.rows.limit = 1;
        options.rows.offset = 0;
        options.ascending = self.function == Function::First;
        if let Some(points) = self.engine.read(source, Some(field), &options)? {
            self.add_points(&points)?;
        }
        Ok(())
    }

    /// Adds points that were computed before.
    pub(super) fn add_points(&mut self, points: &Points) -> Outcome<()> {
        if !self.function.supports(points.data_type) {
            return Err(unsupported(self.function.name(), points.data_type));
        }
        if !self.readable {
            self.data_type = points.data_type;
        }
        self.readable = true;
        let dimensions = &self.options.dimensions;
        let mut current: Option<(u32, (i64, i64))> = None;
        let mut run = 0;
        for (index, head) in points.heads.iter().enumerate() {
            if head.value.is_null() {
                continue;
            }
            let shown = self.engine.table.borrow_mut().subset(head.series, dimensions);
            let inside = current.is_some_and(|(series, (start_ns, stop_ns))| {
                series == shown && (start_ns..stop_ns).contains(&head.time_ns)
            });
            if !inside {
                let window = self.options.window(head.time_ns);
                if !(window.0..window.1).contains(&head.time_ns) {
                    // A point beyond the span of the query ends the server's reading.
                    break;
                }
                current = Some((shown, window));
                run += 1;
            }
            let window_ns = current.map_or(head.time_ns, |(_, (start_ns, _))| start_ns);
            let mut head = head.clone();
            if !self.function.selects() {
                head.time_ns = window_ns;
            }
            match self.function {
                Function::Count => head.value = Value::Integer(1),
                Function::Mean => {
                    head.value = head.value.try_cast(DataType::Float).unwrap_or_default();
                    head.count = 1;
                }
                _ => {}
            }
            self.engine.charge(1, points.width)?;
            let aux = points.aux(index).to_vec();
            self.parts.push(Part { shown, window_ns, run, head, aux });
        }
        Ok(())
    }

    /// Adds the windows of one series.
    fn add_rows(&mut self, rows: &Rows, shown: u32) -> Outcome<()> {
        let Some(values) = &rows.main else { return Ok(()) };
        let mut from = 0;
        while from < rows.times.len() {
            let (window_ns, stop_ns) = self.options.window(rows.times[from]);
            let count = rows.times[from..].partition_point(|&time_ns| time_ns < stop_ns).max(1);
            let to = from + count;
            let (value, at) = reduce(self.function, values, from..to);
            let (time_ns, aux) = if self.function.selects() {
                (rows.times[at], rows.aux(at).collect())
            } else {
                (window_ns, Vec::new())
            };
            let count = u32::try_from(count).unwrap_or(u32::MAX);
            let head = Head { series: rows.series, count, time_ns, value };
            self.engine.charge(1, aux.len())?;
            self.parts.push(Part { shown, window_ns, run: 0, head, aux });
            from = to;
        }
        Ok(())
    }

    /// The points: one a window and series, in order. What a single subquery gave stays in the
    /// order in which it came.
    pub(super) fn finish(mut self, origin: Origin) -> Points {
        let (ascending, ordered) = (self.options.ascending, self.options.ordered);
        let direction = self.options.direction();
        let table = self.engine.table.borrow();
        let directed = |order: Ordering| if ascending { order } else { order.reverse() };
        let windows = |left: &Part, right: &Part| match origin {
            Origin::OneSubquery => left.run.cmp(&right.run),
            Origin::Sources => table
                .order(left.shown, right.shown, direction)
                .then(directed(left.window_ns.cmp(&right.window_ns))),
        };
        let groups = |left: &Part, right: &Part| {
            let groups = table.order(left.head.series, right.head.series, direction);
            windows(left, right).then(groups)
        };
        if !self.parts.is_sorted_by(|left, right| groups(left, right) != Ordering::Greater) {
            self.parts.sort_by(groups);
        }
        let mut joined: Vec<Part> = Vec::with_capacity(self.parts.len());
        for part in self.parts {
            match joined.last_mut() {
                Some(known) if groups(known, &part) == Ordering::Equal => {
                    join(self.function, known, part);
                }
                _ => joined.push(part),
            }
        }
        if self.function.selects() && ordered {
            // Points that keep their times come in order of them within a window.
            joined.sort_by(|left, right| {
                let times = directed(left.head.time_ns.cmp(&right.head.time_ns));
                windows(left, right).then(times)
            });
        }
        // Where there is nothing to read, the server goes on with no floats.
        let data_type = if self.readable { self.data_type } else { DataType::Float };
        let data_type = call_type(self.function.name(), data_type);
        let mut points = Points::new(data_type, self.options.aux.len());
        for part in joined {
            points.push(part.head, part.aux);
        }
        points
    }
}

/// Joins two parts of one window.
fn join(function: Function, known: &mut Part, other: Part) {
    let count = known.head.count.saturating_add(other.head.count);
    let (left, right) = (&known.head.value, &other.head.value);
    let replaces = match function {
        Function::Count | Function::Sum => {
            known.head.value = add(left, right);
            false
        }
        Function::Mean => {
            let weighed =
                |head: &Head| head.value.as_float().unwrap_or_default() * f64::from(head.count);
            let sum = weighed(&known.head) + weighed(&other.head);
            known.head.value = Value::Float(sum / f64::from(count));
            false
        }
        _ => {
            let earlier = other.head.time_ns.cmp(&known.head.time_ns);
            let greater = compare(right, left);
            match function {
                Function::Min => greater.then(earlier) == Ordering::Less,
                Function::Max => greater.reverse().then(earlier) == Ordering::Less,
                Function::First => earlier.then(prefer(right, left)) == Ordering::Less,
                _ => earlier.reverse().then(greater.reverse()) == Ordering::Less,
            }
        }
    };
    if replaces {
        known.head.time_ns = other.head.time_ns;
        known.head.value = other.head.value;
        known.aux = other.aux;
    }
    known.head.count = count;
}

fn add(left: &Value, right: &Value) -> Value {
    match (left, right) {
        (Value::Float(left), Value::Float(right)) => Value::Float(left + right),
        (Value::Integer(left), Value::Integer(right)) => Value::Integer(left.wrapping_add(*right)),
        (Value::Unsigned(left), Value::Unsigned(right)) => {
            Value::Unsigned(left.wrapping_add(*right))
        }
        _ => left.clone(),
    }
}

/// The order of two values of one type.
pub(super) fn compare(left: &Value, right: &Value) -> Ordering {
    match (left, right) {
        (Value::Float(left), Value::Float(right)) => {
            left.partial_cmp(right).unwrap_or(Ordering::Equal)
        }
        (Value::Integer(left), Value::Integer(right)) => left.cmp(right),
        (Value::Unsigned(left), Value::Unsigned(right)) => left.cmp(right),
        (Value::String(left), Value::String(right)) => left.cmp(right),
        (Value::Boolean(left), Value::Boolean(right)) => left.cmp(right),
        _ => Ordering::Equal,
    }
}

/// Which of two values at one instant counts as the first: the greater, but false before true.
fn prefer(left: &Value, right: &Value) -> Ordering {
    match (left, right) {
        (Value::Boolean(left), Value::Boolean(right)) => left.cmp(right),
        _ => compare(right, left),
    }
}

/// The function's value over a part of a column, and the place of the point that it selects.
fn reduce(function: Function, values: &Values, range: std::ops::Range<usize>) -> (Value, usize) {
    let (from, last) = (range.start, range.end - 1);
    let count = range.len();
    match function {
        Function::Count => (Value::Integer(i64::try_from(count).unwrap_or(i64::MAX)), from),
        Function::First => (super::column::value(values, from), from),
        Function::Last => (super::column::value(values, last), last),
        Function::Sum => (sum(values, range), from),
        Function::Mean => {
            let sum = sum(values, range).as_float().unwrap_or_default();
            (Value::Float(sum / count as f64), from)
        }
        Function::Min | Function::Max => {
            let at = match values {
                Values::Float(list) => extreme(function, &list[range]),
                Values::Integer(list) => extreme(function, &list[range]),
                Values::Unsigned(list) => extreme(function, &list[range]),
                Values::Boolean(list) => extreme(function, &list[range]),
                Values::String(_) => 0,
            };
            (super::column::value(values, from + at), from + at)
        }
    }
}

fn sum(values: &Values, range: std::ops::Range<usize>) -> Value {
    match values {
        // From a positive zero, so that negative ones add up to it.
        Values::Float(list) => Value::Float(list[range].iter().fold(0.0, |sum, value| sum + value)),
        Values::Integer(list) => {
            Value::Integer(list[range].iter().fold(0, |sum: i64, value| sum.wrapping_add(*value)))
        }
        Values::Unsigned(list) => {
            Value::Unsigned(list[range].iter().fold(0, |sum: u64, value| sum.wrapping_add(*value)))
        }
        _ => Value::Null,
    }
}

/// The place of the first of the least or greatest values.
fn extreme<T: PartialOrd>(function: Function, list: &[T]) -> usize {
    let mut best = 0;
    for (index, value) in list.iter().enumerate().skip(1) {
        let better = match function {
            Function::Min => *value < list[best],
            _ => *value > list[best],
        };
        if better {
            best = index;
        }
    }
    best
}
