//! Limits whose breach ends a load: `p95 < 100ms over 10s`.
//!
//! The main type is [`AbortRule`]; [`Aborted`] says in a recording which one was broken. A rule is
//! held against a window that trails the load ([`Window`]): what ended in it, and what has not
//! ended yet with the time that it has waited so far, so that a server which answers nothing
//! breaks a limit of latency too. Who watches, and how the load ends, is the run's business.

use std::collections::VecDeque;
use std::fmt;
use std::time::Duration;

use cutover_model::scenario::{Comparison, Limit, LimitValue};
use cutover_model::units::{Ratio, ShortDuration};
use serde::{Deserialize, Serialize};

use crate::counts::Counts;
use crate::histogram::{Histogram, whole_ns};
use crate::options::RunError;
use crate::statistics::Quantile;

/// The longest time between two judgements.
const SLOT: Duration = Duration::from_millis(100);

/// A limit that has to hold over every window of a load, or the load is aborted.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct AbortRule {
    /// What is read off a window.
    pub figure: AbortFigure,
    /// What has to hold of it: `<` or `<=` a time, or a share for errors.
    pub limit: Limit,
    /// The length of the window. Nothing is judged before the first whole one after the warm-up.
    pub over: Duration,
}

/// What is read off a window.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum AbortFigure {
    /// A quantile of the response times of what ended in the window and of what is waiting,
    /// which counts with the time that it has waited so far.
    Response(Quantile),
    /// The share of what ended in the window that did not end well.
    Errors,
}

/// The rule that ended a load.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Aborted {
    /// The rule.
    pub rule: AbortRule,
    /// What the figure was.
    pub observed: LimitValue,
    /// When that was seen, from the start of the run, warm-up included.
    pub at: Duration,
}

impl fmt::Display for AbortRule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { figure, limit, over } = self;
        match figure {
            AbortFigure::Response(quantile) => {
                let hundredths = format!("{:.7}", f64::from(*quantile) * 100.0);
                write!(f, "p{}", hundredths.trim_end_matches('0').trim_end_matches('.'))?;
            }
            AbortFigure::Errors => f.write_str("errors")?,
        }
        write!(f, " {limit} over {}", ShortDuration(*over))
    }
}

impl AbortRule {
    /// Whether the rule can be held against a load that is measured for so long.
    pub(crate) fn check(&self, duration: Duration) -> Result<(), RunError> {
        let upper = matches!(self.limit.comparison, Comparison::Below | Comparison::AtMost);
        let fits = matches!(
            (self.figure, self.limit.value),
            (AbortFigure::Response(_), LimitValue::Duration(_))
                | (AbortFigure::Errors, LimitValue::Ratio(_))
        );
        let judged = !self.over.is_zero() && self.over <= duration;
        if upper && fits && judged { Ok(()) } else { Err(RunError::AbortRule(self.to_string())) }
    }

    /// Whether a response of this length is beyond the limit; never for a rule about errors.
    fn is_beyond(&self, response: Duration) -> bool {
        match (self.limit.value, self.limit.comparison) {
            (LimitValue::Duration(limit), Comparison::Below) => response >= limit,
            (LimitValue::Duration(limit), _) => response > limit,
            _ => false,
        }
    }
}

/// What was seen of some arrivals.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Tally {
    pub(crate) count: u64,
    failed: u64,
    /// For each rule, how many were beyond its limit: exact, where `responses` has three digits.
    beyond: Vec<u64>,
    pub(crate) responses: Vec<Counts>,
}

impl Tally {
    pub(crate) fn new(rules: usize) -> Self {
        Self { beyond: vec![0; rules], ..Self::default() }
    }

    /// Counts one arrival, but for its place among `responses`.
    pub(crate) fn count(&mut self, rules: &[AbortRule], response: Duration) {
        self.count += 1;
        for (beyond, rule) in self.beyond.iter_mut().zip(rules) {
            *beyond += u64::from(rule.is_beyond(response));
        }
    }

    pub(crate) fn count_failure(&mut self) {
        self.failed += 1;
    }

    fn add(&mut self, other: &Self) {
        self.count += other.count;
        self.failed += other.failed;
        for (beyond, other) in self.beyond.iter_mut().zip(&other.beyond) {
            *beyond += other;
        }
        self.responses.extend_from_slice(&other.responses);
    }
}

/// What was seen of the last stretch of a load, slot by slot.
#[derive(Debug)]
pub(crate) struct Window {
    rules: Vec<AbortRule>,
    slot: Duration,
    /// The number of the first slot that is kept.
    first: u64,
    slots: VecDeque<Tally>,
}

impl Window {
    pub(crate) fn new(rules: Vec<AbortRule>) -> Self {
        // The shortest window is a whole number of slots.
        let shortest = rules.iter().map(|rule| rule.over).min().unwrap_or(SLOT);
        let parts = whole_ns(shortest).div_ceil(whole_ns(SLOT)).max(1);
        let slot = Duration::from_nanos(whole_ns(shortest).div_ceil(parts));
        Self { rules, slot, first: 0, slots: VecDeque::new() }
    }

    pub(crate) fn slot(&self) -> Duration {
        self.slot
    }

    /// Adds what was seen in a slot.
    pub(crate) fn add(&mut self, slot: u64, tally: &Tally) {
        // What comes so late that its slot is gone belongs to no window any more.
        let Some(place) = slot.checked_sub(self.first) else { return };
        let place = usize::try_from(place).expect("as many slots as a window has");
        while self.slots.len() <= place {
            self.slots.push_back(Tally::new(self.rules.len()));
        }
        self.slots[place].add(tally);
    }

    /// Holds the rules against the window that ends with so many slots; says which one is broken,
    /// and what was seen. What is in no rule's window any more is forgotten.
    pub(crate) fn judge(&mut self, ended: u64, waiting: &Tally) -> Option<(AbortRule, LimitValue)> {
        let lengths: Vec<u64> = self.rules.iter().map(|rule| self.length(rule)).collect();
        let mut whole = (0..self.rules.len()).filter(|place| lengths[*place] <= ended);
        let broken = whole.find_map(|place| {
            let observed = self.breach(place, ended - lengths[place]..ended, waiting)?;
            Some((self.rules[place], observed))
        });
        let longest = lengths.into_iter().max().unwrap_or(0);
        while self.first + longest <= ended && self.slots.pop_front().is_some() {
            self.first += 1;
        }
        broken
    }

    /// How many slots the window of a rule has.
    fn length(&self, rule: &AbortRule) -> u64 {
        whole_ns(rule.over).div_ceil(whole_ns(self.slot))
    }

    /// What the figure of a rule is, if that breaks it.
    fn breach(
        &self,
        place: usize,
        slots: std::ops::Range<u64>,
        waiting: &Tally,
    ) -> Option<LimitValue> {
        let rule = &self.rules[place];
        let within = || {
            let numbered = (self.first..).zip(&self.slots);
            numbered.filter(|(number, _)| slots.contains(number)).map(|(_, tally)| tally)
        };
        let ended: u64 = within().map(|tally| tally.count).sum();
        match rule.figure {
            AbortFigure::Errors => {
                let failed = within().map(|tally| tally.failed).sum();
                let observed = Ratio::of(failed, ended)?;
                let limit = rule.limit;
                let holds = limit.comparison.holds(observed.get(), limit.value.number());
                (!holds).then_some(LimitValue::Ratio(observed))
            }
            AbortFigure::Response(quantile) => {
                let all = ended + waiting.count;
                let beyond =
                    waiting.beyond[place] + within().map(|tally| tally.beyond[place]).sum::<u64>();
                if all - beyond >= quantile.rank(all) {
                    return None;
                }
                let mut responses = Histogram::default();
                for tally in within().chain([waiting]) {
                    for (response, count) in tally.responses.iter().flat_map(Counts::iter) {
                        responses.record_times(response, count);
                    }
                }
                responses.quantile(quantile).map(LimitValue::Duration)
            }
        }
    }
}

/// The waits of all threads together.
pub(crate) fn together<'a>(rules: usize, parts: impl Iterator<Item = &'a Tally>) -> Tally {
    let mut all = Tally::new(rules);
    for part in parts {
        all.add(part);
    }
    all
}

#[cfg(test)]
mod tests;
