//! Queries that once came out otherwise than on a real InfluxDB, each with that server's answer.

use std::fs;
use std::path::Path;

use cutover_cases::{KeptCase, Request};
use cutover_model::Clock;
use cutover_standin_influxdb::{Config, InfluxdbStandin};

use super::Client;

async fn difference(case: &KeptCase) -> Option<String> {
    let now: jiff::Timestamp = case.now.parse().unwrap();
    let now_ns = i64::try_from(now.as_nanosecond()).unwrap();
    let standin = InfluxdbStandin::new(Config::new(Clock::fixed(now_ns)));
    let client = Client { router: standin.router(), token: Some("Token secret") };
    client.set_up().await;
    if !case.lines.is_empty() {
        let stored = client.ask(&Request::write("b", case.lines.join("\n"))).await;
        assert_eq!(stored.status, 204, "{}", stored.body);
    }
    let answer = client.ask(&case.request("b")).await;
    case.judge(&answer).err().map(|difference| difference.to_string())
}

#[tokio::test]
async fn every_kept_query_is_answered_as_the_real_server_answered_it() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/kept");
    let mut files: Vec<_> = fs::read_dir(folder).unwrap().map(|it| it.unwrap().path()).collect();
    files.retain(|file| file.extension().is_some_and(|it| it == "json"));
    files.sort();
    let mut differing = Vec::new();
    for file in &files {
        let text = fs::read_to_string(file).unwrap();
        let case: KeptCase = serde_json::from_str(&text).unwrap();
        if let Some(difference) = difference(&case).await {
            let name = file.file_name().unwrap_or_default().to_string_lossy();
            differing.push(format!("{name}: {difference}\n{}", case.query.join("\n")));
        }
    }
    assert!(differing.is_empty(), "{} differ:\n{}", differing.len(), differing.join("\n\n"));
}
