//! `holtWinters`: a forecast from level, trend and season, damped.

use std::sync::Arc;

use super::simplex::{Corner, Patience, minimum};
use super::{Builtin, Call, optional, piped, required};
use crate::flux::duration::Duration;
use crate::flux::error::FluxError;
use crate::flux::stream::Execution;
use crate::flux::table::{Cells, Column, Data, Table};
use crate::flux::value::Value;

pub(super) const BUILTINS: &[Builtin] = &[Builtin {
    package: "",
    name: "holtWinters",
    parameters: &[
        piped("tables"),
        required("n"),
        required("interval"),
        optional("withFit"),
        optional("column"),
        optional("timeColumn"),
        optional("seasonality"),
        optional("withMinSSE"),
    ],
    run: holt_winters,
}];

/// The weights of a forecast come before the level, the trend and the seasons.
const LEVEL: usize = 4;
const TREND: usize = 5;
const SEASONS: usize = 6;

/// What `holtWinters` was asked for.
struct Wanted {
    execution: Arc<Execution>,
    count: usize,
    season: usize,
    interval: Duration,
    with_fit: bool,
    with_error: bool,
    column: Arc<str>,
    time: Arc<str>,
}

fn holt_winters(call: &Call<'_>) -> Result<Value, FluxError> {
    let size = |name: &str| {
        let given = call.int(name)?.unwrap_or_default();
        usize::try_from(given)
            .map_err(|_| FluxError::new(format!("{name} must be positive, got {given}")))
    };
    let wanted = Wanted {
        execution: Arc::clone(&call.interpreter.execution),
        count: size("n")?,
        season: size("seasonality")?,
        interval: call.duration("interval")?.unwrap_or_default(),
        with_fit: call.bool_or("withFit", false)?,
        with_error: call.bool_or("withMinSSE", false)?,
        column: call.string_or("column", "_value")?,
        time: call.string_or("timeColumn", "_time")?,
    };
    if wanted.interval.ns <= 0 && wanted.interval.months <= 0 {
        return Err(FluxError::new("interval must be positive"));
    }
    wanted.execution.check_room(wanted.count.saturating_add(wanted.season) as u64)?;
    let made = call.stream("tables")?.gathered(call.site, move |table| wanted.table(table))?;
    Ok(Value::Stream(made))
}

impl Wanted {
    fn table(&self, table: Table) -> Result<Table, FluxError> {
        let missing =
            |kind: &str, label: &str| FluxError::new(format!("cannot find {kind} {label}"));
        let times = table.column(&self.time).ok_or_else(|| missing("time column", &self.time))?;
        let column = table.column(&self.column).ok_or_else(|| missing("column", &self.column))?;
        if !column.is_numeric() {
            let kind = column.kind().word();
            let message = format!("holtWinters can work only on numerical types, got {kind}");
            return Err(FluxError::new(message));
        }
        let cells = column.as_floats(table.rows);
        if cells.iter().flatten().any(|value| !value.is_finite()) {
            return Err(FluxError::new("NaN/Inf in input"));
        }
        let times = times.as_integers(table.rows);
        let (values, first_ns, last_ns) = self.spaced(&times, &cells)?;
        let series = Series { values: &values, season: self.season.max(1), wanted: self };
        let (forecast, error) = series.forecast()?;
        let mut time_ns = if self.with_fit { first_ns } else { self.interval.after(last_ns) };
        let times = forecast.iter().map(|_| {
            let next_ns = self.interval.after(time_ns);
            std::mem::replace(&mut time_ns, next_ns)
        });
        let times: Vec<i64> = times.collect();
        let rows = forecast.len();
        let mut columns = table.key_columns();
        let label = |name: &str| Arc::<str>::from(name);
        columns.push(Column::new(&label("_time"), Data::Time(Cells::new(times))));
        columns.push(Column::new(&label("_value"), Data::Float(Cells::new(forecast))));
        if self.with_error {
            columns.push(Column::repeat(&label("minSSE"), Value::Float(error)));
        }
        Ok(Table::new(table.key, columns, rows))
    }

    /// One value for each interval of time from the first value on, with the first and last
    /// instant.
    fn spaced(
        &self,
        times: &[Option<i64>],
        cells: &[Option<f64>],
    ) -> Result<(Vec<Option<f64>>, i64, i64), FluxError> {
        let rounded = |time_ns: i64| {
            let interval_ns = self.interval.ns.max(1);
            let past = time_ns.rem_euclid(interval_ns);
            let up = past >= interval_ns - past;
            time_ns - past + if up { interval_ns } else { 0 }
        };
        let mut values = Vec::new();
        let (mut first_ns, mut last_ns, mut end_ns) = (0, 0, None);
        for (time_ns, cell) in times.iter().zip(cells) {
            let Some(time_ns) = *time_ns else { continue };
            let Some(end) = end_ns else {
                if cell.is_some() {
                    first_ns = time_ns;
                    end_ns = Some(rounded(time_ns));
                    values.push(*cell);
                }
                continue;
            };
            let own = rounded(time_ns);
            if own <= end {
                continue;
            }
            let mut end = self.interval.after(end);
            while own > end {
                values.push(None);
                self.execution.check_room(values.len() as u64)?;
                end = self.interval.after(end);
            }
            end_ns = Some(end);
            values.push(*cell);
            last_ns = time_ns;
        }
        Ok((values, first_ns, last_ns))
    }
}

/// Evenly spaced values and their season's length.
struct Series<'a> {
    values: &'a [Option<f64>],
    season: usize,
    wanted: &'a Wanted,
}

impl Series<'_> {
    fn seasonal(&self) -> bool {
        self.season >= 2
    }

    fn value(&self, at: usize) -> f64 {
        self.values[at].unwrap_or(0.0)
    }

    /// The forecast with the best parameters that are found, and the sum of its squared errors.
    fn forecast(&self) -> Result<(Vec<f64>, f64), FluxError> {
        const GUESSES: [f64; 2] = [0.3, 0.7];
        const PATIENCE: Patience = Patience { change: 1e-4, rounds: 100 };
        let too_short = self.seasonal() && self.values.len() < self.season;
        if self.values.len() < 2 || too_short || self.wanted.count == 0 {
            return Ok((Vec::new(), 0.0));
        }
        let mut start = self.first_guess();
        let mut best: Option<Corner> = None;
        for guess in 0..16_usize {
            for (weight, bit) in [8, 4, 2, 1].into_iter().enumerate() {
                start[weight] = GUESSES[usize::from(guess & bit != 0)];
            }
            if !self.squared_error(&start)?.is_finite() {
                let message = "panic: optimize: initial function value is NaN";
                return Err(FluxError::internal(message));
            }
            let found = minimum(&start, PATIENCE, |place| self.squared_error(place))?;
            if best.as_ref().is_none_or(|best| found.value < best.value) {
                best = Some(found);
            }
        }
        let best = best.ok_or_else(|| FluxError::new("holtWinters finds no parameters"))?;
        let made = self.run(&best.place, self.wanted.count);
        let from = if self.wanted.with_fit { 0 } else { self.values.len() };
        Ok((made[from..].to_vec(), best.value))
    }

    /// Level, trend and seasons from the first values; the weights are still zero.
    fn first_guess(&self) -> Vec<f64> {
        let season = self.season;
        let mut guess = vec![0.0; SEASONS];
        if !self.seasonal() {
            guess[LEVEL] = 0.5 * self.value(0);
            if self.values[1].is_some() {
                guess[TREND] = 0.5 * (self.value(1) - self.value(0));
            }
            return guess;
        }
        let length = season as f64;
        for at in 0..season {
            if let Some(value) = self.values[at] {
                guess[LEVEL] += 1.0 / length * value;
                if let Some(Some(next)) = self.values.get(at + season) {
                    guess[TREND] += 1.0 / (length * length) * (next - value);
                }
            }
        }
        let level = guess[LEVEL];
        let seasons = self.values[..season].iter();
        guess.extend(seasons.map(|value| value.map_or(1.0, |value| value / level)));
        guess
    }

    fn squared_error(&self, place: &[f64]) -> Result<f64, FluxError> {
        // A step of a forecast is far less work than the call of a function.
        self.wanted.execution.count_calls(1 + self.values.len() as u64 / 64)?;
        let pairs = self.run(place, 0).into_iter().zip(self.values);
        Ok(pairs.filter_map(|(made, own)| own.map(|own| (made - own) * (made - own))).sum())
    }

    /// The fit to all values and, behind it, so many more.
    fn run(&self, place: &[f64], more: usize) -> Vec<f64> {
        let weight = |at: usize| place[at].clamp(0.0, 1.0);
        let [alpha, beta, gamma, phi] = [weight(0), weight(1), weight(2), weight(3)];
        let (mut level, mut trend) = (place[LEVEL], place[TREND]);
        let mut seasons = place[SEASONS..].to_vec();
        let season = self.season;
        let mut last = self.value(0);
        let mut damped = phi;
        let mut made = vec![last];
        for step in 1..self.values.len() + more {
            // The seasons are a ring in which each step moves on by two.
            let at = |ahead: usize| (2 * step - 2 + ahead) % season;
            let (own, next) = if self.seasonal() {
                (seasons[at(0)], seasons[at(step % season)])
            } else {
                (1.0, 1.0)
            };
            let (old_level, old_trend) = (level, trend);
            let expected = old_level + phi * old_trend;
            level = alpha * (last / own) + (1.0 - alpha) * expected;
            trend = beta * (level - old_level) + (1.0 - beta) * phi * old_trend;
            let new_season = gamma * (last / expected) + (1.0 - gamma) * own;
            last = (level + damped * trend) * next;
            damped += phi.powf(step as f64);
            if self.seasonal() {
                let at = at(0);
                seasons[at] = new_season;
            }
            made.push(last);
        }
        made
    }
}
