//! Reading: which series a bucket holds, and the points of one of them.
//!
//! [`Store::series`] lists, in the server's order, the fields of the series that have points in a
//! range and pass a filter; [`Store::points`] copies the points of one of them. A query asks for
//! them one after another, so a write waits for one series at most.

use std::sync::Arc;

use super::{Bucket, FieldType, Store, Values};
use crate::accounts::Id;

/// What names one field of one series.
#[derive(Clone, Debug)]
pub(crate) struct SeriesName {
    pub(crate) measurement: Arc<str>,
    pub(crate) tags: Arc<[(Arc<str>, Arc<str>)]>,
    pub(crate) field: Arc<str>,
}

/// A place to read points from. It stays valid for the life of its bucket.
#[derive(Clone, Debug)]
pub(crate) struct SeriesRef {
    pub(crate) name: SeriesName,
    series: usize,
    field: usize,
}

/// The points of one field of one series, in order of time.
#[derive(Debug)]
pub(crate) struct Points {
    pub(crate) times: Vec<i64>,
    pub(crate) values: Values,
}

impl Store {
    /// The fields of series that have a point in `range` and for which `wanted` holds, sorted by
    /// measurement, tags and field.
    pub(crate) fn series<E>(
        &self,
        bucket: Id,
        range: (i64, i64),
        mut wanted: impl FnMut(&SeriesName) -> Result<bool, E>,
    ) -> Result<Vec<SeriesRef>, E> {
        let mut found = Vec::new();
        let Some(bucket) = self.buckets.get(&bucket) else { return Ok(found) };
        let readable = bucket.series.iter().enumerate().filter(|(_, series)| series.readable);
        for (index, series) in readable {
            let measurement = &bucket.measurements[series.measurement];
            for field in &series.fields {
                if !field.columns.iter().any(|column| column.has_points(range)) {
                    continue;
                }
                let name = SeriesName {
                    measurement: Arc::clone(&measurement.name),
                    tags: Arc::clone(&series.tags),
                    field: Arc::clone(&measurement.fields[field.field].name),
                };
                if wanted(&name)? {
                    found.push(SeriesRef { name, series: index, field: field.field });
                }
            }
        }
        found.sort_by(|left, right| {
            let key = |series: &SeriesRef| {
                let SeriesName { measurement, tags, field } = series.name.clone();
                (measurement, tags, field)
            };
            key(left).cmp(&key(right))
        });
        Ok(found)
    }

    /// The points in a range, or `None` when there are none left. When the type of the field
    /// changes between shard groups, only the points of the first type are seen, as on the server.
    pub(crate) fn points(
        &self,
        bucket: Id,
        series: &SeriesRef,
        range: (i64, i64),
    ) -> Option<Points> {
        let bucket = self.buckets.get(&bucket)?;
        let own = bucket.series.get(series.series)?;
        let at = own.fields.binary_search_by_key(&series.field, |field| field.field).ok()?;
        let field_type = bucket.first_type(own.measurement, series.field, range)?;
        let mut points = Points { times: Vec::new(), values: Values::empty(field_type) };
        for column in &own.fields[at].columns {
            if column.field_type() == field_type {
                column.copy_range(range, &mut points.times, &mut points.values);
            }
        }
        (!points.times.is_empty()).then_some(points)
    }
}

impl Bucket {
    /// The type of a field in the first shard group of a range that knows it.
    fn first_type(&self, measurement: usize, field: usize, range: (i64, i64)) -> Option<FieldType> {
        let types = &self.measurements[measurement].fields[field].types;
        let overlapping = |start_ns: i64| {
            start_ns < range.1 && self.groups.stop_of(start_ns).is_some_and(|stop| stop > range.0)
        };
        types.iter().find(|(start_ns, _)| overlapping(*start_ns)).map(|(_, found)| *found)
    }
}
