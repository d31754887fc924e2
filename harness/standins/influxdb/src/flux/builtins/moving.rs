//! Averages over the last rows and the oscillators made of them.
//!
//! All of them leave out the rows for which too few came before. A table with too few rows for a
//! single result still gives one row, with the average of what there is.

use std::sync::Arc;

use super::{Builtin, Call, optional, piped, required};
use crate::flux::error::FluxError;
use crate::flux::table::{Column, Table};
use crate::flux::value::Value;

const COUNT: &[super::Parameter] = &[piped("tables"), required("n")];
const COUNT_COLUMNS: &[super::Parameter] = &[piped("tables"), required("n"), optional("columns")];

pub(super) const BUILTINS: &[Builtin] = &[
    Builtin { package: "", name: "movingAverage", parameters: COUNT, run: moving_average },
    Builtin { package: "", name: "exponentialMovingAverage", parameters: COUNT, run: exponential },
    Builtin { package: "", name: "tripleExponentialDerivative", parameters: COUNT, run: trix },
    Builtin {
        package: "",
        name: "relativeStrengthIndex",
        parameters: COUNT_COLUMNS,
        run: relative_strength,
    },
    Builtin {
        package: "",
        name: "chandeMomentumOscillator",
        parameters: COUNT_COLUMNS,
        run: momentum,
    },
    Builtin {
        package: "",
        name: "kaufmansAMA",
        parameters: &[piped("tables"), required("n"), optional("column")],
        run: kaufmans,
    },
];

type Cells = Vec<Option<f64>>;

/// The number of rows to look at.
fn period(call: &Call<'_>, name: &str) -> Result<usize, FluxError> {
    let n = call.int("n")?.unwrap_or(0);
    usize::try_from(n).ok().filter(|n| *n > 0).ok_or_else(|| {
        FluxError::new(format!("cannot take {name} with a period of {n} (must be greater than 0)"))
    })
}

/// The numbers of a column under whose label the results go.
fn numbers(table: &Table, label: &str, name: &str) -> Result<Cells, FluxError> {
    let column =
        table.column(label).ok_or_else(|| FluxError::new(format!("cannot find {label} column")))?;
    if !column.is_numeric() {
        let kind = column.kind().word();
        return Err(FluxError::new(format!("cannot take {name} of column {label} (type {kind})")));
    }
    Ok(column.as_floats(table.rows))
}

/// The last rows of a table with results in place of one column. There are as many rows as results.
fn with_results(table: &Table, label: &Arc<str>, results: Cells) -> Table {
    let made = table.clone().slice(table.rows.saturating_sub(results.len()), table.rows);
    let mut made = Table { rows: results.len().min(table.rows), ..made };
    made.put(Column::floats(label, results));
    made
}

fn on_value(
    call: &Call<'_>,
    work: impl Fn(&Table) -> Result<Cells, FluxError> + Send + Sync + 'static,
) -> Result<Value, FluxError> {
    let label: Arc<str> = Arc::from("_value");
    let made = call.stream("tables")?.gathered(call.site, move |table| {
        let results = work(&table)?;
        Ok(with_results(&table, &label, results))
    })?;
    Ok(Value::Stream(made))
}

fn moving_average(call: &Call<'_>) -> Result<Value, FluxError> {
    let n = period(call, "moving average")?;
    let label: Arc<str> = Arc::from("_value");
    let made = call.stream("tables")?.map(call.site, move |table| {
        let cells = numbers(&table, &label, "moving average")?;
        if cells.is_empty() || cells.len() == n - 1 {
            // The server's way out for too few rows misses the case that only one is wanting.
            return Ok(with_results(&table, &label, Vec::new()));
        }
        let means = cells.windows(n.min(cells.len())).map(|window| {
            let present = window.iter().flatten();
            let count = present.clone().count();
            (count > 0).then(|| present.fold(0.0, |sum, value| sum + value) / count as f64)
        });
        let means = means.collect();
        Ok(with_results(&table, &label, means))
    })?;
    Ok(Value::Stream(made))
}

fn exponential(call: &Call<'_>) -> Result<Value, FluxError> {
    let n = period(call, "moving average")?;
    on_value(call, move |table| {
        let cells = numbers(table, "_value", "exponential moving average")?;
        let averages = exponential_averages(&cells, n);
        if !averages.is_empty() {
            return Ok(averages);
        }
        // Too few rows: the plain mean of what there is.
        let present = cells.iter().flatten();
        let count = present.clone().count();
        let mean = (count > 0).then(|| present.fold(0.0, |sum, value| sum + value) / count as f64);
        Ok(if cells.is_empty() { Vec::new() } else { vec![mean] })
    })
}

/// Exponential averages from the `n`th row on; the first is the plain mean of the first rows.
fn exponential_averages(cells: &[Option<f64>], n: usize) -> Cells {
    let Some((first, rest)) = cells.split_at_checked(n) else { return Vec::new() };
    let weight = 2.0 / (n as f64 + 1.0);
    let present = first.iter().flatten();
    let count = present.clone().count();
    let mut average =
        (count > 0).then(|| present.fold(0.0, |sum, value| sum + value) / count as f64);
    let mut averages = vec![average];
    for cell in rest {
        if let Some(new) = cell {
            average = Some(average.map_or(*new, |old| new * weight + old * (1.0 - weight)));
        }
        averages.push(average);
    }
    averages
}

/// The change in percent of an average of an average of an average.
fn trix(call: &Call<'_>) -> Result<Value, FluxError> {
    let n = period(call, "triple exponential derivative")?;
    on_value(call, move |table| {
        let cells = numbers(table, "_value", "exponential moving average")?;
        let once = exponential_averages(&cells, n);
        let thrice = exponential_averages(&exponential_averages(&once, n), n);
        if thrice.is_empty() {
            return Ok(if cells.is_empty() { Vec::new() } else { vec![None] });
        }
        let changes = thrice.windows(2).map(|pair| match pair {
            [Some(old), Some(new)] => Some((new / old - 1.0) * 100.0),
            _ => None,
        });
        Ok(changes.collect())
    })
}

/// Runs over the named columns; the others lose the rows that the results leave out.
fn on_columns(
    call: &Call<'_>,
    name: &'static str,
    work: impl Fn(&[Option<f64>]) -> Cells + Send + Sync + 'static,
) -> Result<Value, FluxError> {
    let labels = call.strings("columns")?.unwrap_or_else(|| vec![Arc::from("_value")]);
    let made = call.stream("tables")?.gathered(call.site, move |table| {
        let mut results = Vec::new();
        for label in labels.iter().filter(|label| table.column(label).is_some()) {
            results.push((Arc::clone(label), work(&numbers(&table, label, name)?)));
        }
        let Some(rows) = results.iter().map(|(_, cells)| cells.len()).max() else {
            return Ok(table);
        };
        let mut made = table.clone().slice(table.rows.saturating_sub(rows), table.rows);
        for (label, cells) in results {
            made.put(Column::floats(&label, cells));
        }
        Ok(made)
    })?;
    Ok(Value::Stream(made))
}

/// A running mean that becomes exponential once `n` rows have been seen.
struct Smoothed {
    n: usize,
    seen: usize,
    count: usize,
    mean: f64,
}

impl Smoothed {
    fn new(n: usize) -> Self {
        Self { n, seen: 0, count: 0, mean: 0.0 }
    }

    fn add(&mut self, value: Option<f64>) {
        if let Some(value) = value {
            let weight = 1.0 / self.n as f64;
            self.mean = if self.count == 0 {
                value
            } else if self.seen < self.n {
                (self.mean * self.count as f64 + value) / (self.count as f64 + 1.0)
            } else {
                value * weight + self.mean * (1.0 - weight)
            };
            self.count = (self.count + 1).min(self.n);
        }
        self.seen += 1;
    }
}

fn relative_strength(call: &Call<'_>) -> Result<Value, FluxError> {
    let n = period(call, "relative strength index")?;
    on_columns(call, "relative strength index", move |cells| {
        let (mut up, mut down, mut last) = (Smoothed::new(n), Smoothed::new(n), None);
        let index = |up: &Smoothed, down: &Smoothed| 100.0 - 100.0 / (1.0 + up.mean / down.mean);
        let mut results = Vec::new();
        for (row, cell) in cells.iter().enumerate() {
            if let Some(value) = cell {
                // Before the first value there is a zero.
                let step = value - last.unwrap_or(0.0);
                up.add(Some(step.max(0.0)));
                down.add(Some((-step).max(0.0)));
                last = Some(*value);
            } else {
                up.add(None);
                down.add(None);
            }
            if row >= n {
                results.push(last.map(|_| index(&up, &down)));
            }
        }
        if results.is_empty() && !cells.is_empty() {
            results.push(Some(index(&up, &down)));
        }
        results
    })
}

/// Rises and falls within a window of rows.
#[derive(Default)]
struct Momentum {
    up: f64,
    down: f64,
}

impl Momentum {
    /// Takes in a step, gives the oscillator, and lets go of the oldest step.
    fn next(&mut self, step: f64, oldest: f64) -> f64 {
        if step > 0.0 {
            self.up += step;
        } else {
            self.down -= step;
        }
        let value = 100.0 * (self.up - self.down) / (self.up + self.down);
        if oldest > 0.0 {
            self.up -= oldest;
        } else {
            self.down += oldest;
        }
        value
    }
}

/// The oscillator of each row from the `n`th on, with the value before it and its own.
fn momenta(cells: &[Option<f64>], n: usize) -> Vec<(f64, f64, f64)> {
    let values: Vec<f64> = cells.iter().map(|cell| cell.unwrap_or(0.0)).collect();
    let step = |row: usize| if row == 0 { 0.0 } else { values[row] - values[row - 1] };
    let mut momentum = Momentum::default();
    let mut found = Vec::new();
    for row in 0..values.len() {
        let oldest = if row >= n { step(row + 1 - n) } else { 0.0 };
        let value = momentum.next(step(row), oldest);
        if row >= n {
            found.push((values[row - 1], values[row], value));
        }
    }
    found
}

fn momentum(call: &Call<'_>) -> Result<Value, FluxError> {
    let n = period(call, "chande momentum oscillator")?;
    on_columns(call, "chande momentum oscillator", move |cells| {
        momenta(cells, n).into_iter().map(|(_, _, value)| Some(value)).collect()
    })
}

fn kaufmans(call: &Call<'_>) -> Result<Value, FluxError> {
    const FAST: f64 = 2.0 / 3.0;
    const SLOW: f64 = 2.0 / 31.0;
    let n = period(call, "KaufmansAMA")?;
    let label = call.string_or("column", "_value")?;
    let made = call.stream("tables")?.gathered(call.site, move |table| {
        let cells = numbers(&table, &label, "KAMA")?;
        let mut average = None;
        let averages = momenta(&cells, n).into_iter().map(|(before, value, momentum)| {
            let weight = (momentum.abs() / 100.0 * (FAST - SLOW) + SLOW).powi(2);
            let old = average.unwrap_or(before);
            let new = old + weight * (value - old);
            average = Some(new);
            average
        });
        let averages = averages.collect();
        Ok(with_results(&table, &label, averages))
    })?;
    Ok(Value::Stream(made))
}
