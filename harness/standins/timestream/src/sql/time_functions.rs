//! Our own scalar functions: times, and the casts that differ from `DataFusion`'s.

use std::fmt::Write as _;
use std::sync::Arc;

use arrow::array::{
    Array, ArrayRef, AsArray, Date32Array, Float64Array, Int32Array, Int64Array, StringArray,
    TimestampNanosecondArray,
};
use arrow::datatypes::{
    DataType, Date32Type, Float64Type, Int64Type, IntervalMonthDayNanoType, TimestampNanosecondType,
};
use arrow::util::display::array_value_to_string;
use datafusion::common::{exec_err, plan_err};
use datafusion::error::{DataFusionError, Result};
use datafusion::logical_expr::ScalarUDF;
use jiff::civil::DateTime;
use jiff::tz::Offset;
use jiff::{Timestamp, Unit};

use super::udf::{Kind, Simple, TIMESTAMP, type_name};
use crate::value::{push_double, push_timestamp};

const DAY_NS: i64 = 86_400 * 1_000_000_000;

/// All of them, by name.
pub(super) fn all() -> Vec<(&'static str, ScalarUDF)> {
    let mut all = conversions();
    all.extend(parts());
    all.extend([
        Simple {
            name: "bin",
            takes: &[Kind::Timestamp, Kind::Interval],
            gives: TIMESTAMP,
            body: bin,
        },
        Simple {
            name: "date_add",
            takes: &[Kind::Text, Kind::BigInt, Kind::Timestamp],
            gives: TIMESTAMP,
            body: date_add,
        },
        Simple {
            name: "date_diff",
            takes: &[Kind::Text, Kind::Timestamp, Kind::Timestamp],
            gives: DataType::Int64,
            body: date_diff,
        },
        Simple { name: "date", takes: &[Kind::Timestamp], gives: DataType::Date32, body: date },
        Simple { name: "nan", takes: &[], gives: DataType::Float64, body: nan },
        Simple { name: "infinity", takes: &[], gives: DataType::Float64, body: infinity },
        Simple { name: "$varchar", takes: &[Kind::Any], gives: DataType::Utf8, body: to_varchar },
        Simple { name: "$bigint", takes: &[Kind::Any], gives: DataType::Int64, body: to_bigint },
        Simple { name: "$integer", takes: &[Kind::Any], gives: DataType::Int32, body: to_integer },
    ]);
    all.into_iter().map(Simple::into_udf).collect()
}

/// Between times and numbers or text.
fn conversions() -> Vec<Simple> {
    const BIGINT: &[Kind] = &[Kind::BigInt];
    const TIME: &[Kind] = &[Kind::Timestamp];
    vec![
        Simple {
            name: "from_iso8601_timestamp",
            takes: &[Kind::Text],
            gives: TIMESTAMP,
            body: from_iso8601,
        },
        Simple { name: "to_iso8601", takes: TIME, gives: DataType::Utf8, body: to_iso8601 },
        Simple {
            name: "from_unixtime",
            takes: &[Kind::Double],
            gives: TIMESTAMP,
            body: from_unixtime,
        },
        Simple { name: "to_unixtime", takes: TIME, gives: DataType::Float64, body: to_unixtime },
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
            name: "to_milliseconds",
            takes: TIME,
            gives: DataType::Int64,
            body: |args| Ok(from_times(args, |ns| ns.div_euclid(1_000_000))),
        },
        Simple {
            name: "to_nanoseconds",
            takes: TIME,
            gives: DataType::Int64,
            body: |args| Ok(from_times(args, |ns| ns)),
        },
    ]
}

/// The parts of a time.
fn parts() -> Vec<Simple> {
    /// A name, and what it takes of a time.
    type Part = (&'static str, fn(&[ArrayRef]) -> Result<ArrayRef>);
    let parts: [Part; 13] = [
        ("year", |args| Ok(from_times(args, |ns| i64::from(civil(ns).year())))),
        ("quarter", |args| Ok(from_times(args, |ns| (i64::from(civil(ns).month()) + 2) / 3))),
        ("month", |args| Ok(from_times(args, |ns| i64::from(civil(ns).month())))),
        ("week", |args| Ok(from_times(args, iso_week))),
        ("week_of_year", |args| Ok(from_times(args, iso_week))),
        ("day", |args| Ok(from_times(args, |ns| i64::from(civil(ns).day())))),
        ("day_of_month", |args| Ok(from_times(args, |ns| i64::from(civil(ns).day())))),
        ("day_of_week", |args| Ok(from_times(args, day_of_week))),
        ("day_of_year", |args| Ok(from_times(args, |ns| i64::from(civil(ns).day_of_year())))),
        ("hour", |args| Ok(from_times(args, |ns| ns.div_euclid(3_600_000_000_000).rem_euclid(24)))),
        ("minute", |args| Ok(from_times(args, |ns| ns.div_euclid(60_000_000_000).rem_euclid(60)))),
        ("second", |args| Ok(from_times(args, |ns| ns.div_euclid(1_000_000_000).rem_euclid(60)))),
        ("millisecond", |args| {
            Ok(from_times(args, |ns| ns.div_euclid(1_000_000).rem_euclid(1_000)))
        }),
    ];
    parts
        .into_iter()
        .map(|(name, body)| Simple {
            name,
            takes: &[Kind::Timestamp],
            gives: DataType::Int64,
            body,
        })
        .collect()
}

fn times(array: &ArrayRef) -> &TimestampNanosecondArray {
    array.as_primitive::<TimestampNanosecondType>()
}

fn from_times(args: &[ArrayRef], take: impl Fn(i64) -> i64) -> ArrayRef {
    Arc::new(times(&args[0]).iter().map(|ns| ns.map(&take)).collect::<Int64Array>())
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
    let intervals = args[1].as_primitive::<IntervalMonthDayNanoType>();
    let binned = times(&args[0]).iter().zip(intervals.iter()).map(|(ns, interval)| {
        let (Some(ns), Some(interval)) = (ns, interval) else { return Ok(None) };
        if interval.months != 0 {
            return exec_err!("bin needs an interval of fixed length, not months or years");
        }
        let days = i64::from(interval.days).checked_mul(DAY_NS);
        let width = days.and_then(|days| days.checked_add(interval.nanoseconds));
        match width.filter(|width| *width > 0) {
            Some(width) => ns.checked_sub(ns.rem_euclid(width)).ok_or_else(out_of_range).map(Some),
            None => exec_err!("bin needs an interval that is longer than nothing"),
        }
    });
    Ok(Arc::new(binned.collect::<Result<TimestampNanosecondArray>>()?))
}

/// The day of a time.
fn date(args: &[ArrayRef]) -> Result<ArrayRef> {
    let days = times(&args[0]).iter().map(|ns| {
        let days = ns.map(|ns| i32::try_from(ns.div_euclid(DAY_NS)));
        days.transpose().map_err(|_| out_of_range())
    });
    Ok(Arc::new(days.collect::<Result<Date32Array>>()?))
}

fn date_add(args: &[ArrayRef]) -> Result<ArrayRef> {
    let units = args[0].as_string::<i32>();
    let counts = args[1].as_primitive::<Int64Type>();
    let rows = units.iter().zip(counts.iter()).zip(times(&args[2]).iter());
    let added = rows.map(|((unit, count), ns)| {
        let (Some(unit), Some(count), Some(ns)) = (unit, count, ns) else { return Ok(None) };
        let unit = date_unit(unit)?;
        let Some(width) = fixed_width(unit) else {
            let months = count.checked_mul(months_in(unit)).ok_or_else(out_of_range)?;
            let span = jiff::Span::new().try_months(months).map_err(|_| out_of_range())?;
            let moved = civil(ns).checked_add(span).map_err(|_| out_of_range())?;
            return instant(moved).map(Some);
        };
        let moved = count.checked_mul(width).and_then(|span| ns.checked_add(span));
        moved.ok_or_else(out_of_range).map(Some)
    });
    Ok(Arc::new(added.collect::<Result<TimestampNanosecondArray>>()?))
}

/// How many whole units lie between two times.
fn date_diff(args: &[ArrayRef]) -> Result<ArrayRef> {
    let units = args[0].as_string::<i32>();
    let rows = units.iter().zip(times(&args[1]).iter()).zip(times(&args[2]).iter());
    let differences = rows.map(|((unit, from), to)| {
        let (Some(unit), Some(from), Some(to)) = (unit, from, to) else { return Ok(None) };
        let unit = date_unit(unit)?;
        let difference = i128::from(to) - i128::from(from);
        let count = match fixed_width(unit) {
            Some(width) => difference / i128::from(width),
            None => {
                let span = civil(from).until((Unit::Month, civil(to)));
                let months = span.map_err(|_| out_of_range())?.get_months();
                i128::from(months) / i128::from(months_in(unit))
            }
        };
        i64::try_from(count).map(Some).map_err(|_| out_of_range())
    });
    Ok(Arc::new(differences.collect::<Result<Int64Array>>()?))
}

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

fn fixed_width(unit: DateUnit) -> Option<i64> {
    match unit {
        DateUnit::Fixed(width) => Some(width),
        DateUnit::Months(_) => None,
    }
}

fn months_in(unit: DateUnit) -> i64 {
    match unit {
        DateUnit::Months(months) => months,
        DateUnit::Fixed(_) => 1,
    }
}

/// A date, with or without a time and an offset; without an offset it is UTC.
fn from_iso8601(args: &[ArrayRef]) -> Result<ArrayRef> {
    let parsed = args[0].as_string::<i32>().iter().map(|text| {
        let Some(text) = text else { return Ok(None) };
        let with_offset = text.parse::<Timestamp>().ok().map(Timestamp::as_nanosecond);
        if let Some(ns) = with_offset {
            return i64::try_from(ns).map(Some).map_err(|_| out_of_range());
        }
        match text.parse::<DateTime>() {
            Ok(civil) => instant(civil).map(Some),
            Err(_) => exec_err!("'{text}' is no ISO 8601 timestamp"),
        }
    });
    Ok(Arc::new(parsed.collect::<Result<TimestampNanosecondArray>>()?))
}

fn to_iso8601(args: &[ArrayRef]) -> Result<ArrayRef> {
    let texts = times(&args[0]).iter().map(|ns| {
        ns.map(|ns| {
            let mut text = String::new();
            push_timestamp(&mut text, ns);
            text.replace(' ', "T") + "Z"
        })
    });
    Ok(Arc::new(texts.collect::<StringArray>()))
}

fn from_unixtime(args: &[ArrayRef]) -> Result<ArrayRef> {
    let times = args[0].as_primitive::<Float64Type>().iter().map(|seconds| {
        let Some(seconds) = seconds else { return Ok(None) };
        // A double tells milliseconds of a present time apart, and little more.
        let ms = (seconds * 1_000.0).round();
        let ns = rounded_to_i64(ms).and_then(|ms| ms.checked_mul(1_000_000));
        ns.map(Some).ok_or_else(out_of_range)
    });
    Ok(Arc::new(times.collect::<Result<TimestampNanosecondArray>>()?))
}

fn to_unixtime(args: &[ArrayRef]) -> Result<ArrayRef> {
    let seconds = times(&args[0]).iter().map(|ns| ns.map(|ns| ns as f64 / 1e9));
    Ok(Arc::new(seconds.collect::<Float64Array>()))
}

fn from_integer(args: &[ArrayRef], factor: i64) -> Result<ArrayRef> {
    let times = args[0].as_primitive::<Int64Type>().iter().map(|count| {
        let Some(count) = count else { return Ok(None) };
        count.checked_mul(factor).map(Some).ok_or_else(out_of_range)
    });
    Ok(Arc::new(times.collect::<Result<TimestampNanosecondArray>>()?))
}

fn nan(_args: &[ArrayRef]) -> Result<ArrayRef> {
    Ok(Arc::new(Float64Array::from(vec![f64::NAN])))
}

fn infinity(_args: &[ArrayRef]) -> Result<ArrayRef> {
    Ok(Arc::new(Float64Array::from(vec![f64::INFINITY])))
}

/// The text of a value, the same as in a result.
fn to_varchar(args: &[ArrayRef]) -> Result<ArrayRef> {
    let array = &args[0];
    let text_at = |row: usize| -> Result<Option<String>> {
        if array.is_null(row) {
            return Ok(None);
        }
        let mut text = String::new();
        match array.data_type() {
            DataType::Float64 => {
                push_double(&mut text, array.as_primitive::<Float64Type>().value(row))
            }
            DataType::Timestamp(arrow::datatypes::TimeUnit::Nanosecond, None) => {
                push_timestamp(&mut text, times(array).value(row));
            }
            DataType::Date32 => {
                let days = i64::from(array.as_primitive::<Date32Type>().value(row));
                let date = days.checked_mul(DAY_NS).map(civil).ok_or_else(out_of_range)?.date();
                write!(text, "{date}").expect("writing to a `String` does not fail");
            }
            DataType::Boolean
            | DataType::Int32
            | DataType::Int64
            | DataType::UInt64
            | DataType::Utf8
            | DataType::Utf8View
            | DataType::Null => text = array_value_to_string(array, row)?,
            other => return plan_err!("CAST of {} to varchar is not supported", type_name(other)),
        }
        Ok(Some(text))
    };
    let texts: Result<StringArray> = (0..array.len()).map(text_at).collect();
    Ok(Arc::new(texts?))
}

/// Casts round to the nearest integer, halves away from zero.
fn to_bigint(args: &[ArrayRef]) -> Result<ArrayRef> {
    let array = &args[0];
    match array.data_type() {
        DataType::Float64 => {
            let rounded = array.as_primitive::<Float64Type>().iter().map(|value| {
                let Some(value) = value else { return Ok(None) };
                match rounded_to_i64(value.round()) {
                    Some(integer) => Ok(Some(integer)),
                    None => exec_err!("Cannot cast {value} to bigint"),
                }
            });
            Ok(Arc::new(rounded.collect::<Result<Int64Array>>()?))
        }
        DataType::Utf8 => {
            let parsed = array.as_string::<i32>().iter().map(|text| {
                let Some(text) = text else { return Ok(None) };
                match text.parse() {
                    Ok(integer) => Ok(Some(integer)),
                    Err(_) => exec_err!("Cannot cast '{text}' to bigint"),
                }
            });
            Ok(Arc::new(parsed.collect::<Result<Int64Array>>()?))
        }
        DataType::Null
        | DataType::Boolean
        | DataType::Int32
        | DataType::Int64
        | DataType::UInt64 => Ok(arrow::compute::cast(array, &DataType::Int64)?),
        other => plan_err!("CAST of {} to bigint is not supported", type_name(other)),
    }
}

fn to_integer(args: &[ArrayRef]) -> Result<ArrayRef> {
    let wide = to_bigint(args)?;
    let narrow = wide.as_primitive::<Int64Type>().iter().map(|value| {
        let Some(value) = value else { return Ok(None) };
        match i32::try_from(value) {
            Ok(integer) => Ok(Some(integer)),
            Err(_) => exec_err!("Cannot cast {value} to integer"),
        }
    });
    Ok(Arc::new(narrow.collect::<Result<Int32Array>>()?))
}

/// An integral double as an integer, where there is one.
fn rounded_to_i64(value: f64) -> Option<i64> {
    // 2^63 is a double; the largest integer below it is not.
    let fits = (-9_223_372_036_854_775_808.0..9_223_372_036_854_775_808.0).contains(&value);
    #[expect(clippy::cast_possible_truncation, reason = "the range was checked")]
    fits.then_some(value as i64)
}
