//! Columns that grow, cell by cell or column by column.
//!
//! [`ColumnBuilder`] checks types as it goes and ends as a [`Column`].

use std::sync::Arc;

use super::column::{Cells, Column, Data};
use super::error::FluxError;
use super::value::{ColumnType, Value};

/// A column that grows.
#[derive(Clone, Debug)]
pub(crate) struct ColumnBuilder {
    label: Arc<str>,
    cells: Growing,
}

#[derive(Clone, Debug)]
enum Growing {
    Bool(GrowingCells<bool>),
    Int(GrowingCells<i64>),
    UInt(GrowingCells<u64>),
    Float(GrowingCells<f64>),
    String(GrowingCells<Arc<str>>),
    Time(GrowingCells<i64>),
}

#[derive(Clone, Debug)]
struct GrowingCells<T> {
    values: Vec<T>,
    valid: Option<Vec<bool>>,
    /// What stands in for null.
    blank: T,
}

impl<T: Clone> GrowingCells<T> {
    fn new(blank: T) -> Self {
        Self { values: Vec::new(), valid: None, blank }
    }

    fn push(&mut self, value: Option<T>) {
        match (&mut self.valid, value) {
            (valid, Some(value)) => {
                if let Some(valid) = valid {
                    valid.push(true);
                }
                self.values.push(value);
            }
            (valid, None) => {
                valid.get_or_insert_with(|| vec![true; self.values.len()]).push(false);
                self.values.push(self.blank.clone());
            }
        }
    }

    fn repeat(&mut self, value: &T, rows: usize) {
        let rows = self.values.len() + rows;
        self.values.resize(rows, value.clone());
        if let Some(valid) = &mut self.valid {
            valid.resize(rows, true);
        }
    }

    fn extend(&mut self, cells: &Cells<T>) {
        if cells.valid.is_some() && self.valid.is_none() {
            self.valid = Some(vec![true; self.values.len()]);
        }
        if let Some(valid) = &mut self.valid {
            match &cells.valid {
                Some(new) => valid.extend_from_slice(new),
                None => valid.resize(valid.len() + cells.values.len(), true),
            }
        }
        self.values.extend_from_slice(&cells.values);
    }

    fn finish(self) -> Cells<T> {
        Cells { values: Arc::new(self.values), valid: self.valid.map(Arc::new) }
    }
}

impl ColumnBuilder {
    pub(crate) fn new(label: &Arc<str>, kind: ColumnType) -> Self {
        let cells = match kind {
            ColumnType::Bool => Growing::Bool(GrowingCells::new(false)),
            ColumnType::Int => Growing::Int(GrowingCells::new(0)),
            ColumnType::UInt => Growing::UInt(GrowingCells::new(0)),
            ColumnType::Float => Growing::Float(GrowingCells::new(0.0)),
            ColumnType::String => Growing::String(GrowingCells::new(Arc::from(""))),
            ColumnType::Time => Growing::Time(GrowingCells::new(0)),
        };
        Self { label: Arc::clone(label), cells }
    }

    pub(crate) fn label(&self) -> &Arc<str> {
        &self.label
    }

    pub(crate) fn kind(&self) -> ColumnType {
        match &self.cells {
            Growing::Bool(_) => ColumnType::Bool,
            Growing::Int(_) => ColumnType::Int,
            Growing::UInt(_) => ColumnType::UInt,
            Growing::Float(_) => ColumnType::Float,
            Growing::String(_) => ColumnType::String,
            Growing::Time(_) => ColumnType::Time,
        }
    }

    pub(crate) fn len(&self) -> usize {
        match &self.cells {
            Growing::Bool(cells) => cells.values.len(),
            Growing::Int(cells) | Growing::Time(cells) => cells.values.len(),
            Growing::UInt(cells) => cells.values.len(),
            Growing::Float(cells) => cells.values.len(),
            Growing::String(cells) => cells.values.len(),
        }
    }

    /// Appends a value of the column's type or null.
    pub(crate) fn push(&mut self, value: Value) -> Result<(), FluxError> {
        match (&mut self.cells, value) {
            (Growing::Bool(cells), Value::Bool(value)) => cells.push(Some(value)),
            (Growing::Int(cells), Value::Int(value))
            | (Growing::Time(cells), Value::Time(value)) => cells.push(Some(value)),
            (Growing::UInt(cells), Value::UInt(value)) => cells.push(Some(value)),
            (Growing::Float(cells), Value::Float(value)) => cells.push(Some(value)),
            (Growing::String(cells), Value::String(value)) => cells.push(Some(value)),
            (_, Value::Null(_)) => self.push_null(),
            (_, other) => {
                let Some(new) = other.column_type() else {
                    let found = other.type_word();
                    return Err(FluxError::new(format!("cannot append a {found} to a column")));
                };
                return Err(collision(&self.label, new, self.kind()));
            }
        }
        Ok(())
    }

    pub(crate) fn push_null(&mut self) {
        match &mut self.cells {
            Growing::Bool(cells) => cells.push(None),
            Growing::Int(cells) | Growing::Time(cells) => cells.push(None),
            Growing::UInt(cells) => cells.push(None),
            Growing::Float(cells) => cells.push(None),
            Growing::String(cells) => cells.push(None),
        }
    }

    /// Appends one value of the column's type, or null, `rows` times.
    pub(crate) fn repeat(&mut self, value: &Value, rows: usize) {
        match (&mut self.cells, value) {
            (Growing::Bool(cells), Value::Bool(value)) => cells.repeat(value, rows),
            (Growing::Int(cells), Value::Int(value))
            | (Growing::Time(cells), Value::Time(value)) => cells.repeat(value, rows),
            (Growing::UInt(cells), Value::UInt(value)) => cells.repeat(value, rows),
            (Growing::Float(cells), Value::Float(value)) => cells.repeat(value, rows),
            (Growing::String(cells), Value::String(value)) => cells.repeat(value, rows),
            _ => (0..rows).for_each(|_| self.push_null()),
        }
    }

    /// Appends nulls until the column has `rows` rows.
    pub(crate) fn pad(&mut self, rows: usize) {
        while self.len() < rows {
            self.push_null();
        }
    }

    /// Appends all rows of a column of the same type.
    pub(crate) fn extend(&mut self, column: &Column, rows: usize) -> Result<(), FluxError> {
        if let Data::Repeat { value, kind } = &column.data
            && *kind == self.kind()
        {
            self.repeat(value, rows);
            return Ok(());
        }
        match (&mut self.cells, &column.data) {
            (Growing::Bool(own), Data::Bool(new)) => own.extend(new),
            (Growing::Int(own), Data::Int(new)) | (Growing::Time(own), Data::Time(new)) => {
                own.extend(new);
            }
            (Growing::UInt(own), Data::UInt(new)) => own.extend(new),
            (Growing::Float(own), Data::Float(new)) => own.extend(new),
            (Growing::String(own), Data::String(new)) => own.extend(new),
            _ => {
                return Err(collision(&self.label, column.kind(), self.kind()));
            }
        }
        Ok(())
    }

    pub(crate) fn finish(self) -> Column {
        let data = match self.cells {
            Growing::Bool(cells) => Data::Bool(cells.finish()),
            Growing::Int(cells) => Data::Int(cells.finish()),
            Growing::UInt(cells) => Data::UInt(cells.finish()),
            Growing::Float(cells) => Data::Float(cells.finish()),
            Growing::String(cells) => Data::String(cells.finish()),
            Growing::Time(cells) => Data::Time(cells.finish()),
        };
        Column { label: self.label, data }
    }
}

/// What the server says of a column that is of one type here and of another before.
pub(crate) fn collision(label: &str, new: ColumnType, known: ColumnType) -> FluxError {
    FluxError::new(format!(
        "schema collision detected: column \"{label}\" is both of type {} and {}",
        new.word(),
        known.word()
    ))
}
