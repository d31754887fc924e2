//! Whole loads over real sockets against the sink: which class does each fault get?

use std::io::{self, Read as _, Write as _};
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::sync::Arc;
use std::time::{Duration, Instant};

use cutover_model::{Clock, Shard};
use cutover_standin_sink::{Sink, SinkOptions, SinkReport, Waiting};

use super::*;
use crate::{
    Closed, Labelled, OutcomeCounts, Rate, Recording, RunError, RunOptions, Schedule, Stop,
};

pub(super) const MS: Duration = Duration::from_millis(1);
const BODY: &[u8] = b"the answer that is due";

pub(super) fn sink(law: &str, fault: Option<&str>, status: u16) -> Sink {
    Sink::start(SinkOptions {
        address: SocketAddr::from((Ipv4Addr::LOCALHOST, 0)),
        law: law.parse().unwrap(),
        seed: 3,
        status,
        body: if status == 204 { vec![] } else { BODY.to_vec() },
        fault: fault.map(|text| text.parse().unwrap()),
        waiting: Waiting::Asleep,
    })
    .unwrap()
}

pub(super) fn get() -> HttpRequest {
    HttpRequest {
        method: Method::Get,
        path: "/".into(),
        headers: vec![],
        body: Body::Empty { work: 1 },
        gzip: None,
        answer: Answer { status: 200, body: BodyRule::Equals(BODY.to_vec()) },
    }
}

pub(super) fn write(points: u64) -> HttpRequest {
    let payload = Payload { bytes: b"m v=1\n".repeat(3), work: points };
    HttpRequest {
        method: Method::Post,
        body: Body::Fixed(payload),
        answer: Answer { status: 204, body: BodyRule::Any },
        ..get()
    }
}

pub(super) fn constant(per_second: u64) -> Pace {
    Pace::Open(Schedule::constant(Rate::per_second(per_second), 1).unwrap())
}

pub(super) fn users(users: u32) -> Pace {
    Pace::Closed(Closed { users, think: MS, ramp_up: Duration::ZERO, seed: 1 })
}

/// A wall clock that goes exactly as the steady one does.
fn wall() -> Clock {
    let start = Instant::now();
    Clock::new(move || i64::try_from(start.elapsed().as_nanos()).unwrap())
}

pub(super) fn load(port: u16, request: HttpRequest, pace: Pace) -> HttpLoad {
    HttpLoad {
        endpoint: Endpoint { host: "127.0.0.1".into(), port, tls: None },
        requests: vec![Labelled { label: "request".into(), weight: 1, operation: request }],
        pace,
        options: RunOptions {
            duration: MS * 200,
            warm_up: Duration::ZERO,
            timeout: MS * 300,
            connections: 4,
            shard: Shard::WHOLE,
        },
        threads: 2,
        wall: wall(),
        abort: vec![],
    }
}

fn run(load: HttpLoad) -> Recording {
    run_http(load, &Stop::new()).unwrap()
}

pub(super) fn counted(recording: &Recording) -> &OutcomeCounts {
    &recording.operations["request"].measured.outcomes
}

/// Ten requests, one after the other, to a sink with a fault.
fn ten(fault: &str, request: HttpRequest) -> (OutcomeCounts, u64, SinkReport) {
    let status = request.answer.status;
    let sink = sink("none", Some(fault), status);
    let mut load = load(sink.address().port(), request, constant(100));
    load.options.duration = MS * 100;
    load.options.connections = 10;
    let recording = run(load);
    let measured = &recording.operations["request"].measured;
    (measured.outcomes.clone(), measured.work, sink.stop().unwrap())
}

/// The one class that all ten got.
fn class_of(fault: &str, request: HttpRequest) -> String {
    let (counts, ..) = ten(fault, request);
    assert_eq!(counts.total(), 10, "{fault}: {counts:?}");
    one_class(&counts)
}

fn one_class(counts: &OutcomeCounts) -> String {
    let all = counts.total();
    let coded = |codes: &std::collections::BTreeMap<String, u64>, word: &str| {
        codes.iter().map(|(code, count)| (format!("{word}: {code}"), *count)).collect::<Vec<_>>()
    };
    let mut classes = coded(&counts.errors, "error");
    classes.extend(coded(&counts.rejected, "rejected"));
    classes.push(("ok".into(), counts.ok));
    classes.push(("timeout".into(), counts.timeouts));
    classes.push(("wrong answer".into(), counts.wrong_answers));
    classes.push(("unsent".into(), counts.unsent));
    let mut there = classes.into_iter().filter(|(_, count)| *count > 0);
    let (class, count) = there.next().expect("something was counted");
    assert_eq!(count, all, "{counts:?}");
    class
}

#[test]
fn each_fault_of_the_server_gets_its_class() {
    let cases = [
        ("close", "ok"),
        ("close-silently", "ok"),
        ("chunked", "ok"),
        ("slow-body:1", "ok"),
        ("wrong-body", "wrong answer"),
        ("status:204", "wrong answer"),
        ("status:302", "wrong answer"),
        ("status:400", "rejected: bad request"),
        ("status:401", "rejected: unauthorized"),
        ("status:404", "rejected: not found"),
        ("status:405", "rejected: refused"),
        ("status:413", "rejected: too large"),
        ("status:422", "rejected: partial write"),
        ("status:429", "error: throttled"),
        ("status:500", "error: server error"),
        ("status:503", "error: throttled"),
        ("cut-body", "error: truncated answer"),
        ("close-unanswered", "error: the connection broke"),
        ("reset", "error: the connection broke"),
        ("garbage", "error: malformed answer"),
        ("long-body", "error: malformed answer"),
        ("endless-head", "error: answer too long"),
        ("never", "timeout"),
        ("slow-body:30", "timeout"),
    ];
    std::thread::scope(|scope| {
        for (fault, class) in cases {
            scope.spawn(move || assert_eq!(class_of(fault, get()), class, "{fault}"));
        }
    });
}

#[test]
fn a_right_write_is_ok_and_does_its_work() {
    let (counts, work, report) = ten("throttle:1@99..", write(7));
    assert_eq!((counts.ok, work), (10, 70));
    assert_eq!((report.requests, report.body_bytes), (10, 180));
}

#[test]
fn the_points_that_a_partial_write_dropped_are_not_counted_as_work() {
    let (counts, work, _) = ten("status:422", write(7));
    assert_eq!(counts.rejected["partial write"], 10);
    assert_eq!(work, 10 * (7 - 3));
}

#[test]
fn a_422_in_the_middle_does_not_hide() {
    let (counts, ..) = ten("status:422@4..5", write(7));
    assert_eq!((counts.ok, counts.not_ok()), (9, 1));
}

#[test]
fn a_server_that_dies_late_fails_from_then_on() {
    let (counts, ..) = ten("dead@6..", get());
    assert_eq!((counts.ok, counts.total()), (6, 10), "{counts:?}");
    assert_eq!(counts.errors["the connection broke"] + counts.errors["no connection"], 4);
}

#[test]
fn a_dead_server_fails_every_arrival_and_ends_the_run_in_time() {
    let sink = sink("none", None, 200);
    let port = sink.address().port();
    sink.stop().unwrap();
    let recording = run(load(port, get(), constant(1_000)));
    assert_eq!(one_class(counted(&recording)), "error: no connection");
    assert_eq!(counted(&recording).total(), 200);
    assert!(recording.complete);
}

#[test]
fn a_name_that_does_not_resolve_fails_every_arrival() {
    let mut load = load(80, get(), constant(100));
    load.endpoint.host = "no-such-host.invalid".into();
    let recording = run(load);
    assert_eq!(one_class(counted(&recording)), "error: name not resolved");
    assert_eq!(counted(&recording).total(), 20);
}

#[test]
fn users_of_a_dead_server_are_failed_too() {
    let sink = sink("none", None, 200);
    let port = sink.address().port();
    sink.stop().unwrap();
    let recording = run(load(port, get(), users(3)));
    assert_eq!(one_class(counted(&recording)), "error: no connection");
}

#[test]
fn who_is_told_to_come_back_does_and_the_wait_is_in_the_response() {
    let sink = sink("none", Some("throttle:1@0..1"), 200);
    let mut load = load(sink.address().port(), get(), constant(5));
    load.options.timeout = MS * 3_000;
    let recording = run(load);
    let measured = &recording.operations["request"].measured;
    assert_eq!((measured.outcomes.ok, measured.retries), (1, 1));
    assert!(measured.response.min().unwrap() >= MS * 1_000);
    assert_eq!(sink.stop().unwrap().requests, 2);
}

#[test]
fn who_would_have_to_come_back_too_late_ends_at_the_timeout_as_throttled() {
    let sink = sink("none", Some("throttle:60"), 200);
    let recording = run(load(sink.address().port(), get(), constant(5)));
    let measured = &recording.operations["request"].measured;
    assert_eq!(measured.outcomes.errors["throttled"], 1);
    assert!(measured.response.min().unwrap() >= MS * 300);
    assert_eq!(sink.stop().unwrap().requests, 1);
}

#[test]
fn every_arrival_is_sent_once_by_whatever_number_of_threads() {
    for threads in [1, 2, 3, 9] {
        let sink = sink("none", None, 200);
        let load = load(sink.address().port(), get(), constant(2_000));
        let recording = run(HttpLoad { threads, ..load });
        assert_eq!(counted(&recording).ok, 400, "{threads} threads");
        let report = sink.stop().unwrap();
        assert_eq!((report.requests, report.connections), (400, 4), "{threads} threads");
        assert_eq!(recording.generator.unwrap().threads, threads.min(4) as u64);
    }
}

#[test]
fn a_frozen_server_is_charged_to_everyone_who_had_to_wait() {
    let sink = sink("stall:50ms:100ms", None, 200);
    let recording = run(load(sink.address().port(), get(), constant(1_000)));
    let summary = recording.summary("request").unwrap();
    let waited = recording.operations["request"].response_in(0..9);
    let slow = waited.counts().filter(|(time, _)| *time >= MS * 10).map(|(_, count)| count);
    assert_eq!(summary.samples, 200);
    assert!(slow.sum::<u64>() >= 89, "a hundred arrivals came while nothing moved");
    assert!(summary.waited >= 90, "{}", summary.waited);
}

#[test]
fn arrivals_that_found_no_connection_in_time_are_recorded_as_unsent() {
    let sink = sink("none", Some("never"), 200);
    let recording = run(load(sink.address().port(), get(), constant(1_000)));
    let counts = counted(&recording);
    assert_eq!(counts.total(), 200);
    assert!(counts.unsent >= 190 && counts.timeouts >= 4, "{counts:?}");
}

#[test]
fn a_stop_is_heard_within_the_tick_and_marks_the_recording() {
    let sink = sink("none", None, 200);
    let stop = Arc::new(Stop::new());
    let mut load = load(sink.address().port(), get(), constant(200));
    load.options.duration = MS * 60_000;
    let told = Arc::clone(&stop);
    load.requests[0].operation.answer.body = BodyRule::Judged(Arc::new(move |k, _| {
        if k == 20 {
            told.stop();
        }
        true
    }));
    let recording = run_http(load, &stop).unwrap();
    assert!(!recording.complete);
    assert!((21..=60).contains(&counted(&recording).ok), "{:?}", counted(&recording));
}

#[test]
fn nothing_is_sent_after_a_stop_while_answers_are_awaited() {
    let sink = sink("fixed:430ms", None, 200);
    let stop = Arc::new(Stop::new());
    // Due every 200 ms, and told to stop by the first answer: the fourth would be next.
    let mut load = load(sink.address().port(), get(), constant(5));
    (load.threads, load.options.connections) = (1, 16);
    (load.options.duration, load.options.timeout) = (MS * 2_000, MS * 3_000);
    let told = Arc::clone(&stop);
    load.requests[0].operation.answer.body = BodyRule::Judged(Arc::new(move |_, _| {
        told.stop();
        true
    }));
    let recording = run_http(load, &stop).unwrap();
    assert_eq!(counted(&recording).ok, 3);
    assert_eq!(sink.stop().unwrap().requests, 3);
}

#[test]
fn a_load_that_is_told_to_stop_beforehand_sends_nothing() {
    let sink = sink("none", None, 200);
    let load = load(sink.address().port(), get(), constant(1_000));
    let told = Stop::new();
    told.stop();
    let recording = run_http(load, &told).unwrap();
    assert!(!recording.complete);
    assert_eq!((counted(&recording).total(), sink.stop().unwrap().requests), (0, 0));
}

#[test]
fn requests_that_share_a_run_get_equal_shares_and_labels_of_their_own() {
    let sink = sink("none", None, 200);
    let mut load = load(sink.address().port(), get(), constant(1_000));
    load.requests.push(Labelled { label: "other".into(), weight: 1, operation: get() });
    let recording = run(load);
    for label in ["request", "other"] {
        assert_eq!(recording.summary(label).unwrap().outcomes.ok, 100, "{label}");
    }
}

#[test]
fn requests_come_as_often_as_their_weights_say() {
    let sink = sink("none", None, 200);
    let mut load = load(sink.address().port(), get(), constant(1_000));
    load.requests[0].weight = 7;
    load.requests.push(Labelled { label: "rare".into(), weight: 1, operation: get() });
    let recording = run(load);
    let ok = ["request", "rare"].map(|label| recording.summary(label).unwrap().outcomes.ok);
    assert_eq!(ok, [175, 25]);
}

#[test]
fn a_body_is_judged_for_the_request_that_it_answers() {
    let sink = sink("none", None, 200);
    let mut request = get();
    request.answer.body = BodyRule::EqualsInTurn(vec![BODY.to_vec(), b"another".to_vec()]);
    let recording = run(load(sink.address().port(), request, constant(100)));
    assert_eq!((counted(&recording).ok, counted(&recording).wrong_answers), (10, 10));
}

#[test]
fn a_part_is_found_in_a_body_that_comes_byte_by_byte() {
    let mut request = get();
    request.answer.body = BodyRule::Contains(b"answer that".to_vec());
    assert_eq!(class_of("slow-body:1", request.clone()), "ok");
    request.answer.body = BodyRule::Contains(b"answer  that".to_vec());
    assert_eq!(class_of("slow-body:1", request), "wrong answer");
}

#[test]
fn a_body_that_is_made_for_each_request_arrives_whole() {
    let sink = sink("none", None, 204);
    let mut request = write(0);
    let made: BodyWriter = Arc::new(|k, buffer| {
        buffer.extend(std::iter::repeat_n(b'x', 500_000));
        k
    });
    request.body = Body::Written(made);
    let mut load = load(sink.address().port(), request, constant(100));
    load.options.timeout = MS * 5_000;
    let recording = run(load);
    let measured = &recording.operations["request"].measured;
    assert_eq!((measured.outcomes.ok, measured.work), (20, (0..20).sum::<u64>()));
    assert_eq!(sink.stop().unwrap().body_bytes, 20 * 500_000);
}

#[test]
fn users_join_think_and_are_recorded_as_closed() {
    let sink = sink("fixed:9ms", None, 200);
    let recording = run(load(sink.address().port(), get(), users(5)));
    assert_eq!(recording.model, crate::Model::Closed);
    let counts = counted(&recording);
    // Five users, an answer after 9 ms, a thought of 1 ms: 100 at most in 200 ms.
    assert!(counts.ok <= 100 && counts.ok >= 20 && counts.not_ok() == 0, "{counts:?}");
    assert_eq!(sink.stop().unwrap().connections, 5);
}

#[test]
fn a_clock_that_is_set_during_the_run_is_noticed() {
    let sink = sink("none", None, 200);
    let load = load(sink.address().port(), get(), constant(100));
    let start = Instant::now();
    let set = Clock::new(move || {
        let elapsed = start.elapsed();
        let set = if elapsed > MS * 100 { 5_000_000_000 } else { 0 };
        i64::try_from(elapsed.as_nanos()).unwrap() + set
    });
    let set = run(HttpLoad { wall: set, ..load.clone() });
    assert!(set.generator.unwrap().clock_step >= MS * 4_999);
    assert!(run(load).generator.unwrap().clock_step < MS * 100);
}

#[test]
fn processor_time_is_measured_and_within_the_time_that_passed() {
    let sink = sink("none", None, 200);
    let recording = run(load(sink.address().port(), get(), constant(5_000)));
    let generator = recording.generator.unwrap();
    assert!(generator.cpu > Duration::ZERO && generator.cpu <= generator.lived);
    assert!((0.0..=1.0).contains(&generator.busy()));
}

/// A server that is not the sink's: each connection on a thread of its own, until it breaks.
fn server(serve: fn(TcpStream) -> io::Result<()>) -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    std::thread::spawn(move || {
        for socket in listener.incoming() {
            std::thread::spawn(move || serve(socket.unwrap()));
        }
    });
    port
}

#[test]
fn an_answer_without_end_times_out() {
    let port = server(|mut socket| {
        socket.write_all(b"HTTP/1.1 200 OK\r\n\r\n")?;
        loop {
            socket.write_all(&vec![b'x'; 100_000])?;
        }
    });
    let mut request = get();
    request.answer.body = BodyRule::Any;
    let mut load = load(port, request, constant(20));
    load.threads = 1;
    assert_eq!(one_class(counted(&run(load))), "timeout");
}

#[test]
fn an_answer_that_comes_before_the_request_is_whole_counts() {
    let port = server(|mut socket| {
        socket.read_exact(&mut [0; 100])?;
        socket.write_all(b"HTTP/1.1 413 Too Large\r\nContent-Length: 0\r\n\r\n")?;
        // Closing with input unread would reset the connection and might take the answer along.
        io::copy(&mut socket, &mut io::sink()).map(drop)
    });
    let mut request = write(1);
    request.body = Body::Fixed(Payload { bytes: vec![b'x'; 30_000_000], work: 1 });
    let mut load = load(port, request, constant(20));
    load.options.timeout = MS * 5_000;
    assert_eq!(one_class(counted(&run(load))), "rejected: too large");
}

#[test]
fn an_answer_that_ends_with_its_connection_is_whole() {
    let port = server(|mut socket| {
        assert!(socket.read(&mut [0; 4096])? > 0, "a request comes in one piece");
        socket.write_all(b"HTTP/1.0 200 OK\r\n\r\n")?;
        socket.write_all(BODY)
    });
    assert_eq!(one_class(counted(&run(load(port, get(), constant(50))))), "ok");
}

#[test]
fn a_load_that_cannot_be_is_refused_before_anything_is_sent() {
    let refused = |change: fn(&mut HttpLoad)| {
        let mut load = load(1, get(), constant(10));
        change(&mut load);
        run_http(load, &Stop::new()).unwrap_err()
    };
    assert_eq!(refused(|load| load.threads = 0), RunError::NoThread);
    assert_eq!(refused(|load| load.options.connections = 0), RunError::NoConnection);
    assert_eq!(refused(|load| load.requests.clear()), RunError::NoOperation);
    assert_eq!(refused(|load| load.pace = users(0)), RunError::NoUser);
    let idle = refused(|load| load.requests[0].weight = 0);
    assert_eq!(idle, RunError::ZeroWeight("request".into()));
    assert_eq!(refused(|load| load.options.timeout = Duration::MAX), RunError::TooLong);
    let smuggled = refused(|load| load.requests[0].operation.path = "/\r\n".into());
    assert!(matches!(smuggled, RunError::NotHttp(_)));
}
