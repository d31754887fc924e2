//! Words and numbers that every output shares, and text made safe to show.
//!
//! [`visible`] is the one gate for text from outside: what passes it cannot move a cursor, reverse
//! the reading direction or break a line. Escaping for a markup language comes after it, in the
//! module of that language.

use std::borrow::Cow;

use cutover_model::event::{FactValue, Machine};
use cutover_model::report::{Counts, ScenarioReport, StepReport, StepState};
use cutover_model::{Exit, Judgement, RunReport, ShortDuration};

use crate::measured;

/// The label of every reading of a clock that is shown and not judged.
pub(crate) const INDICATIVE: &str = "indicative: measured on a stand-in, not judged";

/// The text with every invisible or steering character written out, such as `\u{1b}`.
pub(crate) fn visible(text: &str) -> Cow<'_, str> {
    if !text.contains(is_steering) {
        return Cow::Borrowed(text);
    }
    let mut shown = String::with_capacity(text.len() + 16);
    for c in text.chars() {
        match c {
            '\n' | '\r' | '\t' => shown.extend(c.escape_default()),
            c if is_steering(c) => shown.extend(c.escape_unicode()),
            c => shown.push(c),
        }
    }
    Cow::Owned(shown)
}

/// Control characters, and those of Unicode that show nothing or turn the reading direction.
fn is_steering(c: char) -> bool {
    c.is_control()
        || matches!(c,
            '\u{61c}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}'
            | '\u{2060}'..='\u{206f}' | '\u{feff}' | '\u{fff9}'..='\u{fffb}'
            | '\u{fffe}' | '\u{ffff}' | '\u{e0000}'..='\u{e007f}')
}

/// The visible text, cut after `limit` characters with the number that is left out.
pub(crate) fn clipped(text: &str, limit: usize) -> String {
    let shown = visible(text);
    match shown.char_indices().nth(limit) {
        None => shown.into_owned(),
        Some((end, _)) => {
            let left_out = shown[end..].chars().count();
            format!("{}… ({} more characters)", &shown[..end], number(left_out as u64))
        }
    }
}

/// The visible text in at most `limit` characters, where the whole of it stands nearby.
pub(crate) fn shortened(text: &str, limit: usize) -> String {
    let shown = visible(text);
    match shown.char_indices().nth(limit) {
        None => shown.into_owned(),
        Some(_) => shown.chars().take(limit - 1).chain(['…']).collect(),
    }
}

/// A whole number with its thousands apart: `35,040`.
pub(crate) fn number(count: u64) -> String {
    let digits = count.to_string();
    let mut shown = String::with_capacity(digits.len() + digits.len() / 3);
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            shown.push(',');
        }
        shown.push(digit);
    }
    shown
}

/// A measured number with as many digits as a person compares: `12,345`, `123.4`, `1.25`.
pub(crate) fn decimal(value: f64) -> String {
    if !value.is_finite() {
        return "no number".to_owned();
    }
    let digits = match value.abs() {
        1_000.0.. => 0,
        100.0.. => 1,
        _ => 2,
    };
    let text = format!("{:.digits$}", value.abs());
    let (whole, fraction) = text.split_once('.').unwrap_or((&text, ""));
    let whole = whole.parse().map_or_else(|_| whole.to_owned(), number);
    let sign = if value < 0.0 { "-" } else { "" };
    match fraction.trim_end_matches('0') {
        "" => format!("{sign}{whole}"),
        fraction => format!("{sign}{whole}.{fraction}"),
    }
}

/// A count with its thing in the right number: `1 check`, `2 checks`.
pub(crate) fn many(count: usize, thing: &str) -> String {
    let plural = if count == 1 { "" } else { "s" };
    format!("{} {thing}{plural}", number(count as u64))
}

/// An instant in UTC: `2023-01-01T03:00:00Z`.
pub(crate) fn utc(nanos: i64) -> String {
    jiff::Timestamp::from_nanosecond(nanos.into())
        .expect("every instant of 64-bit nanoseconds is within jiff's years")
        .to_string()
}

/// A machine in a few words: `2 cores, linux x86_64`.
pub(crate) fn machine(machine: &Machine) -> String {
    let cores = many(machine.cores as usize, "core");
    format!("{cores}, {}", clipped(&machine.system, 100))
}

/// The value of a fact as a person reads it.
pub(crate) fn fact_value(value: &FactValue) -> String {
    match value {
        FactValue::Count(count) | FactValue::TimedCount(count) => number(*count),
        FactValue::Text(text) => text.clone(),
        FactValue::Duration(duration) => ShortDuration(*duration).to_string(),
        FactValue::PerSecond(rate) => format!("{}/s", decimal(*rate)),
        FactValue::Measured(measured) => measured::gist(measured),
    }
}

/// The four counts, in the words that every output uses.
pub(crate) fn four_counts(counts: Counts) -> String {
    let Counts { passed, failed, inconclusive, skipped } = counts;
    format!("{passed} passed, {failed} failed, {inconclusive} inconclusive, {skipped} skipped")
}

/// The exit, in the words that every output uses.
pub(crate) fn exit_line(exit: Exit) -> String {
    format!("exit {}: {}", exit.code(), exit.meaning())
}

/// The outcome in one or two words, for a headline.
pub(crate) fn headline(exit: Exit) -> &'static str {
    match exit {
        Exit::Passed => "Passed",
        Exit::Failed => "Failed",
        Exit::BadInput => "Bad input",
        Exit::Inconclusive => "Inconclusive",
        Exit::NothingJudged => "Nothing was judged",
        Exit::Error => "Error",
        Exit::Unclean => "Left unclean",
    }
}

/// What the outcome means and what it does not, in a sentence or two.
pub(crate) fn meaning(report: &RunReport) -> String {
    let skipped = report.counts.skipped;
    let meaning = match report.exit {
        Exit::Passed if skipped > 0 => {
            let skipped = many(skipped as usize, "check");
            return format!(
                "Every check that was judged observed what was expected. Not judged: {skipped}."
            );
        }
        Exit::Passed => "Every check observed what was expected.",
        Exit::Failed => "At least one check observed something other than what was expected.",
        Exit::BadInput => "The arguments or files were refused, and nothing was started.",
        Exit::Inconclusive => "The evidence does not allow an answer. This is not a pass.",
        Exit::NothingJudged if report.start.shard.is_some() => {
            "A shard alone proves nothing; its record is one part of the evidence."
        }
        Exit::NothingJudged => "No check was judged, so nothing is proved.",
        Exit::Error => {
            "The harness or its environment failed. What was judged stands, and is no answer to \
             the whole."
        }
        Exit::Unclean => "Something that the run changed could not be put back. See what was left.",
    };
    meaning.to_owned()
}

/// What a reader must know about the record before trusting it, if anything.
pub(crate) fn notices(report: &RunReport) -> Vec<String> {
    let mut notices = Vec::new();
    if report.interrupted {
        notices.push("The run was interrupted by the user.".to_owned());
    }
    if !report.complete {
        notices.push("The record has no end: the run stopped before it was finished.".to_owned());
    }
    if let Some(shard) = report.start.shard {
        notices.push(format!(
            "This is shard {shard}, a part of a run: `cutover merge` judges the load of all shards."
        ));
    }
    let (started, planned) = (report.scenarios.len(), report.start.scenarios);
    if started as u64 != u64::from(planned) {
        notices.push(format!("{started} of {planned} planned scenarios were started."));
    }
    notices
}

/// The word for what a step came to. An error outweighs the judgement, as it does in the exit.
pub(crate) fn word(step: &StepReport) -> &'static str {
    match step.judgement() {
        _ if !step.errors.is_empty() => "error",
        Some(judgement) => judgement.word(),
        None => "done",
    }
}

/// The word for what a scenario came to.
pub(crate) fn scenario_word(scenario: &ScenarioReport) -> &'static str {
    if erred(scenario) { "error" } else { scenario.judgement.word() }
}

/// Whether anything of a scenario failed in the harness or its environment.
pub(crate) fn erred(scenario: &ScenarioReport) -> bool {
    !scenario.errors.is_empty() || scenario.steps.iter().any(|step| !step.errors.is_empty())
}

/// Whether a step needs the reader: it failed, erred, or left the question open.
pub(crate) fn needs_reader(step: &StepReport) -> bool {
    step.judgement() >= Some(Judgement::Inconclusive)
}

/// Why a step has neither ended nor been judged, if so.
pub(crate) fn unfinished(step: &StepReport) -> Option<&str> {
    match &step.state {
        StepState::Skipped(reason) => Some(reason),
        StepState::NotReached => Some("not reached: the run ended before it"),
        StepState::Begun => Some("it began and did not end"),
        StepState::Done => None,
    }
}

/// The first facts of a step in one line.
pub(crate) fn key_facts(step: &StepReport) -> String {
    let shown = step.facts.iter().take(4);
    let shown: Vec<_> =
        shown.map(|fact| format!("{} {}", fact.name, fact_value(&fact.value))).collect();
    clipped(&shown.join(" · "), 240)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_escape_sequence_cannot_reach_the_terminal() {
        assert_eq!(visible("\u{1b}[31mred\r\n"), "\\u{1b}[31mred\\r\\n");
    }

    #[test]
    fn a_turned_reading_direction_is_written_out() {
        assert_eq!(visible("a\u{202e}b"), "a\\u{202e}b");
    }

    #[test]
    fn a_clipped_text_tells_how_much_is_missing() {
        assert_eq!(clipped("ábcdef", 2), "áb… (4 more characters)");
        assert_eq!(clipped("áb", 2), "áb");
    }

    #[test]
    fn thousands_stand_apart() {
        assert_eq!(number(0), "0");
        assert_eq!(number(999), "999");
        assert_eq!(number(35_040), "35,040");
        assert_eq!(number(u64::MAX), "18,446,744,073,709,551,615");
    }

    #[test]
    fn a_measured_number_has_no_needless_digits() {
        assert_eq!(decimal(12_345.6), "12,346");
        assert_eq!(decimal(999.96), "1,000");
        assert_eq!(decimal(-1.25), "-1.25");
        assert_eq!(decimal(0.0), "0");
        assert_eq!(decimal(f64::NAN), "no number");
    }

    #[test]
    fn the_first_and_last_instants_have_a_date() {
        assert_eq!(utc(0), "1970-01-01T00:00:00Z");
        assert_eq!(utc(i64::MIN), "1677-09-21T00:12:43.145224192Z");
        assert_eq!(utc(i64::MAX), "2262-04-11T23:47:16.854775807Z");
    }
}
