//! A scenario file and its plain steps.

use crate::shape::{choice, record};

use super::data::DataWire;
use super::find_rate::FindRateWire;
use super::latency::LatencyWire;
use super::load::LoadWire;
use super::parity::ParityWire;
use super::rollback::RollbackWire;
use super::scalar::{Bucket, Line, Size, Slug, Version};
use super::target::{BucketSettingsWire, ContainerWire};
use super::{List, Names};

record! {
    /// One scenario: data, what is done with it, and what is expected.
    struct ScenarioWire {
        /// The version of the file format: 1.
        version: required Version,
        /// The name of the scenario, unique within a run.
        id: required Slug,
        /// What the scenario proves, as a sentence.
        title: required Line,
        /// What `--tag` selects by.
        tags: optional List<Slug, 0>,
        /// How long buckets of the destination keep their data. One that is not named keeps it for
        /// ever.
        buckets: optional Names<Bucket, BucketSettingsWire, 1>,
        /// What the container of the destination may use, on the `container` target.
        container: optional ContainerWire,
        /// Data sets by name.
        data: optional Names<Slug, DataWire, 1>,
        /// What is done, in order.
        steps: required List<StepWire, 1>,
    }
}

choice! {
    /// One thing that a scenario does.
    enum StepWire {
        cases {
            /// Puts files' rows into a store.
            Seed(SeedWire) = "seed",
            /// Copies from the source to the destination.
            Migrate(MigrateWire) = "migrate",
            /// Compares what both stores hold.
            Parity(ParityWire) = "parity",
            /// Measures queries on both stores.
            Latency(LatencyWire) = "latency",
            /// Writes and reads at a rate.
            Load(LoadWire) = "load",
            /// Looks for the highest rate that holds.
            FindRate(FindRateWire) = "find_rate",
            /// Shifts traffic, injects a fault and expects the way back.
            Rollback(RollbackWire) = "rollback",
        }
    }
}

record! {
    /// Puts files' rows into a store.
    struct SeedWire {
        /// The store that gets the rows.
        store: required SeedStore,
        /// The data sets, in order.
        data: required List<Slug, 1>,
    }
}

choice! {
    /// A store that can be seeded.
    enum SeedStore {
        words {
            /// Timestream for LiveAnalytics, the source.
            Timestream = "timestream",
        }
    }
}

record! {
    /// Copies data sets from the source to the destination.
    struct MigrateWire {
        /// Points per write request. Default: 5000.
        batch: optional Size,
        /// The data sets, in order. Default: all that were seeded so far.
        data: optional List<Slug, 1>,
    }
}
