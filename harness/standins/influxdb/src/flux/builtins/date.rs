//! `date`: the parts of an instant on a calendar, and arithmetic on that calendar.
//!
//! Every function takes a time or a duration, which counts from now. Those that read a clock take
//! the `location` whose clock it is; `window` has what a location does.

use super::location::{LOCATION, location, location_or};
use super::{Builtin, Call, Constant, Parameter, required};
use crate::flux::duration::Duration;
use crate::flux::error::FluxError;
use crate::flux::time::{Clock, Date};
use crate::flux::value::Value;
use crate::flux::window::{Location, Windows};

const T: &[Parameter] = &[required("t")];
const T_LOCATION: &[Parameter] = &[required("t"), LOCATION];

const fn part(name: &'static str, run: super::Run) -> Builtin {
    Builtin { package: "date", name, parameters: T_LOCATION, run }
}

const fn fraction(name: &'static str, run: super::Run) -> Builtin {
    Builtin { package: "date", name, parameters: T, run }
}

pub(super) const BUILTINS: &[Builtin] = &[
    fraction("nanosecond", |call| fraction_of_second(call, 1)),
    fraction("microsecond", |call| fraction_of_second(call, 1_000)),
    fraction("millisecond", |call| fraction_of_second(call, 1_000_000)),
    fraction("second", |call| Ok(Value::Int(Clock::of(timeable(call, "t")?).second))),
    part("minute", |call| Ok(Value::Int(local(call)?.minute))),
    part("hour", |call| Ok(Value::Int(local(call)?.hour))),
    part("weekDay", |call| Ok(Value::Int(local(call)?.date.week_day()))),
    part("monthDay", |call| Ok(Value::Int(local(call)?.date.day))),
    part("yearDay", |call| Ok(Value::Int(local(call)?.date.year_day()))),
    part("week", |call| Ok(Value::Int(local(call)?.date.iso_week()))),
    part("month", |call| Ok(Value::Int(local(call)?.date.month))),
    part("quarter", |call| Ok(Value::Int((local(call)?.date.month + 2) / 3))),
    part("year", |call| Ok(Value::Int(local(call)?.date.year))),
    part("time", |call| Ok(Value::Time(local_ns(call)?))),
    Builtin {
        package: "date",
        name: "truncate",
        parameters: &[required("t"), required("unit"), LOCATION],
        run: truncate,
    },
    Builtin {
        package: "date",
        name: "add",
        parameters: &[required("d"), required("to"), LOCATION],
        run: add,
    },
    Builtin {
        package: "date",
        name: "sub",
        parameters: &[required("d"), required("from"), LOCATION],
        run: subtract,
    },
    Builtin {
        package: "date",
        name: "scale",
        parameters: &[required("d"), required("n")],
        run: scale,
    },
    Builtin {
        package: "experimental",
        name: "addDuration",
        parameters: &[required("d"), required("to"), LOCATION],
        run: add,
    },
    Builtin {
        package: "experimental",
        name: "subDuration",
        parameters: &[required("d"), required("from"), LOCATION],
        run: subtract,
    },
];

const fn day(name: &'static str, value: fn() -> Value) -> Constant {
    Constant { package: "date", name, value }
}

pub(super) const CONSTANTS: &[Constant] = &[
    day("Sunday", || Value::Int(0)),
    day("Monday", || Value::Int(1)),
    day("Tuesday", || Value::Int(2)),
    day("Wednesday", || Value::Int(3)),
    day("Thursday", || Value::Int(4)),
    day("Friday", || Value::Int(5)),
    day("Saturday", || Value::Int(6)),
    day("January", || Value::Int(1)),
    day("February", || Value::Int(2)),
    day("March", || Value::Int(3)),
    day("April", || Value::Int(4)),
    day("May", || Value::Int(5)),
    day("June", || Value::Int(6)),
    day("July", || Value::Int(7)),
    day("August", || Value::Int(8)),
    day("September", || Value::Int(9)),
    day("October", || Value::Int(10)),
    day("November", || Value::Int(11)),
    day("December", || Value::Int(12)),
];

/// An instant given as a time or as a duration from now.
pub(super) fn timeable(call: &Call<'_>, name: &str) -> Result<i64, FluxError> {
    match call.given(name) {
        Some(Value::Time(time_ns)) => Ok(*time_ns),
        Some(Value::Duration(duration)) => Ok(duration.after(call.interpreter.now()?)),
        None | Some(Value::Null(None)) => Err(FluxError::internal("invalid is not Timeable")),
        // The server stumbles over this, and says so.
        Some(Value::Null(_)) => Err(FluxError::internal(
            "panic: interface conversion: interface {} is nil, not values.Time",
        )),
        Some(other) => {
            let found = other.type_word();
            Err(call.misfit(name, &format!("{found} is not Timeable")))
        }
    }
}

fn local_ns(call: &Call<'_>) -> Result<i64, FluxError> {
    let time_ns = timeable(call, "t")?;
    let location = location_or(call, |_| FluxError::new("invalid location"))?;
    Ok(location.offset.after(location.local_clock(time_ns)))
}

fn local(call: &Call<'_>) -> Result<Clock, FluxError> {
    local_ns(call).map(Clock::of)
}

fn fraction_of_second(call: &Call<'_>, unit_ns: i64) -> Result<Value, FluxError> {
    let time_ns = timeable(call, "t")?;
    Ok(Value::Int(time_ns.rem_euclid(1_000_000_000) / unit_ns))
}

fn truncate(call: &Call<'_>) -> Result<Value, FluxError> {
    let time_ns = timeable(call, "t")?;
    let unit = call.duration("unit")?.unwrap_or_default();
    let location = location(call)?;
    Ok(Value::Time(truncated(time_ns, unit, location)?))
}

/// The beginning of the unit that holds an instant.
fn truncated(time_ns: i64, unit: Duration, location: Location) -> Result<i64, FluxError> {
    let windows = Windows::new(unit, unit, Duration::default(), location)?;
    Ok(windows.latest(time_ns).start_ns)
}

fn add(call: &Call<'_>) -> Result<Value, FluxError> {
    let duration = call.duration("d")?.unwrap_or_default();
    moved(call, "to", duration)
}

fn subtract(call: &Call<'_>) -> Result<Value, FluxError> {
    let duration = call.duration("d")?.unwrap_or_default();
    moved(call, "from", duration.negated())
}

/// Moves an instant on the clock of a location, so that a day is a day where the clock changes.
fn moved(call: &Call<'_>, name: &str, duration: Duration) -> Result<Value, FluxError> {
    let time_ns = timeable(call, name)?;
    let location = location_or(call, FluxError::into_internal)?;
    let shifted = location.offset.after(time_ns);
    let moved = location.instant(duration.after(location.local_clock(shifted)));
    Ok(Value::Time(location.offset.negated().after(moved)))
}

fn scale(call: &Call<'_>) -> Result<Value, FluxError> {
    let duration = call.duration("d")?.unwrap_or_default();
    let factor = call.int("n")?.unwrap_or_default();
    Ok(Value::Duration(duration.times(factor)))
}

impl Date {
    /// From 0 for Sunday to 6 for Saturday.
    pub(super) fn week_day(self) -> i64 {
        // 1970-01-01 was a Thursday.
        (self.days() + 4).rem_euclid(7)
    }

    /// The number of the day in its year, from 1.
    fn year_day(self) -> i64 {
        self.days() - Self { month: 1, day: 1, ..self }.days() + 1
    }

    /// The number of the week that holds this day, in the year that holds the week's Thursday.
    fn iso_week(self) -> i64 {
        let from_monday = (self.week_day() + 6) % 7;
        let thursday = Self::from_days(self.days() - from_monday + 3);
        (thursday.year_day() - 1) / 7 + 1
    }
}
