//! scratch
#![allow(warnings)]

use std::time::Duration;

use cutover_model::scenario::{
    Comparison, Fault, Invariant, OutcomeClass, RollbackExpect, RollbackSabotage, RollbackStep,
    TriggerName, TriggerRule, TriggerWindow, Workload,
};
use cutover_model::{FindingCode, Judgement, Rate, Ratio, Verdict};

use cutover_engine::rollback::{RollbackEvidence, collect, judge};
use cutover_engine::{Stop, StopSwitch};

fn percent(percent: f64) -> Ratio {
    Ratio::from_percent(percent).unwrap()
}

fn seconds(seconds: u64) -> Duration {
    Duration::from_secs(seconds)
}

fn rate(per_second: f64) -> Rate {
    Rate::try_from(per_second).unwrap()
}

fn stop() -> Stop {
    StopSwitch::new().1
}

fn rule(name: TriggerName, comparison: Comparison, limit: f64) -> TriggerRule {
    let failures = [OutcomeClass::ServerError, OutcomeClass::Timeout];
    let (periods, counts) = match name {
        TriggerName::ErrorRate => (2, failures.to_vec()),
        TriggerName::SuccessRate => (3, failures.to_vec()),
        _ => (3, Vec::new()),
    };
    let window = match name {
        TriggerName::ConnectionFailures => TriggerWindow::Sliding { length: seconds(60) },
        _ => TriggerWindow::Consecutive { periods, period: seconds(10), min_samples: 10 },
    };
    TriggerRule { name, comparison, limit, window, counts }
}

/// A drill of under three virtual minutes with about 1,300 requests.
fn small() -> RollbackStep {
    RollbackStep {
        steps: [0.0, 25.0, 50.0, 100.0].map(percent).to_vec(),
        hold: seconds(40),
        at: percent(50.0),
        fault: Some(Fault::HttpError { status: 503, ratio: percent(30.0) }),
        triggers: vec![
            rule(TriggerName::ErrorRate, Comparison::Above, 0.05),
            rule(TriggerName::LatencyDifference, Comparison::Above, 10.0),
            rule(TriggerName::ConnectionFailures, Comparison::Above, 10.0),
            rule(TriggerName::SuccessRate, Comparison::Below, 0.95),
        ],
        workload: Workload {
            instances: 3,
            poll_every: seconds(10),
            devices: 40,
            writes: rate(4.0),
            queries: rate(2.0),
        },
        expect: RollbackExpect {
            rolled_back_by: Some(TriggerName::ErrorRate),
            within_periods: 3,
            final_share: Ratio::ZERO,
        },
        prove: vec![
            Invariant::NoAcknowledgedWriteLost,
            Invariant::NoWriteAppliedTwice,
            Invariant::EveryClientConverged,
            Invariant::ReadersNeverPrecedeWriters,
        ],
        sabotage: Vec::new(),
    }
}

/// A healthy InfluxDB with noise: periods in breach come and go, and never ten in a row.
fn noisy() -> RollbackStep {
    let mut step = small();
    step.steps = vec![Ratio::ONE];
    step.at = Ratio::ONE;
    step.hold = seconds(400);
    step.fault = Some(Fault::HttpError { status: 503, ratio: percent(8.0) });
    let mut noise = rule(TriggerName::ErrorRate, Comparison::Above, 0.1);
    noise.window = TriggerWindow::Consecutive { periods: 10, period: seconds(5), min_samples: 10 };
    step.triggers = vec![noise];
    step.expect =
        RollbackExpect { rolled_back_by: None, within_periods: 0, final_share: Ratio::ONE };
    step
}

fn drill(step: &RollbackStep, sabotage: Option<RollbackSabotage>) -> RollbackEvidence {
    collect(step, sabotage, 7, &stop()).unwrap()
}

/// What failed, by the beginning of its expectation.
fn failures(verdict: &Verdict) -> Vec<&str> {
    let failed = verdict.expectations.iter().filter(|it| it.judgement == Judgement::Fail);
    failed.map(|it| it.expected.as_str()).collect()
}

fn shown(verdict: &Verdict) -> String {
    let lines = verdict.expectations.iter().map(|it| {
        let reason = it.reason.as_deref().unwrap_or_default();
        format!("{}: {} -- {} {reason}\n", it.judgement, it.expected, it.observed)
    });
    let findings = verdict.findings.iter().map(|it| format!("{}: {}\n", it.code, it.message));
    lines.chain(findings).collect()
}


fn smoke() -> RollbackStep {
    let mut step = small();
    step.steps = [0.0, 10.0, 25.0, 50.0].map(percent).to_vec();
    step.hold = seconds(180);
    for rule in &mut step.triggers {
        if let TriggerWindow::Consecutive { period, min_samples, .. } = &mut rule.window { *period = seconds(60); *min_samples = 100; }
        if let TriggerWindow::Sliding { length } = &mut rule.window { *length = seconds(300); }
    }
    step.workload = Workload { instances: 4, poll_every: seconds(45), devices: 200, writes: rate(10.0), queries: rate(2.0) };
    step
}
fn main() {
    let args: Vec<String> = std::env::args().collect();
    let step = match args[1].as_str() { "small" => small(), "noisy" => noisy(), "smoke" => smoke(), _ => panic!() };
    let sab = args.get(2).and_then(|s| serde_json::from_value(serde_json::Value::String(s.clone())).ok());
    let seed = args.get(3).map_or(7, |s| s.parse().unwrap());
    let t = std::time::Instant::now();
    let e = collect(&step, sab, seed, &stop()).unwrap();
    println!("collect {:?}", t.elapsed());
    let t = std::time::Instant::now();
    let v = judge(&step, &e);
    println!("judge {:?}", t.elapsed());
    print!("{}", shown(&v));
    println!("failed: {:?}", failures(&v));
    for f in cutover_engine::rollback::facts(&e) { println!("{f:?}"); }
    for d in &e.decisions { println!("{:?} {} {:?}", d.at, d.flags, d.cause); }
    for d in e.evaluations.iter().filter(|e| e.trigger == TriggerName::ErrorRate) { println!("{:?}", d); }
    let json = serde_json::to_string(&e).unwrap();
    println!("json {} bytes, same {}", json.len(), serde_json::from_str::<RollbackEvidence>(&json).unwrap() == e);
    let e2 = collect(&step, sab, seed, &stop()).unwrap();
    println!("again equal: {}", e2 == e);
}
