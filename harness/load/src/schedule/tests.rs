//! Schedules: exact where they can be, in order always, and true to the area under the rate.

use proptest::prelude::*;

use super::*;

const SECOND: Duration = Duration::from_secs(1);

fn constant(rate: Rate) -> Schedule {
    Schedule::constant(rate, 7).unwrap()
}

fn even(stages: &[(u64, u64, u64)]) -> Schedule {
    Schedule::new(stages.iter().map(stage).collect(), Spacing::Even, 7).unwrap()
}

/// From and to in operations each second, over milliseconds.
fn stage((from, to, ms): &(u64, u64, u64)) -> Stage {
    let over = Duration::from_millis(*ms);
    Stage { from: Rate::per_second(*from), to: Rate::per_second(*to), over }
}

fn due_in(schedule: &Schedule, range: std::ops::Range<Duration>) -> usize {
    let before = schedule.instants().take_while(|due| *due < range.end);
    before.filter(|due| *due >= range.start).count()
}

#[test]
fn an_hour_of_arrivals_at_any_rate_ends_on_the_hour() {
    for operations in [1, 3, 7, 999, 10_000, 123_457, 1_000_000] {
        let due = constant(Rate::per_second(operations)).intended(operations * 3600);
        assert_eq!(due, Some(Duration::from_hours(1)));
    }
}

#[test]
fn an_hour_of_arrivals_after_other_stages_ends_on_the_hour() {
    for operations in [1, 3, 7, 999, 10_000, 123_457, 1_000_000] {
        let schedule = even(&[(10, 10, 1_500), (0, 50, 2_000), (operations, operations, 1_000)]);
        let due = schedule.intended(15 + 50 + operations * 3600);
        assert_eq!(due, Some(Duration::from_millis(3_500) + Duration::from_hours(1)));
    }
}

#[test]
fn the_first_constant_arrival_is_due_at_once() {
    let constant = constant(Rate::per_second(3));
    assert_eq!(constant.intended(0), Some(Duration::ZERO));
    assert_eq!(constant.intended(1), Some(Duration::from_nanos(333_333_333)));
}

#[test]
fn ten_operations_in_three_seconds_come_every_300_ms() {
    let constant = constant(Rate { operations: 10, per: 3 * SECOND });
    assert_eq!(constant.intended(7), Some(Duration::from_millis(2100)));
}

#[test]
fn the_last_number_of_all_does_not_overflow() {
    for per in [Duration::from_hours(1), Duration::MAX] {
        let constant = constant(Rate { operations: 1, per });
        assert!(constant.intended(u64::MAX).unwrap() > Duration::from_secs(u64::MAX / 2));
    }
}

#[test]
fn stages_beyond_the_age_of_the_world_do_not_overflow() {
    let rate = Rate { operations: 1, per: Duration::from_nanos(1) };
    let forever = Stage::level(rate, Duration::MAX);
    let schedule = Schedule::new(vec![forever; 3], Spacing::Even, 0).unwrap();
    assert_eq!(schedule.intended(u64::MAX), Some(Duration::from_nanos(u64::MAX)));
}

#[test]
fn a_rate_of_zero_is_refused() {
    let nothing = Rate::per_second(0);
    assert_eq!(Schedule::constant(nothing, 0), Err(ScheduleError::ZeroRate));
    let pauses = vec![Stage::level(nothing, SECOND); 2];
    assert_eq!(Schedule::new(pauses, Spacing::Poisson, 0), Err(ScheduleError::ZeroRate));
}

#[test]
fn no_stage_at_all_is_refused() {
    assert_eq!(Schedule::new(vec![], Spacing::Even, 0), Err(ScheduleError::NoStage));
}

#[test]
fn a_rate_in_no_time_is_refused() {
    let rate = Rate { operations: 5, per: Duration::ZERO };
    assert_eq!(Schedule::constant(rate, 0), Err(ScheduleError::ZeroPeriod));
}

#[test]
fn a_rate_above_one_in_a_nanosecond_is_refused() {
    let rate = Rate::per_second(1_000_000_001);
    assert_eq!(Schedule::constant(rate, 0), Err(ScheduleError::TooFast));
}

#[test]
fn a_ramp_from_zero_has_delivered_half_of_its_top_rate_on_average() {
    let ramp = even(&[(0, 100, 60_000)]);
    assert_eq!(due_in(&ramp, Duration::ZERO..Duration::from_mins(1)), 3000);
}

#[test]
fn after_the_last_stage_its_rate_goes_on() {
    let ramp = even(&[(10, 100, 10_000)]);
    assert_eq!(due_in(&ramp, 11 * SECOND..12 * SECOND), 100);
    assert_eq!(due_in(&ramp, 100 * SECOND..101 * SECOND), 100);
}

#[test]
fn a_step_changes_the_rate_at_its_instant() {
    let steps = even(&[(10, 10, 1_000), (100, 100, 1_000), (20, 20, 0)]);
    let seconds = [0, 1, 2, 3].map(|second| due_in(&steps, second * SECOND..(second + 1) * SECOND));
    assert_eq!(seconds, [10, 100, 20, 20]);
    assert_eq!(steps.intended(10), Some(SECOND));
    assert_eq!(steps.intended(11), Some(Duration::from_millis(1_010)));
}

#[test]
fn nothing_arrives_in_a_pause_and_the_first_after_it_comes_at_its_end() {
    for spacing in [Spacing::Even, Spacing::Poisson] {
        let stages = [(50, 50, 1_000), (0, 0, 2_000), (50, 50, 1_000)].iter().map(stage).collect();
        let schedule = Schedule::new(stages, spacing, 7).unwrap();
        assert_eq!(due_in(&schedule, SECOND..3 * SECOND), 0, "{spacing:?}");
    }
    let schedule = even(&[(50, 50, 1_000), (0, 0, 2_000), (50, 50, 1_000)]);
    assert_eq!(schedule.intended(50), Some(3 * SECOND));
}

#[test]
fn a_schedule_whose_last_rate_is_zero_ends() {
    let schedule = even(&[(100, 100, 1_000), (100, 0, 2_000)]);
    let all: Vec<_> = schedule.instants().collect();
    assert_eq!(all.len(), 200);
    assert!(*all.last().unwrap() < 3 * SECOND);
    assert_eq!(schedule.intended(200), None);
}

#[test]
fn a_falling_ramp_mirrors_a_rising_one() {
    let (rising, falling) = (even(&[(0, 100, 10_000)]), even(&[(100, 0, 10_000)]));
    for k in 1..500 {
        let sum = rising.intended(k).unwrap() + falling.intended(500 - k).unwrap();
        let off = sum.abs_diff(10 * SECOND);
        assert!(off <= Duration::from_nanos(2), "arrival {k} is {off:?} off");
    }
}

#[test]
fn poisson_gaps_have_the_mean_and_the_spread_of_their_law() {
    let stages = vec![Stage::level(Rate::per_second(1000), Duration::ZERO)];
    let poisson = Schedule::new(stages, Spacing::Poisson, 7).unwrap();
    let instants: Vec<f64> =
        poisson.instants().take(100_000).map(|due| due.as_secs_f64() * 1e3).collect();
    let gaps: Vec<f64> = instants.windows(2).map(|pair| pair[1] - pair[0]).collect();
    let mean = gaps.iter().sum::<f64>() / gaps.len() as f64;
    let variance = gaps.iter().map(|gap| (gap - mean).powi(2)).sum::<f64>() / gaps.len() as f64;
    // One standard error of the mean is 0.3 %, of the variance 0.9 %.
    assert!((mean - 1.0).abs() < 0.015, "mean gap {mean} ms");
    assert!((variance - 1.0).abs() < 0.045, "variance {variance}");
}

#[test]
fn the_counts_of_a_poisson_ramp_have_the_mean_and_the_spread_of_their_law() {
    let ramp = vec![stage(&(0, 200, 10_000))];
    let counts = (0..400_u64).map(|seed| {
        let schedule = Schedule::new(ramp.clone(), Spacing::Poisson, seed).unwrap();
        due_in(&schedule, 5 * SECOND..10 * SECOND) as f64
    });
    let counts: Vec<f64> = counts.collect();
    let mean = counts.iter().sum::<f64>() / 400.0;
    let variance = counts.iter().map(|count| (count - mean).powi(2)).sum::<f64>() / 400.0;
    // The law has 750 of each; one standard error of the mean is 1.4, of the variance 53.
    assert!((mean - 750.0).abs() < 6.0, "mean {mean}");
    assert!((variance - 750.0).abs() < 220.0, "variance {variance}");
}

/// Up to five stages of up to a second, a third of their rates zero.
fn stages() -> impl Strategy<Value = Vec<Stage>> {
    let rate = || {
        let operations = prop_oneof![1 => Just(0_u64), 2 => 1_u64..10_000];
        (operations, 1_u64..2_000_000_000).prop_map(|(operations, per)| {
            // At most one in a tenth of a millisecond, so that all can be counted.
            let operations = operations.min(per / 100_000);
            Rate { operations, per: Duration::from_nanos(per) }
        })
    };
    let level = (rate(), 0_u64..1_000_000_000)
        .prop_map(|(rate, over)| Stage::level(rate, Duration::from_nanos(over)));
    let ramp = (rate(), rate(), 0_u64..1_000_000_000).prop_map(|(from, to, over)| Stage {
        from,
        to,
        over: Duration::from_nanos(over),
    });
    proptest::collection::vec(prop_oneof![level, ramp], 1..6)
}

fn spacing() -> impl Strategy<Value = Spacing> {
    prop_oneof![Just(Spacing::Even), Just(Spacing::Poisson)]
}

proptest! {
    #[test]
    fn instants_never_go_back_and_agree_with_random_access(
        stages in stages(), spacing in spacing(), seed: u64,
    ) {
        let Ok(schedule) = Schedule::new(stages, spacing, seed) else { return Ok(()) };
        let mut last = Duration::ZERO;
        let mut instants = schedule.instants();
        for k in 0..300 {
            let due = instants.next();
            prop_assert_eq!(due, schedule.intended(k));
            let Some(due) = due else { break };
            prop_assert!(due >= last);
            last = due;
        }
    }

    #[test]
    fn passing_over_arrivals_does_not_move_the_others(
        stages in stages(), spacing in spacing(), seed: u64, first in 0_usize..50,
        step in 1_usize..50,
    ) {
        let Ok(schedule) = Schedule::new(stages, spacing, seed) else { return Ok(()) };
        let all: Vec<_> = schedule.instants().take(500).collect();
        let some: Vec<_> = schedule.instants().take(500).skip(first).step_by(step).collect();
        let expected: Vec<_> = all.into_iter().skip(first).step_by(step).collect();
        prop_assert_eq!(some, expected);
    }

    #[test]
    fn each_stage_has_as_many_arrivals_as_its_area(stages in stages(), seed: u64) {
        let Ok(schedule) = Schedule::new(stages.clone(), Spacing::Even, seed) else {
            return Ok(());
        };
        let end: Duration = stages.iter().map(|stage| stage.over).sum();
        let due: Vec<_> = schedule.instants().take_while(|due| *due < end).collect();
        let mut start = Duration::ZERO;
        for Stage { from, to, over } in stages {
            let area = f64::midpoint(from.as_per_second(), to.as_per_second()) * over.as_secs_f64();
            let until = start + over;
            let within = due.partition_point(|due| *due < until)
                - due.partition_point(|due| *due < start);
            prop_assert!((within as f64 - area).abs() <= 1.000_001, "{within} for {area}");
            start = until;
        }
    }
}
