//! Cells: the text of one cell as a value of its declared type.

use cutover_model::{FieldType, FieldValue};

use crate::reader::RowProblem;

/// The value of a cell. An empty cell has none.
pub(crate) fn value(
    column: &str,
    text: &str,
    field_type: FieldType,
) -> Result<Option<FieldValue>, RowProblem> {
    if text.is_empty() {
        return Ok(None);
    }
    let value = match field_type {
        FieldType::Float => finite(text).map(FieldValue::Float),
        FieldType::Integer => text.parse().ok().map(FieldValue::Integer),
        FieldType::Unsigned => text.parse().ok().map(FieldValue::Unsigned),
        FieldType::Text => Some(FieldValue::Text(text.to_owned())),
        FieldType::Boolean => boolean(text).map(FieldValue::Boolean),
    };
    value.map(Some).ok_or_else(|| RowProblem::ValueUnreadable {
        column: column.to_owned(),
        text: text.to_owned(),
        field_type,
    })
}

// Neither store takes NaN or an infinity, which `parse` reads.
fn finite(text: &str) -> Option<f64> {
    text.parse().ok().filter(|value: &f64| value.is_finite())
}

fn boolean(text: &str) -> Option<bool> {
    match text {
        "true" | "True" | "TRUE" => Some(true),
        "false" | "False" | "FALSE" => Some(false),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_zero_with_an_exponent_is_a_zero() {
        assert_eq!(value("c", "0E-8", FieldType::Float), Ok(Some(FieldValue::Float(0.0))));
    }

    #[test]
    fn an_empty_cell_has_no_value() {
        assert_eq!(value("c", "", FieldType::Text), Ok(None));
    }

    #[test]
    fn an_infinite_float_is_told() {
        assert!(value("c", "inf", FieldType::Float).is_err());
    }

    #[test]
    fn an_integer_beyond_the_floats_is_exact() {
        let expected = FieldValue::Integer(9_007_199_254_740_993);
        assert_eq!(value("c", "9007199254740993", FieldType::Integer), Ok(Some(expected)));
    }

    #[test]
    fn a_decimal_comma_is_told() {
        assert!(value("c", "1,5", FieldType::Float).is_err());
    }
}
