//! Every output states the four counts and the exit that the fold found, for runs of any shape.

use cutover_model::report::Counts;
use cutover_model::{Exit, RunReport};
use cutover_report::{Style, html, json, junit, markdown, terminal};
use proptest::prelude::*;
use quick_junit::{NonSuccessKind, Report, TestCaseStatus};

use crate::reading::elements;
use crate::runs::reports;

fn counts_in_words(counts: Counts) -> String {
    format!(
        "{} passed, {} failed, {} inconclusive, {} skipped",
        counts.passed, counts.failed, counts.inconclusive, counts.skipped
    )
}

fn exit_in_words(exit: Exit) -> String {
    format!("exit {}: {}", exit.code(), exit.meaning())
}

/// The test cases of the file by what became of them: well, failed, inconclusive, skipped, other.
fn junit_cases(xml: &Report) -> [u32; 5] {
    let mut cases = [0; 5];
    let suites = xml.test_suites.iter().filter(|suite| suite.name.as_str() != "run");
    for case in suites.flat_map(|suite| &suite.test_cases) {
        let step = case.name.as_str();
        let check = ["parity", "latency", "load", "rollback"].iter().any(|it| step.ends_with(it));
        let slot = match &case.status {
            _ if !check => 4,
            TestCaseStatus::Success { .. } => 0,
            TestCaseStatus::Skipped { .. } => 3,
            TestCaseStatus::NonSuccess { kind: NonSuccessKind::Error, .. } => 2,
            TestCaseStatus::NonSuccess { ty, .. } => match ty.as_deref() {
                Some("fail") => 1,
                _ => 2,
            },
        };
        cases[slot] += 1;
    }
    cases
}

fn junit_property(xml: &Report, name: &str) -> String {
    let properties = &xml.test_suites[0].properties;
    let property = properties.iter().find(|it| it.name.as_str() == name);
    property.expect("the first suite states it").value.as_str().to_owned()
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn the_text_states_counts_and_exit(report in reports("x")) {
        let text = terminal(&report, Style::Plain);
        prop_assert!(text.contains(&counts_in_words(report.counts)));
        prop_assert!(text.contains(&exit_in_words(report.exit)));
    }

    #[test]
    fn the_markdown_states_counts_and_exit(report in reports("x")) {
        let text = markdown(&report);
        prop_assert!(text.contains(&counts_in_words(report.counts)));
        prop_assert!(text.contains(&exit_in_words(report.exit)));
    }

    #[test]
    fn the_html_states_counts_and_exit(report in reports("x")) {
        let elements = elements(&html(&report));
        let counts = elements.iter().find(|it| it.attributes.contains("class=\"counts\"")).unwrap();
        prop_assert!(counts.attributes.contains(&counts_in_words(report.counts)));
        let shown: String = counts.text.split_whitespace().collect();
        let Counts { passed, failed, inconclusive, skipped } = report.counts;
        prop_assert_eq!(
            shown,
            format!("passed{passed}failed{failed}inconclusive{inconclusive}skipped{skipped}")
        );
        let exit = elements.iter().find(|it| it.attributes.contains("class=\"exit\"")).unwrap();
        prop_assert_eq!(&exit.text, &exit_in_words(report.exit));
    }

    #[test]
    fn the_json_states_counts_and_exit_and_reads_back_whole(report in reports("x")) {
        let text = json(&report);
        let value: serde_json::Value = serde_json::from_str(&text).unwrap();
        prop_assert_eq!(&value["exit_code"], report.exit.code());
        let counts: Counts = serde_json::from_value(value["counts"].clone()).unwrap();
        prop_assert_eq!(counts, report.counts);
        prop_assert_eq!(serde_json::from_str::<RunReport>(&text).unwrap(), report);
    }

    #[test]
    fn the_junit_states_counts_and_exit_and_has_them_as_cases(report in reports("x")) {
        let xml = Report::deserialize_from_str(&junit(&report)).unwrap();
        let Counts { passed, failed, inconclusive, skipped } = report.counts;
        let stated = ["passed", "failed", "inconclusive", "skipped", "exit"];
        prop_assert_eq!(
            stated.map(|name| junit_property(&xml, name)),
            [passed, failed, inconclusive, skipped, report.exit.code().into()]
                .map(|count| count.to_string())
        );
        let cases = junit_cases(&xml);
        prop_assert_eq!(&cases[..4], [passed, failed, inconclusive, skipped]);
    }

    #[test]
    fn a_junit_file_without_a_failure_is_that_of_a_run_that_passed(report in reports("x")) {
        let xml = Report::deserialize_from_str(&junit(&report)).unwrap();
        prop_assert_eq!(xml.failures + xml.errors == 0, report.exit == Exit::Passed);
    }

    #[test]
    fn every_failing_case_of_a_scenario_names_the_command_that_reproduces_it(
        report in reports("x")
    ) {
        let xml = Report::deserialize_from_str(&junit(&report)).unwrap();
        let suites = xml.test_suites.iter().filter(|suite| suite.name.as_str() != "run");
        for case in suites.flat_map(|suite| &suite.test_cases) {
            if let TestCaseStatus::NonSuccess { description, .. } = &case.status {
                let described = description.as_deref().unwrap_or_default();
                prop_assert!(described.contains("reproduce: cutover run"), "{}", described);
            }
        }
    }

    #[test]
    fn a_command_that_reproduces_stands_beside_every_open_scenario(report in reports("x")) {
        let open = |word: &str| word == "fail" || word == "inconclusive";
        for scenario in report.scenarios.iter().filter(|it| open(it.judgement.word())) {
            prop_assert!(terminal(&report, Style::Plain).contains(&scenario.reproduce));
            prop_assert!(html(&report).contains(&scenario.reproduce));
        }
    }
}
