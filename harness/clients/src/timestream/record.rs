//! Rows as Timestream records.
//!
//! The main type is [`TimestreamRecord`]: one instant of one series with all its measures, as a
//! `MULTI` record with its time in nanoseconds. What Timestream cannot hold is refused by name.

use aws_sdk_timestreamwrite::types::{
    Dimension, DimensionValueType, MeasureValue, MeasureValueType, Record, TimeUnit,
};
use cutover_model::{FieldValue, Row};

/// How many dimensions a record may have.
const DIMENSIONS_CAP: usize = 128;
/// How long a value may be, in bytes.
const VALUE_CAP: usize = 2048;

/// A record that is ready to be written.
#[derive(Clone, Debug, PartialEq)]
pub struct TimestreamRecord {
    pub(super) wire: Record,
}

/// A row that Timestream cannot hold.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{subject}` {refusal}")]
pub struct RecordError {
    /// The dimension, measure or instant.
    pub subject: String,
    /// Why it cannot be held.
    pub refusal: RecordRefusal,
}

/// Why Timestream cannot hold a part of a row.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum RecordRefusal {
    /// Instants before 1970 are refused by the service.
    #[error("is before 1970")]
    BeforeEpoch,
    /// A record needs a measure.
    #[error("has no measure with a value")]
    NoMeasure,
    /// There are more than 128.
    #[error("has more than 128 dimensions")]
    TooManyDimensions,
    /// Names and values have at least one character.
    #[error("is empty")]
    Empty,
    /// The value is longer than 2,048 bytes.
    #[error("is longer than 2048 bytes")]
    TooLong,
    /// NaN and infinities cannot be written.
    #[error("is not a finite number")]
    NotFinite,
    /// There are no unsigned integers.
    #[error("is an unsigned integer, which Timestream does not have")]
    Unsigned,
    /// Versions begin at 1.
    #[error("is no version: they begin at 1")]
    Version,
}

impl TimestreamRecord {
    /// Makes the record of a row. Of two records with the same dimensions, measure name and time
    /// the one with the higher `version` stays.
    pub fn from_row(row: &Row, measure_name: &str, version: i64) -> Result<Self, RecordError> {
        let Row { time_ns, tags, fields } = row;
        if *time_ns < 0 {
            return Err(refuse(&time_ns.to_string(), RecordRefusal::BeforeEpoch));
        }
        if version < 1 {
            return Err(refuse(&version.to_string(), RecordRefusal::Version));
        }
        checked(measure_name, measure_name)?;
        if fields.is_empty() {
            return Err(refuse(measure_name, RecordRefusal::NoMeasure));
        }
        if tags.len() > DIMENSIONS_CAP {
            return Err(refuse(measure_name, RecordRefusal::TooManyDimensions));
        }
        let mut record = Record::builder()
            .measure_name(measure_name)
            .measure_value_type(MeasureValueType::Multi)
            .time(time_ns.to_string())
            .time_unit(TimeUnit::Nanoseconds)
            .version(version);
        for (name, value) in tags {
            record = record.dimensions(dimension(name, value)?);
        }
        for (name, value) in fields {
            record = record.measure_values(measure(name, value)?);
        }
        Ok(Self { wire: record.build() })
    }
}

fn dimension(name: &str, value: &str) -> Result<Dimension, RecordError> {
    checked(name, name)?;
    checked(name, value)?;
    let dimension = Dimension::builder()
        .name(name)
        .value(value)
        .dimension_value_type(DimensionValueType::Varchar)
        .build();
    Ok(dimension.expect("name and value are set"))
}

fn measure(name: &str, value: &FieldValue) -> Result<MeasureValue, RecordError> {
    checked(name, name)?;
    let (kind, text) = match value {
        FieldValue::Float(value) if !value.is_finite() => {
            return Err(refuse(name, RecordRefusal::NotFinite));
        }
        FieldValue::Float(value) => {
            (MeasureValueType::Double, ryu::Buffer::new().format_finite(*value).to_owned())
        }
        FieldValue::Integer(value) => (MeasureValueType::Bigint, value.to_string()),
        FieldValue::Boolean(value) => (MeasureValueType::Boolean, value.to_string()),
        FieldValue::Text(value) => {
            checked(name, value)?;
            (MeasureValueType::Varchar, value.clone())
        }
        FieldValue::Unsigned(_) => return Err(refuse(name, RecordRefusal::Unsigned)),
    };
    let measure = MeasureValue::builder().name(name).value(text).r#type(kind).build();
    Ok(measure.expect("name, value and type are set"))
}

fn checked(subject: &str, text: &str) -> Result<(), RecordError> {
    if text.is_empty() {
        return Err(refuse(subject, RecordRefusal::Empty));
    }
    if text.len() > VALUE_CAP {
        return Err(refuse(subject, RecordRefusal::TooLong));
    }
    Ok(())
}

fn refuse(subject: &str, refusal: RecordRefusal) -> RecordError {
    RecordError { subject: subject.chars().take(64).collect(), refusal }
}

#[cfg(test)]
mod tests {
    use super::*;
    use cutover_model::Tags;

    fn row(fields: &[(&str, FieldValue)]) -> Row {
        let fields = fields.iter().map(|(name, value)| ((*name).to_owned(), value.clone()));
        let tags = Tags::from([("region".to_owned(), "SE".to_owned())]);
        Row { time_ns: 1_672_531_200_123_456_789, tags, fields: fields.collect() }
    }

    fn refusal_of(row: &Row) -> RecordRefusal {
        TimestreamRecord::from_row(row, "m", 1).unwrap_err().refusal
    }

    #[test]
    fn every_type_of_field_becomes_a_measure_of_its_type() {
        let row = row(&[
            ("a", FieldValue::Float(0.1)),
            ("b", FieldValue::Integer(9_007_199_254_740_993)),
            ("c", FieldValue::Text("x".to_owned())),
            ("d", FieldValue::Boolean(true)),
        ]);
        let record = TimestreamRecord::from_row(&row, "m", 1).unwrap().wire;
        let measures = record.measure_values().iter();
        let measures: Vec<_> = measures.map(|m| (m.value(), m.r#type().as_str())).collect();
        let expected = [
            ("0.1", "DOUBLE"),
            ("9007199254740993", "BIGINT"),
            ("x", "VARCHAR"),
            ("true", "BOOLEAN"),
        ];
        assert_eq!(measures, expected);
    }

    #[test]
    fn the_time_keeps_its_nanoseconds() {
        let record = TimestreamRecord::from_row(&row(&[("a", FieldValue::Integer(1))]), "m", 1);
        let record = record.unwrap().wire;
        assert_eq!(record.time(), Some("1672531200123456789"));
        assert_eq!(record.time_unit(), Some(&TimeUnit::Nanoseconds));
    }

    #[test]
    fn an_instant_before_1970_is_refused() {
        let row = Row { time_ns: -1, ..row(&[("a", FieldValue::Integer(1))]) };
        assert_eq!(refusal_of(&row), RecordRefusal::BeforeEpoch);
    }

    #[test]
    fn an_empty_string_is_refused() {
        let row = row(&[("a", FieldValue::Text(String::new()))]);
        assert_eq!(refusal_of(&row), RecordRefusal::Empty);
    }

    #[test]
    fn a_string_of_more_than_2048_bytes_is_refused() {
        let longest = "é".repeat(1024);
        let fits = row(&[("a", FieldValue::Text(longest.clone()))]);
        assert!(TimestreamRecord::from_row(&fits, "m", 1).is_ok());
        let too_long = row(&[("a", FieldValue::Text(longest + "x"))]);
        assert_eq!(refusal_of(&too_long), RecordRefusal::TooLong);
    }

    #[test]
    fn an_unsigned_integer_is_refused() {
        assert_eq!(refusal_of(&row(&[("a", FieldValue::Unsigned(1))])), RecordRefusal::Unsigned);
    }

    #[test]
    fn a_float_that_is_not_finite_is_refused() {
        let row = row(&[("a", FieldValue::Float(f64::NAN))]);
        assert_eq!(refusal_of(&row), RecordRefusal::NotFinite);
    }

    #[test]
    fn a_row_without_fields_is_refused() {
        assert_eq!(refusal_of(&row(&[])), RecordRefusal::NoMeasure);
    }
}
