//! Functions that move rows between tables: `group`, `union`, and merging by group key.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use super::{Builtin, Call, optional, piped, required};
use crate::flux::error::FluxError;
use crate::flux::scalar_key::ScalarKey;
use crate::flux::stream::Stream;
use crate::flux::table::{Column, ColumnBuilder, Data, GroupKey, Table};
use crate::flux::value::{ColumnType, Value};

pub(super) const BUILTINS: &[Builtin] = &[
    Builtin {
        package: "",
        name: "group",
        parameters: &[piped("tables"), optional("columns"), optional("mode")],
        run: group,
    },
    Builtin { package: "", name: "union", parameters: &[required("tables")], run: union },
];

fn group(call: &Call<'_>) -> Result<Value, FluxError> {
    let labels = call.strings("columns")?.unwrap_or_default();
    let by = match &*call.string_or("mode", "by")? {
        "by" => true,
        "except" => false,
        _ => {
            return Err(FluxError::new("invalid group mode: must be \"by\" or \"except\""));
        }
    };
    let stream = call.stream("tables")?;
    let of_points = |label: &Arc<str>| matches!(&**label, "_time" | "_value");
    // Grouping in the store itself keeps the range in the key and knows labels that a series lacks.
    let in_store = by && stream.read.is_some() && !labels.iter().any(of_points);
    let grouped = stream.all(call.site, move |tables| {
        let mut parts = Vec::new();
        for mut table in tables {
            if in_store {
                table = with_absent_labels(table, &labels);
            }
            let keyed: Vec<Arc<str>> = table
                .columns
                .iter()
                .map(|column| Arc::clone(&column.label))
                .filter(|label| {
                    let of_range = in_store && matches!(&**label, "_start" | "_stop");
                    labels.contains(label) == by || of_range
                })
                .collect();
            parts.extend(split(table, &keyed));
        }
        merge(parts)
    })?;
    Ok(Value::Stream(grouped))
}

fn with_absent_labels(mut table: Table, labels: &[Arc<str>]) -> Table {
    for label in labels {
        if table.column(label).is_none() {
            table.columns.push(Column::repeat(label, Value::Null(Some(ColumnType::String))));
        }
    }
    table
}

/// Splits a table by the values of some columns, which become its group key.
pub(super) fn split(mut table: Table, labels: &[Arc<str>]) -> Vec<Table> {
    let varying: Vec<&Column> = table
        .columns
        .iter()
        .filter(|column| labels.contains(&column.label) && !is_constant(column))
        .collect();
    if varying.is_empty() {
        let entries = table.columns.iter().filter(|column| labels.contains(&column.label));
        let value = |column: &Column| match &column.data {
            Data::Repeat { value, .. } => value.clone(),
            _ => Value::Null(Some(column.kind())),
        };
        table.key = entries.map(|column| (Arc::clone(&column.label), value(column))).collect();
        return vec![table];
    }
    let mut groups_by_key: HashMap<Vec<ScalarKey>, usize> = HashMap::new();
    let mut groups: Vec<Vec<usize>> = Vec::new();
    let mut key = Vec::new();
    for row in 0..table.rows {
        key.clear();
        key.extend(varying.iter().map(|column| ScalarKey::of(column, row)));
        let at = groups_by_key.get(&key).copied().unwrap_or_else(|| {
            groups_by_key.insert(key.clone(), groups.len());
            groups.push(Vec::new());
            groups.len() - 1
        });
        groups[at].push(row);
    }
    let parts = groups.into_iter().map(|rows| {
        let columns = table.columns.iter().map(|column| {
            if labels.contains(&column.label) {
                let (value, kind) = (column.value(rows[0]), column.kind());
                return Column::new(&column.label, Data::Repeat { value, kind });
            }
            column.take(&rows)
        });
        Table::keyed(labels, columns.collect(), rows.len())
    });
    parts.collect()
}

/// Whether all tables have one and the same value in all rows of a column.
fn is_shared(column: &Column, tables: &[Table]) -> bool {
    let Data::Repeat { value, kind } = &column.data else { return false };
    tables.iter().all(|table| match table.column(&column.label) {
        Some(Column { data: Data::Repeat { value: own, kind: own_kind }, .. }) => {
            own_kind == kind && own.same_scalar(value)
        }
        _ => false,
    })
}

fn is_constant(column: &Column) -> bool {
    matches!(column.data, Data::Repeat { .. })
}

/// Puts tables with equal group keys together and gives them in order of their keys. Columns that
/// some of them lack are null there; columns of different types cannot be put together.
#[expect(clippy::mutable_key_type, reason = "a group key holds scalars, which do not change")]
pub(super) fn merge(tables: Vec<Table>) -> Result<Vec<Table>, FluxError> {
    let mut groups: BTreeMap<GroupKey, Vec<Table>> = BTreeMap::new();
    for table in tables {
        groups.entry(table.key.clone()).or_default().push(table);
    }
    groups.into_values().map(join_rows).collect()
}

fn join_rows(mut tables: Vec<Table>) -> Result<Table, FluxError> {
    if tables.len() == 1 {
        return tables.pop().ok_or_else(|| FluxError::new("there are no tables to merge"));
    }
    let key = tables[0].key.clone();
    let mut builders: Vec<ColumnBuilder> = Vec::new();
    let mut constants: Vec<Column> = Vec::new();
    let mut rows = 0;
    for table in &tables {
        for column in &table.columns {
            if constants.iter().any(|own| own.label == column.label) {
                continue;
            }
            if is_constant(column) && (key.contains(&column.label) || is_shared(column, &tables)) {
                constants.push(column.clone());
                continue;
            }
            let at = builders.iter().position(|own| own.label() == &column.label);
            let at = at.unwrap_or_else(|| {
                let mut builder = ColumnBuilder::new(&column.label, column.kind());
                builder.pad(rows);
                builders.push(builder);
                builders.len() - 1
            });
            builders[at].extend(column, table.rows)?;
        }
        rows += table.rows;
        for builder in &mut builders {
            builder.pad(rows);
        }
    }
    let columns = constants.into_iter().chain(builders.into_iter().map(ColumnBuilder::finish));
    Ok(Table::new(key, columns.collect(), rows))
}

fn union(call: &Call<'_>) -> Result<Value, FluxError> {
    let streams = call.array("tables")?.unwrap_or_default();
    let streams = streams.iter().map(|value| match value {
        Value::Stream(stream) => Ok(stream.clone()),
        other => Err(call.wrong("tables", "stream", other)),
    });
    let streams: Vec<Stream> = streams.collect::<Result<_, _>>()?;
    if streams.len() < 2 {
        return Err(FluxError::new("union must have at least two streams as input"));
    }
    let joined = Stream::combined(streams, call.site, |tables| merge(tables.concat()))?;
    Ok(Value::Stream(joined))
}
