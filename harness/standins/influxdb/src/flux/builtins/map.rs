//! `map`: a row made of each row.

use std::sync::Arc;

use super::growing::Growing;
use super::{Builtin, Call, optional, piped, required};
use crate::flux::columnwise::{CHUNK_ROWS, RowFunction};
use crate::flux::error::FluxError;
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
    let rows = RowFunction::new(call.lambda_of("fn", &["r"])?, Some("map"));
    let by_column = rows.is_vectorized();
    let site = if by_column { call.site.planned() } else { call.site };
    let mapped = call.stream("tables")?.regrouped(site, move |table| {
        let mut made = map_table(table, &rows)?;
        if !by_column {
            // Row by row, the server gives the columns in order of their labels.
            for table in &mut made {
                table.columns.sort_by(|left, right| left.label.cmp(&right.label));
            }
        }
        Ok(made)
    })?;
    Ok(Value::Stream(mapped))
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
