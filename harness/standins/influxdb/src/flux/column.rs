//! Columns: the cells of a table under one label.
//!
//! A [`Column`] that holds one value throughout, as a tag does, keeps it once. Others keep their
//! cells behind an `Arc`, so that functions that do not touch a column pass it on for nothing.

use std::cmp::Ordering;
use std::sync::Arc;

use super::value::{ColumnType, Value};

/// A column.
#[derive(Clone, Debug)]
pub(crate) struct Column {
    pub(crate) label: Arc<str>,
    pub(crate) data: Data,
}

/// The cells of a column.
#[derive(Clone, Debug)]
pub(crate) enum Data {
    /// One value, or one null, in every row.
    Repeat {
        value: Value,
        kind: ColumnType,
    },
    Bool(Cells<bool>),
    Int(Cells<i64>),
    UInt(Cells<u64>),
    Float(Cells<f64>),
    String(Cells<Arc<str>>),
    Time(Cells<i64>),
}

/// Values with the rows in which there are none.
#[derive(Clone, Debug)]
pub(crate) struct Cells<T> {
    pub(super) values: Arc<Vec<T>>,
    /// Where a value counts; `None` when all do.
    pub(super) valid: Option<Arc<Vec<bool>>>,
}

impl<T: Clone> Cells<T> {
    pub(crate) fn new(values: Vec<T>) -> Self {
        Self { values: Arc::new(values), valid: None }
    }

    pub(crate) fn get(&self, row: usize) -> Option<&T> {
        let valid = self.valid.as_ref().is_none_or(|valid| valid[row]);
        valid.then(|| &self.values[row])
    }

    /// All values, when none is null.
    pub(crate) fn dense(&self) -> Option<&[T]> {
        self.valid.is_none().then_some(&self.values)
    }

    /// Cells of which some are null.
    pub(crate) fn sparse(cells: Vec<Option<T>>, blank: &T) -> Self {
        let valid = cells.iter().any(Option::is_none);
        let valid = valid.then(|| Arc::new(cells.iter().map(Option::is_some).collect()));
        let values = cells.into_iter().map(|cell| cell.unwrap_or_else(|| blank.clone()));
        Self { values: Arc::new(values.collect()), valid }
    }

    fn slice(&self, from: usize, to: usize) -> Self {
        let valid = self.valid.as_ref().map(|valid| Arc::new(valid[from..to].to_vec()));
        Self { values: Arc::new(self.values[from..to].to_vec()), valid }
    }

    fn options<U>(&self, rows: usize, convert: impl Fn(&T) -> U) -> Vec<Option<U>> {
        (0..rows).map(|row| self.get(row).map(&convert)).collect()
    }

    fn take(&self, rows: &[usize]) -> Self {
        let values = rows.iter().map(|&row| self.values[row].clone()).collect();
        let valid = self.valid.as_ref();
        let valid = valid.map(|valid| Arc::new(rows.iter().map(|&row| valid[row]).collect()));
        Self { values: Arc::new(values), valid }
    }
}

impl Data {
    pub(crate) fn kind(&self) -> ColumnType {
        match self {
            Self::Repeat { kind, .. } => *kind,
            Self::Bool(_) => ColumnType::Bool,
            Self::Int(_) => ColumnType::Int,
            Self::UInt(_) => ColumnType::UInt,
            Self::Float(_) => ColumnType::Float,
            Self::String(_) => ColumnType::String,
            Self::Time(_) => ColumnType::Time,
        }
    }

    /// The value in a row.
    pub(crate) fn value(&self, row: usize) -> Value {
        let value = match self {
            Self::Repeat { value, .. } => Some(value.clone()),
            Self::Bool(cells) => cells.get(row).copied().map(Value::Bool),
            Self::Int(cells) => cells.get(row).copied().map(Value::Int),
            Self::UInt(cells) => cells.get(row).copied().map(Value::UInt),
            Self::Float(cells) => cells.get(row).copied().map(Value::Float),
            Self::String(cells) => cells.get(row).cloned().map(Value::String),
            Self::Time(cells) => cells.get(row).copied().map(Value::Time),
        };
        value.filter(|value| !value.is_null()).unwrap_or(Value::Null(Some(self.kind())))
    }
}

impl Column {
    pub(crate) fn new(label: &Arc<str>, data: Data) -> Self {
        Self { label: Arc::clone(label), data }
    }

    /// A column with one value throughout.
    pub(crate) fn repeat(label: &Arc<str>, value: Value) -> Self {
        let kind = value.column_type().unwrap_or(ColumnType::String);
        Self { label: Arc::clone(label), data: Data::Repeat { value, kind } }
    }

    /// A column of floats, some of them null.
    pub(crate) fn floats(label: &Arc<str>, cells: Vec<Option<f64>>) -> Self {
        Self::new(label, Data::Float(Cells::sparse(cells, &0.0)))
    }

    /// A column of integers, some of them null.
    pub(crate) fn integers(label: &Arc<str>, cells: Vec<Option<i64>>) -> Self {
        Self::new(label, Data::Int(Cells::sparse(cells, &0)))
    }

    /// A column of texts.
    pub(crate) fn strings(label: &Arc<str>, cells: Vec<Arc<str>>) -> Self {
        Self::new(label, Data::String(Cells::new(cells)))
    }

    /// Whether it holds numbers.
    pub(crate) fn is_numeric(&self) -> bool {
        matches!(self.kind(), ColumnType::Int | ColumnType::UInt | ColumnType::Float)
    }

    /// Its first `rows` numbers as floats; other types give nothing but nulls.
    pub(crate) fn as_floats(&self, rows: usize) -> Vec<Option<f64>> {
        match &self.data {
            Data::Int(cells) => cells.options(rows, |value| *value as f64),
            Data::UInt(cells) => cells.options(rows, |value| *value as f64),
            Data::Float(cells) => cells.options(rows, |value| *value),
            Data::Repeat { value: Value::Int(value), .. } => vec![Some(*value as f64); rows],
            Data::Repeat { value: Value::UInt(value), .. } => vec![Some(*value as f64); rows],
            Data::Repeat { value: Value::Float(value), .. } => vec![Some(*value); rows],
            _ => vec![None; rows],
        }
    }

    /// Its first `rows` integers or instants; other types give nothing but nulls.
    pub(crate) fn as_integers(&self, rows: usize) -> Vec<Option<i64>> {
        match &self.data {
            Data::Int(cells) | Data::Time(cells) => cells.options(rows, |value| *value),
            Data::Repeat { value: Value::Int(value) | Value::Time(value), .. } => {
                vec![Some(*value); rows]
            }
            _ => vec![None; rows],
        }
    }

    /// Its first `rows` unsigned integers; other types give nothing but nulls.
    pub(crate) fn as_unsigned(&self, rows: usize) -> Vec<Option<u64>> {
        match &self.data {
            Data::UInt(cells) => cells.options(rows, |value| *value),
            Data::Repeat { value: Value::UInt(value), .. } => vec![Some(*value); rows],
            _ => vec![None; rows],
        }
    }

    pub(crate) fn kind(&self) -> ColumnType {
        self.data.kind()
    }

    /// The value in a row.
    pub(crate) fn value(&self, row: usize) -> Value {
        self.data.value(row)
    }

    /// Whether it has exactly this many rows; one that repeats a value has any number.
    pub(crate) fn rows_are(&self, rows: usize) -> bool {
        match &self.data {
            Data::Repeat { .. } => true,
            Data::Bool(cells) => cells.values.len() == rows,
            Data::Int(cells) | Data::Time(cells) => cells.values.len() == rows,
            Data::UInt(cells) => cells.values.len() == rows,
            Data::Float(cells) => cells.values.len() == rows,
            Data::String(cells) => cells.values.len() == rows,
        }
    }

    pub(crate) fn is_null(&self, row: usize) -> bool {
        match &self.data {
            Data::Repeat { value, .. } => value.is_null(),
            Data::Bool(cells) => cells.get(row).is_none(),
            Data::Int(cells) | Data::Time(cells) => cells.get(row).is_none(),
            Data::UInt(cells) => cells.get(row).is_none(),
            Data::Float(cells) => cells.get(row).is_none(),
            Data::String(cells) => cells.get(row).is_none(),
        }
    }

    /// The instant in a row of a time column.
    pub(crate) fn time(&self, row: usize) -> Option<i64> {
        match &self.data {
            Data::Time(cells) => cells.get(row).copied(),
            Data::Repeat { value: Value::Time(value), .. } => Some(*value),
            _ => None,
        }
    }

    /// The cells from one row up to but not including another.
    pub(crate) fn slice(&self, from: usize, to: usize) -> Self {
        let data = match &self.data {
            Data::Repeat { .. } => self.data.clone(),
            Data::Bool(cells) => Data::Bool(cells.slice(from, to)),
            Data::Int(cells) => Data::Int(cells.slice(from, to)),
            Data::UInt(cells) => Data::UInt(cells.slice(from, to)),
            Data::Float(cells) => Data::Float(cells.slice(from, to)),
            Data::String(cells) => Data::String(cells.slice(from, to)),
            Data::Time(cells) => Data::Time(cells.slice(from, to)),
        };
        Self::new(&self.label, data)
    }

    pub(crate) fn take(&self, rows: &[usize]) -> Self {
        let data = match &self.data {
            Data::Repeat { .. } => self.data.clone(),
            Data::Bool(cells) => Data::Bool(cells.take(rows)),
            Data::Int(cells) => Data::Int(cells.take(rows)),
            Data::UInt(cells) => Data::UInt(cells.take(rows)),
            Data::Float(cells) => Data::Float(cells.take(rows)),
            Data::String(cells) => Data::String(cells.take(rows)),
            Data::Time(cells) => Data::Time(cells.take(rows)),
        };
        Self::new(&self.label, data)
    }

    /// How two rows of this column sort; nulls first.
    pub(crate) fn order(&self, left: usize, right: usize) -> Ordering {
        match &self.data {
            Data::Repeat { .. } => Ordering::Equal,
            Data::Time(cells) | Data::Int(cells) => cells.get(left).cmp(&cells.get(right)),
            Data::UInt(cells) => cells.get(left).cmp(&cells.get(right)),
            Data::Bool(cells) => cells.get(left).cmp(&cells.get(right)),
            Data::String(cells) => cells.get(left).cmp(&cells.get(right)),
            Data::Float(_) => self.value(left).order(&self.value(right)),
        }
    }
}
