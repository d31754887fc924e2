//! Users: who the caller is; list, create, show, change, remove.
//!
//! Passwords are checked for their length and not kept, as there are no sessions to open with them.

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
use super::request::{self, Page, Parameters, parameter};
use crate::Server;
use crate::accounts::{Action, Id, Kind, Permission, Status, User};

/// How many bytes a password may have.
const PASSWORD_BYTES: std::ops::RangeInclusive<usize> = 8..=72;

#[derive(Deserialize)]
struct UserRequest {
    name: Option<String>,
    status: Option<Status>,
}

#[derive(Deserialize)]
struct PasswordRequest {
    #[serde(default)]
    password: String,
}

/// What an action on a user takes.
pub(super) fn on_user(action: Action, user: Id) -> Permission {
    Permission::resource(action, Kind::Users, user)
}

/// `GET /api/v2/me`
pub(super) async fn me(
    State(server): State<Arc<Server>>,
    Extension(caller): Extension<Caller>,
) -> Result<Response, ApiError> {
    caller.require(on_user(Action::Read, caller.user()))?;
    let user = find(&server, caller.user())?;
    Ok(json_answer(StatusCode::OK, &user_json(&user)))
}

/// `GET /api/v2/users`: those that the token may see.
pub(super) async fn list(
    State(server): State<Arc<Server>>,
    Extension(caller): Extension<Caller>,
    parameters: Parameters,
) -> Result<Response, ApiError> {
    let page = Page::read(&parameters)?;
    let id = parameter(&parameters, "id").map(request::id).transpose()?;
    let name = parameter(&parameters, "name");
    let accounts = server.accounts();
    let found: Vec<&User> = match (id, name) {
        (Some(id), _) => vec![accounts.user(id).ok_or_else(not_found)?],
        (None, Some(name)) => vec![accounts.user_named(name).ok_or_else(not_found)?],
        (None, None) => page.of(accounts.users()),
    };
    let visible = found.into_iter().filter(|user| caller.may(on_user(Action::Read, user.id)));
    let users: Vec<Value> = visible.map(user_json).collect();
    let answer = json!({ "links": { "self": "/api/v2/users" }, "users": users });
    Ok(json_answer(StatusCode::OK, &answer))
}

/// `POST /api/v2/users`
pub(super) async fn create(
    State(server): State<Arc<Server>>,
    Extension(caller): Extension<Caller>,
    body: Body,
) -> Result<Response, ApiError> {
    let wanted = read_user(&request::body(&server, body).await?)?;
    caller.require(Permission::global(Action::Write, Kind::Users))?;
    let name = wanted.name.unwrap_or_default();
    let mut accounts = server.accounts_mut();
    if accounts.user_named(&name).is_some() {
        return Err(name_taken(&name));
    }
    if name.is_empty() {
        return Err(ApiError::new(Code::EmptyValue, "key required"));
    }
    let user = accounts.add_user(&name, wanted.status.unwrap_or(Status::Active));
    Ok(json_answer(StatusCode::CREATED, &user_json(&user)))
}

/// The server does not count a body that it cannot read here as the client's mistake.
fn read_user(body: &[u8]) -> Result<UserRequest, ApiError> {
    request::first_json(body).map_err(|error| ApiError::new(Code::Internal, error))
}

fn name_taken(name: &str) -> ApiError {
    ApiError::new(Code::Conflict, format!("user with name {name} already exists"))
}

/// `GET /api/v2/users/{id}`
pub(super) async fn show(
    State(server): State<Arc<Server>>,
    Extension(caller): Extension<Caller>,
    Path(id): Path<String>,
) -> Result<Response, ApiError> {
    let id = request::id(&id)?;
    caller.require(on_user(Action::Read, id))?;
    Ok(json_answer(StatusCode::OK, &user_json(&find(&server, id)?)))
}

/// `PATCH /api/v2/users/{id}`
pub(super) async fn update(
    State(server): State<Arc<Server>>,
    Extension(caller): Extension<Caller>,
    Path(id): Path<String>,
    body: Body,
) -> Result<Response, ApiError> {
    let id = request::id(&id)?;
    let change = read_user(&request::body(&server, body).await?)?;
    caller.require(on_user(Action::Write, id))?;
    let mut accounts = server.accounts_mut();
    let taken = |name: &String| accounts.user_named(name).is_some_and(|user| user.id != id);
    if let Some(name) = change.name.as_ref().filter(|name| taken(name)) {
        return Err(name_taken(name));
    }
    let user = accounts.user_mut(id).ok_or_else(not_found)?;
    user.name = change.name.unwrap_or_else(|| user.name.clone());
    user.status = change.status.unwrap_or(user.status);
    Ok(json_answer(StatusCode::OK, &user_json(user)))
}

/// `DELETE /api/v2/users/{id}`
pub(super) async fn remove(
    State(server): State<Arc<Server>>,
    Extension(caller): Extension<Caller>,
    Path(id): Path<String>,
) -> Result<StatusCode, ApiError> {
    let id = request::id(&id)?;
    caller.require(on_user(Action::Write, id))?;
    find(&server, id)?;
    server.accounts_mut().remove_user(id);
    Ok(StatusCode::NO_CONTENT)
}

/// `POST /api/v2/users/{id}/password`
pub(super) async fn set_password(
    State(server): State<Arc<Server>>,
    Extension(caller): Extension<Caller>,
    Path(id): Path<String>,
    body: Body,
) -> Result<StatusCode, ApiError> {
    let body = request::body(&server, body).await?;
    let wanted: PasswordRequest = request::first_json(&body).map_err(ApiError::invalid)?;
    let bad_id = |_| ApiError::new(Code::Internal, "invalid user ID provided in route");
    let id = request::id(&id).map_err(bad_id)?;
    caller.require(on_user(Action::Write, id))?;
    if server.accounts().user(id).is_none() {
        return Err(ApiError::new(Code::Forbidden, "your userID is incorrect"));
    }
    check_password(&wanted.password)?;
    Ok(StatusCode::NO_CONTENT)
}

/// Refuses passwords that are too short or too long.
pub(super) fn check_password(password: &str) -> Result<(), ApiError> {
    if PASSWORD_BYTES.contains(&password.len()) {
        return Ok(());
    }
    let (least, most) = PASSWORD_BYTES.into_inner();
    let message = format!("passwords must be between {least} and {most} characters long");
    Err(ApiError::invalid(message))
}

fn find(server: &Server, id: Id) -> Result<User, ApiError> {
    server.accounts().user(id).cloned().ok_or_else(not_found)
}

fn not_found() -> ApiError {
    ApiError::not_found("user not found")
}

/// A user as the API shows one.
pub(super) fn user_json(user: &User) -> Value {
    json!({
        "links": { "self": format!("/api/v2/users/{}", user.id) },
        "id": user.id.to_string(),
        "name": user.name,
        "status": user.status.name(),
    })
}
