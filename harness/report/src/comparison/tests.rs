//! Comparisons of simulated runs: how often a false alarm, how often a true one.

use std::time::Duration;

use cutover_model::Calibration;
use cutover_model::calibration::Spread;
use cutover_model::draw::draw_unit;
use cutover_model::event::Machine;
use cutover_model::measured::Arrivals;

use super::*;
use crate::baselines::BASELINE_FORMAT;

const SAMPLES: usize = 1_000;

/// A draw of the normal law (Box and Muller).
fn normal(seed: u64, stream: u64, n: u64) -> f64 {
    let radius = (-2.0 * (1.0 - draw_unit(seed, stream, 2 * n)).ln()).sqrt();
    radius * (std::f64::consts::TAU * draw_unit(seed, stream, 2 * n + 1)).cos()
}

/// A percentile of samples with its interval, by ranks and 20 blocks.
#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "ranks are positive and small"
)]
fn figure(statistic: KeptStatistic, share: f64, sorted: &[f64]) -> KeptFigure {
    let count = sorted.len() as f64;
    let half = critical(0.05, 19.0) * (count * share * (1.0 - share)).sqrt();
    let at = |rank: f64| sorted[(rank.round() as usize).clamp(1, sorted.len()) - 1];
    let place = count * share;
    KeptFigure {
        statistic,
        value: at(place),
        interval: (place + half < count).then(|| (at(place - half), at(place + half))),
        samples: sorted.len() as u64,
        worth: sorted.len() as u64,
        late: None,
        doubt: None,
    }
}

fn operation(name: &str, samples: impl Iterator<Item = f64>) -> KeptOperation {
    let mut sorted: Vec<f64> = samples.collect();
    sorted.sort_by(f64::total_cmp);
    KeptOperation {
        step: StepId::new("5-load"),
        operation: name.to_owned(),
        load: Load {
            arrivals: Arrivals::Open,
            plan: "plan".to_owned(),
            asked_per_second: Some(50.0),
            warm_up: Duration::from_secs(5),
            duration: Duration::from_secs(20),
        },
        figures: vec![
            figure(KeptStatistic::P50, 0.5, &sorted),
            figure(KeptStatistic::P95, 0.95, &sorted),
            figure(KeptStatistic::P99, 0.99, &sorted),
        ],
    }
}

/// A run of two operations with lognormal latencies, slower by a factor. Where runs differ from
/// one to the next, all of its latencies are slower or faster by a factor of its own.
fn run(seed: u64, factor: f64, spread: f64) -> Baseline {
    let level = factor * (spread * normal(seed, 9, 0)).exp();
    let samples = |stream: u64| {
        (0..SAMPLES as u64).map(move |k| 0.01 * level * (0.5 * normal(seed, stream, k)).exp())
    };
    Baseline {
        format: BASELINE_FORMAT,
        run: RunId::new(format!("run-{seed}-{factor}")),
        started_at_ns: i64::try_from(seed).unwrap(),
        version: "0".to_owned(),
        seed,
        scenario: ScenarioId::new("s"),
        target: TargetKind::Process,
        destination: None,
        machine: Some(Machine { cores: 2, system: "linux x86_64".to_owned() }),
        calibration: None,
        operations: vec![operation("write", samples(1)), operation("read", samples(2))],
    }
}

/// Whether any difference is told, however small.
fn alarms(now: &Baseline, kept: &[Baseline]) -> bool {
    let comparison = compare(std::slice::from_ref(now), kept, Ratio::ZERO);
    assert_eq!(comparison.figures.len(), 6);
    comparison.count(|change| *change != Change::NoDifference) > 0
}

#[test]
fn a_thousand_pairs_of_one_law_give_at_most_5_percent_of_false_alarms() {
    let alarmed = |pair: &u64| alarms(&run(2 * pair, 1.0, 0.0), &[run(2 * pair + 1, 1.0, 0.0)]);
    let alarmed = (0..1_000).filter(alarmed).count();
    assert!(alarmed <= 50, "{alarmed} of 1000");
}

#[test]
fn a_slowdown_of_20_percent_is_found_in_at_least_95_of_100_runs() {
    let found = |pair: &u64| {
        let now = run(2 * pair, 1.2, 0.0);
        let comparison = compare(&[now], &[run(2 * pair + 1, 1.0, 0.0)], at_least());
        comparison.exit() == Exit::Failed
    };
    let found = (0..1_000).filter(found).count();
    assert!(found >= 950, "{found} of 1000");
}

#[test]
fn nights_that_differ_give_no_false_alarm_where_one_run_against_another_gives_many() {
    let (mut naive, mut told) = (0, 0);
    for series in 0..200 {
        let kept: Vec<Baseline> = (0..10).map(|it| run(series * 100 + it, 1.0, 0.1)).collect();
        for night in 50..55 {
            let now = run(series * 100 + night, 1.0, 0.1);
            told += usize::from(alarms(&now, &kept));
            naive += usize::from(alarms(&now, &kept[9..]));
        }
    }
    assert!(told <= 50, "{told} of 1000");
    assert!(naive > 500, "{naive} of 1000");
}

#[test]
fn a_night_that_is_far_slower_than_nights_differ_is_found() {
    let found = (0..200).filter(|series| {
        let kept: Vec<Baseline> = (0..14).map(|it| run(series * 100 + it, 1.0, 0.05)).collect();
        compare(&[run(series * 100 + 50, 1.5, 0.05)], &kept, at_least()).exit() == Exit::Failed
    });
    let found = found.count();
    assert!(found >= 190, "{found} of 200");
}

fn at_least() -> Ratio {
    Ratio::from_percent(5.0).unwrap()
}

#[test]
fn what_the_machine_could_do_by_itself_stands_beside_what_it_could_before() {
    let spread = Spread { p50: Duration::ZERO, p95: Duration::ZERO, p99: Duration::ZERO };
    let with_ceiling = |seed, ceiling_per_second| Baseline {
        calibration: Some(Calibration {
            ceiling_per_second,
            rate: 1_000,
            added: spread,
            lag_p95: Duration::ZERO,
            server_late: spread,
            points_per_second: 1.0,
        }),
        ..run(seed, 1.0, 0.0)
    };
    let kept = [with_ceiling(1, 40_000.0), with_ceiling(2, 10_000.0), run(3, 1.0, 0.0)];
    let comparison = compare(&[with_ceiling(4, 30_000.0)], &kept, at_least());
    let ceilings = comparison.ceilings.unwrap();
    assert!((ceilings.now - 30_000.0).abs() < 1e-6);
    assert!((ceilings.before - 20_000.0).abs() < 1e-6);
    assert_eq!(compare(&[run(4, 1.0, 0.0)], &kept, at_least()).ceilings, None);
}

/// A run whose figures are those of another by a factor, as if measured without error.
fn scaled(run: &Baseline, name: &str, factor: f64) -> Baseline {
    let mut run = run.clone();
    run.run = RunId::new(name);
    for figure in run.operations.iter_mut().flat_map(|it| &mut it.figures) {
        figure.value *= factor;
        figure.interval = Some((figure.value * 0.999, figure.value * 1.001));
    }
    run
}

fn changes(now: &Baseline, kept: &[Baseline]) -> Vec<Change> {
    let figures = compare(std::slice::from_ref(now), kept, at_least()).figures;
    figures.into_iter().map(|it| it.change).collect()
}

#[test]
fn a_difference_below_the_threshold_is_told_and_is_no_alarm() {
    let before = scaled(&run(1, 1.0, 0.0), "before", 1.0);
    let now = scaled(&before, "now", 1.03);
    assert_eq!(changes(&now, std::slice::from_ref(&before)), vec![Change::LittleSlower; 6]);
    assert_eq!(compare(&[now], &[before], at_least()).exit(), Exit::Passed);
}

#[test]
fn a_difference_that_may_be_the_generator_s_is_neither_an_alarm_nor_passed_over() {
    let before = scaled(&run(1, 1.0, 0.0), "before", 1.0);
    let mut now = scaled(&before, "now", 1.5);
    let late = |now: &mut Baseline, seconds| {
        now.operations.iter_mut().flat_map(|it| &mut it.figures).for_each(|figure| {
            figure.late = Some(seconds);
        });
    };
    late(&mut now, 0.1);
    let kept = std::slice::from_ref(&before);
    let told = changes(&now, kept);
    assert!(told.iter().all(|it| matches!(it, Change::Unknown(_))), "{told:?}");
    let comparison = compare(std::slice::from_ref(&now), kept, at_least());
    assert_eq!(comparison.exit(), Exit::Inconclusive);
    late(&mut now, 0.000_1);
    assert_eq!(changes(&now, kept), vec![Change::Slower; 6]);
}

#[test]
fn more_throughput_is_faster_and_less_is_slower() {
    let mut before = scaled(&run(1, 1.0, 0.0), "before", 1.0);
    for figure in before.operations.iter_mut().flat_map(|it| &mut it.figures) {
        figure.statistic = KeptStatistic::Throughput;
    }
    before.operations.iter_mut().for_each(|it| it.figures.truncate(1));
    let kept = std::slice::from_ref(&before);
    assert_eq!(changes(&scaled(&before, "now", 1.3), kept), [Change::Faster, Change::Faster]);
    assert_eq!(changes(&scaled(&before, "now", 0.7), kept), [Change::Slower, Change::Slower]);
}

#[test]
fn another_machine_another_load_and_a_doubt_cannot_be_compared() {
    let before = run(1, 1.0, 0.0);
    let mut machine = before.clone();
    machine.machine = None;
    let mut rate = before.clone();
    rate.operations.iter_mut().for_each(|it| it.load.asked_per_second = Some(60.0));
    let mut closed = before.clone();
    closed.operations.iter_mut().for_each(|it| it.load.arrivals = Arrivals::Closed);
    let mut plan = before.clone();
    plan.operations.iter_mut().for_each(|it| it.load.plan = "another".to_owned());
    let mut doubted = before.clone();
    for figure in doubted.operations.iter_mut().flat_map(|it| &mut it.figures) {
        figure.doubt = Some("the clock was set".to_owned());
    }
    for (kept, why) in [
        (machine, "another machine"),
        (rate, "another load"),
        (closed, "another load"),
        (plan, "another load"),
        (doubted, "the clock was set"),
    ] {
        let comparison = compare(&[run(2, 1.0, 0.0)], &[kept], at_least());
        assert_eq!(comparison.exit(), Exit::Inconclusive);
        for figure in comparison.figures {
            let Change::Unknown(reason) = &figure.change else { panic!("{:?}", figure.change) };
            assert!(reason.contains(why), "{reason}");
        }
    }
}

#[test]
fn an_operation_of_which_nothing_can_be_told_is_inconclusive_beside_others() {
    let before = run(1, 1.0, 0.0);
    let mut now = run(2, 1.0, 0.0);
    now.operations.pop();
    let comparison = compare(&[now], &[before], at_least());
    assert_eq!(comparison.exit(), Exit::Inconclusive);
    assert_eq!(comparison.figures.len(), 6);
}

#[test]
fn a_run_is_not_held_against_itself() {
    let only = run(1, 1.0, 0.0);
    let comparison = compare(std::slice::from_ref(&only), std::slice::from_ref(&only), at_least());
    assert_eq!(comparison.exit(), Exit::Inconclusive);
}

#[test]
fn a_short_run_is_compared_once_runs_show_how_they_differ() {
    let short = |seed, factor| {
        let mut run = run(seed, factor, 0.02);
        let seconds = Duration::from_secs(3);
        run.operations.iter_mut().for_each(|it| it.load.duration = seconds);
        run
    };
    let kept: Vec<Baseline> = (1..=6).map(|seed| short(seed, 1.0)).collect();
    let few = compare(&[short(50, 1.0)], &kept[..4], at_least());
    assert_eq!(few.exit(), Exit::Inconclusive);
    assert_eq!(compare(&[short(50, 1.0)], &kept, at_least()).exit(), Exit::Passed);
    assert_eq!(compare(&[short(50, 3.0)], &kept, at_least()).exit(), Exit::Failed);
}

#[test]
fn nothing_in_common_is_inconclusive() {
    assert_eq!(compare(&[], &[], at_least()).exit(), Exit::Inconclusive);
    assert_eq!(compare(&[run(1, 1.0, 0.0)], &[], at_least()).exit(), Exit::Inconclusive);
}
