//! `POST /api/v2/delete`: removes points by time and tags.

use std::sync::Arc;

use axum::Extension;
use axum::body::Body;
use axum::extract::State;
use http::StatusCode;
use serde::Deserialize;

use super::auth::Caller;
use super::error::{ApiError, Code};
use super::request::{self, Parameters, parameter};
use crate::Server;
use crate::flux::time::parse_any_rfc3339;
use crate::line_protocol::{MAX_TIME_NS, MIN_TIME_NS};
use crate::store::{Predicate, PredicateError};

#[derive(Deserialize)]
struct DeleteRequest {
    #[serde(default)]
    start: String,
    #[serde(default)]
    stop: String,
    #[serde(default)]
    predicate: String,
}

/// Deletes from `start` to `stop`, both included.
pub(super) async fn delete(
    State(server): State<Arc<Server>>,
    Extension(caller): Extension<Caller>,
    parameters: Parameters,
    body: Body,
) -> Result<StatusCode, ApiError> {
    let body = request::body(&server, body).await?;
    let wanted: DeleteRequest = serde_json::from_slice(&body)
        .map_err(|error| ApiError::invalid(format!("error decoding json body: {error}")))?;
    let start_ns = instant(&wanted.start, "start")?;
    let stop_ns = instant(&wanted.stop, "stop")?;
    let predicate = Predicate::parse(&wanted.predicate).map_err(|error| match error {
        PredicateError::Field => ApiError::new(Code::NotImplemented, error.to_string()),
        _ => ApiError::invalid(format!("error decoding json body: {error}")),
    })?;
    let bucket = {
        let accounts = server.accounts();
        let org = request::organization(&accounts, &parameters)?;
        let name = parameter(&parameters, "bucketID").or(parameter(&parameters, "bucket"));
        let missing = || ApiError::invalid("Please provide either bucketID or bucket");
        let bucket = request::bucket(&accounts, org.id, name.ok_or_else(missing)?)?;
        caller.require_for("to delete", bucket.writing())?;
        bucket.id
    };
    server.store_mut().delete(bucket, (start_ns, stop_ns), &predicate);
    Ok(StatusCode::NO_CONTENT)
}

fn instant(text: &str, field: &str) -> Result<i64, ApiError> {
    let parsed = parse_any_rfc3339(text).ok_or_else(|| {
        let example = if field == "start" { "2009-01-02" } else { "2009-01-01" };
        ApiError::invalid(format!(
            "error decoding json body: invalid RFC3339Nano for field {field}, please format your \
             time with RFC3339Nano format, example: {example}T23:00:00Z"
        ))
    })?;
    if field == "start" && !in_range(parsed) {
        return Err(ApiError::invalid(
            "error decoding json body: invalid start time, start time must not be before \
             1677-09-21T00:12:43.145224194Z",
        ));
    }
    let in_64_bits = i64::try_from(parsed).ok().filter(|_| in_range(parsed));
    in_64_bits.ok_or_else(|| {
        ApiError::invalid(
            "error decoding json body: invalid stop time, stop time must not be after \
             2262-04-11T23:47:16.854775806Z",
        )
    })
}

fn in_range(time_ns: i128) -> bool {
    (i128::from(MIN_TIME_NS)..=i128::from(MAX_TIME_NS)).contains(&time_ns)
}
