//! Scalars: each with its form, its parser and its pattern for editors.
//!
//! A pattern never refuses what the parser takes. It may take more where a pattern cannot count.

use std::path::PathBuf;
use std::time::Duration;

use cutover_model::scenario::Limit;
use cutover_model::{Rate, Ratio};

use crate::name;
use crate::shape::scalar;
use crate::size;
use crate::value::{self, AskedRate, Bound, LimitShape, Unit};

/// Digits with `_` between them, as a string: tools of YAML 1.2 take `10_000` for one.
macro_rules! count_schema {
    ($least:literal) => {
        serde_json::json!({
            "anyOf": [
                { "type": "integer", "minimum": $least },
                { "type": "string", "pattern": "^[0-9]+(_[0-9]+)+$" },
            ],
        })
    };
}

macro_rules! text_schema {
    ($pattern:literal) => {
        serde_json::json!({ "type": "string", "pattern": $pattern })
    };
}

/// One limit: a comparison with a value, in quotes.
macro_rules! limit {
    (
        $(#[doc = $doc:literal])+
        $name:ident, $bound:ident, $unit:ident, $what:literal, $pattern:literal
    ) => {
        scalar! {
            $(#[doc = $doc])+
            Unit $name(Limit) = |text| {
                value::limit(text, LimitShape { bound: Bound::$bound, unit: Unit::$unit })
            }, $what, (text_schema!($pattern))
        }
    };
}

scalar! {
    /// The version of the file format: 1.
    Number Version(()) = value::version, "the number 1", { "const": 1 }
}
scalar! {
    /// A name: letters, digits, `-` and `_`, from a letter on.
    Text Slug(String) = name::slug, "a name",
    { "type": "string", "pattern": "^[A-Za-z][A-Za-z0-9_-]{0,63}$" }
}
scalar! {
    /// One line of text.
    Text Line(String) = name::line, "text", { "type": "string", "minLength": 1, "maxLength": 300 }
}
scalar! {
    /// Text over several lines.
    Text Block(String) = name::block, "text", { "type": "string", "minLength": 1 }
}
scalar! {
    /// The name of a bucket: 2 to 64 letters, digits, `_`, `-` or `.`, not starting with `_`.
    Text Bucket(String) = name::bucket, "the name of a bucket",
    { "type": "string", "pattern": "^[A-Za-z0-9.-][A-Za-z0-9_.-]{1,63}$" }
}
scalar! {
    /// The name of a measurement: letters, digits, `_`, `-` or `.`, not starting with `_`.
    Text Measurement(String) = name::measurement, "the name of a measurement",
    { "type": "string", "pattern": "^[A-Za-z0-9.-][A-Za-z0-9_.-]{0,255}$" }
}
scalar! {
    /// The key of a tag or a field. `time` and what starts with `_` are reserved.
    Text SeriesKey(String) = name::series_key, "the key of a tag or a field",
    { "type": "string", "pattern": "^[^_0-9.-].{0,59}$", "not": { "const": "time" } }
}
scalar! {
    /// The name of a column of the data file.
    Text Column(String) = name::line, "the name of a column", { "type": "string", "minLength": 1 }
}
scalar! {
    /// A path from the folder of this file.
    Text FilePath(PathBuf) = name::path, "a path", { "type": "string", "minLength": 1 }
}
scalar! {
    /// The path of a query file without `.yaml`, such as `queries/consumption_peak`.
    Text QueryName(String) = name::query_name, "the path of a query",
    { "type": "string", "pattern": "^[A-Za-z][A-Za-z0-9_-]*(/[A-Za-z][A-Za-z0-9_-]*)*$" }
}
scalar! {
    /// The character between two cells, in quotes.
    Text Delimiter(u8) = name::delimiter, "a character in quotes",
    { "type": "string", "minLength": 1, "maxLength": 2 }
}
scalar! {
    /// How the instant is written, in `strftime` notation: `"%Y-%m-%d %H:%M:%S"`.
    Text TimeFormat(String) = name::time_format, "a time format",
    { "type": "string", "minLength": 2 }
}
scalar! {
    /// The IANA name of a time zone: `America/Sao_Paulo`, `UTC`.
    Text Zone(String) = value::zone, "the name of a time zone", { "type": "string", "minLength": 1 }
}
scalar! {
    /// A value that stands for `${name}` in a query, without quotes and backslashes.
    Text ParameterValue(String) = name::parameter_value, "text",
    { "type": "string", "minLength": 1, "maxLength": 200 }
}
scalar! {
    /// A whole number from 0 on.
    Number Count(u64) = value::whole, "a whole number", (count_schema!(0))
}
scalar! {
    /// A whole number from 1 on.
    Number PositiveCount(u64) = |text| value::whole_within(text, 1, u64::MAX),
    "a whole number from 1 on", (count_schema!(1))
}
scalar! {
    /// A whole number from 1 to 1,000,000.
    Number Size(u32) = |text| {
        // At most a million, which fits.
        value::whole_within(text, 1, 1_000_000).map(|size| u32::try_from(size).unwrap_or(u32::MAX))
    },
    "a whole number from 1 on", (count_schema!(1))
}
scalar! {
    /// A number of threads, from 1 to 64.
    Number Threads(u32) = |text| {
        value::whole_within(text, 1, 64).map(|threads| u32::try_from(threads).unwrap_or(64))
    },
    "a number of threads", { "type": "integer", "minimum": 1, "maximum": 64 }
}
scalar! {
    /// A level of gzip, from 0 (stored) to 9 (smallest).
    Number GzipLevel(u32) = |text| {
        value::whole_within(text, 0, 9).map(|level| u32::try_from(level).unwrap_or(9))
    },
    "a level of gzip", { "type": "integer", "minimum": 0, "maximum": 9 }
}
scalar! {
    /// A number of decimals, from 0 to 9.
    Number Decimals(u8) = |text| {
        value::whole_within(text, 0, 9).map(|decimals| u8::try_from(decimals).unwrap_or(9))
    },
    "a number of decimals", { "type": "integer", "minimum": 0, "maximum": 9 }
}
scalar! {
    /// A number of letters, from 1 to 10,000.
    Number TextLength(u16) = |text| {
        value::whole_within(text, 1, 10_000).map(|length| u16::try_from(length).unwrap_or(10_000))
    },
    "a number of letters", { "type": "integer", "minimum": 1, "maximum": 10_000 }
}
scalar! {
    /// A status of HTTP from 400 to 599.
    Number Status(u16) = |text| {
        value::whole_within(text, 400, 599).map(|status| u16::try_from(status).unwrap_or(599))
    },
    "an HTTP status", { "type": "integer", "minimum": 400, "maximum": 599 }
}
scalar! {
    /// A number above zero.
    Number Positive(f64) = value::positive, "a number", {
        "anyOf": [
            { "type": "number", "exclusiveMinimum": 0 },
            { "type": "string", "pattern": "^[0-9]+(_[0-9]+)+(\\.[0-9]+)?$" },
        ],
    }
}
scalar! {
    /// A share with its sign: `8%`, `99.9%`.
    Unit Percent(Ratio) = value::percentage, "a percentage",
    (text_schema!("^[0-9][0-9_]*(\\.[0-9_]+)?\\s*%$"))
}
scalar! {
    /// A share above zero with its sign: `8%`.
    Unit PositivePercent(Ratio) = value::positive_percentage, "a percentage",
    (text_schema!("^[0-9][0-9_]*(\\.[0-9_]+)?\\s*%$"))
}
scalar! {
    /// A duration with its unit: `5s`, `2m30s`, `1ms`.
    Unit Length(Duration) = value::duration, "a duration",
    (text_schema!("^([0-9][0-9_]*(\\.[0-9_]+)?(ns|us|µs|ms|s|m|h|d))+$"))
}
scalar! {
    /// A duration above zero with its unit: `5s`, `2m30s`, `1ms`.
    Unit PositiveLength(Duration) = value::positive_duration, "a duration",
    (text_schema!("^([0-9][0-9_]*(\\.[0-9_]+)?(ns|us|µs|ms|s|m|h|d))+$"))
}
scalar! {
    /// How long a bucket keeps its data, with its unit: `2555d`.
    Unit RetentionTime(Duration) = value::retention, "a duration",
    (text_schema!("^([0-9][0-9_]*(\\.[0-9_]+)?(ns|us|µs|ms|s|m|h|d))+$"))
}
scalar! {
    /// Memory with its unit: `4GiB`, `512MiB`.
    Unit Memory(u64) = size::memory, "a size", (text_schema!("^[0-9][0-9_]*\\s*(MiB|GiB)$"))
}
scalar! {
    /// Processors, in thousandths: `2`, `0.5`.
    Number Cpus(u32) = size::cpus, "a number of processors",
    { "type": "number", "minimum": 0.01, "maximum": 1024 }
}
scalar! {
    /// Something per second: `20/s`.
    Unit PerSecond(Rate) = value::rate, "a rate",
    (text_schema!("^[0-9][0-9_]*(\\.[0-9_]+)?\\s*/s$"))
}
scalar! {
    /// Something per second, or nothing: `20/s`, `0/s`, for writers `10_000 points/s`.
    Unit ArrivalRate(AskedRate) = value::arrival_rate, "a rate",
    (text_schema!("^[0-9][0-9_]*(\\.[0-9_]+)?\\s*(points)?/s$"))
}
scalar! {
    /// Periods of the trigger: `3 periods`.
    Unit Periods(u32) = value::periods, "a number of periods",
    (text_schema!("^[0-9]+\\s*periods?$"))
}
limit! {
    /// An upper limit on a time: `"< 5s"`.
    TimeLimit, Upper, Time, "a limit such as `\"< 5s\"`", "^<=?\\s*[0-9].*[a-z]$"
}
limit! {
    /// An upper limit on a time, `"< 5s"`, or, where two are divided, on the quotient: `"<= 1.20"`.
    TimeOrFactorLimit, Upper, TimeOrFactor, "a limit such as `\"< 5s\"`", "^<=?\\s*[0-9]"
}
limit! {
    /// An upper limit on a share: `"< 1%"`.
    ShareLimit, Upper, Percentage, "a limit such as `\"< 1%\"`", "^<=?\\s*[0-9].*%$"
}
limit! {
    /// A lower limit on a share: `">= 99.9%"`.
    LeastShare, Lower, Percentage, "a limit such as `\">= 99.9%\"`", "^>=?\\s*[0-9].*%$"
}
limit! {
    /// A lower limit on a rate: `"> 5_000/s"`.
    LeastRate, Lower, PerSecond, "a limit such as `\"> 5_000/s\"`", "^>=?\\s*[0-9].*/s$"
}
limit! {
    /// A share above which a trigger fires: `"> 5%"`.
    ShareBreach, Lower, Percentage, "a limit such as `\"> 5%\"`", "^>=?\\s*[0-9].*%$"
}
limit! {
    /// A share below which a trigger fires: `"< 95%"`.
    SuccessBreach, Upper, Percentage, "a limit such as `\"< 95%\"`", "^<=?\\s*[0-9].*%$"
}
limit! {
    /// A time above which a trigger fires: `"> 10s"`.
    TimeBreach, Lower, Time, "a limit such as `\"> 10s\"`", "^>=?\\s*[0-9].*[a-z]$"
}
limit! {
    /// A count above which a trigger fires: `"> 10"`.
    CountBreach, Lower, Count, "a limit such as `\"> 10\"`", "^>=?\\s*[0-9_]+$"
}
