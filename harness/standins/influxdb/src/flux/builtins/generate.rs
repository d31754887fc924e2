//! Tables and points that are made, not read: `generate.from` and `interpolate.linear`.

use std::sync::Arc;

use super::date::timeable;
use super::{Builtin, Call, piped, required};
use crate::flux::duration::Duration;
use crate::flux::error::FluxError;
use crate::flux::stream::{Execution, Stream, Tables};
use crate::flux::table::{Cells, Column, ColumnBuilder, Data, GroupKey, Table};
use crate::flux::value::{ColumnType, Value};
use crate::flux::window::{Location, Windows};

pub(super) const BUILTINS: &[Builtin] = &[
    Builtin {
        package: "generate",
        name: "from",
        parameters: &[required("start"), required("stop"), required("count"), required("fn")],
        run: from,
    },
    Builtin {
        package: "interpolate",
        name: "linear",
        parameters: &[piped("tables"), required("every")],
        run: linear,
    },
];

/// Points at equal distances whose values a function gives.
fn from(call: &Call<'_>) -> Result<Value, FluxError> {
    let (start_ns, stop_ns) = (timeable(call, "start")?, timeable(call, "stop")?);
    let count = call.int("count")?.unwrap_or_default();
    if count == 0 {
        return Err(FluxError::internal("panic: runtime error: integer divide by zero"));
    }
    let lambda = call.lambda_of("fn", &["n"])?;
    call.interpreter.execution.check_room(count.max(0).unsigned_abs().saturating_mul(2))?;
    let stream = Stream::source(&call.interpreter.execution, call.site, move || {
        let step_ns = stop_ns.saturating_sub(start_ns) / count;
        let mut values = ColumnBuilder::new(&Arc::from("_value"), ColumnType::Int);
        let mut times = Vec::new();
        for n in 0..count.max(0) {
            times.push(start_ns.saturating_add(step_ns.saturating_mul(n)));
            match lambda.call(vec![(Arc::from("n"), Value::Int(n))])? {
                value @ Value::Int(_) => values.push(value)?,
                other => {
                    let found = other.type_word();
                    let message = format!("function must return type integer, but got {found}");
                    return Err(FluxError::new(message));
                }
            }
        }
        let rows = times.len();
        let times = Column::new(&Arc::from("_time"), Data::Time(Cells::new(times)));
        // The server has the range in the group key alone and so shows it nowhere.
        let table = Table::new(GroupKey::default(), vec![times, values.finish()], rows);
        Ok(Box::new(std::iter::once(Ok(table))) as Tables)
    });
    Ok(Value::Stream(stream))
}

/// Adds points on the line between two points, at regular instants.
fn linear(call: &Call<'_>) -> Result<Value, FluxError> {
    let every = call.duration("every")?.unwrap_or_default();
    let windows = Windows::new(every, every, Duration::default(), Location::UTC)?;
    let execution = Arc::clone(&call.interpreter.execution);
    let made = call
        .stream("tables")?
        .map(call.site, move |table| interpolated(&table, &windows, &execution))?;
    Ok(Value::Stream(made))
}

fn interpolated(
    table: &Table,
    windows: &Windows,
    execution: &Execution,
) -> Result<Table, FluxError> {
    let plain = |label: &str| table.key.contains(label) || matches!(label, "_time" | "_value");
    if let Some(other) = table.columns.iter().find(|column| !plain(&column.label)) {
        return Err(FluxError::new(format!(
            "interpolate.linear requires column \"{}\" to be in group key",
            other.label
        )));
    }
    let column = |label: &str| {
        let missing = || FluxError::new(format!("{label} column does not exist"));
        table.column(label).ok_or_else(missing)
    };
    let (times, values) = (column("_time")?, column("_value")?);
    if values.kind() != ColumnType::Float {
        let kind = values.kind().word();
        let message = format!("cannot interpolate {kind} values; expected float values");
        return Err(FluxError::new(message));
    }
    let mut points: Vec<(i64, f64)> = Vec::new();
    for row in 0..table.rows {
        let null =
            |label| FluxError::new(format!("null {label} found during linear interpolation"));
        let time_ns = times.time(row).ok_or_else(|| null("_time"))?;
        let Value::Float(value) = values.value(row) else { return Err(null("_value")) };
        if let Some(&before) = points.last() {
            add_between(&mut points, before, (time_ns, value), (windows, execution))?;
        }
        points.push((time_ns, value));
    }
    let rows = points.len();
    let (times, values): (Vec<i64>, Vec<f64>) = points.into_iter().unzip();
    let mut made = Table::new(table.key.clone(), table.columns.clone(), rows);
    made.put(Column::new(&Arc::from("_time"), Data::Time(Cells::new(times))));
    made.put(Column::new(&Arc::from("_value"), Data::Float(Cells::new(values))));
    Ok(made)
}

fn add_between(
    points: &mut Vec<(i64, f64)>,
    before: (i64, f64),
    after: (i64, f64),
    (windows, execution): (&Windows, &Execution),
) -> Result<(), FluxError> {
    let span_ns = after.0.saturating_sub(before.0);
    let slope = (after.1 - before.1) / span_ns as f64;
    let mut time_ns = windows.latest(before.0).stop_ns;
    while time_ns < after.0 {
        execution.check_room(points.len() as u64 * 2)?;
        points.push((time_ns, before.1 + slope * time_ns.saturating_sub(before.0) as f64));
        let next_ns = windows.next_start(time_ns);
        if next_ns <= time_ns {
            break;
        }
        time_ns = next_ns;
    }
    Ok(())
}
