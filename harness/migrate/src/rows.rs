//! Rows of a data set out of Timestream's answers.

use std::collections::BTreeMap;

use cutover_clients::timestream::{TimestreamColumn, TimestreamValue};
use cutover_model::scenario::DataSet;
use cutover_model::{FieldValue, Row, Tags};

/// An answer that is not of the data set's shape.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum UnreadableRow {
    /// A column is not there.
    #[error("it has no column `{0}`")]
    NoColumn(String),
    /// A row has no instant.
    #[error("a row has no time")]
    NoTime,
    /// A cell has a type that InfluxDB has no counterpart for.
    #[error("column `{0}` has a value of a type that InfluxDB does not have")]
    Type(String),
}

/// The query for everything of a data set, in no particular order.
pub(crate) fn select(data: &DataSet) -> String {
    let columns = data.tags.iter().map(|tag| &tag.tag).chain(data.fields.iter().map(|f| &f.field));
    let columns: Vec<String> = columns.map(|name| quoted(name)).collect();
    let (database, table) = (quoted(&data.bucket), quoted(&data.measurement));
    format!("SELECT time, {} FROM {database}.{table}", columns.join(", "))
}

fn quoted(name: &str) -> String {
    format!("\"{}\"", name.replace('"', "\"\""))
}

/// Reads rows by the places of their columns.
pub(crate) struct RowDecoder {
    time: usize,
    tags: Vec<(String, usize)>,
    fields: Vec<(String, usize)>,
}

impl RowDecoder {
    pub(crate) fn new(data: &DataSet, columns: &[TimestreamColumn]) -> Result<Self, UnreadableRow> {
        let place = |name: &str| {
            let found = columns.iter().position(|column| column.name == name);
            found.ok_or_else(|| UnreadableRow::NoColumn(name.to_owned()))
        };
        let placed = |name: &String| Ok((name.clone(), place(name)?));
        Ok(Self {
            time: place("time")?,
            tags: data.tags.iter().map(|tag| placed(&tag.tag)).collect::<Result<_, _>>()?,
            fields: data.fields.iter().map(|it| placed(&it.field)).collect::<Result<_, _>>()?,
        })
    }

    pub(crate) fn row(&self, cells: &[TimestreamValue]) -> Result<Row, UnreadableRow> {
        let TimestreamValue::Timestamp(time_ns) = cells[self.time] else {
            return Err(UnreadableRow::NoTime);
        };
        let mut tags = Tags::new();
        for (tag, place) in &self.tags {
            match &cells[*place] {
                TimestreamValue::Null => {}
                TimestreamValue::Field(FieldValue::Text(text)) => {
                    tags.insert(tag.clone(), text.clone());
                }
                _ => return Err(UnreadableRow::Type(tag.clone())),
            }
        }
        let mut fields = BTreeMap::new();
        for (field, place) in &self.fields {
            match &cells[*place] {
                TimestreamValue::Null => {}
                TimestreamValue::Field(value) => {
                    fields.insert(field.clone(), value.clone());
                }
                // A TIMESTAMP measure travels as an integer of nanoseconds.
                TimestreamValue::Timestamp(time_ns) => {
                    fields.insert(field.clone(), FieldValue::Integer(*time_ns));
                }
                TimestreamValue::Other(_) => return Err(UnreadableRow::Type(field.clone())),
            }
        }
        Ok(Row { time_ns, tags, fields })
    }
}

#[cfg(test)]
mod tests {
    use cutover_clients::timestream::TimestreamType;
    use cutover_model::scenario::{DataFormat, FieldColumn, TagColumn, TimeColumn};
    use cutover_model::{DataName, FieldType};

    use super::*;

    fn data() -> DataSet {
        DataSet {
            name: DataName::new("d"),
            path: "d.csv".into(),
            format: DataFormat::Csv { delimiter: b',' },
            time: TimeColumn {
                column: "t".to_owned(),
                format: "%s".to_owned(),
                zone: "UTC".to_owned(),
            },
            bucket: "b".to_owned(),
            measurement: "m\"x".to_owned(),
            tags: vec![TagColumn { tag: "region".to_owned(), column: "r".to_owned() }],
            fields: vec![FieldColumn {
                field: "value".to_owned(),
                column: "v".to_owned(),
                field_type: FieldType::Float,
            }],
        }
    }

    fn columns(names: [&str; 3]) -> Vec<TimestreamColumn> {
        let column =
            |name: &str| TimestreamColumn { name: name.to_owned(), kind: TimestreamType::Text };
        names.map(column).to_vec()
    }

    #[test]
    fn a_quote_in_a_name_stays_within_it() {
        let expected = r#"SELECT time, "region", "value" FROM "b"."m""x""#;
        assert_eq!(select(&data()), expected);
    }

    #[test]
    fn columns_are_found_by_name_in_any_order() {
        let decoder = RowDecoder::new(&data(), &columns(["value", "time", "region"])).unwrap();
        let cells = [
            TimestreamValue::Field(FieldValue::Float(1.5)),
            TimestreamValue::Timestamp(7),
            TimestreamValue::Field(FieldValue::Text("SE".to_owned())),
        ];
        let row = decoder.row(&cells).unwrap();
        assert_eq!((row.time_ns, row.tags["region"].as_str()), (7, "SE"));
        assert_eq!(row.fields["value"], FieldValue::Float(1.5));
    }

    #[test]
    fn null_is_absent_and_never_a_zero() {
        let decoder = RowDecoder::new(&data(), &columns(["time", "region", "value"])).unwrap();
        let cells = [TimestreamValue::Timestamp(7), TimestreamValue::Null, TimestreamValue::Null];
        let row = decoder.row(&cells).unwrap();
        assert!(row.tags.is_empty() && row.fields.is_empty());
    }

    #[test]
    fn a_missing_column_is_named() {
        let error = RowDecoder::new(&data(), &columns(["time", "region", "x"])).err().unwrap();
        assert_eq!(error, UnreadableRow::NoColumn("value".to_owned()));
    }
}
