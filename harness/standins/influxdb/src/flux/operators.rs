//! The operators of the language on values.

use std::cmp::Ordering;
use std::sync::Arc;

use super::ast::{BinaryOperator, UnaryOperator};
use super::error::FluxError;
use super::value::{ColumnType, Value};

/// `-a`, `+a`, `not a`, `exists a`.
pub(crate) fn unary(operator: UnaryOperator, operand: Value) -> Result<Value, FluxError> {
    Ok(match (operator, operand) {
        (UnaryOperator::Exists, operand) => Value::Bool(!operand.is_null()),
        (_, null @ Value::Null(_)) => null,
        (UnaryOperator::Not, Value::Bool(value)) => Value::Bool(!value),
        (UnaryOperator::Minus, Value::Int(value)) => Value::Int(value.wrapping_neg()),
        (UnaryOperator::Minus, Value::Float(value)) => Value::Float(-value),
        (UnaryOperator::Minus, Value::Duration(value)) => Value::Duration(value.negated()),
        (
            UnaryOperator::Plus,
            value @ (Value::Int(_) | Value::UInt(_) | Value::Float(_) | Value::Duration(_)),
        ) => value,
        (operator, operand) => {
            let found = operand.type_word();
            return Err(match operator {
                UnaryOperator::Not | UnaryOperator::Exists => FluxError::types("bool", found),
                _ => FluxError::new(format!("{found} cannot be negated")),
            });
        }
    })
}

/// `a + b`, `a == b` and the like. With null on either side the result is null.
pub(crate) fn binary(
    operator: BinaryOperator,
    left: &Value,
    right: &Value,
) -> Result<Value, FluxError> {
    use BinaryOperator as Op;
    if left.is_null() || right.is_null() {
        let kind = match operator {
            Op::Add | Op::Subtract | Op::Multiply | Op::Divide | Op::Modulo | Op::Power => {
                left.column_type().or(right.column_type())
            }
            _ => Some(ColumnType::Bool),
        };
        return Ok(Value::Null(kind));
    }
    match operator {
        Op::Add | Op::Subtract | Op::Multiply | Op::Divide | Op::Modulo | Op::Power => {
            arithmetic(operator, left, right)
        }
        Op::Matches | Op::MatchesNot => {
            let (Value::String(text), Value::Regex(regex)) = (left, right) else {
                return Err(FluxError::types("string", left.type_word()));
            };
            Ok(Value::Bool(regex.is_match(text) == (operator == Op::Matches)))
        }
        Op::Equal | Op::NotEqual => {
            let equal = match compare(left, right) {
                Comparison::Ordered(order) => order == Ordering::Equal,
                Comparison::Unordered => false,
                Comparison::Unsupported => {
                    same(left, right).ok_or_else(|| unsupported(operator, left, right))?
                }
            };
            Ok(Value::Bool(equal == (operator == Op::Equal)))
        }
        Op::Less | Op::LessOrEqual | Op::Greater | Op::GreaterOrEqual => {
            let order = match compare(left, right) {
                Comparison::Ordered(order) => order,
                Comparison::Unordered => return Ok(Value::Bool(false)),
                Comparison::Unsupported => return Err(unsupported(operator, left, right)),
            };
            if matches!(left, Value::Bool(_)) {
                return Err(unsupported(operator, left, right));
            }
            Ok(Value::Bool(match operator {
                Op::Less => order.is_lt(),
                Op::LessOrEqual => order.is_le(),
                Op::Greater => order.is_gt(),
                _ => order.is_ge(),
            }))
        }
    }
}

enum Comparison {
    Ordered(Ordering),
    /// One of them is NaN.
    Unordered,
    Unsupported,
}

/// Compares scalars of one type, and numbers of any type with each other.
fn compare(left: &Value, right: &Value) -> Comparison {
    let ordered = match (left, right) {
        (Value::Int(left), Value::Int(right)) | (Value::Time(left), Value::Time(right)) => {
            left.cmp(right)
        }
        (Value::UInt(left), Value::UInt(right)) => left.cmp(right),
        (Value::Int(left), Value::UInt(right)) => i128::from(*left).cmp(&i128::from(*right)),
        (Value::UInt(left), Value::Int(right)) => i128::from(*left).cmp(&i128::from(*right)),
        (Value::Bool(left), Value::Bool(right)) => left.cmp(right),
        (Value::String(left), Value::String(right)) => left.cmp(right),
        (Value::Duration(left), Value::Duration(right)) => left.cmp(right),
        _ => {
            let (Some(left), Some(right)) = (number(left), number(right)) else {
                return Comparison::Unsupported;
            };
            return match left.partial_cmp(&right) {
                Some(order) => Comparison::Ordered(order),
                None => Comparison::Unordered,
            };
        }
    };
    Comparison::Ordered(ordered)
}

fn number(value: &Value) -> Option<f64> {
    match value {
        Value::Int(value) => Some(*value as f64),
        Value::UInt(value) => Some(*value as f64),
        Value::Float(value) => Some(*value),
        _ => None,
    }
}

/// Whether two collections hold the same; `None` when they cannot be compared.
fn same(left: &Value, right: &Value) -> Option<bool> {
    match (left, right) {
        (Value::Array(left), Value::Array(right)) => {
            let equal = left.len() == right.len();
            Some(equal && left.iter().zip(right.iter()).all(|(left, right)| equals(left, right)))
        }
        (Value::Dict(left), Value::Dict(right)) => Some(
            left.len() == right.len()
                && left
                    .iter()
                    .zip(right.iter())
                    .all(|(left, right)| equals(&left.0, &right.0) && equals(&left.1, &right.1)),
        ),
        (Value::Record(left), Value::Record(right)) => Some(
            left.entries().len() == right.entries().len()
                && left
                    .entries()
                    .iter()
                    .all(|(key, value)| right.get(key).is_some_and(|other| equals(value, other))),
        ),
        _ => None,
    }
}

/// Whether two values are equal as `==` finds them; values that cannot be compared are not.
pub(crate) fn equals(left: &Value, right: &Value) -> bool {
    matches!(binary(BinaryOperator::Equal, left, right), Ok(Value::Bool(true)))
}

fn arithmetic(operator: BinaryOperator, left: &Value, right: &Value) -> Result<Value, FluxError> {
    use BinaryOperator as Op;
    Ok(match (left, right) {
        (Value::Int(left), Value::Int(right)) => integers(operator, *left, *right)?,
        (Value::UInt(left), Value::UInt(right)) => unsigned(operator, *left, *right)?,
        (Value::Float(left), Value::Float(right)) => Value::Float(match operator {
            Op::Add => left + right,
            Op::Subtract => left - right,
            Op::Multiply => left * right,
            Op::Divide => left / right,
            Op::Modulo => left % right,
            _ => left.powf(*right),
        }),
        (Value::String(left), Value::String(right)) if operator == Op::Add => {
            Value::String(Arc::from([&**left, &**right].concat()))
        }
        (Value::Duration(left), Value::Duration(right)) if operator == Op::Add => {
            Value::Duration(left.plus(*right))
        }
        (Value::Duration(left), Value::Duration(right)) if operator == Op::Subtract => {
            Value::Duration(left.plus(right.negated()))
        }
        _ => {
            return Err(FluxError::operands(operator, left.type_word(), right.type_word()));
        }
    })
}

fn integers(operator: BinaryOperator, left: i64, right: i64) -> Result<Value, FluxError> {
    use BinaryOperator as Op;
    let by_zero = || FluxError::new("cannot divide by zero");
    Ok(match operator {
        Op::Add => Value::Int(left.wrapping_add(right)),
        Op::Subtract => Value::Int(left.wrapping_sub(right)),
        Op::Multiply => Value::Int(left.wrapping_mul(right)),
        Op::Divide if right == 0 => return Err(by_zero()),
        Op::Modulo if right == 0 => return Err(FluxError::new("cannot mod zero")),
        Op::Divide => Value::Int(left.wrapping_div(right)),
        Op::Modulo => Value::Int(left.wrapping_rem(right)),
        // A power is a float, whatever it is made of.
        _ => Value::Float((left as f64).powf(right as f64)),
    })
}

fn unsigned(operator: BinaryOperator, left: u64, right: u64) -> Result<Value, FluxError> {
    use BinaryOperator as Op;
    Ok(match operator {
        Op::Add => Value::UInt(left.wrapping_add(right)),
        Op::Subtract => Value::UInt(left.wrapping_sub(right)),
        Op::Multiply => Value::UInt(left.wrapping_mul(right)),
        Op::Divide if right == 0 => return Err(FluxError::new("cannot divide by zero")),
        Op::Modulo if right == 0 => return Err(FluxError::new("cannot mod zero")),
        Op::Divide => Value::UInt(left / right),
        Op::Modulo => Value::UInt(left % right),
        _ => Value::Float((left as f64).powf(right as f64)),
    })
}

fn unsupported(operator: BinaryOperator, left: &Value, right: &Value) -> FluxError {
    FluxError::comparison(operator, left.type_word(), right.type_word())
}
