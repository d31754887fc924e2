//! The text that `display` makes of any value.
//!
//! Collections of more than three are written one item a line.

use super::value::{Record, Value};

/// The most items that stand in one line.
const ONE_LINE: usize = 3;

/// The text of a value.
pub(crate) fn display(value: &Value) -> String {
    indented(value, 0)
}

fn indented(value: &Value, depth: usize) -> String {
    match value {
        Value::Float(value) => float(*value),
        Value::Array(values) => {
            let items = values.iter().map(|value| indented(value, depth + 1));
            bracketed(["[", ",", "]"], &items.collect::<Vec<_>>(), depth)
        }
        Value::Dict(pairs) if pairs.is_empty() => "[:]".to_owned(),
        Value::Dict(pairs) => {
            let items = pairs.iter().map(|(key, value)| {
                format!("{}: {}", indented(key, depth + 1), indented(value, depth + 1))
            });
            // The server leaves a blank at the end of the lines of a dictionary.
            bracketed(["[", ", ", "]"], &items.collect::<Vec<_>>(), depth)
        }
        Value::Record(record) => members(record, depth),
        Value::Row(row) => members(&Record::from(row), depth),
        other => other.to_string(),
    }
}

fn members(record: &Record, depth: usize) -> String {
    let mut entries: Vec<_> = record.entries().iter().collect();
    entries.sort_by(|left, right| left.0.cmp(&right.0));
    let items =
        entries.into_iter().map(|(key, value)| format!("{key}: {}", indented(value, depth + 1)));
    bracketed(["{", ",", "}"], &items.collect::<Vec<_>>(), depth)
}

fn bracketed([open, separator, close]: [&str; 3], items: &[String], depth: usize) -> String {
    if items.len() <= ONE_LINE {
        return format!("{open}{}{close}", items.join(", "));
    }
    let line = format!("\n{}", "    ".repeat(depth));
    let inner = format!("{separator}{line}    ");
    format!("{open}{line}    {}{line}{close}", items.join(&inner))
}

/// A float with an exponent where it would be long without.
fn float(value: f64) -> String {
    let size = value.abs();
    if !value.is_finite() || size == 0.0 || (1e-4..1e21).contains(&size) {
        return Value::Float(value).to_string();
    }
    let text = format!("{value:e}");
    let (digits, exponent) = text.split_once('e').unwrap_or((&text, "0"));
    let (sign, exponent) = match exponent.strip_prefix('-') {
        Some(exponent) => ('-', exponent),
        None => ('+', exponent),
    };
    format!("{digits}e{sign}{exponent:0>2}")
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;

    #[test]
    fn four_items_stand_in_four_lines() {
        let items = |count: i64| Value::Array(Arc::new((0..count).map(Value::Int).collect()));
        assert_eq!(display(&items(3)), "[0, 1, 2]");
        assert_eq!(display(&items(4)), "[\n    0,\n    1,\n    2,\n    3\n]");
    }

    #[test]
    fn a_small_float_has_an_exponent() {
        assert_eq!(display(&Value::Float(0.000_01)), "1e-05");
        assert_eq!(display(&Value::Float(1.5e21)), "1.5e+21");
    }
}
