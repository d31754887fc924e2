//! Functions that move rows between tables: `group`, `union`, and merging by group key.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;

use super::{Builtin, Call, optional, piped, required};
use crate::flux::error::FluxError;
use crate::flux::scalar_key::ScalarKey;
use crate::flux::stream::{Stream, Tables};
use crate::flux::table::{Column, ColumnBuilder, Data, GroupKey, Table, collision};
use crate::flux::value::{ColumnType, Value};

pub(super) const BUILTINS: &[Builtin] = &[
    Builtin {
        package: "",
        name: "group",
        parameters: &[piped("tables"), optional("columns"), optional("mode")],
        run: group,
    },
    Builtin { package: "", name: "union", parameters: &[required("tables")], run: union },
];

fn group(call: &Call<'_>) -> Result<Value, FluxError> {
    let labels = call.strings("columns")?.unwrap_or_default();
    let by = match &*call.string_or("mode", "by")? {
        "by" => true,
        "except" => false,
        _ => {
            return Err(FluxError::new("invalid group mode: must be \"by\" or \"except\""));
        }
    };
    let (mut stream, mut site) = (call.stream("tables")?, call.site);
    // The server makes one grouping of two, and knows the place of neither.
    if let Some(ungrouped) = stream.grouped.take().filter(|_| !stream.yielded) {
        (stream, site) = ((*ungrouped).clone(), site.planned());
    }
    let ungrouped = Some(Arc::new(stream.clone()));
    let of_points = |label: &Arc<str>| matches!(&**label, "_time" | "_value");
    if by && stream.read.is_some() && !labels.iter().any(of_points) {
        let mut grouped = group_in_store(&stream, labels)?;
        grouped.grouped = ungrouped;
        return Ok(Value::Stream(grouped));
    }
    let mut grouped = stream.regrouped(site, move |table| {
        let all = table.columns.iter().map(|column| Arc::clone(&column.label));
        let keyed: Vec<Arc<str>> = all.filter(|label| labels.contains(label) == by).collect();
        Ok(split(table, &keyed))
    })?;
    grouped.grouped = ungrouped;
    Ok(Value::Stream(grouped))
}

/// Grouping in the store itself keeps the range in the key and knows labels that a series lacks.
fn group_in_store(stream: &Stream, labels: Vec<Arc<str>>) -> Result<Stream, FluxError> {
    let parts = stream.by_store(move |tables| {
        let mut parts = Vec::new();
        for table in tables {
            let absent: Vec<Arc<str>> =
                labels.iter().filter(|label| table.column(label).is_none()).cloned().collect();
            let all = table.columns.iter().map(|column| Arc::clone(&column.label));
            let of_range = |label: &Arc<str>| matches!(&**label, "_start" | "_stop");
            let keyed: Vec<Arc<str>> =
                all.filter(|label| labels.contains(label) || of_range(label)).collect();
            parts.extend(split(table, &keyed).into_iter().map(|mut part| {
                // The group key has an empty text for them, the rows have nothing.
                for label in &absent {
                    part.key = part.key.with(label, Value::string(""));
                }
                part
            }));
        }
        // Groups come in order of the labels as they are given, those without a label last.
        let place = |part: &Table| -> Vec<(bool, Arc<str>)> {
            let values = labels.iter().map(|label| match part.key.get(label) {
                Some(Value::String(text)) => (text.is_empty(), Arc::clone(text)),
                _ => (true, Arc::from("")),
            });
            values.collect()
        };
        parts.sort_by_cached_key(place);
        Ok(Box::new(parts.into_iter().map(Ok)) as Tables)
    })?;
    let merged = |parts| {
        // A function that reads on sees nothing of a group in which there is a mistake.
        let whole = |group: &Merged| !matches!(group, Merged::Begun(_));
        let groups = merged_in_store(parts).filter(whole).map(Merged::into_result);
        Ok(Box::new(groups) as Tables)
    };
    let mut merged = parts.by_store(merged)?;
    merged.parts = Some(Arc::new(parts));
    Ok(merged)
}

/// A grouping in the store as the client sees it: the rows of the first type in a group come before
/// the mistake that there is another.
pub(crate) fn shown(stream: &Stream) -> Result<Stream, FluxError> {
    match &stream.parts {
        None => Ok(stream.ended()),
        Some(parts) => parts.by_store(|parts| {
            let groups = merged_in_store(parts).map(Merged::into_result);
            Ok(Box::new(groups) as Tables)
        }),
    }
}

/// A part of a grouping in the store.
pub(super) enum Merged {
    Whole(Result<Table, FluxError>),
    /// The rows before a mistake.
    Begun(Result<Table, FluxError>),
}

impl Merged {
    pub(super) fn into_result(self) -> Result<Table, FluxError> {
        match self {
            Self::Whole(table) | Self::Begun(table) => table,
        }
    }
}

/// Puts the parts of each group together, which stand beside each other. A group may have values of
/// several types.
pub(super) fn merged_in_store(parts: Vec<Table>) -> impl Iterator<Item = Merged> + Send + use<> {
    let mut groups: Vec<Vec<Table>> = Vec::new();
    for part in parts {
        match groups.last_mut().filter(|group| group[0].key == part.key) {
            Some(group) => group.push(part),
            None => groups.push(vec![part]),
        }
    }
    groups.into_iter().flat_map(|mut parts| {
        fill_tags(&mut parts);
        let kind = |table: &Table| table.column("_value").map(Column::kind);
        let first = parts.first().and_then(kind);
        let Some(at) = parts.iter().position(|part| kind(part) != first) else {
            return vec![Merged::Whole(join_rows(parts))];
        };
        let word = |kind: Option<ColumnType>| kind.map_or("null", ColumnType::storage_word);
        let (one, other) = (word(first), word(kind(&parts[at])));
        parts.truncate(at);
        let message = format!("schema collision: cannot group {one} and {other} types together");
        vec![Merged::Begun(join_rows(parts)), Merged::Whole(Err(FluxError::new(message)))]
    })
}

/// Gives each part the tags that only others of its group have: in a group, the server has an empty
/// text for a tag that a series lacks.
fn fill_tags(parts: &mut [Table]) {
    let tags = parts.iter().flat_map(|part| &part.columns);
    let tags =
        tags.filter(|column| &*column.label != "_value" && column.kind() == ColumnType::String);
    let tags: BTreeSet<Arc<str>> = tags.map(|column| Arc::clone(&column.label)).collect();
    for part in parts {
        for tag in &tags {
            if part.column(tag).is_none() {
                part.put(Column::repeat(tag, Value::string("")));
            }
        }
    }
}

/// Splits a table by the values of some columns, which become its group key.
pub(super) fn split(mut table: Table, labels: &[Arc<str>]) -> Vec<Table> {
    let varying: Vec<&Column> = table
        .columns
        .iter()
        .filter(|column| labels.contains(&column.label) && !is_constant(column))
        .collect();
    if varying.is_empty() {
        let entries = table.columns.iter().filter(|column| labels.contains(&column.label));
        let value = |column: &Column| match &column.data {
            Data::Repeat { value, .. } => value.clone(),
            _ => Value::Null(Some(column.kind())),
        };
        table.key = entries.map(|column| (Arc::clone(&column.label), value(column))).collect();
        return vec![table];
    }
    let mut groups_by_key: HashMap<Vec<ScalarKey>, usize> = HashMap::new();
    let mut groups: Vec<Vec<usize>> = Vec::new();
    let mut key = Vec::new();
    for row in 0..table.rows {
        key.clear();
        key.extend(varying.iter().map(|column| ScalarKey::of(column, row)));
        let at = groups_by_key.get(&key).copied().unwrap_or_else(|| {
            groups_by_key.insert(key.clone(), groups.len());
            groups.push(Vec::new());
            groups.len() - 1
        });
        groups[at].push(row);
    }
    let parts = groups.into_iter().map(|rows| {
        let columns = table.columns.iter().map(|column| {
            // The two zeros are one key, but the rows keep theirs.
            if labels.contains(&column.label) && column.kind() != ColumnType::Float {
                let (value, kind) = (column.value(rows[0]), column.kind());
                return Column::new(&column.label, Data::Repeat { value, kind });
            }
            column.take(&rows)
        });
        Table::keyed(labels, columns.collect(), rows.len())
    });
    parts.collect()
}

/// Whether all tables have one and the same value in all rows of a column.
fn is_shared(column: &Column, tables: &[Table]) -> bool {
    let Data::Repeat { value, kind } = &column.data else { return false };
    tables.iter().all(|table| match table.column(&column.label) {
        Some(Column { data: Data::Repeat { value: own, kind: own_kind }, .. }) => {
            own_kind == kind && own.same_scalar(value)
        }
        _ => false,
    })
}

fn is_constant(column: &Column) -> bool {
    matches!(column.data, Data::Repeat { .. })
}

/// Tables with equal group keys that are put together.
#[derive(Default)]
pub(crate) struct Merge {
    places: BTreeMap<GroupKey, usize>,
    groups: Vec<Group>,
}

#[derive(Default)]
struct Group {
    tables: Vec<Table>,
    /// The types of the columns so far.
    kinds: BTreeMap<Arc<str>, ColumnType>,
}

impl Merge {
    /// Adds a table, whose columns must be of the types that they have in the tables before it.
    pub(crate) fn add(&mut self, table: Table) -> Result<(), FluxError> {
        let next = self.groups.len();
        let at = *self.places.entry(table.key.clone()).or_insert(next);
        if at == next {
            self.groups.push(Group::default());
        }
        let group = &mut self.groups[at];
        for column in &table.columns {
            match group.kinds.get(&column.label) {
                Some(kind) if *kind != column.kind() => {
                    return Err(collision(&column.label, column.kind(), *kind));
                }
                Some(_) => {}
                None => {
                    group.kinds.insert(Arc::clone(&column.label), column.kind());
                }
            }
        }
        group.tables.push(table);
        Ok(())
    }

    /// The tables in order of their keys. Columns that some parts lack are null there.
    pub(crate) fn finish(self) -> Result<Vec<Table>, FluxError> {
        let mut made = self.finish_as_made()?;
        made.sort_by(|left, right| left.key.cmp(&right.key));
        Ok(made)
    }

    /// [`finish`](Self::finish), in the order in which the keys came first.
    pub(crate) fn finish_as_made(self) -> Result<Vec<Table>, FluxError> {
        self.groups.into_iter().map(|group| join_rows(group.tables)).collect()
    }
}

/// [`Merge`], for tables that are there already.
pub(super) fn merge(tables: Vec<Table>) -> Result<Vec<Table>, FluxError> {
    let mut merge = Merge::default();
    tables.into_iter().try_for_each(|table| merge.add(table))?;
    merge.finish()
}

fn join_rows(mut tables: Vec<Table>) -> Result<Table, FluxError> {
    if tables.len() == 1 {
        return tables.pop().ok_or_else(|| FluxError::new("there are no tables to merge"));
    }
    let key = tables[0].key.clone();
    let mut builders: Vec<ColumnBuilder> = Vec::new();
    let mut constants: Vec<Column> = Vec::new();
    let mut labels: Vec<Arc<str>> = Vec::new();
    let mut rows = 0;
    for table in &tables {
        for column in &table.columns {
            if !labels.contains(&column.label) {
                labels.push(Arc::clone(&column.label));
            }
            if constants.iter().any(|own| own.label == column.label) {
                continue;
            }
            if is_constant(column) && (key.contains(&column.label) || is_shared(column, &tables)) {
                constants.push(column.clone());
                continue;
            }
            let at = builders.iter().position(|own| own.label() == &column.label);
            let at = at.unwrap_or_else(|| {
                let mut builder = ColumnBuilder::new(&column.label, column.kind());
                builder.pad(rows);
                builders.push(builder);
                builders.len() - 1
            });
            builders[at].extend(column, table.rows)?;
        }
        rows += table.rows;
        for builder in &mut builders {
            builder.pad(rows);
        }
    }
    let columns = constants.into_iter().chain(builders.into_iter().map(ColumnBuilder::finish));
    let mut columns: Vec<Column> = columns.collect();
    columns.sort_by_key(|column| labels.iter().position(|label| *label == column.label));
    Ok(Table::new(key, columns, rows))
}

fn union(call: &Call<'_>) -> Result<Value, FluxError> {
    let streams = call.array("tables")?.unwrap_or_default();
    let streams = streams.iter().map(|value| match value {
        Value::Stream(stream) => Ok(stream.clone()),
        other => Err(call.wrong("tables", "stream", other)),
    });
    let streams: Vec<Stream> = streams.collect::<Result<_, _>>()?;
    if streams.len() < 2 {
        return Err(FluxError::new("union must have at least two streams as input"));
    }
    let joined = Stream::combined(streams, call.site, |tables| merge(tables.concat()))?;
    Ok(Value::Stream(joined))
}
