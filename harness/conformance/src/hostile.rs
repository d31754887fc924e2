//! Hostile bodies, sent to the stand-in over its socket.

use std::fs;
use std::time::Duration;

use cutover_cases::compare::{Class, Difference};
use cutover_cases::hostile;
use tokio::time::Instant;

use crate::outcome::Outcome;
use crate::server::{ServerError, Standin};

/// No single answer may take longer.
const LONGEST: Duration = Duration::from_secs(10);

/// After so many requests the data starts anew: what is tried is a body, not a full store.
const FRESH: u64 = 1_000;

/// Sends `count` hostile bodies. Any that is not answered, or not in time, is a failure that shows
/// the body.
pub async fn run(standin: &mut Standin, seed: u64, count: u64) -> Result<Outcome, ServerError> {
    let mut outcome = Outcome::new(&format!("hostile bodies, seed {seed}"));
    let before_kib = peak_kib();
    let mut slowest = (Duration::ZERO, 0);
    for n in 0..count {
        if n > 0 && n % FRESH == 0 {
            standin.restart().await?;
        }
        let request = hostile::request(seed, n);
        let started = Instant::now();
        let answered = standin.server.ask(&request).await;
        let took = started.elapsed();
        slowest = slowest.max((took, n));
        let wrong = match answered {
            Ok(_) if took <= LONGEST => None,
            Ok(_) => Some(format!("took {took:?}")),
            Err(error) => Some(error.to_string()),
        };
        let difference = wrong.map(|place| Difference { class: Class::Unreadable, place });
        let shown = || format!("request {n}: {} {}", request.path, request.body.escape_ascii());
        let name = if difference.is_some() { shown() } else { String::new() };
        outcome.count(&name, difference.as_ref());
        if difference.is_some() {
            standin.restart().await?;
        }
    }
    let grown_mib = peak_kib().saturating_sub(before_kib) / 1024;
    outcome.notes.push(format!("slowest answer: {:?} (request {})", slowest.0, slowest.1));
    outcome.notes.push(format!("memory grew by {grown_mib} MiB at its peak"));
    Ok(outcome)
}

/// The most memory that this process ever had, where the system tells.
fn peak_kib() -> u64 {
    let status = fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    line.and_then(|line| line.split_whitespace().next()?.parse().ok()).unwrap_or(0)
}
