//! The shapes of requests, as the clients send them: every member optional, nothing checked.
//!
//! The operations turn these into checked values. Members that the service defines and this
//! stand-in ignores (tags, KMS keys, insights) are not listed; unknown members are skipped, as the
//! service does.

use serde::Deserialize;
use serde::de::DeserializeOwned;

use crate::error::{ApiError, ErrorKind};

/// Reads a request body; an empty body counts as `{}`.
pub(crate) fn parse<T: DeserializeOwned>(body: &[u8]) -> Result<T, ApiError> {
    let body = if body.is_empty() { b"{}" } else { body };
    serde_json::from_slice(body).map_err(|error| {
        ApiError::new(ErrorKind::Serialization, format!("Failed to read the request: {error}"))
    })
}

/// The value of a required member.
pub(crate) fn required<T>(value: Option<T>, name: &str) -> Result<T, ApiError> {
    value.ok_or_else(|| {
        ApiError::validation(format!(
            "1 validation error detected: Value at '{name}' failed to satisfy constraint: Member \
             must not be null"
        ))
    })
}

/// A request that names a database or a table, with what creating or updating one adds.
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct ResourceRequest {
    pub(crate) database_name: Option<String>,
    pub(crate) table_name: Option<String>,
    pub(crate) retention_properties: Option<RetentionWire>,
    pub(crate) magnetic_store_write_properties: Option<MagneticWire>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct RetentionWire {
    pub(crate) memory_store_retention_period_in_hours: Option<i64>,
    pub(crate) magnetic_store_retention_period_in_days: Option<i64>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct MagneticWire {
    pub(crate) enable_magnetic_store_writes: Option<bool>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct ListRequest {
    pub(crate) database_name: Option<String>,
    pub(crate) next_token: Option<String>,
    pub(crate) max_results: Option<i64>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct WriteRecordsRequest {
    pub(crate) database_name: Option<String>,
    pub(crate) table_name: Option<String>,
    pub(crate) common_attributes: Option<RecordWire>,
    pub(crate) records: Option<Vec<RecordWire>>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub(crate) struct RecordWire {
    pub(crate) dimensions: Option<Vec<DimensionWire>>,
    pub(crate) measure_name: Option<String>,
    pub(crate) measure_value: Option<String>,
    pub(crate) measure_value_type: Option<String>,
    pub(crate) measure_values: Option<Vec<MeasureValueWire>>,
    pub(crate) time: Option<String>,
    pub(crate) time_unit: Option<String>,
    pub(crate) version: Option<i64>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct DimensionWire {
    pub(crate) name: Option<String>,
    pub(crate) value: Option<String>,
    pub(crate) dimension_value_type: Option<String>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct MeasureValueWire {
    pub(crate) name: Option<String>,
    pub(crate) value: Option<String>,
    #[serde(rename = "Type")]
    pub(crate) value_type: Option<String>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct QueryRequest {
    pub(crate) query_string: Option<String>,
    pub(crate) client_token: Option<String>,
    pub(crate) next_token: Option<String>,
    pub(crate) max_rows: Option<i64>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct CancelRequest {
    pub(crate) query_id: Option<String>,
}
