//! Functions on instants and on which rows stay: `timeShift`, `truncateTimeColumn`, `today`,
//! `hourSelection`, `unique`, `sample`.

use std::collections::HashSet;
use std::sync::Arc;

use super::location::location;
use super::{Builtin, Call, optional, piped, required};
use crate::flux::duration::Duration;
use crate::flux::error::FluxError;
use crate::flux::scalar_key::ScalarKey;
use crate::flux::stream::Bounds;
use crate::flux::table::{Cells, Column, Data, GroupKey, Table};
use crate::flux::time::split_day;
use crate::flux::value::{ColumnType, Value};
use crate::flux::window::{Location, Windows};

pub(super) const BUILTINS: &[Builtin] = &[
    Builtin {
        package: "",
        name: "timeShift",
        parameters: &[piped("tables"), required("duration"), optional("columns")],
        run: time_shift,
    },
    Builtin {
        package: "",
        name: "truncateTimeColumn",
        parameters: &[piped("tables"), required("unit"), optional("timeColumn")],
        run: truncate_time_column,
    },
    Builtin { package: "", name: "today", parameters: &[], run: today },
    Builtin {
        package: "",
        name: "hourSelection",
        parameters: &[
            piped("tables"),
            required("start"),
            required("stop"),
            optional("location"),
            optional("timeColumn"),
        ],
        run: hour_selection,
    },
    Builtin {
        package: "",
        name: "unique",
        parameters: &[piped("tables"), optional("column")],
        run: unique,
    },
    Builtin {
        package: "",
        name: "sample",
        parameters: &[piped("tables"), required("n"), optional("pos"), optional("column")],
        run: sample,
    },
];

fn time_shift(call: &Call<'_>) -> Result<Value, FluxError> {
    let by = call.duration("duration")?.unwrap_or_default();
    let labels = call.strings("columns")?;
    let labels = labels.unwrap_or_else(|| ["_time", "_stop", "_start"].map(Arc::from).to_vec());
    let stream = call.stream("tables")?;
    let mut made = stream.regrouped(call.site, move |table| {
        let other = table
            .columns
            .iter()
            .find(|column| labels.contains(&column.label) && column.kind() != ColumnType::Time);
        if let Some(other) = other {
            let message = format!("column \"{}\" is not of type time", other.label);
            return Err(FluxError::new(message));
        }
        Ok(vec![with_times(table, &labels, |time_ns| by.after(time_ns))])
    })?;
    let shifted = |bounds: Bounds| Bounds {
        start_ns: by.after(bounds.start_ns),
        stop_ns: by.after(bounds.stop_ns),
    };
    made.bounds = stream.bounds.map(shifted);
    Ok(Value::Stream(made))
}

/// Changes all instants in some columns, in the group key as well.
fn with_times(mut table: Table, labels: &[Arc<str>], change: impl Fn(i64) -> i64) -> Table {
    for column in table.columns.iter_mut().filter(|column| labels.contains(&column.label)) {
        let data = match &column.data {
            Data::Repeat { value: Value::Time(time_ns), kind } => {
                Data::Repeat { value: Value::Time(change(*time_ns)), kind: *kind }
            }
            Data::Time(cells) => {
                if let Some(all) = cells.dense() {
                    Data::Time(Cells::new(all.iter().copied().map(&change).collect()))
                } else {
                    let cells = column.as_integers(table.rows).into_iter();
                    let cells = cells.map(|cell| cell.map(&change)).collect();
                    Data::Time(Cells::sparse(cells, &0))
                }
            }
            _ => continue,
        };
        column.data = data;
    }
    let key = table.key.entries().iter().map(|(label, value)| match value {
        Value::Time(time_ns) if labels.contains(label) => {
            (Arc::clone(label), Value::Time(change(*time_ns)))
        }
        value => (Arc::clone(label), value.clone()),
    });
    table.key = key.collect::<GroupKey>();
    table
}

/// Windows into which instants are cut.
fn cut(call: &Call<'_>, unit: Duration) -> Result<Windows, FluxError> {
    Windows::new(unit, unit, Duration::default(), location(call)?)
}

fn start_of(windows: &Windows, time_ns: i64) -> i64 {
    windows.of_instant(time_ns).last().map_or(time_ns, |bounds| bounds.start_ns)
}

fn truncate_time_column(call: &Call<'_>) -> Result<Value, FluxError> {
    let windows = cut(call, call.duration("unit")?.unwrap_or_default())?;
    // The server looks at `_time` whatever it is told.
    let label: Arc<str> = Arc::from("_time");
    let made = call.stream("tables")?.regrouped(call.site, move |table| {
        if table.column(&label).is_none() && table.rows > 0 {
            let message = "failed to evaluate map function: invalid is not Timeable";
            return Err(FluxError::new(message));
        }
        if table.rows == 0 {
            // To the server it is a `map`, which gives no table without a row.
            return Ok(Vec::new());
        }
        let columns = &table.columns;
        let has = |label: &str| columns.iter().any(|column| *column.label == *label);
        let key = table.key.without(|label| !has(label));
        let (table, labels) = (Table { key, ..table }, [Arc::clone(&label)]);
        Ok(vec![with_times(table, &labels, |time_ns| start_of(&windows, time_ns))])
    })?;
    Ok(Value::Stream(made))
}

fn today(call: &Call<'_>) -> Result<Value, FluxError> {
    let day = Duration::from_ns(86_400_000_000_000);
    let windows = cut(call, day)?;
    Ok(Value::Time(start_of(&windows, call.interpreter.now()?)))
}

fn hour_selection(call: &Call<'_>) -> Result<Value, FluxError> {
    let label = call.string_or("timeColumn", "_time")?;
    let location: Location = location(call)?;
    let hour = |name: &str| Ok(call.int(name)?.unwrap_or_default());
    let (start, stop) = (hour("start")?, hour("stop")?);
    let made = call.stream("tables")?.gathered(call.site, move |table| {
        for (name, hour) in [("start", start), ("stop", stop)] {
            if !(0..24).contains(&hour) {
                return Err(FluxError::new(format!("{name} must be between 0 and 23")));
            }
        }
        let column = table.column(&label).filter(|column| column.kind() == ColumnType::Time);
        let column = column.ok_or_else(|| FluxError::new("invalid time column"))?;
        let inside = |time_ns: i64| {
            let local_ns = location.offset.after(location.local_clock(time_ns));
            let hour = split_day(local_ns).1 / 3_600_000_000_000;
            if start <= stop {
                (start..=stop).contains(&hour)
            } else {
                hour >= start || hour <= stop
            }
        };
        let kept: Vec<usize> =
            (0..table.rows).filter(|row| column.time(*row).is_some_and(inside)).collect();
        Ok(table.take(&kept))
    })?;
    Ok(Value::Stream(made))
}

fn unique(call: &Call<'_>) -> Result<Value, FluxError> {
    let label = call.string_or("column", "_value")?;
    let made = call.stream("tables")?.gathered(call.site, move |table| {
        let missing = || FluxError::new(format!("no column \"{label}\" exists"));
        let column: &Column = table.column(&label).ok_or_else(missing)?;
        let mut seen = HashSet::new();
        let new = |row: &usize| seen.insert(ScalarKey::of(column, *row));
        let kept: Vec<usize> = (0..table.rows).filter(new).collect();
        Ok(table.take(&kept))
    })?;
    Ok(Value::Stream(made))
}

fn sample(call: &Call<'_>) -> Result<Value, FluxError> {
    let label = call.string_or("column", "_value")?;
    let given = call.int("n")?.unwrap_or_default();
    let n = usize::try_from(given)
        .ok()
        .filter(|n| *n > 0)
        .ok_or_else(|| FluxError::new(format!("n must be a positive integer, but was {given}")))?;
    let pos = call.int("pos")?.unwrap_or(-1);
    if pos >= given {
        return Err(FluxError::new(format!("pos must be less than n, but {pos} >= {given}")));
    }
    // Without a position the server draws one; the first is as good as any.
    let first = usize::try_from(pos).unwrap_or(0);
    let made = call.stream("tables")?.gathered(call.site, move |table| {
        let missing = || FluxError::new(format!("no column \"{label}\" exists"));
        table.column(&label).ok_or_else(missing)?;
        let kept: Vec<usize> = (first..table.rows).step_by(n).collect();
        Ok(table.take(&kept))
    })?;
    Ok(Value::Stream(made))
}
