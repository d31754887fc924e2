//! Which operation an arrival is for.
//!
//! With several operations, as the same query on two stores, arrivals are dealt in rounds: each
//! round has every operation once, in an order drawn from the seed, so that neither store is
//! always the second to be asked. [`deal`] is a pure function of the arrival's number.

use cutover_model::draw::{draw, stream_of};

/// One arrival's share of a round.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Turn {
    /// The round; what the operations of one round share.
    pub(crate) round: u64,
    /// The operation's place in the list.
    pub(crate) operation: usize,
}

/// Deals again and again without asking for memory each time.
#[derive(Clone, Debug, Default)]
pub(crate) struct Dealer {
    order: Vec<usize>,
}

impl Dealer {
    pub(crate) fn deal(&mut self, seed: u64, operations: usize, k: u64) -> Turn {
        if operations == 1 {
            return Turn { round: k, operation: 0 };
        }
        let (round, place) = (k / operations as u64, k % operations as u64);
        self.order.clear();
        self.order.extend(0..operations);
        for left in (2..=operations as u64).rev() {
            // The bias of the remainder is one part in 2^64 divided by the number of operations.
            let pick = draw(seed, stream_of("interleave") ^ left, round) % left;
            self.order.swap(to_index(left - 1), to_index(pick));
        }
        Turn { round, operation: self.order[to_index(place)] }
    }
}

pub(crate) fn deal(seed: u64, operations: usize, k: u64) -> Turn {
    Dealer::default().deal(seed, operations, k)
}

fn to_index(place: u64) -> usize {
    usize::try_from(place).expect("a place below the number of operations")
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn each_round_has_every_operation_once(
            seed: u64, operations in 1_usize..9, round in 0_u64..1_000_000,
        ) {
            let first = round * operations as u64;
            let mut dealt: Vec<usize> = (first..first + operations as u64)
                .map(|k| {
                    let turn = deal(seed, operations, k);
                    assert_eq!(turn.round, round);
                    turn.operation
                })
                .collect();
            dealt.sort_unstable();
            prop_assert_eq!(dealt, (0..operations).collect::<Vec<_>>());
        }
    }

    #[test]
    fn neither_of_two_operations_leads_much_more_often() {
        let leads = (0..10_000).filter(|round| deal(3, 2, round * 2).operation == 0).count();
        // Four standard deviations of a fair coin.
        assert!((4_800..=5_200).contains(&leads), "{leads}");
    }
}
