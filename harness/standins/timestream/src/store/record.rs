//! A record of `WriteRecords` after its checks: what identifies it, and what it measured.

use crate::value::Value;

/// One row to be stored.
#[derive(Clone, Debug)]
pub(crate) struct Record {
    /// Name and value, in the order of the request; no name twice.
    pub(crate) dimensions: Vec<(String, String)>,
    pub(crate) measure_name: String,
    pub(crate) time_ns: i64,
    pub(crate) version: i64,
    pub(crate) measures: Measures,
}

/// What a record measured.
#[derive(Clone, Debug)]
pub(crate) enum Measures {
    /// One value; its column is named after its type.
    Single(Value),
    /// Several values, each with a column of its own name; no name twice.
    Multi(Vec<(String, Value)>),
}

impl Measures {
    /// Each value with the name of its column.
    pub(crate) fn columns(&self) -> Vec<(&str, &Value)> {
        match self {
            Self::Single(value) => vec![(value.scalar_type().measure_column(), value)],
            Self::Multi(values) => {
                values.iter().map(|(name, value)| (name.as_str(), value)).collect()
            }
        }
    }

    /// The type as `SHOW MEASURES` tells it.
    pub(crate) fn type_name(&self) -> &'static str {
        match self {
            Self::Single(value) => value.scalar_type().sql_name(),
            Self::Multi(_) => "multi",
        }
    }
}
