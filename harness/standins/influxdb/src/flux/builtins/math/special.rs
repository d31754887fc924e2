//! Functions of floats that no library has in the form that the server gives them.

/// The coefficients of a polynomial, the constant first.
type Polynomial = [f64; 8];

/// Algorithm AS 241 (Wichura, 1988), which gives the inverse of the normal distribution by
/// quotients of polynomials: one for the middle, one for the tails and one for the far tails.
const MIDDLE: [Polynomial; 2] = [
    [
        3.387_132_872_796_366_5,
        1.331_416_678_917_843_8e2,
        1.971_590_950_306_551_3e3,
        1.373_169_376_550_946_2e4,
        4.592_195_393_154_987e4,
        6.726_577_092_700_87e4,
        3.343_057_558_358_813e4,
        2.509_080_928_730_122_7e3,
    ],
    [
        1.0,
        4.231_333_070_160_091e1,
        6.871_870_074_920_579e2,
        5.394_196_021_424_751e3,
        2.121_379_430_158_659_7e4,
        3.930_789_580_009_271e4,
        2.872_908_573_572_194_3e4,
        5.226_495_278_852_854e3,
    ],
];
const TAIL: [Polynomial; 2] = [
    [
        1.423_437_110_749_683_5,
        4.630_337_846_156_546,
        5.769_497_221_460_691,
        3.647_848_324_763_204_5,
        1.270_458_252_452_368_4,
        2.417_807_251_774_506e-1,
        2.272_384_498_926_918_4e-2,
        7.745_450_142_783_414e-4,
    ],
    [
        1.0,
        2.053_191_626_637_759,
        1.676_384_830_183_803_8,
        6.897_673_349_851e-1,
        1.481_039_764_274_800_8e-1,
        1.519_866_656_361_645_7e-2,
        5.475_938_084_995_345e-4,
        1.050_750_071_644_416_9e-9,
    ],
];
const FAR_TAIL: [Polynomial; 2] = [
    [
        6.657_904_643_501_103,
        5.463_784_911_164_114,
        1.784_826_539_917_291_3,
        2.965_605_718_285_049e-1,
        2.653_218_952_657_612_4e-2,
        1.242_660_947_388_078_4e-3,
        2.711_555_568_743_487_6e-5,
        2.010_334_399_292_288_1e-7,
    ],
    [
        1.0,
        5.998_322_065_558_88e-1,
        1.369_298_809_227_358e-1,
        1.487_536_129_085_061_5e-2,
        7.868_691_311_456_133e-4,
        1.846_318_317_510_054_8e-5,
        1.421_511_758_316_446e-7,
        2.044_263_103_389_939_8e-15,
    ],
];

/// The number whose error function is `x`.
pub(super) fn erfinv(x: f64) -> f64 {
    if x.is_nan() || x.abs() > 1.0 {
        return f64::NAN;
    }
    if x.abs() >= 1.0 {
        return f64::INFINITY.copysign(x);
    }
    if x.abs() <= 0.85 {
        let r = 0.180_625 - 0.25 * x * x;
        return x / 2.0 * quotient(&MIDDLE, r) / std::f64::consts::SQRT_2;
    }
    let r = (std::f64::consts::LN_2 - (1.0 - x.abs()).ln()).sqrt();
    let tail = if r <= 5.0 { quotient(&TAIL, r - 1.6) } else { quotient(&FAR_TAIL, r - 5.0) };
    (tail / std::f64::consts::SQRT_2).copysign(x)
}

fn quotient(polynomials: &[Polynomial; 2], r: f64) -> f64 {
    let value = |of: &Polynomial| of.iter().rev().fold(0.0, |sum, factor| sum * r + factor);
    value(&polynomials[0]) / value(&polynomials[1])
}

pub(super) fn gamma(x: f64) -> f64 {
    if x == f64::NEG_INFINITY { f64::NAN } else { libm::tgamma(x) }
}

/// The logarithm of the gamma function's size, and its sign.
pub(super) fn lgamma(x: f64) -> (f64, i64) {
    if x == f64::NEG_INFINITY {
        return (f64::NEG_INFINITY, 1);
    }
    let (value, sign) = libm::lgamma_r(x);
    let sign = if x == 0.0 { if x.is_sign_negative() { -1 } else { 1 } } else { i64::from(sign) };
    (value, if sign < 0 { -1 } else { 1 })
}

/// The exponent of two.
pub(super) fn ilogb(x: f64) -> i64 {
    if x.is_nan() || x.is_infinite() {
        return i64::from(i32::MAX);
    }
    i64::from(if x == 0.0 { i32::MIN } else { libm::ilogb(x) })
}

pub(super) fn logb(x: f64) -> f64 {
    if x == 0.0 {
        f64::NEG_INFINITY
    } else if x.is_infinite() {
        f64::INFINITY
    } else if x.is_nan() {
        x
    } else {
        ilogb(x) as f64
    }
}

/// A fraction from a half to one, and the power of two that makes it the number.
pub(super) fn frexp(x: f64) -> (f64, i64) {
    if x == 0.0 || !x.is_finite() {
        return (x, 0);
    }
    let (fraction, exponent) = libm::frexp(x);
    (fraction, i64::from(exponent))
}

/// How far `x` is above `y`.
pub(super) fn dim(x: f64, y: f64) -> f64 {
    let difference = x - y;
    if difference <= 0.0 { 0.0 } else { difference }
}

/// The greater; infinity is greater than no number at all.
pub(super) fn max(x: f64, y: f64) -> f64 {
    if x == f64::INFINITY || y == f64::INFINITY {
        return f64::INFINITY;
    }
    if x.is_nan() || y.is_nan() {
        return f64::NAN;
    }
    // Of the two zeros the positive one is greater.
    if x.total_cmp(&y).is_gt() { x } else { y }
}

/// The lesser; minus infinity is less than no number at all.
pub(super) fn min(x: f64, y: f64) -> f64 {
    -max(-x, -y)
}

pub(super) fn pow10(n: i64) -> f64 {
    match n {
        ..-323 => 0.0,
        309.. => f64::INFINITY,
        // Reading the number rounds once; multiplying would round many times.
        n => format!("1e{n}").parse().unwrap_or(f64::NAN),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_inverse_of_the_error_function_undoes_it() {
        for x in [-0.999_999, -0.9, -0.5, 0.0, 1e-9, 0.3, 0.85, 0.851, 0.999_999_999_999] {
            assert!((libm::erf(erfinv(x)) - x).abs() < 1e-14, "{x}");
        }
    }

    #[test]
    fn infinity_outweighs_nan() {
        assert!(max(f64::NAN, f64::INFINITY).is_infinite());
        assert!(min(f64::NAN, f64::INFINITY).is_nan());
    }
}
