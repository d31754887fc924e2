//! `POST /api/v2/query`: Flux in, annotated CSV out.

use std::convert::Infallible;
use std::sync::Arc;

use axum::Extension;
use axum::body::Body;
use axum::extract::State;
use axum::response::{IntoResponse, Response};
use http::{HeaderMap, header};
use serde::Deserialize;

use super::auth::Caller;
use super::error::{ApiError, Code};
use super::request::{self, Parameters};
use crate::Server;
use crate::flux::time::parse_rfc3339;
use crate::flux::{self, Annotation, Dialect, FluxError, FluxErrorCode};

#[derive(Default, Deserialize)]
struct QueryRequest {
    #[serde(default)]
    query: String,
    #[serde(default, rename = "type")]
    kind: String,
    #[serde(default)]
    dialect: DialectRequest,
    now: Option<String>,
    ast: Option<serde_json::Value>,
    #[serde(rename = "extern")]
    externs: Option<serde_json::Value>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct DialectRequest {
    header: Option<bool>,
    delimiter: Option<String>,
    annotations: Vec<String>,
    #[serde(rename = "commentPrefix")]
    comment_prefix: Option<String>,
    #[serde(rename = "dateTimeFormat")]
    date_time_format: Option<String>,
}

/// Runs a script. A mistake found before the first row is an error in JSON; one found later ends
/// the rows with an error table, as the status is out by then.
pub(super) async fn query(
    State(server): State<Arc<Server>>,
    Extension(caller): Extension<Caller>,
    parameters: Parameters,
    headers: HeaderMap,
    body: Body,
) -> Result<Response, ApiError> {
    let body = request::body(&server, body).await?;
    let wanted = decode(&headers, &body)?;
    let now_ns = match wanted.now.as_deref().filter(|now| !now.starts_with("0001-")) {
        Some(now) => parse_rfc3339(now)
            .ok_or_else(|| undecodable(&format!("cannot parse {now:?} as a time")))?,
        None => server.config.clock.now_ns(),
    };
    let dialect = dialect(&wanted.dialect)?;
    let org = request::organization(&server.accounts(), &parameters)
        .map_err(|error| undecodable(&error.to_string()))?;
    let permissions = caller.permissions();
    let query = flux::Query {
        script: wanted.query,
        externs: wanted.externs,
        org: org.id,
        now_ns,
        dialect,
        permissions,
    };
    let answer = flux::run(&server, query).map_err(|error| refusal(&error))?;
    let chunks = futures_util::stream::iter(answer.map(Ok::<_, Infallible>));
    let content_type = [(header::CONTENT_TYPE, "text/csv; charset=utf-8")];
    Ok((content_type, Body::from_stream(chunks)).into_response())
}

fn decode(headers: &HeaderMap, body: &[u8]) -> Result<QueryRequest, ApiError> {
    let content_type = headers.get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok());
    let media_type = content_type.unwrap_or("application/json").split(';').next();
    let wanted: QueryRequest = if media_type.map(str::trim) == Some("application/vnd.flux") {
        QueryRequest { query: String::from_utf8_lossy(body).into_owned(), ..Default::default() }
    } else {
        request::first_json(body).map_err(|error| {
            undecodable(&format!(
                "failed parsing request body as JSON; if sending a raw Flux script, set \
                 'Content-Type: application/vnd.flux' in your request headers: {error}"
            ))
        })?
    };
    if wanted.ast.is_some() {
        return Err(undecodable("`ast` is not in the stand-in's Flux"));
    }
    if wanted.query.is_empty() {
        return Err(undecodable("request body requires either query or AST"));
    }
    if !matches!(wanted.kind.as_str(), "" | "flux") {
        return Err(undecodable(&format!("unknown query type: {}", wanted.kind)));
    }
    Ok(wanted)
}

fn dialect(wanted: &DialectRequest) -> Result<Dialect, ApiError> {
    if wanted.comment_prefix.as_ref().is_some_and(|prefix| prefix.len() > 1) {
        return Err(undecodable("invalid dialect comment prefix: must be length 0 or 1"));
    }
    let delimiter = match wanted.delimiter.as_deref().unwrap_or_default() {
        "" => b',',
        text if text.len() == 1 => text.as_bytes()[0],
        _ => return Err(undecodable("invalid dialect delimeter: must be length 1")),
    };
    let format = wanted.date_time_format.as_deref().unwrap_or_default();
    if !matches!(format, "" | "RFC3339" | "RFC3339Nano") {
        return Err(undecodable(&format!("unknown dialect date time format: {format}")));
    }
    let annotations = wanted.annotations.iter().map(|name| {
        Annotation::from_name(name)
            .ok_or_else(|| undecodable(&format!("unknown dialect annotation type: {name}")))
    });
    Ok(Dialect {
        annotations: annotations.collect::<Result<_, _>>()?,
        delimiter,
        header: wanted.header.unwrap_or(true),
    })
}

fn undecodable(message: &str) -> ApiError {
    ApiError::invalid(format!("failed to decode request body: {message}"))
}

fn refusal(error: &FluxError) -> ApiError {
    let code = match error.code() {
        FluxErrorCode::Invalid => Code::Invalid,
        FluxErrorCode::NotFound => Code::NotFound,
        FluxErrorCode::Internal => Code::Internal,
    };
    ApiError::new(code, error.to_string())
}
