//! `cutover merge`: the shards of a run to one verdict and one report.

use std::fs;
use std::path::Path;

use cutover_engine::shards::{Merged, ShardRecord, merge as put_together};
use cutover_model::{Exit, RunEventKind, RunReport};

use crate::args::MergeArgs;
use crate::commands::run::{refused, show};
use crate::printer::Printer;
use crate::record::{RecordError, Recorder, below, folder, read_shard, write_json};

/// Judges the load of all shards together. What is refused is refused before anything is written.
pub(crate) fn merge(args: &MergeArgs, printer: Printer) -> Exit {
    let records: Result<Vec<ShardRecord>, _> = args.runs.iter().map(|it| read_shard(it)).collect();
    let records = match records {
        Ok(records) => records,
        Err(error) => {
            printer.error(&error);
            printer.say("  = help: name the folders of runs made with `cutover run … --shard K/N`");
            return Exit::BadInput;
        }
    };
    let merged = match put_together(records) {
        Ok(merged) => merged,
        Err(refusal) => {
            printer.mistake(&refusal.to_string(), &refusal.remedy());
            return Exit::BadInput;
        }
    };
    let folder = match folder(args.out.as_deref(), &merged.run) {
        Ok(folder) => folder,
        Err(error) => return refused(&error, printer),
    };
    match record(merged, &folder) {
        Ok(report) => show(&report, &folder, printer),
        Err(error) => {
            printer.error(&error);
            Exit::Error
        }
    }
}

/// Writes the record of the whole run: evidence first, as in any run.
fn record(merged: Merged, folder: &Path) -> Result<RunReport, RecordError> {
    for (path, evidence) in &merged.loads {
        write_json(&folder.join(path), evidence)?;
    }
    let mut recorder = Recorder::create(folder)?;
    for event in merged.events {
        if let RunEventKind::EvidenceWritten { path, .. } = &event.kind
            && !merged.loads.iter().any(|(load, _)| load == path)
        {
            copy(&below(&merged.first, path)?, &folder.join(path))?;
        }
        recorder.take(event)?;
    }
    recorder.finish()
}

/// Takes the evidence of what one shard did alone over.
fn copy(from: &Path, to: &Path) -> Result<(), RecordError> {
    let made = to.parent().map_or(Ok(()), fs::create_dir_all);
    let copied = made.and_then(|()| fs::copy(from, to));
    copied.map(drop).map_err(|cause| RecordError::Write { path: to.to_owned(), cause })
}
