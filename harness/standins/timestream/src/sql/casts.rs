//! The casts that give something else than `DataFusion`'s: numbers are rounded, and the text of a
//! value is the same as in a result.

use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray, Int32Array, Int64Array, StringArray};
use arrow::datatypes::{
    DataType, Date32Type, Float64Type, Int64Type, TimeUnit, TimestampNanosecondType,
};
use arrow::util::display::array_value_to_string;
use datafusion::common::{exec_err, plan_err};
use datafusion::error::Result;

use super::udf::{Kind, Simple, each, type_name};
use crate::value::{push_date, push_double, push_timestamp};

/// All of them. Their names are for `rewrite` alone.
pub(super) fn all() -> Vec<Simple> {
    const ANY: &[Kind] = &[Kind::Any];
    vec![
        Simple { name: "$varchar", takes: ANY, gives: DataType::Utf8, body: to_varchar },
        Simple { name: "$bigint", takes: ANY, gives: DataType::Int64, body: to_bigint },
        Simple { name: "$integer", takes: ANY, gives: DataType::Int32, body: to_integer },
    ]
}

fn to_varchar(args: &[ArrayRef]) -> Result<ArrayRef> {
    let array = &args[0];
    let text_at =
        |row: usize| if array.is_null(row) { Ok(None) } else { text(array, row).map(Some) };
    Ok(Arc::new((0..array.len()).map(text_at).collect::<Result<StringArray>>()?))
}

fn text(array: &ArrayRef, row: usize) -> Result<String> {
    let mut text = String::new();
    match array.data_type() {
        DataType::Float64 => {
            push_double(&mut text, array.as_primitive::<Float64Type>().value(row));
        }
        DataType::Timestamp(TimeUnit::Nanosecond, None) => {
            push_timestamp(&mut text, array.as_primitive::<TimestampNanosecondType>().value(row));
        }
        DataType::Date32 => push_date(&mut text, array.as_primitive::<Date32Type>().value(row)),
        DataType::Boolean
        | DataType::Int32
        | DataType::Int64
        | DataType::UInt64
        | DataType::Utf8
        | DataType::Utf8View => text = array_value_to_string(array, row)?,
        other => return plan_err!("CAST of {} to varchar is not supported", type_name(other)),
    }
    Ok(text)
}

/// Rounds to the nearest integer, halves away from zero.
fn to_bigint(args: &[ArrayRef]) -> Result<ArrayRef> {
    let array = &args[0];
    match array.data_type() {
        DataType::Float64 => {
            let rounded = each(array.as_primitive::<Float64Type>().iter(), |value| {
                let integer = rounded_to_i64(value.round());
                integer.map_or_else(|| exec_err!("Cannot cast {value} to bigint"), Ok)
            });
            Ok(Arc::new(rounded.collect::<Result<Int64Array>>()?))
        }
        DataType::Utf8 => {
            let parsed = each(array.as_string::<i32>().iter(), |text| {
                text.parse().or_else(|_| exec_err!("Cannot cast '{text}' to bigint"))
            });
            Ok(Arc::new(parsed.collect::<Result<Int64Array>>()?))
        }
        DataType::Null
        | DataType::Boolean
        | DataType::Int32
        | DataType::Int64
        | DataType::UInt64 => Ok(arrow::compute::cast(array, &DataType::Int64)?),
        other => plan_err!("CAST of {} to bigint is not supported", type_name(other)),
    }
}

fn to_integer(args: &[ArrayRef]) -> Result<ArrayRef> {
    let wide = to_bigint(args)?;
    let narrow = each(wide.as_primitive::<Int64Type>().iter(), |value| {
        i32::try_from(value).or_else(|_| exec_err!("Cannot cast {value} to integer"))
    });
    Ok(Arc::new(narrow.collect::<Result<Int32Array>>()?))
}

/// An integral double as an integer, where there is one.
pub(super) fn rounded_to_i64(value: f64) -> Option<i64> {
    // 2^63 is a double; the largest integer below it is not.
    let fits = (-9_223_372_036_854_775_808.0..9_223_372_036_854_775_808.0).contains(&value);
    #[expect(clippy::cast_possible_truncation, reason = "the range was checked")]
    fits.then_some(value as i64)
}
