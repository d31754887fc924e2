//! Rules of style that neither the compiler nor clippy checks.

use std::fs;
use std::path::{Path, PathBuf};

use crate::support::{root, walk};

const LINE_COLUMNS: usize = 100;
const FILE_LINES: usize = 500;

fn sources() -> Vec<PathBuf> {
    let mut files = Vec::new();
    for folder in ["harness", "benches"] {
        walk(&root().join(folder), &mut files);
    }
    files.retain(|file| file.extension().is_some_and(|it| it == "rs"));
    assert!(files.len() > 100, "the sources were not found");
    files
}

fn shown(file: &Path) -> String {
    file.strip_prefix(root()).unwrap().display().to_string()
}

/// The lines before the tests at a file's end.
fn code_lines(text: &str) -> usize {
    text.lines().take_while(|line| *line != "#[cfg(test)]").count()
}

fn is_test(file: &Path) -> bool {
    let path = shown(file);
    path.contains("/tests/") || path.ends_with("/tests.rs") || path.ends_with("/properties.rs")
}

#[test]
fn every_source_file_begins_with_what_it_is_for() {
    for file in sources() {
        let text = fs::read_to_string(&file).unwrap();
        assert!(text.starts_with("//!"), "`{}` has no `//!`", shown(&file));
    }
}

#[test]
fn no_source_line_is_longer_than_100_columns() {
    for file in sources() {
        let text = fs::read_to_string(&file).unwrap();
        for (number, line) in (1..).zip(text.lines()) {
            let columns = line.chars().count();
            assert!(columns <= LINE_COLUMNS, "`{}`:{number} has {columns} columns", shown(&file));
        }
    }
}

#[test]
fn no_source_file_has_more_than_500_lines_without_its_tests() {
    for file in sources().into_iter().filter(|file| !is_test(file)) {
        let lines = code_lines(&fs::read_to_string(&file).unwrap());
        assert!(lines <= FILE_LINES, "`{}` has {lines} lines", shown(&file));
    }
}

#[test]
fn no_source_file_has_an_unfinished_part() {
    let unfinished = [["TO", "DO"], ["FIX", "ME"], ["todo", "!("], ["unimplemented", "!("]];
    for file in sources() {
        let text = fs::read_to_string(&file).unwrap();
        for word in unfinished.map(|parts| parts.concat()) {
            assert!(!text.contains(&word), "`{}` has a `{word}`", shown(&file));
        }
    }
}

#[test]
fn lints_are_expected_with_a_reason_and_never_allowed() {
    let allow = ["#[", "allow("].concat();
    for file in sources() {
        let text = fs::read_to_string(&file).unwrap();
        assert!(!text.contains(&allow), "`{}` allows a lint", shown(&file));
    }
}
