//! What a scenario wants of the destination itself: its buckets, and how much of a machine it gets.

use crate::shape::record;

use super::scalar::{Cpus, Memory, RetentionTime};

record! {
    /// A bucket of the destination.
    struct BucketSettingsWire {
        /// How long it keeps its data: `2555d` for seven years. At least an hour.
        retention: required RetentionTime,
    }
}

record! {
    /// What the container of the destination may use.
    struct ContainerWire, AtLeastOneOf("memory", "cpus") {
        /// Memory, swap included: `4GiB`, `512MiB`.
        memory: optional Memory,
        /// Processors: `2`, `0.5`.
        cpus: optional Cpus,
    }
}
