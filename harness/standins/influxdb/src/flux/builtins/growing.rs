//! Tables that grow: row by row, or by many rows at once.
//!
//! [`Growing`] learns its columns from what is put into it. A column that had one value so far, or
//! that is a column of the table that the rows are made from, is kept as that for as long as it
//! can be.

use std::sync::Arc;

use crate::flux::ast::Name;
use crate::flux::columnwise::Vector;
use crate::flux::error::FluxError;
use crate::flux::table::{Column, ColumnBuilder, GroupKey, Table};
use crate::flux::value::{ColumnType, Record, Value};

/// A table that grows.
#[derive(Default)]
pub(super) struct Growing {
    /// The table whose columns the rows refer to.
    source: Option<Arc<Table>>,
    columns: Vec<GrowingColumn>,
    rows: usize,
}

struct GrowingColumn {
    label: Name,
    cells: Cells,
    rows: usize,
}

enum Cells {
    Same(Value, ColumnType),
    Source(usize),
    Built(ColumnBuilder),
}

impl Growing {
    /// A table made of the rows of another, all of them and in their order.
    pub(super) fn of(source: Arc<Table>) -> Self {
        Self { source: Some(source), ..Self::default() }
    }

    /// Adds a row.
    pub(super) fn push(&mut self, record: &Record) -> Result<(), FluxError> {
        let entries = record.entries().iter();
        let vectors =
            entries.map(|(label, value)| (Name::clone(label), Vector::Same(value.clone())));
        self.push_rows(vectors.collect(), 1)
    }

    /// Adds rows, column by column.
    pub(super) fn push_rows(
        &mut self,
        entries: Vec<(Name, Vector)>,
        rows: usize,
    ) -> Result<(), FluxError> {
        for (at, (label, vector)) in entries.into_iter().enumerate() {
            let in_place = self.columns.get(at).is_some_and(|column| column.label == label);
            let known = if in_place {
                Some(at)
            } else {
                self.columns.iter().position(|column| column.label == label)
            };
            match known {
                Some(known) => self.extend(known, &vector, rows)?,
                None => self.add(label, &vector, rows)?,
            }
        }
        self.rows += rows;
        let rows = self.rows;
        for at in 0..self.columns.len() {
            if self.columns[at].rows < rows {
                self.built(at).pad(rows);
                self.columns[at].rows = rows;
            }
        }
        Ok(())
    }

    fn add(&mut self, label: Name, vector: &Vector, rows: usize) -> Result<(), FluxError> {
        let (kind, cells) = match vector {
            // The type of a column in which there is nothing yet shows later.
            Vector::Same(Value::Null(None)) => return Ok(()),
            Vector::Same(value) => match value.column_type() {
                Some(kind) => (kind, Some(Cells::Same(value.clone(), kind))),
                None => return Err(unsupported(&label, value.type_word())),
            },
            Vector::Source(at) => (self.kind(*at), Some(Cells::Source(*at))),
            Vector::Cells(data) => (data.kind(), None),
            Vector::Values(values) => {
                match values.iter().find(|value| !matches!(value, Value::Null(None))) {
                    None => return Ok(()),
                    Some(value) => match value.column_type() {
                        Some(kind) => (kind, None),
                        None => return Err(unsupported(&label, value.type_word())),
                    },
                }
            }
            Vector::Record(_) | Vector::Row => return Err(unsupported(&label, "object")),
        };
        if let Some(cells) = cells.filter(|_| self.rows == 0) {
            self.columns.push(GrowingColumn { label, cells, rows });
        } else {
            let mut builder = ColumnBuilder::new(&label, kind);
            builder.pad(self.rows);
            let cells = Cells::Built(builder);
            self.columns.push(GrowingColumn { label, cells, rows: self.rows });
            self.extend(self.columns.len() - 1, vector, rows)?;
        }
        Ok(())
    }

    fn kind(&self, source: usize) -> ColumnType {
        self.source.as_ref().map_or(ColumnType::String, |table| table.columns[source].kind())
    }

    fn extend(&mut self, at: usize, vector: &Vector, rows: usize) -> Result<(), FluxError> {
        let column = &mut self.columns[at];
        let first = column.rows;
        column.rows += rows;
        match (&column.cells, vector) {
            (Cells::Same(own, _), Vector::Same(new)) if own.same_scalar(new) => return Ok(()),
            (Cells::Source(own), Vector::Source(new)) if own == new => return Ok(()),
            _ => {}
        }
        column.rows = first;
        let source = self.source.clone();
        let builder = self.built(at);
        match vector {
            Vector::Same(value) => {
                for _ in 0..rows {
                    builder.push(value.clone())?;
                }
            }
            Vector::Source(column) => {
                if let Some(table) = source {
                    builder.extend(&table.columns[*column].slice(first, first + rows), rows)?;
                }
            }
            Vector::Cells(data) => {
                let label = Name::clone(builder.label());
                builder.extend(&Column::new(&label, data.clone()), rows)?;
            }
            Vector::Values(values) => {
                for value in values.iter() {
                    builder.push(value.clone())?;
                }
            }
            Vector::Record(_) | Vector::Row => {
                return Err(unsupported(&Name::clone(builder.label()), "object"));
            }
        }
        self.columns[at].rows += rows;
        Ok(())
    }

    /// The cells of a column in a form that can grow by anything.
    fn built(&mut self, at: usize) -> &mut ColumnBuilder {
        let source = self.source.clone();
        let GrowingColumn { label, cells, rows } = &mut self.columns[at];
        let builder = match cells {
            Cells::Built(_) => None,
            Cells::Same(value, kind) => {
                let mut builder = ColumnBuilder::new(label, *kind);
                builder.repeat(value, *rows);
                Some(builder)
            }
            Cells::Source(column) => source.map(|table| {
                let column = table.columns[*column].slice(0, *rows);
                let mut builder = ColumnBuilder::new(label, column.kind());
                builder.extend(&column, *rows).expect("the builder has the type of the column");
                builder
            }),
        };
        if let Some(builder) = builder {
            *cells = Cells::Built(builder);
        }
        match cells {
            Cells::Built(builder) => builder,
            _ => unreachable!("a source is only referred to where there is one"),
        }
    }

    /// The table, with nothing in its group key.
    pub(super) fn finish(self) -> Table {
        let rows = self.rows;
        let source = self.source;
        let columns = self.columns.into_iter().filter_map(|column| match column.cells {
            Cells::Same(value, _) => Some(Column::repeat(&column.label, value)),
            Cells::Built(builder) => Some(builder.finish()),
            Cells::Source(at) => {
                let own = &source.as_ref()?.columns[at];
                let data =
                    if own.rows_are(rows) { own.data.clone() } else { own.slice(0, rows).data };
                Some(Column { label: column.label, data })
            }
        });
        Table::new(GroupKey::default(), columns.collect(), rows)
    }
}

fn unsupported(label: &str, found: &str) -> FluxError {
    let found = if found == "record" { "object" } else { found };
    FluxError::new(format!(
        "map object property \"{label}\" is {found} type which is not supported in a flux table"
    ))
}
