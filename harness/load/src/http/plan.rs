//! What a load over HTTP consists of, as its caller writes it down.
//!
//! The main type is [`HttpLoad`].

use std::fmt;
use std::sync::Arc;

use cutover_model::{Clock, Secret};

use super::tls::Tls;
use crate::abort::AbortRule;
use crate::closed::Closed;
use crate::operation::Labelled;
use crate::options::RunOptions;
use crate::schedule::Schedule;

/// A load over HTTP.
#[derive(Clone, Debug)]
pub struct HttpLoad {
    /// The server.
    pub endpoint: Endpoint,
    /// What is asked of it. Several requests are interleaved in rounds by their weights, as in
    /// [`run_open`](crate::run_open).
    pub requests: Vec<Labelled<HttpRequest>>,
    /// When requests are made.
    pub pace: Pace,
    /// The frame of the run. Its `connections` are those of all threads together; a closed load
    /// has as many as it has users.
    pub options: RunOptions,
    /// How many threads send. No more are started than there are connections.
    pub threads: usize,
    /// The wall clock: compared with the steady one to tell whether it was set during the run.
    pub wall: Clock,
    /// What ends the load early. It is looked at ten times in a second.
    pub abort: Vec<AbortRule>,
}

/// Where a server is.
#[derive(Clone, Debug)]
pub struct Endpoint {
    /// A name or an address. A name is resolved once, before the load begins.
    pub host: String,
    /// The port.
    pub port: u16,
    /// How to speak TLS, if it is spoken.
    pub tls: Option<Tls>,
}

/// When requests are made.
#[derive(Clone, Debug)]
pub enum Pace {
    /// When they are due, whatever the answers do.
    Open(Schedule),
    /// When users have got their answers and have thought about them.
    Closed(Closed),
}

/// One kind of request and the answer that is due to it.
#[derive(Clone, Debug)]
pub struct HttpRequest {
    /// The method.
    pub method: Method,
    /// The path with its query, as it is written into the request.
    pub path: String,
    /// Headers beside those of the connection and the body's length and encoding.
    pub headers: Vec<Header>,
    /// The body.
    pub body: Body,
    /// The level (0 to 9) at which bodies are compressed with gzip, if they are.
    pub gzip: Option<u32>,
    /// The answer that counts as right.
    pub answer: Answer,
}

/// A method.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Method {
    /// `GET`.
    Get,
    /// `POST`.
    Post,
}

/// A header. Its value is never shown: it may be a token.
#[derive(Clone, Debug)]
pub struct Header {
    /// The name.
    pub name: String,
    /// The value.
    pub value: Secret,
}

/// What is sent with a request.
#[derive(Clone)]
pub enum Body {
    /// Nothing.
    Empty {
        /// The work that a right answer stands for.
        work: u64,
    },
    /// The same bytes each time.
    Fixed(Payload),
    /// These in turn: request `k` carries the one at `k` modulo their number.
    InTurn(Vec<Payload>),
    /// Made for each request.
    Written(BodyWriter),
}

/// Bytes, and the work that they ask for.
#[derive(Clone, Debug)]
pub struct Payload {
    /// The bytes.
    pub bytes: Vec<u8>,
    /// The work that a right answer to them stands for: points, rows.
    pub work: u64,
}

/// Appends the body of request `k` to a buffer and returns the work that it asks for.
///
/// What is in the buffer already must be left alone. It is called ahead of the instant at which
/// the request is due, from several threads at once, and decides by `k` alone.
pub type BodyWriter = Arc<dyn Fn(u64, &mut Vec<u8>) -> u64 + Send + Sync>;

/// Says whether a body is right as an answer to request `k`.
pub type BodyJudge = Arc<dyn Fn(u64, &[u8]) -> bool + Send + Sync>;

/// The answer that counts as right.
#[derive(Clone, Debug)]
pub struct Answer {
    /// Its status.
    pub status: u16,
    /// Its body.
    pub body: BodyRule,
}

/// Which bodies count as right.
#[derive(Clone)]
pub enum BodyRule {
    /// Any.
    Any,
    /// These bytes and no others.
    Equals(Vec<u8>),
    /// For request `k`, the bytes at `k` modulo their number, and no others.
    EqualsInTurn(Vec<Vec<u8>>),
    /// One that has these bytes somewhere.
    Contains(Vec<u8>),
    /// One that is judged right for request `k`.
    Judged(BodyJudge),
}

impl fmt::Debug for Body {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Empty { work } => f.debug_struct("Empty").field("work", work).finish(),
            Self::Fixed(payload) => f.debug_tuple("Fixed").field(&payload.bytes.len()).finish(),
            Self::InTurn(payloads) => f.debug_tuple("InTurn").field(&payloads.len()).finish(),
            Self::Written(_) => f.write_str("Written"),
        }
    }
}

impl fmt::Debug for BodyRule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Any => f.write_str("Any"),
            Self::Equals(bytes) => f.debug_tuple("Equals").field(&bytes.len()).finish(),
            Self::EqualsInTurn(all) => f.debug_tuple("EqualsInTurn").field(&all.len()).finish(),
            Self::Contains(bytes) => f.debug_tuple("Contains").field(&bytes.len()).finish(),
            Self::Judged(_) => f.write_str("Judged"),
        }
    }
}
