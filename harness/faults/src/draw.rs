//! Chance without a generator: numbers drawn by counting.
//!
//! A shared generator would let one more request change what happens to all that follow. A
//! [`draw`] depends on the seed, on whose chance it is, and on the count alone.

use cutover_model::Ratio;

/// The `n`th number of `stream` under `seed`: a function of the three and of nothing else.
pub fn draw(seed: u64, stream: u64, n: u64) -> u64 {
    mix(mix(seed ^ mix(stream)) ^ mix(n))
}

/// Whether the `n`th draw of `stream` falls into `ratio`. Exact at 0% and at 100%.
pub fn drawn(ratio: Ratio, seed: u64, (stream, n): (u64, u64)) -> bool {
    let limit = ratio.get() * 18_446_744_073_709_551_616.0;
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "the limit is from 0 to 2⁶⁴"
    )]
    let limit = limit as u128;
    u128::from(draw(seed, stream, n)) < limit
}

/// One step of `SplitMix64`, which sends 0 to something else than 0.
fn mix(number: u64) -> u64 {
    let number = number.wrapping_add(0x9e37_79b9_7f4a_7c15);
    let number = (number ^ (number >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let number = (number ^ (number >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    number ^ (number >> 31)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn draws_are_the_same_in_every_build() {
        let seen = [draw(0, 0, 0), draw(7, 1, 0), draw(7, 0, 1)];
        assert_eq!(
            seen,
            [12_103_184_956_288_865_414, 15_523_871_737_565_102_349, 12_119_343_901_082_141_226]
        );
    }

    #[test]
    fn nothing_is_drawn_at_0_percent_and_everything_at_100() {
        for n in 0..10_000 {
            assert!(!drawn(Ratio::ZERO, 7, (0, n)));
            assert!(drawn(Ratio::ONE, 7, (0, n)));
        }
    }

    #[test]
    fn the_drawn_share_is_the_share_asked_for() {
        let ratio = Ratio::from_percent(8.0).unwrap();
        let hits = (0..10_000).filter(|n| drawn(ratio, 7, (3, *n))).count();
        assert!((700..900).contains(&hits), "{hits} of 10,000");
    }

    #[test]
    fn two_streams_draw_independently() {
        let half = Ratio::from_percent(50.0).unwrap();
        let both = |n: &u64| drawn(half, 7, (0, *n)) && drawn(half, 7, (1, *n));
        let both = (0..10_000).filter(both).count();
        assert!((2_280..2_720).contains(&both), "{both} of 10,000");
    }
}
