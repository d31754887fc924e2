//! Buckets: list, create, show, change, remove.

use std::sync::Arc;

use axum::Extension;
use axum::body::Body;
use axum::extract::{Path, State};
use axum::response::Response;
use http::StatusCode;
use serde::Deserialize;
use serde_json::{Value, json};

use super::auth::Caller;
use super::error::{ApiError, Code, json_answer};
use super::request::{self, Page, Parameters, UNREADABLE_JSON, parameter};
use crate::Server;
use crate::accounts::{Accounts, Action, BucketEntry, Id, Kind, NewBucket, Permission};
use crate::flux::time::format_rfc3339;
use crate::store::{Retention, shard_duration_ns};

const MIN_RETENTION_S: i64 = 3600;
const NS_PER_S: i64 = 1_000_000_000;

/// The buckets that the server makes with each organisation.
const SYSTEM_BUCKETS: [(&str, &str, i64); 2] = [
    ("_tasks", "System bucket for task logs", 72 * 3600),
    ("_monitoring", "System bucket for monitoring logs", 168 * 3600),
];

#[derive(Deserialize)]
struct NewBucketRequest {
    #[serde(rename = "orgID")]
    org_id: Option<String>,
    name: Option<String>,
    description: Option<String>,
    #[serde(rename = "retentionRules")]
    retention_rules: Option<Vec<RetentionRule>>,
}

#[derive(Default, Deserialize)]
struct BucketChange {
    name: Option<String>,
    description: Option<String>,
    #[serde(rename = "retentionRules")]
    retention_rules: Option<Vec<RetentionRule>>,
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
        check_signs(period_s, shard_group_s)?;
        let (period_s, shard_group_s) = (counted(period_s), counted(shard_group_s));
        check_period(period_s)?;
        let shard_group_s = Self::usable_shard_group(shard_group_s, period_s);
        if period_s != 0 && period_s < shard_group_s {
            let message = "retention policy duration must be greater than the shard duration";
            return Err(ApiError::new(Code::Internal, message));
        }
        Ok(Self { period_s, shard_group_s })
    }

    /// The length that the storage engine makes of the one asked for, zero being none.
    fn usable_shard_group(shard_group_s: i64, period_s: i64) -> i64 {
        match shard_group_s {
            0 => Self::default_shard_group(period_s),
            short if short < MIN_RETENTION_S => Self::default_shard_group(MIN_RETENTION_S),
            given => given,
        }
    }

    /// The length of a shard group when none is asked for.
    pub(super) fn default_shard_group(period_s: i64) -> i64 {
        shard_duration_ns(period_s * NS_PER_S) / NS_PER_S
    }
}

fn check_signs(period_s: i64, shard_group_s: i64) -> Result<(), ApiError> {
    let negative = |message: &str| Err(ApiError::new(Code::UnprocessableEntity, message));
    if period_s < 0 {
        return negative("expiration seconds cannot be negative");
    }
    if shard_group_s < 0 {
        return negative("shard-group duration seconds cannot be negative");
    }
    Ok(())
}

/// The server counts periods in nanoseconds, its count overflows, and it shows whole seconds.
fn counted(seconds: i64) -> i64 {
    let count_ns = seconds.wrapping_mul(NS_PER_S);
    let rest_ns = count_ns % NS_PER_S;
    count_ns / NS_PER_S + rest_ns.signum() * i64::from(rest_ns.abs() * 2 >= NS_PER_S)
}

/// It is the storage engine that refuses these, so the server calls it an error of its own.
fn check_period(period_s: i64) -> Result<(), ApiError> {
    if period_s == 0 || period_s >= MIN_RETENTION_S {
        return Ok(());
    }
    Err(ApiError::new(Code::Internal, "retention policy duration must be at least 1h0m0s"))
}

/// Adds a bucket to the accounts and to the store.
pub(super) fn add(server: &Server, new: NewBucket) -> BucketEntry {
    let bucket = server.accounts_mut().add_bucket(new, server.config.clock.now_ns());
    let retention = Retention {
        period_ns: bucket.retention_s * NS_PER_S,
        shard_group_ns: bucket.shard_group_s * NS_PER_S,
    };
    server.store_mut().create(bucket.id, retention);
    bucket
}

/// Adds the system buckets of an organisation.
pub(super) fn add_system_buckets(server: &Server, org: Id) {
    for (name, description, retention_s) in SYSTEM_BUCKETS {
        let new = NewBucket {
            org,
            name: name.to_owned(),
            description: description.to_owned(),
            system: true,
            retention_s,
            shard_group_s: RetentionSeconds::default_shard_group(retention_s),
        };
        add(server, new);
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
    Extension(caller): Extension<Caller>,
    body: Body,
) -> Result<Response, ApiError> {
    let wanted: NewBucketRequest = request::json(&server, body).await?;
    let unreadable = |error| ApiError::invalid(format!("{UNREADABLE_JSON}: {error}"));
    let org = wanted.org_id.map(|id| request::id(&id).map_err(unreadable)).transpose()?;
    let org = org.ok_or_else(|| ApiError::invalid("organization id must be provided"))?;
    let rules = wanted.retention_rules.unwrap_or_default();
    let rule = one_rule(&rules)?;
    let period_s = rule.and_then(|rule| rule.every_seconds).unwrap_or(0);
    let shard_group_s = rule.and_then(|rule| rule.shard_group_seconds).unwrap_or(0);
    check_signs(period_s, shard_group_s)?;
    caller.require(Permission::in_org(Action::Write, Kind::Buckets, org))?;
    let name = wanted.name.unwrap_or_default();
    check_name(&name)?;
    request::organization_by_id(&server.accounts(), org)?;
    if server.accounts().bucket_named(org, &name).is_some() {
        return Err(name_taken(&name));
    }
    let retention = RetentionSeconds::checked(period_s, shard_group_s)?;
    let new = NewBucket {
        org,
        name,
        description: wanted.description.unwrap_or_default(),
        system: false,
        retention_s: retention.period_s,
        shard_group_s: retention.shard_group_s,
    };
    Ok(json_answer(StatusCode::CREATED, &bucket_json(&add(&server, new))))
}

fn name_taken(name: &str) -> ApiError {
    ApiError::new(Code::Conflict, format!("bucket with name {name} already exists"))
}

/// `GET /api/v2/buckets`: those that the token may read. In one organisation they come by name,
/// else by identifier.
pub(super) async fn list(
    State(server): State<Arc<Server>>,
    Extension(caller): Extension<Caller>,
    parameters: Parameters,
) -> Result<Response, ApiError> {
    let page = Page::read(&parameters)?;
    let accounts = server.accounts();
    let org = match parameter(&parameters, "orgID").map(request::id).transpose()? {
        Some(id) => Some(id),
        None => match parameter(&parameters, "org") {
            Some(name) => Some(request::organization_named(&accounts, name)?.id),
            None => None,
        },
    };
    let found = if let Some(id) = parameter(&parameters, "id").map(request::id).transpose()? {
        vec![accounts.bucket(id).ok_or_else(not_found)?]
    } else {
        matching(&accounts, (org, parameter(&parameters, "name")), &page)?
    };
    let visible = found.into_iter().filter(|bucket| caller.may(bucket.reading()));
    let shown: Vec<Value> = visible.map(bucket_json).collect();
    let links = links(&parameters, &page, shown.len());
    Ok(json_answer(StatusCode::OK, &json!({ "links": links, "buckets": shown })))
}

fn matching<'a>(
    accounts: &'a Accounts,
    (org, name): (Option<Id>, Option<&str>),
    page: &Page,
) -> Result<Vec<&'a BucketEntry>, ApiError> {
    let mut matching: Vec<&BucketEntry> = accounts
        .buckets()
        .filter(|bucket| org.is_none_or(|org| bucket.org == org))
        .filter(|bucket| name.is_none_or(|name| bucket.name == name))
        .collect();
    if let (true, Some(name), Some(_)) = (matching.is_empty(), name, org) {
        return Err(ApiError::not_found(format!("bucket \"{name}\" not found")));
    }
    if org.is_some() {
        matching.sort_by(|left, right| left.name.cmp(&right.name));
    }
    if page.descending {
        matching.reverse();
    }
    let after = page
        .after
        .and_then(|after| matching.iter().position(|bucket| bucket.id == after).map(|at| at + 1));
    Ok(page.of(matching.into_iter().skip(after.unwrap_or(0))))
}

/// Where this page of a list and its neighbours are found.
fn links(parameters: &Parameters, page: &Page, shown: usize) -> Value {
    let limit = i64::try_from(page.limit).expect("a page is short");
    let given = |from: &str, to: &str| {
        parameter(parameters, from).map(|value| (to.to_owned(), value.to_owned()))
    };
    let mut query: Vec<(String, String)> = Vec::new();
    query.extend(given("after", "after"));
    query.extend(given("name", "bucket"));
    query.push(("descending".to_owned(), page.descending.to_string()));
    query.extend(given("id", "id"));
    query.push(("limit".to_owned(), limit.to_string()));
    let at = query.len();
    query.extend(given("org", "org"));
    query.extend(given("orgID", "orgID"));
    query.extend(page.sort_by.iter().map(|field| ("sortBy".to_owned(), field.clone())));
    let link = |offset: i64| {
        let mut query = query.clone();
        query.insert(at, ("offset".to_owned(), offset.to_string()));
        let pairs: Vec<String> =
            query.iter().map(|(key, value)| format!("{key}={}", escaped(value))).collect();
        format!("/api/v2/buckets?{}", pairs.join("&"))
    };
    let mut links = json!({ "self": link(page.offset) });
    if page.offset > 0 {
        links["prev"] = link((page.offset - limit).max(0)).into();
    }
    if shown == page.limit {
        links["next"] = link(page.offset.saturating_add(limit)).into();
    }
    links
}

/// A value of a query string.
fn escaped(value: &str) -> String {
    let escape = |byte: u8| match byte {
        b'0'..=b'9' | b'a'..=b'z' | b'A'..=b'Z' | b'-' | b'_' | b'.' | b'~' => {
            char::from(byte).to_string()
        }
        b' ' => "+".to_owned(),
        other => format!("%{other:02X}"),
    };
    value.bytes().map(escape).collect()
}

fn not_found() -> ApiError {
    ApiError::not_found("bucket not found")
}

fn find(server: &Server, id: &str) -> Result<BucketEntry, ApiError> {
    let id = request::id(id)?;
    server.accounts().bucket(id).cloned().ok_or_else(not_found)
}

/// `GET /api/v2/buckets/{id}`
pub(super) async fn show(
    State(server): State<Arc<Server>>,
    Extension(caller): Extension<Caller>,
    Path(id): Path<String>,
) -> Result<Response, ApiError> {
    let bucket = find(&server, &id)?;
    caller.require(bucket.reading())?;
    Ok(json_answer(StatusCode::OK, &bucket_json(&bucket)))
}

/// `PATCH /api/v2/buckets/{id}`
pub(super) async fn update(
    State(server): State<Arc<Server>>,
    Extension(caller): Extension<Caller>,
    Path(id): Path<String>,
    body: Body,
) -> Result<Response, ApiError> {
    let id = request::id(&id)?.to_string();
    let change: Option<BucketChange> = request::json(&server, body).await?;
    let change = change.unwrap_or_default();
    let rules = change.retention_rules.unwrap_or_default();
    let rule = one_rule(&rules)?;
    let (period_s, shard_group_s) =
        rule.map_or((None, None), |rule| (rule.every_seconds, rule.shard_group_seconds));
    check_signs(period_s.unwrap_or(0), shard_group_s.unwrap_or(0))?;
    let mut bucket = find(&server, &id)?;
    if change.name.is_some() {
        caller.require(bucket.reading())?;
    }
    caller.require(bucket.writing())?;
    let (period_s, shard_group_s) = (period_s.map(counted), shard_group_s.map(counted));
    let retention = changed_retention(&server, &bucket, (period_s, shard_group_s))?;
    if let Some(name) = change.name.filter(|name| *name != bucket.name) {
        if bucket.system {
            return Err(ApiError::invalid("system buckets cannot be renamed"));
        }
        check_name(&name)?;
        if server.accounts().bucket_named(bucket.org, &name).is_some() {
            return Err(ApiError::new(Code::Conflict, "bucket name is not unique"));
        }
        bucket.name = name;
    }
    bucket.description = change.description.unwrap_or(bucket.description);
    bucket.retention_s = period_s.unwrap_or(bucket.retention_s);
    bucket.shard_group_s = shard_group_s.unwrap_or(bucket.shard_group_s);
    bucket.updated_ns = server.config.clock.now_ns();
    if let Some(entry) = server.accounts_mut().bucket_mut(bucket.id) {
        entry.clone_from(&bucket);
    }
    server.store_mut().set_retention(bucket.id, retention);
    Ok(json_answer(StatusCode::OK, &bucket_json(&bucket)))
}

/// What the store is to keep from now on. As on the server, the length of shard groups stays as it
/// is unless another is asked for, and has to fit the period then as well.
fn changed_retention(
    server: &Server,
    bucket: &BucketEntry,
    (period_s, shard_group_s): (Option<i64>, Option<i64>),
) -> Result<Retention, ApiError> {
    let missing = || ApiError::new(Code::Internal, format!("database not found: {}", bucket.id));
    let known = server.store().retention(bucket.id).ok_or_else(missing)?;
    period_s.map_or(Ok(()), check_period)?;
    let period_ns = period_s.map_or(known.period_ns, |period_s| period_s * NS_PER_S);
    let wanted_ns = shard_group_s.map_or(known.shard_group_ns, |length_s| length_s * NS_PER_S);
    let asked = period_s.is_some() || shard_group_s.is_some();
    if asked && period_ns > 0 && period_ns < wanted_ns {
        let message =
            "shard-group duration must also be updated to be smaller than new retention duration";
        return Err(ApiError::new(Code::UnprocessableEntity, message));
    }
    let usable = |length_s: i64| {
        RetentionSeconds::usable_shard_group(length_s, period_ns / NS_PER_S) * NS_PER_S
    };
    let shard_group_ns = shard_group_s.map_or(known.shard_group_ns, usable);
    Ok(Retention { period_ns, shard_group_ns })
}

/// `DELETE /api/v2/buckets/{id}`
pub(super) async fn remove(
    State(server): State<Arc<Server>>,
    Extension(caller): Extension<Caller>,
    Path(id): Path<String>,
) -> Result<StatusCode, ApiError> {
    let bucket = find(&server, &id)?;
    caller.require(bucket.writing())?;
    // As on the server, the data is gone even when the bucket itself has to stay.
    server.store_mut().remove(bucket.id);
    if bucket.system {
        return Err(ApiError::invalid("system buckets cannot be deleted"));
    }
    server.accounts_mut().remove_bucket(bucket.id);
    Ok(StatusCode::NO_CONTENT)
}

/// A bucket as the API shows it.
pub(super) fn bucket_json(bucket: &BucketEntry) -> Value {
    let (id, org) = (bucket.id, bucket.org);
    let own = |part: &str| format!("/api/v2/buckets/{id}{part}");
    let mut shown = json!({
        "id": id.to_string(),
        "orgID": org.to_string(),
        "type": if bucket.system { "system" } else { "user" },
    });
    if !bucket.description.is_empty() {
        shown["description"] = bucket.description.as_str().into();
    }
    shown["name"] = bucket.name.as_str().into();
    let unlimited = bucket.retention_s == 0 && bucket.shard_group_s == 0;
    let rule = json!({
        "type": "expire",
        "everySeconds": bucket.retention_s,
        "shardGroupDurationSeconds": bucket.shard_group_s,
    });
    shown["retentionRules"] = if unlimited { json!([]) } else { json!([rule]) };
    shown["createdAt"] = format_rfc3339(bucket.created_ns).into();
    shown["updatedAt"] = format_rfc3339(bucket.updated_ns).into();
    shown["links"] = json!({
        "labels": own("/labels"),
        "members": own("/members"),
        "org": format!("/api/v2/orgs/{org}"),
        "owners": own("/owners"),
        "self": own(""),
        "write": format!("/api/v2/write?org={org}&bucket={id}"),
    });
    shown["labels"] = json!([]);
    shown
}
