//! `map`: a row made of each row.

use std::sync::Arc;

use super::growing::Growing;
use super::{Builtin, Call, optional, piped, required};
use crate::flux::ast::{BinaryOperator, Body, Expr, ExprKind};
use crate::flux::columnwise::{CHUNK_ROWS, RowFunction};
use crate::flux::error::FluxError;
use crate::flux::interpreter::{Function, Lambda};
use crate::flux::table::Table;
use crate::flux::value::{Record, Value};

pub(super) const BUILTINS: &[Builtin] = &[Builtin {
    package: "",
    name: "map",
    parameters: &[piped("tables"), required("fn"), optional("mergeKey")],
    run: map,
}];

fn map(call: &Call<'_>) -> Result<Value, FluxError> {
    if call.bool_or("mergeKey", false)? {
        let message = "argument `mergeKey` of `map` is not in the stand-in's Flux";
        return Err(FluxError::compilation(call.site.span, message));
    }
    let lambda = call.lambda_of("fn", &["r"])?;
    let by_column = by_column(&lambda);
    let rows = RowFunction::new(lambda, Some("map"));
    let stream = call.stream("tables")?;
    let mapped = stream.unordered().all(call.site, move |tables| {
        let made = tables.into_iter().map(|table| {
            let mut made = map_table(table, &rows)?;
            if !by_column {
                for table in &mut made {
                    table.columns.sort_by(|left, right| left.label.cmp(&right.label));
                }
            }
            Ok(made)
        });
        super::group::merge_as_made(made.collect::<Result<Vec<_>, _>>()?.concat())
    })?;
    Ok(Value::Stream(mapped.in_order(call.site)?))
}

/// Whether the server computes a function of rows column by column, which keeps the order of
/// columns. Row by row it gives them in order of their labels.
fn by_column(lambda: &Lambda) -> bool {
    let Function::Own { expr, .. } = &*lambda.function else { return false };
    let Body::Expression(Expr { kind: ExprKind::Record { properties, .. }, .. }) = &expr.body
    else {
        return false;
    };
    let is_row = expr.parameters.first().is_some_and(|parameter| &*parameter.name == "r");
    is_row && properties.iter().all(|property| is_columnwise(&property.value))
}

fn is_columnwise(expr: &Expr) -> bool {
    match &expr.kind {
        ExprKind::Identifier(name) => matches!(&**name, "r" | "true" | "false"),
        ExprKind::Member { object, .. } => is_columnwise(object),
        ExprKind::Unary { operand, .. } => is_columnwise(operand),
        ExprKind::Binary { operator, left, right } => {
            let matches = matches!(operator, BinaryOperator::Matches | BinaryOperator::MatchesNot);
            !matches && is_columnwise(left) && is_columnwise(right)
        }
        ExprKind::Logical { operands, .. } => operands.iter().all(is_columnwise),
        ExprKind::Conditional { test, yes, no } => {
            [test, yes, no].into_iter().all(|part| is_columnwise(part))
        }
        ExprKind::Integer(_) | ExprKind::Float(_) | ExprKind::String(_) | ExprKind::Time(_) => true,
        ExprKind::Call { callee, arguments } => {
            let is_float = matches!(&callee.kind, ExprKind::Identifier(name) if &**name == "float");
            is_float && arguments.iter().all(|argument| is_columnwise(&argument.value))
        }
        _ => false,
    }
}

/// Makes a row of each row. A change to a column of the group key moves the row to another table.
fn map_table(table: Table, rows: &RowFunction) -> Result<Vec<Table>, FluxError> {
    let labels = table.key.labels();
    let table = Arc::new(table);
    let mut made = Growing::of(Arc::clone(&table));
    for from in (0..table.rows).step_by(CHUNK_ROWS) {
        let to = (from + CHUNK_ROWS).min(table.rows);
        let results = rows.results(&table, from, to)?;
        match results.entries(&table) {
            Some(entries) => made.push_rows(entries, to - from)?,
            None => {
                for at in 0..to - from {
                    let record = record(results.value(at, &table, from))?;
                    made.push(&record)?;
                }
            }
        }
    }
    // Without a column there is no table.
    let made = made.finish();
    Ok(if made.rows == 0 || made.columns.is_empty() {
        Vec::new()
    } else {
        super::group::split(made, &labels)
    })
}

fn record(value: Value) -> Result<Arc<Record>, FluxError> {
    match value {
        Value::Record(record) => Ok(record),
        Value::Row(row) => Ok(Arc::new(Record::from(&row))),
        other => {
            let found = other.type_word();
            Err(FluxError::new(format!("map function must return an object, got {found}")))
        }
    }
}
