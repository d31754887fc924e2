//! `array`, `dict` and `types`: functions of collections and of the types of values.

use std::sync::Arc;

use super::{Builtin, Call, Parameter, Run, piped, required, sorted_pairs};
use crate::flux::error::FluxError;
use crate::flux::interpreter::Lambda;
use crate::flux::operators::equals;
use crate::flux::value::Value;

const ARR: &[Parameter] = &[piped("arr")];
const ARR_V: &[Parameter] = &[piped("arr"), required("v")];
const ARR_FN: &[Parameter] = &[piped("arr"), required("fn")];
const DICT_KEY: &[Parameter] = &[required("dict"), required("key")];
const DICT_KEY_DEFAULT: &[Parameter] = &[required("dict"), required("key"), required("default")];
const DICT_KEY_VALUE: &[Parameter] = &[required("dict"), required("key"), required("value")];
const V_TYPE: &[Parameter] = &[required("v"), required("type")];

const fn to(
    package: &'static str,
    name: &'static str,
    parameters: &'static [Parameter],
    run: Run,
) -> Builtin {
    Builtin { package, name, parameters, run }
}

const OLD: &str = "experimental/array";

pub(super) const BUILTINS: &[Builtin] = &[
    to("array", "concat", ARR_V, concat),
    to("array", "map", ARR_FN, map),
    to("array", "filter", ARR_FN, filter),
    to(OLD, "concat", ARR_V, concat),
    to(OLD, "map", ARR_FN, map),
    to(OLD, "filter", ARR_FN, filter),
    to(OLD, "toBool", ARR, |call| converted(call, "bool")),
    to(OLD, "toDuration", ARR, |call| converted(call, "duration")),
    to(OLD, "toFloat", ARR, |call| converted(call, "float")),
    to(OLD, "toInt", ARR, |call| converted(call, "int")),
    to(OLD, "toString", ARR, |call| converted(call, "string")),
    to(OLD, "toTime", ARR, |call| converted(call, "time")),
    to(OLD, "toUInt", ARR, |call| converted(call, "uint")),
    to("dict", "fromList", &[required("pairs")], from_list),
    to("dict", "get", DICT_KEY_DEFAULT, get),
    to("dict", "insert", DICT_KEY_VALUE, insert),
    to("dict", "remove", DICT_KEY, remove),
    to("types", "isType", V_TYPE, is_type),
    to("types", "isNumeric", &[required("v")], |call| {
        let kind = call.given("v").map_or("", Value::type_word);
        Ok(Value::Bool(matches!(kind, "int" | "uint" | "float")))
    }),
];

fn elements(call: &Call<'_>, name: &str) -> Result<Arc<Vec<Value>>, FluxError> {
    Ok(call.array(name)?.unwrap_or_default())
}

fn concat(call: &Call<'_>) -> Result<Value, FluxError> {
    let (first, second) = (elements(call, "arr")?, elements(call, "v")?);
    call.interpreter.execution.check_room((first.len() + second.len()) as u64)?;
    if let (Some(own), Some(other)) = (first.first(), second.first())
        && own.type_word() != other.type_word()
    {
        return Err(call.wrong("v", own.type_word(), other));
    }
    Ok(Value::Array(Arc::new(first.iter().chain(second.iter()).cloned().collect())))
}

fn of_element(call: &Call<'_>) -> Result<impl Fn(&Value) -> Result<Value, FluxError>, FluxError> {
    let lambda: Lambda = call.lambda_of("fn", &["x"])?;
    Ok(move |element: &Value| lambda.call(vec![(Arc::from("x"), element.clone())]))
}

fn map(call: &Call<'_>) -> Result<Value, FluxError> {
    let of_element = of_element(call)?;
    let made = elements(call, "arr")?.iter().map(of_element).collect::<Result<_, _>>()?;
    Ok(Value::Array(Arc::new(made)))
}

fn filter(call: &Call<'_>) -> Result<Value, FluxError> {
    let of_element = of_element(call)?;
    let mut kept = Vec::new();
    for element in elements(call, "arr")?.iter() {
        match of_element(element)? {
            Value::Bool(true) => kept.push(element.clone()),
            Value::Bool(false) | Value::Null(_) => {}
            other => {
                let reason = format!("expected bool but found {}", other.type_word());
                // The number is the server's own.
                let message = format!("123{reason} for return type caused by {reason}");
                return Err(call.misfit("fn", &message));
            }
        }
    }
    Ok(Value::Array(Arc::new(kept)))
}

/// Each element through one of the conversions that need no import.
fn converted(call: &Call<'_>, conversion: &str) -> Result<Value, FluxError> {
    let made = elements(call, "arr")?;
    let made = made.iter().map(|element| call.apply(conversion, [("v", element.clone())]));
    Ok(Value::Array(Arc::new(made.collect::<Result<_, _>>()?)))
}

fn pairs(call: &Call<'_>) -> Result<Arc<Vec<(Value, Value)>>, FluxError> {
    match call.required("dict")? {
        Value::Dict(pairs) => Ok(Arc::clone(pairs)),
        // An empty pair of brackets is an empty dictionary where one is wanted.
        Value::Array(values) if values.is_empty() => Ok(Arc::default()),
        other => Err(call.wrong("dict", "dictionary", other)),
    }
}

/// The argument `key`, which is of the type of the dictionary's keys.
fn key<'a>(call: &'a Call<'_>, pairs: &[(Value, Value)]) -> Result<Option<&'a Value>, FluxError> {
    let Some(key) = call.value("key") else { return Ok(None) };
    match pairs.first() {
        Some((own, _)) if own.type_word() != key.type_word() => {
            Err(call.wrong("key", own.type_word(), key))
        }
        _ => Ok(Some(key)),
    }
}

fn from_list(call: &Call<'_>) -> Result<Value, FluxError> {
    let list = elements(call, "pairs")?;
    if list.is_empty() {
        return Err(FluxError::internal("invalid key nature: invalid"));
    }
    let pairs = list.iter().map(|pair| {
        let member = |label: &str| match pair {
            Value::Record(record) => record
                .get(label)
                .cloned()
                .ok_or_else(|| call.misfit("pairs", &format!("record is missing label {label}"))),
            other => Err(call.wrong("pairs", "record", other)),
        };
        Ok((member("key")?, member("value")?))
    });
    let pairs = pairs.collect::<Result<Vec<_>, FluxError>>()?;
    Ok(Value::Dict(Arc::new(sorted_pairs(pairs))))
}

fn get(call: &Call<'_>) -> Result<Value, FluxError> {
    let pairs = pairs(call)?;
    let key = key(call, &pairs)?;
    if let (Some((_, own)), Some(default)) = (pairs.first(), call.value("default"))
        && own.type_word() != default.type_word()
    {
        return Err(call.wrong("dict", default.type_word(), own));
    }
    let found = key.and_then(|key| pairs.iter().find(|(own, _)| equals(own, key)));
    let found = found.map(|(_, value)| value).or(call.given("default"));
    Ok(found.cloned().unwrap_or(Value::Null(None)))
}

fn insert(call: &Call<'_>) -> Result<Value, FluxError> {
    let pairs = pairs(call)?;
    let Some(key) = key(call, &pairs)? else {
        return Err(FluxError::internal("null value cannot be used as a dictionary key"));
    };
    let value = call.given("value").cloned().unwrap_or(Value::Null(None));
    if let Some((_, own)) = pairs.first()
        && own.type_word() != value.type_word()
    {
        return Err(call.wrong("value", own.type_word(), &value));
    }
    let pairs = pairs.iter().cloned().chain([(key.clone(), value)]);
    Ok(Value::Dict(Arc::new(sorted_pairs(pairs.collect()))))
}

fn remove(call: &Call<'_>) -> Result<Value, FluxError> {
    let pairs = pairs(call)?;
    let Some(key) = key(call, &pairs)? else { return Ok(Value::Dict(pairs)) };
    let kept = pairs.iter().filter(|(own, _)| !equals(own, key)).cloned();
    Ok(Value::Dict(Arc::new(kept.collect())))
}

/// Only plain types have names here.
fn is_type(call: &Call<'_>) -> Result<Value, FluxError> {
    let wanted = call.string_or("type", "")?;
    let own = match call.given("v") {
        None | Some(Value::Null(None)) => "",
        Some(
            value @ (Value::Array(_)
            | Value::Dict(_)
            | Value::Record(_)
            | Value::Row(_)
            | Value::Function(_)
            | Value::Stream(_)),
        ) => {
            let found = value.type_word();
            return Err(call.misfit("v", &format!("{found} is not Basic")));
        }
        Some(value) => value.type_word(),
    };
    Ok(Value::Bool(own == &*wanted))
}
