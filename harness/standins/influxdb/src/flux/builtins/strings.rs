//! `strings`: functions of text.
//!
//! Positions and lengths are in bytes where the server counts bytes and in characters where it
//! counts characters. Letters change case one by one, as the server's tables have it.

mod case;
mod pieces;

use std::sync::Arc;

use super::{Builtin, Call, Parameter, Run, required};
use crate::flux::error::FluxError;
use crate::flux::value::Value;

const V: &[Parameter] = &[required("v")];
const V_CUTSET: &[Parameter] = &[required("v"), required("cutset")];
const V_PREFIX: &[Parameter] = &[required("v"), required("prefix")];
const V_SUFFIX: &[Parameter] = &[required("v"), required("suffix")];
const V_SUBSTR: &[Parameter] = &[required("v"), required("substr")];
const V_CHARS: &[Parameter] = &[required("v"), required("chars")];
const V_T: &[Parameter] = &[required("v"), required("t")];
const V_T_I: &[Parameter] = &[required("v"), required("t"), required("i")];

const fn builtin(name: &'static str, parameters: &'static [Parameter], run: Run) -> Builtin {
    Builtin { package: "strings", name, parameters, run }
}

pub(super) const BUILTINS: &[Builtin] = &[
    builtin("title", V, |call| one(call, case::title)),
    builtin("toUpper", V, |call| one(call, |v| v.chars().map(case::upper).collect())),
    builtin("toLower", V, |call| one(call, |v| v.chars().map(case::lower).collect())),
    builtin("toTitle", V, |call| one(call, |v| v.chars().map(case::titled).collect())),
    builtin("trimSpace", V, |call| one(call, |v| v.trim().to_owned())),
    builtin("trim", V_CUTSET, |call| cut(call, |v, set| v.trim_matches(|c| set.contains(c)))),
    builtin("trimLeft", V_CUTSET, |call| {
        cut(call, |v, set| v.trim_start_matches(|c| set.contains(c)))
    }),
    builtin("trimRight", V_CUTSET, |call| {
        cut(call, |v, set| v.trim_end_matches(|c| set.contains(c)))
    }),
    builtin("trimPrefix", V_PREFIX, |call| cut(call, |v, cut| v.strip_prefix(cut).unwrap_or(v))),
    builtin("trimSuffix", V_SUFFIX, |call| cut(call, |v, cut| v.strip_suffix(cut).unwrap_or(v))),
    builtin("hasPrefix", V_PREFIX, |call| test(call, |v, prefix| v.starts_with(prefix))),
    builtin("hasSuffix", V_SUFFIX, |call| test(call, |v, suffix| v.ends_with(suffix))),
    builtin("containsStr", V_SUBSTR, |call| test(call, |v, part| v.contains(part))),
    builtin("containsAny", V_CHARS, |call| test(call, |v, set| v.contains(|c| set.contains(c)))),
    builtin("equalFold", V_T, |call| test(call, case::equal_fold)),
    builtin("compare", V_T, |call| {
        let [v, t] = two(call)?;
        Ok(Value::Int(v.cmp(&t) as i64))
    }),
    builtin("countStr", V_SUBSTR, |call| position(call, |v, part| Some(v.matches(part).count()))),
    builtin("index", V_SUBSTR, |call| position(call, |v, part| v.find(part))),
    builtin("lastIndex", V_SUBSTR, |call| position(call, |v, part| v.rfind(part))),
    builtin("indexAny", V_CHARS, |call| position(call, |v, set| v.find(|c| set.contains(c)))),
    builtin("lastIndexAny", V_CHARS, |call| position(call, |v, set| v.rfind(|c| set.contains(c)))),
    builtin("isDigit", V, |call| is(call, |c| c.is_ascii_digit())),
    builtin("isLetter", V, |call| is(call, |c| c.is_ascii_alphabetic())),
    builtin("isLower", V, |call| is(call, |c| c.is_ascii_lowercase())),
    builtin("isUpper", V, |call| is(call, |c| c.is_ascii_uppercase())),
    builtin("repeat", &[required("v"), required("i")], repeat),
    builtin("replace", &[required("v"), required("t"), required("u"), required("i")], |call| {
        replace(call, number(call, "i")?)
    }),
    builtin("replaceAll", &[required("v"), required("t"), required("u")], |call| replace(call, -1)),
    builtin("split", V_T, |call| pieces(call, -1, pieces::split)),
    builtin("splitAfter", V_T, |call| pieces(call, -1, pieces::split_after)),
    builtin("splitN", V_T_I, |call| pieces(call, number(call, "i")?, pieces::split)),
    builtin("splitAfterN", V_T_I, |call| pieces(call, number(call, "i")?, pieces::split_after)),
    builtin("joinStr", &[required("arr"), required("v")], join),
    builtin("strlen", V, |call| {
        let text = single(call, |_| "procedure cannot be executed")?;
        Ok(count(text.chars().count()))
    }),
    builtin("substring", &[required("v"), required("start"), required("end")], substring),
];

fn count(number: usize) -> Value {
    Value::Int(i64::try_from(number).unwrap_or(i64::MAX))
}

/// The argument `v`, with what the server says to a null.
fn single<S: Into<String>>(
    call: &Call<'_>,
    null: impl Fn(&Value) -> S,
) -> Result<Arc<str>, FluxError> {
    let given = call.given("v").unwrap_or(&Value::Null(None));
    call.string("v")?.ok_or_else(|| FluxError::internal(null(given)))
}

fn one(call: &Call<'_>, work: impl Fn(&str) -> String) -> Result<Value, FluxError> {
    let text = single(call, |null| {
        format!("cannot convert argument of {} to upper case", null.type_and_value())
    })?;
    Ok(Value::string(&work(&text)))
}

/// An argument among several.
fn text(call: &Call<'_>, name: &str) -> Result<Arc<str>, FluxError> {
    call.string(name)?.ok_or_else(|| null_argument(call, name, "string"))
}

fn number(call: &Call<'_>, name: &str) -> Result<i64, FluxError> {
    call.int(name)?.ok_or_else(|| null_argument(call, name, "int"))
}

fn null_argument(call: &Call<'_>, name: &str, kind: &str) -> FluxError {
    let found = call.given(name).unwrap_or(&Value::Null(None)).type_and_value();
    FluxError::internal(format!("expected argument \"{name}\" to be of type {kind}, got {found}"))
}

/// The first two parameters' arguments.
fn two(call: &Call<'_>) -> Result<[Arc<str>; 2], FluxError> {
    let second = ["cutset", "prefix", "suffix", "substr", "chars", "t"];
    let second = second.into_iter().find(|name| call.given(name).is_some());
    Ok([text(call, "v")?, text(call, second.unwrap_or("t"))?])
}

fn cut(
    call: &Call<'_>,
    work: impl for<'t> Fn(&'t str, &str) -> &'t str,
) -> Result<Value, FluxError> {
    let [v, other] = two(call)?;
    Ok(Value::string(work(&v, &other)))
}

fn test(call: &Call<'_>, work: impl Fn(&str, &str) -> bool) -> Result<Value, FluxError> {
    let [v, other] = two(call)?;
    Ok(Value::Bool(work(&v, &other)))
}

/// A place or a number; -1 for none.
fn position(
    call: &Call<'_>,
    work: impl Fn(&str, &str) -> Option<usize>,
) -> Result<Value, FluxError> {
    let [v, other] = two(call)?;
    Ok(work(&v, &other).map_or(Value::Int(-1), count))
}

fn is(call: &Call<'_>, test: impl Fn(char) -> bool) -> Result<Value, FluxError> {
    let v = single(call, |_| "procedure cannot be executed")?;
    // One byte of text is one character of ASCII.
    if v.len() != 1 {
        return Err(FluxError::internal(
            "\"v\" is not a valid argument: argument length is not equal to 1",
        ));
    }
    Ok(Value::Bool(v.chars().all(test)))
}

/// Refuses to make a text that does not fit into what a query may use, counted in cells.
fn check_length(call: &Call<'_>, bytes: usize) -> Result<(), FluxError> {
    call.interpreter.execution.check_room(bytes as u64 / 8)
}

fn repeat(call: &Call<'_>) -> Result<Value, FluxError> {
    let (v, times) = (text(call, "v")?, number(call, "i")?);
    let Ok(times) = usize::try_from(times) else {
        return Err(FluxError::internal("panic: strings: negative Repeat count"));
    };
    check_length(call, v.len().saturating_mul(times))?;
    Ok(Value::string(&v.repeat(times)))
}

/// Replaces the first `limit` places, all when that is negative.
fn replace(call: &Call<'_>, limit: i64) -> Result<Value, FluxError> {
    let (v, t, u) = (text(call, "v")?, text(call, "t")?, text(call, "u")?);
    let limit = usize::try_from(limit).unwrap_or(usize::MAX);
    let places = v.matches(&*t).count().min(limit);
    check_length(call, v.len().saturating_add(u.len().saturating_mul(places)))?;
    Ok(Value::string(&v.replacen(&*t, &u, limit)))
}

fn pieces(
    call: &Call<'_>,
    limit: i64,
    split: for<'t> fn(&'t str, &str, usize) -> Vec<&'t str>,
) -> Result<Value, FluxError> {
    let (v, t) = (text(call, "v")?, text(call, "t")?);
    let limit = usize::try_from(limit).unwrap_or(usize::MAX);
    let pieces = split(&v, &t, limit).into_iter().map(Value::string);
    Ok(Value::Array(Arc::new(pieces.collect())))
}

fn join(call: &Call<'_>) -> Result<Value, FluxError> {
    let parts = call.array("arr")?.unwrap_or_default();
    let parts = parts.iter().map(|part| match part {
        Value::String(part) => Ok(Arc::clone(part)),
        Value::Null(_) => Err(FluxError::internal(
            "expected elements of argument \"arr\" to be of type string, got type string value \
             <nil>",
        )),
        other => Err(call.wrong("arr", "string", other)),
    });
    let parts: Vec<Arc<str>> = parts.collect::<Result<_, _>>()?;
    let separator = text(call, "v")?;
    let length = parts.iter().map(|part| part.len() + separator.len()).sum();
    check_length(call, length)?;
    Ok(Value::string(&parts.join(&*separator)))
}

fn substring(call: &Call<'_>) -> Result<Value, FluxError> {
    let v = single(call, |null| match null {
        Value::Null(Some(_)) => "panic: interface conversion: interface {} is nil, not string",
        _ => "keyword argument \"v\" should be of kind string, but got invalid",
    })?;
    let (start, end) = (number(call, "start")?, number(call, "end")?);
    let start = usize::try_from(start).unwrap_or(0);
    let length = usize::try_from(end).unwrap_or(0).saturating_sub(start);
    Ok(Value::string(&v.chars().skip(start).take(length).collect::<String>()))
}
