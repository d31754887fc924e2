//! Whether the server is there: `/health`, `/ready` and `/ping`, for anybody and by any method.

use std::sync::Arc;

use axum::extract::State;
use axum::response::{IntoResponse, Response};
use http::{StatusCode, header};
use serde_json::json;

use super::VERSION;
use super::error::json_answer;
use crate::Server;
use crate::flux::time::format_rfc3339;

/// `/health`
pub(super) async fn health() -> Response {
    let answer = json!({
        "name": "influxdb",
        "message": "ready for queries and writes",
        "status": "pass",
        "checks": [],
        "version": VERSION,
        "commit": "stand-in",
    });
    json_answer(StatusCode::OK, &answer)
}

/// `/ready`
pub(super) async fn ready(State(server): State<Arc<Server>>) -> Response {
    let up_ns = server.config.clock.now_ns().saturating_sub(server.started_ns);
    let answer = json!({
        "status": "ready",
        "started": format_rfc3339(server.started_ns),
        "up": format!("{}s", up_ns / 1_000_000_000),
    });
    json_answer(StatusCode::OK, &answer)
}

const VARY: (header::HeaderName, &str) = (header::VARY, "Accept-Encoding");

/// `GET /ping` of release 1.
pub(super) async fn ping() -> Response {
    (StatusCode::NO_CONTENT, [VARY]).into_response()
}

/// `/ping` by another method.
pub(super) async fn wrong_ping() -> Response {
    let headers = [
        VARY,
        (header::ALLOW, "GET, HEAD, OPTIONS"),
        (header::CONTENT_TYPE, "text/plain; charset=utf-8"),
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
    ];
    (StatusCode::METHOD_NOT_ALLOWED, headers, "Method Not Allowed\n").into_response()
}
