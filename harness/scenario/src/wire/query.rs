//! A file with one query in both languages.

use crate::shape::record;

use super::parity::ToleranceWire;
use super::scalar::{Block, Column, Line, ParameterValue, Slug, Version};
use super::{List, Names};

record! {
    /// One query in SQL and in Flux, and how the two answers are held against each other.
    struct QueryWire {
        /// The version of the file format: 1.
        version: required Version,
        /// The name of the query, which is also the name of the file.
        id: required Slug,
        /// What the query asks, as a sentence.
        title: required Line,
        /// What can stand for `${name}` in both texts, drawn anew for each request.
        parameters: optional Names<Slug, List<ParameterValue, 1>, 0>,
        /// The query for Timestream.
        sql: required Block,
        /// The query for InfluxDB in Flux.
        flux: required Block,
        /// The query for InfluxDB in InfluxQL, for loads that ask in it.
        influxql: optional Block,
        /// How the two answers are held against each other.
        answer: required AnswerWire,
    }
}

record! {
    /// How the two answers are held against each other: as lists of instants and values.
    struct AnswerWire {
        /// The columns of the instant, unless the answer is a single value.
        time: optional ColumnsWire,
        /// The columns of the value.
        value: required ValueColumnsWire,
        /// How far two values may be apart. Default: `exact`.
        tolerance: optional ToleranceWire,
    }
}

record! {
    /// A column in the answer of each language.
    struct ColumnsWire {
        /// The column in the answer to the SQL.
        sql: required Column,
        /// The column in the answer to the Flux.
        flux: required Column,
    }
}

record! {
    /// A column in the answer of each language.
    struct ValueColumnsWire {
        /// The column in the answer to the SQL.
        sql: required Column,
        /// The column in the answer to the Flux.
        flux: required Column,
        /// The column in the answer to the InfluxQL, if there is one. Its instant is `time`.
        influxql: optional Column,
    }
}
