//! One load over HTTP, judged as a check judges it, without a scenario or a target around it.
//!
//! `benches/peers` holds it beside other load generators: `judged_load sink LAW [FAULT]` serves
//! until its input is closed, and `judged_load load PORT RATE SECONDS CONNECTIONS` drives a load
//! and prints the verdict on `p95 < 100ms`. It ends with the exit code of `cutover run`. With
//! `nothing` after the rest, the limit is on an operation that the load does not have.

#![expect(clippy::print_stdout, reason = "a program, whose verdict is its output")]

use std::io::Read as _;
use std::process::ExitCode;
use std::time::{Duration, SystemTime};

use cutover_engine::checks::load::{LoadEvidence, judge};
use cutover_load::{
    Answer, Body, BodyRule, Endpoint, HttpLoad, HttpRequest, Labelled, Method, Pace, Rate,
    Recording, RunOptions, Schedule, Stop, run_http,
};
use cutover_model::scenario::{
    Comparison, Limit, LimitValue, LoadExpect, LoadStep, LoadSubject, Statistic, Transport,
};
use cutover_model::{Clock, Exit, Judgement, Shard, ShortDuration, Timing};
use cutover_standin_sink::{Sink, SinkOptions, Waiting};

const LIMIT: Duration = Duration::from_millis(100);
const TIMEOUT: Duration = Duration::from_secs(5);

/// The load that is driven.
struct Order {
    port: u16,
    rate: u64,
    seconds: u64,
    connections: u32,
}

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let exit = match arguments.iter().map(String::as_str).collect::<Vec<_>>()[..] {
        ["sink", law] => serve(law, None),
        ["sink", law, fault] => serve(law, Some(fault)),
        ["load", port, rate, seconds, connections] => {
            drive(&order([port, rate, seconds, connections]), LoadSubject::Read)
        }
        ["load", port, rate, seconds, connections, "nothing"] => {
            drive(&order([port, rate, seconds, connections]), LoadSubject::Write)
        }
        _ => {
            println!("sink LAW [FAULT], or load PORT RATE SECONDS CONNECTIONS [nothing]");
            Exit::BadInput
        }
    };
    ExitCode::from(exit.code())
}

fn order([port, rate, seconds, connections]: [&str; 4]) -> Order {
    Order {
        port: port.parse().expect("a port"),
        rate: rate.parse().expect("a rate"),
        seconds: seconds.parse().expect("a number of seconds"),
        connections: connections.parse().expect("a number of connections"),
    }
}

/// Serves until the input is closed.
fn serve(law: &str, fault: Option<&str>) -> Exit {
    let options = SinkOptions {
        address: ([127, 0, 0, 1], 0).into(),
        law: law.parse().expect("a law"),
        seed: 11,
        status: 200,
        body: b"{\"status\":\"pass\"}".to_vec(),
        fault: fault.map(|fault| fault.parse().expect("a fault")),
        waiting: Waiting::Asleep,
    };
    let sink = Sink::start(options).expect("a free port");
    println!("{}", sink.address().port());
    let _: usize = std::io::stdin().read_to_end(&mut Vec::new()).expect("an input");
    sink.stop().expect("the sink ends");
    Exit::Passed
}

/// Drives the load, judges it and prints what is said of it.
fn drive(order: &Order, subject: LoadSubject) -> Exit {
    let recording = run_http(load(order), &Stop::new()).expect("a load that can be driven");
    show(&recording);
    let evidence = LoadEvidence {
        timing: Timing::Real,
        read_timing: Timing::Real,
        write: None,
        read: Some(recording),
        points: None,
        divided: None,
    };
    let verdict = judge(&step(order, subject), &evidence);
    for it in &verdict.expectations {
        let reason = it.reason.as_deref().unwrap_or_default();
        println!("{}: {}; observed {}; {reason}", it.judgement, it.expected, it.observed);
    }
    for finding in &verdict.findings {
        println!("finding: {}", finding.message);
    }
    match verdict.judgement() {
        Judgement::Pass => Exit::Passed,
        Judgement::Fail => Exit::Failed,
        Judgement::Inconclusive => Exit::Inconclusive,
        Judgement::Skipped => Exit::NothingJudged,
    }
}

fn show(recording: &Recording) {
    let Some(summary) = recording.summary("read") else { return };
    let Some(response) = summary.response else { return };
    let busy = recording.generator.unwrap_or_default().busy() * 100.0;
    println!(
        "p50 {} p95 {} p99 {} max {} at {:.1}/s, generator busy {busy:.0}%",
        ShortDuration(response.p50),
        ShortDuration(response.p95),
        ShortDuration(response.p99),
        ShortDuration(response.max),
        summary.achieved_per_second
    );
}

fn load(order: &Order) -> HttpLoad {
    let request = HttpRequest {
        method: Method::Get,
        path: "/".to_owned(),
        headers: Vec::new(),
        body: Body::Empty { work: 1 },
        gzip: None,
        answer: Answer { status: 200, body: BodyRule::Contains(b"pass".to_vec()) },
    };
    HttpLoad {
        endpoint: Endpoint { host: "127.0.0.1".to_owned(), port: order.port, tls: None },
        requests: vec![Labelled { label: "read".to_owned(), weight: 1, operation: request }],
        pace: Pace::Open(Schedule::constant(Rate::per_second(order.rate), 1).expect("a rate")),
        options: RunOptions {
            duration: Duration::from_secs(order.seconds),
            warm_up: Duration::ZERO,
            timeout: TIMEOUT,
            connections: order.connections as usize,
            shard: Shard::WHOLE,
        },
        threads: 1,
        wall: wall(),
        abort: Vec::new(),
    }
}

fn step(order: &Order, subject: LoadSubject) -> LoadStep {
    LoadStep {
        write: None,
        read: None,
        warm_up: Duration::ZERO,
        duration: Duration::from_secs(order.seconds),
        transport: Transport { connections: order.connections, threads: 1, timeout: TIMEOUT },
        expect: vec![LoadExpect {
            subject,
            statistic: Statistic::P95,
            limit: Limit { comparison: Comparison::Below, value: LimitValue::Duration(LIMIT) },
            min_samples: 1_000,
        }],
        abort: Vec::new(),
        prove_no_acknowledged_write_lost: false,
        sabotage: Vec::new(),
    }
}

#[expect(clippy::disallowed_methods, reason = "a program of its own, which reads its own clock")]
fn wall() -> Clock {
    Clock::new(|| {
        let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
        i64::try_from(now.as_nanos()).unwrap_or(i64::MAX)
    })
}
