//! What a step says in full, as lines that text, JUnit and Markdown share.
//!
//! The main type is [`Detail`]: a visible line with its depth. The HTML shows the same as tables
//! and builds them from the report itself.

use cutover_model::report::StepReport;
use cutover_model::verdict::Verdict;
use cutover_model::{Expectation, Finding, Judgement, Witness};

use crate::text::{clipped, key_facts, number, unfinished, utc};

/// More of one text than this is noise; `report.json` has the whole.
const TEXT_LIMIT: usize = 500;

/// One line of what a step says.
pub(crate) struct Detail {
    /// 0 for a line of its own, 1 for one that belongs to the line before.
    pub(crate) depth: usize,
    /// The line, without control characters, not yet escaped for any markup.
    pub(crate) text: String,
}

/// The expectations that were not met, the first findings, the errors, and where the evidence is.
pub(crate) fn details(step: &StepReport, findings_limit: usize) -> Vec<Detail> {
    let mut lines = Vec::new();
    let mut add = |depth, text: &str| lines.push(Detail { depth, text: clipped(text, TEXT_LIMIT) });
    // Where there is an error, it is the reason.
    if let Some(reason) = unfinished(step).filter(|_| step.errors.is_empty()) {
        add(0, reason);
    }
    for expectation in unmet(step) {
        add(0, &format!("{}: {}", expectation.judgement, seen(expectation)));
    }
    for finding in findings(step).take(findings_limit) {
        add(0, &format!("{}: {}", finding.code, finding.message));
        if let Some(witness) = &finding.witness {
            add(1, &place(witness));
            add(1, &format!("source {}, destination {}", source(witness), destination(witness)));
        }
    }
    let left_out = findings(step).count().saturating_sub(findings_limit);
    if left_out > 0 {
        add(0, &format!("and {} more findings, in report.json", number(left_out as u64)));
    }
    for error in &step.errors {
        for (text, depth) in causes(error) {
            add(depth, &text);
        }
    }
    if let Some(evidence) = &step.evidence {
        add(0, &format!("evidence: {}", evidence.display()));
    }
    lines
}

/// An error and its causes as lines with their depth, outermost first.
pub(crate) fn causes(error: &[String]) -> impl Iterator<Item = (String, usize)> {
    error.iter().enumerate().map(|(index, message)| match index {
        0 => (format!("error: {}", clipped(message, TEXT_LIMIT)), 0),
        _ => (format!("caused by: {}", clipped(message, TEXT_LIMIT)), 1),
    })
}

/// What a step came to in one line: what decided it, or else its first facts.
pub(crate) fn gist(step: &StepReport) -> String {
    if let Some(error) = step.errors.first() {
        return clipped(error.first().map_or("failed without a message", String::as_str), 240);
    }
    if let Some(reason) = unfinished(step) {
        return clipped(reason, 240);
    }
    let deciding = |expectation: &&Expectation| Some(expectation.judgement) == step.judgement();
    let mut unmet = unmet(step).filter(deciding);
    if let Some(first) = unmet.next() {
        let more = match unmet.count() {
            0 => String::new(),
            more => format!("; and {more} more"),
        };
        return clipped(&seen(first), 240) + &more;
    }
    match (findings(step).next(), &step.verdict) {
        (Some(finding), _) => clipped(&format!("{}: {}", finding.code, finding.message), 240),
        (None, Some(verdict)) if verdict.expectations.is_empty() => "nothing was expected".into(),
        _ => key_facts(step),
    }
}

/// Everything that a step found, whether it is a check or not.
pub(crate) fn findings(step: &StepReport) -> impl Iterator<Item = &Finding> {
    step.verdict.iter().flat_map(|verdict| &verdict.findings).chain(&step.findings)
}

/// The series of a witness: bucket, measurement and tags.
pub(crate) fn series(witness: &Witness) -> String {
    let table = format!("{}/{}", witness.bucket, witness.measurement);
    let tags = witness.tags.iter().map(|(key, value)| format!(",{key}={value}"));
    std::iter::once(table).chain(tags).collect()
}

/// What the source holds at a witness.
pub(crate) fn source(witness: &Witness) -> String {
    witness.source.as_ref().map_or("nothing".to_owned(), ToString::to_string)
}

/// What the destination holds at a witness.
pub(crate) fn destination(witness: &Witness) -> String {
    witness.destination.as_ref().map_or("nothing".to_owned(), ToString::to_string)
}

fn place(witness: &Witness) -> String {
    let field = match &witness.field {
        Some(field) => format!("field {field}"),
        None => "whole row".to_owned(),
    };
    let nanos = witness.time_ns;
    format!("{}, {field}, at {} ({nanos} ns)", series(witness), utc(nanos))
}

fn unmet(step: &StepReport) -> impl Iterator<Item = &Expectation> {
    let expectations = step.verdict.as_ref().map(|Verdict { expectations, .. }| expectations);
    expectations.into_iter().flatten().filter(|it| it.judgement != Judgement::Pass)
}

fn seen(expectation: &Expectation) -> String {
    let Expectation { expected, observed, reason, .. } = expectation;
    let observed = if observed.is_empty() { "nothing" } else { observed };
    match reason {
        Some(reason) => format!("expected {expected}, observed {observed} ({reason})"),
        None => format!("expected {expected}, observed {observed}"),
    }
}
