//! Cases: what an InfluxDB is asked in a test of its behaviour, and when two answers are the same.
//!
//! The cases of the Flux project ([`FluxCase`]), write requests with a real server's answers
//! ([`WriteCase`]), queries that once came out differently ([`KeptCase`]) and hostile bodies
//! ([`hostile`]) are all plain values here: each turns into [`Request`]s, and answers to those are
//! compared by the functions of [`compare`]. Nothing is sent from here. The stand-in's own tests
//! send through a router in memory, the conformance command through sockets to a real server too.
//! The reader of annotated CSV is neither the clients' nor the stand-in's, on purpose.

pub mod compare;
mod csv;
mod draws;
mod exchange;
mod flux;
pub mod hostile;
mod kept;
mod writes;

pub use crate::csv::{Column, CsvError, ResultSet, Table, read};
pub use crate::draws::Draws;
pub use crate::exchange::{Answer, Refusal, Request};
pub use crate::flux::{FluxCase, FluxMode};
pub use crate::kept::{KeptCase, Language, table_order_is_defined};
pub use crate::writes::{Names, Part, Recorded, WriteCase, WriteStep};

/// What the stand-in says of a script that it does not run at all.
pub const OUTSIDE: &str = "not in the stand-in's";

/// A line of a file of cases that is no case.
#[derive(Debug, thiserror::Error)]
#[error("line {line} of the cases is no case")]
pub struct CaseError {
    /// The line, counted from 1.
    pub line: usize,
    /// What is wrong with it.
    #[source]
    pub cause: serde_json::Error,
}

/// Reads a file with one case a line.
pub fn read_lines<T: serde::de::DeserializeOwned>(text: &str) -> Result<Vec<T>, CaseError> {
    let filled = text.lines().enumerate().filter(|(_, line)| !line.trim().is_empty());
    filled
        .map(|(at, line)| {
            serde_json::from_str(line).map_err(|cause| CaseError { line: at + 1, cause })
        })
        .collect()
}
