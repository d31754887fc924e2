//! The user's wish to stop.

use std::io::{BufRead, BufReader};
use std::process::{Command, Stdio};

use crate::support::{GROUNDWORK, Sandbox};

/// A scenario that goes on for longer than any test waits.
fn endless() -> Sandbox {
    let load = "  - load:
      write: { open: { rate: 10 points/s }, batch: 1 }
      duration: 30m
      expect: [ { errors: \"< 1%\", min_samples: 1 } ]
";
    Sandbox::with_steps(&format!("{GROUNDWORK}{load}"))
}

#[test]
fn an_interrupted_run_winds_down_and_reports_what_it_has() {
    let sandbox = endless();
    let mut child = sandbox
        .command(&["run", "small.yaml", "--out", "out"])
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let lines = BufReader::new(child.stderr.take().unwrap()).lines().map_while(Result::ok);
    let mut interrupted = false;
    for line in lines {
        if line.contains("3-load: started") && !interrupted {
            interrupt(child.id());
            interrupted = true;
        }
    }
    assert!(interrupted, "the load step was never reached");
    assert_eq!(child.wait().unwrap().code(), Some(3));
    let report = sandbox.report("out");
    assert!(report.interrupted && report.complete);
    assert!(sandbox.read("out/summary.txt").contains("interrupt"));
}

fn interrupt(process: u32) {
    let sent = Command::new("kill").args(["-INT", &process.to_string()]).status().unwrap();
    assert!(sent.success());
}
