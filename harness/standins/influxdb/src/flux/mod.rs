//! Flux: the query language, over the store's tables.
//!
//! A script goes through `lexer` and `parser` to a tree (`ast`), `check` looks it over as a whole,
//! `types` finds the type of each expression, `interpreter` evaluates it with the functions of
//! `builtins`, and the resulting streams (`stream`, `table`) are computed while `csv` writes them.
//! [`run`] is the entry. What only a bucket knows, as the types of its columns, is checked when it
//! is met.

mod ast;
mod builder;
mod builtins;
mod check;
mod column;
mod columnwise;
mod csv;
mod csv_reader;
mod display;
mod duration;
mod error;
mod externs;
mod interpreter;
mod lexer;
mod operators;
mod outside;
mod parser;
mod scalar_key;
mod site;
mod stream;
mod table;
pub(crate) mod time;
mod types;
mod value;
mod window;

use std::sync::Arc;

use bytes::Bytes;

pub(crate) use self::csv::{Annotation, Dialect};
pub(crate) use self::error::{FluxError, FluxErrorCode};

use self::csv::Encoder;
use self::interpreter::Interpreter;
use self::stream::Execution;
use crate::Server;
use crate::accounts::{Id, Permissions};

/// A script and what it is run with.
#[derive(Debug)]
pub(crate) struct Query {
    pub(crate) script: String,
    /// What stands before the script, as a syntax tree.
    pub(crate) externs: Option<serde_json::Value>,
    pub(crate) org: Id,
    pub(crate) now_ns: i64,
    pub(crate) dialect: Dialect,
    /// What the script may read.
    pub(crate) permissions: Permissions,
}

/// Compiles and starts a script. The first part of the answer is computed before this returns, so
/// that a mistake found until then is an error and not a table.
pub(crate) fn run(server: &Arc<Server>, query: Query) -> Result<Answer, FluxError> {
    let mut file = parser::parse(&query.script)?;
    if let Some(tree) = &query.externs {
        let before = parser::parse(&externs::script(tree)?)?;
        file.imports.splice(..0, before.imports);
        file.statements.splice(..0, before.statements);
    }
    check::check(&file)?;
    types::check(&file)?;
    let execution = Execution::new(Arc::clone(server), query.org, query.now_ns, query.permissions);
    let results = Interpreter::new(execution).run(&file)?;
    let mut encoder = Encoder::new(query.dialect, results);
    let first = encoder.next_chunk().transpose()?;
    Ok(Answer { first, encoder })
}

/// The parts of an answer.
pub(crate) struct Answer {
    first: Option<Vec<u8>>,
    encoder: Encoder,
}

impl Iterator for Answer {
    type Item = Bytes;

    fn next(&mut self) -> Option<Bytes> {
        if let Some(first) = self.first.take() {
            return Some(Bytes::from(first));
        }
        // After the first part the encoder tells of mistakes in the rows.
        self.encoder.next_chunk()?.ok().map(Bytes::from)
    }
}

#[cfg(test)]
mod tests;
