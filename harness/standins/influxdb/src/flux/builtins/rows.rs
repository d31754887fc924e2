//! Functions that choose, order or rewrite the rows of each table.

use std::cmp::Ordering;
use std::sync::Arc;

use super::{Builtin, Call, optional, piped, required};
use crate::flux::error::FluxError;
use crate::flux::interpreter::Lambda;
use crate::flux::table::{Column, ColumnBuilder, GroupKey, Table};
use crate::flux::value::{Record, Row, Value};

pub(super) const BUILTINS: &[Builtin] = &[
    Builtin {
        package: "",
        name: "sort",
        parameters: &[piped("tables"), optional("columns"), optional("desc")],
        run: sort,
    },
    Builtin {
        package: "",
        name: "limit",
        parameters: &[piped("tables"), required("n"), optional("offset")],
        run: limit,
    },
    Builtin {
        package: "",
        name: "tail",
        parameters: &[piped("tables"), required("n"), optional("offset")],
        run: tail,
    },
    Builtin {
        package: "",
        name: "map",
        parameters: &[piped("tables"), required("fn"), optional("mergeKey")],
        run: map,
    },
    Builtin {
        package: "",
        name: "fill",
        parameters: &[
            piped("tables"),
            optional("column"),
            optional("value"),
            optional("usePrevious"),
        ],
        run: fill,
    },
];

fn sort(call: &Call<'_>) -> Result<Value, FluxError> {
    let labels = call.strings("columns")?.unwrap_or_else(|| vec![Arc::from("_value")]);
    let descending = call.bool_or("desc", false)?;
    let sorted = call
        .stream("tables")?
        .map(call.site, move |table| Ok(sort_table(table, &labels, descending)))?;
    Ok(Value::Stream(sorted))
}

/// Orders rows by some columns; rows that are equal there stay in their order.
pub(super) fn sort_table(table: Table, labels: &[Arc<str>], descending: bool) -> Table {
    let columns: Vec<&Column> = labels.iter().filter_map(|label| table.column(label)).collect();
    let order = |left: &usize, right: &usize| {
        let orders = columns.iter().map(|column| column.order(*left, *right));
        let order = orders.into_iter().find(|order| *order != Ordering::Equal);
        let order = order.unwrap_or(Ordering::Equal);
        if descending { order.reverse() } else { order }
    };
    let mut rows: Vec<usize> = (0..table.rows).collect();
    if rows.is_sorted_by(|left, right| order(left, right) != Ordering::Greater) {
        return table;
    }
    rows.sort_by(order);
    table.take(&rows)
}

fn limit(call: &Call<'_>) -> Result<Value, FluxError> {
    let (n, offset) = count_and_offset(call)?;
    let limited = call.stream("tables")?.map(call.site, move |table| {
        let from = offset.min(table.rows);
        let to = from.saturating_add(n).min(table.rows);
        Ok(table.slice(from, to))
    })?;
    Ok(Value::Stream(limited))
}

fn tail(call: &Call<'_>) -> Result<Value, FluxError> {
    let (n, offset) = count_and_offset(call)?;
    let limited = call.stream("tables")?.map(call.site, move |table| {
        let to = table.rows.saturating_sub(offset);
        Ok(table.slice(to.saturating_sub(n), to))
    })?;
    Ok(Value::Stream(limited))
}

fn count_and_offset(call: &Call<'_>) -> Result<(usize, usize), FluxError> {
    // The server takes a negative number for none.
    let count = |name: &str| {
        let given = call.int(name)?.unwrap_or(0);
        Ok(usize::try_from(given).unwrap_or(0))
    };
    Ok((count("n")?, count("offset")?))
}

fn map(call: &Call<'_>) -> Result<Value, FluxError> {
    if call.bool_or("mergeKey", false)? {
        let message = "argument `mergeKey` of `map` is not in the stand-in's Flux";
        return Err(FluxError::compilation(call.site.span, message));
    }
    let lambda = call.lambda_of("fn", &["r"])?;
    let mapped = call.stream("tables")?.all(call.site, move |tables| {
        let made = tables.into_iter().map(|table| map_table(table, &lambda));
        super::group::merge(made.collect::<Result<Vec<_>, _>>()?.concat())
    })?;
    Ok(Value::Stream(mapped))
}

/// Makes a row of each row. A change to a column of the group key moves the row to another table.
fn map_table(table: Table, lambda: &Lambda) -> Result<Vec<Table>, FluxError> {
    let labels = table.key.labels();
    let table = Arc::new(table);
    let mut made: Vec<(GroupKey, Growing)> = Vec::new();
    let mut last = 0;
    for index in 0..table.rows {
        let value = lambda.call_row(Row { table: Arc::clone(&table), index })?;
        let record = match value {
            Value::Record(record) => record,
            Value::Row(row) => Arc::new(Record::from(&row)),
            other => {
                let found = other.type_word();
                return Err(FluxError::new(format!(
                    "map function must return an object, got {found}"
                )));
            }
        };
        let key = record.entries().iter().filter(|(label, _)| labels.contains(label));
        let key: GroupKey = key.cloned().collect();
        if made.get(last).is_none_or(|(known, _)| *known != key) {
            last = made.iter().position(|(known, _)| *known == key).unwrap_or_else(|| {
                made.push((key, Growing::default()));
                made.len() - 1
            });
        }
        made[last].1.push(&record)?;
    }
    let finish = |(key, growing): (GroupKey, Growing)| growing.finish(key);
    Ok(made.into_iter().map(finish).collect())
}

/// A table that grows by records.
#[derive(Default)]
pub(super) struct Growing {
    columns: Vec<ColumnBuilder>,
    /// Columns in which only nulls of no known type have been seen.
    untyped: Vec<Arc<str>>,
    rows: usize,
}

impl Growing {
    pub(super) fn push(&mut self, record: &Record) -> Result<(), FluxError> {
        for (at, (label, value)) in record.entries().iter().enumerate() {
            let known = self.columns.get(at).is_some_and(|column| column.label() == label);
            let known = if known {
                Some(at)
            } else {
                self.columns.iter().position(|own| own.label() == label)
            };
            match (known, value.column_type()) {
                (Some(known), _) => self.columns[known].push(value.clone())?,
                (None, Some(kind)) => {
                    let mut column = ColumnBuilder::new(label, kind);
                    column.pad(self.rows);
                    column.push(value.clone())?;
                    self.untyped.retain(|own| own != label);
                    self.columns.push(column);
                }
                (None, None) if value.is_null() => {
                    if !self.untyped.contains(label) {
                        self.untyped.push(Arc::clone(label));
                    }
                }
                (None, None) => {
                    let found = value.type_word();
                    let message = format!(
                        "map object property \"{label}\" is {found} type which is not supported \
                         in a flux table"
                    );
                    return Err(FluxError::new(message));
                }
            }
        }
        self.rows += 1;
        for column in &mut self.columns {
            column.pad(self.rows);
        }
        Ok(())
    }

    pub(super) fn finish(self, key: GroupKey) -> Table {
        let rows = self.rows;
        let columns = self.columns.into_iter().map(ColumnBuilder::finish).map(|column| {
            // What all rows share is kept once.
            match key.get(&column.label) {
                Some(value) => {
                    let kind = column.kind();
                    let data = crate::flux::table::Data::Repeat { value: value.clone(), kind };
                    Column { label: column.label, data }
                }
                None => column,
            }
        });
        let columns = columns.collect();
        Table::new(key, columns, rows)
    }
}

fn fill(call: &Call<'_>) -> Result<Value, FluxError> {
    let label = call.string_or("column", "_value")?;
    let value = call.value("value").cloned();
    let use_previous = call.bool_or("usePrevious", false)?;
    if value.is_some() == use_previous {
        let message = "fill requires exactly one of value or usePrevious";
        return Err(FluxError::new(message));
    }
    let filled = call
        .stream("tables")?
        .map(call.site, move |table| fill_table(table, &label, value.as_ref()))?;
    Ok(Value::Stream(filled))
}

fn fill_table(
    mut table: Table,
    label: &Arc<str>,
    fill: Option<&Value>,
) -> Result<Table, FluxError> {
    let Some(column) = table.column(label) else {
        let Some(value) = fill else { return Ok(table) };
        table.columns.push(Column::repeat(label, value.clone()));
        return Ok(table);
    };
    let kind = column.kind();
    if let Some(value) = fill
        && value.column_type() != Some(kind)
    {
        let (own, given) = (kind.word(), value.type_word());
        return Err(FluxError::new(format!("fill column type mismatch: {own}/{given}")));
    }
    let mut builder = ColumnBuilder::new(label, kind);
    let mut previous = fill.cloned().unwrap_or(Value::Null(Some(kind)));
    for row in 0..table.rows {
        let value = column.value(row);
        if value.is_null() {
            builder.push(previous.clone())?;
        } else {
            if fill.is_none() {
                previous = value.clone();
            }
            builder.push(value)?;
        }
    }
    if table.key.contains(label) && table.rows > 0 {
        let filled = builder.clone().finish().value(0);
        table.key = table.key.with(label, filled);
    }
    table.put(builder.finish());
    Ok(table)
}
