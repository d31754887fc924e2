//! When each arrival of an open load is due.
//!
//! The main type is [`Schedule`]: a pure function from a seed and an arrival's number to an
//! instant, so that nothing that happens during a run can move what is still to come. Its rate goes
//! through [`Stage`]s. The area under the rate says how many arrivals a stretch of time has, and
//! arrival `k` is due where that area reaches `k` or, at random, the sum of `k + 1` exponential
//! gaps: so chance goes with every shape. Areas are integers of a small fraction of an arrival, and
//! constant rates have no drift. Closed loads have no schedule: see [`Closed`](crate::Closed).

use std::sync::Arc;
use std::time::Duration;

use cutover_model::draw::{draw_unit, stream_of};
use serde::{Deserialize, Serialize};

use crate::histogram::whole_ns;

/// So many operations in so much time.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Rate {
    /// How many operations.
    pub operations: u64,
    /// In which time.
    pub per: Duration,
}

impl Rate {
    /// So many operations each second.
    pub const fn per_second(operations: u64) -> Self {
        Self { operations, per: Duration::from_secs(1) }
    }

    /// The rate as a number, for display and ratios.
    pub fn as_per_second(self) -> f64 {
        self.operations as f64 / self.per.as_secs_f64()
    }
}

/// A stretch of time in which the rate changes steadily, or stays.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Stage {
    /// The rate at its start. Zero makes a pause, or a ramp from nothing.
    pub from: Rate,
    /// The rate at its end.
    pub to: Rate,
    /// How long it takes. The last stage's `to` goes on after it.
    pub over: Duration,
}

impl Stage {
    /// A rate that stays for so long.
    pub const fn level(rate: Rate, over: Duration) -> Self {
        Self { from: rate, to: rate, over }
    }
}

/// How arrivals follow each other.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Spacing {
    /// As evenly as the rate allows, the first at once.
    Even,
    /// At random, each independent of the others, as from very many users.
    Poisson,
}

/// A load that cannot be scheduled.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ScheduleError {
    /// There is no rate at all.
    #[error("a schedule needs at least one stage")]
    NoStage,
    /// Nothing would ever arrive.
    #[error("a rate of zero schedules nothing")]
    ZeroRate,
    /// A rate counts operations in no time at all.
    #[error("a rate needs a time above zero to count operations in")]
    ZeroPeriod,
    /// A rate above one arrival in a nanosecond.
    #[error("the rate is above one operation in a nanosecond")]
    TooFast,
}

/// The instants at which arrivals are due, counted from the start of the run.
#[derive(Clone, Debug, PartialEq)]
pub struct Schedule {
    /// Stages without arrivals are left out; threads share the rest.
    pieces: Arc<[Piece]>,
    spacing: Spacing,
    seed: u64,
}

impl Schedule {
    /// A schedule that goes through these stages; the seed decides what is left to chance. After
    /// the last stage its `to` goes on; if that is zero, so that nothing more would arrive, the
    /// schedule ends there.
    pub fn new(stages: Vec<Stage>, spacing: Spacing, seed: u64) -> Result<Self, ScheduleError> {
        for rate in stages.iter().flat_map(|stage| [stage.from, stage.to]) {
            check_rate(rate)?;
        }
        let last = stages.last().ok_or(ScheduleError::NoStage)?.to;
        let mut pieces = Vec::with_capacity(stages.len() + 1);
        let (mut start_ns, mut before) = (0, 0);
        for Stage { from, to, over } in stages {
            let over_ns = whole_ns(over);
            let (from, to) = (Pace::of(from), Pace::of(to));
            let end = before + u128::midpoint(from.area(over_ns), to.area(over_ns));
            if end > before {
                let level = from.equals(to);
                pieces.push(Piece { start_ns, over_ns, from, to, level, before, end });
            }
            start_ns += u128::from(over_ns);
            before = end;
        }
        if last.operations > 0 {
            let (from, over_ns, end) = (Pace::of(last), u64::MAX, u128::MAX);
            pieces.push(Piece { start_ns, over_ns, from, to: from, level: true, before, end });
        }
        if pieces.is_empty() {
            return Err(ScheduleError::ZeroRate);
        }
        Ok(Self { pieces: pieces.into(), spacing, seed })
    }

    /// One rate for all time, at equal distances.
    pub fn constant(rate: Rate, seed: u64) -> Result<Self, ScheduleError> {
        Self::new(vec![Stage::level(rate, Duration::ZERO)], Spacing::Even, seed)
    }

    /// The seed, which also decides the order of interleaved operations.
    pub fn seed(&self) -> u64 {
        self.seed
    }

    /// When arrival `k` (from 0) is due; none if the schedule ends before it. A Poisson schedule
    /// adds up `k` gaps to know; whoever wants instants in turn takes [`Schedule::instants`].
    pub fn intended(&self, k: u64) -> Option<Duration> {
        let area = match self.spacing {
            Spacing::Even => u128::from(k) << FRACTION,
            Spacing::Poisson => (0..=k).map(|place| u128::from(self.gap(place))).sum(),
        };
        let place = self.pieces.partition_point(|piece| piece.end <= area);
        self.pieces.get(place).map(|piece| piece.instant(area))
    }

    /// All instants in turn.
    pub fn instants(&self) -> Instants {
        Instants { schedule: self.clone(), k: 0, area: 0, place: 0 }
    }

    /// The area between an arrival of a Poisson schedule and the one before it.
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "a gap is never negative, and below 37 arrivals"
    )]
    fn gap(&self, k: u64) -> u64 {
        // A draw is below 1, so what is left of it is above 0 and has a logarithm.
        let left = 1.0 - draw_unit(self.seed, stream_of("poisson gap"), k);
        (-left.ln() * ONE).round() as u64
    }
}

fn check_rate(rate: Rate) -> Result<(), ScheduleError> {
    if rate.per.is_zero() {
        return Err(ScheduleError::ZeroPeriod);
    }
    if u128::from(rate.operations) > rate.per.as_nanos() {
        return Err(ScheduleError::TooFast);
    }
    Ok(())
}

/// Areas count arrivals in fractions of this many bits: an error of one is a nanosecond even at an
/// arrival in three days.
const FRACTION: u32 = 48;
/// One arrival as an area.
const ONE: f64 = (1_u64 << FRACTION) as f64;

/// A rate that is ready to be reckoned with. A period beyond 64 bits of nanoseconds (five
/// centuries) is rounded.
#[derive(Clone, Copy, Debug, PartialEq)]
struct Pace {
    operations: u64,
    per_ns: u64,
}

impl Pace {
    fn of(rate: Rate) -> Self {
        Self { operations: rate.operations, per_ns: whole_ns(rate.per) }
    }

    /// The area under this rate in so much time. It fits: a rate is at most one in a nanosecond.
    fn area(self, over_ns: u64) -> u128 {
        let all = u128::from(over_ns) * u128::from(self.operations);
        let per = u128::from(self.per_ns);
        ((all / per) << FRACTION) + ((all % per) << FRACTION) / per
    }

    /// In which time this rate makes an area, exactly but for what is below a nanosecond.
    fn time_ns(self, area: u128) -> u128 {
        let (per, whole) = (u128::from(self.per_ns), area >> FRACTION);
        let below = area & ((1 << FRACTION) - 1);
        let all = whole.saturating_mul(per).saturating_add((below * per) >> FRACTION);
        all / u128::from(self.operations)
    }

    fn per_ns(self) -> f64 {
        self.operations as f64 / self.per_ns as f64
    }

    fn equals(self, other: Self) -> bool {
        let cross = |a: Self, b: Self| u128::from(a.operations) * u128::from(b.per_ns);
        cross(self, other) == cross(other, self)
    }
}

/// A stage in its place.
#[derive(Clone, Copy, Debug, PartialEq)]
struct Piece {
    start_ns: u128,
    over_ns: u64,
    from: Pace,
    to: Pace,
    /// Whether both are the same.
    level: bool,
    /// The area before it, and with it.
    before: u128,
    end: u128,
}

impl Piece {
    /// The last instant at which the whole area is not above `area`: an arrival that falls on the
    /// beginning of a pause comes at its end.
    fn instant(&self, area: u128) -> Duration {
        let area = area - self.before;
        let after =
            if self.level { self.from.time_ns(area) } else { u128::from(self.in_ramp_ns(area)) };
        from_ns(self.start_ns.saturating_add(after))
    }

    /// The root of the quadratic. Both forms are stable, and each of their steps goes one way
    /// only, rounded or not: a later arrival is never due earlier.
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "instants are never negative, and the cast saturates"
    )]
    fn in_ramp_ns(&self, area: u128) -> u64 {
        let area = area as f64 / ONE;
        if area == 0.0 {
            return 0;
        }
        let first = self.from.per_ns();
        let slope = (self.to.per_ns() - first) / self.over_ns as f64;
        let after = if slope > 0.0 {
            let half = first / (2.0 * area);
            1.0 / (half + (half * half + slope / (2.0 * area)).sqrt())
        } else {
            let root = (first * first + 2.0 * slope * area).max(0.0).sqrt();
            2.0 * area / (first + root)
        };
        (after as u64).min(self.over_ns)
    }
}

fn from_ns(ns: u128) -> Duration {
    const SECOND_NS: u128 = 1_000_000_000;
    if let Ok(ns) = u64::try_from(ns) {
        return Duration::from_nanos(ns);
    }
    let below = u32::try_from(ns % SECOND_NS).expect("a remainder below a second");
    u64::try_from(ns / SECOND_NS).map_or(Duration::MAX, |seconds| Duration::new(seconds, below))
}

/// The instants of a schedule in turn.
#[derive(Clone, Debug)]
pub struct Instants {
    schedule: Schedule,
    /// The next arrival.
    k: u64,
    /// Of a Poisson schedule, the area up to the arrival before it.
    area: u128,
    /// The piece in which the arrival before it was due.
    place: usize,
}

impl Iterator for Instants {
    type Item = Duration;

    fn next(&mut self) -> Option<Duration> {
        let k = self.k;
        self.k = k.checked_add(1)?;
        let area = match self.schedule.spacing {
            Spacing::Even => u128::from(k) << FRACTION,
            Spacing::Poisson => {
                self.area += u128::from(self.schedule.gap(k));
                self.area
            }
        };
        let pieces = &self.schedule.pieces;
        while pieces.get(self.place)?.end <= area {
            self.place += 1;
        }
        Some(pieces[self.place].instant(area))
    }

    /// Passes over arrivals without asking when they are due.
    fn nth(&mut self, over: usize) -> Option<Duration> {
        let to = self.k.checked_add(over as u64)?;
        if self.schedule.spacing == Spacing::Poisson {
            let gaps = (self.k..to).map(|k| u128::from(self.schedule.gap(k)));
            self.area += gaps.sum::<u128>();
        }
        self.k = to;
        self.next()
    }
}

#[cfg(test)]
mod tests;
