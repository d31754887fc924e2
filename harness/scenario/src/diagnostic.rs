//! What is wrong with a file, and where: [`Diagnostic`].
//!
//! While a file is read its mistakes are [`Mistake`]s, which know a [`Span`] and no file; once it
//! is through, each becomes a diagnostic with the line that it is about.

use std::fmt::{self, Write};
use std::path::{Path, PathBuf};

/// A stretch of one line of a file, counted in characters from 1.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Span {
    pub(crate) line: u32,
    pub(crate) column: u32,
    pub(crate) width: u32,
}

impl Span {
    /// The first character of a file.
    pub(crate) const START: Self = Self { line: 1, column: 1, width: 1 };
}

/// Whether a file can be used in spite of a diagnostic.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Severity {
    /// The file is refused.
    Error,
    /// The file is used; what it says is legal but unwise.
    Warning,
}

impl Severity {
    /// The word at the start of a rendered diagnostic.
    pub fn word(self) -> &'static str {
        match self {
            Self::Error => "error",
            Self::Warning => "warning",
        }
    }
}

/// One thing wrong at one place, before the file's name and lines are known.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Mistake {
    pub(crate) severity: Severity,
    pub(crate) span: Span,
    pub(crate) path: String,
    pub(crate) message: String,
    pub(crate) help: Option<String>,
}

impl Mistake {
    /// A mistake that makes the file unusable.
    pub(crate) fn error(span: Span, message: impl Into<String>) -> Self {
        Self {
            severity: Severity::Error,
            span,
            path: String::new(),
            message: message.into(),
            help: None,
        }
    }

    /// The same mistake, at `path` within the file.
    pub(crate) fn at_path(mut self, path: impl Into<String>) -> Self {
        self.path = path.into();
        self
    }

    /// The same mistake, with what to do about it.
    pub(crate) fn with_help(mut self, help: impl Into<String>) -> Self {
        self.help = Some(help.into());
        self
    }
}

/// One thing wrong with a file: where, what, and what to do about it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Diagnostic {
    /// Whether the file is refused.
    pub severity: Severity,
    /// The file, as the user named it.
    pub file: PathBuf,
    /// The line, counted from 1. 0 when the file as a whole is meant.
    pub line: u32,
    /// The character within the line, counted from 1. 0 when the file as a whole is meant.
    pub column: u32,
    /// The place within the document, such as `steps[3].latency.expect[0].p95`. Can be empty.
    pub path: String,
    /// What is wrong.
    pub message: String,
    /// What to do about it.
    pub help: Option<String>,
    /// The line that it is about.
    pub snippet: Option<Snippet>,
}

/// A piece of the line that a diagnostic is about, safe to print.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Snippet {
    /// The text, without control characters, cropped around the place.
    pub text: String,
    /// Characters before the first caret.
    pub indent: usize,
    /// How many carets.
    pub carets: usize,
}

impl Diagnostic {
    /// A diagnostic about a file as a whole.
    pub(crate) fn of_file(file: &Path, message: impl Into<String>) -> Self {
        Self {
            severity: Severity::Error,
            file: file.to_owned(),
            line: 0,
            column: 0,
            path: String::new(),
            message: message.into(),
            help: None,
            snippet: None,
        }
    }

    /// The mistake in `file`, whose content is `text`.
    pub(crate) fn of_mistake(file: &Path, text: &str, mistake: Mistake) -> Self {
        let Mistake { severity, span, path, message, help } = mistake;
        Self {
            severity,
            file: file.to_owned(),
            line: span.line,
            column: span.column,
            path,
            message,
            help,
            snippet: Snippet::cut(text, span),
        }
    }

    /// The diagnostic as plain text over several lines, with the place marked by carets.
    pub fn render(&self) -> String {
        let mut out = format!("{}: {}\n", self.severity.word(), self.message);
        let file = shown_path(&self.file);
        let margin = self.line.to_string().len();
        // Writing to a `String` cannot fail.
        let mut line = |text: fmt::Arguments<'_>| out.write_fmt(text).unwrap_or_default();
        if self.line == 0 {
            line(format_args!("{:margin$}--> {file}\n", ""));
        } else {
            line(format_args!("{:margin$}--> {file}:{}:{}\n", "", self.line, self.column));
        }
        if let Some(Snippet { text, indent, carets }) = &self.snippet {
            line(format_args!("{:margin$} |\n{} | {text}\n", "", self.line));
            line(format_args!("{:margin$} | {:indent$}{}\n", "", "", "^".repeat(*carets)));
        }
        if let Some(help) = &self.help {
            line(format_args!("{:margin$} = help: {help}\n", ""));
        }
        out
    }
}

impl Snippet {
    /// Characters of a line that are shown at most.
    const WIDTH: usize = 140;

    fn cut(text: &str, span: Span) -> Option<Self> {
        let line = text.lines().nth(usize::try_from(span.line).ok()?.checked_sub(1)?)?;
        let column = usize::try_from(span.column).ok()?.saturating_sub(1);
        // A long line is shown from shortly before the place.
        let skipped = if column + 40 > Self::WIDTH { column - 40 } else { 0 };
        let shown: String = line
            .chars()
            .skip(skipped)
            .take(Self::WIDTH)
            .map(|c| if is_harmless(c) { c } else { ' ' })
            .collect();
        let indent = column - skipped;
        let room = shown.chars().count().saturating_sub(indent).max(1);
        let carets = usize::try_from(span.width).ok()?.clamp(1, room);
        Some(Self { text: shown.trim_end().to_owned(), indent, carets })
    }
}

/// `text` as it can stand in a message: one short line without control characters.
pub(crate) fn excerpt(text: &str) -> String {
    excerpt_of(text, 60)
}

/// A path as it can stand in a message, on one line without control characters.
pub(crate) fn shown_path(path: &Path) -> String {
    excerpt_of(&path.display().to_string(), 1_000)
}

fn excerpt_of(text: &str, limit: usize) -> String {
    let mut shown: String =
        text.chars().take(limit).map(|c| if is_harmless(c) { c } else { ' ' }).collect();
    if text.chars().nth(limit).is_some() {
        shown.push('…');
    }
    shown
}

/// Whether a terminal shows the character and does nothing else with it.
fn is_harmless(c: char) -> bool {
    let reorders =
        matches!(c, '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}');
    !c.is_control() && !reorders
}
