//! Puts points in the place of windows that have none.

use super::options::Options;
use super::points::{Head, Points};
use super::read::Engine;
use crate::influxql::ast::{DataType, Fill};
use crate::influxql::condition::MIN_TIME_NS;
use crate::influxql::error::{Outcome, QueryError};
use crate::influxql::value::{Value, integer_of};

/// Where the filling of a series stands.
struct Filler<'a> {
    engine: &'a Engine<'a>,
    options: &'a Options,
    input: &'a Points,
    next: usize,
    output: Points,
    start_ns: i64,
    end_ns: i64,
    series: u32,
    time_ns: i64,
    zone_ns: Option<i64>,
    previous: Option<Head>,
}

/// Fills the windows of points that come in order of series and time.
pub(super) fn fill(engine: &Engine<'_>, input: &Points, options: &Options) -> Outcome<Points> {
    let Some(first) = input.heads.first() else { return Ok(input.clone()) };
    let window = |time_ns: i64| options.window(time_ns).0;
    let (start_ns, end_ns) = if options.ascending {
        (window(options.start_ns), window(options.end_ns))
    } else {
        (window(options.end_ns), window(options.start_ns))
    };
    check_windows(engine, options, (start_ns, end_ns))?;
    let mut filler = Filler {
        engine,
        options,
        input,
        next: 0,
        output: Points::new(input.data_type, input.width),
        start_ns,
        end_ns,
        series: first.series,
        time_ns: 0,
        zone_ns: None,
        previous: None,
    };
    filler.begin(first);
    while filler.advance()? {}
    Ok(filler.output)
}

/// Refuses at once what could only be given up after long.
fn check_windows(engine: &Engine<'_>, options: &Options, ends: (i64, i64)) -> Outcome<()> {
    if ends.0 == MIN_TIME_NS || ends.1 == MIN_TIME_NS {
        return Ok(());
    }
    let span = i128::from(ends.1) - i128::from(ends.0);
    let windows = span.abs() / i128::from(options.interval_ns.max(1)) + 1;
    let limit = engine.most_windows();
    if windows > i128::from(limit) {
        return Err(QueryError::new(format!(
            "max-select-buckets limit exceeded: ({windows}/{limit})"
        )));
    }
    Ok(())
}

impl Filler<'_> {
    /// Goes to the first window of a series.
    fn begin(&mut self, head: &Head) {
        self.series = head.series;
        self.time_ns = self.start_ns;
        if self.start_ns == MIN_TIME_NS {
            self.time_ns = self.options.window(head.time_ns).0;
        }
        self.zone_ns = self.options.zone_offset(self.time_ns);
    }

    fn inside(&self) -> bool {
        if self.options.ascending {
            self.time_ns <= self.end_ns
        } else {
            self.time_ns >= self.end_ns && self.end_ns != MIN_TIME_NS
        }
    }

    /// Adds one point; tells whether there may be more.
    fn advance(&mut self) -> Outcome<bool> {
        let mut next = self.input.heads.get(self.next);
        if next.is_none_or(|head| head.series != self.series) {
            if self.inside() {
                next = None;
            } else if let Some(head) = next {
                self.begin(head);
                self.previous = None;
            } else {
                return Ok(false);
            }
        }
        let due = next.filter(|head| {
            let later = if self.options.ascending {
                head.time_ns > self.time_ns
            } else {
                head.time_ns < self.time_ns
            };
            !later
        });
        self.engine.charge(1, self.input.width)?;
        if let Some(head) = due {
            self.previous = Some(head.clone());
            self.output.push_from(self.input, self.next);
            self.next += 1;
        } else {
            let value = self.missing();
            let head = Head { series: self.series, count: 0, time_ns: self.time_ns, value };
            self.output.push(head, []);
        }
        self.move_on();
        Ok(true)
    }

    /// What stands for a window without points.
    fn missing(&self) -> Value {
        let data_type = self.input.data_type;
        let number = |value: Value| value.try_cast(data_type).unwrap_or(Value::zero(data_type));
        match self.options.fill {
            Fill::Null | Fill::None => Value::Null,
            Fill::Integer(value) => number(Value::Integer(value)),
            Fill::Float(value) => number(Value::Float(value)),
            Fill::Previous => self.previous.as_ref().map_or(Value::Null, |head| head.value.clone()),
            Fill::Linear => self.between().unwrap_or_default(),
        }
    }

    /// The value on the line from the point before to the one behind.
    fn between(&self) -> Option<Value> {
        let previous = self.previous.as_ref()?;
        let next = self.input.heads.get(self.next).filter(|head| head.series == self.series)?;
        let interval_ns = self.options.interval_ns;
        let window = |time_ns: i64| time_ns / interval_ns;
        let (from, to) = (window(previous.time_ns), window(next.time_ns));
        let along = (window(self.time_ns) - from) as f64;
        let (first, last) = (previous.value.as_float()?, next.value.as_float()?);
        let change = match (&previous.value, &next.value) {
            (Value::Integer(first), Value::Integer(last)) => last.wrapping_sub(*first) as f64,
            (Value::Unsigned(first), Value::Unsigned(last)) => last.wrapping_sub(*first) as f64,
            _ => last - first,
        };
        let value = change / (to - from) as f64 * along + first;
        match self.input.data_type {
            DataType::Float => Some(Value::Float(value)),
            DataType::Integer => Some(Value::Integer(integer_of(value))),
            DataType::Unsigned => Value::Float(value).try_cast(DataType::Unsigned),
            _ => None,
        }
    }

    /// Goes to the next window, over a change of the zone's offset if there is one.
    fn move_on(&mut self) {
        let interval_ns = self.options.interval_ns;
        let step_ns = if self.options.ascending { interval_ns } else { -interval_ns };
        self.time_ns = self.time_ns.saturating_add(step_ns);
        let Some(before_ns) = self.zone_ns else { return };
        let now_ns = self.options.zone_offset(self.time_ns.wrapping_sub(1));
        if let Some(now_ns) = now_ns.filter(|now_ns| *now_ns != before_ns) {
            let change_ns = before_ns - now_ns;
            if change_ns.abs() < interval_ns {
                self.time_ns += change_ns;
            }
            self.zone_ns = Some(now_ns);
        }
    }
}
