//! `experimental.unpivot`: a table for each column, with its name in `_field`.

use std::sync::Arc;

use crate::flux::builtins::Call;
use crate::flux::error::FluxError;
use crate::flux::table::{Column, Table};
use crate::flux::value::Value;

pub(super) fn unpivot(call: &Call<'_>) -> Result<Value, FluxError> {
    let others = call.strings("otherColumns")?.unwrap_or_else(|| vec![Arc::from("_time")]);
    let made = call.stream("tables")?.regrouped(call.site, move |table| fields(&table, &others))?;
    Ok(Value::Stream(made))
}

fn fields(table: &Table, others: &[Arc<str>]) -> Result<Vec<Table>, FluxError> {
    if table.column("_field").is_some() || table.column("_value").is_some() {
        let message = "unpivot can't have \"_field\" or \"_value\" as an input column";
        return Err(FluxError::new(message));
    }
    let known = |label: &Arc<str>| &**label == "_field" || table.column(label).is_some();
    if let Some(unknown) = others.iter().find(|label| !known(label)) {
        let message = format!("unpivot could not find column named \"{unknown}\"");
        return Err(FluxError::new(message));
    }
    let field: Arc<str> = Arc::from("_field");
    let values = table
        .columns
        .iter()
        .filter(|column| !table.key.contains(&column.label) && !others.contains(&column.label));
    let made = values.map(|value| {
        // Nulls are no points.
        let rows: Vec<usize> = (0..table.rows).filter(|row| !value.is_null(*row)).collect();
        let name = Column::repeat(&field, Value::String(Arc::clone(&value.label)));
        let mut columns = table.key_columns();
        let mut key = table.key.clone();
        if !others.contains(&field) {
            key = key.with(&field, Value::String(Arc::clone(&value.label)));
            columns.push(name.clone());
        }
        for other in others {
            columns.push(table.column(other).map_or_else(|| name.clone(), |own| own.take(&rows)));
        }
        let mut value = value.take(&rows);
        value.label = Arc::from("_value");
        columns.push(value);
        Table::new(key, columns, rows.len())
    });
    Ok(made.collect())
}
