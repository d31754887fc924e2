//! The `find_rate` step.

use crate::shape::record;

use super::List;
use super::load::{
    AnswersWire, LanguageWire, LoadExpectWire, LoadSabotageWire, PointsWire, PrecisionWire,
    WeightedUseWire,
};
use super::scalar::{
    ArrivalRate, GzipLevel, LeastRate, PositiveLength, PositivePercent, Size, Threads,
};

record! {
    /// Looks for the highest rate at which limits still hold, by trials of an open load.
    struct FindRateWire, ExactlyOneOf("write", "read") {
        /// The writers.
        write: optional FindWriteWire,
        /// The readers.
        read: optional FindReadWire,
        /// The lowest rate that is tried, and the first.
        from: required ArrivalRate,
        /// The highest rate that is tried.
        to: required ArrivalRate,
        /// How near to the truth the found rate has to be. Default: `3%`.
        precision: optional PositivePercent,
        /// How long one trial is, at least `6s`. Default: `6s`.
        trial: optional PositiveLength,
        /// How long all trials take together. Default: `2m`.
        within: optional PositiveLength,
        /// Connections. Default: 64.
        connections: optional Size,
        /// Threads that send. Default: 1.
        threads: optional Threads,
        /// How long a request may go unanswered before it counts as a timeout. Default: `30s`.
        timeout: optional PositiveLength,
        /// What must hold at a rate.
        holds: required List<LoadExpectWire, 1>,
        /// What the highest rate must be.
        expect: required FoundRateWire,
        /// Breaks that must turn this check red.
        sabotage: optional List<LoadSabotageWire, 0>,
    }
}

record! {
    /// Writers of made-up points.
    struct FindWriteWire {
        /// Points per write request.
        batch: required Size,
        /// What the points are like.
        points: optional PointsWire,
        /// The unit in which times are written. Default: `ns`.
        precision: optional PrecisionWire,
        /// The level at which requests are compressed with gzip. Default: they are not.
        gzip: optional GzipLevel,
    }
}

record! {
    /// Readers of the migrated data.
    struct FindReadWire {
        /// The queries.
        queries: required List<WeightedUseWire, 1>,
        /// The language of the queries. Default: `flux`.
        language: optional LanguageWire,
        /// What makes an answer right. Default: `has_values`.
        answers: optional AnswersWire,
    }
}

record! {
    /// What the highest rate must be.
    struct FoundRateWire {
        /// Points or queries per second: `">= 10_000/s"`.
        rate: required LeastRate,
    }
}
