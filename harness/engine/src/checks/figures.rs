//! What the report says and draws of the operations that latency and load drive.
//!
//! [`fact`] is what was measured of one operation; the other functions draw recordings. How figures
//! are held against limits is in [`timed`](super::timed).

use std::collections::BTreeMap;
use std::time::Duration;

use cutover_load::{
    Generator, Interval, Intervals, Latency, Model, OperationRecording, Quantile, Recording,
    Summary, Worth,
};
use cutover_model::Timing;
use cutover_model::event::{Fact, Figure, LatencySeries, PerSecondSeries, PercentileSeries};
use cutover_model::measured::{Arrivals, Estimate, GeneratorFigures, LatencyFigures, Measured};
use serde::Serialize;

use super::timed::ways_to_fail;

/// What has to be known of an operation beside its recording.
#[derive(Clone, Copy)]
pub(crate) struct Standing<'a, P> {
    /// What its clock readings are worth.
    pub(crate) timing: Timing,
    /// Why several generators did not drive the whole load together, if so.
    pub(crate) divided: Option<&'a String>,
    /// What was to be driven, without what is expected of it.
    pub(crate) plan: P,
}

/// What the report says of one operation.
pub(crate) fn fact(
    subject: &str,
    summary: &Summary,
    Standing { timing, divided, plan }: Standing<'_, impl Serialize>,
) -> Fact {
    let Summary { response, service, certainty, service_certainty, .. } = summary;
    let response = response.map(|it| latencies(&it, certainty, (summary.samples, summary.worth)));
    let service =
        service.map(|it| latencies(&it, service_certainty, (summary.sent, summary.service_worth)));
    let mut failed = BTreeMap::new();
    for (code, count) in ways_to_fail(&summary.outcomes) {
        *failed.entry(code).or_default() += count;
    }
    let generator = summary.generator.as_ref();
    let measured = Measured {
        arrivals: match summary.model {
            Model::Open => Arrivals::Open,
            Model::Closed => Arrivals::Closed,
        },
        plan: digest(&plan),
        timing,
        warm_up: summary.warm_up,
        duration: summary.duration,
        covered: summary.covered,
        requests: summary.samples,
        asked_per_second: summary.asked_per_second,
        achieved_per_second: summary.achieved_per_second,
        well_per_second: Estimate {
            value: summary.well_per_second,
            interval: summary.well_interval,
            worth: summary.outcomes.ok,
        },
        response,
        service,
        waited: summary.waited,
        retries: summary.retries,
        failed,
        generator: GeneratorFigures {
            lag_p95: summary.lag_p95,
            busy: generator.map(Generator::busy),
            clock_step: generator.map_or(Duration::ZERO, |generator| generator.clock_step),
            divided: divided.cloned(),
        },
    };
    Fact::measured(subject, measured)
}

/// A digest of a plan as it is written down (FNV-1a): the same for the same plan, in any process.
fn digest(plan: &impl Serialize) -> String {
    let mut plan = serde_json::to_value(plan).expect("a plan is written down as any event is");
    forget_files(&mut plan);
    let step = |hash: u64, byte: u8| (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3);
    format!("{:016x}", plan.to_string().bytes().fold(0xcbf2_9ce4_8422_2325, step))
}

/// Where a file lies, seen from where the user is, is no part of what it says.
fn forget_files(plan: &mut serde_json::Value) {
    match plan {
        serde_json::Value::Object(fields) => {
            fields.remove("file");
            fields.values_mut().for_each(forget_files);
        }
        serde_json::Value::Array(items) => items.iter_mut().for_each(forget_files),
        _ => {}
    }
}

fn latencies(
    latency: &Latency,
    certainty: &Intervals,
    (samples, worth): (u64, Worth),
) -> LatencyFigures {
    let known = |value, interval: Option<Interval>, worth| {
        let interval = interval.map(|Interval { low, high }| (low, high));
        Estimate { value, interval, worth }
    };
    LatencyFigures {
        samples,
        p50: known(latency.p50, certainty.p50, worth.p50),
        p95: known(latency.p95, certainty.p95, worth.p95),
        p99: known(latency.p99, certainty.p99, worth.p99),
        max: latency.max,
    }
}

/// Latency by percentile, a line for each operation that was measured.
pub(crate) fn percentiles(title: &str, recordings: &[&Recording]) -> Figure {
    let quantiles = [0.5, 0.9, 0.95, 0.99, 0.999, 1.0];
    let operations = recordings.iter().flat_map(|recording| &recording.operations);
    let series = operations.map(|(label, operation)| PercentileSeries {
        label: label.clone(),
        points: quantiles
            .into_iter()
            .filter_map(|share| {
                let quantile = Quantile::try_from(share).ok()?;
                Some((share, operation.measured.response.quantile(quantile)?))
            })
            .collect(),
    });
    let series = series.filter(|series| !series.points.is_empty()).collect();
    Figure::Percentiles { title: title.to_owned(), series }
}

/// The work that was done in each second, a line for each operation.
pub(crate) fn per_second(title: &str, unit: &str, recordings: &[&Recording]) -> Figure {
    let series = recordings.iter().flat_map(|recording| {
        recording.operations.iter().map(move |(label, operation)| PerSecondSeries {
            label: label.clone(),
            values: seconds(recording)
                .map(|second| operation.seconds.get(&second).map_or(0.0, |it| it.work as f64))
                .collect(),
        })
    });
    let warm_up = recordings.first().map_or(Duration::ZERO, |recording| recording.warm_up);
    let (title, unit) = (title.to_owned(), unit.to_owned());
    Figure::PerSecond { title, unit, warm_up, series: series.collect() }
}

/// Each operation over time: what became of its requests in each second, and how long they took.
pub(crate) fn over_time(recordings: &[&Recording]) -> Vec<Figure> {
    let operations = recordings.iter().flat_map(|recording| {
        recording.operations.iter().map(move |(label, operation)| (*recording, label, operation))
    });
    operations
        .flat_map(|(recording, label, operation)| {
            [requests(recording, label, operation), response(recording, label, operation)]
        })
        .collect()
}

fn requests(recording: &Recording, label: &str, operation: &OperationRecording) -> Figure {
    let second = |second| operation.seconds.get(&second);
    let line = |label: &str, value: &dyn Fn(u64) -> Option<u64>| PerSecondSeries {
        label: label.to_owned(),
        values: seconds(recording).map(|it| value(it).unwrap_or(0) as f64).collect(),
    };
    let mut series = vec![
        line("ended", &|it| Some(second(it)?.ended)),
        line("failed", &|it| Some(second(it)?.failed)),
    ];
    // Each arrival has its response in the second in which it was due.
    if recording.model == Model::Open {
        series.push(line("asked for", &|it| Some(second(it)?.response.samples())));
    }
    Figure::PerSecond {
        title: format!("{label}: requests"),
        unit: "requests".to_owned(),
        warm_up: recording.warm_up,
        series,
    }
}

fn response(recording: &Recording, label: &str, operation: &OperationRecording) -> Figure {
    let quantiles: Vec<[Option<Duration>; 2]> = seconds(recording)
        .map(|second| {
            let histogram = operation.response_in(second..second + 1);
            [Quantile::P50, Quantile::P95].map(|quantile| histogram.quantile(quantile))
        })
        .collect();
    let line = |label: &str, which: usize| LatencySeries {
        label: label.to_owned(),
        values: quantiles.iter().map(|it| it[which]).collect(),
    };
    Figure::LatencyPerSecond {
        title: format!("{label}: response time"),
        warm_up: recording.warm_up,
        series: vec![line("p50", 0), line("p95", 1)],
    }
}

/// The seconds of a run that took place as a whole, from the start of its warm-up.
fn seconds(recording: &Recording) -> std::ops::Range<u64> {
    0..(recording.warm_up + recording.covered).as_secs().max(1)
}

#[cfg(test)]
mod tests {
    use cutover_model::event::FactValue;

    use super::*;

    /// Two seconds of warm-up and three that are measured, with a request in each tenth of one.
    fn recording() -> Recording {
        let mut recording = Recording {
            model: Model::Open,
            complete: true,
            warm_up: Duration::from_secs(2),
            duration: Duration::from_secs(3),
            covered: Duration::from_secs(3),
            span: Duration::from_secs(3),
            aborted: None,
            generator: None,
            operations: BTreeMap::new(),
        };
        let mut operation = OperationRecording::default();
        for second in 0..5 {
            let entry = operation.seconds.entry(second).or_default();
            (entry.ended, entry.failed, entry.work) = (10, second % 2, 100);
        }
        let samples = &mut operation.measured;
        samples.response.record_times(Duration::from_millis(20), 30);
        samples.service.record_times(Duration::from_millis(5), 29);
        samples.outcomes.ok = 28;
        samples.outcomes.timeouts = 1;
        samples.outcomes.unsent = 1;
        (samples.waited, samples.retries) = (4, 2);
        recording.operations.insert("write".to_owned(), operation);
        recording
    }

    fn measured(timing: Timing, plan: impl Serialize) -> Measured {
        let summary = recording().summary("write").unwrap();
        let fact = fact("write", &summary, Standing { timing, divided: None, plan });
        match fact.value {
            FactValue::Measured(measured) => *measured,
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn response_and_service_are_told_apart_and_every_request_is_in_the_base() {
        let measured = measured(Timing::Real, ());
        let (response, service) = (measured.response.unwrap(), measured.service.unwrap());
        assert_eq!((measured.requests, response.samples, service.samples), (30, 30, 29));
        assert_eq!(response.max, Duration::from_millis(20));
        assert_eq!(service.max, Duration::from_millis(5));
        assert_eq!(response.p50.interval.map(|it| it.0), Some(Duration::from_millis(20)));
        // 30 samples bound no p95.
        assert_eq!(response.p95.interval, None);
    }

    #[test]
    fn failures_are_told_by_what_happened() {
        let measured = measured(Timing::Real, ());
        let failed: Vec<_> = measured.failed.iter().map(|(way, count)| (&**way, *count)).collect();
        assert_eq!(failed, [("never sent", 1), ("timeout", 1)]);
        assert_eq!((measured.waited, measured.retries), (4, 2));
    }

    #[test]
    fn another_plan_has_another_digest_and_the_same_the_same() {
        let digest = |plan: (u32, &str)| measured(Timing::Real, plan).plan;
        assert_eq!(digest((1, "a")), digest((1, "a")));
        assert_ne!(digest((1, "a")), digest((2, "a")));
    }

    #[test]
    fn where_a_file_lies_changes_no_digest() {
        let digest = |file: &str| {
            let query = BTreeMap::from([("file", file), ("sql", "SELECT 1")]);
            measured(Timing::Real, [query]).plan
        };
        assert_eq!(digest("a.yaml"), digest("../a.yaml"));
    }

    #[test]
    fn the_charts_have_a_value_for_each_second_and_mark_the_warm_up() {
        let recording = recording();
        let figures = over_time(&[&recording]);
        let [
            Figure::PerSecond { warm_up, series, .. },
            Figure::LatencyPerSecond { series: waits, .. },
        ] = &figures[..]
        else {
            panic!("{figures:?}")
        };
        assert_eq!(*warm_up, Duration::from_secs(2));
        let labels: Vec<_> = series.iter().map(|it| it.label.as_str()).collect();
        assert_eq!(labels, ["ended", "failed", "asked for"]);
        assert_eq!(series[1].values, [0.0, 1.0, 0.0, 1.0, 0.0]);
        // No response was recorded by second.
        assert_eq!(waits[1].values, [None; 5]);
    }

    #[test]
    fn a_closed_load_has_no_line_for_what_was_asked() {
        let recording = Recording { model: Model::Closed, ..recording() };
        let Figure::PerSecond { series, .. } = &over_time(&[&recording])[0] else {
            panic!("requests come first")
        };
        assert_eq!(series.len(), 2);
    }

    #[test]
    fn a_run_that_was_stopped_is_drawn_as_far_as_it_came() {
        let recording = Recording { covered: Duration::from_secs(1), ..recording() };
        let Figure::PerSecond { series, .. } = &over_time(&[&recording])[0] else {
            panic!("requests come first")
        };
        assert_eq!(series[0].values.len(), 3);
    }
}
