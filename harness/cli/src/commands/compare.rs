//! `cutover compare`: is a run slower than earlier ones, or is it noise?

use std::path::Path;

use cutover_model::Exit;
use cutover_report::{
    Baseline, Comparison, NoBaseline, compare as hold_against, comparison_markdown,
    comparison_text, of_run,
};

use crate::args::{CompareArgs, CompareFormat};
use crate::kept::{FOLDER, read_like};
use crate::printer::Printer;
use crate::record::{is_run, read};

/// Compares a run with kept ones, or with another run. Exits with 1 only if something is slower.
pub(crate) fn compare(args: &CompareArgs, printer: Printer) -> Exit {
    let compared = figures_of(&args.run, printer).and_then(|now| {
        let kept = kept(args.baseline.as_deref(), &now, printer)?;
        Ok(hold_against(&now, &kept, args.at_least))
    });
    match compared {
        Ok(comparison) => {
            printer.out(&shown(&comparison, args.format));
            comparison.exit()
        }
        Err(exit) => exit,
    }
}

fn shown(comparison: &Comparison, format: CompareFormat) -> String {
    match format {
        CompareFormat::Text => comparison_text(comparison),
        CompareFormat::Markdown => comparison_markdown(comparison),
        CompareFormat::Json => {
            let json = serde_json::to_value(comparison);
            format!("{:#}\n", json.expect("a comparison has no map and no path"))
        }
    }
}

fn figures_of(run: &Path, printer: Printer) -> Result<Vec<Baseline>, Exit> {
    let report = read(run).map_err(|error| {
        printer.error(&error);
        printer.say("  = help: name the folder of a run, such as one below reports/runs");
        Exit::BadInput
    })?;
    of_run(&report).map_err(|error| {
        printer.mistake(&error.to_string(), error.remedy());
        match error {
            NoBaseline::Shard(_) | NoBaseline::Sabotaged { .. } => Exit::BadInput,
            _ => Exit::Inconclusive,
        }
    })
}

/// What the run is held against: another run, or what is kept in a folder.
fn kept(asked: Option<&Path>, now: &[Baseline], printer: Printer) -> Result<Vec<Baseline>, Exit> {
    let folder = asked.unwrap_or(Path::new(FOLDER));
    if is_run(folder) {
        return figures_of(folder, printer);
    }
    if asked.is_some() && !folder.is_dir() {
        let message = format!("`{}` is neither a run nor a folder of baselines", folder.display());
        printer.mistake(&message, "keep a run first: cutover baseline RUN");
        return Err(Exit::BadInput);
    }
    read_like(folder, now).map_err(|error| {
        printer.error(&error);
        printer.say(&format!("  = help: {}", error.remedy()));
        Exit::BadInput
    })
}
