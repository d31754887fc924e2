//! The table of write requests, against what a real InfluxDB answered and stored.

use cutover_cases::{Names, Request, WriteCase, read_lines};

use super::{Client, NOW_NS};

const CASES: &str = include_str!("../data/write_cases.jsonl");

async fn difference(client: &Client, case: &WriteCase, bucket: &str) -> Option<String> {
    let org_id = client.org_id().await;
    let made = client.ask(&Request::make_bucket(&org_id, bucket, case.retention_s)).await;
    assert_eq!(made.status, 201, "{}: {}", case.name, made.body);
    let made: serde_json::Value = serde_json::from_str(&made.body).unwrap();
    let bucket_id = made["id"].as_str().unwrap();
    let names = Names { bucket, bucket_id, org_id: &org_id, now_ns: NOW_NS };
    let mut answers = Vec::new();
    for request in case.requests(&names) {
        answers.push(client.ask(&request).await);
    }
    let stored = client.ask(&case.read_back(bucket)).await;
    let real = case.real.as_ref().unwrap_or_else(|| panic!("`{}` is not recorded", case.name));
    let found = WriteCase::recorded(&answers, &stored);
    real.judge(&found).err().map(|difference| format!("{}: {difference}", case.name))
}

#[tokio::test]
async fn every_write_is_answered_and_stored_as_on_the_real_server() {
    let cases: Vec<WriteCase> = read_lines(CASES).unwrap();
    assert!(cases.len() >= 120, "there are {} cases only", cases.len());
    let client = Client::with_limit(4 << 20);
    client.set_up().await;
    let mut differing = Vec::new();
    for (number, case) in cases.iter().enumerate() {
        differing.extend(difference(&client, case, &format!("w{number}")).await);
    }
    assert!(differing.is_empty(), "{} differ:\n{}", differing.len(), differing.join("\n"));
}
