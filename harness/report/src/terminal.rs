//! The closing summary of a run for a terminal, and without colour for a file.
//!
//! Colour only repeats what a word says. Findings are few here; the other outputs have the rest.

use cutover_model::report::{ScenarioReport, StepReport};
use cutover_model::{Exit, RunReport, ShortDuration, Timing};

use crate::calibration::calibration_line;
use crate::details::{Detail, causes, details, gist};
use crate::{measured, text};

/// More findings of one check than this scroll the verdict away.
const FINDINGS_LIMIT: usize = 5;

/// Whether the summary may use colour.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Style {
    /// Words alone.
    Plain,
    /// Words, and the escape sequences of ANSI terminals.
    Colour,
}

/// The closing summary: each scenario with its checks and what is wrong, then counts and exit.
pub fn terminal(report: &RunReport, style: Style) -> String {
    let mut screen = Screen { text: String::new(), style };
    let start = &report.start;
    screen.line(
        0,
        &format!(
            "cutover {} · run {} · target {} · seed {} · started {} · took {}",
            start.version,
            start.run,
            start.target.word(),
            start.seed,
            text::utc(start.started_at_ns),
            ShortDuration(report.elapsed)
        ),
    );
    if let Some(calibration) = &report.calibration {
        screen.line(0, &format!("calibration: {}", calibration_line(calibration)));
    }
    for scenario in &report.scenarios {
        screen.text.push('\n');
        screen.scenario(scenario);
    }
    screen.text.push('\n');
    for error in &report.errors {
        screen.error(0, error);
    }
    for notice in text::notices(report) {
        screen.line(0, &notice);
    }
    screen.line(0, &format!("checks: {}", text::four_counts(report.counts)));
    let exit = screen.painted(tone_of_exit(report), &text::exit_line(report.exit));
    screen.text += &exit;
    screen.text.push('\n');
    screen.text += &text::meaning(report);
    screen.text.push('\n');
    screen.text
}

struct Screen {
    text: String,
    style: Style,
}

impl Screen {
    fn scenario(&mut self, scenario: &ScenarioReport) {
        let word = text::scenario_word(scenario);
        let name = text::visible(scenario.id.as_str());
        let heading = self.painted("bold", &name);
        let judgement = self.painted(word, word);
        let title = text::visible(&scenario.title);
        self.text.extend([&*heading, ": ", &judgement, "\n  ", &title, "\n"]);
        if let Some(destination) = &scenario.destination {
            self.line(2, &format!("destination: {destination}"));
        }
        if scenario.timing == Some(Timing::Indicative) {
            self.line(2, &format!("timing is {}", text::INDICATIVE));
        }
        let widest = scenario.steps.iter().map(|step| step.id.as_str().chars().count()).max();
        for step in &scenario.steps {
            self.step(step, widest.unwrap_or(0).min(24));
        }
        for error in &scenario.errors {
            self.error(2, error);
        }
        for note in &scenario.notes {
            self.line(2, &format!("note: {note}"));
        }
        for what in &scenario.unclean {
            self.line(2, &format!("could not be put back: {what}"));
        }
        self.line(2, &format!("again: {}", scenario.reproduce));
    }

    fn step(&mut self, step: &StepReport, width: usize) {
        let word = text::word(step);
        // Padded before it is painted: escape sequences have no width on the screen.
        let word = self.painted(word, &format!("{word:<12}"));
        let told = if text::needs_reader(step) { text::key_facts(step) } else { gist(step) };
        let id = text::visible(step.id.as_str());
        let line = format!("  {word}  {id:<width$}  {told}");
        self.text += line.trim_end();
        self.text.push('\n');
        for (operation, measured) in measured::operations(step) {
            self.line(6, &measured::line(&operation, measured));
        }
        if text::needs_reader(step) {
            for Detail { depth, text } in details(step, FINDINGS_LIMIT) {
                self.line(6 + 2 * depth, &text);
            }
        }
    }

    fn error(&mut self, indent: usize, error: &[String]) {
        for (text, depth) in causes(error) {
            self.line(indent + 2 * depth, &text);
        }
    }

    fn line(&mut self, indent: usize, text: &str) {
        self.text += &" ".repeat(indent);
        self.text += &text::visible(text);
        self.text.push('\n');
    }

    fn painted(&self, tone: &str, text: &str) -> String {
        let code = match (self.style, tone) {
            (Style::Plain, _) => return text.to_owned(),
            (Style::Colour, "pass") => "32",
            (Style::Colour, "fail" | "error") => "1;31",
            (Style::Colour, "inconclusive") => "33",
            (Style::Colour, "bold") => "1",
            (Style::Colour, _) => "2",
        };
        format!("\u{1b}[{code}m{text}\u{1b}[0m")
    }
}

fn tone_of_exit(report: &RunReport) -> &'static str {
    match report.exit {
        Exit::Passed => "pass",
        Exit::Failed | Exit::Error | Exit::Unclean | Exit::BadInput => "fail",
        Exit::Inconclusive | Exit::NothingJudged => "inconclusive",
    }
}
