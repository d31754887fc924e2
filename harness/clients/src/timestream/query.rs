//! SQL queries, read page by page to the last.
//!
//! The main type is [`QueryReader`]. A page may be empty with more to come, and a token that comes
//! twice would read for ever, so both are looked after here. Cells arrive as text and are parsed by
//! the type of their column, exactly; rows, arrays and time series in cells are refused by name.

use std::collections::BTreeSet;
use std::num::NonZeroU16;
use std::sync::Arc;

use aws_sdk_timestreamquery::operation::query::QueryOutput;
use aws_sdk_timestreamquery::types::{ColumnInfo, Datum, ScalarType};
use cutover_model::FieldValue;

use super::client::TimestreamClient;
use crate::aws::classify;
use crate::error::ClientError;
use crate::instant::parse_timestream;

/// The type of a column.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TimestreamType {
    /// `VARCHAR`
    Text,
    /// `BOOLEAN`
    Boolean,
    /// `BIGINT`
    Bigint,
    /// `INTEGER`
    Integer,
    /// `DOUBLE`
    Float,
    /// `TIMESTAMP`
    Timestamp,
    /// `DATE`
    Date,
    /// `TIME`
    TimeOfDay,
    /// `INTERVAL_DAY_TO_SECOND` or `INTERVAL_YEAR_TO_MONTH`
    Interval,
    /// `UNKNOWN`: the type of a literal `NULL`.
    Unknown,
}

/// A column of an answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TimestreamColumn {
    /// Its name, empty where an expression was given none.
    pub name: String,
    /// Its type.
    pub kind: TimestreamType,
}

/// The value of a cell.
#[derive(Clone, Debug, PartialEq)]
pub enum TimestreamValue {
    /// No value.
    Null,
    /// A boolean, an integer, a float or a string.
    Field(FieldValue),
    /// An instant, in nanoseconds since the epoch.
    Timestamp(i64),
    /// A date, a time of day or an interval, as the service writes it.
    Other(String),
}

/// The cells of a row, in the order of the columns.
pub type TimestreamRow = Vec<TimestreamValue>;

/// A page of an answer.
#[derive(Clone, Debug, PartialEq)]
pub struct QueryPage {
    /// The columns, the same for all pages.
    pub columns: Arc<[TimestreamColumn]>,
    /// The rows; at least one except on the last page.
    pub rows: Vec<TimestreamRow>,
}

/// The pages of an answer, in order.
#[derive(Debug)]
pub struct QueryReader {
    client: TimestreamClient,
    sql: String,
    max_rows: Option<NonZeroU16>,
    position: Position,
    seen_tokens: BTreeSet<String>,
    columns: Option<Arc<[TimestreamColumn]>>,
    bytes_metered: i64,
}

#[derive(Clone, Debug)]
enum Position {
    Start,
    At(String),
    End,
}

impl TimestreamClient {
    /// Prepares a query; the first page is asked for with [`QueryReader::next_page`].
    pub fn query(&self, sql: &str) -> QueryReader {
        QueryReader {
            client: self.clone(),
            sql: sql.to_owned(),
            max_rows: None,
            position: Position::Start,
            seen_tokens: BTreeSet::new(),
            columns: None,
            bytes_metered: 0,
        }
    }
}

impl QueryReader {
    /// Asks for pages of at most `rows` rows; the service takes up to 1,000.
    #[must_use]
    pub fn with_max_rows(mut self, rows: NonZeroU16) -> Self {
        self.max_rows = Some(rows);
        self
    }

    /// The bytes that the service says it charges for, as of the last page.
    pub fn bytes_metered(&self) -> i64 {
        self.bytes_metered
    }

    /// The next page, or `None` after the last. Even an answer without rows has one page, which
    /// tells its columns.
    ///
    /// After an error that [is transient](ClientError::is_transient) the same page is asked for
    /// again.
    pub async fn next_page(&mut self) -> Result<Option<QueryPage>, ClientError> {
        loop {
            let token = match &self.position {
                Position::Start => None,
                Position::At(token) => Some(token.clone()),
                Position::End => return Ok(None),
            };
            let answer = self.ask(token).await?;
            let last = answer.next_token.is_none();
            let page = self.take_in(answer)?;
            // A page without rows that is not the last only says that the query still runs.
            if last || !page.rows.is_empty() {
                return Ok(Some(page));
            }
        }
    }

    async fn ask(&self, token: Option<String>) -> Result<QueryOutput, ClientError> {
        let inner = &self.client.inner;
        inner
            .query
            .query()
            .query_string(&self.sql)
            .client_token(inner.client_token())
            .set_next_token(token)
            .set_max_rows(self.max_rows.map(|rows| rows.get().into()))
            .send()
            .await
            .map_err(|error| classify("query", error))
    }

    fn take_in(&mut self, answer: QueryOutput) -> Result<QueryPage, ClientError> {
        let columns: Arc<[_]> = answer.column_info.iter().map(column).collect::<Result<_, _>>()?;
        let columns = match &self.columns {
            Some(known) if *known == columns => known.clone(),
            Some(_) => return Err(malformed("its columns change from page to page".to_owned())),
            None => columns,
        };
        let mut rows = Vec::with_capacity(answer.rows.len());
        for row in &answer.rows {
            if row.data.len() != columns.len() {
                let (cells, width) = (row.data.len(), columns.len());
                return Err(malformed(format!("a row has {cells} cells under {width} columns")));
            }
            let cells = row.data.iter().zip(columns.iter());
            rows.push(cells.map(|(cell, column)| value(cell, column)).collect::<Result<_, _>>()?);
        }
        self.position = match answer.next_token {
            None => Position::End,
            Some(token) if self.seen_tokens.insert(token.clone()) => Position::At(token),
            Some(_) => return Err(malformed("it gives a page token a second time".to_owned())),
        };
        if let Some(status) = &answer.query_status {
            self.bytes_metered = status.cumulative_bytes_metered;
        }
        self.columns = Some(columns.clone());
        Ok(QueryPage { columns, rows })
    }
}

fn column(info: &ColumnInfo) -> Result<TimestreamColumn, ClientError> {
    let name = info.name.clone().unwrap_or_default();
    let scalar = info.r#type.as_ref().and_then(|kind| kind.scalar_type.as_ref());
    let kind = match scalar {
        Some(ScalarType::Varchar) => TimestreamType::Text,
        Some(ScalarType::Boolean) => TimestreamType::Boolean,
        Some(ScalarType::Bigint) => TimestreamType::Bigint,
        Some(ScalarType::Integer) => TimestreamType::Integer,
        Some(ScalarType::Double) => TimestreamType::Float,
        Some(ScalarType::Timestamp) => TimestreamType::Timestamp,
        Some(ScalarType::Date) => TimestreamType::Date,
        Some(ScalarType::Time) => TimestreamType::TimeOfDay,
        Some(ScalarType::IntervalDayToSecond | ScalarType::IntervalYearToMonth) => {
            TimestreamType::Interval
        }
        Some(ScalarType::UnknownValue) => TimestreamType::Unknown,
        Some(other) => {
            return Err(malformed(format!("column `{name}` has the unknown type `{other}`")));
        }
        None => {
            let problem = "is an array, a row or a time series, which is not read here";
            return Err(malformed(format!("column `{name}` {problem}")));
        }
    };
    Ok(TimestreamColumn { name, kind })
}

fn value(cell: &Datum, column: &TimestreamColumn) -> Result<TimestreamValue, ClientError> {
    let name = &column.name;
    let text = match (cell.null_value, &cell.scalar_value) {
        (Some(true), None) => return Ok(TimestreamValue::Null),
        (None | Some(false), Some(text)) => text,
        _ => return Err(malformed(format!("a cell of column `{name}` is no scalar and not null"))),
    };
    parse(column.kind, text).ok_or_else(|| {
        let text: String = text.chars().take(64).collect();
        malformed(format!("`{text}` in column `{name}` is no {:?}", column.kind))
    })
}

fn parse(kind: TimestreamType, text: &str) -> Option<TimestreamValue> {
    let field = match kind {
        TimestreamType::Text => FieldValue::Text(text.to_owned()),
        TimestreamType::Boolean => FieldValue::Boolean(text.parse().ok()?),
        TimestreamType::Bigint => FieldValue::Integer(text.parse().ok()?),
        TimestreamType::Integer => FieldValue::Integer(text.parse::<i32>().ok()?.into()),
        TimestreamType::Float => FieldValue::Float(text.parse().ok()?),
        TimestreamType::Timestamp => {
            return parse_timestream(text).ok().map(TimestreamValue::Timestamp);
        }
        TimestreamType::Date
        | TimestreamType::TimeOfDay
        | TimestreamType::Interval
        | TimestreamType::Unknown => return Some(TimestreamValue::Other(text.to_owned())),
    };
    Some(TimestreamValue::Field(field))
}

fn malformed(problem: String) -> ClientError {
    ClientError::Malformed { operation: "query", problem }
}
