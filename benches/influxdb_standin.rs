//! The InfluxDB stand-in against a real InfluxDB: ingest, the scenarios' three queries, memory.
//!
//! Each server is a process of its own, both run at once, and they are asked in turns by the same
//! client on the same machine: what is told is the median of the rounds' quotients.
//! `cargo bench -p cutover-benches --bench influxdb_standin -- --influxd PATH`

#![expect(clippy::print_stdout, reason = "a benchmark prints")]

use std::error::Error;
use std::io::Write;
use std::net::{Ipv4Addr, SocketAddr};
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::{Duration, Instant};

use cutover_benches::megawatts;
use cutover_cases::Request;
use cutover_cases::compare::{TableOrder, answers};
use cutover_conformance::Server;
use cutover_model::Clock;
use cutover_targets::process::Influxd;
use cutover_targets::{Leases, QuirkControl, influxdb_standin};
use tokio::io::{AsyncBufReadExt, BufReader};
use tokio::process::{Child, Command};

type Outcome<T> = Result<T, Box<dyn Error>>;

/// 2023-06-01T00:00:00Z and the length of the 30 days that the queries ask about.
const JUNE_NS: i64 = 1_685_577_600_000_000_000;
const THIRTY_DAYS_NS: i64 = 30 * 86_400_000_000_000;

const REGIONS: [&str; 4] = ["N", "NE", "S", "SE"];
/// How many points are written of each measurement.
const POINTS: i64 = 1_000_000;
const BATCH: usize = 5_000;
const CONNECTIONS: usize = 2;
/// How often each server asks each query of each region.
const ROUNDS: usize = 5;

/// A query of the scenarios, and what it reads.
struct Question {
    name: &'static str,
    bucket: &'static str,
    measurement: &'static str,
    field: &'static str,
    aggregate: &'static str,
}

/// `scenarios/queries`, with the kind `hydro` for the one that asks for a kind.
const QUESTIONS: [Question; 3] = [
    Question {
        name: "generation_trend",
        bucket: "generation_data",
        measurement: "generation_mw",
        field: "hydro",
        aggregate: "every: 1h, fn: mean",
    },
    Question {
        name: "consumption_peak",
        bucket: "consumption_data",
        measurement: "demand_mw",
        field: "value",
        aggregate: "every: 1d, fn: max",
    },
    Question {
        name: "transmission_losses",
        bucket: "transmission_data",
        measurement: "exchange_mw",
        field: "exchange",
        aggregate: "every: 1d, fn: sum",
    },
];

impl Question {
    /// A million points over the 30 days, region by region in turns.
    fn batches(&self) -> Vec<Vec<u8>> {
        let step = THIRTY_DAYS_NS / POINTS;
        let (measurement, field) = (self.measurement, self.field);
        let points: Vec<i64> = (0..POINTS).collect();
        let batch = |points: &[i64]| {
            let mut body = Vec::new();
            for (point, region) in points.iter().zip(REGIONS.iter().cycle()) {
                let (value, time) = (megawatts(*point), JUNE_NS + point * step);
                writeln!(body, "{measurement},region={region} {field}={value} {time}")
                    .expect("memory takes every write");
            }
            body
        };
        points.chunks(BATCH).map(batch).collect()
    }

    fn script(&self, region: &str) -> String {
        let Self { bucket, measurement, field, aggregate, .. } = self;
        format!(
            "from(bucket: \"{bucket}\") \
             |> range(start: 2023-06-01T00:00:00Z, stop: 2023-07-01T00:00:00Z) \
             |> filter(fn: (r) => r._measurement == \"{measurement}\" and r._field == \"{field}\" \
             and r.region == \"{region}\") \
             |> aggregateWindow({aggregate}, createEmpty: false, timeSrc: \"_start\") \
             |> keep(columns: [\"_time\", \"_value\"])"
        )
    }
}

fn main() -> Outcome<()> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let runtime = tokio::runtime::Runtime::new()?;
    if arguments.first().is_some_and(|first| first == "serve") {
        return runtime.block_on(serve());
    }
    let named = arguments.iter().position(|argument| argument == "--influxd");
    let Some(influxd) = named.and_then(|at| arguments.get(at + 1)).map(PathBuf::from) else {
        println!("skipped: the stand-in against a real InfluxDB: name one with --influxd PATH");
        return Ok(());
    };
    runtime.block_on(compared(&influxd))
}

/// Serves the stand-in until the process is ended, as the child of this benchmark.
async fn serve() -> Outcome<()> {
    let started = Instant::now();
    let clock = Clock::new(move || {
        let passed = i64::try_from(started.elapsed().as_nanos()).unwrap_or(i64::MAX);
        JUNE_NS + THIRTY_DAYS_NS + passed
    });
    let any_port = SocketAddr::from((Ipv4Addr::LOCALHOST, 0));
    let serving = influxdb_standin(any_port, &clock, QuirkControl::Off).await?;
    println!("{}", serving.url());
    std::future::pending().await
}

/// A server under measurement.
struct Side {
    server: Server,
    pid: u32,
}

/// The stand-in in a process of its own, which ends with the value, and its address.
async fn start_standin() -> Outcome<(Child, String)> {
    let mut command = Command::new(std::env::current_exe()?);
    let mut child = command.arg("serve").stdout(Stdio::piped()).kill_on_drop(true).spawn()?;
    let told = child.stdout.take().ok_or("the stand-in has no standard output")?;
    let mut url = String::new();
    BufReader::new(told).read_line(&mut url).await?;
    Ok((child, url.trim().to_owned()))
}

async fn compared(influxd: &Path) -> Outcome<()> {
    let leases = Leases::of_user(&std::env::temp_dir());
    let real = Influxd::start(influxd, &leases).await?;
    let endpoint = real.endpoint();
    let server = Server::join(&endpoint.url, endpoint.token.expose(), &endpoint.org).await?;
    let pid = real.pid().ok_or("the real server has ended")?;
    let theirs = Side { server, pid };
    let (standin, url) = start_standin().await?;
    let pid = standin.id().ok_or("the stand-in has ended")?;
    let ours = Side { server: Server::connect(&url).await?, pid };

    println!("stand-in and influxd {}, side by side\n", real.version());
    println!("| what | stand-in | influxd | quotient | bar |\n|---|---:|---:|---:|---:|");
    ingest(&ours, &theirs).await?;
    for question in &QUESTIONS {
        asked(question, &ours, &theirs).await?;
    }
    for (what, key) in [("memory after it", "VmRSS"), ("memory at its peak", "VmHWM")] {
        let (one, other) = (resident_mib(ours.pid, key)?, resident_mib(theirs.pid, key)?);
        println!("| {what} | {one:.0} MiB | {other:.0} MiB | {:.2} | ≤ 0.50 |", one / other);
    }
    drop(standin);
    Ok(real.stop().await?)
}

/// Fills the three buckets of both, a million points each, bucket by bucket in turns.
async fn ingest(ours: &Side, theirs: &Side) -> Outcome<()> {
    let (mut rates, mut quotients) = ([Vec::new(), Vec::new()], Vec::new());
    for (round, question) in QUESTIONS.iter().enumerate() {
        let batches = question.batches();
        let mut took = [Duration::ZERO; 2];
        // Neither is always the first.
        for side in if round % 2 == 0 { [0, 1] } else { [1, 0] } {
            let server = &[ours, theirs][side].server;
            server.make_bucket(question.bucket, 0).await?;
            let begun = Instant::now();
            write_all(server, question.bucket, &batches).await?;
            took[side] = begun.elapsed();
            rates[side].push(POINTS as f64 / took[side].as_secs_f64());
        }
        quotients.push(took[1].as_secs_f64() / took[0].as_secs_f64());
    }
    let [one, other] = rates.map(|rates| median(rates) / 1e3);
    let quotient = median(quotients);
    println!(
        "| points/s at {BATCH} a batch, {CONNECTIONS} connections | {one:.0} k | {other:.0} k | \
         {quotient:.2} | ≥ 1.00 |"
    );
    Ok(())
}

async fn write_all(server: &Server, bucket: &str, batches: &[Vec<u8>]) -> Outcome<()> {
    let connection = |first: usize| async move {
        for batch in batches.iter().skip(first).step_by(CONNECTIONS) {
            let answer = server.ask(&Request::write(bucket, batch.clone())).await?;
            if answer.status != 204 {
                return Err(
                    format!("a batch was refused: {} {}", answer.status, answer.body).into()
                );
            }
        }
        Ok::<(), Box<dyn Error>>(())
    };
    tokio::try_join!(connection(0), connection(1)).map(|_| ())
}

/// Asks one query of both in turns. Answers that differ end the benchmark: a fast wrong answer is
/// worth nothing.
async fn asked(question: &Question, ours: &Side, theirs: &Side) -> Outcome<()> {
    let (mut times, mut quotients) = ([Vec::new(), Vec::new()], Vec::new());
    for round in 0..ROUNDS {
        for region in REGIONS {
            let request = Request::flux(&question.script(region), None);
            let begun = Instant::now();
            let first = ours.server.ask(&request).await?;
            let one = begun.elapsed().as_secs_f64();
            let begun = Instant::now();
            let second = theirs.server.ask(&request).await?;
            let other = begun.elapsed().as_secs_f64();
            answers(&first, &second, TableOrder::Counts)
                .map_err(|difference| format!("{}: {difference}", question.name))?;
            if first.status != 200 || first.body.len() < 1_000 {
                return Err(format!("{}: {} {}", question.name, first.status, first.body).into());
            }
            // The first round warms both up.
            if round > 0 {
                times[0].push(one * 1e3);
                times[1].push(other * 1e3);
                quotients.push(other / one);
            }
        }
    }
    let [one, other] = times.map(median);
    let (name, quotient) = (question.name, median(quotients));
    println!(
        "| `{name}` over a million points | {one:.1} ms | {other:.1} ms | {quotient:.2} | ≥ 1.00 |"
    );
    Ok(())
}

fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    values.get(values.len() / 2).copied().unwrap_or(f64::NAN)
}

/// A process's memory by the kernel's count.
fn resident_mib(pid: u32, key: &str) -> Outcome<f64> {
    let status = std::fs::read_to_string(format!("/proc/{pid}/status"))?;
    let line = status.lines().find(|line| line.starts_with(key)).ok_or("no such count")?;
    let kib: f64 = line.split_whitespace().nth(1).ok_or("no number")?.parse()?;
    Ok(kib / 1024.0)
}
