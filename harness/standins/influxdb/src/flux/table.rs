//! Tables: columns of equal length and the group key that their rows share.
//!
//! A column that holds one value throughout, as a tag does, keeps it once. Others keep their cells
//! behind an `Arc`, so that functions that do not touch a column pass it on for nothing.

use std::cmp::Ordering;
use std::sync::Arc;

use super::error::FluxError;
use super::stream::Charge;
use super::value::{ColumnType, Value};

/// A table.
#[derive(Clone, Debug)]
pub(crate) struct Table {
    pub(crate) key: GroupKey,
    pub(crate) columns: Vec<Column>,
    pub(crate) rows: usize,
    /// What the table takes from its query's memory, given back with the table.
    pub(crate) charge: Option<Arc<Charge>>,
}

impl Table {
    pub(crate) fn new(key: GroupKey, columns: Vec<Column>, rows: usize) -> Self {
        Self { key, columns, rows, charge: None }
    }

    /// Makes a table of columns; the values of the key columns stand in `labels` in any order.
    pub(crate) fn keyed(labels: &[Arc<str>], columns: Vec<Column>, rows: usize) -> Self {
        let keyed = columns.iter().filter(|column| labels.contains(&column.label) && rows > 0);
        let key = keyed.map(|column| (Arc::clone(&column.label), column.value(0))).collect();
        Self::new(key, columns, rows)
    }

    pub(crate) fn column(&self, label: &str) -> Option<&Column> {
        self.columns.iter().find(|column| *column.label == *label)
    }

    /// The column that a function cannot do without.
    pub(crate) fn required(&self, label: &str) -> Result<&Column, FluxError> {
        self.column(label)
            .ok_or_else(|| FluxError::new(format!("column \"{label}\" does not exist")))
    }

    /// The rows with these indices, in their order.
    pub(crate) fn take(&self, rows: &[usize]) -> Self {
        let columns = self.columns.iter().map(|column| column.take(rows)).collect();
        Self::new(self.key.clone(), columns, rows.len())
    }

    /// Replaces the column of the same label or adds one.
    pub(crate) fn put(&mut self, column: Column) {
        match self.columns.iter_mut().find(|own| own.label == column.label) {
            Some(own) => *own = column,
            None => self.columns.push(column),
        }
    }
}

/// The values that all rows of a table share, by label.
#[derive(Clone, Debug, Default)]
pub(crate) struct GroupKey {
    entries: Arc<Vec<(Arc<str>, Value)>>,
}

impl GroupKey {
    pub(crate) fn get(&self, label: &str) -> Option<&Value> {
        self.entries.iter().find(|(own, _)| **own == *label).map(|(_, value)| value)
    }

    pub(crate) fn contains(&self, label: &str) -> bool {
        self.get(label).is_some()
    }

    pub(crate) fn entries(&self) -> &[(Arc<str>, Value)] {
        &self.entries
    }

    pub(crate) fn labels(&self) -> Vec<Arc<str>> {
        self.entries.iter().map(|(label, _)| Arc::clone(label)).collect()
    }

    /// This key with one value set.
    pub(crate) fn with(&self, label: &Arc<str>, value: Value) -> Self {
        let others = self.entries.iter().filter(|(own, _)| own != label).cloned();
        others.chain([(Arc::clone(label), value)]).collect()
    }

    /// This key without some of its labels.
    pub(crate) fn without(&self, dropped: impl Fn(&str) -> bool) -> Self {
        self.entries.iter().filter(|(label, _)| !dropped(label)).cloned().collect()
    }
}

impl FromIterator<(Arc<str>, Value)> for GroupKey {
    /// Keeps the entries in order of their labels, so that equal keys compare equal.
    fn from_iter<I: IntoIterator<Item = (Arc<str>, Value)>>(entries: I) -> Self {
        let mut entries: Vec<_> = entries.into_iter().collect();
        entries.sort_by(|left, right| left.0.cmp(&right.0));
        Self { entries: Arc::new(entries) }
    }
}

impl PartialEq for GroupKey {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other) == Ordering::Equal
    }
}

impl Eq for GroupKey {}

impl PartialOrd for GroupKey {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for GroupKey {
    fn cmp(&self, other: &Self) -> Ordering {
        if Arc::ptr_eq(&self.entries, &other.entries) {
            return Ordering::Equal;
        }
        // A label that one key lacks counts as null there, and null comes first.
        for (left, right) in self.entries.iter().zip(other.entries.iter()) {
            let order = right.0.cmp(&left.0).then_with(|| left.1.order(&right.1));
            if order != Ordering::Equal {
                return order;
            }
        }
        self.entries.len().cmp(&other.entries.len())
    }
}

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
    values: Arc<Vec<T>>,
    /// Where a value counts; `None` when all do.
    valid: Option<Arc<Vec<bool>>>,
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

    fn take(&self, rows: &[usize]) -> Self {
        let values = rows.iter().map(|&row| self.values[row].clone()).collect();
        let valid = self.valid.as_ref();
        let valid = valid.map(|valid| Arc::new(rows.iter().map(|&row| valid[row]).collect()));
        Self { values: Arc::new(values), valid }
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

    pub(crate) fn kind(&self) -> ColumnType {
        match &self.data {
            Data::Repeat { kind, .. } => *kind,
            Data::Bool(_) => ColumnType::Bool,
            Data::Int(_) => ColumnType::Int,
            Data::UInt(_) => ColumnType::UInt,
            Data::Float(_) => ColumnType::Float,
            Data::String(_) => ColumnType::String,
            Data::Time(_) => ColumnType::Time,
        }
    }

    /// The value in a row.
    pub(crate) fn value(&self, row: usize) -> Value {
        let value = match &self.data {
            Data::Repeat { value, .. } => Some(value.clone()),
            Data::Bool(cells) => cells.get(row).copied().map(Value::Bool),
            Data::Int(cells) => cells.get(row).copied().map(Value::Int),
            Data::UInt(cells) => cells.get(row).copied().map(Value::UInt),
            Data::Float(cells) => cells.get(row).copied().map(Value::Float),
            Data::String(cells) => cells.get(row).cloned().map(Value::String),
            Data::Time(cells) => cells.get(row).copied().map(Value::Time),
        };
        value.filter(|value| !value.is_null()).unwrap_or(Value::Null(Some(self.kind())))
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
            (_, other) => return Err(collision(&self.label, self.kind(), &other)),
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
            return (0..rows).try_for_each(|_| self.push(value.clone()));
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
                return Err(FluxError::new(format!(
                    "schema collision detected: column \"{}\" is both of type {} and {}",
                    self.label,
                    column.kind().word(),
                    self.kind().word()
                )));
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

fn collision(label: &str, kind: ColumnType, value: &Value) -> FluxError {
    FluxError::new(format!(
        "schema collision detected: column \"{label}\" is both of type {} and {}",
        value.type_word(),
        kind.word()
    ))
}
