//! Load: drive an operation at a rate and record what happened, without flattering anyone.
//!
//! [`run_open`] sends at instants that a [`Schedule`] fixed beforehand, whatever the answers do;
//! [`run_closed`] lets a number of users wait for each answer. Both drive an [`Operation`] on the
//! caller's runtime and its clock. [`run_http`] does either over HTTP, on threads of its own: the
//! measured path, where what the generator itself costs must not show. All end in a [`Recording`].
//! In the open model latency counts from the instant at which an arrival was due, so a server
//! that stalls is charged for everyone who had to wait; the time from the sending is kept beside
//! it. Errors and timeouts stay in the base of every percentile.
//!
//! What an operation does is not known here, and neither is a limit: a [`Summary`], with what is
//! known of each of its figures, helps whoever judges. [`points`] makes what a writer sends, and
//! [`find_rate`] says which rate to try next.

mod abort;
mod certainty;
mod closed;
mod counts;
pub mod find_rate;
mod histogram;
mod http;
mod interleave;
mod open;
mod operation;
mod options;
mod pacing;
pub mod points;
mod recorder;
mod recording;
mod schedule;
mod share;
mod statistics;
mod stop;
mod summary;

pub use abort::{AbortFigure, AbortRule, Aborted};
pub use closed::{Closed, run_closed};
pub use counts::Counts;
pub use histogram::{Histogram, HistogramError};
pub use http::{
    Answer, Body, BodyJudge, BodyRule, BodyWriter, Endpoint, Header, HttpLoad, HttpRequest, Method,
    Pace, Payload, Roots, Tls, run_http,
};
pub use open::run_open;
pub use operation::{Labelled, Operation, Outcome, OutcomeClass};
pub use options::{RunError, RunOptions};
pub use recording::{
    Generator, MergeError, Model, OperationRecording, OutcomeCounts, Recording, Samples, Second,
};
pub use schedule::{Instants, Rate, Schedule, ScheduleError, Spacing, Stage};
pub use statistics::{Interval, Quantile, QuantileError};
pub use stop::Stop;
pub use summary::{Intervals, Latency, Summary, Worth};

#[cfg(test)]
mod truth;
