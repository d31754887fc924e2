//! Authorizations: tokens with what they may do. List, create, show, change, remove.

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
use super::request::{self, Parameters, parameter};
use super::users::on_user;
use crate::Server;
use crate::accounts::{
    Accounts, Action, Authorization, Id, Kind, NewAuthorization, Permission, Permissions, Status,
};
use crate::flux::time::format_rfc3339;

#[derive(Deserialize)]
struct AuthorizationRequest {
    status: Option<String>,
    #[serde(rename = "orgID")]
    org_id: Option<String>,
    #[serde(rename = "userID")]
    user_id: Option<String>,
    description: Option<String>,
    permissions: Option<Vec<PermissionRequest>>,
}

#[derive(Deserialize)]
struct PermissionRequest {
    action: Option<String>,
    resource: Option<ResourceRequest>,
}

#[derive(Default, Deserialize)]
struct ResourceRequest {
    #[serde(rename = "type")]
    kind: Option<String>,
    id: Option<String>,
    #[serde(rename = "orgID")]
    org_id: Option<String>,
}

#[derive(Deserialize)]
struct AuthorizationChange {
    status: Option<String>,
    description: Option<String>,
}

/// `POST /api/v2/authorizations`
pub(super) async fn create(
    State(server): State<Arc<Server>>,
    Extension(caller): Extension<Caller>,
    body: Body,
) -> Result<Response, ApiError> {
    let body = request::body(&server, body).await?;
    let unreadable = |error| ApiError::invalid(format!("invalid json structure: {error}"));
    let wanted: AuthorizationRequest = request::first_json(&body).map_err(unreadable)?;
    let new = checked(wanted, &caller)?;
    let mut accounts = server.accounts_mut();
    if accounts.org(new.org).is_none() || accounts.user(new.user).is_none() {
        return Err(ApiError::invalid("unable to create token"));
    }
    let made = accounts.authorize(new, server.config.clock.now_ns());
    Ok(json_answer(StatusCode::CREATED, &authorization_json(&accounts, &made)))
}

/// Checks a request in the order in which the server does.
fn checked(wanted: AuthorizationRequest, caller: &Caller) -> Result<NewAuthorization, ApiError> {
    let AuthorizationRequest { status, org_id, user_id, description, permissions } = wanted;
    let org = json_id(org_id.as_deref())?;
    let user = json_id(user_id.as_deref())?.unwrap_or_else(|| caller.user());
    let permissions = permissions.unwrap_or_default();
    let ids = permissions.iter().map(|wanted| {
        let resource = wanted.resource.as_ref();
        let id = json_id(resource.and_then(|resource| resource.id.as_deref()))?;
        Ok((id, json_id(resource.and_then(|resource| resource.org_id.as_deref()))?))
    });
    let ids: Vec<(Option<Id>, Option<Id>)> = ids.collect::<Result<_, ApiError>>()?;
    if permissions.is_empty() {
        return Err(ApiError::invalid("authorization must include permissions"));
    }
    let granted: Vec<Permission> = permissions
        .into_iter()
        .zip(ids)
        .map(|(wanted, ids)| permission(wanted, ids))
        .collect::<Result<_, _>>()?;
    let org = org.ok_or_else(|| ApiError::invalid("org id required: invalid ID"))?;
    let status = match status.as_deref() {
        None | Some("") => Status::Active,
        Some(name) => Status::from_name(name)
            .ok_or_else(|| ApiError::invalid("invalid status: must be active or inactive"))?,
    };
    caller.require(Permission::in_org(Action::Write, Kind::Authorizations, org))?;
    caller.require(on_user(Action::Write, user))?;
    // Nobody gives away more than what they have.
    for needed in &granted {
        caller.require(*needed).map_err(|cause| {
            let message = format!("permission {needed} is not allowed: {cause}");
            ApiError::new(Code::Forbidden, message)
        })?;
    }
    if let Some(stray) = granted.iter().find(|held| held.org.is_some_and(|other| other != org)) {
        let message = format!("permission {stray} is not for org id {org}");
        return Err(ApiError::invalid(message));
    }
    let description = description.unwrap_or_default();
    let permissions = Permissions::new(granted);
    Ok(NewAuthorization { token: None, status, description, user, org, permissions })
}

fn json_id(text: Option<&str>) -> Result<Option<Id>, ApiError> {
    let wrong = |error| ApiError::invalid(format!("invalid json structure: {error}"));
    text.map(|text| request::id(text).map_err(wrong)).transpose()
}

fn permission(
    wanted: PermissionRequest,
    (id, org): (Option<Id>, Option<Id>),
) -> Result<Permission, ApiError> {
    let kind = wanted.resource.unwrap_or_default().kind.unwrap_or_default();
    let kind = Kind::from_name(&kind).ok_or_else(|| {
        ApiError::invalid(
            "invalid resource type for permission: unknown resource type for permission",
        )
    })?;
    let action = Action::from_name(&wanted.action.unwrap_or_default()).ok_or_else(|| {
        ApiError::invalid("invalid action type for permission: unknown action for permission")
    })?;
    Ok(Permission { action, kind, id, org })
}

/// What an action on a token takes, besides one on its user.
fn on_token(action: Action, token: &Authorization) -> [Permission; 2] {
    let own = Permission::of_org(action, Kind::Authorizations, (token.id, token.org));
    [own, on_user(action, token.user)]
}

/// `GET /api/v2/authorizations`: those that the token may see.
pub(super) async fn list(
    State(server): State<Arc<Server>>,
    Extension(caller): Extension<Caller>,
    parameters: Parameters,
) -> Result<Response, ApiError> {
    let accounts = server.accounts();
    let given = |name| parameter(&parameters, name).map(request::id).transpose();
    let (mut user, mut org, id) = (given("userID")?, given("orgID")?, given("id")?);
    if let (None, Some(name)) = (user, parameter(&parameters, "user")) {
        let found = accounts.user_named(name);
        user = Some(found.ok_or_else(|| ApiError::not_found("user not found"))?.id);
    }
    if let (None, Some(name)) = (org, parameter(&parameters, "org")) {
        let message = || format!("organization name \"{name}\" not found");
        org = Some(accounts.org_named(name).ok_or_else(|| ApiError::not_found(message()))?.id);
    }
    let found: Vec<&Arc<Authorization>> = match id {
        Some(id) => vec![accounts.authorization(id).ok_or_else(not_found)?],
        None => accounts
            .authorizations()
            .filter(|known| user.is_none_or(|user| known.user == user))
            .filter(|known| org.is_none_or(|org| known.org == org))
            .collect(),
    };
    let visible = found.into_iter().filter(|known| {
        // One whose user or organisation is gone is not shown.
        let whole = accounts.org(known.org).is_some() && accounts.user(known.user).is_some();
        whole && on_token(Action::Read, known).into_iter().all(|needed| caller.may(needed))
    });
    let shown: Vec<Value> = visible.map(|known| authorization_json(&accounts, known)).collect();
    let links = json!({ "self": "/api/v2/authorizations" });
    Ok(json_answer(StatusCode::OK, &json!({ "links": links, "authorizations": shown })))
}

/// The token with this identifier, for somebody who may do `action` with it.
fn find(
    accounts: &Accounts,
    caller: &Caller,
    (action, id): (Action, Id),
) -> Result<Arc<Authorization>, ApiError> {
    let found = accounts.authorization(id).ok_or_else(not_found)?;
    for needed in on_token(action, found) {
        caller.require(needed)?;
    }
    Ok(Arc::clone(found))
}

fn not_found() -> ApiError {
    ApiError::not_found("authorization not found")
}

/// `GET /api/v2/authorizations/{id}`
pub(super) async fn show(
    State(server): State<Arc<Server>>,
    Extension(caller): Extension<Caller>,
    Path(id): Path<String>,
) -> Result<Response, ApiError> {
    let id = request::id(&id)?;
    let accounts = server.accounts();
    let found = find(&accounts, &caller, (Action::Read, id))?;
    Ok(json_answer(StatusCode::OK, &authorization_json(&accounts, &found)))
}

/// `PATCH /api/v2/authorizations/{id}`: its status and description.
pub(super) async fn update(
    State(server): State<Arc<Server>>,
    Extension(caller): Extension<Caller>,
    Path(id): Path<String>,
    body: Body,
) -> Result<Response, ApiError> {
    let id = request::id(&id)?;
    let body = request::body(&server, body).await?;
    let change: AuthorizationChange =
        request::first_json(&body).map_err(|error| ApiError::new(Code::Internal, error))?;
    let mut accounts = server.accounts_mut();
    find(&accounts, &caller, (Action::Read, id))?;
    find(&accounts, &caller, (Action::Write, id))?;
    let unknown = || ApiError::invalid("unknown authorization status");
    let status = change.status.map(|name| Status::from_name(&name).ok_or_else(unknown));
    let status = status.transpose()?;
    let known = accounts.authorization_mut(id).ok_or_else(not_found)?;
    known.status = status.unwrap_or(known.status);
    known.description = change.description.unwrap_or_else(|| known.description.clone());
    known.updated_ns = server.config.clock.now_ns();
    let changed = find(&accounts, &caller, (Action::Read, id))?;
    Ok(json_answer(StatusCode::OK, &authorization_json(&accounts, &changed)))
}

/// `DELETE /api/v2/authorizations/{id}`
pub(super) async fn remove(
    State(server): State<Arc<Server>>,
    Extension(caller): Extension<Caller>,
    Path(id): Path<String>,
) -> Result<StatusCode, ApiError> {
    let id = request::id(&id)?;
    let mut accounts = server.accounts_mut();
    find(&accounts, &caller, (Action::Write, id))?;
    accounts.remove_authorization(id);
    Ok(StatusCode::NO_CONTENT)
}

/// A token as the API shows it, which is in full: that is how clients learn it.
pub(super) fn authorization_json(accounts: &Accounts, known: &Authorization) -> Value {
    let org = accounts.org(known.org).map_or("", |org| org.name.as_str());
    let user = accounts.user(known.user).map_or("", |user| user.name.as_str());
    let permissions: Vec<Value> =
        known.granted().iter().map(|held| permission_json(accounts, *held)).collect();
    json!({
        "id": known.id.to_string(),
        "token": known.token.expose(),
        "status": known.status.name(),
        "description": known.description,
        "orgID": known.org.to_string(),
        "org": org,
        "userID": known.user.to_string(),
        "user": user,
        "permissions": permissions,
        "links": {
            "self": format!("/api/v2/authorizations/{}", known.id),
            "user": format!("/api/v2/users/{}", known.user),
        },
        "createdAt": format_rfc3339(known.created_ns),
        "updatedAt": format_rfc3339(known.updated_ns),
    })
}

fn permission_json(accounts: &Accounts, held: Permission) -> Value {
    let mut resource = json!({ "type": held.kind.name() });
    if let Some(id) = held.id {
        resource["id"] = id.to_string().into();
    }
    if let Some(org) = held.org {
        resource["orgID"] = org.to_string().into();
    }
    // The server stops naming at the first identifier that leads nowhere.
    let named = held.id.map(|id| match held.kind {
        Kind::Buckets => accounts.bucket(id).map(|bucket| bucket.name.clone()),
        Kind::Orgs => accounts.org(id).map(|org| org.name.clone()),
        Kind::Users => accounts.user(id).map(|user| user.name.clone()),
        _ => Some(String::new()),
    });
    if let Some(Some(name)) = named.as_ref().filter(|name| name.as_deref() != Some("")) {
        resource["name"] = name.as_str().into();
    }
    let org = held.org.and_then(|org| accounts.org(org)).filter(|_| named != Some(None));
    if let Some(org) = org {
        resource["org"] = org.name.as_str().into();
    }
    json!({ "action": held.action.name(), "resource": resource })
}
