//! Deleting points by time and tags.

use std::sync::Arc;

use super::{Bucket, Predicate, Store};
use crate::accounts::Id;

impl Store {
    /// Removes the points from `start_ns` to `stop_ns`, both included, of the series that match.
    pub(crate) fn delete(&mut self, bucket: Id, range: (i64, i64), predicate: &Predicate) {
        self.delete_where(bucket, range, |measurement, tags| {
            let tag = |wanted: &str| {
                let found = tags.iter().find(|(key, _)| **key == *wanted);
                found.map(|(_, value)| &**value)
            };
            predicate.matches(measurement, tag)
        });
    }

    /// [`delete`](Self::delete) for whatever `wanted` says of a measurement and its tags.
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
                    if searched.as_ref().is_none_or(|groups| groups.contains(&column.group_ns)) {
                        column.remove(range.0, range.1);
                    }
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
