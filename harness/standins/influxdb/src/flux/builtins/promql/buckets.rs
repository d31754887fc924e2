//! Quantiles of a histogram in Prometheus's form: counts of all values up to a bound.

use std::sync::Arc;

use crate::flux::builtins::Call;
use crate::flux::error::FluxError;
use crate::flux::table::{Column, Table};
use crate::flux::value::{ColumnType, Value};

/// How many values are not above a bound.
#[derive(Clone, Copy, Debug)]
struct Bucket {
    upper: f64,
    count: f64,
}

pub(super) fn histogram_quantile(call: &Call<'_>) -> Result<Value, FluxError> {
    let quantile = call
        .float("quantile")?
        .ok_or_else(|| FluxError::new("missing required keyword argument \"quantile\""))?;
    let count_label = call.string_or("countColumn", "_value")?;
    let bound_label = call.string_or("upperBoundColumn", "le")?;
    let value_label = call.string_or("valueColumn", "_value")?;
    let made = call.stream("tables")?.each(call.site, move |table| {
        let buckets = buckets(&table, &count_label, &bound_label)?;
        if buckets.is_empty() {
            return Ok(Vec::new());
        }
        let value = quantile_of(quantile, buckets);
        let mut columns = table.key_columns();
        columns.push(Column::repeat(&value_label, Value::Float(value)));
        Ok(vec![Table::new(table.key.clone(), columns, 1)])
    })?;
    Ok(Value::Stream(made))
}

/// The buckets in order of their bounds.
fn buckets(table: &Table, counts: &Arc<str>, bounds: &Arc<str>) -> Result<Vec<Bucket>, FluxError> {
    let missing = || FluxError::internal(format!("table is missing count column \"{counts}\""));
    let column = table.column(counts).ok_or_else(missing)?;
    if column.kind() != ColumnType::Float {
        let message = format!("count column \"{counts}\" must be of type float");
        return Err(FluxError::internal(message));
    }
    let Some(bound) = table.column(bounds) else { return Ok(Vec::new()) };
    if bound.kind() != ColumnType::String {
        let message = format!("upper bound column \"{bounds}\" must be of type string");
        return Err(FluxError::internal(message));
    }
    let mut buckets = Vec::new();
    for (row, count) in column.as_floats(table.rows).into_iter().enumerate() {
        let null = || FluxError::internal("unexpected null in the countColumn");
        let count = count.ok_or_else(null)?;
        let upper = match bound.value(row) {
            Value::String(text) => text.parse::<f64>().ok(),
            _ => None,
        };
        // The server keeps an empty bucket at zero in place of one without a bound.
        buckets.push(match upper {
            Some(upper) => Bucket { upper, count },
            None => Bucket { upper: 0.0, count: 0.0 },
        });
    }
    buckets.sort_by(|one, other| one.upper.total_cmp(&other.upper));
    Ok(buckets)
}

/// Values are taken to lie evenly within their bucket; the last bucket has no upper end.
fn quantile_of(quantile: f64, buckets: Vec<Bucket>) -> f64 {
    if quantile < 0.0 {
        return f64::NEG_INFINITY;
    }
    if quantile > 1.0 {
        return f64::INFINITY;
    }
    let mut merged: Vec<Bucket> = Vec::new();
    for bucket in buckets {
        match merged.last_mut() {
            Some(last) if last.upper.total_cmp(&bucket.upper).is_eq() => last.count += bucket.count,
            _ => merged.push(bucket),
        }
    }
    if merged.len() < 2 || merged.last().is_none_or(|last| last.upper != f64::INFINITY) {
        return f64::NAN;
    }
    // Counts never fall, but for the last, which the server does not look at.
    let mut highest = merged[0].count;
    let but_last = merged.len() - 1;
    for bucket in &mut merged[..but_last] {
        highest = highest.max(bucket.count);
        bucket.count = highest;
    }
    let mut rank = quantile * merged[but_last].count;
    let at = merged[..but_last].iter().position(|bucket| bucket.count >= rank);
    let Some(at) = at else { return merged[but_last - 1].upper };
    let Bucket { upper, mut count } = merged[at];
    if at == 0 && upper <= 0.0 {
        return upper;
    }
    let mut start = 0.0;
    if at > 0 {
        start = merged[at - 1].upper;
        count -= merged[at - 1].count;
        rank -= merged[at - 1].count;
    }
    start + (upper - start) * (rank / count)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn buckets(pairs: &[(f64, f64)]) -> Vec<Bucket> {
        pairs.iter().map(|&(upper, count)| Bucket { upper, count }).collect()
    }

    #[test]
    fn a_quantile_lies_evenly_within_its_bucket() {
        let buckets = buckets(&[(1.0, 10.0), (2.0, 20.0), (f64::INFINITY, 20.0)]);
        assert!((quantile_of(0.75, buckets) - 1.5).abs() < 1e-12);
    }

    #[test]
    fn a_histogram_without_an_open_end_has_no_quantile() {
        assert!(quantile_of(0.5, buckets(&[(1.0, 10.0), (2.0, 20.0)])).is_nan());
    }
}
