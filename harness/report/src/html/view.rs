//! What the page shows: the report in the order and the words of the template.
//!
//! The main type is [`Page`]. Texts are plain here; the template escapes them.

use cutover_model::event::{Fact, Figure};
use cutover_model::report::{ScenarioReport, StepReport};
use cutover_model::{Exit, Expectation, Finding, RunReport, ShortDuration, Timing, Witness};
use serde::Serialize;

use super::{lines, lines::LineChart, traffic, traffic::TrafficChart};
use crate::calibration::calibration_line;
use crate::details::{destination, findings, gist, series, source};
use crate::measured::{self, Table};
use crate::text;

/// More findings of one check than this nobody reads; `report.json` has them all.
const FINDINGS_LIMIT: usize = 200;

/// A longer text is cut; `report.json` has the whole.
const TEXT_LIMIT: usize = 2_000;

/// The whole page.
#[derive(Serialize)]
pub(super) struct Page {
    run: String,
    tone: &'static str,
    headline: &'static str,
    exit: String,
    meaning: String,
    counts: [(u32, &'static str); 4],
    four_counts: String,
    about: Vec<(&'static str, String)>,
    notices: Vec<String>,
    indicative: &'static str,
    errors: Vec<Vec<String>>,
    scenarios: Vec<Scenario>,
}

#[derive(Serialize)]
struct Scenario {
    anchor: String,
    id: String,
    title: String,
    word: &'static str,
    file: String,
    destination: Option<String>,
    indicative: bool,
    errors: Vec<Vec<String>>,
    notes: Vec<String>,
    unclean: Vec<String>,
    reproduce: String,
    /// Whether a step needs the reader, and shows the command itself.
    open: bool,
    steps: Vec<Step>,
}

#[derive(Serialize)]
struct Step {
    anchor: String,
    id: String,
    word: &'static str,
    is_check: bool,
    open: bool,
    gist: String,
    unfinished: Option<String>,
    took: String,
    timed: bool,
    expectations: Vec<ExpectationRow>,
    facts: Vec<(String, String)>,
    tables: Vec<Table>,
    remarks: Vec<&'static str>,
    findings: Findings,
    charts: Vec<Chart>,
    evidence: Option<String>,
    errors: Vec<Vec<String>>,
}

#[derive(Serialize)]
struct ExpectationRow {
    word: &'static str,
    expected: String,
    observed: String,
    reason: String,
}

/// What a step found wrong.
#[derive(Serialize)]
struct Findings {
    groups: Vec<Found>,
    /// Whether any of the findings has a place.
    placed: bool,
    left_out: usize,
}

/// Findings in a row that say the same, each with its place.
#[derive(Serialize)]
struct Found {
    code: &'static str,
    message: String,
    places: Vec<Place>,
}

#[derive(Serialize)]
struct Place {
    series: String,
    utc: String,
    nanos: String,
    field: Option<String>,
    source: String,
    destination: String,
}

/// A chart by its kind, which tells the template how to draw it.
#[derive(Serialize)]
#[serde(rename_all = "kebab-case")]
enum Chart {
    Lines(LineChart),
    Traffic(TrafficChart),
}

impl Page {
    /// The page of a report.
    pub(super) fn of(report: &RunReport) -> Self {
        let start = &report.start;
        let counts = report.counts;
        Self {
            run: cut(start.run.as_str()),
            tone: tone(report),
            headline: text::headline(report.exit),
            exit: text::exit_line(report.exit),
            meaning: text::meaning(report),
            counts: [
                (counts.passed, "passed"),
                (counts.failed, "failed"),
                (counts.inconclusive, "inconclusive"),
                (counts.skipped, "skipped"),
            ],
            four_counts: text::four_counts(counts),
            about: vec![
                ("run", cut(start.run.as_str())),
                ("started", text::utc(start.started_at_ns)),
                ("took", ShortDuration(report.elapsed).to_string()),
                ("target", start.target.word().to_owned()),
                ("seed", start.seed.to_string()),
                ("machine", start.machine.as_ref().map_or_else(String::new, text::machine)),
                (
                    "calibration",
                    report.calibration.as_ref().map_or_else(String::new, calibration_line),
                ),
                ("scenarios", report.scenarios.len().to_string()),
                ("cutover", cut(&start.version)),
            ]
            .into_iter()
            .filter(|(_, value)| !value.is_empty())
            .collect(),
            notices: text::notices(report),
            indicative: text::INDICATIVE,
            errors: errors(&report.errors),
            scenarios: report.scenarios.iter().enumerate().map(scenario).collect(),
        }
    }
}

/// The colour of the headline; the words say the same.
fn tone(report: &RunReport) -> &'static str {
    match report.exit {
        Exit::Passed => "pass",
        Exit::Failed => "fail",
        Exit::Inconclusive | Exit::NothingJudged => "inconclusive",
        Exit::Error | Exit::Unclean | Exit::BadInput => "error",
    }
}

fn scenario((index, scenario): (usize, &ScenarioReport)) -> Scenario {
    let anchor = format!("scenario-{}", index + 1);
    let indicative = scenario.timing == Some(Timing::Indicative);
    let step = |(place, it): (usize, &StepReport)| {
        step(format!("{anchor}-step-{}", place + 1), it, indicative)
    };
    Scenario {
        id: cut(scenario.id.as_str()),
        title: cut(&scenario.title),
        word: text::scenario_word(scenario),
        file: cut(&scenario.file.to_string_lossy()),
        destination: scenario.destination.as_deref().map(cut),
        indicative,
        errors: errors(&scenario.errors),
        notes: scenario.notes.iter().map(|note| cut(note)).collect(),
        unclean: scenario.unclean.iter().map(|what| cut(what)).collect(),
        reproduce: scenario.reproduce.clone(),
        open: scenario.steps.iter().any(text::needs_reader),
        steps: scenario.steps.iter().enumerate().map(step).collect(),
        anchor,
    }
}

fn step(anchor: String, step: &StepReport, indicative: bool) -> Step {
    let expectations = step.verdict.iter().flat_map(|verdict| &verdict.expectations);
    Step {
        anchor,
        id: cut(step.id.as_str()),
        word: text::word(step),
        is_check: step.kind.is_check(),
        open: text::needs_reader(step),
        gist: gist(step),
        unfinished: text::unfinished(step).filter(|_| step.errors.is_empty()).map(cut),
        took: step.elapsed.map(|took| ShortDuration(took).to_string()).unwrap_or_default(),
        timed: indicative && tells_time(step),
        expectations: expectations.map(expected).collect(),
        facts: step.facts.iter().filter(|it| measured::of_fact(it).is_none()).map(fact).collect(),
        tables: tables(step),
        remarks: measured::remarks(measured::operations(step).map(|(_, measured)| measured)),
        findings: all_found(step),
        charts: step.figures.iter().map(chart).collect(),
        evidence: step.evidence.as_ref().map(|path| cut(&path.to_string_lossy())),
        errors: errors(&step.errors),
    }
}

/// Whether the step shows readings of the clock. A drill does not: its time is virtual.
fn tells_time(step: &StepReport) -> bool {
    let expectations = step.verdict.iter().flat_map(|verdict| &verdict.expectations);
    let clocked = |figure: &Figure| !matches!(figure, Figure::Traffic(_));
    step.figures.iter().any(clocked) || expectations.into_iter().any(|it| it.timed)
}

fn expected(expectation: &Expectation) -> ExpectationRow {
    ExpectationRow {
        word: expectation.judgement.word(),
        expected: cut(&expectation.expected),
        observed: cut(&expectation.observed),
        reason: expectation.reason.as_deref().map(cut).unwrap_or_default(),
    }
}

fn fact(fact: &Fact) -> (String, String) {
    (cut(&fact.name), cut(&text::fact_value(&fact.value)))
}

fn tables(step: &StepReport) -> Vec<Table> {
    measured::tables(&measured::operations(step).collect::<Vec<_>>())
        .into_iter()
        .flatten()
        .collect()
}

fn all_found(step: &StepReport) -> Findings {
    let shown: Vec<_> = findings(step).take(FINDINGS_LIMIT).collect();
    let alike = shown.chunk_by(|one, next| (one.code, &one.message) == (next.code, &next.message));
    Findings {
        groups: alike.map(found).collect(),
        placed: shown.iter().any(|finding| finding.witness.is_some()),
        left_out: findings(step).count().saturating_sub(FINDINGS_LIMIT),
    }
}

fn found(findings: &[&Finding]) -> Found {
    Found {
        code: findings[0].code.name(),
        message: cut(&findings[0].message),
        places: findings.iter().filter_map(|it| it.witness.as_ref()).map(place).collect(),
    }
}

fn place(witness: &Witness) -> Place {
    Place {
        series: cut(&series(witness)),
        utc: text::utc(witness.time_ns),
        nanos: witness.time_ns.to_string(),
        field: witness.field.as_deref().map(cut),
        source: cut(&source(witness)),
        destination: cut(&destination(witness)),
    }
}

fn chart(figure: &Figure) -> Chart {
    match figure {
        Figure::Percentiles { title, series } => Chart::Lines(lines::percentiles(title, series)),
        Figure::PerSecond { title, unit, warm_up, series } => {
            Chart::Lines(lines::per_second((title, unit), *warm_up, series))
        }
        Figure::LatencyPerSecond { title, warm_up, series } => {
            Chart::Lines(lines::latency_per_second(title, *warm_up, series))
        }
        Figure::Traffic(figure) => Chart::Traffic(traffic::traffic(figure)),
    }
}

fn errors(errors: &[Vec<String>]) -> Vec<Vec<String>> {
    errors.iter().map(|error| error.iter().map(|message| cut(message)).collect()).collect()
}

fn cut(text: &str) -> String {
    text::clipped(text, TEXT_LIMIT)
}
