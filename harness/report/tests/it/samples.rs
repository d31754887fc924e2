//! The golden samples in `reports/samples/` are what the sample run renders to today.

use std::path::PathBuf;

use cutover_report::{Format, render};

fn assert_sample_is_true(format: Format) {
    let root = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../reports/samples");
    let path = root.join(format.file_name());
    let golden = std::fs::read_to_string(&path).unwrap_or_default();
    let rendered = render(format, &crate::sample::report());
    let difference = golden.lines().zip(rendered.lines()).position(|(old, new)| old != new);
    let line = difference.unwrap_or_else(|| golden.lines().count().min(rendered.lines().count()));
    assert!(
        golden == rendered,
        "reports/samples/{} differs from line {}; if that is meant, write the samples again with \
         `cargo run -p cutover-report --example samples` and look at them\n  sample:   {:?}\n  \
         rendered: {:?}",
        format.file_name(),
        line + 1,
        golden.lines().nth(line),
        rendered.lines().nth(line)
    );
}

#[test]
fn the_json_sample_is_what_is_rendered() {
    assert_sample_is_true(Format::Json);
}

#[test]
fn the_junit_sample_is_what_is_rendered() {
    assert_sample_is_true(Format::Junit);
}

#[test]
fn the_html_sample_is_what_is_rendered() {
    assert_sample_is_true(Format::Html);
}

#[test]
fn the_markdown_sample_is_what_is_rendered() {
    assert_sample_is_true(Format::Markdown);
}

#[test]
fn the_text_sample_is_what_is_rendered() {
    assert_sample_is_true(Format::Text);
}
