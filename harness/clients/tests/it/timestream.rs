//! Timestream through the AWS SDK, against AWS JSON written by hand.

use std::collections::VecDeque;
use std::num::NonZeroU16;
use std::sync::{Arc, Mutex};

use axum::Router;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use axum::routing::post;
use cutover_clients::timestream::{
    Credentials, DatabaseOutcome, RecordsOutcome, RejectedRecord, TableOutcome, TableRetention,
    TimestreamAddress, TimestreamClient, TimestreamEndpoint, TimestreamRecord, TimestreamType,
    TimestreamValue,
};
use cutover_clients::{Applied, ClientError, Http};
use cutover_model::{Clock, FieldValue, Row, Secret, Tags};
use cutover_net::Network;
use serde_json::{Value, json};
use tokio::net::TcpListener;

use crate::fixture::{TIMEOUTS, http};

const HOUR: TableRetention = TableRetention { memory_hours: 1, magnetic_days: 2557 };

/// A service that gives scripted answers in order and keeps what it was asked.
#[derive(Clone, Default)]
struct Script {
    answers: Arc<Mutex<VecDeque<(u16, Value)>>>,
    asked: Arc<Mutex<Vec<(HeaderMap, Value)>>>,
}

impl Script {
    fn new(answers: impl IntoIterator<Item = (u16, Value)>) -> Self {
        let script = Self::default();
        script.answers.lock().unwrap().extend(answers);
        script
    }

    fn app(&self) -> Router {
        let answer = |State(script): State<Self>, headers: HeaderMap, body: String| async move {
            script.asked.lock().unwrap().push((headers, serde_json::from_str(&body).unwrap()));
            let answer = script.answers.lock().unwrap().pop_front();
            let (status, body) = answer.unwrap_or((500, json!({ "message": "nothing is left" })));
            let head = [("content-type", "application/x-amz-json-1.0")];
            (StatusCode::from_u16(status).unwrap(), head, body.to_string())
        };
        Router::new().route("/", post(answer)).with_state(self.clone())
    }

    /// The name of the operation and the body of the `n`th request.
    fn asked(&self, n: usize) -> (String, Value) {
        let (headers, body) = self.asked.lock().unwrap()[n].clone();
        (headers["x-amz-target"].to_str().unwrap().to_owned(), body)
    }
}

fn timestream(url: &str) -> TimestreamEndpoint {
    let credentials = Credentials::Fixed {
        access_key: "AKIA".to_owned(),
        secret: Secret::new("very-secret"),
        session: Some(Secret::new("session-secret")),
    };
    let (address, region) = (TimestreamAddress::fixed(url), "us-east-1".to_owned());
    TimestreamEndpoint { address, region, credentials }
}

async fn client_over(http: Http, url: &str) -> TimestreamClient {
    let clock = Clock::fixed(1_700_000_000_000_000_000);
    TimestreamClient::connect(timestream(url), http, clock, 7).await.unwrap()
}

async fn client_at(script: &Script) -> (Network, TimestreamClient) {
    let network = Network::default();
    network.serve("timestream", 80, script.app()).unwrap();
    let client = client_over(http(&network), "http://timestream").await;
    (network, client)
}

fn exception(name: &str) -> (u16, Value) {
    (400, json!({ "__type": format!("com.amazonaws#{name}"), "message": "no" }))
}

fn records(count: u8) -> Vec<TimestreamRecord> {
    let record = |n: u8| {
        let fields = [("v".to_owned(), FieldValue::Integer(n.into()))].into();
        let row = Row { time_ns: n.into(), tags: Tags::new(), fields };
        TimestreamRecord::from_row(&row, "m", 3).unwrap()
    };
    (0..count).map(record).collect()
}

fn info(columns: &[(&str, &str)]) -> Value {
    let column =
        |(name, kind): &(&str, &str)| json!({ "Name": name, "Type": { "ScalarType": kind } });
    columns.iter().map(column).collect()
}

/// A page with one column `n` of integers.
fn page(values: &[i64], token: Option<&str>) -> (u16, Value) {
    let row = |n: &i64| json!({ "Data": [{ "ScalarValue": n.to_string() }] });
    let rows: Value = values.iter().map(row).collect();
    let mut page = json!({ "QueryId": "q", "Rows": rows, "ColumnInfo": info(&[("n", "BIGINT")]) });
    if let Some(token) = token {
        page["NextToken"] = token.into();
    }
    (200, page)
}

/// A page with one cell of one type.
fn cell(kind: &str, datum: &Value) -> (u16, Value) {
    let columns = info(&[("c", kind)]);
    (200, json!({ "QueryId": "q", "Rows": [{ "Data": [datum] }], "ColumnInfo": columns }))
}

async fn read_all(script: &Script) -> Result<Vec<TimestreamValue>, ClientError> {
    let (_network, client) = client_at(script).await;
    let mut reader = client.query("SELECT 1");
    let mut values = Vec::new();
    while let Some(page) = reader.next_page().await? {
        values.extend(page.rows.into_iter().flatten());
    }
    Ok(values)
}

async fn value_of(kind: &str, datum: Value) -> Result<TimestreamValue, ClientError> {
    let values = read_all(&Script::new([cell(kind, &datum)])).await?;
    Ok(values.into_iter().next().unwrap())
}

fn integer(n: i64) -> TimestreamValue {
    TimestreamValue::Field(FieldValue::Integer(n))
}

#[tokio::test(start_paused = true)]
async fn every_page_is_read_with_the_token_of_the_one_before() {
    let script = Script::new([page(&[1], Some("a")), page(&[2, 3], Some("b")), page(&[4], None)]);
    assert_eq!(read_all(&script).await.unwrap(), [1, 2, 3, 4].map(integer));
    assert_eq!(script.asked(0).1["NextToken"], Value::Null);
    assert_eq!(script.asked(1).1["NextToken"], "a");
    assert_eq!(script.asked(2).1["NextToken"], "b");
}

#[tokio::test(start_paused = true)]
async fn an_empty_first_page_with_a_token_is_not_the_end() {
    let script = Script::new([page(&[], Some("a")), page(&[], Some("b")), page(&[4], None)]);
    assert_eq!(read_all(&script).await.unwrap(), [integer(4)]);
}

#[tokio::test(start_paused = true)]
async fn a_token_that_comes_twice_is_an_error() {
    let script = Script::new([page(&[1], Some("a")), page(&[2], Some("a"))]);
    let error = read_all(&script).await.unwrap_err();
    assert!(error.to_string().contains("a page token a second time"), "{error}");
}

#[tokio::test(start_paused = true)]
async fn an_answer_without_rows_still_tells_its_columns() {
    let script = Script::new([page(&[], None)]);
    let (_network, client) = client_at(&script).await;
    let mut reader = client.query("SELECT 1");
    let page = reader.next_page().await.unwrap().unwrap();
    assert_eq!((page.columns[0].kind, page.rows.len()), (TimestreamType::Bigint, 0));
    assert_eq!(reader.next_page().await.unwrap(), None);
}

#[tokio::test(start_paused = true)]
async fn columns_that_change_between_pages_are_an_error() {
    let other = json!({ "QueryId": "q", "Rows": [], "ColumnInfo": info(&[("n", "DOUBLE")]) });
    let script = Script::new([page(&[1], Some("a")), (200, other)]);
    assert!(matches!(read_all(&script).await, Err(ClientError::Malformed { .. })));
}

#[tokio::test(start_paused = true)]
async fn a_page_that_was_throttled_can_be_asked_for_again() {
    let script =
        Script::new([page(&[1], Some("a")), exception("ThrottlingException"), page(&[2], None)]);
    let (_network, client) = client_at(&script).await;
    let mut reader = client.query("SELECT 1");
    reader.next_page().await.unwrap();
    let error = reader.next_page().await.unwrap_err();
    assert!(error.is_transient(), "{error:?}");
    let page = reader.next_page().await.unwrap().unwrap();
    assert_eq!(page.rows, [[integer(2)]]);
    assert_eq!(script.asked(2).1["NextToken"], "a");
}

#[tokio::test(start_paused = true)]
async fn each_type_is_read_exactly() {
    let scalar = |text: &str| json!({ "ScalarValue": text });
    let cases = [
        ("BIGINT", "9007199254740993", integer(9_007_199_254_740_993)),
        ("INTEGER", "-2147483648", integer(-2_147_483_648)),
        ("DOUBLE", "1.0E10", TimestreamValue::Field(FieldValue::Float(1e10))),
        ("DOUBLE", "0.1", TimestreamValue::Field(FieldValue::Float(0.1))),
        ("DOUBLE", "Infinity", TimestreamValue::Field(FieldValue::Float(f64::INFINITY))),
        ("BOOLEAN", "true", TimestreamValue::Field(FieldValue::Boolean(true))),
        ("VARCHAR", "", TimestreamValue::Field(FieldValue::Text(String::new()))),
        (
            "TIMESTAMP",
            "2023-01-01 00:00:00.123456789",
            TimestreamValue::Timestamp(1_672_531_200_123_456_789),
        ),
        ("DATE", "2023-01-01", TimestreamValue::Other("2023-01-01".to_owned())),
    ];
    for (kind, text, expected) in cases {
        assert_eq!(value_of(kind, scalar(text)).await.unwrap(), expected, "{kind} {text}");
    }
}

#[tokio::test(start_paused = true)]
async fn null_is_no_value_and_an_empty_string_is_one() {
    assert_eq!(
        value_of("VARCHAR", json!({ "NullValue": true })).await.unwrap(),
        TimestreamValue::Null
    );
}

#[tokio::test(start_paused = true)]
async fn a_cell_that_is_not_of_its_type_is_refused_by_column() {
    let error = value_of("BIGINT", json!({ "ScalarValue": "1.5" })).await.unwrap_err();
    assert!(error.to_string().contains("`1.5` in column `c` is no Bigint"), "{error}");
}

#[tokio::test(start_paused = true)]
async fn a_column_of_arrays_is_refused_by_name() {
    let columns = json!([{ "Name": "a", "Type": { "ArrayColumnInfo": {
        "Name": "x", "Type": { "ScalarType": "BIGINT" } } } }]);
    let script = Script::new([(200, json!({ "QueryId": "q", "Rows": [], "ColumnInfo": columns }))]);
    let error = read_all(&script).await.unwrap_err();
    assert!(error.to_string().contains("column `a` is an array"), "{error}");
}

#[tokio::test(start_paused = true)]
async fn a_row_with_a_cell_too_few_is_refused() {
    let body =
        json!({ "QueryId": "q", "Rows": [{ "Data": [] }], "ColumnInfo": info(&[("n", "BIGINT")]) });
    let error = read_all(&Script::new([(200, body)])).await.unwrap_err();
    assert!(error.to_string().contains("a row has 0 cells under 1 columns"), "{error}");
}

#[tokio::test(start_paused = true)]
async fn a_query_that_the_service_refuses_tells_its_reason() {
    let error = read_all(&Script::new([exception("ValidationException")])).await.unwrap_err();
    let ClientError::Answered { status, code, message, .. } = &error else { panic!("{error:?}") };
    assert_eq!((*status, &**code, &**message), (400, "ValidationException", "no"));
    assert!(!error.is_transient());
}

#[tokio::test(start_paused = true)]
async fn two_queries_never_share_a_client_token() {
    let script = Script::new([page(&[1], None), page(&[1], None)]);
    let (_network, client) = client_at(&script).await;
    client.query("SELECT 1").next_page().await.unwrap();
    client.query("SELECT 1").next_page().await.unwrap();
    let token = |n| script.asked(n).1["ClientToken"].as_str().unwrap().to_owned();
    assert_ne!(token(0), token(1));
    assert!((32..=128).contains(&token(0).len()));
}

#[tokio::test(start_paused = true)]
async fn a_page_size_is_passed_on() {
    let script = Script::new([page(&[1], None)]);
    let (_network, client) = client_at(&script).await;
    let mut reader = client.query("SELECT 1").with_max_rows(NonZeroU16::new(100).unwrap());
    reader.next_page().await.unwrap();
    assert_eq!(script.asked(0).1["MaxRows"], 100);
}

#[tokio::test(start_paused = true)]
async fn a_written_record_carries_everything_once() {
    let script = Script::new([(
        200,
        json!({ "RecordsIngested": { "Total": 1, "MemoryStore": 1, "MagneticStore": 0 } }),
    )]);
    let (_network, client) = client_at(&script).await;
    let outcome = client.write_records("db", "t", &records(1)).await.unwrap();
    assert_eq!(outcome, RecordsOutcome::AllIngested { total: 1 });
    let (target, body) = script.asked(0);
    assert_eq!(target, "Timestream_20181101.WriteRecords");
    let record = json!({
        "MeasureName": "m", "MeasureValueType": "MULTI", "Time": "0", "TimeUnit": "NANOSECONDS",
        "Version": 3, "MeasureValues": [{ "Name": "v", "Value": "0", "Type": "BIGINT" }],
    });
    assert_eq!(body, json!({ "DatabaseName": "db", "TableName": "t", "Records": [record] }));
}

#[tokio::test(start_paused = true)]
async fn a_success_that_counts_too_few_is_no_success() {
    let script = Script::new([(200, json!({ "RecordsIngested": { "Total": 1 } }))]);
    let (_network, client) = client_at(&script).await;
    let error = client.write_records("db", "t", &records(2)).await.unwrap_err();
    assert_eq!(error.applied(), Applied::Unknown);
}

fn rejection(index: i64) -> (u16, Value) {
    let record = json!({ "RecordIndex": index, "Reason": "lower version", "ExistingVersion": 5 });
    let (name, records) = ("RejectedRecordsException", [record]);
    (419, json!({ "__type": name, "Message": "one or more", "RejectedRecords": records }))
}

#[tokio::test(start_paused = true)]
async fn rejected_records_are_named_with_their_reason() {
    let (_network, client) = client_at(&Script::new([rejection(1)])).await;
    let RecordsOutcome::Rejected { records, .. } =
        client.write_records("db", "t", &records(2)).await.unwrap()
    else {
        panic!("records were rejected")
    };
    let (reason, existing_version) = ("lower version".to_owned(), Some(5));
    assert_eq!(records, [RejectedRecord { index: 1, reason, existing_version }]);
}

#[tokio::test(start_paused = true)]
async fn a_rejection_of_a_record_that_was_not_sent_is_refused() {
    for index in [-1, 2] {
        let (_network, client) = client_at(&Script::new([rejection(index)])).await;
        let error = client.write_records("db", "t", &records(2)).await.unwrap_err();
        assert!(matches!(error, ClientError::Malformed { .. }), "{error:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn throttled_and_failed_writes_are_told_apart() {
    let script = Script::new([
        exception("ThrottlingException"),
        exception("ResourceNotFoundException"),
        (500, json!({ "__type": "InternalServerException", "Message": "no" })),
    ]);
    let (_network, client) = client_at(&script).await;
    let mut outcomes = Vec::new();
    for _ in 0..3 {
        outcomes.push(client.write_records("db", "t", &records(1)).await.unwrap());
    }
    assert!(matches!(&outcomes[0], RecordsOutcome::Throttled { .. }), "{outcomes:?}");
    assert!(
        matches!(&outcomes[1], RecordsOutcome::Failed { status: 400, code, .. }
        if code == "ResourceNotFoundException"),
        "{outcomes:?}"
    );
    assert!(matches!(&outcomes[2], RecordsOutcome::Failed { status: 500, .. }), "{outcomes:?}");
    assert_eq!(
        outcomes.iter().map(RecordsOutcome::is_transient).collect::<Vec<_>>(),
        [true, false, true]
    );
}

#[tokio::test(start_paused = true)]
async fn more_than_a_hundred_records_are_refused_before_anything_is_sent() {
    let script = Script::default();
    let (_network, client) = client_at(&script).await;
    let error = client.write_records("db", "t", &records(101)).await.unwrap_err();
    assert!(matches!(error, ClientError::Invalid { .. }), "{error:?}");
    assert!(script.asked.lock().unwrap().is_empty());
}

#[tokio::test(start_paused = true)]
async fn the_sdk_does_not_retry_by_itself() {
    let script = Script::new([exception("ThrottlingException")]);
    let (_network, client) = client_at(&script).await;
    client.write_records("db", "t", &records(1)).await.unwrap();
    assert_eq!(script.asked.lock().unwrap().len(), 1);
}

#[tokio::test(start_paused = true)]
async fn a_database_that_exists_is_present() {
    let script = Script::new([(200, json!({})), exception("ConflictException")]);
    let (_network, client) = client_at(&script).await;
    assert_eq!(client.ensure_database("db").await.unwrap(), DatabaseOutcome::Created);
    assert_eq!(client.ensure_database("db").await.unwrap(), DatabaseOutcome::Present);
}

#[tokio::test(start_paused = true)]
async fn a_table_is_made_with_its_retention_and_takes_late_records() {
    let script = Script::new([(200, json!({}))]);
    let (_network, client) = client_at(&script).await;
    assert_eq!(client.ensure_table("db", "t", HOUR).await.unwrap(), TableOutcome::Created);
    let (target, body) = script.asked(0);
    assert_eq!(target, "Timestream_20181101.CreateTable");
    let retention = &body["RetentionProperties"];
    assert_eq!(retention["MemoryStoreRetentionPeriodInHours"], 1);
    assert_eq!(retention["MagneticStoreRetentionPeriodInDays"], 2557);
    assert_eq!(body["MagneticStoreWriteProperties"]["EnableMagneticStoreWrites"], true);
}

async fn existing_table(hours: i64) -> TableOutcome {
    let table = json!({ "Table": {
        "RetentionProperties": {
            "MemoryStoreRetentionPeriodInHours": hours,
            "MagneticStoreRetentionPeriodInDays": 2557,
        },
        "MagneticStoreWriteProperties": { "EnableMagneticStoreWrites": true } } });
    let script = Script::new([exception("ConflictException"), (200, table)]);
    let (_network, client) = client_at(&script).await;
    client.ensure_table("db", "t", HOUR).await.unwrap()
}

#[tokio::test(start_paused = true)]
async fn a_table_that_exists_is_compared_and_left_alone() {
    assert_eq!(existing_table(1).await, TableOutcome::Present);
    let found = TableRetention { memory_hours: 24, ..HOUR };
    assert_eq!(existing_table(24).await, TableOutcome::Drifted { found, takes_late_records: true });
}

#[tokio::test(start_paused = true)]
async fn no_connection_was_surely_not_applied() {
    let client = client_over(http(&Network::default()), "http://timestream").await;
    let error = client.write_records("db", "t", &records(1)).await.unwrap_err();
    assert!(matches!(error, ClientError::NotConnected { operation: "write records", .. }));
}

#[tokio::test(start_paused = true)]
async fn a_clock_in_virtual_time_signs_the_requests() {
    let script = Script::new([page(&[1], None)]);
    let (_network, client) = client_at(&script).await;
    client.query("SELECT 1").next_page().await.unwrap();
    let (headers, _) = script.asked.lock().unwrap()[0].clone();
    assert_eq!(headers["x-amz-date"], "20231114T221320Z");
    assert_eq!(headers["x-amz-security-token"], "session-secret");
}

/// Everything that went over the network in a short run.
async fn traffic() -> u64 {
    let script = Script::new([page(&[1], Some("a")), exception("ThrottlingException")]);
    let (network, client) = client_at(&script).await;
    let mut reader = client.query("SELECT 1");
    reader.next_page().await.unwrap();
    reader.next_page().await.unwrap_err();
    network.traffic_hash()
}

#[tokio::test(start_paused = true)]
async fn two_runs_of_one_seed_send_the_same_bytes() {
    assert_eq!(traffic().await, traffic().await);
}

#[tokio::test]
async fn the_same_client_speaks_over_sockets() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let script = Script::new([page(&[1], None)]);
    let serving = axum::serve(listener, script.app());
    tokio::spawn(async move { serving.await.unwrap() });
    let client = client_over(Http::sockets(TIMEOUTS).unwrap(), &url).await;
    let page = client.query("SELECT 1").next_page().await.unwrap().unwrap();
    assert_eq!(page.rows, [[integer(1)]]);
}

#[test]
fn no_debug_output_shows_a_credential() {
    assert!(!format!("{:?}", timestream("http://x")).contains("secret\""));
    assert!(!format!("{:?}", timestream("http://x")).contains("very-secret"));
}
