//! The rollback step.

use crate::shape::{choice, record};

use super::List;
use super::scalar::{
    CountBreach, PerSecond, Percent, Periods, PositiveCount, PositiveLength, PositivePercent,
    ShareBreach, Size, Status, SuccessBreach, TimeBreach,
};

record! {
    /// A rollout with a fault, and what must come of it. It runs in virtual time.
    struct RollbackWire {
        /// The shares of traffic, rising from `0%`.
        steps: required List<Percent, 2>,
        /// How long each share is held. Default: `10m`.
        hold: optional PositiveLength,
        /// The share at which the fault begins, half a hold after it was reached.
        at: optional Percent,
        /// What goes wrong on the way to InfluxDB. Without it the rollout is healthy.
        fault: optional FaultWire,
        /// The rules that send traffic back. Default: the migration's four.
        triggers: optional TriggersWire,
        /// Who asks what.
        workload: optional WorkloadWire,
        /// What must come of it.
        expect: required RollbackExpectWire,
        /// What must hold over the recorded history.
        prove: optional List<InvariantWire, 0>,
        /// Breaks of the migrated application that must turn this check red.
        sabotage: optional List<RollbackSabotageWire, 0>,
    }
}

choice! {
    /// What goes wrong on the way to InfluxDB.
    enum FaultWire {
        cases {
            /// Requests are answered with an error.
            HttpError(HttpErrorWire) = "http_error",
            /// Answers come late.
            Latency(LateWire) = "latency",
            /// Connections are refused.
            RefuseConnections(RefuseWire) = "refuse_connections",
        }
    }
}

record! {
    /// Requests are answered with an error.
    struct HttpErrorWire {
        /// The status, 400 to 599.
        status: required Status,
        /// The share of requests.
        ratio: required PositivePercent,
    }
}

record! {
    /// Answers come late.
    struct LateWire {
        /// By how much.
        add: required PositiveLength,
    }
}

record! {
    /// Connections are refused.
    struct RefuseWire {
        /// The share of requests.
        ratio: required PositivePercent,
    }
}

record! {
    /// The rules that send traffic back. What is not named is not watched.
    struct TriggersWire, AtLeastOneOf(
        "error_rate", "latency_difference", "connection_failures", "success_rate"
    ) {
        /// Too many requests to InfluxDB fail. Default: above 5% in 2 periods.
        error_rate: optional ErrorRateWire,
        /// InfluxDB's p95 is too far above Timestream's. Default: above 10s in 3 periods.
        latency_difference: optional DifferenceWire,
        /// Too many connections to InfluxDB fail. Default: above 10 in 5 minutes.
        connection_failures: optional FailuresWire,
        /// Too few requests to InfluxDB succeed. Default: below 95% in 3 periods.
        success_rate: optional SuccessRateWire,
    }
}

record! {
    /// Fires when the share of failed requests is too high in consecutive periods.
    struct ErrorRateWire {
        /// The share that is too high: `"> 5%"`.
        breach: required ShareBreach,
        /// How many periods in a row must be in breach.
        periods: required Size,
        /// How long a period is. Default: `1m`.
        period: optional PositiveLength,
        /// A period with fewer requests is no data.
        min_samples: required PositiveCount,
        /// What counts as failed. Default: `[server_error]`.
        counts: optional List<OutcomeWire, 1>,
    }
}

record! {
    /// Fires when InfluxDB's p95 is too far above Timestream's in consecutive periods.
    struct DifferenceWire {
        /// The difference that is too high: `"> 10s"`.
        breach: required TimeBreach,
        /// How many periods in a row must be in breach.
        periods: required Size,
        /// How long a period is. Default: `1m`.
        period: optional PositiveLength,
        /// A period with fewer requests is no data.
        min_samples: required PositiveCount,
    }
}

record! {
    /// Fires when the count of failed connections is too high over a stretch of time.
    struct FailuresWire {
        /// The count that is too high: `"> 10"`.
        breach: required CountBreach,
        /// How long the stretch is.
        window: required PositiveLength,
    }
}

record! {
    /// Fires when the share of successful requests is too low in consecutive periods.
    struct SuccessRateWire {
        /// The share that is too low: `"< 95%"`.
        breach: required SuccessBreach,
        /// How many periods in a row must be in breach.
        periods: required Size,
        /// How long a period is. Default: `1m`.
        period: optional PositiveLength,
        /// A period with fewer requests is no data.
        min_samples: required PositiveCount,
        /// What counts as not successful. Default: everything but success.
        counts: optional List<OutcomeWire, 1>,
    }
}

choice! {
    /// A way in which a request can fail.
    enum OutcomeWire {
        words {
            /// A 5xx answer, or 429.
            ServerError = "server_error",
            /// Any other 4xx answer.
            ClientError = "client_error",
            /// No answer in time.
            Timeout = "timeout",
            /// No connection.
            ConnectionFailure = "connection_failure",
        }
    }
}

record! {
    /// Who asks what during the drill.
    struct WorkloadWire {
        /// Instances of the application, each polling the flags by itself. Default: 4.
        instances: optional Size,
        /// How often an instance polls the flags. Default: `45s`.
        poll_every: optional PositiveLength,
        /// Devices, each a bucketing key. Default: 200.
        devices: optional Size,
        /// Points that all devices together send. Default: `10/s`.
        writes: optional PerSecond,
        /// Queries that all devices together ask. Default: `2/s`.
        queries: optional PerSecond,
    }
}

record! {
    /// What must come of a rollback drill.
    struct RollbackExpectWire {
        /// The trigger that sends traffic back, or `nothing`.
        rolled_back_by: required RolledBackByWire,
        /// From the start of the fault until the trigger fires. Default: one more than it needs.
        within: optional Periods,
        /// The share of traffic at the end. Default: `0%` after a rollback, else the last step.
        final_share as "final": optional Percent,
    }
}

choice! {
    /// A trigger, or none.
    enum RolledBackByWire {
        words {
            /// Too many requests fail.
            ErrorRate = "error_rate",
            /// InfluxDB's p95 is too far above Timestream's.
            LatencyDifference = "latency_difference",
            /// Too many connections fail.
            ConnectionFailures = "connection_failures",
            /// Too few requests succeed.
            SuccessRate = "success_rate",
            /// No rollback may happen.
            Nothing = "nothing",
        }
    }
}

choice! {
    /// What must hold over the recorded history.
    enum InvariantWire {
        words {
            /// Every acknowledged write is readable from the store that serves at the end.
            NoAcknowledgedWriteLost = "no_acknowledged_write_lost",
            /// No write is in a store more than once.
            NoWriteAppliedTwice = "no_write_applied_twice",
            /// After the rollback every instance leaves InfluxDB within two polls and a timeout.
            EveryClientConverged = "every_client_converged",
            /// No query is served by a store that ingestion does not feed.
            ReadersNeverPrecedeWriters = "readers_never_precede_writers",
        }
    }
}

choice! {
    /// A break of the migrated application that a drill must see.
    enum RollbackSabotageWire {
        words {
            /// The controller decides on a rollback and does nothing.
            RollbackIsANoop = "rollback_is_a_noop",
            /// The controller goes back one step only.
            RollbackToPreviousStep = "rollback_to_previous_step",
            /// One instance never polls the flags again after its first success.
            OneInstanceKeepsStaleFlags = "one_instance_keeps_stale_flags",
            /// The controller counts breaches in all, not in a row.
            TriggersCountInTotal = "triggers_count_in_total",
            /// The backend acknowledges one write in a thousand without storing it.
            LoseAcknowledgedWrites = "lose_acknowledged_writes",
            /// The backend stamps a retried write with a new time, so that it is stored twice.
            RetryWithNewTime = "retry_with_new_time",
            /// The rollout switches queries on before ingestion.
            QueriesBeforeIngestion = "queries_before_ingestion",
        }
    }
}
