//! Rows as line protocol.
//!
//! The main function is [`encode`]. It writes what the server reads back as the same row, and
//! refuses by name what line protocol cannot say: nothing is changed silently. The rules are the
//! server's, which escapes by looking at single characters and not at pairs, so that some texts
//! with backslashes have no spelling at all.
//!
//! The stand-in's parser shares no code with this on purpose.

use cutover_model::{FieldValue, Row};

use super::write::Precision;

/// The longest series key with one field key that the server takes, in bytes as escaped.
const KEY_CAP: usize = 65_535;
/// What the server puts between series key and field key when it measures them.
const KEY_SEPARATOR: usize = 4;
/// The longest string field that the server takes.
const TEXT_CAP: usize = 1024 * 1024;
/// The first and last instant that the server takes; the three outermost are its own.
pub(super) const TIMES: std::ops::RangeInclusive<i64> = i64::MIN + 2..=i64::MAX - 1;

/// A row that line protocol cannot express.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{part} `{text}` {refusal}")]
pub struct LineError {
    /// The part of the row.
    pub part: Part,
    /// The part's text, shortened.
    pub text: String,
    /// Why it cannot be expressed.
    pub refusal: Refusal,
}

/// A part of a row.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Part {
    /// The measurement's name.
    #[error("measurement")]
    Measurement,
    /// The key of a tag.
    #[error("tag key")]
    TagKey,
    /// The value of a tag.
    #[error("tag value")]
    TagValue,
    /// The key of a field.
    #[error("field key")]
    FieldKey,
    /// The value of a field; the text is the field's key.
    #[error("field")]
    Field,
    /// The time.
    #[error("time")]
    Time,
}

/// Why a part of a row cannot be expressed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// It has no characters.
    #[error("is empty")]
    Empty,
    /// The server keeps this name for itself: `time`, or one that begins with `_`.
    #[error("is a name that the server keeps for itself")]
    Reserved,
    /// It contains a line break, which would end the line.
    #[error("contains a line break")]
    LineBreak,
    /// It ends in a backslash, which would escape the separator after it.
    #[error("ends in a backslash")]
    TrailingBackslash,
    /// It has a backslash before a special character, where the server's readers disagree.
    #[error("has a backslash before a comma, a space, a quote or an equals sign")]
    InnerBackslash,
    /// Its first character would be skipped, or make the line a comment.
    #[error("begins with a character that the server skips")]
    FirstCharacter,
    /// There is no field with a value.
    #[error("has no field")]
    NoField,
    /// It is NaN or infinite, and the server would refuse the whole body for it.
    #[error("is not a finite number")]
    NotFinite,
    /// It is longer than the 1 MiB that the server stores.
    #[error("is longer than 1 MiB")]
    TextTooLong,
    /// Series key and field key together are longer than 65,535 bytes.
    #[error("makes the series key longer than 65535 bytes")]
    KeyTooLong,
    /// The instant is outside what the server takes.
    #[error("is outside the range of the server's times")]
    TimeOutOfRange,
    /// The instant is no whole number of units of the precision.
    #[error("is not a whole number of units of the precision")]
    TimeNotWhole,
}

/// Appends one row of `measurement` to `out`, with its line break. After an error `out` is as it
/// was.
pub fn encode(
    out: &mut Vec<u8>,
    measurement: &str,
    row: &Row,
    precision: Precision,
) -> Result<(), LineError> {
    let start = out.len();
    encode_row(out, measurement, row, precision).inspect_err(|_| out.truncate(start))
}

fn encode_row(
    out: &mut Vec<u8>,
    measurement: &str,
    row: &Row,
    precision: Precision,
) -> Result<(), LineError> {
    let start = out.len();
    let Row { time_ns, tags, fields } = row;
    push_name(out, Part::Measurement, measurement)?;
    for (key, value) in tags {
        out.push(b',');
        push_name(out, Part::TagKey, key)?;
        out.push(b'=');
        push_name(out, Part::TagValue, value)?;
    }
    let series_len = out.len() - start;
    if fields.is_empty() {
        return Err(refuse(Part::Measurement, measurement, Refusal::NoField));
    }
    let mut separator = b' ';
    for (key, value) in fields {
        out.push(separator);
        separator = b',';
        let key_start = out.len();
        push_name(out, Part::FieldKey, key)?;
        if series_len + KEY_SEPARATOR + out.len() - key_start > KEY_CAP {
            return Err(refuse(Part::FieldKey, key, Refusal::KeyTooLong));
        }
        out.push(b'=');
        push_value(out, value).map_err(|refusal| refuse(Part::Field, key, refusal))?;
    }
    out.push(b' ');
    push_time(out, *time_ns, precision)
        .map_err(|refusal| refuse(Part::Time, &time_ns.to_string(), refusal))?;
    out.push(b'\n');
    Ok(())
}

/// Appends a name or tag value, escaped.
fn push_name(out: &mut Vec<u8>, part: Part, text: &str) -> Result<(), LineError> {
    check_name(part, text).map_err(|refusal| refuse(part, text, refusal))?;
    let bytes = text.as_bytes();
    if !bytes.iter().any(|byte| is_special(*byte)) {
        out.extend_from_slice(bytes);
        return Ok(());
    }
    // Backslashes directly before the present character.
    let mut backslashes = 0;
    for byte in bytes {
        if *byte == b'\\' {
            backslashes += 1;
        } else {
            if is_special(*byte) && is_ambiguous(part, backslashes, *byte) {
                return Err(refuse(part, text, Refusal::InnerBackslash));
            }
            if needs_escape(part, *byte) {
                out.push(b'\\');
            }
            backslashes = 0;
        }
        out.push(*byte);
    }
    Ok(())
}

/// Whether this byte is escaped in one part or another.
fn is_special(byte: u8) -> bool {
    matches!(byte, b',' | b' ' | b'=' | b'"')
}

/// Whether the server's readers disagree about `byte` after that many backslashes.
///
/// They split lines and fields by pairs of a backslash and what follows it, but keys and tags by
/// the one byte before. In a tag only a space makes that matter. A measurement is unescaped twice
/// on its way to the index and once on its way to the data, so that its points would be lost.
fn is_ambiguous(part: Part, backslashes: u32, byte: u8) -> bool {
    match part {
        Part::Measurement => backslashes > 0,
        Part::FieldKey => byte != b'"' && backslashes % 2 == 1,
        _ => byte == b' ' && backslashes % 2 == 1,
    }
}

/// Whether this part's readers take `byte` for its escaped form only.
fn needs_escape(part: Part, byte: u8) -> bool {
    match byte {
        b',' | b' ' => true,
        b'=' => part != Part::Measurement,
        // A quote in a field key needs none by itself, but one after a backslash does.
        b'"' => part == Part::FieldKey,
        _ => false,
    }
}

fn check_name(part: Part, text: &str) -> Result<(), Refusal> {
    let bytes = text.as_bytes();
    let Some(first) = bytes.first() else { return Err(Refusal::Empty) };
    if part != Part::TagValue && (*first == b'_' || (text == "time" && part != Part::Measurement)) {
        return Err(Refusal::Reserved);
    }
    if part == Part::TagKey && text == "\0" {
        return Err(Refusal::Reserved);
    }
    let skipped: &[u8] = match part {
        Part::Measurement => b"#\t\0",
        Part::FieldKey => b"\t\0",
        _ => b"",
    };
    if skipped.contains(first) {
        return Err(Refusal::FirstCharacter);
    }
    if bytes.contains(&b'\n') {
        return Err(Refusal::LineBreak);
    }
    if bytes.last() == Some(&b'\\') {
        return Err(Refusal::TrailingBackslash);
    }
    Ok(())
}

fn push_value(out: &mut Vec<u8>, value: &FieldValue) -> Result<(), Refusal> {
    match value {
        FieldValue::Float(value) if !value.is_finite() => return Err(Refusal::NotFinite),
        FieldValue::Float(value) => {
            out.extend_from_slice(ryu::Buffer::new().format_finite(*value).as_bytes());
        }
        FieldValue::Integer(value) => {
            out.extend_from_slice(itoa::Buffer::new().format(*value).as_bytes());
            out.push(b'i');
        }
        FieldValue::Unsigned(value) => {
            out.extend_from_slice(itoa::Buffer::new().format(*value).as_bytes());
            out.push(b'u');
        }
        FieldValue::Boolean(value) => {
            out.extend_from_slice(if *value { b"true" } else { b"false" });
        }
        FieldValue::Text(value) if value.len() > TEXT_CAP => return Err(Refusal::TextTooLong),
        FieldValue::Text(value) => {
            out.push(b'"');
            for byte in value.bytes() {
                if matches!(byte, b'"' | b'\\') {
                    out.push(b'\\');
                }
                out.push(byte);
            }
            out.push(b'"');
        }
    }
    Ok(())
}

fn push_time(out: &mut Vec<u8>, time_ns: i64, precision: Precision) -> Result<(), Refusal> {
    if !TIMES.contains(&time_ns) {
        return Err(Refusal::TimeOutOfRange);
    }
    if time_ns % precision.nanos() != 0 {
        return Err(Refusal::TimeNotWhole);
    }
    out.extend_from_slice(itoa::Buffer::new().format(time_ns / precision.nanos()).as_bytes());
    Ok(())
}

fn refuse(part: Part, text: &str, refusal: Refusal) -> LineError {
    LineError { part, text: text.chars().take(64).collect(), refusal }
}
