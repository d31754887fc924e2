//! `cutover baseline`: keeps the timed figures of a run for later ones to be compared with.

use cutover_model::Exit;
use cutover_report::kept_of_run;

use crate::args::BaselineArgs;
use crate::kept::{KeptError, keep};
use crate::printer::Printer;
use crate::record::read;

/// Keeps a run, or says why it is none to compare with.
pub(crate) fn baseline(args: &BaselineArgs, printer: Printer) -> Exit {
    let report = match read(&args.run) {
        Ok(report) => report,
        Err(error) => {
            printer.error(&error);
            printer.say("  = help: name the folder of a run, such as one below reports/runs");
            return Exit::BadInput;
        }
    };
    let baselines = match kept_of_run(&report) {
        Ok(baselines) => baselines,
        Err(error) => {
            printer.mistake(&error.to_string(), error.remedy());
            return Exit::BadInput;
        }
    };
    match keep(&args.dir, &baselines) {
        Ok(files) => {
            for file in files {
                printer.out(&format!("{} is kept in {}\n", report.start.run, file.display()));
            }
            Exit::Passed
        }
        Err(error) => {
            printer.error(&error);
            printer.say(&format!("  = help: {}", error.remedy()));
            match error {
                KeptError::Write { .. } => Exit::Error,
                _ => Exit::BadInput,
            }
        }
    }
}
