//! `window`: tables are cut at regular times.
//!
//! [`Windowing`] finds the windows of a table and their rows; `aggregate_window` uses it as well.

use std::ops::Range;
use std::sync::Arc;

use super::group::merge;
use super::location::{LOCATION, location};
use super::{Builtin, Call, optional, piped};
use crate::flux::error::FluxError;
use crate::flux::stream::{Bounds, Site, Stream};
use crate::flux::table::{Column, Data, Table};
use crate::flux::value::Value;
use crate::flux::window::Windows;

pub(super) const BUILTINS: &[Builtin] = &[Builtin {
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
}];

/// What `window` does to each table.
#[derive(Clone, Debug)]
pub(super) struct Windowing {
    pub(super) windows: Windows,
    pub(super) range: Bounds,
    pub(super) time: Arc<str>,
    pub(super) start: Arc<str>,
    pub(super) stop: Arc<str>,
    pub(super) create_empty: bool,
}

/// Some rows of a table.
pub(super) enum RowSet {
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

pub(super) fn windows_of(call: &Call<'_>) -> Result<Windows, FluxError> {
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
    if every.is_negative() {
        return Err(FluxError::new("parameter \"every\" must be non-negative"));
    }
    Windows::new(every, period.unwrap_or(every), offset, location(call)?)
}

pub(super) fn bounds_of(stream: &Stream) -> Result<Bounds, FluxError> {
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

pub(super) fn windowed(
    stream: &Stream,
    site: Site,
    windowing: Windowing,
) -> Result<Stream, FluxError> {
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
    /// How much will be made, at most: empty windows, and rows that are in several windows.
    pub(super) fn room(&self, rows: usize) -> u64 {
        if self.windows.is_infinite() {
            return 0;
        }
        let empty = if self.create_empty { self.windows.estimate(self.range) } else { 0 };
        let instant = Bounds { start_ns: 0, stop_ns: 1 };
        // Two more windows than a row is in are within what the estimate is off.
        let repeats = self.windows.estimate(instant).saturating_sub(3);
        empty.saturating_add(repeats.saturating_mul(rows as u64))
    }

    /// The windows of a table, each with its rows.
    pub(super) fn assign(&self, table: &Table) -> Result<Vec<(Bounds, RowSet)>, FluxError> {
        let times = table
            .column(&self.time)
            .ok_or_else(|| FluxError::new(format!("missing time column \"{}\"", self.time)))?;
        if self.windows.is_infinite() {
            let all = (table.rows > 0).then_some((self.range, RowSet::Run(0..table.rows)));
            return Ok(all.into_iter().collect());
        }
        Ok(match self.plain_times(times) {
            Some(times) if self.create_empty => self.all_runs(times),
            Some(times) => self.runs(times),
            None => self.scattered(times, table.rows),
        })
    }

    /// Sorted instants within the range, each of which lies in one window.
    fn plain_times<'a>(&self, times: &'a Column) -> Option<&'a [i64]> {
        let Data::Time(cells) = &times.data else { return None };
        let times = cells.dense().filter(|times| self.windows.tile() && times.is_sorted())?;
        let mut ends = times.first().into_iter().chain(times.last());
        ends.all(|time_ns| self.range.contains(*time_ns)).then_some(times)
    }

    /// The windows of a table as the server finds them for `mean`, `sum` and `count`: each by
    /// itself even when the range cuts several down to the same. A window that holds no instant of
    /// the table has no rows. `label` is the instant that stands for a window.
    pub(super) fn assign_apart(
        &self,
        table: &Table,
        label: impl Fn(Bounds) -> i64,
    ) -> Result<Vec<(Bounds, Option<RowSet>)>, FluxError> {
        let times = table
            .column(&self.time)
            .ok_or_else(|| FluxError::new(format!("missing time column \"{}\"", self.time)))?;
        if self.windows.is_infinite() || self.plain_times(times).is_some() {
            let assigned = self.assign(table)?.into_iter();
            return Ok(assigned.map(|(bounds, rows)| (bounds, Some(rows))).collect());
        }
        let instants = (0..table.rows).filter_map(|row| Some((times.time(row)?, row)));
        let mut instants: Vec<(i64, usize)> = instants.collect();
        instants.sort_by_key(|(time_ns, _)| *time_ns);
        let found = self.holding(&instants).into_iter().map(|bounds| {
            let bounds = self.cut(bounds);
            let before = |end_ns: i64| instants.partition_point(|(time_ns, _)| *time_ns < end_ns);
            let rows = &instants[before(bounds.start_ns)..before(bounds.stop_ns)];
            (bounds, Some(RowSet::Scattered(rows.iter().map(|(_, row)| *row).collect())))
        });
        if !self.create_empty {
            return Ok(found.collect());
        }
        let mut found = found.peekable();
        let all = self.windows.overlapping(self.range).into_iter().map(|bounds| {
            let bounds = self.cut(bounds);
            let next = found.next_if(|(own, _)| label(*own) == label(bounds));
            (bounds, next.and_then(|(_, rows)| rows))
        });
        Ok(all.collect())
    }

    /// The windows that hold any of some sorted instants, the earliest first.
    fn holding(&self, instants: &[(i64, usize)]) -> Vec<Bounds> {
        let mut found: Vec<Bounds> = Vec::new();
        let mut last = None;
        for (time_ns, _) in instants {
            if last.replace(*time_ns) == Some(*time_ns) {
                continue;
            }
            let after = found.last().map(|bounds| bounds.start_ns);
            let own = self.windows.of_instant(*time_ns).into_iter();
            found.extend(own.filter(|bounds| after.is_none_or(|start| bounds.start_ns > start)));
        }
        found
    }

    /// The part of a window that lies in the range, which for `mean`, `sum` and `count` is nothing
    /// at the start of the range when the window lies outside.
    fn cut(&self, bounds: Bounds) -> Bounds {
        let clipped = bounds.clipped_to(self.range);
        let nothing = Bounds { stop_ns: self.range.start_ns, ..self.range };
        if clipped.is_empty() { nothing } else { clipped }
    }

    /// The part of a window that lies in the range. The server takes the whole range for that of a
    /// window that lies outside.
    fn clipped(&self, bounds: Bounds) -> Bounds {
        let clipped = bounds.clipped_to(self.range);
        if clipped.is_empty() { self.range } else { clipped }
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
            assigned.extend(all.map(|bounds| (self.clipped(bounds), Vec::new())));
            // The range cuts several windows down to the same when they overlap.
            assigned.dedup_by_key(|(bounds, _)| *bounds);
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
                let clipped = self.clipped(bounds);
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
