//! `/api/v2/dbrps`: the mappings of databases and retention policies to buckets.

use std::sync::Arc;

use axum::Extension;
use axum::body::Body;
use axum::extract::{Path, Request, State};
use axum::response::{IntoResponse, Response};
use http::StatusCode;
use serde::Deserialize;
use serde_json::{Value, json};

use super::auth::Caller;
use super::error::{ApiError, Code};
use super::request::{self, Parameters, parameter};
use crate::Server;
use crate::accounts::{Accounts, Action, Id, Kind, Permission};
use crate::dbrp::{DbrpError, Filter, Mapping};

#[derive(Default, Deserialize)]
#[serde(default)]
struct NewMapping {
    database: String,
    retention_policy: String,
    default: bool,
    org: String,
    #[serde(rename = "orgID")]
    org_id: String,
    #[serde(rename = "bucketID")]
    bucket_id: String,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct MappingChange {
    default: Option<bool>,
    retention_policy: Option<String>,
}

fn refusal(error: DbrpError) -> ApiError {
    let code = match error {
        DbrpError::Database | DbrpError::RetentionPolicy => Code::Invalid,
        DbrpError::Exists => Code::Conflict,
        DbrpError::NotFound => Code::NotFound,
    };
    ApiError::new(code, error.to_string())
}

fn shown(mapping: &Mapping) -> Value {
    json!({
        "id": mapping.id.to_string(),
        "database": mapping.database,
        "retention_policy": mapping.retention_policy,
        "default": mapping.default,
        "virtual": mapping.virtual_,
        "orgID": mapping.org.to_string(),
        "bucketID": mapping.bucket.to_string(),
    })
}

fn content(mapping: &Mapping) -> Response {
    axum::Json(json!({ "content": shown(mapping) })).into_response()
}

/// An identifier, or a refusal that says of what.
fn named_id(text: &str, what: &str) -> Result<Id, ApiError> {
    request::id(text)
        .map_err(|error| ApiError::invalid(format!("invalid {what} ID {text:?}: {error}")))
}

/// The organisation that `orgID` or `org` names.
fn organization(accounts: &Accounts, id: &str, name: &str) -> Result<Id, ApiError> {
    if !id.is_empty() {
        return named_id(id, "org");
    }
    if name.is_empty() {
        return Err(ApiError::invalid("either 'org' or 'orgID' must be provided"));
    }
    let found = accounts.org_named(name).map(|org| org.id);
    found
        .ok_or_else(|| ApiError::not_found(format!("invalid org {name:?}: organization not found")))
}

fn asked_organization(accounts: &Accounts, parameters: &Parameters) -> Result<Id, ApiError> {
    let text = |name: &str| parameter(parameters, name).unwrap_or_default().to_owned();
    organization(accounts, &text("orgID"), &text("org"))
}

async fn read<T: for<'de> Deserialize<'de>>(server: &Server, body: Body) -> Result<T, ApiError> {
    let bytes = request::body(server, body).await?;
    let mut stream = serde_json::Deserializer::from_slice(&bytes).into_iter::<T>();
    match stream.next() {
        Some(Ok(wanted)) => Ok(wanted),
        Some(Err(error)) if error.is_eof() => {
            Err(ApiError::invalid("invalid json structure: unexpected EOF"))
        }
        Some(Err(error)) => Err(ApiError::invalid(format!("invalid json structure: {error}"))),
        None => Err(ApiError::invalid("invalid json structure: EOF")),
    }
}

/// What reading or writing the bucket of a mapping takes.
fn permission(action: Action, mapping: &Mapping) -> Permission {
    Permission::of_org(action, Kind::Buckets, (mapping.bucket, mapping.org))
}

/// Makes a mapping.
pub(super) async fn create(
    State(server): State<Arc<Server>>,
    Extension(caller): Extension<Caller>,
    body: Body,
) -> Result<Response, ApiError> {
    let wanted: NewMapping = read(&server, body).await?;
    let mut accounts = server.accounts_mut();
    let org = organization(&accounts, &wanted.org_id, &wanted.org)?;
    let bucket = named_id(&wanted.bucket_id, "bucket")?;
    let mapping = Mapping {
        id: accounts.next_id(),
        database: wanted.database,
        retention_policy: wanted.retention_policy,
        default: wanted.default,
        virtual_: false,
        org,
        bucket,
    };
    caller.require(permission(Action::Write, &mapping))?;
    mapping.check_names().map_err(refusal)?;
    if accounts.bucket(bucket).is_none() {
        return Err(ApiError::not_found("bucket not found"));
    }
    caller.require(permission(Action::Read, &mapping))?;
    let made = server.dbrps_mut().add(mapping).map_err(refusal)?;
    Ok((StatusCode::CREATED, axum::Json(shown(&made))).into_response())
}

/// Lists the mappings, virtual ones included, that the parameters let through.
pub(super) async fn list(
    State(server): State<Arc<Server>>,
    Extension(caller): Extension<Caller>,
    parameters: Parameters,
) -> Result<Response, ApiError> {
    let accounts = server.accounts();
    let org = asked_organization(&accounts, &parameters)?;
    let id = |name: &str, what: &str| {
        parameter(&parameters, name).map(|text| named_id(text, what)).transpose()
    };
    let default = match parameter(&parameters, "default") {
        None => None,
        Some("1" | "t" | "T" | "TRUE" | "true" | "True") => Some(true),
        Some("0" | "f" | "F" | "FALSE" | "false" | "False") => Some(false),
        Some(_) => return Err(ApiError::invalid("invalid default parameter")),
    };
    let filter = Filter {
        id: id("id", "DBRP")?,
        bucket: id("bucketID", "bucket")?,
        database: parameter(&parameters, "db"),
        retention_policy: parameter(&parameters, "rp"),
        default,
    };
    let found = server.dbrps().find(org, &accounts, &filter);
    let readable = |mapping: &&Mapping| caller.may(permission(Action::Read, mapping));
    let found: Vec<Value> = found.iter().filter(readable).map(shown).collect();
    Ok(axum::Json(json!({ "content": found })).into_response())
}

/// The mapping of a path, as far as the caller may know of it.
fn find(
    server: &Server,
    caller: &Caller,
    id: &str,
    parameters: &Parameters,
) -> Result<Mapping, ApiError> {
    let id = request::id(id)?;
    let accounts = server.accounts();
    let org = asked_organization(&accounts, parameters)?;
    let found = server.dbrps().get(org, &accounts, id);
    let found = found.ok_or_else(|| refusal(DbrpError::NotFound))?;
    if found.virtual_ && !caller.may(permission(Action::Read, &found)) {
        return Err(refusal(DbrpError::NotFound));
    }
    Ok(found)
}

/// Shows one mapping.
pub(super) async fn show(
    State(server): State<Arc<Server>>,
    Extension(caller): Extension<Caller>,
    Path(id): Path<String>,
    parameters: Parameters,
) -> Result<Response, ApiError> {
    let found = find(&server, &caller, &id, &parameters)?;
    caller.require(permission(Action::Read, &found))?;
    Ok(content(&found))
}

/// Changes the retention policy of a mapping, or whether it is the default.
pub(super) async fn update(
    State(server): State<Arc<Server>>,
    Path(id): Path<String>,
    parameters: Parameters,
    request: Request,
) -> Result<Response, ApiError> {
    let (parts, body) = request.into_parts();
    let caller: &Caller = parts.extensions.get().ok_or_else(|| refusal(DbrpError::NotFound))?;
    let mut mapping = find(&server, caller, &id, &parameters)?;
    caller.require(permission(Action::Read, &mapping))?;
    let change: MappingChange = read(&server, body).await?;
    caller.require(permission(Action::Write, &mapping))?;
    mapping.default = change.default.unwrap_or(mapping.default);
    if let Some(policy) = change.retention_policy {
        mapping.retention_policy = policy;
    }
    server.dbrps_mut().update(mapping.clone()).map_err(refusal)?;
    Ok(content(&mapping))
}

/// Removes a mapping.
pub(super) async fn remove(
    State(server): State<Arc<Server>>,
    Extension(caller): Extension<Caller>,
    Path(id): Path<String>,
    parameters: Parameters,
) -> Result<Response, ApiError> {
    let mapping = find(&server, &caller, &id, &parameters)?;
    caller.require(permission(Action::Write, &mapping))?;
    server.dbrps_mut().remove(mapping.org, mapping.id);
    Ok(StatusCode::NO_CONTENT.into_response())
}
