//! The first user, and organisations.

use std::sync::Arc;

use axum::body::Body;
use axum::extract::{Path, State};
use axum::response::{IntoResponse, Response};
use http::StatusCode;
use serde::Deserialize;
use serde_json::{Value, json};

use super::buckets::{self, bucket_json};
use super::error::{ApiError, Code};
use super::request::{self, Parameters, parameter};
use crate::Server;
use crate::accounts::{Authorization, NewBucket, Org};
use crate::flux::time::format_rfc3339;

const MIN_PASSWORD_BYTES: usize = 8;
const HOUR_S: i64 = 3600;

#[derive(Deserialize)]
struct SetupRequest {
    #[serde(default)]
    username: String,
    #[serde(default)]
    password: String,
    #[serde(default)]
    org: String,
    #[serde(default)]
    bucket: String,
    #[serde(default)]
    token: Option<String>,
    #[serde(default, rename = "retentionPeriodSeconds")]
    retention_period_seconds: i64,
}

/// `GET /api/v2/setup`: whether the first user is still to be made.
pub(super) async fn is_allowed(State(server): State<Arc<Server>>) -> Response {
    axum::Json(json!({ "allowed": server.accounts().is_empty() })).into_response()
}

/// `POST /api/v2/setup`: makes the first user, organisation, bucket and token.
pub(super) async fn set_up(
    State(server): State<Arc<Server>>,
    body: Body,
) -> Result<Response, ApiError> {
    let wanted: SetupRequest = request::json(&server, body).await?;
    if !server.accounts().is_empty() {
        return Err(already_set_up());
    }
    check(&wanted)?;
    let retention = buckets::RetentionSeconds::checked(wanted.retention_period_seconds, 0)?;
    let now_ns = server.config.clock.now_ns();
    let (org, authorization) = {
        let mut accounts = server.accounts_mut();
        if !accounts.is_empty() {
            return Err(already_set_up());
        }
        let org = accounts.add_org(&wanted.org, now_ns);
        let user = accounts.add_user(&wanted.username, org.id, wanted.token);
        (org, user)
    };
    let add = |name: &str, period_s: i64, system: bool| {
        let new = NewBucket {
            org: org.id,
            name: name.to_owned(),
            description: String::new(),
            system,
            retention_s: period_s,
            shard_group_s: buckets::RetentionSeconds::default_shard_group(period_s),
        };
        buckets::add(&server, new)
    };
    add("_tasks", 72 * HOUR_S, true);
    add("_monitoring", 168 * HOUR_S, true);
    let bucket = add(&wanted.bucket, retention.period_s, false);
    let answer = json!({
        "user": user_json(&authorization),
        "bucket": bucket_json(&bucket),
        "org": org_json(&org),
        "auth": authorization_json(&authorization, &org),
    });
    Ok((StatusCode::CREATED, axum::Json(answer)).into_response())
}

fn already_set_up() -> ApiError {
    ApiError::new(Code::Conflict, "onboarding has already been completed")
}

fn check(wanted: &SetupRequest) -> Result<(), ApiError> {
    let given = [("username", &wanted.username), ("org", &wanted.org), ("bucket", &wanted.bucket)];
    let missing = given.iter().filter(|(_, value)| value.is_empty()).map(|(name, _)| *name);
    let missing: Vec<&str> = missing.collect();
    if !missing.is_empty() {
        let message = format!("onboarding failed: missing required fields [{}]", missing.join(","));
        return Err(ApiError::new(Code::UnprocessableEntity, message));
    }
    let password_bytes = wanted.password.len();
    if password_bytes > 0 && password_bytes < MIN_PASSWORD_BYTES {
        return Err(ApiError::invalid("passwords must be at least 8 characters long"));
    }
    buckets::check_name(&wanted.bucket)
}

/// `GET /api/v2/orgs`
pub(super) async fn list_orgs(
    State(server): State<Arc<Server>>,
    parameters: Parameters,
) -> Result<Response, ApiError> {
    let name = parameter(&parameters, "org");
    let id = parameter(&parameters, "orgID");
    let accounts = server.accounts();
    let orgs: Vec<Value> = accounts
        .orgs()
        .filter(|org| name.is_none_or(|name| org.name == name))
        .filter(|org| id.is_none_or(|id| org.id.to_string() == id))
        .map(org_json)
        .collect();
    if orgs.is_empty() {
        let message = match name {
            Some(name) => format!("organization name \"{name}\" not found"),
            None => "organization not found".to_owned(),
        };
        return Err(ApiError::not_found(message));
    }
    let answer = json!({ "links": { "self": "/api/v2/orgs" }, "orgs": orgs });
    Ok(axum::Json(answer).into_response())
}

/// `GET /api/v2/orgs/{id}`
pub(super) async fn show_org(
    State(server): State<Arc<Server>>,
    Path(id): Path<String>,
) -> Result<Response, ApiError> {
    let org = request::organization_by_id(&server.accounts(), request::id(&id)?)?;
    Ok(axum::Json(org_json(&org)).into_response())
}

fn org_json(org: &Org) -> Value {
    let created = format_rfc3339(org.created_ns);
    json!({
        "links": {
            "self": format!("/api/v2/orgs/{}", org.id),
            "buckets": format!("/api/v2/buckets?org={}", org.name),
        },
        "id": org.id.to_string(),
        "name": org.name,
        "description": "",
        "createdAt": created,
        "updatedAt": created,
    })
}

fn user_json(authorization: &Authorization) -> Value {
    json!({
        "links": { "self": format!("/api/v2/users/{}", authorization.user) },
        "id": authorization.user.to_string(),
        "name": authorization.user_name,
        "status": "active",
    })
}

/// The one answer that carries a token: whoever sets the server up has to learn it.
fn authorization_json(authorization: &Authorization, org: &Org) -> Value {
    json!({
        "id": authorization.id.to_string(),
        "token": authorization.token.expose(),
        "status": "active",
        "description": format!("{}'s Token", authorization.user_name),
        "orgID": authorization.org.to_string(),
        "org": org.name,
        "userID": authorization.user.to_string(),
        "user": authorization.user_name,
        "permissions": [],
        "links": {
            "self": format!("/api/v2/authorizations/{}", authorization.id),
            "user": format!("/api/v2/users/{}", authorization.user),
        },
    })
}
