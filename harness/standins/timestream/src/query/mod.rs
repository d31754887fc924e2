//! The `Query` operation: one page at a time, and the small operations beside it.
//!
//! A query runs once. When its result does not fit a page, [`Results`] keeps it under the token of
//! the next page. What a page looks like is `encode`'s; a query that comes again with the same
//! client token is answered from `repeats`.

mod encode;
mod repeats;
mod results;

use std::sync::Arc;

use axum::body::Bytes;
use serde_json::{Value, json};

use self::encode::{Page, PageLimit};
use self::repeats::Repeat;
pub(crate) use self::results::Results;
use crate::Shared;
use crate::error::ApiError;
use crate::sql::{Output, World};
use crate::wire::{self, CancelRequest, QueryRequest};

const MAX_QUERY_CHARS: usize = 262_144;
const MAX_ROWS: i64 = 1_000;
/// Every query is charged at least these.
const MIN_METERED_BYTES: u64 = 10_000_000;

/// A result with what every page of it repeats.
#[derive(Debug)]
pub(crate) struct Answer {
    query_id: String,
    /// `ColumnInfo` as JSON.
    column_info: String,
    output: Output,
}

pub(crate) async fn query(shared: &Shared, body: &[u8]) -> Result<Bytes, ApiError> {
    let request: QueryRequest = wire::parse(body)?;
    let query = checked_query(&request)?;
    let max_rows = checked_max_rows(request.max_rows)?;
    let now_ns = shared.config.clock.now_ns();
    if let Some(token) = &request.next_token {
        let (answer, row) = shared.results().redeem(token, &query, now_ns)?;
        return page(shared, &answer, &query, PageLimit { row, max_rows });
    }
    let repeat = Repeat::read(request.client_token, &query, request.max_rows)?;
    if let Some(repeat) = &repeat
        && let Some(body) = shared.results().repeats.find(repeat, now_ns)?
    {
        return Ok(body);
    }
    let world = World { catalog: &shared.catalog, now_ns };
    let output = shared.engine.run(world, &query).await?;
    let query_id = shared.results().new_query_id();
    let column_info = encode::column_info(&output.columns)?;
    let answer = Arc::new(Answer { query_id, column_info, output });
    let body = page(shared, &answer, &query, PageLimit { row: 0, max_rows })?;
    if let Some(repeat) = repeat {
        shared.results().repeats.keep(repeat, &body, now_ns);
    }
    Ok(body)
}

/// One page as the body of a response; the rest stays under the page's token.
fn page(
    shared: &Shared,
    answer: &Arc<Answer>,
    query: &str,
    limit: PageLimit,
) -> Result<Bytes, ApiError> {
    let Page { rows, next_row } = encode::page(answer, limit)?;
    let scanned = answer.output.bytes_scanned;
    let status = json!({
        "ProgressPercentage": 100.0,
        "CumulativeBytesScanned": scanned,
        "CumulativeBytesMetered": scanned.max(MIN_METERED_BYTES),
    });
    let token = next_row.map(|row| {
        let now_ns = shared.config.clock.now_ns();
        shared.results().keep(answer, query, row, now_ns)
    });
    let token = token.map_or(String::new(), |token| format!(r#","NextToken":"{token}""#));
    let Answer { query_id, column_info, .. } = answer.as_ref();
    Ok(Bytes::from(
        format!(r#"{{"QueryId":"{query_id}"{token},"Rows":{rows},"#)
            + &format!(r#""ColumnInfo":{column_info},"QueryStatus":{status}}}"#),
    ))
}

fn checked_query(request: &QueryRequest) -> Result<String, ApiError> {
    let query = wire::required(request.query_string.clone(), "queryString")?;
    if query.trim().is_empty() {
        return Err(ApiError::validation("The query is empty."));
    }
    if query.chars().count() > MAX_QUERY_CHARS {
        return Err(ApiError::validation(format!(
            "The query has more than {MAX_QUERY_CHARS} characters."
        )));
    }
    Ok(query)
}

fn checked_max_rows(max_rows: Option<i64>) -> Result<usize, ApiError> {
    match max_rows {
        None => Ok(usize::MAX),
        Some(asked) => usize::try_from(asked)
            .ok()
            .filter(|_| (1..=MAX_ROWS).contains(&asked))
            .ok_or_else(|| {
                ApiError::validation(format!("MaxRows must be from 1 to {MAX_ROWS}, not {asked}."))
            }),
    }
}

/// A query has always finished when another request is served, so there is nothing to stop.
pub(crate) fn cancel(shared: &Shared, body: &[u8]) -> Result<Value, ApiError> {
    let request: CancelRequest = wire::parse(body)?;
    let id = wire::required(request.query_id, "queryId")?;
    if !shared.results().knows_query(&id) {
        return Err(ApiError::validation(format!("The query {id} does not exist.")));
    }
    Ok(json!({ "CancellationMessage": format!("The query {id} has already finished.") }))
}

pub(crate) fn account_settings() -> Value {
    json!({ "MaxQueryTCU": 200, "QueryPricingModel": "BYTES_SCANNED" })
}
