//! Line protocol in, 204 when every point is stored: `POST /api/v2/write`, and `POST /write` of
//! release 1, whose databases and retention policies stand for buckets.

use std::sync::Arc;

use axum::Extension;
use axum::body::Body;
use axum::extract::{Request, State};
use bytes::Bytes;
use http::StatusCode;

use super::auth::Caller;
use super::error::{ApiError, Code};
use super::metrics::WrittenBytes;
use super::misbehave::Spoil;
use super::request::{self, Parameters, parameter};
use crate::Server;
use crate::accounts::{Accounts, BucketEntry, Id};
use crate::dbrp::Filter;
use crate::line_protocol::{self, Precision};
use crate::store::WriteError;

/// Whoever may not write is told so in these words.
const TO_WRITE: &str = "for write";

/// Stores a body wholly (204), in part (422) or, when a line cannot be read, not at all (400).
pub(super) async fn write(
    State(server): State<Arc<Server>>,
    Extension(caller): Extension<Caller>,
    spoil: Option<Extension<Spoil>>,
    parameters: Parameters,
    request: Request,
) -> Result<Stored, ApiError> {
    let precision = Precision::from_name(parameter(&parameters, "precision").unwrap_or("ns"))
        .ok_or_else(|| {
            ApiError::invalid("invalid precision; valid precision units are ns, us, ms, and s")
        })?;
    let Some(name) = parameter(&parameters, "bucket") else {
        return Err(ApiError::not_found("bucket not found"));
    };
    let received = Received::begin(&server, request).await?;
    let bucket = {
        let accounts = server.accounts();
        let org = request::organization(&accounts, &parameters)?;
        let bucket = request::bucket(&accounts, org.id, name)?;
        check_permission(&caller, &bucket)?;
        bucket.id
    };
    let body = received.finish(&server).await?;
    store(&server, bucket, &body, Terms { precision, whole: spoil.is_none() })
}

/// [`write`] for clients of release 1. A precision that is not known counts as nanoseconds, and
/// those that only release 1 had are not known.
pub(super) async fn write_to_database(
    State(server): State<Arc<Server>>,
    Extension(caller): Extension<Caller>,
    spoil: Option<Extension<Spoil>>,
    parameters: Parameters,
    request: Request,
) -> Result<Stored, ApiError> {
    let precision = parameter(&parameters, "precision").and_then(Precision::from_name);
    let precision = precision.unwrap_or(Precision::Nanoseconds);
    let Some(database) = parameter(&parameters, "db") else {
        return Err(ApiError::invalid("missing db"));
    };
    let received = Received::begin(&server, request).await?;
    let bucket = {
        let accounts = server.accounts();
        let policy = parameter(&parameters, "rp");
        let bucket = mapped_bucket(&server, &accounts, &caller, (database, policy));
        let bucket = bucket.ok_or_else(|| ApiError::not_found("no dbrp mapping found"))?;
        check_permission(&caller, bucket)?;
        bucket.id
    };
    let body = received.finish(&server).await?;
    store(&server, bucket, &body, Terms { precision, whole: spoil.is_none() })
}

/// A body on its way in. As on the server, whether a compressed one begins as it should is looked
/// at before anything is looked up, and all else about a body afterwards.
enum Received {
    Plain(Body),
    Compressed(Bytes),
}

impl Received {
    async fn begin(server: &Server, request: Request) -> Result<Self, ApiError> {
        if !request::is_gzip(request.headers()) {
            return Ok(Self::Plain(request.into_body()));
        }
        let compressed = request::body(server, request.into_body()).await?;
        request::check_gzip(&compressed)?;
        Ok(Self::Compressed(compressed))
    }

    async fn finish(self, server: &Server) -> Result<Bytes, ApiError> {
        match self {
            Self::Plain(body) => request::body(server, body).await,
            Self::Compressed(bytes) => request::inflate(server, &bytes),
        }
    }
}

fn check_permission(caller: &Caller, bucket: &BucketEntry) -> Result<(), ApiError> {
    if !caller.is_active() {
        let message = format!("insufficient permissions {TO_WRITE}: token is inactive");
        return Err(ApiError::new(Code::Forbidden, message));
    }
    caller.require_for(TO_WRITE, bucket.writing())
}

/// The bucket that a database and a retention policy stand for; without a policy, that of the
/// database's default. Whoever may read or write it may find it.
fn mapped_bucket<'a>(
    server: &Server,
    accounts: &'a Accounts,
    caller: &Caller,
    (database, policy): (&str, Option<&str>),
) -> Option<&'a BucketEntry> {
    let default = policy.is_none().then_some(true);
    let filter =
        Filter { database: Some(database), retention_policy: policy, default, ..Filter::default() };
    let found = server.dbrps().find(caller.org(), accounts, &filter);
    let buckets = found.iter().filter_map(|mapping| accounts.bucket(mapping.bucket));
    let mut usable =
        buckets.filter(|bucket| caller.may(bucket.reading()) || caller.may(bucket.writing()));
    usable.next()
}

/// The answer to a write that was stored wholly.
type Stored = (Extension<WrittenBytes>, StatusCode);

/// How a body is to be stored.
#[derive(Clone, Copy)]
struct Terms {
    precision: Precision,
    /// Not so when a quirk keeps out the second half.
    whole: bool,
}

fn store(server: &Server, bucket: Id, body: &[u8], terms: Terms) -> Result<Stored, ApiError> {
    let now_ns = server.config.clock.now_ns();
    let mut batch = line_protocol::parse(body, terms.precision, now_ns)
        .map_err(|error| ApiError::invalid(error.to_string()))?;
    let kept = if terms.whole { batch.points.len() } else { batch.points.len() / 2 };
    let kept_out = batch.points.drain(kept..).count();
    let written = server.store_mut().write(bucket, &batch, now_ns);
    let points = batch.points.len() + kept_out;
    match written {
        Ok(()) => server.metrics.wrote(points, kept_out),
        Err(WriteError::Partial(ref partial)) => {
            server.metrics.wrote(points, partial.dropped + kept_out);
        }
        Err(WriteError::NoBucket(_) | WriteError::TooManyGroups) => {}
    }
    match written {
        Ok(()) if kept_out == 0 => {
            Ok((Extension(WrittenBytes(body.len())), StatusCode::NO_CONTENT))
        }
        Ok(()) => {
            let reason = "kept out by a quirk of the stand-in";
            Err(partial(&format!("partial write: {reason} dropped={kept_out}")))
        }
        Err(WriteError::Partial(error)) => Err(partial(&error.to_string())),
        Err(error @ (WriteError::NoBucket(_) | WriteError::TooManyGroups)) => {
            let message = format!("unexpected error writing points to database: {error}");
            Err(ApiError::new(Code::Internal, message))
        }
    }
}

fn partial(message: &str) -> ApiError {
    let message = format!("failure writing points to database: {message}");
    ApiError::new(Code::UnprocessableEntity, message)
}
