//! What can go wrong between a request and the end of its answer.
//!
//! The main type is [`ClientError`]. An answer that a protocol foresees for a write is not here: it
//! is an outcome ([`WriteOutcome`](crate::influx::WriteOutcome),
//! [`RecordsOutcome`](crate::timestream::RecordsOutcome)). Secrets never get in here: bodies of
//! answers pass a filter first, and requests are named by their operation alone.

use std::error::Error;
use std::time::Duration;

/// The AWS services' word for wanting less.
pub(crate) const THROTTLED: &str = "ThrottlingException";

/// The cause of an error, from a library below.
pub type Cause = Box<dyn Error + Send + Sync>;

/// Whether the server may have acted on a request that failed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Applied {
    /// Surely not: the request was never sent, or the server refused it.
    No,
    /// Nobody knows: the request was sent and no answer came that tells.
    Unknown,
}

/// A request that did not lead to an answer that can be used.
#[derive(Debug, thiserror::Error)]
pub enum ClientError {
    /// What the caller gave cannot be used. Nothing was sent.
    #[error("`{subject}` {problem}")]
    Invalid {
        /// What was given.
        subject: String,
        /// Why it cannot be used.
        problem: String,
    },
    /// No connection could be made. Nothing was sent.
    #[error("`{operation}` found no connection to the server")]
    NotConnected {
        /// The request.
        operation: &'static str,
        /// What the transport said.
        #[source]
        cause: Cause,
    },
    /// The connection broke after the request may have been sent.
    #[error("the connection broke under `{operation}`")]
    Interrupted {
        /// The request.
        operation: &'static str,
        /// What the transport said.
        #[source]
        cause: Cause,
    },
    /// No answer, or no further part of it, came in time.
    #[error("`{operation}` got no answer within {limit:?}")]
    TimedOut {
        /// The request.
        operation: &'static str,
        /// How long was waited.
        limit: Duration,
    },
    /// The server refused the request or failed on it.
    #[error("`{operation}` was answered with {status}: {message}")]
    Answered {
        /// The request.
        operation: &'static str,
        /// The HTTP status.
        status: u16,
        /// The service's own word for the mistake, or nothing where it gave none.
        code: String,
        /// What the server said, shortened.
        message: String,
        /// How long the server asks to be left alone.
        retry_after: Option<Duration>,
    },
    /// A query failed at the server, perhaps after rows had arrived.
    #[error("the query failed at the server: {message}")]
    Query {
        /// What the server said.
        message: String,
        /// The server's reference, often empty.
        reference: String,
    },
    /// The answer ends before its end.
    #[error("the answer to `{operation}` ends early: {problem}")]
    Truncated {
        /// The request.
        operation: &'static str,
        /// What is missing.
        problem: String,
    },
    /// The answer is not what the protocol says.
    #[error("the answer to `{operation}` cannot be read: {problem}")]
    Malformed {
        /// The request.
        operation: &'static str,
        /// What is wrong, and where.
        problem: String,
    },
}

impl ClientError {
    /// Whether the server may have acted on the request.
    pub fn applied(&self) -> Applied {
        match self {
            Self::Invalid { .. } | Self::NotConnected { .. } | Self::Query { .. } => Applied::No,
            Self::Answered { status, .. } if *status < 500 => Applied::No,
            Self::Answered { .. }
            | Self::Interrupted { .. }
            | Self::TimedOut { .. }
            | Self::Truncated { .. }
            | Self::Malformed { .. } => Applied::Unknown,
        }
    }

    /// Whether the same request may well succeed later.
    pub fn is_transient(&self) -> bool {
        match self {
            // AWS throttles with a status that it uses for bad requests, too.
            Self::Answered { status, code, .. } => {
                *status == 429 || *status >= 500 || code == THROTTLED
            }
            Self::NotConnected { .. }
            | Self::Interrupted { .. }
            | Self::TimedOut { .. }
            | Self::Truncated { .. } => true,
            Self::Invalid { .. } | Self::Query { .. } | Self::Malformed { .. } => false,
        }
    }

    /// How long the server asks to be left alone, where it said so.
    pub fn retry_after(&self) -> Option<Duration> {
        match self {
            Self::Answered { retry_after, .. } => *retry_after,
            _ => None,
        }
    }

    /// The same error under the name of the operation that it broke.
    pub(crate) fn renamed(mut self, name: &'static str) -> Self {
        match &mut self {
            Self::Invalid { .. } | Self::Query { .. } => {}
            Self::NotConnected { operation, .. }
            | Self::Interrupted { operation, .. }
            | Self::TimedOut { operation, .. }
            | Self::Answered { operation, .. }
            | Self::Truncated { operation, .. }
            | Self::Malformed { operation, .. } => *operation = name,
        }
        self
    }

    pub(crate) fn invalid(subject: impl Into<String>, problem: impl Into<String>) -> Self {
        Self::Invalid { subject: subject.into(), problem: problem.into() }
    }
}

/// Whether `error` or one of its causes says that no connection was made.
pub(crate) fn is_connect(error: &(dyn Error + 'static)) -> bool {
    let mut next = Some(error);
    while let Some(error) = next {
        let hyper = error.downcast_ref::<hyper_util::client::legacy::Error>();
        if hyper.is_some_and(hyper_util::client::legacy::Error::is_connect) {
            return true;
        }
        next = error.source();
    }
    false
}

#[cfg(test)]
mod tests {
    use super::*;

    fn answered(status: u16) -> ClientError {
        let (code, message) = (String::new(), "no".to_owned());
        ClientError::Answered { operation: "query", status, code, message, retry_after: None }
    }

    #[test]
    fn a_refusal_was_surely_not_applied() {
        assert_eq!(answered(429).applied(), Applied::No);
    }

    #[test]
    fn a_failing_server_leaves_the_outcome_unknown() {
        assert_eq!(answered(500).applied(), Applied::Unknown);
    }

    #[test]
    fn a_refusal_other_than_429_is_not_worth_another_try() {
        assert!(answered(429).is_transient());
        assert!(!answered(400).is_transient());
    }

    #[test]
    fn the_cause_is_not_printed_twice() {
        let cause: Cause = "refused".into();
        let error = ClientError::NotConnected { operation: "write", cause };
        assert_eq!(error.to_string(), "`write` found no connection to the server");
        assert_eq!(error.source().map(ToString::to_string), Some("refused".to_owned()));
    }
}
