//! Reads the points of a measurement: chooses series, filters points, merges series.
//!
//! [`Engine::read`] gives points in order of series and time; [`Engine::tag_sets`] gives the series
//! unmerged, for functions that work on whole columns.

use std::cell::{Cell, RefCell};
use std::collections::BTreeMap;
use std::sync::Arc;

use super::catalog::{Catalog, Mapped, Series, Shard, ShardMeasurement, VIRTUAL_FIELDS};
use super::column::{self, Column};
use super::filter::{Candidate, Choice};
use super::heap::Heap;
use super::options::Options;
use super::points::{Head, Points, SeriesKey, SeriesTable, Tags, subset, tag};
use crate::Server;
use crate::influxql::ast::{DataType, Expr, Measurement, Page, VarRef};
use crate::influxql::error::{Outcome, QueryError};
use crate::influxql::eval::{Division, Eval, Missing};
use crate::influxql::value::Value;
use crate::store::{Points as Stored, Values};

/// How many of the configured cells a point costs, and each value along with it.
const CELLS_PER_POINT: u64 = 5;
const CELLS_PER_VALUE: u64 = 3;
/// What a value of a row of the answer costs, its text included.
const CELLS_PER_SHOWN: u64 = 8;

/// What one statement works with.
pub(crate) struct Engine<'a> {
    pub(super) server: &'a Server,
    pub(super) catalog: &'a Catalog,
    pub(super) now_ns: i64,
    pub(super) table: RefCell<SeriesTable>,
    spent_cells: Cell<u64>,
}

/// The points of one series within one shard group that pass the condition.
pub(super) struct Rows {
    /// The series under the tags that tell points apart.
    pub(super) series: u32,
    pub(super) times: Vec<i64>,
    /// The field that is asked for; none where only what comes along is.
    pub(super) main: Option<Values>,
    aux: Vec<Column>,
    /// Where the times stood before points were filtered out, to find values quickly.
    guesses: Option<Vec<usize>>,
}

impl Rows {
    /// What comes along with a point.
    pub(super) fn aux(&self, index: usize) -> impl Iterator<Item = Value> {
        let guess = self.guesses.as_ref().map_or(index, |guesses| guesses[index]);
        let time_ns = self.times[index];
        self.aux.iter().map(move |column| column.at(time_ns, guess))
    }

    fn value(&self, index: usize) -> Value {
        self.main.as_ref().map_or(Value::Null, |values| column::value(values, index))
    }
}

/// The series of a shard group that are shown as one.
pub(super) struct TagSet {
    pub(super) tags: Tags,
    /// Whether the field that is asked for is one of the measurement's, points or none.
    pub(super) readable: bool,
    pub(super) rows: Vec<Rows>,
}

/// One series that is read.
#[derive(Clone, Copy)]
struct Place<'a> {
    mapped: &'a Mapped,
    shard: &'a Shard,
    name: &'a Arc<str>,
    part: &'a ShardMeasurement,
    series: &'a Series,
}

impl<'a> Engine<'a> {
    pub(crate) fn new(server: &'a Server, catalog: &'a Catalog, now_ns: i64) -> Self {
        let table = RefCell::new(SeriesTable::default());
        Self { server, catalog, now_ns, table, spent_cells: Cell::new(0) }
    }

    /// Counts points against what one query may hold.
    pub(super) fn charge(&self, points: usize, width: usize) -> Outcome<()> {
        let cost = CELLS_PER_POINT + CELLS_PER_VALUE * width as u64;
        self.spend(cost.saturating_mul(points as u64))
    }

    /// Counts a row of the answer against what one query may hold.
    pub(crate) fn charge_row(&self, columns: usize) -> Outcome<()> {
        self.spend(CELLS_PER_SHOWN * columns as u64)
    }

    /// How many windows could be shown at most.
    pub(super) fn most_windows(&self) -> u64 {
        self.server.config.max_query_cells / (CELLS_PER_POINT + 2 * CELLS_PER_SHOWN)
    }

    fn spend(&self, cells: u64) -> Outcome<()> {
        let spent = self.spent_cells.get().saturating_add(cells);
        self.spent_cells.set(spent);
        let limit = self.server.config.max_query_cells;
        if spent <= limit {
            return Ok(());
        }
        let (spent, limit) = (spent / CELLS_PER_POINT, limit / CELLS_PER_POINT);
        Err(QueryError::new(format!("max-select-point limit exceeed: ({spent}/{limit})")))
    }

    /// The points of a source in order of series and time, under the limit where there is one.
    pub(super) fn read(
        &self,
        source: &Measurement,
        main: Option<&VarRef>,
        options: &Options,
    ) -> Outcome<Option<Points>> {
        let data_type = main.map_or(DataType::Float, |name| name.data_type);
        let mut by_series: BTreeMap<SeriesKey, Vec<Points>> = BTreeMap::new();
        let mut found = false;
        self.tag_sets(source, main, options, &mut |name, set| {
            found |= set.readable;
            let merged = self.merge(&set, data_type, options)?;
            let name: &Arc<str> = name;
            let shown = if options.strip_name { Arc::from("") } else { Arc::clone(name) };
            let key = SeriesKey { name: shown, tags: set.tags };
            by_series.entry(key).or_default().push(merged);
            Ok(())
        })?;
        let mut points = Points::new(data_type, options.aux.len());
        let mut append = |mut shards: Vec<Points>| {
            if !options.ascending {
                shards.reverse();
            }
            for shard in shards {
                points.append(shard);
            }
        };
        if options.ascending {
            by_series.into_values().for_each(&mut append);
        } else {
            by_series.into_values().rev().for_each(&mut append);
        }
        Ok(found.then_some(points))
    }

    /// Calls `each` for what a source reads as one series in one shard group.
    pub(super) fn tag_sets(
        &self,
        source: &Measurement,
        main: Option<&VarRef>,
        options: &Options,
        each: &mut dyn FnMut(&Arc<str>, TagSet) -> Outcome<()>,
    ) -> Outcome<()> {
        let Some(mapped) = self.catalog.mapped(source) else { return Ok(()) };
        for name in &self.catalog.names(source) {
            for shard in &mapped.shards {
                let Some(part) = shard.measurements.get(name) else { continue };
                for (tags, series) in choose(name, part, options) {
                    let (mut rows, mut readable) = (Vec::new(), false);
                    for (series, condition) in series {
                        let place = Place { mapped, shard, name, part, series };
                        let found = self.rows(place, main, condition.as_ref(), options)?;
                        readable |= found.is_some();
                        rows.extend(found.filter(|rows| !rows.times.is_empty()));
                    }
                    each(name, TagSet { tags, readable, rows })?;
                }
            }
        }
        Ok(())
    }

    /// The points of one series in one shard group.
    fn rows(
        &self,
        place: Place<'_>,
        main: Option<&VarRef>,
        condition: Option<&Expr>,
        options: &Options,
    ) -> Outcome<Option<Rows>> {
        let name = if options.strip_name { Arc::from("") } else { Arc::clone(place.name) };
        let tags = subset(&place.series.survey.tags, &options.grouping());
        let series = self.table.borrow_mut().number(SeriesKey { name, tags });
        let main = match main {
            None => None,
            Some(main) => match self.stored(place, main, options) {
                None => return Ok(None),
                found => found,
            },
        };
        let aux: Vec<Column> =
            options.aux.iter().map(|name| self.column(place, name, options)).collect();
        let (times, main) = match main {
            Some(Stored { times, values }) => (times, Some(values)),
            None => (union(&aux), None),
        };
        self.charge(times.len(), 0)?;
        let mut rows = Rows { series, times, main, aux, guesses: None };
        if let Some(condition) = condition {
            self.filter(&mut rows, place, condition, options);
        }
        Ok(Some(rows))
    }

    /// Leaves the points for which the condition holds.
    fn filter(&self, rows: &mut Rows, place: Place<'_>, condition: &Expr, options: &Options) {
        let columns: Vec<(String, Column)> = condition
            .names()
            .into_iter()
            .map(|name| (name.name.clone(), self.column(place, &name, options)))
            .collect();
        let mut keep = Vec::with_capacity(rows.times.len());
        for (index, &time_ns) in rows.times.iter().enumerate() {
            let find = |expr: &Expr| {
                let Expr::Ref(name) = expr else { return Value::Null };
                let column = columns.iter().rfind(|(own, _)| *own == name.name);
                column.map_or(Value::Null, |(_, column)| column.at(time_ns, index))
            };
            keep.push(
                Eval { find, missing: Missing::Incomparable, division: Division::Whole }
                    .is_true(condition),
            );
        }
        if keep.iter().all(|keep| *keep) {
            return;
        }
        let kept = (0..keep.len()).filter(|index| keep[*index]);
        let guesses: Vec<usize> = kept.collect();
        rows.times = guesses.iter().map(|&index| rows.times[index]).collect();
        rows.main = rows.main.take().map(|values| column::kept(&values, &keep));
        rows.guesses = Some(guesses);
    }

    /// The points of a field as the type that the statement sees it under.
    fn stored(&self, place: Place<'_>, name: &VarRef, options: &Options) -> Option<Stored> {
        if VIRTUAL_FIELDS.contains(&name.name.as_str()) {
            return Some(virtual_field(place, &name.name, options));
        }
        if name.data_type == DataType::Tag || !place.part.fields.contains_key(name.name.as_str()) {
            return None;
        }
        let range = (options.start_ns, options.end_ns.saturating_add(1));
        let store = self.server.store();
        let path = (place.series.survey.place, name.name.as_str());
        let found = store.column(place.mapped.bucket, path, place.shard.start_ns, range);
        let Stored { times, values } = match found {
            Some(found) => found,
            None => Stored { times: Vec::new(), values: Values::Float(Vec::new()) },
        };
        if times.is_empty() {
            return Some(Stored { times, values });
        }
        Some(Stored { times, values: column::cast(values, name.data_type)? })
    }

    /// What a name stands for beside the points: a field, or else a tag.
    fn column(&self, place: Place<'_>, name: &VarRef, options: &Options) -> Column {
        if name.data_type != DataType::Tag {
            if let Some(found) = self.stored(place, name, options) {
                return Column::Field(found);
            }
            if name.data_type != DataType::Unknown {
                return Column::Missing;
            }
        }
        match tag(&place.series.survey.tags, &name.name) {
            Some(value) if !value.is_empty() => Column::Constant(Value::String(Arc::clone(value))),
            _ => Column::Missing,
        }
    }

    /// Merges the series of a tag set by time.
    pub(super) fn merge(
        &self,
        set: &TagSet,
        data_type: DataType,
        options: &Options,
    ) -> Outcome<Points> {
        let width = options.aux.len();
        let total: usize = set.rows.iter().map(|rows| rows.times.len()).sum();
        let mut points = Points::new(data_type, width);
        let Page { limit, offset } = options.rows;
        // The server stops reading one point later than it has to.
        let most = usize::try_from(limit.saturating_add(offset).saturating_add(1));
        let limited = !options.rows.is_all();
        let most = if limited { most.unwrap_or(usize::MAX) } else { usize::MAX };
        let one_series = options.dimensions.len() == options.group_by.len();
        self.charge(total.min(most), width)?;
        let at = |cursor: &Cursor| {
            let rows = &set.rows[cursor.rows];
            let index = cursor.seen;
            if options.ascending { index } else { rows.times.len() - 1 - index }
        };
        let window = |cursor: &Cursor| options.window(set.rows[cursor.rows].times[at(cursor)]).0;
        let less = |left: &Cursor, right: &Cursor| {
            if !options.ordered {
                let (left, right) = (window(left), window(right));
                return if options.ascending { left < right } else { left > right };
            }
            let (left_rows, right_rows) = (&set.rows[left.rows], &set.rows[right.rows]);
            let (left_at, right_at) = (at(left), at(right));
            let (left_ns, right_ns) = (left_rows.times[left_at], right_rows.times[right_at]);
            if left_ns != right_ns {
                return (left_ns < right_ns) == options.ascending;
            }
            texts_less(left_rows.aux(left_at), right_rows.aux(right_at), options.ascending)
        };
        // A descending read takes the series of a set from the last to the first.
        let mut order: Vec<usize> = (0..set.rows.len()).collect();
        if !options.ascending {
            order.reverse();
        }
        let cursors = order.into_iter().map(|rows| Cursor { rows, seen: 0 }).collect();
        let mut heap = Heap::new(cursors, less);
        'merge: while let Some(mut cursor) = heap.pop() {
            let rows = &set.rows[cursor.rows];
            let first = window(&cursor);
            loop {
                let index = at(&cursor);
                let (series, time_ns) = (rows.series, rows.times[index]);
                let head = Head { series, count: 1, time_ns, value: rows.value(index) };
                points.push(head, rows.aux(index));
                if one_series && points.heads.len() >= most {
                    break 'merge;
                }
                cursor.seen += 1;
                let cut = !one_series && cursor.seen >= most;
                if cursor.seen >= rows.times.len() || cut {
                    break;
                }
                // Where the order does not matter, a window of one series comes in one piece.
                if options.ordered || window(&cursor) != first {
                    heap.push(cursor);
                    break;
                }
            }
        }
        Ok(if limited && !one_series { points.page(options.rows) } else { points })
    }
}

/// A series that passes a condition, with what of it is left to ask of its points.
type Chosen<'a> = (&'a Series, Option<Expr>);

/// How far a series was read.
struct Cursor {
    rows: usize,
    seen: usize,
}

/// Whether the texts along with one point come before those of another. The comparison ends at
/// the first that is no text.
fn texts_less(
    left: impl Iterator<Item = Value>,
    right: impl Iterator<Item = Value>,
    ascending: bool,
) -> bool {
    for pair in left.zip(right) {
        match pair {
            (Value::String(left), Value::String(right)) if left == right => {}
            (Value::String(left), Value::String(right)) => return (left < right) == ascending,
            _ => return false,
        }
    }
    false
}

/// The series of a measurement that pass, with what is left of the condition, by the tags of the
/// whole query, within SLIMIT.
fn choose<'a>(
    name: &str,
    part: &'a ShardMeasurement,
    options: &Options,
) -> Vec<(Tags, Vec<Chosen<'a>>)> {
    let mut sets: BTreeMap<String, (Tags, Vec<Chosen<'_>>)> = BTreeMap::new();
    for series in &part.series {
        let tags = &series.survey.tags;
        let has_field = |field: &str| part.fields.contains_key(field);
        let candidate = Candidate { measurement: name, tags, has_field: &has_field };
        if let Choice::In(left_over) = candidate.choose(options.condition.as_ref()) {
            let shown = subset(tags, &options.dimensions);
            let set = sets.entry(set_key(&shown)).or_insert_with(|| (shown, Vec::new()));
            set.1.push((series, left_over));
        }
    }
    let sets: Vec<_> = sets.into_values().collect();
    let Page { limit, offset } = options.series;
    if offset > 0 && limit == 0 {
        // An offset without a limit leaves nothing, as on the server.
        return Vec::new();
    }
    Page { limit, offset }.cut(sets)
}

/// The order of tag sets for SLIMIT: by the tags that are there, keys first.
fn set_key(tags: &Tags) -> String {
    let there = || tags.iter().filter(|(_, value)| !value.is_empty());
    let keys = there().map(|(key, _)| &**key);
    keys.chain(there().map(|(_, value)| &**value)).collect::<Vec<_>>().join("|")
}

/// All times at which one of the fields has a value, in order.
fn union(columns: &[Column]) -> Vec<i64> {
    let mut times: Vec<i64> = Vec::new();
    for column in columns {
        let Column::Field(points) = column else { continue };
        if times.is_empty() {
            times.clone_from(&points.times);
        } else if times != points.times {
            times.extend_from_slice(&points.times);
            times.sort_unstable();
            times.dedup();
        }
    }
    times
}

/// What the server lists about a series as if it were values of a field, all at time zero.
fn virtual_field(place: Place<'_>, name: &str, options: &Options) -> Stored {
    let tags = &place.series.survey.tags;
    let texts: Vec<Arc<str>> = match name {
        "_name" => vec![Arc::clone(place.name)],
        "_seriesKey" => vec![Arc::from(place.series.key.as_str())],
        "_tagKey" => tags.iter().map(|(key, _)| Arc::clone(key)).collect(),
        _ => matching_values(tags, options.condition.as_ref()),
    };
    Stored { times: vec![0; texts.len()], values: Values::String(texts) }
}

fn matching_values(tags: &[(Arc<str>, Arc<str>)], condition: Option<&Expr>) -> Vec<Arc<str>> {
    let matches = |key: &Arc<str>| {
        let Some(condition) = condition else { return true };
        let find = |expr: &Expr| match expr {
            Expr::Ref(name) if name.name == "_tagKey" => Value::String(Arc::clone(key)),
            Expr::Ref(name) => {
                tag(tags, &name.name).map_or(Value::Null, |value| Value::String(Arc::clone(value)))
            }
            _ => Value::Null,
        };
        Eval { find, missing: Missing::False, division: Division::Whole }.is_true(condition)
    };
    tags.iter().filter(|(key, _)| matches(key)).map(|(_, value)| Arc::clone(value)).collect()
}
