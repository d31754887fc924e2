//! `cutover validate`: every mistake of every file.

use cutover_model::Exit;

use crate::args::{PathArgs, Selection};
use crate::paths::{Default, load};
use crate::printer::Printer;

pub(crate) fn validate(args: &PathArgs, printer: Printer) -> Exit {
    let selection = Selection { paths: args.paths.clone(), tags: Vec::new() };
    match load(&selection, Default::All, printer) {
        Ok(scenarios) => {
            let plural = if scenarios.len() == 1 { "" } else { "s" };
            printer.out(&format!("{} scenario{plural} without a mistake\n", scenarios.len()));
            Exit::Passed
        }
        Err(exit) => exit,
    }
}
