//! A folder of its own for each test, with a small data file and scenarios over it.

use std::ffi::OsString;
use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use cutover_model::RunReport;
use tempfile::TempDir;

/// A folder in which a test runs the binary.
pub(crate) struct Sandbox {
    folder: TempDir,
    temporary: TempDir,
}

/// What the binary did.
#[derive(Debug)]
pub(crate) struct Ran {
    pub(crate) code: i32,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
}

/// The head of a scenario over `load.csv`, up to its steps.
const HEAD: &str = r#"version: 1
id: small
title: A small data set reads the same from InfluxDB
tags: [test]
data:
  load:
    csv: { path: load.csv, delimiter: ";" }
    time: { column: at, format: "%Y-%m-%d %H:%M:%S", zone: America/Sao_Paulo }
    bucket: small_data
    measurement: demand_mw
    tags: { region: region }
    fields: { value: { column: mw, type: float } }
steps:
"#;

/// Seeding and migrating that data set.
pub(crate) const GROUNDWORK: &str = "  - seed: { store: timestream, data: [load] }
  - migrate: { batch: 100 }
";

/// The rows of `load.csv`.
pub(crate) const ROWS: usize = 96;

impl Sandbox {
    pub(crate) fn new() -> Self {
        let sandbox = Self { folder: TempDir::new().unwrap(), temporary: TempDir::new().unwrap() };
        sandbox.write("load.csv", &small_csv());
        sandbox
    }

    /// A sandbox with a scenario of these steps, in `small.yaml`.
    pub(crate) fn with_steps(steps: &str) -> Self {
        let sandbox = Self::new();
        sandbox.write("small.yaml", &format!("{HEAD}{steps}"));
        sandbox
    }

    /// A sandbox whose scenario ends in a parity check that wants `min_rows` rows.
    pub(crate) fn with_parity(min_rows: usize) -> Self {
        let parity = format!(
            "  - parity:
      data: [load]
      expect: {{ missing: 0, extra: 0, different: 0, min_rows: {min_rows} }}
      sabotage: [ {{ drop_rows: 1 }}, {{ flip_lowest_bit: value }} ]
"
        );
        Self::with_steps(&format!("{GROUNDWORK}{parity}"))
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// The folder for temporary files of what runs here.
    pub(crate) fn temporary(&self) -> &Path {
        self.temporary.path()
    }

    pub(crate) fn write(&self, name: &str, text: &str) {
        fs::write(self.path(name), text).unwrap();
    }

    pub(crate) fn read(&self, name: &str) -> String {
        fs::read_to_string(self.path(name)).unwrap()
    }

    pub(crate) fn command(&self, args: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_cutover"));
        command.args(args).current_dir(self.folder.path()).env_remove("NO_COLOR");
        // What is started for a test must not be mistaken for what another has left.
        command.env("TMPDIR", self.temporary.path());
        command
    }

    pub(crate) fn run(&self, args: &[&str]) -> Ran {
        Ran::from(self.command(args).output().unwrap())
    }

    /// Runs `small.yaml` into `out`.
    pub(crate) fn run_small(&self) -> Ran {
        self.run(&["run", "small.yaml", "--out", "out"])
    }

    pub(crate) fn report(&self, out: &str) -> RunReport {
        serde_json::from_str(&self.read(&format!("{out}/report.json"))).unwrap()
    }

    /// Every file below a folder, from it.
    pub(crate) fn files(&self, below: &str) -> Vec<PathBuf> {
        let mut files = Vec::new();
        walk(&self.path(below), &mut files);
        files
    }
}

impl From<Output> for Ran {
    fn from(output: Output) -> Self {
        let text = |bytes| String::from_utf8(bytes).unwrap();
        let code = output.status.code().unwrap_or(-1);
        Self { code, stdout: text(output.stdout), stderr: text(output.stderr) }
    }
}

/// The search path of this process, behind a folder.
#[expect(clippy::disallowed_methods, reason = "what a test starts finds the same programs")]
pub(crate) fn path_behind(folder: PathBuf) -> OsString {
    let path = std::env::var_os("PATH").unwrap();
    std::env::join_paths(std::iter::once(folder).chain(std::env::split_paths(&path))).unwrap()
}

/// The root of the workspace.
pub(crate) fn root() -> &'static Path {
    Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/../.."))
}

pub(crate) fn walk(folder: &Path, files: &mut Vec<PathBuf>) {
    let mut entries: Vec<_> =
        fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    entries.sort();
    for entry in entries {
        if entry.is_dir() {
            walk(&entry, files);
        } else {
            files.push(entry);
        }
    }
}

fn small_csv() -> String {
    let mut csv = String::from("region;at;mw\n");
    for hour in 0..ROWS / 2 {
        let (day, hour_of_day) = (hour / 24 + 1, hour % 24);
        for (region, base) in [("N", 5_000), ("SE", 40_000)] {
            let mw = base + hour * 7;
            writeln!(csv, "{region};2023-01-{day:02} {hour_of_day:02}:00:00;{mw}.125").unwrap();
        }
    }
    csv
}
