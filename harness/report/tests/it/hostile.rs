//! Text from outside stays text in every output.

use cutover_report::{
    Format, MARKDOWN_LIMIT, Style, html, junit, line, markdown, render, terminal,
};
use proptest::prelude::*;
use quick_junit::Report;

use crate::reading::elements;
use crate::runs::reports;
use crate::sample::{self, HOSTILE};

#[test]
fn no_output_but_json_has_a_control_character_other_than_a_line_end() {
    for format in Format::ALL {
        let text = render(format, &sample::report());
        let found = text.chars().find(|c| c.is_control() && *c != '\n');
        assert_eq!(found, None, "{format}");
    }
}

#[test]
fn no_output_but_json_turns_the_reading_direction() {
    for format in Format::ALL.into_iter().filter(|format| *format != Format::Json) {
        assert!(!render(format, &sample::report()).contains('\u{202e}'), "{format}");
    }
}

#[test]
fn colour_is_the_only_escape_sequence_of_the_terminal() {
    let text = terminal(&sample::report(), Style::Colour);
    for sequence in text.split('\u{1b}').skip(1) {
        let code = sequence.trim_start_matches('[').split('m').next().unwrap();
        assert!(["0", "1", "2", "32", "33", "1;31"].contains(&code), "{sequence:?}");
    }
}

#[test]
fn the_terminal_says_the_same_with_and_without_colour() {
    let mut colour = terminal(&sample::report(), Style::Colour);
    for code in ["0", "1", "2", "32", "33", "1;31"] {
        colour = colour.replace(&format!("\u{1b}[{code}m"), "");
    }
    assert_eq!(colour, terminal(&sample::report(), Style::Plain));
}

#[test]
fn a_progress_line_is_one_line() {
    let lines: Vec<_> = sample::events().iter().filter_map(line).collect();
    assert!(lines.iter().all(|line| !line.contains(char::is_control)), "{lines:#?}");
    assert!(lines.len() > 20);
}

#[test]
fn the_page_has_no_element_that_the_template_does_not_write() {
    let known = [
        "html",
        "head",
        "meta",
        "link",
        "title",
        "style",
        "body",
        "main",
        "header",
        "div",
        "h1",
        "p",
        "dl",
        "dt",
        "dd",
        "nav",
        "table",
        "thead",
        "tbody",
        "tr",
        "th",
        "td",
        "a",
        "article",
        "h2",
        "h3",
        "section",
        "span",
        "strong",
        "code",
        "br",
        "figure",
        "figcaption",
        "svg",
        "path",
        "rect",
        "circle",
        "text",
        "desc",
        "details",
        "summary",
        "footer",
    ];
    for element in elements(&html(&sample::report())) {
        assert!(known.contains(&element.name.as_str()), "<{}>", element.name);
    }
}

#[test]
fn the_page_asks_for_nothing() {
    let page = html(&sample::report());
    assert!(page.contains("default-src 'none'"));
    for element in elements(&page) {
        for attribute in ["src=", "srcset=", "action=", "onload=", "onclick=", "style="] {
            assert!(!element.attributes.contains(attribute), "<{}>", element.name);
        }
        if let Some((_, link)) = element.attributes.split_once("href=\"") {
            assert!(link.starts_with('#') || link.starts_with("data:,"), "{link}");
        }
    }
    let style = include_str!("../../src/html/report.css");
    assert!(!style.contains("url(") && !style.contains("@import"));
}

#[test]
fn every_heading_cell_tells_what_it_heads() {
    let page = elements(&html(&sample::report()));
    assert!(page.iter().filter(|it| it.name == "th").all(|it| it.attributes.contains("scope=")));
}

#[test]
fn every_drawing_has_a_text_or_is_hidden_from_readers() {
    let page = elements(&html(&sample::report()));
    for drawing in page.iter().filter(|element| element.name == "svg") {
        let told = drawing.attributes.contains("aria-label=");
        assert!(told || drawing.attributes.contains("aria-hidden="), "{}", drawing.attributes);
    }
}

#[test]
fn every_row_of_a_table_of_the_markdown_has_the_columns_of_its_head() {
    let page = markdown(&sample::report());
    let bars = |row: &str| row.replace("\\|", "").matches('|').count();
    let tables = page.split("\n\n").filter(|block| block.starts_with('|'));
    let columns: Vec<usize> = tables
        .map(|table| {
            let head = bars(table.lines().next().unwrap_or_default());
            assert!(table.lines().all(|row| bars(row) == head), "{table}");
            head - 1
        })
        .collect();
    assert_eq!(columns, [5, 10, 7]);
}

#[test]
fn the_markdown_holds_no_tag() {
    let page = markdown(&sample::report());
    let outside_code: String = page.split("```").step_by(2).collect();
    assert!(!outside_code.contains('<'), "{outside_code}");
}

#[test]
fn a_huge_run_stays_within_the_limit_of_a_step_summary_and_says_what_is_missing() {
    let mut report = sample::report();
    let scenario = report.scenarios[2].clone();
    report.scenarios.extend(std::iter::repeat_n(scenario, 3_000));
    let page = markdown(&report);
    assert!(page.len() <= MARKDOWN_LIMIT);
    assert!(page.contains("more rows are left out"));
    assert!(page.contains("more of these are left out"));
}

#[test]
fn one_huge_text_does_not_crowd_out_the_rest() {
    let mut report = sample::report();
    report.scenarios[0].title = "x".repeat(3 * MARKDOWN_LIMIT);
    report.scenarios[0].steps[2].errors = vec![vec!["y".repeat(3 * MARKDOWN_LIMIT)]];
    for format in [Format::Markdown, Format::Html, Format::Junit] {
        let page = render(format, &report);
        assert!(page.len() <= MARKDOWN_LIMIT, "{format}");
        assert!(page.contains("way-back"), "{format}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig {
        cases: 64,
        failure_persistence: None,
        ..ProptestConfig::default()
    })]

    #[test]
    fn the_page_is_well_formed_whatever_the_text(report in reports(HOSTILE)) {
        let page = elements(&html(&report));
        prop_assert!(page.iter().all(|element| element.name != "script"));
    }

    #[test]
    fn the_junit_is_well_formed_whatever_the_text(report in reports(HOSTILE)) {
        prop_assert!(Report::deserialize_from_str(&junit(&report)).is_ok());
    }
}
