//! The conditions of `filter`.
//!
//! [`Predicate`] keeps them apart: those on what names a series are asked of the series before any
//! of its points is read, the others of each row. The server hands simple comparisons with literals
//! to its store, which takes a tag that a series lacks for an empty one and finds values of
//! different types merely unequal; [`in_store`] answers as it does. All else follows the language,
//! where a missing tag is null and a comparison of different types is a mistake.

use std::sync::Arc;

use crate::flux::ast::{
    BinaryOperator, Body, Expr, ExprKind, FunctionExpr, LogicalOperator, UnaryOperator,
};
use crate::flux::error::FluxError;
use crate::flux::interpreter::{Env, Function, Lambda};
use crate::flux::operators;
use crate::flux::table::{Column, GroupKey, Table};
use crate::flux::value::{Record, Row, Value};

/// The conditions of a filter, all of which have to hold.
#[derive(Clone, Debug)]
pub(super) struct Predicate {
    function: Arc<FunctionExpr>,
    env: Option<Arc<Env>>,
    /// Which operands of the function's outermost `and` count; all when it has none.
    parts: Vec<usize>,
    /// Whether the rows come straight from the store, which then answers what it can.
    on_store: bool,
}

impl Predicate {
    /// The conditions of a function of one row.
    pub(super) fn of(lambda: &Lambda) -> Result<Self, FluxError> {
        let Function::Own { expr, env } = &*lambda.function else {
            return Err(FluxError::new("a filter takes a function of the script"));
        };
        let parts = 0..conjuncts(&expr.body).map_or(1, <[Expr]>::len);
        let (function, env, parts) = (Arc::clone(expr), env.clone(), parts.collect());
        Ok(Self { function, env, parts, on_store: false })
    }

    /// Conditions on what names a series, and those on its points, for rows from the store.
    pub(super) fn split(self) -> (Option<Self>, Option<Self>) {
        let Some(row) = self.function.parameters.first().map(|parameter| &*parameter.name) else {
            return (None, Some(self));
        };
        let (on_series, on_points): (Vec<usize>, Vec<usize>) =
            self.parts.iter().partition(|&&part| {
                self.expression(part).is_some_and(|expr| names_series_only(expr, row))
            });
        let with = |parts: Vec<usize>| {
            (!parts.is_empty()).then(|| Self { parts, on_store: true, ..self.clone() })
        };
        (with(on_series), with(on_points))
    }

    fn expression(&self, part: usize) -> Option<&Expr> {
        match (&self.function.body, conjuncts(&self.function.body)) {
            (_, Some(operands)) => operands.get(part),
            (Body::Expression(expr), None) => Some(expr),
            (Body::Block(_), None) => None,
        }
    }

    /// Whether the conditions hold for the names of a series.
    pub(super) fn holds_for_series(
        &self,
        lambda: &Lambda,
        names: &Record,
    ) -> Result<bool, FluxError> {
        let columns = names.entries().iter();
        let columns = columns.map(|(label, value)| Column::repeat(label, value.clone()));
        let table = Table::new(GroupKey::default(), columns.collect(), 1);
        self.holds(lambda, &Row { table: Arc::new(table), index: 0 })
    }

    fn holds(&self, lambda: &Lambda, row: &Row) -> Result<bool, FluxError> {
        let Some(parameter) = self.function.parameters.first() else {
            return Err(FluxError::new("a filter takes a function of one row"));
        };
        if let Body::Block(_) = &self.function.body {
            let arguments = vec![(Arc::clone(&parameter.name), Value::Row(row.clone()))];
            return is_true(&lambda.call(arguments)?);
        }
        let mut env = None;
        for &part in &self.parts {
            let Some(expr) = self.expression(part) else { continue };
            if self.on_store
                && let Some(answer) = in_store(expr, &parameter.name, row)
            {
                if answer {
                    continue;
                }
                return Ok(false);
            }
            let env = env.get_or_insert_with(|| {
                let row = Value::Row(row.clone());
                Env::of(Arc::clone(&parameter.name), row, self.env.as_ref())
            });
            lambda.interpreter.execution.count_call()?;
            if !is_true(&lambda.interpreter.eval(expr, Some(env))?)? {
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

/// What the store makes of a condition; `None` when it leaves the condition to the language.
fn in_store(expr: &Expr, parameter: &str, row: &Row) -> Option<bool> {
    match &expr.kind {
        ExprKind::Logical { operator, operands } => {
            let answers = operands.iter().map(|operand| in_store(operand, parameter, row));
            let answers = answers.collect::<Option<Vec<bool>>>()?;
            Some(match operator {
                LogicalOperator::And => answers.iter().all(|answer| *answer),
                LogicalOperator::Or => answers.iter().any(|answer| *answer),
            })
        }
        ExprKind::Unary { operator: UnaryOperator::Exists, operand } => {
            let label = member_of(operand, parameter).filter(|label| *label != "_value")?;
            Some(!row.get(label).is_null())
        }
        ExprKind::Unary { operator: UnaryOperator::Not, operand }
            if matches!(operand.kind, ExprKind::Unary { .. }) =>
        {
            Some(!in_store(operand, parameter, row)?)
        }
        ExprKind::Binary { operator, left, right } => {
            let label = member_of(left, parameter)?;
            let value = row.get(label);
            match (label, &value) {
                ("_value", value) => compare_value(*operator, value, &right.kind),
                (_, Value::String(text)) => compare_tag(*operator, text, &right.kind),
                (_, Value::Null(_)) => compare_tag(*operator, "", &right.kind),
                _ => None,
            }
        }
        _ => None,
    }
}

/// The label in `r.label`.
fn member_of<'a>(expr: &'a Expr, parameter: &str) -> Option<&'a str> {
    let ExprKind::Member { object, name } = &expr.kind else { return None };
    match &object.kind {
        ExprKind::Identifier(own) if **own == *parameter => Some(name),
        _ => None,
    }
}

fn compare_tag(operator: BinaryOperator, tag: &str, literal: &ExprKind) -> Option<bool> {
    match (operator, literal) {
        // The store cannot tell an empty tag from none, so it is not asked for one.
        (BinaryOperator::Equal, ExprKind::String(text)) if text.is_empty() => None,
        (BinaryOperator::Equal, ExprKind::String(text)) => Some(tag == &**text),
        (BinaryOperator::NotEqual, ExprKind::String(text)) => Some(tag != &**text),
        (BinaryOperator::Matches, ExprKind::Regex(regex)) => Some(regex.is_match(tag)),
        (BinaryOperator::MatchesNot, ExprKind::Regex(regex)) => Some(!regex.is_match(tag)),
        _ => None,
    }
}

/// Numbers compare with numbers; values of any other two types fail every comparison.
fn compare_value(operator: BinaryOperator, value: &Value, literal: &ExprKind) -> Option<bool> {
    let literal = match literal {
        ExprKind::Integer(number) => Value::Int(*number),
        ExprKind::Float(number) => Value::Float(*number),
        ExprKind::String(text) => Value::String(Arc::clone(text)),
        ExprKind::Regex(regex) => Value::Regex(Arc::clone(regex)),
        ExprKind::Identifier(name) if matches!(&**name, "true" | "false") => {
            Value::Bool(&**name == "true")
        }
        _ => return None,
    };
    let is_number = |value: &Value| matches!(value, Value::Int(_) | Value::Float(_));
    let is_order = !matches!(
        operator,
        BinaryOperator::Equal
            | BinaryOperator::NotEqual
            | BinaryOperator::Matches
            | BinaryOperator::MatchesNot
    );
    let comparable = match (value, &literal) {
        (Value::String(_), Value::String(_)) | (Value::Bool(_), Value::Bool(_)) => !is_order,
        (Value::String(_), Value::Regex(_)) => true,
        (value, literal) => is_number(value) && is_number(literal),
    };
    let compared = operators::binary(operator, value, &literal);
    Some(comparable && matches!(compared, Ok(Value::Bool(true))))
}

/// The rows of a table for which a predicate holds.
pub(super) fn filter_table(
    table: Table,
    lambda: &Lambda,
    predicate: &Predicate,
) -> Result<Table, FluxError> {
    let table = Arc::new(table);
    let mut kept = Vec::new();
    for index in 0..table.rows {
        let row = Row { table: Arc::clone(&table), index };
        if predicate.holds(lambda, &row)? {
            kept.push(index);
        }
    }
    if kept.len() == table.rows {
        return Ok(Arc::unwrap_or_clone(table));
    }
    Ok(table.take(&kept))
}
