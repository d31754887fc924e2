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
use crate::flux::columnwise::{CHUNK_ROWS, RowFunction, compare_with};
use crate::flux::error::FluxError;
use crate::flux::interpreter::{Function, Lambda};
use crate::flux::operators;
use crate::flux::table::{Column, Data, GroupKey, Table};
use crate::flux::value::{Record, Value};

/// The conditions of a filter, all of which have to hold.
#[derive(Clone, Debug)]
pub(super) struct Predicate {
    function: Arc<FunctionExpr>,
    /// Which of the conditions that `and` joins count.
    parts: Vec<usize>,
    /// Whether the rows come straight from the store, which then answers what it can.
    on_store: bool,
}

impl Predicate {
    /// The conditions of a function of one row.
    pub(super) fn of(lambda: &Lambda) -> Result<Self, FluxError> {
        let Function::Own { expr, .. } = &*lambda.function else {
            return Err(FluxError::new("a filter takes a function of the script"));
        };
        let parts = 0..conjuncts(&expr.body).len().max(1);
        Ok(Self { function: Arc::clone(expr), parts: parts.collect(), on_store: false })
    }

    /// Conditions on what names a series, and those on its points, for rows from the store.
    pub(super) fn split(self) -> (Option<Self>, Option<Self>) {
        let Some(row) = self.function.parameters.first().map(|parameter| &*parameter.name) else {
            return (None, Some(self));
        };
        let (on_series, on_points): (Vec<usize>, Vec<usize>) = self
            .parts
            .iter()
            .partition(|&&part| self.expression(part).is_some_and(|expr| is_of_series(expr, row)));
        let with = |parts: Vec<usize>| {
            (!parts.is_empty()).then(|| Self { parts, on_store: true, ..self.clone() })
        };
        (with(on_series), with(on_points))
    }

    /// Whether a condition looks at any of some labels of the row.
    pub(super) fn asks_for(&self, labels: &impl Fn(&str) -> bool) -> bool {
        let Some(row) = self.function.parameters.first() else { return false };
        let parts = self.parts.iter().filter_map(|&part| self.expression(part));
        parts.into_iter().any(|expr| asks_for(expr, &row.name, labels))
    }

    /// Whether the server hands all of it to its store.
    pub(super) fn is_for_store(&self) -> bool {
        let [row] = self.function.parameters.as_slice() else { return false };
        if let Body::Expression(Expr { kind: ExprKind::Identifier(name), .. }) = &self.function.body
            && &**name == "true"
        {
            // The server takes such a condition away.
            return true;
        }
        let for_store =
            |&part: &usize| self.expression(part).is_some_and(|expr| is_for_store(expr, &row.name));
        self.parts.iter().all(for_store)
    }

    fn expression(&self, part: usize) -> Option<&Expr> {
        conjuncts(&self.function.body).get(part).copied()
    }

    /// Whether the conditions hold for the names of a series.
    pub(super) fn holds_for_series(
        &self,
        lambda: &Lambda,
        names: &Record,
    ) -> Result<bool, FluxError> {
        let columns = names.entries().iter();
        let columns = columns.map(|(label, value)| Column::repeat(label, value.clone()));
        let table = Arc::new(Table::new(GroupKey::default(), columns.collect(), 1));
        let rows = RowFunction::new(lambda.clone(), Some("filter"));
        let mut kept = vec![true];
        self.narrow(&rows, &table, 0, &mut kept)?;
        Ok(kept[0])
    }

    /// Takes out the rows, counted from `from`, for which a condition does not hold.
    fn narrow(
        &self,
        rows: &RowFunction,
        table: &Arc<Table>,
        from: usize,
        kept: &mut [bool],
    ) -> Result<(), FluxError> {
        let Some(parameter) = self.function.parameters.first() else {
            return Err(FluxError::new("a filter takes a function of one row"));
        };
        let to = from + kept.len();
        if let Body::Block(_) = &self.function.body {
            let flags = rows.flags(table, from, to)?;
            kept.iter_mut().zip(flags).for_each(|(kept, flag)| *kept &= flag);
            return Ok(());
        }
        for &part in &self.parts {
            let Some(expr) = self.expression(part) else { continue };
            if self.on_store
                && let Some(answer) = in_store(expr, &parameter.name, (table, from, to))
            {
                kept.iter_mut().enumerate().for_each(|(at, kept)| *kept &= answer.holds(at));
            } else {
                rows.narrow(expr, table, from, kept)?;
            }
            if !kept.contains(&true) {
                return Ok(());
            }
        }
        Ok(())
    }
}

/// What the store answers to a condition.
enum Answer {
    Same(bool),
    Rows(Vec<bool>),
}

impl Answer {
    fn holds(&self, at: usize) -> bool {
        match self {
            Self::Same(answer) => *answer,
            Self::Rows(answers) => answers[at],
        }
    }

    fn combined(self, other: &Self, join: fn(bool, bool) -> bool) -> Self {
        match (self, other) {
            (Self::Same(one), Self::Same(other)) => Self::Same(join(one, *other)),
            (Self::Rows(answers), other) => {
                let joined = answers.into_iter().enumerate();
                Self::Rows(joined.map(|(at, one)| join(one, other.holds(at))).collect())
            }
            (Self::Same(one), Self::Rows(others)) => {
                Self::Rows(others.iter().map(|other| join(one, *other)).collect())
            }
        }
    }
}

/// The conditions that all have to hold for a function to be true.
fn conjuncts(body: &Body) -> Vec<&Expr> {
    let mut found = Vec::new();
    if let Body::Expression(expr) = body {
        add_conjuncts(expr, &mut found);
    }
    found
}

fn add_conjuncts<'a>(expr: &'a Expr, found: &mut Vec<&'a Expr>) {
    match &expr.kind {
        ExprKind::Logical { operator: LogicalOperator::And, operands } => {
            for operand in operands {
                add_conjuncts(operand, found);
            }
        }
        _ => found.push(expr),
    }
}

/// Whether a condition looks at nothing of a row but what names its series, and cannot be a
/// mistake: that would count only when there is a row which the conditions before it leave.
fn is_of_series(expr: &Expr, row: &str) -> bool {
    let all = |parts: &[&Expr]| parts.iter().all(|part| is_of_series(part, row));
    match &expr.kind {
        ExprKind::Member { object, name } => {
            matches!(&object.kind, ExprKind::Identifier(own) if **own == *row)
                && !matches!(&**name, "_time" | "_value" | "_start" | "_stop")
        }
        ExprKind::Identifier(name) => matches!(&**name, "true" | "false"),
        ExprKind::String(_) | ExprKind::Regex(_) => true,
        ExprKind::Unary { operator: UnaryOperator::Exists | UnaryOperator::Not, operand } => {
            is_of_series(operand, row)
        }
        ExprKind::Binary { operator, left, right } => compares(*operator) && all(&[left, right]),
        ExprKind::Logical { operands, .. } => {
            operands.iter().all(|operand| is_of_series(operand, row))
        }
        _ => false,
    }
}

/// Whether a condition that is for the store looks at any of some labels.
fn asks_for(expr: &Expr, parameter: &str, labels: &impl Fn(&str) -> bool) -> bool {
    match &expr.kind {
        ExprKind::Logical { operands, .. } => {
            operands.iter().any(|operand| asks_for(operand, parameter, labels))
        }
        ExprKind::Unary { operand, .. } => asks_for(operand, parameter, labels),
        ExprKind::Binary { left, .. } => asks_for(left, parameter, labels),
        _ => member_of(expr, parameter).is_some_and(labels),
    }
}

/// Whether the server hands a condition to its store.
fn is_for_store(expr: &Expr, parameter: &str) -> bool {
    match &expr.kind {
        ExprKind::Logical { operands, .. } => {
            operands.iter().all(|operand| is_for_store(operand, parameter))
        }
        ExprKind::Unary { operator: UnaryOperator::Exists, operand } => {
            member_of(operand, parameter).is_some_and(|label| label != "_value")
        }
        ExprKind::Unary { operator: UnaryOperator::Not, operand } => {
            matches!(operand.kind, ExprKind::Unary { .. }) && is_for_store(operand, parameter)
        }
        ExprKind::Binary { operator, left, right } => {
            let Some(label) = member_of(left, parameter) else { return false };
            let is_text = |text: &Arc<str>| !text.is_empty() || label == "_value";
            let is_literal = match &right.kind {
                ExprKind::String(text) => *operator != BinaryOperator::Equal || is_text(text),
                ExprKind::Integer(_) | ExprKind::Float(_) | ExprKind::Regex(_) => true,
                ExprKind::Identifier(name) => matches!(&**name, "true" | "false"),
                _ => false,
            };
            is_literal && (label == "_value" || !is_order(*operator)) && compares(*operator)
        }
        _ => false,
    }
}

/// Whether an operator asks for an order.
fn is_order(operator: BinaryOperator) -> bool {
    matches!(
        operator,
        BinaryOperator::Less
            | BinaryOperator::LessOrEqual
            | BinaryOperator::Greater
            | BinaryOperator::GreaterOrEqual
    )
}

/// Whether an operator compares two values.
fn compares(operator: BinaryOperator) -> bool {
    let equality = matches!(
        operator,
        BinaryOperator::Equal
            | BinaryOperator::NotEqual
            | BinaryOperator::Matches
            | BinaryOperator::MatchesNot
    );
    equality || is_order(operator)
}

/// What the store makes of a condition on some rows of a table; `None` when it leaves the condition
/// to the language.
fn in_store(expr: &Expr, parameter: &str, rows: (&Table, usize, usize)) -> Option<Answer> {
    match &expr.kind {
        ExprKind::Logical { operator, operands } => {
            let join: fn(bool, bool) -> bool = match operator {
                LogicalOperator::And => |one, other| one && other,
                LogicalOperator::Or => |one, other| one || other,
            };
            let answers = operands.iter().map(|operand| in_store(operand, parameter, rows));
            let answers = answers.collect::<Option<Vec<Answer>>>()?;
            answers.into_iter().reduce(|one, other| one.combined(&other, join))
        }
        ExprKind::Unary { operator: UnaryOperator::Exists, operand } => {
            let label = member_of(operand, parameter).filter(|label| *label != "_value")?;
            Some(Answer::Same(!constant(rows.0, label)?.is_null()))
        }
        ExprKind::Unary { operator: UnaryOperator::Not, operand }
            if matches!(operand.kind, ExprKind::Unary { .. }) =>
        {
            let answer = in_store(operand, parameter, rows)?;
            Some(answer.combined(&Answer::Same(true), |one, other| one != other))
        }
        ExprKind::Binary { operator, left, right } => {
            let label = member_of(left, parameter)?;
            if label == "_value" {
                return compare_values(*operator, rows, &right.kind);
            }
            match constant(rows.0, label)? {
                Value::String(text) => compare_tag(*operator, &text, &right.kind),
                Value::Null(_) => compare_tag(*operator, "", &right.kind),
                _ => None,
            }
            .map(Answer::Same)
        }
        _ => None,
    }
}

/// What all rows have under a label; null when there is no such column, and for times, which the
/// store takes for tags that no series has.
fn constant(table: &Table, label: &str) -> Option<Value> {
    match table.column(label) {
        Some(_) if matches!(label, "_start" | "_stop" | "_time") => Some(Value::Null(None)),
        None => Some(Value::Null(None)),
        Some(Column { data: Data::Repeat { value, .. }, .. }) => Some(value.clone()),
        Some(_) => None,
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
        // A tag is a text, and to the store a text neither equals a number nor differs from it.
        (
            BinaryOperator::Equal | BinaryOperator::NotEqual,
            ExprKind::Integer(_) | ExprKind::Float(_),
        ) => Some(false),
        (BinaryOperator::Equal | BinaryOperator::NotEqual, ExprKind::Identifier(name))
            if matches!(&**name, "true" | "false") =>
        {
            Some(false)
        }
        _ => None,
    }
}

/// Numbers compare with numbers; values of any other two types fail every comparison.
fn compare_values(
    operator: BinaryOperator,
    (table, from, to): (&Table, usize, usize),
    literal: &ExprKind,
) -> Option<Answer> {
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
    let Some(column) = table.column("_value") else { return Some(Answer::Same(false)) };
    if let Some(flags) = compare_with(operator, &column.slice(from, to), &literal) {
        return Some(Answer::Rows(flags));
    }
    let compared = (from..to).map(|row| compare_value(operator, &column.value(row), &literal));
    Some(Answer::Rows(compared.collect()))
}

fn compare_value(operator: BinaryOperator, value: &Value, literal: &Value) -> bool {
    let is_number = |value: &Value| matches!(value, Value::Int(_) | Value::Float(_));
    let is_order = !matches!(
        operator,
        BinaryOperator::Equal
            | BinaryOperator::NotEqual
            | BinaryOperator::Matches
            | BinaryOperator::MatchesNot
    );
    let comparable = match (value, literal) {
        (Value::String(_), Value::String(_)) | (Value::Bool(_), Value::Bool(_)) => !is_order,
        (Value::String(_), Value::Regex(_)) => true,
        (value, literal) => is_number(value) && is_number(literal),
    };
    let compared = operators::binary(operator, value, literal);
    comparable && matches!(compared, Ok(Value::Bool(true)))
}

/// A function of a filter with the conditions of it that count.
#[derive(Clone, Debug)]
pub(super) struct Condition {
    pub(super) lambda: Lambda,
    pub(super) predicate: Predicate,
}

impl Condition {
    pub(super) fn of(lambda: Lambda) -> Result<Self, FluxError> {
        let predicate = Predicate::of(&lambda)?;
        Ok(Self { lambda, predicate })
    }

    /// Conditions on what names a series, and those on its points, for rows from the store.
    pub(super) fn split(self) -> (Option<Self>, Option<Self>) {
        let (on_series, on_points) = self.predicate.split();
        let with = |predicate| Self { predicate, lambda: self.lambda.clone() };
        (on_series.map(with), on_points.map(with))
    }

    /// Whether the store can do all of the function's work.
    pub(super) fn is_for_store(&self) -> bool {
        self.predicate.is_for_store()
    }

    /// Whether the function is one expression.
    pub(super) fn is_expression(&self) -> bool {
        matches!(self.predicate.function.body, Body::Expression(_))
    }
}

/// The rows of a table for which all conditions hold, each asked of the rows that the ones before
/// it leave.
pub(super) fn filter_table(table: Table, conditions: &[Condition]) -> Result<Table, FluxError> {
    let table = Arc::new(table);
    let mut kept_rows = Vec::new();
    for from in (0..table.rows).step_by(CHUNK_ROWS) {
        let mut kept = vec![true; CHUNK_ROWS.min(table.rows - from)];
        for condition in conditions {
            let rows = RowFunction::new(condition.lambda.clone(), Some("filter"));
            condition.predicate.narrow(&rows, &table, from, &mut kept)?;
        }
        let kept = kept.iter().enumerate().filter(|(_, kept)| **kept);
        kept_rows.extend(kept.map(|(at, _)| from + at));
    }
    if kept_rows.len() == table.rows {
        return Ok(Arc::unwrap_or_clone(table));
    }
    Ok(table.take(&kept_rows))
}
