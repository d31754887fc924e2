//! One side of a comparison: rows that were pushed and not yet compared.
//!
//! The main type is [`Stream`]. It checks the order of what comes in, counts and digests it, cuts
//! it into pieces of one series with ascending times, and sets rows that repeat a key aside as
//! pieces of their own. What to do with the pieces is the business of [`Comparison`].
//!
//! [`Comparison`]: crate::Comparison

use std::cmp::Ordering;
use std::collections::VecDeque;
use std::fmt;
use std::ops::Range;

use cutover_model::Tags;
use serde::{Deserialize, Serialize};

use crate::batch::RowBatch;
use crate::digest::{Digest, Lanes, digest_rows, series_lanes};
use crate::outcome::Side;

/// The key of one row.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Place {
    /// The series.
    pub tags: Tags,
    /// Nanoseconds since 1970-01-01T00:00:00Z.
    pub time_ns: i64,
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (key, value) in &self.tags {
            write!(f, "{key}={value} ")?;
        }
        write!(f, "at {}", self.time_ns)
    }
}

/// A row that belongs before the one that came before it.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("row {row} of the {} is out of order: `{found}` follows `{previous}`", side.word())]
pub struct OutOfOrder {
    /// The stream.
    pub side: Side,
    /// The row's place in the stream (or in its window), counted from 1.
    pub row: u64,
    /// The key of the row before.
    pub previous: Place,
    /// The key of the row.
    pub found: Place,
}

/// Rows of one series with ascending times, or one row that repeats the key before it.
#[derive(Clone, Debug)]
struct Piece {
    run: usize,
    rows: Range<usize>,
    duplicate: bool,
}

#[derive(Debug)]
struct Pending {
    batch: RowBatch,
    series: Vec<Lanes>,
    pieces: VecDeque<Piece>,
}

/// The rows that come next on one side.
#[derive(Clone, Debug)]
pub(crate) struct Head<'a> {
    pub(crate) batch: &'a RowBatch,
    pub(crate) run: usize,
    pub(crate) series: Lanes,
    pub(crate) rows: Range<usize>,
    pub(crate) duplicate: bool,
}

impl<'a> Head<'a> {
    pub(crate) fn times(&self) -> &'a [i64] {
        &self.batch.times()[self.rows.clone()]
    }

    /// The first so many rows alone.
    pub(crate) fn first(&self, rows: usize) -> Self {
        Self { rows: self.rows.start..self.rows.start + rows, ..self.clone() }
    }
}

#[derive(Debug)]
pub(crate) struct Stream {
    side: Side,
    pending: VecDeque<Pending>,
    last: Option<LastKey>,
    rows: u64,
    rows_before_window: u64,
    digest: Digest,
    ended: bool,
}

/// The key of the last row that came in, which the first row of the next batch has to follow.
#[derive(Debug)]
struct LastKey {
    series: Vec<Option<String>>,
    place: Place,
}

impl Stream {
    pub(crate) fn new(side: Side) -> Self {
        Self {
            side,
            pending: VecDeque::new(),
            last: None,
            rows: 0,
            rows_before_window: 0,
            digest: Digest::default(),
            ended: false,
        }
    }

    pub(crate) fn rows(&self) -> u64 {
        self.rows
    }

    pub(crate) fn digest(&self) -> Digest {
        self.digest
    }

    pub(crate) fn has_ended(&self) -> bool {
        self.ended
    }

    pub(crate) fn end(&mut self) {
        self.ended = true;
    }

    /// Forgets the order so far. Everything that was pushed must have been consumed.
    pub(crate) fn restart(&mut self) {
        self.ended = false;
        self.last = None;
        self.rows_before_window = self.rows;
    }

    /// Whether nothing can be compared before this side delivers more.
    pub(crate) fn is_starving(&self) -> bool {
        !self.ended && self.pending.is_empty()
    }

    pub(crate) fn buffered_rows(&self) -> usize {
        let pieces = self.pending.iter().flat_map(|pending| &pending.pieces);
        pieces.map(|piece| piece.rows.len()).sum()
    }

    pub(crate) fn accept(&mut self, batch: RowBatch) -> Result<(), OutOfOrder> {
        let Some(last_row) = batch.len().checked_sub(1) else { return Ok(()) };
        let pieces = self.cut(&batch)?;
        let series = series_lanes(&batch);
        self.digest.add(digest_rows(&batch, &series));
        self.rows += batch.len() as u64;
        let last_run = batch.run_count() - 1;
        self.last = Some(LastKey {
            series: batch.series(last_run).map(|value| value.map(str::to_owned)).collect(),
            place: Place { tags: batch.tags(last_run), time_ns: batch.times()[last_row] },
        });
        self.pending.push_back(Pending { batch, series, pieces });
        Ok(())
    }

    /// Cuts a batch into pieces, or finds the row that is out of order.
    fn cut(&self, batch: &RowBatch) -> Result<VecDeque<Piece>, OutOfOrder> {
        let mut pieces = VecDeque::with_capacity(batch.run_count());
        for run in 0..batch.run_count() {
            let rows = batch.run_rows(run);
            let previous_ns = self.time_before(batch, run)?;
            let times = &batch.times()[rows.clone()];
            if previous_ns.is_none_or(|previous| previous < times[0]) && ascends(times) {
                pieces.push_back(Piece { run, rows, duplicate: false });
            } else {
                self.cut_run(batch, run, previous_ns, &mut pieces)?;
            }
        }
        Ok(pieces)
    }

    /// The time before the first row of a run, if that belongs to the same series.
    fn time_before(&self, batch: &RowBatch, run: usize) -> Result<Option<i64>, OutOfOrder> {
        let order = if run > 0 {
            batch.compare_series(run - 1, batch, run)
        } else if let Some(last) = &self.last {
            last.series.iter().map(Option::as_deref).cmp(batch.series(run))
        } else {
            Ordering::Less
        };
        match order {
            Ordering::Less => Ok(None),
            Ordering::Equal => Ok(self.last.as_ref().map(|last| last.place.time_ns)),
            Ordering::Greater => Err(self.out_of_order(batch, batch.run_rows(run).start)),
        }
    }

    fn cut_run(
        &self,
        batch: &RowBatch,
        run: usize,
        mut previous_ns: Option<i64>,
        pieces: &mut VecDeque<Piece>,
    ) -> Result<(), OutOfOrder> {
        let rows = batch.run_rows(run);
        let mut start = rows.start;
        for row in rows.clone() {
            let time_ns = batch.times()[row];
            match previous_ns.map_or(Ordering::Less, |previous| previous.cmp(&time_ns)) {
                Ordering::Less => {}
                Ordering::Greater => return Err(self.out_of_order(batch, row)),
                Ordering::Equal => {
                    if start < row {
                        pieces.push_back(Piece { run, rows: start..row, duplicate: false });
                    }
                    pieces.push_back(Piece { run, rows: row..row + 1, duplicate: true });
                    start = row + 1;
                }
            }
            previous_ns = Some(time_ns);
        }
        if start < rows.end {
            pieces.push_back(Piece { run, rows: start..rows.end, duplicate: false });
        }
        Ok(())
    }

    fn out_of_order(&self, batch: &RowBatch, row: usize) -> OutOfOrder {
        let place = |row| {
            let row = batch.row(row);
            Place { tags: row.tags, time_ns: row.time_ns }
        };
        let previous = match row.checked_sub(1) {
            Some(previous) => place(previous),
            None => self.last.as_ref().expect("a first row follows anything").place.clone(),
        };
        OutOfOrder {
            side: self.side,
            row: self.rows - self.rows_before_window + row as u64 + 1,
            previous,
            found: place(row),
        }
    }

    pub(crate) fn head(&self) -> Option<Head<'_>> {
        let pending = self.pending.front()?;
        let piece = pending.pieces.front().expect("a batch without pieces is dropped");
        Some(Head {
            batch: &pending.batch,
            run: piece.run,
            series: pending.series[piece.run],
            rows: piece.rows.clone(),
            duplicate: piece.duplicate,
        })
    }

    /// Drops the first so many rows of the head.
    pub(crate) fn consume(&mut self, rows: usize) {
        let Some(pending) = self.pending.front_mut() else { return };
        if let Some(piece) = pending.pieces.front_mut() {
            piece.rows.start += rows;
            if piece.rows.is_empty() {
                pending.pieces.pop_front();
            }
        }
        if pending.pieces.is_empty() {
            self.pending.pop_front();
        }
    }
}

fn ascends(times: &[i64]) -> bool {
    times.windows(2).all(|pair| pair[0] < pair[1])
}
