//! Answers to InfluxQL in CSV, with times in nanoseconds.
//!
//! The function is [`decode_influxql`]. The form has no types: a cell that reads as a number is
//! one, and a text that looks like a number cannot be told from it. An answer without rows is an
//! empty body, also where the measurement or the bucket does not exist: the server says no more.

use csv_core::{ReadRecordResult, Reader};
use cutover_model::FieldValue;

use crate::error::ClientError;

/// The columns that every header begins with.
const HEADER: [&str; 3] = ["name", "tags", "time"];

/// The instants and the values of one column of a whole answer, nulls left out.
///
/// # Errors
///
/// The error that the server wrote into its answer, or an answer that is none, or has no such
/// column.
pub fn decode_influxql(body: &[u8], column: &str) -> Result<Vec<(i64, FieldValue)>, ClientError> {
    let malformed = |problem: String| ClientError::Malformed { operation: "query", problem };
    let mut values = Vec::new();
    let mut place = None;
    for cells in records(body).map_err(malformed)? {
        let texts: Vec<&str> = cells.iter().map(String::as_str).collect();
        match texts.as_slice() {
            ["error"] => {
                let problem = "the server wrote an error into it".to_owned();
                return Err(malformed(problem));
            }
            header if header.len() > HEADER.len() && header[..HEADER.len()] == HEADER => {
                let found = header.iter().position(|name| *name == column);
                place =
                    Some(found.ok_or_else(|| malformed(format!("it has no column `{column}`")))?);
            }
            row => {
                let at = place.ok_or_else(|| malformed("it has no header".to_owned()))?;
                let time = row.get(HEADER.len() - 1).and_then(|time| time.parse().ok());
                let time = time.ok_or_else(|| malformed("a row has no time".to_owned()))?;
                let cell = row.get(at).ok_or_else(|| malformed("a row is short".to_owned()))?;
                values.extend(value_of(cell).map(|value| (time, value)));
            }
        }
    }
    Ok(values)
}

fn value_of(cell: &str) -> Option<FieldValue> {
    if cell.is_empty() {
        return None;
    }
    let value = match cell {
        "true" => FieldValue::Boolean(true),
        "false" => FieldValue::Boolean(false),
        _ => match (cell.parse::<i64>(), cell.parse::<f64>()) {
            (Ok(value), _) => FieldValue::Integer(value),
            (_, Ok(value)) => FieldValue::Float(value),
            _ => FieldValue::Text(cell.to_owned()),
        },
    };
    Some(value)
}

/// All records of a CSV.
fn records(body: &[u8]) -> Result<Vec<Vec<String>>, String> {
    let mut reader = Reader::new();
    // Cells are never longer than what they are read from, and never more.
    let (mut text, mut ends) = (vec![0; body.len() + 1], vec![0; body.len() + 1]);
    let mut records = Vec::new();
    let mut input = body;
    loop {
        let (result, read, written, ended) = reader.read_record(input, &mut text, &mut ends);
        input = &input[read..];
        let (text, ends) = (&text[..written], &ends[..ended]);
        match result {
            ReadRecordResult::Record => {
                let starts = std::iter::once(0).chain(ends.iter().copied());
                let cells = starts.zip(ends).map(|(start, end)| text[start..*end].to_vec());
                let cells: Result<Vec<String>, _> = cells.map(String::from_utf8).collect();
                records.push(cells.map_err(|_| "it is not UTF-8".to_owned())?);
            }
            ReadRecordResult::End => return Ok(records),
            // The end of the input is told by an empty one.
            ReadRecordResult::InputEmpty if written == 0 && ended == 0 => input = &[],
            _ => return Err("a record of it does not end".to_owned()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_values_of_a_column_come_with_their_instants() {
        let body = b"name,tags,time,low,peak\nm,r=a,1,0.5,7\nm,r=a,2,0.25,\n";
        let float = |value| FieldValue::Float(value);
        assert_eq!(decode_influxql(body, "low").unwrap(), [(1, float(0.5)), (2, float(0.25))]);
        assert_eq!(decode_influxql(body, "peak").unwrap(), [(1, FieldValue::Integer(7))]);
    }

    #[test]
    fn each_header_says_anew_where_the_column_is() {
        let body = b"name,tags,time,a,b\nm,,1,x,true\n\nname,tags,time,b\nn,,2,\"y,z\"\n";
        let values = decode_influxql(body, "b").unwrap();
        let text = FieldValue::Text("y,z".to_owned());
        assert_eq!(values, [(1, FieldValue::Boolean(true)), (2, text)]);
    }

    #[test]
    fn an_empty_answer_has_no_values() {
        assert_eq!(decode_influxql(b"", "b").unwrap(), []);
    }

    #[test]
    fn an_answer_that_is_none_is_refused() {
        for body in [&b"error\nshard is closed\n"[..], b"m,,1,2\n", b"name,tags,time,a\nm,,x,2\n"] {
            assert!(decode_influxql(body, "a").is_err(), "{}", String::from_utf8_lossy(body));
        }
        assert!(decode_influxql(b"name,tags,time,a\nm,,1,2\n", "b").is_err());
        assert!(decode_influxql(b"name,tags,time,a\nm,,1\n", "a").is_err());
    }
}
