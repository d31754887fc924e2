//! Parquet files.

use std::collections::{BTreeMap, VecDeque};
use std::fs::File;

use arrow::array::{Array, AsArray, RecordBatch};
use arrow::compute::cast;
use arrow::datatypes::{
    DataType, Float64Type, Int64Type, TimeUnit, TimestampNanosecondType, UInt64Type,
};
use cutover_model::scenario::{DataSet, FieldColumn};
use cutover_model::{FieldType, FieldValue, Row, Tags};
use jiff::civil;
use parquet::arrow::arrow_reader::{ParquetRecordBatchReader, ParquetRecordBatchReaderBuilder};

use crate::local_time::LocalTimeParser;
use crate::reader::{FileErrorKind, FileRow, RowProblem, place};

/// Rows decoded at a time: bounds the memory, whatever the size of a row group.
const BATCH_ROWS: usize = 4096;

/// The rows of a Parquet file.
pub(crate) struct ParquetRows {
    batches: ParquetRecordBatchReader,
    data: DataSet,
    times: LocalTimeParser,
    decoded: VecDeque<FileRow>,
    next_line: u64,
    failed: bool,
}

impl ParquetRows {
    /// Reads the footer and finds the columns of `data` in it.
    pub(crate) fn open(
        file: File,
        data: &DataSet,
        times: LocalTimeParser,
    ) -> Result<Self, FileErrorKind> {
        let builder = ParquetRecordBatchReaderBuilder::try_new(file)?;
        let columns: Vec<String> =
            builder.schema().fields().iter().map(|field| field.name().clone()).collect();
        let named = [&data.time.column]
            .into_iter()
            .chain(data.tags.iter().map(|tag| &tag.column))
            .chain(data.fields.iter().map(|field| &field.column));
        for column in named {
            place(&columns, column)?;
        }
        let batches = builder.with_batch_size(BATCH_ROWS).build()?;
        let decoded = VecDeque::new();
        Ok(Self { batches, data: data.clone(), times, decoded, next_line: 1, failed: false })
    }

    fn decode(&mut self, batch: &RecordBatch) -> Result<(), FileErrorKind> {
        let times = self.decode_times(batch)?;
        let tags = self
            .data
            .tags
            .iter()
            .map(|tag| column(batch, &tag.column, &DataType::Utf8, "text"))
            .collect::<Result<Vec<_>, _>>()?;
        let fields = self
            .data
            .fields
            .iter()
            .map(|field| column(batch, &field.column, &arrow_type(field), field.field_type.word()))
            .collect::<Result<Vec<_>, _>>()?;
        for (index, time) in times.into_iter().enumerate() {
            let row = time.and_then(|time_ns| self.row(time_ns, &tags, &fields, index));
            self.decoded.push_back(FileRow { line: self.next_line, row });
            self.next_line += 1;
        }
        Ok(())
    }

    fn row(
        &self,
        time_ns: i64,
        tag_columns: &[arrow::array::ArrayRef],
        field_columns: &[arrow::array::ArrayRef],
        index: usize,
    ) -> Result<Row, RowProblem> {
        let mut tags = Tags::new();
        for (tag, column) in self.data.tags.iter().zip(tag_columns) {
            let texts = column.as_string::<i32>();
            if column.is_valid(index) && !texts.value(index).is_empty() {
                tags.insert(tag.tag.clone(), texts.value(index).to_owned());
            }
        }
        let mut fields = BTreeMap::new();
        for (field, column) in self.data.fields.iter().zip(field_columns) {
            if let Some(value) = cell(field, column.as_ref(), index)? {
                fields.insert(field.field.clone(), value);
            }
        }
        if fields.is_empty() {
            return Err(RowProblem::NoValue);
        }
        Ok(Row { time_ns, tags, fields })
    }

    fn decode_times(
        &self,
        batch: &RecordBatch,
    ) -> Result<Vec<Result<i64, RowProblem>>, FileErrorKind> {
        let name = &self.data.time.column;
        let array = named(batch, name);
        match array.data_type() {
            // With a zone, the column holds instants; without one, local times.
            DataType::Timestamp(_, Some(_)) => {
                let instants = to_nanoseconds(array, name)?;
                let told = instants.as_primitive::<TimestampNanosecondType>();
                Ok(told.iter().map(|time| time.ok_or_else(empty_time)).collect())
            }
            DataType::Timestamp(_, None) => {
                let locals = to_nanoseconds(array, name)?;
                let told = locals.as_primitive::<TimestampNanosecondType>();
                Ok(told.iter().map(|time| self.local(time.ok_or_else(empty_time)?)).collect())
            }
            _ => {
                let texts = column(batch, name, &DataType::Utf8, "text or a timestamp")?;
                let told = texts.as_string::<i32>();
                Ok(told.iter().map(|text| self.times.parse(text.unwrap_or(""))).collect())
            }
        }
    }

    fn local(&self, local_ns: i64) -> Result<i64, RowProblem> {
        let text = || local_ns.to_string();
        let out_of_range = |_| RowProblem::TimeOutOfRange { text: text() };
        let local: civil::DateTime = jiff::Timestamp::from_nanosecond(i128::from(local_ns))
            .map_err(out_of_range)?
            .to_zoned(jiff::tz::TimeZone::UTC)
            .datetime();
        self.times.resolve(local, &local.to_string())
    }
}

impl Iterator for ParquetRows {
    type Item = Result<FileRow, FileErrorKind>;

    fn next(&mut self) -> Option<Self::Item> {
        while self.decoded.is_empty() && !self.failed {
            let decoded = match self.batches.next()? {
                Ok(batch) => self.decode(&batch),
                Err(error) => Err(FileErrorKind::Parquet(error.into())),
            };
            if let Err(error) = decoded {
                self.failed = true;
                return Some(Err(error));
            }
        }
        self.decoded.pop_front().map(Ok)
    }
}

fn empty_time() -> RowProblem {
    RowProblem::TimeUnreadable { text: String::new(), format: "a timestamp".to_owned() }
}

fn named<'a>(batch: &'a RecordBatch, name: &str) -> &'a arrow::array::ArrayRef {
    // `open` has found every column in the file's schema.
    batch.column_by_name(name).expect("the columns of a batch are those of its file")
}

fn column(
    batch: &RecordBatch,
    name: &str,
    wanted: &DataType,
    word: &'static str,
) -> Result<arrow::array::ArrayRef, FileErrorKind> {
    let array = named(batch, name);
    let array = if wanted_as_is(array.data_type(), wanted) {
        Ok(array.clone())
    } else {
        strict_cast(array, wanted)
    };
    array.map_err(|source| FileErrorKind::ColumnType {
        column: name.to_owned(),
        wanted: word,
        source,
    })
}

fn wanted_as_is(found: &DataType, wanted: &DataType) -> bool {
    found == wanted
}

// Texts stay texts here, so that an unreadable one is a problem of its row and not of the file.
fn strict_cast(
    array: &arrow::array::ArrayRef,
    wanted: &DataType,
) -> Result<arrow::array::ArrayRef, arrow::error::ArrowError> {
    match (array.data_type(), wanted) {
        (DataType::Utf8, _) => Ok(array.clone()),
        (DataType::LargeUtf8 | DataType::Utf8View, _) => cast(array, &DataType::Utf8),
        // A dictionary of texts is texts as well.
        (DataType::Dictionary(_, values), _) if values.is_string() => cast(array, &DataType::Utf8),
        (found, DataType::Utf8) => cast_exact(array, found, &DataType::Utf8),
        (found, wanted) => cast_exact(array, found, wanted),
    }
}

fn cast_exact(
    array: &arrow::array::ArrayRef,
    found: &DataType,
    wanted: &DataType,
) -> Result<arrow::array::ArrayRef, arrow::error::ArrowError> {
    // A float column declared as integer would be cut off, silently.
    let cuts_off = found.is_floating() && wanted.is_integer();
    if cuts_off {
        return Err(arrow::error::ArrowError::CastError(format!("{found} would be cut off")));
    }
    let options = arrow::compute::CastOptions { safe: false, ..Default::default() };
    arrow::compute::cast_with_options(array, wanted, &options)
}

fn to_nanoseconds(
    array: &arrow::array::ArrayRef,
    name: &str,
) -> Result<arrow::array::ArrayRef, FileErrorKind> {
    let wanted = DataType::Timestamp(TimeUnit::Nanosecond, None);
    let options = arrow::compute::CastOptions { safe: false, ..Default::default() };
    // The zone is dropped without moving the instant.
    let instants = match array.data_type() {
        DataType::Timestamp(unit, Some(zone)) => {
            let zoned = DataType::Timestamp(TimeUnit::Nanosecond, Some(zone.clone()));
            let _ = unit;
            arrow::compute::cast_with_options(array, &zoned, &options).map(|array| {
                let primitive = array.as_primitive::<TimestampNanosecondType>().clone();
                std::sync::Arc::new(primitive.with_timezone_opt(None::<&str>)) as _
            })
        }
        _ => arrow::compute::cast_with_options(array, &wanted, &options),
    };
    instants.map_err(|source| FileErrorKind::ColumnType {
        column: name.to_owned(),
        wanted: "a timestamp in nanoseconds",
        source,
    })
}

fn arrow_type(field: &FieldColumn) -> DataType {
    match field.field_type {
        FieldType::Float => DataType::Float64,
        FieldType::Integer => DataType::Int64,
        FieldType::Unsigned => DataType::UInt64,
        FieldType::Text => DataType::Utf8,
        FieldType::Boolean => DataType::Boolean,
    }
}

fn cell(
    field: &FieldColumn,
    column: &dyn Array,
    index: usize,
) -> Result<Option<FieldValue>, RowProblem> {
    if column.is_null(index) {
        return Ok(None);
    }
    if let Some(texts) = column.as_string_opt::<i32>() {
        return crate::cells::value(&field.column, texts.value(index), field.field_type);
    }
    let value = match field.field_type {
        FieldType::Float => {
            let value = column.as_primitive::<Float64Type>().value(index);
            if !value.is_finite() {
                return Err(RowProblem::ValueUnreadable {
                    column: field.column.clone(),
                    text: value.to_string(),
                    field_type: field.field_type,
                });
            }
            FieldValue::Float(value)
        }
        FieldType::Integer => FieldValue::Integer(column.as_primitive::<Int64Type>().value(index)),
        FieldType::Unsigned => {
            FieldValue::Unsigned(column.as_primitive::<UInt64Type>().value(index))
        }
        FieldType::Boolean => FieldValue::Boolean(column.as_boolean().value(index)),
        // The column was cast to text, and texts are answered above.
        FieldType::Text => return Ok(None),
    };
    Ok(Some(value))
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use arrow::array::{ArrayRef, Float64Array, StringArray, TimestampMillisecondArray};
    use cutover_model::DataName;
    use cutover_model::scenario::{DataFormat, TagColumn, TimeColumn};
    use parquet::arrow::ArrowWriter;

    use super::*;
    use crate::RowReader;

    fn data(path: &std::path::Path, field_type: FieldType) -> DataSet {
        DataSet {
            name: DataName::new("d"),
            path: path.to_owned(),
            format: DataFormat::Parquet,
            time: TimeColumn {
                column: "at".to_owned(),
                format: "%Y-%m-%d %H:%M:%S".to_owned(),
                zone: "America/Sao_Paulo".to_owned(),
            },
            bucket: "b".to_owned(),
            measurement: "m".to_owned(),
            tags: vec![TagColumn { tag: "region".to_owned(), column: "id".to_owned() }],
            fields: vec![FieldColumn {
                field: "value".to_owned(),
                column: "mw".to_owned(),
                field_type,
            }],
        }
    }

    fn read(at: ArrayRef, field_type: FieldType) -> Vec<Result<FileRow, String>> {
        let id: ArrayRef = Arc::new(StringArray::from(vec![Some("SE"), None]));
        let mw: ArrayRef = Arc::new(Float64Array::from(vec![Some(0.1), None]));
        let batch = RecordBatch::try_from_iter([("at", at), ("id", id), ("mw", mw)]).unwrap();
        let file = tempfile::NamedTempFile::new().unwrap();
        let mut writer =
            ArrowWriter::try_new(file.reopen().unwrap(), batch.schema(), None).unwrap();
        writer.write(&batch).unwrap();
        writer.close().unwrap();
        let rows = RowReader::open(&data(file.path(), field_type)).unwrap();
        rows.map(|row| row.map_err(|error| error.kind.to_string())).collect()
    }

    fn first_time(at: ArrayRef) -> i64 {
        read(at, FieldType::Float)[0].clone().unwrap().row.unwrap().time_ns
    }

    #[test]
    fn a_timestamp_without_a_zone_is_local_to_the_declared_one() {
        let at = Arc::new(TimestampMillisecondArray::from(vec![1_672_531_200_000, 0]));
        assert_eq!(first_time(at), 1_672_542_000_000_000_000);
    }

    #[test]
    fn a_timestamp_with_a_zone_is_an_instant() {
        let at = TimestampMillisecondArray::from(vec![1_672_531_200_000, 0]).with_timezone("UTC");
        assert_eq!(first_time(Arc::new(at)), 1_672_531_200_000_000_000);
    }

    #[test]
    fn a_text_is_read_in_the_declared_format() {
        let at = Arc::new(StringArray::from(vec!["2023-01-01 00:00:00", "x"]));
        assert_eq!(first_time(at), 1_672_542_000_000_000_000);
    }

    #[test]
    fn a_row_holds_its_tags_and_fields_and_one_without_values_is_told() {
        let at = Arc::new(TimestampMillisecondArray::from(vec![0, 1]));
        let rows = read(at, FieldType::Float);
        let row = rows[0].clone().unwrap().row.unwrap();
        assert_eq!(
            (row.tags["region"].as_str(), &row.fields["value"]),
            ("SE", &FieldValue::Float(0.1))
        );
        assert_eq!(rows[1].clone().unwrap().row, Err(RowProblem::NoValue));
    }

    #[test]
    fn a_float_column_is_never_cut_off_to_integers() {
        let at = Arc::new(TimestampMillisecondArray::from(vec![0, 1]));
        let rows = read(at, FieldType::Integer);
        assert_eq!(rows, [Err("column `mw` cannot be read as integer".to_owned())]);
    }
}
