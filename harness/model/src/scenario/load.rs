//! The load step: who writes and reads, what is written, and what must hold.
//!
//! The main type is [`LoadStep`].

use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::arrivals::LoadModel;
use super::limits::{Limit, Statistic};
use super::steps::QueryPair;
use crate::ids::DataName;
use crate::units::Ratio;

/// Writes to the destination, and reads, at a rate or by users.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct LoadStep {
    /// The writers, if any.
    pub write: Option<WriteLoad>,
    /// The readers, if any.
    pub read: Option<ReadLoad>,
    /// How long operations go on before they count.
    pub warm_up: Duration,
    /// How long operations count.
    pub duration: Duration,
    /// How writers and readers reach the server, each.
    pub transport: Transport,
    /// What must hold.
    pub expect: Vec<LoadExpect>,
    /// What must hold in every window, or the load is stopped.
    pub abort: Vec<LoadAbort>,
    /// Whether every acknowledged write must be read back afterwards.
    pub prove_no_acknowledged_write_lost: bool,
    /// Breaks that must turn this check red.
    pub sabotage: Vec<LoadSabotage>,
}

impl LoadStep {
    /// The bucket that generated points go to.
    pub const BUCKET: &'static str = "cutover_load";
    /// The field that numbers written points, so that each can be looked for afterwards.
    pub const NUMBER: &'static str = "number";
    /// The tag that tells the points of one run from those of another.
    pub const RUN: &'static str = "run";
}

/// How requests reach the server.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Transport {
    /// Connections of an open load, at least 1. A closed load has one for each user.
    pub connections: u32,
    /// Threads that send, at least 1.
    pub threads: u32,
    /// How long a request may go unanswered before it counts as a timeout.
    pub timeout: Duration,
}

/// Writers of points.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct WriteLoad {
    /// What is written, and when.
    pub source: WriteSource,
    /// Points per write request, at least 1.
    pub batch: u32,
    /// The unit in which times are written.
    pub precision: TimePrecision,
    /// The level (0 to 9) at which requests are compressed with gzip, if they are.
    pub gzip: Option<u32>,
}

/// What is written, and when.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum WriteSource {
    /// Made-up points.
    Generated {
        /// How writes come about.
        model: LoadModel,
        /// What the points are like.
        points: GeneratedPoints,
    },
    /// The rows of data sets at the distances of their instants. At the end they begin anew, moved
    /// behind what was written.
    Replayed {
        /// The data sets.
        data: Vec<DataName>,
        /// How many seconds of the data pass in one second, above zero.
        speed: f64,
    },
}

impl WriteSource {
    /// How writes come about, where it is not the data that decides.
    pub fn model(&self) -> Option<&LoadModel> {
        match self {
            Self::Generated { model, .. } => Some(model),
            Self::Replayed { .. } => None,
        }
    }

    /// Whether writes are due at instants, whatever the answers do.
    pub fn is_open(&self) -> bool {
        !matches!(self.model(), Some(LoadModel::Closed { .. }))
    }
}

/// What made-up points are like.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct GeneratedPoints {
    /// How many series the points are spread over, at least 1.
    pub series: u32,
    /// The tags that tell the series apart, at least one; each has about as many values.
    pub tags: Vec<String>,
    /// The fields of each point, beside its number.
    pub fields: Vec<GeneratedField>,
    /// From one point of a series to the next.
    pub interval: Duration,
    /// How many of a series' points come in the order opposite to that of their times.
    pub out_of_order: Ratio,
    /// Points that come late, if any do.
    pub late: Option<LatePoints>,
}

/// Points whose times lie back when they are sent.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct LatePoints {
    /// How many of the points.
    pub share: Ratio,
    /// How far their times lie back.
    pub by: Duration,
}

/// A field of made-up points.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct GeneratedField {
    /// Its key.
    pub key: String,
    /// What its values are.
    pub values: GeneratedValues,
}

/// What the values of a field are.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum GeneratedValues {
    /// Floats from 0 to 1,000.
    Float {
        /// How many decimals are written, at most 9; all that tell it apart if absent.
        decimals: Option<u8>,
        /// How they go over a day.
        shape: DayShape,
    },
    /// Integers of all sizes and signs.
    Integer,
    /// Unsigned integers of all sizes.
    Unsigned,
    /// Either.
    Boolean,
    /// Texts of so many letters.
    Text(u16),
}

/// How values go over a day.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum DayShape {
    /// As they come.
    Even,
    /// As the demand of a grid: low before dawn, high in the evening.
    Diurnal,
}

/// The unit in which times are written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum TimePrecision {
    /// Nanoseconds.
    #[serde(rename = "ns")]
    Nanoseconds,
    /// Microseconds.
    #[serde(rename = "us")]
    Microseconds,
    /// Milliseconds.
    #[serde(rename = "ms")]
    Milliseconds,
    /// Seconds.
    #[serde(rename = "s")]
    Seconds,
}

impl TimePrecision {
    /// Its length.
    pub fn length(self) -> Duration {
        match self {
            Self::Nanoseconds => Duration::from_nanos(1),
            Self::Microseconds => Duration::from_micros(1),
            Self::Milliseconds => Duration::from_millis(1),
            Self::Seconds => Duration::from_secs(1),
        }
    }
}

/// Readers of the migrated data.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ReadLoad {
    /// How queries come about.
    pub model: LoadModel,
    /// The queries and how often each is asked. Not empty.
    pub queries: Vec<WeightedQuery>,
    /// The language, which also says which store is asked.
    pub language: QueryLanguage,
    /// What makes an answer right.
    pub answers: RightAnswer,
}

/// A query of a mix.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct WeightedQuery {
    /// The query.
    pub pair: QueryPair,
    /// How often it is asked, beside the others, at least 1.
    pub weight: u32,
}

/// The language of a query.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum QueryLanguage {
    /// Asked of InfluxDB.
    Flux,
    /// Asked of InfluxDB, through its 1.x interface.
    InfluxQl,
    /// Asked of Timestream, through AWS's own client.
    Sql,
}

/// What makes an answer right.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum RightAnswer {
    /// It has values, and no mistake in it.
    HasValues,
    /// It has the values of the source's answer to the same question, asked before the load.
    SameAsSource,
}

/// One limit on a load measurement.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct LoadExpect {
    /// Whose figure it is.
    pub subject: LoadSubject,
    /// Which figure it is.
    pub statistic: Statistic,
    /// What it must be.
    pub limit: Limit,
    /// Operations without which nothing is judged. At least 1.
    pub min_samples: u64,
}

/// One limit that must hold in every window, or the load is stopped.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct LoadAbort {
    /// Whose figure it is: the writers' or the readers'.
    pub subject: LoadSubject,
    /// Which figure it is: a percentile, or the errors.
    pub statistic: Statistic,
    /// What it must be.
    pub limit: Limit,
    /// How long the window is.
    pub over: Duration,
}

/// Whose figure a load limit is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum LoadSubject {
    /// The writers'.
    Write,
    /// The readers'.
    Read,
    /// Both together.
    All,
}

/// A break of the destination that a load check must see.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum LoadSabotage {
    /// Acknowledges this share of the write requests without applying them.
    SwallowWrites(Ratio),
    /// Answers this share of the requests with a 503.
    FailRequests(Ratio),
    /// Alters a value in this share of the answers to queries.
    WrongAnswer(Ratio),
    /// Delays every answer by this much. Seen only where timing is judged.
    AddLatency(Duration),
}
