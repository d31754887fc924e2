//! Conversions between types, and small functions of plain values.

use std::sync::Arc;

use super::{Builtin, Call, piped, required};
use crate::flux::duration::Duration;
use crate::flux::error::FluxError;
use crate::flux::time::parse_rfc3339;
use crate::flux::value::Value;

const V: &[super::Parameter] = &[required("v")];

pub(super) const BUILTINS: &[Builtin] = &[
    Builtin { package: "", name: "now", parameters: &[], run: now },
    Builtin { package: "", name: "string", parameters: V, run: string },
    Builtin { package: "", name: "float", parameters: V, run: float },
    Builtin { package: "", name: "int", parameters: V, run: int },
    Builtin { package: "", name: "uint", parameters: V, run: uint },
    Builtin { package: "", name: "bool", parameters: V, run: bool },
    Builtin { package: "", name: "time", parameters: V, run: time },
    Builtin { package: "", name: "duration", parameters: V, run: duration },
    Builtin { package: "", name: "bytes", parameters: V, run: bytes },
    Builtin { package: "", name: "length", parameters: &[piped("arr")], run: length },
    Builtin {
        package: "",
        name: "contains",
        parameters: &[required("value"), required("set")],
        run: contains,
    },
];

fn now(call: &Call<'_>) -> Result<Value, FluxError> {
    Ok(Value::Time(call.interpreter.now()?))
}

/// The argument; a null becomes a null of the wanted type without further ado.
fn given<'a>(call: &'a Call<'_>) -> Option<&'a Value> {
    call.value("v")
}

fn cannot(value: &Value, target: &str) -> FluxError {
    let found = value.type_word();
    FluxError::new(format!("cannot convert {found} to {target}"))
}

fn unreadable(text: &str, target: &str) -> FluxError {
    FluxError::new(format!("cannot convert string \"{text}\" to {target} due to invalid syntax"))
}

fn no_flag(kind: &str, value: &str) -> FluxError {
    FluxError::new(format!("cannot convert {kind} {value} to bool, must be 0 or 1"))
}

fn string(call: &Call<'_>) -> Result<Value, FluxError> {
    Ok(match given(call) {
        None => Value::Null(Some(crate::flux::value::ColumnType::String)),
        Some(
            value @ (Value::Array(_)
            | Value::Record(_)
            | Value::Row(_)
            | Value::Function(_)
            | Value::Stream(_)
            | Value::Dict(_)),
        ) => {
            return Err(cannot(value, "string"));
        }
        Some(Value::Bytes(bytes)) => match std::str::from_utf8(bytes) {
            Ok(text) => Value::string(text),
            Err(_) => {
                return Err(FluxError::new("cannot convert bytes to string, they are no UTF-8"));
            }
        },
        Some(value) => Value::string(&value.to_string()),
    })
}

fn float(call: &Call<'_>) -> Result<Value, FluxError> {
    Ok(match given(call) {
        None => Value::Null(Some(crate::flux::value::ColumnType::Float)),
        Some(Value::Float(value)) => Value::Float(*value),
        Some(Value::Int(value)) => Value::Float(*value as f64),
        Some(Value::UInt(value)) => Value::Float(*value as f64),
        Some(Value::Bool(value)) => Value::Float(f64::from(u8::from(*value))),
        Some(Value::String(text)) => {
            Value::Float(text.parse().map_err(|_| unreadable(text, "float"))?)
        }
        Some(other) => return Err(cannot(other, "float")),
    })
}

fn int(call: &Call<'_>) -> Result<Value, FluxError> {
    Ok(match given(call) {
        None => Value::Null(Some(crate::flux::value::ColumnType::Int)),
        Some(Value::Int(value) | Value::Time(value)) => Value::Int(*value),
        #[expect(clippy::cast_possible_wrap, reason = "the language wraps here")]
        Some(Value::UInt(value)) => Value::Int(*value as i64),
        Some(Value::Float(value)) => Value::Int(whole(*value)),
        Some(Value::Bool(value)) => Value::Int(i64::from(*value)),
        Some(Value::Duration(value)) => Value::Int(value.ns),
        Some(Value::String(text)) => Value::Int(text.parse().map_err(|_| unreadable(text, "int"))?),
        Some(other) => return Err(cannot(other, "int")),
    })
}

/// Two to the power of 63, the first number that is no integer of 64 bits.
const INTEGERS_END: f64 = 9_223_372_036_854_775_808.0;

/// A number without its fraction. The processor that the server runs on makes the smallest integer
/// of all that are none.
fn whole(value: f64) -> i64 {
    #[expect(clippy::cast_possible_truncation, reason = "the language cuts the fraction off")]
    let whole = value as i64;
    if (-INTEGERS_END..INTEGERS_END).contains(&value) { whole } else { i64::MIN }
}

/// A number without its fraction, made as the server's processor does it: through an integer.
#[expect(clippy::cast_sign_loss, reason = "the language wraps here")]
fn whole_unsigned(value: f64) -> u64 {
    if value < INTEGERS_END {
        whole(value) as u64
    } else {
        whole(value - INTEGERS_END) as u64 | 1 << 63
    }
}

fn uint(call: &Call<'_>) -> Result<Value, FluxError> {
    Ok(match given(call) {
        None => Value::Null(Some(crate::flux::value::ColumnType::UInt)),
        Some(Value::UInt(value)) => Value::UInt(*value),
        #[expect(clippy::cast_sign_loss, reason = "the language wraps here")]
        Some(Value::Int(value) | Value::Time(value)) => Value::UInt(*value as u64),
        #[expect(clippy::cast_sign_loss, reason = "the language wraps here")]
        Some(Value::Duration(value)) => Value::UInt(value.ns as u64),
        Some(Value::Float(value)) => Value::UInt(whole_unsigned(*value)),
        Some(Value::Bool(value)) => Value::UInt(u64::from(*value)),
        Some(Value::String(text)) => {
            Value::UInt(text.parse().map_err(|_| unreadable(text, "uint"))?)
        }
        Some(other) => return Err(cannot(other, "uint")),
    })
}

fn bool(call: &Call<'_>) -> Result<Value, FluxError> {
    Ok(match given(call) {
        None => Value::Null(Some(crate::flux::value::ColumnType::Bool)),
        Some(Value::Bool(value)) => Value::Bool(*value),
        Some(Value::Int(value @ (0 | 1))) => Value::Bool(*value == 1),
        Some(Value::UInt(value @ (0 | 1))) => Value::Bool(*value == 1),
        Some(Value::Int(value)) => return Err(no_flag("int", &value.to_string())),
        Some(Value::UInt(value)) => return Err(no_flag("uint", &value.to_string())),
        Some(Value::Float(value)) => match value.to_string().as_str() {
            "0" | "-0" => Value::Bool(false),
            "1" => Value::Bool(true),
            _ => return Err(no_flag("float", &format!("{value:.6}"))),
        },
        Some(Value::String(text)) => match &**text {
            "true" => Value::Bool(true),
            "false" => Value::Bool(false),
            _ => {
                return Err(FluxError::new(format!("cannot convert string \"{text}\" to bool")));
            }
        },
        Some(other) => return Err(cannot(other, "bool")),
    })
}

fn time(call: &Call<'_>) -> Result<Value, FluxError> {
    Ok(match given(call) {
        None => Value::Null(Some(crate::flux::value::ColumnType::Time)),
        Some(Value::Time(value) | Value::Int(value)) => Value::Time(*value),
        #[expect(clippy::cast_possible_wrap, reason = "the language wraps here")]
        Some(Value::UInt(value)) => Value::Time(*value as i64),
        Some(Value::String(text)) => {
            let with_clock =
                if text.len() == 10 { format!("{text}T00:00:00Z") } else { text.to_string() };
            let target = "time due to invalid syntax: cannot parse date";
            Value::Time(parse_rfc3339(&with_clock).ok_or_else(|| {
                FluxError::new(format!("cannot convert string \"{text}\" to {target}"))
            })?)
        }
        Some(other) => return Err(cannot(other, "time")),
    })
}

fn duration(call: &Call<'_>) -> Result<Value, FluxError> {
    Ok(match given(call) {
        None => Value::Null(None),
        Some(Value::Duration(value)) => Value::Duration(*value),
        Some(Value::Int(value)) => Value::Duration(Duration::from_ns(*value)),
        #[expect(clippy::cast_possible_wrap, reason = "the language wraps here")]
        Some(Value::UInt(value)) => Value::Duration(Duration::from_ns(*value as i64)),
        Some(Value::String(text)) => {
            let (negative, digits) = match text.strip_prefix('-') {
                Some(rest) => (true, rest),
                None => (false, &**text),
            };
            let parsed = Duration::parse(digits).ok_or_else(|| unreadable(text, "duration"))?;
            Value::Duration(if negative { parsed.negated() } else { parsed })
        }
        Some(other) => return Err(cannot(other, "duration")),
    })
}

fn bytes(call: &Call<'_>) -> Result<Value, FluxError> {
    Ok(match given(call) {
        None => Value::Null(None),
        Some(value @ Value::Bytes(_)) => value.clone(),
        Some(Value::String(text)) => Value::Bytes(Arc::from(text.as_bytes())),
        Some(other) => return Err(cannot(other, "bytes")),
    })
}

fn length(call: &Call<'_>) -> Result<Value, FluxError> {
    let values = call.array("arr")?.unwrap_or_default();
    Ok(Value::Int(i64::try_from(values.len()).unwrap_or(i64::MAX)))
}

fn contains(call: &Call<'_>) -> Result<Value, FluxError> {
    let Some(wanted) = call.value("value") else { return Ok(Value::Bool(false)) };
    let set: Arc<Vec<Value>> = call.array("set")?.unwrap_or_default();
    Ok(Value::Bool(set.iter().any(|value| crate::flux::operators::equals(value, wanted))))
}
