//! Writes: each answer means what it means for the lines, and nothing else.

use std::io::Read as _;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use axum::Router;
use axum::body::Bytes;
use axum::extract::RawQuery;
use axum::http::{HeaderMap, StatusCode};
use axum::routing::post;
use cutover_clients::influx::{Encoding, InfluxClient, Precision, WriteOutcome};
use cutover_clients::{Applied, ClientError};
use cutover_net::{Link, Network};
use flate2::read::GzDecoder;
use tokio::time::{Instant, sleep};

use crate::fixture::{TIMEOUTS, TOKEN, influx, influx_at, influx_saying};

const LINES: &str = "m f=1i 1\nm f=2i 2\n";

async fn write(client: &InfluxClient) -> Result<WriteOutcome, ClientError> {
    client.write("b", Precision::Nanoseconds, LINES.into(), Encoding::Plain).await
}

async fn outcome_of(status: u16, message: &str) -> WriteOutcome {
    let body = format!(r#"{{"code":"x","message":"{message}"}}"#);
    let status = StatusCode::from_u16(status).unwrap();
    let app =
        Router::new().route("/api/v2/write", post(move || async move { (status, body.clone()) }));
    let (_network, client) = influx_at(app);
    write(&client).await.unwrap()
}

fn no() -> String {
    "no".to_owned()
}

#[tokio::test(start_paused = true)]
async fn each_status_is_its_own_outcome() {
    use WriteOutcome::*;
    let cases = [
        (400, Malformed { message: no() }),
        (401, Unauthorized { message: no() }),
        (403, Unauthorized { message: no() }),
        (404, BucketMissing { message: no() }),
        (413, TooLarge { message: no() }),
        (422, Partial { message: no(), dropped: None }),
        (429, Throttled { status: 429, retry_after: None }),
        (503, Throttled { status: 503, retry_after: None }),
        (500, Failed { status: 500, message: no() }),
        (302, Failed { status: 302, message: no() }),
        (200, Failed { status: 200, message: no() }),
    ];
    for (status, expected) in cases {
        assert_eq!(outcome_of(status, "no").await, expected, "{status}");
    }
}

#[tokio::test(start_paused = true)]
async fn only_204_is_stored() {
    let app = Router::new().route("/api/v2/write", post(|| async { StatusCode::NO_CONTENT }));
    let (_network, client) = influx_at(app);
    assert_eq!(write(&client).await.unwrap(), WriteOutcome::Stored);
}

#[tokio::test(start_paused = true)]
async fn a_partial_write_tells_how_many_were_dropped() {
    let message = "failure writing points to database: partial write: field type conflict: input \
                   field dropped=9 is type float, already exists as type integer dropped=3";
    let WriteOutcome::Partial { dropped, .. } = outcome_of(422, message).await else {
        panic!("422 is partial")
    };
    assert_eq!(dropped, Some(3));
}

#[tokio::test(start_paused = true)]
async fn throttling_tells_how_long() {
    let app = Router::new().route(
        "/api/v2/write",
        post(|| async { (StatusCode::TOO_MANY_REQUESTS, [("Retry-After", "17")], "") }),
    );
    let (_network, client) = influx_at(app);
    let retry_after = Some(Duration::from_secs(17));
    let expected = WriteOutcome::Throttled { status: 429, retry_after };
    assert_eq!(write(&client).await.unwrap(), expected);
}

/// What one write of `LINES` looks like to the server.
async fn seen(encoding: Encoding) -> (String, HeaderMap, Bytes) {
    let seen = Arc::new(Mutex::new(None));
    let kept = seen.clone();
    let app = Router::new().route(
        "/api/v2/write",
        post(|RawQuery(query): RawQuery, headers: HeaderMap, body: Bytes| async move {
            *kept.lock().unwrap() = Some((query.unwrap(), headers, body));
            StatusCode::NO_CONTENT
        }),
    );
    let (_network, client) = influx_at(app);
    let written = client.write("a b&c", Precision::Milliseconds, LINES.into(), encoding).await;
    assert_eq!(written.unwrap(), WriteOutcome::Stored);
    seen.lock().unwrap().take().unwrap()
}

#[tokio::test(start_paused = true)]
async fn the_request_carries_bucket_precision_and_token() {
    let (query, headers, body) = seen(Encoding::Plain).await;
    assert_eq!(query, "org=ons%20%26%20co&bucket=a%20b%26c&precision=ms");
    assert_eq!(headers["authorization"], format!("Token {TOKEN}"));
    assert_eq!(headers.get("content-encoding"), None);
    assert_eq!(body, LINES);
}

#[tokio::test(start_paused = true)]
async fn a_compressed_body_says_so_and_unpacks_to_the_lines() {
    let (_, headers, body) = seen(Encoding::Gzip).await;
    assert_eq!(headers["content-encoding"], "gzip");
    let mut unpacked = String::new();
    GzDecoder::new(&*body).read_to_string(&mut unpacked).unwrap();
    assert_eq!(unpacked, LINES);
}

#[tokio::test(start_paused = true)]
async fn a_token_that_the_server_echoes_is_not_repeated() {
    let WriteOutcome::Unauthorized { message } =
        outcome_of(401, &format!("bad token {TOKEN}")).await
    else {
        panic!("401 is unauthorised")
    };
    assert_eq!(message, "bad token ***");
}

#[tokio::test(start_paused = true)]
async fn a_refusal_without_end_is_cut() {
    let app = Router::new()
        .route("/api/v2/write", post(|| async { (StatusCode::BAD_REQUEST, "x".repeat(1 << 20)) }));
    let (_network, client) = influx_at(app);
    let WriteOutcome::Malformed { message } = write(&client).await.unwrap() else {
        panic!("400 is malformed")
    };
    assert_eq!(message.len(), 8192);
}

#[tokio::test(start_paused = true)]
async fn a_refusal_that_breaks_off_still_counts() {
    let (_network, client) =
        influx_saying(&["HTTP/1.1 400 Bad Request\r\ncontent-length: 100\r\n\r\nunable to"]);
    let expected = WriteOutcome::Malformed { message: "unable to".to_owned() };
    assert_eq!(write(&client).await.unwrap(), expected);
}

#[tokio::test(start_paused = true)]
async fn a_refused_connect_was_surely_not_applied() {
    let error = write(&influx(&Network::default())).await.unwrap_err();
    assert!(matches!(error, ClientError::NotConnected { .. }), "{error:?}");
    assert_eq!(error.applied(), Applied::No);
}

#[tokio::test(start_paused = true)]
async fn a_connect_that_takes_too_long_was_surely_not_applied() {
    let (network, client) = influx_at(Router::new());
    let _cut = network.cut(&Link::between("client", "server"));
    let start = Instant::now();
    assert_eq!(write(&client).await.unwrap_err().applied(), Applied::No);
    assert_eq!(start.elapsed(), TIMEOUTS.connect);
}

fn slow() -> Router {
    let answer = || async {
        sleep(Duration::from_hours(1)).await;
        StatusCode::NO_CONTENT
    };
    Router::new().route("/api/v2/write", post(answer))
}

#[tokio::test(start_paused = true)]
async fn an_answer_that_takes_too_long_leaves_the_outcome_unknown() {
    let (_network, client) = influx_at(slow());
    let error = write(&client).await.unwrap_err();
    assert!(matches!(error, ClientError::TimedOut { .. }), "{error:?}");
    assert_eq!(error.applied(), Applied::Unknown);
}

#[tokio::test(start_paused = true)]
async fn a_reset_after_the_request_leaves_the_outcome_unknown() {
    let (network, client) = influx_at(slow());
    let writing = tokio::spawn(async move { write(&client).await });
    sleep(Duration::from_secs(1)).await;
    network.reset(&Link::between("client", "server"));
    let error = writing.await.unwrap().unwrap_err();
    assert!(matches!(error, ClientError::Interrupted { .. }), "{error:?}");
    assert_eq!(error.applied(), Applied::Unknown);
}

#[test]
fn only_what_may_pass_is_worth_another_try() {
    assert!(WriteOutcome::Throttled { status: 503, retry_after: None }.is_transient());
    assert!(WriteOutcome::Failed { status: 502, message: no() }.is_transient());
    assert!(!WriteOutcome::Partial { message: no(), dropped: Some(1) }.is_transient());
    assert!(!WriteOutcome::Malformed { message: no() }.is_transient());
    assert!(!WriteOutcome::Failed { status: 302, message: no() }.is_transient());
}
