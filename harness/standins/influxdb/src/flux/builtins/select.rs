//! Functions that choose rows by a column: `first`, `last`, `min`, `max`, `distinct`.

use std::cmp::Ordering;
use std::collections::HashSet;
use std::sync::Arc;

use super::group::Merged;
use super::{Builtin, Call, optional, piped};
use crate::flux::error::FluxError;
use crate::flux::interpreter::Function;
use crate::flux::scalar_key::ScalarKey;
use crate::flux::stream::{InStore, Stream, Tables};
use crate::flux::table::{Column, ColumnBuilder, Data, Table};
use crate::flux::value::{ColumnType, Value, order_floats};

const COLUMN: &[super::Parameter] = &[piped("tables"), optional("column")];

pub(super) const BUILTINS: &[Builtin] = &[
    Builtin { package: "", name: "first", parameters: COLUMN, run: simple },
    Builtin { package: "", name: "last", parameters: COLUMN, run: simple },
    Builtin { package: "", name: "min", parameters: COLUMN, run: simple },
    Builtin { package: "", name: "max", parameters: COLUMN, run: simple },
    Builtin { package: "", name: "distinct", parameters: COLUMN, run: distinct },
];

/// Which row is chosen.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Selector {
    First,
    Last,
    Min,
    Max,
}

impl Selector {
    /// What a function value chooses when called with a column alone.
    pub(super) fn of_function(function: &Function) -> Option<Self> {
        match function {
            Function::Builtin(builtin) if builtin.package.is_empty() => Self::named(builtin.name),
            _ => None,
        }
    }

    fn named(name: &str) -> Option<Self> {
        match name {
            "first" => Some(Self::First),
            "last" => Some(Self::Last),
            "min" => Some(Self::Min),
            "max" => Some(Self::Max),
            _ => None,
        }
    }

    /// The chosen row; nulls are never chosen, and of equal values the first is.
    pub(super) fn choose(
        self,
        column: &Column,
        mut rows: impl DoubleEndedIterator<Item = usize>,
    ) -> Result<Option<usize>, FluxError> {
        let ordered = !matches!(column.kind(), ColumnType::String | ColumnType::Bool);
        if !ordered && matches!(self, Self::Min | Self::Max) {
            let (name, kind) =
                (if self == Self::Min { "Min" } else { "Max" }, column.kind().word());
            return Err(FluxError::new(format!(
                "invalid use of function: *universe.{name}Selector has no implementation for type \
                 {kind}"
            )));
        }
        let present = |row: &usize| !column.is_null(*row);
        Ok(match self {
            Self::First => rows.find(present),
            Self::Last => rows.rfind(present),
            Self::Min => best(column, rows, Ordering::Less),
            Self::Max => best(column, rows, Ordering::Greater),
        })
    }
}

fn best(column: &Column, mut rows: impl Iterator<Item = usize>, better: Ordering) -> Option<usize> {
    if let Data::Float(cells) = &column.data
        && let Some(all) = cells.dense()
    {
        // The common case, without a look at the type for each row.
        let mut best = rows.next()?;
        for row in rows {
            if order_floats(all[row], all[best]) == better {
                best = row;
            }
        }
        return Some(best);
    }
    let rows = rows.filter(|row| !column.is_null(*row));
    rows.reduce(|best, row| if column.order(row, best) == better { row } else { best })
}

fn simple(call: &Call<'_>) -> Result<Value, FluxError> {
    let selector = Selector::named(call.builtin.name)
        .ok_or_else(|| FluxError::new("the function has no selector"))?;
    let label = call.string_or("column", "_value")?;
    let mut stream = call.stream("tables")?;
    let in_store = if &*label == "_value" { InStore::Possible } else { InStore::Never };
    // Outside of its store, the server loses the nulls of rows that it copies by hand.
    let by_hand = selector != Selector::First;
    let by_hand = by_hand && !(stream.read.is_some() && in_store == InStore::Possible);
    let grouped = stream.parts.clone().filter(|_| in_store == InStore::Possible);
    if in_store == InStore::Possible {
        stream = super::aggregate::cut_at_epoch(stream)?;
    }
    let by_time = grouped.is_some();
    let work = move |table: Table| {
        let missing = || FluxError::new(format!("no column \"{label}\" exists"));
        let column = table.column(&label).ok_or_else(missing)?;
        let rows = 0..table.rows;
        let row = match (selector, table.column("_time").filter(|_| by_time)) {
            // The rows of a group in the store stand series by series, and it looks at the times.
            (Selector::First, Some(times)) => best(times, rows, Ordering::Less),
            (Selector::Last, Some(times)) => best(times, rows.rev(), Ordering::Greater),
            _ => selector.choose(column, rows)?,
        };
        let mut chosen = table.take(&row.into_iter().collect::<Vec<_>>());
        if by_hand && chosen.rows > 0 {
            chosen.columns.iter_mut().for_each(without_null);
        }
        Ok(chosen)
    };
    let chosen = match grouped {
        None => stream.reduced(call.site, in_store, work)?,
        Some(parts) => of_groups_in_store(&parts, selector)?.each_by_store(work)?,
    };
    Ok(Value::Stream(chosen))
}

/// Puts the zero of its type in the place of a null in a column of one row.
fn without_null(column: &mut Column) {
    if !column.is_null(0) {
        return;
    }
    let kind = column.kind();
    let value = match kind {
        ColumnType::Bool => Value::Bool(false),
        ColumnType::Int => Value::Int(0),
        ColumnType::UInt => Value::UInt(0),
        ColumnType::Float => Value::Float(0.0),
        ColumnType::String => Value::string(""),
        ColumnType::Time => Value::Time(0),
    };
    column.data = Data::Repeat { value, kind };
}

/// The groups that the store chooses from. It compares numbers only and leaves out groups without
/// any.
fn of_groups_in_store(parts: &Stream, selector: Selector) -> Result<Stream, FluxError> {
    parts.by_store(move |mut parts| {
        if matches!(selector, Selector::Min | Selector::Max) {
            parts.retain(super::aggregate::has_numbers);
        }
        let groups = super::group::merged_in_store(parts);
        let whole = |group: &Merged| !matches!(group, Merged::Begun(_));
        Ok(Box::new(groups.filter(whole).map(Merged::into_result)) as Tables)
    })
}

/// `quantile` by `exact_selector`: the row whose value has the rank.
pub(super) fn quantile_row(call: &Call<'_>, q: f64) -> Result<Value, FluxError> {
    let label = call.string_or("column", "_value")?;
    let chosen = call.stream("tables")?.gathered(call.site, move |table| {
        let missing = || FluxError::new(format!("no column \"{label}\" exists"));
        let column = table.column(&label).ok_or_else(missing)?;
        let mut rows: Vec<usize> = (0..table.rows).filter(|&row| !column.is_null(row)).collect();
        rows.sort_by(|left, right| column.order(*left, *right));
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "the rank lies between zero and the number of rows"
        )]
        let rank = (q * rows.len() as f64).ceil() as usize;
        let row = rows.get(rank.saturating_sub(1)).copied();
        Ok(table.take(&row.into_iter().collect::<Vec<_>>()))
    })?;
    Ok(Value::Stream(chosen))
}

fn distinct(call: &Call<'_>) -> Result<Value, FluxError> {
    let label = call.string_or("column", "_value")?;
    let made =
        call.stream("tables")?.gathered(call.site, move |table| distinct_values(&table, &label))?;
    Ok(Value::Stream(made))
}

/// The different values of a column, in order of their first row, as `_value`. A column that does
/// not exist holds one null.
fn distinct_values(table: &Table, label: &str) -> Result<Table, FluxError> {
    let value_label = Arc::from("_value");
    let absent = Column::repeat(&value_label, Value::Null(Some(ColumnType::String)));
    let column = table.column(label).unwrap_or(&absent);
    if let Some(value) = table.key.get(label) {
        // The group key has the value, whether there are rows or not.
        let mut columns = table.key_columns();
        columns.retain(|column| column.label != value_label);
        columns.push(Column::repeat(&value_label, value.clone()));
        return Ok(Table::new(table.key.without(|own| own == "_value"), columns, 1));
    }
    let mut builder = ColumnBuilder::new(&value_label, column.kind());
    let mut seen = HashSet::new();
    for row in 0..table.rows {
        let value = column.value(row);
        // What is no number equals nothing, not even itself.
        let is_nan = matches!(value, Value::Float(number) if number.is_nan());
        if seen.insert(ScalarKey::of(column, row)) || is_nan {
            builder.push(value)?;
        }
    }
    let rows = builder.len();
    let mut columns = table.key_columns();
    let distinct = builder.finish();
    columns.retain(|column| column.label != value_label);
    columns.push(distinct);
    Ok(Table::new(table.key.without(|own| own == "_value"), columns, rows))
}
