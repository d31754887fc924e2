//! Local times: text without an offset, and the zone that says what it means.

use jiff::fmt::strtime;
use jiff::tz::{AmbiguousOffset, TimeZone};
use jiff::{Timestamp, civil};

use crate::reader::RowProblem;

/// Reads instants out of local times of one zone, written in one format.
pub struct LocalTimeParser {
    format: String,
    zone: TimeZone,
}

impl LocalTimeParser {
    /// A parser for texts in `format` (`strftime` notation), local to the IANA zone `zone`.
    ///
    /// # Errors
    ///
    /// The zone is unknown.
    pub fn new(format: &str, zone: &str) -> Result<Self, jiff::Error> {
        Ok(Self { format: format.to_owned(), zone: TimeZone::get(zone)? })
    }

    /// The instant that `text` means, in nanoseconds since the epoch.
    ///
    /// A text whose format holds an offset (`%z`) means that instant, whatever the zone.
    pub fn parse(&self, text: &str) -> Result<i64, RowProblem> {
        let unreadable =
            || RowProblem::TimeUnreadable { text: text.to_owned(), format: self.format.clone() };
        let parsed = strtime::parse(&self.format, text).map_err(|_| unreadable())?;
        if parsed.offset().is_some() {
            return nanoseconds(parsed.to_timestamp().map_err(|_| unreadable())?, text);
        }
        // A format without a time of day means midnight.
        let local = parsed
            .to_datetime()
            .or_else(|_| parsed.to_date().map(|date| date.at(0, 0, 0, 0)))
            .map_err(|_| unreadable())?;
        self.resolve(local, text)
    }

    /// The instant of a local time; `text` is how the file says it.
    pub fn resolve(&self, local: civil::DateTime, text: &str) -> Result<i64, RowProblem> {
        let ambiguous = self.zone.to_ambiguous_timestamp(local);
        match ambiguous.offset() {
            AmbiguousOffset::Unambiguous { .. } => {
                let instant = ambiguous
                    .unambiguous()
                    .map_err(|_| RowProblem::TimeOutOfRange { text: text.to_owned() })?;
                nanoseconds(instant, text)
            }
            AmbiguousOffset::Gap { .. } => {
                Err(RowProblem::LocalTimeMissing { text: text.to_owned() })
            }
            AmbiguousOffset::Fold { .. } => {
                Err(RowProblem::LocalTimeTwice { text: text.to_owned() })
            }
        }
    }
}

fn nanoseconds(instant: Timestamp, text: &str) -> Result<i64, RowProblem> {
    i64::try_from(instant.as_nanosecond())
        .map_err(|_| RowProblem::TimeOutOfRange { text: text.to_owned() })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn brazil() -> LocalTimeParser {
        LocalTimeParser::new("%Y-%m-%d %H:%M:%S", "America/Sao_Paulo").unwrap()
    }

    #[test]
    fn brasilia_is_three_hours_behind_since_2019() {
        let expected = "2023-01-01T03:00:00Z".parse::<Timestamp>().unwrap().as_nanosecond();
        let parsed = brazil().parse("2023-01-01 00:00:00").unwrap();
        assert_eq!(i128::from(parsed), expected);
    }

    #[test]
    fn brasilia_is_two_hours_behind_in_the_summer_of_2018() {
        let expected = "2018-01-01T02:00:00Z".parse::<Timestamp>().unwrap().as_nanosecond();
        let parsed = brazil().parse("2018-01-01 00:00:00").unwrap();
        assert_eq!(i128::from(parsed), expected);
    }

    #[test]
    fn an_hour_that_the_clock_skips_is_told() {
        let text = "2018-11-04 00:30:00".to_owned();
        assert_eq!(brazil().parse(&text), Err(RowProblem::LocalTimeMissing { text }));
    }

    #[test]
    fn an_hour_that_the_clock_repeats_is_told() {
        let text = "2018-02-17 23:30:00".to_owned();
        assert_eq!(brazil().parse(&text), Err(RowProblem::LocalTimeTwice { text }));
    }

    #[test]
    fn an_offset_in_the_text_outweighs_the_zone() {
        let parser = LocalTimeParser::new("%Y-%m-%dT%H:%M:%S%:z", "America/Sao_Paulo").unwrap();
        assert_eq!(parser.parse("1970-01-01T01:00:00+01:00"), Ok(0));
    }

    #[test]
    fn a_fraction_of_a_second_keeps_its_nanoseconds() {
        let parser = LocalTimeParser::new("%Y-%m-%d %H:%M:%S%.f", "UTC").unwrap();
        assert_eq!(parser.parse("1970-01-01 00:00:00.000000001"), Ok(1));
    }

    #[test]
    fn a_date_alone_means_midnight() {
        let parser = LocalTimeParser::new("%Y-%m-%d", "UTC").unwrap();
        assert_eq!(parser.parse("1970-01-02"), Ok(86_400_000_000_000));
    }

    #[test]
    fn a_text_in_another_format_is_told() {
        assert!(matches!(
            brazil().parse("01/01/2023 00:00"),
            Err(RowProblem::TimeUnreadable { .. })
        ));
    }
}
