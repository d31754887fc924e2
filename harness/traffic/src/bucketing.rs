//! Sticky bucketing: which keys a share of traffic holds.
//!
//! A key's [`fraction`] of a flag is a 64-bit number that depends on the two texts alone, so every
//! process in every language agrees on it. A share [`holds`] the keys whose fraction lies below it.
//! Hence raising a share only adds keys, 0% holds none, 100% holds all, and two flags choose
//! independently of each other.
//!
//! The hash is FNV-1a with 64 bits over the flag's length as eight little-endian bytes, the flag,
//! and the key, finished with the mixer of `SplitMix64` so that the high bits are as good as the
//! low ones. The test vectors below are the definition for other languages.

use cutover_model::Ratio;

const FNV_OFFSET: u64 = 0xcbf2_9ce4_8422_2325;
const FNV_PRIME: u64 = 0x0000_0100_0000_01b3;

/// Where `key` stands for `flag`, as a fraction of 2⁶⁴.
pub fn fraction(flag: &str, key: &str) -> u64 {
    // The length comes first, so that no flag and key can be cut elsewhere and collide.
    let length = (flag.len() as u64).to_le_bytes();
    let bytes = length.iter().chain(flag.as_bytes()).chain(key.as_bytes());
    mix(bytes.fold(FNV_OFFSET, |hash, byte| (hash ^ u64::from(*byte)).wrapping_mul(FNV_PRIME)))
}

/// Whether `share` of the traffic holds a key that stands at `fraction`.
pub fn holds(share: Ratio, fraction: u64) -> bool {
    // 2⁶⁴ is a power of two, so the product is exact, and 100% is above every fraction.
    let limit = share.get() * 18_446_744_073_709_551_616.0;
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "the limit is from 0 to 2⁶⁴"
    )]
    let limit = limit as u128;
    u128::from(fraction) < limit
}

fn mix(mut hash: u64) -> u64 {
    hash = (hash ^ (hash >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    hash = (hash ^ (hash >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    hash ^ (hash >> 31)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const FLAG: &str = "influxdb_traffic_percentage";

    fn held(flag: &str, percent: f64) -> Vec<usize> {
        let share = Ratio::from_percent(percent).unwrap();
        (0..10_000).filter(|n| holds(share, fraction(flag, &format!("device-{n}")))).collect()
    }

    #[test]
    fn fractions_equal_the_published_vectors() {
        let vectors = [
            (FLAG, "device-0", 0x16d5_499c_89b3_b3ef),
            (FLAG, "device-1", 0xba1a_b963_2f08_516a),
            (FLAG, "", 0x4e7c_49cb_29c8_b4ef),
            (FLAG, "São Paulo", 0xd1b0_8123_712d_88bd),
            ("", "device-0", 0xfaee_73f9_ce44_8ae0),
            ("another_flag", "device-0", 0x40b6_e732_3f97_6ade),
        ];
        for (flag, key, expected) in vectors {
            assert_eq!(fraction(flag, key), expected, "{flag:?} {key:?}");
        }
    }

    #[test]
    fn a_flag_and_a_key_cut_elsewhere_are_another_pair() {
        assert_ne!(fraction("ab", "c"), fraction("a", "bc"));
    }

    #[test]
    fn zero_percent_holds_not_even_the_lowest_fraction() {
        assert!(!holds(Ratio::ZERO, 0));
    }

    #[test]
    fn a_hundred_percent_holds_the_highest_fraction() {
        assert!(holds(Ratio::ONE, u64::MAX));
    }

    #[test]
    fn a_quarter_ends_where_it_should() {
        let quarter = Ratio::try_from(0.25).unwrap();
        assert!(holds(quarter, (1 << 62) - 1));
        assert!(!holds(quarter, 1 << 62));
    }

    #[test]
    fn the_share_of_many_keys_is_the_share_asked_for() {
        for percent in [0.5_f64, 10.0, 25.0, 50.0, 75.0] {
            let expected = percent * 100.0;
            // Five standard deviations of a binomial.
            let bound = 5.0 * (expected * (1.0 - percent / 100.0)).sqrt();
            let found = held(FLAG, percent).len() as f64;
            assert!((found - expected).abs() < bound, "{percent}%: {found} of 10,000");
        }
    }

    #[test]
    fn two_flags_choose_independently() {
        let first = held(FLAG, 50.0);
        let second = held("another_flag", 50.0);
        let both = first.iter().filter(|n| second.contains(n)).count() as f64;
        assert!((both - 2_500.0).abs() < 220.0, "{both} of 10,000 in both halves");
    }

    proptest! {
        #[test]
        fn raising_the_share_only_adds(low in 0.0..=1.0, high in 0.0..=1.0, fraction: u64) {
            let (low, high) = if low < high { (low, high) } else { (high, low) };
            let (low, high) = (Ratio::try_from(low).unwrap(), Ratio::try_from(high).unwrap());
            prop_assert!(!holds(low, fraction) || holds(high, fraction));
        }
    }
}
