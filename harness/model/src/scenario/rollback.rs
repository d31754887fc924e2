//! The rollback drill: a rollout in virtual time, a fault in it, and the way back.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::limits::Comparison;
use crate::units::{Rate, Ratio};

/// A rollout with a fault, and what must come of it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct RollbackStep {
    /// The shares of traffic, in rising order, from 0 to at most 1.
    pub steps: Vec<Ratio>,
    /// How long each share is held.
    pub hold: Duration,
    /// The share at which the fault begins; one of `steps`. Half a hold after it was reached.
    pub at: Ratio,
    /// What goes wrong on the InfluxDB path, until the drill ends. `None` for a healthy rollout.
    pub fault: Option<Fault>,
    /// The rules that send traffic back.
    pub triggers: Vec<TriggerRule>,
    /// Who asks what.
    pub workload: Workload,
    /// What must come of it.
    pub expect: RollbackExpect,
    /// What must hold over the recorded history.
    pub prove: Vec<Invariant>,
    /// Breaks of the migrated application that must turn this check red.
    pub sabotage: Vec<RollbackSabotage>,
}

/// Who asks what during the drill.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Workload {
    /// Instances of the reference backend, each polling the flags by itself.
    pub instances: u32,
    /// How often an instance polls the flags.
    pub poll_every: Duration,
    /// Devices, each a bucketing key.
    pub devices: u32,
    /// Points that all devices together send per second.
    pub writes: Rate,
    /// Queries that all devices together ask per second.
    pub queries: Rate,
}

/// What goes wrong on the InfluxDB path.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Fault {
    /// Requests are answered with an error.
    HttpError {
        /// The status, 400 to 599.
        status: u16,
        /// The share of requests.
        ratio: Ratio,
    },
    /// Answers come late.
    Latency {
        /// By how much.
        add: Duration,
    },
    /// Connections are refused.
    RefuseConnections {
        /// The share of requests.
        ratio: Ratio,
    },
}

/// The four rules of the migration.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum TriggerName {
    /// Too many requests to InfluxDB fail.
    ErrorRate,
    /// InfluxDB's p95 is too far above Timestream's.
    LatencyDifference,
    /// Too many connections to InfluxDB fail.
    ConnectionFailures,
    /// Too few requests to InfluxDB succeed.
    SuccessRate,
}

impl TriggerName {
    /// The key used in files and reports.
    pub fn key(self) -> &'static str {
        match self {
            Self::ErrorRate => "error_rate",
            Self::LatencyDifference => "latency_difference",
            Self::ConnectionFailures => "connection_failures",
            Self::SuccessRate => "success_rate",
        }
    }
}

/// When a trigger fires.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct TriggerRule {
    /// Which of the four it is, and so what it measures.
    pub name: TriggerName,
    /// How the measured value is held against the limit in a breach.
    pub comparison: Comparison,
    /// The limit: a share for the rates, seconds for the difference, a count for failures.
    pub limit: f64,
    /// Over which time it is measured.
    pub window: TriggerWindow,
    /// Which outcomes the measure counts: as errors for the error rate, as not successful for the
    /// success rate. Empty for the other two.
    pub counts: Vec<OutcomeClass>,
}

/// Over which time a trigger measures.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum TriggerWindow {
    /// Fires when this many periods in a row are in breach.
    Consecutive {
        /// How many, at least 1.
        periods: u32,
        /// How long one is.
        period: Duration,
        /// A period with fewer requests is no data: it breaks no row and adds to none.
        min_samples: u64,
    },
    /// Fires as soon as the count over the last stretch of this length is in breach.
    Sliding {
        /// How long the stretch is.
        length: Duration,
    },
}

/// How a request to a store can end, as triggers count it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum OutcomeClass {
    /// Answered as it should be.
    Success,
    /// A 5xx answer, or 429.
    ServerError,
    /// Any other 4xx answer.
    ClientError,
    /// No answer in time.
    Timeout,
    /// No connection.
    ConnectionFailure,
}

impl OutcomeClass {
    /// The key used in files and reports.
    pub fn key(self) -> &'static str {
        match self {
            Self::Success => "success",
            Self::ServerError => "server_error",
            Self::ClientError => "client_error",
            Self::Timeout => "timeout",
            Self::ConnectionFailure => "connection_failure",
        }
    }
}

/// What must come of the drill.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct RollbackExpect {
    /// The trigger that sends traffic back, or `None` when no rollback may happen.
    pub rolled_back_by: Option<TriggerName>,
    /// Periods from the start of the fault within which the trigger must fire.
    pub within_periods: u32,
    /// The share of traffic at the end.
    pub final_share: Ratio,
}

/// What must hold over the recorded history of a drill.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Invariant {
    /// Every acknowledged write is readable from the store that serves at the end.
    NoAcknowledgedWriteLost,
    /// No write is in a store more than once.
    NoWriteAppliedTwice,
    /// After the rollback every instance leaves InfluxDB within two polls and a request's timeout.
    EveryClientConverged,
    /// No query is served by a store that ingestion does not feed.
    ReadersNeverPrecedeWriters,
}

impl Invariant {
    /// The key used in files and reports.
    pub fn key(self) -> &'static str {
        match self {
            Self::NoAcknowledgedWriteLost => "no_acknowledged_write_lost",
            Self::NoWriteAppliedTwice => "no_write_applied_twice",
            Self::EveryClientConverged => "every_client_converged",
            Self::ReadersNeverPrecedeWriters => "readers_never_precede_writers",
        }
    }
}

/// A break of the migrated application that a rollback drill must see.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RollbackSabotage {
    /// The controller decides on a rollback and does nothing.
    RollbackIsANoop,
    /// The controller goes back one step only.
    RollbackToPreviousStep,
    /// One instance never polls the flags again once it has seen queries switched on.
    OneInstanceKeepsStaleFlags,
    /// The controller counts breaches in all, not in a row.
    TriggersCountInTotal,
    /// The backend acknowledges one write in a thousand without storing it.
    LoseAcknowledgedWrites,
    /// The backend stamps a retried write with a new time, so that it is stored twice.
    RetryWithNewTime,
    /// The rollout switches queries on before ingestion.
    QueriesBeforeIngestion,
}

impl RollbackSabotage {
    /// The key used in files and reports.
    pub fn key(self) -> &'static str {
        match self {
            Self::RollbackIsANoop => "rollback_is_a_noop",
            Self::RollbackToPreviousStep => "rollback_to_previous_step",
            Self::OneInstanceKeepsStaleFlags => "one_instance_keeps_stale_flags",
            Self::TriggersCountInTotal => "triggers_count_in_total",
            Self::LoseAcknowledgedWrites => "lose_acknowledged_writes",
            Self::RetryWithNewTime => "retry_with_new_time",
            Self::QueriesBeforeIngestion => "queries_before_ingestion",
        }
    }
}
