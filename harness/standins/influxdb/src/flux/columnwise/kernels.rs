//! Operators on whole vectors, for the types that queries compute with most.
//!
//! What is not here is computed value by value; `None` says so.

use std::sync::Arc;

use super::vector::Vector;
use crate::flux::ast::{BinaryOperator, LogicalOperator};
use crate::flux::table::{Cells, Data};
use crate::flux::value::Value;

/// Numbers of all rows, none of them null.
enum Operand<'a, T> {
    Same(T),
    All(&'a [T]),
}

/// Applies a function to the operands of each row; `None` for two single values, which say nothing
/// of how many rows there are.
fn zip<T: Copy, U>(
    left: &Operand<'_, T>,
    right: &Operand<'_, T>,
    f: impl Fn(T, T) -> U,
) -> Option<Vec<U>> {
    Some(match (left, right) {
        (Operand::All(left), Operand::All(right)) => {
            left.iter().zip(*right).map(|(left, right)| f(*left, *right)).collect()
        }
        (Operand::All(left), Operand::Same(right)) => {
            left.iter().map(|left| f(*left, *right)).collect()
        }
        (Operand::Same(left), Operand::All(right)) => {
            right.iter().map(|right| f(*left, *right)).collect()
        }
        (Operand::Same(_), Operand::Same(_)) => return None,
    })
}

fn floats(vector: &Vector) -> Option<Operand<'_, f64>> {
    match vector {
        Vector::Same(Value::Float(value)) => Some(Operand::Same(*value)),
        Vector::Cells(Data::Float(cells)) => cells.dense().map(Operand::All),
        _ => None,
    }
}

fn integers(vector: &Vector) -> Option<Operand<'_, i64>> {
    match vector {
        Vector::Same(Value::Int(value)) => Some(Operand::Same(*value)),
        Vector::Cells(Data::Int(cells)) => cells.dense().map(Operand::All),
        _ => None,
    }
}

fn times(vector: &Vector) -> Option<Operand<'_, i64>> {
    match vector {
        Vector::Same(Value::Time(value)) => Some(Operand::Same(*value)),
        Vector::Cells(Data::Time(cells)) => cells.dense().map(Operand::All),
        _ => None,
    }
}

/// `left operator right` of all rows.
pub(super) fn binary(operator: BinaryOperator, left: &Vector, right: &Vector) -> Option<Vector> {
    if let (Some(left), Some(right)) = (floats(left), floats(right)) {
        return float_arithmetic(operator, &left, &right)
            .map(|values| Vector::Cells(Data::Float(Cells::new(values))))
            .or_else(|| compare(operator, &left, &right));
    }
    if let (Some(left), Some(right)) = (integers(left), integers(right)) {
        return integer_arithmetic(operator, &left, &right)
            .map(|values| Vector::Cells(Data::Int(Cells::new(values))))
            .or_else(|| compare(operator, &left, &right));
    }
    if let (Some(left), Some(right)) = (times(left), times(right)) {
        return compare(operator, &left, &right);
    }
    // A float beside an integer compares as a float.
    if let (Some(floats), Vector::Same(Value::Int(value))) = (floats(left), right) {
        return compare(operator, &floats, &Operand::Same(*value as f64));
    }
    text(operator, left, right)
}

fn float_arithmetic(
    operator: BinaryOperator,
    left: &Operand<'_, f64>,
    right: &Operand<'_, f64>,
) -> Option<Vec<f64>> {
    match operator {
        BinaryOperator::Add => zip(left, right, |left, right| left + right),
        BinaryOperator::Subtract => zip(left, right, |left, right| left - right),
        BinaryOperator::Multiply => zip(left, right, |left, right| left * right),
        BinaryOperator::Divide => zip(left, right, |left, right| left / right),
        _ => None,
    }
}

fn integer_arithmetic(
    operator: BinaryOperator,
    left: &Operand<'_, i64>,
    right: &Operand<'_, i64>,
) -> Option<Vec<i64>> {
    match operator {
        BinaryOperator::Add => zip(left, right, i64::wrapping_add),
        BinaryOperator::Subtract => zip(left, right, i64::wrapping_sub),
        BinaryOperator::Multiply => zip(left, right, i64::wrapping_mul),
        _ => None,
    }
}

fn compare<T: Copy + PartialOrd>(
    operator: BinaryOperator,
    left: &Operand<'_, T>,
    right: &Operand<'_, T>,
) -> Option<Vector> {
    let flags = match operator {
        BinaryOperator::Equal => zip(left, right, |left, right| left == right),
        // NaN differs from everything.
        BinaryOperator::NotEqual => zip(left, right, |left, right| left != right),
        BinaryOperator::Less => zip(left, right, |left, right| left < right),
        BinaryOperator::LessOrEqual => zip(left, right, |left, right| left <= right),
        BinaryOperator::Greater => zip(left, right, |left, right| left > right),
        BinaryOperator::GreaterOrEqual => zip(left, right, |left, right| left >= right),
        _ => None,
    };
    Some(Vector::Cells(Data::Bool(Cells::new(flags?))))
}

/// A column of texts beside one text or one regular expression.
fn text(operator: BinaryOperator, left: &Vector, right: &Vector) -> Option<Vector> {
    let Vector::Cells(Data::String(cells)) = left else { return None };
    let all: &[Arc<str>] = cells.dense()?;
    let flags: Vec<bool> = match (operator, right) {
        (BinaryOperator::Equal, Vector::Same(Value::String(text))) => {
            all.iter().map(|own| own == text).collect()
        }
        (BinaryOperator::NotEqual, Vector::Same(Value::String(text))) => {
            all.iter().map(|own| own != text).collect()
        }
        (BinaryOperator::Matches, Vector::Same(Value::Regex(regex))) => {
            all.iter().map(|own| regex.is_match(own)).collect()
        }
        (BinaryOperator::MatchesNot, Vector::Same(Value::Regex(regex))) => {
            all.iter().map(|own| !regex.is_match(own)).collect()
        }
        _ => return None,
    };
    Some(Vector::Cells(Data::Bool(Cells::new(flags))))
}

/// How the server combines conditions of which some are null.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Logic {
    /// A column at a time: null is neither true nor false.
    ThreeValued,
    /// Row by row: null on the left side decides `and` as false does, and leaves `or` to the right.
    Sided,
}

impl Logic {
    fn combine(
        self,
        operator: LogicalOperator,
        left: Option<bool>,
        right: Option<bool>,
    ) -> Option<bool> {
        let decisive = operator == LogicalOperator::Or;
        match self {
            Self::Sided if operator == LogicalOperator::And && left.is_none() => Some(false),
            _ if left == Some(decisive) => left,
            Self::Sided => right,
            Self::ThreeValued if right == Some(decisive) => right,
            Self::ThreeValued => left.and(right),
        }
    }
}

/// Logic over all rows.
pub(super) fn logical(
    logic: Logic,
    operator: LogicalOperator,
    operands: &[Vector],
    rows: usize,
) -> Option<Vector> {
    let mut results: Vec<Option<bool>> = Vec::new();
    for operand in operands {
        let cell: Box<dyn Fn(usize) -> Option<bool> + '_> = match operand {
            Vector::Same(Value::Bool(value)) => Box::new(move |_| Some(*value)),
            Vector::Same(Value::Null(_)) => Box::new(|_| None),
            Vector::Cells(Data::Bool(cells)) => Box::new(move |row| cells.get(row).copied()),
            Vector::Values(values) if values.iter().all(Value::is_null) => Box::new(|_| None),
            _ => return None,
        };
        if results.is_empty() {
            results = (0..rows).map(cell).collect();
            continue;
        }
        for (row, result) in results.iter_mut().enumerate() {
            *result = logic.combine(operator, *result, cell(row));
        }
    }
    Some(Vector::Cells(Data::Bool(Cells::sparse(results, &false))))
}
