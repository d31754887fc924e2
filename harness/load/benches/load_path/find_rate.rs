//! The search for the highest rate that holds, against servers whose capacity is known.
//!
//! Trials are judged as a check judges them: a busy or late generator tells nothing of the server,
//! a queue that grew breaks the rate, and so does a p95 whose interval is above the limit.

use std::time::{Duration, Instant};

use cutover_load::Interval;
use cutover_load::find_rate::{
    Attempt, Next, RateSearch, RateSearchPlan, SearchEnd, Trial, TrialOutcome,
};
use cutover_model::{Rate, Ratio};

use crate::children::{Found, LoadOrder, SinkChild, run_ours};
use crate::sections::{line, order, server};

const LIMIT: Duration = Duration::from_millis(50);

/// Servers, how long each is busy with a request, and how many they serve together in a second.
const SERVERS: [(&str, f64); 2] = [("servers:8:4ms", 2_000.0), ("servers:3:400us", 7_500.0)];

/// Searches, and prints the truth, what was found, and how long it took.
pub(crate) fn find_rate() {
    for (law, truth) in SERVERS {
        let sink = SinkChild::start(&server(law, false));
        let began = Instant::now();
        let end = search(sink.port);
        let took = began.elapsed().as_secs_f64();
        sink.stop();
        let SearchEnd::Found(found) = end else {
            println!("  {law}: nothing was found: {end:?}");
            line(&format!("{law}: {truth} a second"), "none", "± 3 %", false);
            continue;
        };
        let off = found.rate.per_second() / truth - 1.0;
        println!(
            "  {law}: truth {truth}/s, found {:.0}/s ({:.0} to {:.0}) in {took:.0} s",
            found.rate.per_second(),
            found.low.per_second(),
            found.high.per_second(),
        );
        let figure = format!("{:+.2} %", off * 100.0);
        line(&format!("{law}: off by"), &figure, "± 3 %", off.abs() <= 0.03);
        line(&format!("{law}: took"), &format!("{took:.0} s"), "≤ 120 s", took <= 120.0);
    }
}

fn search(port: u16) -> SearchEnd {
    let rate = |per_second| Rate::try_from(per_second).expect("a rate");
    let mut search = RateSearch::new(RateSearchPlan {
        from: rate(100.0),
        to: rate(50_000.0),
        precision: Ratio::from_percent(3.0).expect("a share"),
        trial: Duration::from_secs(6),
        budget: Duration::from_secs(118),
    })
    .expect("a plan of which something can come");
    loop {
        match search.next() {
            Next::Ended(end) => return end,
            Next::Try(attempt) => search.tell(tried(attempt, port)),
        }
    }
}

#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "rates and lengths of trials are far below what 64 bits hold"
)]
fn tried(Attempt { rate, warm_up, duration }: Attempt, port: u16) -> Trial {
    let began = Instant::now();
    let whole = (rate.per_second().round() as u64).max(1);
    let order = order(port, Some(whole), duration.as_millis() as u64);
    let found = run_ours(&LoadOrder { warm_up_ms: warm_up.as_millis() as u64, ..order });
    let outcome = judged(&found);
    println!("    {whole}/s for {} s: {outcome:?}", duration.as_secs());
    let rate = Rate::try_from(whole as f64).expect("a rate");
    Trial { rate, outcome, took: began.elapsed() }
}

fn judged(found: &Found) -> TrialOutcome {
    if found.busy > 0.9 || found.lag_p95 > LIMIT / 10 {
        return TrialOutcome::GeneratorLimited;
    }
    if found.not_ok > 0 || found.queue_grows {
        return TrialOutcome::Breaks;
    }
    match found.p95 {
        Some(Interval { high, .. }) if high < LIMIT => TrialOutcome::Holds,
        Some(Interval { low, .. }) if low >= LIMIT => TrialOutcome::Breaks,
        Some(_) => TrialOutcome::Straddles,
        None => TrialOutcome::Untold,
    }
}
