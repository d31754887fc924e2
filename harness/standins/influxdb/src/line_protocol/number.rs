//! Numbers, booleans and timestamps of line protocol.
//!
//! Each function takes the value's text to its end, as [`scan`](super::scan) found it, and gives
//! the value or the server's complaint.

use super::{LineError, MAX_TIME_NS, MIN_TIME_NS, Precision, Value, shown};

/// What the characters of a number show before it is read.
#[derive(Default)]
struct Shape {
    suffix: Option<u8>,
    decimal: bool,
    scientific: bool,
}

/// Reads a float, or an integer with the suffix `i` or `u`.
pub(super) fn number(text: &[u8]) -> Result<Value<'_>, LineError> {
    let shape = shape(text)?;
    let negative = text.first() == Some(&b'-');
    let signs = usize::from(shape.suffix == Some(b'i'))
        + usize::from(shape.decimal)
        + usize::from(negative);
    if text.len() == signs {
        return Err(LineError::InvalidNumber);
    }
    let Some(suffix) = shape.suffix else {
        return float(text);
    };
    if shape.decimal || shape.scientific || text.last() != Some(&suffix) {
        return Err(LineError::InvalidNumber);
    }
    let digits = &text[..text.len() - 1];
    if suffix == b'i' {
        return integer(digits);
    }
    if negative || digits.is_empty() {
        return Err(LineError::InvalidNumber);
    }
    unsigned(digits)
}

fn shape(text: &[u8]) -> Result<Shape, LineError> {
    let mut shape = Shape::default();
    let start = usize::from(text.first() == Some(&b'-'));
    if text.len() == start {
        return Err(LineError::InvalidNumber);
    }
    for (at, &byte) in text.iter().enumerate().skip(start) {
        match byte {
            b'0'..=b'9' => {}
            b'i' | b'u' if at > 0 && shape.suffix.is_none() => shape.suffix = Some(byte),
            b'.' if !shape.decimal => shape.decimal = true,
            b'e' | b'E' if at > 0 => shape.scientific = true,
            b'+' | b'-' if at > 0 && matches!(text[at - 1], b'e' | b'E') => {}
            _ => return Err(LineError::InvalidNumber),
        }
    }
    Ok(shape)
}

fn float(text: &[u8]) -> Result<Value<'static>, LineError> {
    let parsed = std::str::from_utf8(text).ok().and_then(|text| text.parse::<f64>().ok());
    match parsed {
        Some(value) if value.is_finite() => Ok(Value::Float(value)),
        _ => Err(LineError::InvalidFloat),
    }
}

fn integer(digits: &[u8]) -> Result<Value<'static>, LineError> {
    signed(digits).map(Value::Integer).ok_or_else(|| LineError::Number {
        kind: "integer",
        function: "ParseInt",
        text: shown(digits).into_owned(),
        reason: reason(digits),
    })
}

fn unsigned(digits: &[u8]) -> Result<Value<'static>, LineError> {
    let value = digits.iter().try_fold(0_u64, |value, &digit| {
        value.checked_mul(10)?.checked_add(u64::from(digit.wrapping_sub(b'0')))
    });
    value.map(Value::Unsigned).ok_or_else(|| LineError::Number {
        kind: "unsigned",
        function: "ParseUint",
        text: shown(digits).into_owned(),
        reason: reason(digits),
    })
}

/// The integer that optional sign and digits stand for; `None` when it is out of range or empty.
fn signed(text: &[u8]) -> Option<i64> {
    let (negative, digits) = match text {
        [b'-', digits @ ..] => (true, digits),
        digits => (false, digits),
    };
    if digits.is_empty() {
        return None;
    }
    // Built downwards, since the lowest integer has no positive counterpart.
    let value = digits.iter().try_fold(0_i64, |value, &digit| {
        value.checked_mul(10)?.checked_sub(i64::from(digit.wrapping_sub(b'0')))
    })?;
    if negative { Some(value) } else { value.checked_neg() }
}

fn reason(text: &[u8]) -> &'static str {
    let digits = text.strip_prefix(b"-").unwrap_or(text);
    if digits.is_empty() { "invalid syntax" } else { "value out of range" }
}

/// Reads a boolean in one of the spellings `t`, `T`, `true`, `True`, `TRUE` or their opposites.
pub(super) fn boolean(text: &[u8]) -> Result<Value<'static>, LineError> {
    match text {
        b"t" | b"T" | b"true" | b"True" | b"TRUE" => Ok(Value::Boolean(true)),
        b"f" | b"F" | b"false" | b"False" | b"FALSE" => Ok(Value::Boolean(false)),
        _ => Err(LineError::InvalidBoolean),
    }
}

/// Reads a timestamp that is known to consist of an optional minus and digits.
pub(super) fn timestamp(text: &[u8], precision: Precision) -> Result<i64, LineError> {
    let value = signed(text).ok_or_else(|| LineError::Timestamp {
        text: shown(text).into_owned(),
        reason: reason(text),
    })?;
    value
        .checked_mul(precision.unit_ns())
        .filter(|time_ns| (MIN_TIME_NS..=MAX_TIME_NS).contains(time_ns))
        .ok_or(LineError::TimeOutOfRange)
}
