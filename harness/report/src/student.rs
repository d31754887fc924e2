//! Student's t: how likely a difference is by chance when its error had to be estimated.
//!
//! Both functions come from the regularised incomplete beta function, by its continued fraction.

use std::f64::consts::PI;

/// The chance of a value at least this far from zero on either side.
pub(crate) fn two_sided(t: f64, degrees: f64) -> f64 {
    if !t.is_finite() {
        return if t.is_nan() { 1.0 } else { 0.0 };
    }
    incomplete_beta(degrees / (degrees + t * t), (degrees / 2.0, 0.5))
}

/// The value that is exceeded, on either side, with this chance.
pub(crate) fn critical(chance: f64, degrees: f64) -> f64 {
    let (mut low, mut high) = (0.0, 1.0);
    while two_sided(high, degrees) > chance && high < 1e12 {
        high *= 2.0;
    }
    for _ in 0..80 {
        let middle = f64::midpoint(low, high);
        if two_sided(middle, degrees) > chance { low = middle } else { high = middle }
    }
    high
}

/// The share of the beta law with these shapes that lies below `x`, for `x` from 0 to 1.
fn incomplete_beta(x: f64, (a, b): (f64, f64)) -> f64 {
    if x <= 0.0 || x >= 1.0 {
        return x.clamp(0.0, 1.0);
    }
    let ln_front = ln_gamma(a + b) - ln_gamma(a) - ln_gamma(b) + a * x.ln() + b * (-x).ln_1p();
    // The fraction converges fast below the mean; above it the other tail is taken.
    if x < (a + 1.0) / (a + b + 2.0) {
        ln_front.exp() * fraction(x, (a, b)) / a
    } else {
        1.0 - ln_front.exp() * fraction(1.0 - x, (b, a)) / b
    }
}

/// The continued fraction of the incomplete beta function, by Lentz's method.
fn fraction(x: f64, (a, b): (f64, f64)) -> f64 {
    const TINY: f64 = 1e-300;
    let whole = |value: f64| if value.abs() < TINY { TINY } else { value };
    let mut upper = 1.0;
    let mut lower = 1.0 / whole(1.0 - (a + b) * x / (a + 1.0));
    let mut product = lower;
    for step in (1..=300).map(f64::from) {
        let twice = a + 2.0 * step;
        let even = step * (b - step) * x / ((twice - 1.0) * twice);
        let odd = -(a + step) * (a + b + step) * x / (twice * (twice + 1.0));
        let before = product;
        for term in [even, odd] {
            lower = 1.0 / whole(1.0 + term * lower);
            upper = whole(1.0 + term / upper);
            product *= upper * lower;
        }
        if (product / before - 1.0).abs() < 1e-15 {
            break;
        }
    }
    product
}

/// The logarithm of the gamma function, for positive arguments (Lanczos).
fn ln_gamma(x: f64) -> f64 {
    const G: f64 = 7.0;
    const TERMS: [f64; 8] = [
        676.520_368_121_885_1,
        -1_259.139_216_722_402_8,
        771.323_428_777_653_1,
        -176.615_029_162_140_6,
        12.507_343_278_686_905,
        -0.138_571_095_265_720_12,
        9.984_369_578_019_572e-6,
        1.505_632_735_149_311_6e-7,
    ];
    let x = x - 1.0;
    let series = TERMS.iter().enumerate();
    let series = series.map(|(index, term)| term / (x + index as f64 + 1.0)).sum::<f64>();
    let t = x + G + 0.5;
    0.5 * (2.0 * PI).ln() + (x + 0.5) * t.ln() - t + (series + 0.999_999_999_999_809_9).ln()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_critical_values_are_those_of_the_tables() {
        for (chance, degrees, value) in [
            (0.05, 1.0, 12.706),
            (0.05, 4.0, 2.776),
            (0.05, 19.0, 2.093),
            (0.01, 10.0, 3.169),
            (0.001, 30.0, 3.646),
            (0.05, 1e6, 1.960),
        ] {
            let found = critical(chance, degrees);
            assert!((found - value).abs() < 5e-4, "{chance} {degrees}: {found}");
        }
    }

    #[test]
    fn no_difference_at_all_is_certain_to_be_reached() {
        assert!((two_sided(0.0, 7.0) - 1.0).abs() < 1e-12);
        assert!(two_sided(1e9, 7.0) < 1e-12);
    }

    #[test]
    fn the_chance_falls_as_the_difference_grows() {
        let chances: Vec<f64> = (0..200).map(|it| two_sided(f64::from(it) / 10.0, 4.0)).collect();
        assert!(chances.windows(2).all(|pair| pair[0] > pair[1]));
    }

    #[test]
    fn what_is_no_number_is_no_evidence() {
        assert!((two_sided(f64::NAN, 4.0) - 1.0).abs() < 1e-12);
    }
}
