//! Cells of CSV to values, by the type that the annotations name.

use crate::flux::time::{Date, parse_rfc3339};
use crate::flux::value::{ColumnType, Value};

/// How the cells of a column are written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    Plain(ColumnType),
    /// Instants in a layout that shows how 2006-01-02 15:04:05 would be written.
    Time(String),
}

const RFC3339: &str = "2006-01-02T15:04:05Z07:00";

impl Kind {
    /// Reads an annotation such as `dateTime:RFC3339`.
    pub(super) fn of(datatype: &str) -> Result<Self, String> {
        let (name, layout) = datatype.split_once(':').unwrap_or((datatype, ""));
        Ok(Self::Plain(match name {
            "boolean" => ColumnType::Bool,
            "long" => ColumnType::Int,
            "unsignedLong" => ColumnType::UInt,
            "double" => ColumnType::Float,
            "string" => ColumnType::String,
            "dateTime" => {
                let layout = match layout {
                    "RFC3339" => RFC3339,
                    "RFC3339Nano" => "2006-01-02T15:04:05.999999999Z07:00",
                    other => other,
                };
                return Ok(Self::Time(layout.to_owned()));
            }
            other => return Err(format!("unsupported data type \"{other}\"")),
        }))
    }

    pub(super) fn column_type(&self) -> ColumnType {
        match self {
            Self::Plain(kind) => *kind,
            Self::Time(_) => ColumnType::Time,
        }
    }

    /// The value of a cell, or what is wrong with it; an empty one is null.
    pub(super) fn decode(&self, cell: &str) -> Result<Value, String> {
        if cell.is_empty() {
            return Ok(Value::Null(Some(self.column_type())));
        }
        let unreadable = |reader: &str, reason: &str| {
            format!("strconv.Parse{reader}: parsing \"{cell}\": {reason}")
        };
        match self {
            Self::Plain(ColumnType::Bool) => match cell {
                "true" | "TRUE" | "True" | "t" | "T" | "1" => Ok(Value::Bool(true)),
                "false" | "FALSE" | "False" | "f" | "F" | "0" => Ok(Value::Bool(false)),
                _ => Err(unreadable("Bool", "invalid syntax")),
            },
            Self::Plain(ColumnType::Int) => cell
                .parse()
                .map(Value::Int)
                .map_err(|error: std::num::ParseIntError| unreadable("Int", reason(&error))),
            // The server takes no sign here.
            Self::Plain(ColumnType::UInt) if cell.starts_with('+') => {
                Err(unreadable("Uint", "invalid syntax"))
            }
            Self::Plain(ColumnType::UInt) => cell
                .parse()
                .map(Value::UInt)
                .map_err(|error: std::num::ParseIntError| unreadable("Uint", reason(&error))),
            Self::Plain(ColumnType::Float) => match cell.parse::<f64>() {
                Ok(value) if value.is_infinite() && cell.contains(|c: char| c.is_ascii_digit()) => {
                    Err(unreadable("Float", "value out of range"))
                }
                Ok(value) => Ok(Value::Float(value)),
                Err(_) => Err(unreadable("Float", "invalid syntax")),
            },
            Self::Plain(ColumnType::String | ColumnType::Time) => Ok(Value::string(cell)),
            Self::Time(layout) => match parse_rfc3339(cell).filter(|_| layout.contains('T')) {
                Some(time_ns) => Ok(Value::Time(time_ns)),
                None => Layout { layout, text: cell }.parse().map(Value::Time),
            },
        }
    }
}

fn reason(error: &std::num::ParseIntError) -> &'static str {
    use std::num::IntErrorKind;
    match error.kind() {
        IntErrorKind::PosOverflow | IntErrorKind::NegOverflow => "value out of range",
        _ => "invalid syntax",
    }
}

/// The parts of a layout and how many digits each has.
const PARTS: [(&str, usize); 6] =
    [("2006", 4), ("01", 2), ("02", 2), ("15", 2), ("04", 2), ("05", 2)];

/// An instant that is to be read by a layout.
struct Layout<'a> {
    layout: &'a str,
    text: &'a str,
}

impl Layout<'_> {
    fn parse(&self) -> Result<i64, String> {
        let mut found: [i64; 6] = [1, 1, 1, 0, 0, 0];
        let (mut layout, mut text) = (self.layout, self.text);
        while !layout.is_empty() {
            let part = PARTS.iter().position(|(part, _)| layout.starts_with(part));
            if let Some(at) = part {
                let (part, digits) = PARTS[at];
                let number =
                    text.get(..digits).filter(|all| all.bytes().all(|b| b.is_ascii_digit()));
                let number = number.and_then(|number| number.parse().ok());
                found[at] = number.ok_or_else(|| self.mismatch(text, part))?;
                (layout, text) = (&layout[part.len()..], &text[digits..]);
            } else if let Some(rest) = layout.strip_prefix("Z07:00") {
                let after = text.strip_prefix('Z').ok_or_else(|| self.mismatch(text, "Z07:00"))?;
                (layout, text) = (rest, after);
            } else {
                let literal = layout.find(|c: char| c.is_ascii_digit() || c == 'Z');
                let literal = &layout[..literal.unwrap_or(layout.len()).max(1)];
                let after = text.strip_prefix(literal);
                (layout, text) =
                    (&layout[literal.len()..], after.ok_or_else(|| self.mismatch(text, literal))?);
            }
        }
        if !text.is_empty() {
            let (own, whole) = (self.layout, self.text);
            return Err(format!("parsing time \"{whole}\" as \"{own}\": extra text: \"{text}\""));
        }
        let [year, month, day, hour, minute, second] = found;
        let date = Date { year, month, day };
        let in_range = (1..=12).contains(&month)
            && (1..=date.days_in_month()).contains(&day)
            && hour < 24
            && minute < 60
            && second < 60;
        if !in_range {
            return Err(format!("parsing time \"{}\": value out of range", self.text));
        }
        let seconds = date.days() * 86_400 + hour * 3600 + minute * 60 + second;
        Ok(seconds.wrapping_mul(1_000_000_000))
    }

    fn mismatch(&self, rest: &str, part: &str) -> String {
        let (layout, text) = (self.layout, self.text);
        format!("parsing time \"{text}\" as \"{layout}\": cannot parse \"{rest}\" as \"{part}\"")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_layout_of_its_own_is_followed() {
        let kind = Kind::of("dateTime:02.01.2006 15:04").unwrap();
        let expected = parse_rfc3339("2020-12-31T23:59:00Z").unwrap();
        assert_eq!(kind.decode("31.12.2020 23:59").unwrap().to_string(), {
            Value::Time(expected).to_string()
        });
    }

    #[test]
    fn a_number_out_of_range_is_told_from_no_number() {
        let long = Kind::of("long").unwrap();
        assert!(long.decode("99999999999999999999").unwrap_err().ends_with("value out of range"));
        assert!(long.decode("x").unwrap_err().ends_with("invalid syntax"));
    }
}
