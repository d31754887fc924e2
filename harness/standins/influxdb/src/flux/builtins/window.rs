//! `window` and `aggregateWindow`.
//!
//! `aggregateWindow` with an aggregate or selector of this table's own works on the rows of each
//! window in place; with a function of the script it is the composition that Flux defines it as.

use std::ops::Range;
use std::sync::Arc;

use super::aggregate::{Aggregate, checked_column};
use super::columns::duplicate_column;
use super::group::merge;
use super::location::{LOCATION, location};
use super::select::Selector;
use super::{Builtin, Call, optional, piped, required};
use crate::flux::ast::{Body, Expr, ExprKind, Name, Parameter};
use crate::flux::duration::Duration;
use crate::flux::error::FluxError;
use crate::flux::interpreter::{Function, Lambda};
use crate::flux::stream::{Bounds, InStore, Site, Stream};
use crate::flux::table::{Cells, Column, ColumnBuilder, Data, Table};
use crate::flux::value::{ColumnType, Value};
use crate::flux::window::{Location, Windows};

pub(super) const BUILTINS: &[Builtin] = &[
    Builtin {
        package: "",
        name: "window",
        parameters: &[
            piped("tables"),
            optional("every"),
            optional("period"),
            optional("offset"),
            LOCATION,
            optional("timeColumn"),
            optional("startColumn"),
            optional("stopColumn"),
            optional("createEmpty"),
        ],
        run: window,
    },
    Builtin {
        package: "",
        name: "aggregateWindow",
        parameters: &[
            piped("tables"),
            required("every"),
            optional("period"),
            required("fn"),
            optional("offset"),
            LOCATION,
            optional("column"),
            optional("timeSrc"),
            optional("timeDst"),
            optional("createEmpty"),
        ],
        run: aggregate_window,
    },
];

/// What `window` does to each table.
#[derive(Clone, Debug)]
struct Windowing {
    windows: Windows,
    range: Bounds,
    time: Arc<str>,
    start: Arc<str>,
    stop: Arc<str>,
    create_empty: bool,
}

/// Some rows of a table.
enum RowSet {
    Run(Range<usize>),
    Scattered(Vec<usize>),
}

/// The first row from `from` on whose instant is not before `stop_ns`. It is looked for in growing
/// steps, as most windows are short.
fn end_of_run(times: &[i64], from: usize, stop_ns: i64) -> usize {
    let mut step = 1;
    let mut low = from;
    while times.get(low + step).is_some_and(|time_ns| *time_ns < stop_ns) {
        low += step;
        step *= 2;
    }
    let high = (low + step).min(times.len());
    low + times[low..high].partition_point(|time_ns| *time_ns < stop_ns)
}

fn windows_of(call: &Call<'_>) -> Result<Windows, FluxError> {
    let every = call.duration("every")?.unwrap_or_default();
    let period = call.duration("period")?.filter(|period| !period.is_zero());
    let every = if every.is_zero() { period.unwrap_or_default() } else { every };
    let offset = call.duration("offset")?.unwrap_or_default();
    if every.is_zero() {
        return Err(FluxError::new(
            "window function requires at least one of \"every\" or \"period\" to be set and \
             non-zero",
        ));
    }
    Windows::new(every, period.unwrap_or(every), offset, location(call)?)
}

fn bounds_of(stream: &Stream) -> Result<Bounds, FluxError> {
    stream.bounds.ok_or_else(|| match &stream.read {
        Some(read) => read.unbounded(),
        None => FluxError::new("nil bounds passed to window; use range to set the window range"),
    })
}

fn window(call: &Call<'_>) -> Result<Value, FluxError> {
    let stream = call.stream("tables")?;
    let windowing = Windowing {
        windows: windows_of(call)?,
        range: bounds_of(&stream)?,
        time: call.string_or("timeColumn", "_time")?,
        start: call.string_or("startColumn", "_start")?,
        stop: call.string_or("stopColumn", "_stop")?,
        create_empty: call.bool_or("createEmpty", false)?,
    };
    Ok(Value::Stream(windowed(&stream, call.site, windowing)?))
}

fn windowed(stream: &Stream, site: Site, windowing: Windowing) -> Result<Stream, FluxError> {
    let execution = Arc::clone(stream.execution());
    stream.all(site, move |tables| {
        let mut made = Vec::new();
        for table in tables {
            execution.check_room(windowing.room(table.rows))?;
            made.extend(windowing.split(&table)?);
        }
        merge(made)
    })
}

impl Windowing {
    /// The windows of a table, each with its rows.
    fn assign(&self, table: &Table) -> Result<Vec<(Bounds, RowSet)>, FluxError> {
        let times = table
            .column(&self.time)
            .ok_or_else(|| FluxError::new(format!("missing time column \"{}\"", self.time)))?;
        if self.windows.is_infinite() {
            return Ok(vec![(self.range, RowSet::Run(0..table.rows))]);
        }
        if let Data::Time(cells) = &times.data
            && let Some(times) = cells.dense()
            && self.windows.tile()
            && times.is_sorted()
        {
            return Ok(if self.create_empty { self.all_runs(times) } else { self.runs(times) });
        }
        Ok(self.scattered(times, table.rows))
    }

    /// The windows of sorted instants; those without any are left out.
    fn runs(&self, times: &[i64]) -> Vec<(Bounds, RowSet)> {
        let mut assigned = Vec::new();
        let mut row = 0;
        while let Some(time_ns) = times.get(row) {
            let Some(bounds) = self.windows.of_instant(*time_ns).first().copied() else {
                row += 1;
                continue;
            };
            let to = end_of_run(times, row, bounds.stop_ns);
            assigned.push((bounds.clipped_to(self.range), RowSet::Run(row..to)));
            row = to;
        }
        assigned
    }

    /// All windows of the range with their part of sorted instants.
    fn all_runs(&self, times: &[i64]) -> Vec<(Bounds, RowSet)> {
        let mut row = 0;
        let windows = self.windows.overlapping(self.range).into_iter().map(|bounds| {
            let from = row;
            row = end_of_run(times, row, bounds.stop_ns);
            (bounds.clipped_to(self.range), RowSet::Run(from..row))
        });
        windows.collect()
    }

    /// The windows of instants in any order, which may lie in several windows or in none.
    fn scattered(&self, times: &Column, rows: usize) -> Vec<(Bounds, RowSet)> {
        let mut assigned: Vec<(Bounds, Vec<usize>)> = Vec::new();
        if self.create_empty {
            let all = self.windows.overlapping(self.range).into_iter();
            assigned.extend(all.map(|bounds| (bounds.clipped_to(self.range), Vec::new())));
        }
        let mut last: Option<(Bounds, usize)> = None;
        for row in 0..rows {
            let Some(time_ns) = times.time(row) else { continue };
            if let Some((bounds, at)) = last
                && self.windows.tile()
                && bounds.contains(time_ns)
            {
                assigned[at].1.push(row);
                continue;
            }
            for bounds in self.windows.of_instant(time_ns) {
                let clipped = bounds.clipped_to(self.range);
                let at = assigned.partition_point(|(own, _)| {
                    (own.start_ns, own.stop_ns) < (clipped.start_ns, clipped.stop_ns)
                });
                if assigned.get(at).is_none_or(|(own, _)| *own != clipped) {
                    assigned.insert(at, (clipped, Vec::new()));
                }
                assigned[at].1.push(row);
                last = Some((bounds, at));
            }
        }
        assigned.into_iter().map(|(bounds, rows)| (bounds, RowSet::Scattered(rows))).collect()
    }

    fn split(&self, table: &Table) -> Result<Vec<Table>, FluxError> {
        let parts = self.assign(table)?.into_iter().map(|(bounds, rows)| {
            let mut part = match rows {
                RowSet::Run(run) => table.clone().slice(run.start, run.end),
                RowSet::Scattered(rows) => table.take(&rows),
            };
            for (label, time_ns) in [(&self.start, bounds.start_ns), (&self.stop, bounds.stop_ns)] {
                part.key = part.key.with(label, Value::Time(time_ns));
                part.put(Column::repeat(label, Value::Time(time_ns)));
            }
            part
        });
        Ok(parts.collect())
    }
}

/// What a window becomes.
enum Reduction {
    Aggregate(Aggregate),
    Selector(Selector),
    Function(Lambda),
}

fn aggregate_window(call: &Call<'_>) -> Result<Value, FluxError> {
    let stream = call.stream("tables")?;
    let range = bounds_of(&stream)?;
    let column = call.string_or("column", "_value")?;
    let time_source = call.string_or("timeSrc", "_stop")?;
    let time_target = call.string_or("timeDst", "_time")?;
    let create_empty = call.bool_or("createEmpty", true)?;
    let windowing = Windowing {
        windows: windows_of(call)?,
        range,
        time: Arc::from("_time"),
        start: Arc::from("_start"),
        stop: Arc::from("_stop"),
        create_empty,
    };
    let lambda = call.required_lambda("fn")?;
    let direct = matches!(&*time_source, "_start" | "_stop") && &*time_target == "_time";
    let function = passed_on(&lambda).unwrap_or_else(|| Arc::clone(&lambda.function));
    let reduction = match Aggregate::of_function(&function) {
        Some(aggregate) if direct => Reduction::Aggregate(aggregate),
        _ => match Selector::of_function(&function) {
            Some(selector) if direct => Reduction::Selector(selector),
            _ => Reduction::Function(lambda),
        },
    };
    let use_start = &*time_source == "_start";
    let execution = Arc::clone(stream.execution());
    let made = match reduction {
        Reduction::Aggregate(aggregate) => {
            let work = move |table: Table| {
                execution.check_room(windowing.room(table.rows))?;
                windowing.aggregate(&table, &column, aggregate, use_start)
            };
            match aggregate.in_store() {
                InStore::Possible => stream.map(call.site, work)?,
                InStore::Never => stream.gathered(call.site, work)?,
            }
        }
        Reduction::Selector(selector) => {
            stream.reduced(call.site, InStore::Possible, move |table| {
                execution.check_room(windowing.room(table.rows))?;
                windowing.select(&table, &column, selector, use_start)
            })?
        }
        Reduction::Function(lambda) => {
            compose(call, &stream, windowing, &lambda, [column, time_source, time_target])?
        }
    };
    Ok(Value::Stream(made))
}

/// The function that a function of the script calls with the tables and the column that it is given
/// and with nothing else: `(tables=<-, column) => tables |> mean(column: column)`.
fn passed_on(lambda: &Lambda) -> Option<Arc<Function>> {
    let Function::Own { expr, env } = &*lambda.function else { return None };
    let Body::Expression(Expr { kind: ExprKind::Pipe { source, call }, .. }) = &expr.body else {
        return None;
    };
    let ExprKind::Call { callee, arguments } = &call.kind else { return None };
    let (tables, column) = match expr.parameters.as_slice() {
        [Parameter { name: tables, piped: true, .. }, Parameter { name: column, .. }]
        | [Parameter { name: column, .. }, Parameter { name: tables, piped: true, .. }] => {
            (tables, column)
        }
        _ => return None,
    };
    let is =
        |expr: &Expr, name: &Name| matches!(&expr.kind, ExprKind::Identifier(own) if own == name);
    let [argument] = arguments.as_slice() else { return None };
    let passes = is(source, tables)
        && &**column == "column"
        && &*argument.key == "column"
        && is(&argument.value, column);
    match &callee.kind {
        ExprKind::Identifier(_) if passes && !is(callee, tables) && !is(callee, column) => {}
        _ => return None,
    }
    match lambda.interpreter.eval(callee, env.as_ref()) {
        Ok(Value::Function(function)) => Some(function),
        _ => None,
    }
}

impl Windowing {
    /// How much will be made, at most: empty windows, and rows that are in several windows.
    fn room(&self, rows: usize) -> u64 {
        if self.windows.is_infinite() {
            return 0;
        }
        let empty = if self.create_empty { self.windows.estimate(self.range) } else { 0 };
        let instant = Bounds { start_ns: 0, stop_ns: 1 };
        // Two more windows than a row is in are within what the estimate is off.
        let repeats = self.windows.estimate(instant).saturating_sub(3);
        empty.saturating_add(repeats.saturating_mul(rows as u64))
    }

    fn aggregate(
        &self,
        table: &Table,
        label: &Arc<str>,
        aggregate: Aggregate,
        use_start: bool,
    ) -> Result<Table, FluxError> {
        let column = checked_column(table, label)?;
        let kind = aggregate.result_type(column.kind())?;
        let mut values = ColumnBuilder::new(label, kind);
        let mut times = Vec::new();
        for (bounds, rows) in self.assign(table)? {
            values.push(match rows {
                RowSet::Run(run) => aggregate.compute(column, run)?,
                RowSet::Scattered(rows) => aggregate.compute(column, rows.into_iter())?,
            })?;
            times.push(if use_start { bounds.start_ns } else { bounds.stop_ns });
        }
        let keyed = table.columns.iter().filter(|column| table.key.contains(&column.label));
        let columns = keyed.cloned().chain([values.finish()]).collect();
        let rows = times.len();
        let mut made = Table::new(table.key.clone(), columns, rows);
        made.put(Column::new(&self.time, Data::Time(Cells::new(times))));
        Ok(self.whole_range(made))
    }

    fn select(
        &self,
        table: &Table,
        label: &Arc<str>,
        selector: Selector,
        use_start: bool,
    ) -> Result<Table, FluxError> {
        let column = table.required(label)?;
        let mut chosen = Vec::new();
        let mut times = Vec::new();
        for (bounds, rows) in self.assign(table)? {
            let row = match rows {
                RowSet::Run(run) => selector.choose(column, run)?,
                RowSet::Scattered(rows) => selector.choose(column, rows.into_iter())?,
            };
            if row.is_some() || self.create_empty {
                chosen.push(row);
                times.push(if use_start { bounds.start_ns } else { bounds.stop_ns });
            }
        }
        let columns = table.columns.iter().map(|column| {
            if table.key.contains(&column.label) {
                return Ok(column.clone());
            }
            let mut builder = ColumnBuilder::new(&column.label, column.kind());
            for row in &chosen {
                match row {
                    Some(row) => builder.push(column.value(*row))?,
                    None => builder.push_null(),
                }
            }
            Ok(builder.finish())
        });
        let columns = columns.collect::<Result<Vec<_>, FluxError>>()?;
        let rows = times.len();
        let mut made = Table::new(table.key.clone(), columns, rows);
        made.put(Column::new(&self.time, Data::Time(Cells::new(times))));
        Ok(self.whole_range(made))
    }

    /// Windows end as one: `_start` and `_stop` become those of the range.
    fn whole_range(&self, mut table: Table) -> Table {
        let ends = [(&self.start, self.range.start_ns), (&self.stop, self.range.stop_ns)];
        for (label, time_ns) in ends {
            table.key = table.key.with(label, Value::Time(time_ns));
            table.put(Column::repeat(label, Value::Time(time_ns)));
        }
        table
    }
}

/// `window |> fn |> fill |> duplicate |> window(every: inf)`.
fn compose(
    call: &Call<'_>,
    stream: &Stream,
    windowing: Windowing,
    lambda: &Lambda,
    [column, time_source, time_target]: [Arc<str>; 3],
) -> Result<Stream, FluxError> {
    let create_empty = windowing.create_empty;
    let unbounded = Windowing {
        windows: Windows::new(
            Duration::INFINITE,
            Duration::INFINITE,
            Duration::default(),
            Location::UTC,
        )?,
        time: Arc::clone(&time_target),
        create_empty: false,
        ..windowing.clone()
    };
    let windows = windowed(stream, call.site, windowing)?;
    let arguments = vec![
        (Arc::from("tables"), Value::Stream(windows)),
        (Arc::from("column"), Value::String(column)),
    ];
    let reduced = match lambda.interpreter.call_piped(lambda, arguments)? {
        Value::Stream(stream) => stream,
        other => {
            let found = other.type_word();
            return Err(FluxError::new(format!("expected stream but found {found} (argument fn)")));
        }
    };
    let stamped = reduced.map(call.site, move |mut table| {
        if table.rows == 0 && create_empty {
            table = null_row(&table);
        }
        duplicate_column(table, &time_source, &time_target)
    })?;
    windowed(&stamped, call.site, unbounded)
}

/// A table with one row in which everything but the group key is null.
fn null_row(table: &Table) -> Table {
    let columns = table.columns.iter().map(|column| {
        let kind: ColumnType = column.kind();
        let value = table.key.get(&column.label).cloned().unwrap_or(Value::Null(Some(kind)));
        Column::new(&column.label, Data::Repeat { value, kind })
    });
    Table::new(table.key.clone(), columns.collect(), 1)
}
