//! The `cutover-conformance` command: arguments, printing, exit codes.

#![expect(clippy::print_stdout, clippy::print_stderr, reason = "a command prints")]

use std::error::Error;
use std::fs;
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::{SystemTime, UNIX_EPOCH};

use clap::{Parser, ValueEnum};
use cutover_cases::Language;
use cutover_conformance::{Outcome, Pair, Standin, cases, hold, hostile, page, queries, writes};
use cutover_model::Clock;
use cutover_targets::Leases;

/// Does the InfluxDB stand-in answer as a real InfluxDB does?
///
/// Exit codes: 0 all agree · 1 more disagrees than is known to stand · 2 bad arguments ·
/// 5 a server cannot be had.
#[derive(Parser)]
#[command(name = "cutover-conformance")]
struct Arguments {
    /// What is compared.
    way: Way,
    /// The real server's program; `cases` does without, and `hostile` has no use for it.
    #[arg(long, value_name = "PATH")]
    influxd: Option<PathBuf>,
    /// How many queries of each language, or hostile bodies.
    #[arg(long, default_value_t = 500)]
    count: u64,
    /// What queries and bodies are drawn from.
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// Ask in this language only.
    #[arg(long)]
    language: Option<Asked>,
    /// How many disagreements are known to stand: as many are no failure, and are still told.
    #[arg(long, value_name = "N", default_value_t = 0)]
    standing: usize,
    /// How many disagreements are made small.
    #[arg(long, default_value_t = 40)]
    shrink: usize,
    /// Write the page there.
    #[arg(long, value_name = "FILE")]
    page: Option<PathBuf>,
    /// Keep disagreements there, made small.
    #[arg(long, value_name = "DIR")]
    keep: Option<PathBuf>,
    /// Write the table of write requests with the real server's answers there.
    #[arg(long, value_name = "FILE")]
    record: Option<PathBuf>,
}

#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Way {
    /// The cases of the Flux project.
    Cases,
    /// Generated queries.
    Queries,
    /// The table of write requests.
    Writes,
    /// All three.
    All,
    /// Hostile bodies, sent to the stand-in alone.
    Hostile,
}

#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Asked {
    Flux,
    Influxql,
}

/// The exit code when a server cannot be had.
const NO_SERVER: u8 = 5;

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    // More threads than cores: an answer that never ends holds one.
    let runtime =
        tokio::runtime::Builder::new_multi_thread().worker_threads(8).enable_all().build();
    let outcomes = match runtime {
        Ok(runtime) => runtime.block_on(compared(&arguments)),
        Err(error) => Err(error.into()),
    };
    match outcomes.and_then(|outcomes| told(&arguments, &outcomes)) {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::from(1),
        Err(error) => {
            eprintln!("error: {}", chain(&*error));
            ExitCode::from(NO_SERVER)
        }
    }
}

fn chain(error: &dyn Error) -> String {
    let cause = error.source().map_or_else(String::new, |cause| format!(": {}", chain(cause)));
    format!("{error}{cause}")
}

fn told(arguments: &Arguments, outcomes: &[Outcome]) -> Result<bool, Box<dyn Error>> {
    if let Some(file) = &arguments.page {
        fs::write(file, page::page(outcomes))?;
    }
    Ok(hold(outcomes, arguments.standing))
}

/// Prints an outcome as soon as it is there: the next may take long.
fn shown(outcome: Outcome) -> Outcome {
    print!("{outcome}");
    outcome
}

async fn compared(arguments: &Arguments) -> Result<Vec<Outcome>, Box<dyn Error>> {
    let clock = wall_clock();
    let way = arguments.way;
    let Some(influxd) = arguments.influxd.as_ref().filter(|_| way != Way::Hostile) else {
        let mut standin = Standin::start(&clock).await?;
        return match way {
            Way::Cases => Ok(vec![shown(cases::run(&mut standin, None).await?)]),
            Way::Hostile => {
                let (seed, count) = (arguments.seed, arguments.count);
                Ok(vec![shown(hostile::run(&mut standin, seed, count).await?)])
            }
            Way::Queries | Way::Writes | Way::All => {
                Err("the real server is needed: give its program with `--influxd`".into())
            }
        };
    };
    let leases = Leases::of_user(&std::env::temp_dir());
    let mut pair = Pair::start(influxd, &clock, leases).await?;
    let mut outcomes = Vec::new();
    if let Some(file) = &arguments.record {
        fs::write(file, writes::record(&pair, &clock).await?)?;
    }
    if matches!(way, Way::Cases | Way::All) {
        outcomes.push(shown(cases::run(&mut pair.standin, Some(&pair.real)).await?));
    }
    if matches!(way, Way::Writes | Way::All) {
        outcomes.push(shown(writes::run(&pair, &clock).await?));
    }
    if matches!(way, Way::Queries | Way::All) {
        for language in [Asked::Flux, Asked::Influxql] {
            if arguments.language.is_none_or(|only| only == language) {
                let options = options(arguments, language);
                outcomes.push(shown(queries::run(&mut pair, &options).await?));
            }
        }
    }
    pair.stop().await?;
    Ok(outcomes)
}

fn options(arguments: &Arguments, language: Asked) -> queries::Options {
    queries::Options {
        count: arguments.count,
        seed: arguments.seed,
        language: match language {
            Asked::Flux => Language::Flux,
            Asked::Influxql => Language::InfluxQl,
        },
        keep: arguments.keep.clone(),
        shrink: arguments.shrink,
    }
}

/// The wall clock, read once and then moved on by the monotonic one.
#[expect(clippy::disallowed_methods, reason = "a command reads the wall clock once")]
fn wall_clock() -> Clock {
    let started = std::time::Instant::now();
    let since_epoch = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    let started_ns = i64::try_from(since_epoch.as_nanos()).unwrap_or(i64::MAX);
    Clock::new(move || {
        let elapsed = i64::try_from(started.elapsed().as_nanos()).unwrap_or(i64::MAX);
        started_ns.saturating_add(elapsed)
    })
}
