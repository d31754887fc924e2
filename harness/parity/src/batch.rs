//! Rows on their way into a comparison, column by column.
//!
//! The main type is [`RowBatch`]. A decoder begins a row with its tags and time and sets the
//! fields that it found; no map is built and no text is copied twice. Rows of one series in a row
//! share one copy of their tags. A batch does not care about order; [`Comparison`] does, and
//! [`RowBatch::sort`] helps a caller whose store sorts in another way.
//!
//! [`Comparison`]: crate::Comparison

use std::cmp::Ordering;
use std::ops::Range;
use std::sync::Arc;

use cutover_model::{Row, Tags};

use crate::cell::Cell;
use crate::column::Column;
use crate::schema::Schema;

/// Consecutive rows of one side.
#[derive(Clone, Debug)]
pub struct RowBatch {
    schema: Arc<Schema>,
    times: Vec<i64>,
    /// The first row of each run of rows that share their tags.
    runs: Vec<usize>,
    /// For each run, for each tag of the schema, where its value lies in `tag_text`.
    tag_spans: Vec<Option<(usize, usize)>>,
    tag_text: String,
    columns: Vec<Column>,
}

/// A row has a column that the schema does not know. Leaving it out would hide a difference.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum UnknownColumn {
    /// A tag key outside the schema.
    #[error("the tag `{0}` is not in the schema")]
    Tag(String),
    /// A field key outside the schema.
    #[error("the field `{0}` is not in the schema")]
    Field(String),
}

impl RowBatch {
    /// An empty batch.
    pub fn new(schema: &Arc<Schema>) -> Self {
        Self::with_capacity(schema, 0)
    }

    /// An empty batch with room for so many rows.
    pub fn with_capacity(schema: &Arc<Schema>, rows: usize) -> Self {
        Self {
            schema: Arc::clone(schema),
            times: Vec::with_capacity(rows),
            runs: Vec::new(),
            tag_spans: Vec::new(),
            tag_text: String::new(),
            columns: schema.fields.iter().map(|_| Column::with_capacity(rows)).collect(),
        }
    }

    /// Begins a row; all of its fields are absent until [`RowBatch::set`] gives them a value.
    ///
    /// `tags` has one entry for each tag of the schema, in its order.
    pub fn begin_row(&mut self, tags: &[Option<&str>], time_ns: i64) {
        assert_eq!(tags.len(), self.schema.tags.len(), "one entry for each tag of the schema");
        if !self.continues_run(tags) {
            self.runs.push(self.times.len());
            for tag in tags {
                let span = tag.map(|value| {
                    let start = self.tag_text.len();
                    self.tag_text.push_str(value);
                    (start, value.len())
                });
                self.tag_spans.push(span);
            }
        }
        self.times.push(time_ns);
        for column in &mut self.columns {
            column.push_null();
        }
    }

    /// Gives a field of the row that was begun last its value. `field` is its place in the schema.
    pub fn set(&mut self, field: usize, cell: Cell<'_>) {
        self.columns[field].set_last(cell);
    }

    /// Adds a whole row; refuses tags and fields that the schema does not know.
    pub fn push(&mut self, row: &Row) -> Result<(), UnknownColumn> {
        let schema = Arc::clone(&self.schema);
        if let Some(tag) = row.tags.keys().find(|tag| !schema.tags.contains(tag)) {
            return Err(UnknownColumn::Tag(tag.clone()));
        }
        if let Some(name) = row.fields.keys().find(|name| schema.field_index(name).is_none()) {
            return Err(UnknownColumn::Field(name.clone()));
        }
        let tags: Vec<_> =
            schema.tags.iter().map(|tag| row.tags.get(tag).map(String::as_str)).collect();
        self.begin_row(&tags, row.time_ns);
        for (index, field) in schema.fields.iter().enumerate() {
            if let Some(value) = row.fields.get(&field.name) {
                self.set(index, value.into());
            }
        }
        Ok(())
    }

    /// One row, with owned values.
    pub fn row(&self, row: usize) -> Row {
        let run = self.runs.partition_point(|first| *first <= row) - 1;
        let fields = self.schema.fields.iter().zip(&self.columns);
        Row {
            time_ns: self.times[row],
            tags: self.tags(run),
            fields: fields
                .filter_map(|(field, column)| Some((field.name.clone(), column.cell(row)?.into())))
                .collect(),
        }
    }

    /// How many rows the batch holds.
    pub fn len(&self) -> usize {
        self.times.len()
    }

    /// Whether the batch holds no row.
    pub fn is_empty(&self) -> bool {
        self.times.is_empty()
    }

    /// The memory that the rows take, in bytes: what a decoder cuts batches by when texts are long.
    pub fn bytes(&self) -> usize {
        let columns: usize = self.columns.iter().map(Column::bytes).sum();
        columns + self.times.len() * 8 + self.tag_text.len() + self.tag_spans.len() * 24
    }

    /// Removes all rows and keeps the memory.
    pub fn clear(&mut self) {
        self.times.clear();
        self.runs.clear();
        self.tag_spans.clear();
        self.tag_text.clear();
        self.columns.iter_mut().for_each(Column::clear);
    }

    /// Puts the rows into the order that a comparison demands: by tags in the schema's order, an
    /// absent tag first, then by time. Rows with the same key keep their order.
    pub fn sort(&mut self) {
        let mut order = Vec::with_capacity(self.len());
        let mut runs: Vec<usize> = (0..self.runs.len()).collect();
        runs.sort_by(|a, b| self.compare_series(*a, self, *b));
        let mut rest = runs.as_slice();
        while let Some(first) = rest.first() {
            let same = |run: &usize| self.compare_series(*first, self, *run) == Ordering::Equal;
            let (series, others) = rest.split_at(rest.iter().take_while(|run| same(run)).count());
            let start = order.len();
            order.extend(series.iter().flat_map(|run| self.run_rows(*run).map(|row| (*run, row))));
            order[start..].sort_by_key(|(_, row)| self.times[*row]);
            rest = others;
        }
        let mut sorted = Self::with_capacity(&self.schema, self.len());
        for (run, row) in order {
            let tags: Vec<_> = self.series(run).collect();
            sorted.begin_row(&tags, self.times[row]);
            for (field, column) in self.columns.iter().enumerate() {
                if let Some(cell) = column.cell(row) {
                    sorted.set(field, cell);
                }
            }
        }
        *self = sorted;
    }

    pub(crate) fn schema(&self) -> &Arc<Schema> {
        &self.schema
    }

    pub(crate) fn times(&self) -> &[i64] {
        &self.times
    }

    pub(crate) fn columns(&self) -> &[Column] {
        &self.columns
    }

    pub(crate) fn run_count(&self) -> usize {
        self.runs.len()
    }

    pub(crate) fn run_rows(&self, run: usize) -> Range<usize> {
        self.runs[run]..self.runs.get(run + 1).copied().unwrap_or(self.times.len())
    }

    /// The tag values of a run, in the schema's order.
    pub(crate) fn series(&self, run: usize) -> impl Iterator<Item = Option<&str>> {
        let tags = self.schema.tags.len();
        self.tag_spans[run * tags..(run + 1) * tags]
            .iter()
            .map(|span| span.map(|(start, len)| &self.tag_text[start..start + len]))
    }

    pub(crate) fn tags(&self, run: usize) -> Tags {
        let values = self.schema.tags.iter().zip(self.series(run));
        values.filter_map(|(tag, value)| Some((tag.clone(), value?.to_owned()))).collect()
    }

    pub(crate) fn compare_series(&self, run: usize, other: &Self, other_run: usize) -> Ordering {
        self.series(run).cmp(other.series(other_run))
    }

    fn continues_run(&self, tags: &[Option<&str>]) -> bool {
        let last = self.runs.len().checked_sub(1);
        last.is_some_and(|run| self.series(run).eq(tags.iter().copied()))
    }
}
