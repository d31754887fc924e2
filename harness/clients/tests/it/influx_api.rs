//! Health, set-up, buckets and deletes, with answers as InfluxDB 2.7.12 gives them.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use axum::Router;
use axum::extract::RawQuery;
use axum::http::StatusCode;
use axum::routing::{get, post};
use cutover_clients::influx::{
    Bucket, BucketOutcome, Health, HealthStatus, InfluxClient, Retention, SetupOutcome,
    SetupRequest,
};
use cutover_clients::{Applied, ClientError};
use cutover_model::{Secret, TimeRange};
use cutover_net::Network;

use crate::fixture::{TOKEN, endpoint, http, influx, influx_at};

const CONFLICT: (StatusCode, &str) =
    (StatusCode::UNPROCESSABLE_ENTITY, r#"{"code":"conflict","message":"exists already"}"#);

fn setup_request() -> SetupRequest {
    SetupRequest {
        username: "admin".to_owned(),
        password: Secret::new("hunter22"),
        bucket: "b".to_owned(),
        retention: Retention::For(Duration::from_hours(1)),
    }
}

/// A server with one bucket `b` that keeps data for an hour.
fn with_bucket() -> Router {
    const BUCKETS: &str = r#"{"buckets":[{"id":"1","orgID":"2","type":"user","name":"b",
        "retentionRules":[{"type":"expire","everySeconds":3600}]}]}"#;
    Router::new().route("/api/v2/buckets", get(|| async { BUCKETS }).post(|| async { CONFLICT }))
}

#[tokio::test(start_paused = true)]
async fn a_healthy_server_passes_with_its_version() {
    let body = r#"{"name":"influxdb","message":"ready for queries and writes","status":"pass",
        "checks":[],"version":"v2.7.12","commit":"none"}"#;
    let (_network, client) =
        influx_at(Router::new().route("/health", get(move || async move { body })));
    let expected = Health {
        status: HealthStatus::Pass,
        version: "v2.7.12".to_owned(),
        message: "ready for queries and writes".to_owned(),
    };
    assert_eq!(client.health().await.unwrap(), expected);
}

#[tokio::test(start_paused = true)]
async fn a_server_that_says_it_is_unwell_is_an_answer() {
    let app = Router::new().route(
        "/health",
        get(|| async { (StatusCode::SERVICE_UNAVAILABLE, "no healthy upstream") }),
    );
    let (_network, client) = influx_at(app);
    let health = client.health().await.unwrap();
    assert_eq!((health.status, &*health.message), (HealthStatus::Fail, "no healthy upstream"));
}

#[tokio::test(start_paused = true)]
async fn a_server_that_still_starts_is_not_ready() {
    let app = Router::new().route("/ready", get(|| async { StatusCode::SERVICE_UNAVAILABLE }));
    let (_network, client) = influx_at(app);
    assert!(!client.ready().await.unwrap());
}

#[tokio::test(start_paused = true)]
async fn a_set_up_sends_the_token_and_returns_the_servers() {
    let app = Router::new().route(
        "/api/v2/setup",
        post(|body: String| async move {
            let sent: serde_json::Value = serde_json::from_str(&body).unwrap();
            assert_eq!(sent["retentionPeriodSeconds"], 3600);
            assert_eq!(sent["org"], "ons & co");
            let token = sent["token"].as_str().unwrap();
            (StatusCode::CREATED, format!(r#"{{"auth":{{"token":"{token}"}}}}"#))
        }),
    );
    let (_network, client) = influx_at(app);
    let outcome = client.setup(&setup_request()).await.unwrap();
    assert_eq!(outcome, SetupOutcome::Done { token: Secret::new(TOKEN) });
}

#[tokio::test(start_paused = true)]
async fn a_server_that_was_set_up_before_is_told_apart() {
    let (_network, client) =
        influx_at(Router::new().route("/api/v2/setup", post(|| async { CONFLICT })));
    assert_eq!(client.setup(&setup_request()).await.unwrap(), SetupOutcome::AlreadySetUp);
}

#[tokio::test(start_paused = true)]
async fn a_set_up_that_is_refused_for_its_values_is_no_set_up_before() {
    let refusal = r#"{"code":"unprocessable entity","message":"passwords must be longer"}"#;
    let app = Router::new().route(
        "/api/v2/setup",
        post(move || async move { (StatusCode::UNPROCESSABLE_ENTITY, refusal) }),
    );
    let (_network, client) = influx_at(app);
    let error = client.setup(&setup_request()).await.unwrap_err();
    assert!(error.to_string().contains("passwords must be longer"), "{error}");
}

#[tokio::test(start_paused = true)]
async fn a_bucket_is_found_with_its_retention() {
    let (_network, client) = influx_at(with_bucket());
    let retention = Retention::For(Duration::from_hours(1));
    let expected = Bucket { id: "1".to_owned(), name: "b".to_owned(), retention };
    assert_eq!(client.find_bucket("b").await.unwrap(), Some(expected));
}

#[tokio::test(start_paused = true)]
async fn a_bucket_of_another_name_is_not_the_one_looked_for() {
    let (_network, client) = influx_at(with_bucket());
    assert_eq!(client.find_bucket("bb").await.unwrap(), None);
}

async fn find_with(message: &'static str) -> Result<Option<Bucket>, ClientError> {
    let body = format!(r#"{{"code":"not found","message":"{message}"}}"#);
    let app = Router::new()
        .route("/api/v2/buckets", get(move || async move { (StatusCode::NOT_FOUND, body) }));
    let (_network, client) = influx_at(app);
    client.find_bucket("organization").await
}

#[tokio::test(start_paused = true)]
async fn a_missing_bucket_is_none_and_a_missing_organisation_an_error() {
    assert_eq!(find_with(r#"bucket \"organization\" not found"#).await.unwrap(), None);
    assert!(find_with(r#"organization name \"x\" not found"#).await.is_err());
}

#[tokio::test(start_paused = true)]
async fn a_bucket_with_the_wanted_retention_is_present() {
    let (_network, client) = influx_at(with_bucket());
    let hour = Retention::For(Duration::from_hours(1));
    assert_eq!(client.ensure_bucket("b", hour).await.unwrap(), BucketOutcome::Present);
}

#[tokio::test(start_paused = true)]
async fn a_bucket_with_another_retention_is_reported_and_left_alone() {
    let (_network, client) = influx_at(with_bucket());
    let found = Retention::For(Duration::from_hours(1));
    let outcome = client.ensure_bucket("b", Retention::Infinite).await.unwrap();
    assert_eq!(outcome, BucketOutcome::Drifted { found });
}

/// A server that knows the organisation, has no bucket and keeps the body of each that is made.
fn recording(made: Arc<Mutex<Vec<String>>>) -> (Network, InfluxClient) {
    const ORGS: &str = r#"{"orgs":[{"id":"9","name":"other"},{"id":"7","name":"ons & co"}]}"#;
    let buckets = get(|| async { r#"{"buckets":[]}"# }).post(|body: String| async move {
        made.lock().unwrap().push(body);
        (StatusCode::CREATED, "{}")
    });
    let app = Router::new()
        .route("/api/v2/buckets", buckets)
        .route("/api/v2/orgs", get(|| async { ORGS }));
    influx_at(app)
}

#[tokio::test(start_paused = true)]
async fn a_missing_bucket_is_made_in_the_organisation_of_that_name() {
    let made = Arc::new(Mutex::new(Vec::new()));
    let (_network, client) = recording(made.clone());
    let hour = Retention::For(Duration::from_hours(1));
    assert_eq!(client.ensure_bucket("b", hour).await.unwrap(), BucketOutcome::Created);
    let expected =
        r#"{"orgID":"7","name":"b","retentionRules":[{"type":"expire","everySeconds":3600}]}"#;
    assert_eq!(*made.lock().unwrap(), [expected]);
}

#[tokio::test(start_paused = true)]
async fn a_retention_of_part_of_a_second_is_refused_before_anything_is_sent() {
    let client = influx(&Network::default());
    let retention = Retention::For(Duration::from_millis(1500));
    let error = client.ensure_bucket("b", retention).await.unwrap_err();
    assert!(matches!(error, ClientError::Invalid { .. }), "{error}");
}

/// The query and the body of the request that deletes a range.
async fn delete_request(range: TimeRange) -> (String, serde_json::Value) {
    let sent = Arc::new(Mutex::new(None));
    let kept = sent.clone();
    let app = Router::new().route(
        "/api/v2/delete",
        post(|RawQuery(query): RawQuery, body: String| async move {
            *kept.lock().unwrap() = Some((query.unwrap(), serde_json::from_str(&body).unwrap()));
            StatusCode::NO_CONTENT
        }),
    );
    let (_network, client) = influx_at(app);
    client.delete("b", range, r#"_measurement="m""#).await.unwrap();
    sent.lock().unwrap().take().unwrap()
}

#[tokio::test(start_paused = true)]
async fn a_delete_ends_one_nanosecond_before_its_range_does() {
    let (query, body) = delete_request(TimeRange { start_ns: 0, stop_ns: 1_000_000_000 }).await;
    assert_eq!(query, "org=ons%20%26%20co&bucket=b");
    assert_eq!(body["start"], "1970-01-01T00:00:00.000000000Z");
    assert_eq!(body["stop"], "1970-01-01T00:00:00.999999999Z");
    assert_eq!(body["predicate"], r#"_measurement="m""#);
}

#[tokio::test(start_paused = true)]
async fn a_delete_of_all_time_stays_within_the_servers_times() {
    let (_, body) = delete_request(TimeRange { start_ns: i64::MIN, stop_ns: i64::MAX }).await;
    assert_eq!(body["start"], "1677-09-21T00:12:43.145224194Z");
    assert_eq!(body["stop"], "2262-04-11T23:47:16.854775806Z");
}

#[tokio::test(start_paused = true)]
async fn nothing_is_sent_to_delete_an_empty_range() {
    let client = influx(&Network::default());
    client.delete("b", TimeRange { start_ns: 5, stop_ns: 5 }, "").await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn a_refused_delete_tells_the_servers_reason() {
    let refusal = (StatusCode::BAD_REQUEST, r#"{"code":"invalid","message":"bad predicate"}"#);
    let app = Router::new().route("/api/v2/delete", post(move || async move { refusal }));
    let (_network, client) = influx_at(app);
    let error = client.delete("b", TimeRange { start_ns: 0, stop_ns: 1 }, "x").await.unwrap_err();
    assert_eq!(error.to_string(), "`delete` was answered with 400: bad predicate");
    assert_eq!(error.applied(), Applied::No);
}

#[test]
fn an_address_that_cannot_be_used_is_refused_with_its_reason() {
    let http = http(&Network::default());
    let cases = [
        ("server:8086", "is neither `http://…` nor `https://…`"),
        ("ftp://server", "is neither `http://…` nor `https://…`"),
        ("http://server?x=1", "has a query in it"),
        ("https://server", "asks for TLS, which the in-memory network does not speak"),
        ("not an address", "is no address"),
        ("/path", "has no host"),
    ];
    for (url, reason) in cases {
        let error = InfluxClient::new(endpoint(url), http.clone()).unwrap_err();
        assert_eq!(error.to_string(), format!("`{url}` {reason}"));
    }
}

#[test]
fn a_user_in_the_address_is_refused_and_not_repeated() {
    let http = http(&Network::default());
    let error = InfluxClient::new(endpoint("http://me:pass@server"), http).unwrap_err();
    assert!(!format!("{error} {error:?}").contains("pass"), "{error:?}");
}

#[test]
fn no_debug_output_shows_the_token() {
    let client = influx(&Network::default());
    assert!(!format!("{client:?} {:?}", endpoint("http://x")).contains(TOKEN));
}
