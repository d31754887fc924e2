//! The command line: arguments, settings, printing and exit codes; nothing else.
//!
//! [`args`] is what the user typed. [`settings`] is what that means here: the environment and the
//! wall clock are read there, once. Each module of [`commands`] is one subcommand; it calls the
//! engine or the scenario crate, prints through a [`Printer`](printer::Printer) and ends in an
//! [`Exit`].

mod args;
mod changes;
mod commands;
mod interrupt;
mod kept;
mod paths;
mod printer;
mod progress;
mod record;
mod settings;
mod targeting;
mod terraform;

use std::process::ExitCode;

use clap::Parser;
use cutover_model::Exit;

use crate::args::{Args, Command};
use crate::printer::Printer;
use crate::settings::Settings;

/// Runs the command that the arguments of this process name.
pub fn main() -> ExitCode {
    let args = match Args::try_parse() {
        Ok(args) => args,
        Err(error) => {
            // Help and version are asked for; everything else is a mistake.
            let asked = !error.use_stderr();
            drop(error.print());
            return code(if asked { Exit::Passed } else { Exit::BadInput });
        }
    };
    let settings = Settings::resolve(args.quiet);
    let printer = Printer::new(&settings);
    dispatch(args.command, &settings, printer)
}

fn dispatch(command: Command, settings: &Settings, printer: Printer) -> ExitCode {
    code(match command {
        Command::Run(args) => commands::run::run(&args, settings, printer),
        Command::Validate(args) => commands::validate::validate(&args, printer),
        Command::List(args) => commands::list::list(&args, printer),
        Command::Schema(args) => commands::schema::schema(args, printer),
        Command::Report(args) => commands::report::report(&args, printer),
        Command::Merge(args) => commands::merge::merge(&args, printer),
        Command::Baseline(args) => commands::baseline::baseline(&args, printer),
        Command::Compare(args) => commands::compare::compare(&args, printer),
        Command::Sabotage(args) => commands::sabotage::sabotage(&args, settings, printer),
        Command::Doctor(args) => commands::doctor::doctor(&args, settings, printer),
        Command::Calibrate => commands::calibrate::calibrate(settings, printer),
        Command::Standin(args) => commands::standin::standin(&args, settings, printer),
        // Terraform's own exit codes are passed on, and they are more than ours.
        Command::Stack(command) => {
            return ExitCode::from(commands::stack::stack(command, settings, printer));
        }
    })
}

fn code(exit: Exit) -> ExitCode {
    ExitCode::from(exit.code())
}
