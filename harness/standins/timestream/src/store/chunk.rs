//! A run of rows in columns, small enough that rebuilding its Arrow batch after a write is cheap.
//!
//! A [`Chunk`] keeps its rows in plain vectors, which writes change in place, and the batch that
//! queries read, which is made when first asked for and dropped by the next write to the chunk.
//! So a query after a write rebuilds only the chunks that the write touched.

use std::sync::Arc;

use arrow::array::{
    ArrayRef, BooleanArray, Float64Array, Int64Array, RecordBatch, StringArray,
    TimestampNanosecondArray, new_null_array,
};
use arrow::datatypes::SchemaRef;

use super::table::Series;
use crate::value::{ScalarType, Value};

/// The number of rows after which a new chunk is begun.
pub(super) const CHUNK_ROWS: usize = 2_048;

/// Up to [`CHUNK_ROWS`] rows.
#[derive(Debug, Default)]
pub(super) struct Chunk {
    series: Vec<u32>,
    times: Vec<i64>,
    versions: Vec<i64>,
    /// By the table's number of the measure column; `None` while no row here has a value.
    measures: Vec<Option<Measure>>,
    built: Option<Built>,
}

/// What queries read of a chunk.
#[derive(Clone, Debug)]
pub(super) struct Built {
    pub(super) batch: RecordBatch,
    /// The earliest and the latest time in it.
    pub(super) times: (i64, i64),
}

/// The names behind a batch: its schema, and the series that its rows refer to.
pub(super) struct Frame<'a> {
    pub(super) schema: &'a SchemaRef,
    pub(super) series: &'a [Series],
    pub(super) dimensions: usize,
}

#[derive(Debug)]
enum Measure {
    BigInt(Vec<Option<i64>>),
    Boolean(Vec<Option<bool>>),
    Double(Vec<Option<f64>>),
    Timestamp(Vec<Option<i64>>),
    Varchar(Vec<Option<String>>),
}

impl Chunk {
    pub(super) fn is_full(&self) -> bool {
        self.times.len() >= CHUNK_ROWS
    }

    pub(super) fn version(&self, row: usize) -> i64 {
        self.versions[row]
    }

    /// Adds a row and returns its number.
    pub(super) fn push(&mut self, series: u32, time_ns: i64) -> usize {
        self.series.push(series);
        self.times.push(time_ns);
        self.versions.push(0);
        for measure in self.measures.iter_mut().flatten() {
            measure.push_null();
        }
        self.times.len() - 1
    }

    /// Sets all measures of a row: those in `values` by number of column, the others to null.
    pub(super) fn set(&mut self, row: usize, version: i64, values: &[(usize, &Value)]) {
        self.versions[row] = version;
        for measure in self.measures.iter_mut().flatten() {
            measure.set_null(row);
        }
        for &(column, value) in values {
            if self.measures.len() <= column {
                self.measures.resize_with(column + 1, || None);
            }
            let rows = self.times.len();
            self.measures[column]
                .get_or_insert_with(|| Measure::nulls(value.scalar_type(), rows))
                .set(row, value);
        }
        self.built = None;
    }

    /// Changes nothing but the version, which no query sees.
    pub(super) fn set_version(&mut self, row: usize, version: i64) {
        self.versions[row] = version;
    }

    /// Whether a row has exactly these measures.
    pub(super) fn holds(&self, row: usize, values: &[(usize, &Value)]) -> bool {
        let stored = self.measures.iter().flatten().filter(|measure| measure.has(row)).count();
        stored == values.len()
            && values.iter().all(|&(column, value)| {
                let measure = self.measures.get(column).and_then(Option::as_ref);
                measure.is_some_and(|measure| measure.holds(row, value))
            })
    }

    /// The batch of this chunk under the schema of `frame`.
    pub(super) fn built(&mut self, frame: &Frame<'_>) -> &Built {
        // A column that came to the table later makes every older batch too narrow.
        if self.built.as_ref().is_none_or(|built| built.batch.schema_ref() != frame.schema) {
            self.built = None;
        }
        // Split borrows: the batch is made from the other members.
        let Self { series, times, measures, built, .. } = self;
        built.get_or_insert_with(|| build(frame, series, times, measures))
    }
}

fn build(frame: &Frame<'_>, series: &[u32], times: &[i64], measures: &[Option<Measure>]) -> Built {
    let of_row = |id: &u32| &frame.series[*id as usize];
    let mut columns: Vec<ArrayRef> = Vec::with_capacity(frame.schema.fields().len());
    for dimension in 0..frame.dimensions {
        let values = series.iter().map(|id| of_row(id).dimension(dimension));
        columns.push(Arc::new(values.collect::<StringArray>()));
    }
    let names = series.iter().map(|id| Some(of_row(id).measure_name.as_str()));
    columns.push(Arc::new(names.collect::<StringArray>()));
    columns.push(Arc::new(TimestampNanosecondArray::from(times.to_vec())));
    for (number, field) in frame.schema.fields().iter().skip(frame.dimensions + 2).enumerate() {
        columns.push(match measures.get(number) {
            Some(Some(measure)) => measure.to_array(),
            _ => new_null_array(field.data_type(), times.len()),
        });
    }
    let batch = RecordBatch::try_new(Arc::clone(frame.schema), columns)
        .expect("a chunk's columns have the schema's types and one length");
    let earliest = times.iter().copied().min().unwrap_or(i64::MAX);
    let latest = times.iter().copied().max().unwrap_or(i64::MIN);
    Built { batch, times: (earliest, latest) }
}

impl Measure {
    fn nulls(scalar: ScalarType, rows: usize) -> Self {
        match scalar {
            ScalarType::BigInt => Self::BigInt(vec![None; rows]),
            ScalarType::Boolean => Self::Boolean(vec![None; rows]),
            ScalarType::Double => Self::Double(vec![None; rows]),
            ScalarType::Timestamp => Self::Timestamp(vec![None; rows]),
            ScalarType::Varchar => Self::Varchar(vec![None; rows]),
        }
    }

    fn push_null(&mut self) {
        match self {
            Self::BigInt(values) | Self::Timestamp(values) => values.push(None),
            Self::Boolean(values) => values.push(None),
            Self::Double(values) => values.push(None),
            Self::Varchar(values) => values.push(None),
        }
    }

    fn set_null(&mut self, row: usize) {
        match self {
            Self::BigInt(values) | Self::Timestamp(values) => values[row] = None,
            Self::Boolean(values) => values[row] = None,
            Self::Double(values) => values[row] = None,
            Self::Varchar(values) => values[row] = None,
        }
    }

    fn set(&mut self, row: usize, value: &Value) {
        match (self, value) {
            (Self::BigInt(values), Value::BigInt(value))
            | (Self::Timestamp(values), Value::Timestamp(value)) => values[row] = Some(*value),
            (Self::Boolean(values), Value::Boolean(value)) => values[row] = Some(*value),
            (Self::Double(values), Value::Double(value)) => values[row] = Some(*value),
            (Self::Varchar(values), Value::Varchar(value)) => values[row] = Some(value.clone()),
            _ => unreachable!("the table gives a column values of its own type only"),
        }
    }

    fn has(&self, row: usize) -> bool {
        match self {
            Self::BigInt(values) | Self::Timestamp(values) => values[row].is_some(),
            Self::Boolean(values) => values[row].is_some(),
            Self::Double(values) => values[row].is_some(),
            Self::Varchar(values) => values[row].is_some(),
        }
    }

    fn holds(&self, row: usize, value: &Value) -> bool {
        let stored = match self {
            Self::BigInt(values) => values[row].map(Value::BigInt),
            Self::Timestamp(values) => values[row].map(Value::Timestamp),
            Self::Boolean(values) => values[row].map(Value::Boolean),
            Self::Double(values) => values[row].map(Value::Double),
            Self::Varchar(values) => values[row].clone().map(Value::Varchar),
        };
        stored.as_ref() == Some(value)
    }

    fn to_array(&self) -> ArrayRef {
        match self {
            Self::BigInt(values) => Arc::new(Int64Array::from(values.clone())),
            Self::Boolean(values) => Arc::new(BooleanArray::from(values.clone())),
            Self::Double(values) => Arc::new(Float64Array::from(values.clone())),
            Self::Timestamp(values) => Arc::new(TimestampNanosecondArray::from(values.clone())),
            Self::Varchar(values) => Arc::new(values.iter().collect::<StringArray>()),
        }
    }
}
