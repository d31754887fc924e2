//! `/query` of the 1.x API: `InfluxQL` in, JSON, CSV or `MessagePack` out.
//!
//! Parameters come in the query string or in a form, whose own come first. Who asks is found out
//! before, by `auth`.

use std::sync::Arc;

use axum::Extension;
use axum::extract::{Request, State};
use axum::response::{IntoResponse, Response};
use http::request::Parts;
use http::{HeaderMap, Method, header};
use serde_json::Value;

use super::auth::Caller;
use super::error::ApiError;
use super::form::Form;
use super::request;
use crate::Server;
use crate::influxql::{
    self, Bound, DEFAULT_CHUNK_ROWS, Delivery, Encoding, Epoch, Parameters, Query, Token,
};

/// Runs the statements of a request. Only what cannot be read is a refusal; a statement that
/// fails is a part of the answer.
pub(super) async fn query(
    State(server): State<Arc<Server>>,
    Extension(caller): Extension<Caller>,
    request: Request,
) -> Result<Response, ApiError> {
    let (Parts { method, uri, headers, .. }, body) = request.into_parts();
    let url = Form::parse(uri.query().unwrap_or_default().as_bytes());
    let body = request::body(&server, body).await?;
    let media_type = media_type(&headers);
    let takes_form = matches!(method, Method::POST | Method::PUT | Method::PATCH);
    let is_form = media_type.as_deref() == Some("application/x-www-form-urlencoded");
    let form = if takes_form && is_form { Form::parse(&body).with(url) } else { url };
    let mut text = form.value("q").trim().to_owned();
    if text.is_empty() {
        let media_type = media_type.ok_or_else(|| ApiError::invalid("mime: no media type"))?;
        if media_type == "application/vnd.influxql" {
            text = String::from_utf8_lossy(&body).into_owned();
        }
    }
    let (encoding, content_type) = encoding(&headers);
    let query = Query {
        text,
        parameters: parameters(form.value("params"))?,
        org: caller.org(),
        permissions: caller.permissions(),
        database: form.value("db").to_owned(),
        retention_policy: form.value("rp").to_owned(),
        epoch: Epoch::named(form.value("epoch")),
        encoding,
        delivery: delivery(&form),
    };
    let answer = influxql::run(&server, &query)
        .map_err(|error| ApiError::invalid(format!("failed to parse query: {error}")))?;
    Ok(([(header::CONTENT_TYPE, content_type)], answer).into_response())
}

fn media_type(headers: &HeaderMap) -> Option<String> {
    let value = headers.get(header::CONTENT_TYPE)?.to_str().ok()?;
    let media_type = value.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
    (!media_type.is_empty()).then_some(media_type)
}

fn encoding(headers: &HeaderMap) -> (Encoding, &'static str) {
    let accepted = headers.get(header::ACCEPT).and_then(|value| value.to_str().ok());
    match accepted {
        Some("application/csv") => (Encoding::Csv, "application/csv"),
        Some("text/csv") => (Encoding::Csv, "text/csv"),
        Some("application/x-msgpack") => (Encoding::MessagePack, "application/x-msgpack"),
        _ => (Encoding::Json, "application/json"),
    }
}

fn delivery(form: &Form) -> Delivery {
    if form.value("chunked") != "true" {
        return Delivery::Whole;
    }
    let rows = form.value("chunk_size").parse::<usize>().ok().filter(|rows| *rows > 0);
    Delivery::Chunked(rows.unwrap_or(DEFAULT_CHUNK_ROWS))
}

/// The values of bound parameters.
fn parameters(text: &str) -> Result<Parameters, ApiError> {
    if text.is_empty() {
        return Ok(Parameters::new());
    }
    let wrong = |error: &dyn std::fmt::Display| format!("error parsing query parameters: {error}");
    let mut stream = serde_json::Deserializer::from_str(text).into_iter::<Value>();
    let value = match stream.next() {
        Some(Ok(value)) => value,
        Some(Err(error)) if error.is_eof() => {
            return Err(ApiError::invalid(wrong(&"unexpected EOF")));
        }
        Some(Err(error)) => return Err(ApiError::invalid(wrong(&error))),
        None => return Err(ApiError::invalid(wrong(&"EOF"))),
    };
    match value {
        Value::Null => Ok(Parameters::new()),
        Value::Object(pairs) => {
            pairs.into_iter().map(|(name, value)| Ok((name, bind(&value)?))).collect()
        }
        other => {
            let kind = match other {
                Value::Array(_) => "array",
                Value::String(_) => "string",
                Value::Bool(_) => "bool",
                _ => "number",
            };
            let message = format!(
                "json: cannot unmarshal {kind} into Go value of type map[string]interface {{}}"
            );
            Err(ApiError::invalid(wrong(&message)))
        }
    }
}

/// What is put in the place of a parameter. A value of no use becomes a parameter that is missing,
/// with the reason for its name.
fn bind(value: &Value) -> Result<Bound, ApiError> {
    let bound = |token, text: &str| Ok(Bound { token, text: text.to_owned() });
    let unusable =
        |reason: &str| Ok(Bound { token: Token::BoundParameter, text: reason.to_owned() });
    match value {
        Value::String(text) => bound(Token::String, text),
        Value::Bool(value) => bound(if *value { Token::True } else { Token::False }, ""),
        Value::Number(number) => number_token(&number.to_string()),
        Value::Null => unusable("unable to bind parameter with type <nil>"),
        Value::Array(_) => unusable("unable to bind parameter with type []interface {}"),
        Value::Object(pairs) => {
            let mut entries = pairs.iter();
            let (Some((kind, value)), None) = (entries.next(), entries.next()) else {
                return unusable("bound object parameter value must have exactly one entry");
            };
            match (kind.as_str(), value) {
                ("ident" | "identifier", Value::String(text)) => bound(Token::Ident, text),
                ("ident" | "identifier", _) => unusable("identifier must be a string value"),
                ("regex", Value::String(text)) => bound(Token::Regex, text),
                ("regex", _) => unusable("regex literal must be a string value"),
                ("string", Value::String(text)) => bound(Token::String, text),
                ("string", _) => unusable("string literal must be a string value"),
                ("float" | "number", Value::Number(number)) => {
                    bound(Token::Number, &number.to_string())
                }
                ("float" | "number", _) => unusable("number literal must be a float value"),
                ("int" | "integer", Value::Number(number)) if number.is_i64() => {
                    bound(Token::Integer, &number.to_string())
                }
                ("int" | "integer", _) => unusable("integer literal must be an integer value"),
                ("duration", Value::String(text)) => bound(Token::Duration, text),
                ("duration", Value::Number(number)) => match number.as_i64() {
                    Some(length_ns) => bound(Token::Duration, &format!("{length_ns}ns")),
                    None => unusable("duration literal must be a string or integer value"),
                },
                ("duration", _) => unusable("duration literal must be a string or integer value"),
                (other, _) => unusable(&format!("unknown bind object type: {other}")),
            }
        }
    }
}

fn number_token(text: &str) -> Result<Bound, ApiError> {
    let text = text.to_owned();
    if text.contains('.') {
        return Ok(Bound { token: Token::Number, text });
    }
    if text.parse::<i64>().is_ok() {
        return Ok(Bound { token: Token::Integer, text });
    }
    let reason =
        format!("error parsing json value: strconv.ParseInt: parsing {text:?}: invalid syntax");
    Err(ApiError::invalid(reason))
}
