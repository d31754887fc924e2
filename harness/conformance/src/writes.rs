//! The table of write requests, asked of the stand-in and of a real server.

use cutover_cases::{Names, Recorded, WriteCase, read_lines};
use cutover_model::Clock;

use crate::outcome::Outcome;
use crate::server::{Pair, Server, ServerError};

const CASES: &str = include_str!("../../standins/influxdb/tests/data/write_cases.jsonl");

/// The table that is shipped.
pub fn shipped() -> Vec<WriteCase> {
    read_lines(CASES).expect("the shipped table is read by a test")
}

/// Asks all cases of both, and holds what they did against each other and against the table.
pub async fn run(pair: &Pair, clock: &Clock) -> Result<Outcome, ServerError> {
    let mut outcome = Outcome::new("write requests");
    for (number, case) in shipped().iter().enumerate() {
        let bucket = format!("w{number}");
        let now_ns = clock.now_ns();
        let (ours, real) = tokio::try_join!(
            play(&pair.standin.server, case, &bucket, now_ns),
            play(&pair.real, case, &bucket, now_ns),
        )?;
        outcome.count(&case.name, real.judge(&ours).err().as_ref());
        let stale = case.real.as_ref().is_none_or(|told| told.judge(&real).is_err());
        if stale {
            outcome
                .notes
                .push(format!("the table tells otherwise of the real server: {}", case.name));
        }
    }
    Ok(outcome)
}

/// The table as the real server answers it now, one case a line.
pub async fn record(pair: &Pair, clock: &Clock) -> Result<String, ServerError> {
    let mut table = String::new();
    for (number, case) in shipped().into_iter().enumerate() {
        let real = play(&pair.real, &case, &format!("r{number}"), clock.now_ns()).await?;
        let case = WriteCase { real: Some(real), ..case };
        table += &serde_json::to_string(&case).unwrap_or_default();
        table += "\n";
    }
    Ok(table)
}

async fn play(
    server: &Server,
    case: &WriteCase,
    bucket: &str,
    now_ns: i64,
) -> Result<Recorded, ServerError> {
    let bucket_id = server.make_bucket(bucket, case.retention_s).await?;
    let org_id = server.org_id();
    let names = Names { bucket, bucket_id: &bucket_id, org_id, now_ns };
    let mut answers = Vec::new();
    for request in case.requests(&names) {
        answers.push(server.ask(&request).await?);
    }
    let stored = server.ask(&case.read_back(bucket)).await?;
    server.drop_bucket(&bucket_id).await?;
    Ok(WriteCase::recorded(&answers, &stored))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_has_its_120_cases_each_under_a_name_of_its_own() {
        let names: std::collections::BTreeSet<String> =
            shipped().into_iter().map(|case| case.name).collect();
        assert!(names.len() >= 120, "{}", names.len());
        assert_eq!(names.len(), shipped().len());
    }
}
