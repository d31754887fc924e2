//! `cutover report`: a recorded run in any form.

use cutover_model::Exit;
use cutover_report::{Format, render, terminal};

use crate::args::ReportArgs;
use crate::printer::Printer;
use crate::record::read;

/// Prints the report. The exit code is the command's own, not the run's: it only shows.
pub(crate) fn report(args: &ReportArgs, printer: Printer) -> Exit {
    match read(&args.run) {
        Ok(report) => {
            let text = match args.format {
                Format::Text => terminal(&report, printer.style()),
                format => render(format, &report),
            };
            printer.out(&text);
            Exit::Passed
        }
        Err(error) => {
            printer.error(&error);
            printer.say("  = help: name the folder of a run, such as one below reports/runs");
            Exit::BadInput
        }
    }
}
