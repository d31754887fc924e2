//! The router in virtual time: on a paused clock, without sockets.

use std::time::Duration;

use axum::body::{Body, to_bytes};
use cutover_model::Clock;
use cutover_standin_timestream::{Config, TimestreamStandin};
use http::Request;
use serde_json::{Value, json};
use tokio::time::Instant;
use tower::ServiceExt;

use crate::server::NOW_NS;

async fn send(standin: &TimestreamStandin, operation: &str, body: Value) -> Value {
    let request = Request::post("/")
        .header("X-Amz-Target", format!("Timestream_20181101.{operation}"))
        .header("Authorization", "AWS4-HMAC-SHA256")
        .body(Body::from(body.to_string()))
        .unwrap();
    let answer = standin.router().oneshot(request).await.unwrap();
    let body = to_bytes(answer.into_body(), usize::MAX).await.unwrap();
    serde_json::from_slice(&body).unwrap()
}

fn paused<T>(test: impl Future<Output = T>) -> T {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_time()
        .start_paused(true)
        .build()
        .unwrap();
    runtime.block_on(test)
}

fn standin() -> TimestreamStandin {
    let start = Instant::now();
    let clock = Clock::new(move || NOW_NS + i64::try_from(start.elapsed().as_nanos()).unwrap());
    TimestreamStandin::new(Config { clock, advertised_address: "timestream:443".to_owned() })
}

/// Everything that a small run answers, as text.
async fn run() -> String {
    let standin = standin();
    let mut log = String::new();
    let mut say = |answer: Value| log.push_str(&answer.to_string());
    say(send(&standin, "CreateDatabase", json!({ "DatabaseName": "ons" })).await);
    let name = json!({ "DatabaseName": "ons", "TableName": "load" });
    say(send(&standin, "CreateTable", name).await);
    for minute in 0..5_u64 {
        tokio::time::sleep(Duration::from_mins(1)).await;
        let time = NOW_NS / 1_000_000 + i64::try_from(minute).unwrap() * 60_000;
        let record = json!({
            "MeasureName": "load", "MeasureValue": "1.5", "Time": time.to_string(),
            "Dimensions": [{ "Name": "region", "Value": format!("r{minute}") }],
        });
        let records = json!({ "DatabaseName": "ons", "TableName": "load", "Records": [record] });
        say(send(&standin, "WriteRecords", records).await);
        let sql = "SELECT region, count(*), now() FROM \"ons\".\"load\" GROUP BY region";
        say(send(&standin, "Query", json!({ "QueryString": sql, "MaxRows": 1 })).await);
    }
    log
}

#[test]
fn a_query_takes_no_virtual_time() {
    paused(async {
        let standin = standin();
        let before = Instant::now();
        let sql = "SELECT count(*) FROM (VALUES (1), (2), (3)) a(x), (VALUES (1), (2), (3)) b(y)";
        send(&standin, "Query", json!({ "QueryString": sql })).await;
        assert_eq!(before.elapsed(), Duration::ZERO);
    });
}

#[test]
fn two_runs_answer_the_same_bytes() {
    assert_eq!(paused(run()), paused(run()));
}

#[test]
fn the_present_is_the_clocks() {
    paused(async {
        let standin = standin();
        tokio::time::sleep(Duration::from_millis(90_061_001)).await;
        let answer = send(&standin, "Query", json!({ "QueryString": "SELECT now()" })).await;
        let now = &answer["Rows"][0]["Data"][0]["ScalarValue"];
        assert_eq!(now, "2024-01-02 01:01:01.001000000");
    });
}
