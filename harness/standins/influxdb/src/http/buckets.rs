//! Buckets: list, create, show, change, remove.

use std::sync::Arc;

use axum::body::Body;
use axum::extract::{Path, State};
use axum::response::{IntoResponse, Response};
use http::StatusCode;
use serde::Deserialize;
use serde_json::{Value, json};

use super::error::{ApiError, Code};
use super::request::{self, Parameters, parameter};
use crate::Server;
use crate::accounts::{BucketEntry, NewBucket};
use crate::flux::time::format_rfc3339;
use crate::store::{Retention, shard_duration_ns};

const DEFAULT_PAGE: usize = 20;
const MAX_PAGE: usize = 100;
const MIN_RETENTION_S: i64 = 3600;
const NS_PER_S: i64 = 1_000_000_000;

#[derive(Deserialize)]
struct NewBucketRequest {
    #[serde(default, rename = "orgID")]
    org_id: String,
    #[serde(default)]
    name: String,
    #[serde(default)]
    description: String,
    #[serde(default, rename = "retentionRules")]
    retention_rules: Vec<RetentionRule>,
}

#[derive(Deserialize)]
struct BucketChange {
    name: Option<String>,
    description: Option<String>,
    #[serde(default, rename = "retentionRules")]
    retention_rules: Vec<RetentionRule>,
}

#[derive(Deserialize)]
struct RetentionRule {
    #[serde(rename = "everySeconds")]
    every_seconds: Option<i64>,
    #[serde(rename = "shardGroupDurationSeconds")]
    shard_group_seconds: Option<i64>,
}

/// How long a bucket keeps data and how long its shard groups are, checked.
pub(super) struct RetentionSeconds {
    pub(super) period_s: i64,
    pub(super) shard_group_s: i64,
}

impl RetentionSeconds {
    /// Zero for the shard groups means the length that goes with the period.
    pub(super) fn checked(period_s: i64, shard_group_s: i64) -> Result<Self, ApiError> {
        let negative = |message: &str| Err(ApiError::new(Code::UnprocessableEntity, message));
        if period_s < 0 {
            return negative("expiration seconds cannot be negative");
        }
        if shard_group_s < 0 {
            return negative("shard-group duration seconds cannot be negative");
        }
        // The server counts periods in nanoseconds, and its count overflows.
        let period_s = period_s.wrapping_mul(NS_PER_S) / NS_PER_S;
        let shard_group_s = shard_group_s.wrapping_mul(NS_PER_S) / NS_PER_S;
        // The storage engine refuses the rest, so the server calls it an error of its own.
        if period_s != 0 && period_s < MIN_RETENTION_S {
            let message = "retention policy duration must be at least 1h0m0s";
            return Err(ApiError::new(Code::Internal, message));
        }
        let shard_group_s = match shard_group_s {
            0 => Self::default_shard_group(period_s),
            short if short < MIN_RETENTION_S => Self::default_shard_group(MIN_RETENTION_S),
            given => given,
        };
        if period_s != 0 && period_s < shard_group_s {
            let message = "retention policy duration must be greater than the shard duration";
            return Err(ApiError::new(Code::Internal, message));
        }
        Ok(Self { period_s, shard_group_s })
    }

    /// The length of a shard group when none is asked for.
    pub(super) fn default_shard_group(period_s: i64) -> i64 {
        shard_duration_ns(period_s * NS_PER_S) / NS_PER_S
    }
}

/// Adds a bucket to the accounts and to the store.
pub(super) fn add(server: &Server, new: NewBucket) -> BucketEntry {
    let bucket = server.accounts_mut().add_bucket(new, server.config.clock.now_ns());
    server.store_mut().create(bucket.id, retention(&bucket));
    bucket
}

fn retention(bucket: &BucketEntry) -> Retention {
    Retention {
        period_ns: bucket.retention_s * NS_PER_S,
        shard_group_ns: bucket.shard_group_s * NS_PER_S,
    }
}

/// Refuses names that the server reserves or that queries could not quote.
pub(super) fn check_name(name: &str) -> Result<(), ApiError> {
    if name.starts_with('_') {
        return Err(ApiError::invalid(format!(
            "bucket name {name} is invalid. Buckets may not start with underscore"
        )));
    }
    if name.contains('"') {
        return Err(ApiError::invalid(format!(
            "bucket name {name} is invalid. Bucket names may not include quotation marks"
        )));
    }
    Ok(())
}

fn one_rule(rules: &[RetentionRule]) -> Result<Option<&RetentionRule>, ApiError> {
    match rules {
        [] => Ok(None),
        [rule] => Ok(Some(rule)),
        _ => Err(ApiError::new(
            Code::UnprocessableEntity,
            "buckets cannot have more than one retention rule at this time",
        )),
    }
}

/// `POST /api/v2/buckets`
pub(super) async fn create(
    State(server): State<Arc<Server>>,
    body: Body,
) -> Result<Response, ApiError> {
    let wanted: NewBucketRequest = request::json(&server, body).await?;
    let org = request::id(&wanted.org_id)
        .map_err(|error| ApiError::invalid(format!("failed to unmarshal json: {error}")))?;
    let rule = one_rule(&wanted.retention_rules)?;
    let retention = RetentionSeconds::checked(
        rule.and_then(|rule| rule.every_seconds).unwrap_or(0),
        rule.and_then(|rule| rule.shard_group_seconds).unwrap_or(0),
    )?;
    check_name(&wanted.name)?;
    let org = request::organization_by_id(&server.accounts(), org)?.id;
    if server.accounts().bucket_named(org, &wanted.name).is_some() {
        return Err(name_taken(&wanted.name));
    }
    let bucket = add(
        &server,
        NewBucket {
            org,
            name: wanted.name,
            description: wanted.description,
            system: false,
            retention_s: retention.period_s,
            shard_group_s: retention.shard_group_s,
        },
    );
    Ok((StatusCode::CREATED, axum::Json(bucket_json(&bucket))).into_response())
}

fn name_taken(name: &str) -> ApiError {
    ApiError::new(Code::Conflict, format!("bucket with name {name} already exists"))
}

/// `GET /api/v2/buckets`
pub(super) async fn list(
    State(server): State<Arc<Server>>,
    parameters: Parameters,
) -> Result<Response, ApiError> {
    let offset = number(&parameters, "offset")?.unwrap_or(0);
    let limit = number(&parameters, "limit")?.unwrap_or(DEFAULT_PAGE);
    if !(1..=MAX_PAGE).contains(&limit) {
        return Err(ApiError::invalid(format!("limit must be between 1 and {MAX_PAGE}")));
    }
    let accounts = server.accounts();
    let org = if parameter(&parameters, "org").or(parameter(&parameters, "orgID")).is_some() {
        Some(request::organization(&accounts, &parameters)?.id)
    } else {
        None
    };
    let name = parameter(&parameters, "name");
    let id = parameter(&parameters, "id").map(request::id).transpose()?;
    let after = parameter(&parameters, "after").map(request::id).transpose()?;
    let matching: Vec<&BucketEntry> = accounts
        .buckets()
        .filter(|bucket| org.is_none_or(|org| bucket.org == org))
        .filter(|bucket| name.is_none_or(|name| bucket.name == name))
        .filter(|bucket| id.is_none_or(|id| bucket.id == id))
        .filter(|bucket| after.is_none_or(|after| bucket.id > after))
        .collect();
    if matching.is_empty() {
        if let (Some(name), Some(_)) = (name, org) {
            return Err(ApiError::not_found(format!("bucket \"{name}\" not found")));
        }
        if id.is_some() {
            return Err(ApiError::not_found("bucket not found"));
        }
    }
    let page: Vec<Value> =
        matching.iter().skip(offset).take(limit).map(|bucket| bucket_json(bucket)).collect();
    let link = |from: usize| format!("/api/v2/buckets?limit={limit}&offset={from}");
    let mut links = json!({ "self": link(offset) });
    if offset > 0 {
        links["prev"] = link(offset.saturating_sub(limit)).into();
    }
    if page.len() == limit {
        links["next"] = link(offset + limit).into();
    }
    Ok(axum::Json(json!({ "links": links, "buckets": page })).into_response())
}

fn number(parameters: &Parameters, name: &str) -> Result<Option<usize>, ApiError> {
    let parse =
        |text: &str| text.parse().map_err(|_| ApiError::invalid(format!("{name} is invalid")));
    parameter(parameters, name).map(parse).transpose()
}

fn find(server: &Server, id: &str) -> Result<BucketEntry, ApiError> {
    let id = request::id(id)?;
    let found = server.accounts().bucket(id).cloned();
    found.ok_or_else(|| ApiError::not_found("bucket not found"))
}

/// `GET /api/v2/buckets/{id}`
pub(super) async fn show(
    State(server): State<Arc<Server>>,
    Path(id): Path<String>,
) -> Result<Response, ApiError> {
    Ok(axum::Json(bucket_json(&find(&server, &id)?)).into_response())
}

/// `PATCH /api/v2/buckets/{id}`
pub(super) async fn update(
    State(server): State<Arc<Server>>,
    Path(id): Path<String>,
    body: Body,
) -> Result<Response, ApiError> {
    let change: BucketChange = request::json(&server, body).await?;
    let mut bucket = find(&server, &id)?;
    if let Some(name) = change.name.filter(|name| *name != bucket.name) {
        if bucket.system {
            return Err(ApiError::invalid("system buckets cannot be renamed"));
        }
        check_name(&name)?;
        if server.accounts().bucket_named(bucket.org, &name).is_some() {
            return Err(name_taken(&name));
        }
        bucket.name = name;
    }
    bucket.description = change.description.unwrap_or(bucket.description);
    if let Some(rule) = one_rule(&change.retention_rules)? {
        let period_s = rule.every_seconds.unwrap_or(bucket.retention_s);
        // A new period without a length for the shard groups brings the length that goes with it.
        let unchanged = rule.every_seconds.is_none().then_some(bucket.shard_group_s);
        let shard_group_s = rule.shard_group_seconds.or(unchanged).unwrap_or(0);
        let checked = RetentionSeconds::checked(period_s, shard_group_s)?;
        bucket.retention_s = checked.period_s;
        bucket.shard_group_s = checked.shard_group_s;
    }
    bucket.updated_ns = server.config.clock.now_ns();
    if let Some(entry) = server.accounts_mut().bucket_mut(bucket.id) {
        entry.clone_from(&bucket);
    }
    server.store_mut().set_retention(bucket.id, retention(&bucket));
    Ok(axum::Json(bucket_json(&bucket)).into_response())
}

/// `DELETE /api/v2/buckets/{id}`
pub(super) async fn remove(
    State(server): State<Arc<Server>>,
    Path(id): Path<String>,
) -> Result<StatusCode, ApiError> {
    let bucket = find(&server, &id)?;
    if bucket.system {
        return Err(ApiError::invalid("system buckets cannot be deleted"));
    }
    server.accounts_mut().remove_bucket(bucket.id);
    server.store_mut().remove(bucket.id);
    Ok(StatusCode::NO_CONTENT)
}

/// A bucket as the API shows it.
pub(super) fn bucket_json(bucket: &BucketEntry) -> Value {
    let (id, org) = (bucket.id, bucket.org);
    json!({
        "id": id.to_string(),
        "orgID": org.to_string(),
        "type": if bucket.system { "system" } else { "user" },
        "name": bucket.name,
        "description": bucket.description,
        "retentionRules": [{
            "type": "expire",
            "everySeconds": bucket.retention_s,
            "shardGroupDurationSeconds": bucket.shard_group_s,
        }],
        "createdAt": format_rfc3339(bucket.created_ns),
        "updatedAt": format_rfc3339(bucket.updated_ns),
        "links": {
            "self": format!("/api/v2/buckets/{id}"),
            "org": format!("/api/v2/orgs/{org}"),
            "write": format!("/api/v2/write?org={org}&bucket={id}"),
        },
        "labels": [],
    })
}
