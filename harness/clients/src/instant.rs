//! Instants as text, exactly: nanoseconds since the epoch, never through a float.
//!
//! InfluxDB writes RFC 3339, Timestream writes `YYYY-MM-DD HH:MM:SS.nnnnnnnnn` in UTC. Both are
//! read here by position; a leap second or a year outside the range of nanoseconds is refused.

const NANOS: i64 = 1_000_000_000;

/// A text that is no instant.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{text}` is not an instant: {problem}")]
pub struct InstantError {
    text: String,
    problem: &'static str,
}

/// Reads an RFC 3339 instant with up to nine digits after the seconds.
pub fn parse_rfc3339(text: &str) -> Result<i64, InstantError> {
    let fail = |problem| InstantError { text: shortened(text), problem };
    let (seconds, rest) = parse_seconds(text.as_bytes(), b'T').map_err(fail)?;
    let (nanos, rest) = parse_fraction(rest).map_err(fail)?;
    let offset = parse_offset(rest).map_err(fail)?;
    join(seconds - offset, nanos).map_err(fail)
}

/// Reads a Timestream timestamp, which is always in UTC and has no zone.
pub(crate) fn parse_timestream(text: &str) -> Result<i64, InstantError> {
    let fail = |problem| InstantError { text: shortened(text), problem };
    let (seconds, rest) = parse_seconds(text.as_bytes(), b' ').map_err(fail)?;
    let (nanos, rest) = parse_fraction(rest).map_err(fail)?;
    if !rest.is_empty() {
        return Err(fail("something follows the fraction"));
    }
    join(seconds, nanos).map_err(fail)
}

/// Writes an instant as RFC 3339 in UTC with nine digits after the seconds.
pub fn format_rfc3339(time_ns: i64) -> String {
    let (seconds, nanos) = (time_ns.div_euclid(NANOS), time_ns.rem_euclid(NANOS));
    let (day, second) = (seconds.div_euclid(86_400), seconds.rem_euclid(86_400));
    let (year, month, day) = civil(day);
    let (hour, minute, second) = (second / 3600, second / 60 % 60, second % 60);
    format!("{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}.{nanos:09}Z")
}

/// Reads `YYYY-MM-DD?HH:MM:SS` and gives the seconds since the epoch and what follows.
fn parse_seconds(text: &[u8], separator: u8) -> Result<(i64, &[u8]), &'static str> {
    let (head, rest) = text.split_at_checked(19).ok_or("it is too short")?;
    let separators = [(4, b'-'), (7, b'-'), (10, separator), (13, b':'), (16, b':')];
    if separators.iter().any(|(at, expected)| head[*at] != *expected) {
        return Err("a separator is missing");
    }
    let (year, month, day) = (digits(&head[..4])?, digits(&head[5..7])?, digits(&head[8..10])?);
    let (hour, minute) = (digits(&head[11..13])?, digits(&head[14..16])?);
    let second = digits(&head[17..])?;
    if !(1..=12).contains(&month) || !(1..=days_of_month(year, month)).contains(&day) {
        return Err("there is no such day");
    }
    if hour > 23 || minute > 59 || second > 59 {
        return Err("there is no such time of day");
    }
    Ok((days(year, month, day) * 86_400 + hour * 3600 + minute * 60 + second, rest))
}

/// Reads `.nnn`, if there is one, as nanoseconds.
fn parse_fraction(text: &[u8]) -> Result<(i64, &[u8]), &'static str> {
    let Some(text) = text.strip_prefix(b".") else { return Ok((0, text)) };
    let length = text.iter().take_while(|byte| byte.is_ascii_digit()).count();
    if length == 0 || length > 9 {
        return Err("the fraction has not one to nine digits");
    }
    let mut nanos = digits(&text[..length])?;
    for _ in length..9 {
        nanos *= 10;
    }
    Ok((nanos, &text[length..]))
}

/// Reads `Z` or `±HH:MM` as seconds east of UTC.
fn parse_offset(text: &[u8]) -> Result<i64, &'static str> {
    match text {
        b"Z" => Ok(0),
        [sign @ (b'+' | b'-'), h1, h2, b':', m1, m2] => {
            let (hours, minutes) = (digits(&[*h1, *h2])?, digits(&[*m1, *m2])?);
            if hours > 23 || minutes > 59 {
                return Err("there is no such offset");
            }
            let seconds = hours * 3600 + minutes * 60;
            Ok(if *sign == b'-' { -seconds } else { seconds })
        }
        _ => Err("it has no zone"),
    }
}

fn digits(text: &[u8]) -> Result<i64, &'static str> {
    text.iter().try_fold(0, |number, byte| match byte {
        b'0'..=b'9' => Ok(number * 10 + i64::from(byte - b'0')),
        _ => Err("a digit is missing"),
    })
}

fn join(seconds: i64, nanos: i64) -> Result<i64, &'static str> {
    // In 128 bits, because the first second of the range begins before its first nanosecond.
    let whole = i128::from(seconds) * i128::from(NANOS) + i128::from(nanos);
    i64::try_from(whole).map_err(|_| "it is outside the range of 64-bit nanoseconds")
}

fn days_of_month(year: i64, month: i64) -> i64 {
    match month {
        2 if year % 4 == 0 && (year % 100 != 0 || year % 400 == 0) => 29,
        2 => 28,
        4 | 6 | 9 | 11 => 30,
        _ => 31,
    }
}

/// Days since 1970-01-01 of a day of the proleptic Gregorian calendar, counted in years that begin
/// in March, so that the leap day is the last.
fn days(year: i64, month: i64, day: i64) -> i64 {
    let year = if month <= 2 { year - 1 } else { year };
    let (era, year_of_era) = (year.div_euclid(400), year.rem_euclid(400));
    let day_of_year = (153 * ((month + 9) % 12) + 2) / 5 + day - 1;
    era * 146_097 + year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year - 719_468
}

/// The reverse of [`days`].
fn civil(days: i64) -> (i64, i64, i64) {
    let days = days + 719_468;
    let (era, day_of_era) = (days.div_euclid(146_097), days.rem_euclid(146_097));
    let year_of_era =
        (day_of_era - day_of_era / 1460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let shifted = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * shifted + 2) / 5 + 1;
    let month = if shifted < 10 { shifted + 3 } else { shifted - 9 };
    let year = era * 400 + year_of_era + i64::from(month <= 2);
    (year, month, day)
}

fn shortened(text: &str) -> String {
    text.chars().take(64).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn nine_digits_are_exact() {
        let text = "2023-01-01T00:00:00.123456789Z";
        assert_eq!(parse_rfc3339(text), Ok(1_672_531_200_123_456_789));
    }

    #[test]
    fn fewer_digits_are_the_leading_ones() {
        assert_eq!(parse_rfc3339("1970-01-01T00:00:01.5Z"), Ok(1_500_000_000));
    }

    #[test]
    fn an_instant_before_the_epoch_with_a_fraction_is_exact() {
        assert_eq!(parse_rfc3339("1969-12-31T23:59:59.999999999Z"), Ok(-1));
    }

    #[test]
    fn an_offset_is_taken_off() {
        assert_eq!(parse_rfc3339("1970-01-01T01:00:00+01:00"), Ok(0));
        assert_eq!(parse_rfc3339("1969-12-31T21:00:00-03:00"), Ok(0));
    }

    #[test]
    fn the_ends_of_the_range_are_exact() {
        assert_eq!(parse_rfc3339("1677-09-21T00:12:43.145224192Z"), Ok(i64::MIN));
        assert_eq!(parse_rfc3339("2262-04-11T23:47:16.854775807Z"), Ok(i64::MAX));
        assert!(parse_rfc3339("2262-04-11T23:47:16.854775808Z").is_err());
    }

    #[test]
    fn a_day_that_does_not_exist_is_refused() {
        assert!(parse_rfc3339("2023-02-29T00:00:00Z").is_err());
        assert!(parse_rfc3339("2024-02-29T00:00:00Z").is_ok());
        assert!(parse_rfc3339("1900-02-29T00:00:00Z").is_err());
    }

    #[test]
    fn ten_digits_are_refused_and_not_rounded() {
        assert!(parse_rfc3339("1970-01-01T00:00:00.1234567891Z").is_err());
    }

    #[test]
    fn a_timestream_timestamp_needs_no_zone_and_bears_none() {
        assert_eq!(
            parse_timestream("2023-01-01 00:00:00.000000001"),
            Ok(1_672_531_200_000_000_001)
        );
        assert!(parse_timestream("2023-01-01 00:00:00.000000001Z").is_err());
    }

    proptest! {
        #[test]
        fn what_is_written_reads_back(time_ns: i64) {
            prop_assert_eq!(parse_rfc3339(&format_rfc3339(time_ns)), Ok(time_ns));
        }

        #[test]
        fn no_text_panics(text in ".{0,40}") {
            drop((parse_rfc3339(&text), parse_timestream(&text)));
        }
    }
}
