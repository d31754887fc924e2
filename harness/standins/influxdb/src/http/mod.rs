//! The HTTP API: routes, authentication, and the headers that every answer carries.
//!
//! [`router`] is the entry. Each part of the API has a file; `auth` finds out who asks, `error`
//! words refusals as the server does, `request` reads query strings and bodies within the limit.

mod auth;
mod authorizations;
mod buckets;
mod dbrp;
mod delete;
mod error;
mod form;
mod gzip;
mod influxql;
pub(crate) mod metrics;
mod misbehave;
mod orgs;
mod probes;
mod query;
mod request;
mod setup;
mod users;
mod write;

use std::sync::Arc;

use axum::Router;
use axum::extract::{Request, State};
use axum::middleware::{Next, from_fn, from_fn_with_state, map_response};
use axum::response::{IntoResponse, Response};
use axum::routing::{MethodRouter, any, get, post};
use http::{HeaderValue, Method, StatusCode, header};

use self::error::{ApiError, Code};
use crate::{QuirkControl, Server};

/// The release whose behaviour is followed.
const VERSION: &str = "v2.7.12";

/// All routes over one server.
pub(crate) fn router(server: Arc<Server>) -> Router {
    Router::new()
        .merge(open(&server))
        .merge(release_2(&server))
        .merge(release_1(&server))
        .fallback(no_assets)
        .layer(from_fn_with_state(Arc::clone(&server), drop_expired))
        .layer(from_fn(answer_options))
        .layer(from_fn_with_state(Arc::clone(&server), metrics::record))
        .layer(from_fn_with_state(Arc::clone(&server), misbehave::misbehave))
        .layer(map_response(with_server_headers))
        .with_state(server)
}

/// What anybody may ask.
fn open(server: &Arc<Server>) -> Router<Arc<Server>> {
    let guarded = any(no_method).layer(from_fn_with_state(Arc::clone(server), auth::require_token));
    let setup = guarded.get(setup::is_allowed).post(setup::set_up);
    let open = Router::new()
        .route("/health", any(probes::health))
        .route("/metrics", any(metrics::show))
        .route("/ready", any(probes::ready))
        .route("/ping", any(probes::wrong_ping).get(probes::ping))
        .route("/api/v2/setup", setup);
    match server.config.quirk_control {
        QuirkControl::Off => open,
        QuirkControl::On => open.route(
            misbehave::CONTROL_PATH,
            get(misbehave::show).post(misbehave::switch).delete(misbehave::clear),
        ),
    }
}

/// The API of release 2.
fn release_2(server: &Arc<Server>) -> Router<Arc<Server>> {
    // The server answers a wrong method in two ways, as it is made of parts of two kinds.
    let terse = || any(no_method);
    let tokens = terse().get(authorizations::show).patch(authorizations::update);
    let plain = Router::new()
        .route("/api/v2/me", terse().get(users::me))
        .route("/api/v2/users", terse().get(users::list).post(users::create))
        .route(
            "/api/v2/users/{id}",
            terse().get(users::show).patch(users::update).delete(users::remove),
        )
        .route("/api/v2/users/{id}/password", terse().post(users::set_password))
        .route("/api/v2/orgs", terse().get(orgs::list).post(orgs::create))
        .route(
            "/api/v2/orgs/{id}",
            terse().get(orgs::show).patch(orgs::update).delete(orgs::remove),
        )
        .route(
            "/api/v2/authorizations",
            terse().get(authorizations::list).post(authorizations::create),
        )
        .route("/api/v2/authorizations/{id}", tokens.delete(authorizations::remove))
        .route("/api/v2/buckets", terse().get(buckets::list).post(buckets::create))
        .route(
            "/api/v2/buckets/{id}",
            terse().get(buckets::show).patch(buckets::update).delete(buckets::remove),
        )
        .route("/api/v2/dbrps", terse().get(dbrp::list).post(dbrp::create))
        .route(
            "/api/v2/dbrps/{id}",
            terse().get(dbrp::show).patch(dbrp::update).delete(dbrp::remove),
        )
        .layer(from_fn(refuse_head));
    Router::new()
        .route("/api/v2/write", any(only_post).post(write::write))
        .route("/api/v2/delete", any(only_post).post(delete::delete))
        .route("/api/v2/query", answering_csv(post(query::query)).fallback(only_post))
        .merge(plain)
        .route("/api/v2/{*rest}", any(not_found))
        .layer(from_fn_with_state(Arc::clone(server), auth::require_token))
}

/// What every route needs that answers with CSV: quirks that spoil it, and compression.
fn answering_csv(route: MethodRouter<Arc<Server>>) -> MethodRouter<Arc<Server>> {
    route.layer(from_fn(misbehave::spoil_csv)).layer(from_fn(gzip::compress))
}

/// What is left of the API of release 1.
fn release_1(server: &Arc<Server>) -> Router<Arc<Server>> {
    Router::new()
        .route("/write", any(only_post).post(write::write_to_database))
        .route("/query", any(influxql::query))
        .layer(from_fn(gzip::compress))
        .layer(from_fn_with_state(Arc::clone(server), auth::require_credentials))
}

async fn with_server_headers(mut response: Response) -> Response {
    let headers = response.headers_mut();
    headers.insert("x-influxdb-build", HeaderValue::from_static("OSS"));
    headers.insert("x-influxdb-version", HeaderValue::from_static(VERSION));
    response
}

/// Removes what has outlived its retention, if the server would have looked for it by now.
async fn drop_expired(State(server): State<Arc<Server>>, request: Request, next: Next) -> Response {
    server.enforce_retention();
    next.run(request).await
}

/// Answers what browsers ask before they ask, and allows every origin.
async fn answer_options(request: Request, next: Next) -> Response {
    let origin = request.headers().get(header::ORIGIN).cloned();
    let mut response = match (&origin, request.method()) {
        (None, &Method::OPTIONS) => StatusCode::METHOD_NOT_ALLOWED.into_response(),
        (Some(_), &Method::OPTIONS) => {
            let methods = "POST, GET, OPTIONS, PUT, DELETE, PATCH";
            let headers = "Accept, Content-Type, Content-Length, Accept-Encoding, Authorization, \
                           User-Agent";
            let allowed = [
                (header::ACCESS_CONTROL_ALLOW_METHODS, methods),
                (header::ACCESS_CONTROL_ALLOW_HEADERS, headers),
            ];
            (StatusCode::NO_CONTENT, allowed).into_response()
        }
        _ => next.run(request).await,
    };
    if let Some(origin) = origin {
        response.headers_mut().insert(header::ACCESS_CONTROL_ALLOW_ORIGIN, origin);
    }
    response
}

/// Takes no `HEAD` for a `GET`.
async fn refuse_head(request: Request, next: Next) -> Response {
    if request.method() == Method::HEAD {
        return no_method().await.into_response();
    }
    next.run(request).await
}

async fn not_found() -> ApiError {
    ApiError::not_found("path not found")
}

async fn no_method() -> StatusCode {
    StatusCode::METHOD_NOT_ALLOWED
}

async fn only_post() -> Response {
    let allowed = "OPTIONS, POST";
    let error = ApiError::new(Code::MethodNotAllowed, format!("allow: {allowed}"));
    ([(header::ALLOW, allowed)], error).into_response()
}

/// Anything outside the API belongs to the server's user interface, which is not here.
async fn no_assets() -> Response {
    let headers = [
        (header::CONTENT_TYPE, "text/plain; charset=utf-8"),
        (header::CACHE_CONTROL, "public, max-age=3600"),
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
    ];
    (StatusCode::NOT_FOUND, headers, "no assets included in binary\n").into_response()
}
