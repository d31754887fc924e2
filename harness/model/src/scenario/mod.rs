//! A scenario that has been read and checked: what to do and what to expect, with no option left.
//!
//! The main type is [`Scenario`]. It is made by the `scenario` crate from a file; nothing here
//! knows about files' text or positions.

mod arrivals;
mod buckets;
mod data;
mod find_rate;
mod limits;
mod load;
mod rollback;
mod steps;
mod tolerance;

use std::path::PathBuf;

use serde::{Deserialize, Serialize};

pub use arrivals::{Arrivals, LoadModel, RateStage, Spacing};
pub use buckets::{Bucket, ContainerLimits};
pub use data::{DataFormat, DataSet, FieldColumn, TagColumn, TimeColumn};
pub use find_rate::FindRateStep;
pub use limits::{Comparison, Limit, LimitValue, Statistic};
pub use load::{
    DayShape, GeneratedField, GeneratedPoints, GeneratedValues, LatePoints, LoadAbort, LoadExpect,
    LoadSabotage, LoadStep, LoadSubject, QueryLanguage, ReadLoad, RightAnswer, TimePrecision,
    Transport, WeightedQuery, WriteLoad, WriteSource,
};
pub use rollback::{
    Fault, Invariant, OutcomeClass, RollbackExpect, RollbackSabotage, RollbackStep, TriggerName,
    TriggerRule, TriggerWindow, Workload,
};
pub use steps::{
    Answer, InfluxQl, LatencyExpect, LatencySabotage, LatencyStep, LatencySubject, MigrateStep,
    ParityExpect, ParitySabotage, ParityStep, QueryPair, QueryParameter, SeedStep, Step,
};
pub use tolerance::Tolerance;

use crate::ids::ScenarioId;

/// One scenario file, validated.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Scenario {
    /// Its name, unique within a run.
    pub id: ScenarioId,
    /// What it proves, as a sentence.
    pub title: String,
    /// What `--tag` selects by.
    pub tags: Vec<String>,
    /// The file that it came from, as the user named it.
    pub file: PathBuf,
    /// The buckets of the destination, by name: all that data sets name, and no other.
    pub buckets: Vec<Bucket>,
    /// What the container of the destination may use, on the target that has one.
    pub container: ContainerLimits,
    /// The data sets, in the order of the file.
    pub data: Vec<DataSet>,
    /// What is done, in order.
    pub steps: Vec<Step>,
}
