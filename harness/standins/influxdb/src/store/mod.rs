//! The data: buckets of series, written by line protocol and read series by series.
//!
//! The main type is [`Store`]. A bucket knows its shard groups (`shards`), because the type of a
//! field, retention and the acceptance of late points all go by them; a series keeps one sorted
//! column of times and values a field and shard group (`column`). `write` applies a parsed batch,
//! `delete` removes by time and tags, `read` finds series and copies what a query asks for. Names
//! and organisations of buckets are kept by `accounts`.

mod column;
mod delete;
mod predicate;
mod predicate_tokens;
mod read;
mod shards;
mod survey;
mod write;

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;

pub(crate) use self::column::Values;
pub(crate) use self::predicate::{Predicate, PredicateError};
pub(crate) use self::read::{Points, SeriesName, SeriesRef};
pub(crate) use self::shards::{Retention, shard_duration_ns};
pub(crate) use self::survey::{MeasurementSurvey, SeriesSurvey, ShardSurvey};
pub(crate) use self::write::WriteError;

use self::column::Column;
use self::shards::ShardGroups;
use crate::accounts::Id;

/// How often the server looks for shard groups that have outlived their retention.
const RETENTION_CHECK_NS: i64 = 30 * 60 * 1_000_000_000;

/// The data of all buckets.
#[derive(Debug)]
pub(crate) struct Store {
    buckets: BTreeMap<Id, Bucket>,
    next_retention_check_ns: i64,
}

impl Store {
    /// A store without buckets. The first look for expired shard groups comes half an hour after
    /// the start.
    pub(crate) fn new(started_ns: i64) -> Self {
        let next_retention_check_ns = started_ns.saturating_add(RETENTION_CHECK_NS);
        Self { buckets: BTreeMap::new(), next_retention_check_ns }
    }

    /// Makes room for a new bucket.
    pub(crate) fn create(&mut self, bucket: Id, retention: Retention) {
        self.buckets.insert(bucket, Bucket::new(retention));
    }

    /// Takes over changed retention. Shard groups that exist keep their length.
    pub(crate) fn set_retention(&mut self, bucket: Id, retention: Retention) {
        if let Some(bucket) = self.buckets.get_mut(&bucket) {
            bucket.retention = retention;
        }
    }

    /// How long a bucket keeps its data; `None` when the store does not know it.
    pub(crate) fn retention(&self, bucket: Id) -> Option<Retention> {
        self.buckets.get(&bucket).map(|bucket| bucket.retention)
    }

    /// Forgets a bucket and its data.
    pub(crate) fn remove(&mut self, bucket: Id) {
        self.buckets.remove(&bucket);
    }

    /// Whether the half-hourly look for expired shard groups is due.
    pub(crate) fn retention_check_due(&self, now_ns: i64) -> bool {
        now_ns >= self.next_retention_check_ns
    }

    /// Removes the shard groups that lie wholly before their bucket's retention.
    pub(crate) fn enforce_retention(&mut self, now_ns: i64) {
        self.next_retention_check_ns = now_ns.saturating_add(RETENTION_CHECK_NS);
        for bucket in self.buckets.values_mut() {
            let Some(limit_ns) = bucket.retention.earliest_ns(now_ns) else { continue };
            let expired = bucket.groups.remove_before(limit_ns);
            if !expired.is_empty() {
                bucket.drop_groups(&expired);
            }
        }
    }
}

/// The data of one bucket.
#[derive(Debug)]
struct Bucket {
    retention: Retention,
    groups: ShardGroups,
    /// Series by their key as line protocol writes it, tags in order.
    series_by_key: HashMap<Box<[u8]>, usize>,
    series: Vec<Series>,
    measurements: Vec<Measurement>,
    measurements_by_name: HashMap<Box<[u8]>, usize>,
}

impl Bucket {
    fn new(retention: Retention) -> Self {
        Self {
            retention,
            groups: ShardGroups::default(),
            series_by_key: HashMap::new(),
            series: Vec::new(),
            measurements: Vec::new(),
            measurements_by_name: HashMap::new(),
        }
    }

    fn drop_groups(&mut self, starts: &BTreeSet<i64>) {
        for series in &mut self.series {
            for field in &mut series.fields {
                field.columns.retain(|column| !starts.contains(&column.group_ns));
            }
        }
        for measurement in &mut self.measurements {
            for field in &mut measurement.fields {
                field.types.retain(|(group_ns, _)| !starts.contains(group_ns));
            }
        }
    }
}

/// A measurement and its fields.
#[derive(Debug)]
struct Measurement {
    name: Arc<str>,
    fields: Vec<FieldDef>,
    fields_by_name: HashMap<Arc<[u8]>, usize>,
}

/// A field of a measurement: its type is fixed once per shard group.
#[derive(Debug)]
struct FieldDef {
    name: Arc<str>,
    /// The name as it was written, which need not be UTF-8.
    key: Arc<[u8]>,
    /// By the start of the shard group, in order. Mostly there is one.
    types: Vec<(i64, FieldType)>,
}

impl FieldDef {
    /// The type in a shard group, which is `wanted` from now on when there was none.
    fn fix_type(&mut self, group_ns: i64, wanted: FieldType) -> FieldType {
        match self.types.binary_search_by_key(&group_ns, |(start_ns, _)| *start_ns) {
            Ok(at) => self.types[at].1,
            Err(at) => {
                self.types.insert(at, (group_ns, wanted));
                wanted
            }
        }
    }
}

/// A measurement with one set of tags.
#[derive(Debug)]
struct Series {
    measurement: usize,
    /// Whether queries find it: see [`SeriesKey::readable`](crate::line_protocol::SeriesKey).
    readable: bool,
    tags: Arc<[(Arc<str>, Arc<str>)]>,
    /// In order of [`SeriesField::field`].
    fields: Vec<SeriesField>,
}

/// One field of one series.
#[derive(Debug)]
struct SeriesField {
    /// The place of the field in its measurement's list.
    field: usize,
    name: Arc<[u8]>,
    /// In order of time, one a shard group.
    #[expect(clippy::vec_box, reason = "one that comes in between moves all those behind it")]
    columns: Vec<Box<Column>>,
}

impl SeriesField {
    /// The column of the shard group with this start.
    fn column_at(&self, start_ns: i64) -> Option<&Column> {
        let at = self.columns.binary_search_by_key(&start_ns, |column| column.group_ns).ok()?;
        self.columns.get(at).map(|column| &**column)
    }
}

/// The type of a stored field.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum FieldType {
    Float,
    Integer,
    Unsigned,
    String,
    Boolean,
}

impl FieldType {
    /// The server's word for it.
    pub(crate) fn word(self) -> &'static str {
        match self {
            Self::Float => "float",
            Self::Integer => "integer",
            Self::Unsigned => "unsigned",
            Self::String => "string",
            Self::Boolean => "boolean",
        }
    }
}

#[cfg(test)]
mod tests;
