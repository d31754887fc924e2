//! Searches against simulated queues whose capacity is known.

use cutover_model::draw::draw_unit;

use super::*;
use crate::operation::Outcome;
use crate::recorder::{Arrived, Frame, Recorder};
use crate::recording::{Model, Recording};

const LIMIT: Duration = Duration::from_millis(50);

/// Servers with one queue. Their arrivals and service times are what a test says.
#[derive(Clone, Copy)]
struct Queue {
    servers: u32,
    service: Duration,
    /// Whether arrivals and service times are exponential or always the same.
    arrivals: Law,
    serving: Law,
    seed: u64,
    /// The share of trials during which the machine stands still for a while.
    hiccups: f64,
}

#[derive(Clone, Copy, PartialEq)]
enum Law {
    Fixed,
    Exponential,
}

impl Law {
    fn draw(self, mean: f64, unit: f64) -> f64 {
        match self {
            Self::Fixed => mean,
            Self::Exponential => -(1.0 - unit).ln() * mean,
        }
    }
}

impl Queue {
    /// One server that is asked as by many people.
    fn mm1(per_second: f64, seed: u64) -> Self {
        let service = Duration::from_secs_f64(1.0 / per_second);
        let law = Law::Exponential;
        Self { servers: 1, service, arrivals: law, serving: law, seed, hiccups: 0.0 }
    }

    fn capacity(&self) -> f64 {
        f64::from(self.servers) / self.service.as_secs_f64()
    }

    /// One trial: what a recording says of it, and how long it took until the queue was empty.
    fn run(&self, attempt: Attempt, number: u64) -> (Recording, Duration) {
        let Attempt { rate, warm_up, duration } = attempt;
        let seed = self.seed * 1_000 + number;
        let end = (warm_up + duration).as_secs_f64();
        let mut recorder = Recorder::new(1, warm_up, Duration::from_mins(1));
        let mut free = vec![0.0_f64; self.servers as usize];
        let still = end * draw_unit(seed, 9, 0);
        let stands = draw_unit(seed, 9, 1) < self.hiccups;
        let (mut now, mut last, mut k) = (0.0, 0.0_f64, 0);
        loop {
            now += self.arrivals.draw(1.0 / rate.per_second(), draw_unit(seed, 1, k));
            if now >= end {
                break;
            }
            let server = (0..free.len()).min_by(|a, b| free[*a].total_cmp(&free[*b])).unwrap();
            let mut begins = now.max(free[server]);
            if stands && (still..still + 0.5).contains(&begins) {
                begins = still + 0.5;
            }
            let served = self.serving.draw(self.service.as_secs_f64(), draw_unit(seed, 2, k));
            free[server] = begins + served;
            last = last.max(free[server]);
            let at = Duration::from_secs_f64;
            recorder.record(Arrived {
                operation: 0,
                due: at(now),
                free: at(now),
                sent: at(now),
                done: at(free[server]),
                outcome: Outcome::ok(1),
            });
            k += 1;
        }
        let frame = Frame { model: Model::Open, duration, stopped: None };
        let took = Duration::from_secs_f64(last.max(end));
        (recorder.finish(frame, vec!["request".to_owned()]), took)
    }
}

/// As a caller judges: the queue first, then the interval of the p95 against the limit.
fn judged(recording: &Recording) -> TrialOutcome {
    if queue_grows(recording, "request") {
        return TrialOutcome::Breaks;
    }
    match recording.summary("request").unwrap().certainty.p95 {
        None => TrialOutcome::Untold,
        Some(interval) if interval.high < LIMIT => TrialOutcome::Holds,
        Some(interval) if interval.low >= LIMIT => TrialOutcome::Breaks,
        Some(_) => TrialOutcome::Straddles,
    }
}

fn rate(per_second: f64) -> Rate {
    Rate::try_from(per_second).unwrap()
}

fn plan(from: f64, to: f64) -> RateSearchPlan {
    RateSearchPlan {
        from: rate(from),
        to: rate(to),
        precision: Ratio::from_percent(3.0).unwrap(),
        trial: Duration::from_secs(6),
        budget: Duration::from_mins(2),
    }
}

/// Searches with what `outcome` says of each trial.
fn search(
    plan: RateSearchPlan,
    mut outcome: impl FnMut(Attempt, u64) -> (TrialOutcome, Duration),
) -> (SearchEnd, RateSearch) {
    let mut search = RateSearch::new(plan).unwrap();
    for number in 0..200 {
        match search.next() {
            Next::Ended(end) => return (end, search),
            Next::Try(attempt) => {
                let (outcome, took) = outcome(attempt, number);
                search.tell(Trial { rate: attempt.rate, outcome, took });
            }
        }
    }
    panic!("it does not end: {search:?}");
}

fn search_queue(plan: RateSearchPlan, queue: Queue) -> (SearchEnd, RateSearch) {
    search(plan, |attempt, number| {
        let (recording, took) = queue.run(attempt, number);
        (judged(&recording), took)
    })
}

/// How many of so many searches end within 3 % of the truth, each for servers of another speed,
/// whose truth is a function of their capacity. None may take longer than its budget.
fn near(truth: impl Fn(f64) -> f64, seeds: u64, queue: Queue) -> usize {
    let near = (0..seeds).filter(|seed| {
        let service = queue.service.mul_f64(0.75 + 0.5 * draw_unit(*seed, 7, 0));
        let queue = Queue { service, seed: *seed, ..queue };
        let (end, search) = search_queue(plan(50.0, 20_000.0), queue);
        assert!(search.spent() <= Duration::from_mins(2), "{:?}", search.spent());
        let SearchEnd::Found(found) = end else { return false };
        (found.rate.per_second() / truth(queue.capacity()) - 1.0).abs() <= 0.03
    });
    near.count()
}

/// The limit of a rate alone, for searches without a queue.
fn edge_at(edge: f64) -> impl Fn(Attempt, u64) -> (TrialOutcome, Duration) {
    move |attempt, _| {
        let holds = attempt.rate.per_second() <= edge;
        let outcome = if holds { TrialOutcome::Holds } else { TrialOutcome::Breaks };
        (outcome, attempt.warm_up + attempt.duration)
    }
}

/// Eight servers that take 4 ms for each request.
fn eight(arrivals: Law) -> Queue {
    let service = Duration::from_millis(4);
    Queue { servers: 8, service, arrivals, serving: Law::Fixed, seed: 0, hiccups: 0.0 }
}

#[test]
fn the_capacity_of_a_queue_with_poisson_arrivals_is_found_within_3_percent_by_95_of_100_searches() {
    // In heavy traffic a wait is exponential with a mean of half a service time, by the servers, by
    // what is spare of the capacity.
    let truth = |capacity: f64| {
        let waited = LIMIT.as_secs_f64() - 8.0 / capacity;
        capacity - 20_f64.ln() / 2.0 / waited
    };
    let near = near(truth, 200, eight(Law::Exponential));
    assert!(near >= 190, "{near} of 200");
}

#[test]
fn the_edge_of_a_queue_that_is_all_chance_is_found_within_3_percent_by_95_of_100_searches() {
    // The response of such a queue is exponential, with a mean of 1 / (capacity - rate).
    let truth = |capacity| capacity - 20_f64.ln() / LIMIT.as_secs_f64();
    let near = near(truth, 40, Queue::mm1(4_000.0, 0));
    assert!(near >= 38, "{near} of 40");
}

#[test]
fn a_machine_that_stands_still_in_one_of_twenty_trials_does_not_fool_the_search() {
    let near = near(|capacity| capacity, 40, Queue { hiccups: 0.05, ..eight(Law::Fixed) });
    assert!(near >= 38, "{near} of 40");
}

#[test]
fn a_queue_that_grows_breaks_its_rate_while_its_p95_is_still_under_the_limit() {
    let queue = Queue { arrivals: Law::Fixed, serving: Law::Fixed, ..Queue::mm1(1_000.0, 1) };
    let (warm_up, duration) = (Duration::from_secs(1), Duration::from_secs(4));
    let attempt = |per_second| Attempt { rate: rate(per_second), warm_up, duration };
    let (recording, _) = queue.run(attempt(1_006.0), 0);
    let p95 = recording.summary("request").unwrap().response.unwrap().p95;
    assert!(p95 < LIMIT, "{p95:?}");
    assert_eq!(judged(&recording), TrialOutcome::Breaks);
    let (recording, _) = queue.run(attempt(999.0), 0);
    assert_eq!(judged(&recording), TrialOutcome::Holds);
}

#[test]
fn the_queue_of_a_load_that_is_served_is_not_said_to_grow() {
    let (warm_up, duration) = (Duration::from_secs(1), Duration::from_secs(4));
    let attempt = Attempt { rate: rate(900.0), warm_up, duration };
    let grows = (0..200).filter(|seed| {
        let (recording, _) = Queue::mm1(1_200.0, *seed).run(attempt, 0);
        queue_grows(&recording, "request")
    });
    let grows = grows.count();
    assert!(grows <= 10, "{grows} of 200");
}

#[test]
fn an_operation_that_is_not_there_has_no_queue() {
    let attempt = Attempt {
        rate: rate(10.0),
        warm_up: Duration::from_secs(1),
        duration: Duration::from_secs(4),
    };
    let (recording, _) = Queue::mm1(100.0, 1).run(attempt, 0);
    assert!(!queue_grows(&recording, "another"));
}

#[test]
fn a_sharp_edge_is_found_wherever_it_is() {
    for edge in [110.0, 333.0, 5_000.0, 17_000.0] {
        let (end, _) = search(plan(100.0, 20_000.0), edge_at(edge));
        let SearchEnd::Found(found) = end else { panic!("{edge}: {end:?}") };
        assert!((found.rate.per_second() / edge - 1.0).abs() < 0.03, "{edge}: {found:?}");
        let range = found.low.per_second()..=found.high.per_second();
        assert!(range.contains(&edge), "{edge}: {found:?}");
    }
}

#[test]
fn a_service_that_holds_nothing_is_said_to_hold_nothing() {
    let (end, search) = search(plan(100.0, 20_000.0), edge_at(20.0));
    assert_eq!(end, SearchEnd::NothingHolds);
    assert!(search.trials() >= 2, "one trial alone decided");
}

#[test]
fn a_service_that_holds_everything_has_its_edge_beyond_the_highest_rate() {
    let (end, _) = search(plan(100.0, 20_000.0), edge_at(1e9));
    assert_eq!(end, SearchEnd::EverythingHolds);
}

#[test]
fn a_rate_that_the_generator_cannot_drive_is_the_generators_limit() {
    let (end, _) = search(plan(100.0, 20_000.0), |attempt, _| {
        let limited = attempt.rate.per_second() > 3_000.0;
        let outcome = if limited { TrialOutcome::GeneratorLimited } else { TrialOutcome::Holds };
        (outcome, attempt.warm_up + attempt.duration)
    });
    let SearchEnd::GeneratorLimited { held: Some(held), beyond } = end else { panic!("{end:?}") };
    assert!(held.per_second() <= 3_000.0 && beyond.per_second() > 3_000.0, "{end:?}");
    assert!(beyond.per_second() / held.per_second() < 1.04, "{end:?}");
}

#[test]
fn an_edge_below_what_the_generator_can_drive_is_found_all_the_same() {
    let (end, _) =
        search(plan(100.0, 20_000.0), |attempt, number| match attempt.rate.per_second() {
            3_000.0.. => (TrialOutcome::GeneratorLimited, attempt.duration),
            _ => edge_at(2_500.0)(attempt, number),
        });
    let SearchEnd::Found(found) = end else { panic!("{end:?}") };
    assert!((found.rate.per_second() / 2_500.0 - 1.0).abs() < 0.03, "{found:?}");
}

#[test]
fn trials_that_tell_nothing_end_without_a_rate_that_was_found() {
    let (end, _) = search(plan(100.0, 20_000.0), |attempt, _| {
        (TrialOutcome::Untold, attempt.warm_up + attempt.duration)
    });
    assert!(matches!(end, SearchEnd::Unsettled(_)), "{end:?}");
}

#[test]
fn a_generator_that_can_drive_nothing_is_no_service_that_holds_nothing() {
    let (end, _) = search(plan(100.0, 20_000.0), |attempt, _| {
        (TrialOutcome::GeneratorLimited, attempt.duration)
    });
    assert!(matches!(end, SearchEnd::GeneratorLimited { held: None, .. }), "{end:?}");
}

#[test]
fn a_budget_that_is_too_short_ends_with_the_range_that_is_left() {
    let short = RateSearchPlan { budget: Duration::from_secs(48), ..plan(100.0, 20_000.0) };
    let (end, search) = search(short, edge_at(5_000.0));
    let SearchEnd::Unsettled(found) = end else { panic!("{end:?}") };
    assert!(found.high.per_second() > found.low.per_second() * 1.1, "{found:?}");
    assert!(search.spent() <= short.budget);
}

#[test]
fn plans_of_which_nothing_can_come_are_refused_by_name() {
    let whole = plan(100.0, 200.0);
    let wrong = [
        RateSearchPlan { to: whole.from, ..whole },
        RateSearchPlan { precision: Ratio::ZERO, ..whole },
        RateSearchPlan { trial: Duration::from_secs(5), ..whole },
        RateSearchPlan { budget: Duration::from_secs(30), ..whole },
    ];
    for plan in wrong {
        let error = RateSearch::new(plan).unwrap_err().to_string();
        assert!(error.contains('`'), "{error}");
    }
}
