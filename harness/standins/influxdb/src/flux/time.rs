//! Instants as nanoseconds since 1970, and their RFC 3339 text.
//!
//! Formatting and reading are on the path of every row, so they work on plain integers. Time zones
//! are `window`'s and `builtins`' business.

const NS_PER_S: i64 = 1_000_000_000;
const S_PER_DAY: i64 = 86_400;

/// A date of the proleptic Gregorian calendar.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Date {
    pub(crate) year: i64,
    /// From 1 to 12.
    pub(crate) month: i64,
    /// From 1 to 31.
    pub(crate) day: i64,
}

impl Date {
    /// The date of a day counted from 1970-01-01.
    pub(crate) fn from_days(days: i64) -> Self {
        // Years are counted from March, so that the leap day comes last.
        let shifted = days + 719_468;
        let era = shifted.div_euclid(146_097);
        let day_of_era = shifted.rem_euclid(146_097);
        let year_of_era =
            (day_of_era - day_of_era / 1460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
        let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
        let shifted_month = (5 * day_of_year + 2) / 153;
        let day = day_of_year - (153 * shifted_month + 2) / 5 + 1;
        let month = if shifted_month < 10 { shifted_month + 3 } else { shifted_month - 9 };
        let year = year_of_era + era * 400 + i64::from(month <= 2);
        Self { year, month, day }
    }

    /// The days from 1970-01-01 to this date. Months outside 1 to 12 count on into other years.
    pub(crate) fn days(self) -> i64 {
        let year = self.year + (self.month - 1).div_euclid(12);
        let month = (self.month - 1).rem_euclid(12) + 1;
        let shifted_year = if month <= 2 { year - 1 } else { year };
        let era = shifted_year.div_euclid(400);
        let year_of_era = shifted_year.rem_euclid(400);
        let shifted_month = if month > 2 { month - 3 } else { month + 9 };
        let day_of_year = (153 * shifted_month + 2) / 5 + self.day - 1;
        let day_of_era = year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year;
        era * 146_097 + day_of_era - 719_468
    }

    /// The days of this date's month.
    pub(crate) fn days_in_month(self) -> i64 {
        let first = Self { day: 1, ..self };
        Self { month: self.month + 1, ..first }.days() - first.days()
    }
}

/// An instant cut into its date and the nanoseconds since midnight, in UTC.
pub(crate) fn split_day(time_ns: i64) -> (Date, i64) {
    let day_ns = S_PER_DAY * NS_PER_S;
    (Date::from_days(time_ns.div_euclid(day_ns)), time_ns.rem_euclid(day_ns))
}

/// What a clock shows.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Clock {
    pub(crate) date: Date,
    pub(crate) hour: i64,
    pub(crate) minute: i64,
    pub(crate) second: i64,
}

impl Clock {
    /// What a clock in UTC shows at an instant.
    pub(crate) fn of(time_ns: i64) -> Self {
        let (date, in_day_ns) = split_day(time_ns);
        let second = in_day_ns / NS_PER_S;
        Self { date, hour: second / 3600, minute: second / 60 % 60, second: second % 60 }
    }
}

/// `2023-01-01T00:00:00.5Z`: as many digits of the second as needed, none when it is whole.
pub(crate) fn format_rfc3339(time_ns: i64) -> String {
    let mut text = Vec::with_capacity(30);
    append_rfc3339(&mut text, time_ns);
    text.into_iter().map(char::from).collect()
}

/// `2023-01-01T00:00:00.500000000Z`: always nine digits of the second.
pub(crate) fn format_fixed_rfc3339(time_ns: i64) -> String {
    // The lowest instant's second begins before what 64 bits can count.
    let second_ns = time_ns.div_euclid(NS_PER_S).saturating_mul(NS_PER_S);
    let whole = format_rfc3339(second_ns);
    format!("{}.{:09}Z", whole.trim_end_matches('Z'), time_ns.rem_euclid(NS_PER_S))
}

/// Appends what [`format_rfc3339`] gives.
pub(crate) fn append_rfc3339(text: &mut Vec<u8>, time_ns: i64) {
    let (date, in_day_ns) = split_day(time_ns);
    let second = in_day_ns / NS_PER_S;
    digits(text, date.year, 4);
    for (separator, value) in [(b'-', date.month), (b'-', date.day), (b'T', second / 3600)] {
        text.push(separator);
        digits(text, value, 2);
    }
    for value in [second / 60 % 60, second % 60] {
        text.push(b':');
        digits(text, value, 2);
    }
    let fraction_ns = in_day_ns % NS_PER_S;
    if fraction_ns != 0 {
        text.push(b'.');
        digits(text, fraction_ns, 9);
        while text.last() == Some(&b'0') {
            text.pop();
        }
    }
    text.push(b'Z');
}

fn digits(text: &mut Vec<u8>, value: i64, width: u32) {
    for place in (0..width).rev() {
        let digit = value / 10_i64.pow(place) % 10;
        text.push(b'0' + u8::try_from(digit).expect("a remainder of ten is a digit"));
    }
}

/// Reads RFC 3339 with any number of fractional digits; those beyond nanoseconds are cut.
pub(crate) fn parse_rfc3339(text: &str) -> Option<i64> {
    parse_any_rfc3339(text).and_then(|time_ns| i64::try_from(time_ns).ok())
}

/// [`parse_rfc3339`] for every year from 0 to 9999, not only for those that 64 bits can count.
pub(crate) fn parse_any_rfc3339(text: &str) -> Option<i128> {
    let bytes = text.as_bytes();
    let (date, rest) = bytes.split_at_checked(10)?;
    let date = parse_date(date)?;
    let (clock, rest) = rest.split_at_checked(9)?;
    let [b'T' | b't', h1, h2, b':', m1, m2, b':', s1, s2] = *clock else { return None };
    let (hour, minute, second) = (number(&[h1, h2])?, number(&[m1, m2])?, number(&[s1, s2])?);
    if hour > 23 || minute > 59 || second > 59 {
        return None;
    }
    let (fraction_ns, rest) = fraction(rest)?;
    let offset_s = match *rest {
        [b'Z' | b'z'] => 0,
        [sign @ (b'+' | b'-'), h1, h2, b':', m1, m2] => {
            let (hours, minutes) = (number(&[h1, h2])?, number(&[m1, m2])?);
            if hours > 23 || minutes > 59 {
                return None;
            }
            let offset_s = hours * 3600 + minutes * 60;
            if sign == b'-' { -offset_s } else { offset_s }
        }
        _ => return None,
    };
    let seconds = date.days() * S_PER_DAY + hour * 3600 + minute * 60 + second - offset_s;
    Some(i128::from(seconds) * i128::from(NS_PER_S) + i128::from(fraction_ns))
}

/// Reads `2023-01-01`.
pub(crate) fn parse_date(text: &[u8]) -> Option<Date> {
    let [y1, y2, y3, y4, b'-', m1, m2, b'-', d1, d2] = *text else { return None };
    let date = Date {
        year: number(&[y1, y2, y3, y4])?,
        month: number(&[m1, m2])?,
        day: number(&[d1, d2])?,
    };
    let valid = (1..=12).contains(&date.month) && (1..=date.days_in_month()).contains(&date.day);
    valid.then_some(date)
}

fn fraction(text: &[u8]) -> Option<(i64, &[u8])> {
    let Some(rest) = text.strip_prefix(b".") else { return Some((0, text)) };
    let length = rest.iter().take_while(|byte| byte.is_ascii_digit()).count();
    if length == 0 {
        return None;
    }
    let mut value = 0;
    for place in 0..9 {
        value = value * 10 + rest[..length].get(place).map_or(0, |byte| i64::from(byte - b'0'));
    }
    Some((value, &rest[length..]))
}

fn number(digits: &[u8]) -> Option<i64> {
    digits.iter().try_fold(0, |value, byte| {
        byte.is_ascii_digit().then(|| value * 10 + i64::from(byte - b'0'))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_text_of_an_instant_reads_back_as_the_same_instant() {
        for time_ns in
            [0, -1, i64::MIN, i64::MAX, 1_672_531_200_000_000_001, 951_782_400 * NS_PER_S]
        {
            assert_eq!(parse_rfc3339(&format_rfc3339(time_ns)), Some(time_ns));
        }
    }

    #[test]
    fn a_fraction_of_zeros_is_left_out() {
        assert_eq!(format_rfc3339(1_672_531_200_500_000_000), "2023-01-01T00:00:00.5Z");
        assert_eq!(format_rfc3339(1_672_531_200_000_000_000), "2023-01-01T00:00:00Z");
    }

    #[test]
    fn an_offset_is_taken_off() {
        assert_eq!(parse_rfc3339("1970-01-01T01:00:00+01:00"), Some(0));
    }

    #[test]
    fn a_day_that_does_not_exist_is_refused() {
        assert_eq!(parse_rfc3339("2023-02-29T00:00:00Z"), None);
    }
}
