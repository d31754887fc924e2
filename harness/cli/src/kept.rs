//! The folder of baselines: a file for each scenario and target, a line for each run that is kept.

use std::fs::{self, OpenOptions};
use std::io::{ErrorKind, Write};
use std::path::{Path, PathBuf};

use cutover_model::{RunId, ScenarioId};
use cutover_report::{Baseline, LineError, read_baselines};

/// Where baselines are kept unless another folder is named.
pub(crate) const FOLDER: &str = "reports/baselines";

/// Baselines that cannot be read or kept.
#[derive(Debug, thiserror::Error)]
pub(crate) enum KeptError {
    #[error("failed to read `{}`", path.display())]
    Read {
        path: PathBuf,
        #[source]
        cause: std::io::Error,
    },
    #[error("failed to write to `{}`", path.display())]
    Write {
        path: PathBuf,
        #[source]
        cause: std::io::Error,
    },
    #[error("`{}`:{line} cannot be used", path.display())]
    Line {
        path: PathBuf,
        line: usize,
        #[source]
        cause: LineError,
    },
    #[error("`{run}` is kept already, in `{}`", path.display())]
    Already { run: RunId, path: PathBuf },
    #[error("`{0}` is no name for a file")]
    Name(ScenarioId),
}

impl KeptError {
    /// What to do about it.
    pub(crate) fn remedy(&self) -> &'static str {
        match self {
            Self::Read { .. } | Self::Write { .. } => "name a folder that can be used",
            Self::Line { cause: LineError::Format(_), .. } => {
                "use the version of cutover that wrote it, or begin anew with another folder"
            }
            Self::Line { .. } => "take that line out, or take the file back from version control",
            Self::Already { .. } => "there is nothing to do",
            Self::Name(_) => "a scenario's id has letters, digits and dashes",
        }
    }
}

/// The kept runs of the same scenarios on the same targets. A file that is not there holds none.
pub(crate) fn read_like(folder: &Path, runs: &[Baseline]) -> Result<Vec<Baseline>, KeptError> {
    let mut kept = Vec::new();
    for run in runs {
        let (_, baselines, _) = file_of(folder, run)?;
        kept.extend(baselines);
    }
    Ok(kept)
}

/// Keeps a run: nothing is written unless every file can take it. Gives the files.
pub(crate) fn keep(folder: &Path, runs: &[Baseline]) -> Result<Vec<PathBuf>, KeptError> {
    let mut lines = Vec::new();
    for run in runs {
        let (path, kept, ends) = file_of(folder, run)?;
        if kept.iter().any(|it| it.run == run.run) {
            return Err(KeptError::Already { run: run.run.clone(), path });
        }
        lines.push((path, format!("{}{}", if ends { "" } else { "\n" }, run.line())));
    }
    fs::create_dir_all(folder)
        .map_err(|cause| KeptError::Write { path: folder.to_owned(), cause })?;
    for (path, line) in &lines {
        // A single write of a whole line: what reads meanwhile sees it, or not.
        let opened = OpenOptions::new().create(true).append(true).open(path);
        let written = opened.and_then(|mut file| file.write_all(line.as_bytes()));
        written.map_err(|cause| KeptError::Write { path: path.clone(), cause })?;
    }
    Ok(lines.into_iter().map(|(path, _)| path).collect())
}

/// The file for a run, what it holds, and whether its last line has its end.
fn file_of(folder: &Path, run: &Baseline) -> Result<(PathBuf, Vec<Baseline>, bool), KeptError> {
    let name = run.file_name().ok_or_else(|| KeptError::Name(run.scenario.clone()))?;
    let path = folder.join(&name);
    let text = match fs::read_to_string(&path) {
        Ok(text) => text,
        Err(error) if error.kind() == ErrorKind::NotFound => String::new(),
        Err(cause) => return Err(KeptError::Read { path, cause }),
    };
    let ends = text.is_empty() || text.ends_with('\n');
    match read_baselines(&name, &text) {
        Ok(kept) => Ok((path, kept, ends)),
        Err((line, cause)) => Err(KeptError::Line { path, line, cause }),
    }
}
