//! Measure values: their types, how the write API's text becomes a value, and how a value becomes
//! the query API's text.
//!
//! The main type is [`Value`]. Arrow columns are `store`'s and `query`'s concern.

use std::fmt::Write as _;

use jiff::tz::Offset;
use jiff::{Span, Timestamp, civil};

/// The type of a measure or of a column made of measures.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) enum ScalarType {
    BigInt,
    Boolean,
    Double,
    Timestamp,
    Varchar,
}

impl ScalarType {
    pub(crate) const ALL: [Self; 5] =
        [Self::BigInt, Self::Boolean, Self::Double, Self::Timestamp, Self::Varchar];

    /// The type that the write API names so.
    pub(crate) fn from_wire(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|scalar| scalar.wire_name() == name)
    }

    /// The name in requests and in `ColumnInfo`.
    pub(crate) fn wire_name(self) -> &'static str {
        match self {
            Self::BigInt => "BIGINT",
            Self::Boolean => "BOOLEAN",
            Self::Double => "DOUBLE",
            Self::Timestamp => "TIMESTAMP",
            Self::Varchar => "VARCHAR",
        }
    }

    /// The name in SQL and in `DESCRIBE`.
    pub(crate) fn sql_name(self) -> &'static str {
        match self {
            Self::BigInt => "bigint",
            Self::Boolean => "boolean",
            Self::Double => "double",
            Self::Timestamp => "timestamp",
            Self::Varchar => "varchar",
        }
    }

    /// The column in which single-measure records of this type are found.
    pub(crate) fn measure_column(self) -> &'static str {
        match self {
            Self::BigInt => "measure_value::bigint",
            Self::Boolean => "measure_value::boolean",
            Self::Double => "measure_value::double",
            Self::Timestamp => "measure_value::timestamp",
            Self::Varchar => "measure_value::varchar",
        }
    }
}

/// The unit in which a request tells times.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum TimeUnit {
    Seconds,
    Milliseconds,
    Microseconds,
    Nanoseconds,
}

impl TimeUnit {
    pub(crate) fn from_wire(name: &str) -> Option<Self> {
        match name {
            "SECONDS" => Some(Self::Seconds),
            "MILLISECONDS" => Some(Self::Milliseconds),
            "MICROSECONDS" => Some(Self::Microseconds),
            "NANOSECONDS" => Some(Self::Nanoseconds),
            _ => None,
        }
    }

    /// Nanoseconds since the epoch; nothing for text that is no such time or is out of range.
    pub(crate) fn parse_ns(self, text: &str) -> Option<i64> {
        // `parse` would also take a sign.
        if text.is_empty() || !text.bytes().all(|byte| byte.is_ascii_digit()) {
            return None;
        }
        let factor = match self {
            Self::Seconds => 1_000_000_000,
            Self::Milliseconds => 1_000_000,
            Self::Microseconds => 1_000,
            Self::Nanoseconds => 1,
        };
        text.parse::<i64>().ok()?.checked_mul(factor)
    }
}

/// One measure value.
#[derive(Clone, Debug)]
pub(crate) enum Value {
    BigInt(i64),
    Boolean(bool),
    Double(f64),
    /// Nanoseconds since the epoch.
    Timestamp(i64),
    Varchar(String),
}

impl PartialEq for Value {
    fn eq(&self, other: &Self) -> bool {
        match (self, other) {
            // By bits: 0.0 sent over -0.0 is another value, and must not be dropped as a repeat.
            (Self::Double(left), Self::Double(right)) => left.to_bits() == right.to_bits(),
            (Self::BigInt(left), Self::BigInt(right))
            | (Self::Timestamp(left), Self::Timestamp(right)) => left == right,
            (Self::Boolean(left), Self::Boolean(right)) => left == right,
            (Self::Varchar(left), Self::Varchar(right)) => left == right,
            _ => false,
        }
    }
}

impl Value {
    /// Reads `text` as a value of type `scalar`; `unit` is the record's, for timestamps.
    pub(crate) fn parse(scalar: ScalarType, text: &str, unit: TimeUnit) -> Option<Self> {
        match scalar {
            ScalarType::BigInt => text.parse().ok().map(Self::BigInt),
            // NaN and the infinities can be queried but not written.
            ScalarType::Double => {
                text.parse().ok().filter(|value: &f64| value.is_finite()).map(Self::Double)
            }
            ScalarType::Varchar => Some(Self::Varchar(text.to_owned())),
            ScalarType::Boolean if text.eq_ignore_ascii_case("true") => Some(Self::Boolean(true)),
            ScalarType::Boolean if text.eq_ignore_ascii_case("false") => Some(Self::Boolean(false)),
            ScalarType::Boolean => None,
            ScalarType::Timestamp => unit.parse_ns(text).map(Self::Timestamp),
        }
    }

    pub(crate) fn scalar_type(&self) -> ScalarType {
        match self {
            Self::BigInt(_) => ScalarType::BigInt,
            Self::Boolean(_) => ScalarType::Boolean,
            Self::Double(_) => ScalarType::Double,
            Self::Timestamp(_) => ScalarType::Timestamp,
            Self::Varchar(_) => ScalarType::Varchar,
        }
    }
}

/// Appends a double as the service writes it: the shortest digits that read back as the same
/// value, plain from 10^-3 up to 10^7, otherwise with an exponent.
pub(crate) fn push_double(out: &mut String, value: f64) {
    if value.is_nan() {
        out.push_str("NaN");
        return;
    }
    if value.is_sign_negative() {
        out.push('-');
    }
    let magnitude = value.abs();
    if magnitude.is_infinite() {
        out.push_str("Infinity");
    } else if magnitude == 0.0 || (1e-3..1e7).contains(&magnitude) {
        write_to(out, format_args!("{magnitude:?}"));
    } else {
        let text = format!("{magnitude:e}");
        let (mantissa, exponent) = text.split_once('e').unwrap_or((&text, "0"));
        let point = if mantissa.contains('.') { "" } else { ".0" };
        write_to(out, format_args!("{mantissa}{point}E{exponent}"));
    }
}

/// Appends an instant as `YYYY-MM-DD HH:MM:SS.nnnnnnnnn`, in UTC.
pub(crate) fn push_timestamp(out: &mut String, ns: i64) {
    // Any 64-bit count of nanoseconds lies within jiff's range.
    let instant = Timestamp::from_nanosecond(i128::from(ns)).unwrap_or(Timestamp::UNIX_EPOCH);
    let at = Offset::UTC.to_datetime(instant);
    write_to(
        out,
        format_args!(
            "{:04}-{:02}-{:02} {:02}:{:02}:{:02}.{:09}",
            at.year(),
            at.month(),
            at.day(),
            at.hour(),
            at.minute(),
            at.second(),
            at.subsec_nanosecond()
        ),
    );
}

/// Appends a day, counted from the epoch, as `YYYY-MM-DD`.
pub(crate) fn push_date(out: &mut String, days: i32) {
    let date = civil::date(1970, 1, 1).checked_add(Span::new().days(days));
    match date {
        Ok(date) => write_to(out, format_args!("{date}")),
        // Beyond the year 9999, where the service has no dates either.
        Err(_) => write_to(out, format_args!("{days} days since 1970-01-01")),
    }
}

/// Appends a span of nanoseconds as `D HH:MM:SS.nnnnnnnnn`.
pub(crate) fn push_interval(out: &mut String, ns: i128) {
    const SECOND: u128 = 1_000_000_000;
    let sign = if ns < 0 { "-" } else { "" };
    let magnitude = ns.unsigned_abs();
    let seconds = magnitude / SECOND;
    write_to(
        out,
        format_args!(
            "{sign}{} {:02}:{:02}:{:02}.{:09}",
            seconds / 86_400,
            seconds / 3_600 % 24,
            seconds / 60 % 60,
            seconds % 60,
            magnitude % SECOND
        ),
    );
}

fn write_to(out: &mut String, text: std::fmt::Arguments<'_>) {
    out.write_fmt(text).expect("writing to a `String` does not fail");
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn double(value: f64) -> String {
        let mut out = String::new();
        push_double(&mut out, value);
        out
    }

    fn timestamp(ns: i64) -> String {
        let mut out = String::new();
        push_timestamp(&mut out, ns);
        out
    }

    #[test]
    fn doubles_are_written_as_the_service_writes_them() {
        let cases = [
            (0.0, "0.0"),
            (-0.0, "-0.0"),
            (0.1, "0.1"),
            (0.001, "0.001"),
            (0.0009, "9.0E-4"),
            (100.0, "100.0"),
            (9_999_999.0, "9999999.0"),
            (1e7, "1.0E7"),
            (1e10, "1.0E10"),
            (1.5e300, "1.5E300"),
            (-2.5e-10, "-2.5E-10"),
            (32_183.884_999_99, "32183.88499999"),
            (f64::NAN, "NaN"),
            (f64::INFINITY, "Infinity"),
            (f64::NEG_INFINITY, "-Infinity"),
        ];
        for (value, text) in cases {
            assert_eq!(double(value), text);
        }
    }

    #[test]
    fn timestamps_have_nine_digits_and_no_zone() {
        assert_eq!(timestamp(0), "1970-01-01 00:00:00.000000000");
        assert_eq!(timestamp(1_672_531_200_123_456_789), "2023-01-01 00:00:00.123456789");
        assert_eq!(timestamp(-1), "1969-12-31 23:59:59.999999999");
        assert_eq!(timestamp(i64::MAX), "2262-04-11 23:47:16.854775807");
    }

    #[test]
    fn dates_before_the_epoch_count_backwards() {
        let mut out = String::new();
        push_date(&mut out, -1);
        assert_eq!(out, "1969-12-31");
    }

    #[test]
    fn intervals_count_days_and_keep_the_sign() {
        let mut out = String::new();
        push_interval(&mut out, -(90_061 * 1_000_000_000 + 5));
        assert_eq!(out, "-1 01:01:01.000000005");
    }

    #[test]
    fn nan_and_infinity_cannot_be_written() {
        for text in ["NaN", "Infinity", "-Infinity", "inf", "1e999"] {
            assert_eq!(Value::parse(ScalarType::Double, text, TimeUnit::Milliseconds), None);
        }
    }

    #[test]
    fn a_time_with_a_sign_or_a_fraction_is_no_time() {
        for text in ["", "-1", "+1", "1.0", " 1", "1e3"] {
            assert_eq!(TimeUnit::Seconds.parse_ns(text), None, "`{text}`");
        }
    }

    #[test]
    fn a_time_beyond_the_range_of_nanoseconds_is_refused() {
        assert_eq!(TimeUnit::Seconds.parse_ns("9223372036"), Some(9_223_372_036_000_000_000));
        assert_eq!(TimeUnit::Seconds.parse_ns("9223372037"), None);
    }

    proptest! {
        #[test]
        fn a_finite_double_reads_back_as_the_same_bits(value in any::<f64>()) {
            prop_assume!(value.is_finite());
            let read = Value::parse(ScalarType::Double, &double(value), TimeUnit::Seconds);
            prop_assert_eq!(read, Some(Value::Double(value)));
        }

        #[test]
        fn timestamps_sort_as_their_text(left in 0..i64::MAX, right in 0..i64::MAX) {
            prop_assert_eq!(left.cmp(&right), timestamp(left).cmp(&timestamp(right)));
        }
    }
}
