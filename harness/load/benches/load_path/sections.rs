//! What is measured, section by section, and which number it has to reach.

use std::time::Duration;

use cutover_load::{AbortFigure, AbortRule, Latency, Quantile};
use cutover_model::scenario::{Comparison, Limit, LimitValue};
use cutover_model::units::Ratio;
use cutover_standin_sink::{Quantiles, SinkReport};

use crate::children::{
    BareOrder, Found, LoadOrder, PointOrder, SinkChild, SinkOrder, run_bare, run_ours,
};
use crate::find_rate::find_rate;
use crate::peers;

const BODY: &str = "{\"status\":\"pass\"}";

/// How to measure.
pub(crate) struct Settings {
    pub(crate) wrk: String,
    pub(crate) oha: String,
    pub(crate) rounds: usize,
    /// The length of a round, in milliseconds.
    pub(crate) ms: u64,
    /// Whether the server, too, may take a whole core where time is looked at closely. Where others
    /// want that core as well it had better not.
    pub(crate) awake: bool,
}

impl Settings {
    pub(crate) fn new() -> Self {
        Self { wrk: "wrk".into(), oha: "oha".into(), rounds: 5, ms: 5_000, awake: true }
    }
}

/// One part of the benchmark.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Section {
    Ceiling,
    Fidelity,
    Stall,
    Laws,
    Cost,
    Points,
    Memory,
    Abort,
    FindRate,
}

impl Section {
    pub(crate) const NAMES: [&str; 9] =
        ["ceiling", "fidelity", "stall", "laws", "cost", "points", "memory", "abort", "find-rate"];

    pub(crate) fn named(name: &str) -> Option<Self> {
        Some(match name {
            "ceiling" => Self::Ceiling,
            "fidelity" => Self::Fidelity,
            "stall" => Self::Stall,
            "laws" => Self::Laws,
            "cost" => Self::Cost,
            "points" => Self::Points,
            "memory" => Self::Memory,
            "abort" => Self::Abort,
            "find-rate" => Self::FindRate,
            _ => return None,
        })
    }

    pub(crate) fn measure(self, settings: &Settings) {
        println!("\n{}", Self::NAMES[self as usize]);
        match self {
            Self::Ceiling => ceiling(settings),
            Self::Fidelity => fidelity(settings),
            Self::Stall => stall(settings),
            Self::Laws => laws(settings),
            Self::Cost => cost(settings),
            Self::Points => points(settings),
            Self::Memory => memory(),
            Self::Abort => abort(settings),
            Self::FindRate => find_rate(),
        }
    }
}

/// One figure beside what it has to be.
pub(crate) fn line(what: &str, figure: &str, bar: &str, reached: bool) {
    let word = if reached { "reached" } else { "MISSED" };
    println!("  {what:<44} {figure:>16}   {bar:<18} {word}");
}

fn us(time: Duration) -> String {
    format!("{:.1} µs", time.as_secs_f64() * 1e6)
}

fn ms(time: Duration) -> String {
    format!("{:.2} ms", time.as_secs_f64() * 1e3)
}

pub(crate) fn server(law: &str, awake: bool) -> SinkOrder {
    SinkOrder { law: law.into(), status: 200, body: BODY.into(), fault: None, awake }
}

pub(crate) fn order(port: u16, rate: Option<u64>, ms: u64) -> LoadOrder {
    LoadOrder {
        port,
        rate,
        connections: 64,
        ms,
        warm_up_ms: 0,
        status: 200,
        body: BODY.into(),
        points: None,
        abort: Vec::new(),
    }
}

/// The middle one, or the lower of the two in the middle.
fn median<T: Copy>(mut values: Vec<T>, key: impl Fn(T) -> f64) -> T {
    values.sort_unstable_by(|a, b| key(*a).total_cmp(&key(*b)));
    values[(values.len() - 1) / 2]
}

/// GET as fast as 64 connections can, in turns with the peers.
fn ceiling(settings: &Settings) {
    let Settings { wrk, oha, rounds, ms, awake: _ } = settings;
    // The peers count whole seconds.
    let seconds = ms.div_ceil(1_000);
    let sink = SinkChild::start(&server("none", false));
    let mut quotients = [Vec::new(), Vec::new()];
    for round in 1..=*rounds {
        let ours = |of: &str| {
            let found = run_ours(&order(sink.port, None, seconds * 1_000));
            assert_eq!(found.not_ok, 0, "every answer is right");
            let cpu = found.cpu.as_secs_f64() / found.samples as f64;
            print!("  round {round}, beside {of}: ours {:.0}/s", found.per_second);
            print!(" ({:.2} µs of processor each)", cpu * 1e6);
            found.per_second
        };
        let peers = [
            ("wrk", ours("wrk"), peers::wrk(wrk, sink.port, seconds)),
            ("oha", ours("oha"), peers::oha(oha, sink.port, seconds)),
        ];
        println!();
        for (place, (name, ours, peer)) in peers.into_iter().enumerate() {
            match peer {
                None => println!("  {name} did not run"),
                Some(peer) => {
                    println!("    {name} {peer:.0}/s, quotient {:.3}", ours / peer);
                    quotients[place].push(ours / peer);
                }
            }
        }
    }
    sink.stop();
    for (quotients, (name, bar)) in quotients.into_iter().zip([("wrk", 1.0), ("oha", 1.3)]) {
        if quotients.is_empty() {
            continue;
        }
        let quotient = median(quotients, |it| it);
        let (figure, bar_text) = (format!("{quotient:.2} × {name}"), format!("≥ {bar}"));
        line("requests/s, 64 connections, one core", &figure, &bar_text, quotient >= bar);
    }
}

/// An open load against a server that answers at once, beside loops that only look at the clock:
/// what they are late by is the machine's, which takes its cores away for other work.
fn fidelity(settings: &Settings) {
    const RATE: u64 = 20_000;
    let rounds = (0..settings.rounds).map(|_| {
        let bare = run_bare(BareOrder { rate: RATE, ms: settings.ms });
        let sink = SinkChild::start(&server("none", settings.awake));
        let order = order(sink.port, Some(RATE), settings.ms);
        let found = run_ours(&LoadOrder { warm_up_ms: 100, ..order });
        sink.stop();
        let Latency { p50, p99, p999, .. } = found.response;
        println!(
            "  {:.2}/s, p50 {}, p99 {}, p99.9 {}",
            found.per_second,
            us(p50),
            us(p99),
            us(p999)
        );
        for (core, late) in bare.iter().enumerate() {
            let Latency { p50, p99, p999, .. } = *late;
            println!(
                "    bare loop on core {core}: p50 {}, p99 {}, p99.9 {}",
                us(p50),
                us(p99),
                us(p999)
            );
        }
        (found.per_second, [p50, p99, p999], bare.map(|late| [late.p50, late.p99, late.p999]))
    });
    let rounds: Vec<_> = rounds.collect();
    let off = |rate: f64| (rate / RATE as f64 - 1.0).abs();
    let rate = off(median(rounds.clone(), |round| off(round.0)).0);
    let figure = format!("{:.4} %", rate * 100.0);
    line("20,000 requests/s: off by", &figure, "≤ 0.05 %", rate <= 0.000_5);
    let times = [("p50", 50), ("p99", 300), ("p99.9", 1000)];
    for (place, (name, bar)) in times.into_iter().enumerate() {
        let middle = |times: Vec<Duration>| median(times, |time| time.as_secs_f64());
        let time = middle(rounds.iter().map(|round| round.1[place]).collect());
        let worse = rounds.iter().map(|round| round.2[0][place].max(round.2[1][place]));
        println!("  the bare loops, the later of the two, {name}: {}", us(middle(worse.collect())));
        let bar_time = Duration::from_micros(bar);
        line(
            &format!("added latency, {name}"),
            &us(time),
            &format!("≤ {bar} µs"),
            time <= bar_time,
        );
    }
}

/// A server that freezes for two seconds in ten, at 1,000 requests a second.
fn stall(settings: &Settings) {
    let sink = SinkChild::start(&server("stall:4s:2s", settings.awake));
    let found = run_ours(&LoadOrder { connections: 16, ..order(sink.port, Some(1000), 10_000) });
    sink.stop();
    let Latency { p50, p90, p95, p99, max, .. } = found.response;
    println!("  p50 {}, max {}", ms(p50), ms(max));
    for (name, found, truth) in [("p90", p90, 1000), ("p95", p95, 1500), ("p99", p99, 1900)] {
        let truth = Duration::from_millis(truth);
        let off = found.abs_diff(truth).as_secs_f64() / truth.as_secs_f64();
        line(
            &format!("frozen for 2 s of 10 s, {name}"),
            &ms(found),
            &format!("{} ± 1 %", ms(truth)),
            off <= 0.01,
        );
    }
}

/// Percentiles beside those that the server knows it kept.
fn laws(settings: &Settings) {
    let laws =
        ["lognormal:20ms:0.5", "exponential:10ms", "uniform:5ms:40ms", "bimodal:5ms:60ms:0.08"];
    for law in laws {
        let sink = SinkChild::start(&server(law, settings.awake));
        let order = order(sink.port, Some(1000), settings.ms * 2);
        let found = run_ours(&LoadOrder { connections: 256, ..order });
        let SinkReport { kept, late, .. } = sink.stop();
        println!("  {law}: {} samples, server late by {} at p99", found.samples, us(late.p99));
        compare(&found, kept);
    }
}

fn compare(found: &Found, kept: Quantiles) {
    let Latency { p50, p95, p99, .. } = found.response;
    for (name, found, truth) in
        [("p50", p50, kept.p50), ("p95", p95, kept.p95), ("p99", p99, kept.p99)]
    {
        let bar = truth.mul_f64(0.005).max(Duration::from_micros(50));
        let off = found.abs_diff(truth);
        let figure = format!("{} / {}", ms(found), ms(truth));
        line(&format!("    {name}, found / kept"), &figure, &format!("± {}", us(bar)), off <= bar);
    }
}

/// What 10,000 points a second cost.
fn cost(settings: &Settings) {
    for (points, rate, bar) in [(100, 100, 0.02), (1, 10_000, 0.25)] {
        let server = SinkOrder { status: 204, body: String::new(), ..server("none", false) };
        let sink = SinkChild::start(&server);
        let order = order(sink.port, Some(rate), settings.ms);
        let made = PointOrder { batch: points, decimals: Some(2), gzip: None };
        let write = LoadOrder { status: 204, body: String::new(), points: Some(made), ..order };
        let found = run_ours(&LoadOrder { connections: 16, ..write });
        sink.stop();
        let share = found.cpu.as_secs_f64() / (settings.ms as f64 / 1e3);
        let awake = found.awake.as_secs_f64() / (settings.ms as f64 / 1e3);
        let work = (share - awake) * 100.0;
        let lag = us(found.lag_p95);
        println!("  {work:.2} % at work, {:.2} % waiting awake, lag p95 {lag}", awake * 100.0);
        let what = format!("10,000 points/s, batches of {points}: of a core");
        let figure = format!("{:.2} %", share * 100.0);
        line(&what, &figure, &format!("≤ {} %", bar * 100.0), share <= bar);
    }
}

/// Fresh points as fast as they can be made and sent, in batches of 5,000.
fn points(settings: &Settings) {
    let kinds = [
        ("2 decimals", Some(2), None, 10.0),
        ("all decimals", None, None, 5.0),
        ("2 decimals, gzip 1", Some(2), Some(1), 2.0),
    ];
    for (name, decimals, gzip, bar) in kinds {
        let rounds = (0..settings.rounds).map(|_| {
            let server = SinkOrder { status: 204, body: String::new(), ..server("none", false) };
            let sink = SinkChild::start(&server);
            let made = PointOrder { batch: 5_000, decimals, gzip };
            let order = order(sink.port, None, settings.ms);
            let write = LoadOrder { status: 204, body: String::new(), points: Some(made), ..order };
            let found = run_ours(&LoadOrder { connections: 8, ..write });
            sink.stop();
            let of_cpu = found.work_per_second * settings.ms as f64 / 1e3 / found.cpu.as_secs_f64();
            println!("  {:.2} M/s of its own processor time", of_cpu / 1e6);
            found.work_per_second / 1e6
        });
        let millions = median(rounds.collect(), |it| it);
        let what = format!("points made and sent, {name}");
        line(&what, &format!("{millions:.2} M/s"), &format!("≥ {bar} M/s"), millions >= bar);
    }
}

/// Memory for 50 users, and how it grows with the number of requests.
fn memory() {
    const MOST: u64 = 50_000_000;
    let sink = SinkChild::start(&server("none", false));
    let run = |ms| {
        let found = run_ours(&LoadOrder { connections: 50, ..order(sink.port, None, ms) });
        println!("  {} requests: at most {} KB", found.samples, found.peak_rss_kb);
        found
    };
    let few = run(7_000);
    // As long as it takes at the same rate, and somewhat longer.
    let many = run(7_000 * MOST / few.samples.max(1) * 11 / 10);
    sink.stop();
    let enough = few.samples <= MOST / 20 && many.samples >= MOST;
    let (most, growth) = (many.peak_rss_kb, many.peak_rss_kb.saturating_sub(few.peak_rss_kb));
    let reached = enough && most <= 20_000;
    line("memory, 50 users", &format!("{most} KB"), "≤ 20000 KB", reached);
    let what = format!("growth to {} M requests", many.samples / 1_000_000);
    line(&what, &format!("{growth} KB"), "< 1000 KB", enough && growth < 1_000);
}

/// From the breach of a limit until nothing more is sent, and until the run is over.
fn abort(settings: &Settings) {
    let below = |value| Limit { comparison: Comparison::Below, value };
    let share = Ratio::try_from(0.05).expect("a share");
    let rounds = (0..settings.rounds).map(|_| {
        let errors = AbortRule {
            figure: AbortFigure::Errors,
            limit: below(LimitValue::Ratio(share)),
            over: Duration::from_secs(1),
        };
        // Of the 2,000 arrivals of a window, the hundredth that fails is one in twenty.
        let fault = Some("status:500@4000..".to_owned());
        let sink = SinkChild::start(&SinkOrder { fault, ..server("none", false) });
        let order = order(sink.port, Some(2_000), 30_000);
        let found = run_ours(&LoadOrder { abort: vec![errors], ..order });
        let requests = sink.stop().requests;
        assert!(found.aborted.is_some(), "the errors are noticed");
        let last = Duration::from_secs(1).mul_f64(requests.saturating_sub(4_100) as f64 / 2_000.0);

        let p95 = AbortRule {
            figure: AbortFigure::Response(Quantile::P95),
            limit: below(LimitValue::Duration(Duration::from_millis(100))),
            over: Duration::from_secs(1),
        };
        let sink = SinkChild::start(&server("stall:2s:60s", false));
        let order = self::order(sink.port, Some(1_000), 30_000);
        let found = run_ours(&LoadOrder { abort: vec![p95], ..order });
        sink.stop();
        assert!(found.aborted.is_some(), "the stall is noticed");
        // After 151 ms of it 51 of the 1,000 of a window have waited for 100 ms.
        let breach = Duration::from_millis(2_151);
        let [stop, end] = [found.covered, found.took].map(|at| at.saturating_sub(breach));
        println!("  errors: last request {} after the breach", ms(last));
        println!("  frozen: told to stop {} after it, over {} after it", ms(stop), ms(end));
        [last, stop, end]
    });
    let rounds: Vec<_> = rounds.collect();
    let lines = [
        ("errors of 5 %, breach to last request", 500),
        ("frozen server, breach to stop", 500),
        ("frozen server, breach to end of the run", 1_000),
    ];
    for (place, (what, bar)) in lines.into_iter().enumerate() {
        let worst = rounds.iter().map(|round| round[place]).max().unwrap_or_default();
        let bar = Duration::from_millis(bar);
        line(what, &ms(worst), &format!("≤ {}", ms(bar)), worst <= bar);
    }
}
