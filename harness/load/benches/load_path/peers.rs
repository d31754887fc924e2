//! The peers: how they are called, and where their output says what they achieved.

use std::process::Command;

use crate::children::{CORES, on_core};

/// Requests each second of wrk, with its defaults beside the number of connections.
pub(crate) fn wrk(program: &str, port: u16, seconds: u64) -> Option<f64> {
    let mut command = on_core(CORES[1], program);
    command.args(["-t1", "-c64", &format!("-d{seconds}s"), "--latency"]);
    let text = output(command.arg(url(port)))?;
    let line = text.lines().find_map(|line| line.strip_prefix("Requests/sec:"))?;
    line.trim().parse().ok()
}

/// Requests each second of oha, without its picture.
pub(crate) fn oha(program: &str, port: u16, seconds: u64) -> Option<f64> {
    let mut command = on_core(CORES[1], program);
    command.args(["--no-tui", "-c", "64", "-z", &format!("{seconds}s")]);
    command.args(["--output-format", "json"]);
    let text = output(command.arg(url(port)))?;
    let found: serde_json::Value = serde_json::from_str(&text).ok()?;
    found["summary"]["requestsPerSec"].as_f64()
}

fn url(port: u16) -> String {
    format!("http://127.0.0.1:{port}/")
}

fn output(command: &mut Command) -> Option<String> {
    let output = command.output().ok()?;
    output.status.success().then(|| String::from_utf8_lossy(&output.stdout).into_owned())
}
