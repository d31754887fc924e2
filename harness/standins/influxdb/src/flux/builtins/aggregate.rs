//! Functions that make one row of a table: `mean`, `sum`, `count` and their like.
//!
//! [`Aggregate`] computes a value from some rows of a column; `window` uses it directly for
//! `aggregateWindow`.

use std::sync::Arc;

use super::digest::{DEFAULT_COMPRESSION, Digest};
use super::{Builtin, Call, optional, piped, required};
use crate::flux::error::FluxError;
use crate::flux::interpreter::Function;
use crate::flux::stream::{Bounds, InStore, Stream, Tables};
use crate::flux::table::{Column, ColumnBuilder, Data, Table};
use crate::flux::value::{ColumnType, Value, order_floats};

const COLUMN: &[super::Parameter] = &[piped("tables"), optional("column")];

pub(super) const BUILTINS: &[Builtin] = &[
    Builtin { package: "", name: "mean", parameters: COLUMN, run: simple },
    Builtin { package: "", name: "sum", parameters: COLUMN, run: simple },
    Builtin { package: "", name: "count", parameters: COLUMN, run: simple },
    Builtin { package: "", name: "spread", parameters: COLUMN, run: simple },
    Builtin { package: "", name: "skew", parameters: COLUMN, run: simple },
    Builtin {
        package: "",
        name: "stddev",
        parameters: &[piped("tables"), optional("column"), optional("mode")],
        run: stddev,
    },
    Builtin {
        package: "",
        name: "median",
        parameters: &[
            piped("tables"),
            optional("column"),
            optional("method"),
            optional("compression"),
        ],
        run: median,
    },
    Builtin {
        package: "",
        name: "quantile",
        parameters: &[
            piped("tables"),
            optional("column"),
            required("q"),
            optional("method"),
            optional("compression"),
        ],
        run: quantile,
    },
];

/// How rows become one value.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Aggregate {
    Mean,
    Sum,
    Count,
    Spread,
    Skew,
    Stddev {
        sample: bool,
    },
    /// The mean of the two values around the rank.
    ExactQuantile {
        q: f64,
    },
    /// An estimate by t-digest, the default.
    Quantile {
        q: f64,
        compression: f64,
    },
}

impl Aggregate {
    /// What a function value computes when called with a column alone.
    pub(super) fn of_function(function: &Function) -> Option<Self> {
        match function {
            Function::Builtin(builtin) if builtin.package.is_empty() => Self::named(builtin.name),
            _ => None,
        }
    }

    fn named(name: &str) -> Option<Self> {
        match name {
            "mean" => Some(Self::Mean),
            "sum" => Some(Self::Sum),
            "count" => Some(Self::Count),
            "spread" => Some(Self::Spread),
            "skew" => Some(Self::Skew),
            "stddev" => Some(Self::Stddev { sample: true }),
            "median" => Some(Self::Quantile { q: 0.5, compression: DEFAULT_COMPRESSION }),
            _ => None,
        }
    }

    fn name(self) -> &'static str {
        if self == Self::Mean { "mean" } else { "sum" }
    }

    pub(super) fn in_store(self) -> InStore {
        match self {
            Self::Mean | Self::Sum | Self::Count => InStore::Possible,
            _ => InStore::Never,
        }
    }

    /// The type of the result for a column of this type.
    pub(super) fn result_type(self, input: ColumnType) -> Result<ColumnType, FluxError> {
        let numeric = matches!(input, ColumnType::Int | ColumnType::UInt | ColumnType::Float);
        match self {
            Self::Count if input != ColumnType::Time => Ok(ColumnType::Int),
            Self::Sum | Self::Spread if numeric => Ok(input),
            Self::Mean | Self::Skew | Self::Stddev { .. } | Self::Quantile { .. } if numeric => {
                Ok(ColumnType::Float)
            }
            Self::ExactQuantile { .. } if input == ColumnType::Float => Ok(ColumnType::Float),
            Self::Mean | Self::Sum => Err(FluxError::new(format!(
                "unsupported input type for {} aggregate: {}",
                self.name(),
                input.storage_word()
            ))),
            _ => Err(FluxError::new(format!("unsupported aggregate column type {}", input.word()))),
        }
    }

    /// The value of some rows; null when there are none, except for `count`.
    pub(super) fn compute(
        self,
        column: &Column,
        rows: impl Iterator<Item = usize>,
    ) -> Result<Value, FluxError> {
        let kind = self.result_type(column.kind())?;
        if self == Self::Count {
            return Ok(Value::Int(i64::try_from(rows.count()).unwrap_or(i64::MAX)));
        }
        let value = match &column.data {
            Data::Float(cells) => match cells.dense() {
                Some(all) => self.floats(rows.map(|row| all[row])),
                None => self.floats(rows.filter_map(|row| cells.get(row).copied())),
            },
            Data::Int(cells) => self.integers(rows.filter_map(|row| cells.get(row).copied())),
            Data::UInt(cells) => self.unsigned(rows.filter_map(|row| cells.get(row).copied())),
            _ => {
                let mut builder = ColumnBuilder::new(&column.label, column.kind());
                for row in rows {
                    builder.push(column.value(row))?;
                }
                let rows = builder.len();
                if rows == 0 {
                    return Ok(Value::Null(Some(kind)));
                }
                return self.compute(&builder.finish(), 0..rows);
            }
        };
        Ok(value.unwrap_or(Value::Null(Some(kind))))
    }

    fn floats(self, values: impl Iterator<Item = f64>) -> Option<Value> {
        let value = match self {
            Self::Sum => values.reduce(|sum, value| sum + value),
            Self::Mean => mean(values),
            Self::Spread => {
                let ends =
                    values.fold(None, |ends: Option<(f64, f64)>, value| {
                        Some(ends.map_or((value, value), |(low, high)| {
                            (low.min(value), high.max(value))
                        }))
                    });
                ends.map(|(low, high)| high - low)
            }
            Self::Skew => skew(values),
            Self::Stddev { sample } => deviation(values, sample),
            Self::ExactQuantile { q } => exact_quantile(values.collect(), q),
            Self::Quantile { q, compression } => {
                let mut digest = Digest::new(compression);
                values.for_each(|value| digest.add(value));
                digest.quantile(q)
            }
            Self::Count => None,
        };
        value.map(Value::Float)
    }

    fn integers(self, values: impl Iterator<Item = i64>) -> Option<Value> {
        match self {
            Self::Sum => values.reduce(i64::wrapping_add).map(Value::Int),
            // Added up as integers, which may wrap.
            Self::Mean => {
                let (mut sum, mut count) = (0_i64, 0_u64);
                values.for_each(|value| {
                    sum = sum.wrapping_add(value);
                    count += 1;
                });
                (count > 0).then(|| Value::Float(sum as f64 / count as f64))
            }
            Self::Spread => {
                let ends =
                    values.fold(None, |ends: Option<(i64, i64)>, value| {
                        Some(ends.map_or((value, value), |(low, high)| {
                            (low.min(value), high.max(value))
                        }))
                    });
                ends.map(|(low, high)| Value::Int(high.wrapping_sub(low)))
            }
            _ => self.floats(values.map(|value| value as f64)),
        }
    }

    fn unsigned(self, values: impl Iterator<Item = u64>) -> Option<Value> {
        match self {
            Self::Sum => values.reduce(u64::wrapping_add).map(Value::UInt),
            Self::Mean => {
                let (mut sum, mut count) = (0_u64, 0_u64);
                values.for_each(|value| {
                    sum = sum.wrapping_add(value);
                    count += 1;
                });
                (count > 0).then(|| Value::Float(sum as f64 / count as f64))
            }
            Self::Spread => {
                let ends =
                    values.fold(None, |ends: Option<(u64, u64)>, value| {
                        Some(ends.map_or((value, value), |(low, high)| {
                            (low.min(value), high.max(value))
                        }))
                    });
                ends.map(|(low, high)| Value::UInt(high - low))
            }
            _ => self.floats(values.map(|value| value as f64)),
        }
    }
}

fn mean(values: impl Iterator<Item = f64>) -> Option<f64> {
    let (mut sum, mut count) = (0.0, 0_u64);
    for value in values {
        sum += value;
        count += 1;
    }
    (count > 0).then(|| sum / count as f64)
}

/// Welford's method: one pass, no loss to large means.
fn deviation(values: impl Iterator<Item = f64>, sample: bool) -> Option<f64> {
    let (mut count, mut mean, mut squares) = (0_u64, 0.0, 0.0);
    for value in values {
        count += 1;
        let delta = value - mean;
        mean += delta / count as f64;
        squares += delta * (value - mean);
    }
    match (count, sample) {
        (0, _) => None,
        // One value has no deviation of a sample.
        (1, true) => Some(f64::NAN),
        (_, true) => Some((squares / (count - 1) as f64).sqrt()),
        (_, false) => Some((squares / count as f64).sqrt()),
    }
}

/// The third moment in one pass.
fn skew(values: impl Iterator<Item = f64>) -> Option<f64> {
    let (mut count, mut mean, mut squares, mut cubes) = (0.0, 0.0, 0.0, 0.0);
    for value in values {
        let before: f64 = count;
        count += 1.0;
        let delta = value - mean;
        let share = delta / count;
        let square = delta * share * before;
        cubes += square * share * (count - 2.0) - 3.0 * share * squares;
        squares += square;
        mean += share;
    }
    match count {
        0.0 => None,
        1.0 => Some(f64::NAN),
        count => Some(count.sqrt() * cubes / f64::powf(squares, 1.5)),
    }
}

/// The value at rank `q`, halfway between two when the rank falls between them.
fn exact_quantile(mut values: Vec<f64>, q: f64) -> Option<f64> {
    values.sort_by(|left, right| order_floats(*left, *right));
    let last = values.len().checked_sub(1)?;
    let rank = q * last as f64;
    let (low, high) = (rank.floor(), rank.ceil());
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "the rank lies between zero and the number of values"
    )]
    let (low_at, high_at) = (low as usize, high as usize);
    let (below, above) = (values[low_at.min(last)], values[high_at.min(last)]);
    Some(if low_at == high_at { below } else { below * (high - rank) + above * (rank - low) })
}

fn simple(call: &Call<'_>) -> Result<Value, FluxError> {
    let aggregate = Aggregate::named(call.builtin.name)
        .ok_or_else(|| FluxError::new("the function has no aggregate"))?;
    run(call, aggregate)
}

fn stddev(call: &Call<'_>) -> Result<Value, FluxError> {
    let sample = match &*call.string_or("mode", "sample")? {
        "sample" => true,
        "population" => false,
        other => {
            return Err(FluxError::new(format!(
                "\"{other}\" is not a valid standard deviation mode"
            )));
        }
    };
    run(call, Aggregate::Stddev { sample })
}

fn median(call: &Call<'_>) -> Result<Value, FluxError> {
    quantile_by(call, 0.5)
}

fn quantile(call: &Call<'_>) -> Result<Value, FluxError> {
    let q = call.float("q")?.ok_or_else(|| FluxError::new("quantile needs q"))?;
    quantile_by(call, q)
}

fn quantile_by(call: &Call<'_>, q: f64) -> Result<Value, FluxError> {
    if !(0.0..=1.0).contains(&q) {
        return Err(FluxError::new("quantile must be between 0 and 1"));
    }
    let given = call.float("compression")?.filter(|compression| *compression > 0.0);
    let compression = given.unwrap_or(DEFAULT_COMPRESSION);
    match &*call.string_or("method", "estimate_tdigest")? {
        "exact_selector" => super::select::quantile_row(call, q),
        "exact_mean" => run(call, Aggregate::ExactQuantile { q }),
        "estimate_tdigest" => run(call, Aggregate::Quantile { q, compression }),
        other => Err(FluxError::new(format!("unknown method {other}"))),
    }
}

fn run(call: &Call<'_>, aggregate: Aggregate) -> Result<Value, FluxError> {
    let label = call.string_or("column", "_value")?;
    let stream = call.stream("tables")?;
    let of_values = &*label == "_value";
    if let Some(parts) = stream.parts.as_ref().filter(|_| of_values) {
        match aggregate {
            Aggregate::Count => return counted(parts),
            Aggregate::Sum => return summed(parts),
            _ => {}
        }
    }
    let work = move |table: Table| aggregate_table(&table, &label, aggregate);
    let in_store = if of_values { aggregate.in_store() } else { InStore::Never };
    let stream = if in_store == InStore::Possible { cut_at_epoch(stream)? } else { stream };
    let made = stream.reduced(call.site, in_store, work)?;
    Ok(Value::Stream(made))
}

/// What the store aggregates: it has one window without an end that begins at the epoch, and
/// another before it.
pub(super) fn cut_at_epoch(stream: Stream) -> Result<Stream, FluxError> {
    let spans = |bounds: Bounds| bounds.start_ns < 0 && bounds.stop_ns > 0;
    if stream.read.is_none() || !stream.bounds.is_some_and(spans) {
        return Ok(stream);
    }
    let mut cut = stream.by_store(move |tables| {
        let halves = tables.into_iter().flat_map(move |table| {
            let times = table.column("_time");
            let is_before = |row: &usize| times.and_then(|times| times.time(*row)) < Some(0);
            let before = (0..table.rows).take_while(is_before).count();
            let (rows, epoch) = (table.rows, Value::Time(0));
            let early = within(table.clone().slice(0, before), "_stop", &epoch);
            let late = within(table.slice(before, rows), "_start", &epoch);
            [early, late].into_iter().filter(|half| half.rows > 0)
        });
        Ok(Box::new(halves.map(Ok)) as Tables)
    })?;
    cut.read.clone_from(&stream.read);
    Ok(cut)
}

/// A table with another bound of its range.
fn within(mut table: Table, label: &str, bound: &Value) -> Table {
    let label = Arc::from(label);
    table.key = table.key.with(&label, bound.clone());
    table.put(Column::repeat(&label, bound.clone()));
    table
}

/// Whether the store adds up and compares values of a table.
pub(super) fn has_numbers(table: &Table) -> bool {
    table.column("_value").is_some_and(Column::is_numeric)
}

/// The store counts the values of a group whatever their types are.
fn counted(parts: &Stream) -> Result<Value, FluxError> {
    let label: Arc<str> = Arc::from("_value");
    let counted = parts.by_store(move |parts| {
        let counts = parts.iter().map(|part| aggregate_table(part, &label, Aggregate::Count));
        let counts = super::group::merged_in_store(counts.collect::<Result<_, _>>()?);
        let sums =
            counts.map(|counts| aggregate_table(&counts.into_result()?, &label, Aggregate::Sum));
        let sums: Vec<Result<Table, FluxError>> = sums.collect();
        Ok(Box::new(sums.into_iter()) as Tables)
    })?;
    Ok(Value::Stream(counted))
}

/// The store adds up the numbers of a group and leaves out groups without any.
fn summed(parts: &Stream) -> Result<Value, FluxError> {
    let label: Arc<str> = Arc::from("_value");
    let summed = parts.by_store(move |mut parts| {
        parts.retain(has_numbers);
        let label = Arc::clone(&label);
        let sums = super::group::merged_in_store(parts)
            .map(move |group| aggregate_table(&group.into_result()?, &label, Aggregate::Sum));
        Ok(Box::new(sums) as Tables)
    })?;
    Ok(Value::Stream(summed))
}

fn aggregate_table(
    table: &Table,
    label: &Arc<str>,
    aggregate: Aggregate,
) -> Result<Table, FluxError> {
    let column = checked_column(table, label)?;
    let value = aggregate.compute(column, 0..table.rows)?;
    let mut columns = table.key_columns();
    let kind = aggregate.result_type(column.kind())?;
    columns.push(Column::new(label, Data::Repeat { value, kind }));
    Ok(Table::new(table.key.clone(), columns, 1))
}

/// The column that is aggregated, which the group key must not hold.
pub(super) fn checked_column<'a>(table: &'a Table, label: &str) -> Result<&'a Column, FluxError> {
    if table.key.contains(label) {
        return Err(FluxError::new("cannot aggregate columns that are part of the group key"));
    }
    table.required(label)
}
