//! What a table's rows say together: areas, correlations, modes and histograms.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::aggregate::checked_column;
use super::change::unit_ns;
use super::{Builtin, Call, optional, piped, required};
use crate::flux::duration::Duration;
use crate::flux::error::FluxError;
use crate::flux::table::{Cells, Column, ColumnBuilder, Data, GroupKey, Table};
use crate::flux::value::{ColumnType, Value};

pub(super) const BUILTINS: &[Builtin] = &[
    Builtin {
        package: "",
        name: "integral",
        parameters: &[
            piped("tables"),
            optional("unit"),
            optional("timeColumn"),
            optional("column"),
            optional("interpolate"),
        ],
        run: integral,
    },
    Builtin {
        package: "",
        name: "covariance",
        parameters: &[
            piped("tables"),
            optional("pearsonr"),
            optional("valueDst"),
            required("columns"),
        ],
        run: covariance,
    },
    Builtin {
        package: "",
        name: "mode",
        parameters: &[piped("tables"), optional("column")],
        run: mode,
    },
    Builtin {
        package: "",
        name: "histogram",
        parameters: &[
            piped("tables"),
            optional("column"),
            optional("upperBoundColumn"),
            optional("countColumn"),
            required("bins"),
            optional("normalize"),
        ],
        run: histogram,
    },
    Builtin {
        package: "",
        name: "linearBins",
        parameters: &[
            required("start"),
            required("width"),
            required("count"),
            optional("infinity"),
        ],
        run: linear_bins,
    },
    Builtin {
        package: "",
        name: "logarithmicBins",
        parameters: &[
            required("start"),
            required("factor"),
            required("count"),
            optional("infinity"),
        ],
        run: logarithmic_bins,
    },
];

fn integral(call: &Call<'_>) -> Result<Value, FluxError> {
    let second = Duration::from_ns(1_000_000_000);
    let unit = unit_ns(call.duration("unit")?.unwrap_or(second));
    let time = call.string_or("timeColumn", "_time")?;
    let label = call.string_or("column", "_value")?;
    let interpolate = match &*call.string_or("interpolate", "")? {
        "" => false,
        "linear" => true,
        other => {
            let message = format!("invalid interpolation method \"{other}\"");
            return Err(FluxError::new(message));
        }
    };
    let made = call.stream("tables")?.gathered(call.site, move |table| {
        let bound = |name: &str| {
            if let Some(Value::Time(time_ns)) = table.key.get(name) {
                Ok(*time_ns)
            } else {
                let message =
                    format!("integral function needs {name} column to be part of group key");
                Err(FluxError::new(message))
            }
        };
        let bounds = (bound("_start")?, bound("_stop")?);
        let column = checked_column(&table, &label)?;
        if !column.is_numeric() {
            let kind = column.kind().word();
            return Err(FluxError::new(format!("cannot perform integral over {kind}")));
        }
        let missing = || FluxError::new(format!("no column \"{time}\" exists"));
        let times = table.column(&time).ok_or_else(missing)?.as_integers(table.rows);
        let points = points(&times, &column.as_floats(table.rows))?;
        let area = area(&points, bounds, interpolate) / unit;
        let mut columns = table.key_columns();
        columns.push(Column::repeat(&label, Value::Float(area)));
        Ok(Table::new(table.key, columns, 1))
    })?;
    Ok(Value::Stream(made))
}

/// The values that are there with their times, the first of each time.
fn points(times: &[Option<i64>], cells: &[Option<f64>]) -> Result<Vec<(i64, f64)>, FluxError> {
    let mut points = Vec::with_capacity(cells.len());
    let mut last = None;
    for (time_ns, cell) in times.iter().zip(cells) {
        let Some(time_ns) = *time_ns else {
            return Err(FluxError::new("integral found null time in time column"));
        };
        // The server begins at the epoch, so that what is before it is out of order.
        if last.unwrap_or(0) > time_ns {
            return Err(FluxError::new("integral found out-of-order times in time column"));
        }
        if let (Some(value), true) = (*cell, last != Some(time_ns)) {
            points.push((time_ns, value));
        }
        last = Some(time_ns);
    }
    Ok(points)
}

/// The area under a line through all points, drawn on to the bounds when it is interpolated.
fn area(points: &[(i64, f64)], bounds: (i64, i64), interpolate: bool) -> f64 {
    let span = |from: i64, to: i64| (i128::from(to) - i128::from(from)) as f64;
    let part = |left: (i64, f64), right: (i64, f64)| {
        f64::midpoint(left.1, right.1) * span(left.0, right.0)
    };
    let (first, last) = match points {
        [only] if interpolate => return only.1 * span(bounds.0, bounds.1),
        [] | [_] => return 0.0,
        [first, .., last] => (*first, *last),
    };
    let mut sum: f64 = points.windows(2).map(|pair| part(pair[0], pair[1])).sum();
    if interpolate {
        let (second, before) = (points[1], points[points.len() - 2]);
        let slope = (second.1 - first.1) / span(first.0, second.0);
        let start = (bounds.0, first.1 - slope * span(bounds.0, first.0));
        if bounds.0 < first.0 {
            sum += part(start, first);
        }
        let slope = (last.1 - before.1) / span(before.0, last.0);
        let stop = (bounds.1, last.1 + slope * span(last.0, bounds.1));
        sum += part(last, stop);
    }
    sum
}

fn covariance(call: &Call<'_>) -> Result<Value, FluxError> {
    let pearson = call.bool_or("pearsonr", false)?;
    let target = call.string_or("valueDst", "_value")?;
    let labels = call.strings("columns")?.unwrap_or_default();
    let Ok([x, y]) = <[Arc<str>; 2]>::try_from(labels) else {
        return Err(FluxError::new("must provide exactly two columns"));
    };
    let made = call.stream("tables")?.gathered(call.site, move |table| {
        let column = |label: &str| {
            let missing =
                || FluxError::new(format!("specified column does not exist in table: {label}"));
            table.column(label).ok_or_else(missing)
        };
        let (x, y) = (column(&x)?, column(&y)?);
        if x.kind() != y.kind() {
            let message = "cannot compute the covariance between different types";
            return Err(FluxError::new(message));
        }
        if x.kind() != ColumnType::Float {
            let kind = x.kind().word();
            return Err(FluxError::new(format!("covariance does not support {kind}")));
        }
        let pairs = x.as_floats(table.rows).into_iter().zip(y.as_floats(table.rows));
        let value = correlation(pairs.filter_map(|(x, y)| Some((x?, y?))), pearson);
        let mut columns = table.key_columns();
        columns.push(Column::repeat(&target, Value::Float(value)));
        Ok(Table::new(table.key, columns, 1))
    })?;
    Ok(Value::Stream(made))
}

fn correlation(pairs: impl Iterator<Item = (f64, f64)>, pearson: bool) -> f64 {
    let (mut count, mut mean_x, mut mean_y) = (0.0, 0.0, 0.0);
    let (mut squares_x, mut squares_y, mut products) = (0.0, 0.0, 0.0);
    for (x, y) in pairs {
        count += 1.0;
        let (delta_x, delta_y) = (x - mean_x, y - mean_y);
        mean_x += delta_x / count;
        mean_y += delta_y / count;
        squares_x += delta_x * (x - mean_x);
        squares_y += delta_y * (y - mean_y);
        products += delta_x * (y - mean_y);
    }
    if count < 2.0 {
        f64::NAN
    } else if pearson {
        products / (squares_x * squares_y).sqrt()
    } else {
        products / (count - 1.0)
    }
}

fn mode(call: &Call<'_>) -> Result<Value, FluxError> {
    let label = call.string_or("column", "_value")?;
    let target: Arc<str> = Arc::from("_value");
    let made = call.stream("tables")?.gathered(call.site, move |table| {
        let mut columns = table.key_columns();
        columns.retain(|column| column.label != target);
        let (values, rows) = match (table.key.get(&label), table.column(&label)) {
            (Some(value), _) => (Column::repeat(&target, value.clone()), 1),
            (None, None) => (Column::repeat(&target, Value::string("")), 1),
            (None, Some(column)) if table.rows == 0 => {
                (ColumnBuilder::new(&target, column.kind()).finish(), 0)
            }
            (None, Some(column)) => modes(column, table.rows, &target)?,
        };
        columns.push(values);
        Ok(Table::new(table.key, columns, rows))
    })?;
    Ok(Value::Stream(made))
}

/// The most frequent values in their order; one null when all are equally frequent.
#[expect(clippy::mutable_key_type, reason = "a group key holds scalars, which do not change")]
fn modes(column: &Column, rows: usize, target: &Arc<str>) -> Result<(Column, usize), FluxError> {
    let mut counts: BTreeMap<GroupKey, usize> = BTreeMap::new();
    for row in (0..rows).filter(|row| !column.is_null(*row)) {
        let key = [(Arc::clone(target), column.value(row))].into_iter().collect();
        *counts.entry(key).or_default() += 1;
    }
    let most = counts.values().max().copied().unwrap_or_default();
    let frequent: Vec<&GroupKey> =
        counts.iter().filter(|(_, count)| **count == most).map(|(key, _)| key).collect();
    let mut builder = ColumnBuilder::new(target, column.kind());
    if frequent.len() == counts.len() {
        builder.push_null();
    } else {
        for key in frequent {
            builder.push(key.get(target).cloned().unwrap_or(Value::Null(None)))?;
        }
    }
    let rows = builder.len();
    Ok((builder.finish(), rows))
}

fn histogram(call: &Call<'_>) -> Result<Value, FluxError> {
    let label = call.string_or("column", "_value")?;
    let bound_label = call.string_or("upperBoundColumn", "le")?;
    let count_label = call.string_or("countColumn", "_value")?;
    let normalize = call.bool_or("normalize", false)?;
    let bins = call.array("bins")?.unwrap_or_default();
    let mut bounds = Vec::with_capacity(bins.len());
    for bin in bins.iter() {
        match bin {
            Value::Float(bound) => bounds.push(*bound),
            other => return Err(call.wrong("bins", "float", other)),
        }
    }
    bounds.sort_by(f64::total_cmp);
    let made = call.stream("tables")?.gathered(call.site, move |table| {
        let missing = || FluxError::new(format!("column \"{label}\" is missing"));
        let column = table.column(&label).ok_or_else(missing)?;
        if column.kind() != ColumnType::Float {
            let kind = column.kind().word();
            let message = format!("column \"{label}\" must be a float got {kind}");
            return Err(FluxError::new(message));
        }
        let counts = binned(column.as_floats(table.rows).into_iter().flatten(), &bounds)?;
        let total = counts.last().copied().unwrap_or_default();
        let share = |count: f64| if normalize { count / total } else { count };
        let mut columns = table.key_columns();
        let bounds = Cells::new(bounds.clone());
        columns.push(Column::new(&bound_label, Data::Float(bounds)));
        let counts: Vec<f64> = counts.into_iter().map(share).collect();
        let rows = counts.len();
        columns.push(Column::new(&count_label, Data::Float(Cells::new(counts))));
        Ok(Table::new(table.key, columns, rows))
    })?;
    Ok(Value::Stream(made))
}

/// How many values lie at or below each bound.
fn binned(values: impl Iterator<Item = f64>, bounds: &[f64]) -> Result<Vec<f64>, FluxError> {
    let mut counts = vec![0.0; bounds.len()];
    for value in values {
        // Nothing is at or below a bound with which it cannot be compared.
        let bin = bounds.partition_point(|bound| value.is_nan() || value > *bound);
        let Some(count) = counts.get_mut(bin) else {
            let last = bounds.last().copied().unwrap_or_default();
            return Err(FluxError::new(format!(
                "found value greater than any bin, {bin} {} {value:.6} {last:.6}",
                bounds.len()
            )));
        };
        *count += 1.0;
    }
    let mut sum = 0.0;
    for count in &mut counts {
        sum += *count;
        *count = sum;
    }
    Ok(counts)
}

fn linear_bins(call: &Call<'_>) -> Result<Value, FluxError> {
    let width = call.float("width")?.unwrap_or_default();
    bins(call, |bound| bound + width)
}

fn logarithmic_bins(call: &Call<'_>) -> Result<Value, FluxError> {
    let factor = call.float("factor")?.unwrap_or_default();
    bins(call, |bound| bound * factor)
}

fn bins(call: &Call<'_>, next: impl Fn(f64) -> f64) -> Result<Value, FluxError> {
    let mut bound = call.float("start")?.unwrap_or_default();
    let count = call.int("count")?.unwrap_or_default();
    let count = u64::try_from(count)
        .map_err(|_| FluxError::new(format!("a number of bins cannot be {count}")))?;
    call.interpreter.execution.check_room(count)?;
    let mut bins = Vec::new();
    for _ in 0..count {
        bins.push(Value::Float(bound));
        bound = next(bound);
    }
    if call.bool_or("infinity", true)? {
        bins.push(Value::Float(f64::INFINITY));
    }
    Ok(Value::Array(Arc::new(bins)))
}
