//! Functions that go from point to point: derivatives, differences, elapsed time, moving average,
//! running sum and integral.

use std::collections::HashMap;
use std::collections::VecDeque;

use super::aggregate::unsupported;
use super::options::Options;
use super::points::{Head, Points};
use super::read::Engine;
use crate::influxql::ast::DataType;
use crate::influxql::condition::MIN_TIME_NS;
use crate::influxql::error::Outcome;
use crate::influxql::value::Value;

/// Whether results below zero are shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Sign {
    Any,
    NotNegative,
}

/// A function over consecutive points.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Step {
    /// Change over a unit of time in nanoseconds.
    Derivative(i64, Sign),
    Difference(Sign),
    /// Time since the point before, in units of nanoseconds.
    Elapsed(i64),
    MovingAverage(usize),
    CumulativeSum,
    /// The area under the points, in units of nanoseconds.
    Integral(i64),
}

impl Step {
    /// The function's name in the server's refusals.
    fn name(self) -> &'static str {
        match self {
            Self::Derivative(..) => "derivative",
            Self::Difference(_) => "difference",
            Self::Elapsed(_) => "elapsed",
            Self::MovingAverage(_) => "moving average",
            Self::CumulativeSum => "cumulative sum",
            Self::Integral(_) => "integral",
        }
    }

    fn result_type(self, input: DataType) -> DataType {
        match self {
            Self::Derivative(..) | Self::MovingAverage(_) | Self::Integral(_) => DataType::Float,
            Self::Elapsed(_) => DataType::Integer,
            Self::Difference(_) | Self::CumulativeSum => input,
        }
    }
}

/// What a function remembers of a series.
#[derive(Debug, Default)]
struct Memory {
    previous: Option<(i64, Value)>,
    current: Option<(i64, Value)>,
    sum: Option<Value>,
    recent: VecDeque<Value>,
    area: Area,
}

/// An integral on its way through a window.
#[derive(Debug, Default)]
struct Area {
    /// Whether the points are floats: for whole numbers the server computes otherwise.
    float: bool,
    sum: f64,
    previous: Option<(i64, f64)>,
    window: (i64, i64),
}

/// Applies a function along each series.
pub(super) fn step(
    engine: &Engine<'_>,
    input: &Points,
    step: Step,
    options: &Options,
) -> Outcome<Points> {
    if !input.data_type.is_numeric() && !matches!(step, Step::Elapsed(_)) {
        return Err(unsupported(step.name(), input.data_type));
    }
    let mut output = Points::new(step.result_type(input.data_type), 0);
    let grouping = options.grouping();
    let mut memories: HashMap<u32, Memory> = HashMap::new();
    for head in input.heads.iter().filter(|head| !head.value.is_null()) {
        let series = engine.table.borrow_mut().subset(head.series, &grouping);
        let memory = memories.entry(series).or_default();
        if let Some((time_ns, value)) = memory.take(step, head, options) {
            engine.charge(1, 0)?;
            output.push(Head { series, count: 1, time_ns, value }, []);
        }
    }
    if matches!(step, Step::Integral(_)) {
        let mut rest: Vec<(u32, Memory)> = memories.into_iter().collect();
        let table = engine.table.borrow();
        rest.sort_by(|left, right| table.order(left.0, right.0, options.direction()));
        for (series, memory) in rest {
            let Area { sum, previous, window, .. } = memory.area;
            if previous.is_some_and(|(time_ns, _)| time_ns != window.0) {
                let value = Value::Float(sum);
                output.push(Head { series, count: 1, time_ns: window.0, value }, []);
            }
        }
    }
    Ok(output)
}

impl Memory {
    /// Takes the next point and gives what it leads to.
    fn take(&mut self, step: Step, head: &Head, options: &Options) -> Option<(i64, Value)> {
        let point = (head.time_ns, head.value.clone());
        match step {
            Step::Derivative(unit_ns, sign) => {
                self.advance(point);
                let (last_ns, last) = self.previous.take()?;
                let (time_ns, value) = self.current.as_ref()?;
                let change = signed_difference(&last, value);
                let elapsed_ns = time_ns.wrapping_sub(last_ns);
                let elapsed_ns = if options.ascending { elapsed_ns } else { -elapsed_ns };
                let rate = change / (elapsed_ns as f64 / unit_ns as f64);
                let shown = sign == Sign::Any || change >= 0.0 || change.is_nan();
                shown.then_some((*time_ns, Value::Float(rate)))
            }
            Step::Difference(sign) => {
                self.advance(point);
                let (_, last) = self.previous.as_ref()?;
                let (time_ns, value) = self.current.as_ref()?;
                let change = difference(last, value);
                let negative = match (&change, last, value) {
                    (_, Value::Unsigned(last), Value::Unsigned(value)) => value < last,
                    (Value::Float(change), ..) => *change < 0.0,
                    (Value::Integer(change), ..) => *change < 0,
                    _ => false,
                };
                if sign == Sign::NotNegative && negative {
                    return None;
                }
                self.previous = None;
                Some((*time_ns, change))
            }
            Step::Elapsed(unit_ns) => {
                self.previous = self.current.replace(point);
                let (last_ns, _) = self.previous.take()?;
                let elapsed_ns = head.time_ns.wrapping_sub(last_ns);
                Some((head.time_ns, Value::Integer(elapsed_ns / unit_ns)))
            }
            Step::MovingAverage(width) => {
                if self.recent.len() == width {
                    let oldest = self.recent.pop_front()?;
                    self.sum = self.sum.take().map(|sum| difference(&oldest, &sum));
                }
                self.add(&head.value);
                self.recent.push_back(head.value.clone());
                let sum = self.sum.as_ref()?.as_float()?;
                let full = self.recent.len() == width;
                full.then(|| (head.time_ns, Value::Float(sum / width as f64)))
            }
            Step::CumulativeSum => {
                self.add(&head.value);
                Some((head.time_ns, self.sum.clone()?))
            }
            Step::Integral(unit_ns) => {
                let value = head.value.as_float()?;
                self.area.float = matches!(head.value, Value::Float(_));
                self.area.take((head.time_ns, value), unit_ns, options)
            }
        }
    }

    /// Moves on, unless the point is as old as the one before: of joined series the first counts.
    fn advance(&mut self, point: (i64, Value)) {
        if self.current.as_ref().is_some_and(|(time_ns, _)| *time_ns == point.0) {
            return;
        }
        self.previous = self.current.replace(point);
    }

    fn add(&mut self, value: &Value) {
        self.sum = Some(match (&self.sum, value) {
            (Some(Value::Float(sum)), Value::Float(value)) => Value::Float(sum + value),
            (Some(Value::Integer(sum)), Value::Integer(value)) => {
                Value::Integer(sum.wrapping_add(*value))
            }
            (Some(Value::Unsigned(sum)), Value::Unsigned(value)) => {
                Value::Unsigned(sum.wrapping_add(*value))
            }
            _ => value.clone(),
        });
    }
}

impl Area {
    fn open(&mut self, time_ns: i64, options: &Options) {
        let (start_ns, end_ns) = options.window(time_ns);
        self.window = if options.ascending { (start_ns, end_ns) } else { (end_ns, start_ns) };
        if self.window.0 == MIN_TIME_NS {
            self.window.0 = 0;
        }
    }

    fn take(
        &mut self,
        (time_ns, value): (i64, f64),
        unit_ns: i64,
        options: &Options,
    ) -> Option<(i64, Value)> {
        let whole = options.interval_ns == 0;
        let Some((mut last_ns, mut last)) = self.previous else {
            self.previous = Some((time_ns, value));
            if !whole || !self.float {
                self.open(time_ns, options);
            }
            return None;
        };
        let point = (time_ns, value);
        if last_ns == time_ns {
            self.previous = Some(point);
            return None;
        }
        let mut value = value;
        let mut emitted = None;
        let end_ns = self.window.1;
        let beyond = if options.ascending { time_ns >= end_ns } else { time_ns <= end_ns };
        if beyond && (!whole || !self.float) {
            if last_ns != end_ns {
                let slope = (value - last) / time_ns.wrapping_sub(last_ns) as f64;
                let at_end = slope * end_ns.wrapping_sub(last_ns) as f64 + last;
                let elapsed = end_ns.wrapping_sub(last_ns) as f64 / unit_ns as f64;
                self.sum += 0.5 * (at_end + last) * elapsed;
                last_ns = end_ns;
                // Of whole numbers the server keeps the wrong one of the two.
                if self.float {
                    last = at_end;
                } else {
                    value = at_end;
                }
            }
            emitted = Some((self.window.0, Value::Float(self.sum)));
            self.open(time_ns, options);
            self.sum = 0.0;
        }
        let elapsed = time_ns.wrapping_sub(last_ns) as f64 / unit_ns as f64;
        self.sum += 0.5 * (value + last) * elapsed;
        self.previous = Some(point);
        emitted
    }
}

/// The change from one value to the next, in their type.
fn difference(last: &Value, value: &Value) -> Value {
    match (last, value) {
        (Value::Float(last), Value::Float(value)) => Value::Float(value - last),
        (Value::Integer(last), Value::Integer(value)) => Value::Integer(value.wrapping_sub(*last)),
        (Value::Unsigned(last), Value::Unsigned(value)) => {
            Value::Unsigned(value.wrapping_sub(*last))
        }
        _ => Value::Null,
    }
}

/// The change from one value to the next as a float.
fn signed_difference(last: &Value, value: &Value) -> f64 {
    match (last, value) {
        (Value::Unsigned(last), Value::Unsigned(value)) if value <= last => {
            -(last.wrapping_sub(*value) as f64)
        }
        _ => difference(last, value).as_float().unwrap_or_default(),
    }
}
