//! Which files are meant: paths as given, ids looked up, and the shipped scenarios by default.

use std::path::{Path, PathBuf};

use cutover_model::{Exit, Scenario};

use crate::args::Selection;
use crate::printer::Printer;

/// The folder of shipped scenarios, from the current one or the nearest above it that has it.
pub(crate) fn shipped() -> Option<PathBuf> {
    let here = std::env::current_dir().ok()?;
    let above = here.ancestors().position(|folder| folder.join("scenarios").is_dir())?;
    // A relative path, so that messages and reports are the same for everyone.
    Some(std::iter::repeat_n("..", above).collect::<PathBuf>().join("scenarios"))
}

/// What a command takes when it is given no path.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Default {
    /// The smoke scenarios, or all where a tag selects.
    Smoke,
    /// All shipped scenarios.
    All,
}

/// Loads the selected scenarios; mistakes are printed.
pub(crate) fn load(
    selection: &Selection,
    default: Default,
    printer: Printer,
) -> Result<Vec<Scenario>, Exit> {
    let (files, ids) = files_and_ids(&selection.paths);
    let shipped = shipped();
    let mut paths = files;
    if !ids.is_empty() || selection.paths.is_empty() {
        let Some(shipped) = shipped else {
            return Err(no_folder(&ids, printer));
        };
        let smoke = ids.is_empty() && selection.tags.is_empty() && default == Default::Smoke;
        paths.push(if smoke { shipped.join("smoke") } else { shipped });
    }
    let loaded = cutover_scenario::load(&paths).map_err(|errors| {
        for diagnostic in errors.warnings.iter().chain(&errors.errors) {
            printer.say(&diagnostic.render());
        }
        printer.say(&format!("error: {errors}; nothing was started"));
        Exit::BadInput
    })?;
    for warning in &loaded.warnings {
        printer.say(&warning.render());
    }
    select(loaded.scenarios, (&selection.paths, &ids, &selection.tags), printer)
}

/// What exists is a path; what does not and looks like a name is an id.
fn files_and_ids(given: &[PathBuf]) -> (Vec<PathBuf>, Vec<String>) {
    let is_id = |path: &&PathBuf| {
        let name = path.to_string_lossy();
        !path.exists() && !name.contains(['/', '\\', '.'])
    };
    let ids = given.iter().filter(is_id).map(|path| path.to_string_lossy().into_owned());
    (given.iter().filter(|path| !is_id(path)).cloned().collect(), ids.collect())
}

fn no_folder(ids: &[String], printer: Printer) -> Exit {
    let message = match ids {
        [] => "there is no `scenarios` folder here or above".to_owned(),
        [id, ..] => format!("`{id}` is no path, and there is no `scenarios` folder to look it up"),
    };
    printer.mistake(&message, "name a scenario file: cutover run PATH");
    Exit::BadInput
}

fn select(
    scenarios: Vec<Scenario>,
    (given, ids, tags): (&[PathBuf], &[String], &[String]),
    printer: Printer,
) -> Result<Vec<Scenario>, Exit> {
    for id in ids {
        if !scenarios.iter().any(|scenario| scenario.id.as_str() == id) {
            let known: Vec<&str> = scenarios.iter().map(|it| it.id.as_str()).collect();
            let message = format!("there is no scenario `{id}`");
            printer.mistake(&message, &format!("the scenarios are {}", known.join(", ")));
            return Err(Exit::BadInput);
        }
    }
    let by_path = |scenario: &Scenario| {
        given.iter().any(|path| path.exists() && is_below(&scenario.file, path))
    };
    let named = |scenario: &Scenario| {
        ids.is_empty() || ids.iter().any(|id| id == scenario.id.as_str()) || by_path(scenario)
    };
    let tagged =
        |scenario: &Scenario| tags.is_empty() || scenario.tags.iter().any(|tag| tags.contains(tag));
    let count = scenarios.len();
    let selected: Vec<_> = scenarios.into_iter().filter(|it| named(it) && tagged(it)).collect();
    if selected.is_empty() {
        let message = match tags {
            [] => "there is no scenario in what was named".to_owned(),
            _ => format!("none of {count} scenarios has the tag `{}`", tags.join("` or `")),
        };
        printer.mistake(&message, "`cutover list` shows the scenarios and their tags");
        return Err(Exit::BadInput);
    }
    Ok(selected)
}

fn is_below(file: &Path, path: &Path) -> bool {
    match (file.canonicalize(), path.canonicalize()) {
        (Ok(file), Ok(path)) => file.starts_with(path),
        _ => file.starts_with(path),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_that_is_no_path_is_an_id() {
        let given = [PathBuf::from("ons-load-curve"), PathBuf::from("no/such.yaml")];
        let (files, ids) = files_and_ids(&given);
        assert_eq!(ids, ["ons-load-curve"]);
        assert_eq!(files, [PathBuf::from("no/such.yaml")]);
    }
}
