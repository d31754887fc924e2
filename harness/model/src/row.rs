//! Rows of time series, as both stores can tell them.
//!
//! A [`Row`] is one instant of one series with all its fields. Field values keep the type that the
//! store gave them: an integer that became a float is a difference, not a rounding.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

/// The value of one field. `Unsigned` exists only in InfluxDB and is always a mapping fault.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum FieldValue {
    /// A 64-bit float. Written to JSON as its shortest text, so that NaN and -0.0 survive.
    Float(#[serde(with = "float_text")] f64),
    /// A signed 64-bit integer.
    Integer(i64),
    /// An unsigned 64-bit integer (`u` suffix in line protocol).
    Unsigned(u64),
    /// A string, empty ones included.
    Text(String),
    /// A boolean.
    Boolean(bool),
}

impl FieldValue {
    /// The type of this value.
    pub fn field_type(&self) -> FieldType {
        match self {
            Self::Float(_) => FieldType::Float,
            Self::Integer(_) => FieldType::Integer,
            Self::Unsigned(_) => FieldType::Unsigned,
            Self::Text(_) => FieldType::Text,
            Self::Boolean(_) => FieldType::Boolean,
        }
    }
}

impl std::fmt::Display for FieldValue {
    /// The shortest text that reads back as the same value; strings in quotes.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Float(value) => write!(f, "{value:?}"),
            Self::Integer(value) => write!(f, "{value}"),
            Self::Unsigned(value) => write!(f, "{value}u"),
            Self::Text(value) => write!(f, "{value:?}"),
            Self::Boolean(value) => write!(f, "{value}"),
        }
    }
}

/// The type of a field.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum FieldType {
    /// A 64-bit float: `DOUBLE` in Timestream.
    Float,
    /// A signed 64-bit integer: `BIGINT` in Timestream.
    Integer,
    /// An unsigned 64-bit integer: no counterpart in Timestream.
    Unsigned,
    /// A string: `VARCHAR` in Timestream.
    Text,
    /// A boolean: `BOOLEAN` in Timestream.
    Boolean,
}

impl FieldType {
    /// The word used in scenarios and reports.
    pub fn word(self) -> &'static str {
        match self {
            Self::Float => "float",
            Self::Integer => "integer",
            Self::Unsigned => "unsigned",
            Self::Text => "text",
            Self::Boolean => "boolean",
        }
    }
}

/// The tags of a series, by tag key. A tag that is absent has no entry; no value is empty.
pub type Tags = BTreeMap<String, String>;

/// One instant of one series. A field that is null or absent has no entry.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Row {
    /// Nanoseconds since 1970-01-01T00:00:00Z.
    pub time_ns: i64,
    /// What names the series within its measurement.
    pub tags: Tags,
    /// The fields that have a value at this instant.
    pub fields: BTreeMap<String, FieldValue>,
}

/// A half-open range of time, in nanoseconds since 1970-01-01T00:00:00Z.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct TimeRange {
    /// The first instant inside.
    pub start_ns: i64,
    /// The first instant after it.
    pub stop_ns: i64,
}

mod float_text {
    use serde::{Deserialize, Deserializer, Serializer};

    // `#[serde(with)]` fixes this signature.
    #[expect(clippy::trivially_copy_pass_by_ref, reason = "the signature is serde's")]
    pub(super) fn serialize<S: Serializer>(value: &f64, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&format!("{value:?}"))
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<f64, D::Error> {
        let text = String::deserialize(deserializer)?;
        text.parse().map_err(|_| serde::de::Error::custom(format!("`{text}` is not a float")))
    }
}
