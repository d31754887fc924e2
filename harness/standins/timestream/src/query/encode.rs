//! Results as JSON: `ColumnInfo`, and pages of `Rows` in which every value is text.
//!
//! Types that the service has no name for are refused rather than told as another.

use arrow::array::{
    Array, ArrayRef, AsArray, BooleanArray, Date32Array, DurationNanosecondArray, Float64Array,
    IntervalMonthDayNanoArray, RecordBatch, StringArray, StringViewArray, TimestampNanosecondArray,
};
use arrow::datatypes::{
    DataType, Date32Type, DurationNanosecondType, Float64Type, Int64Type, IntervalMonthDayNanoType,
    IntervalUnit, TimeUnit, TimestampNanosecondType,
};
use serde_json::json;

use super::Answer;
use crate::error::{ApiError, ErrorKind};
use crate::sql::OutputColumn;
use crate::value::{push_date, push_double, push_interval, push_timestamp};

/// The largest body of a page.
const MAX_PAGE_BYTES: usize = 1_000_000;
/// What a page has beside its rows and `ColumnInfo`, and some.
const FRAME_BYTES: usize = 1_024;
const DAY_NS: i64 = 86_400 * 1_000_000_000;

/// Where a page begins, and how many rows it may have.
#[derive(Clone, Copy, Debug)]
pub(super) struct PageLimit {
    pub(super) row: usize,
    pub(super) max_rows: usize,
}

/// A page's rows as JSON, and the row at which the next page begins.
#[derive(Debug)]
pub(super) struct Page {
    pub(super) rows: String,
    pub(super) next_row: Option<usize>,
}

/// `ColumnInfo` as JSON.
pub(super) fn column_info(columns: &[OutputColumn]) -> Result<String, ApiError> {
    let infos: Result<Vec<_>, ApiError> = columns
        .iter()
        .map(|OutputColumn { name, data_type }| {
            Ok(json!({ "Name": name, "Type": type_json(data_type)? }))
        })
        .collect();
    Ok(serde_json::Value::from(infos?).to_string())
}

fn type_json(data_type: &DataType) -> Result<serde_json::Value, ApiError> {
    let scalar = match data_type {
        DataType::Utf8 | DataType::Utf8View => "VARCHAR",
        DataType::Boolean => "BOOLEAN",
        DataType::Int64 | DataType::UInt64 => "BIGINT",
        DataType::Int32 => "INTEGER",
        DataType::Float64 => "DOUBLE",
        DataType::Timestamp(TimeUnit::Nanosecond, None) => "TIMESTAMP",
        DataType::Date32 => "DATE",
        DataType::Duration(TimeUnit::Nanosecond)
        | DataType::Interval(IntervalUnit::MonthDayNano) => "INTERVAL_DAY_TO_SECOND",
        DataType::Null => "UNKNOWN",
        other => {
            return Err(ApiError::validation(format!(
                "A result column of type {other} is not supported."
            )));
        }
    };
    Ok(json!({ "ScalarType": scalar }))
}

/// The page that begins at `limit.row`.
pub(super) fn page(answer: &Answer, limit: PageLimit) -> Result<Page, ApiError> {
    let max_bytes = MAX_PAGE_BYTES.saturating_sub(answer.column_info.len() + FRAME_BYTES);
    let mut rows = Rows { text: String::from("["), count: 0 };
    let mut first_row = 0;
    for batch in &answer.output.batches {
        let end = first_row + batch.num_rows();
        let start = limit.row.max(first_row);
        if start < end {
            let cells = cells(batch)?;
            for row in start..end {
                let full = rows.count >= limit.max_rows;
                if full || !rows.push(&cells, row - first_row, max_bytes)? {
                    return Ok(Page { rows: rows.finished(), next_row: Some(row) });
                }
            }
        }
        first_row = end;
    }
    Ok(Page { rows: rows.finished(), next_row: None })
}

struct Rows {
    text: String,
    count: usize,
}

impl Rows {
    /// Adds a row unless the page would become too large.
    fn push(
        &mut self,
        cells: &[Cells<'_>],
        row: usize,
        max_bytes: usize,
    ) -> Result<bool, ApiError> {
        let before = self.text.len();
        if self.count > 0 {
            self.text.push(',');
        }
        self.text.push_str(r#"{"Data":["#);
        for (number, cells) in cells.iter().enumerate() {
            if number > 0 {
                self.text.push(',');
            }
            cells.push(&mut self.text, row)?;
        }
        self.text.push_str("]}");
        if self.text.len() <= max_bytes {
            self.count += 1;
            return Ok(true);
        }
        if self.count == 0 {
            let message = format!("A row of the result has more than {max_bytes} bytes.");
            return Err(ApiError::new(ErrorKind::QueryExecution, message));
        }
        self.text.truncate(before);
        Ok(false)
    }

    fn finished(mut self) -> String {
        self.text.push(']');
        self.text
    }
}

/// A column of a batch, its type found once for all its rows.
enum Cells<'a> {
    Boolean(&'a BooleanArray),
    Date(&'a Date32Array),
    Double(&'a Float64Array),
    Duration(&'a DurationNanosecondArray),
    Integer(ArrayRef),
    Interval(&'a IntervalMonthDayNanoArray),
    Null,
    Text(&'a StringArray),
    TextView(&'a StringViewArray),
    Timestamp(&'a TimestampNanosecondArray),
}

fn cells(batch: &RecordBatch) -> Result<Vec<Cells<'_>>, ApiError> {
    batch.columns().iter().map(Cells::of).collect()
}

impl<'a> Cells<'a> {
    fn of(array: &'a ArrayRef) -> Result<Self, ApiError> {
        Ok(match array.data_type() {
            DataType::Boolean => Self::Boolean(array.as_boolean()),
            DataType::Date32 => Self::Date(array.as_primitive::<Date32Type>()),
            DataType::Float64 => Self::Double(array.as_primitive::<Float64Type>()),
            DataType::Duration(TimeUnit::Nanosecond) => {
                Self::Duration(array.as_primitive::<DurationNanosecondType>())
            }
            DataType::Int32 | DataType::Int64 | DataType::UInt64 => {
                let wide = arrow::compute::cast(array, &DataType::Int64)
                    .map_err(|error| ApiError::new(ErrorKind::QueryExecution, error.to_string()))?;
                Self::Integer(wide)
            }
            DataType::Interval(IntervalUnit::MonthDayNano) => {
                Self::Interval(array.as_primitive::<IntervalMonthDayNanoType>())
            }
            DataType::Null => Self::Null,
            DataType::Utf8 => Self::Text(array.as_string()),
            DataType::Utf8View => Self::TextView(array.as_string_view()),
            DataType::Timestamp(TimeUnit::Nanosecond, None) => {
                Self::Timestamp(array.as_primitive::<TimestampNanosecondType>())
            }
            other => {
                let message = format!("A result column of type {other} is not supported.");
                return Err(ApiError::validation(message));
            }
        })
    }

    fn is_null(&self, row: usize) -> bool {
        match self {
            Self::Boolean(array) => array.is_null(row),
            Self::Date(array) => array.is_null(row),
            Self::Double(array) => array.is_null(row),
            Self::Duration(array) => array.is_null(row),
            Self::Integer(array) => array.is_null(row),
            Self::Interval(array) => array.is_null(row),
            Self::Null => true,
            Self::Text(array) => array.is_null(row),
            Self::TextView(array) => array.is_null(row),
            Self::Timestamp(array) => array.is_null(row),
        }
    }

    /// Appends one value as a `Datum`.
    fn push(&self, out: &mut String, row: usize) -> Result<(), ApiError> {
        if self.is_null(row) {
            out.push_str(r#"{"NullValue":true}"#);
            return Ok(());
        }
        out.push_str(r#"{"ScalarValue":"#);
        match self {
            Self::Text(array) => push_json_string(out, array.value(row)),
            Self::TextView(array) => push_json_string(out, array.value(row)),
            _ => {
                // The text of every other type needs no escapes.
                out.push('"');
                self.push_text(out, row)?;
                out.push('"');
            }
        }
        out.push('}');
        Ok(())
    }

    fn push_text(&self, out: &mut String, row: usize) -> Result<(), ApiError> {
        match self {
            Self::Boolean(array) => out.push_str(if array.value(row) { "true" } else { "false" }),
            Self::Date(array) => push_date(out, array.value(row)),
            Self::Double(array) => push_double(out, array.value(row)),
            Self::Duration(array) => push_interval(out, i128::from(array.value(row))),
            Self::Integer(array) => {
                out.push_str(&array.as_primitive::<Int64Type>().value(row).to_string());
            }
            Self::Interval(array) => {
                let interval = array.value(row);
                if interval.months != 0 {
                    let message = "An interval of months or years as a result is not supported.";
                    return Err(ApiError::validation(message));
                }
                let days = i128::from(interval.days) * i128::from(DAY_NS);
                push_interval(out, days + i128::from(interval.nanoseconds));
            }
            Self::Timestamp(array) => push_timestamp(out, array.value(row)),
            Self::Null | Self::Text(_) | Self::TextView(_) => {}
        }
        Ok(())
    }
}

fn push_json_string(out: &mut String, text: &str) {
    if text.bytes().all(|byte| byte >= b' ' && byte != b'"' && byte != b'\\') {
        out.push('"');
        out.push_str(text);
        out.push('"');
    } else {
        out.push_str(&serde_json::Value::from(text).to_string());
    }
}
