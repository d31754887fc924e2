//! `join.*` and `experimental.join`: rows of two streams that agree on some columns, put together
//! by a function.
//!
//! Tables meet tables of the same group key. Rows that agree make every pair; a row without a
//! partner meets one that holds the group key and nulls, where the method keeps it.

mod on;

use std::cmp::Ordering;
use std::collections::BTreeMap;
use std::sync::Arc;

use self::on::Pairs;
use super::group::merge;
use super::growing::Growing;
use super::{Builtin, Call, Parameter, Run, optional, piped, required};
use crate::flux::error::{FluxError, FluxErrorCode};
use crate::flux::interpreter::Lambda;
use crate::flux::stream::{Execution, Stream};
use crate::flux::table::{Column, Data, GroupKey, Table};
use crate::flux::value::{Record, Row, Value};

const SIDES: &[Parameter] = &[piped("left"), required("right"), required("on"), required("as")];

const fn builtin(name: &'static str, run: Run) -> Builtin {
    Builtin { package: "join", name, parameters: SIDES, run }
}

pub(super) const BUILTINS: &[Builtin] = &[
    builtin("inner", |call| join(call, Pairs::of_call(call)?, Method::Inner)),
    builtin("left", |call| join(call, Pairs::of_call(call)?, Method::Left)),
    builtin("right", |call| join(call, Pairs::of_call(call)?, Method::Right)),
    builtin("full", |call| join(call, Pairs::of_call(call)?, Method::Full)),
    Builtin {
        package: "join",
        name: "tables",
        parameters: &[
            piped("left"),
            required("right"),
            required("on"),
            required("as"),
            required("method"),
        ],
        run: |call| join(call, Pairs::of_call(call)?, Method::of(call)?),
    },
    Builtin {
        package: "join",
        name: "time",
        parameters: &[piped("left"), required("right"), required("as"), optional("method")],
        run: |call| join(call, Pairs::of_time(), Method::of(call)?),
    },
    Builtin {
        package: "experimental",
        name: "join",
        parameters: &[required("left"), required("right"), required("fn")],
        run: experimental_join,
    },
];

/// Which rows without a partner stay.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Method {
    Inner,
    Left,
    Right,
    Full,
}

impl Method {
    fn of(call: &Call<'_>) -> Result<Self, FluxError> {
        Ok(match &*call.string_or("method", "inner")? {
            "inner" => Self::Inner,
            "left" => Self::Left,
            "right" => Self::Right,
            "full" => Self::Full,
            _ => {
                return Err(FluxError::new(
                    "invalid argument for 'method' - must be \"inner\", \"left\", \"right\", or \
                     \"full\"",
                ));
            }
        })
    }
}

/// A join in the making.
#[derive(Debug)]
struct Join {
    pairs: Pairs,
    method: Method,
    make: Lambda,
    /// What the function calls its two rows.
    names: [&'static str; 2],
    execution: Arc<Execution>,
    modified_key: fn(&str, &str) -> String,
}

fn join(call: &Call<'_>, pairs: Pairs, method: Method) -> Result<Value, FluxError> {
    let names = ["l", "r"];
    let make = call.lambda_of("as", &names)?;
    let modified_key = |label: &str, kind: &str| {
        format!(
            "join cannot modify group key: output record has a missing or invalid value for \
             column '{label}:{kind}'"
        )
    };
    run(call, Join { pairs, method, make, names, execution: execution(call), modified_key })
}

/// A join of the rows of one instant.
fn experimental_join(call: &Call<'_>) -> Result<Value, FluxError> {
    let names = ["left", "right"];
    let make = call.lambda_of("fn", &names)?;
    let modified_key = |_: &str, _: &str| "argument 'fn' may not modify group key".to_owned();
    let (pairs, method) = (Pairs::of_time(), Method::Inner);
    run(call, Join { pairs, method, make, names, execution: execution(call), modified_key })
}

fn execution(call: &Call<'_>) -> Arc<Execution> {
    Arc::clone(&call.interpreter.execution)
}

fn run(call: &Call<'_>, join: Join) -> Result<Value, FluxError> {
    let streams = vec![call.stream("left")?, call.stream("right")?];
    let joined = Stream::combined(streams, call.site, move |mut sides| {
        let right = sides.pop().unwrap_or_default();
        let left = sides.pop().unwrap_or_default();
        join.tables([left, right])
    })?;
    Ok(Value::Stream(joined))
}

/// One side of two tables that meet.
struct Side {
    table: Arc<Table>,
    /// The rows with what they are joined on, in its order.
    rows: Vec<(Vec<Value>, usize)>,
}

impl Join {
    fn tables(&self, sides: [Vec<Table>; 2]) -> Result<Vec<Table>, FluxError> {
        let schemas = [columns_of(&sides[0]), columns_of(&sides[1])];
        let mut made = Vec::new();
        for (key, [left, right]) in by_key(sides)? {
            let left = self.side(0, &key, left, &schemas[0])?;
            let right = self.side(1, &key, right, &schemas[1])?;
            made.extend(self.meet(&key, &left, &right)?);
        }
        Ok(made)
    }

    /// A side's table; a table that it lacks has the columns that its other tables have.
    fn side(
        &self,
        at: usize,
        key: &GroupKey,
        table: Option<Table>,
        schema: &[Column],
    ) -> Result<Side, FluxError> {
        let word = ["left", "right"][at];
        let table = match table.filter(|table| table.rows > 0) {
            Some(table) => table,
            None => Table::new(key.clone(), schema.to_vec(), 0),
        };
        for label in on::members(&self.make.function, at) {
            if table.columns.is_empty() {
                let message =
                    format!("error preparing {word} side of join: cannot join on an empty table");
                return Err(FluxError::whole(FluxErrorCode::Invalid, message));
            }
            if table.column(&label).is_none() {
                let message =
                    format!("error preparing {word} side of join: table is missing label {label}");
                return Err(FluxError::new(message));
            }
        }
        let labels = self.pairs.labels(at);
        if table.rows > 0
            && let Some(missing) = labels.iter().find(|label| table.column(label).is_none())
        {
            return Err(FluxError::new(format!(
                "cannot set join columns in {word} table stream: table is missing column \
                 '{missing}'"
            )));
        }
        let columns: Vec<&Column> = labels.iter().filter_map(|label| table.column(label)).collect();
        let keyed = |row| columns.iter().map(|column| column.value(row)).collect();
        let mut rows: Vec<(Vec<Value>, usize)> =
            (0..table.rows).map(|row| (keyed(row), row)).collect();
        rows.sort_by(|one, other| order(&one.0, &other.0));
        Ok(Side { table: Arc::new(table), rows })
    }

    fn meet(&self, key: &GroupKey, left: &Side, right: &Side) -> Result<Option<Table>, FluxError> {
        if let (Some((one, _)), Some((two, _))) = (left.rows.first(), right.rows.first())
            && let Some((one, two)) =
                one.iter().zip(two).find(|(one, two)| one.type_word() != two.type_word())
        {
            let (one, two) = (one.type_word(), two.type_word());
            let message = format!("panic: unexpected kind: got \"{one}\" expected \"{two}\"");
            return Err(FluxError::internal(message));
        }
        let keeps = |methods: [Method; 2]| methods.contains(&self.method);
        let blanks = [left, right].map(|side| Row { table: blank(&side.table, key), index: 0 });
        let [blank_left, blank_right] = blanks;
        let mut growing = Growing::default();
        let (mut at, mut other) = (0, 0);
        let mut made = false;
        while at < left.rows.len() || other < right.rows.len() {
            let ordering = match (left.rows.get(at), right.rows.get(other)) {
                (Some(one), Some(two)) => order(&one.0, &two.0),
                (Some(_), None) => Ordering::Less,
                _ => Ordering::Greater,
            };
            let (lefts, rights) = match ordering {
                // Nulls agree with nothing.
                Ordering::Equal if left.rows[at].0.iter().any(Value::is_null) => {
                    (0, run_length(&right.rows[other..]))
                }
                Ordering::Equal => (run_length(&left.rows[at..]), run_length(&right.rows[other..])),
                Ordering::Less => (run_length(&left.rows[at..]), 0),
                Ordering::Greater => (0, run_length(&right.rows[other..])),
            };
            self.execution.check_room((lefts as u64).saturating_mul(rights as u64))?;
            let of = |side: &Side, from: usize, count: usize| -> Vec<Row> {
                let rows = side.rows[from..from + count].iter();
                rows.map(|(_, row)| Row { table: Arc::clone(&side.table), index: *row }).collect()
            };
            let (mut ones, mut twos) = (of(left, at, lefts), of(right, other, rights));
            at += lefts;
            other += rights;
            if ones.is_empty() && keeps([Method::Right, Method::Full]) {
                ones.push(blank_left.clone());
            }
            if twos.is_empty() && keeps([Method::Left, Method::Full]) {
                twos.push(blank_right.clone());
            }
            for one in &ones {
                for two in &twos {
                    growing.push(&self.make(key, one, two)?)?;
                    made = true;
                }
            }
        }
        Ok(made.then(|| Table { key: key.clone(), ..growing.finish() }))
    }

    /// Makes one row of two.
    fn make(&self, key: &GroupKey, left: &Row, right: &Row) -> Result<Record, FluxError> {
        let rows = [left, right].map(|row| Value::Row(row.clone()));
        let arguments = self.names.into_iter().map(Arc::from).zip(rows).collect();
        let record = match self.make.call(arguments)? {
            Value::Record(record) => record,
            Value::Row(row) => Arc::new(Record::from(&row)),
            other => {
                let found = other.type_word();
                return Err(FluxError::new(format!("expected record but found {found}")));
            }
        };
        let kept = |(label, value): &&(Arc<str>, Value)| {
            record.get(label).is_some_and(|own| own.order(value) == Ordering::Equal)
        };
        if let Some((label, value)) = key.entries().iter().find(|entry| !kept(entry)) {
            return Err(FluxError::new((self.modified_key)(label, value.type_word())));
        }
        let mut entries = record.entries().to_vec();
        entries.sort_by(|one, other| one.0.cmp(&other.0));
        Ok(entries.into_iter().collect())
    }
}

/// The tables of two streams that have a group key.
pub(super) type Meeting = (GroupKey, [Option<Table>; 2]);

/// The tables of two streams by their group keys, in order.
#[expect(clippy::mutable_key_type, reason = "a group key holds scalars, which do not change")]
pub(super) fn by_key(sides: [Vec<Table>; 2]) -> Result<Vec<Meeting>, FluxError> {
    let mut meetings: BTreeMap<GroupKey, [Option<Table>; 2]> = BTreeMap::new();
    for (at, tables) in sides.into_iter().enumerate() {
        for table in merge(tables)? {
            let key = table.key.clone();
            meetings.entry(key).or_default()[at] = Some(table);
        }
    }
    Ok(meetings.into_iter().collect())
}

/// The columns of some tables, each once.
fn columns_of(tables: &[Table]) -> Vec<Column> {
    let mut columns: Vec<Column> = Vec::new();
    for column in tables.iter().filter(|table| table.rows > 0).flat_map(|table| &table.columns) {
        if !columns.iter().any(|own| own.label == column.label) {
            columns.push(Column::new(&column.label, null_of(column)));
        }
    }
    columns
}

fn null_of(column: &Column) -> Data {
    let kind = column.kind();
    Data::Repeat { value: Value::Null(Some(kind)), kind }
}

/// A table of one row that holds the group key and else nulls.
fn blank(table: &Table, key: &GroupKey) -> Arc<Table> {
    let columns = table.columns.iter().map(|column| {
        let data = match key.get(&column.label) {
            Some(value) => Data::Repeat { value: value.clone(), kind: column.kind() },
            None => null_of(column),
        };
        Column::new(&column.label, data)
    });
    Arc::new(Table::new(key.clone(), columns.collect(), 1))
}

/// How many rows from the first on agree with it.
fn run_length(rows: &[(Vec<Value>, usize)]) -> usize {
    let Some((first, _)) = rows.first() else { return 0 };
    rows.iter().take_while(|(key, _)| order(first, key) == Ordering::Equal).count()
}

/// The order of what rows are joined on; nulls come last.
fn order(left: &[Value], right: &[Value]) -> Ordering {
    let orders = left
        .iter()
        .zip(right)
        .map(|(left, right)| left.is_null().cmp(&right.is_null()).then_with(|| left.order(right)));
    orders.fold(Ordering::Equal, Ordering::then)
}
