//! The load step.

use crate::shape::{choice, record};

use super::arrival::{ClosedWire, OpenWire};
use super::scalar::{
    Decimals, GzipLevel, LeastRate, LeastShare, Length, Percent, Positive, PositiveCount,
    PositiveLength, PositivePercent, QueryName, SeriesKey, ShareLimit, Size, Slug, TextLength,
    Threads, TimeLimit,
};
use super::{List, Names};

record! {
    /// Writes to the destination, and reads, at a rate or by users.
    struct LoadWire, AtLeastOneOf("write", "read") {
        /// The writers.
        write: optional WriteWire,
        /// The readers.
        read: optional ReadWire,
        /// How long operations go on before they count. Default: `0s`.
        warm_up: optional Length,
        /// How long operations count.
        duration: required PositiveLength,
        /// Connections of each open load; a closed one has as many as it has users. Default: 64.
        connections: optional Size,
        /// Threads that send, for writers and readers each. Default: 1.
        threads: optional Threads,
        /// How long a request may go unanswered before it counts as a timeout. Default: `30s`.
        timeout: optional PositiveLength,
        /// What must hold.
        expect: required List<LoadExpectWire, 1>,
        /// What must hold in every window, or the load is stopped and the check fails.
        abort: optional List<LoadAbortWire, 0>,
        /// What must hold of every single write.
        prove: optional List<LoadProofWire, 0>,
        /// Breaks that must turn this check red.
        sabotage: optional List<LoadSabotageWire, 0>,
    }
}

record! {
    /// Writers of points.
    struct WriteWire, ExactlyOneOf("open", "closed", "replay") {
        /// Made-up points at a rate, whatever the answers do.
        open: optional OpenWire,
        /// Users who each wait for their answer before they go on.
        closed: optional ClosedWire,
        /// The rows of data sets, each when it is due, whatever the answers do.
        replay: optional ReplayWire,
        /// Points per write request.
        batch: required Size,
        /// What made-up points are like.
        points: optional PointsWire,
        /// The unit in which times are written. Default: `ns`.
        precision: optional PrecisionWire,
        /// The level at which requests are compressed with gzip. Default: they are not.
        gzip: optional GzipLevel,
    }
}

record! {
    /// The rows of data sets at the distances of their instants. At the end they begin anew, moved
    /// behind what was written.
    struct ReplayWire {
        /// The data sets.
        data: required List<Slug, 1>,
        /// How many seconds of the data pass in one second: `3600` is an hour a second.
        speed: required Positive,
    }
}

record! {
    /// What made-up points are like.
    struct PointsWire {
        /// How many series the points are spread over. Default: 100.
        series: optional Size,
        /// The tags that tell the series apart, each with about as many values. Default:
        /// `[series]`.
        tags: optional List<SeriesKey, 1>,
        /// The fields of each point, beside `number`. Default: `value`, a float of two decimals.
        fields: optional Names<SeriesKey, ValuesWire, 1>,
        /// From one point of a series to the next. Default: `1ms`, or as much as `precision` needs.
        interval: optional PositiveLength,
        /// The share of a series' points that come in the order opposite to that of their times.
        /// Default: `0%`.
        out_of_order: optional Percent,
        /// Points that come late. Default: none.
        late: optional LatePointsWire,
    }
}

record! {
    /// Points whose times lie back when they are sent.
    struct LatePointsWire {
        /// How many of the points.
        share: required PositivePercent,
        /// How far their times lie back.
        by: required PositiveLength,
    }
}

choice! {
    /// What the values of a field are.
    enum ValuesWire {
        words {
            /// Integers of all sizes and signs.
            Integer = "integer",
            /// Unsigned integers of all sizes.
            Unsigned = "unsigned",
            /// Either.
            Boolean = "boolean",
        }
        cases {
            /// Floats from 0 to 1,000.
            Float(FloatWire) = "float",
            /// Texts of so many letters.
            Text(TextLength) = "text",
        }
    }
}

record! {
    /// Floats from 0 to 1,000.
    struct FloatWire {
        /// How many decimals are written. Default: all that tell a value apart.
        decimals: optional Decimals,
        /// How values go over a day. Default: `even`.
        shape: optional DayShapeWire,
    }
}

choice! {
    /// How values go over a day.
    enum DayShapeWire {
        words {
            /// As they come.
            Even = "even",
            /// As the demand of a grid: low before dawn, high in the evening.
            Diurnal = "diurnal",
        }
    }
}

choice! {
    /// The unit in which times are written.
    enum PrecisionWire {
        words {
            /// Nanoseconds.
            Nanoseconds = "ns",
            /// Microseconds.
            Microseconds = "us",
            /// Milliseconds.
            Milliseconds = "ms",
            /// Seconds.
            Seconds = "s",
        }
    }
}

record! {
    /// Readers of the migrated data.
    struct ReadWire, ExactlyOneOf("open", "closed") {
        /// Queries at a rate, whatever the answers do.
        open: optional OpenWire,
        /// Users who each wait for their answer before they go on.
        closed: optional ClosedWire,
        /// The queries.
        queries: required List<WeightedUseWire, 1>,
        /// The language of the queries. Default: `flux`.
        language: optional LanguageWire,
        /// What makes an answer right. Default: `has_values`.
        answers: optional AnswersWire,
    }
}

record! {
    /// A query from a file of its own, and how often it is asked.
    struct WeightedUseWire {
        /// The file without `.yaml`: `queries/consumption_peak`, below a folder above this one.
        query as "use": required QueryName,
        /// How often it is asked, beside the others. Default: 1.
        weight: optional Size,
    }
}

choice! {
    /// The language of a query, which also says which store is asked.
    enum LanguageWire {
        words {
            /// Asked of InfluxDB.
            Flux = "flux",
            /// Asked of InfluxDB, through its 1.x interface.
            InfluxQl = "influxql",
            /// Asked of Timestream, through AWS's own client.
            Sql = "sql",
        }
    }
}

choice! {
    /// What makes an answer right.
    enum AnswersWire {
        words {
            /// It has values, and no mistake in it.
            HasValues = "has_values",
            /// It has the values of the source's answer to the same question, asked before.
            SameAsSource = "same_as_source",
        }
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

record! {
    /// A limit that must hold in every window, or the load is stopped.
    struct LoadAbortWire, ExactlyOneOf("p50", "p90", "p95", "p99", "p999", "errors") {
        /// Whose figure is limited. Needed where there are writers and readers.
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
        /// The share of operations that failed.
        errors: optional ShareLimit,
        /// How long the window is.
        over: required PositiveLength,
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
            /// Alters a value in this share of the answers to queries.
            WrongAnswer(PositivePercent) = "wrong_answer",
            /// Delays every answer by this much. Seen only where timing is judged.
            AddLatency(PositiveLength) = "add_latency",
        }
    }
}
