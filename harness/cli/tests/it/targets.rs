//! The process target, with this binary's own stand-in in the part of `influxd`: what starts, what
//! is told when it does not, and that nothing is left behind however a run ends.

use std::io::{BufRead, BufReader};
use std::os::unix::fs::PermissionsExt;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};

use crate::support::{GROUNDWORK, ROWS, Ran, Sandbox};

/// Serves at the address that `influxd` is told. Its own name has the folder in it, as the
/// arguments of a real one have.
const SERVES: &str = r#"while [ "$1" != "--http-bind-address" ]; do shift; done
echo $$ > pid
ln -s CUTOVER influxd
exec "$PWD/influxd" standin influxdb --listen "$2""#;

/// Makes a script the `influxd` of a sandbox.
fn influxd(sandbox: &Sandbox, script: &str) {
    let script = script.replace("CUTOVER", env!("CARGO_BIN_EXE_cutover"));
    sandbox.write("influxd", &format!("#!/bin/sh\n{script}\n"));
    let path = sandbox.path("influxd");
    std::fs::set_permissions(path, std::fs::Permissions::from_mode(0o755)).unwrap();
}

/// No lease.
const NOTHING: [PathBuf; 0] = [];

/// A process target with the script of the sandbox.
const PROCESS: [&str; 4] = ["--target", "process", "--influxd", "./influxd"];

fn run(sandbox: &Sandbox, more: &[&str]) -> Ran {
    let arguments = [&["run", "small.yaml", "--out", "out"], &PROCESS[..], more].concat();
    sandbox.run(&arguments)
}

fn parity() -> Sandbox {
    Sandbox::with_parity(ROWS)
}

fn endless() -> Sandbox {
    let load = "  - load:
      write: { open: { rate: 10 points/s }, batch: 1 }
      duration: 30m
      expect: [ { errors: \"< 1%\", min_samples: 1 } ]
";
    Sandbox::with_steps(&format!("{GROUNDWORK}{load}"))
}

/// The leases that are there, each with its folder.
fn leases(sandbox: &Sandbox) -> Vec<PathBuf> {
    let roots = std::fs::read_dir(sandbox.temporary()).unwrap();
    let below = roots.flat_map(|root| std::fs::read_dir(root.unwrap().path()).unwrap());
    below.map(|entry| entry.unwrap().path()).filter(|path| path.is_dir()).collect()
}

/// Starts a run that goes on for ever, and waits until its load does.
fn started(sandbox: &Sandbox) -> Child {
    let arguments = [&["run", "small.yaml", "--out", "out"], &PROCESS[..]].concat();
    let mut child =
        sandbox.command(&arguments).stdout(Stdio::null()).stderr(Stdio::piped()).spawn().unwrap();
    let mut lines = BufReader::new(child.stderr.take().unwrap()).lines().map_while(Result::ok);
    assert!(lines.any(|line| line.contains("3-load: started")), "the load was never reached");
    // Whoever writes to a pipe that nobody reads would stop there.
    std::thread::spawn(move || lines.for_each(drop));
    child
}

fn signal(child: &Child, name: &str) {
    let sent = Command::new("kill").args([name, &child.id().to_string()]).status().unwrap();
    assert!(sent.success());
}

#[test]
fn a_server_that_is_started_as_a_process_is_migrated_to() {
    let sandbox = parity();
    influxd(&sandbox, SERVES);
    let ran = run(&sandbox, &[]);
    assert_eq!(ran.code, 0, "{}", ran.stderr);
    assert!(ran.stdout.contains("as a process"), "{}", ran.stdout);
    assert_eq!(leases(&sandbox), NOTHING);
}

#[test]
fn a_server_that_ends_at_once_is_told_with_its_last_words() {
    let sandbox = parity();
    influxd(&sandbox, "echo the disk is on fire >&2; exit 7");
    let ran = run(&sandbox, &[]);
    assert_eq!(ran.code, 5);
    assert!(ran.stdout.contains("the disk is on fire"), "{}", ran.stdout);
    assert!(ran.stdout.contains("exit status: 7"), "{}", ran.stdout);
    assert_eq!(leases(&sandbox), NOTHING);
}

#[test]
fn a_binary_that_is_not_there_is_bad_input() {
    let sandbox = parity();
    let ran = run(&sandbox, &[]);
    assert_eq!(ran.code, 2);
    assert!(ran.stderr.contains("there is no `./influxd`"), "{}", ran.stderr);
}

#[test]
fn no_influxd_on_path_is_an_error_of_the_environment() {
    let sandbox = parity();
    let mut command = sandbox.command(&["run", "small.yaml", "--target", "process"]);
    let ran = Ran::from(command.env("PATH", "/nonexistent").output().unwrap());
    assert_eq!(ran.code, 5);
    assert!(ran.stderr.contains("there is no `influxd` on PATH"), "{}", ran.stderr);
}

#[test]
fn an_option_of_another_target_is_refused() {
    let sandbox = parity();
    let ran = sandbox.run(&["run", "small.yaml", "--keep"]);
    assert_eq!(ran.code, 2);
    assert!(ran.stderr.contains("`--keep` has no effect"), "{}", ran.stderr);
}

#[test]
fn a_terminated_run_leaves_no_server_behind() {
    let sandbox = endless();
    influxd(&sandbox, SERVES);
    let mut child = started(&sandbox);
    assert_eq!(leases(&sandbox).len(), 1);
    signal(&child, "-TERM");
    assert_eq!(child.wait().unwrap().code(), Some(3));
    assert_eq!(leases(&sandbox), NOTHING);
}

#[test]
fn a_second_interrupt_leaves_at_once_and_leaves_no_server_behind() {
    let sandbox = endless();
    influxd(&sandbox, SERVES);
    let mut child = started(&sandbox);
    signal(&child, "-INT");
    signal(&child, "-INT");
    assert_eq!(child.wait().unwrap().code(), Some(3));
    assert_eq!(leases(&sandbox), NOTHING);
}

#[test]
fn what_a_killed_run_leaves_is_named_and_cleaned_by_doctor() {
    let sandbox = endless();
    influxd(&sandbox, SERVES);
    let mut child = started(&sandbox);
    signal(&child, "-KILL");
    child.wait().unwrap();
    assert_eq!(leases(&sandbox).len(), 1);
    let ran = sandbox.run(&["doctor"]);
    assert_eq!(ran.code, 0, "{}", ran.stderr);
    assert!(ran.stderr.contains("cleaned up what an ended run had left: influxd in"));
    assert!(ran.stderr.contains("process "), "{}", ran.stderr);
    assert_eq!(leases(&sandbox), NOTHING);
}

#[test]
fn a_server_that_dies_under_load_ends_in_no_pass_and_its_death_is_told() {
    let load = "  - load:
      write: { open: { rate: 100 points/s }, batch: 1 }
      duration: 4s
      expect: [ { errors: \"< 1%\", min_samples: 1 } ]
      prove: [no_acknowledged_write_lost]
";
    let sandbox = Sandbox::with_steps(&format!("{GROUNDWORK}{load}"));
    influxd(&sandbox, SERVES);
    let mut child = started(&sandbox);
    let server = std::fs::read_to_string(leases(&sandbox)[0].join("pid")).unwrap();
    let killed = Command::new("kill").args(["-KILL", server.trim()]).status().unwrap();
    assert!(killed.success());
    assert_eq!(child.wait().unwrap().code(), Some(1));
    let report = sandbox.report("out");
    let notes = &report.scenarios[0].notes;
    assert!(notes.iter().any(|note| note.contains("ended by itself: signal: 9")), "{notes:?}");
}
