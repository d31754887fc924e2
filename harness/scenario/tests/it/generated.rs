//! Mistakes made on purpose in the shipped scenarios: each must be found where it is, and most with
//! the right word as help.

use std::path::PathBuf;

use cutover_scenario::{Diagnostic, load_text};
use regex::Regex;

use crate::scenarios;

/// Keys that the files choose themselves, so that a misspelling is another name.
const CHOSEN: [&str; 14] = [
    "load_curve",
    "generation",
    "transmission",
    "region",
    "value",
    "hydro",
    "thermal",
    "wind",
    "solar",
    "exchange",
    "power",
    "state",
    "tripped",
    "note",
];

/// One mistake: the text with it, where it is, and what help must hold.
struct Planted {
    file: PathBuf,
    text: String,
    line: u32,
    column: u32,
    help: Option<String>,
    what: String,
}

#[test]
fn every_misspelt_key_is_found_at_its_place() {
    check(&planted(r"(?m)[\s{]([a-z][a-z0-9_]*):(?:\s|$)", |key, nth| {
        (!CHOSEN.contains(&key)).then(|| (misspelt(key, nth), Some(key.to_owned())))
    }));
}

#[test]
fn every_misspelt_word_is_found_at_its_place() {
    let words = [
        "timestream",
        "float",
        "exact",
        "destination",
        "error_rate",
        "success_rate",
        "nothing",
        "write",
        "read",
        "all",
        "(?:no|every|readers|rollback|one|lose|queries)_[a-z_]+[a-z]",
        "load_curve",
        "generation",
        "transmission",
        "queries/[a-z_]+",
        "America/Sao_Paulo",
        "(?:id|val|din)_[a-z]+",
    ];
    let words = format!(r"[\s\[]({})(?:[\s,\]}}]|$)", words.join("|"));
    check(&planted(&words, |word, nth| Some((misspelt(word, nth), Some(word.to_owned())))));
}

#[test]
fn every_number_without_its_unit_is_found_at_its_place() {
    let quantities =
        r#"(?::\s|\[|,\s)("?[<>=]*\s?[0-9][0-9_.]*(?:ms|s|m|%| points/s|/s| periods?)"?)"#;
    check(&planted(quantities, |quantity, _| {
        let bare = quantity
            .trim_end_matches('"')
            .trim_end_matches(|c: char| c.is_ascii_alphabetic() || matches!(c, '%' | '/' | ' '));
        let quote = if quantity.starts_with('"') { "\"" } else { "" };
        Some((format!("{bare}{quote}"), None))
    }));
}

#[test]
fn every_nan_is_found_at_its_place() {
    check(&planted(r":\s([0-9][0-9_.e-]*)(?:\s|,|}|$)", |_, _| Some((".nan".to_owned(), None))));
}

#[test]
fn every_absent_value_is_found_at_its_place() {
    check(&planted(r"(?m):(\s[^\s{\[|>][^,}\n]*)(?:,|}|$)", |_, _| Some((" ~".to_owned(), None))));
}

/// Plants a mistake at each match of `pattern` in each shipped file.
fn planted(
    pattern: &str,
    change: impl Fn(&str, usize) -> Option<(String, Option<String>)>,
) -> Vec<Planted> {
    let pattern = Regex::new(pattern).unwrap();
    let mut planted = Vec::new();
    let loaded = cutover_scenario::load(&[scenarios()]).unwrap();
    for file in loaded.scenarios.into_iter().map(|scenario| scenario.file) {
        let text = std::fs::read_to_string(&file).unwrap();
        for (nth, found) in pattern.captures_iter(&text).enumerate() {
            let found = found.get(1).unwrap();
            let start = text[..found.start()].rfind('\n').map_or(0, |at| at + 1);
            let before = &text[start..found.start()];
            if before.contains('#') || before.trim_start().starts_with("title") {
                continue;
            }
            let Some((wrong, help)) = change(found.as_str(), nth) else { continue };
            let spaces = wrong.len() - wrong.trim_start().len();
            planted.push(Planted {
                what: format!("`{}` for `{}`", wrong, found.as_str()),
                text: format!("{}{wrong}{}", &text[..found.start()], &text[found.end()..]),
                line: u32::try_from(text[..start].matches('\n').count() + 1).unwrap(),
                column: u32::try_from(before.chars().count() + spaces + 1).unwrap(),
                file: file.clone(),
                help,
            });
        }
    }
    planted
}

/// A plausible misspelling: a letter doubled, dropped, or swapped with the next.
fn misspelt(word: &str, nth: usize) -> String {
    let mut letters: Vec<char> = word.chars().collect();
    let at = letters.len() / 2;
    match nth % 3 {
        1 if letters.len() > 3 => drop(letters.remove(at)),
        2 if letters.len() > 3 && letters[at] != letters[at - 1] => letters.swap(at - 1, at),
        _ => letters.insert(at, letters[at]),
    }
    letters.into_iter().collect()
}

fn check(planted: &[Planted]) {
    let mut missed = Vec::new();
    let mut without_help = Vec::new();
    for mistake in planted {
        let Planted { file, text, line, column, help, what } = mistake;
        let errors = load_text(file, text).err().map(|errors| errors.errors).unwrap_or_default();
        let here = |error: &&Diagnostic| (error.line, error.column) == (*line, *column);
        let place = format!("{}:{line}:{column}: {what}", file.display());
        let Some(found) = errors.iter().find(here) else {
            missed.push(place);
            continue;
        };
        if let Some(word) = help {
            let given = found.help.as_deref().unwrap_or_default();
            if !given.contains(&format!("did you mean `{word}`?")) {
                without_help.push(format!("{place}: {given}"));
            }
        }
    }
    assert!(planted.len() >= 20, "only {} mistakes were planted", planted.len());
    assert!(missed.is_empty(), "{} of {}:\n{}", missed.len(), planted.len(), missed.join("\n"));
    let share = without_help.len() as f64 / planted.len() as f64;
    assert!(share <= 0.05, "{share}:\n{}", without_help.join("\n"));
}
