//! The report as JSON, whole and in a stable order, and the same without what a clock enters.
//!
//! [`json`] writes the [`RunReport`] as it is, with two things added that a program would otherwise
//! have to work out again: the number of the exit and the judgement of each step. [`timeless`]
//! makes two runs with one seed comparable.

use std::path::{Path, PathBuf};

use cutover_model::{Judgement, RunReport};
use serde_json::Value;

/// What [`timeless`] puts in the place of everything that a clock enters.
pub const TIMED: &str = "(timed)";

/// The report as JSON, indented, in a stable order. It reads back as the same [`RunReport`].
pub fn json(report: &RunReport) -> String {
    let mut value = serde_json::to_value(with_readable_paths(report))
        .expect("a report has no map with other keys than text, and its paths are Unicode");
    value["exit_code"] = report.exit.code().into();
    for (scenario, told) in items(&mut value["scenarios"]).zip(&report.scenarios) {
        for (step, told) in items(&mut scenario["steps"]).zip(&told.steps) {
            step["judgement"] = told.judgement().map(Judgement::word).into();
        }
    }
    let mut text = format!("{value:#}");
    text.push('\n');
    text
}

/// A report in JSON without what a clock enters, so that two runs with one seed can be compared.
///
/// These become [`TIMED`], where they are not `null`:
/// - of the run: `start.run` (it holds the start), `start.started_at_ns`, `calibration`, `elapsed`;
/// - of each step: `started`, `elapsed`;
/// - of each fact: a `duration`, a `per-second` and a `timed-count`;
/// - of what was `measured` of an operation: all but how it was asked for, which is `arrivals`,
///   `plan`, `timing`, `warm_up`, `duration` and, of an open load, `requests`;
/// - of each expectation that is `timed`: `observed`;
/// - of the figures: the latency of each point of `percentiles`, and all `values` of `per-second`
///   and `latency-per-second`, since their number depends on the clock too.
///
/// All else stays: counts, judgements, findings, evidence, errors, and traffic figures, which are
/// in virtual time. Names are matched by their place, so a tag called `elapsed` is safe.
#[must_use]
pub fn timeless(report: &Value) -> Value {
    let mut report = report.clone();
    blank(&mut report, "/start/run");
    blank(&mut report, "/start/started_at_ns");
    blank(&mut report, "/calibration");
    blank(&mut report, "/elapsed");
    for scenario in children(&mut report, "/scenarios") {
        for step in children(scenario, "/steps") {
            blank(step, "/started");
            blank(step, "/elapsed");
            for fact in children(step, "/facts") {
                for kind in ["duration", "per-second", "timed-count"] {
                    blank(fact, &format!("/value/{kind}"));
                }
                if let Some(measured) = fact.pointer_mut("/value/measured") {
                    blank_measured(measured);
                }
            }
            for expectation in children(step, "/verdict/expectations") {
                if expectation["timed"] == true {
                    blank(expectation, "/observed");
                }
            }
            for figure in children(step, "/figures") {
                blank_figure(figure);
            }
        }
    }
    report
}

fn blank_figure(figure: &mut Value) {
    for series in children(figure, "/percentiles/series") {
        for point in children(series, "/points") {
            blank(point, "/1");
        }
    }
    for kind in ["per-second", "latency-per-second"] {
        for series in children(figure, &format!("/{kind}/series")) {
            blank(series, "/values");
        }
    }
}

fn blank_measured(measured: &mut Value) {
    let open = measured["arrivals"] == "open";
    let Some(fields) = measured.as_object_mut() else { return };
    for (name, value) in fields {
        let asked = match name.as_str() {
            "arrivals" | "plan" | "timing" | "warm_up" | "duration" => true,
            "requests" => open,
            _ => false,
        };
        if !asked {
            blank(value, "");
        }
    }
}

fn blank(value: &mut Value, pointer: &str) {
    if let Some(found) = value.pointer_mut(pointer)
        && !found.is_null()
    {
        *found = TIMED.into();
    }
}

fn children<'a>(value: &'a mut Value, pointer: &str) -> impl Iterator<Item = &'a mut Value> {
    value.pointer_mut(pointer).into_iter().flat_map(items)
}

fn items(value: &mut Value) -> std::slice::IterMut<'_, Value> {
    value.as_array_mut().map(|items| items.iter_mut()).unwrap_or_default()
}

/// JSON has no form for a path that is not Unicode; it is shown as well as it can be.
fn with_readable_paths(report: &RunReport) -> RunReport {
    let readable = |path: &Path| PathBuf::from(path.to_string_lossy().into_owned());
    let mut report = report.clone();
    for scenario in &mut report.scenarios {
        scenario.file = readable(&scenario.file);
        for step in &mut scenario.steps {
            step.evidence = step.evidence.as_deref().map(readable);
        }
    }
    report
}
