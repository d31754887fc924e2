//! Expressions as text, written as the server writes them in its messages.
//!
//! The text is also what makes two calls or names of a SELECT one and the same.

use std::fmt;

use super::ast::{Call, DataType, Expr, Wildcard};
use super::scanner::is_ident_char;
use super::token::Token;
use crate::flux::time::format_rfc3339;

const UNITS: [(i64, &str); 7] = [
    (7 * 24 * 3_600_000_000_000, "w"),
    (24 * 3_600_000_000_000, "d"),
    (3_600_000_000_000, "h"),
    (60_000_000_000, "m"),
    (1_000_000_000, "s"),
    (1_000_000, "ms"),
    (1_000, "u"),
];

/// A length of time in the largest unit that divides it.
pub(crate) fn format_duration(duration_ns: i64) -> String {
    if duration_ns == 0 {
        return "0s".to_owned();
    }
    match UNITS.iter().find(|(unit_ns, _)| duration_ns % unit_ns == 0) {
        Some((unit_ns, unit)) => format!("{}{unit}", duration_ns / unit_ns),
        None => format!("{duration_ns}ns"),
    }
}

/// A name, quoted where it could be read as something else.
pub(crate) fn quote_ident(name: &str) -> String {
    let quoted = name.is_empty() || needs_quotes(name);
    if quoted { format!("\"{}\"", escape(name, '"')) } else { escape(name, '"') }
}

/// A path of names as `too many segments` shows it: all but the last are quoted.
pub(crate) fn quote_path(segments: &[String]) -> String {
    let last = segments.len().saturating_sub(1);
    let quoted = segments.iter().enumerate().map(|(index, segment)| {
        let inner = index < last && !segment.is_empty();
        let bare_end = (index == 0 || index == last) && segment.is_empty();
        let text = escape(segment, '"');
        if needs_quotes(segment) || inner || bare_end { format!("\"{text}\"") } else { text }
    });
    quoted.collect::<Vec<_>>().join(".")
}

fn needs_quotes(name: &str) -> bool {
    let starts_well = name.chars().next().is_none_or(|first| !first.is_ascii_digit());
    Token::of_word(name) != Token::Ident || !starts_well || !name.chars().all(is_ident_char)
}

fn escape(text: &str, quote: char) -> String {
    let mut escaped = String::with_capacity(text.len());
    for read in text.chars() {
        match read {
            '\n' => escaped.push_str("\\n"),
            '\\' => escaped.push_str("\\\\"),
            other => {
                if other == quote {
                    escaped.push('\\');
                }
                escaped.push(other);
            }
        }
    }
    escaped
}

/// A float without an exponent, and with a point, so that it reads as a float again.
fn format_number(number: f64) -> String {
    let text = plain_float(number);
    if text.contains('.') || !number.is_finite() { text } else { text + ".0" }
}

/// A float without an exponent, in the server's spelling.
pub(crate) fn plain_float(number: f64) -> String {
    if number.is_nan() {
        "NaN".to_owned()
    } else if number.is_infinite() {
        if number > 0.0 { "+Inf".to_owned() } else { "-Inf".to_owned() }
    } else {
        format!("{number}")
    }
}

impl fmt::Display for Call {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let args: Vec<String> = self.args.iter().map(ToString::to_string).collect();
        write!(f, "{}({})", self.name, args.join(", "))
    }
}

impl fmt::Display for Expr {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Ref(name) => {
                f.write_str(&quote_ident(&name.name))?;
                match name.data_type {
                    DataType::Unknown => Ok(()),
                    known => write!(f, "::{known}"),
                }
            }
            Self::Call(call) => call.fmt(f),
            Self::Distinct(name) => write!(f, "DISTINCT {name}"),
            Self::Binary(binary) => {
                write!(f, "{} {} {}", binary.left, binary.op.text(), binary.right)
            }
            Self::Paren(inner) => write!(f, "({inner})"),
            Self::Wildcard(Wildcard::All) => f.write_str("*"),
            Self::Wildcard(Wildcard::Fields) => f.write_str("*::field"),
            Self::Wildcard(Wildcard::Tags) => f.write_str("*::tag"),
            Self::Regex(pattern) => write!(f, "/{}/", pattern.text().replace('/', "\\/")),
            Self::Number(number) => f.write_str(&format_number(*number)),
            Self::Integer(number) => write!(f, "{number}"),
            Self::Unsigned(number) => write!(f, "{number}"),
            Self::String(text) => write!(f, "'{}'", escape(text, '\'')),
            Self::Boolean(value) => write!(f, "{value}"),
            Self::Duration(duration_ns) => f.write_str(&format_duration(*duration_ns)),
            Self::Time(time_ns) => match i64::try_from(*time_ns) {
                Ok(time_ns) => write!(f, "'{}'", format_rfc3339(time_ns)),
                Err(_) => write!(f, "'{time_ns}'"),
            },
            Self::Nil => f.write_str("nil"),
            Self::Slot(slot) => write!(f, "val{slot}"),
        }
    }
}
