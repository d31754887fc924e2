//! The service's exceptions, as clients see them.
//!
//! The main type is [`ApiError`]. Its messages are the service's own, which is why they begin with
//! a capital. What an exception looks like on the wire is [`ApiError::body`]; the headers are
//! `http`'s.

use serde_json::{Value, json};

/// The answer of an operation that did not succeed.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
#[error("{message}")]
pub(crate) struct ApiError {
    pub(crate) kind: ErrorKind,
    pub(crate) message: String,
    /// Only for [`ErrorKind::RejectedRecords`].
    pub(crate) rejected: Vec<RejectedRecord>,
}

/// The exception's name. The SDKs choose their typed error by it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum ErrorKind {
    Conflict,
    InternalServer,
    MissingAuthenticationToken,
    QueryExecution,
    RejectedRecords,
    RequestTooLarge,
    ResourceNotFound,
    Serialization,
    ServiceQuotaExceeded,
    UnknownOperation,
    Validation,
}

/// A record of a `WriteRecords` call that was not stored.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct RejectedRecord {
    pub(crate) index: usize,
    pub(crate) reason: String,
    /// The version in store, when the version was the reason.
    pub(crate) existing_version: Option<i64>,
}

impl ErrorKind {
    /// The name on the wire, and the HTTP status that goes with it.
    fn name_and_status(self) -> (&'static str, u16) {
        match self {
            Self::Conflict => ("ConflictException", 400),
            Self::InternalServer => ("InternalServerException", 500),
            Self::MissingAuthenticationToken => ("MissingAuthenticationTokenException", 400),
            Self::QueryExecution => ("QueryExecutionException", 400),
            // The service answers rejected records with this unusual status.
            Self::RejectedRecords => ("RejectedRecordsException", 419),
            Self::RequestTooLarge => ("RequestEntityTooLargeException", 413),
            Self::ResourceNotFound => ("ResourceNotFoundException", 400),
            Self::Serialization => ("SerializationException", 400),
            Self::ServiceQuotaExceeded => ("ServiceQuotaExceededException", 400),
            Self::UnknownOperation => ("UnknownOperationException", 400),
            Self::Validation => ("ValidationException", 400),
        }
    }
}

impl ApiError {
    pub(crate) fn new(kind: ErrorKind, message: impl Into<String>) -> Self {
        Self { kind, message: message.into(), rejected: Vec::new() }
    }

    pub(crate) fn validation(message: impl Into<String>) -> Self {
        Self::new(ErrorKind::Validation, message)
    }

    pub(crate) fn not_found(message: impl Into<String>) -> Self {
        Self::new(ErrorKind::ResourceNotFound, message)
    }

    pub(crate) fn rejected(rejected: Vec<RejectedRecord>) -> Self {
        Self {
            kind: ErrorKind::RejectedRecords,
            message: "One or more records have been rejected. See RejectedRecords for details."
                .to_owned(),
            rejected,
        }
    }

    pub(crate) fn name(&self) -> &'static str {
        self.kind.name_and_status().0
    }

    pub(crate) fn status(&self) -> u16 {
        self.kind.name_and_status().1
    }

    /// The body of the response.
    pub(crate) fn body(&self) -> Value {
        let mut body = json!({
            "__type": format!("com.amazonaws.timestream.v20181101#{}", self.name()),
            "Message": self.message,
        });
        if self.kind == ErrorKind::RejectedRecords {
            body["RejectedRecords"] = self.rejected.iter().map(RejectedRecord::to_json).collect();
        }
        body
    }
}

impl RejectedRecord {
    fn to_json(&self) -> Value {
        let mut record = json!({ "RecordIndex": self.index, "Reason": self.reason });
        if let Some(version) = self.existing_version {
            record["ExistingVersion"] = version.into();
        }
        record
    }
}
