//! The first user, with an organisation, a bucket and a token.

use std::sync::Arc;

use axum::body::Body;
use axum::extract::State;
use axum::response::Response;
use http::StatusCode;
use serde::Deserialize;
use serde_json::json;

use super::authorizations::authorization_json;
use super::buckets::{self, bucket_json};
use super::error::{ApiError, Code, json_answer};
use super::orgs::org_json;
use super::request;
use super::users::user_json;
use crate::Server;
use crate::accounts::{NewAuthorization, NewBucket, Permissions, Status};
use cutover_model::Secret;

const MIN_PASSWORD_BYTES: usize = 8;

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
    json_answer(StatusCode::OK, &json!({ "allowed": server.accounts().is_empty() }))
}

/// `POST /api/v2/setup`: makes the first user, organisation, bucket and token.
pub(super) async fn set_up(
    State(server): State<Arc<Server>>,
    body: Body,
) -> Result<Response, ApiError> {
    let body = request::body(&server, body).await?;
    let unreadable = |error| ApiError::new(Code::Internal, error);
    let wanted: SetupRequest = request::first_json(&body).map_err(unreadable)?;
    if !server.accounts().is_empty() {
        return Err(already_set_up());
    }
    check(&wanted)?;
    let retention = buckets::RetentionSeconds::checked(wanted.retention_period_seconds, 0)?;
    let now_ns = server.config.clock.now_ns();
    let (org, user, authorization) = {
        let mut accounts = server.accounts_mut();
        if !accounts.is_empty() {
            return Err(already_set_up());
        }
        let org = accounts.add_org(&wanted.org, now_ns);
        let user = accounts.add_user(&wanted.username, Status::Active);
        let new = NewAuthorization {
            token: wanted.token.filter(|token| !token.is_empty()).map(Secret::new),
            status: Status::Active,
            description: format!("{}'s Token", wanted.username),
            user: user.id,
            org: org.id,
            permissions: Permissions::operator(),
        };
        (org, user, accounts.authorize(new, now_ns))
    };
    buckets::add_system_buckets(&server, org.id);
    let new = NewBucket {
        org: org.id,
        name: wanted.bucket,
        description: String::new(),
        system: false,
        retention_s: retention.period_s,
        shard_group_s: retention.shard_group_s,
    };
    let bucket = buckets::add(&server, new);
    let answer = json!({
        "user": user_json(&user),
        "bucket": bucket_json(&bucket),
        "org": org_json(&org),
        "auth": authorization_json(&server.accounts(), &authorization),
    });
    Ok(json_answer(StatusCode::CREATED, &answer))
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
