//! The classic `join`: rows of two streams that agree on some columns become one row.
//!
//! Tables are matched pair by pair. A column that both sides have and that is not joined on gets
//! the name of its stream behind its own.

use std::cmp::Ordering;
use std::sync::Arc;

use super::{Builtin, Call, optional, piped};
use crate::flux::error::{FluxError, FluxErrorCode};
use crate::flux::stream::{Execution, Stream};
use crate::flux::table::{Column, GroupKey, Table};
use crate::flux::value::Value;

pub(super) const BUILTINS: &[Builtin] = &[Builtin {
    package: "",
    name: "join",
    parameters: &[piped("tables"), optional("method"), optional("on")],
    run: join,
}];

fn join(call: &Call<'_>) -> Result<Value, FluxError> {
    let on = call.strings("on")?.unwrap_or_default();
    if on.is_empty() {
        let message = "at least one column in 'on' column list is required";
        return Err(FluxError::new(message));
    }
    let method = call.string_or("method", "inner")?;
    if &*method != "inner" {
        return Err(FluxError::new(format!("{method} is not a valid join type")));
    }
    let tables = call.record("tables")?.ok_or_else(|| FluxError::new("join needs tables"))?;
    let mut named = Vec::new();
    for (name, value) in tables.entries() {
        match value {
            Value::Stream(stream) => named.push((Arc::clone(name), stream.clone())),
            other => {
                let found = other.type_word();
                let message = format!("expected \"{name}\" to be stream type; instead got {found}");
                return Err(FluxError::new(message));
            }
        }
    }
    named.sort_by(|left, right| left.0.cmp(&right.0));
    let (names, streams): (Vec<Arc<str>>, Vec<Stream>) = named.into_iter().unzip();
    let Ok(names) = <[Arc<str>; 2]>::try_from(names) else {
        return Err(FluxError::whole(
            FluxErrorCode::Invalid,
            "failed to initialize execute state: joins currently must only have two parents",
        ));
    };
    let execution = Arc::clone(&call.interpreter.execution);
    let joined = Stream::combined(streams, call.site, move |mut sides| {
        let right = sides.pop().unwrap_or_default();
        let left = sides.pop().unwrap_or_default();
        Join { on: &on, names: &names, execution: &execution }.tables(left, right)
    })?;
    Ok(Value::Stream(joined))
}

struct Join<'a> {
    on: &'a [Arc<str>],
    names: &'a [Arc<str>; 2],
    execution: &'a Execution,
}

impl Join<'_> {
    fn tables(&self, left: Vec<Table>, right: Vec<Table>) -> Result<Vec<Table>, FluxError> {
        let (left, right) = (self.usable(left), self.usable(right));
        let mut made = Vec::new();
        for one in &left {
            for other in &right {
                self.execution.count_call()?;
                if self.keys_agree(one, other) {
                    made.extend(self.pair(one, other)?);
                }
            }
        }
        super::group::merge(made)
    }

    /// Tables that have all the columns to join on, in order of these columns.
    fn usable(&self, tables: Vec<Table>) -> Vec<Table> {
        let complete = |table: &Table| self.on.iter().all(|label| table.column(label).is_some());
        let tables = tables.into_iter().filter(complete);
        tables.map(|table| super::rows::sort_table(table, self.on, false)).collect()
    }

    /// Whether the group keys leave it open that rows agree.
    fn keys_agree(&self, left: &Table, right: &Table) -> bool {
        self.on.iter().all(|label| match (left.key.get(label), right.key.get(label)) {
            (Some(left), Some(right)) => left.order(right) == Ordering::Equal && !left.is_null(),
            _ => true,
        })
    }

    fn pair(&self, left: &Table, right: &Table) -> Result<Option<Table>, FluxError> {
        let (left_rows, right_rows) = self.matches(left, right)?;
        if left_rows.is_empty() {
            return Ok(None);
        }
        let mut columns: Vec<Column> = Vec::new();
        for (side, table, rows) in [(0, left, &left_rows), (1, right, &right_rows)] {
            let other = if side == 0 { right } else { left };
            for column in &table.columns {
                let label = self.label(side, &column.label, other);
                if columns.iter().all(|own| own.label != label) {
                    let data = column.take(rows).data;
                    columns.push(Column { label, data });
                }
            }
        }
        columns.sort_by(|left, right| left.label.cmp(&right.label));
        let entries = |side: usize, table: &Table, other: &Table| -> Vec<(Arc<str>, Value)> {
            let entries = table.key.entries().iter();
            entries.map(|(label, value)| (self.label(side, label, other), value.clone())).collect()
        };
        let mut key = entries(0, left, right);
        for (label, value) in entries(1, right, left) {
            if key.iter().all(|(own, _)| *own != label) {
                key.push((label, value));
            }
        }
        Ok(Some(Table::new(key.into_iter().collect::<GroupKey>(), columns, left_rows.len())))
    }

    fn label(&self, side: usize, label: &Arc<str>, other: &Table) -> Arc<str> {
        if self.on.contains(label) || other.column(label).is_none() {
            return Arc::clone(label);
        }
        Arc::from(format!("{label}_{}", self.names[side]))
    }

    /// The rows that agree, pair by pair. Null agrees with nothing.
    fn matches(&self, left: &Table, right: &Table) -> Result<(Vec<usize>, Vec<usize>), FluxError> {
        let key = |table: &Table| -> Vec<Column> {
            self.on.iter().filter_map(|label| table.column(label).cloned()).collect()
        };
        let (left_key, right_key) = (key(left), key(right));
        let (mut left_rows, mut right_rows) = (Vec::new(), Vec::new());
        let width = (left.columns.len() + right.columns.len()) as u64;
        let (mut from, mut row) = (0, 0);
        while row < left.rows && from < right.rows {
            match order(&left_key, row, &right_key, from) {
                Ordering::Less => row += 1,
                Ordering::Greater => from += 1,
                Ordering::Equal if left_key.iter().any(|column| column.is_null(row)) => row += 1,
                Ordering::Equal => {
                    let same =
                        |to: &usize| order(&left_key, row, &right_key, *to) == Ordering::Equal;
                    let to = (from..right.rows).take_while(same).count() + from;
                    left_rows.resize(left_rows.len() + (to - from), row);
                    right_rows.extend(from..to);
                    self.execution.check_room(left_rows.len() as u64 * width)?;
                    row += 1;
                }
            }
        }
        Ok((left_rows, right_rows))
    }
}

fn order(left: &[Column], left_row: usize, right: &[Column], right_row: usize) -> Ordering {
    let pairs = left.iter().zip(right);
    let mut orders = pairs.map(|(left, right)| left.value(left_row).order(&right.value(right_row)));
    orders.find(|order| *order != Ordering::Equal).unwrap_or(Ordering::Equal)
}
