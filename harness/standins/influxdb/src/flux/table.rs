//! Tables: columns of equal length and the group key that their rows share.
//!
//! [`Table`] is what flows through a [`Stream`](super::stream::Stream). Its columns are in
//! `column`, those that still grow in `builder`.

use std::cmp::Ordering;
use std::sync::Arc;

pub(crate) use super::builder::{ColumnBuilder, collision};
pub(crate) use super::column::{Cells, Column, Data};
use super::error::FluxError;
use super::stream::Charge;
use super::value::Value;

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

    /// The columns of the group key with one value each, for any number of rows.
    pub(crate) fn key_columns(&self) -> Vec<Column> {
        let keyed = self.columns.iter().filter(|column| self.key.contains(&column.label));
        let constant = |column: &Column| {
            let value = self.key.get(&column.label).cloned();
            let value = value.unwrap_or(Value::Null(Some(column.kind())));
            Column::new(&column.label, Data::Repeat { value, kind: column.kind() })
        };
        // A grouping in the store has labels in its key that no row has.
        let absent = self.key.entries().iter().filter(|(label, _)| self.column(label).is_none());
        let absent = absent.map(|(label, value)| Column::repeat(label, value.clone()));
        keyed.map(constant).chain(absent).collect()
    }

    /// The rows from one up to but not including another.
    pub(crate) fn slice(self, from: usize, to: usize) -> Self {
        if from == 0 && to == self.rows {
            return self;
        }
        let columns = self.columns.iter().map(|column| column.slice(from, to)).collect();
        Self::new(self.key, columns, to - from)
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
            let labels =
                if Arc::ptr_eq(&left.0, &right.0) { Ordering::Equal } else { right.0.cmp(&left.0) };
            let order = labels.then_with(|| left.1.order(&right.1));
            if order != Ordering::Equal {
                return order;
            }
        }
        self.entries.len().cmp(&other.entries.len())
    }
}
