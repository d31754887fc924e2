//! Locations: the `location` parameter and option, and the package `timezone`.

use std::sync::Arc;

use super::{Builtin, Call, Constant, Parameter, optional, required};
use crate::flux::duration::Duration;
use crate::flux::error::FluxError;
use crate::flux::value::{Record, Value};
use crate::flux::window::Location;

/// The parameter that every function with a calendar has.
pub(super) const LOCATION: Parameter = optional("location");

pub(super) const BUILTINS: &[Builtin] = &[
    Builtin { package: "timezone", name: "location", parameters: &[required("name")], run: named },
    Builtin { package: "timezone", name: "fixed", parameters: &[required("offset")], run: fixed },
];

pub(super) const CONSTANTS: &[Constant] = &[Constant {
    package: "timezone",
    name: "utc",
    value: || record("UTC", Value::Duration(Duration::default())),
}];

fn record(zone: &str, offset: Value) -> Value {
    let entries = [("zone", Value::string(zone)), ("offset", offset)];
    let record: Record = entries.map(|(key, value)| (Arc::from(key), value)).into_iter().collect();
    Value::Record(Arc::new(record))
}

fn named(call: &Call<'_>) -> Result<Value, FluxError> {
    let name = call.string_or("name", "")?;
    Location::named(&name, Duration::default())?;
    Ok(record(&name, Value::Duration(Duration::default())))
}

fn fixed(call: &Call<'_>) -> Result<Value, FluxError> {
    Ok(record("UTC", call.required("offset")?.clone()))
}

/// The location argument, else the option, else UTC.
pub(super) fn location(call: &Call<'_>) -> Result<Location, FluxError> {
    location_or(call, |error| error)
}

/// [`location`] with other words for a zone that nobody knows.
pub(super) fn location_or(
    call: &Call<'_>,
    unknown: impl Fn(FluxError) -> FluxError,
) -> Result<Location, FluxError> {
    let given = match call.record("location")? {
        Some(record) => Some(record),
        None => match call.interpreter.option("location") {
            Some(Value::Record(record)) => Some(Arc::clone(record)),
            _ => None,
        },
    };
    let Some(record) = given else { return Ok(Location::UTC) };
    let missing =
        |label: &str| call.misfit("location", &format!("record is missing label {label}"));
    let offset = match record.get("offset") {
        Some(Value::Duration(offset)) => *offset,
        Some(Value::Null(_)) => Duration::default(),
        Some(other) => return Err(call.wrong("location", "duration", other)),
        None => return Err(missing("offset")),
    };
    match record.get("zone") {
        Some(Value::String(zone)) => Location::named(zone, offset).map_err(unknown),
        Some(Value::Null(_)) => Ok(Location { zone: None, offset }),
        Some(other) => Err(call.wrong("location", "string", other)),
        None => Err(missing("zone")),
    }
}
