//! Bodies that nobody means well: none may panic, take long or take much memory.
//!
//! The share that fits into an ordinary test run; `cutover-conformance hostile` sends many more.

use std::fs;
use std::panic::AssertUnwindSafe;
use std::path::Path;
use std::sync::mpsc::{self, Sender};
use std::thread;
use std::time::Duration;

use cutover_cases::hostile;
use cutover_model::Clock;
use cutover_standin_influxdb::{Config, InfluxdbStandin};
use futures_util::FutureExt;

use super::{Client, NOW_NS};

const COUNT: u64 = 20_000;
const SEED: u64 = 4;

/// No single request may take longer, in a build of the dev profile on a busy machine.
const LONGEST: Duration = Duration::from_secs(10);

/// How much the process may grow beyond what it had before the first request.
const GROWTH_KIB: u64 = 1 << 20;

/// Each so many requests the data starts anew: what is tried is a body, not a full store.
const FRESH: u64 = 1_000;

/// Limits of a small server, so that refusing what is too dear is part of the test.
async fn client() -> Client {
    let config = Config {
        max_body_bytes: 1 << 20,
        max_query_cells: 2_000_000,
        max_query_calls: 200_000,
        ..Config::new(Clock::fixed(NOW_NS))
    };
    let standin = InfluxdbStandin::new(config);
    let client = Client { router: standin.router(), token: Some("Token secret") };
    client.set_up().await;
    client
}

/// The most memory that this process ever had, where the system tells.
fn peak_kib() -> u64 {
    let status = fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    line.and_then(|line| line.split_whitespace().next()?.parse().ok()).unwrap_or(0)
}

/// Sends the requests one by one and tells of each before and after: its number and text, then
/// nothing when it was answered and what was wrong otherwise.
fn send_all(tell: &Sender<Result<(), String>>) {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        // An exhausted stack ends the process without a word: the request is kept in a file.
        let last = Path::new(env!("CARGO_TARGET_TMPDIR")).join("last_hostile_request");
        let mut client = client().await;
        for n in 0..COUNT {
            if n % FRESH == 0 {
                client = self::client().await;
            }
            let request = hostile::request(SEED, n);
            let shown = format!("request {n}: {} {}", request.path, request.body.escape_ascii());
            fs::write(&last, &shown).unwrap();
            let answered = AssertUnwindSafe(client.ask(&request)).catch_unwind().await;
            let told = answered.map(|_| ()).map_err(|_| format!("a panic at {shown}"));
            if tell.send(told).is_err() {
                return;
            }
        }
    });
}

#[test]
fn hostile_bodies_are_answered_in_time_and_in_little_memory() {
    let before_kib = peak_kib();
    let (tell, told) = mpsc::channel();
    // A thread of its own, so that a request without an end fails the test and does not hold it.
    let sender = thread::spawn(move || send_all(&tell));
    for n in 0..COUNT {
        match told.recv_timeout(LONGEST) {
            Ok(outcome) => outcome.unwrap(),
            Err(mpsc::RecvTimeoutError::Disconnected) => panic!("the sender ended at request {n}"),
            Err(mpsc::RecvTimeoutError::Timeout) => {
                panic!("request {n} of seed {SEED} is not answered within {LONGEST:?}")
            }
        }
    }
    sender.join().unwrap();
    let grown_kib = peak_kib().saturating_sub(before_kib);
    assert!(grown_kib < GROWTH_KIB, "the process grew by {grown_kib} KiB");
}
