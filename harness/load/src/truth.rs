//! Tests of whole runs on a paused clock: does the recording tell what happened?

use std::sync::Arc;
use std::time::Duration;

use cutover_model::Shard;
use tokio::sync::watch;
use tokio::time::{Instant, sleep, sleep_until};

use crate::{
    Closed, Labelled, Model, Operation, Outcome, OutcomeClass, Rate, Recording, RunError,
    RunOptions, Schedule, Spacing, Stage, run_closed, run_open,
};

const MS: Duration = Duration::from_millis(1);

/// What the server of a test does with a request.
#[derive(Clone)]
enum Server {
    Instant,
    /// Answers after this time.
    After(Duration),
    /// Answers at once, but for one stretch of time in which nothing is answered.
    Stalls {
        from: Instant,
        to: Instant,
    },
    Never,
    Ends(OutcomeClass),
    /// Notes the numbers that it is given.
    Notes(Arc<std::sync::Mutex<Vec<u64>>>),
    Panics,
}

impl Operation for Server {
    async fn run(&self, k: u64) -> Outcome {
        match self {
            Self::Instant => {}
            Self::After(time) => sleep(*time).await,
            Self::Stalls { from, to } => {
                if Instant::now() >= *from && Instant::now() < *to {
                    sleep_until(*to).await;
                }
            }
            Self::Never => std::future::pending().await,
            Self::Ends(class) => return Outcome::failed(*class),
            Self::Notes(numbers) => numbers.lock().unwrap().push(k),
            Self::Panics => panic!("as asked"),
        }
        Outcome::ok(10)
    }
}

fn labelled(label: &str, operation: Server) -> Labelled<Server> {
    Labelled { label: label.into(), weight: 1, operation }
}

fn constant(per_second: u64) -> Schedule {
    Schedule::constant(Rate::per_second(per_second), 1).unwrap()
}

fn options(seconds: u64) -> RunOptions {
    RunOptions {
        duration: Duration::from_secs(seconds),
        warm_up: Duration::ZERO,
        timeout: Duration::from_secs(10),
        connections: 16,
        shard: Shard::WHOLE,
    }
}

fn never_stopped() -> watch::Receiver<bool> {
    watch::channel(false).1
}

async fn open(server: Server, per_second: u64, options: RunOptions) -> Recording {
    let operations = vec![labelled("query", server)];
    run_open(operations, constant(per_second), options, never_stopped()).await.unwrap()
}

fn near(actual: Duration, expected_ms: u64) -> bool {
    let expected = MS * u32::try_from(expected_ms).unwrap();
    actual.abs_diff(expected) <= expected / 100
}

#[tokio::test(start_paused = true)]
async fn a_stall_of_two_seconds_is_charged_to_everyone_who_had_to_wait() {
    let stall = Instant::now() + Duration::from_secs(4);
    let server = Server::Stalls { from: stall, to: stall + Duration::from_secs(2) };
    let recording = open(server, 1000, options(10)).await;
    let summary = recording.summary("query").unwrap();
    assert_eq!(summary.samples, 10_000);
    let response = summary.response.unwrap();
    assert!(near(response.p90, 1000), "p90 {:?}", response.p90);
    assert!(near(response.p95, 1500), "p95 {:?}", response.p95);
    assert!(near(response.p99, 1900), "p99 {:?}", response.p99);
    assert!(near(response.max, 2000), "max {:?}", response.max);
    assert!(response.p50 <= MS, "p50 {:?}", response.p50);
}

#[tokio::test(start_paused = true)]
async fn the_service_time_of_a_stall_is_what_the_connections_saw() {
    let stall = Instant::now() + Duration::from_secs(4);
    let server = Server::Stalls { from: stall, to: stall + Duration::from_secs(2) };
    let summary = open(server, 1000, options(10)).await.summary("query").unwrap();
    let service = summary.service.unwrap();
    assert!(service.p99 <= MS, "only 16 of 10,000 requests were under way, p99 {:?}", service.p99);
    assert!(near(service.max, 2000), "max {:?}", service.max);
}

#[tokio::test(start_paused = true)]
async fn waiting_for_a_stalled_server_is_not_taken_for_lag_of_the_generator() {
    let stall = Instant::now() + Duration::from_secs(4);
    let server = Server::Stalls { from: stall, to: stall + Duration::from_secs(2) };
    let summary = open(server, 1000, options(10)).await.summary("query").unwrap();
    assert!(summary.lag_p95.unwrap() <= MS, "lag {:?}", summary.lag_p95);
    assert!((1900..=2000).contains(&summary.waited), "{} waited", summary.waited);
}

#[tokio::test(start_paused = true)]
async fn an_answer_after_a_known_time_is_measured_as_that_time() {
    let summary = open(Server::After(MS * 20), 100, options(10)).await.summary("query").unwrap();
    let response = summary.response.unwrap();
    assert!(near(response.p50, 20) && near(response.p99, 20), "{response:?}");
    assert_eq!(summary.outcomes.ok, 1000);
    assert_eq!(summary.work, 10_000);
}

#[tokio::test(start_paused = true)]
async fn an_unhurried_run_achieves_the_rate_that_was_asked() {
    let summary = open(Server::Instant, 250, options(8)).await.summary("query").unwrap();
    assert_eq!(summary.asked_per_second, Some(250.0));
    assert!((summary.achieved_per_second - 250.0).abs() < 1e-9);
    assert!((summary.work_per_second - 2500.0).abs() < 1e-9);
}

#[tokio::test(start_paused = true)]
async fn a_server_that_is_too_slow_for_the_rate_lowers_what_is_achieved() {
    // 16 connections and 40 ms each allow 400 requests a second.
    let summary = open(Server::After(MS * 40), 500, options(10)).await.summary("query").unwrap();
    assert_eq!(summary.asked_per_second, Some(500.0));
    let achieved = summary.achieved_per_second;
    assert!((390.0..=410.0).contains(&achieved), "{achieved}");
}

#[tokio::test(start_paused = true)]
async fn errors_stay_in_the_base_of_the_percentiles() {
    for class in
        [OutcomeClass::Error("503"), OutcomeClass::Rejected("400"), OutcomeClass::WrongAnswer]
    {
        let summary = open(Server::Ends(class), 100, options(1)).await.summary("query").unwrap();
        assert_eq!(summary.samples, 100);
        assert_eq!((summary.outcomes.ok, summary.outcomes.not_ok()), (0, 100));
        assert!(summary.response.is_some());
    }
}

#[tokio::test(start_paused = true)]
async fn errors_are_counted_by_code() {
    let server = Server::Ends(OutcomeClass::Error("503"));
    let summary = open(server, 100, options(1)).await.summary("query").unwrap();
    assert_eq!(summary.outcomes.errors, [("503".to_owned(), 100)].into());
}

#[tokio::test(start_paused = true)]
async fn a_server_that_never_answers_gives_timeouts_as_long_as_the_timeout() {
    let options = RunOptions { timeout: Duration::from_secs(2), connections: 1000, ..options(5) };
    let summary = open(Server::Never, 100, options).await.summary("query").unwrap();
    assert_eq!((summary.samples, summary.outcomes.timeouts), (500, 500));
    assert!(summary.response.unwrap().p50 >= Duration::from_secs(2));
}

#[tokio::test(start_paused = true)]
async fn an_operation_that_gives_up_early_still_counts_as_the_timeout() {
    let server = Server::Ends(OutcomeClass::Timeout);
    let summary = open(server, 100, options(1)).await.summary("query").unwrap();
    assert!(summary.response.unwrap().p50 >= Duration::from_secs(10));
    assert!(summary.service.unwrap().p50 >= Duration::from_secs(10));
}

#[tokio::test(start_paused = true)]
async fn arrivals_that_could_never_be_sent_stay_in_the_base_with_their_wait() {
    let options = RunOptions { timeout: Duration::from_secs(3), connections: 1, ..options(5) };
    let summary = open(Server::Never, 100, options).await.summary("query").unwrap();
    assert_eq!(summary.samples, 500);
    assert_eq!(summary.outcomes.timeouts + summary.outcomes.unsent, 500);
    assert!(summary.outcomes.unsent >= 496, "{:?}", summary.outcomes);
    assert!(summary.response.unwrap().p50 >= Duration::from_secs(3));
    assert!(summary.achieved_per_second < 1.0);
}

#[tokio::test(start_paused = true)]
async fn the_warm_up_is_kept_apart() {
    let stall = Instant::now();
    let server = Server::Stalls { from: stall, to: stall + Duration::from_secs(1) };
    let options = RunOptions { warm_up: Duration::from_secs(2), ..options(3) };
    let recording = open(server, 100, options).await;
    let operation = &recording.operations["query"];
    assert_eq!(operation.warm_up.response.samples(), 200);
    assert!(operation.warm_up.response.max().unwrap() > MS * 900);
    let summary = recording.summary("query").unwrap();
    assert_eq!(summary.samples, 300);
    assert!(summary.response.unwrap().max <= MS);
    assert_eq!(summary.asked_per_second, Some(100.0));
}

#[tokio::test(start_paused = true)]
async fn the_seconds_of_a_stall_show_when_it_was() {
    let stall = Instant::now() + Duration::from_secs(4);
    let server = Server::Stalls { from: stall, to: stall + Duration::from_secs(2) };
    let recording = open(server, 1000, options(10)).await;
    let query = &recording.operations["query"];
    let answered: Vec<u64> = (0..10).map(|second| query.seconds[&second].ended).collect();
    // The lead before the first arrival and the stall fall into the same few milliseconds.
    assert!(answered[0..4].iter().all(|count| (990..=1010).contains(count)), "{answered:?}");
    assert!(answered[4] + answered[5] < 2_020 && answered[5] >= 1_900, "{answered:?}");
    let p50 = |seconds| query.response_in(seconds).quantile(crate::Quantile::P50).unwrap();
    assert!(p50(0..4) <= MS);
    assert!(near(p50(4..6), 1000), "{:?}", p50(4..6));
}

#[tokio::test(start_paused = true)]
async fn two_operations_get_the_same_rounds_and_equal_shares() {
    let notes = [Arc::default(), Arc::default()];
    let operations = vec![
        labelled("source", Server::Notes(Arc::clone(&notes[0]))),
        labelled("destination", Server::Notes(Arc::clone(&notes[1]))),
    ];
    let recording = run_open(operations, constant(100), options(2), never_stopped()).await.unwrap();
    for label in ["source", "destination"] {
        assert_eq!(recording.summary(label).unwrap().samples, 100);
    }
    let [source, destination] = notes.map(|numbers| numbers.lock().unwrap().clone());
    assert_eq!(source, destination);
    assert_eq!(source, (0..100).collect::<Vec<u64>>());
}

#[tokio::test(start_paused = true)]
async fn a_stopped_run_ends_early_and_says_so() {
    let (told, stop) = watch::channel(false);
    let operations = vec![labelled("query", Server::Instant)];
    let run = tokio::spawn(run_open(operations, constant(100), options(60), stop));
    sleep(Duration::from_secs(5)).await;
    told.send(true).unwrap();
    let told_at = Instant::now();
    let recording = run.await.unwrap().unwrap();
    assert!(told_at.elapsed() <= MS * 10);
    assert!(!recording.complete);
    let summary = recording.summary("query").unwrap();
    assert!((490..=501).contains(&summary.samples), "{}", summary.samples);
    assert!((summary.asked_per_second.unwrap() - 100.0).abs() < 0.5);
}

#[tokio::test(start_paused = true)]
async fn a_run_that_goes_to_its_end_is_complete() {
    assert!(open(Server::Instant, 10, options(1)).await.complete);
}

#[tokio::test(start_paused = true)]
async fn a_run_in_which_nothing_arrives_has_no_percentile() {
    let rate = Rate { operations: 1, per: Duration::from_hours(1) };
    // The first arrival of this seed comes after the end.
    let stages = vec![Stage::level(rate, Duration::ZERO)];
    let schedule = Schedule::new(stages, Spacing::Poisson, 1).unwrap();
    assert!(schedule.intended(0) > Some(Duration::from_secs(1)));
    let operations = vec![labelled("query", Server::Instant)];
    let recording = run_open(operations, schedule, options(1), never_stopped()).await.unwrap();
    let summary = recording.summary("query").unwrap();
    assert_eq!(summary.samples, 0);
    assert_eq!((summary.response, summary.service, summary.lag_p95), (None, None, None));
}

#[tokio::test(start_paused = true)]
async fn an_operation_that_panics_spoils_the_run() {
    let operations = vec![labelled("query", Server::Panics)];
    let run = run_open(operations, constant(10), options(1), never_stopped()).await;
    assert_eq!(run, Err(RunError::Panicked));
}

#[tokio::test(start_paused = true)]
async fn a_label_used_twice_is_refused() {
    let operations = vec![labelled("q", Server::Instant), labelled("q", Server::Instant)];
    let run = run_open(operations, constant(10), options(1), never_stopped()).await;
    assert_eq!(run, Err(RunError::RepeatedLabel("q".into())));
}

fn users(users: u32) -> Closed {
    Closed { users, think: MS * 80, ramp_up: Duration::ZERO, seed: 5 }
}

async fn closed(server: Server, closed: Closed, options: RunOptions) -> Recording {
    let operations = vec![labelled("query", server)];
    run_closed(operations, closed, options, never_stopped()).await.unwrap()
}

#[tokio::test(start_paused = true)]
async fn fifty_users_ask_once_in_each_answer_and_pause() {
    let recording = closed(Server::After(MS * 20), users(50), options(10)).await;
    assert_eq!(recording.model, Model::Closed);
    let summary = recording.summary("query").unwrap();
    // 50 users, one request each in 100 ms, give or take a tick in each cycle.
    assert!((4900..=5000).contains(&summary.samples), "{}", summary.samples);
    assert!(near(summary.response.unwrap().p99, 20));
    assert_eq!(summary.asked_per_second, None);
}

#[tokio::test(start_paused = true)]
async fn users_join_at_equal_distances() {
    let joining = Closed { ramp_up: Duration::from_secs(5), think: MS * 999, ..users(5) };
    let recording = closed(Server::After(MS), joining, options(10)).await;
    let ended = |second| recording.operations["query"].seconds[&second].ended;
    assert_eq!((ended(0), ended(2), ended(4), ended(8)), (1, 3, 5, 5));
}

#[tokio::test(start_paused = true)]
async fn a_user_who_gets_no_answer_waits_for_the_timeout() {
    let options = RunOptions { timeout: Duration::from_secs(1), ..options(5) };
    let summary = closed(Server::Never, users(2), options).await.summary("query").unwrap();
    assert_eq!(summary.outcomes.timeouts, summary.samples);
    assert!(summary.response.unwrap().p50 >= Duration::from_secs(1));
}

#[tokio::test(start_paused = true)]
async fn no_two_users_share_a_round() {
    let notes = Arc::default();
    closed(Server::Notes(Arc::clone(&notes)), users(7), options(2)).await;
    let mut rounds = notes.lock().unwrap().clone();
    let asked = rounds.len();
    rounds.sort_unstable();
    rounds.dedup();
    assert_eq!(rounds.len(), asked);
}

#[tokio::test(start_paused = true)]
async fn a_stop_ends_a_closed_run_in_the_middle_of_a_pause() {
    let (told, stop) = watch::channel(false);
    let thinking = Closed { think: Duration::from_secs(50), ..users(3) };
    let operations = vec![labelled("query", Server::Instant)];
    let run = tokio::spawn(run_closed(operations, thinking, options(60), stop));
    sleep(Duration::from_secs(5)).await;
    told.send(true).unwrap();
    let told_at = Instant::now();
    assert!(!run.await.unwrap().unwrap().complete);
    assert!(told_at.elapsed() <= MS * 10);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_run_on_the_real_clock_sends_every_arrival_once() {
    let notes = Arc::default();
    let operations = vec![labelled("query", Server::Notes(Arc::clone(&notes)))];
    let options = RunOptions { duration: MS * 100, ..options(1) };
    let recording = run_open(operations, constant(10_000), options, never_stopped()).await.unwrap();
    let mut numbers = notes.lock().unwrap().clone();
    numbers.sort_unstable();
    assert_eq!(numbers, (0..1000).collect::<Vec<u64>>());
    assert_eq!(recording.summary("query").unwrap().samples, 1000);
}

#[tokio::test(start_paused = true)]
async fn a_run_whose_end_no_clock_can_name_is_refused() {
    let options = RunOptions { duration: Duration::MAX, ..options(1) };
    let operations = || vec![labelled("query", Server::Instant)];
    let open = run_open(operations(), constant(10), options, never_stopped()).await;
    assert_eq!(open, Err(RunError::TooLong));
    let closed = run_closed(operations(), users(1), options, never_stopped()).await;
    assert_eq!(closed, Err(RunError::TooLong));
}
