//! The conditions of `filter`.
//!
//! [`Predicate`] keeps them apart: those on what names a series are asked of the series before any
//! of its points is read, the others of each row.

use std::sync::Arc;

use crate::flux::ast::{
    BinaryOperator, Body, Expr, ExprKind, FunctionExpr, LogicalOperator, UnaryOperator,
};
use crate::flux::error::FluxError;
use crate::flux::interpreter::{Env, Function, Lambda};
use crate::flux::table::{Column, GroupKey, Table};
use crate::flux::value::{Record, Row, Value};

/// The conditions of a filter, all of which have to hold.
#[derive(Clone, Debug)]
pub(super) struct Predicate {
    function: Arc<FunctionExpr>,
    env: Option<Arc<Env>>,
    /// Which operands of the function's outermost `and` count; all when it has none.
    parts: Vec<usize>,
}

impl Predicate {
    /// The conditions of a function of one row.
    pub(super) fn of(lambda: &Lambda) -> Result<Self, FluxError> {
        let Function::Own { expr, env } = &*lambda.function else {
            return Err(FluxError::new("a filter takes a function of the script"));
        };
        let parts = 0..conjuncts(&expr.body).map_or(1, <[Expr]>::len);
        Ok(Self { function: Arc::clone(expr), env: env.clone(), parts: parts.collect() })
    }

    /// Conditions on what names a series, and those on its points.
    pub(super) fn split(self) -> (Option<Self>, Option<Self>) {
        let Some(row) = self.function.parameters.first().map(|parameter| &*parameter.name) else {
            return (None, Some(self));
        };
        let (on_series, on_points): (Vec<usize>, Vec<usize>) =
            self.parts.iter().partition(|&&part| {
                self.expression(part).is_some_and(|expr| names_series_only(expr, row))
            });
        let with = |parts: Vec<usize>| (!parts.is_empty()).then(|| Self { parts, ..self.clone() });
        (with(on_series), with(on_points))
    }

    fn expression(&self, part: usize) -> Option<&Expr> {
        match (&self.function.body, conjuncts(&self.function.body)) {
            (_, Some(operands)) => operands.get(part),
            (Body::Expression(expr), None) => Some(expr),
            (Body::Block(_), None) => None,
        }
    }

    /// Whether the conditions hold for the names of a series. The server's store answers what it
    /// can by itself, and takes a tag that a series lacks for an empty one; elsewhere it is null.
    pub(super) fn holds_for_series(
        &self,
        lambda: &Lambda,
        names: &Record,
    ) -> Result<bool, FluxError> {
        let columns = names.entries().iter();
        let columns = columns.map(|(label, value)| Column::repeat(label, value.clone()));
        let table = Table::new(GroupKey::default(), columns.collect(), 1);
        let row = Row { table: Arc::new(table), index: 0 };
        let parameter = self.function.parameters.first().map_or("r", |parameter| &parameter.name);
        let mut left = Vec::new();
        for &part in &self.parts {
            match self.expression(part).and_then(|expr| in_store(expr, parameter, names)) {
                Some(false) => return Ok(false),
                Some(true) => {}
                None => left.push(part),
            }
        }
        if left.is_empty() {
            return Ok(true);
        }
        Self { parts: left, ..self.clone() }.holds(lambda, row)
    }

    fn holds(&self, lambda: &Lambda, row: Row) -> Result<bool, FluxError> {
        let Some(parameter) = self.function.parameters.first() else {
            return Err(FluxError::new("a filter takes a function of one row"));
        };
        if conjuncts(&self.function.body).is_none() {
            let arguments = vec![(Arc::clone(&parameter.name), Value::Row(row))];
            return is_true(&lambda.call(arguments)?);
        }
        lambda.interpreter.execution.count_call()?;
        let env = Env::of(Arc::clone(&parameter.name), Value::Row(row), self.env.as_ref());
        for &part in &self.parts {
            let Some(expr) = self.expression(part) else { continue };
            if !is_true(&lambda.interpreter.eval(expr, Some(&env))?)? {
                return Ok(false);
            }
        }
        Ok(true)
    }
}

fn is_true(value: &Value) -> Result<bool, FluxError> {
    match value {
        Value::Bool(value) => Ok(*value),
        Value::Null(_) => Ok(false),
        other => {
            let found = other.type_word();
            Err(FluxError::new(format!("expected bool but found {found}")))
        }
    }
}

fn conjuncts(body: &Body) -> Option<&[Expr]> {
    match body {
        Body::Expression(Expr {
            kind: ExprKind::Logical { operator: LogicalOperator::And, operands },
            ..
        }) => Some(operands),
        _ => None,
    }
}

/// Whether an expression looks at nothing of a row but what names its series.
fn names_series_only(expr: &Expr, row: &str) -> bool {
    let all = |parts: &[&Expr]| parts.iter().all(|part| names_series_only(part, row));
    match &expr.kind {
        ExprKind::Member { object, name } => match &object.kind {
            ExprKind::Identifier(own) if **own == *row => {
                !matches!(&**name, "_time" | "_value" | "_start" | "_stop")
            }
            _ => names_series_only(object, row),
        },
        ExprKind::Identifier(name) => **name != *row,
        ExprKind::Integer(_)
        | ExprKind::Float(_)
        | ExprKind::String(_)
        | ExprKind::Duration(_)
        | ExprKind::Time(_)
        | ExprKind::Regex(_) => true,
        ExprKind::Unary { operand, .. } => names_series_only(operand, row),
        ExprKind::Binary { left, right, .. } => all(&[left, right]),
        ExprKind::Logical { operands, .. } => {
            operands.iter().all(|operand| names_series_only(operand, row))
        }
        ExprKind::Array(elements) => elements.iter().all(|part| names_series_only(part, row)),
        ExprKind::Call { callee, arguments } => {
            names_series_only(callee, row)
                && arguments.iter().all(|argument| names_series_only(&argument.value, row))
        }
        _ => false,
    }
}

/// What the store makes of a condition; `None` when it leaves the condition to the query.
fn in_store(expr: &Expr, row: &str, names: &Record) -> Option<bool> {
    let tag = |object: &Expr| match &object.kind {
        ExprKind::Member { object, name } => match &object.kind {
            ExprKind::Identifier(own) if **own == *row => Some(names.get(name)),
            _ => None,
        },
        _ => None,
    };
    match &expr.kind {
        ExprKind::Logical { operator, operands } => {
            let answers = operands.iter().map(|operand| in_store(operand, row, names));
            let answers = answers.collect::<Option<Vec<bool>>>()?;
            Some(match operator {
                LogicalOperator::And => answers.iter().all(|answer| *answer),
                LogicalOperator::Or => answers.iter().any(|answer| *answer),
            })
        }
        ExprKind::Unary { operator: UnaryOperator::Exists, operand } => {
            Some(tag(operand)?.is_some())
        }
        ExprKind::Unary { operator: UnaryOperator::Not, operand }
            if matches!(operand.kind, ExprKind::Unary { .. }) =>
        {
            Some(!in_store(operand, row, names)?)
        }
        ExprKind::Binary { operator, left, right } => {
            let value = match tag(left)? {
                Some(Value::String(value)) => &**value,
                _ => "",
            };
            match (operator, &right.kind) {
                (BinaryOperator::Equal, ExprKind::String(text)) if text.is_empty() => None,
                (BinaryOperator::Equal, ExprKind::String(text)) => Some(value == &**text),
                (BinaryOperator::NotEqual, ExprKind::String(text)) => Some(value != &**text),
                (BinaryOperator::Matches, ExprKind::Regex(regex)) => Some(regex.is_match(value)),
                (BinaryOperator::MatchesNot, ExprKind::Regex(regex)) => {
                    Some(!regex.is_match(value))
                }
                _ => None,
            }
        }
        _ => None,
    }
}

/// The rows of a table for which a predicate holds.
pub(super) fn filter_table(
    table: Table,
    lambda: &Lambda,
    predicate: &Predicate,
) -> Result<Table, FluxError> {
    let table = Arc::new(table);
    let mut kept = Vec::with_capacity(table.rows);
    for index in 0..table.rows {
        if predicate.holds(lambda, Row { table: Arc::clone(&table), index })? {
            kept.push(index);
        }
    }
    if kept.len() == table.rows {
        return Ok(Arc::unwrap_or_clone(table));
    }
    Ok(table.take(&kept))
}
