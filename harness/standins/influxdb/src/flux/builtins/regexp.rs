//! `regexp`: regular expressions made, asked and applied while a script runs.

use std::sync::Arc;

use regex::Regex;

use super::{Builtin, Call, Parameter, Run, required};
use crate::flux::error::FluxError;
use crate::flux::value::Value;

const V: &[Parameter] = &[required("v")];
const R_V: &[Parameter] = &[required("r"), required("v")];

const fn builtin(name: &'static str, parameters: &'static [Parameter], run: Run) -> Builtin {
    Builtin { package: "regexp", name, parameters, run }
}

pub(super) const BUILTINS: &[Builtin] = &[
    builtin("compile", V, compile),
    builtin("quoteMeta", V, |call| {
        let null = "cannot escape all regular expression metacharacters inside argument v of type \
                    string value <nil>";
        let text = call.string("v")?.ok_or_else(|| FluxError::new(null))?;
        Ok(Value::string(&quoted(&text)))
    }),
    builtin("getString", &[required("r")], |call| Ok(Value::string(regex(call)?.as_str()))),
    builtin("findString", R_V, |call| {
        let found = regex(call)?.find(&text(call)?).map_or(String::new(), |at| at.as_str().into());
        Ok(Value::string(&found))
    }),
    builtin("findStringIndex", R_V, |call| {
        let found = regex(call)?.find(&text(call)?).map(|at| [at.start(), at.end()]);
        let ends = found.into_iter().flatten();
        let ends = ends.map(|at| Value::Int(i64::try_from(at).unwrap_or(i64::MAX)));
        Ok(Value::Array(Arc::new(ends.collect())))
    }),
    builtin("matchRegexpString", R_V, |call| Ok(Value::Bool(regex(call)?.is_match(&text(call)?)))),
    builtin("replaceAllString", &[required("r"), required("v"), required("t")], replace),
    builtin("splitRegexp", &[required("r"), required("v"), required("i")], split),
];

/// The argument `r`.
fn regex(call: &Call<'_>) -> Result<Arc<Regex>, FluxError> {
    match call.value("r") {
        Some(Value::Regex(regex)) => Ok(Arc::clone(regex)),
        None => Err(null(call)),
        Some(other) => Err(call.wrong("r", "regexp", other)),
    }
}

/// The argument `v`.
fn text(call: &Call<'_>) -> Result<Arc<str>, FluxError> {
    call.string("v")?.ok_or_else(|| null(call))
}

fn null(call: &Call<'_>) -> FluxError {
    let show = |name: &str| {
        let value = call.given(name).unwrap_or(&Value::Null(None));
        format!("argument {name} of {}", value.type_and_value())
    };
    let (r, v) = (show("r"), show("v"));
    let arguments = match call.builtin.name {
        "replaceAllString" => format!("{r}, {v}, and {}", show("t")),
        "splitRegexp" => format!("{r}, {v}, and {}", show("i")),
        "getString" => r,
        _ => format!("{r} and {v}"),
    };
    FluxError::new(format!("cannot execute function containing {arguments}"))
}

fn compile(call: &Call<'_>) -> Result<Value, FluxError> {
    let text = call.string("v")?.ok_or_else(|| {
        let given = call.given("v").unwrap_or(&Value::Null(None)).type_and_value();
        FluxError::new(format!("cannot convert argument v of {given} to Regex"))
    })?;
    let regex = Regex::new(&text).map_err(|error| {
        let reason = reason(&error.to_string());
        FluxError::internal(format!("error parsing regexp: {reason}: `{text}`"))
    })?;
    Ok(Value::Regex(Arc::new(regex)))
}

/// The server's words for what is wrong with a pattern.
fn reason(error: &str) -> &'static str {
    const REASONS: [(&str, &str); 9] = [
        ("unclosed group", "missing closing )"),
        ("unopened group", "unexpected )"),
        ("unclosed character class", "missing closing ]"),
        ("repetition operator missing expression", "missing argument to repetition operator"),
        ("invalid character class range", "invalid character class range"),
        ("look-around", "invalid or unsupported Perl syntax"),
        ("escape", "invalid escape sequence"),
        ("size limit", "expression too large"),
        ("repetition", "invalid repeat count"),
    ];
    let known = REASONS.into_iter().find(|(own, _)| error.contains(own));
    known.map_or("invalid pattern", |(_, server)| server)
}

/// A text with a backslash before each character that a pattern gives a meaning to.
fn quoted(text: &str) -> String {
    let mut quoted = String::with_capacity(text.len());
    for letter in text.chars() {
        if r"\.+*?()|[]{}^$".contains(letter) {
            quoted.push('\\');
        }
        quoted.push(letter);
    }
    quoted
}

fn replace(call: &Call<'_>) -> Result<Value, FluxError> {
    let (regex, text) = (regex(call)?, text(call)?);
    let template = call.string("t")?.ok_or_else(|| null(call))?;
    let places = regex.find_iter(&text).count();
    let length = text.len().saturating_add(places.saturating_mul(template.len()));
    call.interpreter.execution.check_room(length as u64 / 8)?;
    Ok(Value::string(&regex.replace_all(&text, &*template)))
}

/// The pieces between matches, at most `i` of them unless that is negative.
fn split(call: &Call<'_>) -> Result<Value, FluxError> {
    let (regex, text) = (regex(call)?, text(call)?);
    let limit = call.int("i")?.ok_or_else(|| null(call))?;
    let limit = usize::try_from(limit).unwrap_or(usize::MAX);
    let mut pieces: Vec<&str> = Vec::new();
    let (mut begin, mut end) = (0, 0);
    for found in regex.find_iter(&text).take(limit) {
        if pieces.len() + 1 == limit {
            break;
        }
        end = found.start();
        // Nothing stands before an empty match at the beginning.
        if found.end() != 0 {
            pieces.push(&text[begin..end]);
        }
        begin = found.end();
    }
    if limit > 0 && (text.is_empty() || end != text.len()) {
        pieces.push(&text[begin..]);
    }
    Ok(Value::Array(Arc::new(pieces.into_iter().map(Value::string).collect())))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_quoted_matches_itself() {
        let text = r"a.b*c[é]{1}^$\";
        assert!(Regex::new(&format!("^{}$", quoted(text))).unwrap().is_match(text));
    }
}
