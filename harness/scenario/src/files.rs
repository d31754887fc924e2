//! Files and folders of scenarios, read into [`Loaded`].

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::fs::File;
use std::io::Read;
use std::path::{Path, PathBuf};

use cutover_model::Scenario;

use crate::diagnostic::{Diagnostic, Mistake, Severity, Span, shown_path};
use crate::lower::{Library, Lowering};
use crate::mistakes::Place;
use crate::node;
use crate::reader::{At, Reader, Wire};
use crate::wire::scenario::ScenarioWire;

/// A scenario is written by hand, so a larger file is something else.
const MAX_BYTES: u64 = 1024 * 1024;

/// How deep folders are searched.
const MAX_FOLDERS: usize = 16;

/// Folders whose files belong to scenarios and are none.
const NO_SCENARIOS: [&str; 2] = ["queries", "data"];

/// What was read.
#[derive(Clone, Debug, PartialEq)]
pub struct Loaded {
    /// The scenarios, in the order of the paths and, within a folder, of the names.
    pub scenarios: Vec<Scenario>,
    /// What is legal but unwise.
    pub warnings: Vec<Diagnostic>,
}

/// Everything that is wrong with the files, in one go.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LoadErrors {
    /// What makes files unusable, in their order and that of their lines. Never empty.
    pub errors: Vec<Diagnostic>,
    /// What is legal but unwise.
    pub warnings: Vec<Diagnostic>,
}

impl fmt::Display for LoadErrors {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let files: BTreeSet<&Path> = self.errors.iter().map(|error| &*error.file).collect();
        let plural = |count: usize| if count == 1 { "" } else { "s" };
        let (errors, files) = (self.errors.len(), files.len());
        write!(f, "{errors} mistake{} in {files} file{}", plural(errors), plural(files))
    }
}

impl std::error::Error for LoadErrors {}

/// Reads scenario files, and folders with scenario files at any depth.
///
/// Within a folder, names that start with `_` and the folders `queries` and `data` are passed
/// over. All files are read before anything is returned.
pub fn load(paths: &[PathBuf]) -> Result<Loaded, LoadErrors> {
    let mut loader = Loader::default();
    let mut files = Vec::new();
    for path in paths {
        loader.find(path, &mut files);
    }
    for file in files {
        match read(&file) {
            Ok(text) => loader.scenario(&file, &text),
            Err(diagnostic) => loader.diagnostics.push(*diagnostic),
        }
    }
    loader.finish()
}

/// Reads the text of one scenario file. `name` is where it would be: paths start from its folder.
pub fn load_text(name: &Path, text: &str) -> Result<Loaded, LoadErrors> {
    let mut loader = Loader::default();
    loader.scenario(name, text);
    loader.finish()
}

#[derive(Default)]
struct Loader {
    scenarios: Vec<Scenario>,
    diagnostics: Vec<Diagnostic>,
    library: Library,
    /// Where each id was first used.
    ids: BTreeMap<String, (PathBuf, u32)>,
    /// Files that were found already, by their real paths.
    found: BTreeSet<PathBuf>,
}

impl Loader {
    fn find(&mut self, path: &Path, files: &mut Vec<PathBuf>) {
        match std::fs::metadata(path) {
            Ok(metadata) if metadata.is_dir() => {
                let before = files.len();
                let known = self.found.len();
                self.search(path, files, MAX_FOLDERS);
                if files.len() == before && self.found.len() == known {
                    let mut none = Diagnostic::of_file(path, "there is no scenario in this folder");
                    none.help = Some("scenarios are files that end in `.yaml`".to_owned());
                    self.diagnostics.push(none);
                }
            }
            Ok(_) => self.take(path, files),
            Err(error) => {
                let message = format!("cannot find the file: {error}");
                self.diagnostics.push(Diagnostic::of_file(path, message));
            }
        }
    }

    /// Adds a file, unless it was found by another path.
    fn take(&mut self, file: &Path, files: &mut Vec<PathBuf>) {
        let real = file.canonicalize().unwrap_or_else(|_| file.to_owned());
        if self.found.insert(real) {
            files.push(file.to_owned());
        }
    }

    fn search(&mut self, folder: &Path, files: &mut Vec<PathBuf>, levels: usize) {
        let entries = match std::fs::read_dir(folder) {
            Ok(entries) => entries,
            Err(error) => {
                let message = format!("cannot read the folder: {error}");
                return self.diagnostics.push(Diagnostic::of_file(folder, message));
            }
        };
        let mut entries: Vec<_> = entries.filter_map(Result::ok).collect();
        entries.sort_by_key(std::fs::DirEntry::file_name);
        for entry in entries {
            let name = entry.file_name();
            let name = name.to_string_lossy();
            if name.starts_with(['_', '.']) {
                continue;
            }
            let path = entry.path();
            // A link to a folder is not followed: it could lead back here.
            if entry.file_type().is_ok_and(|kind| kind.is_dir()) {
                if levels > 0 && !NO_SCENARIOS.contains(&&*name) {
                    self.search(&path, files, levels - 1);
                }
            } else if name.ends_with(".yaml") {
                self.take(&path, files);
            } else if name.ends_with(".yml") {
                let mut passed_over = Diagnostic::of_file(&path, "this file is not read");
                passed_over.severity = Severity::Warning;
                passed_over.help = Some("name it `.yaml` if it is a scenario".to_owned());
                self.diagnostics.push(passed_over);
            }
        }
    }

    fn scenario(&mut self, file: &Path, text: &str) {
        let mut reader = Reader::new("the scenario");
        let wire = wire::<ScenarioWire>(text, &mut reader);
        let mut mistakes = reader.mistakes;
        if let Some(wire) = &wire {
            let lowering = Lowering::new(file, &mut mistakes, &mut self.library);
            let scenario = lowering.scenario(&wire.value);
            self.scenarios.extend(scenario);
            if let Some(id) = &wire.value.id {
                let place: &Place = &id.place;
                let known = self.ids.get(&id.value.0);
                if let Some((other, line)) = known {
                    let message = format!("another scenario has the id `{}`", id.value.0);
                    let other = shown_path(other);
                    let help = format!("it is in `{other}` on line {line}: change one");
                    mistakes.error(place, message, help);
                } else {
                    self.ids.insert(id.value.0.clone(), (file.to_owned(), place.span.line));
                }
            }
        }
        self.diagnostics.extend(mistakes.into_diagnostics(file, text));
    }

    fn finish(mut self) -> Result<Loaded, LoadErrors> {
        self.diagnostics.extend(self.library.into_diagnostics());
        let (errors, warnings): (Vec<_>, Vec<_>) = self
            .diagnostics
            .into_iter()
            .partition(|diagnostic| diagnostic.severity == Severity::Error);
        if errors.is_empty() {
            Ok(Loaded { scenarios: self.scenarios, warnings })
        } else {
            Err(LoadErrors { errors, warnings })
        }
    }
}

/// Reads the text of a document as the wire type `T`.
pub(crate) fn wire<T: Wire>(text: &str, reader: &mut Reader) -> Option<At<T>> {
    match node::parse(text) {
        Ok(node) => reader.read(&node),
        Err(mistake) => {
            reader.mistakes.add(mistake);
            None
        }
    }
}

/// The text of a file, unless it is too large or not UTF-8.
pub(crate) fn read(file: &Path) -> Result<String, Box<Diagnostic>> {
    let failed = |error: std::io::Error| {
        Box::new(Diagnostic::of_file(file, format!("cannot read the file: {error}")))
    };
    // A pipe or a device would never end.
    if !std::fs::metadata(file).map_err(failed)?.is_file() {
        return Err(Box::new(Diagnostic::of_file(file, "this is no file")));
    }
    let mut bytes = Vec::new();
    File::open(file)
        .and_then(|open| open.take(MAX_BYTES + 1).read_to_end(&mut bytes))
        .map_err(failed)?;
    if bytes.len() as u64 > MAX_BYTES {
        let message = format!("the file is larger than {} KiB", MAX_BYTES / 1024);
        return Err(Box::new(Diagnostic::of_file(file, message)));
    }
    String::from_utf8(bytes).map_err(|error| Box::new(not_utf8(file, error)))
}

fn not_utf8(file: &Path, error: std::string::FromUtf8Error) -> Diagnostic {
    let sound = error.utf8_error().valid_up_to();
    let bytes = error.into_bytes();
    let before = String::from_utf8_lossy(&bytes[..sound]);
    let lines = before.matches('\n').count();
    let column = before.rsplit('\n').next().unwrap_or_default().chars().count();
    let narrow = |count: usize| u32::try_from(count).unwrap_or(u32::MAX);
    let span = Span { line: narrow(lines + 1), column: narrow(column + 1), width: 1 };
    let message = format!("byte 0x{:02x} is not UTF-8", bytes[sound]);
    let mistake = Mistake::error(span, message).with_help("save the file as UTF-8");
    Diagnostic::of_mistake(file, &String::from_utf8_lossy(&bytes), mistake)
}
