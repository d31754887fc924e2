//! Annotated CSV: how results travel to the client.
//!
//! [`Encoder`] writes one result after another in chunks of about [`CHUNK_BYTES`], so that an
//! answer is never whole in memory. Tables with the same columns share one block of annotations;
//! null and the empty string look alike, as they do on the server.

use std::sync::Arc;

use super::error::FluxError;
use super::interpreter::NamedStream;
use super::stream::Tables;
use super::table::{Column, Data, Table};
use super::time::append_rfc3339;
use super::value::{ColumnType, Value, append_float};

const CHUNK_BYTES: usize = 64 << 10;

/// How the client wants its CSV.
#[derive(Clone, Debug)]
pub(crate) struct Dialect {
    pub(crate) annotations: Vec<Annotation>,
    pub(crate) delimiter: u8,
    /// Whether each block begins with the names of its columns.
    pub(crate) header: bool,
}

/// A row above the header of a block.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Annotation {
    Datatype,
    Group,
    Default,
}

impl Annotation {
    /// The annotation with this name in a dialect.
    pub(crate) fn from_name(name: &str) -> Option<Self> {
        [Self::Datatype, Self::Group, Self::Default].into_iter().find(|own| own.name() == name)
    }

    fn name(self) -> &'static str {
        match self {
            Self::Datatype => "datatype",
            Self::Group => "group",
            Self::Default => "default",
        }
    }
}

/// Writes the results of a query.
pub(crate) struct Encoder {
    dialect: Dialect,
    results: std::vec::IntoIter<NamedStream>,
    current: Option<Current>,
    buffer: Vec<u8>,
    /// Whether anything has been written, after which a mistake has to be told in the rows.
    written: bool,
    finished: bool,
}

/// The result that is being written.
struct Current {
    name: Arc<str>,
    tables: Tables,
    /// The table whose rows are being written and the row that comes next.
    table: Option<(Table, usize)>,
    tables_begun: usize,
    block: Option<Block>,
}

/// What the tables of one block have in common.
#[derive(PartialEq)]
struct Block {
    columns: Vec<(Arc<str>, ColumnType)>,
    key: Vec<Arc<str>>,
    /// An empty table has its group key in the defaults, so nothing can follow it in its block.
    empty: bool,
}

impl Encoder {
    pub(crate) fn new(dialect: Dialect, results: Vec<NamedStream>) -> Self {
        Self {
            dialect,
            results: results.into_iter(),
            current: None,
            buffer: Vec::with_capacity(CHUNK_BYTES),
            written: false,
            finished: false,
        }
    }

    /// The next part of the answer; `None` at its end. An error is given only while nothing has
    /// been written; later it becomes an error table, which is the last part.
    pub(crate) fn next_chunk(&mut self) -> Option<Result<Vec<u8>, FluxError>> {
        while !self.finished && self.buffer.len() < CHUNK_BYTES {
            if let Err(error) = self.step() {
                if !self.written && self.buffer.is_empty() {
                    self.finished = true;
                    return Some(Err(error));
                }
                self.error_table(&error);
                self.finished = true;
            }
        }
        if self.buffer.is_empty() {
            return None;
        }
        self.written = true;
        let next = Vec::with_capacity(CHUNK_BYTES);
        Some(Ok(std::mem::replace(&mut self.buffer, next)))
    }

    /// Writes some rows, begins a table or a result, or finds the end.
    fn step(&mut self) -> Result<(), FluxError> {
        let Some(mut current) = self.current.take() else {
            let Some(result) = self.results.next() else {
                self.finished = true;
                return Ok(());
            };
            let tables = result.stream.tables()?;
            let name = result.name;
            self.current =
                Some(Current { name, tables, table: None, tables_begun: 0, block: None });
            return Ok(());
        };
        if let Some((table, next)) = current.table.take() {
            let next = self.rows(&current, &table, next);
            if next < table.rows {
                current.table = Some((table, next));
            }
            self.current = Some(current);
            return Ok(());
        }
        match current.tables.next().transpose()? {
            Some(table) => {
                self.begin_table(&mut current, &table);
                current.tables_begun += 1;
                current.table = Some((table, 0));
                self.current = Some(current);
            }
            None => self.buffer.extend_from_slice(b"\r\n"),
        }
        Ok(())
    }

    fn begin_table(&mut self, current: &mut Current, table: &Table) {
        let columns = table.columns.iter();
        let block = Block {
            columns: columns.map(|column| (Arc::clone(&column.label), column.kind())).collect(),
            key: table.key.labels(),
            empty: table.rows == 0,
        };
        let shared = current.block.as_ref().is_some_and(|last| *last == block && !block.empty);
        if shared {
            return;
        }
        if current.block.is_some() {
            self.buffer.extend_from_slice(b"\r\n");
        }
        for annotation in self.dialect.annotations.clone() {
            self.annotation(annotation, current, table);
        }
        if self.dialect.header {
            let labels = table.columns.iter().map(|column| column.label.as_bytes());
            let header = [&b""[..], b"result", b"table"].into_iter().chain(labels);
            let header: Vec<&[u8]> = header.collect();
            self.line(&header);
        }
        current.block = Some(block);
    }

    fn annotation(&mut self, annotation: Annotation, current: &Current, table: &Table) {
        let name = format!("#{}", annotation.name()).into_bytes();
        let number = current.tables_begun.to_string();
        let own: [&[u8]; 2] = match annotation {
            Annotation::Datatype => [b"string", b"long"],
            Annotation::Group => [b"false", b"false"],
            Annotation::Default if table.rows == 0 => [current.name.as_bytes(), number.as_bytes()],
            Annotation::Default => [current.name.as_bytes(), b""],
        };
        let cells = table.columns.iter().map(|column| match annotation {
            Annotation::Datatype => datatype(column.kind()).as_bytes().to_vec(),
            Annotation::Group => table.key.contains(&column.label).to_string().into_bytes(),
            Annotation::Default if table.rows == 0 => {
                let mut cell = Vec::new();
                if let Some(value) = table.key.get(&column.label) {
                    append_value(&mut cell, value);
                }
                cell
            }
            Annotation::Default => Vec::new(),
        });
        let cells: Vec<Vec<u8>> = cells.collect();
        let line: Vec<&[u8]> =
            [&*name].into_iter().chain(own).chain(cells.iter().map(Vec::as_slice)).collect();
        self.line(&line);
    }

    fn line(&mut self, cells: &[&[u8]]) {
        for (at, cell) in cells.iter().enumerate() {
            if at > 0 {
                self.buffer.push(self.dialect.delimiter);
            }
            append_quoted(&mut self.buffer, cell, self.dialect.delimiter);
        }
        self.buffer.extend_from_slice(b"\r\n");
    }

    /// Writes rows until the buffer is full; gives the row that comes next.
    fn rows(&mut self, current: &Current, table: &Table, from: usize) -> usize {
        let delimiter = self.dialect.delimiter;
        let mut prefix = vec![delimiter];
        if !self.dialect.annotations.contains(&Annotation::Default) {
            append_quoted(&mut prefix, current.name.as_bytes(), delimiter);
        }
        prefix.push(delimiter);
        prefix.extend_from_slice((current.tables_begun - 1).to_string().as_bytes());
        // What a column repeats is written once and copied.
        let repeated: Vec<Option<Vec<u8>>> = table
            .columns
            .iter()
            .map(|column| {
                let Data::Repeat { value, .. } = &column.data else { return None };
                let (mut plain, mut quoted) = (Vec::new(), Vec::new());
                append_value(&mut plain, value);
                append_quoted(&mut quoted, &plain, delimiter);
                Some(quoted)
            })
            .collect();
        let mut row = from;
        while row < table.rows && self.buffer.len() < CHUNK_BYTES {
            self.buffer.extend_from_slice(&prefix);
            for (column, repeated) in table.columns.iter().zip(&repeated) {
                self.buffer.push(delimiter);
                match repeated {
                    Some(text) => self.buffer.extend_from_slice(text),
                    None => append_cell(&mut self.buffer, column, row, delimiter),
                }
            }
            self.buffer.extend_from_slice(b"\r\n");
            row += 1;
        }
        row
    }

    fn error_table(&mut self, error: &FluxError) {
        self.buffer.extend_from_slice(b"\r\n");
        for annotation in self.dialect.annotations.clone() {
            let name = format!("#{}", annotation.name()).into_bytes();
            let cell: &[u8] = match annotation {
                Annotation::Datatype => b"string",
                Annotation::Group => b"true",
                Annotation::Default => b"",
            };
            self.line(&[&name, cell, cell]);
        }
        self.line(&[b"", b"error", b"reference"]);
        self.line(&[b"", error.to_string().as_bytes(), b""]);
    }
}

/// The name of a type in the `#datatype` row.
fn datatype(kind: ColumnType) -> &'static str {
    match kind {
        ColumnType::Bool => "boolean",
        ColumnType::Int => "long",
        ColumnType::UInt => "unsignedLong",
        ColumnType::Float => "double",
        ColumnType::String => "string",
        ColumnType::Time => "dateTime:RFC3339",
    }
}

fn append_cell(buffer: &mut Vec<u8>, column: &Column, row: usize, delimiter: u8) {
    match &column.data {
        Data::Float(cells) => {
            if let Some(value) = cells.get(row) {
                append_float(buffer, *value);
            }
        }
        Data::Int(cells) => {
            if let Some(value) = cells.get(row) {
                buffer.extend_from_slice(itoa::Buffer::new().format(*value).as_bytes());
            }
        }
        Data::Time(cells) => {
            if let Some(value) = cells.get(row) {
                append_rfc3339(buffer, *value);
            }
        }
        Data::String(cells) => {
            if let Some(value) = cells.get(row) {
                append_quoted(buffer, value.as_bytes(), delimiter);
            }
        }
        Data::UInt(_) | Data::Bool(_) | Data::Repeat { .. } => {
            append_value(buffer, &column.value(row));
        }
    }
}

/// The text of a value in a cell, without quotes; null is nothing.
fn append_value(buffer: &mut Vec<u8>, value: &Value) {
    match value {
        Value::Null(_) => {}
        Value::Float(value) => append_float(buffer, *value),
        Value::Time(value) => append_rfc3339(buffer, *value),
        value => buffer.extend_from_slice(value.to_string().as_bytes()),
    }
}

/// A cell, in quotes where it needs them. As the server does, line breaks inside become `\r\n`.
fn append_quoted(buffer: &mut Vec<u8>, cell: &[u8], delimiter: u8) {
    if !needs_quotes(cell, delimiter) {
        buffer.extend_from_slice(cell);
        return;
    }
    buffer.push(b'"');
    for &byte in cell {
        match byte {
            b'"' => buffer.extend_from_slice(b"\"\""),
            b'\n' => buffer.extend_from_slice(b"\r\n"),
            b'\r' => {}
            byte => buffer.push(byte),
        }
    }
    buffer.push(b'"');
}

fn needs_quotes(cell: &[u8], delimiter: u8) -> bool {
    let Some(first) = cell.first() else { return false };
    if cell == b"\\." {
        return true;
    }
    let special = |byte: &u8| *byte == delimiter || matches!(byte, b'"' | b'\r' | b'\n');
    // A blank at the beginning would be lost on some readers.
    first.is_ascii_whitespace() || *first == 0x0b || cell.iter().any(special)
}
