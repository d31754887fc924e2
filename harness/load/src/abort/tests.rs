//! Windows: which slots are in one, what counts in it, and when a rule is broken.

use proptest::prelude::*;

use super::*;
use crate::counts::{LiveCounts, Packer};

const MS: Duration = Duration::from_millis(1);

fn p95(comparison: Comparison, limit: Duration, over: Duration) -> AbortRule {
    let limit = Limit { comparison, value: LimitValue::Duration(limit) };
    AbortRule { figure: AbortFigure::Response(Quantile::P95), limit, over }
}

fn below_50_ms() -> AbortRule {
    p95(Comparison::Below, MS * 50, MS * 300)
}

fn errors(share: f64, over: Duration) -> AbortRule {
    let value = LimitValue::Ratio(Ratio::try_from(share).unwrap());
    let limit = Limit { comparison: Comparison::Below, value };
    AbortRule { figure: AbortFigure::Errors, limit, over }
}

/// So many responses of each length.
fn tally(rules: &[AbortRule], responses: &[(u64, Duration)]) -> Tally {
    let (mut tally, mut live) = (Tally::new(rules.len()), LiveCounts::new());
    for (times, response) in responses {
        for _ in 0..*times {
            tally.count(rules, *response);
            live.record(*response);
        }
    }
    tally.responses = vec![live.pack(&mut Packer::new())];
    tally
}

fn failures(failed: u64, of: u64) -> Tally {
    let mut tally = Tally::new(1);
    for number in 0..of {
        tally.count(&[], MS);
        if number < failed {
            tally.count_failure();
        }
    }
    tally
}

/// Three slots of a hundred arrivals each, with so many slow ones in each.
fn judged(rule: AbortRule, slow: [u64; 3], length: Duration) -> Option<LimitValue> {
    let mut window = Window::new(vec![rule]);
    for (slot, slow) in (0..).zip(slow) {
        window.add(slot, &tally(&[rule], &[(100 - slow, MS), (slow, length)]));
    }
    window.judge(3, &Tally::new(1)).map(|(_, observed)| observed)
}

#[test]
fn a_window_is_broken_by_the_first_arrival_that_moves_its_p95_to_the_limit() {
    // The p95 of 300 is the 285th, so 15 may be slow.
    assert_eq!(judged(below_50_ms(), [5, 5, 5], MS * 50), None);
    let LimitValue::Duration(observed) = judged(below_50_ms(), [5, 5, 6], MS * 50).unwrap() else {
        panic!("a time is expected");
    };
    assert!(observed >= MS * 50 && observed < MS * 51, "{observed:?}");
}

#[test]
fn a_limit_that_may_be_reached_is_broken_only_beyond_it() {
    let rule = p95(Comparison::AtMost, MS * 50, MS * 300);
    assert_eq!(judged(rule, [100; 3], MS * 50), None);
    assert!(judged(rule, [100; 3], MS * 50 + Duration::from_nanos(1)).is_some());
}

#[test]
fn nothing_is_judged_before_the_first_whole_window() {
    let rule = below_50_ms();
    let mut window = Window::new(vec![rule]);
    let slow = tally(&[rule], &[(100, MS * 90)]);
    for slot in 0..2 {
        window.add(slot, &slow);
        assert_eq!(window.judge(slot + 1, &slow), None);
    }
    assert!(window.judge(3, &slow).is_some());
}

#[test]
fn what_happened_before_the_window_is_forgotten() {
    let rule = below_50_ms();
    let mut window = Window::new(vec![rule]);
    window.add(0, &tally(&[rule], &[(100, MS * 90)]));
    for slot in 1..4 {
        window.add(slot, &tally(&[rule], &[(100, MS)]));
    }
    assert_eq!(window.judge(4, &Tally::new(1)), None);
    assert_eq!(window.slots.len(), 2, "the next slot makes three");
}

#[test]
fn what_waits_counts_with_the_time_that_it_has_waited() {
    let rule = below_50_ms();
    let mut window = Window::new(vec![rule]);
    window.add(2, &tally(&[rule], &[(100, MS)]));
    assert_eq!(window.judge(3, &tally(&[rule], &[(5, MS * 60), (40, MS * 20)])), None);
    window.add(3, &Tally::new(1));
    let broken = window.judge(4, &tally(&[rule], &[(8, MS * 60), (40, MS * 20)]));
    let LimitValue::Duration(observed) = broken.unwrap().1 else { panic!("a time is expected") };
    assert!(observed >= MS * 60 && observed < MS * 61, "{observed:?}");
}

#[test]
fn a_server_that_has_never_answered_breaks_a_limit_of_latency() {
    let rule = below_50_ms();
    let mut window = Window::new(vec![rule]);
    assert!(window.judge(3, &tally(&[rule], &[(1, MS * 280)])).is_some());
}

#[test]
fn a_window_without_any_arrival_breaks_nothing() {
    let mut window = Window::new(vec![below_50_ms(), errors(0.0, MS * 300)]);
    assert_eq!(window.judge(3, &Tally::new(2)), None);
}

#[test]
fn the_share_of_errors_is_that_of_what_ended() {
    let mut window = Window::new(vec![errors(0.05, MS * 200)]);
    window.add(0, &failures(9, 100));
    window.add(1, &failures(0, 100));
    assert_eq!(window.judge(2, &Tally::new(1)), None);
    window.add(2, &failures(10, 100));
    let observed = LimitValue::Ratio(Ratio::try_from(0.05).unwrap());
    assert_eq!(window.judge(3, &failures(0, 1_000)).unwrap().1, observed);
}

#[test]
fn each_rule_has_a_window_of_its_own() {
    let rules = vec![errors(0.5, MS * 100), errors(0.05, MS * 1_000)];
    let mut window = Window::new(rules.clone());
    for slot in 0..10 {
        window.add(slot, &failures(6, 100));
        let broken = window.judge(slot + 1, &Tally::new(2)).map(|(rule, _)| rule);
        assert_eq!(broken, (slot == 9).then_some(rules[1]), "slot {slot}");
    }
}

#[test]
fn a_window_is_a_whole_number_of_slots_of_at_most_100_ms() {
    for (over, slot) in [(10_000, 100), (250, 83), (40, 40), (100, 100)] {
        let window = Window::new(vec![errors(0.5, MS * over)]);
        assert_eq!(window.slot().as_millis(), slot, "{over} ms");
        assert_eq!(window.length(&window.rules[0]), u64::from(over.div_ceil(100)), "{over} ms");
    }
}

#[test]
fn a_rule_is_shown_as_it_is_written() {
    assert_eq!(p95(Comparison::Below, MS * 100, MS * 10_000).to_string(), "p95 < 100ms over 10s");
    assert_eq!(errors(0.01, MS * 500).to_string(), "errors < 1% over 500ms");
    let rule = AbortRule { figure: AbortFigure::Response(Quantile::P999), ..below_50_ms() };
    assert_eq!(rule.to_string(), "p99.9 < 50ms over 300ms");
}

#[test]
fn a_rule_that_cannot_be_held_against_the_load_is_refused() {
    let fits = below_50_ms();
    let above = Limit { comparison: Comparison::Above, ..fits.limit };
    let cases = [
        AbortRule { limit: above, ..fits },
        AbortRule { figure: AbortFigure::Errors, ..fits },
        AbortRule { limit: errors(0.1, MS).limit, ..fits },
        AbortRule { over: Duration::ZERO, ..fits },
        AbortRule { over: MS * 1_001, ..fits },
    ];
    for rule in cases {
        assert!(matches!(rule.check(MS * 1_000), Err(RunError::AbortRule(_))), "{rule}");
    }
    assert_eq!(fits.check(MS * 300), Ok(()));
}

proptest! {
    // Each case fills dozens of histograms.
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn a_window_is_broken_exactly_if_its_sorted_responses_are(
        slots in proptest::collection::vec(proptest::collection::vec(1_u64..200, 0..30), 1..8),
        waiting in proptest::collection::vec(1_u64..200, 0..10),
        share in 0.01_f64..=1.0,
        limit in 1_u64..200,
        length in 1_usize..8,
    ) {
        let quantile = Quantile::try_from(share).unwrap();
        let over = MS * 100 * u32::try_from(length).unwrap();
        let micros = Duration::from_micros;
        let rule = p95(Comparison::Below, micros(limit), over);
        let rule = AbortRule { figure: AbortFigure::Response(quantile), ..rule };
        let each =
            |values: &[u64]| -> Vec<_> { values.iter().map(|it| (1, micros(*it))).collect() };
        let mut window = Window::new(vec![rule]);
        for (number, slot) in (0..).zip(&slots) {
            window.add(number, &tally(&[rule], &each(slot)));
        }
        let observed = window.judge(slots.len() as u64, &tally(&[rule], &each(&waiting)));
        let last = slots.len().checked_sub(length).map(|first| slots[first..].concat());
        let truth = last.map(|mut all| {
            all.extend(&waiting);
            all.sort_unstable();
            let rank = usize::try_from(quantile.rank(all.len() as u64)).unwrap();
            rank.checked_sub(1).map(|place| micros(all[place]))
        });
        let broken = truth.flatten().filter(|truth| *truth >= micros(limit));
        prop_assert_eq!(observed.is_some(), broken.is_some());
        if let (Some((_, LimitValue::Duration(observed))), Some(truth)) = (observed, broken) {
            prop_assert!(observed >= truth && observed <= truth + truth / 1_000, "{observed:?}");
        }
    }
}
