//! Loads that are aborted, against the sink: in time, with a whole recording, and only then.

use std::time::Instant;

use cutover_model::scenario::{Comparison, Limit, LimitValue};
use cutover_model::units::Ratio;

use super::super::tests::{MS, constant, counted, get, load, sink, users};
use super::super::{HttpLoad, run_http};
use super::*;
use crate::{AbortFigure, Model, Quantile, Recording};

/// From the breach to the last request.
const IN_TIME: Duration = Duration::from_millis(500);

fn p95_below(limit: Duration, over: Duration) -> AbortRule {
    let limit = Limit { comparison: Comparison::Below, value: LimitValue::Duration(limit) };
    AbortRule { figure: AbortFigure::Response(Quantile::P95), limit, over }
}

fn errors_below(share: f64, over: Duration) -> AbortRule {
    let value = LimitValue::Ratio(Ratio::try_from(share).unwrap());
    let limit = Limit { comparison: Comparison::Below, value };
    AbortRule { figure: AbortFigure::Errors, limit, over }
}

/// A load of half a minute at 1,000 a second with a timeout of ten seconds.
fn long(port: u16, rule: AbortRule) -> HttpLoad {
    let mut load = load(port, get(), constant(1_000));
    (load.options.duration, load.options.timeout) = (MS * 30_000, MS * 10_000);
    load.options.connections = 16;
    load.abort = vec![rule];
    load
}

fn sent(recording: &Recording) -> u64 {
    recording.operations["request"].measured.service.samples()
}

#[test]
fn errors_stop_the_load_in_time_and_all_that_was_sent_is_recorded() {
    let sink = sink("none", Some("status:500@400.."), 200);
    // The 12th error of 240 in a window is one in twenty.
    let rule = errors_below(0.05, MS * 240);
    let recording = run_http(long(sink.address().port(), rule), &Stop::new()).unwrap();
    let requests = sink.stop().unwrap().requests;
    let aborted = recording.aborted.expect("a breach");
    assert_eq!((aborted.rule, recording.complete), (rule, false));
    assert!(aborted.observed.number() >= 0.05, "{aborted:?}");
    let after_the_breach = MS * u32::try_from(requests - 412).unwrap();
    assert!(after_the_breach <= IN_TIME, "{after_the_breach:?}");
    assert_eq!(sent(&recording), requests);
    assert_eq!(counted(&recording).ok, 400);
}

#[test]
fn a_frozen_server_is_noticed_though_it_answers_nothing_and_is_not_waited_for() {
    let sink = sink("none", Some("never@400.."), 200);
    let began = Instant::now();
    let rule = p95_below(MS * 50, MS * 300);
    let recording = run_http(long(sink.address().port(), rule), &Stop::new()).unwrap();
    let took = began.elapsed();
    let aborted = recording.aborted.expect("a breach");
    // After 400 ms, 65 ms of which the last 15 arrivals of 300 have been waiting for 50 ms.
    assert!(aborted.at >= MS * 450 && aborted.at <= MS * 470 + IN_TIME, "{aborted:?}");
    assert!(aborted.observed.number() >= 0.05, "{aborted:?}");
    assert!(took <= aborted.at + MS * 1_000, "{took:?}");
    let counts = counted(&recording);
    assert_eq!((counts.ok, counts.cut, counts.timeouts), (400, 16, 0));
    assert_eq!(sent(&recording), sink.stop().unwrap().requests);
    let due = recording.covered.as_millis().abs_diff(counts.total().into());
    assert!(due <= 30, "what waited for a connection is recorded: {counts:?}");
    let slowest = recording.operations["request"].measured.response.max().unwrap();
    assert!(slowest >= MS * 300 && slowest <= MS * 2_000, "{slowest:?}");
}

#[test]
fn users_of_a_frozen_server_are_sent_home() {
    let sink = sink("none", Some("never@100.."), 200);
    let began = Instant::now();
    let load =
        HttpLoad { pace: users(5), ..long(sink.address().port(), p95_below(MS * 50, MS * 200)) };
    let recording = run_http(load, &Stop::new()).unwrap();
    assert!(recording.aborted.is_some() && began.elapsed() <= MS * 3_000);
    assert_eq!((recording.model, counted(&recording).cut), (Model::Closed, 5));
}

#[test]
fn the_breach_of_one_load_ends_the_other_without_being_its_own() {
    let (bad, good) = (sink("none", Some("status:500@300.."), 200), sink("none", None, 200));
    let rule = errors_below(0.05, MS * 200);
    let stop = Stop::new();
    let run = |port| run_http(long(port, rule), &stop).unwrap();
    let (broken, other) = std::thread::scope(|scope| {
        let broken = scope.spawn(|| run(bad.address().port()));
        let other = scope.spawn(|| run(good.address().port()));
        (broken.join().unwrap(), other.join().unwrap())
    });
    assert!(broken.aborted.is_some() && other.aborted.is_none());
    assert!(!broken.complete && !other.complete);
    assert!(other.covered <= broken.covered + IN_TIME, "{:?}", other.covered);
    assert_eq!(counted(&other).not_ok(), 0);
}

#[test]
fn a_limit_that_holds_ends_nothing() {
    let sink = sink("fixed:2ms", Some("status:500@0..1"), 200);
    let mut load = long(sink.address().port(), p95_below(MS * 10_000, MS * 100));
    load.abort.push(errors_below(0.5, MS * 200));
    load.options.duration = MS * 500;
    let recording = run_http(load, &Stop::new()).unwrap();
    assert!(recording.complete && recording.aborted.is_none());
    assert_eq!(counted(&recording).total(), 500);
}

#[test]
fn what_goes_wrong_in_the_warm_up_ends_nothing() {
    let sink = sink("none", Some("status:500@0..290"), 200);
    let mut load = long(sink.address().port(), errors_below(0.05, MS * 100));
    (load.options.warm_up, load.options.duration) = (MS * 300, MS * 300);
    let recording = run_http(load, &Stop::new()).unwrap();
    assert!(recording.complete && recording.aborted.is_none(), "{:?}", recording.aborted);
}

#[test]
fn a_stop_is_no_abort_and_waits_for_what_is_under_way() {
    let sink = sink("fixed:600ms", None, 200);
    let stop = Stop::new();
    stop.stop();
    let mut load = long(sink.address().port(), p95_below(MS * 10_000, MS * 100));
    load.options.duration = MS * 200;
    assert_eq!(run_http(load.clone(), &stop).unwrap().aborted, None);
    let recording = run_http(HttpLoad { abort: vec![], ..load }, &Stop::new()).unwrap();
    assert_eq!((counted(&recording).cut, recording.complete), (0, true));
}

#[test]
fn a_thread_that_has_ended_does_not_keep_the_others_from_being_judged() {
    let stop = Stop::new();
    let rule = p95_below(MS * 50, MS * 100);
    let sentry = Sentry::new(vec![rule], (Duration::ZERO, MS * 1_000), MS * 10, (2, &stop));
    let [mut first, second] = [0, 1].map(|thread| sentry.lookout(thread).unwrap());
    first.report(MS * 100, [MS * 10].into_iter());
    assert_eq!(sentry.aborted(), None, "the other thread has not told anything");
    second.leave(MS * 110);
    assert_eq!(sentry.aborted().unwrap().rule, rule);
    assert!(sentry.lookout(0).is_some());
}

#[test]
fn what_all_threads_see_is_judged_together() {
    let stop = Stop::new();
    let rule = p95_below(MS * 50, MS * 100);
    let sentry = Sentry::new(vec![rule], (Duration::ZERO, MS * 1_000), MS * 10, (2, &stop));
    let [mut first, mut second] = [0, 1].map(|thread| sentry.lookout(thread).unwrap());
    // One in twenty is slow, whatever the first thread alone would say.
    first.report(MS * 100, [MS * 10].into_iter());
    second.report(MS * 100, std::iter::repeat_n(MS * 90, 19));
    assert_eq!(sentry.aborted(), None);
    first.report(MS * 200, [MS * 10; 2].into_iter());
    second.report(MS * 200, std::iter::repeat_n(MS * 190, 19));
    assert!(sentry.aborted().is_some());
}
