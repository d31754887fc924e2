//! Functions that tell of tables rather than of their rows: `columns`, `keys`, `keyValues`.

use std::collections::HashSet;
use std::sync::Arc;

use super::{Builtin, Call, optional, piped};
use crate::flux::error::FluxError;
use crate::flux::scalar_key::ScalarKey;
use crate::flux::table::{Column, ColumnBuilder, Table};
use crate::flux::value::Value;

const COLUMN: &[super::Parameter] = &[piped("tables"), optional("column")];

pub(super) const BUILTINS: &[Builtin] = &[
    Builtin { package: "", name: "columns", parameters: COLUMN, run: columns },
    Builtin { package: "", name: "keys", parameters: COLUMN, run: keys },
    Builtin {
        package: "",
        name: "keyValues",
        parameters: &[piped("tables"), optional("keyColumns")],
        run: key_values,
    },
];

fn columns(call: &Call<'_>) -> Result<Value, FluxError> {
    listed(call, |table| table.columns.iter().map(|column| Arc::clone(&column.label)).collect())
}

fn keys(call: &Call<'_>) -> Result<Value, FluxError> {
    listed(call, |table| table.key_columns().into_iter().map(|column| column.label).collect())
}

/// One row for each of some labels.
fn listed(call: &Call<'_>, labels: fn(&Table) -> Vec<Arc<str>>) -> Result<Value, FluxError> {
    let target = call.string_or("column", "_value")?;
    let made = call.stream("tables")?.gathered(call.site, move |table| {
        let labels = labels(&table);
        let rows = labels.len();
        let mut columns = table.key_columns();
        if columns.iter().any(|column| column.label == target) {
            let message = format!("table builder already has column with label {target}");
            return Err(FluxError::new(message));
        }
        columns.push(Column::strings(&target, labels));
        Ok(Table::new(table.key, columns, rows))
    })?;
    Ok(Value::Stream(made))
}

fn key_values(call: &Call<'_>) -> Result<Value, FluxError> {
    let Some(labels) = call.strings("keyColumns")? else {
        return Err(FluxError::new("neither column list nor predicate function provided"));
    };
    let made =
        call.stream("tables")?.gathered(call.site, move |table| different(&table, &labels))?;
    Ok(Value::Stream(made))
}

/// The different values of some columns, each with the label of its column.
fn different(table: &Table, labels: &[Arc<str>]) -> Result<Table, FluxError> {
    let found: Vec<&Column> = labels.iter().filter_map(|label| table.column(label)).collect();
    let Some(kind) = found.last().map(|column| column.kind()) else {
        let own: Vec<&str> = table.columns.iter().map(|column| &*column.label).collect();
        let message = format!(
            "received table with columns [{}] not having key columns [{}]",
            own.join(" "),
            labels.join(" ")
        );
        return Err(FluxError::new(message));
    };
    if found.iter().any(|column| column.kind() != kind) {
        return Err(FluxError::new("keyColumns must all be the same type"));
    }
    let (key_label, value_label): (Arc<str>, Arc<str>) = (Arc::from("_key"), Arc::from("_value"));
    let (mut keys, mut values) = (Vec::new(), ColumnBuilder::new(&value_label, kind));
    let mut seen = HashSet::new();
    for row in 0..table.rows {
        for (at, column) in found.iter().enumerate() {
            // Null counts once for all columns together.
            let own = if column.is_null(row) { 0 } else { at };
            if seen.insert((own, ScalarKey::of(column, row))) {
                keys.push(Arc::clone(&column.label));
                values.push(column.value(row))?;
            }
        }
    }
    let rows = keys.len();
    let mut columns = table.key_columns();
    columns.retain(|column| column.label != key_label && column.label != value_label);
    columns.push(Column::strings(&key_label, keys));
    columns.push(values.finish());
    let key = table.key.without(|label| label == "_key" || label == "_value");
    Ok(Table::new(key, columns, rows))
}
