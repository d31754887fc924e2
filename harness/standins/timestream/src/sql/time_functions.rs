//! Our own functions of times. All times are UTC, in nanoseconds since the epoch.

use std::sync::Arc;

use arrow::array::{
    ArrayRef, AsArray, Date32Array, Float64Array, Int64Array, StringArray, TimestampNanosecondArray,
};
use arrow::datatypes::{
    DataType, Float64Type, Int64Type, IntervalMonthDayNano, IntervalMonthDayNanoType,
    TimestampNanosecondType,
};
use datafusion::common::exec_err;
use datafusion::error::{DataFusionError, Result};
use jiff::civil::DateTime;
use jiff::tz::Offset;
use jiff::{Timestamp, Unit};

use super::casts::rounded_to_i64;
use super::udf::{Kind, Simple, TIMESTAMP, each};
use crate::value::push_timestamp;

const DAY_NS: i64 = 86_400 * 1_000_000_000;
const TIME: &[Kind] = &[Kind::Timestamp];

/// All of them.
pub(super) fn all() -> Vec<Simple> {
    const ADD: &[Kind] = &[Kind::Text, Kind::BigInt, Kind::Timestamp];
    const DIFF: &[Kind] = &[Kind::Text, Kind::Timestamp, Kind::Timestamp];
    const BIN: &[Kind] = &[Kind::Timestamp, Kind::Interval];
    const BIGINT: &[Kind] = &[Kind::BigInt];
    let mut all = vec![
        Simple { name: "bin", takes: BIN, gives: TIMESTAMP, body: bin },
        Simple { name: "date", takes: TIME, gives: DataType::Date32, body: date },
        Simple { name: "date_add", takes: ADD, gives: TIMESTAMP, body: date_add },
        Simple { name: "date_diff", takes: DIFF, gives: DataType::Int64, body: date_diff },
        Simple {
            name: "from_iso8601_timestamp",
            takes: &[Kind::Text],
            gives: TIMESTAMP,
            body: from_iso8601,
        },
        Simple {
            name: "from_milliseconds",
            takes: BIGINT,
            gives: TIMESTAMP,
            body: |args| from_integer(args, 1_000_000),
        },
        Simple {
            name: "from_nanoseconds",
            takes: BIGINT,
            gives: TIMESTAMP,
            body: |args| from_integer(args, 1),
        },
        Simple {
            name: "from_unixtime",
            takes: &[Kind::Double],
            gives: TIMESTAMP,
            body: from_unixtime,
        },
        Simple {
            name: "to_iso8601",
            takes: TIME,
            gives: DataType::Utf8,
            body: |args| Ok(to_iso8601(args)),
        },
        Simple {
            name: "to_unixtime",
            takes: TIME,
            gives: DataType::Float64,
            body: |args| {
                let seconds = times(&args[0]).iter().map(|ns| ns.map(|ns| ns as f64 / 1e9));
                Ok(Arc::new(seconds.collect::<Float64Array>()))
            },
        },
    ];
    all.extend(parts());
    all
}

/// The functions that take one integer of a time.
fn parts() -> Vec<Simple> {
    /// A name, and what it takes of a time.
    type Part = (&'static str, fn(&[ArrayRef]) -> Result<ArrayRef>);
    let parts: [Part; 15] = [
        ("year", |args| integers(args, |ns| i64::from(civil(ns).year()))),
        ("quarter", |args| integers(args, |ns| (i64::from(civil(ns).month()) + 2) / 3)),
        ("month", |args| integers(args, |ns| i64::from(civil(ns).month()))),
        ("week", |args| integers(args, iso_week)),
        ("week_of_year", |args| integers(args, iso_week)),
        ("day", |args| integers(args, |ns| i64::from(civil(ns).day()))),
        ("day_of_month", |args| integers(args, |ns| i64::from(civil(ns).day()))),
        ("day_of_week", |args| integers(args, day_of_week)),
        ("day_of_year", |args| integers(args, |ns| i64::from(civil(ns).day_of_year()))),
        ("hour", |args| integers(args, |ns| ns.div_euclid(3_600_000_000_000).rem_euclid(24))),
        ("minute", |args| integers(args, |ns| ns.div_euclid(60_000_000_000).rem_euclid(60))),
        ("second", |args| integers(args, |ns| ns.div_euclid(1_000_000_000).rem_euclid(60))),
        ("millisecond", |args| integers(args, |ns| ns.div_euclid(1_000_000).rem_euclid(1_000))),
        ("to_milliseconds", |args| integers(args, |ns| ns.div_euclid(1_000_000))),
        ("to_nanoseconds", |args| integers(args, |ns| ns)),
    ];
    let simple = |(name, body): Part| Simple { name, takes: TIME, gives: DataType::Int64, body };
    parts.into_iter().map(simple).collect()
}

fn times(array: &ArrayRef) -> &TimestampNanosecondArray {
    array.as_primitive::<TimestampNanosecondType>()
}

#[expect(clippy::unnecessary_wraps, reason = "it is the body of functions that may fail")]
fn integers(args: &[ArrayRef], take: fn(i64) -> i64) -> Result<ArrayRef> {
    Ok(Arc::new(times(&args[0]).iter().map(|ns| ns.map(take)).collect::<Int64Array>()))
}

fn civil(ns: i64) -> DateTime {
    // Any 64-bit count of nanoseconds lies within jiff's range.
    let instant = Timestamp::from_nanosecond(i128::from(ns)).unwrap_or(Timestamp::UNIX_EPOCH);
    Offset::UTC.to_datetime(instant)
}

fn instant(civil: DateTime) -> Result<i64> {
    let instant = Offset::UTC.to_timestamp(civil).map(Timestamp::as_nanosecond);
    instant.ok().and_then(|ns| i64::try_from(ns).ok()).ok_or_else(out_of_range)
}

fn out_of_range() -> DataFusionError {
    DataFusionError::Execution("the time is out of the range of timestamps".to_owned())
}

fn iso_week(ns: i64) -> i64 {
    i64::from(civil(ns).date().iso_week_date().week())
}

fn day_of_week(ns: i64) -> i64 {
    i64::from(civil(ns).weekday().to_monday_one_offset())
}

/// Rounds times down to multiples of an interval, counted from the epoch.
fn bin(args: &[ArrayRef]) -> Result<ArrayRef> {
    let intervals = args[1].as_primitive::<IntervalMonthDayNanoType>().iter();
    let rows = times(&args[0]).iter().zip(intervals).map(|(ns, interval)| ns.zip(interval));
    let binned = each(rows, |(ns, interval)| {
        let width = bin_width(interval)?;
        ns.checked_sub(ns.rem_euclid(width)).ok_or_else(out_of_range)
    });
    Ok(Arc::new(binned.collect::<Result<TimestampNanosecondArray>>()?))
}

fn bin_width(interval: IntervalMonthDayNano) -> Result<i64> {
    if interval.months != 0 {
        return exec_err!("bin needs an interval of fixed length, not months or years");
    }
    let days = i64::from(interval.days).checked_mul(DAY_NS);
    let width = days.and_then(|days| days.checked_add(interval.nanoseconds));
    let width = width.filter(|width| *width > 0);
    width.map_or_else(|| exec_err!("bin needs an interval that is longer than nothing"), Ok)
}

/// The day of a time.
fn date(args: &[ArrayRef]) -> Result<ArrayRef> {
    let days = each(times(&args[0]).iter(), |ns| {
        i32::try_from(ns.div_euclid(DAY_NS)).map_err(|_| out_of_range())
    });
    Ok(Arc::new(days.collect::<Result<Date32Array>>()?))
}

/// Moves times by a number of units; months keep the day where the month has it.
fn date_add(args: &[ArrayRef]) -> Result<ArrayRef> {
    let units = args[0].as_string::<i32>().iter();
    let counts = args[1].as_primitive::<Int64Type>().iter();
    let rows = units.zip(counts).zip(times(&args[2]).iter());
    let rows = rows.map(|((unit, count), ns)| unit.zip(count).zip(ns));
    let moved = each(rows, |((unit, count), ns)| match date_unit(unit)? {
        DateUnit::Fixed(width) => {
            let span = count.checked_mul(width);
            span.and_then(|span| ns.checked_add(span)).ok_or_else(out_of_range)
        }
        DateUnit::Months(months) => {
            let months = count.checked_mul(months).ok_or_else(out_of_range)?;
            let span = jiff::Span::new().try_months(months).map_err(|_| out_of_range())?;
            instant(civil(ns).checked_add(span).map_err(|_| out_of_range())?)
        }
    });
    Ok(Arc::new(moved.collect::<Result<TimestampNanosecondArray>>()?))
}

/// How many whole units lie between two times.
fn date_diff(args: &[ArrayRef]) -> Result<ArrayRef> {
    let units = args[0].as_string::<i32>().iter();
    let rows = units.zip(times(&args[1]).iter()).zip(times(&args[2]).iter());
    let rows = rows.map(|((unit, from), to)| unit.zip(from).zip(to));
    let counts = each(rows, |((unit, from), to)| {
        let count = match date_unit(unit)? {
            DateUnit::Fixed(width) => (i128::from(to) - i128::from(from)) / i128::from(width),
            DateUnit::Months(months) => {
                let span = civil(from).until((Unit::Month, civil(to)));
                i128::from(span.map_err(|_| out_of_range())?.get_months()) / i128::from(months)
            }
        };
        i64::try_from(count).map_err(|_| out_of_range())
    });
    Ok(Arc::new(counts.collect::<Result<Int64Array>>()?))
}

/// A unit of `date_add` and `date_diff`: so many nanoseconds, or so many months.
#[derive(Clone, Copy)]
enum DateUnit {
    Fixed(i64),
    Months(i64),
}

fn date_unit(name: &str) -> Result<DateUnit> {
    Ok(match name.to_lowercase().as_str() {
        "nanosecond" => DateUnit::Fixed(1),
        "microsecond" => DateUnit::Fixed(1_000),
        "millisecond" => DateUnit::Fixed(1_000_000),
        "second" => DateUnit::Fixed(1_000_000_000),
        "minute" => DateUnit::Fixed(60_000_000_000),
        "hour" => DateUnit::Fixed(3_600_000_000_000),
        "day" => DateUnit::Fixed(DAY_NS),
        "week" => DateUnit::Fixed(7 * DAY_NS),
        "month" => DateUnit::Months(1),
        "quarter" => DateUnit::Months(3),
        "year" => DateUnit::Months(12),
        _ => return exec_err!("'{name}' is no unit of time"),
    })
}

/// A date, with or without a time and an offset; without an offset it is UTC.
fn from_iso8601(args: &[ArrayRef]) -> Result<ArrayRef> {
    let parsed = each(args[0].as_string::<i32>().iter(), |text| {
        let with_offset = text.parse::<Timestamp>().ok().map(Timestamp::as_nanosecond);
        if let Some(ns) = with_offset {
            return i64::try_from(ns).map_err(|_| out_of_range());
        }
        let civil = text.parse::<DateTime>();
        civil.map_or_else(|_| exec_err!("'{text}' is no ISO 8601 timestamp"), instant)
    });
    Ok(Arc::new(parsed.collect::<Result<TimestampNanosecondArray>>()?))
}

fn to_iso8601(args: &[ArrayRef]) -> ArrayRef {
    let text = |ns: i64| {
        let mut text = String::new();
        push_timestamp(&mut text, ns);
        text.replace(' ', "T") + "Z"
    };
    Arc::new(times(&args[0]).iter().map(|ns| ns.map(text)).collect::<StringArray>())
}

fn from_unixtime(args: &[ArrayRef]) -> Result<ArrayRef> {
    let times = each(args[0].as_primitive::<Float64Type>().iter(), |seconds| {
        // A double tells milliseconds of a present time apart, and little more.
        let ms = rounded_to_i64((seconds * 1_000.0).round());
        ms.and_then(|ms| ms.checked_mul(1_000_000)).ok_or_else(out_of_range)
    });
    Ok(Arc::new(times.collect::<Result<TimestampNanosecondArray>>()?))
}

fn from_integer(args: &[ArrayRef], factor: i64) -> Result<ArrayRef> {
    let times = each(args[0].as_primitive::<Int64Type>().iter(), |count| {
        count.checked_mul(factor).ok_or_else(out_of_range)
    });
    Ok(Arc::new(times.collect::<Result<TimestampNanosecondArray>>()?))
}
