//! Values of the language: scalars, collections, functions and streams of tables.

use std::cmp::Ordering;
use std::fmt;
use std::sync::Arc;

use regex::Regex;

use super::duration::Duration;
use super::error::FluxError;
use super::interpreter::Function;
use super::stream::Stream;
use super::table::Table;
use super::time::format_fixed_rfc3339;

/// A value. Cloning is cheap.
#[derive(Clone, Debug)]
pub(crate) enum Value {
    /// Nothing; of a known type when it comes from a column.
    Null(Option<ColumnType>),
    Bool(bool),
    Int(i64),
    UInt(u64),
    Float(f64),
    String(Arc<str>),
    Time(i64),
    Duration(Duration),
    Regex(Arc<Regex>),
    Bytes(Arc<[u8]>),
    Array(Arc<Vec<Value>>),
    /// Pairs in order of their keys.
    Dict(Arc<Vec<(Value, Value)>>),
    Record(Arc<Record>),
    /// A row of a table, read in place.
    Row(Row),
    Function(Arc<Function>),
    Stream(Stream),
}

/// The type of a column.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum ColumnType {
    Bool,
    Int,
    UInt,
    Float,
    String,
    Time,
}

impl ColumnType {
    /// The store's word for it.
    pub(crate) fn storage_word(self) -> &'static str {
        match self {
            Self::Bool => "boolean",
            Self::Int => "integer",
            Self::UInt => "unsigned",
            other => other.word(),
        }
    }

    /// Flux's word for it.
    pub(crate) fn word(self) -> &'static str {
        match self {
            Self::Bool => "bool",
            Self::Int => "int",
            Self::UInt => "uint",
            Self::Float => "float",
            Self::String => "string",
            Self::Time => "time",
        }
    }
}

/// A row of a table.
#[derive(Clone, Debug)]
pub(crate) struct Row {
    pub(crate) table: Arc<Table>,
    pub(crate) index: usize,
}

impl Row {
    /// The value in a column; null when there is no such column.
    pub(crate) fn get(&self, label: &str) -> Value {
        let column = self.table.column(label);
        column.map_or(Value::Null(None), |column| column.value(self.index))
    }
}

/// Named values in the order in which they were given.
#[derive(Clone, Debug, Default)]
pub(crate) struct Record {
    entries: Vec<(Arc<str>, Value)>,
}

impl Record {
    pub(crate) fn get(&self, key: &str) -> Option<&Value> {
        self.entries.iter().find(|(own, _)| **own == *key).map(|(_, value)| value)
    }

    /// Sets a value, in place of one under the same key.
    pub(crate) fn set(&mut self, key: Arc<str>, value: Value) {
        match self.entries.iter_mut().find(|(own, _)| *own == key) {
            Some((_, old)) => *old = value,
            None => self.entries.push((key, value)),
        }
    }

    pub(crate) fn entries(&self) -> &[(Arc<str>, Value)] {
        &self.entries
    }

    /// A record of entries whose keys are known to differ.
    pub(crate) fn of_different(entries: Vec<(Arc<str>, Value)>) -> Self {
        Self { entries }
    }
}

impl FromIterator<(Arc<str>, Value)> for Record {
    fn from_iter<I: IntoIterator<Item = (Arc<str>, Value)>>(entries: I) -> Self {
        let mut record = Self::default();
        for (key, value) in entries {
            record.set(key, value);
        }
        record
    }
}

impl From<&Row> for Record {
    fn from(row: &Row) -> Self {
        let columns = row.table.columns.iter();
        let entries = columns.map(|column| (Arc::clone(&column.label), column.value(row.index)));
        Self::of_different(entries.collect())
    }
}

impl Value {
    pub(crate) fn string(text: &str) -> Self {
        Self::String(Arc::from(text))
    }

    pub(crate) fn is_null(&self) -> bool {
        matches!(self, Self::Null(_))
    }

    /// Takes from `room` for each scalar in the value, until there is none left. Parts that the
    /// value shares with itself count each time, as they do for whoever walks over it.
    pub(crate) fn weigh(&self, room: &mut u64) {
        let scalar = |value: &Self| {
            !matches!(value, Self::Array(_) | Self::Dict(_) | Self::Record(_) | Self::Row(_))
        };
        match self {
            // All elements of an array are of one type.
            Self::Array(values) if values.first().is_none_or(scalar) => {
                *room = room.saturating_sub(values.len() as u64);
            }
            Self::Array(values) => {
                for value in values.iter() {
                    if *room > 0 {
                        value.weigh(room);
                    }
                }
            }
            Self::Dict(pairs) => {
                for (key, value) in pairs.iter() {
                    if *room > 0 {
                        key.weigh(room);
                        value.weigh(room);
                    }
                }
            }
            Self::Record(record) => {
                for (_, value) in record.entries() {
                    if *room > 0 {
                        value.weigh(room);
                    }
                }
            }
            _ => *room = room.saturating_sub(1),
        }
    }

    /// Flux's word for the type.
    pub(crate) fn type_word(&self) -> &'static str {
        match self {
            Self::Null(None) => "null",
            Self::Null(Some(column)) => column.word(),
            Self::Bool(_) => "bool",
            Self::Int(_) => "int",
            Self::UInt(_) => "uint",
            Self::Float(_) => "float",
            Self::String(_) => "string",
            Self::Time(_) => "time",
            Self::Duration(_) => "duration",
            Self::Regex(_) => "regexp",
            Self::Bytes(_) => "bytes",
            Self::Array(_) => "array",
            Self::Dict(_) => "dictionary",
            Self::Record(_) | Self::Row(_) => "record",
            Self::Function(_) => "function",
            Self::Stream(_) => "stream",
        }
    }

    /// What the server's functions say of a value that they do not take: its type, in the words of
    /// values rather than of expressions, and the value.
    pub(crate) fn type_and_value(&self) -> String {
        match self {
            Self::Null(None) => "type invalid value {}".to_owned(),
            Self::Null(Some(kind)) => format!("type {} value <nil>", kind.word()),
            other => format!("type {} value {other}", other.type_word()),
        }
    }

    /// The type of the column that could hold this value.
    pub(crate) fn column_type(&self) -> Option<ColumnType> {
        match self {
            Self::Null(column) => *column,
            Self::Bool(_) => Some(ColumnType::Bool),
            Self::Int(_) => Some(ColumnType::Int),
            Self::UInt(_) => Some(ColumnType::UInt),
            Self::Float(_) => Some(ColumnType::Float),
            Self::String(_) => Some(ColumnType::String),
            Self::Time(_) => Some(ColumnType::Time),
            _ => None,
        }
    }

    /// The total order of scalars that sorting and group keys use: null first, then by type, NaN
    /// after all other floats.
    pub(crate) fn order(&self, other: &Self) -> Ordering {
        match (self, other) {
            (Self::Null(_), Self::Null(_)) => Ordering::Equal,
            (Self::Bool(left), Self::Bool(right)) => left.cmp(right),
            (Self::Int(left), Self::Int(right)) | (Self::Time(left), Self::Time(right)) => {
                left.cmp(right)
            }
            (Self::UInt(left), Self::UInt(right)) => left.cmp(right),
            (Self::Float(left), Self::Float(right)) => order_floats(*left, *right),
            (Self::String(left), Self::String(right)) if Arc::ptr_eq(left, right) => {
                Ordering::Equal
            }
            (Self::String(left), Self::String(right)) => left.cmp(right),
            (Self::Duration(left), Self::Duration(right)) => left.cmp(right),
            _ => self.rank().cmp(&other.rank()),
        }
    }

    /// Whether two scalars are of one type and equal to the bit.
    pub(crate) fn same_scalar(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Null(own), Self::Null(other)) => own == other,
            (Self::Float(own), Self::Float(other)) => own.to_bits() == other.to_bits(),
            _ => self.rank() == other.rank() && self.rank() < 8 && self.order(other).is_eq(),
        }
    }

    fn rank(&self) -> u8 {
        match self {
            Self::Null(_) => 0,
            Self::Bool(_) => 1,
            Self::Int(_) => 2,
            Self::UInt(_) => 3,
            Self::Float(_) => 4,
            Self::String(_) => 5,
            Self::Time(_) => 6,
            Self::Duration(_) => 7,
            _ => 8,
        }
    }

    /// A value of a record or of a row. A label that neither has is null: where the script alone
    /// says what a record holds, types have shown the mistake before.
    pub(crate) fn member(&self, name: &str) -> Result<Self, FluxError> {
        match self {
            Self::Record(record) => Ok(record.get(name).cloned().unwrap_or(Self::Null(None))),
            Self::Row(row) => Ok(row.get(name)),
            Self::Null(_) => Ok(Self::Null(None)),
            other => {
                let found = other.type_word();
                Err(FluxError::new(format!("cannot access property \"{name}\" of type {found}")))
            }
        }
    }
}

/// The order of floats with NaN behind everything and both zeros alike.
pub(crate) fn order_floats(left: f64, right: f64) -> Ordering {
    left.partial_cmp(&right).unwrap_or_else(|| left.is_nan().cmp(&right.is_nan()))
}

/// A float as CSV and `string()` show it: the shortest digits that read back, no exponent.
pub(crate) fn append_float(text: &mut Vec<u8>, value: f64) {
    use std::io::Write;
    if value.is_infinite() {
        text.extend_from_slice(if value > 0.0 { b"+Inf" } else { b"-Inf" });
    } else {
        write!(text, "{value}").expect("writing to memory does not fail");
    }
}

impl fmt::Display for Value {
    /// The text of a scalar, as `string()` gives it; collections as `display()` does.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Null(_) => f.write_str("<null>"),
            Self::Bool(value) => write!(f, "{value}"),
            Self::Int(value) => write!(f, "{value}"),
            Self::UInt(value) => write!(f, "{value}"),
            Self::Float(value) => {
                let mut text = Vec::new();
                append_float(&mut text, *value);
                f.write_str(&String::from_utf8_lossy(&text))
            }
            Self::String(value) => f.write_str(value),
            Self::Time(value) => f.write_str(&format_fixed_rfc3339(*value)),
            Self::Duration(value) => write!(f, "{value}"),
            Self::Regex(value) => write!(f, "{value}"),
            Self::Bytes(bytes) => {
                f.write_str("0x")?;
                bytes.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
            }
            Self::Array(values) => {
                f.write_str("[")?;
                separated(f, values.iter(), |f, value| write!(f, "{value}"))?;
                f.write_str("]")
            }
            Self::Dict(pairs) => {
                f.write_str("[")?;
                if pairs.is_empty() {
                    f.write_str(":")?;
                }
                separated(f, pairs.iter(), |f, (key, value)| write!(f, "{key}: {value}"))?;
                f.write_str("]")
            }
            Self::Record(record) => write_record(f, record),
            Self::Row(row) => write_record(f, &Record::from(row)),
            Self::Function(_) | Self::Stream(_) => write!(f, "<{}>", self.type_word()),
        }
    }
}

fn write_record(f: &mut fmt::Formatter<'_>, record: &Record) -> fmt::Result {
    let mut entries: Vec<_> = record.entries().iter().collect();
    entries.sort_by(|left, right| left.0.cmp(&right.0));
    f.write_str("{")?;
    separated(f, entries.into_iter(), |f, (key, value)| write!(f, "{key}: {value}"))?;
    f.write_str("}")
}

fn separated<T>(
    f: &mut fmt::Formatter<'_>,
    items: impl Iterator<Item = T>,
    write: impl Fn(&mut fmt::Formatter<'_>, T) -> fmt::Result,
) -> fmt::Result {
    for (index, item) in items.enumerate() {
        if index > 0 {
            f.write_str(", ")?;
        }
        write(f, item)?;
    }
    Ok(())
}
