//! `pivot`: rows of several columns become one row.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use super::{Builtin, Call, piped, required};
use crate::flux::error::FluxError;
use crate::flux::scalar_key::ScalarKey;
use crate::flux::table::{Column, ColumnBuilder, Data, GroupKey, Table};
use crate::flux::value::{ColumnType, Value};

pub(super) const BUILTINS: &[Builtin] = &[Builtin {
    package: "",
    name: "pivot",
    parameters: &[
        piped("tables"),
        required("rowKey"),
        required("columnKey"),
        required("valueColumn"),
    ],
    run: pivot,
}];

/// What `pivot` was asked for.
struct Pivot {
    row_key: Vec<Arc<str>>,
    column_key: Vec<Arc<str>>,
    value: Arc<str>,
}

#[expect(clippy::mutable_key_type, reason = "a group key holds scalars, which do not change")]
fn pivot(call: &Call<'_>) -> Result<Value, FluxError> {
    let pivot = Pivot {
        row_key: call.strings("rowKey")?.unwrap_or_default(),
        column_key: call.strings("columnKey")?.unwrap_or_default(),
        value: call.string_or("valueColumn", "_value")?,
    };
    if let Some(twice) = pivot.row_key.iter().find(|label| pivot.column_key.contains(label)) {
        return Err(FluxError::new(format!(
            "column name found in both rowKey and colKey: {twice}"
        )));
    }
    if pivot.row_key.contains(&pivot.value) || pivot.column_key.contains(&pivot.value) {
        return Err(FluxError::new(format!(
            "column name found in both valueColumn and a key: {}",
            pivot.value
        )));
    }
    let stream = call.stream("tables")?;
    let sorted = stream.read.is_some();
    let pivoted = stream.all(call.site, move |tables| {
        let mut groups: BTreeMap<GroupKey, Vec<Table>> = BTreeMap::new();
        for table in tables {
            pivot.check(&table).map_err(|(kind, label)| {
                // Tables straight from the store are pivoted in another way.
                let kind = if sorted { "" } else { kind };
                FluxError::new(format!("specified {kind}column does not exist in table: {label}"))
            })?;
            let key = table.key.without(|label| pivot.consumes(label));
            groups.entry(key).or_default().push(table);
        }
        groups.into_iter().map(|(key, tables)| pivot.group(key, &tables)).collect()
    })?;
    Ok(Value::Stream(pivoted))
}

/// Where a row comes from.
#[derive(Clone, Copy)]
struct Source {
    table: usize,
    row: usize,
}

impl Pivot {
    fn consumes(&self, label: &str) -> bool {
        *self.value == *label || self.column_key.iter().any(|own| **own == *label)
    }

    /// The column that a table lacks, after what the server says that it is for.
    fn check(&self, table: &Table) -> Result<(), (&'static str, Arc<str>)> {
        let rows = self.row_key.iter().map(|label| ("row key ", label));
        let value = [("value ", &self.value)];
        let columns = self.column_key.iter().map(|label| ("", label));
        let mut wanted = rows.chain(value).chain(columns);
        match wanted.find(|(_, label)| table.column(label).is_none()) {
            None => Ok(()),
            Some((kind, label)) => Err((kind, Arc::clone(label))),
        }
    }

    /// Makes one table of all tables with one group key.
    fn group(&self, key: GroupKey, tables: &[Table]) -> Result<Table, FluxError> {
        let (sources, rows) = self.number_rows(tables);
        let mut columns = self.key_columns(&key, tables, &sources);
        let mut values: Vec<(ColumnBuilder, Vec<Option<Source>>)> = Vec::new();
        for (at, table) in tables.iter().enumerate() {
            let mut last: Option<(Arc<str>, usize)> = None;
            for row in 0..table.rows {
                let label = self.column_label(table, row, last.as_ref());
                let place = match &last {
                    Some((known, place)) if *known == label => *place,
                    _ => self.value_column(&label, table, &mut values, sources.len())?,
                };
                values[place].1[rows[at][row]] = Some(Source { table: at, row });
                last = Some((label, place));
            }
        }
        for (mut builder, cells) in values {
            for cell in cells {
                match cell {
                    Some(source) => {
                        let column = tables[source.table].required(&self.value)?;
                        builder.push(column.value(source.row))?;
                    }
                    None => builder.push_null(),
                }
            }
            columns.push(builder.finish());
        }
        Ok(Table::new(key, columns, sources.len()))
    }

    /// Numbers the rows of the result, in order of their first appearance: those with equal row
    /// keys are one.
    fn number_rows(&self, tables: &[Table]) -> (Vec<Source>, Vec<Vec<usize>>) {
        let mut numbers: HashMap<Vec<ScalarKey>, usize> = HashMap::new();
        let mut sources: Vec<Source> = Vec::new();
        let mut rows = Vec::with_capacity(tables.len());
        let mut key = Vec::new();
        for (at, table) in tables.iter().enumerate() {
            let columns: Vec<&Column> =
                self.row_key.iter().filter_map(|label| table.column(label)).collect();
            let number = |row: usize| {
                key.clear();
                key.extend(columns.iter().map(|column| ScalarKey::of(column, row)));
                numbers.get(&key).copied().unwrap_or_else(|| {
                    numbers.insert(key.clone(), sources.len());
                    sources.push(Source { table: at, row });
                    sources.len() - 1
                })
            };
            rows.push((0..table.rows).map(number).collect());
        }
        (sources, rows)
    }

    fn key_columns(&self, key: &GroupKey, tables: &[Table], sources: &[Source]) -> Vec<Column> {
        let mut columns: Vec<Column> = key
            .entries()
            .iter()
            .filter(|(label, _)| !self.row_key.contains(label))
            .map(|(label, value)| {
                let kind = tables.iter().find_map(|table| table.column(label)).map(Column::kind);
                let kind = kind.unwrap_or(ColumnType::String);
                Column::new(label, Data::Repeat { value: value.clone(), kind })
            })
            .collect();
        for label in &self.row_key {
            let kind = tables.iter().find_map(|table| table.column(label)).map(Column::kind);
            let mut builder = ColumnBuilder::new(label, kind.unwrap_or(ColumnType::String));
            for source in sources {
                let value = tables[source.table].column(label);
                let value = value.map_or(Value::Null(kind), |column| column.value(source.row));
                if builder.push(value).is_err() {
                    builder.push_null();
                }
            }
            columns.push(builder.finish());
        }
        columns
    }

    /// The name of the column that a row's value goes to.
    fn column_label(
        &self,
        table: &Table,
        row: usize,
        last: Option<&(Arc<str>, usize)>,
    ) -> Arc<str> {
        let columns = self.column_key.iter().filter_map(|label| table.column(label));
        let columns: Vec<&Column> = columns.collect();
        let constant = columns.iter().all(|column| matches!(column.data, Data::Repeat { .. }));
        if let Some((label, _)) = last
            && constant
        {
            return Arc::clone(label);
        }
        let parts = columns.iter().map(|column| match column.value(row) {
            Value::Null(_) => String::new(),
            value => value.to_string(),
        });
        Arc::from(parts.collect::<Vec<_>>().join("_"))
    }

    fn value_column(
        &self,
        label: &Arc<str>,
        table: &Table,
        values: &mut Vec<(ColumnBuilder, Vec<Option<Source>>)>,
        rows: usize,
    ) -> Result<usize, FluxError> {
        let kind = table.required(&self.value)?.kind();
        if let Some(at) = values.iter().position(|(builder, _)| builder.label() == label) {
            let known = values[at].0.kind();
            if known != kind {
                return Err(FluxError::new(format!(
                    "value columns that will be pivoted on must have the same type; column \
                     \"{label}\" is both of type {} and {}",
                    known.word(),
                    kind.word()
                )));
            }
            return Ok(at);
        }
        values.push((ColumnBuilder::new(label, kind), vec![None; rows]));
        Ok(values.len() - 1)
    }
}
