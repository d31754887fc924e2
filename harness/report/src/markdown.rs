//! The report as Markdown: a short page for the summary of a CI step.
//!
//! GitHub refuses a summary of more than 1 MiB as a whole, so what is heaviest comes first and
//! what does not fit is counted. `report.json` and `report.html` have everything.

use cutover_model::report::{ScenarioReport, StepReport};
use cutover_model::{Judgement, RunReport, ShortDuration, Timing};

use crate::calibration::calibration_line;
use crate::details::{Detail, causes, details, gist};
use crate::measured::{self, Row, Table};
use crate::text;

/// The page never has more bytes than this.
pub const MARKDOWN_LIMIT: usize = 1024 * 1024;

/// The table may take this much, so that room is left for what is wrong.
const TABLE_LIMIT: usize = MARKDOWN_LIMIT / 2;

/// Kept free for what is measured of loads, which comes last.
const LOADS: usize = MARKDOWN_LIMIT / 8;

/// Kept free for the closing lines.
const RESERVE: usize = 2048;

const FINDINGS_LIMIT: usize = 10;

/// The report as Markdown, in at most [`MARKDOWN_LIMIT`] bytes.
pub fn markdown(report: &RunReport) -> String {
    let mut page = heading(report);
    let mut scenarios: Vec<_> = report.scenarios.iter().collect();
    scenarios.sort_by_key(|scenario| std::cmp::Reverse(weight(scenario)));

    let rows = scenarios.iter().flat_map(|scenario| rows(scenario));
    if let Some(left_out) = fill(&mut page, rows, TABLE_LIMIT) {
        page.extend(["\n", &left_out, " more rows are left out.\n"]);
    }
    let troubles = report.errors.iter().map(|error| trouble_of_run(error));
    let troubles = troubles.chain(scenarios.iter().flat_map(|scenario| troubles_of(scenario)));
    if let Some(left_out) = fill(&mut page, troubles, MARKDOWN_LIMIT - LOADS - RESERVE) {
        page.extend(["\n", &left_out, " more of these are left out; `report.json` has them.\n"]);
    }
    loads(&mut page, report);
    page
}

/// What was measured of each operation, in the order of the run.
fn loads(page: &mut String, report: &RunReport) {
    let steps = report.scenarios.iter().flat_map(|it| it.steps.iter().map(move |step| (it, step)));
    let operations = steps.flat_map(|(scenario, step)| {
        measured::operations(step).map(move |(operation, measured)| {
            (format!("{} / {} {operation}", scenario.id, step.id), measured)
        })
    });
    let operations: Vec<_> = operations.collect();
    let Some(tables) = measured::tables(&operations) else { return };
    page.push_str("\n### Loads\n");
    for (index, Table { head, rows }) in (1..).zip(tables) {
        let rule = "---:|".repeat(head.len() - 2);
        page.extend(["\n| ", &head.join(" | "), " |\n|---|---|", &rule, "\n"]);
        let rows = rows.into_iter().map(|Row { operation, cells }| {
            let cells = cells.iter().map(|cell| escaped(&measured::one_line(cell)));
            let cells = std::iter::once(escaped(&operation)).chain(cells);
            format!("| {} |\n", cells.collect::<Vec<_>>().join(" | "))
        });
        let limit = MARKDOWN_LIMIT - RESERVE - (2 - index) * LOADS / 2;
        if let Some(left_out) = fill(page, rows, limit) {
            page.extend(["\n", &left_out, " more rows are left out.\n"]);
        }
    }
    for remark in measured::remarks(operations.iter().map(|(_, measured)| *measured)) {
        page.extend(["\n", remark, "\n"]);
    }
}

/// Adds the blocks that fit and tells how many did not, if any.
fn fill(page: &mut String, blocks: impl Iterator<Item = String>, limit: usize) -> Option<String> {
    let mut left_out = 0_u64;
    for block in blocks {
        if left_out == 0 && page.len() + block.len() <= limit {
            *page += &block;
        } else {
            left_out += 1;
        }
    }
    (left_out > 0).then(|| text::number(left_out))
}

fn heading(report: &RunReport) -> String {
    let start = &report.start;
    let headline = format!(
        "## cutover: {} ({})\n\n{}",
        text::headline(report.exit),
        text::exit_line(report.exit),
        text::meaning(report)
    );
    let about = format!(
        "**{}** · {} · target {} · seed {} · run {} · started {} · took {}",
        text::four_counts(report.counts),
        text::many(report.scenarios.len(), "scenario"),
        start.target.word(),
        start.seed,
        escaped(start.run.as_str()),
        text::utc(start.started_at_ns),
        ShortDuration(report.elapsed)
    );
    let notices = text::notices(report).into_iter().map(|notice| format!("> {notice}"));
    let indicative = |scenario: &ScenarioReport| scenario.timing == Some(Timing::Indicative);
    let timing = report.scenarios.iter().any(indicative);
    let timing = timing.then(|| format!("Timing is {}.", text::INDICATIVE));
    let table = "| | scenario | step | took | result |\n|---|---|---|---:|---|\n".to_owned();
    let calibration = report.calibration.as_ref().map(calibration_line);
    let calibration = calibration.map(|line| format!("Calibration: {line}."));
    let blocks = [headline, about]
        .into_iter()
        .chain(calibration)
        .chain(notices)
        .chain(timing)
        .chain([table]);
    blocks.collect::<Vec<_>>().join("\n\n")
}

/// The heavier, the earlier; in the order in which the exit codes outweigh each other.
fn weight(scenario: &ScenarioReport) -> (bool, bool, Judgement) {
    (text::erred(scenario), !scenario.unclean.is_empty(), scenario.judgement)
}

fn rows(scenario: &ScenarioReport) -> impl Iterator<Item = String> {
    scenario.steps.iter().map(|step| {
        let took = step.elapsed.map(|elapsed| ShortDuration(elapsed).to_string());
        format!(
            "| {} | {} | {} | {} | {} |\n",
            bold_if_open(step),
            escaped(scenario.id.as_str()),
            escaped(step.id.as_str()),
            took.unwrap_or_default(),
            escaped(&gist(step))
        )
    })
}

fn bold_if_open(step: &StepReport) -> String {
    let word = text::word(step);
    if text::needs_reader(step) { format!("**{word}**") } else { word.to_owned() }
}

fn trouble_of_run(error: &[String]) -> String {
    format!("\n### The run: error\n\n{}", list(causes_of(error)))
}

/// What is wrong in a scenario, one block each, the heaviest step first.
fn troubles_of(scenario: &ScenarioReport) -> impl Iterator<Item = String> {
    let mut steps: Vec<_> = scenario.steps.iter().filter(|step| text::needs_reader(step)).collect();
    steps.sort_by_key(|step| std::cmp::Reverse((!step.errors.is_empty(), step.judgement())));
    let id = escaped(scenario.id.as_str());
    let mut own: Vec<Detail> = scenario.errors.iter().flat_map(|error| causes_of(error)).collect();
    own.extend(scenario.unclean.iter().map(|what| Detail {
        depth: 0,
        text: format!("could not be put back: {}", text::clipped(what, 500)),
    }));
    let noted = (!own.is_empty() || !steps.is_empty()).then(|| {
        let notes = scenario.destination.iter().map(|it| format!("destination: {it}"));
        let notes = notes.chain(scenario.notes.iter().cloned());
        notes
            .flat_map(|note| ["> ".to_owned(), escaped(&note), "\n".to_owned()])
            .collect::<String>()
    });
    let noted = noted.filter(|notes| !notes.is_empty()).map(|notes| format!("\n{notes}"));
    let own = (!own.is_empty()).then(|| {
        let word = if scenario.errors.is_empty() { "left unclean" } else { "error" };
        format!("\n### {id}: {word}\n\n{}{}", list(own), reproduce(scenario))
    });
    own.into_iter()
        .chain(steps.into_iter().map(move |step| {
            let (step_id, word) = (escaped(step.id.as_str()), text::word(step));
            let lines = list(details(step, FINDINGS_LIMIT));
            format!("\n### {id} / {step_id}: {word}\n\n{lines}{}", reproduce(scenario))
        }))
        .chain(noted)
}

fn causes_of(error: &[String]) -> Vec<Detail> {
    causes(error).map(|(text, depth)| Detail { depth, text }).collect()
}

fn list(lines: impl IntoIterator<Item = Detail>) -> String {
    let line =
        |Detail { depth, text }: Detail| format!("{}- {}\n", "  ".repeat(depth), escaped(&text));
    lines.into_iter().map(line).collect::<Vec<_>>().concat()
}

/// The command in a block of code, behind a fence longer than any run of backticks inside.
fn reproduce(scenario: &ScenarioReport) -> String {
    let command = text::visible(&scenario.reproduce);
    let longest = command.split(|c| c != '`').map(str::len).max().unwrap_or(0);
    let fence = "`".repeat(3.max(longest + 1));
    format!("\nReproduce:\n\n{fence}sh\n{command}\n{fence}\n")
}

/// Text that Markdown and the HTML in it leave as it is, inside a table or out of it.
pub(crate) fn escaped(text: &str) -> String {
    let text = text::clipped(text, 600);
    let mut shown = String::with_capacity(text.len() + 8);
    let mut chars = text.chars().peekable();
    let mut in_word = false;
    while let Some(c) = chars.next() {
        let goes_on = chars.peek().is_some_and(|next| next.is_alphanumeric());
        match c {
            '&' => shown.push_str("&amp;"),
            '<' => shown.push_str("&lt;"),
            '>' => shown.push_str("&gt;"),
            // Within a word it marks nothing, and the name stays fit to copy and to search for.
            '_' if in_word && goes_on => shown.push('_'),
            '\\' | '`' | '*' | '_' | '[' | ']' | '|' | '~' | '#' | '$' | '!' => {
                shown.push('\\');
                shown.push(c);
            }
            c => shown.push(c),
        }
        in_word = c.is_alphanumeric();
    }
    // A line that begins so would be a list, a heading's underline or a quotation of its own.
    match shown.chars().next() {
        Some('-' | '+' | '=') => format!("\\{shown}"),
        _ => shown,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pipe_cannot_open_a_column() {
        assert_eq!(escaped("a|b"), "a\\|b");
    }

    #[test]
    fn a_tag_cannot_open() {
        assert_eq!(escaped("<b>&amp;"), "&lt;b&gt;&amp;amp;");
    }

    #[test]
    fn an_underscore_marks_nothing_and_stays_plain_within_a_name() {
        assert_eq!(escaped("row_missing _x_ a__b"), "row_missing \\_x\\_ a\\_\\_b");
    }

    #[test]
    fn a_backtick_cannot_open_code() {
        assert_eq!(escaped("`x`"), "\\`x\\`");
    }
}
