//! The commands beside `run`.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::process::Stdio;

use crate::support::{ROWS, Sandbox, root};

#[test]
fn the_shipped_files_have_no_mistake() {
    let scenarios = root().join("scenarios");
    let ran = Sandbox::new().run(&["validate", &scenarios.to_string_lossy()]);
    assert_eq!(ran.code, 0, "{}", ran.stderr);
    assert!(ran.stdout.contains("without a mistake"), "{}", ran.stdout);
}

#[test]
fn the_schema_in_the_repository_is_the_one_that_is_printed() {
    for (of, file) in [("scenario", "scenario.schema.json"), ("query", "query.schema.json")] {
        let ran = Sandbox::new().run(&["schema", "--of", of]);
        let kept = std::fs::read_to_string(root().join("scenarios").join(file)).unwrap();
        let remedy = format!("cutover schema --of {of} > scenarios/{file}");
        assert_eq!(ran.stdout, kept, "to make it anew: {remedy}");
    }
}

#[test]
fn list_names_every_shipped_scenario_with_its_tags() {
    let scenarios = root().join("scenarios");
    let ran = Sandbox::new().run(&["list", &scenarios.to_string_lossy(), "--tag", "smoke"]);
    assert_eq!(ran.code, 0);
    for id in ["ons-load-curve", "ons-energy-balance"] {
        assert!(ran.stdout.contains(id), "{}", ran.stdout);
    }
}

#[test]
fn a_calibration_says_which_limits_this_machine_can_judge() {
    let ran = Sandbox::new().run(&["calibrate"]);
    assert_eq!(ran.code, 0, "{}", ran.stderr);
    for figure in ["requests/s, 64 users", "points/s", "p95", "cannot be judged"] {
        assert!(ran.stdout.contains(figure), "{}", ran.stdout);
    }
}

#[test]
fn an_id_that_does_not_exist_is_answered_with_those_that_do() {
    let sandbox = Sandbox::new();
    std::fs::create_dir(sandbox.path("scenarios")).unwrap();
    let small = Sandbox::with_parity(ROWS);
    sandbox.write("scenarios/small.yaml", &small.read("small.yaml"));
    sandbox.write("scenarios/load.csv", &small.read("load.csv"));
    let ran = sandbox.run(&["run", "smal"]);
    assert_eq!(ran.code, 2);
    assert!(ran.stderr.contains("the scenarios are small"), "{}", ran.stderr);
}

#[test]
fn a_tag_that_no_scenario_has_is_refused() {
    let sandbox = Sandbox::with_parity(ROWS);
    let ran = sandbox.run(&["run", "small.yaml", "--tag", "nightly"]);
    assert_eq!(ran.code, 2);
    assert!(ran.stderr.contains("`nightly`"), "{}", ran.stderr);
}

#[test]
fn every_declared_break_of_a_parity_check_is_caught() {
    let sandbox = Sandbox::with_parity(ROWS);
    let ran = sandbox.run(&["sabotage", "small.yaml", "--out", "out"]);
    assert_eq!(ran.code, 0, "{}{}", ran.stdout, ran.stderr);
    assert!(ran.stdout.contains("2 breaks: 2 caught, 0 survived"), "{}", ran.stdout);
}

#[test]
fn a_sabotaged_run_is_reproduced_with_its_sabotage() {
    let sandbox = Sandbox::with_parity(ROWS);
    sandbox.run(&["run", "small.yaml", "--out", "out", "--sabotage", "3-parity/1"]);
    let report = sandbox.report("out");
    let expected = "cutover run small.yaml --target embedded --seed 1 --sabotage 3-parity/1";
    assert_eq!(report.scenarios[0].reproduce, expected);
}

#[test]
fn a_sabotage_that_is_not_declared_is_refused() {
    let sandbox = Sandbox::with_parity(ROWS);
    let ran = sandbox.run(&["run", "small.yaml", "--sabotage", "3-parity/3"]);
    assert_eq!(ran.code, 2);
    assert!(ran.stderr.contains("3-parity/1 drop_rows: 1"), "{}", ran.stderr);
}

#[test]
fn a_stand_in_answers_any_client() {
    for (service, request, expected) in [
        ("influxdb", "GET /health HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n", "pass"),
        (
            "influxdb",
            "POST /standin/quirks HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\
             Content-Length: 44\r\n\r\n{\"quirks\":[{\"kind\":\"ack-lost\",\"ratio\":0.5}]}",
            "HTTP/1.1 200",
        ),
        (
            "timestream",
            "POST / HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Length: 2\r\n\
             Content-Type: application/x-amz-json-1.0\r\nAuthorization: AWS4-HMAC-SHA256 x\r\n\
             X-Amz-Target: Timestream_20181101.DescribeEndpoints\r\n\r\n{}",
            "Endpoints",
        ),
    ] {
        let mut child = Sandbox::new()
            .command(&["standin", service, "--listen", "127.0.0.1:0"])
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut line = String::new();
        BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
        let address = line.trim().rsplit("http://").next().unwrap().to_owned();
        let mut stream = TcpStream::connect(address).unwrap();
        stream.write_all(request.as_bytes()).unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        child.kill().unwrap();
        child.wait().unwrap();
        assert!(answer.contains(expected), "{service}: {answer}");
    }
}
