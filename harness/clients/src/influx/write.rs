//! Writing line protocol, and what each answer means for the lines.
//!
//! The main type is [`WriteOutcome`]. Which lines to send again is the caller's decision; what it
//! needs for that is whether nothing, some or all of them were stored.

use std::io::Write as _;
use std::time::Duration;

use bytes::Bytes;
use flate2::Compression;
use flate2::write::GzEncoder;
use http::{Method, header};

use super::client::{Call, InfluxClient};
use crate::error::ClientError;
use crate::http::Refusal;

/// The unit of the times in a body of line protocol.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Precision {
    /// Nanoseconds.
    Nanoseconds,
    /// Microseconds.
    Microseconds,
    /// Milliseconds.
    Milliseconds,
    /// Seconds.
    Seconds,
}

impl Precision {
    /// As the API names it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Nanoseconds => "ns",
            Self::Microseconds => "us",
            Self::Milliseconds => "ms",
            Self::Seconds => "s",
        }
    }

    /// How many nanoseconds one unit has.
    pub fn nanos(self) -> i64 {
        match self {
            Self::Nanoseconds => 1,
            Self::Microseconds => 1_000,
            Self::Milliseconds => 1_000_000,
            Self::Seconds => 1_000_000_000,
        }
    }
}

/// How a body travels.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Encoding {
    /// As it is.
    Plain,
    /// Compressed.
    Gzip,
}

/// What the server did with a body of lines.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum WriteOutcome {
    /// All lines are stored.
    Stored,
    /// A line does not parse, and nothing is stored (400).
    Malformed {
        /// What the server said.
        message: String,
    },
    /// Some lines were dropped, and the rest is stored (422). Sending them again changes nothing.
    Partial {
        /// The first reason, in the server's words.
        message: String,
        /// How many were dropped, where the server counts them.
        dropped: Option<u64>,
    },
    /// The token is wrong or may not write here (401, 403). Nothing is stored.
    Unauthorized {
        /// What the server said.
        message: String,
    },
    /// There is no such bucket or organisation (404). Nothing is stored.
    BucketMissing {
        /// What the server said.
        message: String,
    },
    /// The body is longer than the server takes (413). Nothing is stored.
    TooLarge {
        /// What the server said.
        message: String,
    },
    /// The server wants less (429, 503).
    Throttled {
        /// The HTTP status.
        status: u16,
        /// How long it asks to be left alone.
        retry_after: Option<Duration>,
    },
    /// Any other answer. After a status from 500 the lines may be stored or not.
    Failed {
        /// The HTTP status.
        status: u16,
        /// What the server said.
        message: String,
    },
}

impl WriteOutcome {
    /// Whether the same body may well be stored later. Sending it again is safe: a point that is
    /// stored already is written over with itself.
    pub fn is_transient(&self) -> bool {
        match self {
            Self::Throttled { .. } => true,
            Self::Failed { status, .. } => *status >= 500 || *status == 408,
            _ => false,
        }
    }

    fn of_refusal(refusal: Refusal) -> Self {
        let Refusal { status, message, retry_after, .. } = refusal;
        match status {
            400 => Self::Malformed { message },
            401 | 403 => Self::Unauthorized { message },
            404 => Self::BucketMissing { message },
            413 => Self::TooLarge { message },
            422 => Self::Partial { dropped: dropped(&message), message },
            429 | 503 => Self::Throttled { status, retry_after },
            _ => Self::Failed { status, message },
        }
    }
}

/// The count in `… dropped=3`, which ends the server's message about a partial write.
fn dropped(message: &str) -> Option<u64> {
    let (_, count) = message.rsplit_once("dropped=")?;
    let end = count.find(|c: char| !c.is_ascii_digit()).unwrap_or(count.len());
    count[..end].parse().ok()
}

impl InfluxClient {
    /// Writes a body of line protocol whose times are in units of `precision`.
    ///
    /// An error tells through [`ClientError::applied`] whether the lines may be stored.
    pub async fn write(
        &self,
        bucket: &str,
        precision: Precision,
        lines: Bytes,
        encoding: Encoding,
    ) -> Result<WriteOutcome, ClientError> {
        const TEXT: (header::HeaderName, &str) =
            (header::CONTENT_TYPE, "text/plain; charset=utf-8");
        let (headers, body): (&[_], _) = match encoding {
            Encoding::Plain => (&[TEXT], lines),
            Encoding::Gzip => (&[TEXT, (header::CONTENT_ENCODING, "gzip")], gzip(&lines)),
        };
        let query =
            [("org", &*self.inner.org), ("bucket", bucket), ("precision", precision.name())];
        let call = Call {
            operation: "write",
            method: Method::POST,
            path: "/api/v2/write",
            query: &query,
            headers,
            body,
        };
        let answer = self.call(call).await?;
        if answer.status == http::StatusCode::NO_CONTENT {
            return Ok(WriteOutcome::Stored);
        }
        Ok(WriteOutcome::of_refusal(self.refusal(answer, &[]).await))
    }
}

fn gzip(body: &[u8]) -> Bytes {
    // The fast level: the network between loader and server is seldom what is scarce.
    let mut encoder = GzEncoder::new(Vec::with_capacity(body.len() / 4), Compression::fast());
    encoder
        .write_all(body)
        .and_then(|()| encoder.finish())
        .expect("writing to memory does not fail")
        .into()
}
