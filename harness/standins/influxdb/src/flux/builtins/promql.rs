//! `internal/promql`: what queries translated from Prometheus stand on.
//!
//! Most functions make one value of each table and leave out tables that have too few points for
//! it.

mod buckets;

use std::sync::Arc;

use regex::Regex;

use super::{Builtin, Call, Parameter, Run, optional, piped, required};
use crate::flux::error::FluxError;
use crate::flux::stream::{Stream, Tables};
use crate::flux::table::{Column, ColumnBuilder, GroupKey, Table};
use crate::flux::time::{Clock, Date};
use crate::flux::value::{ColumnType, Value};

const TABLES: &[Parameter] = &[piped("tables")];
const TIMESTAMP: &[Parameter] = &[required("timestamp")];

const fn builtin(name: &'static str, parameters: &'static [Parameter], run: Run) -> Builtin {
    Builtin { package: "internal/promql", name, parameters, run }
}

pub(super) const BUILTINS: &[Builtin] = &[
    builtin("changes", TABLES, |call| {
        counted(call, |before, after| crate::flux::value::order_floats(before, after).is_ne())
    }),
    builtin("resets", TABLES, |call| counted(call, |before, after| after < before)),
    builtin("timestamp", TABLES, timestamp),
    builtin("instantRate", &[piped("tables"), optional("isRate")], instant_rate),
    builtin(
        "extrapolatedRate",
        &[piped("tables"), optional("isCounter"), optional("isRate")],
        extrapolated_rate,
    ),
    builtin(
        "linearRegression",
        &[piped("tables"), optional("predict"), optional("fromNow")],
        linear_regression,
    ),
    builtin(
        "holtWinters",
        &[piped("tables"), optional("smoothingFactor"), optional("trendFactor")],
        holt_winters,
    ),
    builtin(
        "labelReplace",
        &[
            piped("tables"),
            required("source"),
            required("destination"),
            required("regex"),
            required("replacement"),
        ],
        label_replace,
    ),
    builtin(
        "promHistogramQuantile",
        &[
            piped("tables"),
            optional("quantile"),
            optional("countColumn"),
            optional("upperBoundColumn"),
            optional("valueColumn"),
        ],
        buckets::histogram_quantile,
    ),
    builtin("emptyTable", &[], |call| Ok(Value::Stream(empty_table(call)))),
    builtin("promqlDayOfMonth", TIMESTAMP, |call| of_clock(call, |clock| clock.date.day)),
    builtin("promqlDayOfWeek", TIMESTAMP, |call| of_clock(call, |clock| clock.date.week_day())),
    builtin("promqlDaysInMonth", TIMESTAMP, |call| {
        of_clock(call, |clock| Date::days_in_month(clock.date))
    }),
    builtin("promqlHour", TIMESTAMP, |call| of_clock(call, |clock| clock.hour)),
    builtin("promqlMinute", TIMESTAMP, |call| of_clock(call, |clock| clock.minute)),
    builtin("promqlMonth", TIMESTAMP, |call| of_clock(call, |clock| clock.date.month)),
    builtin("promqlYear", TIMESTAMP, |call| of_clock(call, |clock| clock.date.year)),
];

/// Seconds as a float, to what a clock shows then.
fn of_clock(call: &Call<'_>, part: fn(&Clock) -> i64) -> Result<Value, FluxError> {
    let seconds = call.float("timestamp")?.unwrap_or_default();
    #[expect(clippy::cast_possible_truncation, reason = "the fraction of a nanosecond is cut off")]
    let time_ns = (seconds * 1e9) as i64;
    Ok(Value::Float(part(&Clock::of(time_ns)) as f64))
}

/// The points of a table without the nulls.
fn points(table: &Table) -> Result<Vec<(i64, f64)>, FluxError> {
    let times = table.required("_time")?;
    let values = floats(table)?;
    let rows = 0..table.rows;
    Ok(rows.filter_map(|row| times.time(row).zip(values[row])).collect())
}

fn floats(table: &Table) -> Result<Vec<Option<f64>>, FluxError> {
    let column = table.required("_value")?;
    match column.kind() {
        ColumnType::Float => Ok(column.as_floats(table.rows)),
        other => Err(FluxError::new(format!(
            "column \"_value\" is of type {}, expected float",
            other.word()
        ))),
    }
}

/// An end of the range, from the group key.
fn bound(table: &Table, label: &str) -> Result<i64, FluxError> {
    match table.key.get(label) {
        Some(Value::Time(time_ns)) => Ok(*time_ns),
        Some(_) => Err(FluxError::new(format!("{label} column is not of time type"))),
        None => Err(FluxError::new(format!("{label} column not found"))),
    }
}

/// Makes one value of each table, or none.
fn reduced(
    call: &Call<'_>,
    work: impl Fn(&Table) -> Result<Option<f64>, FluxError> + Send + Sync + 'static,
) -> Result<Value, FluxError> {
    let made = call.stream("tables")?.each(call.site, move |table| {
        let Some(value) = work(&table)? else { return Ok(Vec::new()) };
        let mut columns = table.key_columns();
        columns.push(Column::repeat(&Arc::from("_value"), Value::Float(value)));
        Ok(vec![Table::new(table.key.clone(), columns, 1)])
    })?;
    Ok(Value::Stream(made))
}

/// How often a value and the one before it pass a test.
fn counted(call: &Call<'_>, test: fn(f64, f64) -> bool) -> Result<Value, FluxError> {
    reduced(call, move |table| {
        let values: Vec<f64> = floats(table)?.into_iter().flatten().collect();
        let count = values.windows(2).filter(|pair| test(pair[0], pair[1])).count();
        Ok((!values.is_empty()).then_some(count as f64))
    })
}

fn seconds(ns: i64) -> f64 {
    ns as f64 / 1e9
}

/// The instants of the points as their values.
fn timestamp(call: &Call<'_>) -> Result<Value, FluxError> {
    let made = call.stream("tables")?.map(call.site, |mut table| {
        let times = match table.column("_time") {
            Some(times) => times,
            None => table.required("_stop")?,
        };
        table.required("_value")?;
        let values = (0..table.rows).map(|row| times.time(row).map(seconds)).collect();
        table.put(Column::floats(&Arc::from("_value"), values));
        Ok(table)
    })?;
    Ok(Value::Stream(made))
}

/// The change from the last value but one to the last.
fn instant_rate(call: &Call<'_>) -> Result<Value, FluxError> {
    let is_rate = call.bool_or("isRate", false)?;
    reduced(call, move |table| {
        let points = points(table)?;
        let [.., (before_ns, before), (after_ns, after)] = points[..] else { return Ok(None) };
        if before_ns == after_ns {
            return Ok(None);
        }
        // A counter that falls has begun anew.
        let change = if is_rate && after < before { after } else { after - before };
        Ok(Some(if is_rate { change / seconds(after_ns - before_ns) } else { change }))
    })
}

/// The change over the whole range, as far as its points tell.
fn extrapolated_rate(call: &Call<'_>) -> Result<Value, FluxError> {
    let is_counter = call.bool_or("isCounter", false)?;
    let is_rate = call.bool_or("isRate", false)?;
    reduced(call, move |table| {
        let (start_ns, stop_ns) = (bound(table, "_start")?, bound(table, "_stop")?);
        let points = points(table)?;
        let [(first_ns, first), .., (last_ns, last)] = points[..] else { return Ok(None) };
        let mut change = last - first;
        if is_counter {
            let falls = points.windows(2).filter(|pair| pair[1].1 < pair[0].1);
            change += falls.map(|pair| pair[0].1).sum::<f64>();
        }
        let sampled = (last_ns - first_ns) as f64;
        let average = sampled / (points.len() - 1) as f64;
        let mut to_start = (first_ns - start_ns) as f64;
        if is_counter && change > 0.0 && first >= 0.0 {
            // A counter was never below zero.
            to_start = to_start.min(sampled * (first / change));
        }
        let ends = [to_start, (stop_ns - last_ns) as f64];
        let near = |end: f64| if end < average * 1.1 { end } else { average / 2.0 };
        let covered = sampled + ends.map(near).iter().sum::<f64>();
        let change = change * (covered / sampled);
        Ok(Some(if is_rate { change / seconds(stop_ns - start_ns) } else { change }))
    })
}

/// The slope of the line that fits best, or where it will be.
fn linear_regression(call: &Call<'_>) -> Result<Value, FluxError> {
    let predict = call.bool_or("predict", false)?;
    let from_now = call.float("fromNow")?.unwrap_or_default();
    reduced(call, move |table| {
        let stop_ns = bound(table, "_stop")?;
        let points = points(table)?;
        if points.len() < 2 {
            return Ok(None);
        }
        let zero_ns = if predict { stop_ns } else { points[0].0 };
        let n = points.len() as f64;
        let (mut sum_x, mut sum_y, mut sum_xy, mut sum_xx) = (0.0, 0.0, 0.0, 0.0);
        for (time_ns, y) in points {
            let x = seconds(time_ns - zero_ns);
            sum_x += x;
            sum_y += y;
            sum_xy += x * y;
            sum_xx += x * x;
        }
        let slope = (sum_xy - sum_x * sum_y / n) / (sum_xx - sum_x * sum_x / n);
        let there = slope * from_now + (sum_y / n - slope * sum_x / n);
        Ok(Some(if predict { there } else { slope }))
    })
}

/// Smooths values and their trend.
fn holt_winters(call: &Call<'_>) -> Result<Value, FluxError> {
    let factor = |name: &str, word: &str, short: &str| {
        let factor = call.float(name)?.unwrap_or_default();
        if factor > 0.0 && factor < 1.0 {
            return Ok(factor);
        }
        Err(FluxError::internal(format!(
            "invalid {word} factor. Expected: 0 < {short} < 1, got: {factor:.6}"
        )))
    };
    let smoothing = factor("smoothingFactor", "smoothing", "sf")?;
    let trending = factor("trendFactor", "trend", "tf")?;
    reduced(call, move |table| {
        let values: Vec<f64> = points(table)?.into_iter().map(|(_, value)| value).collect();
        let [first, second, ..] = values[..] else { return Ok(None) };
        let (mut before, mut smooth, mut trend) = (0.0, first, second - first);
        for (at, value) in values[1..].iter().enumerate() {
            if at > 0 {
                trend = trending * (smooth - before) + (1.0 - trending) * trend;
            }
            let next = smoothing * value + (1.0 - smoothing) * (smooth + trend);
            (before, smooth) = (smooth, next);
        }
        Ok(Some(smooth))
    })
}

/// Sets a label to what a pattern finds in another.
fn label_replace(call: &Call<'_>) -> Result<Value, FluxError> {
    let source = call.string_or("source", "")?;
    let destination = call.string_or("destination", "")?;
    let pattern = call.string_or("regex", "")?;
    let replacement = call.string_or("replacement", "")?;
    let regex = Regex::new(&format!("^(?:{pattern})$")).map_err(|_| {
        FluxError::internal(format!("invalid regular expression in label_replace(): {pattern}"))
    })?;
    let made = call.stream("tables")?.all(call.site, move |tables| {
        let mut made: Vec<Table> = Vec::new();
        for table in tables {
            let value = table.required("_value")?.clone();
            let key = replaced(&table.key, (&source, &destination), (&regex, &replacement));
            if made.iter().any(|other| other.key == key) {
                let entries = table.key.entries().iter();
                let entries: Vec<String> =
                    entries.map(|(label, value)| format!("{label}={value}")).collect();
                return Err(FluxError::internal(format!(
                    "labelReplace found duplicate table with key: {{{}}}",
                    entries.join(",")
                )));
            }
            let keyed = key.entries().iter();
            let keyed = keyed.map(|(label, value)| Column::repeat(label, value.clone()));
            let columns = keyed.chain([value]).collect();
            made.push(Table::new(key, columns, table.rows));
        }
        Ok(made)
    })?;
    Ok(Value::Stream(made))
}

/// A group key with one label made of another.
fn replaced(
    key: &GroupKey,
    (source, destination): (&str, &Arc<str>),
    (regex, replacement): (&Regex, &str),
) -> GroupKey {
    let own = match key.get(source) {
        Some(Value::String(own)) => Arc::clone(own),
        _ => Arc::from(""),
    };
    let Some(found) = regex.captures(&own) else { return key.clone() };
    let mut text = String::new();
    found.expand(replacement, &mut text);
    let others = key.without(|label| *label == **destination);
    if text.is_empty() { others } else { others.with(destination, Value::string(&text)) }
}

fn empty_table(call: &Call<'_>) -> Stream {
    Stream::source(&call.interpreter.execution, call.site, || {
        // The ends of the range are the server's zero of time, which no column can hold.
        let ends = ["_start", "_stop"].map(|label| (Arc::from(label), Value::Time(i64::MIN)));
        let key: GroupKey = ends.into_iter().collect();
        let kinds = [
            ("_start", ColumnType::Time),
            ("_stop", ColumnType::Time),
            ("_time", ColumnType::Time),
            ("_value", ColumnType::Float),
        ];
        let columns = kinds.map(|(label, kind)| ColumnBuilder::new(&Arc::from(label), kind));
        let columns = columns.map(ColumnBuilder::finish).into_iter().collect();
        Ok(Box::new(std::iter::once(Ok(Table::new(key, columns, 0)))) as Tables)
    })
}
