//! `POST /api/v2/write`: line protocol in, 204 when every point is stored.

use std::sync::Arc;

use axum::body::Body;
use axum::extract::State;
use http::{HeaderMap, StatusCode};

use super::error::{ApiError, Code};
use super::request::{self, Parameters, parameter};
use crate::Server;
use crate::line_protocol::{self, Precision};

/// Stores a body wholly (204), in part (422) or, when a line cannot be read, not at all (400).
pub(super) async fn write(
    State(server): State<Arc<Server>>,
    parameters: Parameters,
    headers: HeaderMap,
    body: Body,
) -> Result<StatusCode, ApiError> {
    let precision = Precision::from_name(parameter(&parameters, "precision").unwrap_or("ns"))
        .ok_or_else(|| {
            ApiError::invalid("invalid precision; valid precision units are ns, us, ms, and s")
        })?;
    let Some(name) = parameter(&parameters, "bucket") else {
        return Err(ApiError::not_found("bucket not found"));
    };
    let bucket = {
        let accounts = server.accounts();
        let org = request::organization(&accounts, &parameters)?;
        request::bucket(&accounts, org.id, name)?.id
    };
    let body = request::body(&server, body).await?;
    let body = request::inflate(&server, &headers, body)?;
    let now_ns = server.config.clock.now_ns();
    let batch = line_protocol::parse(&body, precision, now_ns)
        .map_err(|error| ApiError::invalid(error.to_string()))?;
    match server.store_mut().write(bucket, &batch, now_ns) {
        Ok(Some(())) => Ok(StatusCode::NO_CONTENT),
        Ok(None) => Err(ApiError::not_found("bucket not found")),
        Err(partial) => Err(ApiError::new(
            Code::UnprocessableEntity,
            format!("failure writing points to database: {partial}"),
        )),
    }
}
