//! Which operation an arrival is for.
//!
//! With several operations, as the same query on two stores or a mix of queries, arrivals are dealt
//! in rounds: each round has every operation as often as its weight says, in an order drawn from
//! the seed, so that neither of two stores is always the second to be asked. The main type is
//! [`Dealer`]; what it deals is a pure function of the arrival's number.

use std::sync::Arc;

use cutover_model::draw::{draw, stream_of};

/// What one arrival is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Turn {
    /// The operation's place in the list.
    pub(crate) operation: usize,
    /// How many arrivals were for this operation before: operations of equal weight share
    /// it once in each round.
    pub(crate) number: u64,
}

/// Deals arrivals to operations. Quickest where they come in ascending order.
#[derive(Clone, Debug)]
pub(crate) struct Dealer {
    seed: u64,
    /// How often each operation comes in a round: at least once.
    weights: Arc<[u32]>,
    /// How many arrivals a round has.
    whole: u64,
    round: u64,
    /// How many of each operation the round still has, and all together.
    left: Vec<u32>,
    all_left: u64,
}

impl Dealer {
    pub(crate) fn new(seed: u64, weights: Arc<[u32]>) -> Self {
        let whole = weights.iter().copied().map(u64::from).sum();
        let left = weights.to_vec();
        Self { seed, weights, whole, round: 0, left, all_left: whole }
    }

    /// What arrival `k` is for.
    pub(crate) fn deal(&mut self, k: u64) -> Turn {
        if self.weights.len() == 1 {
            return Turn { operation: 0, number: k };
        }
        let (round, left_after) = (k / self.whole, self.whole - 1 - k % self.whole);
        if round != self.round || left_after >= self.all_left {
            self.round = round;
            self.left.copy_from_slice(&self.weights);
            self.all_left = self.whole;
        }
        while self.all_left - 1 > left_after {
            self.draw();
        }
        let operation = self.draw();
        let weight = self.weights[operation];
        let before = weight - 1 - self.left[operation];
        Turn { operation, number: round * u64::from(weight) + u64::from(before) }
    }

    /// Takes the next operation out of the round.
    fn draw(&mut self) -> usize {
        // The bias of the remainder is at most one part in 2^32.
        let stream = stream_of("interleave") ^ self.all_left;
        let mut pick = draw(self.seed, stream, self.round) % self.all_left;
        self.all_left -= 1;
        for (operation, left) in self.left.iter_mut().enumerate() {
            if pick < u64::from(*left) {
                *left -= 1;
                return operation;
            }
            pick -= u64::from(*left);
        }
        unreachable!("a pick is below what is left")
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn each_round_has_every_operation_as_often_as_its_weight(
            seed: u64,
            weights in proptest::collection::vec(1_u32..9, 1..6),
            round in 0_u64..1_000_000,
        ) {
            let whole: u64 = weights.iter().copied().map(u64::from).sum();
            let mut dealer = Dealer::new(seed, weights.as_slice().into());
            let mut dealt = vec![0; weights.len()];
            for k in round * whole..(round + 1) * whole {
                dealt[dealer.deal(k).operation] += 1;
            }
            prop_assert_eq!(dealt, weights);
        }

        #[test]
        fn each_operation_is_given_the_numbers_from_0_on_in_order(
            seed: u64, weights in proptest::collection::vec(1_u32..9, 1..6), count in 0_u64..200,
        ) {
            let mut dealer = Dealer::new(seed, weights.as_slice().into());
            let mut next = vec![0; weights.len()];
            for k in 0..count {
                let Turn { operation, number } = dealer.deal(k);
                prop_assert_eq!(number, next[operation]);
                next[operation] += 1;
            }
        }

        #[test]
        fn what_is_dealt_does_not_depend_on_what_was_dealt_before(
            seed: u64,
            weights in proptest::collection::vec(1_u32..9, 1..6),
            ks in proptest::collection::vec(0_u64..1_000, 1..20),
        ) {
            let weights: Arc<[u32]> = weights.into();
            let mut used = Dealer::new(seed, Arc::clone(&weights));
            for k in ks {
                prop_assert_eq!(used.deal(k), Dealer::new(seed, Arc::clone(&weights)).deal(k));
            }
        }
    }

    #[test]
    fn neither_of_two_operations_leads_much_more_often() {
        let mut dealer = Dealer::new(3, [1, 1].into());
        let leads = (0..10_000).filter(|round| dealer.deal(round * 2).operation == 0).count();
        // Four standard deviations of a fair coin.
        assert!((4_800..=5_200).contains(&leads), "{leads}");
    }

    #[test]
    fn a_rare_operation_comes_at_every_place_of_a_round() {
        let mut dealer = Dealer::new(3, [1, 9].into());
        let mut places = [0; 10];
        for k in 0..100_000_u64 {
            if dealer.deal(k).operation == 0 {
                places[usize::try_from(k % 10).unwrap()] += 1;
            }
        }
        // Four standard deviations of one in ten of 10,000 rounds.
        assert!(places.iter().all(|count| (880..=1_120).contains(count)), "{places:?}");
    }
}
