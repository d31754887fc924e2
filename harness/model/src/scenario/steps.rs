//! The steps of a scenario, but for the load and the rollback drill.

use std::path::PathBuf;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::arrivals::Arrivals;
use super::find_rate::FindRateStep;
use super::limits::{Limit, Statistic};
use super::load::LoadStep;
use super::rollback::RollbackStep;
use super::tolerance::Tolerance;
use crate::ids::{DataName, StepKind, Store};
use crate::units::Ratio;

/// One thing that a scenario does.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Step {
    /// Puts files' rows into the source.
    Seed(SeedStep),
    /// Copies from the source to the destination.
    Migrate(MigrateStep),
    /// Compares what both stores hold.
    Parity(ParityStep),
    /// Measures queries on both stores.
    Latency(LatencyStep),
    /// Writes and reads at a rate.
    Load(LoadStep),
    /// Looks for the highest rate that holds.
    FindRate(FindRateStep),
    /// Shifts traffic, injects a fault and expects the way back.
    Rollback(RollbackStep),
}

impl Step {
    /// What the step does, as a word.
    pub fn kind(&self) -> StepKind {
        match self {
            Self::Seed(_) => StepKind::Seed,
            Self::Migrate(_) => StepKind::Migrate,
            Self::Parity(_) => StepKind::Parity,
            Self::Latency(_) => StepKind::Latency,
            Self::Load(_) => StepKind::Load,
            Self::FindRate(_) => StepKind::FindRate,
            Self::Rollback(_) => StepKind::Rollback,
        }
    }
}

/// Puts files' rows into Timestream.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct SeedStep {
    /// The data sets, in order.
    pub data: Vec<DataName>,
}

/// Copies data sets from Timestream to InfluxDB.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct MigrateStep {
    /// The data sets, in order.
    pub data: Vec<DataName>,
    /// Points per write request, at least 1.
    pub batch: u32,
}

/// Compares what both stores hold of some data sets.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ParityStep {
    /// The data sets, in order.
    pub data: Vec<DataName>,
    /// Fields whose values may differ, by field key; every other field is compared exactly.
    pub tolerances: Vec<(String, Tolerance)>,
    /// What the comparison must come to, over all data sets together.
    pub expect: ParityExpect,
    /// Breaks that must turn this check red.
    pub sabotage: Vec<ParitySabotage>,
}

/// What a parity check must come to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ParityExpect {
    /// Rows of the source that the destination may lack.
    pub missing: u64,
    /// Rows of the destination that the source may lack.
    pub extra: u64,
    /// Field values that may differ.
    pub different: u64,
    /// Rows that must have been compared for the check to say anything. At least 1.
    pub min_rows: u64,
}

/// A break of the destination that a parity check must see.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ParitySabotage {
    /// Deletes this many rows.
    DropRows(u32),
    /// Adds this many rows that the source does not have.
    AddRows(u32),
    /// Moves one row by this much.
    ShiftTime(Duration),
    /// Changes one value of a field by its lowest bit.
    FlipLowestBit(String),
}

/// Measures queries on both stores at an open rate of arrivals.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct LatencyStep {
    /// The queries, asked in turn.
    pub queries: Vec<QueryPair>,
    /// When questions arise; each asks both stores, in an order drawn from the seed.
    pub arrivals: Arrivals,
    /// How long arrivals go on before they count.
    pub warm_up: Duration,
    /// How long arrivals count.
    pub duration: Duration,
    /// What must hold.
    pub expect: Vec<LatencyExpect>,
    /// Breaks that must turn this check red.
    pub sabotage: Vec<LatencySabotage>,
}

/// One query in both languages.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct QueryPair {
    /// Its name.
    pub id: String,
    /// The file that it came from.
    pub file: PathBuf,
    /// What stands for `${name}` in both texts, drawn anew for each request.
    pub parameters: Vec<QueryParameter>,
    /// The query for Timestream.
    pub sql: String,
    /// The query for InfluxDB in Flux.
    pub flux: String,
    /// The query for InfluxDB in InfluxQL, if there is one.
    pub influxql: Option<InfluxQl>,
    /// How the two answers are held against each other.
    pub answer: Answer,
}

/// A query in InfluxQL and the column of its answer that holds the value. The column of the
/// instant is always `time`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct InfluxQl {
    /// The query.
    pub text: String,
    /// The column of the value in its answer.
    pub value: String,
}

/// The values that a placeholder can take.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct QueryParameter {
    /// The name in `${name}`.
    pub name: String,
    /// The values, at least one.
    pub values: Vec<String>,
}

/// How the answers of a query pair are held against each other.
///
/// Both answers are lists of (time, value); the columns are named per language.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Answer {
    /// The column of the instant in the SQL answer, unless the answer is a single value.
    pub sql_time: Option<String>,
    /// The column of the value in the SQL answer.
    pub sql_value: String,
    /// The column of the instant in the Flux answer, unless the answer is a single value.
    pub flux_time: Option<String>,
    /// The column of the value in the Flux answer.
    pub flux_value: String,
    /// How far two values may be apart: float sums and means depend on the order of addition.
    pub tolerance: Tolerance,
}

/// One limit on a latency measurement.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct LatencyExpect {
    /// Whose figure it is.
    pub subject: LatencySubject,
    /// Which figure it is.
    pub statistic: Statistic,
    /// What it must be.
    pub limit: Limit,
    /// Samples on each side without which nothing is judged. At least 1.
    pub min_samples: u64,
}

/// Whose figure a latency limit is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum LatencySubject {
    /// One store's.
    Store(Store),
    /// The destination's, divided by the source's.
    DestinationBySource,
}

/// A break of the destination that a latency check must see.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum LatencySabotage {
    /// Answers this share of queries with a 503.
    FailQueries(Ratio),
    /// Alters a value in this share of the answers.
    WrongAnswer(Ratio),
    /// Delays every answer by this much. Seen only where timing is judged.
    AddLatency(Duration),
}
