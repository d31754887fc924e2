//! Where tables come from: `from`, and the `range` and `filter` that join a read of the store.

use std::collections::BTreeSet;
use std::sync::Arc;

use super::predicate::{Condition, filter_table};
use super::{Builtin, Call, optional, piped, required};
use crate::accounts::Id;
use crate::flux::error::{FluxError, FluxErrorCode};
use crate::flux::stream::{Bounds, Execution, Site, Stream, Tables};
use crate::flux::table::{Cells, Column, Data, GroupKey, Table};
use crate::flux::value::{Record, Value};
use crate::store::{SeriesName, SeriesRef, Values};

pub(super) const BUILTINS: &[Builtin] = &[
    Builtin {
        package: "",
        name: "from",
        parameters: &[
            optional("bucket"),
            optional("bucketID"),
            optional("host"),
            optional("org"),
            optional("orgID"),
            optional("token"),
        ],
        run: from,
    },
    Builtin {
        package: "",
        name: "range",
        parameters: &[piped("tables"), required("start"), optional("stop")],
        run: range,
    },
    Builtin {
        package: "",
        name: "filter",
        parameters: &[piped("tables"), required("fn"), optional("onEmpty")],
        run: filter,
    },
];

/// A read of a bucket that may still take on a range and filters.
#[derive(Clone, Debug)]
pub(crate) struct StorageRead {
    bucket: Id,
    /// What the script calls the bucket.
    name: Arc<str>,
    range: Option<Bounds>,
    /// Conditions on what names a series.
    series_filters: Vec<Condition>,
    /// Conditions on points that the server hands to its store. Others stay behind in `filter`.
    point_filters: Vec<Condition>,
}

/// Filters that follow one another, which the server makes one filter of. It knows the place of the
/// first only.
#[derive(Clone, Debug)]
pub(crate) struct Filtered {
    tables: Stream,
    site: Site,
    conditions: Vec<Condition>,
    on_empty: OnEmpty,
}

/// What becomes of a table of which a filter leaves nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum OnEmpty {
    Keep,
    Drop,
}

pub(super) fn from(call: &Call<'_>) -> Result<Value, FluxError> {
    for remote in ["host", "org", "orgID", "token"] {
        if call.value(remote).is_some() {
            let message = format!("argument `{remote}` of `from` is not in the stand-in's Flux");
            return Err(FluxError::compilation(call.site.span, message));
        }
    }
    let execution = &call.interpreter.execution;
    let (name, id) = (call.string("bucket")?, call.string("bucketID")?);
    let (found, shown) = {
        let accounts = execution.server.accounts();
        match (&name, &id) {
            (Some(name), None) => {
                let bucket = accounts.bucket_named(execution.org, name);
                let bucket = bucket.filter(|bucket| execution.may_find(bucket));
                (bucket.map(|bucket| bucket.id), Arc::clone(name))
            }
            (None, Some(id)) => {
                let parsed = Id::parse(id).ok_or_else(|| {
                    FluxError::whole(
                        FluxErrorCode::Invalid,
                        "failed to initialize execute state: invalid bucket id: id must have a \
                         length of 16 bytes",
                    )
                })?;
                if accounts.bucket(parsed).is_none() {
                    let message = "An internal error has occurred - check server logs";
                    return Err(FluxError::whole(FluxErrorCode::Internal, message));
                }
                (Some(parsed), Arc::clone(id))
            }
            (Some(_), Some(_)) => {
                return Err(FluxError::new("must specify only one of bucket or bucketID"));
            }
            (None, None) => return Err(FluxError::new("must specify bucket or bucketID")),
        }
    };
    let bucket = found.ok_or_else(|| {
        let message =
            format!("failed to initialize execute state: could not find bucket \"{shown}\"");
        FluxError::whole(FluxErrorCode::NotFound, message)
    })?;
    let read = StorageRead {
        bucket,
        name: shown,
        range: None,
        series_filters: Vec::new(),
        point_filters: Vec::new(),
    };
    Ok(Value::Stream(read.stream(execution, call.site)))
}

fn range(call: &Call<'_>) -> Result<Value, FluxError> {
    let stream = call.stream("tables")?;
    let start = call.required("start").and_then(|_| call.instant("start"))?;
    let start_ns = start.ok_or_else(|| FluxError::new("range needs a start"))?;
    let stop_ns = match call.instant("stop")? {
        Some(stop_ns) => stop_ns,
        None => call.interpreter.now()?,
    };
    let bounds = Bounds { start_ns, stop_ns };
    if start_ns >= stop_ns {
        return Err(FluxError::whole(
            FluxErrorCode::Invalid,
            "error in building plan while starting program: cannot query an empty range",
        ));
    }
    if let Some(read) = &stream.read
        && read.range.is_none()
    {
        let read = StorageRead { range: Some(bounds), ..(**read).clone() };
        return Ok(Value::Stream(read.stream(&call.interpreter.execution, call.site)));
    }
    let mut ranged = stream.gathered(call.site, move |table| range_table(table, bounds))?;
    ranged.bounds = Some(stream.bounds.map_or(bounds, |outer| bounds.clipped_to(outer)));
    Ok(Value::Stream(ranged))
}

/// Keeps the rows inside a range and says so in `_start` and `_stop`.
fn range_table(table: Table, bounds: Bounds) -> Result<Table, FluxError> {
    let times = table.required("_time")?;
    let inside = |row: &usize| times.time(*row).is_some_and(|time_ns| bounds.contains(time_ns));
    let kept: Vec<usize> = (0..table.rows).filter(inside).collect();
    let mut table = if kept.len() == table.rows { table } else { table.take(&kept) };
    for (label, time_ns) in [("_start", bounds.start_ns), ("_stop", bounds.stop_ns)] {
        let label = Arc::from(label);
        table.key = table.key.with(&label, Value::Time(time_ns));
        table.put(Column::repeat(&label, Value::Time(time_ns)));
    }
    Ok(table)
}

fn filter(call: &Call<'_>) -> Result<Value, FluxError> {
    let stream = call.stream("tables")?;
    let lambda = call.lambda_of("fn", &["r"])?;
    let on_empty = match call.string("onEmpty")?.as_deref() {
        None | Some("drop") => OnEmpty::Drop,
        Some("keep") => OnEmpty::Keep,
        Some(other) => {
            let message = format!("onEmpty must be keep or drop, and is {other}");
            return Err(FluxError::new(message));
        }
    };
    let condition = Condition::of(lambda)?;
    let filtered = match &stream.filtered {
        Some(earlier) if !stream.yielded && earlier.joins(&condition, on_empty) => {
            let conditions = earlier.conditions.iter().cloned().chain([condition]);
            Filtered { conditions: conditions.collect(), ..(**earlier).clone() }
        }
        _ => {
            let (tables, site, conditions) = (stream, call.site, vec![condition]);
            Filtered { tables, site, conditions, on_empty }
        }
    };
    Ok(Value::Stream(filtered.stream(&call.interpreter.execution)?))
}

impl Filtered {
    /// Whether a filter behind these becomes one with them. Of those that the store does the whole
    /// work of there is nothing left.
    fn joins(&self, condition: &Condition, on_empty: OnEmpty) -> bool {
        let expressions = self.conditions.iter().chain([condition]).all(Condition::is_expression);
        let of_store = self.tables.read.is_some() && self.on_empty == OnEmpty::Drop;
        let left = !of_store || !self.conditions.iter().all(Condition::is_for_store);
        expressions && left && (self.on_empty == on_empty || self.on_empty == OnEmpty::Keep)
    }

    fn stream(self, execution: &Arc<Execution>) -> Result<Stream, FluxError> {
        let read = self.tables.read.as_ref().filter(|read| read.range.is_some());
        let mut made = match read.filter(|_| self.on_empty == OnEmpty::Drop) {
            None => self.rows(&self.tables, self.conditions.clone())?,
            Some(read) => {
                let (mut read, mut left) = ((**read).clone(), Vec::new());
                for condition in &self.conditions {
                    if !left.is_empty() {
                        // What the store cannot answer keeps later filters from it, too.
                        left.push(condition.clone());
                        continue;
                    }
                    let (on_series, on_points) = condition.clone().split();
                    read.series_filters.extend(on_series);
                    let by_store = condition.is_for_store();
                    if by_store { &mut read.point_filters } else { &mut left }.extend(on_points);
                }
                let mut narrowed = read.stream(execution, self.site);
                if !self.conditions.iter().all(Condition::is_for_store) {
                    // What the store cannot answer keeps the server from handing more to it.
                    narrowed.read = None;
                }
                if left.is_empty() { narrowed } else { self.rows(&narrowed, left)? }
            }
        };
        made.filtered = Some(Arc::new(self));
        Ok(made)
    }

    /// The rows for which conditions hold.
    fn rows(&self, stream: &Stream, conditions: Vec<Condition>) -> Result<Stream, FluxError> {
        let on_empty = self.on_empty;
        stream.filtered(self.site, move |table| {
            let table = filter_table(table, &conditions)?;
            let stays = table.rows > 0 || on_empty == OnEmpty::Keep;
            Ok(if stays { vec![table] } else { Vec::new() })
        })
    }
}

impl StorageRead {
    fn stream(self, execution: &Arc<Execution>, site: Site) -> Stream {
        let read = Arc::new(self);
        let (own, context) = (Arc::clone(&read), Arc::clone(execution));
        let mut stream = Stream::source(execution, site, move || own.tables(&context));
        stream.bounds = read.range;
        stream.read = Some(read);
        stream
    }

    /// The refusal of a read without a range.
    pub(super) fn unbounded(&self) -> FluxError {
        let message = format!(
            "error in building plan while starting program: cannot submit unbounded read to \
             \"{}\"; try bounding 'from' with a call to 'range'",
            self.name
        );
        FluxError::whole(FluxErrorCode::Invalid, message)
    }

    fn tables(&self, execution: &Arc<Execution>) -> Result<Tables, FluxError> {
        let bounds = self.range.ok_or_else(|| self.unbounded())?;
        let range = (bounds.start_ns, bounds.stop_ns);
        let wanted = |name: &SeriesName| self.wants(name);
        let found = execution.server.store().series(self.bucket, range, wanted)?;
        let (bucket, execution) = (self.bucket, Arc::clone(execution));
        let filters = self.point_filters.clone();
        let tables = found.into_iter().filter_map(move |series| {
            let points = execution.server.store().points(bucket, &series, range)?;
            let table = table(&series, points.times, points.values, bounds);
            let narrowed = filter_table(table, &filters);
            Some(narrowed).filter(|table| table.as_ref().map_or(true, |table| table.rows > 0))
        });
        Ok(Box::new(tables))
    }

    /// Whether nothing of this read depends on points but which series have any.
    pub(super) fn names_series(&self) -> bool {
        self.point_filters.is_empty()
    }

    /// The values that the series of this read have under a label, in their order.
    pub(super) fn values_of(
        &self,
        execution: &Arc<Execution>,
        label: &str,
    ) -> Result<Vec<Arc<str>>, FluxError> {
        let mut values = BTreeSet::new();
        let by_index = match label {
            // Fields are not in the index by the tags of their series.
            "_field" => !self.asks_for(|own| own != "_measurement"),
            _ => !self.asks_for(|own| own == "_field"),
        };
        self.each_name(execution, (by_index, label == "_measurement"), |own, value| {
            if **own == *label {
                values.insert(Arc::clone(value));
            }
        })?;
        Ok(values.into_iter().collect())
    }

    /// The labels that the series of this read have, in their order.
    pub(super) fn labels(&self, execution: &Arc<Execution>) -> Result<Vec<Arc<str>>, FluxError> {
        let mut found = BTreeSet::from(["_field", "_measurement"].map(Arc::from));
        let by_index = !self.asks_for(|own| own == "_field");
        self.each_name(execution, (by_index, false), |own, _| {
            found.insert(Arc::clone(own));
        })?;
        Ok(found.into_iter().collect())
    }

    /// Whether a condition of this read looks at any of some labels.
    fn asks_for(&self, labels: impl Fn(&str) -> bool) -> bool {
        self.series_filters.iter().any(|filter| filter.predicate.asks_for(&labels))
    }

    /// Shows what names the series of this read. The server's index, when it is enough, knows what
    /// a shard group holds but not at which times, and it knows measurements of all times.
    fn each_name(
        &self,
        execution: &Arc<Execution>,
        (by_index, at_all_times): (bool, bool),
        mut seen: impl FnMut(&Arc<str>, &Arc<str>),
    ) -> Result<(), FluxError> {
        let bounds = self.range.ok_or_else(|| self.unbounded())?;
        let range = (bounds.start_ns, bounds.stop_ns);
        let store = execution.server.store();
        if !by_index {
            for series in store.series(self.bucket, range, |name| self.wants(name))? {
                labels(&series.name).for_each(|(label, value)| seen(&label, &value));
            }
            return Ok(());
        }
        let range = if at_all_times { (i64::MIN, i64::MAX) } else { range };
        let shards = store.survey(self.bucket, range, |_| true);
        for measurement in shards.into_iter().flat_map(|shard| shard.measurements) {
            for (series, (field, _)) in measurement
                .series
                .iter()
                .flat_map(|own| measurement.fields.iter().map(move |it| (own, it)))
            {
                let (measurement, tags) = (Arc::clone(&measurement.name), Arc::clone(&series.tags));
                let name = SeriesName { measurement, tags, field: Arc::clone(field) };
                if self.wants(&name)? {
                    labels(&name).for_each(|(label, value)| seen(&label, &value));
                }
            }
        }
        Ok(())
    }

    /// Whether a series passes all conditions on what names it.
    fn wants(&self, name: &SeriesName) -> Result<bool, FluxError> {
        if self.series_filters.is_empty() {
            return Ok(true);
        }
        let record: Record =
            labels(name).map(|(label, value)| (label, Value::String(value))).collect();
        for filter in &self.series_filters {
            if !filter.predicate.holds_for_series(&filter.lambda, &record)? {
                return Ok(false);
            }
        }
        Ok(true)
    }
}

/// What names a field of a series, as columns.
fn labels(name: &SeriesName) -> impl Iterator<Item = (Arc<str>, Arc<str>)> + '_ {
    let own = [
        (Arc::from("_field"), Arc::clone(&name.field)),
        (Arc::from("_measurement"), Arc::clone(&name.measurement)),
    ];
    own.into_iter().chain(name.tags.iter().cloned())
}

fn table(series: &SeriesRef, times: Vec<i64>, values: Values, bounds: Bounds) -> Table {
    let rows = times.len();
    let (start, stop) = (Arc::from("_start"), Arc::from("_stop"));
    let data = match values {
        Values::Float(values) => Data::Float(Cells::new(values)),
        Values::Integer(values) => Data::Int(Cells::new(values)),
        Values::Unsigned(values) => Data::UInt(Cells::new(values)),
        Values::String(values) => Data::String(Cells::new(values)),
        Values::Boolean(values) => Data::Bool(Cells::new(values)),
    };
    let mut columns = vec![
        Column::repeat(&start, Value::Time(bounds.start_ns)),
        Column::repeat(&stop, Value::Time(bounds.stop_ns)),
        Column::new(&Arc::from("_time"), Data::Time(Cells::new(times))),
        Column::new(&Arc::from("_value"), data),
    ];
    let mut key = vec![(start, Value::Time(bounds.start_ns)), (stop, Value::Time(bounds.stop_ns))];
    for (label, value) in labels(&series.name) {
        columns.push(Column::repeat(&label, Value::String(Arc::clone(&value))));
        key.push((label, Value::String(value)));
    }
    Table::new(key.into_iter().collect::<GroupKey>(), columns, rows)
}
