//! `experimental.diff`: how two streams differ, row by row.
//!
//! Tables of the same group key are compared along their longest common subsequence of rows, as
//! `diff` compares files. Tables that are equal give nothing.

use std::sync::Arc;

use crate::flux::builtins::Call;
use crate::flux::builtins::join::by_key;
use crate::flux::error::FluxError;
use crate::flux::stream::{Execution, Stream};
use crate::flux::table::{Column, ColumnBuilder, GroupKey, Table};
use crate::flux::value::{ColumnType, Value};

/// How far floats may lie apart and still be equal.
const EPSILON: f64 = 1e-6;

pub(super) fn diff(call: &Call<'_>) -> Result<Value, FluxError> {
    let streams = vec![call.stream("want")?, call.stream("got")?];
    let execution = Arc::clone(&call.interpreter.execution);
    let made = Stream::combined(streams, call.site, move |mut sides| {
        let got = sides.pop().unwrap_or_default();
        let want = sides.pop().unwrap_or_default();
        compare(want, got, &execution)
    })?;
    Ok(Value::Stream(made))
}

fn compare(
    want: Vec<Table>,
    got: Vec<Table>,
    execution: &Execution,
) -> Result<Vec<Table>, FluxError> {
    let mut made = Vec::new();
    for (key, [want, got]) in by_key([want, got])? {
        if key.contains("_diff") {
            return Err(FluxError::new("group key cannot contain _diff column"));
        }
        let empty = || Table::new(key.clone(), Vec::new(), 0);
        let (want, got) = (want.unwrap_or_else(empty), got.unwrap_or_else(empty));
        // The comparison holds a cell for each pair of rows.
        execution.check_room((want.rows as u64).saturating_mul(got.rows as u64))?;
        let pair = Pair { columns: Shared::of(&key, &want, &got)?, want, got };
        made.extend(pair.diff(key)?);
    }
    Ok(made)
}

/// A column on either side.
struct Shared {
    label: Arc<str>,
    kind: ColumnType,
    sides: [Option<Column>; 2],
}

impl Shared {
    fn of(key: &GroupKey, want: &Table, got: &Table) -> Result<Vec<Self>, FluxError> {
        let mut shared: Vec<Self> = Vec::new();
        let columns = want.columns.iter().chain(&got.columns);
        for column in columns.filter(|column| &*column.label != "_diff") {
            let label = &column.label;
            if key.contains(label) || shared.iter().any(|own| own.label == *label) {
                continue;
            }
            let sides = [want, got].map(|table| table.column(label).cloned());
            if let [Some(one), Some(other)] = &sides
                && one.kind() != other.kind()
            {
                let (one, other) = (one.kind().word(), other.kind().word());
                return Err(FluxError::new(format!(
                    "column \"{label}\" has different types {one} != {other}"
                )));
            }
            shared.push(Self { label: Arc::clone(label), kind: column.kind(), sides });
        }
        Ok(shared)
    }

    fn value(&self, side: usize, row: usize) -> Value {
        let column = self.sides[side].as_ref();
        column.map_or(Value::Null(Some(self.kind)), |column| column.value(row))
    }
}

struct Pair {
    columns: Vec<Shared>,
    want: Table,
    got: Table,
}

impl Pair {
    fn equal(&self, want: usize, got: usize) -> bool {
        self.columns.iter().all(|column| match (column.value(0, want), column.value(1, got)) {
            (Value::Float(one), Value::Float(other)) => {
                one.is_nan() && other.is_nan()
                    || (one - other).abs() <= EPSILON
                    || one.total_cmp(&other).is_eq()
            }
            (one, other) => one.order(&other).is_eq(),
        })
    }

    fn diff(&self, key: GroupKey) -> Result<Option<Table>, FluxError> {
        let rows = self.want.rows;
        if rows == self.got.rows && (0..rows).all(|row| self.equal(row, row)) {
            return Ok(None);
        }
        let steps = self.steps();
        let signs = steps.iter().map(|(sign, ..)| Arc::from(*sign)).collect();
        let mut columns = vec![Column::strings(&Arc::from("_diff"), signs)];
        let keyed = self.want.key_columns();
        columns.extend(if keyed.is_empty() { self.got.key_columns() } else { keyed });
        for shared in &self.columns {
            let mut builder = ColumnBuilder::new(&shared.label, shared.kind);
            for (_, side, row) in &steps {
                builder.push(shared.value(*side, *row))?;
            }
            columns.push(builder.finish());
        }
        Ok(Some(Table::new(key, columns, steps.len())))
    }

    /// The rows in order: their sign, the side they are on, and their number there.
    fn steps(&self) -> Vec<(&'static str, usize, usize)> {
        let lengths = self.common_lengths();
        let (mut want, mut got) = (self.want.rows, self.got.rows);
        let mut steps = Vec::new();
        while want > 0 || got > 0 {
            if want > 0 && got > 0 && self.equal(want - 1, got - 1) {
                want -= 1;
                got -= 1;
                steps.push(("", 0, want));
            } else if want > 0 && (got == 0 || lengths[got][want - 1] > lengths[got - 1][want]) {
                want -= 1;
                steps.push(("-", 0, want));
            } else {
                got -= 1;
                steps.push(("+", 1, got));
            }
        }
        steps.reverse();
        steps
    }

    /// The length of the longest common subsequence of each pair of beginnings.
    fn common_lengths(&self) -> Vec<Vec<u32>> {
        let mut lengths = vec![vec![0; self.want.rows + 1]; self.got.rows + 1];
        for got in 1..=self.got.rows {
            for want in 1..=self.want.rows {
                lengths[got][want] = if self.equal(want - 1, got - 1) {
                    lengths[got - 1][want - 1] + 1
                } else {
                    lengths[got - 1][want].max(lengths[got][want - 1])
                };
            }
        }
        lengths
    }
}
