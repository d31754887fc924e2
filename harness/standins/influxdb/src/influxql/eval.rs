//! The value of an expression over one row.
//!
//! [`Eval`] is told how to find the value of a name; operators and mathematical functions are
//! applied here, with the server's rules for mixed types and for what is missing.

use super::ast::{Binary, Expr};
use super::math;
use super::token::Op;
use super::value::Value;

/// What dividing two whole numbers gives.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Division {
    /// A float, as in the fields of a SELECT.
    Float,
    /// A whole number, as in conditions.
    Whole,
}

/// What a name without a value counts as beside a boolean.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Missing {
    /// As false.
    False,
    /// As nothing that could be compared: so it is where points are read from the store.
    Incomparable,
}

/// Evaluates expressions over the row that `find` knows.
pub(crate) struct Eval<F> {
    pub(crate) find: F,
    pub(crate) missing: Missing,
    pub(crate) division: Division,
}

impl<F: Fn(&Expr) -> Value> Eval<F> {
    /// The value of an expression.
    pub(crate) fn value(&self, expr: &Expr) -> Value {
        match expr {
            Expr::Ref(_) | Expr::Slot(_) => (self.find)(expr),
            Expr::Binary(binary) => self.binary(binary),
            Expr::Paren(inner) => self.value(inner),
            Expr::Call(call) => {
                let args: Vec<Value> = call.args.iter().map(|arg| self.value(arg)).collect();
                math::apply(&call.name, &args).unwrap_or_default()
            }
            literal => literal_value(literal),
        }
    }

    /// Whether an expression is a boolean that is true.
    pub(crate) fn is_true(&self, expr: &Expr) -> bool {
        self.value(expr) == Value::Boolean(true)
    }

    fn binary(&self, binary: &Binary) -> Value {
        let left = self.value(&binary.left);
        if binary.op.is_regex() {
            return match (&left, &binary.right) {
                (Value::String(text), Expr::Regex(pattern)) => {
                    let matches = pattern.is_match(text);
                    Value::Boolean(matches == (binary.op == Op::EqRegex))
                }
                (Value::String(_), _) => Value::Boolean(false),
                _ => Value::Null,
            };
        }
        let right = self.value(&binary.right);
        if self.missing == Missing::Incomparable {
            let absent =
                |expr: &Expr, value: &Value| matches!(expr, Expr::Ref(_)) && value.is_null();
            if absent(&binary.left, &left) || absent(&binary.right, &right) {
                return mismatch(binary.op).unwrap_or_default();
            }
        }
        apply(binary.op, left, right, self.division)
    }
}

/// The value of what is written out.
pub(crate) fn literal_value(expr: &Expr) -> Value {
    match expr {
        Expr::Number(number) => Value::Float(*number),
        Expr::Integer(number) => Value::Integer(*number),
        Expr::Unsigned(number) => Value::Unsigned(*number),
        Expr::String(text) => Value::String(text.as_str().into()),
        Expr::Boolean(value) => Value::Boolean(*value),
        _ => Value::Null,
    }
}

/// Applies an operator to two values.
pub(crate) fn apply(op: Op, left: Value, right: Value, division: Division) -> Value {
    use Value as V;
    // Beside a boolean, what is missing counts as false.
    let (left, right) = match (left, right) {
        (V::Null, V::Boolean(right)) => (V::Boolean(false), V::Boolean(right)),
        (V::Boolean(left), V::Null) => (V::Boolean(left), V::Boolean(false)),
        pair => pair,
    };
    let result = match (&left, &right) {
        (V::Boolean(left), right) => booleans(op, *left, right),
        (V::Float(left), right) => match right.as_float() {
            Some(right) => floats(op, *left, right),
            None => mismatch(op),
        },
        (V::Integer(left), V::Float(right)) => floats(op, *left as f64, *right),
        (V::Integer(left), V::Integer(right)) => integers(op, *left, *right, division),
        (V::Integer(left), V::Unsigned(right)) => {
            signed_first(op, *left).or_else(|| unsigned(op, left.cast_unsigned(), *right))
        }
        (V::Unsigned(left), V::Float(right)) => floats(op, *left as f64, *right),
        (V::Unsigned(left), V::Integer(right)) => {
            signed_second(op, *right).or_else(|| unsigned(op, *left, right.cast_unsigned()))
        }
        (V::Unsigned(left), V::Unsigned(right)) => unsigned(op, *left, *right),
        (V::String(left), V::String(right)) => match op {
            Op::Eq => Some(V::Boolean(left == right)),
            Op::Neq => Some(V::Boolean(left != right)),
            _ => None,
        },
        _ => None,
    };
    result.unwrap_or_else(|| mismatch(op).unwrap_or_default())
}

/// Comparisons of what cannot be compared are false; the rest has no value.
fn mismatch(op: Op) -> Option<Value> {
    let compares = matches!(op, Op::Eq | Op::Neq | Op::Lt | Op::Lte | Op::Gt | Op::Gte);
    compares.then_some(Value::Boolean(false))
}

fn booleans(op: Op, left: bool, right: &Value) -> Option<Value> {
    let known =
        matches!(op, Op::And | Op::Or | Op::BitAnd | Op::BitOr | Op::BitXor | Op::Eq | Op::Neq);
    let Value::Boolean(right) = *right else { return known.then_some(Value::Boolean(false)) };
    let result = match op {
        Op::And | Op::BitAnd => left && right,
        Op::Or | Op::BitOr => left || right,
        Op::BitXor | Op::Neq => left != right,
        Op::Eq => left == right,
        _ => return None,
    };
    Some(Value::Boolean(result))
}

fn compare<T: PartialOrd>(op: Op, left: &T, right: &T) -> Option<Value> {
    let result = match op {
        Op::Eq => left == right,
        Op::Neq => left != right,
        Op::Lt => left < right,
        Op::Lte => left <= right,
        Op::Gt => left > right,
        Op::Gte => left >= right,
        _ => return None,
    };
    Some(Value::Boolean(result))
}

/// Arithmetic on floats; a division by zero gives zero.
pub(crate) fn float_arithmetic(op: Op, left: f64, right: f64) -> Option<f64> {
    Some(match op {
        Op::Add => left + right,
        Op::Sub => left - right,
        Op::Mul => left * right,
        Op::Div if right == 0.0 => 0.0,
        Op::Div => left / right,
        Op::Mod => left % right,
        _ => return None,
    })
}

fn floats(op: Op, left: f64, right: f64) -> Option<Value> {
    compare(op, &left, &right).or_else(|| float_arithmetic(op, left, right).map(Value::Float))
}

/// Arithmetic on whole numbers without division; it wraps around.
pub(crate) fn integer_arithmetic(op: Op, left: i64, right: i64) -> Option<i64> {
    Some(match op {
        Op::Add => left.wrapping_add(right),
        Op::Sub => left.wrapping_sub(right),
        Op::Mul => left.wrapping_mul(right),
        Op::Mod if right == 0 => 0,
        Op::Mod => left.wrapping_rem(right),
        Op::BitAnd => left & right,
        Op::BitOr => left | right,
        Op::BitXor => left ^ right,
        _ => return None,
    })
}

fn integers(op: Op, left: i64, right: i64, division: Division) -> Option<Value> {
    if op == Op::Div {
        return Some(match (division, right) {
            (Division::Float, 0) => Value::Float(0.0),
            (Division::Float, _) => Value::Float(left as f64 / right as f64),
            (Division::Whole, 0) => Value::Integer(0),
            (Division::Whole, _) => Value::Integer(left.wrapping_div(right)),
        });
    }
    let compared = compare(op, &left, &right);
    compared.or_else(|| integer_arithmetic(op, left, right).map(Value::Integer))
}

/// Arithmetic on whole numbers without a sign; it wraps around.
pub(crate) fn unsigned_arithmetic(op: Op, left: u64, right: u64) -> Option<u64> {
    Some(match op {
        Op::Add => left.wrapping_add(right),
        Op::Sub => left.wrapping_sub(right),
        Op::Mul => left.wrapping_mul(right),
        Op::Div | Op::Mod if right == 0 => 0,
        Op::Div => left / right,
        Op::Mod => left % right,
        Op::BitAnd => left & right,
        Op::BitOr => left | right,
        Op::BitXor => left ^ right,
        _ => return None,
    })
}

fn unsigned(op: Op, left: u64, right: u64) -> Option<Value> {
    let compared = compare(op, &left, &right);
    compared.or_else(|| unsigned_arithmetic(op, left, right).map(Value::Unsigned))
}

/// A negative number on the left is less than any without a sign.
fn signed_first(op: Op, left: i64) -> Option<Value> {
    match op {
        Op::Lt | Op::Lte if left < 0 => Some(Value::Boolean(true)),
        Op::Gt | Op::Gte if left < 0 => Some(Value::Boolean(false)),
        _ => None,
    }
}

/// A negative number on the right is less than any without a sign.
fn signed_second(op: Op, right: i64) -> Option<Value> {
    match op {
        Op::Lt | Op::Lte if right < 0 => Some(Value::Boolean(false)),
        Op::Gt | Op::Gte if right < 0 => Some(Value::Boolean(true)),
        _ => None,
    }
}
