//! The load step.

use crate::shape::{choice, record};

use super::List;
use super::latency::{OpenWire, UseWire};
use super::scalar::{
    LeastRate, LeastShare, Length, PointsPerSecond, PositiveCount, PositiveLength, PositivePercent,
    ShareLimit, Size, TimeLimit,
};

record! {
    /// Writes to the destination, and reads from it, at a rate or by users.
    struct LoadWire, AtLeastOneOf("write", "read") {
        /// The writers.
        write: optional WriteWire,
        /// The readers.
        read: optional ReadWire,
        /// How long operations go on before they count. Default: `0s`.
        warm_up: optional Length,
        /// How long operations count.
        duration: required PositiveLength,
        /// What must hold.
        expect: required List<LoadExpectWire, 1>,
        /// What must hold of every single write.
        prove: optional List<LoadProofWire, 0>,
        /// Breaks that must turn this check red.
        sabotage: optional List<LoadSabotageWire, 0>,
    }
}

record! {
    /// Writers of generated points.
    struct WriteWire, ExactlyOneOf("open", "closed") {
        /// Points at a rate, whatever the answers do.
        open: optional OpenPointsWire,
        /// Users who each wait for their answer before they go on.
        closed: optional ClosedWire,
        /// Points per write request.
        batch: required Size,
        /// How many series the points are spread over. Default: 100.
        series: optional Size,
    }
}

record! {
    /// Points at a rate, whatever the answers do.
    struct OpenPointsWire {
        /// Points per second: `10_000 points/s`.
        rate: required PointsPerSecond,
    }
}

record! {
    /// Users who each wait for their answer before they go on.
    struct ClosedWire {
        /// How many users.
        users: required Size,
        /// Over which time they start, evenly. Default: `0s`.
        ramp_up: optional Length,
    }
}

record! {
    /// Readers of the migrated data.
    struct ReadWire, ExactlyOneOf("open", "closed") {
        /// Queries at a rate, whatever the answers do.
        open: optional OpenWire,
        /// Users who each wait for their answer before they go on.
        closed: optional ClosedWire,
        /// The queries, asked in turn; only their Flux is used.
        queries: required List<UseWire, 1>,
    }
}

record! {
    /// Limits on the writers, the readers, or both together.
    struct LoadExpectWire, AtLeastOneOf(
        "p50", "p90", "p95", "p99", "p999", "max", "mean", "errors", "achieved", "operations"
    ) {
        /// Whose figures are limited. Default: all.
        on: optional LoadSubjectWire,
        /// The median latency.
        p50: optional TimeLimit,
        /// The 90th percentile of latency.
        p90: optional TimeLimit,
        /// The 95th percentile of latency.
        p95: optional TimeLimit,
        /// The 99th percentile of latency.
        p99: optional TimeLimit,
        /// The 99.9th percentile of latency.
        p999: optional TimeLimit,
        /// The highest latency.
        max: optional TimeLimit,
        /// The mean latency.
        mean: optional TimeLimit,
        /// The share of operations that failed.
        errors: optional ShareLimit,
        /// The share of the asked rate that was achieved. For an open load only.
        achieved: optional LeastShare,
        /// Operations per second that succeeded.
        operations: optional LeastRate,
        /// Operations without which nothing is judged. Default: 200.
        min_samples: optional PositiveCount,
    }
}

choice! {
    /// Whose figures are limited.
    enum LoadSubjectWire {
        words {
            /// The writers'.
            Write = "write",
            /// The readers'.
            Read = "read",
            /// Both together.
            All = "all",
        }
    }
}

choice! {
    /// What must hold of every single write.
    enum LoadProofWire {
        words {
            /// Every acknowledged write can be read back.
            NoAcknowledgedWriteLost = "no_acknowledged_write_lost",
        }
    }
}

choice! {
    /// A break of the destination that a load check must see.
    enum LoadSabotageWire {
        cases {
            /// Acknowledges this share of the write requests without applying them.
            SwallowWrites(PositivePercent) = "swallow_writes",
            /// Answers this share of the requests with a 503.
            FailRequests(PositivePercent) = "fail_requests",
            /// Delays every answer by this much. Seen only where timing is judged.
            AddLatency(PositiveLength) = "add_latency",
        }
    }
}
