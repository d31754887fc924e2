//! Files that must be refused, each with the expected message beside it.

use std::path::{Path, PathBuf};

use cutover_scenario::{Diagnostic, load};

use crate::scenarios;

/// What is said of a file, with paths as seen from the folder of refused files.
pub(crate) fn refusal(file: &Path) -> String {
    let diagnostics = match load(&[file.to_owned()]) {
        Ok(loaded) => loaded.warnings,
        Err(errors) => errors.errors.into_iter().chain(errors.warnings).collect(),
    };
    let rendered: Vec<_> = diagnostics.iter().map(Diagnostic::render).collect();
    let folder = scenarios();
    rendered
        .join("\n")
        .replace(&format!("{}/_invalid/", folder.display()), "")
        .replace(&format!("{}/", folder.display()), "../")
}

pub(crate) fn refused_files() -> Vec<PathBuf> {
    let folder = scenarios().join("_invalid");
    // Query files are refused through a scenario that uses them.
    let mut files = entries(&folder, "yaml");
    files.extend(entries(&folder.join("query_pairs"), "yaml"));
    files
}

fn entries(folder: &Path, extension: &str) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(folder).unwrap();
    let mut files: Vec<_> = entries
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.extension().is_some_and(|found| found == extension))
        .collect();
    files.sort();
    files
}

#[test]
fn every_refused_file_is_refused_with_the_message_beside_it() {
    let mut wrong = Vec::new();
    for file in refused_files() {
        let expected = std::fs::read_to_string(file.with_extension("stderr")).unwrap_or_default();
        let found = refusal(&file);
        if found != expected || !found.starts_with("error: ") {
            wrong.push(format!("=== {}\n{found}", file.display()));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn there_are_refused_files_of_many_kinds() {
    assert!(refused_files().len() >= 30);
}

#[test]
fn no_message_lies_about_without_its_file() {
    let folder = scenarios().join("_invalid");
    let messages = entries(&folder, "stderr");
    let orphans: Vec<_> =
        messages.iter().filter(|path| !path.with_extension("yaml").exists()).collect();
    assert!(orphans.is_empty(), "{orphans:?}");
}
