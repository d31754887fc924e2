//! The tables of a Flux answer: typed columns, and rows that are read where they lie.
//!
//! The main type is [`FluxChunk`], a run of rows under one [`FluxSchema`]. Rows are not copied out
//! of it: a [`FluxRow`] looks at the chunk's text, and a cell is parsed when it is asked for. So a
//! reader that wants two columns of ten pays for two. The decoder is in [`super::csv`].

use std::fmt;
use std::sync::Arc;

use cutover_model::FieldValue;

use crate::error::ClientError;
use crate::instant::parse_rfc3339;

/// The type of a column.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FluxType {
    /// `string`
    Text,
    /// `double`
    Float,
    /// `long`
    Integer,
    /// `unsignedLong`
    Unsigned,
    /// `boolean`
    Boolean,
    /// `dateTime:RFC3339`, with any number of digits
    Time,
    /// `duration`
    Duration,
    /// `base64Binary`
    Binary,
}

impl FluxType {
    /// The type of that name in a `#datatype` row.
    pub fn of_datatype(name: &str) -> Option<Self> {
        Some(match name {
            "string" => Self::Text,
            "double" => Self::Float,
            "long" => Self::Integer,
            "unsignedLong" => Self::Unsigned,
            "boolean" => Self::Boolean,
            "dateTime" | "dateTime:RFC3339" | "dateTime:RFC3339Nano" => Self::Time,
            "duration" => Self::Duration,
            "base64Binary" => Self::Binary,
            _ => return None,
        })
    }
}

/// A column of an answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FluxColumn {
    /// Its label.
    pub name: String,
    /// Its type.
    pub kind: FluxType,
    /// Whether it is part of the group key.
    pub group: bool,
    /// What an empty cell stands for, itself empty where that is null.
    pub default: String,
}

/// The columns of a run of rows, without the annotation column.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FluxSchema {
    /// In the order of the answer; `result` and `table` come first.
    pub columns: Vec<FluxColumn>,
}

impl FluxSchema {
    /// The position of the first column of that name.
    pub fn position(&self, name: &str) -> Option<usize> {
        self.columns.iter().position(|column| column.name == name)
    }
}

/// A run of rows with the same columns.
#[derive(Clone)]
pub struct FluxChunk {
    schema: Arc<FluxSchema>,
    text: Vec<u8>,
    /// Where each cell ends in `text`, row by row; it begins where the one before it ends.
    ends: Vec<u32>,
}

impl FluxChunk {
    pub(super) fn new(schema: Arc<FluxSchema>, text: Vec<u8>, ends: Vec<u32>) -> Self {
        Self { schema, text, ends }
    }

    /// The columns. Chunks of one block share them.
    pub fn schema(&self) -> &Arc<FluxSchema> {
        &self.schema
    }

    /// How many rows there are.
    pub fn len(&self) -> usize {
        self.ends.len() / self.width()
    }

    /// Whether there is no row.
    pub fn is_empty(&self) -> bool {
        self.ends.is_empty()
    }

    /// The rows in order.
    pub fn rows(&self) -> impl ExactSizeIterator<Item = FluxRow<'_>> {
        (0..self.len()).map(|index| FluxRow { chunk: self, first: index * self.width() })
    }

    /// How many cells a row has: the annotation column is the first.
    fn width(&self) -> usize {
        self.schema.columns.len() + 1
    }
}

impl fmt::Debug for FluxChunk {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.rows()).finish()
    }
}

/// A row of a chunk.
#[derive(Clone, Copy)]
pub struct FluxRow<'a> {
    chunk: &'a FluxChunk,
    first: usize,
}

/// The value of a cell.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum FluxValue<'a> {
    /// No value.
    Null,
    /// An empty string or null: this format writes both alike. Whoever has to know asks again with
    /// a query that tells them apart.
    EmptyOrNull,
    /// A string that is not empty.
    Text(&'a str),
    /// A float.
    Float(f64),
    /// A signed integer.
    Integer(i64),
    /// An unsigned integer.
    Unsigned(u64),
    /// A boolean.
    Boolean(bool),
    /// An instant, in nanoseconds since the epoch.
    Time(i64),
    /// A duration as Flux writes it.
    Duration(&'a str),
    /// Bytes as base64.
    Binary(&'a str),
}

impl FluxValue<'_> {
    /// As the value of a field, where it is one: not null, not perhaps null, no time or duration.
    pub fn to_field(self) -> Option<FieldValue> {
        Some(match self {
            Self::Text(value) => FieldValue::Text(value.to_owned()),
            Self::Float(value) => FieldValue::Float(value),
            Self::Integer(value) => FieldValue::Integer(value),
            Self::Unsigned(value) => FieldValue::Unsigned(value),
            Self::Boolean(value) => FieldValue::Boolean(value),
            Self::Null
            | Self::EmptyOrNull
            | Self::Time(_)
            | Self::Duration(_)
            | Self::Binary(_) => return None,
        })
    }
}

impl<'a> FluxRow<'a> {
    /// The columns.
    pub fn schema(&self) -> &'a Arc<FluxSchema> {
        &self.chunk.schema
    }

    /// The text of the cell in column `position`, its default where it is empty.
    ///
    /// A position that the schema does not have is a bug of the caller and panics.
    pub fn text(&self, position: usize) -> Result<&'a str, ClientError> {
        let column = &self.chunk.schema.columns[position];
        let cell = self.cell(position);
        if cell.is_empty() {
            return Ok(&column.default);
        }
        std::str::from_utf8(cell).map_err(|_| {
            malformed(format!("a value of column `{}` is not valid UTF-8", column.name))
        })
    }

    /// The value of the cell in column `position`.
    ///
    /// A position that the schema does not have is a bug of the caller and panics.
    pub fn value(&self, position: usize) -> Result<FluxValue<'a>, ClientError> {
        let kind = self.chunk.schema.columns[position].kind;
        let text = self.text(position)?;
        if text.is_empty() {
            let text_like = matches!(kind, FluxType::Text);
            return Ok(if text_like { FluxValue::EmptyOrNull } else { FluxValue::Null });
        }
        parse_cell(kind, text).ok_or_else(|| {
            let name = &self.chunk.schema.columns[position].name;
            let text: String = text.chars().take(64).collect();
            malformed(format!("`{text}` in column `{name}` is no {kind:?}"))
        })
    }

    fn cell(&self, position: usize) -> &'a [u8] {
        // The annotation column's cell ends where the first column's begins, so there is always
        // one before.
        let index = self.first + position + 1;
        let (start, end) = (self.chunk.ends[index - 1] as usize, self.chunk.ends[index] as usize);
        &self.chunk.text[start..end]
    }
}

impl fmt::Debug for FluxRow<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let columns = self.chunk.schema.columns.iter().enumerate();
        let cells = columns.map(|(position, column)| (&column.name, self.value(position)));
        f.debug_map().entries(cells).finish()
    }
}

fn parse_cell(kind: FluxType, text: &str) -> Option<FluxValue<'_>> {
    Some(match kind {
        FluxType::Text => FluxValue::Text(text),
        FluxType::Float => FluxValue::Float(text.parse().ok()?),
        FluxType::Integer => FluxValue::Integer(text.parse().ok()?),
        FluxType::Unsigned => FluxValue::Unsigned(text.parse().ok()?),
        FluxType::Boolean => FluxValue::Boolean(text.parse().ok()?),
        FluxType::Time => FluxValue::Time(parse_rfc3339(text).ok()?),
        FluxType::Duration => FluxValue::Duration(text),
        FluxType::Binary => FluxValue::Binary(text),
    })
}

pub(super) fn malformed(problem: String) -> ClientError {
    ClientError::Malformed { operation: "query", problem }
}
