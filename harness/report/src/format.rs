//! The forms that a report takes, by name.
//!
//! The main type is [`Format`]. What each form looks like is in the module of its name.

use std::fmt;
use std::str::FromStr;

use cutover_model::RunReport;

use crate::terminal::Style;

/// A form of a report.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    /// Everything, for programs.
    Json,
    /// One test case per check, for CI systems.
    Junit,
    /// One page with charts, for a person who signs off.
    Html,
    /// A short page, for the summary of a CI step.
    Markdown,
    /// The closing summary of the terminal, without colour.
    Text,
}

impl Format {
    /// Every form, in the order of the documentation.
    pub const ALL: [Self; 5] = [Self::Json, Self::Junit, Self::Html, Self::Markdown, Self::Text];

    /// The name on the command line.
    pub fn name(self) -> &'static str {
        match self {
            Self::Json => "json",
            Self::Junit => "junit",
            Self::Html => "html",
            Self::Markdown => "markdown",
            Self::Text => "text",
        }
    }

    /// The file that holds this form in the folder of a run.
    pub fn file_name(self) -> &'static str {
        match self {
            Self::Json => "report.json",
            Self::Junit => "junit.xml",
            Self::Html => "report.html",
            Self::Markdown => "summary.md",
            Self::Text => "summary.txt",
        }
    }
}

impl fmt::Display for Format {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

impl FromStr for Format {
    type Err = UnknownFormat;

    fn from_str(name: &str) -> Result<Self, UnknownFormat> {
        Self::ALL
            .into_iter()
            .find(|format| format.name() == name)
            .ok_or_else(|| UnknownFormat(name.to_owned()))
    }
}

/// A name that is no [`Format`].
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is not a format: use json, junit, html, markdown or text")]
pub struct UnknownFormat(
    /// The name that was given.
    pub String,
);

/// The report in the form that was asked for.
pub fn render(format: Format, report: &RunReport) -> String {
    match format {
        Format::Json => crate::json(report),
        Format::Junit => crate::junit(report),
        Format::Html => crate::html(report),
        Format::Markdown => crate::markdown(report),
        Format::Text => crate::terminal(report, Style::Plain),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_format_reads_back_from_its_name() {
        for format in Format::ALL {
            assert_eq!(format.name().parse(), Ok(format));
        }
    }

    #[test]
    fn the_message_for_an_unknown_format_names_every_known_one() {
        let message = "pdf".parse::<Format>().unwrap_err().to_string();
        for format in Format::ALL {
            assert!(message.contains(format.name()), "{message}");
        }
    }
}
