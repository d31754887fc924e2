//! The annotated CSV of Flux answers, decoded as it arrives.
//!
//! The main type is [`CsvDecoder`]. It is fed parts of a body, cut anywhere, and gives
//! [`FluxChunk`]s. It never takes a cut-off answer for a whole one: [`CsvDecoder::finish`] wants
//! the last record complete, and the transport beneath wants the declared end of the body.
//!
//! Only annotated answers are read (`datatype` at least), which is what
//! [`InfluxClient::query`](super::InfluxClient::query) asks for.

use std::collections::VecDeque;
use std::sync::Arc;

use csv_core::{ReadRecordResult, Reader};

use super::table::{FluxChunk, FluxColumn, FluxSchema, FluxType, malformed};
use crate::error::ClientError;

/// How long one record may be. The server stores strings of up to 1 MiB.
const RECORD_CAP: usize = 64 * 1024 * 1024;
/// How many columns one record may have.
const COLUMNS_CAP: usize = 64 * 1024;
/// A chunk is closed when its text reaches this length, well inside the 32 bits of its offsets.
const CHUNK_BYTES: usize = 1024 * 1024;

/// Decodes annotated CSV in parts.
pub struct CsvDecoder {
    reader: Reader,
    /// Closed rows of the chunk being filled, and after them the record being read.
    text: Vec<u8>,
    rows_end: usize,
    record_len: usize,
    /// Where the cells of the record being read end, counted from its start.
    record_ends: Vec<usize>,
    cells: usize,
    /// Where the cells of the closed rows end.
    ends: Vec<u32>,
    block: Block,
    records: u64,
    last_byte: Option<u8>,
    ready: VecDeque<FluxChunk>,
}

/// Where in the answer we are.
enum Block {
    /// Before the first annotation.
    Start,
    /// Among annotations, before the header.
    Annotations(Annotations),
    /// Below a header.
    Rows(Arc<FluxSchema>),
    /// Below the header of an error.
    Error,
}

#[derive(Default)]
struct Annotations {
    datatypes: Option<Vec<String>>,
    groups: Option<Vec<String>>,
    defaults: Option<Vec<String>>,
}

impl Default for CsvDecoder {
    fn default() -> Self {
        Self::new()
    }
}

impl CsvDecoder {
    /// A decoder at the start of an answer.
    pub fn new() -> Self {
        Self {
            reader: Reader::new(),
            text: vec![0; 64 * 1024],
            rows_end: 0,
            record_len: 0,
            record_ends: vec![0; 32],
            cells: 0,
            ends: Vec::new(),
            block: Block::Start,
            records: 0,
            last_byte: None,
            ready: VecDeque::new(),
        }
    }

    /// Decodes the next part of the body. Rows before an error are still there to take.
    pub fn feed(&mut self, part: &[u8]) -> Result<(), ClientError> {
        let Some(last) = part.last() else { return Ok(()) };
        self.last_byte = Some(*last);
        let decoded = self.decode(part);
        self.close_chunk();
        decoded
    }

    /// The next chunk that is complete.
    pub fn take(&mut self) -> Option<FluxChunk> {
        self.ready.pop_front()
    }

    /// Says that the body has ended, which it may do only between two records.
    pub fn finish(&mut self) -> Result<(), ClientError> {
        let truncated = |problem: &str| {
            Err(ClientError::Truncated { operation: "query", problem: problem.to_owned() })
        };
        if self.last_byte.is_some_and(|byte| byte != b'\n') || self.cells + self.record_len > 0 {
            return truncated("its last record is not complete");
        }
        match self.block {
            Block::Start | Block::Rows(_) => Ok(()),
            Block::Annotations(_) => truncated("annotations are not followed by a header"),
            Block::Error => truncated("the header of an error is not followed by its message"),
        }
    }

    fn decode(&mut self, mut input: &[u8]) -> Result<(), ClientError> {
        while !input.is_empty() {
            let Self { reader, text, record_ends, .. } = self;
            let start = self.rows_end + self.record_len;
            let output = &mut text[start..];
            let (result, read, written, ended) =
                reader.read_record(input, output, &mut record_ends[self.cells..]);
            input = &input[read..];
            self.record_len += written;
            self.cells += ended;
            match result {
                ReadRecordResult::InputEmpty => {}
                ReadRecordResult::OutputFull => {
                    if self.record_len > RECORD_CAP {
                        return Err(self.broken("is longer than any answer of this server"));
                    }
                    let length = self.text.len() * 2;
                    self.text.resize(length, 0);
                }
                ReadRecordResult::OutputEndsFull => {
                    if self.cells > COLUMNS_CAP {
                        return Err(self.broken("has more columns than any answer"));
                    }
                    let length = self.record_ends.len() * 2;
                    self.record_ends.resize(length, 0);
                }
                ReadRecordResult::Record => self.record()?,
                // Only an empty input ends the reader.
                ReadRecordResult::End => break,
            }
        }
        Ok(())
    }

    /// Takes in the record that was just completed.
    fn record(&mut self) -> Result<(), ClientError> {
        self.records += 1;
        self.restore_line_breaks();
        if self.is_row() {
            return self.row();
        }
        let record = self.strings()?;
        self.forget_record();
        self.line(record)
    }

    /// The server writes a line break inside a string as CR LF, like those between records.
    fn restore_line_breaks(&mut self) {
        let record = &mut self.text[self.rows_end..self.rows_end + self.record_len];
        if !record.contains(&b'\r') {
            return;
        }
        let (mut read, mut written) = (0, 0);
        for end in &mut self.record_ends[..self.cells] {
            while read < *end {
                if record[read] == b'\r' && read + 1 < *end && record[read + 1] == b'\n' {
                    read += 1;
                }
                record[written] = record[read];
                written += 1;
                read += 1;
            }
            *end = written;
        }
        self.record_len = written;
    }

    /// Whether the record is a row of data: its annotation cell is empty, and it stands under a
    /// header that is not an error's.
    fn is_row(&self) -> bool {
        let ends = &self.record_ends[..self.cells];
        let error_header = ends == [0, 5, 14] && self.cell_bytes() == b"errorreference";
        matches!(self.block, Block::Rows(_)) && ends[0] == 0 && !error_header
    }

    fn cell_bytes(&self) -> &[u8] {
        &self.text[self.rows_end..self.rows_end + self.record_len]
    }

    fn row(&mut self) -> Result<(), ClientError> {
        let Block::Rows(schema) = &self.block else {
            unreachable!("a row is only found below a header")
        };
        if self.cells != schema.columns.len() + 1 {
            let problem =
                format!("has {} cells under {} columns", self.cells - 1, schema.columns.len());
            return Err(self.broken(&problem));
        }
        for end in &self.record_ends[..self.cells] {
            let end = u32::try_from(self.rows_end + end).expect("a chunk is closed long before");
            self.ends.push(end);
        }
        self.rows_end += self.record_len;
        self.record_len = 0;
        self.cells = 0;
        if self.rows_end >= CHUNK_BYTES {
            self.close_chunk();
        }
        Ok(())
    }

    /// Takes in an annotation, a header or an error.
    fn line(&mut self, record: Vec<String>) -> Result<(), ClientError> {
        if let Some(name) = record[0].strip_prefix('#') {
            self.close_chunk();
            let name = name.to_owned();
            return self.annotation(&name, record);
        }
        if matches!(self.block, Block::Error) {
            return Err(read_error(record));
        }
        if is_error_header(&record) {
            self.close_chunk();
            self.block = Block::Error;
            return Ok(());
        }
        match std::mem::replace(&mut self.block, Block::Start) {
            Block::Annotations(annotations) => {
                let schema = annotations.schema(record).map_err(|problem| self.broken(&problem))?;
                self.block = Block::Rows(Arc::new(schema));
                Ok(())
            }
            Block::Start => Err(self.broken("is a header without annotations")),
            Block::Rows(_) | Block::Error => Err(self.broken("begins with no known annotation")),
        }
    }

    fn annotation(&mut self, name: &str, record: Vec<String>) -> Result<(), ClientError> {
        if !matches!(self.block, Block::Annotations(_)) {
            self.block = Block::Annotations(Annotations::default());
        }
        let Block::Annotations(annotations) = &mut self.block else {
            unreachable!("the block was just made one of annotations")
        };
        let place = match name {
            "datatype" => &mut annotations.datatypes,
            "group" => &mut annotations.groups,
            "default" => &mut annotations.defaults,
            _ => return Err(self.broken(&format!("is an unknown annotation `#{name}`"))),
        };
        if place.replace(record).is_some() {
            return Err(self.broken(&format!("repeats the annotation `#{name}`")));
        }
        Ok(())
    }

    fn strings(&self) -> Result<Vec<String>, ClientError> {
        let mut start = 0;
        let cells = self.record_ends[..self.cells].iter().map(|end| {
            let cell = &self.cell_bytes()[start..*end];
            start = *end;
            String::from_utf8(cell.to_vec())
        });
        cells.collect::<Result<_, _>>().map_err(|_| self.broken("is not valid UTF-8"))
    }

    fn forget_record(&mut self) {
        self.record_len = 0;
        self.cells = 0;
    }

    /// Hands over the closed rows and moves the record being read to the front.
    fn close_chunk(&mut self) {
        if self.ends.is_empty() {
            return;
        }
        let Block::Rows(schema) = &self.block else {
            unreachable!("rows are handed over before their block ends")
        };
        let text = self.text[..self.rows_end].to_vec();
        let ends = std::mem::take(&mut self.ends);
        self.ready.push_back(FluxChunk::new(schema.clone(), text, ends));
        self.text.copy_within(self.rows_end..self.rows_end + self.record_len, 0);
        self.rows_end = 0;
    }

    fn broken(&self, problem: &str) -> ClientError {
        malformed(format!("record {} {problem}", self.records))
    }
}

impl Annotations {
    fn schema(self, header: Vec<String>) -> Result<FluxSchema, String> {
        let Self { datatypes, groups, defaults } = self;
        let datatypes = datatypes.ok_or("is a header without `#datatype`")?;
        let width = header.len();
        let all = [Some(&datatypes), groups.as_ref(), defaults.as_ref()];
        if all.into_iter().flatten().any(|annotation| annotation.len() != width) {
            return Err("is a header of another width than its annotations".to_owned());
        }
        let mut columns = Vec::with_capacity(width - 1);
        for (position, name) in header.into_iter().enumerate().skip(1) {
            let datatype = &datatypes[position];
            let kind = FluxType::of_datatype(datatype)
                .ok_or_else(|| format!("gives `{name}` the unknown type `{datatype}`"))?;
            let group = groups.as_ref().is_some_and(|groups| groups[position] == "true");
            let default = defaults.as_ref().map_or("", |defaults| &defaults[position]);
            columns.push(FluxColumn { name, kind, group, default: default.to_owned() });
        }
        Ok(FluxSchema { columns })
    }
}

/// The header of an error stands with or without the annotation column before it.
fn is_error_header(record: &[String]) -> bool {
    let record = record.strip_prefix(&[String::new()]).unwrap_or(record);
    matches!(record, [error, reference] if error == "error" && reference == "reference")
}

fn read_error(record: Vec<String>) -> ClientError {
    let mut cells = record.into_iter();
    let skipped = cells.len() == 3;
    let message = cells.nth(usize::from(skipped)).unwrap_or_default();
    ClientError::Query { message, reference: cells.next().unwrap_or_default() }
}
