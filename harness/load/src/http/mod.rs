//! The measured path: requests over HTTP/1.1 from threads that share nothing.
//!
//! [`run_http`] takes an [`HttpLoad`] and ends in a [`Recording`](crate::Recording), like the
//! other two runs, so that one judgement fits all. It blocks until the load is over. Each of its
//! threads has a poller, a share of the connections and a share of the schedule of its own; there
//! is no channel, no lock and no allocation for a single request. Connections are kept alive and
//! carry one request at a time.
//!
//! ```no_run
//! # use std::time::Duration;
//! # use cutover_load::*;
//! # use cutover_model::{Clock, Shard};
//! # let wall_clock = Clock::fixed(0);
//! let health = HttpRequest {
//!     method: Method::Get,
//!     path: "/health".into(),
//!     headers: vec![],
//!     body: Body::Empty { work: 1 },
//!     gzip: None,
//!     answer: Answer { status: 200, body: BodyRule::Contains(b"\"pass\"".to_vec()) },
//! };
//! let load = HttpLoad {
//!     endpoint: Endpoint { host: "localhost".into(), port: 8086, tls: None },
//!     requests: vec![Labelled { label: "health".into(), weight: 1, operation: health }],
//!     pace: Pace::Open(Schedule::constant(Rate::per_second(100), 1)?),
//!     options: RunOptions {
//!         duration: Duration::from_secs(10),
//!         warm_up: Duration::from_secs(1),
//!         timeout: Duration::from_secs(5),
//!         connections: 16,
//!         shard: Shard::WHOLE,
//!     },
//!     threads: 1,
//!     wall: wall_clock,
//!     abort: vec![],
//! };
//! let recording = run_http(load, &Stop::new())?;
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! `response` reads answers, `outcome` classes them, `connection` owns a socket, `worker` is one
//! thread, and `sentry` watches all of them for a breach that ends the load. What is sent comes
//! from a [`Body`]; making line protocol is not known here.

mod connection;
mod outcome;
mod plan;
mod poller;
mod prepared;
mod response;
mod run;
mod sentry;
mod slots;
mod tls;
mod wall;
mod worker;

pub use plan::{
    Answer, Body, BodyJudge, BodyRule, BodyWriter, Endpoint, Header, HttpLoad, HttpRequest, Method,
    Pace, Payload,
};
pub use run::run_http;
pub use tls::{Roots, Tls};

#[cfg(test)]
mod tests;
