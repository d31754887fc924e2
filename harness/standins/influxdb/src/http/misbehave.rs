//! Carrying out quirks, and the path by which they are switched on from outside.
//!
//! [`misbehave`] stands around all routes, [`spoil_csv`] inside the compression of answers, since
//! a spoilt answer should still decompress.

use std::io;
use std::sync::Arc;

use axum::body::Body;
use axum::extract::{Request, State};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use bytes::Bytes;
use futures_util::{StreamExt, stream};
use http::{HeaderValue, StatusCode, header};
use http_body_util::{BodyExt, Limited};
use serde::Deserialize;
use serde_json::json;

use super::error::{ApiError, Code, json_answer};
use super::request;
use crate::Server;
use crate::quirks::{QuirkKind, QuirkWire, decode, encode};

/// Where quirks are switched on and off. Requests to it are never hit.
pub(super) const CONTROL_PATH: &str = "/standin/quirks";

/// What a handler or an inner layer is to spoil.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Spoil {
    /// A write stores the first half of its points.
    Write,
    /// CSV ends in the middle of a row.
    Truncate,
    /// CSV ends with a table that tells of an error.
    Fail,
}

/// What the answer's body ends with after its first half.
#[derive(Clone, Copy)]
enum Ending {
    Reset,
    Silence,
}

/// Does to a request what its fate is.
pub(super) async fn misbehave(
    State(server): State<Arc<Server>>,
    mut request: Request,
    next: Next,
) -> Response {
    if request.uri().path() == CONTROL_PATH {
        return next.run(request).await;
    }
    let now_ns = server.config.clock.now_ns();
    let fate = server.quirks.decide(request.method(), request.uri().path(), now_ns);
    if !fate.delay.is_zero() {
        tokio::time::sleep(fate.delay).await;
    }
    let Some(kind) = fate.fault else { return next.run(request).await };
    let spoil = match kind {
        QuirkKind::Latency { .. } => return next.run(request).await,
        QuirkKind::HttpError { status, retry_after } => {
            read_to_end(&server, request).await;
            return error_answer(status, retry_after);
        }
        QuirkKind::RefuseConnections => return no_answer(),
        QuirkKind::AckLost => {
            drop(next.run(request).await);
            return no_answer();
        }
        QuirkKind::DuplicateApply => return apply_twice(&server, request, next).await,
        QuirkKind::ConnectionReset => return halve(next.run(request).await, Ending::Reset).await,
        QuirkKind::StalledBody => return halve(next.run(request).await, Ending::Silence).await,
        QuirkKind::PartialWrite => Spoil::Write,
        QuirkKind::TruncatedCsv => Spoil::Truncate,
        QuirkKind::ErrorTable => Spoil::Fail,
    };
    request.extensions_mut().insert(spoil);
    next.run(request).await
}

/// Reads a request that nobody looks at, so that its sender comes to reading the answer.
async fn read_to_end(server: &Server, request: Request) {
    let mut body = Limited::new(request.into_body(), server.config.max_body_bytes);
    while let Some(Ok(_)) = body.frame().await {}
}

fn error_answer(status: StatusCode, retry_after: Option<std::time::Duration>) -> Response {
    let code = Code::of_status(status);
    let message = match code {
        Code::Unauthorized => "unauthorized access",
        Code::TooLarge => "unable to read data: points batch is too large",
        _ => "refused by a quirk of the stand-in",
    };
    let mut response = ApiError::new(code, message).into_response();
    *response.status_mut() = status;
    if let Some(after) = retry_after {
        let whole = after.as_secs() + u64::from(after.subsec_nanos() > 0);
        response.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from(whole));
    }
    response
}

/// An answer whose body breaks before its head is sent, upon which the connection is closed.
fn no_answer() -> Response {
    let broken = stream::iter([Err::<Bytes, _>(reset())]);
    (StatusCode::INTERNAL_SERVER_ERROR, Body::from_stream(broken)).into_response()
}

fn reset() -> io::Error {
    io::Error::new(io::ErrorKind::ConnectionReset, "a quirk closes the connection")
}

async fn apply_twice(server: &Server, request: Request, next: Next) -> Response {
    let (parts, body) = request.into_parts();
    let body = match request::body(server, body).await {
        Ok(body) => body,
        Err(error) => return error.into_response(),
    };
    let again = Request::from_parts(parts.clone(), Body::from(body.clone()));
    drop(next.clone().run(Request::from_parts(parts, Body::from(body))).await);
    next.run(again).await
}

/// The head of an answer with the first half of its body.
async fn halve(response: Response, ending: Ending) -> Response {
    let (parts, body) = response.into_parts();
    let Ok(whole) = body.collect().await else { return no_answer() };
    let whole = whole.to_bytes();
    if whole.is_empty() {
        return match ending {
            Ending::Reset => no_answer(),
            Ending::Silence => std::future::pending().await,
        };
    }
    let half = whole.slice(..whole.len().div_ceil(2));
    let rest = stream::once(async move {
        match ending {
            Ending::Reset => {
                // What is ready is sent when the body has to be waited for, and only then.
                tokio::task::yield_now().await;
                Err(reset())
            }
            Ending::Silence => std::future::pending().await,
        }
    });
    Response::from_parts(parts, Body::from_stream(stream::iter([Ok(half)]).chain(rest)))
}

/// Spoils an answer of CSV, if that is its fate.
pub(super) async fn spoil_csv(request: Request, next: Next) -> Response {
    let spoil = request.extensions().get::<Spoil>().copied();
    let response = next.run(request).await;
    let kind = response.headers().get(header::CONTENT_TYPE);
    let is_csv = kind.is_some_and(|kind| kind.as_bytes().starts_with(b"text/csv"));
    let (Some(spoil), true) = (spoil.filter(|spoil| *spoil != Spoil::Write), is_csv) else {
        return response;
    };
    let (parts, body) = response.into_parts();
    let Ok(whole) = body.collect().await else { return no_answer() };
    let whole = whole.to_bytes();
    let spoilt = if spoil == Spoil::Truncate { truncate(&whole) } else { fail(&whole) };
    Response::from_parts(parts, Body::from(spoilt))
}

/// The first half, or a little less, so that it does not end with a row.
fn truncate(csv: &[u8]) -> Vec<u8> {
    let half = &csv[..csv.len() / 2];
    let end = half.iter().rposition(|byte| !matches!(byte, b'\r' | b'\n' | b','));
    half[..end.unwrap_or(0)].to_vec()
}

/// The rows of the first half, and a table that tells of an error in the dialect of the answer.
fn fail(csv: &[u8]) -> Vec<u8> {
    let half = &csv[..csv.len().div_ceil(2)];
    let end = half.iter().rposition(|byte| *byte == b'\n').map_or(0, |at| at + 1);
    let mut failed = csv[..end].to_vec();
    failed.extend_from_slice(b"\r\n");
    let annotations = [
        (&b"#datatype,"[..], &b"#datatype,string,string\r\n"[..]),
        (b"#group,", b"#group,true,true\r\n"),
        (b"#default,", b"#default,,\r\n"),
    ];
    for line in csv.split(|byte| *byte == b'\n').take_while(|line| line.starts_with(b"#")) {
        for (name, annotation) in annotations {
            if line.starts_with(name) {
                failed.extend_from_slice(annotation);
            }
        }
    }
    failed.extend_from_slice(b",error,reference\r\n,failed by a quirk of the stand-in,\r\n");
    failed
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct QuirksRequest {
    quirks: Vec<QuirkWire>,
}

/// `POST /standin/quirks`: replaces the quirks.
pub(super) async fn switch(
    State(server): State<Arc<Server>>,
    body: Body,
) -> Result<Response, ApiError> {
    let wanted: QuirksRequest = request::json(&server, body).await?;
    let quirks = decode(wanted.quirks).map_err(|error| ApiError::invalid(error.to_string()))?;
    server.quirks.set(quirks);
    Ok(show(State(server)).await)
}

/// `GET /standin/quirks`: the quirks, and how often each had a chance and took it.
pub(super) async fn show(State(server): State<Arc<Server>>) -> Response {
    let shown: Vec<_> = server.quirks.counts().into_iter().map(encode).collect();
    json_answer(StatusCode::OK, &json!({ "quirks": shown }))
}

/// `DELETE /standin/quirks`: switches all quirks off.
pub(super) async fn clear(State(server): State<Arc<Server>>) -> StatusCode {
    server.quirks.set(Vec::new());
    StatusCode::NO_CONTENT
}
