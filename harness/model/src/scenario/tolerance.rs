//! Tolerances: how far two numbers may lie apart and still be the same.

use serde::{Deserialize, Serialize};

/// How far two numbers of one type may lie apart and still be the same. Values of different types
/// never agree.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Tolerance {
    /// Not at all: floats by their bits, so that -0.0 is not 0.0. Every NaN is the same NaN.
    #[default]
    Exact,
    /// By at most this much, in the field's own unit. Finite, not negative.
    Absolute(f64),
    /// By at most this share of the larger magnitude. Finite, not negative.
    Relative(f64),
    /// By at most this many steps between neighbouring floats; -0.0 and 0.0 are no step apart.
    /// Between integers the steps are the integers.
    Ulps(u64),
}

impl Tolerance {
    /// Whether two floats, already known to be unequal, still agree. A NaN or an infinity agrees
    /// with nothing.
    pub fn allows_floats(self, a: f64, b: f64) -> bool {
        if !(a.is_finite() && b.is_finite()) {
            return false;
        }
        match self {
            Self::Exact => false,
            Self::Absolute(by) => (a - b).abs() <= by,
            Self::Relative(by) => (a - b).abs() <= by * a.abs().max(b.abs()),
            Self::Ulps(steps) => {
                let apart = i128::from(float_order(a)) - i128::from(float_order(b));
                apart.unsigned_abs() <= u128::from(steps)
            }
        }
    }

    /// Whether two integers, already known to be unequal, still agree.
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "a checked tolerance is not negative, and the cast saturates"
    )]
    pub fn allows_integers(self, a: i128, b: i128) -> bool {
        let apart = a.abs_diff(b);
        match self {
            Self::Exact => false,
            Self::Absolute(by) => apart <= by.floor() as u128,
            Self::Relative(by) => {
                apart as f64 <= by * a.unsigned_abs().max(b.unsigned_abs()) as f64
            }
            Self::Ulps(steps) => apart <= u128::from(steps),
        }
    }
}

/// Finite floats in ascending order as integers, neighbours one apart, both zeros at 0.
fn float_order(value: f64) -> i64 {
    let bits = value.to_bits().cast_signed();
    if bits < 0 { i64::MIN.wrapping_sub(bits) } else { bits }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_ulp_is_allowed_by_one_ulp_and_refused_by_none() {
        let (a, b) = (1.0, 1.0_f64.next_up());
        assert!(Tolerance::Ulps(1).allows_floats(a, b));
        assert!(!Tolerance::Ulps(0).allows_floats(a, b));
    }

    #[test]
    fn the_two_zeros_are_no_step_apart_and_their_neighbours_two() {
        let tiny = f64::from_bits(1);
        assert!(Tolerance::Ulps(0).allows_floats(0.0, -0.0));
        assert!(Tolerance::Ulps(2).allows_floats(tiny, -tiny));
        assert!(!Tolerance::Ulps(1).allows_floats(tiny, -tiny));
    }

    #[test]
    fn no_tolerance_makes_a_number_of_nan_or_infinity() {
        for tolerance in [Tolerance::Absolute(1e308), Tolerance::Relative(1.0), Tolerance::Ulps(1)]
        {
            assert!(!tolerance.allows_floats(f64::NAN, 0.0));
            assert!(!tolerance.allows_floats(f64::INFINITY, f64::MAX));
        }
    }

    #[test]
    fn integers_beyond_two_to_the_53_are_told_apart_under_a_tolerance() {
        let big = 1_i128 << 60;
        assert!(Tolerance::Absolute(1.0).allows_integers(big, big + 1));
        assert!(!Tolerance::Absolute(1.0).allows_integers(big, big + 2));
        let top = i128::from(u64::MAX);
        assert!(Tolerance::Ulps(1).allows_integers(top, top - 1));
    }
}
