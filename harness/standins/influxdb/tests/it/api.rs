//! Status, code and words of the answers. The expectations were read off a server of release
//! 2.7.12.

use std::io::Write;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

use cutover_model::Clock;
use cutover_standin_influxdb::Config;
use flate2::Compression;
use flate2::write::GzEncoder;
use http::Request;
use serde_json::{Value, json};

use super::{Client, NOW_NS};

fn gzip(body: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::default());
    encoder.write_all(body).unwrap();
    encoder.finish().unwrap()
}

fn refusal(status: u16, code: &str, message: &str) -> (u16, String, String) {
    (status, code.to_owned(), message.to_owned())
}

async fn org_id(client: &Client) -> String {
    let orgs = client.get("/api/v2/orgs?org=o").await.json();
    orgs["orgs"][0]["id"].as_str().unwrap().to_owned()
}

async fn create_bucket(client: &Client, name: &str, rules: Value) -> super::Answer {
    let body = json!({ "orgID": org_id(client).await, "name": name, "retentionRules": rules });
    client.post("/api/v2/buckets", body.to_string()).await
}

#[tokio::test]
async fn health_ready_and_ping_need_no_token() {
    let client = Client { token: None, ..Client::fresh() };
    let health = client.get("/health").await;
    assert_eq!((health.status.as_u16(), health.json()["status"].as_str()), (200, Some("pass")));
    assert_eq!(client.get("/ready").await.json()["status"], "ready");
    let ping = client.get("/ping").await;
    assert_eq!(ping.status, 204);
    assert_eq!(ping.headers["x-influxdb-version"], "v2.7.12");
}

#[tokio::test]
async fn setup_is_allowed_once() {
    let client = Client::fresh();
    assert_eq!(client.get("/api/v2/setup").await.json()["allowed"], true);
    let answer = client.set_up().await;
    assert_eq!(answer.status, 201);
    assert_eq!(answer.json()["auth"]["token"], "secret");
    assert_eq!(answer.json()["bucket"]["name"], "b");
    assert_eq!(client.get("/api/v2/setup").await.json()["allowed"], false);
    let again = client.set_up().await.refusal();
    assert_eq!(again, refusal(422, "conflict", "onboarding has already been completed"));
}

#[tokio::test]
async fn setup_refuses_a_short_password_and_missing_names() {
    let client = Client::fresh();
    let body = json!({ "username": "u", "password": "short", "org": "o", "bucket": "b" });
    let answer = client.post("/api/v2/setup", body.to_string()).await;
    assert_eq!(answer.status, 400);
    let answer = client.post("/api/v2/setup", "{\"username\":\"u\"}").await;
    let message = "onboarding failed: missing required fields [org,bucket]";
    assert_eq!(answer.refusal(), refusal(422, "unprocessable entity", message));
    assert_eq!(client.get("/api/v2/setup").await.json()["allowed"], true);
}

#[tokio::test]
async fn a_token_goes_by_either_scheme_in_any_case() {
    for token in ["Token secret", "Bearer secret", "token secret"] {
        let client = Client { token: Some(token), ..Client::ready().await };
        assert_eq!(client.write("m v=1 1").await.status, 204, "{token}");
    }
}

#[tokio::test]
async fn without_a_known_token_nothing_is_allowed() {
    let expected = refusal(401, "unauthorized", "unauthorized access");
    for token in [None, Some("Token other"), Some("Basic c2VjcmV0"), Some("secret")] {
        let client = Client { token, ..Client::ready().await };
        assert_eq!(client.write("m v=1 1").await.refusal(), expected);
        assert_eq!(client.query("x").await.refusal(), expected);
        assert_eq!(client.get("/api/v2/buckets").await.refusal(), expected);
        assert_eq!(client.get("/api/v2/nothing").await.refusal(), expected);
    }
}

#[tokio::test]
async fn a_path_that_is_not_there_is_not_found() {
    let client = Client::ready().await;
    let answer = client.get("/api/v2/nothing").await.refusal();
    assert_eq!(answer, refusal(404, "not found", "path not found"));
    assert_eq!(client.get("/api/v2/write").await.status, 405);
}

#[tokio::test]
async fn a_bucket_lives_from_creation_to_deletion() {
    let client = Client::ready().await;
    let seven_years = json!([{ "type": "expire", "everySeconds": 7 * 365 * 86_400 }]);
    let created = create_bucket(&client, "x", seven_years).await;
    assert_eq!(created.status, 201);
    let created = created.json();
    assert_eq!(created["retentionRules"][0]["shardGroupDurationSeconds"], 604_800);
    let path = format!("/api/v2/buckets/{}", created["id"].as_str().unwrap());
    assert_eq!(client.get(&path).await.json()["name"], "x");
    let rule = json!({ "everySeconds": 86_400, "shardGroupDurationSeconds": 7200 });
    let change = json!({ "name": "y", "retentionRules": [rule] });
    let changed = client.send(Request::patch(&path), change.to_string()).await.json();
    assert_eq!(changed["name"], "y");
    assert_eq!(changed["retentionRules"][0]["everySeconds"], 86_400);
    assert_eq!(changed["retentionRules"][0]["shardGroupDurationSeconds"], 7200);
    assert_eq!(client.send(Request::delete(&path), "").await.status, 204);
    let gone = client.get(&path).await.refusal();
    assert_eq!(gone, refusal(404, "not found", "bucket not found"));
}

#[tokio::test]
async fn bad_buckets_get_the_words_of_the_server() {
    let client = Client::ready().await;
    let cases = [
        ("b", json!([]), 422, "bucket with name b already exists"),
        ("_x", json!([]), 400, "bucket name _x is invalid. Buckets may not start with underscore"),
        (
            "x",
            json!([{ "everySeconds": 3540 }]),
            500,
            "retention policy duration must be at least 1h0m0s",
        ),
        ("x", json!([{ "everySeconds": -1 }]), 422, "expiration seconds cannot be negative"),
        (
            "x",
            json!([{ "everySeconds": 3600 }, { "everySeconds": 3600 }]),
            422,
            "buckets cannot have more than one retention rule at this time",
        ),
    ];
    for (name, rules, status, message) in cases {
        let (found, _, text) = create_bucket(&client, name, rules).await.refusal();
        assert_eq!((found, text.as_str()), (status, message));
    }
}

#[tokio::test]
async fn buckets_are_listed_by_pages() {
    let client = Client::ready().await;
    for number in 0..5 {
        create_bucket(&client, &format!("x{number}"), json!([])).await;
    }
    let page = client.get("/api/v2/buckets?offset=3&limit=2").await.json();
    let names: Vec<&str> =
        page["buckets"].as_array().unwrap().iter().filter_map(|one| one["name"].as_str()).collect();
    assert_eq!(names, ["x0", "x1"]);
    assert!(page["links"]["next"].is_string());
    assert_eq!(client.get("/api/v2/buckets?limit=101").await.status, 400);
    let unknown = client.get("/api/v2/buckets?org=o&name=nope").await.refusal();
    assert_eq!(unknown, refusal(404, "not found", "bucket \"nope\" not found"));
}

#[tokio::test]
async fn one_bad_line_keeps_out_the_whole_body() {
    let client = Client::ready().await;
    let answer = client.write("m v=1 1\nm v=NaN 2\nm v=3 3").await.refusal();
    assert_eq!(answer, refusal(400, "invalid", "unable to parse 'm v=NaN 2': invalid number"));
    assert!(client.rows().await.is_empty());
}

#[tokio::test]
async fn a_conflict_of_types_keeps_out_its_point_only() {
    let client = Client::ready().await;
    client.write("m v=1 1").await;
    let answer = client.write("m v=2i 2\nm v=3 3").await.refusal();
    let message = "failure writing points to database: partial write: field type conflict: input \
                   field \"v\" on measurement \"m\" is type integer, already exists as type float \
                   dropped=1";
    assert_eq!(answer, refusal(422, "unprocessable entity", message));
    assert_eq!(client.rows().await.len(), 2);
}

#[tokio::test]
async fn points_older_than_the_retention_are_dropped_and_named() {
    let client = Client::ready().await;
    create_bucket(&client, "short", json!([{ "everySeconds": 86_400 }])).await;
    let path = "/api/v2/write?org=o&bucket=short";
    let (status, _, message) = client.post(path, "m v=1 1").await.refusal();
    assert_eq!(status, 422);
    assert!(
        message.starts_with(
            "failure writing points to database: partial write: dropped 1 points outside \
             retention policy of duration 24h0m0s - oldest point m at \
             1970-01-01T00:00:00.000000001Z dropped because it violates a Retention Policy Lower \
             Bound at 2023-01-09T00:00:00Z, newest point m at"
        ),
        "{message}"
    );
}

#[tokio::test]
async fn precision_scales_the_times_and_a_missing_time_is_now() {
    let client = Client::ready().await;
    let path = "/api/v2/write?org=o&bucket=b&precision=s";
    assert_eq!(client.post(path, "m v=1 60\nm v=2").await.status, 204);
    assert_eq!(client.rows().await, ["1970-01-01T00:01:00Z,1,v", "2023-01-10T00:00:00Z,2,v"]);
    let (status, _, message) =
        client.post("/api/v2/write?org=o&bucket=b&precision=m", "m v=1 1").await.refusal();
    let expected = "invalid precision; valid precision units are ns, us, ms, and s";
    assert_eq!((status, message.as_str()), (400, expected));
}

#[tokio::test]
async fn organisations_and_buckets_that_are_not_there_are_not_found() {
    let client = Client::ready().await;
    for (path, message) in [
        ("/api/v2/write?org=o&bucket=nope", "bucket \"nope\" not found"),
        ("/api/v2/write?org=nope&bucket=b", "organization name \"nope\" not found"),
        ("/api/v2/write?org=o", "bucket not found"),
    ] {
        let answer = client.post(path, "m v=1 1").await.refusal();
        assert_eq!(answer, refusal(404, "not found", message), "{path}");
    }
}

#[tokio::test]
async fn a_bucket_may_be_named_by_its_id() {
    let client = Client::ready().await;
    let found = client.get("/api/v2/buckets?org=o&name=b").await.json();
    let id = found["buckets"][0]["id"].as_str().unwrap().to_owned();
    let path = format!("/api/v2/write?orgID={}&bucket={id}", org_id(&client).await);
    assert_eq!(client.post(&path, "m v=1 1").await.status, 204);
    assert_eq!(client.rows().await.len(), 1);
}

async fn write_gzip(client: &Client, body: Vec<u8>) -> super::Answer {
    let request = Request::post("/api/v2/write?org=o&bucket=b").header("content-encoding", "gzip");
    client.send(request, body).await
}

#[tokio::test]
async fn a_body_may_be_compressed() {
    let client = Client::ready().await;
    assert_eq!(write_gzip(&client, gzip(b"m v=1 1")).await.status, 204);
    let two = [gzip(b"m v=2 2\n"), gzip(b"m v=3 3")].concat();
    assert_eq!(write_gzip(&client, two).await.status, 204);
    assert_eq!(client.rows().await.len(), 3);
}

#[tokio::test]
async fn a_body_that_is_not_what_its_header_says_is_refused() {
    let client = Client::ready().await;
    let message = "An internal error has occurred - check server logs";
    let plain = write_gzip(&client, b"m v=1 1".to_vec()).await.refusal();
    assert_eq!(plain, refusal(500, "internal error", message));
    let mut cut = gzip("m v=1 1\n".repeat(500).as_bytes());
    cut.truncate(30);
    let cut = write_gzip(&client, cut).await.refusal();
    assert_eq!(cut, refusal(500, "internal error", "unable to read data: unexpected EOF"));
    let mut damaged = gzip(b"m v=1 1");
    let checksum = damaged.len() - 8;
    damaged[checksum] ^= 1;
    let damaged = write_gzip(&client, damaged).await.refusal();
    assert_eq!(damaged, refusal(400, "invalid", "unable to read data: gzip: invalid checksum"));
}

#[tokio::test]
async fn a_body_beyond_the_limit_is_refused_even_when_it_is_small_on_the_way() {
    let client = Client::with_limit(1000);
    client.set_up().await;
    let message = "unable to read data: points batch is too large";
    let expected = refusal(413, "request too large", message);
    assert_eq!(client.write("m v=1 1\n".repeat(200)).await.refusal(), expected);
    let bomb = gzip(&vec![b'\n'; 600_000]);
    assert!(bomb.len() < 1000);
    assert_eq!(write_gzip(&client, bomb).await.refusal(), expected);
    assert_eq!(client.write("m v=1 1\n".repeat(100)).await.status, 204);
}

#[tokio::test]
async fn deletion_takes_both_ends_of_its_range() {
    let client = Client::ready().await;
    client.write("m v=1 1\nm v=2 2\nm v=3 3\nm v=4 4").await;
    let body = json!({
        "start": "1970-01-01T00:00:00.000000002Z",
        "stop": "1970-01-01T00:00:00.000000003Z",
    });
    let answer = client.post("/api/v2/delete?org=o&bucket=b", body.to_string()).await;
    assert_eq!(answer.status, 204);
    assert_eq!(client.rows().await.len(), 2);
}

#[tokio::test]
async fn deletions_that_the_server_does_not_know_are_refused() {
    let client = Client::ready().await;
    for (predicate, status, code) in [
        ("_field=\"v\"", 501, "not implemented"),
        ("a=\"1\" OR b=\"2\"", 400, "invalid"),
        ("a='1'", 400, "invalid"),
        ("a=~/1/", 400, "invalid"),
    ] {
        let body = json!({
            "start": "1970-01-01T00:00:00Z", "stop": "2023-01-01T00:00:00Z", "predicate": predicate,
        });
        let answer = client.post("/api/v2/delete?org=o&bucket=b", body.to_string()).await.refusal();
        assert_eq!((answer.0, answer.1.as_str()), (status, code), "{predicate}");
    }
    let body = json!({ "start": "1600-01-01T00:00:00Z", "stop": "2023-01-01T00:00:00Z" });
    let answer = client.post("/api/v2/delete?org=o&bucket=b", body.to_string()).await.refusal();
    assert!(answer.2.contains("start time must not be before 1677-09-21T00:12:43.145224194Z"));
}

#[tokio::test]
async fn a_script_alone_answers_without_annotations() {
    let client = Client::ready().await;
    client.write("m v=1 1").await;
    let answer = client.query("from(bucket: \"b\") |> range(start: 0)").await;
    assert_eq!(answer.headers["content-type"], "text/csv; charset=utf-8");
    let expected = ",result,table,_start,_stop,_time,_value,_field,_measurement\r\n\
                    ,_result,0,1970-01-01T00:00:00Z,2023-01-10T00:00:00Z,\
                    1970-01-01T00:00:00.000000001Z,1,v,m\r\n\r\n";
    assert_eq!(answer.text, expected);
}

#[tokio::test]
async fn a_dialect_shapes_the_answer() {
    let client = Client::ready().await;
    client.write("m v=1 1").await;
    let body = json!({
        "query": "from(bucket: \"b\") |> range(start: 0) |> keep(columns: [\"_value\"])",
        "dialect": { "annotations": ["datatype", "default"], "header": false, "delimiter": ";" },
    });
    let answer = client.post("/api/v2/query?org=o", body.to_string()).await;
    assert_eq!(answer.text, "#datatype;string;long;double\r\n#default;_result;;\r\n;;0;1\r\n\r\n");
}

#[tokio::test]
async fn the_now_of_a_request_is_the_now_of_its_script() {
    let client = Client::ready().await;
    client.write(format!("m v=1 {}", NOW_NS - 1)).await;
    let body = json!({
        "query": "from(bucket: \"b\") |> range(start: 0)", "now": "2023-01-09T00:00:00Z",
    });
    assert_eq!(client.post("/api/v2/query?org=o", body.to_string()).await.text, "\r\n");
}

#[tokio::test]
async fn queries_that_cannot_be_read_are_refused() {
    let client = Client::ready().await;
    for (body, words) in [
        ("{", "failed parsing request body as JSON"),
        ("{}", "request body requires either query or AST"),
        ("{\"query\":\"x\",\"type\":\"sql\"}", "unknown query type: sql"),
        ("{\"query\":\"x\",\"dialect\":{\"annotations\":[\"a\"]}}", "unknown dialect annotation"),
        ("{\"query\":\"x\",\"dialect\":{\"delimiter\":\"ab\"}}", "delimeter: must be length 1"),
        ("{\"ast\":{}}", "`ast` is not in the stand-in's Flux"),
    ] {
        let (status, code, message) = client.post("/api/v2/query?org=o", body).await.refusal();
        assert_eq!((status, code.as_str()), (400, "invalid"), "{body}");
        assert!(message.starts_with("failed to decode request body: "), "{message}");
        assert!(message.contains(words), "{message}");
    }
}

#[tokio::test]
async fn a_mistake_before_the_first_row_is_an_error_and_no_answer() {
    let client = Client::ready().await;
    let (status, code, message) = client.query("from(bucket: \"b\"").await.refusal();
    assert_eq!((status, code.as_str()), (400, "invalid"));
    assert_eq!(message, "compilation failed: error @1:1-1:17: expected RPAREN, got EOF");
    let missing = client.query("from(bucket: \"x\") |> range(start: 0)").await.refusal();
    let message = "failed to initialize execute state: could not find bucket \"x\"";
    assert_eq!(missing, refusal(404, "not found", message));
}

#[tokio::test]
async fn a_long_answer_comes_whole() {
    let client = Client::with_limit(64 << 20);
    client.set_up().await;
    let lines: Vec<String> = (0..20_000).map(|time| format!("m v={time}i {time}")).collect();
    client.write(lines.join("\n")).await;
    assert_eq!(client.rows().await.len(), 20_000);
}

#[tokio::test]
async fn values_of_parameters_come_as_a_syntax_tree() {
    let client = Client::ready().await;
    client.write("m v=1 10\nm v=2 20").await;
    let value = json!({ "type": "IntegerLiteral", "value": "1" });
    let assigned = json!({
        "type": "VariableAssignment", "id": { "type": "Identifier", "name": "most" }, "init": value,
    });
    let statement = json!({ "type": "OptionStatement", "assignment": assigned });
    let body = json!({
        "query": "from(bucket: \"b\") |> range(start: 0) |> limit(n: most) |> count()",
        "extern": { "imports": [], "body": [statement] },
    });
    let answer = client.post("/api/v2/query?org=o", body.to_string()).await;
    assert_eq!(answer.status, 200, "{}", answer.text);
    assert!(answer.text.contains(",v,m,1\r\n"), "{}", answer.text);
}

#[tokio::test]
async fn the_token_is_in_no_answer_but_that_of_the_setup() {
    let client = Client::ready().await;
    for path in ["/health", "/ready", "/api/v2/orgs", "/api/v2/buckets", "/api/v2/nothing"] {
        assert!(!client.get(path).await.text.contains("\"secret\""), "{path}");
    }
    assert!(!client.query("secret()").await.text.contains("Token secret"));
}

#[tokio::test]
async fn a_changed_retention_drops_whole_shard_groups_at_the_half_hour() {
    let now_ns = Arc::new(AtomicI64::new(NOW_NS));
    let shared = Arc::clone(&now_ns);
    let client = Client::of(Config::new(Clock::new(move || shared.load(Ordering::Relaxed))));
    client.set_up().await;
    let hour_ns = 3_600_000_000_000;
    // Monday, Tuesday and today, which is Tuesday a week later.
    for days in [8, 7, 0] {
        client.write(format!("m v={days} {}", NOW_NS - days * 24 * hour_ns)).await;
    }
    let found = client.get("/api/v2/buckets?org=o&name=b").await.json();
    let path = format!("/api/v2/buckets/{}", found["buckets"][0]["id"].as_str().unwrap());
    let rule = json!({ "everySeconds": 86_400, "shardGroupDurationSeconds": 86_400 });
    let change = json!({ "retentionRules": [rule] });
    assert_eq!(client.send(Request::patch(&path), change.to_string()).await.status, 200);
    assert_eq!(client.rows().await.len(), 3);
    // The group of the week before ended with Sunday, a day and a half ago by then.
    now_ns.store(NOW_NS + hour_ns / 2 - 1, Ordering::Relaxed);
    assert_eq!(client.rows().await.len(), 3);
    now_ns.store(NOW_NS + hour_ns / 2, Ordering::Relaxed);
    assert_eq!(client.rows().await.len(), 1);
}

#[tokio::test]
async fn a_shorter_retention_needs_shard_groups_that_fit() {
    let client = Client::ready().await;
    let found = client.get("/api/v2/buckets?org=o&name=b").await.json();
    let path = format!("/api/v2/buckets/{}", found["buckets"][0]["id"].as_str().unwrap());
    let change = json!({ "retentionRules": [{ "everySeconds": 86_400 }] });
    let answer = client.send(Request::patch(&path), change.to_string()).await.refusal();
    let message =
        "shard-group duration must also be updated to be smaller than new retention duration";
    assert_eq!(answer, refusal(422, "unprocessable entity", message));
}
