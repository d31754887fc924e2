//! The processes that are timed: the server, our generator, and a loop that is as exact as the
//! machine lets it be.
//!
//! Each takes its order as JSON and prints what it found as JSON.

use std::io::Read as _;
use std::process::{Child, Command, ExitCode, Stdio};
use std::sync::Arc;
use std::time::{Duration, Instant, SystemTime};

use cutover_load::find_rate::queue_grows;
use cutover_load::points::{Field, FieldKind, PointPlan, Points, Shape, TimeUnit};
use cutover_load::{
    AbortRule, Aborted, Answer, Body, BodyRule, Closed, Endpoint, Histogram, HttpLoad, HttpRequest,
    Interval, Labelled, Latency, Method, Pace, Rate, RunOptions, Schedule, Stop, run_http,
};
use cutover_model::{Clock, Ratio, Shard};
use cutover_standin_sink::{Sink, SinkOptions, SinkReport, Waiting};
use serde::{Deserialize, Serialize};

/// What a sink is to be.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct SinkOrder {
    pub(crate) law: String,
    pub(crate) status: u16,
    pub(crate) body: String,
    /// What goes wrong, if anything does.
    pub(crate) fault: Option<String>,
    /// Whether it may take its whole core.
    pub(crate) awake: bool,
}

/// What our generator is to do.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct LoadOrder {
    pub(crate) port: u16,
    /// Requests each second; none for users who ask as fast as they can.
    pub(crate) rate: Option<u64>,
    pub(crate) connections: u32,
    pub(crate) ms: u64,
    pub(crate) warm_up_ms: u64,
    pub(crate) status: u16,
    pub(crate) body: String,
    /// Points of line protocol that are made for each request; none for a GET.
    pub(crate) points: Option<PointOrder>,
    /// What ends it early.
    pub(crate) abort: Vec<AbortRule>,
}

/// Points with three tags and two fields.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
pub(crate) struct PointOrder {
    /// In each request.
    pub(crate) batch: u64,
    /// Of the fields; all that there are if absent.
    pub(crate) decimals: Option<u8>,
    /// The level of compression.
    pub(crate) gzip: Option<u32>,
}

/// What our generator found.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Found {
    pub(crate) samples: u64,
    pub(crate) not_ok: u64,
    pub(crate) per_second: f64,
    /// Points, for writes.
    pub(crate) work_per_second: f64,
    pub(crate) response: Latency,
    pub(crate) service: Latency,
    pub(crate) lag_p95: Duration,
    /// Processor time, and how much of it was spent waiting awake.
    pub(crate) cpu: Duration,
    pub(crate) awake: Duration,
    pub(crate) peak_rss_kb: u64,
    /// Why it ended early, when it was told to, and how long it took to end.
    pub(crate) aborted: Option<Aborted>,
    pub(crate) covered: Duration,
    pub(crate) took: Duration,
    /// Where the true p95 of `response` lies.
    pub(crate) p95: Option<Interval>,
    /// Whether requests came faster than they ended for as long as the load ran.
    pub(crate) queue_grows: bool,
    /// The share of its time that the generator was at work.
    pub(crate) busy: f64,
}

/// Serves until its input is closed.
pub(crate) fn sink(order: &str) -> ExitCode {
    let SinkOrder { law, status, body, fault, awake } =
        serde_json::from_str(order).expect("an order");
    let options = SinkOptions {
        address: ([127, 0, 0, 1], 0).into(),
        law: law.parse().expect("a law"),
        seed: 11,
        status,
        body: body.into_bytes(),
        fault: fault.map(|text| text.parse().expect("a fault")),
        waiting: if awake { Waiting::Awake } else { Waiting::Asleep },
    };
    let sink = Sink::start(options).expect("a free port");
    println!("{}", sink.address().port());
    let _: usize = std::io::stdin().read_to_end(&mut Vec::new()).expect("an input");
    let report = sink.stop().expect("a report");
    println!("{}", serde_json::to_string(&report).expect("plain numbers"));
    ExitCode::SUCCESS
}

/// Drives a load and prints what was found.
pub(crate) fn ours(order: &str) -> ExitCode {
    let order: LoadOrder = serde_json::from_str(order).expect("an order");
    let began = Instant::now();
    let recording = run_http(load(&order), &Stop::new()).expect("a run");
    let summary = recording.summary("request").expect("the one label");
    let generator = recording.generator.unwrap_or_default();
    let found = Found {
        samples: summary.samples,
        not_ok: summary.outcomes.not_ok(),
        per_second: summary.achieved_per_second,
        work_per_second: summary.work_per_second,
        response: summary.response.expect("something was sent"),
        service: summary.service.expect("something was sent"),
        lag_p95: summary.lag_p95.unwrap_or_default(),
        cpu: generator.cpu,
        awake: generator.awake,
        peak_rss_kb: peak_rss_kb(),
        aborted: recording.aborted,
        covered: recording.covered,
        took: began.elapsed(),
        p95: summary.certainty.p95,
        queue_grows: queue_grows(&recording, "request"),
        busy: generator.busy(),
    };
    println!("{}", serde_json::to_string(&found).expect("plain numbers"));
    ExitCode::SUCCESS
}

/// A loop that only looks at the clock, and how late it was at instants at equal distances.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
pub(crate) struct BareOrder {
    /// How many each second.
    pub(crate) rate: u64,
    pub(crate) ms: u64,
}

/// Looks at the clock without end, and prints how late it saw each instant: with nothing to do and
/// nothing to wait for, that is what the machine takes away.
pub(crate) fn bare(order: &str) -> ExitCode {
    let BareOrder { rate, ms } = serde_json::from_str(order).expect("an order");
    let schedule = Schedule::constant(Rate::per_second(rate), 1).expect("a rate");
    let end = Duration::from_millis(ms);
    let mut late = Histogram::default();
    let start = Instant::now();
    for due in schedule.instants().take_while(|due| *due < end) {
        let mut now = start.elapsed();
        while now < due {
            now = start.elapsed();
        }
        late.record(now.saturating_sub(due));
    }
    let late = Latency::of(&late).expect("at least one instant");
    println!("{}", serde_json::to_string(&late).expect("plain numbers"));
    ExitCode::SUCCESS
}

fn load(order: &LoadOrder) -> HttpLoad {
    let (method, path, body) = match order.points {
        None => (Method::Get, "/".to_owned(), Body::Empty { work: 1 }),
        Some(PointOrder { batch, decimals, .. }) => {
            let points = points(decimals);
            let write = move |k: u64, out: &mut Vec<u8>| {
                points.write(k * batch..(k + 1) * batch, out);
                batch
            };
            let path = "/api/v2/write?org=o&bucket=b&precision=ns".to_owned();
            (Method::Post, path, Body::Written(Arc::new(write)))
        }
    };
    let body_rule = BodyRule::Equals(order.body.clone().into_bytes());
    let answer = Answer { status: order.status, body: body_rule };
    let gzip = order.points.and_then(|points| points.gzip);
    let request = HttpRequest { method, path, headers: vec![], body, gzip, answer };

    let pace = match order.rate {
        None => Pace::Closed(Closed {
            users: order.connections,
            think: Duration::ZERO,
            ramp_up: Duration::ZERO,
            seed: 1,
        }),
        Some(rate) => Pace::Open(Schedule::constant(Rate::per_second(rate), 1).expect("a rate")),
    };
    HttpLoad {
        endpoint: Endpoint { host: "127.0.0.1".into(), port: order.port, tls: None },
        requests: vec![Labelled { label: "request".into(), weight: 1, operation: request }],
        pace,
        options: RunOptions {
            duration: Duration::from_millis(order.ms),
            warm_up: Duration::from_millis(order.warm_up_ms),
            timeout: Duration::from_secs(10),
            connections: order.connections as usize,
            shard: Shard::WHOLE,
        },
        threads: 1,
        wall: wall(),
        abort: order.abort.clone(),
    }
}

#[expect(clippy::disallowed_methods, reason = "a program of its own, which reads its own clock")]
fn wall() -> Clock {
    Clock::new(|| {
        let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
        i64::try_from(now.as_nanos()).unwrap_or(i64::MAX)
    })
}

/// Points with three tags, of 1,000 series, and two fields: about 90 bytes each with two decimals.
fn points(decimals: Option<u8>) -> Points {
    let field = |name: &str| Field {
        name: name.to_owned(),
        kind: FieldKind::Float { decimals, shape: Shape::Even },
    };
    let plan = PointPlan {
        seed: 7,
        measurement: "power".to_owned(),
        tags: vec![("kind".to_owned(), "solar".to_owned())],
        series_tags: vec!["site".to_owned(), "region".to_owned()],
        series: 1_000,
        fields: vec![field("active"), field("voltage")],
        first_ns: 1_700_000_000_000_000_000,
        interval: Duration::from_secs(1),
        unit: TimeUnit::Nanoseconds,
        out_of_order: Ratio::ZERO,
        late: None,
    };
    Points::new(plan).expect("a plan with points")
}

/// The most memory that this process ever had, where the system tells.
fn peak_rss_kb() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find(|line| line.starts_with("VmHWM:")).unwrap_or_default();
    line.split_whitespace().nth(1).and_then(|kb| kb.parse().ok()).unwrap_or(0)
}

/// The server's core, and the generator's.
pub(crate) const CORES: [&str; 2] = ["0", "1"];

/// A server in a process of its own.
pub(crate) struct SinkChild {
    child: Child,
    pub(crate) port: u16,
}

impl SinkChild {
    pub(crate) fn start(order: &SinkOrder) -> Self {
        let mut command = on_core(CORES[0], &this_program());
        command.args(["sink", &serde_json::to_string(order).expect("plain values")]);
        command.stdin(Stdio::piped()).stdout(Stdio::piped());
        let mut child = command.spawn().expect("the server starts");
        let mut line = Vec::new();
        let output = child.stdout.as_mut().expect("piped");
        loop {
            let mut byte = [0];
            output.read_exact(&mut byte).expect("the server's port");
            if byte == *b"\n" {
                break;
            }
            line.extend(byte);
        }
        let port = String::from_utf8_lossy(&line).parse().expect("a port");
        Self { child, port }
    }

    pub(crate) fn stop(mut self) -> SinkReport {
        drop(self.child.stdin.take());
        let output = self.child.wait_with_output().expect("the server ends");
        serde_json::from_slice(&output.stdout).expect("the server's report")
    }
}

/// Lets our generator run in a process of its own.
pub(crate) fn run_ours(order: &LoadOrder) -> Found {
    let mut command = on_core(CORES[1], &this_program());
    command.args(["ours", &serde_json::to_string(order).expect("plain values")]);
    let output = command.stderr(Stdio::inherit()).output().expect("our generator starts");
    serde_json::from_slice(&output.stdout).expect("our generator's findings")
}

/// Lets the bare loop run on both cores at once; says how late it was on each.
pub(crate) fn run_bare(order: BareOrder) -> [Latency; 2] {
    let order = serde_json::to_string(&order).expect("plain values");
    let begun = CORES.map(|core| {
        let mut command = on_core(core, &this_program());
        command.args(["bare", &order]).stdout(Stdio::piped());
        command.spawn().expect("the loop starts")
    });
    begun.map(|child| {
        let output = child.wait_with_output().expect("the loop ends");
        serde_json::from_slice(&output.stdout).expect("the loop's findings")
    })
}

/// A command that is bound to one core.
pub(crate) fn on_core(core: &str, program: &str) -> Command {
    let mut command = Command::new("taskset");
    command.args(["-c", core, program]);
    command
}

fn this_program() -> String {
    std::env::current_exe().expect("a path").to_string_lossy().into_owned()
}
