//! Applying a batch: shard groups, types, then values.
//!
//! [`Store::write`] stores every point that the server would store and reports the others as the
//! server does: the first reason and how many points were dropped.

use std::sync::Arc;

use super::column::{Column, value_type};
use super::shards::ShardGroup;
use super::{Bucket, FieldDef, FieldType, Measurement, Series, SeriesField, Store};
use crate::accounts::Id;
use crate::flux::time::format_rfc3339;
use crate::line_protocol::{
    Batch, Field, MIN_TIME_NS, Point, SeriesKey, Value, shown, split_key, unescape_text,
};

/// The longest string value in bytes.
const MAX_STRING_BYTES: usize = 1 << 20;

/// A bucket has no more shard groups than this: a server would have given up long before, and each
/// new one costs time that grows with their number.
const MAX_GROUPS: usize = 1 << 16;

/// Why a batch was not stored wholly.
#[derive(Debug, PartialEq, thiserror::Error)]
pub(crate) enum WriteError {
    /// Nothing was stored.
    #[error("database not found: {0}")]
    NoBucket(Id),
    /// Nothing was stored.
    #[error("the stand-in keeps no more than {MAX_GROUPS} shard groups in a bucket")]
    TooManyGroups,
    #[error(transparent)]
    Partial(#[from] PartialWrite),
}

/// Points that were not stored; the others of the batch were.
#[derive(Debug, PartialEq, thiserror::Error)]
#[error("partial write: {reason} dropped={dropped}{place}")]
pub(crate) struct PartialWrite {
    /// Why the first of them was not.
    pub(crate) reason: String,
    /// How many of them there are.
    pub(crate) dropped: usize,
    place: String,
}

/// What was dropped of the points of one shard group.
struct Dropped {
    group_ns: i64,
    reason: String,
    count: usize,
}

impl Store {
    /// Stores a batch.
    pub(crate) fn write(
        &mut self,
        bucket: Id,
        batch: &Batch<'_>,
        now_ns: i64,
    ) -> Result<(), WriteError> {
        let Some(data) = self.buckets.get_mut(&bucket) else {
            return Err(WriteError::NoBucket(bucket));
        };
        let groups = data.open_groups(batch, now_ns)?;
        let mut writer = Writer {
            bucket: data,
            groups,
            last_series: None,
            columns: Vec::new(),
            unsettled: Vec::new(),
            dropped: Vec::new(),
            expired: Vec::new(),
        };
        for point in &batch.points {
            writer.write_point(point, &batch.fields[point.fields.clone()]);
        }
        writer.settle();
        Ok(writer.outcome(bucket, now_ns)?)
    }
}

impl Bucket {
    /// The shard groups that the points of a batch open. A point older than the retention opens
    /// none, but is stored in one that another point of its batch has opened.
    fn open_groups(
        &mut self,
        batch: &Batch<'_>,
        now_ns: i64,
    ) -> Result<Vec<ShardGroup>, WriteError> {
        let earliest_ns = self.retention.earliest_ns(now_ns).unwrap_or(MIN_TIME_NS);
        let length_ns = self.retention.shard_group_ns;
        let (mut open, mut created): (Vec<ShardGroup>, Vec<ShardGroup>) = (Vec::new(), Vec::new());
        for point in &batch.points {
            let known = open.last().is_some_and(|group| group.contains(point.time_ns));
            if point.time_ns < earliest_ns || known {
                continue;
            }
            let before = self.groups.len();
            open.push(self.groups.find_or_create(point.time_ns, length_ns));
            created.extend(open.last().filter(|_| self.groups.len() > before));
            if self.groups.len() > MAX_GROUPS {
                for group in created {
                    self.groups.remove(group);
                }
                return Err(WriteError::TooManyGroups);
            }
        }
        open.sort_unstable_by_key(|group| group.start_ns);
        open.dedup();
        Ok(open)
    }

    fn series_of(&mut self, key: &[u8]) -> usize {
        if let Some(&series) = self.series_by_key.get(key) {
            return series;
        }
        let SeriesKey { measurement, tags, readable } = split_key(key);
        let measurement = self.measurement_of(&measurement);
        let text = |bytes: &[u8]| Arc::<str>::from(shown(bytes));
        let tags = tags.iter().map(|(key, value)| (text(key), text(value))).collect();
        self.series.push(Series { measurement, readable, tags, fields: Vec::new() });
        self.series_by_key.insert(key.into(), self.series.len() - 1);
        self.series.len() - 1
    }

    fn measurement_of(&mut self, name: &[u8]) -> usize {
        if let Some(&measurement) = self.measurements_by_name.get(name) {
            return measurement;
        }
        self.measurements.push(Measurement {
            name: Arc::from(shown(name)),
            fields: Vec::new(),
            fields_by_name: std::collections::HashMap::new(),
        });
        self.measurements_by_name.insert(name.into(), self.measurements.len() - 1);
        self.measurements.len() - 1
    }

    /// Where a field stands in a series, if the series has it.
    fn place_of(&self, series: usize, key: &[u8], hint: usize) -> Option<usize> {
        let Series { measurement, fields, .. } = &self.series[series];
        if fields.get(hint).is_some_and(|known| *known.name == *key) {
            return Some(hint);
        }
        let id = self.measurements[*measurement].fields_by_name.get(key)?;
        fields.binary_search_by_key(id, |known| known.field).ok()
    }

    /// Gives a series all the fields of a point.
    fn add_fields(&mut self, series: usize, fields: &[Field<'_>]) {
        let Series { measurement, fields: own, .. } = &mut self.series[series];
        let measurement = &mut self.measurements[*measurement];
        let known = own.len();
        for field in fields.iter().filter(|field| &*field.key != b"time") {
            let id = measurement.field_id(&field.key);
            if own[..known].binary_search_by_key(&id, |known| known.field).is_err() {
                let name = Arc::clone(&measurement.fields[id].key);
                own.push(SeriesField { field: id, name, columns: Vec::new() });
            }
        }
        own.sort_by_key(|field| field.field);
        own.dedup_by_key(|field| field.field);
    }

    /// Finds or makes the column of a field; the error says which type it has instead.
    fn column_of(
        &mut self,
        series: usize,
        at: usize,
        group_ns: i64,
        wanted: FieldType,
    ) -> Result<usize, String> {
        let Series { measurement, fields, .. } = &mut self.series[series];
        let SeriesField { field, columns, .. } = &mut fields[at];
        let index = match columns.last() {
            Some(last) if last.group_ns == group_ns => Ok(columns.len() - 1),
            _ => columns.binary_search_by_key(&group_ns, |column| column.group_ns),
        };
        if let Ok(index) = index
            && columns[index].field_type() == wanted
        {
            return Ok(index);
        }
        let measurement = &mut self.measurements[*measurement];
        let def = &mut measurement.fields[*field];
        let fixed = def.fix_type(group_ns, wanted);
        if fixed != wanted {
            return Err(format!(
                "field type conflict: input field \"{}\" on measurement \"{}\" is type {}, \
                 already exists as type {}",
                def.name,
                measurement.name,
                wanted.word(),
                fixed.word()
            ));
        }
        Ok(index.unwrap_or_else(|index| {
            columns.insert(index, Box::new(Column::new(group_ns, wanted)));
            index
        }))
    }
}

impl Measurement {
    fn field_id(&mut self, name: &[u8]) -> usize {
        if let Some(&id) = self.fields_by_name.get(name) {
            return id;
        }
        let key: Arc<[u8]> = Arc::from(name);
        let name = Arc::from(shown(name));
        self.fields.push(FieldDef { name, key: Arc::clone(&key), types: Vec::new() });
        self.fields_by_name.insert(key, self.fields.len() - 1);
        self.fields.len() - 1
    }
}

struct Writer<'a, 'b> {
    bucket: &'a mut Bucket,
    groups: Vec<ShardGroup>,
    /// The key and series of the point before: lines of one series mostly stand together.
    last_series: Option<(&'a [u8], usize)>,
    /// The columns of the point at hand, found before any of its values is stored.
    columns: Vec<(usize, usize, &'a Value<'b>)>,
    /// Series, field and shard group of columns to settle. The field is named by its id: its place
    /// in the series moves when the series gets another one.
    unsettled: Vec<(usize, usize, i64)>,
    dropped: Vec<Dropped>,
    expired: Vec<(&'a [u8], i64)>,
}

impl<'a, 'b> Writer<'a, 'b> {
    fn write_point(&mut self, point: &'a Point<'b>, fields: &'a [Field<'b>]) {
        let at = self.groups.partition_point(|group| group.stop_ns <= point.time_ns);
        let group = self.groups.get(at).copied().filter(|group| group.contains(point.time_ns));
        let Some(group) = group else {
            self.expired.push((&point.key, point.time_ns));
            return;
        };
        let series = match self.last_series {
            Some((key, series)) if key == &*point.key => series,
            _ => self.bucket.series_of(&point.key),
        };
        self.last_series = Some((&point.key, series));
        if let Err(reason) = self.find_columns(series, group.start_ns, fields) {
            self.drop_point(group.start_ns, reason);
            return;
        }
        for &(at, column, value) in &self.columns {
            let SeriesField { field, columns, .. } = &mut self.bucket.series[series].fields[at];
            if columns[column].push(point.time_ns, value) {
                self.unsettled.push((series, *field, group.start_ns));
            }
        }
    }

    /// Finds the columns of all fields, so that a conflict in one keeps out the whole point.
    fn find_columns(
        &mut self,
        series: usize,
        group_ns: i64,
        fields: &'a [Field<'b>],
    ) -> Result<(), String> {
        self.columns.clear();
        for (index, field) in fields.iter().enumerate() {
            let measurement = self.bucket.series[series].measurement;
            check_length(&self.bucket.measurements[measurement].name, field)?;
            if &*field.key == b"time" {
                continue;
            }
            // Fields mostly come in the order of the line before.
            let Some(at) = self.bucket.place_of(series, &field.key, index) else {
                // New fields move the others, so all are looked up again.
                self.bucket.add_fields(series, fields);
                return self.find_columns(series, group_ns, fields);
            };
            let wanted = value_type(&field.value);
            let column = self.bucket.column_of(series, at, group_ns, wanted)?;
            self.columns.push((at, column, &field.value));
        }
        if self.columns.is_empty() {
            let measurement = self.bucket.series[series].measurement;
            let measurement = &self.bucket.measurements[measurement].name;
            return Err(format!(
                "invalid field name: input field \"time\" on measurement \"{measurement}\" is \
                 invalid"
            ));
        }
        Ok(())
    }

    fn drop_point(&mut self, group_ns: i64, reason: String) {
        match self.dropped.iter_mut().find(|dropped| dropped.group_ns == group_ns) {
            Some(dropped) => dropped.count += 1,
            None => self.dropped.push(Dropped { group_ns, reason, count: 1 }),
        }
    }

    fn settle(&mut self) {
        self.unsettled.sort_unstable();
        self.unsettled.dedup();
        for &(series, field, group_ns) in &self.unsettled {
            let fields = &mut self.bucket.series[series].fields;
            let at = fields.binary_search_by_key(&field, |known| known.field);
            let columns = &mut fields[at.expect("a series keeps its fields")].columns;
            if let Ok(at) = columns.binary_search_by_key(&group_ns, |column| column.group_ns) {
                columns[at].settle();
            }
        }
    }

    /// The server reports the first shard group that dropped points, else the expired ones.
    fn outcome(mut self, bucket: Id, now_ns: i64) -> Result<(), PartialWrite> {
        self.dropped.sort_by_key(|dropped| dropped.group_ns);
        if let Some(first) = self.dropped.into_iter().next() {
            let Dropped { reason, count, .. } = first;
            return Err(PartialWrite { reason, dropped: count, place: String::new() });
        }
        let Some(earliest_ns) = self.bucket.retention.earliest_ns(now_ns) else { return Ok(()) };
        // Of equal times the first counts, in both directions.
        let oldest = self.expired.iter().min_by_key(|(_, time_ns)| *time_ns);
        let newest = self.expired.iter().rev().max_by_key(|(_, time_ns)| *time_ns);
        let (Some(oldest), Some(newest)) = (oldest, newest) else { return Ok(()) };
        let describe = |&(key, time_ns): &(&[u8], i64)| {
            format!(
                "point {} at {} dropped because it violates a Retention Policy Lower Bound at {}",
                shown(key),
                format_rfc3339(time_ns),
                format_rfc3339(earliest_ns)
            )
        };
        let period = go_duration(self.bucket.retention.period_ns);
        let (oldest, newest) = (describe(oldest), describe(newest));
        let dropped = self.expired.len();
        Err(PartialWrite {
            reason: format!(
                "dropped {dropped} points outside retention policy of duration {period} - \
                 oldest {oldest}, newest {newest}"
            ),
            dropped,
            place: format!(" for database: {bucket} for retention policy: autogen"),
        })
    }
}

fn check_length(measurement: &str, field: &Field<'_>) -> Result<(), String> {
    let Value::Text(raw) = field.value else { return Ok(()) };
    if raw.len() <= MAX_STRING_BYTES {
        return Ok(());
    }
    let bytes = unescape_text(raw).len();
    if bytes <= MAX_STRING_BYTES {
        return Ok(());
    }
    let key = shown(&field.key);
    Err(format!(
        "input field \"{key}\" on measurement \"{measurement}\" is too long, {bytes} > \
         {MAX_STRING_BYTES}"
    ))
}

/// Hours, minutes and seconds, as the server prints a length of time.
fn go_duration(duration_ns: i64) -> String {
    let seconds = duration_ns / 1_000_000_000;
    let (hours, minutes, seconds) = (seconds / 3600, seconds / 60 % 60, seconds % 60);
    if hours > 0 {
        format!("{hours}h{minutes}m{seconds}s")
    } else {
        format!("{minutes}m{seconds}s")
    }
}
