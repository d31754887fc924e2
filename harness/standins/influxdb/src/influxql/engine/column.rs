//! The values of one field of one series within one shard group, or what stands in for them.

use std::sync::Arc;

use crate::influxql::ast::DataType;
use crate::influxql::value::Value;
use crate::store::{FieldType, Points, Values};

/// Values by time.
#[derive(Debug)]
pub(super) enum Column {
    /// No value at any time.
    Missing,
    /// The same value at every time.
    Constant(Value),
    /// The values of a field.
    Field(Points),
}

impl Column {
    /// The value at an instant; `guess` is where it probably stands.
    pub(super) fn at(&self, time_ns: i64, guess: usize) -> Value {
        match self {
            Self::Missing => Value::Null,
            Self::Constant(value) => value.clone(),
            Self::Field(points) => {
                let index = if points.times.get(guess) == Some(&time_ns) {
                    Ok(guess)
                } else {
                    points.times.binary_search(&time_ns)
                };
                index.map_or(Value::Null, |index| value(&points.values, index))
            }
        }
    }
}

/// One of the values.
pub(super) fn value(values: &Values, index: usize) -> Value {
    match values {
        Values::Float(list) => Value::Float(list[index]),
        Values::Integer(list) => Value::Integer(list[index]),
        Values::Unsigned(list) => Value::Unsigned(list[index]),
        Values::String(list) => Value::String(Arc::clone(&list[index])),
        Values::Boolean(list) => Value::Boolean(list[index]),
    }
}

/// The type of a stored field in the terms of queries.
pub(super) fn data_type(field_type: FieldType) -> DataType {
    match field_type {
        FieldType::Float => DataType::Float,
        FieldType::Integer => DataType::Integer,
        FieldType::Unsigned => DataType::Unsigned,
        FieldType::String => DataType::String,
        FieldType::Boolean => DataType::Boolean,
    }
}

/// The values as another type: numbers become other numbers, nothing else changes its type.
pub(super) fn cast(values: Values, wanted: DataType) -> Option<Values> {
    let own = data_type(values.field_type());
    if own == wanted || matches!(wanted, DataType::Unknown | DataType::AnyField) {
        return Some(values);
    }
    if !own.is_numeric() || !wanted.is_numeric() {
        return None;
    }
    let count = match &values {
        Values::Float(list) => list.len(),
        Values::Integer(list) => list.len(),
        Values::Unsigned(list) => list.len(),
        _ => 0,
    };
    let numbers = (0..count).map(|index| value(&values, index).cast(wanted));
    Some(match wanted {
        DataType::Float => Values::Float(numbers.filter_map(|number| number.as_float()).collect()),
        DataType::Integer => Values::Integer(
            numbers
                .filter_map(|number| match number {
                    Value::Integer(number) => Some(number),
                    _ => None,
                })
                .collect(),
        ),
        _ => Values::Unsigned(
            numbers
                .filter_map(|number| match number {
                    Value::Unsigned(number) => Some(number),
                    _ => None,
                })
                .collect(),
        ),
    })
}

/// The values whose place in `keep` is true.
pub(super) fn kept(values: &Values, keep: &[bool]) -> Values {
    fn filter<T: Clone>(list: &[T], keep: &[bool]) -> Vec<T> {
        let pairs = list.iter().zip(keep);
        pairs.filter(|(_, keep)| **keep).map(|(value, _)| value.clone()).collect()
    }
    match values {
        Values::Float(list) => Values::Float(filter(list, keep)),
        Values::Integer(list) => Values::Integer(filter(list, keep)),
        Values::Unsigned(list) => Values::Unsigned(filter(list, keep)),
        Values::String(list) => Values::String(filter(list, keep)),
        Values::Boolean(list) => Values::Boolean(filter(list, keep)),
    }
}
