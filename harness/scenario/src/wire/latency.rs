//! The latency step.

use crate::shape::{choice, record};

use super::List;
use super::arrival::OpenWire;
use super::scalar::{
    Length, PositiveCount, PositiveLength, PositivePercent, QueryName, ShareLimit,
    TimeOrFactorLimit,
};

record! {
    /// Measures queries on both stores at an open rate of arrivals.
    struct LatencyWire {
        /// The queries, asked in turn.
        queries: required List<UseWire, 1>,
        /// How queries come about.
        arrival: required ArrivalWire,
        /// How long arrivals go on before they count. Default: `0s`.
        warm_up: optional Length,
        /// How long arrivals count.
        duration: required PositiveLength,
        /// What must hold.
        expect: required List<LatencyExpectWire, 1>,
        /// Breaks that must turn this check red.
        sabotage: optional List<LatencySabotageWire, 0>,
    }
}

record! {
    /// A query in both languages, from a file of its own.
    struct UseWire {
        /// The file without `.yaml`: `queries/consumption_peak`, below a folder above this one.
        query as "use": required QueryName,
    }
}

choice! {
    /// How queries come about.
    enum ArrivalWire {
        cases {
            /// At a rate, whatever the answers do.
            Open(OpenWire) = "open",
        }
    }
}

record! {
    /// Limits on the latency of one store, or of the destination divided by the source.
    struct LatencyExpectWire, ExactlyOneOf("on", "ratio"), AtLeastOneOf(
        "p50", "p90", "p95", "p99", "p999", "max", "mean", "errors"
    ) {
        /// The store whose figures are limited.
        on: optional StoreWire,
        /// The quotient that is limited.
        ratio: optional RatioWire,
        /// The median.
        p50: optional TimeOrFactorLimit,
        /// The 90th percentile.
        p90: optional TimeOrFactorLimit,
        /// The 95th percentile.
        p95: optional TimeOrFactorLimit,
        /// The 99th percentile.
        p99: optional TimeOrFactorLimit,
        /// The 99.9th percentile.
        p999: optional TimeOrFactorLimit,
        /// The highest latency.
        max: optional TimeOrFactorLimit,
        /// The mean latency.
        mean: optional TimeOrFactorLimit,
        /// The share of queries that failed. For one store only.
        errors: optional ShareLimit,
        /// Samples on each side without which nothing is judged. Default: 200.
        min_samples: optional PositiveCount,
    }
}

choice! {
    /// One of the two stores.
    enum StoreWire {
        words {
            /// Timestream for LiveAnalytics.
            Source = "source",
            /// InfluxDB.
            Destination = "destination",
        }
    }
}

choice! {
    /// A quotient of the same figure of both stores.
    enum RatioWire {
        words {
            /// The destination's figure, divided by the source's.
            DestinationBySource = "destination / source",
        }
    }
}

choice! {
    /// A break of the destination that a latency check must see.
    enum LatencySabotageWire {
        cases {
            /// Answers this share of queries with a 503.
            FailQueries(PositivePercent) = "fail_queries",
            /// Alters a value in this share of the answers.
            WrongAnswer(PositivePercent) = "wrong_answer",
            /// Delays every answer by this much. Seen only where timing is judged.
            AddLatency(PositiveLength) = "add_latency",
        }
    }
}
