//! Parity: are the rows that left the source the rows that reached the destination?
//!
//! The main type is [`Comparison`]. It takes two streams of [`RowBatch`]es, each sorted by tags and
//! time, and ends in an [`Outcome`]: counts, a bounded list of [`Difference`]s that serve as
//! witnesses, an order-free [`Digest`] of each side, and [`Diagnosis`] entries that name what whole
//! groups of differences have in common. Everything is pure and columnar: equal stretches of keys
//! are compared column by column, and only rows that differ are looked at one by one. Memory
//! follows the lag between the sides, never their length; [`Comparison::wants`] says which side to
//! read next.
//!
//! Reading the stores is the caller's business, and so is the verdict: nothing here knows a limit.

mod batch;
mod cell;
mod column;
mod comparison;
mod diagnosis;
mod digest;
mod outcome;
mod pairs;
mod schema;
mod shift;
mod stream;
mod tally;
mod time_patterns;

pub use batch::{RowBatch, UnknownColumn};
pub use cell::Cell;
pub use comparison::{Comparison, ComparisonError, Limits};
pub use cutover_model::scenario::Tolerance;
pub use diagnosis::{Diagnosis, Pattern};
pub use digest::Digest;
pub use outcome::{Difference, DifferenceClass, FieldOutcome, Outcome, Side};
pub use schema::{FieldSchema, Schema, SchemaError};
pub use stream::{OutOfOrder, Place};

#[cfg(test)]
mod tests;
