//! Cases of the Flux project: see `tests/data/README.md` for where they come from and how answers
//! are compared.

use cutover_cases::{FluxCase, Request, read_lines};

use super::Client;

const CASES: &str = include_str!("../data/flux_cases.jsonl");

/// Cases that a real InfluxDB 2.7.12 does not answer as written either.
const NOT_ON_THE_SERVER: &[&str] = &["array/from/from_pipe"];

/// How many cases agreed when this was written; fewer is a step back.
const AGREED: usize = 327;

/// How a case came out.
enum Outcome {
    Agrees,
    Outside,
    Differs(String),
}

async fn outcome(case: &FluxCase) -> Outcome {
    let client = Client::ready().await;
    let org_id = client.org_id().await;
    for (bucket, lines) in case.stored() {
        let made = client.ask(&Request::make_bucket(&org_id, bucket, 0)).await;
        assert_eq!(made.status, 201, "{}: {}", case.name, made.body);
        let stored = client.ask(&Request::write(bucket, lines)).await;
        assert_eq!(stored.status, 204, "{}: {}", case.name, stored.body);
    }
    let answer = client.ask(&case.request()).await;
    match case.judge(&answer) {
        Ok(()) => Outcome::Agrees,
        Err(_) if answer.is_outside() => Outcome::Outside,
        Err(difference) => Outcome::Differs(difference.to_string()),
    }
}

#[tokio::test]
async fn the_cases_of_the_flux_project_come_out_as_expected_or_are_refused_by_name() {
    let cases: Vec<FluxCase> = read_lines(CASES).unwrap();
    assert_eq!(cases.len(), 343);
    let (mut agreed, mut differing) = (0, Vec::new());
    for case in &cases {
        match outcome(case).await {
            Outcome::Agrees => agreed += 1,
            Outcome::Outside => {}
            Outcome::Differs(_) if NOT_ON_THE_SERVER.contains(&case.name.as_str()) => {}
            Outcome::Differs(difference) => differing.push(format!("{}: {difference}", case.name)),
        }
    }
    assert!(differing.is_empty(), "{}", differing.join("\n\n"));
    assert!(agreed >= AGREED, "only {agreed} cases agree");
}
