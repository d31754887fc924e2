//! Both stores as streams of rows, in the order of series and time.
//!
//! The stores do the sorting, so that the harness holds one page of each. That the order really
//! is the agreed one is checked by the comparison, not believed.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use cutover_clients::influx::{FluxReader, FluxRow, FluxSchema, FluxType, FluxValue, InfluxClient};
use cutover_clients::timestream::{QueryReader, TimestreamClient, TimestreamValue};
use cutover_model::scenario::DataSet;
use cutover_model::{FieldType, FieldValue};
use cutover_parity::{Cell, RowBatch, Schema};

use crate::checks::CollectError;
use crate::names::{FLUX_ALL_TIME, flux_text, flux_texts, sql_name};

/// Empty strings of the destination that are remembered; more make the comparison inconclusive.
const EMPTY_TEXTS_CAP: usize = 100_000;

/// The source's rows of one data set.
pub(crate) struct SourceStream {
    pages: QueryReader,
    schema: Arc<Schema>,
}

impl SourceStream {
    pub(crate) fn open(source: &TimestreamClient, data: &DataSet, schema: &Arc<Schema>) -> Self {
        let pages = source.query(&ordered_select(data));
        Self { pages, schema: Arc::clone(schema) }
    }

    pub(crate) async fn next(&mut self) -> Result<Option<RowBatch>, CollectError> {
        let Some(page) = self.pages.next_page().await.map_err(CollectError::Source)? else {
            return Ok(None);
        };
        let mut batch = RowBatch::with_capacity(&self.schema, page.rows.len());
        for cells in &page.rows {
            push_source_row(&mut batch, &self.schema, cells)?;
        }
        Ok(Some(batch))
    }
}

/// Time first, then the tags and fields in the order of the schema.
fn ordered_select(data: &DataSet) -> String {
    let tags: Vec<String> = data.tags.iter().map(|tag| sql_name(&tag.tag)).collect();
    let fields = data.fields.iter().map(|field| sql_name(&field.field));
    let columns: Vec<String> = tags.iter().cloned().chain(fields).collect();
    let order = tags.iter().map(|tag| format!("{tag} ASC NULLS FIRST"));
    let order = order.chain(["time ASC".to_owned()]).collect::<Vec<_>>().join(", ");
    let (database, table) = (sql_name(&data.bucket), sql_name(&data.measurement));
    let columns = columns.join(", ");
    format!("SELECT time, {columns} FROM {database}.{table} ORDER BY {order}")
}

fn push_source_row(
    batch: &mut RowBatch,
    schema: &Schema,
    cells: &[TimestreamValue],
) -> Result<(), CollectError> {
    let shape = |problem: String| CollectError::Shape { store: "source", problem };
    let [TimestreamValue::Timestamp(time_ns), rest @ ..] = cells else {
        return Err(shape("a row has no time".to_owned()));
    };
    let (tag_cells, field_cells) = rest.split_at(schema.tags.len().min(rest.len()));
    let mut tags = Vec::with_capacity(tag_cells.len());
    for (tag, cell) in schema.tags.iter().zip(tag_cells) {
        tags.push(match cell {
            TimestreamValue::Null => None,
            TimestreamValue::Field(FieldValue::Text(text)) => Some(text.as_str()),
            _ => return Err(shape(format!("dimension `{tag}` is no text"))),
        });
    }
    batch.begin_row(&tags, *time_ns);
    for (index, cell) in field_cells.iter().enumerate() {
        let value = match cell {
            TimestreamValue::Null => continue,
            TimestreamValue::Field(value) => Cell::from(value),
            // The migration's mapping of a TIMESTAMP measure: an integer of nanoseconds.
            TimestreamValue::Timestamp(time_ns) => Cell::Integer(*time_ns),
            TimestreamValue::Other(_) => {
                let field = &schema.fields[index].name;
                return Err(shape(format!("measure `{field}` has a type that is not compared")));
            }
        };
        batch.set(index, value);
    }
    Ok(())
}

/// The destination's rows of one data set.
pub(crate) struct DestinationStream {
    rows: FluxReader,
    schema: Arc<Schema>,
    places: Option<(Arc<FluxSchema>, Places)>,
    empty_texts: EmptyTexts,
    unknown_columns: BTreeMap<String, u64>,
}

/// Where the columns of an answer go.
struct Places {
    time: usize,
    tags: Vec<Option<usize>>,
    fields: Vec<Option<usize>>,
    /// Columns that belong to neither the data set nor the answer's own form.
    unknown: Vec<usize>,
}

impl DestinationStream {
    pub(crate) async fn open(
        destination: &InfluxClient,
        data: &DataSet,
        schema: &Arc<Schema>,
    ) -> Result<Self, CollectError> {
        let empty_texts = EmptyTexts::find(destination, data, schema).await?;
        let rows =
            destination.query(&ordered_flux(data)).await.map_err(CollectError::Destination)?;
        Ok(Self {
            rows,
            schema: Arc::clone(schema),
            places: None,
            empty_texts,
            unknown_columns: BTreeMap::new(),
        })
    }

    pub(crate) async fn next(&mut self) -> Result<Option<RowBatch>, CollectError> {
        let Some(chunk) = self.rows.next().await.map_err(CollectError::Destination)? else {
            return Ok(None);
        };
        let known = self.places.as_ref().is_some_and(|(of, _)| Arc::ptr_eq(of, chunk.schema()));
        if !known {
            let places = Places::find(&self.schema, chunk.schema())?;
            self.places = Some((Arc::clone(chunk.schema()), places));
        }
        let mut batch = RowBatch::with_capacity(&self.schema, chunk.len());
        let (_, places) = self.places.as_ref().expect("the places were found above");
        for row in chunk.rows() {
            push_destination_row(&mut batch, (&self.schema, places, &self.empty_texts), row)?;
            for &place in &places.unknown {
                if !row.text(place).map_err(CollectError::Destination)?.is_empty() {
                    let name = chunk.schema().columns[place].name.clone();
                    *self.unknown_columns.entry(name).or_default() += 1;
                }
            }
        }
        Ok(Some(batch))
    }

    /// Columns that the data set does not have, and how many rows have a value there.
    pub(crate) fn into_unknown_columns(self) -> BTreeMap<String, u64> {
        self.unknown_columns
    }
}

fn from_measurement(data: &DataSet) -> String {
    let (bucket, measurement) = (flux_text(&data.bucket), flux_text(&data.measurement));
    format!(
        "from(bucket: {bucket})\n  |> {FLUX_ALL_TIME}\n  \
         |> filter(fn: (r) => r._measurement == {measurement})"
    )
}

fn ordered_flux(data: &DataSet) -> String {
    let tags = data.tags.iter().map(|tag| tag.tag.as_str());
    let order = flux_texts(tags.chain(["_time"]));
    let from = from_measurement(data);
    format!(
        "{from}\n  \
         |> pivot(rowKey: [\"_time\"], columnKey: [\"_field\"], valueColumn: \"_value\")\n  \
         |> group()\n  |> sort(columns: {order})"
    )
}

impl Places {
    fn find(schema: &Schema, found: &FluxSchema) -> Result<Self, CollectError> {
        let time = found.position("_time").ok_or_else(|| CollectError::Shape {
            store: "destination",
            problem: "an answer has no column `_time`".to_owned(),
        })?;
        let own = ["result", "table", "_start", "_stop", "_time", "_measurement"];
        let is_known = |name: &str| {
            own.contains(&name)
                || schema.tags.iter().any(|tag| tag == name)
                || schema.field_index(name).is_some()
        };
        let columns = found.columns.iter().enumerate();
        let unknown = columns.filter(|(_, column)| !is_known(&column.name));
        Ok(Self {
            time,
            tags: schema.tags.iter().map(|tag| found.position(tag)).collect(),
            fields: schema.fields.iter().map(|field| found.position(&field.name)).collect(),
            unknown: unknown.map(|(place, _)| place).collect(),
        })
    }
}

fn push_destination_row(
    batch: &mut RowBatch,
    (schema, places, empty_texts): (&Schema, &Places, &EmptyTexts),
    row: FluxRow<'_>,
) -> Result<(), CollectError> {
    let value = |place| row.value(place).map_err(CollectError::Destination);
    let FluxValue::Time(time_ns) = value(places.time)? else {
        let problem = "a row has no time".to_owned();
        return Err(CollectError::Shape { store: "destination", problem });
    };
    let mut tags = Vec::with_capacity(places.tags.len());
    for place in &places.tags {
        let text = match place {
            Some(place) => row.text(*place).map_err(CollectError::Destination)?,
            None => "",
        };
        // No tag value is empty, so an empty cell is an absent tag.
        tags.push((!text.is_empty()).then_some(text));
    }
    batch.begin_row(&tags, time_ns);
    for (index, place) in places.fields.iter().enumerate() {
        let Some(place) = place else { continue };
        let cell = match value(*place)? {
            FluxValue::EmptyOrNull if empty_texts.contains(index, &tags, time_ns) => Cell::Text(""),
            FluxValue::Null | FluxValue::EmptyOrNull => continue,
            FluxValue::Text(value) => Cell::Text(value),
            FluxValue::Float(value) => Cell::Float(value),
            FluxValue::Integer(value) => Cell::Integer(value),
            FluxValue::Unsigned(value) => Cell::Unsigned(value),
            FluxValue::Boolean(value) => Cell::Boolean(value),
            FluxValue::Time(_) | FluxValue::Duration(_) | FluxValue::Binary(_) => {
                let problem = format!("field `{}` is no field value", schema.fields[index].name);
                return Err(CollectError::Shape { store: "destination", problem });
            }
        };
        batch.set(index, cell);
    }
    Ok(())
}

/// Where the destination holds an empty string. Annotated CSV writes it like null, so that a query
/// of its own has to tell them apart.
struct EmptyTexts(BTreeSet<(usize, Vec<Option<String>>, i64)>);

impl EmptyTexts {
    async fn find(
        destination: &InfluxClient,
        data: &DataSet,
        schema: &Schema,
    ) -> Result<Self, CollectError> {
        let mut found = BTreeSet::new();
        let texts = schema.fields.iter().enumerate();
        for (index, field) in texts.filter(|(_, field)| field.field_type == FieldType::Text) {
            let from = from_measurement(data);
            let name = flux_text(&field.name);
            let flux = format!(
                "{from}\n  |> filter(fn: (r) => r._field == {name})\n  \
                 |> filter(fn: (r) => r._value == \"\")"
            );
            let mut rows = destination.query(&flux).await.map_err(CollectError::Destination)?;
            while let Some(chunk) = rows.next().await.map_err(CollectError::Destination)? {
                let places = Places::find(schema, chunk.schema())?;
                let text = chunk
                    .schema()
                    .position("_value")
                    .is_some_and(|place| chunk.schema().columns[place].kind == FluxType::Text);
                for row in chunk.rows().filter(|_| text) {
                    found.insert(key(index, &places, row)?);
                }
                if found.len() > EMPTY_TEXTS_CAP {
                    let problem = format!("it holds over {EMPTY_TEXTS_CAP} empty strings");
                    return Err(CollectError::Shape { store: "destination", problem });
                }
            }
        }
        Ok(Self(found))
    }

    fn contains(&self, field: usize, tags: &[Option<&str>], time_ns: i64) -> bool {
        !self.0.is_empty() && {
            let tags = tags.iter().map(|tag| tag.map(str::to_owned)).collect();
            self.0.contains(&(field, tags, time_ns))
        }
    }
}

fn key(
    field: usize,
    places: &Places,
    row: FluxRow<'_>,
) -> Result<(usize, Vec<Option<String>>, i64), CollectError> {
    let FluxValue::Time(time_ns) = row.value(places.time).map_err(CollectError::Destination)?
    else {
        let problem = "a row has no time".to_owned();
        return Err(CollectError::Shape { store: "destination", problem });
    };
    let mut tags = Vec::with_capacity(places.tags.len());
    for place in &places.tags {
        let text = match place {
            Some(place) => row.text(*place).map_err(CollectError::Destination)?,
            None => "",
        };
        tags.push((!text.is_empty()).then(|| text.to_owned()));
    }
    Ok((field, tags, time_ns))
}
