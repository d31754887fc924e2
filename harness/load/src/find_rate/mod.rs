//! The highest rate that still meets a limit: which rate to try next, and when to stop.
//!
//! The main type is [`RateSearch`], a pure state that is told how each trial ended and names the
//! next one. It drives nothing and judges no recording: that is its caller's, with
//! [`queue_grows`] for what a percentile alone does not show.
//!
//! The rate climbs exponentially until trials break, and then every trial is made where the edge is
//! believed to be. The belief is a probability for each rate, as in an adaptive staircase (Watson
//! and Pelli, QUEST, 1983), so that no single trial decides: one that a hiccup broke is outvoted by
//! the next ones, and near the edge the trials are repeated, and longer, until 95 % of the belief
//! lies within the precision.

mod belief;
mod steadiness;

use std::ops::RangeInclusive;
use std::time::Duration;

use cutover_model::{Rate, Ratio};
use serde::{Deserialize, Serialize};

pub use steadiness::queue_grows;

use belief::Belief;

/// The rate grows at most this much beyond the highest that held.
const GROWTH: f64 = 3.0;
/// Where the ends of the belief are further apart than this quotient, trials are half as long.
const WIDE: f64 = 1.3;
/// Half a trial has to have the three seconds in which a growing queue shows.
const SHORTEST: Duration = Duration::from_secs(6);
/// Fewer trials than this find nothing.
const FEWEST: u32 = 6;
/// How many trials on each side make an edge.
const TWICE: usize = 2;
/// How often in a row the generator may be in doubt at a rate before that rate is beyond it.
const DOUBTS: u32 = 2;
/// How often in a row a trial may tell nothing for other reasons.
const DISTURBED: u32 = 4;

/// What is sought.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct RateSearchPlan {
    /// The lowest rate that is tried, and the first.
    pub from: Rate,
    /// The highest rate that is tried.
    pub to: Rate,
    /// How near to the truth the found rate has to be, as a share of it.
    pub precision: Ratio,
    /// How long a trial near the edge is measured; far from it, half of that is enough. The longer,
    /// the nearer the rate may be to the one at which queues grow without end.
    pub trial: Duration,
    /// How long all trials take together, with what is left in queues after them.
    pub budget: Duration,
}

/// A plan of which nothing can come.
#[derive(Clone, Copy, Debug, PartialEq, thiserror::Error)]
pub enum RateSearchError {
    /// There is nothing in between.
    #[error("the lowest rate, `{from}`, is not below the highest, `{to}`")]
    Empty {
        /// The lowest.
        from: Rate,
        /// The highest.
        to: Rate,
    },
    /// Neither a clock nor a queue tells rates apart that well, or it tells nothing.
    #[error("a precision of `{0}` is not from 0.5% to 25%")]
    Precision(Ratio),
    /// Trials are counted in seconds.
    #[error("a trial of `{0:?}` is shorter than 6 seconds")]
    ShortTrial(Duration),
    /// It would end before it began to tell.
    #[error("a budget of `{budget:?}` is less than six trials of `{trial:?}`")]
    Budget {
        /// The budget.
        budget: Duration,
        /// The length of a trial.
        trial: Duration,
    },
}

/// One trial to be made.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Attempt {
    /// Arrivals each second of an open load.
    pub rate: Rate,
    /// How long it runs before it counts: whole seconds.
    pub warm_up: Duration,
    /// How long it is measured after that: whole seconds.
    pub duration: Duration,
}

/// What became of one trial.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Trial {
    /// The rate that was tried.
    pub rate: Rate,
    /// Whether it met the limit.
    pub outcome: TrialOutcome,
    /// How long it took, from its start until the next can begin.
    pub took: Duration,
}

/// Whether a trial met the limit.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum TrialOutcome {
    /// It did, and its queue did not grow.
    Holds,
    /// It did not, or its queue grew.
    Breaks,
    /// The limit is within the interval of the figure: the edge is near.
    Straddles,
    /// The generator was late or had nothing to spare, so that the service was not judged.
    GeneratorLimited,
    /// Too few samples, a clock that was set: nothing is said of the rate.
    Untold,
}

/// What comes next.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Next {
    /// This trial; its outcome is to be told.
    Try(Attempt),
    /// Nothing: the search is over.
    Ended(SearchEnd),
}

/// How a search ended.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum SearchEnd {
    /// With a rate, as precise as was asked.
    Found(FoundRate),
    /// Even the lowest rate breaks: the truth is below it.
    NothingHolds,
    /// Even the highest rate holds: the truth is above it.
    EverythingHolds,
    /// The service holds as much as the generator can tell; the truth is at or above `held`.
    GeneratorLimited {
        /// The highest rate that held, if any did.
        held: Option<Rate>,
        /// The lowest rate that is beyond the generator.
        beyond: Rate,
    },
    /// The budget was spent, or trials told nothing, before the precision was reached.
    Unsettled(FoundRate),
}

/// A rate, and where the truth lies with 95 % of the belief.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct FoundRate {
    /// The rate that the truth is as likely above as below.
    pub rate: Rate,
    /// The lower end.
    pub low: Rate,
    /// The upper end.
    pub high: Rate,
}

/// A search under way.
#[derive(Clone, Debug, PartialEq)]
pub struct RateSearch {
    plan: RateSearchPlan,
    belief: Belief,
    trials: u32,
    spent: Duration,
    /// The highest rate that held.
    held: Option<f64>,
    /// The trials that told something of their rate, in order.
    told: Vec<(f64, TrialOutcome)>,
    /// The lowest rate that is beyond the generator.
    beyond: Option<f64>,
    /// Trials in a row that the generator spoilt.
    doubts: u32,
    /// Trials in a row that told nothing for another reason.
    disturbed: u32,
}

impl RateSearch {
    /// A search that has tried nothing yet.
    pub fn new(plan: RateSearchPlan) -> Result<Self, RateSearchError> {
        let RateSearchPlan { from, to, precision, trial, budget } = plan;
        if from >= to {
            return Err(RateSearchError::Empty { from, to });
        }
        if !(0.005..=0.25).contains(&precision.get()) {
            return Err(RateSearchError::Precision(precision));
        }
        if trial < SHORTEST {
            return Err(RateSearchError::ShortTrial(trial));
        }
        if budget < trial * FEWEST {
            return Err(RateSearchError::Budget { budget, trial });
        }
        Ok(Self {
            belief: Belief::new((from.per_second(), to.per_second()), precision.get()),
            plan,
            trials: 0,
            spent: Duration::ZERO,
            held: None,
            told: Vec::new(),
            beyond: None,
            doubts: 0,
            disturbed: 0,
        })
    }

    /// How many trials were told.
    pub fn trials(&self) -> u32 {
        self.trials
    }

    /// How long they took together.
    pub fn spent(&self) -> Duration {
        self.spent
    }

    /// What to do next. Asking twice changes nothing.
    pub fn next(&self) -> Next {
        if let Some(end) = self.end() {
            return Next::Ended(end);
        }
        let rate = self.rate();
        match self.length(rate) {
            Some(duration) => Next::Try(Attempt {
                rate: known(rate),
                warm_up: whole_seconds(duration / 4),
                duration,
            }),
            None => Next::Ended(SearchEnd::Unsettled(self.found())),
        }
    }

    /// Takes in what became of a trial.
    pub fn tell(&mut self, trial: Trial) {
        let rate = trial.rate.per_second();
        self.trials += 1;
        self.spent += trial.took;
        self.belief.update(rate, trial.outcome);
        match trial.outcome {
            TrialOutcome::GeneratorLimited => self.doubts += 1,
            TrialOutcome::Untold => self.disturbed += 1,
            TrialOutcome::Holds | TrialOutcome::Breaks | TrialOutcome::Straddles => {
                (self.doubts, self.disturbed) = (0, 0);
            }
        }
        if trial.outcome == TrialOutcome::Holds {
            self.held = Some(self.held.map_or(rate, |held| held.max(rate)));
        }
        self.told.push((rate, trial.outcome));
        if self.doubts >= DOUBTS {
            self.beyond = Some(self.beyond.map_or(rate, |beyond| beyond.min(rate)));
            self.doubts = 0;
        }
    }

    fn end(&self) -> Option<SearchEnd> {
        let precise = 1.0 + self.plan.precision.get();
        if let Some(beyond) = self.beyond {
            let closed = match self.held {
                Some(held) => beyond <= held * precise,
                None => beyond <= self.plan.from.per_second() * precise,
            };
            if closed {
                let held = self.held.map(known);
                return Some(SearchEnd::GeneratorLimited { held, beyond: known(beyond) });
            }
        }
        let (low, middle, high) = self.belief.range();
        if high <= self.plan.from.per_second() {
            return Some(SearchEnd::NothingHolds);
        }
        if low >= self.plan.to.per_second() {
            return Some(SearchEnd::EverythingHolds);
        }
        if self.disturbed >= DISTURBED {
            return Some(SearchEnd::Unsettled(self.found()));
        }
        let settled = high <= middle * precise && middle <= low * precise;
        (settled && self.unseen_side().is_none()).then(|| SearchEnd::Found(self.found()))
    }

    /// The rate to try next if the edge was not seen twice from each side of where it is believed
    /// to be: from how far away it was approached proves nothing, and neither does a single trial.
    fn unseen_side(&self) -> Option<f64> {
        let (_, middle, _) = self.belief.range();
        let near = 1.0 + 2.0 * self.plan.precision.get();
        let seen = |outcome: TrialOutcome, range: RangeInclusive<f64>| {
            let counts = |told: &&(f64, TrialOutcome)| {
                range.contains(&told.0) && [outcome, TrialOutcome::Straddles].contains(&told.1)
            };
            self.told.iter().filter(counts).count() >= TWICE
        };
        let step = 1.0 + self.plan.precision.get();
        if !seen(TrialOutcome::Breaks, middle / step..=middle * near) {
            return Some(middle * step);
        }
        (!seen(TrialOutcome::Holds, middle / near..=middle * step)).then_some(middle / step)
    }

    /// Where the edge is believed to be, as far as it may be gone at once.
    fn rate(&self) -> f64 {
        let (from, to) = (self.plan.from.per_second(), self.plan.to.per_second());
        let (low, middle, high) = self.belief.range();
        let wide = high > low * WIDE;
        let aim = self.unseen_side().filter(|_| !wide).unwrap_or(middle);
        let highest = self.held.map_or(from, |held| held * GROWTH);
        let rate = aim.min(highest).clamp(from, to);
        match self.beyond {
            // Half of the way, on a scale of logarithms.
            Some(beyond) if rate >= beyond => {
                (self.held.unwrap_or(from).min(beyond) * beyond).sqrt().max(from)
            }
            _ => rate,
        }
    }

    /// How long the next trial is; none if the budget has no room for it.
    fn length(&self, rate: f64) -> Option<Duration> {
        let rest = self.plan.budget.saturating_sub(self.spent);
        let (low, _, high) = self.belief.range();
        let wide = high > low * WIDE;
        let wished = if wide { self.plan.trial / 2 } else { self.plan.trial };
        // One that told nothing is repeated at twice the length.
        let wished = wished * 2_u32.pow(self.disturbed.min(2));
        // Added to it are the warm-up, what starting and stopping take, and what an overloaded
        // service still has in its queue when the trial is over.
        let queued = (rate / low - 1.0).clamp(0.0, GROWTH - 1.0);
        let longest = rest.div_f64(1.35 + queued);
        let length = whole_seconds(wished.min(longest));
        (length >= SHORTEST / 2).then_some(length)
    }

    fn found(&self) -> FoundRate {
        let (from, to) = (self.plan.from.per_second(), self.plan.to.per_second());
        let (low, middle, high) = self.belief.range();
        let within = |rate: f64| known(rate.clamp(from, to));
        FoundRate { rate: within(middle), low: within(low), high: within(high) }
    }
}

fn known(rate: f64) -> Rate {
    Rate::try_from(rate).expect("a rate between two rates is above zero and finite")
}

fn whole_seconds(time: Duration) -> Duration {
    Duration::from_secs(time.as_secs().max(1))
}

#[cfg(test)]
mod tests;
