//! Lies that a load test can tell: none passes, and none fails for the wrong reason.
//!
//! Each lie is a real load over sockets against the sink, with one thing wrong, judged as a load
//! step is. What a lie brings about is written beside it: every expectation that does not pass,
//! with a part of its reason. On a busy machine an expectation may be inconclusive for want of a
//! generator instead; it may never pass.

use std::net::{Ipv4Addr, SocketAddr};
use std::sync::{Arc, OnceLock};
use std::time::{Duration, Instant};

use cutover_load::{
    Answer, Body, BodyRule, Closed, Endpoint, HttpLoad, HttpRequest, Labelled, Method, Pace, Rate,
    Recording, Roots, RunOptions, Schedule, Spacing, Stage, Stop, Tls, run_http,
};
use cutover_model::scenario::{
    Arrivals, Comparison, GeneratedPoints, Limit, LimitValue, LoadExpect, LoadModel, LoadStep,
    LoadSubject, Statistic, TimePrecision, Transport, WriteLoad, WriteSource,
};
use cutover_model::{Clock, Expectation, Judgement, Ratio, Shard, Timing};
use cutover_standin_sink::{Sink, SinkOptions, Waiting};

use super::load::{LoadEvidence, judge};

const MS: Duration = Duration::from_millis(1);
const LIMIT: Duration = Duration::from_millis(250);
const BODY: &[u8] = b"the answer that is due";
const PER_SECOND: u64 = 200;

/// What is driven, before anything is wrong.
struct Setting {
    law: &'static str,
    fault: Option<&'static str>,
    load: HttpLoad,
    /// Told to stop after so long.
    stop_after: Option<Duration>,
    /// What is done to the evidence.
    tell: fn(&mut LoadEvidence),
    min_samples: u64,
}

/// An expectation that does not pass.
type Wrong = (Statistic, Judgement, &'static str);

const P95: Statistic = Statistic::P95;
const ERRORS: Statistic = Statistic::Errors;
const ACHIEVED: Statistic = Statistic::Achieved;
const FAIL: Judgement = Judgement::Fail;
const UNCLEAR: Judgement = Judgement::Inconclusive;

fn honest() -> Setting {
    let request = HttpRequest {
        method: Method::Get,
        path: "/".into(),
        headers: vec![],
        body: Body::Empty { work: 1 },
        gzip: None,
        answer: Answer { status: 200, body: BodyRule::Equals(BODY.to_vec()) },
    };
    let load = HttpLoad {
        endpoint: Endpoint { host: "127.0.0.1".into(), port: 0, tls: None },
        requests: vec![Labelled { label: "write".into(), weight: 1, operation: request }],
        pace: Pace::Open(Schedule::constant(Rate::per_second(PER_SECOND), 1).unwrap()),
        options: RunOptions {
            duration: MS * 1_000,
            warm_up: Duration::ZERO,
            timeout: MS * 400,
            connections: 32,
            shard: Shard::WHOLE,
        },
        threads: 1,
        abort: vec![],
        wall: steady_wall(),
    };
    Setting { law: "none", fault: None, load, stop_after: None, tell: |_| (), min_samples: 100 }
}

fn steady_wall() -> Clock {
    let start = Instant::now();
    Clock::new(move || i64::try_from(start.elapsed().as_nanos()).unwrap())
}

fn fault(fault: &'static str) -> Setting {
    Setting { fault: Some(fault), ..honest() }
}

fn with(change: impl FnOnce(&mut Setting)) -> Setting {
    let mut setting = honest();
    change(&mut setting);
    setting
}

fn limit(comparison: Comparison, value: LimitValue) -> Limit {
    Limit { comparison, value }
}

/// p95 below a quarter of a second, less than 1 % errors, at least 99 % of the rate.
fn step(min_samples: u64) -> LoadStep {
    let percent = |percent| LimitValue::Ratio(Ratio::from_percent(percent).unwrap());
    let expect = |statistic, limit| LoadExpect {
        subject: LoadSubject::Write,
        statistic,
        limit,
        min_samples,
    };
    let points = GeneratedPoints {
        series: 1,
        tags: vec!["series".to_owned()],
        fields: vec![],
        interval: MS,
        out_of_order: Ratio::ZERO,
        late: None,
    };
    let rate = cutover_model::Rate::try_from(PER_SECOND as f64).unwrap();
    let model = LoadModel::Open(Arrivals::constant(rate));
    LoadStep {
        write: Some(WriteLoad {
            source: WriteSource::Generated { model, points },
            batch: 1,
            precision: TimePrecision::Nanoseconds,
            gzip: None,
        }),
        read: None,
        warm_up: Duration::ZERO,
        duration: MS * 1_000,
        transport: Transport { connections: 32, threads: 1, timeout: MS * 400 },
        expect: vec![
            expect(P95, limit(Comparison::Below, LimitValue::Duration(LIMIT))),
            expect(ERRORS, limit(Comparison::Below, percent(1.0))),
            expect(ACHIEVED, limit(Comparison::AtLeast, percent(99.0))),
        ],
        abort: vec![],
        prove_no_acknowledged_write_lost: false,
        sabotage: vec![],
    }
}

fn recorded(setting: Setting) -> Recording {
    let Setting { law, fault, mut load, stop_after, .. } = setting;
    let sink = Sink::start(SinkOptions {
        address: SocketAddr::from((Ipv4Addr::LOCALHOST, 0)),
        law: law.parse().unwrap(),
        seed: 3,
        status: 200,
        body: BODY.to_vec(),
        fault: fault.map(|text| text.parse().unwrap()),
        waiting: Waiting::Asleep,
    })
    .unwrap();
    // A lie that names a port of its own means it.
    if load.endpoint.port == 0 {
        load.endpoint.port = sink.address().port();
    }
    let stop = Stop::new();
    std::thread::scope(|scope| {
        if let Some(after) = stop_after {
            let stop = &stop;
            scope.spawn(move || {
                std::thread::park_timeout(after);
                stop.stop();
            });
        }
        run_http(load, &stop).unwrap()
    })
}

fn judged(setting: Setting) -> Vec<Expectation> {
    let (tell, min_samples) = (setting.tell, setting.min_samples);
    let mut evidence = LoadEvidence {
        timing: Timing::Real,
        read_timing: Timing::Real,
        write: Some(recorded(setting)),
        read: None,
        points: None,
        divided: None,
    };
    tell(&mut evidence);
    judge(&step(min_samples), &evidence).expectations
}

fn statistic_of(expectation: &Expectation) -> Statistic {
    let all = [P95, ERRORS, ACHIEVED];
    let named = |it: &Statistic| expectation.expected.contains(&format!(" {} ", it.key()));
    all.into_iter().find(named).unwrap()
}

/// Says what is wrong with how a lie was judged, if anything is.
fn misjudged(name: &str, setting: Setting, wrong: &[Wrong]) -> Vec<String> {
    let mut misjudged = Vec::new();
    let expectations = judged(setting);
    for expectation in &expectations {
        let statistic = statistic_of(expectation);
        let expected = wrong.iter().find(|(of, ..)| *of == statistic);
        let reason = expectation.reason.as_deref().unwrap_or_default();
        let (judgement, why) = expected.map_or((Judgement::Pass, ""), |(_, it, why)| (*it, *why));
        let as_expected = expectation.judgement == judgement && reason.contains(why);
        let for_want_of_a_generator = expectation.judgement == UNCLEAR
            && (reason.contains("generator") || reason.contains("the limit lies within"));
        if !as_expected && !for_want_of_a_generator {
            misjudged.push(format!("{name}: {expectation:?}, not {judgement:?} ({why})"));
        }
    }
    let passes = expectations.iter().all(|it| it.judgement == Judgement::Pass);
    if passes != wrong.is_empty() && passes {
        misjudged.push(format!("{name}: passes"));
    }
    misjudged
}

/// A server that nobody listens for.
fn dead_port() -> u16 {
    let listener = std::net::TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
    listener.local_addr().unwrap().port()
}

/// A body that takes the generator's whole time to make.
fn made_slowly(_k: u64, out: &mut Vec<u8>) -> u64 {
    let until = Instant::now() + MS * 20;
    while Instant::now() < until {
        std::hint::spin_loop();
    }
    out.push(b'x');
    1
}

/// Is set 400 ms after it is first read.
fn later_by_five_seconds() -> Clock {
    let start = OnceLock::new();
    Clock::new(move || {
        let after = start.get_or_init(Instant::now).elapsed();
        let set = if after > MS * 400 { Duration::from_secs(5) } else { Duration::ZERO };
        i64::try_from((after + set).as_nanos()).unwrap()
    })
}

const NOTHING: &[Wrong] = &[
    (P95, UNCLEAR, "nothing was measured"),
    (ERRORS, UNCLEAR, "nothing was measured"),
    (ACHIEVED, UNCLEAR, "nothing was measured"),
];
const TOO_FEW: &[Wrong] = &[
    (P95, UNCLEAR, "samples are too few"),
    (ERRORS, UNCLEAR, "samples are too few"),
    (ACHIEVED, UNCLEAR, "samples are too few"),
];
const FAILED: &[Wrong] = &[(ERRORS, FAIL, ""), (P95, UNCLEAR, "of the requests failed")];
const SLOW: &[Wrong] = &[(P95, FAIL, "")];
/// So slow that the connections do not suffice for the rate.
const JAMMED: &[Wrong] = &[(P95, FAIL, ""), (ACHIEVED, FAIL, "")];
/// So slow that requests time out, too.
const TIMED_OUT: &[Wrong] = &[(P95, FAIL, ""), (ERRORS, FAIL, ""), (ACHIEVED, FAIL, "")];

/// Lies about what was measured, and about the generator.
fn lies_of_the_generator() -> Vec<(&'static str, Setting, &'static [Wrong])> {
    let pause = || {
        let nothing = Rate { operations: 0, per: MS };
        let after = Stage::level(Rate::per_second(PER_SECOND), MS);
        let stages = vec![Stage::level(nothing, MS * 60_000), after];
        Pace::Open(Schedule::new(stages, Spacing::Even, 1).unwrap())
    };
    vec![
        ("no samples", with(|it| it.load.pace = pause()), NOTHING),
        ("too few samples", with(|it| it.min_samples = 1_000), TOO_FEW),
        (
            "a starved generator",
            with(|it| {
                it.load.requests[0].operation.method = Method::Post;
                it.load.requests[0].operation.body = Body::Written(Arc::new(made_slowly));
            }),
            &[
                (P95, UNCLEAR, "generator"),
                (ERRORS, UNCLEAR, "generator"),
                (ACHIEVED, UNCLEAR, "generator"),
            ],
        ),
        (
            "a clock that is set",
            with(|it| it.load.wall = later_by_five_seconds()),
            &[(P95, UNCLEAR, "the clock was set"), (ACHIEVED, UNCLEAR, "the clock was set")],
        ),
        (
            "a truncated run",
            with(|it| {
                it.stop_after = Some(MS * 700);
            }),
            &[
                (P95, UNCLEAR, "the load was ended after"),
                (ERRORS, UNCLEAR, "the load was ended after"),
                (ACHIEVED, UNCLEAR, "the load was ended after"),
            ],
        ),
        (
            "a lost shard",
            with(|it| it.tell = |seen| seen.divided = Some("shard 2 of 2 is not there".into())),
            &[(P95, UNCLEAR, "shard 2"), (ACHIEVED, UNCLEAR, "shard 2")],
        ),
        (
            "a stand-in's timing",
            with(|it| it.tell = |seen| seen.timing = Timing::Indicative),
            &[
                (P95, Judgement::Skipped, "indicative"),
                (ACHIEVED, Judgement::Skipped, "indicative"),
            ],
        ),
        (
            "a rate where users wait",
            with(|it| {
                let closed = Closed { users: 4, think: MS, ramp_up: Duration::ZERO, seed: 1 };
                it.load.pace = Pace::Closed(closed);
            }),
            &[(ACHIEVED, UNCLEAR, "nothing was measured")],
        ),
        ("no writers at all", with(|it| it.tell = |seen| seen.write = None), NOTHING),
    ]
}

/// Lies about answers and errors.
fn lies_of_errors() -> Vec<(&'static str, Setting, &'static [Wrong])> {
    vec![
        ("all errors", fault("status:500"), FAILED),
        ("a dead server", with(|it| it.load.endpoint.port = dead_port()), FAILED),
        ("a server that dies late", fault("dead@150.."), FAILED),
        ("a token that is refused", fault("status:401"), FAILED),
        ("a 422 in the middle", fault("status:422@80..100"), FAILED),
        ("a partial write", fault("status:400@80..100"), FAILED),
        ("a body that is too large", fault("status:413@80..100"), FAILED),
        ("another success", fault("status:202@80..100"), FAILED),
        ("a wrong but fast answer", fault("wrong-body@80..100"), FAILED),
        ("an answer that is cut off", fault("cut-body@80..100"), FAILED),
        ("an answer that is too long", fault("long-body@80..100"), FAILED),
        ("an answer that is no HTTP", fault("garbage@80..100"), FAILED),
        ("a connection that is reset", fault("reset@80..100"), FAILED),
        (
            "a name that leads nowhere",
            with(|it| it.load.endpoint.host = "no-such-host.invalid".into()),
            FAILED,
        ),
        (
            "TLS that is none",
            with(|it| {
                let server_name = "localhost".to_owned();
                it.load.endpoint.tls = Some(Tls { server_name, roots: Roots::System });
            }),
            TIMED_OUT,
        ),
    ]
}

/// Lies about time.
fn lies_of_time() -> Vec<(&'static str, Setting, &'static [Wrong])> {
    vec![
        // 600 ms of a second: those who had to wait are charged.
        ("a stall", Setting { law: "stall:200ms:600ms", ..fault_free_timeout() }, SLOW),
        ("timeouts", fault("never@100..150"), &[(P95, FAIL, ""), (ERRORS, FAIL, "")]),
        ("a slow body", fault("slow-body:20"), TIMED_OUT),
        (
            "retries that hide latency",
            Setting { fault: Some("throttle:1@50..100"), ..fault_free_timeout() },
            JAMMED,
        ),
        (
            "a rate that is missed for want of connections",
            with(|it| {
                it.law = "fixed:20ms";
                it.load.options.connections = 1;
                it.load.options.timeout = MS * 5_000;
            }),
            JAMMED,
        ),
        (
            "a warm-up that is counted in",
            with(|it| {
                it.load.options.warm_up = MS * 1_000;
                it.load.options.timeout = MS * 2_000;
                it.fault = Some("slow-body:15@200..");
            }),
            JAMMED,
        ),
        (
            "a limit that luck decides",
            Setting { law: "bimodal:1ms:300ms:0.05", ..fault_free_timeout() },
            &[(P95, UNCLEAR, "the limit lies within")],
        ),
    ]
}

fn fault_free_timeout() -> Setting {
    with(|it| it.load.options.timeout = MS * 3_000)
}

fn told(lies: Vec<(&'static str, Setting, &'static [Wrong])>) {
    let misjudged: Vec<String> = lies
        .into_iter()
        .flat_map(|(name, setting, wrong)| misjudged(name, setting, wrong))
        .collect();
    assert!(misjudged.is_empty(), "{}", misjudged.join("\n"));
}

#[test]
fn a_load_without_a_lie_is_judged_by_its_figures() {
    told(vec![("the truth", honest(), &[])]);
}

#[test]
fn no_lie_of_the_generator_passes_or_blames_the_service() {
    told(lies_of_the_generator());
}

#[test]
fn no_lie_about_errors_passes() {
    told(lies_of_errors());
}

#[test]
fn no_lie_about_time_passes() {
    told(lies_of_time());
}
