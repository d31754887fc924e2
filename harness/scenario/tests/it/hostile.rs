//! Hostile text: refused or taken, but never a panic, never slow, and never echoed to a terminal.

use std::path::Path;

use cutover_scenario::{Diagnostic, LoadErrors, load, load_text};
use proptest::prelude::*;

use crate::scenarios;

fn errors(text: &str) -> Vec<Diagnostic> {
    match load_text(&scenarios().join("smoke/hostile.yaml"), text) {
        Ok(_) => Vec::new(),
        Err(LoadErrors { errors, .. }) => errors,
    }
}

fn shipped() -> String {
    std::fs::read_to_string(scenarios().join("smoke/ons_load_curve.yaml")).unwrap()
}

#[test]
fn a_file_of_mistakes_does_not_bury_the_first_ones() {
    let keys: Vec<_> = (0..20_000).map(|key| format!("key{key}: value")).collect();
    let text = keys.join("\n");
    let errors = errors(&text);
    assert_eq!(errors.len(), 101);
    assert_eq!(errors[100].line, 0);
    assert!(errors[100].message.ends_with("than are shown"), "{}", errors[100].message);
}

#[test]
fn a_long_line_is_cropped_around_its_mistake() {
    let text = format!("tags: [{}, no]\n", vec!["tag"; 2_000].join(", "));
    let errors = errors(&text);
    let rendered: String = errors.iter().map(Diagnostic::render).collect();
    let longest = rendered.lines().map(|line| line.chars().count()).max();
    assert!(longest < Some(400), "{longest:?}");
}

#[test]
fn a_message_holds_no_control_character_of_the_file() {
    let errors = errors("\"\\e[31mred\\u202e\": 1\nid: \"\\e]0;title\\a\"\n");
    let rendered: String = errors.iter().map(Diagnostic::render).collect();
    let harmless = |c: char| c == '\n' || !(c.is_control() || c == '\u{202e}');
    assert!(rendered.contains("red") && rendered.chars().all(harmless), "{rendered:?}");
}

#[test]
fn a_file_that_is_not_utf8_is_refused_at_its_first_bad_byte() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("latin.yaml");
    std::fs::write(&file, b"version: 1\ntitle: S\xe3o Paulo\n").unwrap();
    let errors = load(&[file]).unwrap_err().errors;
    assert_eq!((errors[0].line, errors[0].column), (2, 9));
    assert_eq!(errors[0].message, "byte 0xe3 is not UTF-8");
}

#[test]
fn a_large_file_is_refused_unread() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("large.yaml");
    std::fs::write(&file, "# x\n".repeat(300_000)).unwrap();
    let errors = load(&[file]).unwrap_err().errors;
    assert_eq!(errors[0].message, "the file is larger than 1024 KiB");
}

#[test]
fn a_folder_without_scenarios_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("_draft.yaml"), "").unwrap();
    let errors = load(&[folder.path().to_owned()]).unwrap_err().errors;
    assert_eq!(errors[0].message, "there is no scenario in this folder");
}

#[test]
fn a_file_that_no_one_would_read_is_warned_of() {
    let folder = tempfile::tempdir().unwrap();
    let healthy = "version: 1\nid: x\ntitle: x\nsteps:\n  - rollback: { steps: [0%, 100%], expect: \
                   { rolled_back_by: nothing } }\n";
    std::fs::write(folder.path().join("a.yaml"), healthy).unwrap();
    std::fs::write(folder.path().join("b.yml"), healthy).unwrap();
    let loaded = load(&[folder.path().to_owned()]).unwrap();
    assert_eq!(loaded.scenarios.len(), 1);
    assert_eq!(loaded.warnings[0].message, "this file is not read");
}

#[test]
fn two_files_with_one_id_are_refused() {
    let folder = tempfile::tempdir().unwrap();
    let healthy = "version: 1\nid: same\ntitle: x\nsteps:\n  - rollback: { steps: [0%, 100%], \
                   expect: { rolled_back_by: nothing } }\n";
    std::fs::write(folder.path().join("a.yaml"), healthy).unwrap();
    std::fs::write(folder.path().join("b.yaml"), healthy).unwrap();
    let errors = load(&[folder.path().to_owned()]).unwrap_err().errors;
    assert_eq!((errors[0].line, errors[0].column), (2, 5));
    assert!(errors[0].file.ends_with("b.yaml"));
    assert!(errors[0].help.as_ref().unwrap().contains("a.yaml` on line 2"), "{errors:?}");
}

#[test]
fn a_file_named_twice_is_read_once() {
    let file = scenarios().join("smoke/ons_load_curve.yaml");
    let loaded = load(&[file.clone(), scenarios().join("smoke"), file]).unwrap();
    assert_eq!(loaded.scenarios.len(), 2);
}

#[test]
fn the_mistakes_of_all_files_come_at_once() {
    let invalid = scenarios().join("_invalid");
    let files = ["unknown_keys.yaml", "tab.yaml", "ladder.yaml"].map(|name| invalid.join(name));
    let errors = load(&files).unwrap_err();
    for file in &files {
        assert!(errors.errors.iter().any(|error| &error.file == file), "{}", file.display());
    }
    assert_eq!(errors.to_string(), "13 mistakes in 3 files");
}

#[test]
fn a_byte_order_mark_and_windows_line_ends_change_nothing() {
    let name = scenarios().join("smoke/windows.yaml");
    let text = format!("\u{feff}{}", shipped().replace('\n', "\r\n"));
    let windows = load_text(&name, &text).unwrap().scenarios;
    assert_eq!(windows, load_text(&name, &shipped()).unwrap().scenarios);
    let errors = errors(&text.replace("zone:", "zoen:"));
    let place = shipped().lines().position(|line| line.contains("zone:")).unwrap() + 1;
    assert_eq!(errors[0].line as usize, place);
}

const PARTS: &str = concat!(
    r"([a-z]{1,8}|[0-9]{1,3}|: |- |\n|\n  |\[|\]|\{|\}|, |'|\x22|&a|\*a|!!str |\||>|#|%|\t|",
    r"<<: |---\n|~|\.nan){0,60}"
);

fn some_cases() -> ProptestConfig {
    ProptestConfig { cases: 300, failure_persistence: None, ..Default::default() }
}

proptest! {
    #![proptest_config(some_cases())]

    #[test]
    fn any_text_is_taken_or_refused(text in any::<String>()) {
        for error in errors(&text) {
            prop_assert!(error.render().starts_with("error: "));
        }
    }

    #[test]
    fn any_yaml_like_text_is_taken_or_refused(text in PARTS) {
        for error in errors(&text) {
            prop_assert!(error.render().starts_with("error: "));
        }
    }

    #[test]
    fn any_bytes_are_taken_or_refused(bytes in prop::collection::vec(any::<u8>(), 0..400)) {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("bytes.yaml");
        std::fs::write(&file, bytes).unwrap();
        prop_assert!(load(&[file]).is_err());
    }

    #[test]
    fn a_damaged_scenario_is_taken_or_refused_at_a_place_that_it_has(
        at in any::<prop::sample::Index>(),
        length in 0_usize..40,
        put in r"[ \n:,\[\]{}'\x22a-z0-9%<>&*-]{0,6}",
    ) {
        let text = shipped();
        let length = length.min(text.len());
        let start = at.index(text.len() - length);
        prop_assume!(text.is_char_boundary(start) && text.is_char_boundary(start + length));
        let damaged = format!("{}{put}{}", &text[..start], &text[start + length..]);
        for error in errors(&damaged) {
            let lines = damaged.lines().count() + 1;
            prop_assert!(error.file == Path::new(&scenarios().join("smoke/hostile.yaml")));
            prop_assert!((1..=lines).contains(&(error.line as usize)), "{}", error.render());
        }
    }
}
