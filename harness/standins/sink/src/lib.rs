//! Sink: an HTTP server whose latency is known, to hold a load generator against.
//!
//! [`Sink::start`] serves on a thread of its own. Each answer comes after a delay drawn from a
//! [`Law`], or misbehaves as a [`Fault`] says. [`Sink::stop`] gives a [`SinkReport`]: the
//! quantiles that were really drawn, those that were really kept, and how late the sink itself
//! was, so that a difference can be told from the sink's own doing.
//!
//! Requests are counted and thrown away. Nothing is shared with the generator's own HTTP code: a
//! shared reader would agree with itself about a mistake.

mod alarm;
mod answer;
mod fault;
mod law;
mod queue;
mod report;
mod request;
mod serve;

pub use fault::{Fault, FaultError};
pub use law::{Law, LawError};
pub use report::{Quantiles, SinkReport};
pub use serve::{Sink, SinkOptions, Waiting};
