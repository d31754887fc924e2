//! `aggregateWindow`.
//!
//! With an aggregate or selector of the stand-in's own it works on the rows of each window in
//! place; with a function of the script it is the composition that Flux defines it as.

use std::sync::Arc;

use super::aggregate::{Aggregate, checked_column};
use super::columns::duplicate_column;
use super::group::merge;
use super::location::LOCATION;
use super::select::Selector;
use super::window::{RowSet, Windowing, bounds_of, windowed, windows_of};
use super::{Builtin, Call, optional, piped, required};
use crate::flux::ast::{Body, Expr, ExprKind, Name, Parameter};
use crate::flux::duration::Duration;
use crate::flux::error::FluxError;
use crate::flux::interpreter::{Function, Lambda};
use crate::flux::stream::{Bounds, InStore, Site, Stream};
use crate::flux::table::{Cells, Column, ColumnBuilder, Data, Table};
use crate::flux::value::{ColumnType, Value};
use crate::flux::window::{Location, Windows};

pub(super) const BUILTINS: &[Builtin] = &[Builtin {
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
}];

/// What a window becomes.
enum Reduction {
    Aggregate(Aggregate),
    Selector(Selector),
    Function(Lambda),
}

impl Reduction {
    /// What the stand-in does itself.
    fn of_function(function: &Function) -> Option<Self> {
        let aggregate = Aggregate::of_function(function).map(Self::Aggregate);
        aggregate.or_else(|| Selector::of_function(function).map(Self::Selector))
    }
}

fn aggregate_window(call: &Call<'_>) -> Result<Value, FluxError> {
    let stream = call.stream("tables")?;
    let range = bounds_of(&stream)?;
    let column = call.string_or("column", "_value")?;
    let time_source = call.string_or("timeSrc", "_stop")?;
    let time_target = call.string_or("timeDst", "_time")?;
    let create_empty = call.bool_or("createEmpty", true)?;
    let windowing = Windowing {
        windows: windows_of(call).map_err(FluxError::in_window)?,
        range,
        time: Arc::from("_time"),
        start: Arc::from("_start"),
        stop: Arc::from("_stop"),
        create_empty,
    };
    let lambda = call.required_lambda("fn")?;
    let inner = inner_call(&lambda).unwrap_or(call.site);
    let direct = matches!(&*time_source, "_start" | "_stop") && &*time_target == "_time";
    let function = passed_on(&lambda).unwrap_or_else(|| Arc::clone(&lambda.function));
    let own = Reduction::of_function(&function).filter(|_| direct);
    let reduction = own.unwrap_or(Reduction::Function(lambda));
    let of_store = stream.read.is_some() && &*column == "_value";
    let of_store = of_store && windowing.windows.are_for_store();
    // The store gives the chosen values without their times.
    let timeless = create_empty && of_store && Selector::of_function(&function).is_some();
    let use_start = &*time_source == "_start";
    let in_pieces = stream.is_in_pieces();
    let execution = Arc::clone(stream.execution());
    let made = match reduction {
        Reduction::Aggregate(aggregate) => {
            let own = windowing.clone();
            let work = move |table: Table| {
                windowing.check_times(&table, aggregate.in_store(), in_pieces)?;
                execution.check_room(windowing.room(table.rows))?;
                let kind = table.column(&column).map(Column::kind);
                let made = windowing.aggregate(&table, &column, aggregate, use_start);
                let unknown = kind.is_none_or(|kind| aggregate.result_type(kind).is_ok());
                made.map_err(|error| match aggregate.in_store() {
                    InStore::Possible if of_store && !unknown => error.in_store(),
                    InStore::Possible => error,
                    InStore::Never => error.in_run(inner.function, inner.span),
                })
            };
            match aggregate.in_store() {
                InStore::Possible => stream.unordered().map(call.site.planned(), work)?,
                InStore::Never => {
                    let stream = over_range(&stream, call.site, &own)?;
                    with_rows(&stream.gathered(call.site, work)?, call.site)?
                }
            }
        }
        Reduction::Selector(selector) => {
            let (in_store, stream) = if of_store {
                (InStore::Possible, stream)
            } else {
                (InStore::Never, over_range(&stream, call.site, &windowing)?)
            };
            let chosen = stream.reduced(call.site, in_store, move |table| {
                windowing.check_times(&table, InStore::Never, in_pieces)?;
                execution.check_room(windowing.room(table.rows))?;
                windowing.select(&table, &column, selector, use_start)
            })?;
            with_rows(&chosen, call.site)?
        }
        Reduction::Function(lambda) => {
            let labels = [column, time_source, time_target];
            let composition = Composition { windowing, lambda, labels, timeless };
            composition.stream(call, &stream)?
        }
    };
    Ok(Value::Stream(made))
}

/// The tables with the range of the windows in their keys, those of one key put together: windows
/// do not go by the bounds that a table had.
fn over_range(stream: &Stream, site: Site, windowing: &Windowing) -> Result<Stream, FluxError> {
    let windowing = windowing.clone();
    stream.all(site, move |tables| {
        let whole = |table: &Table| {
            let is = |label: &str, time_ns| {
                table.key.get(label).is_some_and(|own| own.same_scalar(&Value::Time(time_ns)))
            };
            is("_start", windowing.range.start_ns) && is("_stop", windowing.range.stop_ns)
        };
        if tables.iter().all(whole) {
            return Ok(tables);
        }
        merge(tables.into_iter().map(|table| windowing.whole_range(table)).collect())
    })
}

/// The tables that have rows: where there is no window, there is no table.
fn with_rows(stream: &Stream, site: Site) -> Result<Stream, FluxError> {
    stream.each(site, |table| Ok(if table.rows > 0 { vec![table] } else { Vec::new() }))
}

/// Where a function of the script calls the function that it passes the windows on to.
fn inner_call(lambda: &Lambda) -> Option<Site> {
    let Function::Own { expr, .. } = &*lambda.function else { return None };
    let Body::Expression(Expr { kind: ExprKind::Pipe { call, .. }, .. }) = &expr.body else {
        return None;
    };
    match &*passed_on(lambda)? {
        Function::Builtin(builtin) => Some(Site::new(builtin.name, call.span)),
        Function::Own { .. } => None,
    }
}

/// The function that a function of the script calls with the tables and the column that it is given
/// and with nothing else: `(tables=<-, column) => tables |> mean(column: column)`.
fn passed_on(lambda: &Lambda) -> Option<Arc<Function>> {
    let Function::Own { expr, env } = &*lambda.function else { return None };
    let Body::Expression(Expr { kind: ExprKind::Pipe { source, call }, .. }) = &expr.body else {
        return None;
    };
    let ExprKind::Call { callee, arguments } = &call.kind else { return None };
    let ([Parameter { name: tables, piped: true, .. }, Parameter { name: column, .. }]
    | [Parameter { name: column, .. }, Parameter { name: tables, piped: true, .. }]) =
        expr.parameters.as_slice()
    else {
        return None;
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
    /// Refuses a table without times. The server's own windows say so in other words than the
    /// `window` that stands before other functions.
    fn check_times(
        &self,
        table: &Table,
        in_store: InStore,
        in_pieces: bool,
    ) -> Result<(), FluxError> {
        if table.column(&self.time).is_some() {
            return Ok(());
        }
        match in_store {
            InStore::Possible => Err(FluxError::new(format!("no time column: {}", self.time))),
            InStore::Never => match self.assign(table) {
                Err(error) if in_pieces => Err(error.in_store()),
                assigned => assigned.map(|_| ()),
            },
        }
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
        let label_of = |bounds: Bounds| if use_start { bounds.start_ns } else { bounds.stop_ns };
        let windows = match aggregate.in_store() {
            InStore::Possible => self.assign_apart(table, label_of)?,
            InStore::Never => {
                let assigned = self.assign(table)?.into_iter();
                assigned.map(|(bounds, rows)| (bounds, Some(rows))).collect()
            }
        };
        for (bounds, rows) in windows {
            values.push(match rows {
                Some(RowSet::Run(run)) => aggregate.compute(column, run)?,
                Some(RowSet::Scattered(rows)) => aggregate.compute(column, rows.into_iter())?,
                None => aggregate.compute(column, std::iter::empty())?,
            })?;
            times.push(label_of(bounds));
        }
        let columns = table.key_columns().into_iter().chain([values.finish()]).collect();
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
            if let Some(value) = table.key.get(&column.label) {
                let (value, kind) = (value.clone(), column.kind());
                return Ok(Column::new(&column.label, Data::Repeat { value, kind }));
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
struct Composition {
    windowing: Windowing,
    lambda: Lambda,
    /// The column, and what its time is taken from and goes to.
    labels: [Arc<str>; 3],
    /// Whether what the function gives has no times.
    timeless: bool,
}

impl Composition {
    fn stream(self, call: &Call<'_>, stream: &Stream) -> Result<Stream, FluxError> {
        let Self { windowing, mut lambda, labels: [column, time_source, time_target], timeless } =
            self;
        let create_empty = windowing.create_empty;
        let (endless, none) = (Duration::INFINITE, Duration::default());
        let unbounded = Windowing {
            windows: Windows::new(endless, endless, none, Location::UTC)?,
            time: Arc::clone(&time_target),
            create_empty: false,
            ..windowing.clone()
        };
        let windows = windowed(stream, call.site, windowing)?;
        let arguments = vec![
            (Arc::from("tables"), Value::Stream(windows)),
            (Arc::from("column"), Value::String(column)),
        ];
        if matches!(&*lambda.function, Function::Builtin(_)) {
            lambda.interpreter = lambda.interpreter.in_library_call(call.site);
        }
        let reduced = match lambda.interpreter.call_piped(&lambda, arguments)? {
            Value::Stream(stream) => stream,
            other => {
                let found = other.type_word();
                let message = format!("expected stream but found {found} (argument fn)");
                return Err(FluxError::new(message));
            }
        };
        let stamped = reduced.map(call.site, move |mut table| {
            if timeless {
                table.columns.retain(|column| &*column.label != "_time");
            }
            if table.rows == 0 && create_empty {
                table = null_row(&table);
            }
            duplicate_column(table, &time_source, &time_target)
        })?;
        windowed(&stamped, call.site, unbounded)
    }
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
