//! Chance as a pure function: every draw is named by a seed, a stream and a number.
//!
//! Nothing is drawn from a shared generator, so that one more client, or another interleaving,
//! leaves all other draws as they were.

/// The `n`th number of `stream` under `seed`, evenly spread over all 64 bits.
pub fn draw(seed: u64, stream: u64, n: u64) -> u64 {
    mix(mix(seed ^ mix(stream)) ^ mix(n))
}

/// The `n`th number of `stream` under `seed`, from 0 up to but not including 1.
pub fn draw_unit(seed: u64, stream: u64, n: u64) -> f64 {
    // The upper 53 bits are all that a float holds.
    (draw(seed, stream, n) >> 11) as f64 / (1_u64 << 53) as f64
}

/// A stream that is named by a text (64-bit FNV-1a).
pub fn stream_of(name: &str) -> u64 {
    name.bytes().fold(0xcbf2_9ce4_8422_2325, |hash, byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)
    })
}

/// The finaliser of `SplitMix64` (Steele, Lea, Flood: Fast splittable pseudorandom number
/// generators, 2014).
pub fn mix(value: u64) -> u64 {
    let value = value.wrapping_add(0x9e37_79b9_7f4a_7c15);
    let value = (value ^ (value >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let value = (value ^ (value >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    value ^ (value >> 31)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_draw_is_the_same_in_every_process() {
        assert_eq!(draw(7, 1, 0), draw(7, 1, 0));
        assert_ne!(draw(7, 1, 0), draw(7, 1, 1));
        assert_ne!(draw(7, 1, 0), draw(7, 2, 0));
        assert_ne!(draw(7, 1, 0), draw(8, 1, 0));
    }

    #[test]
    fn the_mean_of_many_draws_is_a_half() {
        let sum: f64 = (0..10_000).map(|n| draw_unit(7, 1, n)).sum();
        assert!((sum / 10_000.0 - 0.5).abs() < 0.01, "{sum}");
    }

    #[test]
    fn the_mixer_agrees_with_its_published_sequence() {
        // The first output of SplitMix64 seeded with 0.
        assert_eq!(mix(0), 0xe220_a839_7b1d_cdaf);
    }
}
