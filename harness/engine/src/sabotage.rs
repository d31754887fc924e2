//! Deliberate breaks of the destination's data, made over its own API, so that they work on any
//! target.

use std::collections::BTreeMap;
use std::sync::Arc;

use bytes::Bytes;
use cutover_clients::influx::line_protocol::encode;
use cutover_clients::influx::{Encoding, InfluxClient, Precision, WriteOutcome};
use cutover_model::draw::draw;
use cutover_model::scenario::{DataSet, ParitySabotage, Tolerance};
use cutover_model::{FieldValue, Row, TimeRange};
use cutover_parity::{FieldSchema, Schema};

use crate::checks::CollectError;
use crate::names::series_predicate;
use crate::streams::DestinationStream;

/// Makes one break in the destination's rows of `data`. The seed draws which rows.
pub(crate) async fn alter(
    destination: &InfluxClient,
    data: &DataSet,
    sabotage: &ParitySabotage,
    seed: u64,
) -> Result<(), CollectError> {
    match sabotage {
        ParitySabotage::DropRows(count) => {
            for row in pick(destination, data, (*count, seed)).await? {
                delete(destination, data, &row).await?;
            }
            Ok(())
        }
        ParitySabotage::AddRows(count) => {
            for mut row in pick(destination, data, (*count, seed)).await? {
                row.time_ns += 1;
                write(destination, data, &row).await?;
            }
            Ok(())
        }
        ParitySabotage::ShiftTime(by) => {
            for mut row in pick(destination, data, (1, seed)).await? {
                delete(destination, data, &row).await?;
                row.time_ns += i64::try_from(by.as_nanos()).unwrap_or(i64::MAX);
                write(destination, data, &row).await?;
            }
            Ok(())
        }
        ParitySabotage::FlipLowestBit(field) => {
            let rows =
                pick_with(destination, data, (1, seed), |row| row.fields.contains_key(field));
            for mut row in rows.await? {
                let altered = row.fields.get(field).map(flipped).transpose()?;
                row.fields = altered.map(|value| (field.clone(), value)).into_iter().collect();
                write(destination, data, &row).await?;
            }
            Ok(())
        }
    }
}

/// A value that differs in its lowest bit, or as little as its type allows.
fn flipped(value: &FieldValue) -> Result<FieldValue, CollectError> {
    Ok(match value {
        FieldValue::Float(value) => FieldValue::Float(f64::from_bits(value.to_bits() ^ 1)),
        FieldValue::Integer(value) => FieldValue::Integer(value ^ 1),
        FieldValue::Unsigned(value) => FieldValue::Unsigned(value ^ 1),
        FieldValue::Boolean(value) => FieldValue::Boolean(!value),
        FieldValue::Text(value) => {
            let mut bytes = value.clone().into_bytes();
            match bytes.last_mut() {
                Some(last) if last.is_ascii() => *last ^= 1,
                _ => bytes.push(b'!'),
            }
            let text = String::from_utf8(bytes);
            FieldValue::Text(text.map_err(|_| CollectError::Sabotage("no text".to_owned()))?)
        }
    })
}

async fn pick(
    destination: &InfluxClient,
    data: &DataSet,
    drawn: (u32, u64),
) -> Result<Vec<Row>, CollectError> {
    pick_with(destination, data, drawn, |_| true).await
}

/// Draws `count` different rows among those that fit: of the numbers that the seed gives to rows,
/// the smallest.
async fn pick_with(
    destination: &InfluxClient,
    data: &DataSet,
    (count, seed): (u32, u64),
    fits: impl Fn(&Row) -> bool,
) -> Result<Vec<Row>, CollectError> {
    let schema = Arc::new(exact_schema(data));
    let mut rows = DestinationStream::open(destination, data, &schema).await?;
    let (mut picked, mut number) = (BTreeMap::new(), 0_u64);
    while let Some(batch) = rows.next().await? {
        for index in 0..batch.len() {
            let row = batch.row(index);
            number += 1;
            if fits(&row) {
                picked.insert(draw(seed, 0, number), row);
            }
            if picked.len() > count as usize {
                picked.pop_last();
            }
        }
    }
    if picked.len() < count as usize {
        return Err(CollectError::Sabotage("the destination has too few rows".to_owned()));
    }
    Ok(picked.into_values().collect())
}

fn exact_schema(data: &DataSet) -> Schema {
    let field = |field: &cutover_model::scenario::FieldColumn| FieldSchema {
        name: field.field.clone(),
        field_type: field.field_type,
        tolerance: Tolerance::Exact,
    };
    Schema {
        tags: data.tags.iter().map(|tag| tag.tag.clone()).collect(),
        fields: data.fields.iter().map(field).collect(),
    }
}

async fn delete(destination: &InfluxClient, data: &DataSet, row: &Row) -> Result<(), CollectError> {
    let range = TimeRange { start_ns: row.time_ns, stop_ns: row.time_ns + 1 };
    let predicate = series_predicate(&data.measurement, &row.tags);
    destination.delete(&data.bucket, range, &predicate).await.map_err(CollectError::Destination)
}

async fn write(destination: &InfluxClient, data: &DataSet, row: &Row) -> Result<(), CollectError> {
    let mut line = Vec::new();
    encode(&mut line, &data.measurement, row, Precision::Nanoseconds)
        .map_err(|error| CollectError::Sabotage(error.to_string()))?;
    let written = destination
        .write(&data.bucket, Precision::Nanoseconds, Bytes::from(line), Encoding::Plain)
        .await
        .map_err(CollectError::Destination)?;
    match written {
        WriteOutcome::Stored => Ok(()),
        refused => Err(CollectError::Sabotage(format!("the destination answers {refused:?}"))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_lowest_bit_of_a_float_is_one_ulp() {
        let FieldValue::Float(value) = flipped(&FieldValue::Float(1.0)).unwrap() else { panic!() };
        assert_eq!(value.to_bits(), (1.0 + f64::EPSILON).to_bits());
    }

    #[test]
    fn no_value_flips_to_itself() {
        for value in [
            FieldValue::Integer(7),
            FieldValue::Unsigned(0),
            FieldValue::Boolean(true),
            FieldValue::Text("SE".to_owned()),
            FieldValue::Text(String::new()),
            FieldValue::Text("é".to_owned()),
        ] {
            assert_ne!(flipped(&value).unwrap(), value);
        }
    }
}
