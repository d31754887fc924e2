//! Queries: from text in Timestream's dialect to Arrow batches.
//!
//! [`Engine::run`] is the whole way. `tokens` rewrites what only this dialect writes, `dialect`
//! checks and rewrites the parsed query, `plan` resolves tables and functions for `DataFusion`'s
//! planner, `functions` lists the functions there are
//! and `operators` the operators that differ, `scan` reads a table's snapshot, and
//! `show` answers the statements about the schema. Pages and text are `query`'s.
//!
//! The engine runs a query on the task that asks for it, in one partition: nothing is spawned, so
//! that a query is deterministic and takes no time of a paused clock.

mod casts;
mod dialect;
mod failure;
mod functions;
mod operators;
mod plan;
mod rewrite;
mod scan;
mod show;
mod sum;
mod time_functions;
mod tokens;
mod udf;

use std::sync::Mutex;

use arrow::array::RecordBatch;
use arrow::datatypes::DataType;

pub(crate) use self::plan::Engine;
use crate::store::Catalog;

/// What a query gave.
#[derive(Clone, Debug)]
pub(crate) struct Output {
    pub(crate) columns: Vec<OutputColumn>,
    pub(crate) batches: Vec<RecordBatch>,
    /// The size of what was read from tables.
    pub(crate) bytes_scanned: u64,
}

/// A column of the answer.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct OutputColumn {
    pub(crate) name: String,
    pub(crate) data_type: DataType,
}

/// What a query is asked of: the tables, and the present.
#[derive(Clone, Copy)]
pub(crate) struct World<'a> {
    pub(crate) catalog: &'a Mutex<Catalog>,
    pub(crate) now_ns: i64,
}
