//! A run made by hand that has everything a report can show: every judgement, every figure, an
//! error, a fault that stayed, and text that tries to break out. The golden samples are its.

use std::collections::BTreeMap;
use std::time::Duration;

use cutover_model::calibration::{Calibration, Spread};
use cutover_model::event::{
    EVENT_FORMAT, Fact, FactValue, Figure, LatencySeries, Machine, PerSecondSeries,
    PercentileSeries, RunEvent, RunEventKind, RunStart, TrafficFigure, TriggerPoint,
};
use cutover_model::measured::{Arrivals, Estimate, GeneratorFigures, LatencyFigures, Measured};
use cutover_model::{
    Expectation, FieldValue, Finding, FindingCode, Judgement, RunId, RunReport, ScenarioId, StepId,
    StepKind, TargetKind, Timing, Verdict, Witness,
};

/// 2023-01-01T03:00:00Z, the first hour of 2023 in São Paulo.
const FIRST_HOUR: i64 = 1_672_542_000_000_000_000;
const HOUR: i64 = 3_600_000_000_000;

/// Text that breaks out wherever one output forgets to escape it.
pub(crate) const HOSTILE: &str =
    "<script>alert(1)</script> ]]> | `x` **b** \"q\" 'q' &amp; \u{1b}[31m \u{0} \u{202e} \u{fffe}";

/// The report of the sample.
pub(crate) fn report() -> RunReport {
    RunReport::fold(&events()).expect("the sample is a record of a run")
}

/// The events of the sample.
pub(crate) fn events() -> Vec<RunEvent> {
    let mut record = Record::default();
    record.at(
        0,
        RunEventKind::RunStarted(RunStart {
            format: EVENT_FORMAT,
            run: RunId::new("20261121T060000Z-7"),
            version: "0.1.0".to_owned(),
            started_at_ns: 1_795_240_800_000_000_000,
            seed: 7,
            target: TargetKind::Embedded,
            options: Vec::new(),
            shard: None,
            machine: Some(Machine { cores: 2, system: "linux x86_64".to_owned() }),
            scenarios: 3,
        }),
    );
    record.at(1, RunEventKind::Calibrated(calibration()));
    load_curve(&mut record);
    way_back(&mut record);
    hostile(&mut record);
    record.at(41_870, RunEventKind::RunFinished);
    record.0
}

fn calibration() -> Calibration {
    let us = Duration::from_micros;
    Calibration {
        ceiling_per_second: 61_234.0,
        rate: 1_000,
        added: Spread { p50: us(60), p95: us(110), p99: us(400) },
        lag_p95: us(70),
        server_late: Spread { p50: us(12), p95: us(30), p99: us(90) },
        points_per_second: 4_210_000.0,
    }
}

/// A record that numbers its events.
#[derive(Default)]
struct Record(Vec<RunEvent>);

impl Record {
    fn at(&mut self, millis: u64, kind: RunEventKind) {
        let seq = self.0.len() as u64;
        self.0.push(RunEvent { seq, elapsed: Duration::from_millis(millis), kind });
    }

    fn scenario(&mut self, millis: u64, id: &str, words: (&str, &str), kinds: &[StepKind]) {
        let scenario = ScenarioId::new(id);
        let steps = kinds.iter().enumerate().map(|(index, it)| (StepId::at(index, *it), *it));
        self.at(
            millis,
            RunEventKind::ScenarioStarted {
                scenario: scenario.clone(),
                title: words.0.to_owned(),
                file: words.1.into(),
                sabotage: None,
                steps: steps.collect(),
            },
        );
        let (timing, destination) = (Timing::Indicative, "the InfluxDB stand-in".to_owned());
        let ready = RunEventKind::TargetReady { scenario, timing, destination };
        self.at(millis + 40, ready);
    }

    fn started(&mut self, millis: u64, scenario: &str, step: &str) {
        let (scenario, step) = (ScenarioId::new(scenario), StepId::new(step));
        self.at(millis, RunEventKind::StepStarted { scenario, step });
    }

    fn finished(&mut self, millis: u64, place: (&str, &str), facts: Vec<Fact>) {
        let (scenario, step) = (ScenarioId::new(place.0), StepId::new(place.1));
        let findings = Vec::new();
        self.at(millis, RunEventKind::StepFinished { scenario, step, facts, findings });
    }

    fn judged(&mut self, millis: u64, place: (&str, &str), judged: Judged) {
        let (scenario, step) = (ScenarioId::new(place.0), StepId::new(place.1));
        let path = format!("evidence/{scenario}/{step}.json").into();
        let written =
            RunEventKind::EvidenceWritten { scenario: scenario.clone(), step: step.clone(), path };
        self.at(millis - 5, written);
        let Judged { facts, verdict, figures } = judged;
        self.at(millis, RunEventKind::CheckJudged { scenario, step, facts, verdict, figures });
    }
}

struct Judged {
    facts: Vec<Fact>,
    verdict: Verdict,
    figures: Vec<Figure>,
}

fn load_curve(record: &mut Record) {
    let id = "ons-load-curve";
    let title = "The ONS hourly load curve reads the same from InfluxDB and holds the load";
    let file = "scenarios/smoke/ons-load-curve.yaml";
    let kinds =
        [StepKind::Seed, StepKind::Migrate, StepKind::Parity, StepKind::Latency, StepKind::Load];
    record.scenario(10, id, (title, file), &kinds);
    record.started(60, id, "1-seed");
    let facts = vec![
        Fact::count("rows written", 35_040),
        Fact::text("zone", "America/Sao_Paulo"),
        Fact { name: "rate".to_owned(), value: FactValue::PerSecond(18_240.5) },
    ];
    record.finished(1_981, (id, "1-seed"), facts);
    record.started(1_982, id, "2-migrate");
    let facts = vec![
        Fact::count("rows read", 35_040),
        Fact::count("rows acknowledged", 35_039),
        Fact::count("batches", 8),
        Fact { name: "retries".to_owned(), value: FactValue::TimedCount(1) },
    ];
    record.finished(5_120, (id, "2-migrate"), facts);
    record.started(5_121, id, "3-parity");
    record.judged(7_844, (id, "3-parity"), parity());
    record.started(7_845, id, "4-latency");
    record.judged(17_912, (id, "4-latency"), latency());
    record.started(17_913, id, "5-load");
    record.judged(28_020, (id, "5-load"), load());
    record.at(28_060, RunEventKind::ScenarioFinished { scenario: ScenarioId::new(id) });
}

fn parity() -> Judged {
    let differs = |hour: i64, region: &str| Finding {
        code: FindingCode::ValueDiffers,
        message: "the values differ by more than the tolerance".to_owned(),
        witness: Some(Witness {
            bucket: "consumption_data".to_owned(),
            measurement: "demand_mw".to_owned(),
            tags: BTreeMap::from([("region".to_owned(), region.to_owned())]),
            time_ns: FIRST_HOUR + hour * HOUR,
            field: Some("value".to_owned()),
            source: Some(FieldValue::Float(9_893.25 + hour as f64)),
            destination: Some(FieldValue::Float(9_893.5 + hour as f64)),
        }),
    };
    let mut findings = vec![Finding {
        code: FindingCode::RowMissing,
        message: "a row of the source is not in the destination".to_owned(),
        witness: Some(Witness {
            bucket: "consumption_data".to_owned(),
            measurement: "demand_mw".to_owned(),
            tags: BTreeMap::from([("region".to_owned(), "NE".to_owned())]),
            time_ns: FIRST_HOUR + 4 * HOUR,
            field: None,
            source: Some(FieldValue::Float(11_204.0)),
            destination: None,
        }),
    }];
    findings.extend((0..11).map(|hour| differs(hour, if hour % 2 == 0 { "S" } else { "SE" })));
    findings.push(Finding {
        code: FindingCode::PatternFound,
        message: "11 of 11 differences are +0.25: a rounding on the way".to_owned(),
        witness: None,
    });
    Judged {
        facts: vec![
            Fact::count("rows of the source", 35_040),
            Fact::count("rows of the destination", 35_039),
            Fact::count("values compared", 35_039),
        ],
        verdict: Verdict {
            expectations: vec![
                expectation("missing = 0", "1", Judgement::Fail),
                expectation("extra = 0", "0", Judgement::Pass),
                expectation("different = 0", "11", Judgement::Fail),
                expectation("rows >= 30,000", "35,040", Judgement::Pass),
            ],
            findings,
        },
        figures: Vec::new(),
    }
}

fn latency() -> Judged {
    let quantiles = [0.5, 0.9, 0.95, 0.99, 0.999];
    let line = |label: &str, micros: [u64; 5]| PercentileSeries {
        label: label.to_owned(),
        points: quantiles.into_iter().zip(micros.map(Duration::from_micros)).collect(),
    };
    let timed = |expected: &str, observed: &str| Expectation {
        timed: true,
        reason: Some("measured on a stand-in".to_owned()),
        ..expectation(expected, observed, Judgement::Skipped)
    };
    Judged {
        facts: vec![
            Fact::count("answers compared", 200),
            measured("source", Arrivals::Open, [6_900, 11_800, 19_700]),
            measured("destination", Arrivals::Open, [3_100, 7_420, 12_900]),
        ],
        verdict: Verdict {
            expectations: vec![
                timed("destination p95 < 5s", "7.42ms"),
                timed("destination / source p95 <= 1.20", "0.63"),
            ],
            findings: Vec::new(),
        },
        figures: vec![
            Figure::Percentiles {
                title: "consumption_peak".to_owned(),
                series: vec![
                    line("source", [6_900, 9_300, 11_800, 19_700, 34_100]),
                    line("destination", [3_100, 5_900, 7_420, 12_900, 28_800]),
                ],
            },
            Figure::Percentiles {
                title: "generation_trend".to_owned(),
                series: vec![
                    line("source", [8_200, 12_100, 14_600, 21_000, 26_900]),
                    line("destination", [5_400, 8_800, 9_900, 17_300, 41_600]),
                ],
            },
        ],
    }
}

fn load() -> Judged {
    // A dip in the middle, by a law that needs no chance.
    let values = |base: f64, dip: f64| {
        let second = |at: u32| {
            let away = (f64::from(at) - 34.0).abs();
            let ripple = f64::from(at * 37 % 23) * base / 900.0;
            base - ripple - if away < 5.0 { dip * (1.0 - away / 5.0) } else { 0.0 }
        };
        (0..60).map(second).collect()
    };
    Judged {
        facts: vec![
            Fact::count("points acknowledged", 600_000),
            Fact::count("points read back", 588_000),
            measured("write", Arrivals::Open, [900, 3_150, 9_420]),
            measured("read", Arrivals::Closed, [2_050, 6_300, 14_800]),
        ],
        verdict: Verdict {
            expectations: vec![
                expectation("acknowledged >= 99.9%", "100%", Judgement::Pass),
                Expectation {
                    reason: Some("588,000 of 600,000 points could be read back".to_owned()),
                    ..expectation("no_write_applied_twice", "", Judgement::Inconclusive)
                },
            ],
            findings: Vec::new(),
        },
        figures: vec![
            Figure::PerSecond {
                title: "write: requests".to_owned(),
                unit: "requests".to_owned(),
                warm_up: Duration::from_secs(5),
                series: vec![
                    PerSecondSeries { label: "ended".to_owned(), values: values(100.0, 50.0) },
                    PerSecondSeries { label: "failed".to_owned(), values: vec![0.0; 60] },
                    PerSecondSeries { label: "asked for".to_owned(), values: vec![100.0; 60] },
                ],
            },
            Figure::LatencyPerSecond {
                title: "write: response time".to_owned(),
                warm_up: Duration::from_secs(5),
                series: vec![
                    LatencySeries { label: "p50".to_owned(), values: waits(900) },
                    LatencySeries { label: "p95".to_owned(), values: waits(3_150) },
                ],
            },
        ],
    }
}

/// Latencies that rise where the rate dips. One second has no sample.
fn waits(micros: u64) -> Vec<Option<Duration>> {
    let second = |at: u64| {
        let away = at.abs_diff(34);
        let slower = if away < 5 { 6 - away } else { 1 };
        (at != 20).then(|| Duration::from_micros(micros * slower + at * 37 % 23 * micros / 90))
    };
    (0..60).map(second).collect()
}

/// What was measured of an operation with these percentiles, in microseconds.
fn measured(operation: &str, arrivals: Arrivals, micros: [u64; 3]) -> Fact {
    let known = |micros: u64, worth| Estimate {
        value: Duration::from_micros(micros),
        // A p99 of so few is not bounded.
        interval: (worth > 1_000)
            .then(|| (Duration::from_micros(micros * 9 / 10), Duration::from_micros(micros + 400))),
        worth,
    };
    let latency = |less: u64| LatencyFigures {
        samples: 6_000,
        p50: known(micros[0] - less, 5_210),
        p95: known(micros[1] - less, 2_480),
        p99: known(micros[2] - less, 640),
        max: Duration::from_micros(micros[2] * 3 - less),
    };
    let open = arrivals == Arrivals::Open;
    let failed: &[(&str, u64)] = if open { &[] } else { &[("throttled", 9), ("timeout", 2)] };
    let measured = Measured {
        arrivals,
        plan: "1f0c9b3a5d27e864".to_owned(),
        timing: Timing::Indicative,
        warm_up: Duration::from_secs(5),
        duration: Duration::from_mins(1),
        covered: Duration::from_mins(1),
        requests: 6_000,
        asked_per_second: open.then_some(100.0),
        achieved_per_second: 99.87,
        well_per_second: Estimate { value: 99.7, interval: Some((99.1, 100.2)), worth: 5_989 },
        response: Some(latency(0)),
        service: Some(latency(50)),
        waited: 12,
        retries: 3,
        failed: failed.iter().map(|(way, count)| ((*way).to_owned(), *count)).collect(),
        generator: GeneratorFigures {
            lag_p95: Some(Duration::from_micros(21)),
            busy: open.then_some(0.034),
            ..GeneratorFigures::default()
        },
    };
    Fact::measured(operation, measured)
}

fn way_back(record: &mut Record) {
    let id = "way-back";
    let title = "Errors on the InfluxDB path send all traffic back to Timestream";
    record.scenario(
        28_070,
        id,
        (title, "scenarios/rollback/way-back.yaml"),
        &[StepKind::Seed, StepKind::Rollback],
    );
    record.started(28_120, id, "1-seed");
    record.finished(28_900, (id, "1-seed"), vec![Fact::count("rows written", 8_760)]);
    record.started(28_901, id, "2-rollback");
    let verdict = Verdict {
        expectations: vec![
            expectation("rolled back by error_rate", "error_rate", Judgement::Pass),
            expectation("rolled back within 3 periods", "2 periods", Judgement::Pass),
            expectation("final share = 0%", "0%", Judgement::Pass),
            expectation("no_acknowledged_write_lost", "0 of 61,200 lost", Judgement::Pass),
            expectation("every_client_converged", "40 of 40", Judgement::Pass),
        ],
        findings: Vec::new(),
    };
    let facts = vec![
        Fact::count("writes acknowledged", 61_200),
        Fact::count("queries answered", 6_118),
        Fact::text("rolled back by", "error_rate"),
    ];
    let figures = vec![Figure::Traffic(drill())];
    record.judged(34_410, (id, "2-rollback"), Judged { facts, verdict, figures });
    record.at(34_450, RunEventKind::ScenarioFinished { scenario: ScenarioId::new(id) });
}

/// A drill of an hour: up to 50%, a fault at 30m, and back to 0% after two breaches.
fn drill() -> TrafficFigure {
    let minutes = |at: u64| Duration::from_secs(at * 60);
    let asked = |at: u64| match at {
        5..15 => 0.1,
        15..25 => 0.25,
        25..33 => 0.5,
        _ => 0.0,
    };
    let flags = [0, 5, 15, 25, 33].map(|at| (minutes(at), asked(at))).to_vec();
    let served = (0..60).map(|at| {
        let wobble = asked(at) * (f64::from(u32::try_from(at * 7 % 5).unwrap_or(0)) - 2.0) / 60.0;
        (Duration::from_secs(at * 60 + 30), asked(at) + wobble)
    });
    let point = |at: u64, trigger: &str, of_limit: Option<f64>, breach: bool| TriggerPoint {
        at: minutes(at),
        trigger: trigger.to_owned(),
        of_limit,
        breach,
    };
    let evaluations = (1..=60).flat_map(|at| {
        let faulty = at == 32 || at == 33;
        let quiet = f64::from(u32::try_from(at * 11 % 7).unwrap_or(0)) / 20.0;
        let seen = |value: f64| (6..=33).contains(&at).then_some(value);
        [
            point(at, "error_rate", seen(if faulty { 1.62 } else { quiet }), faulty),
            point(at, "latency_difference", seen(quiet / 3.0), false),
            point(at, "connection_failures", Some(if faulty { 0.7 } else { 0.0 }), false),
            point(at, "success_rate", seen(if faulty { 1.31 } else { quiet }), faulty),
        ]
    });
    TrafficFigure {
        flags,
        served: served.collect(),
        fault: Some((minutes(31), minutes(38))),
        evaluations: evaluations.collect(),
        fired: Some((minutes(33), "error_rate".to_owned())),
    }
}

fn hostile(record: &mut Record) {
    let id = "hostile-text";
    let title = format!("Text from outside stays text: {HOSTILE}");
    let file = "scenarios/it's <b>.yaml";
    record.scenario(
        34_460,
        id,
        (&title, file),
        &[StepKind::Seed, StepKind::Parity, StepKind::Latency, StepKind::Load],
    );
    record.started(34_510, id, "1-seed");
    let scenario = || ScenarioId::new(id);
    record.at(
        35_000,
        RunEventKind::StepFinished {
            scenario: scenario(),
            step: StepId::new("1-seed"),
            facts: vec![Fact::count("rows written", 12)],
            findings: vec![Finding {
                code: FindingCode::LocalTimeUnclear,
                message: "line 9: 2018-11-04 00:30 does not exist in America/Sao_Paulo".to_owned(),
                witness: None,
            }],
        },
    );
    record.started(35_001, id, "2-parity");
    record.judged(36_400, (id, "2-parity"), hostile_parity());
    let reason = format!("the target cannot be restarted {HOSTILE}");
    let step = StepId::new("3-latency");
    record.at(36_401, RunEventKind::StepSkipped { scenario: scenario(), step, reason });
    record.started(36_402, id, "4-load");
    let messages = vec![
        "failed to write to bucket `consumption_data`".to_owned(),
        format!("the server answered 503 {HOSTILE}"),
        "connection reset by peer".to_owned(),
    ];
    let (whose, step) = (Some(scenario()), Some(StepId::new("4-load")));
    record.at(41_800, RunEventKind::ErrorRaised { scenario: whose, step, messages });
    let what = format!("fault `http_error` on the write path {HOSTILE}");
    record.at(41_840, RunEventKind::LeftUnclean { scenario: scenario(), what });
    record.at(41_860, RunEventKind::ScenarioFinished { scenario: scenario() });
}

fn hostile_parity() -> Judged {
    let witness = Witness {
        bucket: HOSTILE.to_owned(),
        measurement: "<svg onload=alert(1)>".to_owned(),
        tags: BTreeMap::from([(HOSTILE.to_owned(), "</td></table>".to_owned())]),
        time_ns: i64::MIN,
        field: Some("a|b".to_owned()),
        source: Some(FieldValue::Text(HOSTILE.to_owned())),
        destination: Some(FieldValue::Integer(-0)),
    };
    Judged {
        facts: vec![
            Fact::text(HOSTILE, HOSTILE),
            measured(HOSTILE, Arrivals::Closed, [900, 3_150, 9_420]),
        ],
        verdict: Verdict {
            expectations: vec![Expectation {
                reason: Some(HOSTILE.to_owned()),
                ..expectation(HOSTILE, HOSTILE, Judgement::Fail)
            }],
            findings: vec![Finding {
                code: FindingCode::TypeDiffers,
                message: HOSTILE.to_owned(),
                witness: Some(witness),
            }],
        },
        figures: vec![
            Figure::PerSecond {
                title: HOSTILE.to_owned(),
                unit: HOSTILE.to_owned(),
                warm_up: Duration::ZERO,
                series: vec![PerSecondSeries { label: HOSTILE.to_owned(), values: vec![3.0] }],
            },
            Figure::Traffic(TrafficFigure {
                flags: vec![(Duration::ZERO, 0.0)],
                served: Vec::new(),
                fault: None,
                evaluations: vec![TriggerPoint {
                    at: Duration::from_mins(1),
                    trigger: HOSTILE.to_owned(),
                    of_limit: Some(40.0),
                    breach: true,
                }],
                fired: Some((Duration::from_mins(1), HOSTILE.to_owned())),
            }),
        ],
    }
}

fn expectation(expected: &str, observed: &str, judgement: Judgement) -> Expectation {
    Expectation {
        expected: expected.to_owned(),
        observed: observed.to_owned(),
        judgement,
        reason: None,
        timed: false,
    }
}
