//! What a run leaves behind: the same for the same seed, nothing outside its folder, no secret.

use std::fs;

use cutover_report::timeless;

use crate::support::{ROWS, Sandbox};

#[test]
fn two_runs_with_one_seed_differ_in_times_alone() {
    let sandbox = Sandbox::with_parity(ROWS);
    let report = |out: &str| {
        assert_eq!(sandbox.run(&["run", "small.yaml", "--seed", "7", "--out", out]).code, 0);
        let json = sandbox.read(&format!("{out}/report.json"));
        timeless(&serde_json::from_str(&json).unwrap())
    };
    assert_eq!(report("first"), report("second"));
}

#[test]
fn a_run_writes_nothing_outside_its_folder() {
    let sandbox = Sandbox::with_parity(ROWS);
    assert_eq!(sandbox.run_small().code, 0);
    let mut found: Vec<_> = fs::read_dir(sandbox.path("."))
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    found.sort();
    assert_eq!(found, ["load.csv", "out", "small.yaml"]);
}

#[test]
fn a_dry_run_writes_nothing_at_all() {
    let sandbox = Sandbox::with_parity(ROWS);
    let ran = sandbox.run(&["run", "small.yaml", "--out", "out", "--dry-run"]);
    assert_eq!(ran.code, 0);
    assert!(ran.stdout.contains("3-parity"), "{}", ran.stdout);
    assert!(!sandbox.path("out").exists());
}

#[test]
fn no_token_or_password_is_in_any_output() {
    let sandbox = Sandbox::with_parity(ROWS);
    let ran = sandbox.run_small();
    let mut outputs = vec![ran.stdout, ran.stderr];
    for file in sandbox.files("out") {
        outputs.push(fs::read_to_string(file).unwrap());
    }
    assert!(outputs.len() >= 8, "events, evidence and five reports were expected");
    for output in outputs {
        assert!(!output.contains("embedded-stand-in"), "{output}");
    }
}

#[test]
fn the_evidence_of_a_check_is_where_the_report_says() {
    let sandbox = Sandbox::with_parity(ROWS);
    assert_eq!(sandbox.run_small().code, 0);
    let report = sandbox.report("out");
    let evidence = report.scenarios[0].steps[2].evidence.clone().unwrap();
    let text = fs::read_to_string(sandbox.path("out").join(evidence)).unwrap();
    assert!(text.contains("\"source_rows\":96"), "{text}");
}

#[test]
fn a_recorded_run_renders_again_as_it_was() {
    let sandbox = Sandbox::with_parity(ROWS);
    assert_eq!(sandbox.run_small().code, 0);
    for (format, file) in [
        ("json", "report.json"),
        ("junit", "junit.xml"),
        ("html", "report.html"),
        ("markdown", "summary.md"),
        ("text", "summary.txt"),
    ] {
        let ran = sandbox.run(&["report", "out", "--format", format]);
        assert_eq!((ran.code, ran.stdout), (0, sandbox.read(&format!("out/{file}"))), "{format}");
    }
}

#[test]
fn a_record_that_breaks_off_is_reported_as_incomplete() {
    let sandbox = Sandbox::with_parity(ROWS);
    assert_eq!(sandbox.run_small().code, 0);
    let events = sandbox.read("out/events.jsonl");
    let kept: Vec<_> = events.lines().take(5).collect();
    sandbox.write("cut.jsonl", &kept.join("\n"));
    let ran = sandbox.run(&["report", "cut.jsonl", "--format", "json"]);
    assert!(ran.stdout.contains("\"complete\": false"), "{}", ran.stdout);
    assert!(ran.stdout.contains("\"exit\": \"error\""), "{}", ran.stdout);
}
