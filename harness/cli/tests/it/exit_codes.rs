//! Each exit code, by the real binary.

use cutover_model::report::StepReport;
use cutover_model::{Exit, FindingCode, Judgement};

use crate::support::{GROUNDWORK, ROWS, Sandbox};

#[test]
fn a_run_whose_checks_pass_exits_0() {
    let sandbox = Sandbox::with_parity(ROWS);
    let ran = sandbox.run_small();
    assert_eq!(ran.code, 0, "{}{}", ran.stdout, ran.stderr);
    let report = sandbox.report("out");
    assert_eq!((report.exit, report.counts.passed), (Exit::Passed, 1));
}

#[test]
fn a_planted_wrong_row_exits_1_and_the_report_names_it() {
    let sandbox = Sandbox::with_parity(ROWS);
    let args = ["run", "small.yaml", "--out", "out", "--sabotage", "3-parity/2"];
    let ran = sandbox.run(&args);
    assert_eq!(ran.code, 1, "{}{}", ran.stdout, ran.stderr);
    let report = sandbox.report("out");
    let findings = &report.scenarios[0].steps[2].verdict.as_ref().unwrap().findings;
    let witness = findings[0].witness.as_ref().unwrap();
    assert_eq!(findings[0].code, FindingCode::ValueDiffers);
    assert_eq!(
        (witness.bucket.as_str(), witness.measurement.as_str()),
        ("small_data", "demand_mw")
    );
    assert_ne!(witness.source, witness.destination);
    for output in ["report.html", "junit.xml", "summary.md", "summary.txt"] {
        let text = sandbox.read(&format!("out/{output}"));
        assert!(text.contains(&witness.time_ns.to_string()), "{output} does not name the row");
    }
}

#[test]
fn a_file_with_a_mistake_exits_2_before_anything_is_written() {
    let sandbox = Sandbox::with_steps("  - sede: { store: timestream, data: [load] }\n");
    let ran = sandbox.run_small();
    assert_eq!(ran.code, 2);
    assert!(ran.stderr.contains("small.yaml:14:5"), "{}", ran.stderr);
    assert!(ran.stderr.contains("`seed`"), "{}", ran.stderr);
    assert!(!sandbox.path("out").exists());
}

#[test]
fn an_unknown_argument_exits_2() {
    let ran = Sandbox::new().run(&["run", "--sead", "7"]);
    assert_eq!(ran.code, 2);
    assert!(ran.stderr.contains("--seed"), "{}", ran.stderr);
}

#[test]
fn too_few_rows_exit_3_even_without_a_difference() {
    let sandbox = Sandbox::with_parity(ROWS + 1);
    let ran = sandbox.run_small();
    assert_eq!(ran.code, 3, "{}{}", ran.stdout, ran.stderr);
    assert_eq!(sandbox.report("out").counts.inconclusive, 1);
}

#[test]
fn a_local_time_that_exists_twice_exits_3_and_names_the_line() {
    let sandbox = Sandbox::with_parity(2);
    sandbox.write(
        "load.csv",
        "region;at;mw\nN;2018-02-17 22:00:00;1\nN;2018-02-17 23:30:00;2\nN;2018-02-18 01:00:00;3\n",
    );
    let ran = sandbox.run_small();
    assert_eq!(ran.code, 3, "{}{}", ran.stdout, ran.stderr);
    assert!(ran.stdout.contains("load.csv:3"), "{}", ran.stdout);
}

#[test]
fn a_run_without_a_check_exits_4() {
    let sandbox = Sandbox::with_steps(GROUNDWORK);
    let ran = sandbox.run_small();
    assert_eq!(ran.code, 4, "{}{}", ran.stdout, ran.stderr);
    assert_eq!(sandbox.report("out").exit, Exit::NothingJudged);
}

#[test]
fn a_damaged_data_file_exits_5_and_names_the_line() {
    let sandbox = Sandbox::with_parity(1);
    sandbox.write("load.csv", "region;at;mw\nN;2023-01-01 00:00:00;1\nN;2023-01-01 01:00:00\n");
    let ran = sandbox.run_small();
    assert_eq!(ran.code, 5, "{}{}", ran.stdout, ran.stderr);
    assert!(ran.stdout.contains("line 3 has 2 cells"), "{}", ran.stdout);
    let report = sandbox.report("out");
    let judged: Vec<_> = report.scenarios[0].steps.iter().map(StepReport::judgement).collect();
    assert_eq!(
        judged,
        [Some(Judgement::Inconclusive), Some(Judgement::Skipped), Some(Judgement::Skipped)]
    );
}

#[test]
fn an_occupied_port_exits_5_and_says_which() {
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap().to_string();
    let ran = Sandbox::new().run(&["standin", "influxdb", "--listen", &address]);
    assert_eq!(ran.code, 5);
    assert!(ran.stderr.contains(&address), "{}", ran.stderr);
}

#[test]
fn a_folder_that_is_not_empty_exits_2_and_keeps_what_it_holds() {
    let sandbox = Sandbox::with_parity(ROWS);
    std::fs::create_dir(sandbox.path("out")).unwrap();
    sandbox.write("out/mine.txt", "mine");
    let ran = sandbox.run_small();
    assert_eq!(ran.code, 2);
    assert!(ran.stderr.contains("not empty"), "{}", ran.stderr);
    assert_eq!(sandbox.files("out").len(), 1);
}
