//! `cutover list`: the scenarios, their tags and their files.

use cutover_model::Exit;

use crate::args::ListArgs;
use crate::paths::{Default, load};
use crate::printer::Printer;

pub(crate) fn list(args: &ListArgs, printer: Printer) -> Exit {
    let scenarios = match load(&args.selection, Default::All, printer) {
        Ok(scenarios) => scenarios,
        Err(exit) => return exit,
    };
    let width = scenarios.iter().map(|it| it.id.as_str().len()).max().unwrap_or(0);
    for scenario in scenarios {
        let steps: Vec<&str> = scenario.steps.iter().map(|step| step.kind().word()).collect();
        printer.out(&format!(
            "{:width$}  [{}]  {}\n{:width$}  {}\n{:width$}  {}\n",
            scenario.id.as_str(),
            scenario.tags.join(", "),
            scenario.file.display(),
            "",
            scenario.title,
            "",
            steps.join(" → "),
        ));
    }
    Exit::Passed
}
