//! What can go wrong, and for which requests.

use std::time::Duration;

use cutover_model::Ratio;
use cutover_model::scenario::Fault;
use http::status::InvalidStatusCode;
use http::{Method, StatusCode};

/// A way to misbehave. `ratio` is the share of the requests in scope that are hit.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum FaultKind {
    /// Answers with an error, and the service never sees the request.
    HttpError {
        /// The status of the answer.
        status: StatusCode,
        /// The share of the requests.
        ratio: Ratio,
        /// What `Retry-After` says, rounded up to whole seconds.
        retry_after: Option<Duration>,
    },
    /// Holds the request back for a while.
    Latency {
        /// For how long.
        add: Duration,
        /// The share of the requests.
        ratio: Ratio,
    },
    /// Closes the connection without an answer, and the service never sees the request.
    RefuseConnections {
        /// The share of the requests.
        ratio: Ratio,
    },
    /// Acknowledges a write with 204, and the service never sees it. Other requests than writes
    /// are left alone.
    SwallowWrites {
        /// The share of the writes.
        ratio: Ratio,
    },
    /// Lets the service do what was asked, and closes the connection without its answer.
    AckLost {
        /// The share of the requests.
        ratio: Ratio,
    },
    /// Alters one digit of one value in an answer of annotated CSV, which stays well formed.
    /// Answers that hold no number are left alone.
    WrongAnswer {
        /// The share of the requests.
        ratio: Ratio,
    },
}

impl FaultKind {
    pub(crate) fn ratio(&self) -> Ratio {
        match *self {
            Self::HttpError { ratio, .. }
            | Self::Latency { ratio, .. }
            | Self::RefuseConnections { ratio }
            | Self::SwallowWrites { ratio }
            | Self::AckLost { ratio }
            | Self::WrongAnswer { ratio } => ratio,
        }
    }
}

impl TryFrom<Fault> for FaultKind {
    type Error = InvalidStatusCode;

    fn try_from(fault: Fault) -> Result<Self, InvalidStatusCode> {
        Ok(match fault {
            Fault::HttpError { status, ratio } => {
                Self::HttpError { status: StatusCode::from_u16(status)?, ratio, retry_after: None }
            }
            Fault::Latency { add } => Self::Latency { add, ratio: Ratio::ONE },
            Fault::RefuseConnections { ratio } => Self::RefuseConnections { ratio },
        })
    }
}

/// The requests that a fault is for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Scope {
    /// The method, or any.
    pub method: Option<Method>,
    /// The path, with everything below it. `/` is every path.
    pub path: String,
}

impl Scope {
    /// Every request.
    pub fn all() -> Self {
        Self { method: None, path: "/".to_owned() }
    }

    /// The writes of InfluxDB's v2 API.
    pub fn writes() -> Self {
        Self { method: Some(Method::POST), path: "/api/v2/write".to_owned() }
    }

    /// The queries of InfluxDB's v2 API.
    pub fn queries() -> Self {
        Self { method: Some(Method::POST), path: "/api/v2/query".to_owned() }
    }

    /// The queries of InfluxDB's 1.x API, which are in InfluxQL.
    pub fn influxql() -> Self {
        Self { method: Some(Method::POST), path: "/query".to_owned() }
    }

    pub(crate) fn covers(&self, method: &Method, path: &str) -> bool {
        let is_method = self.method.as_ref().is_none_or(|expected| expected == method);
        let below = path.strip_prefix(self.path.trim_end_matches('/'));
        is_method && below.is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_covers_what_is_below_it_and_not_what_merely_begins_alike() {
        assert!(Scope::writes().covers(&Method::POST, "/api/v2/write"));
        assert!(Scope::writes().covers(&Method::POST, "/api/v2/write/more"));
        assert!(!Scope::writes().covers(&Method::POST, "/api/v2/writes"));
        assert!(!Scope::writes().covers(&Method::POST, "/api/v2/query"));
    }

    #[test]
    fn a_scope_for_one_method_leaves_the_others_alone() {
        assert!(!Scope::queries().covers(&Method::GET, "/api/v2/query"));
    }

    #[test]
    fn the_scope_of_all_covers_the_root() {
        assert!(Scope::all().covers(&Method::GET, "/"));
        assert!(Scope::all().covers(&Method::PUT, "/any/where"));
    }
}
