//! Functions that choose, order or rewrite the rows of each table.

use std::cmp::Ordering;
use std::sync::Arc;

use super::{Builtin, Call, optional, piped, required};
use crate::flux::column::Cells;
use crate::flux::error::FluxError;
use crate::flux::stream::Stream;
use crate::flux::table::{Column, ColumnBuilder, Data, Table};
use crate::flux::value::{Value, order_floats};

pub(super) const BUILTINS: &[Builtin] = &[
    Builtin {
        package: "",
        name: "sort",
        parameters: &[piped("tables"), optional("columns"), optional("desc")],
        run: sort,
    },
    Builtin {
        package: "",
        name: "limit",
        parameters: &[piped("tables"), required("n"), optional("offset")],
        run: limit,
    },
    Builtin {
        package: "",
        name: "tail",
        parameters: &[piped("tables"), required("n"), optional("offset")],
        run: tail,
    },
    Builtin {
        package: "",
        name: "fill",
        parameters: &[
            piped("tables"),
            optional("column"),
            optional("value"),
            optional("usePrevious"),
        ],
        run: fill,
    },
];

fn sort(call: &Call<'_>) -> Result<Value, FluxError> {
    let labels = call.strings("columns")?.unwrap_or_else(|| vec![Arc::from("_value")]);
    let descending = call.bool_or("desc", false)?;
    let stream = call.stream("tables")?;
    let sorted_tables = |stream: &Stream| {
        let labels = labels.clone();
        stream.map(call.site, move |table| Ok(sort_table(table, &labels, descending)))
    };
    let mut sorted = sorted_tables(&stream)?;
    sorted.sorted = Some(Arc::new(sorted_tables(&stream.unordered())?));
    Ok(Value::Stream(sorted))
}

/// Orders rows by some columns; rows that are equal there stay in their order. Texts come out as
/// the server makes them.
pub(super) fn sort_table(table: Table, labels: &[Arc<str>], descending: bool) -> Table {
    let mut sorted = ordered(table, labels, descending);
    for column in &mut sorted.columns {
        if let Data::String(cells) = &column.data
            && let Some(made) = without_lost_texts(cells)
        {
            column.data = Data::String(made);
        }
    }
    sorted
}

/// How many rows the server sorts into one array.
const SORTED_TOGETHER: usize = 1000;

/// What the server's sort makes of texts: in each of its arrays, behind equal texts at the start,
/// an empty one is lost. The ones behind it move up, and the last row is left without. `None` where
/// nothing is lost.
fn without_lost_texts(cells: &Cells<Arc<str>>) -> Option<Cells<Arc<str>>> {
    let rows = cells.values.len();
    let text = |row: usize| cells.get(row).map(|text| &**text);
    let lost_in = |from: usize| {
        let first = text(from).filter(|first| !first.is_empty())?;
        let to = rows.min(from + SORTED_TOGETHER);
        (from..to).find(|row| text(*row) != Some(first)).filter(|row| text(*row) == Some(""))
    };
    let lost: Vec<usize> = (0..rows).step_by(SORTED_TOGETHER).filter_map(lost_in).collect();
    if lost.is_empty() {
        return None;
    }
    let mut texts: Vec<Option<Arc<str>>> = (0..rows).map(|row| cells.get(row).cloned()).collect();
    for row in lost {
        let end = rows.min((row / SORTED_TOGETHER + 1) * SORTED_TOGETHER);
        texts[row..end].rotate_left(1);
        texts[end - 1] = None;
    }
    Some(Cells::sparse(texts, &Arc::from("")))
}

fn ordered(table: Table, labels: &[Arc<str>], descending: bool) -> Table {
    let varies = |column: &&Column| !matches!(column.data, Data::Repeat { .. });
    let columns = labels.iter().filter_map(|label| table.column(label)).filter(varies);
    let columns: Vec<&Column> = columns.collect();
    let order = |left: &usize, right: &usize| {
        let orders = columns.iter().map(|column| {
            let order = column.order(*left, *right);
            // Nulls come first either way.
            let reversed = descending && !column.is_null(*left) && !column.is_null(*right);
            if reversed { order.reverse() } else { order }
        });
        orders.into_iter().find(|order| *order != Ordering::Equal).unwrap_or(Ordering::Equal)
    };
    if let [Column { data: Data::Float(cells), .. }] = columns.as_slice()
        && let Some(all) = cells.dense()
    {
        return table.take(&rows_by(all, |left, right| order_floats(*left, *right), descending));
    }
    if let [Column { data: Data::Int(cells) | Data::Time(cells), .. }] = columns.as_slice()
        && let Some(all) = cells.dense()
    {
        return table.take(&rows_by(all, Ord::cmp, descending));
    }
    let mut rows: Vec<usize> = (0..table.rows).collect();
    if rows.is_sorted_by(|left, right| order(left, right) != Ordering::Greater) {
        return table;
    }
    rows.sort_by(order);
    table.take(&rows)
}

/// The rows in order of values that are beside them in memory while they are sorted.
fn rows_by<T: Copy>(
    values: &[T],
    order: impl Fn(&T, &T) -> Ordering,
    descending: bool,
) -> Vec<usize> {
    let mut rows: Vec<(T, usize)> = values.iter().copied().zip(0..).collect();
    rows.sort_unstable_by(|left, right| {
        let order = order(&left.0, &right.0);
        let order = if descending { order.reverse() } else { order };
        order.then(left.1.cmp(&right.1))
    });
    rows.into_iter().map(|(_, row)| row).collect()
}

fn limit(call: &Call<'_>) -> Result<Value, FluxError> {
    let (n, offset) = count_and_offset(call)?;
    let stream = call.stream("tables")?;
    let sorted = stream.sorted.as_deref().filter(|_| !stream.yielded && offset == 0);
    let (with_sort, tables) = (sorted.is_some(), sorted.unwrap_or(&stream));
    let limited = tables.each(call.site, move |table| {
        let from = offset.min(table.rows);
        let to = from.saturating_add(n).min(table.rows);
        // A table that had no rows stays, one whose rows are all skipped does not.
        let skipped = n > 0 && from == table.rows;
        let gone = if table.rows == 0 { with_sort } else { skipped };
        Ok(if gone { Vec::new() } else { vec![table.slice(from, to)] })
    })?;
    Ok(Value::Stream(limited))
}

fn tail(call: &Call<'_>) -> Result<Value, FluxError> {
    let (n, offset) = count_and_offset(call)?;
    let limited = call.stream("tables")?.gathered(call.site, move |table| {
        let to = table.rows.saturating_sub(offset);
        Ok(table.slice(to.saturating_sub(n), to))
    })?;
    Ok(Value::Stream(limited))
}

fn count_and_offset(call: &Call<'_>) -> Result<(usize, usize), FluxError> {
    // The server takes a negative number for none.
    let count = |name: &str| {
        let given = call.int(name)?.unwrap_or(0);
        Ok(usize::try_from(given).unwrap_or(0))
    };
    Ok((count("n")?, count("offset")?))
}

fn fill(call: &Call<'_>) -> Result<Value, FluxError> {
    let label = call.string_or("column", "_value")?;
    let value = call.value("value").cloned();
    let use_previous = call.bool_or("usePrevious", false)?;
    if value.is_some() == use_previous {
        let message = "fill requires exactly one of value or usePrevious";
        return Err(FluxError::new(message));
    }
    let filled = call
        .stream("tables")?
        .map(call.site, move |table| fill_table(table, &label, value.as_ref()))?;
    Ok(Value::Stream(filled))
}

fn fill_table(
    mut table: Table,
    label: &Arc<str>,
    fill: Option<&Value>,
) -> Result<Table, FluxError> {
    let Some(column) = table.column(label) else {
        let Some(value) = fill else { return Ok(table) };
        table.columns.push(Column::repeat(label, value.clone()));
        return Ok(table);
    };
    let kind = column.kind();
    if let Some(value) = fill
        && value.column_type() != Some(kind)
    {
        let (own, given) = (kind.word(), value.type_word());
        return Err(FluxError::new(format!("fill column type mismatch: {own}/{given}")));
    }
    let mut builder = ColumnBuilder::new(label, kind);
    let mut previous = fill.cloned().unwrap_or(Value::Null(Some(kind)));
    for row in 0..table.rows {
        let value = column.value(row);
        if value.is_null() {
            builder.push(previous.clone())?;
        } else {
            if fill.is_none() {
                previous = value.clone();
            }
            builder.push(value)?;
        }
    }
    if table.key.contains(label) && table.rows > 0 {
        let filled = builder.clone().finish().value(0);
        table.key = table.key.with(label, filled);
    }
    table.put(builder.finish());
    Ok(table)
}
