//! Functions that compare each row with the one before: `difference`, `derivative`, `elapsed`,
//! `cumulativeSum`.
//!
//! Nulls are passed on as nulls and are not what the next row is compared with.

use std::sync::Arc;

use super::{Builtin, Call, optional, piped};
use crate::flux::duration::Duration;
use crate::flux::error::FluxError;
use crate::flux::table::{Cells, Column, Data, Table};
use crate::flux::value::{ColumnType, Value};

pub(super) const BUILTINS: &[Builtin] = &[
    Builtin {
        package: "",
        name: "elapsed",
        parameters: &[
            piped("tables"),
            optional("unit"),
            optional("timeColumn"),
            optional("columnName"),
        ],
        run: elapsed,
    },
    Builtin {
        package: "",
        name: "difference",
        parameters: &[
            piped("tables"),
            optional("nonNegative"),
            optional("columns"),
            optional("keepFirst"),
            optional("initialZero"),
        ],
        run: difference,
    },
    Builtin {
        package: "",
        name: "derivative",
        parameters: &[
            piped("tables"),
            optional("unit"),
            optional("nonNegative"),
            optional("columns"),
            optional("timeColumn"),
            optional("initialZero"),
        ],
        run: derivative,
    },
    Builtin {
        package: "",
        name: "cumulativeSum",
        parameters: &[piped("tables"), optional("columns")],
        run: cumulative_sum,
    },
];

/// A unit of time in nanoseconds; a month is the twelfth part of a year of 365.25 days.
pub(super) fn unit_ns(unit: Duration) -> f64 {
    const MONTH_NS: f64 = 365.25 / 12.0 * 86_400.0 * 1e9;
    unit.months as f64 * MONTH_NS + unit.ns as f64
}

fn second() -> Duration {
    Duration::from_ns(1_000_000_000)
}

fn value_columns(call: &Call<'_>) -> Result<Vec<Arc<str>>, FluxError> {
    Ok(call.strings("columns")?.unwrap_or_else(|| vec![Arc::from("_value")]))
}

fn elapsed(call: &Call<'_>) -> Result<Value, FluxError> {
    let unit = unit_ns(call.duration("unit")?.unwrap_or_else(second));
    let time = call.string_or("timeColumn", "_time")?;
    let name = call.string_or("columnName", "elapsed")?;
    let made = call.stream("tables")?.gathered(call.site, move |table| {
        let times = table.required(&time)?;
        if times.kind() != ColumnType::Time {
            return Ok(table.slice(0, 0));
        }
        let times: Vec<i64> =
            times.as_integers(table.rows).into_iter().map(Option::unwrap_or_default).collect();
        if table.column(&name).is_some() {
            let message = format!("table builder already has column with label {name}");
            return Err(FluxError::new(message));
        }
        let steps = times.windows(2).map(|pair| (pair[1] as f64 - pair[0] as f64) / unit);
        #[expect(clippy::cast_possible_truncation, reason = "the language cuts the fraction off")]
        let steps: Vec<i64> = steps.map(|step| step as i64).collect();
        let rows = table.rows;
        let mut made = table.slice(rows.min(1), rows);
        made.columns.push(Column::new(&name, Data::Int(Cells::new(steps))));
        Ok(made)
    })?;
    Ok(Value::Stream(made))
}

/// What `difference` was asked for.
#[derive(Clone, Copy)]
struct Difference {
    non_negative: bool,
    keep_first: bool,
    initial_zero: bool,
}

fn difference(call: &Call<'_>) -> Result<Value, FluxError> {
    let wanted = Difference {
        non_negative: call.bool_or("nonNegative", false)?,
        keep_first: call.bool_or("keepFirst", false)?,
        initial_zero: call.bool_or("initialZero", false)?,
    };
    let labels = value_columns(call)?;
    let made = call.stream("tables")?.gathered(call.site, move |table| {
        let (rows, from) = (table.rows, usize::from(!wanted.keep_first).min(table.rows));
        let columns = table.columns.iter().map(|column| {
            if !labels.contains(&column.label) {
                return Ok(column.slice(from, rows));
            }
            Ok(wanted.column(column, rows)?.slice(from, rows))
        });
        let columns = columns.collect::<Result<_, FluxError>>()?;
        Ok(Table::new(table.key, columns, rows - from))
    })?;
    Ok(Value::Stream(made))
}

impl Difference {
    fn column(self, column: &Column, rows: usize) -> Result<Column, FluxError> {
        let label = &column.label;
        Ok(match column.kind() {
            ColumnType::Int => {
                let step = |new: i64, old: i64| new.wrapping_sub(old);
                Column::integers(label, self.steps(column.as_integers(rows), step))
            }
            ColumnType::UInt => {
                #[expect(clippy::cast_possible_wrap, reason = "the language wraps here")]
                let values =
                    column.as_unsigned(rows).into_iter().map(|cell| cell.map(|v| v as i64));
                let step = |new: i64, old: i64| new.wrapping_sub(old);
                Column::integers(label, self.steps(values.collect(), step))
            }
            ColumnType::Float => {
                Column::floats(label, self.steps(column.as_floats(rows), |new, old| new - old))
            }
            ColumnType::Time => {
                return Err(FluxError::new(
                    "difference does not support time columns. Try the elapsed function",
                ));
            }
            kind => {
                let kind = kind.word();
                let message =
                    format!("difference does not support column \"{label}\" of type \"{kind}\"");
                return Err(FluxError::new(message));
            }
        })
    }

    fn steps<T: Copy + PartialOrd + Default>(
        self,
        cells: Vec<Option<T>>,
        step: impl Fn(T, T) -> T,
    ) -> Vec<Option<T>> {
        let zero = T::default();
        let mut last: Option<T> = None;
        let next = |cell: Option<T>| {
            let new = cell?;
            let Some(old) = last.replace(new) else {
                return (self.keep_first && self.initial_zero).then_some(zero);
            };
            let step = step(new, old);
            if step >= zero || !self.non_negative {
                Some(step)
            } else {
                (self.initial_zero && new >= zero).then_some(new)
            }
        };
        cells.into_iter().map(next).collect()
    }
}

/// What `derivative` was asked for.
#[derive(Clone, Copy)]
struct Derivative {
    unit_ns: f64,
    non_negative: bool,
    initial_zero: bool,
}

fn derivative(call: &Call<'_>) -> Result<Value, FluxError> {
    let wanted = Derivative {
        unit_ns: unit_ns(call.duration("unit")?.unwrap_or_else(second)),
        non_negative: call.bool_or("nonNegative", false)?,
        initial_zero: call.bool_or("initialZero", false)?,
    };
    let time = call.string_or("timeColumn", "_time")?;
    let labels = value_columns(call)?;
    let made = call.stream("tables")?.map(call.site, move |table| {
        let Some(times) = table.column(&time) else {
            return Err(FluxError::new(format!("no column \"{time}\" exists")));
        };
        if times.kind() != ColumnType::Time {
            let kind = times.kind().word();
            let message = format!("time column \"{time}\" is type {kind} and not time");
            return Err(FluxError::new(message));
        }
        for column in table.columns.iter().filter(|column| labels.contains(&column.label)) {
            if !column.is_numeric() {
                let (label, kind) = (&column.label, column.kind().word());
                let message = format!("unsupported derivative column type {label}:{kind}");
                return Err(FluxError::new(message));
            }
        }
        let kept = rising(&times.as_integers(table.rows))?;
        let table = if kept.len() == table.rows { table } else { table.take(&kept) };
        let (rows, from) = (table.rows, table.rows.min(1));
        let times = table.required(&time)?.as_integers(rows);
        let times: Vec<i64> = times.into_iter().map(Option::unwrap_or_default).collect();
        let columns = table.columns.iter().map(|column| {
            if !labels.contains(&column.label) {
                return column.slice(from, rows);
            }
            wanted.column(column, &times).slice(from, rows)
        });
        let columns = columns.collect();
        Ok(Table::new(table.key, columns, rows - from))
    })?;
    Ok(Value::Stream(made))
}

/// The rows whose time is later than that of the row before.
fn rising(times: &[Option<i64>]) -> Result<Vec<usize>, FluxError> {
    let mut kept = Vec::with_capacity(times.len());
    let mut last = None;
    for (row, time_ns) in times.iter().enumerate() {
        let Some(time_ns) = *time_ns else {
            return Err(FluxError::new("derivative found null time in time column"));
        };
        match last {
            Some(last) if time_ns < last => {
                let message = "derivative found out-of-order times in time column";
                return Err(FluxError::new(message));
            }
            Some(last) if time_ns == last => {}
            _ => kept.push(row),
        }
        last = Some(time_ns);
    }
    Ok(kept)
}

impl Derivative {
    fn column(self, column: &Column, times: &[i64]) -> Column {
        let rows = times.len();
        let label = &column.label;
        // Integers are subtracted as integers, the smaller from the larger, and may wrap.
        let cells = match column.kind() {
            ColumnType::Int => self.slopes(&column.as_integers(rows), times, |large, small| {
                large.wrapping_sub(small) as f64
            }),
            ColumnType::UInt => self.slopes(&column.as_unsigned(rows), times, |large, small| {
                large.wrapping_sub(small) as f64
            }),
            _ => self.slopes(&column.as_floats(rows), times, |large, small| large - small),
        };
        Column::floats(label, cells)
    }

    fn slopes<T: Copy + PartialOrd>(
        self,
        cells: &[Option<T>],
        times: &[i64],
        minus: impl Fn(T, T) -> f64,
    ) -> Vec<Option<f64>> {
        let mut last: Option<(i64, T)> = None;
        let next = |(cell, &time_ns): (&Option<T>, &i64)| {
            let new = (*cell)?;
            let (old_ns, old) = last.replace((time_ns, new))?;
            if self.non_negative && old > new {
                return self.initial_zero.then_some(0.0);
            }
            #[expect(clippy::cast_precision_loss, reason = "spans of time are small")]
            let units = time_ns.wrapping_sub(old_ns) as f64 / self.unit_ns;
            let step = if old > new { -minus(old, new) } else { minus(new, old) };
            Some(step / units)
        };
        cells.iter().zip(times).map(next).collect()
    }
}

fn cumulative_sum(call: &Call<'_>) -> Result<Value, FluxError> {
    let labels = value_columns(call)?;
    let made = call.stream("tables")?.map(call.site, move |mut table| {
        let rows = table.rows;
        for column in table.columns.iter_mut().filter(|column| labels.contains(&column.label)) {
            let data = match column.kind() {
                ColumnType::Int => {
                    Data::Int(Cells::new(sums(&column.as_integers(rows), i64::wrapping_add)))
                }
                ColumnType::UInt => {
                    Data::UInt(Cells::new(sums(&column.as_unsigned(rows), |a, b| {
                        a.wrapping_add(b)
                    })))
                }
                ColumnType::Float => {
                    Data::Float(Cells::new(sums(&column.as_floats(rows), |a, b| a + b)))
                }
                _ => continue,
            };
            column.data = data;
        }
        Ok(table)
    })?;
    Ok(Value::Stream(made))
}

/// Running sums; a null adds nothing.
fn sums<T: Copy + Default>(cells: &[Option<T>], plus: impl Fn(T, T) -> T) -> Vec<T> {
    let mut sum = T::default();
    let next = |cell: &Option<T>| {
        if let Some(value) = cell {
            sum = plus(sum, *value);
        }
        sum
    };
    cells.iter().map(next).collect()
}
