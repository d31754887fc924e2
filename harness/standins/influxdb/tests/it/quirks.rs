//! Each quirk as a client on a connection sees it, and not at all at share 0.

use std::time::Duration;

use cutover_model::{Clock, Ratio};
use cutover_standin_influxdb::{
    Config, InfluxdbStandin, Quirk, QuirkControl, QuirkKind, Schedule, Scope,
};
use http::{Request, StatusCode};
use http_body_util::BodyExt;
use serde_json::json;
use tokio::time::{Instant, timeout};

use super::wire::Connection;
use super::{Client, NOW_NS};

const LONG: Duration = Duration::from_hours(1);

/// A stand-in that is set up and has four points, and a client of it.
async fn standin() -> (InfluxdbStandin, Client) {
    let standin = InfluxdbStandin::new(Config::new(Clock::fixed(NOW_NS)));
    let client = Client { router: standin.router(), token: Some("Token secret") };
    client.set_up().await;
    client.write("m v=1 1\nm v=2 2\nm v=3 3\nm v=4 4").await;
    (standin, client)
}

async fn with(kind: QuirkKind, scope: Scope) -> (Client, Connection) {
    let (standin, client) = standin().await;
    standin.set_quirks(vec![Quirk::always(kind, scope)]);
    let connection = Connection::open(client.router.clone()).await;
    (client, connection)
}

/// The rows of the bucket when no quirk stands in the way.
async fn rows(client: &Client) -> usize {
    client.rows().await.len()
}

#[tokio::test(start_paused = true)]
async fn latency_holds_an_answer_back() {
    let add = Duration::from_millis(250);
    let (_, mut connection) = with(QuirkKind::Latency { add }, Scope::writes()).await;
    let start = Instant::now();
    assert_eq!(connection.write("m v=5 5").await.unwrap().status, 204);
    assert_eq!(start.elapsed(), add);
    connection.query().await.unwrap();
    assert_eq!(start.elapsed(), add);
}

#[tokio::test]
async fn an_error_is_answered_in_the_form_of_the_server_and_nothing_is_stored() {
    for (status, code) in [
        (429, "too many requests"),
        (503, "unavailable"),
        (401, "unauthorized"),
        (413, "request too large"),
        (500, "internal error"),
    ] {
        let status = StatusCode::from_u16(status).unwrap();
        let retry_after = Some(Duration::from_millis(1500));
        let kind = QuirkKind::HttpError { status, retry_after };
        let (client, mut connection) = with(kind, Scope::writes()).await;
        let answer = connection.write("m v=5 5").await.unwrap();
        assert_eq!(answer.status, status);
        assert_eq!(answer.headers["retry-after"], "2");
        assert_eq!(answer.headers["x-platform-error-code"], code);
        assert_eq!(answer.headers["x-influxdb-version"], "v2.7.12");
        assert_eq!(rows(&client).await, 4);
    }
}

#[tokio::test]
async fn a_refused_connection_ends_without_an_answer_or_a_write() {
    let (client, mut connection) = with(QuirkKind::RefuseConnections, Scope::writes()).await;
    assert!(connection.write("m v=5 5").await.is_err());
    assert_eq!(rows(&client).await, 4);
}

#[tokio::test]
async fn a_write_whose_acknowledgement_is_lost_is_stored() {
    let (client, mut connection) = with(QuirkKind::AckLost, Scope::writes()).await;
    assert!(connection.write("m v=5 5").await.is_err());
    assert_eq!(rows(&client).await, 5);
}

#[tokio::test]
async fn a_partial_write_stores_the_first_half_and_counts_the_rest() {
    let (client, mut connection) = with(QuirkKind::PartialWrite, Scope::writes()).await;
    let answer = connection.write("m v=5 5\nm v=6 6\nm v=7 7").await.unwrap();
    assert_eq!(answer.status, 422);
    assert!(answer.text.contains("partial write: "), "{}", answer.text);
    assert!(answer.text.contains("dropped=2"), "{}", answer.text);
    assert_eq!(rows(&client).await, 5);
    assert_eq!(connection.query().await.unwrap().status, 200);
}

#[tokio::test]
async fn a_body_that_cannot_be_read_is_no_partial_write() {
    let (client, mut connection) = with(QuirkKind::PartialWrite, Scope::writes()).await;
    assert_eq!(connection.write("m v=5 5\nm v=").await.unwrap().status, 400);
    assert_eq!(rows(&client).await, 4);
}

#[tokio::test]
async fn what_is_applied_twice_is_answered_for_the_second_time() {
    let (_, mut connection) = with(QuirkKind::DuplicateApply, Scope::all()).await;
    // A second creation finds the name taken.
    let answer = connection.send(Request::post("/api/v2/orgs"), "{\"name\":\"x\"}").await.unwrap();
    assert_eq!(answer.status, 422);
    assert!(answer.text.contains("organization with name x already exists"), "{}", answer.text);
    assert_eq!(connection.write("m v=5 5").await.unwrap().status, 204);
}

#[tokio::test]
async fn truncated_csv_ends_well_for_http_and_in_the_middle_of_a_row() {
    let (standin, client) = standin().await;
    let mut connection = Connection::open(client.router.clone()).await;
    let whole = connection.query().await.unwrap().text;
    standin.set_quirks(vec![Quirk::always(QuirkKind::TruncatedCsv, Scope::queries())]);
    let answer = connection.query().await.unwrap();
    assert_eq!(answer.status, 200);
    assert!(whole.starts_with(&answer.text) && answer.text.len() < whole.len());
    assert!(!answer.text.ends_with('\n'), "{}", answer.text);
    assert_eq!(connection.write("m v=5 5").await.unwrap().status, 204);
}

#[tokio::test]
async fn an_error_table_follows_the_first_rows() {
    let (_, mut connection) = with(QuirkKind::ErrorTable, Scope::queries()).await;
    let answer = connection.query().await.unwrap();
    assert_eq!(answer.status, 200);
    let (rows, error) = answer.text.split_once("\r\n\r\n").unwrap();
    assert!(rows.lines().count() > 1, "{}", answer.text);
    assert!(error.starts_with(",error,reference\r\n,failed by a quirk"), "{}", answer.text);
}

#[tokio::test]
async fn an_error_table_keeps_to_the_dialect_of_the_query() {
    let (_, mut connection) = with(QuirkKind::ErrorTable, Scope::queries()).await;
    let body = json!({
        "query": "from(bucket: \"b\") |> range(start: 0)",
        "dialect": { "annotations": ["datatype", "group", "default"] },
    });
    let request = Request::post("/api/v2/query?org=o").header("content-type", "application/json");
    let answer = connection.send(request, &body.to_string()).await.unwrap();
    let expected = "\r\n\r\n#datatype,string,string\r\n#group,true,true\r\n#default,,\r\n,error,";
    assert!(answer.text.contains(expected), "{}", answer.text);
}

#[tokio::test]
async fn a_reset_breaks_the_body_of_an_answer_and_not_its_head() {
    let (_, mut connection) = with(QuirkKind::ConnectionReset, Scope::queries()).await;
    let error = connection.query().await.unwrap_err();
    // The head had come: what broke is the body.
    assert!(format!("{error:?}").starts_with("hyper::Error(Body,"), "{error:?}");
    assert!(connection.query().await.is_err());
}

#[tokio::test(start_paused = true)]
async fn a_stalled_body_never_ends() {
    let (_, mut connection) = with(QuirkKind::StalledBody, Scope::queries()).await;
    assert!(timeout(LONG, connection.query()).await.is_err());
}

#[tokio::test(start_paused = true)]
async fn a_stalled_body_comes_as_far_as_its_half() {
    let (_, mut connection) = with(QuirkKind::StalledBody, Scope::queries()).await;
    let mut body = connection.begin_query().await;
    let half = timeout(LONG, body.frame()).await.unwrap().unwrap().unwrap().into_data().unwrap();
    assert!(half.starts_with(b",result,table,"));
    assert!(timeout(LONG, body.frame()).await.is_err());
}

#[tokio::test(start_paused = true)]
async fn a_stalled_write_is_stored_and_never_answered() {
    let (client, mut connection) = with(QuirkKind::StalledBody, Scope::writes()).await;
    assert!(timeout(LONG, connection.write("m v=5 5")).await.is_err());
    assert_eq!(rows(&client).await, 5);
}

#[tokio::test(start_paused = true)]
async fn at_share_0_nothing_goes_wrong() {
    let error = QuirkKind::HttpError { status: StatusCode::SERVICE_UNAVAILABLE, retry_after: None };
    for kind in [
        QuirkKind::Latency { add: LONG },
        error,
        QuirkKind::RefuseConnections,
        QuirkKind::AckLost,
        QuirkKind::PartialWrite,
        QuirkKind::DuplicateApply,
        QuirkKind::TruncatedCsv,
        QuirkKind::ErrorTable,
        QuirkKind::ConnectionReset,
        QuirkKind::StalledBody,
    ] {
        let (standin, client) = standin().await;
        let plain = client.query("from(bucket: \"b\") |> range(start: 0)").await.text;
        let quirk = Quirk::always(kind, Scope::all());
        standin.set_quirks(vec![Quirk { ratio: Ratio::ZERO, ..quirk }]);
        let start = Instant::now();
        let mut connection = Connection::open(client.router.clone()).await;
        assert_eq!(connection.query().await.unwrap().text, plain, "{kind:?}");
        assert_eq!(connection.write("m v=5 5").await.unwrap().status, 204, "{kind:?}");
        assert_eq!(rows(&client).await, 5, "{kind:?}");
        let once = connection.send(Request::post("/api/v2/orgs"), "{\"name\":\"x\"}").await;
        assert_eq!(once.unwrap().status, 201, "{kind:?}");
        assert_eq!(start.elapsed(), Duration::ZERO, "{kind:?}");
        assert!(standin.quirk_counts().iter().all(|count| count.hit == 0 && count.seen > 0));
    }
}

#[tokio::test]
async fn a_quirk_of_the_configuration_is_on_from_the_start() {
    let refuse = Quirk::always(QuirkKind::RefuseConnections, Scope::all());
    let schedule = Schedule::Requests { from: 2, until: 3 };
    let quirks = vec![Quirk { schedule, ..refuse }];
    let client = Client::of(Config { quirks, ..Config::new(Clock::fixed(NOW_NS)) });
    let mut connection = Connection::open(client.router.clone()).await;
    assert_eq!(connection.send(Request::get("/ping"), "").await.unwrap().status, 204);
    assert!(connection.send(Request::get("/ping"), "").await.is_err());
    let mut connection = Connection::open(client.router.clone()).await;
    assert_eq!(connection.send(Request::get("/ping"), "").await.unwrap().status, 204);
}

#[tokio::test]
async fn quirks_are_switched_over_http_where_that_is_allowed() {
    let quirk_control = QuirkControl::On;
    let client = Client::of(Config { quirk_control, ..Config::new(Clock::fixed(NOW_NS)) });
    let busy = json!({ "http-error": { "status": 503, "retry_after_s": 2 } });
    let body = json!({ "quirks": [{ "kind": busy, "ratio": 1.0 }] });
    assert_eq!(client.post("/standin/quirks", body.to_string()).await.status, 200);
    assert_eq!(client.get("/ping").await.status, 503);
    let shown = client.get("/standin/quirks").await.json();
    assert_eq!(shown["quirks"][0]["hit"], 1);
    assert_eq!(client.send(Request::delete("/standin/quirks"), "").await.status, 204);
    assert_eq!(client.get("/ping").await.status, 204);
}

#[tokio::test]
async fn without_leave_there_is_no_switch_over_http() {
    let client = Client::ready().await;
    assert_eq!(client.get("/standin/quirks").await.status, 404);
    assert_eq!(client.post("/standin/quirks", "{\"quirks\":[]}").await.status, 404);
}

#[tokio::test]
async fn a_list_of_quirks_that_cannot_be_read_changes_nothing() {
    let quirk_control = QuirkControl::On;
    let client = Client::of(Config { quirk_control, ..Config::new(Clock::fixed(NOW_NS)) });
    for body in [
        json!({ "quirks": [{ "kind": "no-such-thing" }] }),
        json!({ "quirks": [{ "kind": "ack-lost", "ratio": 2.0 }] }),
        json!({ "quirks": [{ "kind": { "http-error": { "status": 200 } } }] }),
        json!({ "quirks": [], "more": 1 }),
    ] {
        assert_eq!(client.post("/standin/quirks", body.to_string()).await.status, 400, "{body}");
        assert_eq!(client.get("/standin/quirks").await.json()["quirks"], json!([]));
    }
}
