//! The trigger engine: outcomes of requests in, breaches and firing rules out.
//!
//! The main type is [`TriggerEngine`]. It is fed with [`Observation`]s and gives one
//! [`Evaluation`] per rule and period. A rule over consecutive periods fires when that many
//! periods with data in a row are in breach; a period with too few requests is no data and
//! neither breaks a row nor adds to it. A rule over a sliding stretch fires at the very
//! observation that exceeds its limit. What to do about a rule that fires is the
//! [`Rollout`](crate::Rollout)'s business, and outcomes are classed by whoever made the requests.
//!
//! Periods begin at time zero; an observation at the border of two belongs to the later one. One
//! that comes in after its period was closed counts in the open one.

use std::collections::{BTreeSet, VecDeque};
use std::time::Duration;

use cutover_model::Store;
use cutover_model::scenario::{Comparison, OutcomeClass, TriggerName, TriggerRule, TriggerWindow};
use serde::{Deserialize, Serialize};

use crate::measure::{Measure, Tally, counts};

/// How one request to a store ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Observation {
    /// When it ended.
    pub at: Duration,
    /// The store that was asked.
    pub store: Store,
    /// How it ended.
    pub outcome: OutcomeClass,
    /// How long it took.
    pub latency: Duration,
}

/// What a period says about a rule.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum PeriodClass {
    /// Within the limit.
    Ok,
    /// In breach of it.
    Breach,
    /// Too few requests to tell.
    NoData,
}

/// A rule, evaluated at the end of a period or at the instant at which a count exceeded its limit.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Evaluation {
    /// The rule.
    pub trigger: TriggerName,
    /// The end of the period, or the instant.
    pub at: Duration,
    /// How many requests the value rests on.
    pub samples: u64,
    /// A share, a difference in seconds, or a count. `None` when there is nothing to make it of.
    pub value: Option<f64>,
    /// What that means.
    pub class: PeriodClass,
    /// Periods in breach in a row, up to this one. 0 or 1 for a sliding stretch.
    pub row: u32,
    /// Whether the rule says to go back.
    pub firing: bool,
}

/// Rules and what they have seen.
#[derive(Debug)]
pub struct TriggerEngine {
    watches: Vec<Watch>,
    now: Duration,
    pending: Vec<Evaluation>,
}

#[derive(Debug)]
struct Watch {
    rule: TriggerRule,
    window: Window,
}

#[derive(Debug)]
enum Window {
    Consecutive { periods: u32, period: Duration, min_samples: u64, end: Duration, seen: Seen },
    Sliding { length: Duration, counted: VecDeque<Duration>, firing: bool },
}

#[derive(Debug, Default)]
struct Seen {
    tally: Tally,
    row: u32,
}

/// Rules that cannot be watched.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum TriggerError {
    /// Two rules have one name.
    #[error("trigger `{}` is there twice", .0.key())]
    Twice(TriggerName),
    /// A number that would make the rule meaningless.
    #[error("trigger `{}`: {what}", .trigger.key())]
    Meaningless {
        /// The rule.
        trigger: TriggerName,
        /// What is wrong with it.
        what: &'static str,
    },
}

impl TriggerEngine {
    /// Watches `rules` from time zero on.
    pub fn new(rules: Vec<TriggerRule>) -> Result<Self, TriggerError> {
        let mut names = BTreeSet::new();
        let mut watches = Vec::new();
        for rule in rules {
            let trigger = rule.name;
            if !names.insert(trigger) {
                return Err(TriggerError::Twice(trigger));
            }
            let window =
                window(&rule).map_err(|what| TriggerError::Meaningless { trigger, what })?;
            watches.push(Watch { rule, window });
        }
        Ok(Self { watches, now: Duration::ZERO, pending: Vec::new() })
    }

    /// Takes in how a request ended.
    pub fn observe(&mut self, observation: Observation) {
        self.close_periods(observation.at);
        for Watch { rule, window } in &mut self.watches {
            match window {
                Window::Consecutive { seen, .. } => seen.tally.add(rule, &observation),
                Window::Sliding { length, counted, firing } => {
                    let is_counted = observation.store == Store::Destination
                        && counts(rule, observation.outcome);
                    if is_counted {
                        counted.push_back(self.now);
                        expire(counted, *length, self.now);
                        // Said at once the first time; while it lasts, when asked.
                        if !*firing && is_breach(rule, counted) {
                            self.pending.push(sliding(rule, counted, self.now));
                            *firing = true;
                        }
                    }
                }
            }
        }
    }

    /// Closes the periods that end at or before `now`, and tells every evaluation since the last
    /// call in the order of time. Sliding stretches are evaluated at `now`.
    pub fn advance_to(&mut self, now: Duration) -> Vec<Evaluation> {
        self.close_periods(now);
        for Watch { rule, window } in &mut self.watches {
            if let Window::Sliding { length, counted, firing } = window {
                expire(counted, *length, self.now);
                let evaluation = sliding(rule, counted, self.now);
                *firing = evaluation.firing;
                self.pending.push(evaluation);
            }
        }
        std::mem::take(&mut self.pending)
    }

    fn close_periods(&mut self, now: Duration) {
        self.now = self.now.max(now);
        let first = self.pending.len();
        for Watch { rule, window } in &mut self.watches {
            if let Window::Consecutive { periods, period, min_samples, end, seen } = window {
                while *end <= self.now {
                    let closed = seen.close(rule, *min_samples);
                    let firing = closed.row >= *periods;
                    self.pending.push(Evaluation { at: *end, firing, ..closed });
                    *end += *period;
                }
            }
        }
        self.pending[first..].sort_by_key(|evaluation| evaluation.at);
    }
}

impl Seen {
    /// Ends the period and begins the next one.
    fn close(&mut self, rule: &TriggerRule, min_samples: u64) -> Evaluation {
        let mut tally = std::mem::take(&mut self.tally);
        let samples = tally.samples(rule);
        let measure = tally.measure(rule);
        let class = match measure {
            Some(measure) if samples >= min_samples => class_of(rule, measure),
            _ => PeriodClass::NoData,
        };
        self.row = match class {
            PeriodClass::Ok => 0,
            PeriodClass::Breach => self.row + 1,
            PeriodClass::NoData => self.row,
        };
        Evaluation {
            trigger: rule.name,
            at: Duration::ZERO,
            samples,
            value: measure.map(Measure::value),
            class,
            row: self.row,
            firing: false,
        }
    }
}

fn window(rule: &TriggerRule) -> Result<Window, &'static str> {
    if !rule.limit.is_finite() {
        return Err("the limit is not a finite number");
    }
    match rule.window {
        TriggerWindow::Consecutive { periods: 0, .. } => Err("no period can be in breach"),
        TriggerWindow::Consecutive { period, .. } if period.is_zero() => {
            Err("a period has no length")
        }
        TriggerWindow::Consecutive { periods, period, min_samples } => Ok(Window::Consecutive {
            periods,
            period,
            min_samples,
            end: period,
            seen: Seen::default(),
        }),
        TriggerWindow::Sliding { .. } if rule.name != TriggerName::ConnectionFailures => {
            Err("only a count can be watched over a sliding stretch")
        }
        TriggerWindow::Sliding { .. } if !grows_into(rule.comparison) => {
            Err("a count over a sliding stretch is below any limit before the first request")
        }
        TriggerWindow::Sliding { length } if length.is_zero() => Err("the stretch has no length"),
        TriggerWindow::Sliding { length } => {
            Ok(Window::Sliding { length, counted: VecDeque::new(), firing: false })
        }
    }
}

fn grows_into(comparison: Comparison) -> bool {
    matches!(comparison, Comparison::Above | Comparison::AtLeast)
}

fn class_of(rule: &TriggerRule, measure: Measure) -> PeriodClass {
    if measure.is(rule.comparison, rule.limit) { PeriodClass::Breach } else { PeriodClass::Ok }
}

/// Forgets what is a whole stretch or more ago.
fn expire(counted: &mut VecDeque<Duration>, length: Duration, now: Duration) {
    while counted.front().is_some_and(|at| now.saturating_sub(*at) >= length) {
        counted.pop_front();
    }
}

fn is_breach(rule: &TriggerRule, counted: &VecDeque<Duration>) -> bool {
    sliding(rule, counted, Duration::ZERO).firing
}

fn sliding(rule: &TriggerRule, counted: &VecDeque<Duration>, at: Duration) -> Evaluation {
    let samples = counted.len() as u64;
    let class = class_of(rule, Measure { part: samples.into(), whole: 1 });
    let firing = class == PeriodClass::Breach;
    Evaluation {
        trigger: rule.name,
        at,
        samples,
        value: Some(samples as f64),
        class,
        row: firing.into(),
        firing,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MINUTE: Duration = Duration::from_mins(1);

    fn rule(name: TriggerName, comparison: Comparison, limit: f64) -> TriggerRule {
        let window = match name {
            TriggerName::ConnectionFailures => TriggerWindow::Sliding { length: 5 * MINUTE },
            _ => TriggerWindow::Consecutive { periods: 2, period: MINUTE, min_samples: 1 },
        };
        let counts = match name {
            TriggerName::ErrorRate => vec![OutcomeClass::ServerError],
            TriggerName::SuccessRate => vec![OutcomeClass::ServerError, OutcomeClass::Timeout],
            _ => vec![],
        };
        TriggerRule { name, comparison, limit, window, counts }
    }

    fn error_rate() -> TriggerRule {
        rule(TriggerName::ErrorRate, Comparison::Above, 0.05)
    }

    fn engine(rule: TriggerRule) -> TriggerEngine {
        TriggerEngine::new(vec![rule]).unwrap()
    }

    fn at(at: Duration, store: Store, outcome: OutcomeClass) -> Observation {
        Observation { at, store, outcome, latency: Duration::from_millis(1) }
    }

    fn to_destination(seconds: u64, outcome: OutcomeClass) -> Observation {
        at(Duration::from_secs(seconds), Store::Destination, outcome)
    }

    /// One minute of `failed` failures in `requests` requests.
    fn minute(engine: &mut TriggerEngine, minute: u64, failed: u64, requests: u64) -> Evaluation {
        for n in 0..requests {
            let outcome =
                if n < failed { OutcomeClass::ServerError } else { OutcomeClass::Success };
            engine.observe(to_destination(minute * 60, outcome));
        }
        let evaluations = engine.advance_to(MINUTE * u32::try_from(minute + 1).unwrap());
        assert_eq!(evaluations.len(), 1);
        evaluations[0]
    }

    #[test]
    fn five_percent_of_errors_is_no_breach_of_above_five_percent() {
        let seen = minute(&mut engine(error_rate()), 0, 500, 10_000);
        assert_eq!((seen.class, seen.value), (PeriodClass::Ok, Some(0.05)));
    }

    #[test]
    fn five_point_zero_one_percent_of_errors_is_a_breach() {
        assert_eq!(minute(&mut engine(error_rate()), 0, 501, 10_000).class, PeriodClass::Breach);
    }

    #[test]
    fn ninety_five_percent_of_success_is_no_breach_of_below_it() {
        let below = || rule(TriggerName::SuccessRate, Comparison::Below, 0.95);
        assert_eq!(minute(&mut engine(below()), 0, 500, 10_000).class, PeriodClass::Ok);
        assert_eq!(minute(&mut engine(below()), 0, 501, 10_000).class, PeriodClass::Breach);
    }

    #[test]
    fn one_period_in_breach_does_not_fire_and_the_second_does() {
        let mut engine = engine(error_rate());
        assert!(!minute(&mut engine, 0, 1, 10).firing);
        assert!(minute(&mut engine, 1, 1, 10).firing);
    }

    #[test]
    fn one_request_short_of_the_minimum_is_no_data() {
        let mut rule = error_rate();
        rule.window = TriggerWindow::Consecutive { periods: 2, period: MINUTE, min_samples: 200 };
        let mut engine = engine(rule);
        assert_eq!(minute(&mut engine, 0, 199, 199).class, PeriodClass::NoData);
        assert_eq!(minute(&mut engine, 1, 200, 200).class, PeriodClass::Breach);
    }

    #[test]
    fn a_period_without_requests_is_no_data_even_without_a_minimum() {
        let mut rule = error_rate();
        rule.window = TriggerWindow::Consecutive { periods: 1, period: MINUTE, min_samples: 0 };
        let seen = minute(&mut engine(rule), 0, 0, 0);
        assert_eq!((seen.class, seen.value), (PeriodClass::NoData, None));
    }

    #[test]
    fn requests_to_the_source_do_not_blame_the_destination() {
        let mut engine = engine(error_rate());
        for _ in 0..10 {
            engine.observe(at(Duration::ZERO, Store::Source, OutcomeClass::ServerError));
        }
        assert_eq!(engine.advance_to(MINUTE)[0].class, PeriodClass::NoData);
    }

    #[test]
    fn outcomes_that_the_rule_does_not_count_are_no_errors() {
        let mut engine = engine(error_rate());
        for _ in 0..10 {
            engine.observe(to_destination(0, OutcomeClass::Timeout));
        }
        assert_eq!(engine.advance_to(MINUTE)[0].class, PeriodClass::Ok);
    }

    #[test]
    fn an_observation_at_the_border_belongs_to_the_later_period() {
        let mut engine = engine(error_rate());
        engine.observe(to_destination(60, OutcomeClass::ServerError));
        let seen = engine.advance_to(2 * MINUTE);
        let classes: Vec<_> = seen.iter().map(|evaluation| evaluation.class).collect();
        assert_eq!(classes, [PeriodClass::NoData, PeriodClass::Breach]);
    }

    #[test]
    fn ten_connection_failures_in_five_minutes_do_not_fire_and_eleven_do() {
        let mut engine = engine(rule(TriggerName::ConnectionFailures, Comparison::Above, 10.0));
        for second in 0..10 {
            engine.observe(to_destination(second, OutcomeClass::ConnectionFailure));
        }
        assert!(!engine.advance_to(Duration::from_secs(10))[0].firing);
        engine.observe(to_destination(299, OutcomeClass::ConnectionFailure));
        let seen = engine.advance_to(Duration::from_secs(299));
        assert!(seen[0].firing);
        assert_eq!((seen[0].at, seen[0].value), (Duration::from_secs(299), Some(11.0)));
    }

    #[test]
    fn a_connection_failure_is_forgotten_after_exactly_the_stretch() {
        let mut engine = engine(rule(TriggerName::ConnectionFailures, Comparison::Above, 10.0));
        for second in 0..10 {
            engine.observe(to_destination(second, OutcomeClass::ConnectionFailure));
        }
        engine.observe(to_destination(300, OutcomeClass::ConnectionFailure));
        assert!(engine.advance_to(Duration::from_mins(5)).iter().all(|seen| !seen.firing));
    }

    #[test]
    fn a_count_that_exceeds_its_limit_is_told_though_it_fell_again_before_it_was_asked_for() {
        let mut engine = engine(rule(TriggerName::ConnectionFailures, Comparison::Above, 10.0));
        for second in 0..11 {
            engine.observe(to_destination(second, OutcomeClass::ConnectionFailure));
        }
        let seen = engine.advance_to(Duration::from_hours(1));
        let firing: Vec<_> = seen.iter().map(|seen| (seen.at.as_secs(), seen.firing)).collect();
        assert_eq!(firing, [(10, true), (3_600, false)]);
    }

    fn latency_seen(destination_ns: u64, source_ns: u64) -> Evaluation {
        let mut engine = engine(rule(TriggerName::LatencyDifference, Comparison::Above, 10.0));
        for (store, nanos) in [(Store::Source, source_ns), (Store::Destination, destination_ns)] {
            for _ in 0..200 {
                let latency = Duration::from_nanos(nanos);
                engine.observe(Observation {
                    latency,
                    ..at(Duration::ZERO, store, OutcomeClass::Success)
                });
            }
        }
        engine.advance_to(MINUTE)[0]
    }

    #[test]
    fn a_difference_of_exactly_ten_seconds_is_no_breach_and_a_nanosecond_more_is() {
        assert_eq!(latency_seen(10_000_000_007, 7).class, PeriodClass::Ok);
        assert_eq!(latency_seen(10_000_000_008, 7).class, PeriodClass::Breach);
    }

    #[test]
    fn a_destination_that_is_faster_is_no_breach() {
        let seen = latency_seen(1, 20_000_000_000);
        assert_eq!(seen.class, PeriodClass::Ok);
        assert!(seen.value.unwrap() < 0.0);
    }

    #[test]
    fn a_difference_without_one_of_the_stores_is_no_data() {
        let mut engine = engine(rule(TriggerName::LatencyDifference, Comparison::Above, 10.0));
        engine.observe(to_destination(0, OutcomeClass::Success));
        assert_eq!(engine.advance_to(MINUTE)[0].class, PeriodClass::NoData);
    }

    #[test]
    fn evaluations_of_rules_with_different_periods_come_in_the_order_of_time() {
        let mut short = rule(TriggerName::SuccessRate, Comparison::Below, 0.95);
        let period = Duration::from_secs(20);
        short.window = TriggerWindow::Consecutive { periods: 1, period, min_samples: 1 };
        let mut engine = TriggerEngine::new(vec![error_rate(), short]).unwrap();
        let ends: Vec<_> = engine.advance_to(2 * MINUTE).iter().map(|seen| seen.at).collect();
        assert!(ends.is_sorted());
        assert_eq!(ends.len(), 8);
    }

    #[test]
    fn rules_that_mean_nothing_are_refused() {
        let refuse = |edit: fn(&mut TriggerRule)| {
            let mut rule = error_rate();
            edit(&mut rule);
            TriggerEngine::new(vec![rule]).unwrap_err().to_string()
        };
        assert!(refuse(|rule| rule.limit = f64::NAN).contains("not a finite number"));
        assert!(
            refuse(|rule| rule.window = TriggerWindow::Sliding { length: MINUTE })
                .contains("only a count")
        );
        let zero = |periods, period| {
            let mut rule = error_rate();
            rule.window = TriggerWindow::Consecutive { periods, period, min_samples: 1 };
            TriggerEngine::new(vec![rule]).unwrap_err().to_string()
        };
        assert_eq!(zero(0, MINUTE), "trigger `error_rate`: no period can be in breach");
        assert_eq!(zero(1, Duration::ZERO), "trigger `error_rate`: a period has no length");
    }

    #[test]
    fn two_rules_of_one_name_are_refused() {
        let twice = TriggerEngine::new(vec![error_rate(), error_rate()]).unwrap_err();
        assert_eq!(twice, TriggerError::Twice(TriggerName::ErrorRate));
    }

    /// Says when a rule over `periods` must fire, from the whole trace at once.
    fn oracle(trace: &[PeriodClass], periods: usize) -> Vec<bool> {
        let fires = |end: usize| {
            let known: Vec<_> =
                trace[..=end].iter().filter(|class| **class != PeriodClass::NoData).collect();
            let last = known.len().checked_sub(periods).map(|first| &known[first..]);
            last.is_some_and(|last| last.iter().all(|class| **class == PeriodClass::Breach))
        };
        (0..trace.len()).map(fires).collect()
    }

    fn trace(mut number: u32, length: usize) -> Vec<PeriodClass> {
        let classes = [PeriodClass::Ok, PeriodClass::Breach, PeriodClass::NoData];
        let mut digit = || {
            let class = classes[(number % 3) as usize];
            number /= 3;
            class
        };
        (0..length).map(|_| digit()).collect()
    }

    fn fired(trace: &[PeriodClass], periods: u32) -> Vec<bool> {
        let mut rule = error_rate();
        rule.window = TriggerWindow::Consecutive { periods, period: MINUTE, min_samples: 1 };
        let mut engine = engine(rule);
        for (minute, class) in (0..).zip(trace) {
            match class {
                PeriodClass::Ok => {
                    engine.observe(to_destination(minute * 60, OutcomeClass::Success));
                }
                PeriodClass::Breach => {
                    engine.observe(to_destination(minute * 60, OutcomeClass::ServerError));
                }
                PeriodClass::NoData => {}
            }
        }
        let end = MINUTE * u32::try_from(trace.len()).unwrap();
        engine.advance_to(end).iter().map(|evaluation| evaluation.firing).collect()
    }

    #[test]
    fn every_trace_of_eleven_periods_fires_as_the_oracle_says() {
        // Every shorter trace is the beginning of one of these, and each period is compared.
        const LENGTH: usize = 11;
        for number in 0..3_u32.pow(11) {
            let trace = trace(number, LENGTH);
            for periods in 1..=3 {
                let expected = oracle(&trace, periods as usize);
                assert_eq!(fired(&trace, periods), expected, "{trace:?}, {periods} in a row");
            }
        }
    }
}
