//! The one place that prints.
//!
//! What a command is asked for goes to standard output; what is said beside it, to standard error.
//! A reader that went away ends nothing: the exit code still tells.

use std::error::Error;
use std::io::Write;

use cutover_report::Style;

use crate::settings::Settings;

/// Where the output goes, and whether it may use colour.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Printer {
    style: Style,
}

#[expect(clippy::unused_self, reason = "only who was handed a printer prints")]
impl Printer {
    pub(crate) fn new(settings: &Settings) -> Self {
        Self { style: settings.style }
    }

    /// Whether what goes to standard output may use colour.
    pub(crate) fn style(self) -> Style {
        self.style
    }

    /// Prints what the command was asked for.
    pub(crate) fn out(self, text: &str) {
        let mut stdout = std::io::stdout().lock();
        drop(stdout.write_all(text.as_bytes()).and_then(|()| stdout.flush()));
    }

    /// Prints a line beside it.
    pub(crate) fn say(self, line: &str) {
        drop(writeln!(std::io::stderr().lock(), "{line}"));
    }

    /// Prints an error with its causes and perhaps a remedy.
    pub(crate) fn error(self, error: &(dyn Error + 'static)) {
        self.say(&format!("error: {error}"));
        let mut cause = error.source();
        while let Some(error) = cause {
            self.say(&format!("  caused by: {error}"));
            cause = error.source();
        }
    }

    /// Prints a mistake of the user's with its remedy.
    pub(crate) fn mistake(self, message: &str, help: &str) {
        self.say(&format!("error: {message}\n  = help: {help}"));
    }
}
