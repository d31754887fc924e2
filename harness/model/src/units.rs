//! Numbers that carry their unit, checked once on the way in.

use std::fmt;
use std::time::Duration;

use serde::{Deserialize, Serialize};

/// A share of traffic, rows or requests, from 0 to 1.
#[derive(Clone, Copy, Debug, PartialEq, PartialOrd, Serialize, Deserialize)]
#[serde(try_from = "f64", into = "f64")]
pub struct Ratio(f64);

impl Ratio {
    /// Nothing of it.
    pub const ZERO: Self = Self(0.0);
    /// All of it.
    pub const ONE: Self = Self(1.0);

    /// The share as a number from 0 to 1.
    pub fn get(self) -> f64 {
        self.0
    }

    /// The share of `part` in `whole`, or `None` when there is no whole.
    pub fn of(part: u64, whole: u64) -> Option<Self> {
        (whole > 0 && part <= whole).then(|| Self(part as f64 / whole as f64))
    }

    /// The share of `percent` hundredths, from 0 to 100.
    pub fn from_percent(percent: f64) -> Result<Self, RatioError> {
        Self::try_from(percent / 100.0)
    }
}

impl TryFrom<f64> for Ratio {
    type Error = RatioError;

    fn try_from(value: f64) -> Result<Self, RatioError> {
        (0.0..=1.0).contains(&value).then_some(Self(value)).ok_or(RatioError(value))
    }
}

impl From<Ratio> for f64 {
    fn from(ratio: Ratio) -> Self {
        ratio.0
    }
}

impl fmt::Display for Ratio {
    /// As a percentage with up to four decimals: `8%`, `99.9%`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let text = format!("{:.4}", self.0 * 100.0);
        let text = text.trim_end_matches('0').trim_end_matches('.');
        write!(f, "{text}%")
    }
}

/// A number that is no share.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct RatioError(
    /// The number that was refused.
    pub f64,
);

impl fmt::Display for RatioError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "`{}` is not a share from 0% to 100%", self.0)
    }
}

impl std::error::Error for RatioError {}

/// Something counted per second, above zero and finite.
#[derive(Clone, Copy, Debug, PartialEq, PartialOrd, Serialize, Deserialize)]
#[serde(try_from = "f64", into = "f64")]
pub struct Rate(f64);

impl Rate {
    /// How many a second.
    pub fn per_second(self) -> f64 {
        self.0
    }
}

impl TryFrom<f64> for Rate {
    type Error = RateError;

    fn try_from(value: f64) -> Result<Self, RateError> {
        (value.is_finite() && value > 0.0).then_some(Self(value)).ok_or(RateError(value))
    }
}

impl From<Rate> for f64 {
    fn from(rate: Rate) -> Self {
        rate.0
    }
}

impl fmt::Display for Rate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/s", self.0)
    }
}

/// A number that is no rate.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct RateError(
    /// The number that was refused.
    pub f64,
);

impl fmt::Display for RateError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "`{}` is not a rate above zero", self.0)
    }
}

impl std::error::Error for RateError {}

/// A duration as a person reads it: `350ns`, `12.4ms`, `5s`, `2m30s`.
pub struct ShortDuration(
    /// The duration to show.
    pub Duration,
);

impl fmt::Display for ShortDuration {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let nanos = self.0.as_nanos();
        match nanos {
            0..1_000 => write!(f, "{nanos}ns"),
            1_000..1_000_000 => write_scaled(f, nanos as f64 / 1e3, "µs"),
            1_000_000..1_000_000_000 => write_scaled(f, nanos as f64 / 1e6, "ms"),
            1_000_000_000..60_000_000_000 => write_scaled(f, nanos as f64 / 1e9, "s"),
            _ => write_minutes(f, self.0.as_secs()),
        }
    }
}

fn write_scaled(f: &mut fmt::Formatter<'_>, value: f64, unit: &str) -> fmt::Result {
    let text = format!("{value:.2}");
    write!(f, "{}{unit}", text.trim_end_matches('0').trim_end_matches('.'))
}

fn write_minutes(f: &mut fmt::Formatter<'_>, seconds: u64) -> fmt::Result {
    let (hours, minutes, seconds) = (seconds / 3600, seconds / 60 % 60, seconds % 60);
    for (count, unit) in [(hours, "h"), (minutes, "m"), (seconds, "s")] {
        if count > 0 {
            write!(f, "{count}{unit}")?;
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_nan_is_no_ratio() {
        assert!(Ratio::try_from(f64::NAN).is_err());
    }

    #[test]
    fn a_percentage_shows_no_needless_digits() {
        assert_eq!(Ratio::from_percent(8.0).unwrap().to_string(), "8%");
        assert_eq!(Ratio::from_percent(99.9).unwrap().to_string(), "99.9%");
        assert_eq!(Ratio::ONE.to_string(), "100%");
    }

    #[test]
    fn a_share_of_nothing_is_unknown() {
        assert_eq!(Ratio::of(0, 0), None);
    }

    #[test]
    fn an_infinite_rate_is_refused() {
        assert!(Rate::try_from(f64::INFINITY).is_err());
    }

    #[test]
    fn short_durations_pick_the_unit_a_person_would() {
        let shown = |nanos| ShortDuration(Duration::from_nanos(nanos)).to_string();
        assert_eq!(shown(350), "350ns");
        assert_eq!(shown(12_400_000), "12.4ms");
        assert_eq!(shown(5_000_000_000), "5s");
        assert_eq!(shown(150_000_000_000), "2m30s");
        assert_eq!(shown(3_600_000_000_000), "1h");
    }
}
