//! Organisations: list, create, show, change, remove.

use std::sync::Arc;

use axum::Extension;
use axum::body::Body;
use axum::extract::{Path, State};
use axum::response::Response;
use http::StatusCode;
use serde::Deserialize;
use serde_json::{Value, json};

use super::auth::Caller;
use super::buckets;
use super::error::{ApiError, Code, json_answer};
use super::request::{self, Page, Parameters, parameter};
use crate::Server;
use crate::accounts::{Action, Id, Kind, Org, Permission};
use crate::flux::time::format_rfc3339;

#[derive(Deserialize)]
struct OrgRequest {
    name: Option<String>,
    description: Option<String>,
}

/// What seeing an organisation takes.
pub(super) fn seeing(org: Id) -> Permission {
    Permission::resource(Action::Read, Kind::Orgs, org)
}

fn changing(org: Id) -> Permission {
    Permission::resource(Action::Write, Kind::Orgs, org)
}

/// `POST /api/v2/orgs`: an organisation with its two system buckets.
pub(super) async fn create(
    State(server): State<Arc<Server>>,
    Extension(caller): Extension<Caller>,
    body: Body,
) -> Result<Response, ApiError> {
    let wanted: OrgRequest = request::json(&server, body).await?;
    caller.require(Permission::global(Action::Write, Kind::Orgs))?;
    let name = checked_name(wanted.name.unwrap_or_default())?;
    let now_ns = server.config.clock.now_ns();
    let org = {
        let mut accounts = server.accounts_mut();
        if accounts.org_named(&name).is_some() {
            return Err(name_taken(&name));
        }
        let mut org = accounts.add_org(&name, now_ns);
        if let (Some(kept), Some(text)) = (accounts.org_mut(org.id), wanted.description) {
            kept.description = text;
            org = kept.clone();
        }
        org
    };
    buckets::add_system_buckets(&server, org.id);
    Ok(json_answer(StatusCode::CREATED, &org_json(&org)))
}

fn checked_name(name: String) -> Result<String, ApiError> {
    if name.trim().is_empty() { Err(ApiError::invalid("org name is empty")) } else { Ok(name) }
}

fn name_taken(name: &str) -> ApiError {
    ApiError::new(Code::Conflict, format!("organization with name {name} already exists"))
}

/// `GET /api/v2/orgs`: those that the token may see.
pub(super) async fn list(
    State(server): State<Arc<Server>>,
    Extension(caller): Extension<Caller>,
    parameters: Parameters,
) -> Result<Response, ApiError> {
    let page = Page::read(&parameters)?;
    let name = parameter(&parameters, "org");
    let id = parameter(&parameters, "orgID").and_then(Id::parse);
    let accounts = server.accounts();
    let found: Vec<&Org> = match (id, name) {
        (Some(id), _) => {
            let org = accounts.org(id);
            vec![org.ok_or_else(|| ApiError::not_found("organization not found"))?]
        }
        (None, Some(name)) => {
            let message = || format!("organization name \"{name}\" not found");
            vec![accounts.org_named(name).ok_or_else(|| ApiError::not_found(message()))?]
        }
        (None, None) => page.of(accounts.orgs()),
    };
    let visible = found.into_iter().filter(|org| caller.may(seeing(org.id)));
    let orgs: Vec<Value> = visible.map(org_json).collect();
    let answer = json!({ "links": { "self": "/api/v2/orgs" }, "orgs": orgs });
    Ok(json_answer(StatusCode::OK, &answer))
}

/// `GET /api/v2/orgs/{id}`
pub(super) async fn show(
    State(server): State<Arc<Server>>,
    Extension(caller): Extension<Caller>,
    Path(id): Path<String>,
) -> Result<Response, ApiError> {
    let id = request::id(&id)?;
    caller.require(seeing(id))?;
    let org = request::organization_by_id(&server.accounts(), id)?;
    Ok(json_answer(StatusCode::OK, &org_json(&org)))
}

/// `PATCH /api/v2/orgs/{id}`
pub(super) async fn update(
    State(server): State<Arc<Server>>,
    Extension(caller): Extension<Caller>,
    Path(id): Path<String>,
    body: Body,
) -> Result<Response, ApiError> {
    let id = request::id(&id)?;
    let change: OrgRequest = request::json(&server, body).await?;
    caller.require(changing(id))?;
    let mut accounts = server.accounts_mut();
    let mut org = request::organization_by_id(&accounts, id)?;
    if let Some(name) = change.name {
        let name = checked_name(name)?;
        if accounts.org_named(&name).is_some_and(|known| known.id != id) {
            return Err(name_taken(&name));
        }
        org.name = name;
    }
    org.description = change.description.unwrap_or(org.description);
    org.updated_ns = server.config.clock.now_ns();
    if let Some(kept) = accounts.org_mut(id) {
        kept.clone_from(&org);
    }
    Ok(json_answer(StatusCode::OK, &org_json(&org)))
}

/// `DELETE /api/v2/orgs/{id}`: the organisation, its buckets and their data.
pub(super) async fn remove(
    State(server): State<Arc<Server>>,
    Extension(caller): Extension<Caller>,
    Path(id): Path<String>,
) -> Result<StatusCode, ApiError> {
    let id = request::id(&id)?;
    caller.require(changing(id))?;
    let buckets = {
        let mut accounts = server.accounts_mut();
        request::organization_by_id(&accounts, id)?;
        accounts.remove_org(id)
    };
    let mut store = server.store_mut();
    for bucket in buckets {
        store.remove(bucket);
    }
    Ok(StatusCode::NO_CONTENT)
}

/// An organisation as the API shows it.
pub(super) fn org_json(org: &Org) -> Value {
    let own = |part: &str| format!("/api/v2/orgs/{}{part}", org.id);
    let of = |kind: &str| format!("/api/v2/{kind}?org={}", org.name);
    json!({
        "links": {
            "buckets": of("buckets"),
            "dashboards": of("dashboards"),
            "labels": own("/labels"),
            "logs": own("/logs"),
            "members": own("/members"),
            "owners": own("/owners"),
            "secrets": own("/secrets"),
            "self": own(""),
            "tasks": of("tasks"),
        },
        "id": org.id.to_string(),
        "name": org.name,
        "description": org.description,
        "createdAt": format_rfc3339(org.created_ns),
        "updatedAt": format_rfc3339(org.updated_ns),
    })
}
