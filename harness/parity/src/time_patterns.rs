//! Finds out whether extra rows are missing rows whose times were cut or misread.
//!
//! The main type is [`TimePatterns`]. Each suspected change of time is a function; applied to the
//! missing rows, it foretells the keys of the extra rows. Foretold and found keys are summed as
//! hashes into buckets, and a bucket whose two sums agree is explained to the last row. So the
//! state is bounded, however far apart a row and its changed twin lie in the streams. Unrelated
//! missing or extra rows spoil only the buckets that they fall into. Values are not looked at: a
//! fault that cuts times often changes types as well.

use crate::diagnosis::{Diagnosis, Pattern};
use crate::digest::Lanes;

/// Two thirds of a megabyte for all suspects, and only once a row is missing.
const BUCKETS: usize = 4096;
const SECOND_NS: i64 = 1_000_000_000;

/// A suspected change, from a source's time to a destination's.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Change {
    Truncated { unit_ns: i64 },
    Divided { factor: i64 },
    Multiplied { factor: i64 },
}

/// From the smallest change to the largest, so that ties go to the smallest.
const SUSPECTS: [Change; 9] = [
    Change::Truncated { unit_ns: 1_000 },
    Change::Truncated { unit_ns: 1_000_000 },
    Change::Truncated { unit_ns: SECOND_NS },
    Change::Divided { factor: 1_000 },
    Change::Divided { factor: 1_000_000 },
    Change::Divided { factor: 1_000_000_000 },
    Change::Multiplied { factor: 1_000 },
    Change::Multiplied { factor: 1_000_000 },
    Change::Multiplied { factor: 1_000_000_000 },
];

impl Change {
    /// The changed time, if the change is possible and is one.
    fn apply(self, time_ns: i64) -> Option<i64> {
        let changed = match self {
            Self::Truncated { unit_ns } => time_ns.checked_sub(time_ns.rem_euclid(unit_ns))?,
            Self::Divided { factor } => time_ns.div_euclid(factor),
            Self::Multiplied { factor } => time_ns.checked_mul(factor)?,
        };
        (changed != time_ns).then_some(changed)
    }

    fn pattern(self) -> Pattern {
        match self {
            Self::Truncated { unit_ns } => Pattern::TimeTruncated { unit_ns },
            Self::Divided { factor } => Pattern::TimeDivided { factor },
            Self::Multiplied { factor } => Pattern::TimeMultiplied { factor },
        }
    }
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Bucket {
    sum: u64,
    rows: u64,
}

#[derive(Debug)]
struct Hypothesis {
    change: Change,
    foretold: Vec<Bucket>,
    /// Missing rows whose changed key is taken: by an earlier row that was changed to the same
    /// key, or by one that has it anyway. The store kept one row of them.
    collapsed: u64,
}

/// The row of the source that came before the present one.
#[derive(Clone, Copy, Debug)]
struct Previous {
    series: Lanes,
    time_ns: i64,
    missing: bool,
}

#[derive(Debug, Default)]
pub(crate) struct TimePatterns {
    hypotheses: Vec<Hypothesis>,
    found: Vec<Bucket>,
    missing: u64,
    any_paired: bool,
    previous: Option<Previous>,
    /// Which suspects are refuted; kept apart because hypotheses exist only once a row is missing.
    refuted: [bool; SUSPECTS.len()],
}

impl TimePatterns {
    /// Takes note of rows that exist on both sides, in ascending order of time.
    pub(crate) fn paired(&mut self, series: Lanes, times: &[i64]) {
        let Some(last) = times.last() else { return };
        self.previous = Some(Previous { series, time_ns: *last, missing: false });
        self.any_paired = true;
        if self.refuted == [true; SUSPECTS.len()] {
            return;
        }
        let whole_seconds = times.iter().all(|time| time % SECOND_NS == 0);
        for (suspect, refuted) in SUSPECTS.iter().zip(&mut self.refuted) {
            let harmless = whole_seconds && matches!(suspect, Change::Truncated { .. });
            if !*refuted && !harmless {
                *refuted = times.iter().any(|time| suspect.apply(*time).is_some());
            }
        }
    }

    /// Takes note of a row that the destination lacks.
    pub(crate) fn missing(&mut self, series: Lanes, time_ns: i64) {
        if self.hypotheses.is_empty() {
            self.hypotheses = SUSPECTS.map(Hypothesis::new).into();
        }
        self.missing += 1;
        let previous = self.previous.filter(|previous| previous.series == series);
        for hypothesis in &mut self.hypotheses {
            hypothesis.foretell(series, time_ns, previous);
        }
        self.previous = Some(Previous { series, time_ns, missing: true });
    }

    /// Takes note of a row that the source lacks.
    pub(crate) fn extra(&mut self, series: Lanes, time_ns: i64) {
        if self.found.is_empty() {
            self.found = vec![Bucket::default(); BUCKETS];
        }
        add_key(&mut self.found, series, time_ns);
    }

    /// The change that explains the most missing rows, if any explains one.
    pub(crate) fn diagnose(&self) -> Option<Diagnosis> {
        let mut best: Option<Diagnosis> = None;
        for (hypothesis, refuted) in self.hypotheses.iter().zip(self.refuted) {
            let direct = hypothesis.found_as_foretold(&self.found);
            // A collapsed row leaves no trace of its own. It counts only where rows speak for the
            // change and none against it; else any lost row next to another would seem explained.
            let credible = !refuted && (direct > 0 || self.any_paired);
            let explained = direct + if credible { hypothesis.collapsed } else { 0 };
            if explained > best.as_ref().map_or(0, |best| best.explained) {
                let pattern = hypothesis.change.pattern();
                best = Some(Diagnosis { pattern, explained, of: self.missing });
            }
        }
        best
    }
}

impl Hypothesis {
    fn new(change: Change) -> Self {
        Self { change, foretold: vec![Bucket::default(); BUCKETS], collapsed: 0 }
    }

    fn foretell(&mut self, series: Lanes, time_ns: i64, previous: Option<Previous>) {
        let Some(changed) = self.change.apply(time_ns) else { return };
        let taken = previous.is_some_and(|previous| {
            if previous.missing {
                self.change.apply(previous.time_ns) == Some(changed)
            } else {
                previous.time_ns == changed
            }
        });
        if taken {
            self.collapsed += 1;
        } else {
            add_key(&mut self.foretold, series, changed);
        }
    }

    fn found_as_foretold(&self, found: &[Bucket]) -> u64 {
        let agreeing =
            self.foretold.iter().zip(found).filter(|(foretold, found)| foretold == found);
        agreeing.map(|(foretold, _)| foretold.rows).sum()
    }
}

fn add_key(buckets: &mut [Bucket], series: Lanes, time_ns: i64) {
    let mut lanes = series;
    lanes.absorb(time_ns.cast_unsigned());
    let word = lanes.word();
    let place = usize::try_from(word % BUCKETS as u64).expect("a place below the buckets' number");
    let bucket = &mut buckets[place];
    bucket.sum = bucket.sum.wrapping_add(word);
    bucket.rows += 1;
}
