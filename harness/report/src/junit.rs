//! The report as JUnit XML: a test suite per scenario, a test case per check.
//!
//! JUnit has no word for inconclusive, so it becomes a failure of that type; nor for a run that
//! ended badly with every check well, so the first suite, `run`, has a test case for that. It also
//! holds the four counts and the exit as properties. A file without a failure or an error is that
//! of a run that passed, and of no other.

use cutover_model::report::{ScenarioReport, StepReport};
use cutover_model::{Exit, Judgement, RunReport, Timing};
use quick_junit::{NonSuccessKind, Report, TestCase, TestCaseStatus, TestSuite};

use crate::calibration::calibration_line;
use crate::details::{Detail, causes, details, gist};
use crate::{measured, text};

/// A test case keeps the first findings; `report.json` has them all.
const FINDINGS_LIMIT: usize = 50;

/// The report as JUnit XML.
pub fn junit(report: &RunReport) -> String {
    let mut xml = Report::new(shown(&format!("cutover {}", report.start.run)));
    xml.set_time(report.elapsed);
    let suites: Vec<_> = report.scenarios.iter().map(suite_of_scenario).collect();
    let told = suites.iter().any(|suite| suite.failures + suite.errors > 0);
    xml.add_test_suite(suite_of_run(report, told));
    xml.add_test_suites(suites);
    xml.to_string().expect("writing to memory cannot fail")
}

/// The run itself. `told` is whether a scenario already shows that the run did not pass.
fn suite_of_run(report: &RunReport, told: bool) -> TestSuite {
    let mut suite = TestSuite::new("run");
    let counts = report.counts;
    for (name, value) in [
        ("passed", counts.passed.to_string()),
        ("failed", counts.failed.to_string()),
        ("inconclusive", counts.inconclusive.to_string()),
        ("skipped", counts.skipped.to_string()),
        ("exit", report.exit.code().to_string()),
        ("exit-meaning", report.exit.meaning().to_owned()),
        ("version", shown(&report.start.version)),
        ("seed", report.start.seed.to_string()),
        ("target", report.start.target.word().to_owned()),
        ("started", text::utc(report.start.started_at_ns)),
    ] {
        suite.add_property((name, value.as_str()));
    }
    if let Some(calibration) = &report.calibration {
        suite.add_property(("calibration", calibration_line(calibration).as_str()));
    }
    if let Some(shard) = report.start.shard {
        suite.add_property(("shard", shard.to_string().as_str()));
    }
    for error in &report.errors {
        suite.add_test_case(errored("run", "run", error, None));
    }
    let passed = report.exit == Exit::Passed;
    if !passed && (report.errors.is_empty() && !told || report.interrupted || !report.complete) {
        let kind = match report.exit {
            Exit::Error => NonSuccessKind::Error,
            _ => NonSuccessKind::Failure,
        };
        let mut status = TestCaseStatus::non_success(kind);
        status.set_type("run").set_message(text::exit_line(report.exit));
        let mut lines = text::notices(report);
        lines.push(text::meaning(report));
        status.set_description(lines.join("\n"));
        suite.add_test_case(case("run", "exit", status));
    }
    suite
}

fn suite_of_scenario(scenario: &ScenarioReport) -> TestSuite {
    let id = shown(scenario.id.as_str());
    let mut suite = TestSuite::new(id.as_str());
    suite.add_property(("title", shown(&scenario.title).as_str()));
    suite.add_property(("file", shown(&scenario.file.to_string_lossy()).as_str()));
    suite.add_property(("judgement", scenario.judgement.word()));
    suite.add_property(("reproduce", shown(&scenario.reproduce).as_str()));
    if let Some(destination) = &scenario.destination {
        suite.add_property(("destination", shown(destination).as_str()));
    }
    for note in &scenario.notes {
        suite.add_property(("note", shown(note).as_str()));
    }
    if scenario.timing == Some(Timing::Indicative) {
        suite.add_property(("timing", text::INDICATIVE));
    }
    for step in &scenario.steps {
        if step.kind.is_check() || text::needs_reader(step) {
            suite.add_test_case(case_of_step(scenario, step));
        }
    }
    let reproduce = reproduce(scenario);
    for error in &scenario.errors {
        suite.add_test_case(errored(&id, "scenario", error, Some(&reproduce)));
    }
    for what in &scenario.unclean {
        let mut status = TestCaseStatus::non_success(NonSuccessKind::Error);
        status.set_type("unclean").set_message(shown(&format!("could not be put back: {what}")));
        status.set_description(reproduce.as_str());
        suite.add_test_case(case(&id, "release", status));
    }
    if scenario.judgement == Judgement::Inconclusive && suite.failures + suite.errors == 0 {
        let mut status = TestCaseStatus::non_success(NonSuccessKind::Failure);
        status.set_type("inconclusive").set_message("no check of the scenario was judged");
        status.set_description(reproduce.as_str());
        suite.add_test_case(case(&id, "scenario", status));
    }
    suite
}

fn case_of_step(scenario: &ScenarioReport, step: &StepReport) -> TestCase {
    let failure = |kind, ty: &str| {
        let mut status = TestCaseStatus::non_success(kind);
        status.set_type(ty).set_message(gist(step)).set_description(told(scenario, step));
        status
    };
    let status = match step.judgement() {
        _ if !step.errors.is_empty() => failure(NonSuccessKind::Error, "error"),
        None | Some(Judgement::Pass) => TestCaseStatus::success(),
        Some(Judgement::Fail) => failure(NonSuccessKind::Failure, "fail"),
        Some(Judgement::Inconclusive) => failure(NonSuccessKind::Failure, "inconclusive"),
        Some(Judgement::Skipped) => {
            let mut status = TestCaseStatus::skipped();
            status.set_message(gist(step));
            status
        }
    };
    let mut case = case(scenario.id.as_str(), step.id.as_str(), status);
    if let Some(elapsed) = step.elapsed {
        case.set_time(elapsed);
    }
    for fact in &step.facts {
        let properties = match measured::of_fact(fact) {
            Some(measured) => measured::properties(&fact.name, measured),
            None => vec![(fact.name.clone(), text::fact_value(&fact.value))],
        };
        for (name, value) in properties {
            case.add_property((shown(&name).as_str(), shown(&value).as_str()));
        }
    }
    case
}

fn told(scenario: &ScenarioReport, step: &StepReport) -> String {
    framed(details(step, FINDINGS_LIMIT), Some(&reproduce(scenario)))
}

fn errored(class: &str, name: &str, error: &[String], reproduce: Option<&str>) -> TestCase {
    let lines = causes(error).map(|(text, depth)| Detail { depth, text });
    let mut status = TestCaseStatus::non_success(NonSuccessKind::Error);
    let message = error.first().map_or("failed without a message", String::as_str);
    status.set_type("error").set_message(shown(message));
    status.set_description(framed(lines, reproduce));
    case(class, name, status)
}

/// The lines with a line end first and last, so that they stand apart from the tags.
fn framed(lines: impl IntoIterator<Item = Detail>, reproduce: Option<&str>) -> String {
    let lines = lines.into_iter().map(|Detail { depth, text }| "  ".repeat(depth) + &text);
    let closing = reproduce.map(str::to_owned).into_iter().chain([String::new()]);
    let lines = std::iter::once(String::new()).chain(lines).chain(closing);
    lines.collect::<Vec<_>>().join("\n")
}

/// The command that runs the scenario again, for every failure of it.
fn reproduce(scenario: &ScenarioReport) -> String {
    format!("reproduce: {}", text::visible(&scenario.reproduce))
}

fn case(class: &str, name: &str, status: TestCaseStatus) -> TestCase {
    let mut case = TestCase::new(shown(name), status);
    case.set_classname(shown(class));
    case
}

fn shown(text: &str) -> String {
    text::clipped(text, 500)
}
