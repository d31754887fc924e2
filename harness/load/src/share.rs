//! The share of the arrivals or of the users that falls to one process, or to one of its threads.
//!
//! The main type is [`Share`]: the `k`th of `n` takes every `n`th arrival from the `k`th on, and so
//! with users: a pure function of the seed and the two numbers, whose union over all shares is the
//! schedule itself. [`Arrivals`] and [`Users`] are what is in a share.

use std::iter::{Skip, StepBy};
use std::sync::Arc;
use std::time::Duration;

use cutover_model::Shard;

use crate::closed::Closed;
use crate::interleave::{Dealer, Turn};
use crate::schedule::{Instants, Schedule};

/// Which share of how many.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Share {
    /// From 0.
    number: usize,
    of: usize,
}

impl Share {
    /// One of several equal shares, counted from 0.
    pub(crate) fn new(number: usize, of: usize) -> Self {
        Self { number, of }
    }

    /// The share of a process.
    pub(crate) fn of_shard(shard: Shard) -> Self {
        let size = |number| usize::try_from(number).expect("32 bits of shards");
        Self::new(size(shard.number() - 1), size(shard.of()))
    }

    /// A share of this share.
    pub(crate) fn part(self, part: Self) -> Self {
        Self::new(self.number + self.of * part.number, self.of * part.of)
    }

    /// How many of so many fall to this share.
    pub(crate) fn size(self, all: usize) -> usize {
        all / self.of + usize::from(self.number < all % self.of)
    }

    /// The number that the `index`th of this share has among all.
    pub(crate) fn at(self, index: usize) -> u64 {
        index as u64 * self.of as u64 + self.number as u64
    }
}

/// The arrivals of an open load that are in a share and have still to be sent.
#[derive(Clone, Debug)]
pub(crate) struct Arrivals {
    instants: StepBy<Skip<Instants>>,
    share: Share,
    taken: usize,
    end: Duration,
    dealer: Dealer,
    next: Option<(Turn, Duration)>,
}

impl Arrivals {
    pub(crate) fn new(
        schedule: &Schedule,
        weights: &Arc<[u32]>,
        share: Share,
        end: Duration,
    ) -> Self {
        let mut arrivals = Self {
            instants: schedule.instants().skip(share.number).step_by(share.of),
            share,
            taken: 0,
            end,
            dealer: Dealer::new(schedule.seed(), Arc::clone(weights)),
            next: None,
        };
        arrivals.next = arrivals.following();
        arrivals
    }

    /// Leaves out what is due from this instant on.
    pub(crate) fn end_at(&mut self, end: Duration) {
        self.end = self.end.min(end);
        self.next = self.next.filter(|(_, due)| *due < self.end);
    }

    /// When the next one is due.
    pub(crate) fn peek(&self) -> Option<Duration> {
        self.next.map(|(_, due)| due)
    }

    /// When those are due that have not been taken, in turn.
    pub(crate) fn left(&self) -> impl Iterator<Item = Duration> {
        let next = self.next.map(|(_, due)| due);
        let following = next.map(|_| self.instants.clone()).into_iter().flatten();
        next.into_iter().chain(following).take_while(|due| *due < self.end)
    }

    fn following(&mut self) -> Option<(Turn, Duration)> {
        let due = self.instants.next().filter(|due| *due < self.end)?;
        let k = self.share.at(self.taken);
        self.taken += 1;
        Some((self.dealer.deal(k), due))
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

/// The users of a closed load that are in a share.
#[derive(Clone, Debug)]
pub(crate) struct Users {
    closed: Closed,
    share: Share,
    /// Who deals to each user, and how often the user has asked.
    asked: Vec<(Dealer, u64)>,
}

impl Users {
    pub(crate) fn new(closed: Closed, weights: &Arc<[u32]>, share: Share) -> Self {
        let all = usize::try_from(closed.users).expect("32 bits of users");
        let dealer = |index| closed.dealer(share.at(index), weights);
        let asked = (0..share.size(all)).map(|index| (dealer(index), 0)).collect();
        Self { closed, share, asked }
    }

    /// When the user at this place of the share joins.
    pub(crate) fn joins(&self, index: usize) -> Duration {
        let number = u32::try_from(self.share.at(index)).expect("32 bits of users");
        (self.closed.ramp_up / self.closed.users).saturating_mul(number)
    }

    pub(crate) fn think(&self) -> Duration {
        self.closed.think
    }

    /// What the user at this place of the share asks next.
    pub(crate) fn turn(&mut self, index: usize) -> Turn {
        let number = self.share.at(index);
        let (dealer, asked) = &mut self.asked[index];
        let turn = dealer.deal(*asked);
        *asked += 1;
        self.closed.among_all(turn, number)
    }
}

#[cfg(test)]
mod tests {
    use cutover_model::draw::draw;
    use proptest::prelude::*;

    use super::*;
    use crate::operation::{Outcome, OutcomeClass};
    use crate::recorder::{Arrived, Frame, Recorder};
    use crate::recording::{Model, Recording};
    use crate::schedule::{Rate, Spacing, Stage};

    /// The share of each thread of each shard.
    fn parts(shards: u32, threads: usize) -> Vec<Share> {
        let shards =
            (1..=shards).map(|number| Share::of_shard(Shard::new(number, shards).unwrap()));
        shards
            .flat_map(|shard| (0..threads).map(move |it| shard.part(Share::new(it, threads))))
            .collect()
    }

    /// A rate, a ramp up to three times of it, a pause, and the rate again.
    fn schedule(poisson: bool, per_second: u64, seed: u64) -> Schedule {
        let [rate, top, nothing] = [per_second, 3 * per_second, 0].map(Rate::per_second);
        let over = Duration::from_millis(90);
        let stages = vec![
            Stage::level(rate, over),
            Stage { from: rate, to: top, over },
            Stage::level(nothing, over),
            Stage::level(rate, over),
        ];
        let spacing = if poisson { Spacing::Poisson } else { Spacing::Even };
        Schedule::new(stages, spacing, seed).unwrap()
    }

    fn weights() -> impl Strategy<Value = Vec<u32>> {
        proptest::collection::vec(1_u32..8, 1..5)
    }

    /// What a shard records of a service whose latency and failures depend on the round alone.
    fn recording(schedule: &Schedule, weights: &[u32], shard: Shard) -> Recording {
        let (warm_up, duration) = (Duration::from_millis(700), Duration::from_millis(800));
        let operations = weights.len();
        let mut recorder = Recorder::new(operations, warm_up, Duration::from_secs(5));
        let share = Share::of_shard(shard);
        for (turn, due) in Arrivals::new(schedule, &weights.into(), share, warm_up + duration) {
            let sent = due + Duration::from_micros(draw(1, 0, turn.number) % 90);
            let done = sent + Duration::from_nanos(draw(1, 1, turn.number) % 90_000_000);
            let failed = draw(1, 2, turn.number).is_multiple_of(9);
            let outcome =
                if failed { Outcome::failed(OutcomeClass::Error("503")) } else { Outcome::ok(7) };
            let operation = turn.operation;
            recorder.record(Arrived { operation, due, free: due, sent, done, outcome });
        }
        let labels = (0..operations).map(|it| it.to_string()).collect();
        recorder.finish(Frame { model: Model::Open, duration, stopped: None }, labels)
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(64))]

        #[test]
        fn the_shares_of_all_threads_of_all_shards_are_the_schedule(
            shards in 1_u32..5,
            threads in 1_usize..5,
            weights in weights(),
            poisson: bool,
            per_second in 1_u64..2_000,
            seed: u64,
        ) {
            let schedule = schedule(poisson, per_second, seed);
            let end = Duration::from_millis(500);
            let weights: Arc<[u32]> = weights.into();
            let arrivals = |share| {
                Arrivals::new(&schedule, &weights, share, end)
                    .map(|(turn, due)| (due, turn.number, turn.operation))
                    .collect::<Vec<_>>()
            };
            let parts = parts(shards, threads).into_iter();
            let mut shared: Vec<_> = parts.flat_map(arrivals).collect();
            let mut whole = arrivals(Share::of_shard(Shard::WHOLE));
            shared.sort_unstable();
            whole.sort_unstable();
            prop_assert_eq!(shared, whole);
        }

        #[test]
        fn the_recordings_of_all_shards_are_together_the_one_of_the_whole_load(
            shards in 1_u32..7,
            weights in weights(),
            poisson: bool,
            per_second in 1_u64..2_000,
            seed: u64,
        ) {
            let schedule = schedule(poisson, per_second, seed);
            let whole = recording(&schedule, &weights, Shard::WHOLE);
            let merged = (1..=shards)
                .map(|number| recording(&schedule, &weights, Shard::new(number, shards).unwrap()))
                .reduce(|mut merged, shard| {
                    merged.merge(&shard).unwrap();
                    merged
                });
            prop_assert_eq!(merged.unwrap(), whole);
        }

        #[test]
        fn the_users_of_all_shares_are_all_users_and_share_the_numbers_without_gap(
            shards in 1_u32..5,
            threads in 1_usize..5,
            users in 1_u32..40,
            weights in weights(),
            seed: u64,
        ) {
            let ramp_up = Duration::from_secs(40);
            let weights: Arc<[u32]> = weights.into();
            let closed = Closed { users, think: Duration::ZERO, ramp_up, seed };
            let mut joined = Vec::new();
            let mut numbers = vec![Vec::new(); weights.len()];
            let whole: u32 = weights.iter().sum();
            for share in parts(shards, threads) {
                let mut share = Users::new(closed, &weights, share);
                for index in 0..share.asked.len() {
                    joined.push(share.joins(index));
                    for _ in 0..3 * whole {
                        let Turn { operation, number } = share.turn(index);
                        numbers[operation].push(number);
                    }
                }
            }
            joined.sort_unstable();
            let due: Vec<_> = (0..users).map(|user| ramp_up / users * user).collect();
            prop_assert_eq!(joined, due);
            for (numbers, weight) in numbers.iter_mut().zip(&*weights) {
                numbers.sort_unstable();
                let all = u64::from(3 * users * weight);
                prop_assert!(numbers.iter().copied().eq(0..all));
            }
        }

        #[test]
        fn the_arrivals_of_all_shares_give_each_operation_its_numbers_without_gap(
            shards in 1_u32..5,
            threads in 1_usize..5,
            weights in weights(),
            per_second in 1_u64..2_000,
            seed: u64,
        ) {
            let schedule = schedule(true, per_second, seed);
            let weights: Arc<[u32]> = weights.into();
            let mut numbers = vec![Vec::new(); weights.len()];
            for share in parts(shards, threads) {
                let end = Duration::from_millis(500);
                for (turn, _) in Arrivals::new(&schedule, &weights, share, end) {
                    numbers[turn.operation].push(turn.number);
                }
            }
            let whole: u32 = weights.iter().sum();
            let arrived = numbers.iter().map(Vec::len).sum::<usize>() as u64;
            for (numbers, weight) in numbers.iter_mut().zip(&*weights) {
                numbers.sort_unstable();
                let all = numbers.len() as u64;
                prop_assert!(numbers.iter().copied().eq(0..all));
                let (rounds, weight) = (arrived / u64::from(whole), u64::from(*weight));
                prop_assert!((rounds * weight..=(rounds + 1) * weight).contains(&all));
            }
        }
    }
}
