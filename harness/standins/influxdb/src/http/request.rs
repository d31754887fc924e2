//! What a request brings: parameters of its query string, and its body within the limit.

use std::io::Read;

use axum::body::Body;
use axum::extract::Query;
use bytes::Bytes;
use flate2::bufread::MultiGzDecoder;
use http::{HeaderMap, header};
use http_body_util::{BodyExt, LengthLimitError, Limited};
use serde::de::DeserializeOwned;

use super::error::{ApiError, Code};
use crate::Server;
use crate::accounts::{Accounts, BucketEntry, Id, Org};

/// The decoded parameters of a query string, in their order.
pub(super) type Parameters = Query<Vec<(String, String)>>;

/// The first parameter of this name that is not empty.
pub(super) fn parameter<'a>(parameters: &'a Parameters, name: &str) -> Option<&'a str> {
    let found = parameters.iter().find(|(key, _)| key == name);
    found.map(|(_, value)| value.as_str()).filter(|value| !value.is_empty())
}

/// Reads a body as it was sent.
pub(super) async fn body(server: &Server, body: Body) -> Result<Bytes, ApiError> {
    match Limited::new(body, server.config.max_body_bytes).collect().await {
        Ok(collected) => Ok(collected.to_bytes()),
        Err(error) if error.is::<LengthLimitError>() => Err(too_large()),
        Err(error) => Err(ApiError::new(Code::Internal, format!("unable to read data: {error}"))),
    }
}

/// Reads a JSON body; the error is worded as most of the server's handlers word it.
pub(super) async fn json<T: DeserializeOwned>(server: &Server, raw: Body) -> Result<T, ApiError> {
    let bytes = body(server, raw).await?;
    first_json(&bytes).map_err(|error| ApiError::invalid(format!("{UNREADABLE_JSON}: {error}")))
}

/// How most refusals of a JSON body begin.
pub(super) const UNREADABLE_JSON: &str = "failed to unmarshal json";

/// The first JSON value of a body, as the server reads no further. The error is what its decoder
/// says when the body ends too early, and what ours says otherwise.
pub(super) fn first_json<T: DeserializeOwned>(body: &[u8]) -> Result<T, String> {
    let first = serde_json::Deserializer::from_slice(body).into_iter::<T>().next();
    match first {
        None => Err("EOF".to_owned()),
        Some(Err(error)) if error.is_eof() => Err("unexpected EOF".to_owned()),
        Some(read) => read.map_err(|error| error.to_string()),
    }
}

/// Whether a body says that it is compressed.
pub(super) fn is_gzip(headers: &HeaderMap) -> bool {
    let encoding = headers.get(header::CONTENT_ENCODING).and_then(|value| value.to_str().ok());
    matches!(encoding, Some("gzip" | "x-gzip"))
}

/// Refuses a body that does not begin as a compressed one does. The server does not pass on what
/// its decompressor says here.
pub(super) fn check_gzip(body: &[u8]) -> Result<(), ApiError> {
    if MultiGzDecoder::new(body).header().is_some() {
        return Ok(());
    }
    Err(ApiError::new(Code::Internal, "An internal error has occurred - check server logs"))
}

/// Decompresses a body, which then obeys the same limit as a plain one.
pub(super) fn inflate(server: &Server, body: &[u8]) -> Result<Bytes, ApiError> {
    let limit = server.config.max_body_bytes;
    let mut inflated = Vec::new();
    let mut reader = MultiGzDecoder::new(body).take(limit as u64 + 1);
    if let Err(error) = reader.read_to_end(&mut inflated) {
        return Err(unreadable_gzip(&error));
    }
    if inflated.len() > limit { Err(too_large()) } else { Ok(Bytes::from(inflated)) }
}

fn unreadable_gzip(error: &std::io::Error) -> ApiError {
    let text = error.to_string();
    let (code, cause) = if error.kind() == std::io::ErrorKind::UnexpectedEof {
        (Code::Internal, "unexpected EOF")
    } else if text.contains("checksum") {
        (Code::Invalid, "gzip: invalid checksum")
    } else if text.contains("header") {
        (Code::Invalid, "gzip: invalid header")
    } else {
        (Code::Internal, "flate: corrupt input")
    };
    ApiError::new(code, format!("unable to read data: {cause}"))
}

fn too_large() -> ApiError {
    ApiError::new(Code::TooLarge, "unable to read data: points batch is too large")
}

/// Which part of a list is asked for.
pub(super) struct Page {
    pub(super) offset: i64,
    pub(super) limit: usize,
    pub(super) after: Option<Id>,
    pub(super) descending: bool,
    pub(super) sort_by: Option<String>,
}

const DEFAULT_PAGE: usize = 20;
const MAX_PAGE: usize = 100;

impl Page {
    pub(super) fn read(parameters: &Parameters) -> Result<Self, ApiError> {
        let offset = number(parameters, "offset")?.unwrap_or(0);
        let after = parameter(parameters, "after").map(id).transpose();
        let after = after.map_err(|error| ApiError::invalid(format!("decoding after: {error}")))?;
        let limit = match number(parameters, "limit")? {
            None => DEFAULT_PAGE,
            Some(limit) => usize::try_from(limit)
                .ok()
                .filter(|limit| (1..=MAX_PAGE).contains(limit))
                .ok_or_else(|| {
                    ApiError::invalid(format!("limit must be between 1 and {MAX_PAGE}"))
                })?,
        };
        let descending = match parameter(parameters, "descending") {
            None | Some("0" | "f" | "F" | "false" | "False" | "FALSE") => false,
            Some("1" | "t" | "T" | "true" | "True" | "TRUE") => true,
            Some(_) => return Err(ApiError::invalid("descending is invalid")),
        };
        let sort_by = parameter(parameters, "sortBy").map(str::to_owned);
        Ok(Self { offset, limit, after, descending, sort_by })
    }

    /// This page of a list. A negative offset skips nothing.
    pub(super) fn of<T>(&self, list: impl Iterator<Item = T>) -> Vec<T> {
        list.skip(usize::try_from(self.offset).unwrap_or(0)).take(self.limit).collect()
    }
}

fn number(parameters: &Parameters, name: &str) -> Result<Option<i64>, ApiError> {
    let parse =
        |text: &str| text.parse().map_err(|_| ApiError::invalid(format!("{name} is invalid")));
    parameter(parameters, name).map(parse).transpose()
}

/// An identifier, or the server's complaint about it.
pub(super) fn id(text: &str) -> Result<Id, ApiError> {
    Id::parse(text).ok_or_else(|| {
        let wrong_length = text.len() != 16;
        let message = if wrong_length { "id must have a length of 16 bytes" } else { "invalid ID" };
        ApiError::invalid(message)
    })
}

/// The organisation that `org` (a name or an identifier) or `orgID` names.
pub(super) fn organization(accounts: &Accounts, parameters: &Parameters) -> Result<Org, ApiError> {
    if let Some(text) = parameter(parameters, "orgID") {
        return organization_by_id(accounts, id(text)?);
    }
    let Some(name) = parameter(parameters, "org") else {
        return Err(ApiError::invalid("Please provide either orgID or org"));
    };
    if let Some(id) = Id::parse(name) {
        return organization_by_id(accounts, id);
    }
    organization_named(accounts, name)
}

pub(super) fn organization_named(accounts: &Accounts, name: &str) -> Result<Org, ApiError> {
    let found = accounts.org_named(name).cloned();
    found.ok_or_else(|| ApiError::not_found(format!("organization name \"{name}\" not found")))
}

pub(super) fn organization_by_id(accounts: &Accounts, id: Id) -> Result<Org, ApiError> {
    accounts.org(id).cloned().ok_or_else(|| ApiError::not_found("organization not found"))
}

/// The bucket with this identifier, of whatever organisation, or with this name.
pub(super) fn bucket(accounts: &Accounts, org: Id, name: &str) -> Result<BucketEntry, ApiError> {
    let by_id = Id::parse(name).and_then(|id| accounts.bucket(id));
    let found = by_id.or_else(|| accounts.bucket_named(org, name)).cloned();
    found.ok_or_else(|| ApiError::not_found(format!("bucket \"{name}\" not found")))
}
