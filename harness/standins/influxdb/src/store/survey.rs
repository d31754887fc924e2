//! What each shard group holds, for readers that go shard group by shard group.
//!
//! [`Store::survey`] lists measurements, fields with their types and series; [`Store::column`]
//! copies the points that one series has of one field in one shard group.

use std::sync::Arc;

use super::read::Points;
use super::{FieldType, Store, Values};
use crate::accounts::Id;

/// One shard group and what it holds of the measurements asked for.
#[derive(Debug)]
pub(crate) struct ShardSurvey {
    pub(crate) start_ns: i64,
    pub(crate) measurements: Vec<MeasurementSurvey>,
}

/// A measurement within a shard group.
#[derive(Debug)]
pub(crate) struct MeasurementSurvey {
    pub(crate) name: Arc<str>,
    pub(crate) fields: Vec<(Arc<str>, FieldType)>,
    pub(crate) series: Vec<SeriesSurvey>,
}

/// A series that has points in a shard group.
#[derive(Clone, Debug)]
pub(crate) struct SeriesSurvey {
    pub(crate) tags: Arc<[(Arc<str>, Arc<str>)]>,
    /// Where [`Store::column`] finds the series, for the life of its bucket.
    pub(crate) place: usize,
}

impl Store {
    /// The shard groups that overlap a range, its end included, in order of time. Measurements
    /// come in order of name, each where it has points.
    pub(crate) fn survey(
        &self,
        bucket: Id,
        range: (i64, i64),
        mut wanted: impl FnMut(&str) -> bool,
    ) -> Vec<ShardSurvey> {
        let Some(bucket) = self.buckets.get(&bucket) else { return Vec::new() };
        let groups = bucket.groups.overlapping(range);
        let mut shards: Vec<ShardSurvey> =
            groups.map(|start_ns| ShardSurvey { start_ns, measurements: Vec::new() }).collect();
        let mut order: Vec<usize> = (0..bucket.measurements.len()).collect();
        order.retain(|&index| wanted(&bucket.measurements[index].name));
        order.sort_by_key(|&index| &bucket.measurements[index].name);
        let mut series_of = vec![Vec::new(); bucket.measurements.len()];
        for (place, series) in bucket.series.iter().enumerate().filter(|(_, own)| own.readable) {
            series_of[series.measurement].push(place);
        }
        for index in order {
            let measurement = &bucket.measurements[index];
            for shard in &mut shards {
                let holds = |place: &&usize| {
                    let fields = &bucket.series[**place].fields;
                    fields.iter().any(|field| field.column_at(shard.start_ns).is_some())
                };
                let series: Vec<SeriesSurvey> = series_of[index]
                    .iter()
                    .filter(holds)
                    .map(|&place| SeriesSurvey {
                        tags: Arc::clone(&bucket.series[place].tags),
                        place,
                    })
                    .collect();
                if series.is_empty() {
                    continue;
                }
                let typed = measurement.fields.iter().filter_map(|field| {
                    let types = &field.types;
                    let at = types.binary_search_by_key(&shard.start_ns, |(start, _)| *start);
                    Some((Arc::clone(&field.name), types[at.ok()?].1))
                });
                let fields = typed.collect();
                let name = Arc::clone(&measurement.name);
                shard.measurements.push(MeasurementSurvey { name, fields, series });
            }
        }
        shards
    }

    /// The points of a field of a series in one shard group, from `range.0` up to but not
    /// including `range.1`.
    pub(crate) fn column(
        &self,
        bucket: Id,
        (place, field): (usize, &str),
        start_ns: i64,
        range: (i64, i64),
    ) -> Option<Points> {
        let series = self.buckets.get(&bucket)?.series.get(place)?;
        let own = series.fields.iter().find(|own| *own.name == *field.as_bytes())?;
        let column = own.column_at(start_ns)?;
        let values = Values::empty(column.field_type());
        let mut points = Points { times: Vec::new(), values };
        column.copy_range(range, &mut points.times, &mut points.values);
        Some(points)
    }
}
