//! The cases of the Flux project, asked of the stand-in and, where there is one, of a real server.

use cutover_cases::compare::{Class, Difference};
use cutover_cases::{Answer, FluxCase, Request, read_lines};

use crate::outcome::Outcome;
use crate::server::{Server, ServerError, Standin};

const CASES: &str = include_str!("../../standins/influxdb/tests/data/flux_cases.jsonl");

/// The cases that are shipped.
pub fn shipped() -> Vec<FluxCase> {
    read_lines(CASES).expect("the shipped cases are read by a test")
}

/// Asks all cases. A real server that fails a case itself leaves it without a verdict.
pub async fn run(standin: &mut Standin, real: Option<&Server>) -> Result<Outcome, ServerError> {
    let mut outcome = Outcome::new("Flux cases");
    for case in shipped() {
        let answer = match answer(&standin.server, &case).await {
            Ok(answer) => answer,
            Err(error) => {
                let place = error.to_string();
                let difference = Difference { class: Class::Unreadable, place };
                outcome.count(&case.name, Some(&difference));
                standin.restart().await?;
                continue;
            }
        };
        let Err(difference) = case.judge(&answer) else {
            outcome.count(&case.name, None);
            continue;
        };
        if answer.is_outside() {
            outcome.count_outside(&answer.body);
            continue;
        }
        if let Some(real) = real {
            let expected = self::answer(real, &case).await.map(|answer| case.judge(&answer));
            if !matches!(expected, Ok(Ok(()))) {
                outcome.count_no_verdict(&format!("the real server fails `{}`", case.name));
                continue;
            }
        }
        outcome.count(&case.name, Some(&difference));
    }
    Ok(outcome)
}

/// Stores a case's input, asks its script and takes the buckets away again.
async fn answer(server: &Server, case: &FluxCase) -> Result<Answer, ServerError> {
    let mut buckets = Vec::new();
    for (bucket, lines) in case.stored() {
        buckets.push(server.make_bucket(bucket, 0).await?);
        let stored = server.ask(&Request::write(bucket, lines)).await?;
        if stored.status != 204 {
            return Ok(stored);
        }
    }
    let answer = server.ask(&case.request()).await?;
    for id in buckets {
        server.drop_bucket(&id).await?;
    }
    Ok(answer)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_shipped_case_can_be_read() {
        assert_eq!(shipped().len(), 343);
    }
}
