//! `WriteRecords`: from the request's records to rows.
//!
//! A request that is malformed is refused as a whole. A record that is well formed but cannot be
//! stored (its value is not of its type, its time is outside the window, its version is not
//! higher) is rejected by itself, and the other records of the request are stored.

use std::collections::BTreeSet;

use serde_json::{Value as Json, json};

use crate::error::{ApiError, RejectedRecord};
use crate::store::{Measures, Record, Rejection, TableEntry, Tier};
use crate::value::{ScalarType, TimeUnit, Value};
use crate::wire::{self, DimensionWire, MeasureValueWire, RecordWire, WriteRecordsRequest};
use crate::{Shared, control};

const MAX_RECORDS: usize = 100;
const MAX_DIMENSIONS: usize = 128;
const MAX_MULTI_VALUES: usize = 256;
const MAX_VALUE_BYTES: usize = 2_048;
const MAX_DIMENSION_NAME_BYTES: usize = 60;
const MAX_MEASURE_NAME_BYTES: usize = 256;

pub(crate) fn write_records(shared: &Shared, body: &[u8]) -> Result<Json, ApiError> {
    let request: WriteRecordsRequest = wire::parse(body)?;
    let database = wire::required(request.database_name, "databaseName")?;
    let table = wire::required(request.table_name, "tableName")?;
    let records = wire::required(request.records, "records")?;
    if records.is_empty() || records.len() > MAX_RECORDS {
        return Err(ApiError::validation(format!(
            "1 validation error detected: Value at 'records' failed to satisfy constraint: Member \
             must have length from 1 to {MAX_RECORDS}"
        )));
    }
    let now_ns = shared.config.clock.now_ns();
    let mut catalog = shared.catalog();
    let entry = control::table(&mut catalog, &database, &table)?;
    let common = request.common_attributes.unwrap_or_default();
    // All are read before any is stored: a malformed one refuses the whole request.
    let drafts: Vec<Draft> =
        records.iter().map(|record| Draft::read(&common, record)).collect::<Result<_, _>>()?;
    store(entry, now_ns, drafts)
}

fn store(entry: &mut TableEntry, now_ns: i64, drafts: Vec<Draft>) -> Result<Json, ApiError> {
    let (mut memory, mut magnetic) = (0, 0);
    let mut rejected = Vec::new();
    for (index, draft) in drafts.into_iter().enumerate() {
        match store_one(entry, now_ns, draft) {
            Ok(Tier::Memory) => memory += 1,
            Ok(Tier::Magnetic) => magnetic += 1,
            Err(Rejection { reason, existing_version }) => {
                rejected.push(RejectedRecord { index, reason, existing_version });
            }
        }
    }
    if !rejected.is_empty() {
        return Err(ApiError::rejected(rejected));
    }
    Ok(json!({
        "RecordsIngested": {
            "Total": memory + magnetic,
            "MemoryStore": memory,
            "MagneticStore": magnetic,
        }
    }))
}

fn store_one(entry: &mut TableEntry, now_ns: i64, draft: Draft) -> Result<Tier, Rejection> {
    let record = draft.into_record()?;
    let tier = entry.retention.tier(record.time_ns, now_ns, entry.magnetic_writes);
    let tier = tier.map_err(Rejection::because)?;
    entry.rows.upsert(&record)?;
    Ok(tier)
}

/// A well-formed record whose values have not been read as their types yet.
struct Draft {
    dimensions: Vec<(String, String)>,
    measure_name: String,
    time_ns: i64,
    unit: TimeUnit,
    version: i64,
    measures: DraftMeasures,
}

enum DraftMeasures {
    Single(ScalarType, String),
    Multi(Vec<(String, ScalarType, String)>),
}

impl Draft {
    /// Merges a record with the request's common attributes. The record's own members win;
    /// dimensions and measure values of both are joined.
    fn read(common: &RecordWire, own: &RecordWire) -> Result<Self, ApiError> {
        let unit = own.time_unit.as_ref().or(common.time_unit.as_ref());
        let unit = unit.map_or(Some(TimeUnit::Milliseconds), |name| TimeUnit::from_wire(name));
        let unit = unit.ok_or_else(|| ApiError::validation("Invalid time unit for record."))?;
        let time = own.time.as_ref().or(common.time.as_ref());
        let time_ns = time.and_then(|time| unit.parse_ns(time));
        let time_ns = time_ns.ok_or_else(|| ApiError::validation("Invalid time for record."))?;
        let version = own.version.or(common.version).unwrap_or(1);
        if version < 1 {
            return Err(ApiError::validation(format!(
                "The record version {version} is invalid: it must be 1 or greater."
            )));
        }
        let measure_name = own.measure_name.as_ref().or(common.measure_name.as_ref());
        let measure_name =
            checked_name(measure_name.map(String::as_str), "measure name", MAX_MEASURE_NAME_BYTES)?;
        Ok(Self {
            dimensions: read_dimensions(common, own)?,
            measures: read_measures(common, own)?,
            measure_name,
            time_ns,
            unit,
            version,
        })
    }

    /// Reads the values as their types.
    fn into_record(self) -> Result<Record, Rejection> {
        let Self { dimensions, measure_name, time_ns, unit, version, measures } = self;
        let read = |scalar: ScalarType, text: &str| {
            Value::parse(scalar, text, unit).ok_or_else(|| {
                Rejection::because(format!(
                    "The measure value '{text}' is not a valid {}.",
                    scalar.wire_name()
                ))
            })
        };
        let measures = match measures {
            DraftMeasures::Single(scalar, text) => Measures::Single(read(scalar, &text)?),
            DraftMeasures::Multi(values) => Measures::Multi(
                values
                    .into_iter()
                    .map(|(name, scalar, text)| Ok((name, read(scalar, &text)?)))
                    .collect::<Result<_, _>>()?,
            ),
        };
        Ok(Record { dimensions, measure_name, time_ns, version, measures })
    }
}

fn read_dimensions(
    common: &RecordWire,
    own: &RecordWire,
) -> Result<Vec<(String, String)>, ApiError> {
    let both = [common, own].into_iter().flat_map(|record| record.dimensions.iter().flatten());
    let dimensions: Vec<(String, String)> = both.map(read_dimension).collect::<Result<_, _>>()?;
    if dimensions.len() > MAX_DIMENSIONS {
        return Err(ApiError::validation(format!(
            "A record must have at most {MAX_DIMENSIONS} dimensions."
        )));
    }
    unique_names(dimensions.iter().map(|(name, _)| name.as_str()), "dimension")?;
    Ok(dimensions)
}

fn read_dimension(wire: &DimensionWire) -> Result<(String, String), ApiError> {
    let DimensionWire { name, value, dimension_value_type } = wire;
    let name = checked_name(name.as_deref(), "dimension name", MAX_DIMENSION_NAME_BYTES)?;
    let lower = name.to_lowercase();
    if matches!(lower.as_str(), "time" | "measure_name" | "ts_non_existent_col")
        || lower.starts_with("measure_value")
    {
        return Err(ApiError::validation(format!("The dimension name '{name}' is reserved.")));
    }
    if dimension_value_type.as_ref().is_some_and(|kind| kind != "VARCHAR") {
        return Err(ApiError::validation(format!(
            "The dimension '{name}' must be of type VARCHAR."
        )));
    }
    let value = checked_value(value.as_deref(), &name)?;
    Ok((name, value))
}

fn read_measures(common: &RecordWire, own: &RecordWire) -> Result<DraftMeasures, ApiError> {
    let kind = own.measure_value_type.as_ref().or(common.measure_value_type.as_ref());
    let value = own.measure_value.as_ref().or(common.measure_value.as_ref());
    let both = [common, own].into_iter().flat_map(|record| record.measure_values.iter().flatten());
    let values: Vec<&MeasureValueWire> = both.collect();
    let kind = kind.map_or("DOUBLE", String::as_str);
    if kind != "MULTI" {
        if !values.is_empty() {
            return Err(ApiError::validation(
                "MeasureValues are allowed for records of type MULTI only.",
            ));
        }
        let value = checked_value(value.map(String::as_str), "measure")?;
        return Ok(DraftMeasures::Single(scalar_type(kind)?, value));
    }
    if value.is_some() {
        return Err(ApiError::validation("A record of type MULTI must not have a MeasureValue."));
    }
    if values.is_empty() || values.len() > MAX_MULTI_VALUES {
        return Err(ApiError::validation(format!(
            "A record of type MULTI must have from 1 to {MAX_MULTI_VALUES} MeasureValues."
        )));
    }
    let values: Vec<(String, ScalarType, String)> =
        values.into_iter().map(read_measure_value).collect::<Result<_, _>>()?;
    unique_names(values.iter().map(|(name, ..)| name.as_str()), "measure")?;
    Ok(DraftMeasures::Multi(values))
}

fn read_measure_value(wire: &MeasureValueWire) -> Result<(String, ScalarType, String), ApiError> {
    let MeasureValueWire { name, value, value_type } = wire;
    let name = checked_name(name.as_deref(), "measure name", MAX_MEASURE_NAME_BYTES)?;
    let lower = name.to_lowercase();
    if matches!(lower.as_str(), "time" | "measure_name") || lower.starts_with("measure_value") {
        return Err(ApiError::validation(format!("The measure name '{name}' is reserved.")));
    }
    let kind = wire::required(value_type.as_deref(), "measureValues.type")?;
    let value = checked_value(value.as_deref(), &name)?;
    Ok((name, scalar_type(kind)?, value))
}

fn scalar_type(name: &str) -> Result<ScalarType, ApiError> {
    ScalarType::from_wire(name)
        .ok_or_else(|| ApiError::validation(format!("Invalid measure value type '{name}'.")))
}

/// A name that may become a column or a measure name.
fn checked_name(name: Option<&str>, what: &str, max_bytes: usize) -> Result<String, ApiError> {
    match name {
        None | Some("") => Err(ApiError::validation(format!("The {what} must not be empty."))),
        Some(name) if name.len() > max_bytes => Err(ApiError::validation(format!(
            "The {what} '{name}' has more than {max_bytes} bytes."
        ))),
        Some(name) if name.contains(':') || name.to_lowercase().starts_with("ts_") => {
            Err(ApiError::validation(format!(
                "The {what} '{name}' must not contain a colon or begin with 'ts_'."
            )))
        }
        Some(name) => Ok(name.to_owned()),
    }
}

fn checked_value(value: Option<&str>, of: &str) -> Result<String, ApiError> {
    match value {
        None | Some("") => Err(ApiError::validation(format!("The value of '{of}' is empty."))),
        Some(value) if value.len() > MAX_VALUE_BYTES => Err(ApiError::validation(format!(
            "The value of '{of}' has more than {MAX_VALUE_BYTES} bytes."
        ))),
        Some(value) => Ok(value.to_owned()),
    }
}

fn unique_names<'a>(names: impl Iterator<Item = &'a str>, what: &str) -> Result<(), ApiError> {
    let mut seen = BTreeSet::new();
    for name in names {
        // SQL does not tell names apart by case.
        if !seen.insert(name.to_lowercase()) {
            return Err(ApiError::validation(format!(
                "A record must not have the {what} '{name}' twice."
            )));
        }
    }
    Ok(())
}
