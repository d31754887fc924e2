//! When each arrival of an open load is due.
//!
//! The main type is [`Schedule`]: a pure function from a seed and an arrival's number to an
//! instant, so that nothing that happens during a run can move what is still to come. Constant
//! rates are exact integers without drift. Closed loads have no schedule: see
//! [`Closed`](crate::Closed).

use std::time::Duration;

use cutover_model::draw::{draw_unit, stream_of};
use serde::{Deserialize, Serialize};

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

/// How arrivals follow each other.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Arrival {
    /// At equal distances, the first at once.
    Constant {
        /// The rate.
        rate: Rate,
    },
    /// At random, each independent of the others, as from very many users.
    Poisson {
        /// The rate on average.
        rate: Rate,
    },
    /// At a rate that grows or falls steadily and then stays.
    Ramp {
        /// The rate at the start; may be 0.
        from: Rate,
        /// The rate at the end and after it.
        to: Rate,
        /// How long the change takes.
        over: Duration,
    },
}

/// A load that cannot be scheduled.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ScheduleError {
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
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Schedule {
    arrival: Arrival,
    seed: u64,
}

impl Schedule {
    /// A schedule of these arrivals; the seed decides what is left to chance.
    pub fn new(arrival: Arrival, seed: u64) -> Result<Self, ScheduleError> {
        match arrival {
            Arrival::Constant { rate } | Arrival::Poisson { rate } => check_rate(rate)?,
            Arrival::Ramp { from, to, .. } => {
                check_rate(to)?;
                if from.operations > 0 {
                    check_rate(from)?;
                }
            }
        }
        Ok(Self { arrival, seed })
    }

    /// The seed, which also decides the order of interleaved operations.
    pub fn seed(&self) -> u64 {
        self.seed
    }

    /// The kind of arrivals.
    pub fn arrival(&self) -> Arrival {
        self.arrival
    }

    /// When arrival `k` (from 0) is due. A Poisson schedule adds up `k` gaps to know; whoever
    /// wants all instants in turn takes [`Schedule::instants`].
    pub fn intended(&self, k: u64) -> Duration {
        match self.arrival {
            Arrival::Constant { rate } => constant(rate, k),
            Arrival::Ramp { from, to, over } => ramp(from, to, over, k),
            Arrival::Poisson { rate } => {
                let gaps = (0..=k).map(|place| u128::from(self.poisson_gap_ns(rate, place)));
                from_ns(gaps.sum())
            }
        }
    }

    /// All instants in turn, without end.
    pub fn instants(self) -> Instants {
        Instants { schedule: self, k: 0, elapsed_ns: 0 }
    }

    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "a gap is never negative, and the cast saturates"
    )]
    fn poisson_gap_ns(&self, rate: Rate, place: u64) -> u64 {
        let mean_ns = rate.per.as_nanos() as f64 / rate.operations as f64;
        // A draw is below 1, so what is left of it is above 0 and has a logarithm.
        let left = 1.0 - draw_unit(self.seed, stream_of("poisson gap"), place);
        (-left.ln() * mean_ns).round() as u64
    }
}

fn check_rate(rate: Rate) -> Result<(), ScheduleError> {
    if rate.per.is_zero() {
        return Err(ScheduleError::ZeroPeriod);
    }
    if rate.operations == 0 {
        return Err(ScheduleError::ZeroRate);
    }
    if u128::from(rate.operations) > rate.per.as_nanos() {
        return Err(ScheduleError::TooFast);
    }
    Ok(())
}

fn constant(rate: Rate, k: u64) -> Duration {
    // The product of two 64-bit numbers fits, and a period beyond 64 bits of nanoseconds (five
    // centuries) is only ever rounded.
    from_ns(u128::from(k).saturating_mul(rate.per.as_nanos()) / u128::from(rate.operations))
}

/// The instant at which the area under the rate reaches `k`.
#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "instants are never negative, and the cast saturates"
)]
fn ramp(from: Rate, to: Rate, over: Duration, k: u64) -> Duration {
    let per_ns = |rate: Rate| match rate.operations {
        0 => 0.0,
        operations => operations as f64 / rate.per.as_nanos() as f64,
    };
    let (first, last, over_ns) = (per_ns(from), per_ns(to), over.as_nanos() as f64);
    let in_ramp = f64::midpoint(first, last) * over_ns;
    let k = k as f64;
    if k > in_ramp || over.is_zero() {
        let after = Duration::from_nanos(((k - in_ramp) / last) as u64);
        return over.saturating_add(after);
    }
    if k == 0.0 {
        return Duration::ZERO;
    }
    // The stable form of the quadratic's root: it holds for rising, falling and level rates.
    let slope = (last - first) / over_ns;
    let root = (first * first + 2.0 * slope * k).max(0.0).sqrt();
    Duration::from_nanos((2.0 * k / (first + root)) as u64).min(over)
}

fn from_ns(ns: u128) -> Duration {
    const SECOND_NS: u128 = 1_000_000_000;
    let below = u32::try_from(ns % SECOND_NS).expect("a remainder below a second");
    u64::try_from(ns / SECOND_NS).map_or(Duration::MAX, |seconds| Duration::new(seconds, below))
}

/// The instants of a schedule in turn.
#[derive(Clone, Debug)]
pub struct Instants {
    schedule: Schedule,
    k: u64,
    elapsed_ns: u128,
}

impl Iterator for Instants {
    type Item = Duration;

    fn next(&mut self) -> Option<Duration> {
        let k = self.k;
        self.k = self.k.checked_add(1)?;
        Some(match self.schedule.arrival {
            Arrival::Poisson { rate } => {
                self.elapsed_ns += u128::from(self.schedule.poisson_gap_ns(rate, k));
                from_ns(self.elapsed_ns)
            }
            Arrival::Constant { .. } | Arrival::Ramp { .. } => self.schedule.intended(k),
        })
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn schedule(arrival: Arrival) -> Schedule {
        Schedule::new(arrival, 7).unwrap()
    }

    #[test]
    fn an_hour_of_arrivals_at_any_rate_ends_on_the_hour() {
        for operations in [1, 3, 7, 999, 10_000, 123_457, 1_000_000] {
            let constant = schedule(Arrival::Constant { rate: Rate::per_second(operations) });
            assert_eq!(constant.intended(operations * 3600), Duration::from_hours(1));
        }
    }

    #[test]
    fn the_first_constant_arrival_is_due_at_once() {
        let constant = schedule(Arrival::Constant { rate: Rate::per_second(3) });
        assert_eq!(constant.intended(0), Duration::ZERO);
        assert_eq!(constant.intended(1), Duration::from_nanos(333_333_333));
    }

    #[test]
    fn ten_operations_in_three_seconds_come_every_300_ms() {
        let rate = Rate { operations: 10, per: Duration::from_secs(3) };
        let constant = schedule(Arrival::Constant { rate });
        assert_eq!(constant.intended(7), Duration::from_millis(2100));
    }

    #[test]
    fn the_last_number_of_all_does_not_overflow() {
        let rate = Rate { operations: 1, per: Duration::from_hours(1) };
        let constant = schedule(Arrival::Constant { rate });
        assert!(constant.intended(u64::MAX) > Duration::from_secs(u64::MAX / 2));
    }

    #[test]
    fn a_rate_of_zero_is_refused() {
        let arrival = Arrival::Constant { rate: Rate::per_second(0) };
        assert_eq!(Schedule::new(arrival, 0), Err(ScheduleError::ZeroRate));
    }

    #[test]
    fn a_rate_in_no_time_is_refused() {
        let arrival = Arrival::Poisson { rate: Rate { operations: 5, per: Duration::ZERO } };
        assert_eq!(Schedule::new(arrival, 0), Err(ScheduleError::ZeroPeriod));
    }

    #[test]
    fn a_ramp_from_zero_has_delivered_half_of_its_top_rate_on_average() {
        let over = Duration::from_mins(1);
        let arrival = Arrival::Ramp { from: Rate::per_second(0), to: Rate::per_second(100), over };
        let before_end = schedule(arrival).instants().take_while(|due| *due < over).count();
        assert_eq!(before_end, 3000);
    }

    #[test]
    fn after_a_ramp_the_rate_is_the_last_one() {
        let over = Duration::from_secs(10);
        let arrival = Arrival::Ramp { from: Rate::per_second(10), to: Rate::per_second(100), over };
        let ramp = schedule(arrival);
        let second = |from: u64| {
            let range = Duration::from_secs(from)..Duration::from_secs(from + 1);
            let instants = ramp.instants().take_while(|due| *due < range.end);
            instants.filter(|due| *due >= range.start).count()
        };
        assert_eq!(second(11), 100);
        assert_eq!(second(100), 100);
    }

    #[test]
    fn poisson_gaps_have_the_mean_and_the_spread_of_their_law() {
        let poisson = schedule(Arrival::Poisson { rate: Rate::per_second(1000) });
        let instants: Vec<f64> =
            poisson.instants().take(100_000).map(|due| due.as_secs_f64() * 1e3).collect();
        let gaps: Vec<f64> = instants.windows(2).map(|pair| pair[1] - pair[0]).collect();
        let mean = gaps.iter().sum::<f64>() / gaps.len() as f64;
        let variance = gaps.iter().map(|gap| (gap - mean).powi(2)).sum::<f64>() / gaps.len() as f64;
        // One standard error of the mean is 0.3 %, of the variance 0.9 %.
        assert!((mean - 1.0).abs() < 0.015, "mean gap {mean} ms");
        assert!((variance - 1.0).abs() < 0.045, "variance {variance}");
    }

    proptest! {
        #[test]
        fn instants_never_go_back_and_agree_with_random_access(
            kind in 0..3,
            operations in 1_u64..1_000_000,
            from in 0_u64..1_000_000,
            seed: u64,
        ) {
            let rate = Rate::per_second(operations);
            let over = Duration::from_millis(20);
            let arrival = match kind {
                0 => Arrival::Constant { rate },
                1 => Arrival::Poisson { rate },
                _ => Arrival::Ramp { from: Rate::per_second(from), to: rate, over },
            };
            let schedule = Schedule::new(arrival, seed).unwrap();
            let mut last = Duration::ZERO;
            for (k, due) in schedule.instants().take(200).enumerate() {
                prop_assert!(due >= last);
                prop_assert_eq!(due, schedule.intended(k as u64));
                last = due;
            }
        }
    }
}
