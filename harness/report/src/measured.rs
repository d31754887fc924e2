//! What was measured of the operations of a load, in the words that every output uses.
//!
//! [`tables`] is one row for each operation, for outputs that have tables; [`line`] is the gist in
//! one line, for the terminal; [`properties`] is everything as names with values, for JUnit.

use std::time::Duration;

use cutover_model::event::{Fact, FactValue};
use cutover_model::measured::{Arrivals, Estimate, LatencyFigures, Measured};
use cutover_model::report::StepReport;
use cutover_model::{ShortDuration, Timing};
use serde::Serialize;

use crate::text::{clipped, decimal, number};

/// A longer name of an operation is cut; `report.json` has the whole.
const NAME_LIMIT: usize = 60;

/// What the tables do not say themselves.
pub(crate) const READING: &str = "Response time counts from the instant at which a request was \
    due, service time from its sending. Behind a figure: where the truth lies with 95 % \
    confidence, and how many independent requests its requests are worth, since neighbours in time \
    are alike.";

/// What has to be known of the latencies of a closed load.
pub(crate) const CLOSED: &str = "Closed: each user waits for an answer before asking again, so \
    latency leaves out the queueing of users who were not there.";

/// Figures of several operations, a row for each.
#[derive(Serialize)]
pub(crate) struct Table {
    pub(crate) head: Vec<&'static str>,
    pub(crate) rows: Vec<Row>,
}

/// The figures of one operation.
#[derive(Serialize)]
pub(crate) struct Row {
    pub(crate) operation: String,
    pub(crate) cells: Vec<Cell>,
}

/// A figure, and what is known of it.
#[derive(Serialize)]
pub(crate) struct Cell {
    pub(crate) value: String,
    pub(crate) note: String,
}

impl Cell {
    fn plain(value: impl Into<String>) -> Self {
        Self { value: value.into(), note: String::new() }
    }

    fn noted(value: impl Into<String>, note: impl Into<String>) -> Self {
        Self { value: value.into(), note: note.into() }
    }
}

/// The operations that a step measured, by name.
pub(crate) fn operations(step: &StepReport) -> impl Iterator<Item = (String, &Measured)> {
    let facts = step.facts.iter();
    facts.filter_map(|fact| Some((clipped(&fact.name, NAME_LIMIT), of_fact(fact)?)))
}

/// What a fact measured of an operation, if it is one of those.
pub(crate) fn of_fact(fact: &Fact) -> Option<&Measured> {
    match &fact.value {
        FactValue::Measured(measured) => Some(measured),
        _ => None,
    }
}

/// What was asked for and what came of it, and how long it took. None if nothing was measured.
pub(crate) fn tables(operations: &[(String, &Measured)]) -> Option<[Table; 2]> {
    operations.first()?;
    let requests = operations.iter().map(|(operation, measured)| Row {
        operation: operation.clone(),
        cells: vec![
            arrivals(measured),
            Cell::plain(number(measured.requests)),
            Cell::plain(asked(measured)),
            Cell::plain(per_second(measured.achieved_per_second)),
            failures(measured),
            Cell::plain(number(measured.waited)),
            Cell::plain(number(measured.retries)),
            Cell::plain(lag(measured)),
            Cell::plain(busy(measured)),
        ],
    });
    let latency = operations.iter().flat_map(|(operation, measured)| {
        let row = |what: &str, figures: &LatencyFigures| Row {
            operation: operation.clone(),
            cells: vec![
                Cell::plain(what),
                Cell::plain(number(figures.samples)),
                estimated(&figures.p50),
                estimated(&figures.p95),
                estimated(&figures.p99),
                Cell::plain(shown(figures.max)),
            ],
        };
        let response = measured.response.iter().map(|it| row("response", it));
        let service = measured.service.iter().map(|it| row("service", it));
        response.chain(service).collect::<Vec<_>>()
    });
    let requests = Table {
        head: vec![
            "operation",
            "arrivals",
            "requests",
            "asked",
            "sent",
            "failed",
            "waited for a connection",
            "retries",
            "generator late (p95)",
            "generator busy",
        ],
        rows: requests.collect(),
    };
    let head = vec!["operation", "time", "requests", "p50", "p95", "p99", "highest"];
    Some([requests, Table { head, rows: latency.collect() }])
}

/// What a reader of the tables has to know.
pub(crate) fn remarks<'a>(operations: impl Iterator<Item = &'a Measured>) -> Vec<&'static str> {
    let closed = operations.into_iter().any(|it| it.arrivals == Arrivals::Closed);
    std::iter::once(READING).chain(closed.then_some(CLOSED)).collect()
}

/// The gist of an operation in one line.
pub(crate) fn line(operation: &str, measured: &Measured) -> String {
    let arrivals = match measured.asked_per_second {
        Some(rate) => format!("open at {}", per_second(rate)),
        None => measured.arrivals.word().to_owned(),
    };
    let (sent, failed) = (per_second(measured.achieved_per_second), number(measured.failures()));
    let rates = format!("{operation}: {arrivals}, {sent} sent, {failed} failed");
    let response = measured.response.map(|LatencyFigures { p50, p95, p99, .. }| {
        let (p50, p95, p99) = (shown(p50.value), bounded(&p95), shown(p99.value));
        format!(" · p50 {p50}, p95 {p95}, p99 {p99}")
    });
    let service = measured.service.map(|it| format!(" · service p95 {}", shown(it.p95.value)));
    let generator = &measured.generator;
    let late = generator.lag_p95.map(|lag| format!(" · generator {} late", shown(lag)));
    let at_work = generator.busy.map(|_| format!(", {} busy", busy(measured)));
    let parts = [response, service, late, at_work].into_iter().flatten();
    std::iter::once(rates).chain(parts).collect()
}

/// An operation in a word or two, beside others.
pub(crate) fn gist(measured: &Measured) -> String {
    let p95 = measured.response.map(|it| format!("p95 {}", shown(it.p95.value)));
    p95.unwrap_or_else(|| "no request".to_owned())
}

/// Everything, as names with values.
pub(crate) fn properties(operation: &str, measured: &Measured) -> Vec<(String, String)> {
    let named = |name: &str, value: String| (format!("{operation} {name}"), value);
    let mut properties = vec![
        named("arrivals", one_line(&arrivals(measured))),
        named("requests", number(measured.requests)),
        named("asked", asked(measured)),
        named("sent", per_second(measured.achieved_per_second)),
        named("failed", one_line(&failures(measured))),
        named("waited for a connection", number(measured.waited)),
        named("retries", number(measured.retries)),
        named("generator late p95", lag(measured)),
        named("generator busy", busy(measured)),
    ];
    let kinds = [("response", &measured.response), ("service", &measured.service)];
    for (kind, figures) in kinds {
        let Some(figures) = figures else { continue };
        let estimates = [("p50", &figures.p50), ("p95", &figures.p95), ("p99", &figures.p99)];
        for (name, estimate) in estimates {
            let value = one_line(&estimated(estimate));
            properties.push(named(&format!("{kind} {name}"), value));
        }
        properties.push(named(&format!("{kind} highest"), shown(figures.max)));
    }
    properties
}

/// A figure with what is known of it, in one line.
pub(crate) fn one_line(cell: &Cell) -> String {
    match cell.note.as_str() {
        "" => cell.value.clone(),
        note => format!("{} ({note})", cell.value),
    }
}

fn estimated(estimate: &Estimate<Duration>) -> Cell {
    let worth = format!("worth {}", number(estimate.worth));
    let note = match estimate.interval {
        Some((low, high)) => format!("{} to {}, {worth}", shown(low), shown(high)),
        None => format!("not bounded, {worth}"),
    };
    Cell::noted(shown(estimate.value), note)
}

/// A figure and where the truth lies.
fn bounded(estimate: &Estimate<Duration>) -> String {
    let value = shown(estimate.value);
    match estimate.interval {
        Some((low, high)) => format!("{value} ({} to {})", shown(low), shown(high)),
        None => value,
    }
}

fn failures(measured: &Measured) -> Cell {
    let ways = measured.failed.iter().map(|(way, count)| format!("{way} {}", number(*count)));
    Cell::noted(number(measured.failures()), ways.collect::<Vec<_>>().join(", "))
}

fn arrivals(measured: &Measured) -> Cell {
    let note = match measured.timing {
        Timing::Real => "",
        Timing::Indicative => "indicative",
    };
    Cell::noted(measured.arrivals.word(), note)
}

fn asked(measured: &Measured) -> String {
    measured.asked_per_second.map_or_else(|| "no rate".to_owned(), per_second)
}

fn lag(measured: &Measured) -> String {
    measured.generator.lag_p95.map_or_else(|| "unknown".to_owned(), shown)
}

fn busy(measured: &Measured) -> String {
    let busy = measured.generator.busy;
    busy.map_or_else(|| "unknown".to_owned(), |busy| format!("{}%", decimal(busy * 100.0)))
}

fn per_second(rate: f64) -> String {
    format!("{}/s", decimal(rate))
}

fn shown(duration: Duration) -> String {
    ShortDuration(duration).to_string()
}
