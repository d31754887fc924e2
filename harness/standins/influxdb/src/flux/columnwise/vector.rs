//! Values of many rows: [`Vector`].

use std::sync::Arc;

use crate::flux::ast::Name;
use crate::flux::table::{Column, ColumnBuilder, Data, Table};
use crate::flux::value::{Record, Row, Value};

/// A value for each of some rows of a table.
#[derive(Clone, Debug)]
pub(crate) enum Vector {
    /// One value for all rows.
    Same(Value),
    /// The cells of the table's column with this number.
    Source(usize),
    /// Cells of one type.
    Cells(Data),
    /// Records with the same labels in all rows.
    Record(Arc<Vec<(Name, Vector)>>),
    /// Anything else.
    Values(Arc<Vec<Value>>),
    /// The rows themselves.
    Row,
}

impl Vector {
    /// A vector of the narrowest form that holds these values.
    pub(crate) fn from_values(values: Vec<Value>) -> Self {
        let kind = values.iter().find_map(Value::column_type);
        let uniform = |value: &Value| value.is_null() || value.column_type() == kind;
        let Some(kind) = kind.filter(|_| values.iter().all(uniform)) else {
            return Self::Values(Arc::new(values));
        };
        let mut builder = ColumnBuilder::new(&Name::from(""), kind);
        for value in values {
            if builder.push(value).is_err() {
                builder.push_null();
            }
        }
        Self::Cells(builder.finish().data)
    }

    /// The one value of all rows, if there is but one.
    pub(crate) fn same(&self) -> Option<Value> {
        match self {
            Self::Same(value) => Some(value.clone()),
            _ => None,
        }
    }

    /// Whether all rows have null, and none tells of which type.
    pub(super) fn is_untyped(&self) -> bool {
        let untyped = |value: &Value| matches!(value, Value::Null(None));
        match self {
            Self::Same(value) => untyped(value),
            Self::Values(values) => values.iter().all(untyped),
            _ => false,
        }
    }

    /// The value of a row, counted from the first of the rows.
    pub(crate) fn value(&self, at: usize, table: &Arc<Table>, from: usize) -> Value {
        match self {
            Self::Same(value) => value.clone(),
            Self::Source(column) => table.columns[*column].value(from + at),
            Self::Cells(data) => data.value(at),
            Self::Record(entries) => {
                let entries = entries.iter();
                let entries = entries
                    .map(|(name, vector)| (Name::clone(name), vector.value(at, table, from)));
                Value::Record(Arc::new(Record::of_different(entries.collect())))
            }
            Self::Values(values) => values[at].clone(),
            Self::Row => Value::Row(Row { table: Arc::clone(table), index: from + at }),
        }
    }

    /// The member of each row under one name; `None` where the rows have to be looked at.
    pub(super) fn member(&self, wanted: &str, table: &Table) -> Option<Self> {
        match self {
            Self::Row => Some(match source(wanted, table) {
                Some(source) => source,
                None => Self::Same(Value::Null(None)),
            }),
            Self::Record(entries) => {
                entries.iter().find(|(name, _)| **name == *wanted).map(|(_, own)| own.clone())
            }
            Self::Same(value) => value.member(wanted).ok().map(Self::Same),
            _ => None,
        }
    }

    /// The entries of a record, by name.
    pub(crate) fn entries(&self, table: &Table) -> Option<Vec<(Name, Self)>> {
        match self {
            Self::Row => {
                let columns = table.columns.iter().enumerate();
                let vectors = columns.map(|(at, column)| {
                    (Name::clone(&column.label), constant(column).unwrap_or(Self::Source(at)))
                });
                Some(vectors.collect())
            }
            Self::Record(entries) => Some(entries.to_vec()),
            Self::Same(Value::Record(record)) => {
                let entries = record.entries().iter();
                Some(
                    entries.map(|(n, value)| (Name::clone(n), Self::Same(value.clone()))).collect(),
                )
            }
            Self::Same(Value::Null(_)) => Some(Vec::new()),
            _ => None,
        }
    }

    /// The same vector with cells in place of a source.
    pub(super) fn flat(&self, table: &Table, from: usize, to: usize) -> Self {
        match self {
            Self::Source(column) => Self::Cells(table.columns[*column].slice(from, to).data),
            other => other.clone(),
        }
    }

    /// The rows in which it is true; `None` when it is no vector of conditions.
    pub(crate) fn flags(&self, rows: usize) -> Option<Vec<bool>> {
        match self {
            Self::Same(Value::Bool(value)) => Some(vec![*value; rows]),
            Self::Same(Value::Null(_)) => Some(vec![false; rows]),
            Self::Cells(Data::Bool(cells)) => Some(match cells.dense() {
                Some(all) => all.to_vec(),
                None => (0..rows).map(|row| cells.get(row) == Some(&true)).collect(),
            }),
            Self::Values(values) if values.iter().all(Value::is_null) => Some(vec![false; rows]),
            _ => None,
        }
    }
}

fn source(wanted: &str, table: &Table) -> Option<Vector> {
    let at = table.columns.iter().position(|column| *column.label == *wanted)?;
    Some(constant(&table.columns[at]).unwrap_or(Vector::Source(at)))
}

fn constant(column: &Column) -> Option<Vector> {
    matches!(column.data, Data::Repeat { .. }).then(|| Vector::Same(column.value(0)))
}
