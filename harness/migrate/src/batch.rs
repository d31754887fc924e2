//! Batches of points, as bodies of line protocol.

use bytes::Bytes;
use cutover_clients::influx::Precision;
use cutover_clients::influx::line_protocol::{LineError, encode};
use cutover_model::Row;
use cutover_model::scenario::DataSet;

/// A row that line protocol cannot express.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the row at {time_ns} cannot be written as line protocol")]
pub struct Unwritable {
    /// Its instant, in nanoseconds since the epoch.
    pub time_ns: i64,
    /// Why not.
    #[source]
    pub reason: LineError,
}

/// Points that are collected for one request.
pub(crate) struct Batch {
    measurement: String,
    size: usize,
    lines: Vec<u8>,
    /// Where each line ends in `lines`.
    ends: Vec<usize>,
}

impl Batch {
    pub(crate) fn new(data: &DataSet, size: usize) -> Self {
        let measurement = data.measurement.clone();
        Self { measurement, size: size.max(1), lines: Vec::new(), ends: Vec::new() }
    }

    pub(crate) fn push(&mut self, row: &Row) -> Result<(), Unwritable> {
        encode(&mut self.lines, &self.measurement, row, Precision::Nanoseconds)
            .map_err(|reason| Unwritable { time_ns: row.time_ns, reason })?;
        self.ends.push(self.lines.len());
        Ok(())
    }

    pub(crate) fn is_full(&self) -> bool {
        self.ends.len() >= self.size
    }

    /// What was collected; the batch is empty afterwards.
    pub(crate) fn take(&mut self) -> BatchBody {
        let lines = Bytes::from(std::mem::take(&mut self.lines));
        BatchBody { lines, ends: std::mem::take(&mut self.ends) }
    }
}

/// The body of one request.
pub(crate) struct BatchBody {
    lines: Bytes,
    ends: Vec<usize>,
}

impl BatchBody {
    pub(crate) fn points(&self) -> u64 {
        self.ends.len() as u64
    }

    pub(crate) fn lines(&self) -> Bytes {
        self.lines.clone()
    }

    /// Two bodies of half as many points, or `None` for a single point.
    pub(crate) fn halves(self) -> Option<(Self, Self)> {
        let middle = self.ends.len() / 2;
        if middle == 0 {
            return None;
        }
        let cut = self.ends[middle - 1];
        let rest = self.ends[middle..].iter().map(|end| end - cut).collect();
        let first = Self { lines: self.lines.slice(..cut), ends: self.ends[..middle].to_vec() };
        Some((first, Self { lines: self.lines.slice(cut..), ends: rest }))
    }
}

#[cfg(test)]
mod tests {
    use cutover_model::FieldValue;

    use super::*;

    fn batch(points: i64) -> BatchBody {
        let mut batch =
            Batch { measurement: "m".to_owned(), size: 10, lines: Vec::new(), ends: Vec::new() };
        for time_ns in 0..points {
            let fields = [("v".to_owned(), FieldValue::Integer(time_ns))].into();
            batch.push(&Row { time_ns, tags: [].into(), fields }).unwrap();
        }
        batch.take()
    }

    #[test]
    fn halves_hold_the_same_lines_in_order() {
        let whole = batch(5);
        let lines = whole.lines();
        let (first, second) = whole.halves().unwrap();
        assert_eq!((first.points(), second.points()), (2, 3));
        assert_eq!([first.lines(), second.lines()].concat(), lines);
    }

    #[test]
    fn a_single_point_has_no_halves() {
        assert!(batch(1).halves().is_none());
    }

    #[test]
    fn a_half_can_be_halved_again() {
        let (_, second) = batch(5).halves().unwrap();
        let (first, last) = second.halves().unwrap();
        assert_eq!((first.points(), last.points()), (1, 2));
        assert!(last.lines().starts_with(b"m v=3i 3\n"));
    }
}
