//! Results as JSON, spelled as the server spells it.

use super::ast::Zone;
use super::condition::format_offset;
use super::reduce::zone_offset;
use super::result::{Cell, Epoch, Series, StatementResult};
use super::value::Value;
use crate::flux::time::append_rfc3339;

/// A number that JSON has no form for.
struct NotJson(f64);

/// One answer with its results, and a line feed.
pub(crate) fn encode(results: &[StatementResult], epoch: Option<Epoch>) -> Vec<u8> {
    let mut text = Vec::new();
    if let Err(NotJson(number)) = write(&mut text, results, epoch) {
        // The server's encoder gives up, and its complaint is all that is answered.
        let number = super::format::plain_float(number);
        text = format!(
            "json: error calling MarshalJSON for type query.Response: json: error calling \
             MarshalJSON for type *query.Result: json: unsupported value: {number}"
        )
        .into_bytes();
    }
    text.push(b'\n');
    text
}

fn write(
    text: &mut Vec<u8>,
    results: &[StatementResult],
    epoch: Option<Epoch>,
) -> Result<(), NotJson> {
    if results.is_empty() {
        text.extend_from_slice(b"{}");
        return Ok(());
    }
    text.extend_from_slice(b"{\"results\":[");
    for (index, result) in results.iter().enumerate() {
        if index > 0 {
            text.push(b',');
        }
        write_result(text, result, epoch)?;
    }
    text.extend_from_slice(b"]}");
    Ok(())
}

fn write_result(
    text: &mut Vec<u8>,
    result: &StatementResult,
    epoch: Option<Epoch>,
) -> Result<(), NotJson> {
    text.extend_from_slice(b"{\"statement_id\":");
    text.extend_from_slice(itoa::Buffer::new().format(result.statement).as_bytes());
    if !result.series.is_empty() {
        text.extend_from_slice(b",\"series\":[");
        for (index, series) in result.series.iter().enumerate() {
            if index > 0 {
                text.push(b',');
            }
            write_series(text, series, (epoch, result.zone.as_ref()))?;
        }
        text.push(b']');
    }
    if result.partial {
        text.extend_from_slice(b",\"partial\":true");
    }
    if let Some(error) = result.error.as_deref().filter(|error| !error.is_empty()) {
        text.extend_from_slice(b",\"error\":");
        write_string(text, error);
    }
    text.push(b'}');
    Ok(())
}

fn write_series(
    text: &mut Vec<u8>,
    series: &Series,
    times: (Option<Epoch>, Option<&Zone>),
) -> Result<(), NotJson> {
    text.push(b'{');
    if !series.name.is_empty() {
        text.extend_from_slice(b"\"name\":");
        write_string(text, &series.name);
        text.push(b',');
    }
    if !series.tags.is_empty() {
        text.extend_from_slice(b"\"tags\":{");
        for (index, (key, value)) in series.tags.iter().enumerate() {
            if index > 0 {
                text.push(b',');
            }
            write_string(text, key);
            text.push(b':');
            write_string(text, value);
        }
        text.extend_from_slice(b"},");
    }
    text.extend_from_slice(b"\"columns\":[");
    for (index, column) in series.columns.iter().enumerate() {
        if index > 0 {
            text.push(b',');
        }
        write_string(text, column);
    }
    text.push(b']');
    if !series.cells.is_empty() {
        text.extend_from_slice(b",\"values\":[");
        for (row_index, row) in series.rows().enumerate() {
            text.extend_from_slice(if row_index > 0 { b",[" } else { b"[" });
            for (index, cell) in row.iter().enumerate() {
                if index > 0 {
                    text.push(b',');
                }
                write_cell(text, cell, times)?;
            }
            text.push(b']');
        }
        text.push(b']');
    }
    if series.partial {
        text.extend_from_slice(b",\"partial\":true");
    }
    text.push(b'}');
    Ok(())
}

fn write_cell(
    text: &mut Vec<u8>,
    cell: &Cell,
    (epoch, zone): (Option<Epoch>, Option<&Zone>),
) -> Result<(), NotJson> {
    let mut integer = itoa::Buffer::new();
    match cell {
        Cell::Time(time_ns) => {
            if let Some(epoch) = epoch {
                text.extend_from_slice(integer.format(epoch.count(*time_ns)).as_bytes());
            } else {
                text.push(b'"');
                write_time(text, *time_ns, zone);
                text.push(b'"');
            }
        }
        Cell::Count(count) => text.extend_from_slice(integer.format(*count).as_bytes()),
        Cell::Value(Value::Null) => text.extend_from_slice(b"null"),
        // What is not a number is shown as missing.
        Cell::Value(Value::Float(number)) if number.is_nan() => text.extend_from_slice(b"null"),
        Cell::Value(Value::Float(number)) => write_float(text, *number)?,
        Cell::Value(Value::Integer(number)) => {
            text.extend_from_slice(integer.format(*number).as_bytes());
        }
        Cell::Value(Value::Unsigned(number)) => {
            text.extend_from_slice(integer.format(*number).as_bytes());
        }
        Cell::Value(Value::String(value)) => write_string(text, value),
        Cell::Value(Value::Boolean(value)) => {
            text.extend_from_slice(if *value { b"true" } else { b"false" });
        }
    }
    Ok(())
}

/// An instant in RFC 3339, in a zone if there is one.
fn write_time(text: &mut Vec<u8>, time_ns: i64, zone: Option<&Zone>) {
    let offset_ns = zone.map_or(0, |zone| zone_offset(&zone.zone, time_ns.into()));
    append_rfc3339(text, time_ns.saturating_add(offset_ns));
    if offset_ns != 0 {
        text.pop();
        text.extend_from_slice(format_offset(offset_ns).as_bytes());
    }
}

/// A float: with an exponent where it is very small or very large, as the server has it.
fn write_float(text: &mut Vec<u8>, number: f64) -> Result<(), NotJson> {
    if !number.is_finite() {
        return Err(NotJson(number));
    }
    let size = number.abs();
    if size == 0.0 || (1e-6..1e21).contains(&size) {
        text.extend_from_slice(format!("{number}").as_bytes());
        return Ok(());
    }
    let written = format!("{number:e}");
    match written.split_once('e') {
        Some((digits, exponent)) if !exponent.starts_with('-') => {
            text.extend_from_slice(format!("{digits}e+{exponent}").as_bytes());
        }
        _ => text.extend_from_slice(written.as_bytes()),
    }
    Ok(())
}

/// A text in quotes. Characters that HTML gives a meaning are written as their numbers.
fn write_string(text: &mut Vec<u8>, value: &str) {
    text.push(b'"');
    let mut plain_from = 0;
    for (at, read) in value.char_indices() {
        let escaped: Option<&[u8]> = match read {
            '"' => Some(b"\\\""),
            '\\' => Some(b"\\\\"),
            '\n' => Some(b"\\n"),
            '\r' => Some(b"\\r"),
            '\t' => Some(b"\\t"),
            '\u{8}' => Some(b"\\b"),
            '\u{c}' => Some(b"\\f"),
            _ => None,
        };
        let coded = read < ' ' || matches!(read, '<' | '>' | '&' | '\u{2028}' | '\u{2029}');
        if escaped.is_none() && !coded {
            continue;
        }
        text.extend_from_slice(&value.as_bytes()[plain_from..at]);
        match escaped {
            Some(escaped) => text.extend_from_slice(escaped),
            None => text.extend_from_slice(format!("\\u{:04x}", u32::from(read)).as_bytes()),
        }
        plain_from = at + read.len_utf8();
    }
    text.extend_from_slice(&value.as_bytes()[plain_from..]);
    text.push(b'"');
}
