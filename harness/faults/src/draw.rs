//! Which requests a fault hits: a counter draw held against a share.

use cutover_model::Ratio;
use cutover_model::draw::draw;

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

#[cfg(test)]
mod tests {
    use super::*;

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
