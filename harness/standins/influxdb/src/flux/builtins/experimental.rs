//! `experimental`: functions of tables that have not found their way among the others.
//!
//! Those that are compositions of others are in the prelude; `join` and the functions of dates are
//! with their kin.

mod diff;
mod unpivot;

use std::sync::Arc;

use super::group::split;
use super::{Builtin, Call, optional, piped, required};
use crate::flux::error::{FluxError, FluxErrorCode};
use crate::flux::table::{Column, Data, Table};
use crate::flux::value::{ColumnType, Record, Value};

pub(super) const BUILTINS: &[Builtin] = &[
    Builtin {
        package: "experimental",
        name: "group",
        parameters: &[piped("tables"), required("mode"), required("columns")],
        run: group,
    },
    Builtin {
        package: "experimental",
        name: "set",
        parameters: &[piped("tables"), required("o")],
        run: set,
    },
    Builtin {
        package: "experimental",
        name: "preview",
        parameters: &[piped("tables"), optional("nrows"), optional("ntables")],
        run: preview,
    },
    Builtin {
        package: "experimental",
        name: "unpivot",
        parameters: &[piped("tables"), optional("otherColumns")],
        run: unpivot::unpivot,
    },
    Builtin {
        package: "experimental",
        name: "diff",
        parameters: &[piped("got"), required("want")],
        run: diff::diff,
    },
    Builtin {
        package: "experimental",
        name: "objectKeys",
        parameters: &[required("o")],
        run: object_keys,
    },
    Builtin { package: "experimental", name: "catch", parameters: &[required("fn")], run: catch },
    Builtin {
        package: "experimental/table",
        name: "fill",
        parameters: &[piped("tables")],
        run: fill_empty,
    },
];

/// Adds columns to the group key.
fn group(call: &Call<'_>) -> Result<Value, FluxError> {
    let mode = call.string_or("mode", "")?;
    if &*mode != "extend" {
        return Err(FluxError::new(format!(
            "invalid group mode \"{mode}\"; experimental.group requires mode \"extend\""
        )));
    }
    let labels = call.strings("columns")?.unwrap_or_default();
    let grouped = call.stream("tables")?.merged(call.site, move |table| {
        if let Some(unknown) = labels.iter().find(|label| table.column(label).is_none()) {
            return Err(FluxError::new(format!("unknown column \"{unknown}\"")));
        }
        let extended: Vec<Arc<str>> =
            table.key.labels().into_iter().chain(labels.iter().cloned()).collect();
        Ok(split(table, &extended))
    })?;
    Ok(Value::Stream(grouped))
}

/// Sets columns to the values of a record.
fn set(call: &Call<'_>) -> Result<Value, FluxError> {
    let record = call.record("o")?.unwrap_or_default();
    for (_, value) in record.entries() {
        if value.column_type().is_none() {
            let found = value.type_word();
            let message = format!("cannot represent the type {found} as column data");
            return Err(FluxError::new(message));
        }
    }
    let made = call
        .stream("tables")?
        .merged(call.site, move |table| Ok(vec![with_values(table, &record)]))?;
    Ok(Value::Stream(made))
}

fn with_values(mut table: Table, record: &Record) -> Table {
    for (label, value) in record.entries() {
        if table.key.contains(label) {
            table.key = table.key.with(label, value.clone());
        }
        table.put(Column::repeat(label, value.clone()));
    }
    table
}

/// The first rows of the first tables.
fn preview(call: &Call<'_>) -> Result<Value, FluxError> {
    let count = |name: &str| Ok::<_, FluxError>(usize::try_from(call.int(name)?.unwrap_or(5)));
    let tables = count("ntables")?.unwrap_or(usize::MAX);
    let rows = count("nrows")?
        .map_err(|_| FluxError::internal("panic: arrow/array: index out of range"))?;
    let made = call.stream("tables")?.all(call.site, move |all| {
        let first = all.into_iter().take(tables);
        Ok(first
            .map(|table| {
                let to = rows.min(table.rows);
                table.slice(0, to)
            })
            .collect())
    })?;
    Ok(Value::Stream(made))
}

/// The names in a record, in its order.
fn object_keys(call: &Call<'_>) -> Result<Value, FluxError> {
    let record = match call.required("o")? {
        Value::Record(record) => Arc::clone(record),
        Value::Row(row) => Arc::new(Record::from(row)),
        other => return Err(call.wrong("o", "record", other)),
    };
    let keys = record.entries().iter().map(|(key, _)| Value::String(Arc::clone(key)));
    Ok(Value::Array(Arc::new(keys.collect())))
}

/// Calls a function and gives what it gives or what went wrong.
fn catch(call: &Call<'_>) -> Result<Value, FluxError> {
    let lambda = call.lambda_of("fn", &[])?;
    let null = || Value::Null(None);
    let (value, code, message) = match lambda.call(Vec::new()) {
        Ok(value) => {
            let code = Value::Null(Some(ColumnType::UInt));
            (value, code, Value::Null(Some(ColumnType::String)))
        }
        Err(error) => {
            let code = match error.code() {
                FluxErrorCode::Internal => 1,
                FluxErrorCode::Invalid => 3,
                FluxErrorCode::NotFound => 5,
            };
            (null(), Value::UInt(code), Value::string(&error.to_string()))
        }
    };
    let entries = [("value", value), ("code", code), ("msg", message)];
    let record: Record = entries.map(|(key, value)| (Arc::from(key), value)).into_iter().collect();
    Ok(Value::Record(Arc::new(record)))
}

/// Gives every empty table a row that holds its group key and else nulls.
fn fill_empty(call: &Call<'_>) -> Result<Value, FluxError> {
    let made = call.stream("tables")?.map(call.site, |table| {
        if table.rows > 0 {
            return Ok(table);
        }
        let columns = table.columns.iter().map(|column| {
            let kind = column.kind();
            let value = table.key.get(&column.label).cloned();
            let value = value.unwrap_or(Value::Null(Some(kind)));
            Column::new(&column.label, Data::Repeat { value, kind })
        });
        Ok(Table::new(table.key.clone(), columns.collect(), 1))
    })?;
    Ok(Value::Stream(made))
}
