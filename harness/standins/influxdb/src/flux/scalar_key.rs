//! Scalars as keys of hash tables.
//!
//! [`ScalarKey`] finds the same values equal that the order of values does: both zeros are one, and
//! so are all that are no number.

use std::sync::Arc;

use super::column::{Column, Data};
use super::value::Value;

/// A scalar that can be hashed.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) enum ScalarKey {
    Null,
    Bool(bool),
    Int(i64),
    UInt(u64),
    Float(u64),
    String(Arc<str>),
    Time(i64),
}

impl ScalarKey {
    /// The key of a cell.
    pub(crate) fn of(column: &Column, row: usize) -> Self {
        let found = match &column.data {
            Data::Repeat { value, .. } => match value {
                Value::Bool(value) => Some(Self::Bool(*value)),
                Value::Int(value) => Some(Self::Int(*value)),
                Value::UInt(value) => Some(Self::UInt(*value)),
                Value::Float(value) => Some(Self::float(*value)),
                Value::String(value) => Some(Self::String(Arc::clone(value))),
                Value::Time(value) => Some(Self::Time(*value)),
                _ => None,
            },
            Data::Bool(cells) => cells.get(row).copied().map(Self::Bool),
            Data::Int(cells) => cells.get(row).copied().map(Self::Int),
            Data::UInt(cells) => cells.get(row).copied().map(Self::UInt),
            Data::Float(cells) => cells.get(row).copied().map(Self::float),
            Data::String(cells) => cells.get(row).cloned().map(Self::String),
            Data::Time(cells) => cells.get(row).copied().map(Self::Time),
        };
        found.unwrap_or(Self::Null)
    }

    fn float(value: f64) -> Self {
        Self::Float(if value == 0.0 {
            0
        } else if value.is_nan() {
            f64::NAN.to_bits()
        } else {
            value.to_bits()
        })
    }
}
