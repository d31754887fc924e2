//! What a check says: judgements, expectations and findings, as values with an order.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::row::{FieldValue, Tags};

/// What a check says about the system under test, lightest first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Judgement {
    /// Not judged, and the reason is said.
    Skipped,
    /// Observed, and as expected.
    Pass,
    /// The evidence does not allow an answer. Never reported as a pass.
    Inconclusive,
    /// Observed, and not as expected.
    Fail,
}

impl Judgement {
    /// The heaviest of the parts. An empty group has proved nothing.
    pub fn of_all(parts: impl IntoIterator<Item = Self>) -> Self {
        parts.into_iter().max().unwrap_or(Self::Inconclusive)
    }

    /// The word used in reports.
    pub fn word(self) -> &'static str {
        match self {
            Self::Skipped => "skipped",
            Self::Pass => "pass",
            Self::Inconclusive => "inconclusive",
            Self::Fail => "fail",
        }
    }
}

impl fmt::Display for Judgement {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.word())
    }
}

/// One thing that was expected, and what was seen.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Expectation {
    /// What was expected, as the file says it: `missing = 0`, `destination p95 < 5s`.
    pub expected: String,
    /// What was observed, with its unit. Empty when nothing was.
    pub observed: String,
    /// How it was judged.
    pub judgement: Judgement,
    /// Why it was judged so, where the two texts above do not say it already.
    pub reason: Option<String>,
    /// Whether `observed` is a reading of the clock, which no two runs share.
    pub timed: bool,
}

/// What one check concludes from its evidence.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Verdict {
    /// Each expectation in the order of the file.
    pub expectations: Vec<Expectation>,
    /// What is wrong, one by one, up to the check's limit of witnesses.
    pub findings: Vec<Finding>,
}

impl Verdict {
    /// The heaviest of the expectations.
    pub fn judgement(&self) -> Judgement {
        Judgement::of_all(self.expectations.iter().map(|expectation| expectation.judgement))
    }

    /// A verdict for a check whose evidence could not be collected.
    pub fn not_collected(expected: impl Into<String>, reason: impl Into<String>) -> Self {
        Self {
            expectations: vec![Expectation {
                expected: expected.into(),
                observed: String::new(),
                judgement: Judgement::Inconclusive,
                reason: Some(reason.into()),
                timed: false,
            }],
            findings: Vec::new(),
        }
    }
}

/// One thing wrong.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Finding {
    /// The kind of wrong.
    pub code: FindingCode,
    /// What is wrong, in one sentence.
    pub message: String,
    /// Where it can be seen.
    pub witness: Option<Witness>,
}

/// One place in the data that shows a finding.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Witness {
    /// The InfluxDB bucket.
    pub bucket: String,
    /// The measurement within it.
    pub measurement: String,
    /// The series within the measurement.
    pub tags: Tags,
    /// The instant, in nanoseconds since the epoch.
    pub time_ns: i64,
    /// The field, unless the whole row is meant.
    pub field: Option<String>,
    /// What the source holds there.
    pub source: Option<FieldValue>,
    /// What the destination holds there.
    pub destination: Option<FieldValue>,
}

impl fmt::Display for Witness {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.bucket, self.measurement)?;
        for (key, value) in &self.tags {
            write!(f, ",{key}={value}")?;
        }
        write!(f, " at {}", self.time_ns)?;
        if let Some(field) = &self.field {
            write!(f, " {field}")?;
        }
        let side = |value: &Option<FieldValue>| match value {
            Some(value) => value.to_string(),
            None => "nothing".to_owned(),
        };
        if self.source.is_some() || self.destination.is_some() {
            write!(f, ": source {}, destination {}", side(&self.source), side(&self.destination))?;
        }
        Ok(())
    }
}

/// The kinds of finding. Each has a stable name and a line in the reference.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum FindingCode {
    /// A row of the source is not in the destination.
    RowMissing,
    /// A row of the destination is not in the source.
    RowExtra,
    /// One store holds a row twice.
    RowDuplicated,
    /// A field of the source has no value in the destination.
    FieldMissing,
    /// A field of the destination has no value in the source.
    FieldExtra,
    /// Both stores have a value, and the values differ by more than the tolerance.
    ValueDiffers,
    /// Both stores have a value, of different types.
    TypeDiffers,
    /// Many differences have one cause, such as truncated times.
    PatternFound,
    /// A query's answers differ between the stores.
    AnswerDiffers,
    /// Requests failed.
    RequestFailed,
    /// A write was acknowledged and cannot be read back.
    AcknowledgedWriteLost,
    /// A write was applied more than once.
    WriteAppliedTwice,
    /// A rollback did not happen, or not as declared.
    RollbackWrong,
    /// A client kept sending traffic to the destination after the rollback.
    ClientNotConverged,
    /// A query went to a store that ingestion did not feed.
    ReaderPrecededWriter,
    /// A local time does not exist in its zone, or exists twice.
    LocalTimeUnclear,
    /// A value of a file cannot be read as its declared type.
    ValueUnreadable,
}

impl FindingCode {
    /// Every code, in the order of the reference.
    pub const ALL: [Self; 17] = [
        Self::RowMissing,
        Self::RowExtra,
        Self::RowDuplicated,
        Self::FieldMissing,
        Self::FieldExtra,
        Self::ValueDiffers,
        Self::TypeDiffers,
        Self::PatternFound,
        Self::AnswerDiffers,
        Self::RequestFailed,
        Self::AcknowledgedWriteLost,
        Self::WriteAppliedTwice,
        Self::RollbackWrong,
        Self::ClientNotConverged,
        Self::ReaderPrecededWriter,
        Self::LocalTimeUnclear,
        Self::ValueUnreadable,
    ];

    /// The stable name, as in files.
    pub fn name(self) -> &'static str {
        match self {
            Self::RowMissing => "row-missing",
            Self::RowExtra => "row-extra",
            Self::RowDuplicated => "row-duplicated",
            Self::FieldMissing => "field-missing",
            Self::FieldExtra => "field-extra",
            Self::ValueDiffers => "value-differs",
            Self::TypeDiffers => "type-differs",
            Self::PatternFound => "pattern-found",
            Self::AnswerDiffers => "answer-differs",
            Self::RequestFailed => "request-failed",
            Self::AcknowledgedWriteLost => "acknowledged-write-lost",
            Self::WriteAppliedTwice => "write-applied-twice",
            Self::RollbackWrong => "rollback-wrong",
            Self::ClientNotConverged => "client-not-converged",
            Self::ReaderPrecededWriter => "reader-preceded-writer",
            Self::LocalTimeUnclear => "local-time-unclear",
            Self::ValueUnreadable => "value-unreadable",
        }
    }
}

impl fmt::Display for FindingCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_empty_group_is_inconclusive() {
        assert_eq!(Judgement::of_all([]), Judgement::Inconclusive);
    }

    #[test]
    fn one_failure_outweighs_everything() {
        let parts = [Judgement::Pass, Judgement::Fail, Judgement::Inconclusive];
        assert_eq!(Judgement::of_all(parts), Judgement::Fail);
    }

    #[test]
    fn a_group_of_skipped_parts_is_skipped_not_passed() {
        assert_eq!(Judgement::of_all([Judgement::Skipped; 2]), Judgement::Skipped);
    }

    #[test]
    fn every_code_reads_back_from_its_name() {
        for code in FindingCode::ALL {
            let json = serde_json::to_string(&code).unwrap();
            assert_eq!(json, format!("{:?}", code.name()));
        }
    }
}
