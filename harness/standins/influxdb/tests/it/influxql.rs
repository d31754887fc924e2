//! `InfluxQL` through `/query`: a table of statements with the answers of a server of release
//! 2.7.12, then what a table cannot hold.
//!
//! Each line of `influxql_cases.jsonl` is one request and its answer. The answers have to be equal
//! as text, but for the last digits of floats. What the server answers differently from one time to
//! the next is not in the table.

use axum::body::Body;
use cutover_model::Clock;
use cutover_standin_influxdb::{Config, InfluxdbStandin};
use http::Request;
use serde::Deserialize;
use serde_json::json;

use super::{Answer, Client};

const CASES: &str = include_str!("../data/influxql_cases.jsonl");
const DATABASE: &str = include_str!("../data/influxql_d.lp");
const WEEKLY: &str = include_str!("../data/influxql_weekly.lp");

/// 2026-11-21T12:00:00Z: later than all of the data, as when the answers were taken.
const LATER_NS: i64 = 1_795_262_400_000_000_000;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Case {
    q: String,
    db: Option<String>,
    rp: Option<String>,
    epoch: Option<String>,
    chunked: Option<String>,
    chunk_size: Option<String>,
    pretty: Option<String>,
    params: Option<String>,
    accept: Option<String>,
    status: Option<u16>,
    answer: String,
}

impl Case {
    fn path(&self) -> String {
        let parameters = [
            ("q", Some(&self.q)),
            ("db", Some(self.db.as_ref().unwrap_or(&"d".to_owned()))),
            ("rp", self.rp.as_ref()),
            ("epoch", self.epoch.as_ref()),
            ("chunked", self.chunked.as_ref()),
            ("chunk_size", self.chunk_size.as_ref()),
            ("pretty", self.pretty.as_ref()),
            ("params", self.params.as_ref()),
        ]
        .map(|(name, value)| value.map(|value| format!("{name}={}", encode(value))));
        format!("/query?{}", parameters.into_iter().flatten().collect::<Vec<_>>().join("&"))
    }
}

fn encode(text: &str) -> String {
    let codes: Vec<String> = text.bytes().map(|byte| format!("%{byte:02x}")).collect();
    codes.concat()
}

fn client(config: Config) -> Client {
    Client { router: InfluxdbStandin::new(config).router(), token: Some("Token secret") }
}

async fn write(client: &Client, bucket: &str, lines: &str) {
    let path = format!("/api/v2/write?org=o&bucket={}", encode(bucket));
    assert_eq!(client.post(&path, lines.to_owned()).await.status, 204);
}

async fn add_bucket(client: &Client, name: &str) -> String {
    let orgs = client.get("/api/v2/orgs?org=o").await.json();
    let body = json!({ "orgID": orgs["orgs"][0]["id"], "name": name, "retentionRules": [] });
    let answer = client.post("/api/v2/buckets", body.to_string()).await;
    assert_eq!(answer.status, 201, "{}", answer.text);
    answer.json()["id"].as_str().unwrap().to_owned()
}

async fn add_mapping(client: &Client, (database, policy): (&str, &str), bucket: &str) -> Answer {
    let body = json!({
        "org": "o", "database": database, "retention_policy": policy, "bucketID": bucket,
    });
    client.post("/api/v2/dbrps", body.to_string()).await
}

/// The data that the table was taken over.
async fn loaded() -> Client {
    let client = client(Config::new(Clock::fixed(LATER_NS)));
    client.set_up().await;
    for name in ["d", "d/weekly", "empty"] {
        add_bucket(&client, name).await;
    }
    let other = add_bucket(&client, "other").await;
    assert_eq!(add_mapping(&client, ("mapped", "rp1"), &other).await.status, 201);
    write(&client, "d", DATABASE).await;
    write(&client, "d/weekly", WEEKLY).await;
    write(&client, "other", "m,t=1 v=1 1000\nm,t=2 v=2 2000").await;
    client
}

async fn ask(client: &Client, q: &str) -> Answer {
    client.get(&format!("/query?db=d&q={}", encode(q))).await
}

/// Whether two texts are equal but for the last digits of floats.
fn alike(mut left: &str, mut right: &str) -> bool {
    let number = |text: &str| {
        let digits = |read: char| read.is_ascii_digit() || matches!(read, '.' | 'e' | '+' | '-');
        text.find(|read| !digits(read)).unwrap_or(text.len())
    };
    while let (Some(one), Some(two)) = (left.chars().next(), right.chars().next()) {
        if one.is_ascii_digit() && two.is_ascii_digit() {
            let (one, rest) = left.split_at(number(left));
            let (two, other_rest) = right.split_at(number(right));
            (left, right) = (rest, other_rest);
            let close = match (one.parse::<f64>(), two.parse::<f64>()) {
                (Ok(one), Ok(two)) if [one, two].iter().any(|number| number.fract() != 0.0) => {
                    (one - two).abs() <= 1e-12 * one.abs().max(two.abs())
                }
                _ => one == two,
            };
            if !close {
                return false;
            }
            continue;
        }
        if one != two {
            return false;
        }
        (left, right) = (&left[one.len_utf8()..], &right[two.len_utf8()..]);
    }
    left.is_empty() && right.is_empty()
}

#[tokio::test]
async fn every_statement_of_the_table_is_answered_as_by_the_server() {
    let client = loaded().await;
    let mut wrong = Vec::new();
    let mut count = 0;
    for line in CASES.lines() {
        let case: Case = serde_json::from_str(line).unwrap();
        let request = Request::get(case.path());
        let request = match &case.accept {
            Some(accept) => request.header("accept", accept),
            None => request,
        };
        let answer = client.send(request, Body::empty()).await;
        let status = case.status.unwrap_or(200);
        if answer.status != status || !alike(&answer.text, &case.answer) {
            wrong.push(format!("{}\n  want {}\n  have {}", case.q, case.answer, answer.text));
        }
        count += 1;
    }
    assert!(wrong.is_empty(), "{} of {count} differ:\n{}", wrong.len(), wrong.join("\n"));
    assert!(count >= 1000, "the table was cut to {count}");
}

#[test]
fn only_the_last_digits_of_floats_may_differ() {
    assert!(alike("[1.0000000000000002,2]", "[1.0000000000000004,2]"));
    for (left, right) in [("[1.5]", "[1.6]"), ("[10]", "[11]"), ("[1]", "[1,2]"), ("a", "b")] {
        assert!(!alike(left, right), "{left} {right}");
    }
}

#[tokio::test]
async fn credentials_come_as_parameters_by_basic_authorisation_or_as_a_token() {
    let ready = loaded().await;
    let path = "/query?db=d&q=SHOW+MEASUREMENTS";
    let status = async |token: Option<&'static str>, path: &str| {
        let client = Client { router: ready.router.clone(), token };
        client.get(path).await.status.as_u16()
    };
    assert_eq!(status(None, &format!("{path}&u=any&p=secret")).await, 200);
    // `any:secret`, and `any:wrong`.
    assert_eq!(status(Some("Basic YW55OnNlY3JldA=="), path).await, 200);
    assert_eq!(status(Some("Basic YW55Ondyb25n"), path).await, 401);
    assert_eq!(status(Some("Token any:secret"), path).await, 200);
    for token in [None, Some("Bearer secret"), Some("token secret"), Some("Token wrong")] {
        assert_eq!(status(token, path).await, 401, "{token:?}");
    }
    assert_eq!(status(None, &format!("{path}&u=any&p=wrong")).await, 401);
    assert_eq!(status(None, &format!("{path}&u=&p=secret")).await, 401);
}

#[tokio::test]
async fn a_form_in_the_body_goes_before_the_query_string() {
    let client = loaded().await;
    let form = "application/x-www-form-urlencoded";
    let request = Request::post("/query?db=nope&q=FOO").header("content-type", form);
    let body = "db=other&q=SELECT+v+FROM+m+LIMIT+1&epoch=ns";
    let answer = client.send(request, body).await;
    assert_eq!(answer.json()["results"][0]["series"][0]["values"][0][0], 1000);
}

#[tokio::test]
async fn a_body_of_influxql_is_a_query() {
    let client = loaded().await;
    let request = Request::post("/query?db=other");
    let request = request.header("content-type", "application/vnd.influxql");
    let answer = client.send(request, "SHOW MEASUREMENTS").await;
    assert_eq!(answer.json()["results"][0]["series"][0]["values"][0][0], "m");
    let without = client.post("/query?db=other", "SHOW MEASUREMENTS").await;
    let expected = (400, "invalid".to_owned(), "mime: no media type".to_owned());
    assert_eq!(without.refusal(), expected);
}

#[tokio::test]
async fn what_is_outside_the_subset_is_refused_by_name() {
    let client = loaded().await;
    for (q, name) in [
        ("SELECT sample(usage, 2) FROM cpu", "`sample()`"),
        ("SELECT holt_winters(mean(usage), 2, 0) FROM cpu GROUP BY time(1m)", "`holt_winters()`"),
        ("SELECT exponential_moving_average(usage, 2) FROM cpu", "`exponential_moving_average()`"),
        ("EXPLAIN SELECT usage FROM cpu", "`EXPLAIN`"),
    ] {
        let answer = ask(&client, q).await.json();
        let expected = format!("{name} is not in the stand-in's InfluxQL");
        assert_eq!(answer["results"][0]["error"], expected, "{q}");
    }
}

#[tokio::test]
async fn an_answer_comes_as_messagepack_on_request() {
    let client = loaded().await;
    let request = Request::get("/query?db=d&q=SELECT+usage+FROM+nope");
    let request = request.header("accept", "application/x-msgpack");
    let answer = client.send(request, Body::empty()).await;
    assert_eq!(answer.headers["content-type"], "application/x-msgpack");
}

#[tokio::test]
async fn delete_takes_away_what_its_condition_names_and_answers_nothing() {
    let client = loaded().await;
    let answer = ask(&client, "DELETE FROM cpu WHERE host = 'a' AND time < '2023-01-05'").await;
    assert_eq!(answer.text, "{}\n");
    let rows = ask(&client, "SELECT count(usage) FROM cpu GROUP BY host").await.json();
    let series = rows["results"][0]["series"].as_array().unwrap();
    let counts: Vec<_> = series.iter().map(|own| own["values"][0][1].as_i64().unwrap()).collect();
    assert_eq!(counts, [6, 18, 18]);
    let refused = ask(&client, "DELETE FROM cpu WHERE usage > 1").await.json();
    let expected = "shard 1: fields not supported in WHERE clause during deletion";
    assert_eq!(refused["results"][0]["error"], expected);
}

#[tokio::test]
async fn drop_measurement_takes_away_the_measurement_alone() {
    let client = loaded().await;
    assert_eq!(ask(&client, "DROP MEASUREMENT cpu").await.text, "{}\n");
    let left = ask(&client, "SHOW MEASUREMENTS LIMIT 2").await.json();
    let names = &left["results"][0]["series"][0]["values"];
    assert_eq!(*names, json!([["dst"], ["dup"]]));
    assert_eq!(
        ask(&client, "SHOW FIELD KEYS FROM cpu").await.json()["results"][0],
        json!({
            "statement_id": 0,
        })
    );
}

#[tokio::test]
async fn windows_without_number_are_refused_at_once() {
    let client = loaded().await;
    let q = "SELECT mean(usage) FROM cpu WHERE time > 0 GROUP BY time(1ns)";
    let answer = ask(&client, q).await.json();
    let error = answer["results"][0]["error"].as_str().unwrap();
    assert!(error.starts_with("max-select-buckets limit exceeded: ("), "{error}");
}

#[tokio::test]
async fn a_query_beyond_the_configured_cells_is_refused() {
    let config = Config { max_query_cells: 100, ..Config::new(Clock::fixed(LATER_NS)) };
    let client = client(config);
    client.set_up().await;
    add_bucket(&client, "d").await;
    write(&client, "d", DATABASE).await;
    let answer = ask(&client, "SELECT * FROM cpu").await.json();
    let error = answer["results"][0]["error"].as_str().unwrap();
    assert!(error.starts_with("max-select-point limit exceeed: ("), "{error}");
}

#[tokio::test]
async fn deep_and_long_expressions_neither_crash_nor_hang() {
    let client = loaded().await;
    let deep = |open: &str, close: &str| {
        format!("SELECT {}usage{} FROM cpu LIMIT 1", open.repeat(20_000), close.repeat(20_000))
    };
    let chain = format!("SELECT usage{} FROM cpu LIMIT 1", " + 1".repeat(20_000));
    let subqueries = format!(
        "SELECT usage FROM {}cpu{}",
        "(SELECT usage FROM ".repeat(5_000),
        ")".repeat(5_000)
    );
    for q in [deep("(", ")"), deep("abs(", ")"), deep("-", ""), chain, subqueries] {
        let answer = client
            .send(
                Request::post("/query?db=d").header("content-type", "application/vnd.influxql"),
                q.clone(),
            )
            .await;
        assert_eq!(answer.status, 400, "{q:.60}");
    }
    let many: Vec<String> = (0..5_000).map(|host| format!("host = 'h{host}'")).collect();
    let q = format!("SELECT usage FROM cpu WHERE {} OR host = 'a' LIMIT 1", many.join(" OR "));
    let request = Request::post("/query?db=d").header("content-type", "application/vnd.influxql");
    let answer = client.send(request, q).await.json();
    assert_eq!(answer["results"][0]["series"][0]["values"][0][1], 10);
}

#[tokio::test]
async fn a_bucket_serves_the_database_of_its_name_without_a_mapping() {
    let client = loaded().await;
    for (database, policy, rows) in [("other", "", 2), ("other", "autogen", 2), ("d", "weekly", 5)]
    {
        let measurement = if database == "other" { "m" } else { "cpu" };
        let path = format!("/query?db={database}&rp={policy}&q=SELECT+*+FROM+{measurement}");
        let answer = client.get(&path).await.json();
        let values = answer["results"][0]["series"][0]["values"].as_array().unwrap().len();
        assert_eq!(values, rows, "{database} {policy}");
    }
}

#[tokio::test]
async fn the_first_mapping_of_a_database_is_its_default_until_another_takes_over() {
    let client = loaded().await;
    let bucket = add_bucket(&client, "third").await;
    let first = add_mapping(&client, ("db", "one"), &bucket).await.json();
    let second = add_mapping(&client, ("db", "two"), &bucket).await.json();
    assert_eq!((&first["default"], &second["default"]), (&json!(true), &json!(false)));
    let path = |id: &serde_json::Value| format!("/api/v2/dbrps/{}?org=o", id.as_str().unwrap());
    let change = Request::patch(path(&second["id"]));
    let answer = client.send(change, "{\"default\":true}").await.json();
    assert_eq!(answer["content"]["default"], true);
    assert_eq!(client.get(&path(&first["id"])).await.json()["content"]["default"], false);
    let removed = client.send(Request::delete(path(&second["id"])), Body::empty()).await;
    assert_eq!(removed.status, 204);
    assert_eq!(client.get(&path(&first["id"])).await.json()["content"]["default"], true);
}

#[tokio::test]
async fn mappings_are_listed_with_the_virtual_ones_behind() {
    let client = loaded().await;
    let listed = client.get("/api/v2/dbrps?org=o&db=mapped").await.json();
    assert_eq!(listed["content"].as_array().unwrap().len(), 1);
    assert_eq!(listed["content"][0]["virtual"], false);
    let listed = client.get("/api/v2/dbrps?org=o&db=d").await.json();
    let policies: Vec<_> = listed["content"]
        .as_array()
        .unwrap()
        .iter()
        .map(|own| (own["retention_policy"].as_str().unwrap(), own["default"] == true))
        .collect();
    assert_eq!(policies, [("autogen", true), ("weekly", false)]);
    let none = client.get("/api/v2/dbrps?org=o&db=d&default=false&rp=autogen").await.json();
    assert_eq!(none["content"], json!([]));
}

#[tokio::test]
async fn mistakes_about_mappings_are_worded_like_the_server_s() {
    let client = loaded().await;
    let refusal = async |body: &str| client.post("/api/v2/dbrps", body.to_owned()).await.refusal();
    let expect =
        |status: u16, code: &str, message: &str| (status, code.to_owned(), message.to_owned());
    assert_eq!(
        refusal("{}").await,
        expect(400, "invalid", "either 'org' or 'orgID' must be provided")
    );
    assert_eq!(
        refusal("{\"org\":\"o\",\"bucketID\":\"x\"}").await,
        expect(400, "invalid", "invalid bucket ID \"x\": id must have a length of 16 bytes")
    );
    let known = client.get("/api/v2/dbrps?org=o&db=mapped").await.json();
    let bucket = known["content"][0]["bucketID"].as_str().unwrap().to_owned();
    assert_eq!(
        add_mapping(&client, ("mapped", "rp1"), &bucket).await.refusal(),
        expect(422, "conflict", "another DBRP mapping with same orgID, db, and rp exists")
    );
    let names = "letters, numbers, '_', '-', and '.'";
    assert_eq!(
        add_mapping(&client, ("", "rp1"), &bucket).await.refusal(),
        expect(
            400,
            "invalid",
            &format!(
                "DBRP provided is invalid: database must contain at least one character and only \
                 be {names}"
            )
        )
    );
    assert_eq!(
        client.get("/api/v2/dbrps/0000000000000001?org=o").await.refusal(),
        expect(404, "not found", "unable to find DBRP")
    );
}
