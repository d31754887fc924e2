//! Functions that carry something from row to row: `reduce` and `stateTracking`.

use std::sync::Arc;

use super::change::unit_ns;
use super::{Builtin, Call, optional, piped, required};
use crate::flux::columnwise::{CHUNK_ROWS, RowFunction};
use crate::flux::duration::Duration;
use crate::flux::error::FluxError;
use crate::flux::interpreter::Lambda;
use crate::flux::table::{Cells, Column, Data, GroupKey, Table};
use crate::flux::value::{Record, Row, Value};

pub(super) const BUILTINS: &[Builtin] = &[
    Builtin {
        package: "",
        name: "reduce",
        parameters: &[piped("tables"), required("fn"), required("identity")],
        run: reduce,
    },
    Builtin {
        package: "",
        name: "stateTracking",
        parameters: &[
            piped("tables"),
            required("fn"),
            optional("countColumn"),
            optional("durationColumn"),
            optional("durationUnit"),
            optional("timeColumn"),
        ],
        run: state_tracking,
    },
];

fn reduce(call: &Call<'_>) -> Result<Value, FluxError> {
    let lambda = call.lambda_of("fn", &["r", "accumulator"])?;
    let identity =
        call.record("identity")?.ok_or_else(|| FluxError::new("reduce needs an identity"))?;
    let made = call.stream("tables")?.all(call.site, move |tables| {
        let mut made: Vec<Table> = Vec::with_capacity(tables.len());
        for table in tables {
            let table = reduce_table(table, &lambda, &identity)?;
            if made.iter().any(|other| other.key == table.key) {
                return Err(FluxError::new("two reducers writing result to the same table"));
            }
            made.push(table);
        }
        made.sort_by(|left, right| left.key.cmp(&right.key));
        Ok(made)
    })?;
    Ok(Value::Stream(made))
}

fn reduce_table(table: Table, lambda: &Lambda, identity: &Arc<Record>) -> Result<Table, FluxError> {
    let table = Arc::new(table);
    let mut accumulator = Arc::clone(identity);
    for index in 0..table.rows {
        let row = Row { table: Arc::clone(&table), index };
        let arguments = vec![
            (Arc::from("r"), Value::Row(row)),
            (Arc::from("accumulator"), Value::Record(accumulator)),
        ];
        let result = lambda.call(arguments);
        accumulator = match result.map_err(|error| error.in_rows(Some("reduce"), lambda.span()))? {
            Value::Record(record) => record,
            other => {
                let found = other.type_word();
                let message = format!(
                    "failed to evaluate reduce function: expected record but found {found}"
                );
                return Err(FluxError::new(message));
            }
        };
    }
    // A value under a label of the group key takes its place there.
    let key = table.key.entries().iter().map(|(label, value)| {
        let new = accumulator.get(label).unwrap_or(value);
        (Arc::clone(label), new.clone())
    });
    let key: GroupKey = key.collect();
    let keyed = key.entries().iter().map(|(label, value)| Column::repeat(label, value.clone()));
    let mut columns: Vec<Column> = keyed.collect();
    let mut entries: Vec<_> = accumulator.entries().iter().collect();
    entries.sort_by(|left, right| left.0.cmp(&right.0));
    for (label, value) in entries {
        if key.contains(label) {
            continue;
        }
        if value.is_null() {
            return Err(FluxError::new(format!(
                "null values are not supported for \"{label}\" in the reduce() function"
            )));
        }
        if value.column_type().is_none() {
            let found = value.type_word();
            return Err(FluxError::new(format!(
                "cannot append a value of type {found} to a column"
            )));
        }
        columns.push(Column::repeat(label, value.clone()));
    }
    Ok(Table::new(key, columns, 1))
}

/// What `stateTracking` adds to each row.
struct Tracking {
    rows: RowFunction,
    count: Arc<str>,
    duration: Arc<str>,
    unit_ns: f64,
    time: Arc<str>,
}

fn state_tracking(call: &Call<'_>) -> Result<Value, FluxError> {
    let unit = call.duration("durationUnit")?.unwrap_or(Duration::from_ns(1_000_000_000));
    let tracking = Tracking {
        rows: RowFunction::new(call.lambda_of("fn", &["r"])?, None),
        count: call.string_or("countColumn", "")?,
        duration: call.string_or("durationColumn", "")?,
        unit_ns: unit_ns(unit),
        time: call.string_or("timeColumn", "_time")?,
    };
    if !tracking.duration.is_empty() && tracking.unit_ns <= 0.0 {
        let message = "state tracking duration unit must be greater than zero";
        return Err(FluxError::new(message));
    }
    let made = call.stream("tables")?.map(call.site, move |table| tracking.table(table))?;
    Ok(Value::Stream(made))
}

impl Tracking {
    fn table(&self, table: Table) -> Result<Table, FluxError> {
        let table = Arc::new(table);
        let times = table.required(&self.time)?.as_integers(table.rows);
        let mut matches = Vec::with_capacity(table.rows);
        for from in (0..table.rows).step_by(CHUNK_ROWS) {
            let to = (from + CHUNK_ROWS).min(table.rows);
            matches.extend(self.rows.flags(&table, from, to)?);
        }
        let mut made = Arc::unwrap_or_clone(table);
        if !self.count.is_empty() {
            let mut count = -1;
            let counts = matches.iter().map(|matched| {
                count = if *matched { count.max(0) + 1 } else { -1 };
                count
            });
            let data = Data::Int(Cells::new(counts.collect()));
            made.columns.push(Column::new(&self.count, data));
        }
        if !self.duration.is_empty() {
            let data = Data::Int(Cells::new(self.durations(&matches, &times)?));
            made.columns.push(Column::new(&self.duration, data));
        }
        Ok(made)
    }

    fn durations(&self, matches: &[bool], times: &[Option<i64>]) -> Result<Vec<i64>, FluxError> {
        let (mut since, mut last) = (None, i64::MIN);
        let next = |(matched, time_ns): (&bool, &Option<i64>)| {
            let time_ns = time_ns.ok_or_else(|| FluxError::new("got a null timestamp"))?;
            if last > time_ns {
                return Err(FluxError::new("got an out-of-order timestamp"));
            }
            last = time_ns;
            if !matched {
                since = None;
                return Ok(-1);
            }
            let start: i64 = *since.get_or_insert(time_ns);
            #[expect(clippy::cast_possible_truncation, reason = "whole units are counted")]
            let units = (time_ns.wrapping_sub(start) as f64 / self.unit_ns) as i64;
            Ok(units)
        };
        matches.iter().zip(times).map(next).collect()
    }
}
