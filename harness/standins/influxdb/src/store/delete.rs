//! Deleting points by time and tags.

use super::{Bucket, Predicate, Store};
use crate::accounts::Id;

impl Store {
    /// Removes the points from `start_ns` to `stop_ns`, both included, of the series that match.
    pub(crate) fn delete(&mut self, bucket: Id, range: (i64, i64), predicate: &Predicate) {
        let Some(bucket) = self.buckets.get_mut(&bucket) else { return };
        for series in &mut bucket.series {
            let measurement = &bucket.measurements[series.measurement].name;
            let tag = |wanted: &str| {
                let found = series.tags.iter().find(|(key, _)| **key == *wanted);
                found.map(|(_, value)| &**value)
            };
            if !predicate.matches(measurement, tag) {
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
    /// A measurement that has no point left in a shard group has no types there either.
    fn forget_unused_types(&mut self) {
        let mut used = vec![std::collections::BTreeSet::new(); self.measurements.len()];
        for series in &self.series {
            for column in series.fields.iter().flat_map(|field| &field.columns) {
                used[series.measurement].insert(column.group_ns);
            }
        }
        for (measurement, used) in self.measurements.iter_mut().zip(used) {
            for field in &mut measurement.fields {
                field.types.retain(|group_ns, _| used.contains(group_ns));
            }
        }
    }
}
