//! Conformance: does the InfluxDB stand-in answer as a real InfluxDB does?
//!
//! The stand-in and an `influxd` are asked the same, over the same HTTP client: the cases of the
//! Flux project ([`cases`]), generated queries over generated data ([`queries`]) and a table of
//! write requests ([`writes`]). [`hostile`] asks the stand-in alone. Each gives an [`Outcome`] that
//! the command prints and [`page`] writes down. What an answer is and when two are the same is
//! not decided here but in `cutover_cases`, which the stand-in's own tests use as well.

pub mod cases;
mod generate;
pub mod hostile;
mod outcome;
pub mod page;
pub mod queries;
mod server;
mod shrink;
pub mod writes;

pub use crate::outcome::{Failure, Outcome, hold};
pub use crate::server::{Pair, PairError, Server, ServerError, Standin};
