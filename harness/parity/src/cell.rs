//! One value, borrowed: what decoders hand to a batch and what a batch gives back.
//!
//! The main type is [`Cell`], the borrowed twin of [`FieldValue`].

use cutover_model::{FieldType, FieldValue};

/// A value that is there. An absent one is `None` wherever a cell is optional.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Cell<'a> {
    /// A 64-bit float.
    Float(f64),
    /// A signed 64-bit integer.
    Integer(i64),
    /// An unsigned 64-bit integer.
    Unsigned(u64),
    /// A string.
    Text(&'a str),
    /// A boolean.
    Boolean(bool),
}

impl Cell<'_> {
    /// The type of this value.
    pub fn field_type(self) -> FieldType {
        match self {
            Self::Float(_) => FieldType::Float,
            Self::Integer(_) => FieldType::Integer,
            Self::Unsigned(_) => FieldType::Unsigned,
            Self::Text(_) => FieldType::Text,
            Self::Boolean(_) => FieldType::Boolean,
        }
    }

    /// Whether both are the same value of the same type; floats by their bits, NaN by being NaN.
    pub(crate) fn same(self, other: Self) -> bool {
        match (self, other) {
            (Self::Float(a), Self::Float(b)) => {
                a.to_bits() == b.to_bits() || (a.is_nan() && b.is_nan())
            }
            (a, b) => a == b,
        }
    }
}

impl<'a> From<&'a FieldValue> for Cell<'a> {
    fn from(value: &'a FieldValue) -> Self {
        match value {
            FieldValue::Float(value) => Self::Float(*value),
            FieldValue::Integer(value) => Self::Integer(*value),
            FieldValue::Unsigned(value) => Self::Unsigned(*value),
            FieldValue::Text(value) => Self::Text(value),
            FieldValue::Boolean(value) => Self::Boolean(*value),
        }
    }
}

impl From<Cell<'_>> for FieldValue {
    fn from(cell: Cell<'_>) -> Self {
        match cell {
            Cell::Float(value) => Self::Float(value),
            Cell::Integer(value) => Self::Integer(value),
            Cell::Unsigned(value) => Self::Unsigned(value),
            Cell::Text(value) => Self::Text(value.to_owned()),
            Cell::Boolean(value) => Self::Boolean(value),
        }
    }
}
