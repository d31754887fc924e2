//! The mistakes of one file, as they are found: [`Mistakes`].
//!
//! A place that an alias repeats is reported once, and a file that is wrong all over does not bury
//! its first mistakes under thousands of others.

use std::collections::BTreeSet;
use std::path::Path;

use crate::diagnostic::{Diagnostic, Mistake, Severity, Span};

/// Mistakes of one file that are kept.
const KEPT: usize = 100;

/// Mistakes of one file that are looked at, repeated ones included, before the search ends.
const LOOKED_AT: usize = 1_000;

/// A place in a file: where it stands, and what it is called.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Place {
    pub(crate) span: Span,
    /// Such as `steps[3].latency.expect[0].p95`.
    pub(crate) path: String,
}

/// The mistakes of one file.
#[derive(Debug, Default)]
pub(crate) struct Mistakes {
    kept: Vec<Mistake>,
    seen: BTreeSet<(Span, String)>,
    errors: usize,
    looked_at: usize,
}

impl Mistakes {
    /// Adds a mistake, unless the same was said of the same place before.
    pub(crate) fn add(&mut self, mistake: Mistake) {
        if mistake.severity == Severity::Error {
            self.errors += 1;
        }
        self.looked_at += 1;
        if !self.are_many() && self.seen.insert((mistake.span, mistake.message.clone())) {
            self.kept.push(mistake);
        }
    }

    /// Whether there are so many that no more are looked for: help costs time.
    pub(crate) fn are_many(&self) -> bool {
        self.kept.len() >= KEPT || self.looked_at >= LOOKED_AT
    }

    /// Adds what makes the file unusable, with what to do about it.
    pub(crate) fn error(
        &mut self,
        place: &Place,
        message: impl Into<String>,
        help: impl Into<String>,
    ) {
        self.add(Mistake::error(place.span, message).at_path(&place.path).with_help(help));
    }

    /// Adds what is legal but unwise, with what to do about it.
    pub(crate) fn warning(
        &mut self,
        place: &Place,
        message: impl Into<String>,
        help: impl Into<String>,
    ) {
        let mistake = Mistake::error(place.span, message).at_path(&place.path).with_help(help);
        self.add(Mistake { severity: Severity::Warning, ..mistake });
    }

    /// Whether something was said of a key of the map at `place`, or of a place within its value.
    /// What could not be read has been reported, and is not missing.
    pub(crate) fn mention(&self, place: &Place, key: &str) -> bool {
        let path = format!("{}.{key}", place.path);
        let within = |mistake: &Mistake| {
            let rest = mistake.path.strip_prefix(&path);
            rest.is_some_and(|rest| rest.is_empty() || rest.starts_with(['.', '[']))
        };
        self.kept.iter().any(within)
    }

    /// How many mistakes make the file unusable.
    pub(crate) fn errors(&self) -> usize {
        self.errors
    }

    /// The mistakes as diagnostics of `file`, in the order of its lines.
    pub(crate) fn into_diagnostics(mut self, file: &Path, text: &str) -> Vec<Diagnostic> {
        let many = self.are_many();
        self.kept.sort_by_key(|mistake| mistake.span);
        let mut diagnostics: Vec<_> = self
            .kept
            .into_iter()
            .map(|mistake| Diagnostic::of_mistake(file, text, mistake))
            .collect();
        if many {
            let message = "there may be more mistakes in this file than are shown";
            diagnostics.push(Diagnostic::of_file(file, message));
        }
        diagnostics
    }
}
