//! The texts of numbers with units, limits and names: read, or refused with what to write instead.

use std::time::Duration;

use cutover_model::scenario::{Comparison, Limit, LimitValue};
use cutover_model::{Rate, Ratio};

use crate::diagnostic::excerpt;
use crate::shape::Complaint;
use crate::suggest::suggest;

/// Units of time and their nanoseconds, longest first.
const UNITS: [(&str, u128); 7] = [
    ("d", 86_400_000_000_000),
    ("h", 3_600_000_000_000),
    ("m", 60_000_000_000),
    ("s", 1_000_000_000),
    ("ms", 1_000_000),
    ("us", 1_000),
    ("ns", 1),
];

/// No scenario takes longer, and every sum of a few of these is far from overflowing.
const LONGEST_NS: u128 = 10_000 * UNITS[0].1;

/// A whole number, with `_` between digits allowed.
pub(crate) fn whole(text: &str) -> Result<u64, Complaint> {
    let digits = digits(text).filter(|digits| digits.bytes().all(|byte| byte.is_ascii_digit()));
    digits.and_then(|digits| digits.parse().ok()).ok_or_else(|| {
        let negative = text.starts_with('-');
        let what = if negative { "a whole number, not negative" } else { "a whole number" };
        Complaint::new(format!("must be {what}, and is `{}`", excerpt(text)))
    })
}

/// The version of the file format.
pub(crate) fn version(text: &str) -> Result<(), Complaint> {
    match whole(text)? {
        1 => Ok(()),
        other => Err(Complaint::new(format!("must be 1, and is {other}"))
            .with_help("other versions belong to other releases of cutover")),
    }
}

/// A whole number from `least` to `most`.
pub(crate) fn whole_within(text: &str, least: u64, most: u64) -> Result<u64, Complaint> {
    let number = whole(text)?;
    if (least..=most).contains(&number) {
        return Ok(number);
    }
    let range = if most == u64::MAX || number < least {
        format!("at least {least}")
    } else {
        format!("at most {most}")
    };
    Err(Complaint::new(format!("must be {range}, and is {number}")))
}

/// A finite number above zero.
pub(crate) fn positive(text: &str) -> Result<f64, Complaint> {
    let number = digits(text).and_then(|digits| digits.parse::<f64>().ok());
    match number {
        // YAML writes them with a dot, Rust without.
        _ if is_non_finite(text) => Err(not_finite(text)),
        Some(number) if number.is_infinite() => Err(not_finite(text)),
        Some(number) if number > 0.0 => Ok(number),
        _ => {
            Err(Complaint::new(format!("must be a number above zero, and is `{}`", excerpt(text))))
        }
    }
}

fn not_finite(text: &str) -> Complaint {
    Complaint::new(format!("must be a finite number, and is `{}`", excerpt(text)))
        .with_help("a comparison with it would never hold, or always")
}

fn is_non_finite(text: &str) -> bool {
    let word = text.trim_start_matches(['+', '-', '.']).to_ascii_lowercase();
    ["nan", "inf", "infinity"].iter().any(|bad| {
        word.strip_prefix(bad).is_some_and(|rest| !rest.starts_with(char::is_alphabetic))
    })
}

/// The number without its `_`, if it starts with a digit and they stand between digits.
fn digits(text: &str) -> Option<String> {
    let bytes = text.as_bytes();
    let is_digit = |index: Option<usize>| {
        index.and_then(|index| bytes.get(index)).is_some_and(u8::is_ascii_digit)
    };
    let between = |(index, _)| is_digit(index_before(index)) && is_digit(Some(index + 1));
    let sound = is_digit(Some(0)) && text.match_indices('_').all(between);
    sound.then(|| text.replace('_', ""))
}

fn index_before(index: usize) -> Option<usize> {
    index.checked_sub(1)
}

/// The digits at the start of a text, with at most one `.`, and what follows.
fn split_number(text: &str) -> (&str, &str) {
    let end =
        text.find(|c: char| !(c.is_ascii_digit() || c == '_' || c == '.')).unwrap_or(text.len());
    text.split_at(end)
}

/// Digits around one optional `.`, without `_`.
fn decimal(text: &str) -> Option<String> {
    let digits = digits(text)?;
    let (whole, fraction) = digits.split_once('.').unwrap_or((&digits, "0"));
    let all_digits = |part: &str| !part.is_empty() && part.bytes().all(|b| b.is_ascii_digit());
    (all_digits(whole) && all_digits(fraction) && digits.len() <= 30).then_some(digits)
}

/// A duration: numbers with units, longest unit first.
pub(crate) fn duration(text: &str) -> Result<Duration, Complaint> {
    if is_non_finite(text) {
        return Err(not_finite(text));
    }
    let mut nanos = 0_u128;
    let mut rest = text;
    let mut longer = UNITS.len() + 1;
    while !rest.is_empty() {
        let (number, tail) = split_number(rest);
        let end = tail.find(|c: char| !c.is_alphabetic()).unwrap_or(tail.len());
        let (unit, tail) = tail.split_at(end);
        let unit = if unit == "µs" { "us" } else { unit };
        let (Some(number), false) = (decimal(number), unit.is_empty()) else {
            return Err(no_duration(text));
        };
        let Some(place) = UNITS.iter().position(|(name, _)| *name == unit) else {
            return Err(unknown_unit(text, unit));
        };
        let left = UNITS.len() - place;
        if left >= longer {
            return Err(Complaint::new(format!("`{}` is out of order", excerpt(text)))
                .with_help("write the longest unit first, and each once: `2m30s`"));
        }
        longer = left;
        nanos += scaled(&number, UNITS[place].1, text)?;
        rest = tail;
    }
    if text.is_empty() {
        return Err(no_duration(text));
    }
    if nanos > LONGEST_NS {
        return Err(Complaint::new(format!("is longer than 10,000 days: `{}`", excerpt(text))));
    }
    let seconds = u64::try_from(nanos / 1_000_000_000).unwrap_or(u64::MAX);
    // The remainder of a division by 10⁹ always fits.
    Ok(Duration::new(seconds, u32::try_from(nanos % 1_000_000_000).unwrap_or(0)))
}

fn no_duration(text: &str) -> Complaint {
    let shown = excerpt(text);
    let compact: String = text.chars().filter(|c| !c.is_whitespace()).collect();
    if compact != text && compact.starts_with(|c: char| c.is_ascii_digit()) {
        return match duration(&compact) {
            Ok(_) => Complaint::new(format!("must have no space, and is `{shown}`"))
                .with_help(format!("write `{}`", excerpt(&compact))),
            Err(complaint) => complaint,
        };
    }
    let (number, rest) = split_number(text);
    if decimal(number).is_some() && rest.trim().is_empty() {
        return Complaint::new(format!("needs a unit, and is `{shown}`"))
            .with_help(format!("write `{number}s` for seconds or `{number}m` for minutes"));
    }
    Complaint::new(format!("must be a duration, and is `{shown}`"))
        .with_help("write a number with `ns`, `us`, `ms`, `s`, `m`, `h` or `d`: `5s`, `2m30s`")
}

fn unknown_unit(text: &str, unit: &str) -> Complaint {
    let words = ["days", "hours", "minutes", "seconds", "milliseconds", "microseconds", "nanos"];
    let folded = unit.to_lowercase();
    let place = match folded.as_str() {
        "min" | "mins" => Some(2),
        "sec" | "secs" => Some(3),
        "msec" | "millis" => Some(4),
        _ => words.iter().position(|word| word.starts_with(&folded)),
    };
    let complaint =
        Complaint::new(format!("has the unknown unit `{}`: `{}`", excerpt(unit), excerpt(text)));
    match place {
        Some(place) => complaint.with_help(format!("did you mean `{}`?", UNITS[place].0)),
        None => complaint.with_help("the units are `ns`, `us`, `ms`, `s`, `m`, `h` and `d`"),
    }
}

/// The whole nanoseconds of a decimal number of a unit.
fn scaled(number: &str, unit_ns: u128, text: &str) -> Result<u128, Complaint> {
    let too_long = || Complaint::new(format!("is longer than 10,000 days: `{}`", excerpt(text)));
    let (whole, fraction) = number.split_once('.').unwrap_or((number, ""));
    let whole: u128 = whole.parse().map_err(|_| too_long())?;
    let mut nanos =
        whole.checked_mul(unit_ns).filter(|ns| *ns <= LONGEST_NS).ok_or_else(too_long)?;
    let mut place = unit_ns;
    for digit in fraction.bytes().map(|byte| u128::from(byte - b'0')) {
        if digit > 0 && !(digit * place).is_multiple_of(10) {
            return Err(Complaint::new(format!("is finer than a nanosecond: `{}`", excerpt(text))));
        }
        nanos += digit * place / 10;
        place /= 10;
    }
    Ok(nanos)
}

/// A share of 100%, written as one.
pub(crate) fn percentage(text: &str) -> Result<Ratio, Complaint> {
    if is_non_finite(text) {
        return Err(not_finite(text));
    }
    let shown = excerpt(text);
    let Some(number) = text.strip_suffix('%') else {
        let complaint = Complaint::new(format!("needs a percentage, and is `{shown}`"));
        return Err(match text.parse::<f64>() {
            Ok(share) if share > 0.0 && share < 1.0 => {
                complaint.with_help(format!("write `{}%`", shortest(share * 100.0)))
            }
            Ok(_) if decimal(text).is_some() => complaint.with_help(format!("write `{shown}%`")),
            _ => complaint.with_help("write a number with `%`, such as `8%`"),
        });
    };
    // The shift by two places happens in the text: 99.9% must be exactly the number 0.999.
    let share = decimal(number.trim_end()).and_then(|number| format!("{number}e-2").parse().ok());
    let share: f64 = share.ok_or_else(|| {
        Complaint::new(format!("must be a percentage, and is `{shown}`"))
            .with_help("write a number with `%`, such as `8%`")
    })?;
    Ratio::try_from(share)
        .map_err(|_| Complaint::new(format!("must be from 0% to 100%, and is `{shown}`")))
}

fn shortest(number: f64) -> String {
    let text = format!("{number:.6}");
    text.trim_end_matches('0').trim_end_matches('.').to_owned()
}

/// A percentage above zero.
pub(crate) fn positive_percentage(text: &str) -> Result<Ratio, Complaint> {
    match percentage(text)? {
        Ratio::ZERO => Err(Complaint::new("must be above 0%".to_owned())),
        share => Ok(share),
    }
}

/// A duration above zero.
pub(crate) fn positive_duration(text: &str) -> Result<Duration, Complaint> {
    match duration(text)? {
        Duration::ZERO => Err(Complaint::new(format!("must be above zero, and is `{text}`"))),
        duration => Ok(duration),
    }
}

/// A time for which a bucket can keep its data: whole seconds, from an hour on.
pub(crate) fn retention(text: &str) -> Result<Duration, Complaint> {
    let time = duration(text)?;
    let shown = excerpt(text);
    if time.subsec_nanos() > 0 {
        return Err(Complaint::new(format!("must be whole seconds, and is `{shown}`")));
    }
    // The server refuses less, with an internal error.
    if time < Duration::from_hours(1) {
        return Err(Complaint::new(format!("must be at least `1h`, and is `{shown}`"))
            .with_help("leave the bucket out to keep its data for ever"));
    }
    Ok(time)
}

/// A rate as it is written.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct AskedRate {
    /// How many a second; none for a rate of zero.
    pub(crate) rate: Option<Rate>,
    /// Whether it says that points are counted.
    pub(crate) points: bool,
}

/// Something per second, or nothing. `points` may stand before the `/s`.
pub(crate) fn arrival_rate(text: &str) -> Result<AskedRate, Complaint> {
    asked_rate(text, "`20/s`, for writers `20 points/s`")
}

fn asked_rate(text: &str, example: &str) -> Result<AskedRate, Complaint> {
    if is_non_finite(text) {
        return Err(not_finite(text));
    }
    let shown = excerpt(text);
    let (number, unit) = split_number(text);
    let Some(number) = decimal(number) else {
        return Err(Complaint::new(format!("must be a rate, and is `{shown}`"))
            .with_help(format!("write a number per second, such as {example}")));
    };
    let unit = unit.trim_start();
    if unit != "/s" && unit != "points/s" {
        let complaint = if unit.is_empty() {
            Complaint::new(format!("needs a unit, and is `{shown}`"))
        } else {
            Complaint::new(format!("has the unknown unit `{}`: `{shown}`", excerpt(unit)))
        };
        return Err(complaint.with_help(format!("rates are per second, such as {example}")));
    }
    match number.parse::<f64>() {
        Ok(number) if (0.0..=1e9).contains(&number) => {
            Ok(AskedRate { rate: Rate::try_from(number).ok(), points: unit == "points/s" })
        }
        _ => Err(Complaint::new(format!("must be from 0 to 1,000,000,000/s, and is `{shown}`"))),
    }
}

/// Something per second that is not points, above zero.
pub(crate) fn rate(text: &str) -> Result<Rate, Complaint> {
    let AskedRate { rate, points } = asked_rate(text, "`20/s`")?;
    let shown = excerpt(text);
    if points {
        return Err(Complaint::new(format!("has the unknown unit `points/s`: `{shown}`"))
            .with_help("write it without `points`"));
    }
    rate.ok_or_else(|| Complaint::new(format!("must be above zero, and is `{shown}`")))
}

/// Periods of a trigger, such as `3 periods`.
pub(crate) fn periods(text: &str) -> Result<u32, Complaint> {
    let shown = excerpt(text);
    let (number, unit) = split_number(text);
    match (number.parse::<u32>(), unit.trim_start()) {
        (Ok(0), _) => Err(Complaint::new("must be at least `1 period`".to_owned())),
        (Ok(number), "period" | "periods") => Ok(number),
        (Ok(number), "") => Err(Complaint::new(format!("needs a unit, and is `{shown}`"))
            .with_help(format!("write `{number} periods`"))),
        _ => Err(Complaint::new(format!("must be a number of periods, and is `{shown}`"))
            .with_help("write such as `3 periods`")),
    }
}

/// What a limit may be in, and which way it may point.
#[derive(Clone, Copy)]
pub(crate) struct LimitShape {
    pub(crate) bound: Bound,
    pub(crate) unit: Unit,
}

/// Whether the measured value should be low or high.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Bound {
    Upper,
    Lower,
}

/// What a limit is in.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Unit {
    Time,
    /// A time, or a plain number where two times are divided.
    TimeOrFactor,
    Percentage,
    PerSecond,
    Count,
}

impl Unit {
    fn example(self) -> &'static str {
        match self {
            Self::Time | Self::TimeOrFactor => "5s",
            Self::Percentage => "1%",
            Self::PerSecond => "5_000/s",
            Self::Count => "10",
        }
    }

    fn read(self, text: &str) -> Result<LimitValue, Complaint> {
        let plain = || decimal(text).and_then(|number| number.parse::<f64>().ok());
        match self {
            Self::TimeOrFactor if let Some(factor) = plain() => Ok(LimitValue::Factor(factor)),
            Self::Time | Self::TimeOrFactor => duration(text).map(LimitValue::Duration),
            Self::Percentage => percentage(text).map(LimitValue::Ratio),
            Self::PerSecond => rate(text).map(LimitValue::Rate),
            Self::Count => whole(text).map(|count| LimitValue::Factor(count as f64)),
        }
    }
}

/// A comparison with a value: `< 5s`.
pub(crate) fn limit(text: &str, shape: LimitShape) -> Result<Limit, Complaint> {
    let LimitShape { bound, unit } = shape;
    let sign = if bound == Bound::Upper { "<" } else { ">" };
    let example = format!("\"{sign} {}\"", unit.example());
    let end = text.find(|c| !matches!(c, '<' | '>' | '=')).unwrap_or(text.len());
    let (comparison, value) = text.split_at(end);
    let value = value.trim();
    let comparison = match comparison {
        "<" => Comparison::Below,
        "<=" => Comparison::AtMost,
        ">" => Comparison::Above,
        ">=" => Comparison::AtLeast,
        "" => {
            return Err(Complaint::new(format!("needs a comparison, and is `{}`", excerpt(text)))
                .with_help(format!("write such as `{example}`")));
        }
        other => {
            return Err(Complaint::new(format!("has the unknown comparison `{}`", excerpt(other)))
                .with_help("the comparisons are `<`, `<=`, `>` and `>=`"));
        }
    };
    let points_up = matches!(comparison, Comparison::Above | Comparison::AtLeast);
    if points_up != (bound == Bound::Lower) {
        let (is, other) = if bound == Bound::Upper { ("an upper", "<") } else { ("a lower", ">") };
        return Err(Complaint::new(format!("must be {is} limit, and is `{}`", excerpt(text)))
            .with_help(format!("turn the comparison round: `\"{other} {}\"`", excerpt(value))));
    }
    let value = unit.read(value)?;
    let limit = Limit { comparison, value };
    check_sense(limit, text)?;
    Ok(limit)
}

/// Refuses a limit that every value keeps, or none.
fn check_sense(limit: Limit, text: &str) -> Result<(), Complaint> {
    let number = limit.value.number();
    let share = matches!(limit.value, LimitValue::Ratio(_));
    let whole_share = share && number >= 1.0;
    let (always, never) = match limit.comparison {
        Comparison::Below => (false, number <= 0.0),
        // No latency is zero; no error at all is a sensible thing to ask for.
        Comparison::AtMost => (whole_share, number <= 0.0 && !share),
        Comparison::Above => (false, whole_share),
        Comparison::AtLeast => (number <= 0.0, false),
    };
    let shown = excerpt(text);
    if always {
        let help = "a limit that every value keeps proves nothing";
        return Err(Complaint::new(format!("always holds: `{shown}`")).with_help(help));
    }
    if never {
        let help = "no value keeps it: look at the comparison and the unit";
        return Err(Complaint::new(format!("can never hold: `{shown}`")).with_help(help));
    }
    Ok(())
}

/// An IANA zone name that this build knows.
pub(crate) fn zone(text: &str) -> Result<String, Complaint> {
    let zones = jiff::tz::db();
    if zones.get(text).is_ok() {
        return Ok(text.to_owned());
    }
    let complaint = Complaint::new(format!("is no known time zone: `{}`", excerpt(text)));
    let names: Vec<String> = zones.available().map(|name| name.to_string()).collect();
    Err(match suggest(text, names.iter().map(String::as_str)) {
        Some(meant) => complaint.with_help(format!("did you mean `{meant}`?")),
        None => complaint.with_help("write an IANA name, such as `America/Sao_Paulo` or `UTC`"),
    })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn what<T: std::fmt::Debug>(result: Result<T, Complaint>) -> String {
        result.unwrap_err().what
    }

    #[test]
    fn a_compound_duration_is_the_sum_of_its_parts() {
        assert_eq!(duration("2m30s"), Ok(Duration::from_secs(150)));
        assert_eq!(duration("1d2h"), Ok(Duration::from_hours(26)));
        assert_eq!(duration("1.5ms"), Ok(Duration::from_micros(1_500)));
        assert_eq!(duration("1_000ns"), Ok(Duration::from_micros(1)));
        assert_eq!(duration("5µs"), duration("5us"));
    }

    #[test]
    fn a_bare_number_needs_a_unit() {
        let complaint = duration("5").unwrap_err();
        assert_eq!(complaint.what, "needs a unit, and is `5`");
        assert_eq!(complaint.help.unwrap(), "write `5s` for seconds or `5m` for minutes");
    }

    #[test]
    fn a_duration_finer_than_a_nanosecond_is_refused() {
        assert_eq!(what(duration("0.5ns")), "is finer than a nanosecond: `0.5ns`");
        assert_eq!(duration("0.0000000010s"), Ok(Duration::from_nanos(1)));
    }

    #[test]
    fn a_duration_that_would_overflow_is_refused() {
        for text in ["10001d", "99999999999999999999d", "9999d9999d", "240001h"] {
            assert!(duration(text).is_err(), "{text}");
        }
    }

    #[test]
    fn a_unit_spelt_out_is_understood_and_refused() {
        assert_eq!(duration("5 minutes").unwrap_err().help.unwrap(), "did you mean `m`?");
        assert_eq!(duration("5 m").unwrap_err().help.unwrap(), "write `5m`");
        assert_eq!(duration("5min").unwrap_err().help.unwrap(), "did you mean `m`?");
    }

    #[test]
    fn a_share_without_its_sign_is_shown_with_it() {
        assert_eq!(percentage("0.08").unwrap_err().help.unwrap(), "write `8%`");
        assert_eq!(percentage("8").unwrap_err().help.unwrap(), "write `8%`");
    }

    #[test]
    fn a_percentage_is_the_nearest_number() {
        assert_eq!(percentage("99.9%").ok(), Ratio::try_from(0.999).ok());
        assert!(percentage("100.0001%").is_err());
    }

    #[test]
    fn points_are_counted_only_where_points_are_written() {
        let asked = |points| AskedRate { rate: Rate::try_from(10_000.0).ok(), points };
        assert_eq!(arrival_rate("10_000 points/s"), Ok(asked(true)));
        assert_eq!(arrival_rate("10_000/s"), Ok(asked(false)));
        assert!(rate("10_000 points/s").is_err());
        assert!(rate("20/m").is_err());
    }

    #[test]
    fn a_rate_of_zero_is_one_only_where_it_may_change() {
        assert_eq!(arrival_rate("0/s"), Ok(AskedRate { rate: None, points: false }));
        assert!(rate("0/s").is_err());
        assert!(arrival_rate("-1/s").is_err());
    }

    #[test]
    fn underscores_stand_between_digits_only() {
        assert_eq!(whole("1_000"), Ok(1_000));
        for text in ["_1", "1_", "1__0", "0x10", "1e3", "+1", ""] {
            assert!(whole(text).is_err(), "{text}");
        }
    }

    #[test]
    fn a_number_is_finite_and_above_zero() {
        assert_eq!(positive("1e-9"), Ok(1e-9));
        for text in [".nan", ".inf", "-.INF", "1e999", "0", "-1", "NaN"] {
            assert!(positive(text).is_err(), "{text}");
        }
    }

    #[test]
    fn a_limit_points_the_way_its_statistic_is_good() {
        let time = LimitShape { bound: Bound::Upper, unit: Unit::Time };
        assert_eq!(limit("<= 5s", time).unwrap().to_string(), "<= 5s");
        assert_eq!(limit("<5s", time).unwrap().to_string(), "< 5s");
        assert_eq!(what(limit("> 5s", time)), "must be an upper limit, and is `> 5s`");
        assert_eq!(what(limit("5s", time)), "needs a comparison, and is `5s`");
    }

    #[test]
    fn a_quotient_has_no_unit_and_a_latency_has_one() {
        let both = LimitShape { bound: Bound::Upper, unit: Unit::TimeOrFactor };
        assert_eq!(limit("<= 1.20", both).unwrap().value, LimitValue::Factor(1.2));
        let time = LimitShape { bound: Bound::Upper, unit: Unit::Time };
        assert!(limit("<= 1.20", time).is_err());
    }

    #[test]
    fn a_limit_that_every_value_keeps_is_refused() {
        let share = LimitShape { bound: Bound::Lower, unit: Unit::Percentage };
        assert_eq!(what(limit(">= 0%", share)), "always holds: `>= 0%`");
        assert_eq!(what(limit("> 100%", share)), "can never hold: `> 100%`");
    }

    #[test]
    fn a_misspelt_zone_is_recognised() {
        let help = zone("America/Sao_Paolo").unwrap_err().help;
        assert_eq!(help.unwrap(), "did you mean `America/Sao_Paulo`?");
    }

    proptest! {
        #[test]
        fn whole_nanoseconds_survive_being_written(nanos in 1_u64..864_000_000_000_000_000) {
            prop_assert_eq!(duration(&format!("{nanos}ns")), Ok(Duration::from_nanos(nanos)));
            let text = format!("{}s{}ns", nanos / 1_000_000_000, nanos % 1_000_000_000);
            prop_assert_eq!(duration(&text), Ok(Duration::from_nanos(nanos)));
        }

        #[test]
        fn no_text_makes_a_parser_panic(text in "[0-9._<>=%/a-zµ ]{0,24}|.{0,16}") {
            let units = [Unit::Time, Unit::TimeOrFactor, Unit::Percentage, Unit::PerSecond];
            for unit in units {
                drop(limit(&text, LimitShape { bound: Bound::Upper, unit }));
            }
            drop((duration(&text), percentage(&text), arrival_rate(&text), positive(&text)));
            drop((whole(&text), periods(&text), zone(&text)));
        }
    }
}
