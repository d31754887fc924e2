//! Rows of data files, written again at the distances of their instants.
//!
//! The main type is [`Replay`]. It holds the lines of all rows in the order of time. When the last
//! one is written, the first follows again, moved behind it by a typical distance, so that no
//! point is written twice. Each has a number, by which it is found again.

use std::ops::Range;
use std::time::Duration;

use cutover_clients::influx::Precision;
use cutover_clients::influx::line_protocol::{LineError, encode};
use cutover_files::{FileError, RowReader};
use cutover_load::{Rate, Schedule, ScheduleError, Spacing, Stage};
use cutover_model::scenario::{DataSet, LoadStep};

/// The most rows that are held. Their lines are a few hundred megabytes.
const MAX_ROWS: usize = 2_000_000;

/// The most batches that a load writes.
const MAX_BATCHES: u64 = 2_000_000;

/// Rows that cannot be written again.
#[derive(Debug, thiserror::Error)]
pub enum ReplayError {
    /// The file cannot be read.
    #[error("the data file cannot be read")]
    File(#[from] FileError),
    /// A row cannot be written in line protocol.
    #[error("line {line} of `{file}` cannot be written")]
    Line {
        /// The file.
        file: String,
        /// The line in it.
        line: u64,
        /// Why.
        #[source]
        cause: LineError,
    },
    /// There are not two instants, so there is no distance between rows.
    #[error("the data sets have no two rows at different times")]
    NoDistance,
    /// There are more rows than are held.
    #[error("the data sets have more than {MAX_ROWS} rows")]
    TooManyRows,
    /// The instant of a moved row is beyond what a point can carry.
    #[error("the times of the rows are moved beyond the year 2262")]
    BeyondTime,
}

/// The lines of rows, in the order of time.
#[derive(Debug)]
pub(crate) struct Replay {
    rows: Vec<ReplayedRow>,
    /// From the first row to the first one of the next turn.
    turn_ns: i64,
    /// Seconds of the data in one second.
    speed: f64,
    precision: Precision,
}

#[derive(Debug)]
struct ReplayedRow {
    time_ns: i64,
    /// The line up to its fields.
    line: Vec<u8>,
}

impl Replay {
    /// Reads the rows of some data sets; lines that have no instant or no value are passed over,
    /// as seeding tells them.
    pub(crate) fn read(
        sets: &[&DataSet],
        speed: f64,
        (run, precision): (&str, Precision),
    ) -> Result<Self, ReplayError> {
        let mut rows = Vec::new();
        for data in sets {
            for line in RowReader::open(data)? {
                let line = line?;
                let Ok(row) = line.row else { continue };
                if rows.len() == MAX_ROWS {
                    return Err(ReplayError::TooManyRows);
                }
                let time_ns = row.time_ns;
                let mut tags = row.tags;
                tags.insert(LoadStep::RUN.to_owned(), run.to_owned());
                let row = cutover_model::Row { tags, ..row };
                let mut text = Vec::new();
                encode(&mut text, &data.measurement, &row, precision).map_err(|cause| {
                    let file = data.path.display().to_string();
                    ReplayError::Line { file, line: line.line, cause }
                })?;
                // The time is written anew each turn.
                let end = text.iter().rposition(|byte| *byte == b' ').unwrap_or(text.len());
                text.truncate(end);
                rows.push(ReplayedRow { time_ns, line: text });
            }
        }
        Self::of(rows, speed, precision)
    }

    fn of(
        mut rows: Vec<ReplayedRow>,
        speed: f64,
        precision: Precision,
    ) -> Result<Self, ReplayError> {
        rows.sort_by_key(|row| row.time_ns);
        let mut gaps: Vec<i64> = rows
            .windows(2)
            .map(|pair| pair[1].time_ns.saturating_sub(pair[0].time_ns))
            .filter(|gap| *gap > 0)
            .collect();
        gaps.sort_unstable();
        let typical = *gaps.get(gaps.len() / 2).ok_or(ReplayError::NoDistance)?;
        let span = rows[rows.len() - 1].time_ns.checked_sub(rows[0].time_ns);
        let turn_ns = span.and_then(|span| span.checked_add(typical));
        let turn_ns = turn_ns.ok_or(ReplayError::BeyondTime)?;
        Ok(Self { rows, turn_ns, speed, precision })
    }

    /// Appends points, a line each.
    pub(crate) fn write(&self, numbers: Range<u64>, out: &mut Vec<u8>) {
        let mut digits = itoa::Buffer::new();
        for number in numbers {
            let (turn, row) = self.at(number);
            out.extend_from_slice(&row.line);
            out.push(b',');
            out.extend_from_slice(LoadStep::NUMBER.as_bytes());
            out.push(b'=');
            out.extend_from_slice(digits.format(number).as_bytes());
            out.extend_from_slice(b"i ");
            let time_ns = row.time_ns.saturating_add(self.turn_ns.saturating_mul(turn));
            let time = time_ns.div_euclid(self.precision.nanos());
            out.extend_from_slice(digits.format(time).as_bytes());
            out.push(b'\n');
        }
    }

    /// When batches of so many points are due in a load of this length: each when its last point
    /// is.
    pub(crate) fn schedule(
        &self,
        batch: u64,
        length: Duration,
        seed: u64,
    ) -> Result<Schedule, ScheduleError> {
        let due = |k: u64| self.due((k + 1) * batch - 1);
        let first = due(0);
        let nothing = Rate { operations: 0, per: Duration::from_secs(1) };
        let mut stages = vec![Stage::level(nothing, first)];
        let mut before = first;
        for k in 1..=MAX_BATCHES {
            if before > length {
                break;
            }
            // One batch in each gap. Batches that are due at once are a nanosecond apart.
            let gap = due(k).saturating_sub(before).max(Duration::from_nanos(1));
            stages.push(Stage::level(Rate { operations: 1, per: gap }, gap));
            before += gap;
        }
        stages.push(Stage::level(nothing, Duration::ZERO));
        Schedule::new(stages, Spacing::Even, seed)
    }

    /// When a point is due, counted from the first.
    fn due(&self, number: u64) -> Duration {
        let (turn, row) = self.at(number);
        let moved = self.turn_ns.saturating_mul(turn);
        let after_ns = (row.time_ns - self.rows[0].time_ns).saturating_add(moved);
        let seconds = after_ns as f64 / 1e9 / self.speed;
        Duration::try_from_secs_f64(seconds).unwrap_or(Duration::MAX)
    }

    fn at(&self, number: u64) -> (i64, &ReplayedRow) {
        let rows = self.rows.len() as u64;
        let place = usize::try_from(number % rows).expect("rows are in memory");
        (i64::try_from(number / rows).unwrap_or(i64::MAX), &self.rows[place])
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Rows at these seconds, replayed at twice their pace.
    fn replay(seconds: &[i64]) -> Replay {
        let row = |second: &i64| ReplayedRow {
            time_ns: second * 1_000_000_000,
            line: format!("m value={second}").into_bytes(),
        };
        Replay::of(seconds.iter().map(row).collect(), 2.0, Precision::Seconds).unwrap()
    }

    fn instants(replay: &Replay, batch: u64, length: u64) -> Vec<Duration> {
        let length = Duration::from_secs(length);
        let schedule = replay.schedule(batch, length, 1).unwrap();
        schedule.instants().take_while(|due| *due < length).collect()
    }

    #[test]
    fn rows_are_due_at_the_distances_of_their_times() {
        let replay = replay(&[100, 104, 110]);
        let due: Vec<u64> = instants(&replay, 1, 6).iter().map(Duration::as_secs).collect();
        assert_eq!(due, [0, 2, 5]);
    }

    #[test]
    fn a_batch_is_due_when_its_last_row_is() {
        let replay = replay(&[100, 104, 110, 112]);
        assert_eq!(instants(&replay, 2, 7), [2, 6].map(Duration::from_secs));
    }

    #[test]
    fn after_the_last_row_the_first_follows_behind_it() {
        // Distances of 4 s and 6 s: the typical one is 6 s.
        let replay = replay(&[110, 100, 104]);
        let mut out = Vec::new();
        replay.write(2..5, &mut out);
        let expected = "m value=110,number=2i 110\nm value=100,number=3i 116\n\
                        m value=104,number=4i 120\n";
        assert_eq!(String::from_utf8(out).unwrap(), expected);
        let due = instants(&replay, 1, 100);
        assert_eq!(due[2..5], [5, 8, 10].map(Duration::from_secs));
    }

    #[test]
    fn rows_at_one_instant_are_due_a_nanosecond_apart() {
        let replay = replay(&[100, 100, 104]);
        assert_eq!(instants(&replay, 1, 2)[..2], [Duration::ZERO, Duration::from_nanos(1)]);
    }

    #[test]
    fn rows_at_one_instant_alone_have_no_distance() {
        let row = || ReplayedRow { time_ns: 7, line: Vec::new() };
        let error = Replay::of(vec![row(), row()], 1.0, Precision::Seconds).unwrap_err();
        assert!(matches!(error, ReplayError::NoDistance));
    }
}
