//! One field of one series within one shard group: sorted times and their values.
//!
//! [`Column`] takes points in any order. Points that come in order are appended; others wait in a
//! list that [`Column::settle`] merges once a batch, so that a backfill does not move the whole
//! column for each point.

use std::sync::Arc;

use super::FieldType;
use crate::line_protocol::{Value, shown, unescape_text};

/// Up to this many late points are inserted one by one; more are merged in one pass.
const INSERT_SINGLY: usize = 4;

/// Sorted times with one value each.
#[derive(Debug)]
pub(super) struct Column {
    /// The start of the shard group that this column belongs to.
    pub(super) group_ns: i64,
    times: Vec<i64>,
    values: Values,
    /// Points that are not newer than the last time, in order of arrival.
    late: Vec<(i64, Cell)>,
}

/// The values of a column, all of one type.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Values {
    Float(Vec<f64>),
    Integer(Vec<i64>),
    Unsigned(Vec<u64>),
    String(Vec<Arc<str>>),
    Boolean(Vec<bool>),
}

#[derive(Clone, Debug)]
enum Cell {
    Float(f64),
    Integer(i64),
    Unsigned(u64),
    String(Arc<str>),
    Boolean(bool),
}

/// Runs one expression for whichever vector a [`Values`] holds.
macro_rules! for_each_type {
    ($values:expr, $list:ident => $body:expr) => {
        match $values {
            Values::Float($list) => $body,
            Values::Integer($list) => $body,
            Values::Unsigned($list) => $body,
            Values::String($list) => $body,
            Values::Boolean($list) => $body,
        }
    };
}

impl Values {
    pub(super) fn empty(field_type: FieldType) -> Self {
        match field_type {
            FieldType::Float => Self::Float(Vec::new()),
            FieldType::Integer => Self::Integer(Vec::new()),
            FieldType::Unsigned => Self::Unsigned(Vec::new()),
            FieldType::String => Self::String(Vec::new()),
            FieldType::Boolean => Self::Boolean(Vec::new()),
        }
    }

    /// The type of the values.
    pub(crate) fn field_type(&self) -> FieldType {
        match self {
            Self::Float(_) => FieldType::Float,
            Self::Integer(_) => FieldType::Integer,
            Self::Unsigned(_) => FieldType::Unsigned,
            Self::String(_) => FieldType::String,
            Self::Boolean(_) => FieldType::Boolean,
        }
    }

    /// Appends a part of another column of the same type.
    pub(super) fn extend_from(&mut self, other: &Self, range: std::ops::Range<usize>) {
        match (self, other) {
            (Self::Float(own), Self::Float(new)) => own.extend_from_slice(&new[range]),
            (Self::Integer(own), Self::Integer(new)) => own.extend_from_slice(&new[range]),
            (Self::Unsigned(own), Self::Unsigned(new)) => own.extend_from_slice(&new[range]),
            (Self::String(own), Self::String(new)) => own.extend_from_slice(&new[range]),
            (Self::Boolean(own), Self::Boolean(new)) => own.extend_from_slice(&new[range]),
            _ => unreachable!("columns of one read have one type"),
        }
    }

    fn place(&mut self, at: Place, value: Cell) {
        match (self, value) {
            (Self::Float(list), Cell::Float(value)) => at.put(list, value),
            (Self::Integer(list), Cell::Integer(value)) => at.put(list, value),
            (Self::Unsigned(list), Cell::Unsigned(value)) => at.put(list, value),
            (Self::String(list), Cell::String(value)) => at.put(list, value),
            (Self::Boolean(list), Cell::Boolean(value)) => at.put(list, value),
            _ => unreachable!("the type of a field is checked before its values are stored"),
        }
    }
}

#[derive(Clone, Copy)]
enum Place {
    End,
    Over(usize),
    Before(usize),
}

impl Place {
    fn put<T>(self, list: &mut Vec<T>, value: T) {
        match self {
            Self::End => list.push(value),
            Self::Over(index) => list[index] = value,
            Self::Before(index) => list.insert(index, value),
        }
    }
}

/// The type of a value of line protocol.
pub(super) fn value_type(value: &Value<'_>) -> FieldType {
    match value {
        Value::Float(_) => FieldType::Float,
        Value::Integer(_) => FieldType::Integer,
        Value::Unsigned(_) => FieldType::Unsigned,
        Value::Boolean(_) => FieldType::Boolean,
        Value::Text(_) => FieldType::String,
    }
}

fn cell(value: &Value<'_>) -> Cell {
    match *value {
        Value::Float(value) => Cell::Float(value),
        Value::Integer(value) => Cell::Integer(value),
        Value::Unsigned(value) => Cell::Unsigned(value),
        Value::Boolean(value) => Cell::Boolean(value),
        Value::Text(raw) => Cell::String(Arc::from(shown(&unescape_text(raw)))),
    }
}

impl Column {
    pub(super) fn new(group_ns: i64, field_type: FieldType) -> Self {
        Self { group_ns, times: Vec::new(), values: Values::empty(field_type), late: Vec::new() }
    }

    pub(super) fn field_type(&self) -> FieldType {
        self.values.field_type()
    }

    /// Stores a point. Tells whether [`settle`](Self::settle) has to be called before a read.
    pub(super) fn push(&mut self, time_ns: i64, value: &Value<'_>) -> bool {
        let in_order = self.times.last().is_none_or(|&last_ns| time_ns > last_ns);
        if in_order {
            self.times.push(time_ns);
            match (&mut self.values, value) {
                // The common types without the detour over a cell.
                (Values::Float(list), Value::Float(value)) => list.push(*value),
                (Values::Integer(list), Value::Integer(value)) => list.push(*value),
                (values, value) => values.place(Place::End, cell(value)),
            }
            return false;
        }
        self.late.push((time_ns, cell(value)));
        true
    }

    /// Merges the late points into place. Of two points with one time the later arrival stays.
    pub(super) fn settle(&mut self) {
        let mut late = std::mem::take(&mut self.late);
        if late.len() <= INSERT_SINGLY {
            for (time_ns, value) in late {
                self.insert(time_ns, value);
            }
            return;
        }
        late.sort_by_key(|(time_ns, _)| *time_ns);
        let empty = Values::empty(self.field_type());
        let old_times = std::mem::take(&mut self.times);
        let old_values = std::mem::replace(&mut self.values, empty);
        let mut next = 0;
        for (time_ns, value) in late {
            let until = next + old_times[next..].partition_point(|&old_ns| old_ns < time_ns);
            self.times.extend_from_slice(&old_times[next..until]);
            self.values.extend_from(&old_values, next..until);
            next = until;
            if old_times.get(next) == Some(&time_ns) {
                next += 1;
            }
            if self.times.last() == Some(&time_ns) {
                self.values.place(Place::Over(self.times.len() - 1), value);
            } else {
                self.times.push(time_ns);
                self.values.place(Place::End, value);
            }
        }
        self.times.extend_from_slice(&old_times[next..]);
        self.values.extend_from(&old_values, next..old_times.len());
    }

    fn insert(&mut self, time_ns: i64, value: Cell) {
        match self.times.binary_search(&time_ns) {
            Ok(index) => self.values.place(Place::Over(index), value),
            Err(index) => {
                self.times.insert(index, time_ns);
                self.values.place(Place::Before(index), value);
            }
        }
    }

    /// Removes the points from `start_ns` to `stop_ns`, both included.
    pub(super) fn remove(&mut self, start_ns: i64, stop_ns: i64) {
        let from = self.times.partition_point(|&time_ns| time_ns < start_ns);
        let to = self.times.partition_point(|&time_ns| time_ns <= stop_ns);
        if from < to {
            self.times.drain(from..to);
            for_each_type!(&mut self.values, list => { list.drain(from..to); });
        }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.times.is_empty()
    }

    /// Appends the points from `start_ns` up to but not including `stop_ns`.
    pub(super) fn copy_range(&self, range: (i64, i64), times: &mut Vec<i64>, values: &mut Values) {
        let from = self.times.partition_point(|&time_ns| time_ns < range.0);
        let to = self.times.partition_point(|&time_ns| time_ns < range.1);
        if from < to {
            times.extend_from_slice(&self.times[from..to]);
            values.extend_from(&self.values, from..to);
        }
    }

    /// Whether any point lies from `start_ns` up to but not including `stop_ns`.
    pub(super) fn has_points(&self, range: (i64, i64)) -> bool {
        let from = self.times.partition_point(|&time_ns| time_ns < range.0);
        self.times.get(from).is_some_and(|&time_ns| time_ns < range.1)
    }
}
