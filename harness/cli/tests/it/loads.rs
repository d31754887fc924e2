//! Loads of every shape that a file can say, on stand-ins: what is written is all there, what is
//! read is right, and every break of either is seen.

use cutover_model::event::FactValue;
use cutover_model::{Judgement, RunReport};

use crate::support::{GROUNDWORK, Sandbox};

/// The highest value of a region, in three languages.
const PEAK: &str = r#"version: 1
id: peak
title: The highest value of a region
parameters:
  region: ["N", SE]
sql: |
  SELECT max("value") AS peak FROM "small_data"."demand_mw" WHERE region = '${region}'
flux: |
  from(bucket: "small_data") |> range(start: 0)
    |> filter(fn: (r) => r._measurement == "demand_mw" and r.region == "${region}")
    |> max() |> keep(columns: ["_value"])
influxql: |
  SELECT max("value") AS peak FROM "small_data".."demand_mw" WHERE region = '${region}'
answer:
  value: { sql: peak, flux: _value, influxql: peak }
"#;

/// Writers and readers of every kind.
const LOADS: &str = r#"
  - load:
      write:
        open: { stages: [{ to: 4_000 points/s, over: 400ms }, { to: 1_000 points/s, over: 400ms }] }
        batch: 20
        precision: ms
        gzip: 6
        points:
          series: 30
          tags: [plant, unit]
          fields:
            power: { float: { shape: diurnal } }
            state: integer
            tripped: boolean
            note: { text: 9 }
          late: { share: 10%, by: 1m }
          out_of_order: 20%
      read:
        closed: { users: 3, think: 5ms }
        queries: [{ use: queries/peak, weight: 2 }]
        answers: same_as_source
      duration: 1s
      expect:
        - { on: write, errors: "< 1%", min_samples: 50 }
        - { on: read, errors: "< 1%", p95: "< 1s", min_samples: 50 }
      prove: [no_acknowledged_write_lost]
      sabotage: [{ swallow_writes: 20% }, { wrong_answer: 20% }, { fail_requests: 20% }]
  - load:
      write: { replay: { data: [load], speed: 360_000 }, batch: 3 }
      read:
        open: { ramp: { to: 100/s, over: 500ms }, spacing: poisson }
        queries: [{ use: queries/peak }]
        language: influxql
        answers: same_as_source
      duration: 1s
      expect: [{ on: all, errors: "< 1%", min_samples: 50 }]
      prove: [no_acknowledged_write_lost]
      sabotage: [{ swallow_writes: 20% }, { wrong_answer: 20% }]
  - load:
      read:
        open: { steps: { from: 20/s, by: 20/s, every: 300ms } }
        queries: [{ use: queries/peak }]
        language: sql
      duration: 1s
      expect: [{ on: read, errors: "< 1%", min_samples: 20 }]
"#;

/// A load whose every second is watched.
const WATCHED: &str = r#"
  - load:
      write: { open: { rate: 1_000 points/s }, batch: 10 }
      duration: 1m
      expect: [{ errors: "< 90%", min_samples: 10 }]
      abort: [{ errors: "< 20%", over: 1s }]
      sabotage: [{ fail_requests: 50% }]
"#;

fn sandbox(loads: &str) -> Sandbox {
    let sandbox = Sandbox::with_steps(&format!("{GROUNDWORK}{loads}"));
    std::fs::create_dir(sandbox.path("queries")).unwrap();
    sandbox.write("queries/peak.yaml", PEAK);
    sandbox
}

/// The facts of all operations that were measured, by name.
fn measured(report: &RunReport) -> Vec<(String, u64)> {
    let facts = report.scenarios[0].steps.iter().flat_map(|step| &step.facts);
    let requests = facts.filter_map(|fact| match &fact.value {
        FactValue::Measured(measured) => Some((fact.name.clone(), measured.requests)),
        _ => None,
    });
    requests.collect()
}

#[test]
fn loads_of_every_shape_lose_nothing_and_are_answered_right() {
    let sandbox = sandbox(LOADS);
    let ran = sandbox.run(&["run", "small.yaml", "--out", "out"]);
    assert_eq!(ran.code, 0, "{}{}", ran.stdout, ran.stderr);
    let measured = measured(&sandbox.report("out"));
    let names: Vec<&str> = measured.iter().map(|(name, _)| name.as_str()).collect();
    assert_eq!(names, ["write", "peak", "write", "peak", "peak"]);
    // What is due does not depend on how fast anything is: 800, 1,000 and 200 points in batches of
    // 20; 6, 12, 18 and 8 queries.
    let requests = |at: usize| measured[at].1;
    assert_eq!(requests(0), 100);
    assert_eq!(requests(4), 44);
}

#[test]
fn every_break_of_what_is_written_and_read_is_caught() {
    let sandbox = sandbox(LOADS);
    let ran = sandbox.run(&["sabotage", "small.yaml", "--out", "out"]);
    assert_eq!(ran.code, 0, "{}{}", ran.stdout, ran.stderr);
    assert!(ran.stdout.contains("5 breaks: 5 caught, 0 survived"), "{}", ran.stdout);
}

#[test]
fn a_load_whose_errors_break_their_limit_is_stopped_and_told() {
    let sandbox = sandbox(WATCHED);
    let ran = sandbox.run(&["run", "small.yaml", "--out", "out", "--sabotage", "3-load/1"]);
    assert_eq!(ran.code, 1, "{}{}", ran.stdout, ran.stderr);
    let report = sandbox.report("out");
    let step = &report.scenarios[0].steps[2];
    let expectations = &step.verdict.as_ref().unwrap().expectations;
    let watched = expectations.iter().find(|it| it.expected.contains("over every 1s")).unwrap();
    assert_eq!(watched.judgement, Judgement::Fail);
    let reason = watched.reason.as_deref().unwrap();
    assert!(reason.starts_with("the load was stopped after"), "{reason}");
    // The other limit held until then, and that is no pass.
    let other = expectations.iter().find(|it| it.expected.contains("errors < 90%")).unwrap();
    assert_eq!(other.judgement, Judgement::Inconclusive);
    assert!(measured(&report)[0].1 < 6_000);
}

#[test]
fn a_rate_is_not_looked_for_on_a_stand_in() {
    let search = r#"
  - find_rate:
      write: { batch: 10 }
      from: 1_000 points/s
      to: 9_000 points/s
      holds: [{ p95: "< 1s", min_samples: 100 }]
      expect: { rate: ">= 2_000/s" }
"#;
    let sandbox = sandbox(search);
    let ran = sandbox.run(&["run", "small.yaml", "--out", "out"]);
    assert_eq!(ran.code, 4, "{}{}", ran.stdout, ran.stderr);
    let report = sandbox.report("out");
    let verdict = report.scenarios[0].steps[2].verdict.as_ref().unwrap();
    assert_eq!(verdict.judgement(), Judgement::Skipped);
}
