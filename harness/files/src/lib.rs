//! Data files: CSV and Parquet in, rows out.
//!
//! The main type is [`RowReader`]. It reads one file of a data set in bounded memory and yields a
//! [`FileRow`] a line. A line that cannot be read as declared, or whose local time does not exist
//! or exists twice in its zone, becomes a [`RowProblem`] with its line number: it is told, never
//! guessed. Only what makes the whole file unreadable is an error.
//!
//! Where the rows go is the caller's business.

mod cells;
mod csv;
mod local_time;
mod parquet;
mod reader;

pub use local_time::LocalTimeParser;
pub use reader::{FileError, FileErrorKind, FileRow, RowProblem, RowReader};
