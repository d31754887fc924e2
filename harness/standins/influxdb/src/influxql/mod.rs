//! `InfluxQL`: the query language of `/query`.
//!
//! [`run`] is the entry. `parser` reads the text into the statements of `ast`; `execute` carries
//! them out, SELECT through `compile`, `rewrite` and `engine`, the lists of metadata through
//! `show`; `json` and `csv` write the results. Left out, and refused by name: EXPLAIN, `sample`,
//! the forecasts and the exponential averages.

mod ast;
mod compile;
mod compile_call;
mod condition;
mod csv;
mod engine;
mod error;
mod eval;
mod execute;
mod format;
mod json;
mod math;
mod msgpack;
mod parser;
mod pattern;
mod reduce;
mod result;
mod rewrite;
mod scanner;
mod show;
mod token;
mod types;
mod value;

pub(crate) use self::parser::{Bound, Parameters, ParseError};
pub(crate) use self::result::Epoch;
pub(crate) use self::token::Token;

use self::csv::CsvWriter;
use self::execute::Execution;
use crate::Server;
use crate::accounts::{Id, Permissions};

/// How results are written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Encoding {
    Json,
    Csv,
    MessagePack,
}

/// Whether an answer comes in one piece.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Delivery {
    Whole,
    /// In parts of so many rows at most.
    Chunked(usize),
}

/// The rows of one part where the request names no number.
pub(crate) const DEFAULT_CHUNK_ROWS: usize = 10_000;

/// One request.
#[derive(Debug)]
pub(crate) struct Query {
    pub(crate) text: String,
    pub(crate) parameters: Parameters,
    pub(crate) org: Id,
    /// What the caller may do: buckets that may not be read are not there.
    pub(crate) permissions: Permissions,
    pub(crate) database: String,
    pub(crate) retention_policy: String,
    pub(crate) epoch: Option<Epoch>,
    pub(crate) encoding: Encoding,
    pub(crate) delivery: Delivery,
}

/// Carries out a query and writes its results.
pub(crate) fn run(server: &Server, query: &Query) -> Result<Vec<u8>, ParseError> {
    let statements = parser::parse_query(&query.text, &query.parameters)?;
    let chunk_rows = match query.delivery {
        Delivery::Whole => DEFAULT_CHUNK_ROWS,
        Delivery::Chunked(rows) => rows,
    };
    let execution = Execution {
        server,
        org: query.org,
        permissions: &query.permissions,
        database: &query.database,
        retention_policy: &query.retention_policy,
        chunk_rows,
    };
    let parts = execution.run(&statements);
    let answers = match query.delivery {
        Delivery::Whole => vec![result::gather(parts)],
        Delivery::Chunked(_) => parts.into_iter().map(|part| vec![part]).collect(),
    };
    Ok(match query.encoding {
        Encoding::Json => {
            answers.iter().flat_map(|results| json::encode(results, query.epoch)).collect()
        }
        Encoding::MessagePack => {
            answers.iter().flat_map(|results| msgpack::encode(results, query.epoch)).collect()
        }
        Encoding::Csv => {
            let mut writer = CsvWriter::default();
            for results in &answers {
                writer.add(results, query.epoch);
            }
            writer.finish()
        }
    })
}
