//! AWS JSON 1.0 over HTTP: one route, the operation named in a header.
//!
//! Requests must carry an `Authorization` header, as signing makes it, which is not verified: any
//! credentials do.

use std::sync::atomic::Ordering;

use axum::Router;
use axum::body::{Body, Bytes};
use axum::extract::{Request, State};
use axum::response::Response;
use http::header::{AUTHORIZATION, CONTENT_TYPE};
use http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode};

use crate::error::{ApiError, ErrorKind};
use crate::{TimestreamStandin, control, query, write};

const TARGET: HeaderName = HeaderName::from_static("x-amz-target");
const REQUEST_ID: HeaderName = HeaderName::from_static("x-amzn-requestid");
const ERROR_TYPE: HeaderName = HeaderName::from_static("x-amzn-errortype");
const TARGET_PREFIX: &str = "Timestream_20181101.";
/// More than the largest request that passes the checks of any operation.
const MAX_BODY_BYTES: usize = 64 * 1024 * 1024;

pub(crate) fn router(standin: TimestreamStandin) -> Router {
    Router::new().fallback(answer).with_state(standin)
}

async fn answer(State(standin): State<TimestreamStandin>, request: Request) -> Response {
    let number = standin.0.requests.fetch_add(1, Ordering::Relaxed);
    let (status, error, body) = match perform(&standin, request).await {
        Ok(body) => (StatusCode::OK, None, body),
        Err(error) => {
            let status = StatusCode::from_u16(error.status()).unwrap_or(StatusCode::BAD_REQUEST);
            (status, Some(error.name()), Bytes::from(error.body().to_string()))
        }
    };
    let mut response = Response::new(Body::from(body));
    *response.status_mut() = status;
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/x-amz-json-1.0"));
    let id = format!("00000000-0000-4000-8000-{number:012x}");
    headers.insert(REQUEST_ID, HeaderValue::try_from(id).expect("hexadecimal digits are ASCII"));
    if let Some(name) = error {
        headers.insert(ERROR_TYPE, HeaderValue::from_static(name));
    }
    response
}

async fn perform(standin: &TimestreamStandin, request: Request) -> Result<Bytes, ApiError> {
    let operation = operation(request.method(), request.headers())?;
    let body = axum::body::to_bytes(request.into_body(), MAX_BODY_BYTES).await.map_err(|_| {
        let message = format!("The request has more than {MAX_BODY_BYTES} bytes.");
        ApiError::new(ErrorKind::RequestTooLarge, message)
    })?;
    let shared = &standin.0;
    let answer = match operation.as_str() {
        "DescribeEndpoints" => control::describe_endpoints(shared),
        "CreateDatabase" => control::create_database(shared, &body)?,
        "DescribeDatabase" => control::describe_database(shared, &body)?,
        "UpdateDatabase" => control::update_database(shared, &body)?,
        "DeleteDatabase" => control::delete_database(shared, &body)?,
        "ListDatabases" => control::list_databases(shared, &body)?,
        "CreateTable" => control::create_table(shared, &body)?,
        "DescribeTable" => control::describe_table(shared, &body)?,
        "UpdateTable" => control::update_table(shared, &body)?,
        "DeleteTable" => control::delete_table(shared, &body)?,
        "ListTables" => control::list_tables(shared, &body)?,
        "WriteRecords" => write::write_records(shared, &body)?,
        "Query" => return query::query(shared, &body).await,
        "CancelQuery" => query::cancel(shared, &body)?,
        "DescribeAccountSettings" => query::account_settings(),
        other => {
            let message = format!("The operation {other} is not supported.");
            return Err(ApiError::new(ErrorKind::UnknownOperation, message));
        }
    };
    Ok(Bytes::from(answer.to_string()))
}

/// The name of the operation that a request asks for, once it is known to be a signed one.
fn operation(method: &Method, headers: &HeaderMap) -> Result<String, ApiError> {
    let target = headers.get(TARGET).and_then(|target| target.to_str().ok());
    let operation = target.and_then(|target| target.strip_prefix(TARGET_PREFIX));
    let Some(operation) = operation.filter(|_| method == Method::POST) else {
        let message = format!("A request must be a POST with `{TARGET}: {TARGET_PREFIX}…`.");
        return Err(ApiError::new(ErrorKind::UnknownOperation, message));
    };
    if !headers.contains_key(AUTHORIZATION) {
        return Err(ApiError::new(
            ErrorKind::MissingAuthenticationToken,
            "Missing Authentication Token",
        ));
    }
    Ok(operation.to_owned())
}
