//! The folder of a run: events as they come, and the reports at the end. That of a shard also says
//! what the run was to do, so that shards can be told from those of other runs.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io::{BufRead, BufReader, BufWriter, Write};
use std::path::{Component, Path, PathBuf};
use std::time::Duration;

use cutover_engine::shards::{ShardPlan, ShardRecord};
use cutover_model::report::FoldError;
use cutover_model::scenario::Step;
use cutover_model::{RunEvent, RunEventKind, RunId, RunReport, StepId};
use cutover_report::{Format, render};
use serde::Serialize;
use serde::de::DeserializeOwned;

const EVENTS: &str = "events.jsonl";

/// What a shard had to do.
const SHARD: &str = "shard.json";

/// A folder that cannot be the folder of a run, or a record that cannot be read.
#[derive(Debug, thiserror::Error)]
pub(crate) enum RecordError {
    #[error("`{}` is not empty", .0.display())]
    NotEmpty(PathBuf),
    #[error("failed to write to `{}`", path.display())]
    Write {
        path: PathBuf,
        #[source]
        cause: std::io::Error,
    },
    #[error("failed to read `{}`", path.display())]
    Read {
        path: PathBuf,
        #[source]
        cause: std::io::Error,
    },
    #[error("`{}`:{line} is no event of a run", path.display())]
    NoEvent {
        path: PathBuf,
        line: usize,
        #[source]
        cause: serde_json::Error,
    },
    #[error("`{}` does not hold what it should", path.display())]
    Unreadable {
        path: PathBuf,
        #[source]
        cause: serde_json::Error,
    },
    #[error("`{}` is not within the folder of a run", .0.display())]
    Outside(PathBuf),
    #[error("`{}` is no record of a run", path.display())]
    Fold {
        path: PathBuf,
        #[source]
        cause: FoldError,
    },
}

/// The record of a run that goes on.
#[derive(Debug)]
pub(crate) struct Recorder {
    folder: PathBuf,
    file: BufWriter<File>,
    events: Vec<RunEvent>,
}

/// The folder of a run: as asked for, or a new one for this run.
pub(crate) fn folder(asked: Option<&Path>, run: &RunId) -> Result<PathBuf, RecordError> {
    let folder = match asked {
        Some(folder) => folder.to_owned(),
        None => Path::new("reports").join("runs").join(run.as_str()),
    };
    let occupied = fs::read_dir(&folder).is_ok_and(|mut entries| entries.next().is_some());
    if occupied {
        return Err(RecordError::NotEmpty(folder));
    }
    fs::create_dir_all(&folder)
        .map_err(|cause| RecordError::Write { path: folder.clone(), cause })?;
    Ok(folder)
}

impl Recorder {
    pub(crate) fn create(folder: &Path) -> Result<Self, RecordError> {
        let path = folder.join(EVENTS);
        let file = File::create(&path).map_err(|cause| RecordError::Write { path, cause })?;
        let (folder, file) = (folder.to_owned(), BufWriter::new(file));
        Ok(Self { folder, file, events: Vec::new() })
    }

    /// Writes an event down, at once: a run that is killed leaves what it has seen.
    pub(crate) fn take(&mut self, event: RunEvent) -> Result<(), RecordError> {
        let written = serde_json::to_writer(&mut self.file, &event)
            .map_err(std::io::Error::from)
            .and_then(|()| self.file.write_all(b"\n"))
            .and_then(|()| self.file.flush());
        self.events.push(event);
        written.map_err(|cause| RecordError::Write { path: self.folder.join(EVENTS), cause })
    }

    /// Writes down that the user left before the run could end by itself.
    pub(crate) fn take_leave(&mut self) -> Result<(), RecordError> {
        let (seq, elapsed) =
            self.events.last().map_or((0, Duration::ZERO), |last| (last.seq + 1, last.elapsed));
        self.take(RunEvent { seq, elapsed, kind: RunEventKind::Interrupted })
    }

    /// Folds the events and writes the report in every form.
    pub(crate) fn finish(self) -> Result<RunReport, RecordError> {
        let report = RunReport::fold(&self.events)
            .map_err(|cause| RecordError::Fold { path: self.folder.join(EVENTS), cause })?;
        for format in Format::ALL {
            let path = self.folder.join(format.file_name());
            fs::write(&path, render(format, &report))
                .map_err(|cause| RecordError::Write { path, cause })?;
        }
        Ok(report)
    }
}

/// Reads the record of a run back. `run` is its folder or its file of events.
pub(crate) fn read(run: &Path) -> Result<RunReport, RecordError> {
    let path = if run.is_dir() { run.join(EVENTS) } else { run.to_owned() };
    let events = events_in(&path)?;
    RunReport::fold(&events).map_err(|cause| RecordError::Fold { path, cause })
}

/// Whether this is the folder of a run, or its file of events.
pub(crate) fn is_run(path: &Path) -> bool {
    path.join(EVENTS).is_file() || (path.is_file() && path.ends_with(EVENTS))
}

fn events_in(path: &Path) -> Result<Vec<RunEvent>, RecordError> {
    let path = path.to_owned();
    let failed = |cause| RecordError::Read { path: path.clone(), cause };
    let lines = BufReader::new(File::open(&path).map_err(failed)?).lines();
    let mut events = Vec::new();
    for (line, text) in (1..).zip(lines) {
        let event = serde_json::from_str::<RunEvent>(&text.map_err(failed)?)
            .map_err(|cause| RecordError::NoEvent { path: path.clone(), line, cause })?;
        events.push(event);
    }
    Ok(events)
}

/// Writes down what a shard has to do.
pub(crate) fn write_shard_plan(folder: &Path, plan: &ShardPlan) -> Result<(), RecordError> {
    write_json(&folder.join(SHARD), plan)
}

/// Reads the record of a shard back, with the evidence of its loads.
pub(crate) fn read_shard(folder: &Path) -> Result<ShardRecord, RecordError> {
    let path = folder.join(EVENTS);
    let events = events_in(&path)?;
    // A record with a gap would lack what happened there.
    let report = RunReport::fold(&events).map_err(|cause| RecordError::Fold { path, cause })?;
    let plan: ShardPlan = match report.start.shard {
        Some(_) => read_json(&folder.join(SHARD))?,
        None => ShardPlan { scenarios: Vec::new() },
    };
    let mut loads = BTreeMap::new();
    for scenario in &plan.scenarios {
        let steps = scenario.steps.iter().enumerate();
        for (index, step) in steps.filter(|(_, step)| matches!(step, Step::Load(_))) {
            let id = StepId::at(index, step.kind());
            let told = report.scenarios.iter().find(|it| it.id == scenario.id);
            let told = told.and_then(|it| it.steps.iter().find(|step| step.id == id));
            if let Some(path) = told.and_then(|it| it.evidence.as_ref()) {
                let evidence = read_json(&below(folder, path)?)?;
                loads.insert((scenario.id.clone(), id), evidence);
            }
        }
    }
    Ok(ShardRecord { folder: folder.to_owned(), plan, events, loads })
}

/// A file that a record names, which has to be within its folder.
pub(crate) fn below(folder: &Path, path: &Path) -> Result<PathBuf, RecordError> {
    let within = path.components().all(|part| matches!(part, Component::Normal(_)));
    if within { Ok(folder.join(path)) } else { Err(RecordError::Outside(path.to_owned())) }
}

pub(crate) fn write_json(path: &Path, value: &impl Serialize) -> Result<(), RecordError> {
    let write = || {
        path.parent().map_or(Ok(()), fs::create_dir_all)?;
        let mut file = BufWriter::new(File::create(path)?);
        serde_json::to_writer(&mut file, value).map_err(std::io::Error::from)?;
        file.flush()
    };
    write().map_err(|cause| RecordError::Write { path: path.to_owned(), cause })
}

fn read_json<T: DeserializeOwned>(path: &Path) -> Result<T, RecordError> {
    let file =
        File::open(path).map_err(|cause| RecordError::Read { path: path.to_owned(), cause })?;
    serde_json::from_reader(BufReader::new(file))
        .map_err(|cause| RecordError::Unreadable { path: path.to_owned(), cause })
}
