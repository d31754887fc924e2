//! The HTTP API: routes, authentication, and the headers that every answer carries.
//!
//! [`router`] is the entry. Each part of the API has a file; `error` words refusals as the server
//! does, `request` reads query strings and bodies within the configured limit.

mod buckets;
mod delete;
mod error;
mod query;
mod request;
mod setup;
mod write;

use std::sync::Arc;

use axum::Router;
use axum::extract::{Request, State};
use axum::middleware::{Next, from_fn_with_state, map_response};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use http::{HeaderMap, HeaderValue, StatusCode, header};

use self::error::{ApiError, Code};
use crate::Server;
use crate::flux::time::format_rfc3339;

/// The release whose behaviour is followed.
const VERSION: &str = "v2.7.12";

/// All routes over one server.
pub(crate) fn router(server: Arc<Server>) -> Router {
    let guarded = Router::new()
        .route("/api/v2/orgs", get(setup::list_orgs))
        .route("/api/v2/orgs/{id}", get(setup::show_org))
        .route("/api/v2/buckets", get(buckets::list).post(buckets::create))
        .route(
            "/api/v2/buckets/{id}",
            get(buckets::show).patch(buckets::update).delete(buckets::remove),
        )
        .route("/api/v2/write", post(write::write))
        .route("/api/v2/query", post(query::query))
        .route("/api/v2/delete", post(delete::delete))
        .method_not_allowed_fallback(method_not_allowed)
        .fallback(not_found)
        .layer(from_fn_with_state(Arc::clone(&server), require_token));
    Router::new()
        .route("/health", get(health))
        .route("/ready", get(ready))
        .route("/ping", get(ping))
        .route("/api/v2/setup", get(setup::is_allowed).post(setup::set_up))
        .method_not_allowed_fallback(method_not_allowed)
        .merge(guarded)
        .layer(map_response(with_server_headers))
        .with_state(server)
}

async fn with_server_headers(mut response: Response) -> Response {
    let headers = response.headers_mut();
    headers.insert("x-influxdb-build", HeaderValue::from_static("OSS"));
    headers.insert("x-influxdb-version", HeaderValue::from_static(VERSION));
    response
}

/// Refuses requests without a token that is known.
async fn require_token(
    State(server): State<Arc<Server>>,
    request: Request,
    next: Next,
) -> Result<Response, ApiError> {
    let known =
        token(request.headers()).is_some_and(|token| server.accounts().by_token(token).is_some());
    if !known {
        return Err(ApiError::new(Code::Unauthorized, "unauthorized access"));
    }
    Ok(next.run(request).await)
}

/// The token of an `Authorization` header, under either of its schemes.
fn token(headers: &HeaderMap) -> Option<&str> {
    let value = headers.get(header::AUTHORIZATION)?.to_str().ok()?;
    ["Token ", "Bearer "].iter().find_map(|scheme| {
        let (given, token) = value.split_at_checked(scheme.len())?;
        given.eq_ignore_ascii_case(scheme).then_some(token)
    })
}

async fn not_found() -> ApiError {
    ApiError::new(Code::NotFound, "path not found")
}

async fn method_not_allowed() -> ApiError {
    ApiError::new(Code::MethodNotAllowed, "method not allowed")
}

async fn health() -> Response {
    axum::Json(serde_json::json!({
        "name": "influxdb",
        "message": "ready for queries and writes",
        "status": "pass",
        "checks": [],
        "version": VERSION,
        "commit": "stand-in",
    }))
    .into_response()
}

async fn ready(State(server): State<Arc<Server>>) -> Response {
    let up_ns = server.config.clock.now_ns().saturating_sub(server.started_ns);
    axum::Json(serde_json::json!({
        "status": "ready",
        "started": format_rfc3339(server.started_ns),
        "up": format!("{}s", up_ns / 1_000_000_000),
    }))
    .into_response()
}

async fn ping() -> StatusCode {
    StatusCode::NO_CONTENT
}
