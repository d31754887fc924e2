//! A run in shards, and what comes of putting them together.

use cutover_model::event::FactValue;
use cutover_model::measured::Measured;
use cutover_model::report::StepState;
use cutover_model::{Exit, Judgement, RunReport};

use crate::support::{GROUNDWORK, Ran, Sandbox};

/// A load, and a check that is none.
fn sandbox() -> Sandbox {
    let checks = "  - parity:
      data: [load]
      expect: { missing: 0, extra: 0, different: 0, min_rows: 10 }
  - load:
      write: { open: { rate: 5_000 points/s }, batch: 50, points: { series: 7 } }
      warm_up: 200ms
      duration: 800ms
      expect:
        - { on: write, p95: \"< 10s\", errors: \"< 1%\", min_samples: 60 }
      prove: [no_acknowledged_write_lost]
";
    Sandbox::with_steps(&format!("{GROUNDWORK}{checks}"))
}

fn shard(sandbox: &Sandbox, shard: &str, out: &str, more: &[&str]) -> Ran {
    let mut args = vec!["run", "small.yaml", "--shard", shard, "--out", out];
    args.extend(more);
    sandbox.run(&args)
}

/// A count among the facts of a step.
fn count(report: &RunReport, step: usize, name: &str) -> u64 {
    let facts = &report.scenarios[0].steps[step].facts;
    let fact = facts.iter().find(|fact| fact.name == name);
    match fact.map(|fact| &fact.value) {
        Some(FactValue::Count(count)) => *count,
        other => panic!("{name}: {other:?}"),
    }
}

/// What was measured of the writers.
fn written(report: &RunReport) -> Measured {
    let facts = &report.scenarios[0].steps[3].facts;
    match facts.iter().find(|fact| fact.name == "write").map(|fact| &fact.value) {
        Some(FactValue::Measured(measured)) => (**measured).clone(),
        other => panic!("{other:?}"),
    }
}

#[test]
fn two_shards_are_together_the_run() {
    let sandbox = sandbox();
    assert_eq!(sandbox.run(&["run", "small.yaml", "--out", "whole"]).code, 0);
    for (number, out) in [("1/2", "a"), ("2/2", "b")] {
        let ran = shard(&sandbox, number, out, &[]);
        assert_eq!(ran.code, 4, "{}{}", ran.stdout, ran.stderr);
    }
    // Shards are given in any order.
    let ran = sandbox.run(&["merge", "b", "a", "--out", "merged"]);
    assert_eq!(ran.code, 0, "{}{}", ran.stdout, ran.stderr);
    let (whole, merged) = (sandbox.report("whole"), sandbox.report("merged"));
    for name in ["points acknowledged", "points read back", "acknowledged points lost"] {
        assert_eq!(count(&merged, 3, name), count(&whole, 3, name), "{name}");
    }
    assert_eq!(count(&merged, 3, "points acknowledged"), 5_000);
    assert_eq!(count(&merged, 3, "acknowledged points lost"), 0);
    assert_eq!(written(&merged).requests, written(&whole).requests);
    let shares = ["a", "b"].map(|it| count(&sandbox.report(it), 3, "points acknowledged"));
    assert_eq!(shares, [2_500, 2_500]);
    let judgements = |report: &RunReport| {
        let steps = report.scenarios[0].steps.iter();
        let verdicts = steps.filter_map(|step| step.verdict.clone());
        verdicts.map(|it| it.expectations.iter().map(|it| it.judgement).collect()).collect()
    };
    let (ours, theirs): (Vec<Vec<Judgement>>, _) = (judgements(&merged), judgements(&whole));
    assert_eq!(ours, theirs);
    assert_eq!((merged.exit, merged.counts), (whole.exit, whole.counts));
    for step in &merged.scenarios[0].steps[2..] {
        let evidence = step.evidence.clone().unwrap();
        assert!(sandbox.path("merged").join(evidence).is_file(), "{}", step.id);
    }
    for format in ["json", "junit", "html", "markdown", "text"] {
        assert_eq!(sandbox.run(&["report", "merged", "--format", format]).code, 0);
    }
}

#[test]
fn a_shard_judges_no_load_and_says_what_it_leaves_to_others() {
    let sandbox = sandbox();
    assert_eq!(shard(&sandbox, "2/2", "b", &[]).code, 4);
    let report = sandbox.report("b");
    let steps = &report.scenarios[0].steps;
    assert_eq!(steps[2].state, StepState::Skipped("left to the first shard".to_owned()));
    let verdict = steps[3].verdict.clone().unwrap();
    assert!(verdict.expectations.len() >= 3);
    for expectation in verdict.expectations {
        assert_eq!(expectation.judgement, Judgement::Skipped);
        assert!(expectation.reason.unwrap().starts_with("judged by merge"));
    }
    assert_eq!(report.exit, Exit::NothingJudged);
    assert!(report.scenarios[0].reproduce.ends_with("--shard 2/2"), "{report:?}");
    assert!(sandbox.read("b/summary.md").contains("shard 2/2"));
}

#[test]
fn what_are_not_all_shards_of_one_run_is_refused_before_anything_is_written() {
    let sandbox = sandbox();
    shard(&sandbox, "1/2", "a", &[]);
    shard(&sandbox, "2/2", "b", &[]);
    shard(&sandbox, "2/2", "seed", &["--seed", "2"]);
    shard(&sandbox, "2/3", "of-three", &[]);
    let text = sandbox.read("small.yaml");
    sandbox.write("small.yaml", &text.replace("min_samples: 60", "min_samples: 50"));
    shard(&sandbox, "2/2", "scenario", &[]);
    sandbox.write("small.yaml", &text);
    sandbox.run_small();
    std::fs::create_dir(sandbox.path("cut")).unwrap();
    let events = sandbox.read("b/events.jsonl");
    let kept: Vec<_> = events.lines().take(6).collect();
    sandbox.write("cut/events.jsonl", &kept.join("\n"));
    sandbox.write("cut/shard.json", &sandbox.read("b/shard.json"));
    let cases: [(&[&str], &str); 9] = [
        (&["a"], "shard 2/2 is missing beside `a`"),
        (&["b"], "shard 1/2 is missing beside `b`"),
        (&["a", "b", "a"], "`a` and `a` are both shard 1/2"),
        (&["a", "seed"], "`seed` is no shard of the run of `a`: its seed is `2`"),
        (&["a", "of-three"], "`of-three` is no shard of the run of `a`: its number of shards"),
        (&["a", "scenario"], "`scenario` is no shard of the run of `a`: its scenario `small`"),
        (&["a", "out"], "`out` is no record of a shard"),
        (&["a", "cut"], "`cut` has no end: shard 2/2"),
        (&["a", "nowhere"], "failed to read `nowhere/events.jsonl`"),
    ];
    for (runs, told) in cases {
        let ran = sandbox.run(&[&["merge", "--out", "merged"], runs].concat());
        assert_eq!(ran.code, 2, "{runs:?}: {}{}", ran.stdout, ran.stderr);
        assert!(ran.stderr.contains(told), "{runs:?}: {}", ran.stderr);
        assert!(ran.stderr.contains("= help: "), "{runs:?}: {}", ran.stderr);
        assert!(!sandbox.path("merged").exists(), "{runs:?}");
    }
}

#[test]
fn a_point_that_one_shard_lost_fails_the_whole() {
    let sandbox = sandbox();
    shard(&sandbox, "1/2", "a", &[]);
    shard(&sandbox, "2/2", "b", &[]);
    let path = "b/evidence/small/4-load.json";
    let evidence = sandbox.read(path);
    let lost = evidence.replace("\"lost\":0,\"first_lost\":[]", "\"lost\":1,\"first_lost\":[51]");
    assert_ne!(lost, evidence);
    sandbox.write(path, &lost);
    assert_eq!(sandbox.run(&["merge", "a", "b", "--out", "merged"]).code, 1);
    assert!(sandbox.read("merged/summary.txt").contains("point 51 was acknowledged"));
}

#[test]
fn what_is_no_shard_is_refused_and_nothing_is_started() {
    let sandbox = sandbox();
    for text in ["0/2", "3/2", "1", "1/0", "x/2", "1/1001"] {
        let ran = shard(&sandbox, text, "out", &[]);
        assert_eq!(ran.code, 2, "{text}");
        assert!(ran.stderr.contains("--shard <K/N>"), "{text}: {}", ran.stderr);
        assert!(!sandbox.path("out").exists());
    }
}

#[test]
fn users_are_not_divided_among_more_shards_than_there_are() {
    let load = "  - load:
      write: { closed: { users: 2 }, batch: 10, points: { series: 1 } }
      duration: 300ms
      expect: [ { on: write, errors: \"< 1%\" } ]
";
    let sandbox = Sandbox::with_steps(&format!("{GROUNDWORK}{load}"));
    let ran = shard(&sandbox, "1/3", "out", &[]);
    assert_eq!(ran.code, 2, "{}", ran.stderr);
    assert!(ran.stderr.contains("the 2 users of `3-load` of `small`"), "{}", ran.stderr);
}
