//! The page that tells how far the stand-in agrees.

use std::fmt::Write;

use crate::outcome::Outcome;

/// The most failures that the page names of one way; the command prints all.
const NAMED: usize = 40;

/// The page for these outcomes.
pub fn page(outcomes: &[Outcome]) -> String {
    let mut page = String::from(HEAD);
    for outcome in outcomes {
        section(&mut page, outcome);
    }
    page.push_str(FOOT);
    page
}

fn section(page: &mut String, outcome: &Outcome) {
    let sum = |counts: &std::collections::BTreeMap<String, usize>| counts.values().sum::<usize>();
    let (outside, open) = (sum(&outcome.outside), sum(&outcome.no_verdict));
    let (asked, agreed, differ) = (outcome.asked(), outcome.agreed, outcome.failures.len());
    let mut line = |text: String| writeln!(page, "{text}").expect("a text takes every write");
    line(format!("## {}\n", capitalised(&outcome.title)));
    line("| asked | agree | differ | outside the subset | no verdict |".to_owned());
    line("|---:|---:|---:|---:|---:|".to_owned());
    line(format!("| {asked} | {agreed} | {differ} | {outside} | {open} |\n"));
    for failure in outcome.failures.iter().take(NAMED) {
        let (class, name) = (&failure.class, failure.name.replace('`', "'"));
        line(format!("- differs ({class}): `{name}`"));
    }
    if differ > NAMED {
        line(format!("- … and {} more", differ - NAMED));
    }
    for (function, count) in &outcome.outside {
        line(format!("- outside the subset: `{function}` ({count})"));
    }
    for (reason, count) in &outcome.no_verdict {
        line(format!("- no verdict: {reason} ({count})"));
    }
    for note in &outcome.notes {
        line(format!("- {note}"));
    }
    line(String::new());
}

fn capitalised(title: &str) -> String {
    let mut letters = title.chars();
    letters.next().map_or_else(String::new, |first| first.to_uppercase().chain(letters).collect())
}

const HEAD: &str = "\
# Conformance of the InfluxDB stand-in

This page is made by `cutover-conformance all --influxd PATH --page docs/conformance.md`: the
stand-in and a real InfluxDB 2.7.12 are asked the same over HTTP, and every difference is counted.
How two answers are compared is said in `harness/cases/src/compare.rs`: status, error code and
message, tables by group key, types, null and value of each cell, the order of rows, and the order
of tables where the server defines one; the order of columns is free. Floats may differ in the last
digits that the order of additions explains (one part in 10⁹, or 10⁻¹²); a zero keeps its sign.

";

const FOOT: &str = "\
## What is not asked

Some requests harm the real server or make it contradict itself. They are left out by construction,
and where it disagrees with itself after all, the query counts as one without a verdict:

- `fill()` directly on what comes from storage: a failing stage after it can end the server's
  process.
- `aggregateWindow` near the ends of time, and pushed-down aggregates with
  `stop: 1970-01-01T00:00:00Z`: they never end.
- The classic `join()` over tables with different columns: it loses rows in about half of the runs.
- A field that changes its type from shard to shard: a read across the change gives one of both
  types.
- The order of rows that `sort`, `top` and `bottom` find equal, and of the rows of a grouping in the
  store by more than twelve series: both hang on how the server's buffers are merged. So sorts name
  all columns, and such a grouping is counted or sorted.
- `mode` of a whole table: the server has a mode for each buffer in which it holds the table.
- The order of tables after `union()` and joins: it depends on which input is read first.
- `now()` is sent with each script, so that both servers mean the same instant.
";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_count_stands_on_the_page() {
        let mut outcome = Outcome::new("queries");
        outcome.agreed = 7;
        outcome.count_outside("`geo.x` is not in the stand-in's Flux");
        let page = page(&[outcome]);
        assert!(page.contains("| 8 | 7 | 0 | 1 | 0 |"), "{page}");
        assert!(page.contains("`geo.x` (1)"), "{page}");
    }
}
