//! Functions that take a value out of tables: `findColumn`, `findRecord` and their parts.

use std::sync::Arc;

use super::{Builtin, Call, piped, required};
use crate::flux::columnwise::is_true;
use crate::flux::error::FluxError;
use crate::flux::stream::{Stream, Tables};
use crate::flux::table::Table;
use crate::flux::value::{Record, Row, Value};

pub(super) const BUILTINS: &[Builtin] = &[
    Builtin {
        package: "",
        name: "tableFind",
        parameters: &[piped("tables"), required("fn")],
        run: table_find,
    },
    Builtin {
        package: "",
        name: "getColumn",
        parameters: &[piped("table"), required("column")],
        run: get_column,
    },
    Builtin {
        package: "",
        name: "getRecord",
        parameters: &[piped("table"), required("idx")],
        run: get_record,
    },
    Builtin {
        package: "",
        name: "findColumn",
        parameters: &[piped("tables"), required("fn"), required("column")],
        run: find_column,
    },
    Builtin {
        package: "",
        name: "findRecord",
        parameters: &[piped("tables"), required("fn"), required("idx")],
        run: find_record,
    },
];

/// The first table whose group key a function accepts. All tables are read, so that a mistake in
/// any of them is met.
fn found(call: &Call<'_>) -> Result<Option<Table>, FluxError> {
    let lambda = call.lambda_of("fn", &["key"])?;
    let mut found = None;
    call.stream("tables")?.read_through(|table| {
        if found.is_some() {
            return Ok(());
        }
        let key: Record = table.key.entries().iter().cloned().collect();
        let accepted = lambda.call(vec![(Arc::from("key"), Value::Record(Arc::new(key)))]);
        let accepted = accepted.and_then(|accepted| is_true(&accepted));
        if accepted.map_err(|error| error.in_rows(Some("group key predicate"), lambda.span()))? {
            found = Some(table);
        }
        Ok(())
    })?;
    Ok(found)
}

fn table_find(call: &Call<'_>) -> Result<Value, FluxError> {
    let table = found(call)?.ok_or_else(|| FluxError::not_found("no table found"))?;
    let stream = Stream::source(&call.interpreter.execution, call.site, move || {
        Ok(Box::new(std::iter::once(Ok(table.clone()))) as Tables)
    });
    Ok(Value::Stream(stream))
}

/// The one table that `tableFind` gave.
fn one_table(call: &Call<'_>) -> Result<Table, FluxError> {
    let mut first = None;
    call.stream("table")?.read_through(|table| {
        first.get_or_insert(table);
        Ok(())
    })?;
    first.ok_or_else(|| FluxError::new("no table found"))
}

fn column_values(table: &Table, label: &str) -> Option<Value> {
    let column = table.column(label)?;
    Some(Value::Array(Arc::new((0..table.rows).map(|row| column.value(row)).collect())))
}

fn row(table: Table, index: i64) -> Option<Value> {
    let index = usize::try_from(index).ok().filter(|index| *index < table.rows)?;
    let row = Row { table: Arc::new(table), index };
    Some(Value::Record(Arc::new(Record::from(&row))))
}

fn get_column(call: &Call<'_>) -> Result<Value, FluxError> {
    let label = call.string_or("column", "")?;
    let missing = || FluxError::new(format!("cannot find column {label}"));
    column_values(&one_table(call)?, &label).ok_or_else(missing)
}

fn get_record(call: &Call<'_>) -> Result<Value, FluxError> {
    let index = call.int("idx")?.unwrap_or_default();
    let outside = || FluxError::new(format!("index out of bounds: {index}"));
    row(one_table(call)?, index).ok_or_else(outside)
}

fn find_column(call: &Call<'_>) -> Result<Value, FluxError> {
    let label = call.string_or("column", "")?;
    let found = found(call)?.and_then(|table| column_values(&table, &label));
    Ok(found.unwrap_or_else(|| Value::Array(Arc::default())))
}

fn find_record(call: &Call<'_>) -> Result<Value, FluxError> {
    let index = call.int("idx")?.unwrap_or_default();
    let found = found(call)?.and_then(|table| row(table, index));
    Ok(found.unwrap_or_else(|| Value::Record(Arc::default())))
}
