//! `histogramQuantile`: the value at a rank, from cumulative counts by upper bound.

use std::sync::Arc;

use super::{Builtin, Call, optional, piped, required};
use crate::flux::error::FluxError;
use crate::flux::table::{Column, Table};
use crate::flux::value::{ColumnType, Value};

pub(super) const BUILTINS: &[Builtin] = &[Builtin {
    package: "",
    name: "histogramQuantile",
    parameters: &[
        piped("tables"),
        required("quantile"),
        optional("countColumn"),
        optional("upperBoundColumn"),
        optional("valueColumn"),
        optional("minValue"),
        optional("onNonmonotonic"),
    ],
    run: histogram_quantile,
}];

/// What happens when a count is lower than the one before.
#[derive(Clone, Copy)]
enum OnFall {
    Refuse,
    Raise,
    Drop,
}

struct Wanted {
    quantile: f64,
    counts: Arc<str>,
    bounds: Arc<str>,
    value: Arc<str>,
    min: f64,
    on_fall: OnFall,
}

#[derive(Clone, Copy)]
struct Bucket {
    count: f64,
    bound: f64,
}

fn histogram_quantile(call: &Call<'_>) -> Result<Value, FluxError> {
    let on_fall = match &*call.string_or("onNonmonotonic", "error")? {
        "error" => OnFall::Refuse,
        "force" => OnFall::Raise,
        "drop" => OnFall::Drop,
        _ => {
            return Err(FluxError::new(
                "value provided to histogramQuantile parameter onNonmonotonic is invalid; must be \
                 one of \"error\", \"force\" or \"drop\"",
            ));
        }
    };
    let wanted = Wanted {
        quantile: call.float("quantile")?.unwrap_or_default(),
        counts: call.string_or("countColumn", "_value")?,
        bounds: call.string_or("upperBoundColumn", "le")?,
        value: call.string_or("valueColumn", "_value")?,
        min: call.float("minValue")?.unwrap_or_default(),
        on_fall,
    };
    let made = call.stream("tables")?.gathered(call.site, move |table| wanted.table(table))?;
    Ok(Value::Stream(made))
}

impl Wanted {
    fn table(&self, table: Table) -> Result<Table, FluxError> {
        let mut buckets = self.buckets(&table)?;
        buckets.sort_by(|left, right| left.bound.total_cmp(&right.bound));
        let mut columns = table.key_columns();
        let value = self.value_of(buckets)?;
        let rows = usize::from(value.is_some());
        let value = value.flatten().map_or(Value::Null(Some(ColumnType::Float)), Value::Float);
        columns.push(Column::repeat(&self.value, value));
        Ok(Table::new(table.key, columns, rows))
    }

    fn buckets(&self, table: &Table) -> Result<Vec<Bucket>, FluxError> {
        let column = |label: &str, name: &str, parameter: &str| {
            let column = table.column(label).ok_or_else(|| {
                FluxError::new(format!("table is missing {name} column \"{label}\""))
            })?;
            if column.kind() != ColumnType::Float {
                let message = format!("{name} column \"{label}\" must be of type float");
                return Err(FluxError::new(message));
            }
            let cells: Option<Vec<f64>> = column.as_floats(table.rows).into_iter().collect();
            cells.ok_or_else(|| FluxError::new(format!("unexpected null in the {parameter}")))
        };
        let counts = column(&self.counts, "count", "countColumn")?;
        let bounds = column(&self.bounds, "upper bound", "upperBoundColumn")?;
        let pairs = counts.into_iter().zip(bounds);
        Ok(pairs.map(|(count, bound)| Bucket { count, bound }).collect())
    }

    /// The value at the rank; no value without samples, no row when the counts are to be dropped.
    #[expect(clippy::option_option, reason = "no row and no value are two things")]
    fn value_of(&self, mut buckets: Vec<Bucket>) -> Result<Option<Option<f64>>, FluxError> {
        let mut highest = 0.0;
        for bucket in &mut buckets {
            if bucket.count >= highest {
                highest = bucket.count;
                continue;
            }
            match self.on_fall {
                OnFall::Raise => bucket.count = highest,
                OnFall::Drop => return Ok(None),
                OnFall::Refuse => {
                    return Err(FluxError::new("histogram records counts are not monotonic"));
                }
            }
        }
        let (Some(first), Some(last)) = (buckets.first(), buckets.last()) else {
            return Err(FluxError::new("histogram is empty"));
        };
        if last.count == 0.0 {
            return Ok(Some(None));
        }
        let rank = self.quantile * last.count;
        Ok(Some(Some(match buckets.iter().rposition(|bucket| rank >= bucket.count) {
            None => self.interpolated(None, *first, rank),
            Some(at) if at + 1 == buckets.len() => last.bound,
            Some(at) => self.interpolated(Some(buckets[at]), buckets[at + 1], rank),
        })))
    }

    fn interpolated(&self, below: Option<Bucket>, above: Bucket, rank: f64) -> f64 {
        let below = below.unwrap_or(Bucket { count: 0.0, bound: self.min });
        #[expect(clippy::float_cmp, reason = "a rank that is a count needs no interpolation")]
        if rank == below.count || above.bound == f64::INFINITY {
            return below.bound;
        }
        if below.bound == f64::NEG_INFINITY {
            return above.bound;
        }
        let scale = (rank - below.count) / (above.count - below.count);
        below.bound + (above.bound - below.bound) * scale
    }
}
