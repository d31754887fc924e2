//! What single outputs must say, one fact each.

use std::time::Duration;

use cutover_model::event::{FactValue, Figure};
use cutover_model::measured::{Arrivals, Measured};
use cutover_model::{Expectation, RunReport};
use cutover_report::{Style, TIMED, html, json, junit, line, markdown, terminal, timeless};
use serde_json::Value;

use crate::sample;

/// The sample as if another machine had run it with the same seed.
fn another_time() -> RunReport {
    let mut report = sample::report();
    report.start.run = cutover_model::RunId::new("20300101T000000Z-7");
    report.start.started_at_ns += 1;
    report.calibration.iter_mut().for_each(|it| it.lag_p95 *= 2);
    report.elapsed += Duration::from_secs(1);
    for step in report.scenarios.iter_mut().flat_map(|scenario| &mut scenario.steps) {
        step.started = step.started.map(|at| at + Duration::from_millis(3));
        step.elapsed = step.elapsed.map(|at| at + Duration::from_millis(5));
        for fact in &mut step.facts {
            match &mut fact.value {
                FactValue::Duration(duration) => *duration *= 2,
                FactValue::PerSecond(rate) => *rate *= 2.0,
                FactValue::TimedCount(count) => *count += 1,
                FactValue::Measured(measured) => measure_another(measured),
                FactValue::Count(_) | FactValue::Text(_) => {}
            }
        }
        for expectation in step.verdict.iter_mut().flat_map(|verdict| &mut verdict.expectations) {
            if expectation.timed {
                expectation.observed.push_str(" another");
            }
        }
        step.figures.iter_mut().for_each(draw_another);
    }
    report
}

fn measure_another(measured: &mut Measured) {
    measured.achieved_per_second *= 0.9;
    measured.well_per_second.value *= 0.9;
    measured.waited += 1;
    measured.retries += 1;
    measured.failed.insert("another".to_owned(), 1);
    measured.generator.lag_p95 = Some(Duration::from_millis(1));
    if measured.arrivals == Arrivals::Closed {
        measured.requests += 1;
    }
    for figures in measured.response.iter_mut().chain(&mut measured.service) {
        figures.p95.value *= 2;
        figures.p95.worth -= 1;
    }
}

fn draw_another(figure: &mut Figure) {
    match figure {
        Figure::Percentiles { series, .. } => {
            series.iter_mut().flat_map(|it| &mut it.points).for_each(|point| point.1 *= 2);
        }
        Figure::PerSecond { series, .. } => series.iter_mut().for_each(|it| it.values.push(1.0)),
        Figure::LatencyPerSecond { series, .. } => {
            for it in series {
                it.values.push(None);
            }
        }
        Figure::Traffic(_) => {}
    }
}

fn as_value(report: &RunReport) -> Value {
    serde_json::from_str(&json(report)).expect("the output is JSON")
}

fn step_of(report: &mut RunReport) -> &mut cutover_model::report::StepReport {
    &mut report.scenarios[0].steps[2]
}

#[test]
fn two_runs_with_one_seed_differ_only_in_what_a_clock_enters() {
    let (one, other) = (as_value(&sample::report()), as_value(&another_time()));
    assert_ne!(one, other);
    assert_eq!(timeless(&one), timeless(&other));
}

#[test]
fn every_output_for_people_shows_a_load_with_both_latency_views_and_what_is_known_of_them() {
    let report = sample::report();
    let shown = ["99.87/s", "3.15ms", "2.83ms to 3.55ms", "9.42ms", "21µs", "3.4%", "closed"];
    let page = html(&report).replace("&#x2f;", "/");
    for text in [terminal(&report, Style::Plain), markdown(&report), page, junit(&report)] {
        for figure in shown {
            assert!(text.contains(figure), "{figure} is missing in {text}");
        }
        // The p95 of the service.
        assert!(text.contains("3.1ms"), "{text}");
    }
    for text in [markdown(&report), html(&report), junit(&report)] {
        assert!(text.contains("worth 2,480"), "{text}");
        assert!(text.contains("throttled 9, timeout 2"), "{text}");
    }
    for text in [markdown(&report), html(&report)] {
        assert!(text.contains("leaves out the queueing of users"), "{text}");
    }
}

#[test]
fn the_warm_up_is_marked_in_the_charts_over_time() {
    let page = html(&sample::report());
    assert_eq!(page.matches("warm-up of 5s, in no figure").count(), 2);
}

#[test]
fn a_changed_count_survives_the_blanking() {
    let mut report = sample::report();
    step_of(&mut report).facts[0].value = FactValue::Count(1);
    assert_ne!(timeless(&as_value(&report)), timeless(&as_value(&sample::report())));
}

#[test]
fn a_changed_observation_survives_the_blanking_unless_it_is_timed() {
    let mut report = sample::report();
    let verdict = step_of(&mut report).verdict.as_mut().unwrap();
    verdict.expectations[0].observed = "2".to_owned();
    assert_ne!(timeless(&as_value(&report)), timeless(&as_value(&sample::report())));
}

#[test]
fn a_step_that_never_began_stays_apart_from_one_that_did() {
    let value = timeless(&as_value(&sample::report()));
    assert_eq!(value["scenarios"][2]["steps"][2]["started"], Value::Null);
    assert_eq!(value["scenarios"][2]["steps"][1]["started"], TIMED);
}

#[test]
fn a_tag_called_elapsed_is_not_blanked() {
    let mut report = sample::report();
    let verdict = step_of(&mut report).verdict.as_mut().unwrap();
    let witness = verdict.findings[0].witness.as_mut().unwrap();
    witness.tags.insert("elapsed".to_owned(), "2h".to_owned());
    assert!(timeless(&as_value(&report)).to_string().contains("\"elapsed\":\"2h\""));
}

#[test]
fn blanking_twice_changes_nothing_more() {
    let once = timeless(&as_value(&sample::report()));
    assert_eq!(timeless(&once), once);
}

#[test]
fn what_is_no_report_is_left_as_it_is() {
    let value = serde_json::json!({ "scenarios": 3, "start": null });
    assert_eq!(timeless(&value), value);
}

#[test]
fn the_json_tells_the_judgement_of_each_step() {
    let value = as_value(&sample::report());
    assert_eq!(value["scenarios"][0]["steps"][2]["judgement"], "fail");
    assert_eq!(value["scenarios"][0]["steps"][0]["judgement"], Value::Null);
}

#[cfg(unix)]
#[test]
fn a_path_that_is_not_unicode_does_not_stop_the_json() {
    use std::os::unix::ffi::OsStringExt;
    let mut report = sample::report();
    report.scenarios[0].file = std::ffi::OsString::from_vec(vec![b'a', 0xff]).into();
    assert!(json(&report).contains("a\u{fffd}"));
}

#[test]
fn every_output_for_people_names_the_row_that_differs() {
    let report = sample::report();
    let outputs =
        [terminal(&report, Style::Plain), markdown(&report), junit(&report), html(&report)];
    for output in outputs {
        for part in [
            "consumption_data",
            "demand_mw",
            "region=NE",
            "1672556400000000000",
            "2023-01-01T07:00:00Z",
            "11204.0",
        ] {
            assert!(output.replace('\\', "").contains(part), "{part} is not in {output}");
        }
    }
}

#[test]
fn findings_that_are_left_out_are_counted() {
    let report = sample::report();
    assert!(terminal(&report, Style::Plain).contains("and 8 more findings"));
    assert!(markdown(&report).contains("and 3 more findings"));
}

#[test]
fn the_markdown_begins_with_what_is_worst() {
    let page = markdown(&sample::report());
    let place = |text: &str| page.find(text).unwrap();
    assert!(place("### hostile-text / 4-load: error") < place("### ons-load-curve / 3-parity"));
    assert!(place("### ons-load-curve / 3-parity") < place("### ons-load-curve / 5-load"));
}

#[test]
fn an_indicative_reading_is_labelled_wherever_it_is_drawn() {
    let label = "indicative: measured on a stand-in, not judged";
    let report = sample::report();
    assert!(html(&report).matches(label).count() >= 4);
    assert!(markdown(&report).contains(label));
    assert!(junit(&report).contains(label));
    assert!(terminal(&report, Style::Plain).contains(label));
}

#[test]
fn a_record_without_an_end_is_told_in_every_output_for_people() {
    let mut events = sample::events();
    events.pop();
    let report = RunReport::fold(&events).unwrap();
    let outputs =
        [terminal(&report, Style::Plain), markdown(&report), junit(&report), html(&report)];
    for output in outputs {
        assert!(output.contains("The record has no end"), "{output}");
    }
}

#[test]
fn a_scenario_that_was_planned_and_never_started_is_told() {
    let mut report = sample::report();
    report.start.scenarios = 5;
    assert!(markdown(&report).contains("3 of 5 planned scenarios were started."));
}

#[test]
fn a_judged_check_without_an_expectation_says_that_nothing_was_expected() {
    let mut report = sample::report();
    let step = step_of(&mut report);
    step.verdict = Some(cutover_model::Verdict { expectations: Vec::new(), findings: Vec::new() });
    assert!(html(&report).contains("nothing was expected"));
    assert!(markdown(&report).contains("nothing was expected"));
}

#[test]
fn nothing_observed_is_said_and_not_left_blank() {
    let mut report = sample::report();
    let verdict = step_of(&mut report).verdict.as_mut().unwrap();
    verdict.expectations =
        vec![Expectation { observed: String::new(), ..verdict.expectations[0].clone() }];
    assert!(terminal(&report, Style::Plain).contains("expected missing = 0, observed nothing"));
}

#[test]
fn an_error_is_told_with_its_causes_once_each() {
    let lines: Vec<_> = sample::events().iter().filter_map(line).collect();
    let errors: Vec<_> = lines.iter().filter(|line| line.contains(": error: ")).collect();
    assert_eq!(errors.len(), 1);
    assert!(errors[0].contains("failed to write"), "{}", errors[0]);
    assert_eq!(errors[0].matches("connection reset by peer").count(), 1);
}
