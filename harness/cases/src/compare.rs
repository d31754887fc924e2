//! When two answers are the same.
//!
//! [`by_rule`] is the rule of the Flux project's own cases: what a test's author wrote down against
//! what a server gives. [`as_served`] holds two servers against each other, and asks for more:
//! types, group keys, the order of rows, and of tables where that is defined.
//! [`answers`] adds the status, code and message of refusals.

use std::collections::BTreeMap;
use std::fmt;

use serde_json::Value;

use crate::csv::{ResultSet, Table, read};
use crate::exchange::{Answer, without_chance};

/// The largest difference of two floats that are the same.
const ABSOLUTE: f64 = 1e-6;

/// The largest difference in proportion, for floats whose last digits depend on the order of
/// additions.
const RELATIVE: f64 = 1e-9;

/// One difference between two answers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Difference {
    /// What kind of difference it is.
    pub class: Class,
    /// Where it is and what stands there.
    pub place: String,
}

impl fmt::Display for Difference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.class.word(), self.place)
    }
}

/// The kinds of difference, the gravest last.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Class {
    /// Both refuse, in other words.
    Wording,
    /// The same tables in another order.
    TableOrder,
    /// The same rows in another order.
    RowOrder,
    /// Another set of columns.
    Columns,
    /// A column of another type.
    Types,
    /// A cell that differs.
    Cells,
    /// A table with more or fewer rows.
    Rows,
    /// A table that only one of both has.
    Tables,
    /// One ends with an error.
    Error,
    /// Another status or error code.
    Status,
    /// An answer that cannot be read.
    Unreadable,
}

impl Class {
    /// Its name in a report.
    pub fn word(self) -> &'static str {
        match self {
            Self::Wording => "wording",
            Self::TableOrder => "order of tables",
            Self::RowOrder => "order of rows",
            Self::Columns => "columns",
            Self::Types => "types",
            Self::Cells => "cells",
            Self::Rows => "number of rows",
            Self::Tables => "tables",
            Self::Error => "error after rows",
            Self::Status => "status",
            Self::Unreadable => "unreadable",
        }
    }
}

/// Whether the order of tables counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TableOrder {
    /// It does.
    Counts,
    /// The server defines none.
    Free,
}

fn differs<T>(class: Class, place: impl Into<String>) -> Result<T, Difference> {
    Err(Difference { class, place: place.into() })
}

/// Holds two answers of servers against each other.
pub fn answers(found: &Answer, wanted: &Answer, order: TableOrder) -> Result<(), Difference> {
    if found == wanted {
        return Ok(());
    }
    if found.status != wanted.status {
        return differs(Class::Status, format!("{} against {}", shown(found), shown(wanted)));
    }
    if let (Some(one), Some(other)) = (found.refusal(), wanted.refusal()) {
        if one.code != other.code {
            return differs(Class::Status, format!("{} against {}", shown(found), shown(wanted)));
        }
        if without_chance(&one.message) != without_chance(&other.message) {
            return differs(Class::Wording, format!("`{}` is `{}`", one.message, other.message));
        }
        return Ok(());
    }
    let is_json = |answer: &Answer| answer.body.starts_with('{');
    if is_json(found) || is_json(wanted) {
        return json(&found.body, &wanted.body);
    }
    as_served(&readable(&found.body)?, &readable(&wanted.body)?, order)
}

fn shown(answer: &Answer) -> String {
    let text = answer.refusal().map_or_else(String::new, |it| format!(" `{}`", it.message));
    format!("{}{text}", answer.status)
}

/// Reads annotated CSV, or says what keeps it from being read.
pub fn readable(body: &str) -> Result<ResultSet, Difference> {
    read(body).or_else(|error| differs(Class::Unreadable, error.to_string()))
}

/// Holds two servers' tables against each other.
pub fn as_served(
    found: &ResultSet,
    wanted: &ResultSet,
    order: TableOrder,
) -> Result<(), Difference> {
    match (&found.error, &wanted.error) {
        (None, None) => {}
        (Some(one), Some(other)) if without_chance(one) == without_chance(other) => {}
        (Some(one), Some(other)) => {
            return differs(Class::Wording, format!("`{one}` is `{other}`"));
        }
        (one, other) => return differs(Class::Error, format!("{one:?} against {other:?}")),
    }
    let (ours, theirs) = (by_key(found), by_key(wanted));
    for (key, tables) in &theirs {
        let same = ours.get(key).map_or(0, Vec::len);
        if same != tables.len() {
            return differs(Class::Tables, format!("{same} tables {key}, not {}", tables.len()));
        }
    }
    if let Some(key) = ours.keys().find(|key| !theirs.contains_key(*key)) {
        return differs(Class::Tables, format!("a table {key} too many"));
    }
    let pairs = || ours.values().flatten().zip(theirs.values().flatten());
    // The gravest difference of any table is told, so that the order of rows hides no wrong cell.
    let worst = pairs()
        .filter_map(|(one, other)| same_table(one, other).err())
        .max_by_key(|difference| difference.class);
    if let Some(difference) = worst {
        return Err(difference);
    }
    if order == TableOrder::Counts { same_order(found, wanted) } else { Ok(()) }
}

type ByKey<'a> = BTreeMap<String, Vec<&'a Table>>;

fn by_key(set: &ResultSet) -> ByKey<'_> {
    let mut tables = ByKey::new();
    for table in &set.tables {
        tables.entry(name(table)).or_default().push(table);
    }
    tables
}

/// A table's result and group key, in one text that does not depend on the order of columns.
fn name(table: &Table) -> String {
    let mut key = table.key.clone();
    key.sort();
    let key: Vec<String> =
        key.into_iter().map(|(label, value)| format!("{label}={value}")).collect();
    format!("{}{{{}}}", table.result, key.join(","))
}

fn same_table(found: &Table, wanted: &Table) -> Result<(), Difference> {
    let table = name(wanted);
    let labels = |table: &Table| -> Vec<String> {
        table.columns.iter().map(|column| column.label.clone()).collect()
    };
    let (ours, theirs) = (labels(found), labels(wanted));
    let (mut sorted, mut sorted_theirs) = (ours.clone(), theirs.clone());
    sorted.sort();
    sorted_theirs.sort();
    if sorted != sorted_theirs {
        return differs(Class::Columns, format!("{table}: {ours:?}, not {theirs:?}"));
    }
    let places: Vec<usize> = wanted
        .columns
        .iter()
        .filter_map(|column| found.columns.iter().position(|it| it.label == column.label))
        .collect();
    for (at, column) in places.iter().zip(&wanted.columns) {
        let other = &found.columns[*at].datatype;
        if *other != column.datatype {
            let (label, datatype) = (&column.label, &column.datatype);
            return differs(Class::Types, format!("{table} `{label}`: {other}, not {datatype}"));
        }
    }
    same_rows(found, wanted, &places)
}

fn same_rows(found: &Table, wanted: &Table, places: &[usize]) -> Result<(), Difference> {
    let table = name(wanted);
    if found.rows.len() != wanted.rows.len() {
        let (ours, theirs) = (found.rows.len(), wanted.rows.len());
        return differs(Class::Rows, format!("{table}: {ours}, not {theirs}"));
    }
    let same = |one: &[Option<String>], other: &[Option<String>]| {
        let cells = places.iter().zip(&wanted.columns).zip(other);
        let mut cells = cells.map(|((at, column), cell)| (&one[*at], cell, &column.datatype));
        cells.all(|(one, other, datatype)| same_served(one.as_deref(), other.as_deref(), datatype))
    };
    let unlike = found.rows.iter().zip(&wanted.rows).position(|(one, other)| !same(one, other));
    let Some(at) = unlike else { return Ok(()) };
    let mut left: Vec<&Vec<Option<String>>> = found.rows.iter().collect();
    let all_there = wanted.rows.iter().all(|row| {
        let partner = left.iter().position(|one| same(one, row));
        partner.map(|partner| left.swap_remove(partner)).is_some()
    });
    let cells: Vec<Option<&str>> =
        places.iter().map(|place| found.rows[at][*place].as_deref()).collect();
    let wanted: Vec<Option<&str>> = wanted.rows[at].iter().map(Option::as_deref).collect();
    let class = if all_there { Class::RowOrder } else { Class::Cells };
    differs(class, format!("{table} row {at}: {}, not {}", shown_row(&cells), shown_row(&wanted)))
}

fn shown_row(cells: &[Option<&str>]) -> String {
    let cells: Vec<&str> = cells.iter().map(|cell| cell.unwrap_or("-")).collect();
    cells.join("|")
}

/// Cells of two servers: floats may differ in their last digits, and a zero keeps its sign.
fn same_served(one: Option<&str>, other: Option<&str>, datatype: &str) -> bool {
    match (one, other) {
        (Some(one), Some(other)) if one != other && datatype == "double" => {
            match (one.parse::<f64>(), other.parse::<f64>()) {
                (Ok(one), Ok(other)) => near(one, other),
                _ => false,
            }
        }
        _ => one == other,
    }
}

/// Whether two floats differ in no more than what the order of additions explains. Two zeros that
/// came here as different texts have different signs.
fn near(one: f64, other: f64) -> bool {
    if one == 0.0 && other == 0.0 {
        return false;
    }
    let distance = (one - other).abs();
    distance <= 1e-12 || distance <= RELATIVE * one.abs().max(other.abs())
}

fn same_order(found: &ResultSet, wanted: &ResultSet) -> Result<(), Difference> {
    let by_result = |set: &ResultSet| {
        let mut results: BTreeMap<String, Vec<String>> = BTreeMap::new();
        for table in &set.tables {
            results.entry(table.result.clone()).or_default().push(name(table));
        }
        results
    };
    let (ours, theirs) = (by_result(found), by_result(wanted));
    for (result, tables) in &theirs {
        if ours.get(result) != Some(tables) {
            return differs(
                Class::TableOrder,
                format!("{:?}, not {tables:?}", ours.get(result).map_or(&[][..], Vec::as_slice)),
            );
        }
    }
    Ok(())
}

/// Holds an answer against a written expectation, by the rule of the Flux project's cases: tables
/// are matched by group key, the order of rows counts, the order of columns does not, a missing
/// column equals one that is null throughout, and an empty table an absent one.
pub fn by_rule(found: &ResultSet, wanted: &ResultSet) -> Result<(), Difference> {
    if let Some(error) = &found.error {
        return differs(Class::Error, error.clone());
    }
    let (ours, theirs) = (merged(found), merged(wanted));
    for (key, rows) in &theirs {
        let Some(found) = ours.get(key) else {
            let has: Vec<_> = ours.keys().take(3).collect();
            return differs(Class::Tables, format!("no table {key:?}; there are {has:?}"));
        };
        if found.len() != rows.len() {
            let counts = format!("{} rows, not {}", found.len(), rows.len());
            return differs(Class::Rows, format!("{key:?}: {counts}"));
        }
        for (at, (one, other)) in found.iter().zip(rows).enumerate() {
            let labels_agree = one.keys().eq(other.keys());
            let cells_agree = || one.values().zip(other.values()).all(|(a, b)| same_cell(a, b));
            if !labels_agree || !cells_agree() {
                return differs(Class::Cells, format!("{key:?} row {at}: {one:?}, not {other:?}"));
            }
        }
    }
    match ours.keys().find(|key| !theirs.contains_key(*key)) {
        Some(key) => differs(Class::Tables, format!("a table {key:?} too many")),
        None => Ok(()),
    }
}

/// A cell that is not null: its type and text.
type Cell = (String, String);

type Row = BTreeMap<String, Cell>;

/// The rows by group key, whatever the name of their result.
fn merged(set: &ResultSet) -> BTreeMap<Vec<(String, String)>, Vec<Row>> {
    let mut tables: BTreeMap<_, Vec<Row>> = BTreeMap::new();
    for table in set.tables.iter().filter(|table| !table.rows.is_empty()) {
        let datatype = |label: &str| {
            let column = table.columns.iter().find(|column| column.label == label);
            column.map_or("", |column| column.datatype.as_str())
        };
        let mut key: Vec<(String, String)> = table
            .key
            .iter()
            .map(|(label, text)| (label.clone(), normal(datatype(label), text)))
            .collect();
        key.sort();
        let rows = table.rows.iter().map(|row| {
            let cells = table.columns.iter().zip(row);
            let cells = cells.filter_map(|(column, cell)| {
                let text = normal(&column.datatype, cell.as_deref()?);
                Some((column.label.clone(), (column.datatype.clone(), text)))
            });
            cells.collect()
        });
        tables.entry(key).or_default().extend(rows);
    }
    tables
}

/// Times are compared as instants: their zeros after the point say nothing.
fn normal(datatype: &str, text: &str) -> String {
    if !datatype.starts_with("dateTime") {
        return text.to_owned();
    }
    let time: Result<jiff::Timestamp, _> = text.parse();
    time.map_or_else(|_| text.to_owned(), |time| time.as_nanosecond().to_string())
}

fn same_cell(one: &Cell, other: &Cell) -> bool {
    let time = |(datatype, _): &Cell| datatype.starts_with("dateTime");
    if one == other || time(one) && time(other) && one.1 == other.1 {
        return true;
    }
    if one.0 != "double" || other.0 != "double" {
        return false;
    }
    match (one.1.parse::<f64>(), other.1.parse::<f64>()) {
        (Ok(one), Ok(other)) => (one - other).abs() <= ABSOLUTE || one.is_nan() && other.is_nan(),
        _ => false,
    }
}

/// Holds two answers in JSON against each other: keys and elements in their order, floats within
/// what the order of additions explains.
fn json(found: &str, wanted: &str) -> Result<(), Difference> {
    let parsed = |text: &str| -> Result<Vec<Value>, Difference> {
        let values = serde_json::Deserializer::from_str(text).into_iter::<Value>();
        let values: Result<Vec<Value>, _> = values.collect();
        values.or_else(|error| differs(Class::Unreadable, error.to_string()))
    };
    let (ours, theirs) = (parsed(found)?, parsed(wanted)?);
    if let Some(place) = unlike(&Value::from(ours), &Value::from(theirs), "") {
        let error = place.contains("/error");
        return differs(if error { Class::Wording } else { Class::Cells }, place);
    }
    Ok(())
}

/// Where two values differ first.
fn unlike(one: &Value, other: &Value, place: &str) -> Option<String> {
    match (one, other) {
        (Value::Array(ours), Value::Array(theirs)) if ours.len() == theirs.len() => {
            let pairs = ours.iter().zip(theirs).enumerate();
            pairs.into_iter().find_map(|(at, (a, b))| unlike(a, b, &format!("{place}/{at}")))
        }
        (Value::Object(ours), Value::Object(theirs)) if ours.keys().eq(theirs.keys()) => ours
            .iter()
            .zip(theirs.values())
            .find_map(|((key, a), b)| unlike(a, b, &format!("{place}/{key}"))),
        (Value::Number(a), Value::Number(b)) => {
            let same = a == b
                || (a.is_f64() || b.is_f64())
                    && a.as_f64()
                        .zip(b.as_f64())
                        .is_some_and(|(a, b)| a.total_cmp(&b).is_eq() || near(a, b));
            (!same).then(|| format!("{place}: {a}, not {b}"))
        }
        _ if one == other => None,
        _ => Some(format!("{place}: {one}, not {other}")),
    }
}

#[cfg(test)]
#[path = "compare/tests.rs"]
mod tests;
