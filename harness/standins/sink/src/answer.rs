//! The bytes that the sink answers with, made once.
//!
//! The main type is [`Answer`]: a usual one, or one that a fault asks for.

use std::rc::Rc;
use std::time::Duration;

use crate::fault::Kind;

/// An answer and what becomes of the connection.
#[derive(Clone, Debug)]
pub(crate) struct Answer {
    pub(crate) bytes: Rc<[u8]>,
    /// Bytes from here on come one by one, so far apart.
    pub(crate) dribble: Option<(usize, Duration)>,
    pub(crate) then: Then,
}

/// What becomes of a connection after an answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Then {
    Keep,
    Close,
    Reset,
    Rest,
    /// The whole sink is dead.
    Die,
}

impl Answer {
    /// The right answer.
    pub(crate) fn usual(status: u16, body: &[u8]) -> Self {
        Self::new(whole(status, "", body), Then::Keep)
    }

    fn new(bytes: Vec<u8>, then: Then) -> Self {
        Self { bytes: bytes.into(), dribble: None, then }
    }

    /// The answer that a fault makes of it.
    pub(crate) fn faulty(kind: Kind, status: u16, body: &[u8]) -> Self {
        match kind {
            Kind::Dead => Self::new(Vec::new(), Then::Die),
            Kind::Status(status) => Self::new(whole(status, "", error_body(status)), Then::Keep),
            Kind::Throttle(seconds) => {
                let retry = format!("Retry-After: {seconds}\r\n");
                Self::new(whole(503, &retry, error_body(503)), Then::Keep)
            }
            Kind::CutBody => {
                let body = if body.is_empty() { b"to be cut" } else { body };
                let mut bytes = whole(200, "", body);
                bytes.truncate(bytes.len() - body.len().div_ceil(2));
                Self::new(bytes, Then::Close)
            }
            Kind::SlowBody(gap) => {
                let bytes = whole(status, "", body);
                let from = bytes.len() - body.len();
                Self { dribble: Some((from, gap)), ..Self::new(bytes, Then::Keep) }
            }
            Kind::WrongBody => {
                let body: Vec<u8> = body.iter().map(|byte| byte ^ 1).collect();
                Self::new(whole(status, "", &body), Then::Keep)
            }
            Kind::Close => Self::new(whole(status, "Connection: close\r\n", body), Then::Close),
            Kind::CloseSilently => Self::new(whole(status, "", body), Then::Close),
            Kind::CloseUnanswered => Self::new(Vec::new(), Then::Close),
            Kind::Reset => Self::new(Vec::new(), Then::Reset),
            Kind::Never => Self::new(Vec::new(), Then::Rest),
            Kind::Garbage => Self::new(b"SSH-2.0-sink\r\n\r\n".to_vec(), Then::Keep),
            Kind::EndlessHead => {
                let mut bytes = b"HTTP/1.1 200 OK\r\n".to_vec();
                bytes.extend(b"x-more: and more of it\r\n".repeat(8_000));
                Self::new(bytes, Then::Rest)
            }
            Kind::LongBody => {
                let mut bytes = whole(status, "", body);
                bytes.extend_from_slice(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n");
                Self::new(bytes, Then::Keep)
            }
            Kind::Chunked => Self::new(chunked(body), Then::Keep),
        }
    }
}

fn whole(status: u16, headers: &str, body: &[u8]) -> Vec<u8> {
    let mut bytes = format!("HTTP/1.1 {status} As Asked\r\n{headers}").into_bytes();
    if status != 204 {
        bytes.extend_from_slice(format!("Content-Length: {}\r\n", body.len()).as_bytes());
    }
    bytes.extend_from_slice(b"\r\n");
    if status != 204 {
        bytes.extend_from_slice(body);
    }
    bytes
}

fn chunked(body: &[u8]) -> Vec<u8> {
    let mut bytes = b"HTTP/1.1 100 Continue\r\n\r\n".to_vec();
    bytes.extend_from_slice(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n");
    for chunk in body.chunks(7) {
        bytes.extend_from_slice(format!("{:x};part=1\r\n", chunk.len()).as_bytes());
        bytes.extend_from_slice(chunk);
        bytes.extend_from_slice(b"\r\n");
    }
    bytes.extend_from_slice(b"0\r\nX-Trailer: 1\r\n\r\n");
    bytes
}

/// What InfluxDB 2.7 answers beside these codes.
fn error_body(status: u16) -> &'static [u8] {
    match status {
        400 => br#"{"code":"invalid","message":"unable to parse 'x': missing fields"}"#,
        401 => br#"{"code":"unauthorized","message":"unauthorized access"}"#,
        404 => br#"{"code":"not found","message":"bucket \"b\" not found"}"#,
        413 => br#"{"code":"request too large","message":"cannot read data: points in batch"}"#,
        422 => concat!(
            r#"{"code":"unprocessable entity","message":"failure writing points to database: "#,
            r#"partial write: field type conflict: input field \"v\" on measurement \"m\" is "#,
            r#"type string, already exists as type float dropped=3"}"#,
        )
        .as_bytes(),
        503 => br#"{"code":"unavailable","message":"try again"}"#,
        _ => b"",
    }
}
