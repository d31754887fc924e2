//! CSV files with a header line.

use std::fs::File;
use std::io::{BufRead, BufReader};

use csv_core::ReadRecordResult;
use cutover_model::scenario::{DataSet, FieldColumn};
use cutover_model::{Row, Tags};

use crate::cells;
use crate::local_time::LocalTimeParser;
use crate::reader::{FileErrorKind, FileRow, RowProblem, place};

/// A line beyond this is a missing quote or no CSV, and would fill the memory.
const LINE_LIMIT_BYTES: usize = 1 << 20;

/// The rows of a CSV file.
pub(crate) struct CsvRows {
    records: Records,
    times: LocalTimeParser,
    columns: usize,
    time: usize,
    tags: Vec<(String, usize)>,
    fields: Vec<(FieldColumn, usize)>,
    failed: bool,
}

impl CsvRows {
    /// Reads the header and finds the columns of `data` in it.
    pub(crate) fn open(
        file: File,
        delimiter: u8,
        data: &DataSet,
        times: LocalTimeParser,
    ) -> Result<Self, FileErrorKind> {
        let mut records = Records::new(file, delimiter);
        let header: Vec<String> = if records.advance()? {
            let record = records.current()?;
            record.iter().map(|cell| cell.trim_start_matches('\u{feff}').to_owned()).collect()
        } else {
            Vec::new()
        };
        let tags = data
            .tags
            .iter()
            .map(|tag| Ok((tag.tag.clone(), place(&header, &tag.column)?)))
            .collect::<Result<_, FileErrorKind>>()?;
        let fields = data
            .fields
            .iter()
            .map(|field| Ok((field.clone(), place(&header, &field.column)?)))
            .collect::<Result<_, FileErrorKind>>()?;
        let time = place(&header, &data.time.column)?;
        Ok(Self { records, times, columns: header.len(), time, tags, fields, failed: false })
    }

    fn read(&mut self) -> Result<Option<FileRow>, FileErrorKind> {
        if !self.records.advance()? {
            return Ok(None);
        }
        let line = self.records.line;
        let cells = self.records.current()?;
        if cells.len() != self.columns {
            let (found, expected) = (cells.len(), self.columns);
            return Err(FileErrorKind::Ragged { line, found, expected });
        }
        let row = row(&cells, self);
        Ok(Some(FileRow { line, row }))
    }
}

impl Iterator for CsvRows {
    type Item = Result<FileRow, FileErrorKind>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.failed {
            return None;
        }
        let next = self.read().transpose();
        self.failed = matches!(next, Some(Err(_)));
        next
    }
}

fn row(cells: &[&str], rows: &CsvRows) -> Result<Row, RowProblem> {
    let time_ns = rows.times.parse(cells[rows.time])?;
    let tags: Tags = rows
        .tags
        .iter()
        .filter(|(_, place)| !cells[*place].is_empty())
        .map(|(tag, place)| (tag.clone(), cells[*place].to_owned()))
        .collect();
    let mut fields = std::collections::BTreeMap::new();
    for (field, place) in &rows.fields {
        if let Some(value) = cells::value(&field.column, cells[*place], field.field_type)? {
            fields.insert(field.field.clone(), value);
        }
    }
    if fields.is_empty() {
        return Err(RowProblem::NoValue);
    }
    Ok(Row { time_ns, tags, fields })
}

/// The records of a file, one at a time, in buffers that are used again.
struct Records {
    input: BufReader<File>,
    parser: csv_core::Reader,
    text: Vec<u8>,
    ends: Vec<usize>,
    text_len: usize,
    ends_len: usize,
    /// The line on which the current record begins, from 1.
    line: u64,
}

impl Records {
    fn new(file: File, delimiter: u8) -> Self {
        Self {
            input: BufReader::with_capacity(1 << 16, file),
            parser: csv_core::ReaderBuilder::new().delimiter(delimiter).build(),
            text: vec![0; 1 << 10],
            ends: vec![0; 64],
            text_len: 0,
            ends_len: 0,
            line: 0,
        }
    }

    /// Reads the next record. `false` at the end of the file.
    fn advance(&mut self) -> Result<bool, FileErrorKind> {
        (self.text_len, self.ends_len) = (0, 0);
        self.line = self.parser.line();
        loop {
            let input = self.input.fill_buf()?;
            let (result, read, written, ended) = self.parser.read_record(
                input,
                &mut self.text[self.text_len..],
                &mut self.ends[self.ends_len..],
            );
            self.input.consume(read);
            self.text_len += written;
            self.ends_len += ended;
            match result {
                ReadRecordResult::InputEmpty => {}
                ReadRecordResult::OutputFull => self.grow_text()?,
                ReadRecordResult::OutputEndsFull => self.ends.resize(self.ends.len() * 2, 0),
                ReadRecordResult::Record => return Ok(true),
                ReadRecordResult::End => return Ok(false),
            }
        }
    }

    fn grow_text(&mut self) -> Result<(), FileErrorKind> {
        if self.text.len() >= LINE_LIMIT_BYTES {
            let limit_bytes = LINE_LIMIT_BYTES;
            return Err(FileErrorKind::LineTooLong { line: self.line, limit_bytes });
        }
        self.text.resize(self.text.len() * 2, 0);
        Ok(())
    }

    fn current(&self) -> Result<Vec<&str>, FileErrorKind> {
        let text = std::str::from_utf8(&self.text[..self.text_len])
            .map_err(|_| FileErrorKind::NotUtf8 { line: self.line })?;
        let mut start = 0;
        self.ends[..self.ends_len]
            .iter()
            .map(|&end| {
                let cell = text.get(start..end).ok_or(FileErrorKind::NotUtf8 { line: self.line });
                start = end;
                cell
            })
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use cutover_model::scenario::{DataFormat, TagColumn, TimeColumn};
    use cutover_model::{DataName, FieldType, FieldValue};

    use super::*;
    use crate::RowReader;

    fn data(path: &std::path::Path) -> DataSet {
        DataSet {
            name: DataName::new("d"),
            path: path.to_owned(),
            format: DataFormat::Csv { delimiter: b';' },
            time: TimeColumn {
                column: "at".to_owned(),
                format: "%Y-%m-%d %H:%M:%S".to_owned(),
                zone: "UTC".to_owned(),
            },
            bucket: "b".to_owned(),
            measurement: "m".to_owned(),
            tags: vec![TagColumn { tag: "region".to_owned(), column: "id".to_owned() }],
            fields: vec![FieldColumn {
                field: "value".to_owned(),
                column: "mw".to_owned(),
                field_type: FieldType::Float,
            }],
        }
    }

    fn read(text: &str) -> Vec<Result<FileRow, String>> {
        let mut file = tempfile::NamedTempFile::new().unwrap();
        file.write_all(text.as_bytes()).unwrap();
        RowReader::open(&data(file.path()))
            .unwrap()
            .map(|row| row.map_err(|error| error.kind.to_string()))
            .collect()
    }

    fn only_row(text: &str) -> Row {
        read(text).remove(0).unwrap().row.unwrap()
    }

    #[test]
    fn a_line_becomes_a_row() {
        let row = only_row("id;at;mw\nSE;1970-01-01 00:00:01;1.5\n");
        assert_eq!(row.time_ns, 1_000_000_000);
        assert_eq!(row.tags["region"], "SE");
        assert_eq!(row.fields["value"], FieldValue::Float(1.5));
    }

    #[test]
    fn a_byte_order_mark_is_no_part_of_the_first_column() {
        assert_eq!(only_row("\u{feff}id;at;mw\nN;1970-01-01 00:00:00;1\n").tags["region"], "N");
    }

    #[test]
    fn windows_line_ends_are_no_part_of_the_last_cell() {
        let row = only_row("id;at;mw\r\nN;1970-01-01 00:00:00;1\r\n");
        assert_eq!(row.fields["value"], FieldValue::Float(1.0));
    }

    #[test]
    fn an_empty_tag_cell_is_an_absent_tag() {
        assert!(only_row("id;at;mw\n;1970-01-01 00:00:00;1\n").tags.is_empty());
    }

    #[test]
    fn a_line_without_values_is_told() {
        let rows = read("id;at;mw\nN;1970-01-01 00:00:00;\n");
        assert_eq!(rows[0].as_ref().unwrap().row, Err(RowProblem::NoValue));
    }

    #[test]
    fn a_problem_names_its_line_and_the_rest_is_read() {
        let rows = read("id;at;mw\nN;1970-01-01 00:00:00;x\nN;1970-01-01 00:00:00;2\n");
        assert_eq!(rows[0].as_ref().unwrap().line, 2);
        assert!(rows[1].as_ref().unwrap().row.is_ok());
    }

    #[test]
    fn a_line_with_too_few_cells_ends_the_reading() {
        let rows = read("id;at;mw\nN;1970-01-01 00:00:00\nN;1970-01-01 00:00:00;2\n");
        assert_eq!(rows, [Err("line 2 has 2 cells, and the header has 3".to_owned())]);
    }

    #[test]
    fn a_quote_that_never_closes_is_bounded() {
        let mut text = String::from("id;at;mw\n\"");
        text.push_str(&"x".repeat(3 << 20));
        assert_eq!(read(&text), [Err("line 2 is longer than 1048576 bytes".to_owned())]);
    }

    #[test]
    fn a_missing_column_is_named_with_those_there_are() {
        let mut file = tempfile::NamedTempFile::new().unwrap();
        file.write_all(b"a;b\n").unwrap();
        let error = RowReader::open(&data(file.path())).err().unwrap();
        assert_eq!(error.kind.to_string(), "it has no column `id`; it has a, b");
    }

    #[test]
    fn long_records_outgrow_the_first_buffers() {
        let name = "x".repeat(5000);
        let row = only_row(&format!("id;at;mw\n{name};1970-01-01 00:00:00;1\n"));
        assert_eq!(row.tags["region"], name);
    }
}
