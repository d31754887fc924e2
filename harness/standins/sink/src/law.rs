//! The laws that delays are drawn from.
//!
//! The main type is [`Law`]. A draw is a pure function of a seed and a request's number. A law is
//! written as `lognormal:20ms:0.5`: its name, then its parameters.

use std::f64::consts::TAU;
use std::num::NonZeroU16;
use std::str::FromStr;
use std::time::Duration;

use cutover_model::draw::{draw_unit, stream_of};

/// How long the sink waits before it answers.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Law {
    /// Not at all: `none`.
    None,
    /// Always as long: `fixed:TIME`.
    Fixed(Duration),
    /// Evenly from one time to another: `uniform:FROM:TO`.
    Uniform(Duration, Duration),
    /// Exponentially: `exponential:MEAN`.
    Exponential(Duration),
    /// Log-normally: `lognormal:MEDIAN:SIGMA`.
    LogNormal(Duration, f64),
    /// One time for most requests, another for a share of them: `bimodal:TIME:TIME:SHARE`.
    Bimodal(Duration, Duration, f64),
    /// Not at all, but for one stretch of time in which nothing is read or answered, counted
    /// from the first request: `stall:AFTER:FOR`.
    Stall(Duration, Duration),
    /// So many servers behind one queue, each busy with a request for the same time, so that the
    /// capacity is their number by that time: `servers:COUNT:TIME`.
    Servers(NonZeroU16, Duration),
}

/// A law that could not be read.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum LawError {
    /// No law has this name and so many parameters.
    #[error(
        "`{0}` is no law; there are none, fixed:TIME, uniform:FROM:TO, exponential:MEAN, \
             lognormal:MEDIAN:SIGMA, bimodal:TIME:TIME:SHARE, stall:AFTER:FOR and \
             servers:COUNT:TIME"
    )]
    Unknown(String),
    /// A time is not a number with `us`, `ms` or `s`.
    #[error("`{0}` is no time such as 250us, 20ms or 2s")]
    Time(String),
    /// A number is no number, or a range is the wrong way round.
    #[error("`{0}` is out of range here")]
    Number(String),
}

impl Law {
    /// The delay of request `n`, counted from 0; where there is a queue, without the wait in it.
    pub fn delay(self, seed: u64, n: u64) -> Duration {
        let unit = || draw_unit(seed, stream_of("sink delay"), n);
        match self {
            Self::None | Self::Stall(..) => Duration::ZERO,
            Self::Fixed(time) | Self::Servers(_, time) => time,
            Self::Uniform(from, to) => from + to.saturating_sub(from).mul_f64(unit()),
            // What is left of a draw is above 0, and so has a logarithm.
            Self::Exponential(mean) => mean.mul_f64(-(1.0 - unit()).ln()),
            Self::LogNormal(median, sigma) => median.mul_f64((sigma * normal(seed, n)).exp()),
            Self::Bimodal(most, some, share) => {
                if unit() < share {
                    some
                } else {
                    most
                }
            }
        }
    }

    /// How many servers share the work, if they are counted.
    pub(crate) fn servers(self) -> Option<NonZeroU16> {
        match self {
            Self::Servers(servers, _) => Some(servers),
            _ => None,
        }
    }

    /// The stretch in which nothing is done, counted from the first request.
    pub(crate) fn stall(self) -> Option<(Duration, Duration)> {
        match self {
            Self::Stall(after, long) => Some((after, after + long)),
            _ => None,
        }
    }
}

/// A draw from the standard normal law (Box and Muller, 1958).
fn normal(seed: u64, n: u64) -> f64 {
    let radius = (1.0 - draw_unit(seed, stream_of("sink radius"), n)).ln() * -2.0;
    radius.sqrt() * (TAU * draw_unit(seed, stream_of("sink angle"), n)).cos()
}

impl FromStr for Law {
    type Err = LawError;

    fn from_str(text: &str) -> Result<Self, LawError> {
        let parts: Vec<&str> = text.split(':').collect();
        Ok(match parts[..] {
            ["none"] => Self::None,
            ["fixed", delay] => Self::Fixed(time(delay)?),
            ["uniform", from, to] => {
                let (from, to) = (time(from)?, time(to)?);
                if from > to {
                    return Err(LawError::Number(text.to_owned()));
                }
                Self::Uniform(from, to)
            }
            ["exponential", mean] => Self::Exponential(time(mean)?),
            ["lognormal", median, sigma] => Self::LogNormal(time(median)?, number(sigma, 3.0)?),
            ["bimodal", most, some, share] => {
                Self::Bimodal(time(most)?, time(some)?, number(share, 1.0)?)
            }
            ["stall", after, long] => Self::Stall(time(after)?, time(long)?),
            ["servers", count, busy] => {
                let count = count.parse().map_err(|_| LawError::Number(count.to_owned()))?;
                Self::Servers(count, time(busy)?)
            }
            _ => return Err(LawError::Unknown(text.to_owned())),
        })
    }
}

fn time(text: &str) -> Result<Duration, LawError> {
    let wrong = || LawError::Time(text.to_owned());
    let unit = text.find(|c: char| !c.is_ascii_digit()).ok_or_else(wrong)?;
    let (count, unit) = text.split_at(unit);
    let count: u32 = count.parse().map_err(|_| wrong())?;
    match unit {
        "us" => Ok(Duration::from_micros(count.into())),
        "ms" => Ok(Duration::from_millis(count.into())),
        "s" => Ok(Duration::from_secs(count.into())),
        _ => Err(wrong()),
    }
}

fn number(text: &str, most: f64) -> Result<f64, LawError> {
    let number = text.parse().ok().filter(|number| (0.0..=most).contains(number));
    number.ok_or_else(|| LawError::Number(text.to_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Seconds of 20,000 draws in ascending order.
    fn drawn(law: &str) -> Vec<f64> {
        let law: Law = law.parse().unwrap();
        let mut drawn: Vec<f64> = (0..20_000).map(|n| law.delay(3, n).as_secs_f64()).collect();
        drawn.sort_unstable_by(f64::total_cmp);
        drawn
    }

    fn near(found: f64, expected: f64, share: f64) {
        assert!((found / expected - 1.0).abs() < share, "{found} instead of {expected}");
    }

    #[test]
    fn a_uniform_law_has_its_quartiles() {
        let drawn = drawn("uniform:10ms:30ms");
        near(drawn[5_000], 0.015, 0.02);
        near(drawn[15_000], 0.025, 0.02);
    }

    #[test]
    fn an_exponential_law_has_its_median_and_its_tail() {
        let drawn = drawn("exponential:10ms");
        near(drawn[10_000], 0.010 * 2_f64.ln(), 0.03);
        near(drawn[19_000], 0.010 * 20_f64.ln(), 0.05);
    }

    #[test]
    fn a_lognormal_law_has_its_median_and_its_tail() {
        let drawn = drawn("lognormal:20ms:0.5");
        near(drawn[10_000], 0.020, 0.02);
        // The 95th percentile of the standard normal law is 1.6449.
        near(drawn[19_000], 0.020 * (0.5_f64 * 1.6449).exp(), 0.03);
    }

    #[test]
    fn a_bimodal_law_has_both_of_its_times_and_no_other() {
        let drawn = drawn("bimodal:1ms:50ms:0.1");
        let slow = drawn.iter().filter(|seconds| **seconds > 0.002).count();
        assert!((1_850..=2_150).contains(&slow), "{slow}");
        assert!(drawn.iter().all(|seconds| [0.001, 0.05].contains(seconds)));
    }

    #[test]
    fn what_is_no_law_is_refused_by_name() {
        for text in [
            "",
            "often",
            "fixed",
            "fixed:3",
            "uniform:3ms:1ms",
            "lognormal:1ms:9",
            "none:1",
            "servers:0:1ms",
        ] {
            let error = text.parse::<Law>().unwrap_err();
            assert!(error.to_string().contains('`'), "{text}: {error}");
        }
    }
}
