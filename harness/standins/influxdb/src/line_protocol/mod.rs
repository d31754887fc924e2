//! Line protocol as the server reads it: bytes in, a [`Batch`] of points out.
//!
//! [`parse`] reads a whole body and either accepts every line or tells what is wrong with each
//! bad one, so that nothing is stored from a body with a mistake in it. Points borrow from the
//! body; a line allocates only when its tags have to be put in order. The grammar is written from
//! the server's observed behaviour and shares nothing with the encoder of the clients.

mod number;
mod scan;

use std::borrow::Cow;
use std::ops::Range;

pub(crate) use scan::parse;

/// The lowest and highest times that the server stores, in nanoseconds.
pub(crate) const MIN_TIME_NS: i64 = i64::MIN + 2;
pub(crate) const MAX_TIME_NS: i64 = i64::MAX - 1;

/// The longest series key together with a field key, in bytes.
const MAX_KEY_BYTES: usize = 65_535;

/// The unit of the timestamps in a body.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Precision {
    Nanoseconds,
    Microseconds,
    Milliseconds,
    Seconds,
}

impl Precision {
    /// The precision with this name in a query string.
    pub(crate) fn from_name(name: &str) -> Option<Self> {
        match name {
            "ns" => Some(Self::Nanoseconds),
            "us" => Some(Self::Microseconds),
            "ms" => Some(Self::Milliseconds),
            "s" => Some(Self::Seconds),
            _ => None,
        }
    }

    fn unit_ns(self) -> i64 {
        match self {
            Self::Nanoseconds => 1,
            Self::Microseconds => 1_000,
            Self::Milliseconds => 1_000_000,
            Self::Seconds => 1_000_000_000,
        }
    }
}

/// The points of one body. Fields of all points stand in one list, to spare an allocation a line.
#[derive(Debug, Default)]
pub(crate) struct Batch<'a> {
    pub(crate) points: Vec<Point<'a>>,
    pub(crate) fields: Vec<Field<'a>>,
}

/// One line.
#[derive(Debug)]
pub(crate) struct Point<'a> {
    /// Measurement and tags, still escaped, the tags in order of their keys.
    pub(crate) key: Cow<'a, [u8]>,
    /// Which of the batch's fields are this point's.
    pub(crate) fields: Range<usize>,
    pub(crate) time_ns: i64,
}

/// One field of a point.
#[derive(Debug)]
pub(crate) struct Field<'a> {
    /// The key without escapes.
    pub(crate) key: Cow<'a, [u8]>,
    pub(crate) value: Value<'a>,
}

/// A field's value.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Value<'a> {
    Float(f64),
    Integer(i64),
    Unsigned(u64),
    Boolean(bool),
    /// What stands between the quotes, still escaped: see [`unescape_text`].
    Text(&'a [u8]),
}

/// What is wrong with a line, in the server's words.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub(crate) enum LineError {
    #[error("missing measurement")]
    MissingMeasurement,
    #[error("missing fields")]
    MissingFields,
    #[error("missing tag key")]
    MissingTagKey,
    #[error("missing tag value")]
    MissingTagValue,
    #[error("invalid tag format")]
    InvalidTagFormat,
    #[error("duplicate tags")]
    DuplicateTags,
    #[error("cannot use reserved tag key {0:?}")]
    ReservedTagKey(String),
    #[error("max key length exceeded: {0} > 65535")]
    KeyTooLong(usize),
    #[error("missing field key")]
    MissingFieldKey,
    #[error("missing field value")]
    MissingFieldValue,
    #[error("invalid field format")]
    InvalidFieldFormat,
    #[error("invalid value: field-key={0}")]
    InvalidValue(String),
    #[error("unbalanced quotes")]
    UnbalancedQuotes,
    #[error("invalid boolean")]
    InvalidBoolean,
    #[error("invalid number")]
    InvalidNumber,
    #[error("invalid float")]
    InvalidFloat,
    #[error("unable to parse {kind} {text}: strconv.{function}: parsing \"{text}\": {reason}")]
    Number { kind: &'static str, function: &'static str, text: String, reason: &'static str },
    #[error("bad timestamp")]
    BadTimestamp,
    #[error("strconv.ParseInt: parsing \"{text}\": {reason}")]
    Timestamp { text: String, reason: &'static str },
    #[error("time outside range -9223372036854775806 - 9223372036854775806")]
    TimeOutOfRange,
    #[error("point is invalid")]
    InvalidPoint,
}

/// Complaints beyond this many bytes are left out of an answer.
const MAX_COMPLAINT_BYTES: usize = 1 << 20;

/// The lines of a body that could not be read.
#[derive(Debug, thiserror::Error)]
#[error("{}", lines.join("\n"))]
pub(crate) struct ParseError {
    lines: Vec<String>,
    bytes: usize,
}

impl ParseError {
    fn push(&mut self, line: &[u8], error: &LineError) {
        if self.bytes < MAX_COMPLAINT_BYTES {
            let text = format!("unable to parse '{}': {error}", shown(line));
            self.bytes += text.len();
            self.lines.push(text);
        }
    }
}

/// Bytes as the server's JSON shows them: each one that is not part of a character becomes a
/// replacement character of its own.
pub(crate) fn shown(bytes: &[u8]) -> Cow<'_, str> {
    if let Ok(text) = std::str::from_utf8(bytes) {
        return Cow::Borrowed(text);
    }
    let mut text = String::with_capacity(bytes.len());
    for chunk in bytes.utf8_chunks() {
        text.push_str(chunk.valid());
        text.extend(chunk.invalid().iter().map(|_| char::REPLACEMENT_CHARACTER));
    }
    Cow::Owned(text)
}

/// What a series key says, without escapes.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct SeriesKey {
    pub(crate) measurement: Vec<u8>,
    pub(crate) tags: Vec<(Vec<u8>, Vec<u8>)>,
    /// Whether escaping the parts again gives the key as it was sent. The server stores points
    /// under any other key as well, but its queries look them up under the key made anew and never
    /// find them: `m\=x v=1` is accepted and gone.
    pub(crate) readable: bool,
}

/// Takes a series key apart.
pub(crate) fn split_key(key: &[u8]) -> SeriesKey {
    let mut parts = split_unescaped(key, b',').into_iter();
    let measurement = unescape(parts.next().unwrap_or_default(), b",\" =");
    let tags = parts.map(|tag| {
        let at = find_unescaped(tag, 0, b'=').unwrap_or(tag.len());
        let value = tag.get(at + 1..).unwrap_or_default();
        (unescape(&tag[..at], b", ="), unescape(value, b", ="))
    });
    let tags: Vec<_> = tags.collect();
    let mut again = escape(&measurement, b", ");
    for (tag, value) in &tags {
        again.push(b',');
        again.extend(escape(tag, b", ="));
        again.push(b'=');
        again.extend(escape(value, b", ="));
    }
    SeriesKey { readable: again == key, measurement, tags }
}

fn escape(text: &[u8], escapable: &[u8]) -> Vec<u8> {
    let mut escaped = Vec::with_capacity(text.len());
    for &byte in text {
        if escapable.contains(&byte) {
            escaped.push(b'\\');
        }
        escaped.push(byte);
    }
    escaped
}

/// The text that the inside of a quoted field value stands for: only `\"` and `\\` are escapes.
pub(crate) fn unescape_text(raw: &[u8]) -> Cow<'_, [u8]> {
    if memchr::memchr(b'\\', raw).is_none() {
        return Cow::Borrowed(raw);
    }
    Cow::Owned(unescape(raw, b"\"\\"))
}

/// Drops the backslash before each of `escapable`.
fn unescape(raw: &[u8], escapable: &[u8]) -> Vec<u8> {
    let mut text = Vec::with_capacity(raw.len());
    let mut at = 0;
    while at < raw.len() {
        if raw[at] == b'\\' && raw.get(at + 1).is_some_and(|next| escapable.contains(next)) {
            at += 1;
        }
        text.push(raw[at]);
        at += 1;
    }
    text
}

/// The first `wanted` at or after `from` that has no backslash just before it. The server looks
/// at one byte only: in `\\,` the comma counts as escaped.
fn find_unescaped(text: &[u8], from: usize, wanted: u8) -> Option<usize> {
    (from..text.len()).find(|&at| text[at] == wanted && (at == 0 || text[at - 1] != b'\\'))
}

fn split_unescaped(text: &[u8], separator: u8) -> Vec<&[u8]> {
    let mut parts = Vec::new();
    let mut from = 0;
    while let Some(at) = find_unescaped(text, from, separator) {
        parts.push(&text[from..at]);
        from = at + 1;
    }
    parts.push(&text[from..]);
    parts
}

#[cfg(test)]
mod tests;
