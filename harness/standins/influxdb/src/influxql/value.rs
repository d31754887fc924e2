//! One value of a row, and its passage from one type to another.

use std::sync::Arc;

use super::ast::DataType;

/// A value, or the lack of one.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) enum Value {
    #[default]
    Null,
    Float(f64),
    Integer(i64),
    Unsigned(u64),
    String(Arc<str>),
    Boolean(bool),
}

impl Value {
    pub(crate) fn is_null(&self) -> bool {
        matches!(self, Self::Null)
    }

    /// The number as a float, if it is one.
    pub(crate) fn as_float(&self) -> Option<f64> {
        match self {
            Self::Float(number) => Some(*number),
            Self::Integer(number) => Some(*number as f64),
            Self::Unsigned(number) => Some(*number as f64),
            _ => None,
        }
    }

    fn as_integer(&self) -> Option<i64> {
        match self {
            Self::Float(number) => Some(integer_of(*number)),
            Self::Integer(number) => Some(*number),
            Self::Unsigned(number) => Some(number.cast_signed()),
            _ => None,
        }
    }

    fn as_unsigned(&self) -> Option<u64> {
        match self {
            Self::Float(number) => Some(unsigned_of(*number)),
            Self::Integer(number) => Some(number.cast_unsigned()),
            Self::Unsigned(number) => Some(*number),
            _ => None,
        }
    }

    /// The value as a type, or as it is where it has no such form.
    pub(crate) fn cast(self, data_type: DataType) -> Self {
        self.try_cast(data_type).unwrap_or(self)
    }

    /// The value as a type, if it has that form.
    pub(crate) fn try_cast(&self, data_type: DataType) -> Option<Self> {
        match data_type {
            DataType::Float => self.as_float().map(Self::Float),
            DataType::Integer => self.as_integer().map(Self::Integer),
            DataType::Unsigned => self.as_unsigned().map(Self::Unsigned),
            DataType::String | DataType::Tag => {
                matches!(self, Self::String(_)).then(|| self.clone())
            }
            DataType::Boolean => matches!(self, Self::Boolean(_)).then(|| self.clone()),
            _ => Some(self.clone()),
        }
    }

    /// The value of a type that is made of nothing: zero, an empty text, false.
    pub(crate) fn zero(data_type: DataType) -> Self {
        match data_type {
            DataType::Float => Self::Float(0.0),
            DataType::Integer => Self::Integer(0),
            DataType::Unsigned => Self::Unsigned(0),
            DataType::String | DataType::Tag => Self::String(Arc::from("")),
            DataType::Boolean => Self::Boolean(false),
            _ => Self::Null,
        }
    }

    /// The type of the value.
    pub(crate) fn data_type(&self) -> DataType {
        match self {
            Self::Null => DataType::Unknown,
            Self::Float(_) => DataType::Float,
            Self::Integer(_) => DataType::Integer,
            Self::Unsigned(_) => DataType::Unsigned,
            Self::String(_) => DataType::String,
            Self::Boolean(_) => DataType::Boolean,
        }
    }
}

/// A float cut to a whole number; what 64 bits cannot hold becomes the least of them, as on the
/// server's processors.
#[expect(clippy::cast_possible_truncation, reason = "the range is checked, the fraction is cut")]
pub(crate) fn integer_of(number: f64) -> i64 {
    let limit = 9_223_372_036_854_775_808.0;
    if (-limit..limit).contains(&number) { number as i64 } else { i64::MIN }
}

/// [`integer_of`] without a sign.
fn unsigned_of(number: f64) -> u64 {
    let limit = 9_223_372_036_854_775_808.0;
    if number < limit {
        integer_of(number).cast_unsigned()
    } else {
        integer_of(number - limit).cast_unsigned() ^ (1 << 63)
    }
}
