//! `POST /api/v2/delete`: removes points by time and tags.

use std::sync::Arc;

use axum::Extension;
use axum::body::Body;
use axum::extract::State;
use http::StatusCode;
use serde::Deserialize;
use serde::de::IgnoredAny;
use serde_json::Value;

use super::auth::Caller;
use super::error::{ApiError, Code};
use super::request::{self, Parameters, parameter};
use crate::Server;
use crate::accounts::{Accounts, BucketEntry, Id};
use crate::flux::time::parse_any_rfc3339;
use crate::line_protocol::{MAX_TIME_NS, MIN_TIME_NS};
use crate::store::{Predicate, PredicateError};

#[derive(Default, Deserialize)]
struct DeleteRequest {
    start: Option<String>,
    stop: Option<String>,
    predicate: Option<String>,
}

/// Deletes from `start` to `stop`, both included.
pub(super) async fn delete(
    State(server): State<Arc<Server>>,
    Extension(caller): Extension<Caller>,
    parameters: Parameters,
    body: Body,
) -> Result<StatusCode, ApiError> {
    let body = request::body(&server, body).await?;
    let wanted = decode(&body)?;
    let start_ns = instant(&wanted.start.unwrap_or_default(), "start")?;
    let stop_ns = instant(&wanted.stop.unwrap_or_default(), "stop")?;
    let predicate = wanted.predicate.unwrap_or_default();
    let predicate = Predicate::parse(&predicate).map_err(|error| match error {
        PredicateError::Field => ApiError::new(Code::NotImplemented, error.to_string()),
        PredicateError::Syntax { .. } | PredicateError::Duration => {
            ApiError::invalid(format!("invalid request; error parsing predicate: {error}"))
        }
        _ => ApiError::invalid(format!("error decoding json body: {error}")),
    })?;
    check_end(&body)?;
    let bucket = {
        let accounts = server.accounts();
        let org = request::organization(&accounts, &parameters)?;
        let bucket = bucket(&accounts, org.id, &parameters)?;
        caller.require_for("to delete", bucket.writing())?;
        bucket.id
    };
    server.store_mut().delete(bucket, (start_ns, stop_ns), &predicate);
    Ok(StatusCode::NO_CONTENT)
}

fn decode(body: &[u8]) -> Result<DeleteRequest, ApiError> {
    let undecodable = |error| ApiError::invalid(format!("error decoding json body: {error}"));
    let value: Value = request::first_json(body).map_err(undecodable)?;
    let invalid = |error| undecodable(format!("Invalid delete predicate node request: {error}"));
    if !value.is_object() && !value.is_null() {
        return Err(invalid("the body is not an object".to_owned()));
    }
    let wanted: Result<Option<DeleteRequest>, _> = serde_json::from_value(value);
    wanted.map(Option::unwrap_or_default).map_err(|error| invalid(error.to_string()))
}

/// Refuses whatever stands behind the JSON value of the body.
fn check_end(body: &[u8]) -> Result<(), ApiError> {
    let mut values = serde_json::Deserializer::from_slice(body).into_iter::<IgnoredAny>();
    let read = values.next().is_some();
    let rest = body.get(values.byte_offset()..).filter(|_| read).unwrap_or_default();
    let rest = String::from_utf8_lossy(rest.trim_ascii_start());
    rest.chars().next().map_or(Ok(()), |stray| {
        let message = format!("invalid character '{stray}' after top-level value");
        Err(ApiError::invalid(format!("error decoding json body for predicate: {message}")))
    })
}

fn bucket(accounts: &Accounts, org: Id, parameters: &Parameters) -> Result<BucketEntry, ApiError> {
    let by_id = parameter(parameters, "bucketID").map(request::id).transpose()?;
    let name = parameter(parameters, "bucket");
    if let Some(id) = by_id.or_else(|| name.and_then(Id::parse)) {
        let found = accounts.bucket(id).cloned();
        return found.ok_or_else(|| ApiError::not_found("bucket not found"));
    }
    let missing = || ApiError::invalid("Please provide either bucketID or bucket");
    request::bucket(accounts, org, name.ok_or_else(missing)?)
}

fn instant(text: &str, field: &str) -> Result<i64, ApiError> {
    // The server takes a comma before the decimals, and no small letters.
    let text = text.replace(',', ".");
    let parsed = Some(&*text).filter(|text| !text.contains(['t', 'z'])).and_then(parse_any_rfc3339);
    let parsed = parsed.ok_or_else(|| {
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
