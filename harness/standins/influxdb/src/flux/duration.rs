//! Lengths of time: calendar months and nanoseconds, kept apart as Flux does.

use std::fmt;

use super::time::{Date, split_day};

const S: i64 = 1_000_000_000;

/// The units of a duration literal, longest first, with months and nanoseconds of each.
const UNITS: [(&str, i64, i64); 11] = [
    ("y", 12, 0),
    ("mo", 1, 0),
    ("w", 0, 7 * 86_400 * S),
    ("d", 0, 86_400 * S),
    ("h", 0, 3600 * S),
    ("m", 0, 60 * S),
    ("s", 0, S),
    ("ms", 0, 1_000_000),
    ("us", 0, 1000),
    ("µs", 0, 1000),
    ("ns", 0, 1),
];

/// A signed length of time. Months have no fixed length, so they are not nanoseconds.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct Duration {
    pub(crate) months: i64,
    pub(crate) ns: i64,
}

impl Duration {
    /// The duration that `inf` names: no window is longer.
    pub(crate) const INFINITE: Self = Self { months: 0, ns: i64::MAX };

    pub(crate) const fn from_ns(ns: i64) -> Self {
        Self { months: 0, ns }
    }

    /// Reads `1h30m`; `None` when it is no duration or too long.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        let mut rest = text;
        let mut sum = Self::default();
        while !rest.is_empty() {
            let digits = rest.bytes().take_while(u8::is_ascii_digit).count();
            let count: i64 = rest[..digits].parse().ok()?;
            rest = &rest[digits..];
            let length = rest.find(|next: char| next.is_ascii_digit()).unwrap_or(rest.len());
            let unit = UNITS.iter().find(|(name, ..)| *name == &rest[..length])?;
            rest = &rest[length..];
            sum.months = sum.months.checked_add(unit.1.checked_mul(count)?)?;
            sum.ns = sum.ns.checked_add(unit.2.checked_mul(count)?)?;
        }
        (!text.is_empty()).then_some(sum)
    }

    pub(crate) fn negated(self) -> Self {
        Self { months: self.months.wrapping_neg(), ns: self.ns.wrapping_neg() }
    }

    pub(crate) fn times(self, factor: i64) -> Self {
        Self { months: self.months.saturating_mul(factor), ns: self.ns.saturating_mul(factor) }
    }

    pub(crate) fn plus(self, other: Self) -> Self {
        Self {
            months: self.months.saturating_add(other.months),
            ns: self.ns.saturating_add(other.ns),
        }
    }

    pub(crate) fn is_zero(self) -> bool {
        self == Self::default()
    }

    pub(crate) fn is_negative(self) -> bool {
        self.months < 0 || (self.months == 0 && self.ns < 0)
    }

    /// Whether it has both months and nanoseconds.
    pub(crate) fn is_mixed(self) -> bool {
        self.months != 0 && self.ns != 0
    }

    /// The instant this long after another. A day that the month does not have becomes its last.
    pub(crate) fn after(self, time_ns: i64) -> i64 {
        if self.months == 0 {
            return time_ns.saturating_add(self.ns);
        }
        let (date, in_day_ns) = split_day(time_ns);
        let first = Date { month: date.month.saturating_add(self.months), day: 1, ..date };
        let day = date.day.min(first.days_in_month());
        let days = first.days().saturating_add(day - 1);
        let shifted = i128::from(days) * 86_400 * i128::from(S) + i128::from(in_day_ns);
        let bounded = shifted.clamp(i128::from(i64::MIN), i128::from(i64::MAX));
        let shifted = i64::try_from(bounded).expect("the instant was clamped to the type's range");
        shifted.saturating_add(self.ns)
    }
}

impl fmt::Display for Duration {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.is_zero() {
            return f.write_str("0ns");
        }
        if self.is_negative() {
            f.write_str("-")?;
        }
        let mut months = self.months.unsigned_abs();
        let mut ns = self.ns.unsigned_abs();
        for (name, unit_months, unit_ns) in UNITS.iter().filter(|(name, ..)| *name != "µs") {
            let (rest, unit) = if *unit_months > 0 {
                (&mut months, unit_months.unsigned_abs())
            } else {
                (&mut ns, unit_ns.unsigned_abs())
            };
            if *rest >= unit {
                write!(f, "{}{name}", *rest / unit)?;
                *rest %= unit;
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::flux::time::parse_rfc3339;

    #[test]
    fn a_duration_prints_as_it_was_written() {
        for text in ["1h30m", "1y2mo", "3w", "1ms", "0ns", "12h5us1ns"] {
            assert_eq!(Duration::parse(text).unwrap().to_string(), text);
        }
    }

    #[test]
    fn a_month_after_the_31st_of_january_is_the_end_of_february() {
        let month = Duration::parse("1mo").unwrap();
        let january = parse_rfc3339("2023-01-31T12:00:00Z").unwrap();
        assert_eq!(Some(month.after(january)), parse_rfc3339("2023-02-28T12:00:00Z"));
    }

    #[test]
    fn a_number_without_a_unit_is_no_duration() {
        assert_eq!(Duration::parse("12"), None);
    }
}
