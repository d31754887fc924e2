//! The reader of one file: its errors, its problems, and the choice of format.

use std::fs::File;
use std::path::PathBuf;

use cutover_model::scenario::{DataFormat, DataSet};
use cutover_model::{FieldType, Row};

use crate::csv::CsvRows;
use crate::local_time::LocalTimeParser;
use crate::parquet::ParquetRows;

/// One line of a file.
#[derive(Clone, Debug, PartialEq)]
pub struct FileRow {
    /// Where it stands: the line of a CSV file (the header is 1), the row of a Parquet file.
    pub line: u64,
    /// The row, or why it is none.
    pub row: Result<Row, RowProblem>,
}

/// Why a line of a file is no row. The rest of the file is.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum RowProblem {
    /// The clock skipped it.
    #[error("the local time `{text}` does not exist in its zone: the clock skipped it")]
    LocalTimeMissing {
        /// The text of the file.
        text: String,
    },
    /// The clock showed it twice.
    #[error("the local time `{text}` exists twice in its zone: the clock went back")]
    LocalTimeTwice {
        /// The text of the file.
        text: String,
    },
    /// It is not written as declared.
    #[error("the time `{text}` is not written as `{format}`")]
    TimeUnreadable {
        /// The text of the file.
        text: String,
        /// The declared format.
        format: String,
    },
    /// It is beyond what 64 bits of nanoseconds can tell.
    #[error("the time `{text}` is outside 1677-09-21 to 2262-04-11")]
    TimeOutOfRange {
        /// The text of the file.
        text: String,
    },
    /// A cell is not of its declared type.
    #[error("the value `{text}` of column `{column}` is no {}", field_type.word())]
    ValueUnreadable {
        /// The column.
        column: String,
        /// The text of the file.
        text: String,
        /// The declared type.
        field_type: FieldType,
    },
    /// No field has a value, so there is nothing to store.
    #[error("no field has a value")]
    NoValue,
}

/// A data file that cannot be read.
#[derive(Debug, thiserror::Error)]
#[error("failed to read `{}`", path.display())]
pub struct FileError {
    /// The file.
    pub path: PathBuf,
    /// What is wrong with it.
    #[source]
    pub kind: FileErrorKind,
}

/// What makes a whole file unreadable.
#[derive(Debug, thiserror::Error)]
pub enum FileErrorKind {
    /// The operating system refuses.
    #[error("the system does not let it be read")]
    Io(#[from] std::io::Error),
    /// It has no such column.
    #[error("it has no column `{column}`; it has {found}")]
    NoColumn {
        /// The column that the data set names.
        column: String,
        /// The columns of the file.
        found: String,
    },
    /// A line has another number of cells than the header.
    #[error("line {line} has {found} cells, and the header has {expected}")]
    Ragged {
        /// The line.
        line: u64,
        /// Its cells.
        found: usize,
        /// The header's.
        expected: usize,
    },
    /// A line is not UTF-8.
    #[error("line {line} is not UTF-8")]
    NotUtf8 {
        /// The line.
        line: u64,
    },
    /// A line is longer than any real one.
    #[error("line {line} is longer than {limit_bytes} bytes")]
    LineTooLong {
        /// The line.
        line: u64,
        /// The limit.
        limit_bytes: usize,
    },
    /// The zone is unknown.
    #[error("the zone `{zone}` is unknown")]
    Zone {
        /// The zone that the data set names.
        zone: String,
        /// What jiff says.
        #[source]
        source: jiff::Error,
    },
    /// It is no Parquet file, or a damaged one.
    #[error("it is not readable as Parquet")]
    Parquet(#[from] parquet::errors::ParquetError),
    /// A column cannot be read as its declared type.
    #[error("column `{column}` cannot be read as {wanted}")]
    ColumnType {
        /// The column.
        column: String,
        /// What it should be.
        wanted: &'static str,
        /// What arrow says.
        #[source]
        source: arrow::error::ArrowError,
    },
}

/// Reads the rows of one file, line by line, in bounded memory.
pub struct RowReader {
    path: PathBuf,
    rows: Rows,
}

enum Rows {
    Csv(Box<CsvRows>),
    Parquet(Box<ParquetRows>),
}

impl RowReader {
    /// Opens the file of a data set and finds its columns.
    pub fn open(data: &DataSet) -> Result<Self, FileError> {
        let failed = |kind| FileError { path: data.path.clone(), kind };
        let file = File::open(&data.path).map_err(|error| failed(error.into()))?;
        let times = LocalTimeParser::new(&data.time.format, &data.time.zone).map_err(|source| {
            failed(FileErrorKind::Zone { zone: data.time.zone.clone(), source })
        })?;
        let rows = match data.format {
            DataFormat::Csv { delimiter } => {
                CsvRows::open(file, delimiter, data, times).map(Box::new).map(Rows::Csv)
            }
            DataFormat::Parquet => {
                ParquetRows::open(file, data, times).map(Box::new).map(Rows::Parquet)
            }
        };
        Ok(Self { path: data.path.clone(), rows: rows.map_err(failed)? })
    }
}

impl Iterator for RowReader {
    type Item = Result<FileRow, FileError>;

    fn next(&mut self) -> Option<Self::Item> {
        let next = match &mut self.rows {
            Rows::Csv(rows) => rows.next(),
            Rows::Parquet(rows) => rows.next(),
        };
        next.map(|row| row.map_err(|kind| FileError { path: self.path.clone(), kind }))
    }
}

/// The place of a column among the columns of a file.
pub(crate) fn place(columns: &[String], column: &str) -> Result<usize, FileErrorKind> {
    columns.iter().position(|found| found == column).ok_or_else(|| FileErrorKind::NoColumn {
        column: column.to_owned(),
        found: columns.join(", "),
    })
}
