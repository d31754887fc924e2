//! Deleting points by time and tags.

use std::collections::BTreeSet;
use std::sync::Arc;

use super::{Bucket, Predicate, Series, Store};
use crate::accounts::Id;

impl Store {
    /// Removes the points from `start_ns` to `stop_ns`, both included, of the series that match.
    pub(crate) fn delete(&mut self, bucket: Id, range: (i64, i64), predicate: &Predicate) {
        let Some(bucket) = self.buckets.get_mut(&bucket) else { return };
        let last = predicate.last_measurement();
        // The shard groups in which the search goes on.
        let searched = last.map(|name| bucket.groups_with(name));
        for series in &mut bucket.series {
            let measurement = &bucket.measurements[series.measurement].name;
            if last.is_some_and(|last| &**measurement > last) {
                continue;
            }
            let tag = |wanted: &str| {
                let found = series.tags.iter().find(|(key, _)| **key == *wanted);
                found.map(|(_, value)| &**value)
            };
            if !predicate.matches(measurement, tag) {
                continue;
            }
            for field in &mut series.fields {
                for column in &mut field.columns {
                    if searched.as_ref().is_none_or(|groups| groups.contains(&column.group_ns)) {
                        column.remove(range.0, range.1);
                    }
                }
                field.columns.retain(|column| !column.is_empty());
            }
        }
        bucket.forget_unused_types();
    }

    /// Removes the points from `range.0` to `range.1`, both included, of the series whose
    /// measurement and tags are `wanted`.
    pub(crate) fn delete_where(
        &mut self,
        bucket: Id,
        range: (i64, i64),
        wanted: impl Fn(&str, &[(Arc<str>, Arc<str>)]) -> bool,
    ) {
        let Some(bucket) = self.buckets.get_mut(&bucket) else { return };
        for series in &mut bucket.series {
            if !wanted(&bucket.measurements[series.measurement].name, &series.tags) {
                continue;
            }
            for field in &mut series.fields {
                for column in &mut field.columns {
                    column.remove(range.0, range.1);
                }
                field.columns.retain(|column| !column.is_empty());
            }
        }
        bucket.forget_unused_types();
    }
}

impl Bucket {
    /// The shard groups that hold points of a measurement.
    fn groups_with(&self, measurement: &str) -> BTreeSet<i64> {
        let named = |series: &&Series| *self.measurements[series.measurement].name == *measurement;
        let fields = self.series.iter().filter(named).flat_map(|series| &series.fields);
        fields.flat_map(|field| &field.columns).map(|column| column.group_ns).collect()
    }

    /// A measurement that has no point left in a shard group has no types there either.
    fn forget_unused_types(&mut self) {
        let mut used = vec![BTreeSet::new(); self.measurements.len()];
        for series in &self.series {
            for column in series.fields.iter().flat_map(|field| &field.columns) {
                used[series.measurement].insert(column.group_ns);
            }
        }
        for (measurement, used) in self.measurements.iter_mut().zip(used) {
            for field in &mut measurement.fields {
                field.types.retain(|(group_ns, _)| used.contains(group_ns));
            }
        }
    }
}
