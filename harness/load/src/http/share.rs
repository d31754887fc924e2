//! One thread's share of the arrivals or of the users.
//!
//! Thread `t` of `n` takes every `n`th arrival from the `t`th on, and so with users: a pure
//! function of the seed and the two numbers, whose union over all threads is the schedule itself.

use std::iter::{Skip, StepBy};
use std::time::Duration;

use cutover_model::draw::{draw, stream_of};

use crate::closed::Closed;
use crate::interleave::{Dealer, Turn};
use crate::schedule::{Instants, Schedule};

/// Which share of how many.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Share {
    pub(crate) thread: usize,
    pub(crate) threads: usize,
}

impl Share {
    /// How many of so many fall to this share.
    pub(crate) fn of(self, all: usize) -> usize {
        all / self.threads + usize::from(self.thread < all % self.threads)
    }

    /// The number that the `index`th of this share has among all.
    fn number(self, index: usize) -> u64 {
        index as u64 * self.threads as u64 + self.thread as u64
    }
}

/// The arrivals of an open load that one thread has still to send.
#[derive(Clone, Debug)]
pub(crate) struct Arrivals {
    instants: StepBy<Skip<Instants>>,
    share: Share,
    taken: usize,
    seed: u64,
    operations: usize,
    end: Duration,
    dealer: Dealer,
    next: Option<(Turn, Duration)>,
}

impl Arrivals {
    pub(crate) fn new(schedule: Schedule, operations: usize, share: Share, end: Duration) -> Self {
        let Share { thread, threads } = share;
        let mut arrivals = Self {
            instants: schedule.instants().skip(thread).step_by(threads),
            share,
            taken: 0,
            seed: schedule.seed(),
            operations,
            end,
            dealer: Dealer::default(),
            next: None,
        };
        arrivals.next = arrivals.following();
        arrivals
    }

    /// When the next one is due.
    pub(crate) fn peek(&self) -> Option<Duration> {
        self.next.map(|(_, due)| due)
    }

    fn following(&mut self) -> Option<(Turn, Duration)> {
        let due = self.instants.next().filter(|due| *due < self.end)?;
        let k = self.share.number(self.taken);
        self.taken += 1;
        Some((self.dealer.deal(self.seed, self.operations, k), due))
    }
}

impl Iterator for Arrivals {
    type Item = (Turn, Duration);

    fn next(&mut self) -> Option<Self::Item> {
        let next = self.next.take();
        if next.is_some() {
            self.next = self.following();
        }
        next
    }
}

/// The users of a closed load that one thread plays.
#[derive(Clone, Debug)]
pub(crate) struct Users {
    closed: Closed,
    share: Share,
    operations: usize,
    dealer: Dealer,
    /// The seed of each user's order, and how often the user has asked.
    asked: Vec<(u64, u64)>,
}

impl Users {
    pub(crate) fn new(closed: Closed, operations: usize, share: Share) -> Self {
        let all = usize::try_from(closed.users).expect("32 bits of users");
        let seed = |index| draw(closed.seed, stream_of("user"), share.number(index));
        let asked = (0..share.of(all)).map(|index| (seed(index), 0)).collect();
        Self { closed, share, operations, dealer: Dealer::default(), asked }
    }

    /// When the user at this place of the share joins.
    pub(crate) fn joins(&self, index: usize) -> Duration {
        let number = u32::try_from(self.share.number(index)).expect("32 bits of users");
        (self.closed.ramp_up / self.closed.users).saturating_mul(number)
    }

    pub(crate) fn think(&self) -> Duration {
        self.closed.think
    }

    /// What the user at this place of the share asks next.
    pub(crate) fn turn(&mut self, index: usize) -> Turn {
        let number = self.share.number(index);
        let (seed, asked) = &mut self.asked[index];
        let turn = self.dealer.deal(*seed, self.operations, *asked);
        *asked += 1;
        Turn { round: turn.round * u64::from(self.closed.users) + number, ..turn }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::schedule::{Arrival, Rate};

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(64))]

        #[test]
        fn the_shares_of_all_threads_are_the_schedule(
            threads in 1_usize..9,
            operations in 1_usize..5,
            poisson: bool,
            per_second in 1_u64..2_000,
            seed: u64,
        ) {
            let rate = Rate::per_second(per_second);
            let arrival =
                if poisson { Arrival::Poisson { rate } } else { Arrival::Constant { rate } };
            let schedule = Schedule::new(arrival, seed).unwrap();
            let end = Duration::from_millis(500);
            let share = |thread, threads| {
                let share = Share { thread, threads };
                Arrivals::new(schedule, operations, share, end)
                    .map(|(turn, due)| (due, turn.round, turn.operation))
                    .collect::<Vec<_>>()
            };
            let mut shared: Vec<_> = (0..threads).flat_map(|t| share(t, threads)).collect();
            let mut whole = share(0, 1);
            shared.sort_unstable();
            whole.sort_unstable();
            prop_assert_eq!(shared, whole);
        }

        #[test]
        fn the_users_of_all_threads_are_all_users_and_share_no_round(
            threads in 1_usize..9, users in 1_u32..40, operations in 1_usize..4, seed: u64,
        ) {
            let ramp_up = Duration::from_secs(40);
            let closed = Closed { users, think: Duration::ZERO, ramp_up, seed };
            let mut joined = Vec::new();
            let mut rounds = Vec::new();
            for thread in 0..threads {
                let mut share = Users::new(closed, operations, Share { thread, threads });
                for index in 0..share.asked.len() {
                    joined.push(share.joins(index));
                    let asked = (0..3 * operations).map(|_| share.turn(index));
                    rounds.extend(asked.map(|turn| (turn.round, turn.operation)));
                }
            }
            joined.sort_unstable();
            let due: Vec<_> = (0..users).map(|user| ramp_up / users * user).collect();
            prop_assert_eq!(joined, due);
            let asked = rounds.len();
            rounds.sort_unstable();
            rounds.dedup();
            prop_assert_eq!(rounds.len(), asked);
        }
    }
}
