//! The merge of two sorted streams.
//!
//! The main type is [`Comparison`]. A caller pushes batches of either side, asks
//! [`Comparison::wants`] which to read next, and says when a side has ended. A store that
//! cannot sort a whole range is read in windows of time: [`Comparison::next_window`] lets the order
//! begin again and goes on counting.

use std::cmp::Ordering;
use std::sync::Arc;

use crate::batch::RowBatch;
use crate::outcome::{Outcome, Side};
use crate::pairs::{common_prefix, compare_pairs};
use crate::schema::{Schema, SchemaError};
use crate::stream::{Head, OutOfOrder, Stream};
use crate::tally::Tally;

/// Bounds on what a comparison keeps.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// How many witnesses are kept of each class.
    pub max_witnesses: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self { max_witnesses: 100 }
    }
}

/// Rows that cannot be compared. No outcome comes from a comparison that met one.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ComparisonError {
    /// A stream is not sorted.
    #[error(transparent)]
    OutOfOrder(#[from] OutOfOrder),
    /// A batch was built for another schema.
    #[error("a batch of the {} was built for another schema", .0.word())]
    OtherSchema(Side),
    /// Rows came after their side had been ended.
    #[error("rows of the {} came after its end", .0.word())]
    AfterEnd(Side),
}

/// Compares two streams of rows while they are read.
///
/// ```
/// use std::sync::Arc;
///
/// use cutover_model::FieldType;
/// use cutover_parity::{
///     Cell, Comparison, FieldSchema, Limits, RowBatch, Schema, Side, Tolerance,
/// };
///
/// let field = FieldSchema {
///     name: "mw".into(),
///     field_type: FieldType::Float,
///     tolerance: Tolerance::Exact,
/// };
/// let schema = Arc::new(Schema { tags: vec!["region".into()], fields: vec![field] });
/// let mut comparison = Comparison::new(Arc::clone(&schema), Limits::default())?;
/// while let Some(side) = comparison.wants() {
///     let mut batch = RowBatch::new(&schema);
///     batch.begin_row(&[Some("SE")], 1_672_531_200_000_000_000);
///     batch.set(0, Cell::Float(if side == Side::Source { 42.0 } else { 42.5 }));
///     comparison.push(side, batch)?;
///     comparison.end(side);
/// }
/// assert_eq!(comparison.finish()?.different(), 1);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug)]
pub struct Comparison {
    schema: Arc<Schema>,
    source: Stream,
    destination: Stream,
    tally: Tally,
    broken: Option<ComparisonError>,
}

impl Comparison {
    /// A comparison of rows of this schema.
    pub fn new(schema: Arc<Schema>, limits: Limits) -> Result<Self, SchemaError> {
        schema.check()?;
        Ok(Self {
            source: Stream::new(Side::Source),
            destination: Stream::new(Side::Destination),
            tally: Tally::new(&schema, limits),
            broken: None,
            schema,
        })
    }

    /// Takes the next rows of the source.
    pub fn push_source(&mut self, batch: RowBatch) -> Result<(), ComparisonError> {
        self.push(Side::Source, batch)
    }

    /// Takes the next rows of the destination.
    pub fn push_destination(&mut self, batch: RowBatch) -> Result<(), ComparisonError> {
        self.push(Side::Destination, batch)
    }

    /// Takes the next rows of one side and compares what can be compared. After an error the
    /// comparison takes no more and yields no outcome.
    pub fn push(&mut self, side: Side, batch: RowBatch) -> Result<(), ComparisonError> {
        if let Some(error) = &self.broken {
            return Err(error.clone());
        }
        let accepted = self.accept(side, batch);
        if let Err(error) = &accepted {
            self.broken = Some(error.clone());
        } else {
            self.advance();
        }
        accepted
    }

    fn accept(&mut self, side: Side, batch: RowBatch) -> Result<(), ComparisonError> {
        if !Arc::ptr_eq(batch.schema(), &self.schema) && **batch.schema() != *self.schema {
            return Err(ComparisonError::OtherSchema(side));
        }
        let stream = match side {
            Side::Source => &mut self.source,
            Side::Destination => &mut self.destination,
        };
        if stream.has_ended() {
            return Err(ComparisonError::AfterEnd(side));
        }
        self.tally.off_type(side, &batch);
        Ok(stream.accept(batch)?)
    }

    /// Says that a side has no more rows (in this window).
    pub fn end(&mut self, side: Side) {
        match side {
            Side::Source => self.source.end(),
            Side::Destination => self.destination.end(),
        }
        self.advance();
    }

    /// Ends both sides of a window and lets each begin anew. No key may lie in two windows.
    pub fn next_window(&mut self) {
        self.end(Side::Source);
        self.end(Side::Destination);
        self.source.restart();
        self.destination.restart();
    }

    /// The side without whose next rows nothing can be compared; none if both have ended. Who
    /// reads in this order never holds more than one batch of the side that is ahead.
    pub fn wants(&self) -> Option<Side> {
        match (self.source.is_starving(), self.destination.is_starving()) {
            (true, true) if self.destination.rows() < self.source.rows() => Some(Side::Destination),
            (true, _) => Some(Side::Source),
            (false, true) => Some(Side::Destination),
            (false, false) => None,
        }
    }

    /// Rows that wait for their counterpart.
    pub fn buffered_rows(&self) -> usize {
        self.source.buffered_rows() + self.destination.buffered_rows()
    }

    /// Ends both sides and gives the result.
    pub fn finish(mut self) -> Result<Outcome, ComparisonError> {
        if let Some(error) = self.broken {
            return Err(error);
        }
        self.end(Side::Source);
        self.end(Side::Destination);
        Ok(self.tally.into_outcome(&self.source, &self.destination))
    }

    fn advance(&mut self) {
        let Self { source, destination, tally, .. } = self;
        loop {
            let (ours, theirs) = match (source.head(), destination.head()) {
                (Some(head), _) if head.duplicate => {
                    tally.duplicate(Side::Source, &head);
                    (head.rows.len(), 0)
                }
                (_, Some(head)) if head.duplicate => {
                    tally.duplicate(Side::Destination, &head);
                    (0, head.rows.len())
                }
                (Some(head), Some(other)) => compare_heads(&head, &other, tally),
                (Some(head), None) if destination.has_ended() => {
                    tally.missing(&head);
                    (head.rows.len(), 0)
                }
                (None, Some(head)) if source.has_ended() => {
                    tally.extra(&head);
                    (0, head.rows.len())
                }
                _ => return,
            };
            source.consume(ours);
            destination.consume(theirs);
        }
    }
}

/// Compares as much of two heads as their order allows; says how many rows of each are done.
fn compare_heads(source: &Head<'_>, destination: &Head<'_>, tally: &mut Tally) -> (usize, usize) {
    match source.batch.compare_series(source.run, destination.batch, destination.run) {
        Ordering::Less => {
            tally.missing(source);
            return (source.rows.len(), 0);
        }
        Ordering::Greater => {
            tally.extra(destination);
            return (0, destination.rows.len());
        }
        Ordering::Equal => {}
    }
    let (ours, theirs) = (source.times(), destination.times());
    let common = common_prefix(ours, theirs);
    if common > 0 {
        compare_pairs(&source.first(common), &destination.first(common), tally);
        return (common, common);
    }
    if ours[0] < theirs[0] {
        let rows = ours.partition_point(|time| *time < theirs[0]);
        tally.missing(&source.first(rows));
        (rows, 0)
    } else {
        let rows = theirs.partition_point(|time| *time < ours[0]);
        tally.extra(&destination.first(rows));
        (0, rows)
    }
}
