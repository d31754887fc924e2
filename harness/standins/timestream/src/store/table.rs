//! A table: rows by identity, versions, columns that grow with what is written.
//!
//! The main type is [`Table`]. A row is identified by its dimensions, its measure name and its
//! time; [`Table::upsert`] decides what a second record of the same identity does. Queries read a
//! [`Snapshot`], which later writes do not change.
//!
//! SQL does not tell column names apart by case, so a record that brings a second spelling of a
//! column is rejected.

use std::cmp::Ordering;
use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;

use arrow::array::RecordBatch;
use arrow::datatypes::{DataType, Field, Schema, SchemaRef, TimeUnit};

use super::chunk::{Chunk, Frame};
use super::record::Record;
use crate::value::{ScalarType, Value};

const MAX_DIMENSIONS: usize = 128;
const MAX_MEASURE_NAMES: usize = 8_192;
const MAX_MEASURE_COLUMNS: usize = 1_024;

/// The rows of one table.
#[derive(Debug, Default)]
pub(crate) struct Table {
    /// Every column but `time` and `measure_name`, by its name in lower case.
    columns: BTreeMap<String, Column>,
    dimensions: Vec<String>,
    measures: Vec<(String, ScalarType)>,
    /// What `SHOW MEASURES` tells: measure name and type, with the dimensions seen with them.
    measure_names: BTreeMap<(String, &'static str), BTreeSet<usize>>,
    series: Vec<Series>,
    // These two are only looked up, so their order reaches no output.
    series_ids: HashMap<Series, u32>,
    rows: HashMap<(u32, i64), RowAt>,
    chunks: Vec<Chunk>,
    snapshot: Option<Arc<Snapshot>>,
}

/// A state of a table that does not change any more.
#[derive(Debug)]
pub(crate) struct Snapshot {
    /// The columns, named in lower case: dimensions, `measure_name`, `time`, measures.
    pub(crate) schema: SchemaRef,
    /// The columns' names as they were written.
    pub(crate) names: Vec<String>,
    /// The rows, each batch with its earliest and latest time.
    pub(crate) batches: Vec<(RecordBatch, (i64, i64))>,
}

/// Why a record was not stored.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Rejection {
    pub(crate) reason: String,
    pub(crate) existing_version: Option<i64>,
}

/// What a column of a table is made of, as `DESCRIBE` tells it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum ColumnKind {
    Dimension,
    MeasureName,
    Time,
    Measure(ScalarType),
}

/// Rows that share dimensions and measure name.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) struct Series {
    pub(super) measure_name: String,
    /// Number of the dimension and its value, by number.
    dimensions: Vec<(usize, String)>,
}

#[derive(Debug)]
struct Column {
    name: String,
    part: Part,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Part {
    Dimension(usize),
    Measure(usize, ScalarType),
}

#[derive(Clone, Copy, Debug)]
struct RowAt {
    chunk: usize,
    row: usize,
}

impl Series {
    fn new(measure_name: &str, mut dimensions: Vec<(usize, String)>) -> Self {
        dimensions.sort_unstable();
        Self { measure_name: measure_name.to_owned(), dimensions }
    }

    pub(super) fn dimension(&self, number: usize) -> Option<&str> {
        let at = self.dimensions.binary_search_by_key(&number, |(number, _)| *number).ok()?;
        Some(&self.dimensions[at].1)
    }
}

impl Rejection {
    pub(crate) fn because(reason: impl Into<String>) -> Self {
        Self { reason: reason.into(), existing_version: None }
    }
}

impl Table {
    /// Stores a record, or says why not. A rejected record leaves the table as it was.
    ///
    /// Of two records with one identity the second is accepted when it repeats the first, and
    /// replaces it when its version is higher.
    pub(crate) fn upsert(&mut self, record: &Record) -> Result<(), Rejection> {
        self.check_columns(record)?;
        let found = self.find(record);
        if let Some(at) = found {
            let existing = self.chunks[at.chunk].version(at.row);
            if self.repeats(at, record) {
                self.chunks[at.chunk].set_version(at.row, existing.max(record.version));
                return Ok(());
            }
            check_version(existing, record.version)?;
        }
        let at = found.unwrap_or_else(|| self.add_row(record));
        let measures = record.measures.columns();
        let values: Vec<(usize, &Value)> = measures
            .into_iter()
            .map(|(name, value)| (self.measure_number(name, value.scalar_type()), value))
            .collect();
        self.chunks[at.chunk].set(at.row, record.version, &values);
        self.snapshot = None;
        Ok(())
    }

    /// The present state, for a query.
    pub(crate) fn snapshot(&mut self) -> Arc<Snapshot> {
        if let Some(snapshot) = &self.snapshot {
            return Arc::clone(snapshot);
        }
        let columns = self.column_list();
        let schema = Arc::new(Schema::new(
            columns.iter().map(|(name, kind)| kind.field(name)).collect::<Vec<_>>(),
        ));
        let frame =
            Frame { schema: &schema, series: &self.series, dimensions: self.dimensions.len() };
        let built = self.chunks.iter_mut().map(|chunk| chunk.built(&frame));
        let batches = built.map(|built| (built.batch.clone(), built.times)).collect();
        let names = columns.into_iter().map(|(name, _)| name).collect();
        let snapshot = Arc::new(Snapshot { schema, names, batches });
        self.snapshot = Some(Arc::clone(&snapshot));
        snapshot
    }

    /// The columns in the order of `SELECT *`.
    pub(crate) fn column_list(&self) -> Vec<(String, ColumnKind)> {
        let dimensions = self.dimensions.iter().map(|name| (name.clone(), ColumnKind::Dimension));
        let fixed = [
            ("measure_name".to_owned(), ColumnKind::MeasureName),
            ("time".to_owned(), ColumnKind::Time),
        ];
        let measures = self.measures.iter();
        let measures = measures.map(|(name, scalar)| (name.clone(), ColumnKind::Measure(*scalar)));
        dimensions.chain(fixed).chain(measures).collect()
    }

    /// Each measure name with its type and the dimensions that came with it.
    pub(crate) fn measure_list(&self) -> Vec<(&str, &'static str, Vec<&str>)> {
        let names = self.measure_names.iter();
        names
            .map(|((name, kind), dimensions)| {
                let dimensions = dimensions.iter().map(|&at| self.dimensions[at].as_str());
                (name.as_str(), *kind, dimensions.collect())
            })
            .collect()
    }

    /// Whether the record's names fit the columns that exist. Changes nothing.
    fn check_columns(&self, record: &Record) -> Result<(), Rejection> {
        let mut new_dimensions = 0;
        for (name, _) in &record.dimensions {
            match self.columns.get(&name.to_lowercase()) {
                None => new_dimensions += 1,
                Some(column) => column.check(name, |part| matches!(part, Part::Dimension(_)))?,
            }
        }
        let mut new_measures = 0;
        for (name, value) in record.measures.columns() {
            let scalar = value.scalar_type();
            match self.columns.get(&name.to_lowercase()) {
                None => new_measures += 1,
                Some(column) => column
                    .check(name, |part| matches!(part, Part::Measure(_, own) if own == scalar))?,
            }
        }
        if self.dimensions.len() + new_dimensions > MAX_DIMENSIONS {
            return Err(over_limit(MAX_DIMENSIONS, "dimensions"));
        }
        if self.measures.len() + new_measures > MAX_MEASURE_COLUMNS {
            return Err(over_limit(MAX_MEASURE_COLUMNS, "measure columns"));
        }
        let known = (record.measure_name.clone(), record.measures.type_name());
        if self.measure_names.len() >= MAX_MEASURE_NAMES && !self.measure_names.contains_key(&known)
        {
            return Err(over_limit(MAX_MEASURE_NAMES, "measure names"));
        }
        Ok(())
    }

    /// The row of the record's identity, if there is one.
    fn find(&self, record: &Record) -> Option<RowAt> {
        let mut dimensions = Vec::with_capacity(record.dimensions.len());
        for (name, value) in &record.dimensions {
            match self.columns.get(&name.to_lowercase())?.part {
                Part::Dimension(number) => dimensions.push((number, value.clone())),
                Part::Measure(..) => return None,
            }
        }
        let id = self.series_ids.get(&Series::new(&record.measure_name, dimensions))?;
        self.rows.get(&(*id, record.time_ns)).copied()
    }

    /// Whether a row has exactly the record's measures already.
    fn repeats(&self, at: RowAt, record: &Record) -> bool {
        let number = |name: &str| match self.columns.get(&name.to_lowercase())?.part {
            Part::Measure(number, _) => Some(number),
            Part::Dimension(_) => None,
        };
        let measures = record.measures.columns();
        let values: Option<Vec<(usize, &Value)>> =
            measures.into_iter().map(|(name, value)| Some((number(name)?, value))).collect();
        values.is_some_and(|values| self.chunks[at.chunk].holds(at.row, &values))
    }

    /// Adds a row of the record's identity, without measures yet.
    fn add_row(&mut self, record: &Record) -> RowAt {
        let dimensions = record.dimensions.iter();
        let dimensions =
            dimensions.map(|(name, value)| (self.dimension_number(name), value.clone())).collect();
        let series = Series::new(&record.measure_name, dimensions);
        let id = self.series_id(series, record.measures.type_name());
        if self.chunks.last().is_none_or(Chunk::is_full) {
            self.chunks.push(Chunk::default());
        }
        let chunk = self.chunks.len() - 1;
        let row = self.chunks[chunk].push(id, record.time_ns);
        let at = RowAt { chunk, row };
        self.rows.insert((id, record.time_ns), at);
        at
    }

    fn dimension_number(&mut self, name: &str) -> usize {
        let next = Part::Dimension(self.dimensions.len());
        match self.part_of(name, next) {
            Part::Dimension(number) => {
                if number == self.dimensions.len() {
                    self.dimensions.push(name.to_owned());
                }
                number
            }
            Part::Measure(..) => unreachable!("`check_columns` refuses a dimension named so"),
        }
    }

    fn measure_number(&mut self, name: &str, scalar: ScalarType) -> usize {
        let next = Part::Measure(self.measures.len(), scalar);
        match self.part_of(name, next) {
            Part::Measure(number, _) => {
                if number == self.measures.len() {
                    self.measures.push((name.to_owned(), scalar));
                }
                number
            }
            Part::Dimension(_) => unreachable!("`check_columns` refuses a measure named so"),
        }
    }

    /// What the column `name` is, or becomes now.
    fn part_of(&mut self, name: &str, next: Part) -> Part {
        let column = self.columns.entry(name.to_lowercase());
        column.or_insert_with(|| Column { name: name.to_owned(), part: next }).part
    }

    fn series_id(&mut self, series: Series, measure_type: &'static str) -> u32 {
        let known = (series.measure_name.clone(), measure_type);
        let dimensions = series.dimensions.iter().map(|(number, _)| *number);
        self.measure_names.entry(known).or_default().extend(dimensions);
        if let Some(&id) = self.series_ids.get(&series) {
            return id;
        }
        let id = u32::try_from(self.series.len()).expect("a table in memory has fewer series");
        self.series.push(series.clone());
        self.series_ids.insert(series, id);
        id
    }
}

impl Column {
    /// Whether `name` may be written to this column, as `fits` knows.
    fn check(&self, name: &str, fits: impl Fn(Part) -> bool) -> Result<(), Rejection> {
        if self.name != name {
            return Err(Rejection::because(format!(
                "The name '{name}' differs only in case from the column '{}' of this table.",
                self.name
            )));
        }
        if fits(self.part) {
            return Ok(());
        }
        Err(Rejection::because(match self.part {
            Part::Dimension(_) => {
                format!("The name '{name}' is already a dimension of this table.")
            }
            Part::Measure(_, scalar) => format!(
                "The name '{name}' is already a measure of type {} in this table.",
                scalar.wire_name()
            ),
        }))
    }
}

impl ColumnKind {
    /// The column's type as SQL names it.
    pub(crate) fn type_name(self) -> &'static str {
        match self {
            Self::Dimension | Self::MeasureName => "varchar",
            Self::Time => "timestamp",
            Self::Measure(scalar) => scalar.sql_name(),
        }
    }

    /// The column's part as `DESCRIBE` names it.
    pub(crate) fn attribute_name(self) -> &'static str {
        match self {
            Self::Dimension => "DIMENSION",
            Self::MeasureName => "MEASURE_NAME",
            Self::Time => "TIMESTAMP",
            Self::Measure(_) => "MEASURE_VALUE",
        }
    }

    fn field(self, name: &str) -> Field {
        let data_type = match self {
            Self::Dimension | Self::MeasureName | Self::Measure(ScalarType::Varchar) => {
                DataType::Utf8
            }
            Self::Time | Self::Measure(ScalarType::Timestamp) => {
                DataType::Timestamp(TimeUnit::Nanosecond, None)
            }
            Self::Measure(ScalarType::BigInt) => DataType::Int64,
            Self::Measure(ScalarType::Boolean) => DataType::Boolean,
            Self::Measure(ScalarType::Double) => DataType::Float64,
        };
        let nullable = !matches!(self, Self::Time | Self::MeasureName);
        Field::new(name.to_lowercase(), data_type, nullable)
    }
}

/// Whether a record of version `asked` may replace one of version `existing`.
fn check_version(existing: i64, asked: i64) -> Result<(), Rejection> {
    let reason = match asked.cmp(&existing) {
        Ordering::Greater => return Ok(()),
        Ordering::Equal => {
            "A record already exists with the same time, dimensions, measure name, and record \
             version. A higher record version must be specified in order to update the measure \
             value. Specifying record version is supported by the latest SDKs."
                .to_owned()
        }
        Ordering::Less => format!(
            "The record version {asked} is lower than the existing version {existing}. A higher \
             version is required to update the measure value."
        ),
    };
    Err(Rejection { reason, existing_version: Some(existing) })
}

fn over_limit(limit: usize, what: &str) -> Rejection {
    Rejection::because(format!("The record would bring the table over its {limit} {what}."))
}

#[cfg(test)]
mod tests;
