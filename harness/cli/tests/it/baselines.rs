//! What is kept of a run, and what a later one is found to be beside it.

use cutover_model::event::FactValue;
use cutover_model::measured::GeneratorFigures;
use cutover_model::{RunEvent, RunEventKind, RunId, Timing};
use cutover_report::Baseline;
use serde_json::Value;

use crate::support::{GROUNDWORK, Ran, Sandbox};

const KEPT: &str = "reports/baselines/small.embedded.jsonl";

fn sandbox() -> Sandbox {
    let load = "  - load:
      write: { open: { rate: 10_000 points/s }, batch: 50 }
      warm_up: 200ms
      duration: 1s
      expect: [ { on: write, errors: \"< 1%\" } ]
";
    let sandbox = Sandbox::with_steps(&format!("{GROUNDWORK}{load}"));
    let ran = sandbox.run_small();
    assert_eq!(ran.code, 0, "{}{}", ran.stdout, ran.stderr);
    sandbox
}

/// Writes the record of `out` down again, changed, as that of another run.
fn rewritten(sandbox: &Sandbox, name: &str, change: impl Fn(&mut RunEventKind)) {
    let events = sandbox.read("out/events.jsonl");
    let mut lines = String::new();
    for line in events.lines() {
        let mut event: RunEvent = serde_json::from_str(line).unwrap();
        if let RunEventKind::RunStarted(start) = &mut event.kind {
            start.run = RunId::new(name);
        }
        change(&mut event.kind);
        lines += &(serde_json::to_string(&event).unwrap() + "\n");
    }
    std::fs::create_dir_all(sandbox.path(name)).unwrap();
    sandbox.write(&format!("{name}/events.jsonl"), &lines);
}

/// The same as if a real server had been measured, by a generator that was never late.
fn real(kind: &mut RunEventKind) {
    let RunEventKind::CheckJudged { facts, .. } = kind else { return };
    for fact in facts {
        if let FactValue::Measured(measured) = &mut fact.value {
            measured.timing = Timing::Real;
            measured.generator = GeneratorFigures::default();
        }
    }
}

fn baseline(sandbox: &Sandbox, run: &str) -> Ran {
    sandbox.run(&["baseline", run])
}

fn compare(sandbox: &Sandbox, more: &[&str]) -> Ran {
    sandbox.run(&[&["compare", "now"], more].concat())
}

/// A real run `now`, and six kept ones whose figures are its own by a factor, more or less.
fn with_history(factor: f64) -> Sandbox {
    let sandbox = sandbox();
    rewritten(&sandbox, "now", real);
    rewritten(&sandbox, "first", real);
    assert_eq!(baseline(&sandbox, "first").code, 0);
    let first: Baseline = serde_json::from_str(sandbox.read(KEPT).trim()).unwrap();
    let mut lines = String::new();
    for (night, noise) in [0.97, 1.02, 0.99, 1.03, 1.0, 0.98].into_iter().enumerate() {
        let mut kept = first.clone();
        kept.run = RunId::new(format!("night-{night}"));
        kept.started_at_ns += i64::try_from(night).unwrap();
        for figure in kept.operations.iter_mut().flat_map(|it| &mut it.figures) {
            figure.value *= factor * noise;
            let within = |(low, high)| (low * factor * noise, high * factor * noise);
            figure.interval = figure.interval.map(within);
        }
        lines += &kept.line();
    }
    sandbox.write(KEPT, &lines);
    sandbox
}

#[test]
fn a_run_on_stand_ins_is_refused_as_a_baseline_by_name() {
    let sandbox = sandbox();
    let ran = baseline(&sandbox, "out");
    assert_eq!(ran.code, 2);
    assert!(ran.stderr.contains("`small` of `") && ran.stderr.contains("stand-ins"), "{ran:?}");
    assert!(ran.stderr.contains("= help: "), "{}", ran.stderr);
    assert!(!sandbox.path("reports").exists());
}

#[test]
fn a_run_is_kept_as_one_line_and_only_once() {
    let sandbox = sandbox();
    rewritten(&sandbox, "now", real);
    let ran = baseline(&sandbox, "now");
    assert_eq!(ran.code, 0, "{}", ran.stderr);
    let again = baseline(&sandbox, "now");
    assert_eq!(again.code, 2);
    assert!(again.stderr.contains("`now` is kept already"), "{}", again.stderr);
    let kept = sandbox.read(KEPT);
    assert_eq!(kept.lines().count(), 1);
    let kept: Value = serde_json::from_str(&kept).unwrap();
    assert_eq!(kept["run"], "now");
    assert_eq!(kept["operations"][0]["step"], "3-load");
    assert_eq!(kept["operations"][0]["figures"][1]["statistic"], "p95");
    assert!(kept["machine"]["cores"].as_u64() > Some(0));
}

#[test]
fn a_run_like_the_kept_ones_exits_0_and_shows_their_trend() {
    let ran = compare(&with_history(1.0), &[]);
    assert_eq!(ran.code, 0, "{}{}", ran.stdout, ran.stderr);
    assert!(ran.stdout.contains("no difference that can be told"), "{}", ran.stdout);
    assert!(ran.stdout.contains("night-0") && ran.stdout.contains('█'), "{}", ran.stdout);
}

#[test]
fn a_run_that_is_slower_than_nights_differ_exits_1_in_every_format() {
    let sandbox = with_history(0.4);
    let ran = compare(&sandbox, &[]);
    assert_eq!(ran.code, 1, "{}{}", ran.stdout, ran.stderr);
    assert!(ran.stdout.contains("p95") && ran.stdout.contains("slower"), "{}", ran.stdout);
    let ran = compare(&sandbox, &["--format", "markdown"]);
    assert_eq!(ran.code, 1);
    assert!(ran.stdout.contains("| **slower** |"), "{}", ran.stdout);
    let ran = compare(&sandbox, &["--format", "json"]);
    assert_eq!(ran.code, 1);
    let json: Value = serde_json::from_str(&ran.stdout).unwrap();
    assert_eq!(json["figures"][0]["change"], "slower");
}

#[test]
fn a_slowdown_that_nobody_cares_about_is_told_and_exits_0() {
    let ran = compare(&with_history(0.7), &["--at-least", "90%"]);
    assert_eq!(ran.code, 0, "{}{}", ran.stdout, ran.stderr);
    assert!(ran.stdout.contains("slower, but little"), "{}", ran.stdout);
}

#[test]
fn nothing_to_compare_with_is_inconclusive() {
    let sandbox = sandbox();
    rewritten(&sandbox, "now", real);
    let ran = compare(&sandbox, &[]);
    assert_eq!(ran.code, 3, "{}", ran.stdout);
    assert!(ran.stdout.contains("no run of this scenario on this target is kept"));
    // Itself is nothing to compare with, and neither is one other run that is as short.
    assert_eq!(baseline(&sandbox, "now").code, 0);
    assert_eq!(compare(&sandbox, &[]).code, 3);
    rewritten(&sandbox, "other", real);
    let ran = compare(&sandbox, &["other"]);
    assert_eq!(ran.code, 3);
    assert!(ran.stdout.contains("less than 10 s"), "{}", ran.stdout);
}

#[test]
fn what_was_measured_on_stand_ins_is_compared_with_nothing() {
    let sandbox = with_history(1.0);
    rewritten(&sandbox, "indicative", |_| ());
    let ran = sandbox.run(&["compare", "indicative"]);
    assert_eq!(ran.code, 3);
    assert!(ran.stdout.contains("timing is indicative"), "{}", ran.stdout);
}

#[test]
fn a_run_without_its_end_is_no_baseline_and_inconclusive() {
    let sandbox = with_history(1.0);
    let events = sandbox.read("now/events.jsonl");
    let count = events.lines().count() - 1;
    let cut: Vec<&str> = events.lines().take(count).collect();
    sandbox.write("now/events.jsonl", &(cut.join("\n") + "\n"));
    let ran = baseline(&sandbox, "now");
    assert_eq!(ran.code, 2);
    assert!(ran.stderr.contains("did not come to its end"), "{}", ran.stderr);
    assert_eq!(compare(&sandbox, &[]).code, 3);
}

#[test]
fn a_shard_is_neither_kept_nor_compared() {
    let sandbox = sandbox();
    let ran = sandbox.run(&["run", "small.yaml", "--shard", "1/2", "--out", "part"]);
    assert_eq!(ran.code, 4, "{}", ran.stderr);
    for args in [["baseline", "part"], ["compare", "part"]] {
        let ran = sandbox.run(&args);
        assert_eq!(ran.code, 2, "{args:?}");
        assert!(ran.stderr.contains("is a shard") && ran.stderr.contains("cutover merge"));
    }
}

#[test]
fn a_run_whose_points_were_lost_is_no_baseline() {
    let sandbox = sandbox();
    let wrong = |kind: &mut RunEventKind| {
        real(kind);
        if let RunEventKind::CheckJudged { verdict, .. } = kind {
            verdict.expectations[0].judgement = cutover_model::Judgement::Fail;
            verdict.expectations[0].timed = false;
        }
    };
    rewritten(&sandbox, "wrong", wrong);
    let ran = baseline(&sandbox, "wrong");
    assert_eq!(ran.code, 2);
    assert!(ran.stderr.contains("`3-load` of `small`"), "{}", ran.stderr);
}

#[test]
fn a_line_that_cannot_be_used_exits_2_with_its_place_and_a_remedy() {
    let sandbox = with_history(1.0);
    let kept = sandbox.read(KEPT);
    let second = kept.lines().nth(1).unwrap();
    let torn = format!("{kept}{}", &second[..second.len() / 2]);
    let newer = kept.replacen("\"format\":1", "\"format\":9", 1);
    let foreign = kept.replacen("\"scenario\":\"small\"", "\"scenario\":\"other\"", 1);
    let doubled = format!("{kept}{second}\n");
    for (text, line, why) in [
        (torn, 7, "cut off"),
        (newer, 1, "format 9"),
        (foreign, 1, "`other` on embedded"),
        (doubled, 7, "kept twice"),
    ] {
        sandbox.write(KEPT, &text);
        for ran in [compare(&sandbox, &[]), baseline(&sandbox, "now")] {
            assert_eq!(ran.code, 2, "{ran:?}");
            assert!(ran.stderr.contains(&format!("`{KEPT}`:{line}")), "{}", ran.stderr);
            assert!(ran.stderr.contains(why), "{}", ran.stderr);
            assert!(ran.stderr.contains("= help: "), "{}", ran.stderr);
        }
        assert_eq!(sandbox.read(KEPT), text);
    }
}

#[test]
fn what_is_neither_a_run_nor_a_folder_of_baselines_exits_2() {
    let sandbox = with_history(1.0);
    let ran = compare(&sandbox, &["nowhere"]);
    assert_eq!(ran.code, 2);
    assert!(ran.stderr.contains("`nowhere`") && ran.stderr.contains("cutover baseline"));
    assert_eq!(sandbox.run(&["baseline", "nowhere"]).code, 2);
    assert_eq!(compare(&sandbox, &["--at-least", "5"]).code, 2);
    assert_eq!(compare(&sandbox, &["--at-least", "-5%"]).code, 2);
}
