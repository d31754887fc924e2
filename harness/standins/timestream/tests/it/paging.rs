//! Results of more than one page.

use aws_sdk_timestreamquery::operation::query::{QueryError, QueryOutput};
use aws_sdk_timestreamwrite::types::Record;

use crate::server::{self, NOW_S, Server, record, texts};

const REGIONS: [&str; 4] = ["N", "NE", "S", "SE"];
/// A year of hours.
const HOURS: i64 = 8_760;
const ORDERED: &str = r#"SELECT region, time, measure_value::double AS value
    FROM "ons"."load_curve" ORDER BY region, time"#;

async fn with_a_year() -> Server {
    let server = server::start_with_table().await;
    let records: Vec<Record> = (0..HOURS)
        .flat_map(|hour| {
            let value = hour as f64 + 0.125;
            REGIONS.map(|region| record(region, NOW_S - (HOURS - hour) * 3_600, value))
        })
        .collect();
    server.put(records).await;
    server
}

async fn page(server: &Server, token: Option<String>) -> Result<QueryOutput, QueryError> {
    let request =
        server.query.query().query_string("SELECT * FROM (VALUES (1), (2), (3), (4), (5)) t(n)");
    let answer = request.max_rows(2).set_next_token(token).send().await;
    answer.map_err(aws_sdk_timestreamquery::error::SdkError::into_service_error)
}

fn rows(output: &QueryOutput) -> Vec<Vec<String>> {
    output.rows().iter().map(texts).collect()
}

async fn all_pages(server: &Server) -> Vec<QueryOutput> {
    let mut pages: Vec<QueryOutput> = Vec::new();
    loop {
        let token = pages.last().and_then(|page| page.next_token()).map(str::to_owned);
        if token.is_none() && !pages.is_empty() {
            return pages;
        }
        let request = server.query.query().query_string(ORDERED).set_next_token(token);
        pages.push(request.send().await.unwrap());
    }
}

#[tokio::test]
async fn a_year_is_read_in_order_without_loss() {
    let server = with_a_year().await;
    let pages = all_pages(&server).await;
    assert!(pages.len() > 3, "{}", pages.len());
    let read: Vec<Vec<String>> = pages.iter().flat_map(rows).collect();
    assert_eq!(read.len(), 35_040);
    assert!(read.is_sorted());
    assert_eq!(read[0], ["N", "2023-01-01 00:00:00.000000000", "0.125"]);
    assert_eq!(read[35_039], ["SE", "2023-12-31 23:00:00.000000000", "8759.125"]);
}

#[tokio::test]
async fn no_page_has_more_than_a_megabyte() {
    let server = with_a_year().await;
    for page in all_pages(&server).await {
        // The JSON of a value has at least these bytes beside the value.
        let row_bytes = |row: &Vec<String>| row.iter().map(|cell| cell.len() + 18).sum::<usize>();
        let bytes: usize = rows(&page).iter().map(row_bytes).sum();
        assert!(bytes <= 1_048_576, "{bytes}");
    }
}

#[tokio::test]
async fn every_page_tells_the_columns_and_the_id_of_its_query() {
    let server = with_a_year().await;
    let pages = all_pages(&server).await;
    for page in &pages {
        assert_eq!(page.column_info(), pages[0].column_info());
        assert_eq!(page.query_id(), pages[0].query_id());
    }
}

#[tokio::test]
async fn max_rows_bounds_a_page() {
    let server = server::start().await;
    let first = page(&server, None).await.unwrap();
    let second = page(&server, first.next_token().map(str::to_owned)).await.unwrap();
    let third = page(&server, second.next_token().map(str::to_owned)).await.unwrap();
    assert_eq!(rows(&first), [["1"], ["2"]]);
    assert_eq!(rows(&second), [["3"], ["4"]]);
    assert_eq!(rows(&third), [["5"]]);
    assert_eq!(third.next_token(), None);
}

#[tokio::test]
async fn a_page_can_be_read_again() {
    let server = server::start().await;
    let first = page(&server, None).await.unwrap();
    let token = first.next_token().map(str::to_owned);
    let once = page(&server, token.clone()).await.unwrap();
    let again = page(&server, token).await.unwrap();
    assert_eq!(rows(&once), rows(&again));
    assert_eq!(once.next_token(), again.next_token());
}

#[tokio::test]
async fn a_token_with_another_query_is_refused() {
    let server = server::start().await;
    let first = page(&server, None).await.unwrap();
    let request = server.query.query().query_string("SELECT 2");
    let error = request.set_next_token(first.next_token).send().await.unwrap_err();
    assert!(matches!(error.into_service_error(), QueryError::ValidationException(_)));
}

#[tokio::test]
async fn a_token_that_was_not_given_out_is_refused() {
    let server = server::start().await;
    let error = page(&server, Some("nonsense".to_owned())).await.unwrap_err();
    assert!(matches!(error, QueryError::ValidationException(_)));
}

#[tokio::test]
async fn writes_between_pages_do_not_change_them() {
    let server = server::start_with_table().await;
    server.put((0..4).map(|hour| record("SE", NOW_S - hour * 3_600, 1.0)).collect()).await;
    let sql = r#"SELECT region FROM "ons"."load_curve" ORDER BY region"#;
    let first = server.query.query().query_string(sql).max_rows(2).send().await.unwrap();
    server.put(vec![record("A", NOW_S, 1.0)]).await;
    let rest = server.query.query().query_string(sql).set_next_token(first.next_token);
    let rest = rest.send().await.unwrap();
    assert_eq!(rows(&rest), [["SE"], ["SE"]]);
}

#[tokio::test]
async fn rows_outside_one_to_a_thousand_are_refused() {
    let server = server::start().await;
    for max_rows in [0, -1, 1_001] {
        let request = server.query.query().query_string("SELECT 1").max_rows(max_rows);
        let error = request.send().await.unwrap_err().into_service_error();
        assert!(matches!(error, QueryError::ValidationException(_)), "{max_rows}");
    }
}

#[tokio::test]
async fn a_query_that_is_too_long_is_refused() {
    let server = server::start().await;
    let longest = format!("SELECT 1{}", " ".repeat(262_144 - 8));
    assert_eq!(server.rows(&longest).await, [["1"]]);
    assert!(server.refusal(&format!("{longest} ")).await.contains("262144"));
}

#[tokio::test]
async fn a_client_token_repeats_the_first_answer() {
    let server = server::start_with_table().await;
    let token = "a-token-of-thirty-two-characters";
    let sql = r#"SELECT count(*) FROM "ons"."load_curve""#;
    let request = || server.query.query().query_string(sql).client_token(token).send();
    let before = request().await.unwrap();
    server.put(vec![record("SE", NOW_S, 1.0)]).await;
    let after = request().await.unwrap();
    assert_eq!(rows(&before), rows(&after));
    assert_eq!(server.value(sql).await, "1");
}
