//! What a comparison found.
//!
//! The main type is [`Outcome`]. Its counts add up: every row of the source is matched, missing or
//! a duplicate, and every row of the destination matched, extra or a duplicate. Whether that is
//! good enough is judged elsewhere.

use std::collections::BTreeMap;
use std::fmt;

use cutover_model::{FieldValue, Tags};
use serde::{Deserialize, Serialize};

use crate::diagnosis::Diagnosis;
use crate::digest::Digest;

/// One of the two streams.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Side {
    /// Where the data comes from.
    Source,
    /// Where the data should have arrived.
    Destination,
}

impl Side {
    /// The word used in scenarios and reports.
    pub fn word(self) -> &'static str {
        match self {
            Self::Source => "source",
            Self::Destination => "destination",
        }
    }
}

/// How a row or a cell differs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum DifferenceClass {
    /// A row of the source has no row with its series and time in the destination.
    MissingRow,
    /// A row of the destination has no row with its series and time in the source.
    ExtraRow,
    /// The source has a second row with the same series and time.
    DuplicateSourceRow,
    /// The destination has a second row with the same series and time.
    DuplicateDestinationRow,
    /// The source has a value, the destination has none.
    MissingField,
    /// The destination has a value, the source has none.
    ExtraField,
    /// Both have a value of one type, and the two lie further apart than the tolerance allows.
    ValueDiffers,
    /// Both have a value, of different types; whether the numbers agree does not matter.
    TypeDiffers,
}

impl DifferenceClass {
    /// Every class, in the order of reports.
    pub const ALL: [Self; 8] = [
        Self::MissingRow,
        Self::ExtraRow,
        Self::DuplicateSourceRow,
        Self::DuplicateDestinationRow,
        Self::MissingField,
        Self::ExtraField,
        Self::ValueDiffers,
        Self::TypeDiffers,
    ];

    /// The word used in reports.
    pub fn word(self) -> &'static str {
        match self {
            Self::MissingRow => "missing_row",
            Self::ExtraRow => "extra_row",
            Self::DuplicateSourceRow => "duplicate_source_row",
            Self::DuplicateDestinationRow => "duplicate_destination_row",
            Self::MissingField => "missing_field",
            Self::ExtraField => "extra_field",
            Self::ValueDiffers => "value_differs",
            Self::TypeDiffers => "type_differs",
        }
    }
}

impl fmt::Display for DifferenceClass {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.word())
    }
}

/// One difference, with all that is needed to look it up in both stores.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Difference {
    /// What is wrong.
    pub class: DifferenceClass,
    /// The series.
    pub tags: Tags,
    /// Nanoseconds since 1970-01-01T00:00:00Z.
    pub time_ns: i64,
    /// The field, unless the whole row is meant.
    pub field: Option<String>,
    /// The value in the source, if a field is meant and has one there.
    pub source: Option<FieldValue>,
    /// The value in the destination, if a field is meant and has one there.
    pub destination: Option<FieldValue>,
}

/// What became of one field over all rows that exist on both sides.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct FieldOutcome {
    /// The field key.
    pub name: String,
    /// Cells that are the same on both sides.
    pub equal: u64,
    /// Cells that are not the same and that the tolerance lets pass.
    pub within_tolerance: u64,
    /// Cells that only the source has.
    pub missing: u64,
    /// Cells that only the destination has.
    pub extra: u64,
    /// Cells that lie further apart than the tolerance allows.
    pub value_differs: u64,
    /// Cells of different types.
    pub type_differs: u64,
    /// Cells of the source, in any row, that have another type than the schema declares.
    pub source_off_type: u64,
    /// Cells of the destination, in any row, that have another type than the schema declares.
    pub destination_off_type: u64,
}

impl FieldOutcome {
    /// Cells that were compared: those that at least one side has.
    pub fn compared(&self) -> u64 {
        self.equal + self.within_tolerance + self.different()
    }

    /// Cells that differ.
    pub fn different(&self) -> u64 {
        self.missing + self.extra + self.value_differs + self.type_differs
    }
}

/// The result of one comparison.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Outcome {
    /// Rows read from the source, duplicates included.
    pub source_rows: u64,
    /// Rows read from the destination, duplicates included.
    pub destination_rows: u64,
    /// Pairs of rows with the same series and time.
    pub matched: u64,
    /// Those of them that differ in at least one field.
    pub differing: u64,
    /// How often each class was found; rows for the classes of rows, cells for the others. A class
    /// that was not found has no entry.
    pub counts: BTreeMap<DifferenceClass, u64>,
    /// The fields, in the schema's order.
    pub fields: Vec<FieldOutcome>,
    /// The first differences of each class, by class and then in the order of the streams.
    pub witnesses: Vec<Difference>,
    /// What whole groups of differences have in common.
    pub diagnoses: Vec<Diagnosis>,
    /// The digest of the source's rows.
    pub source_digest: Digest,
    /// The digest of the destination's rows.
    pub destination_digest: Digest,
}

impl Outcome {
    /// How often a class was found.
    pub fn count(&self, class: DifferenceClass) -> u64 {
        self.counts.get(&class).copied().unwrap_or(0)
    }

    /// Rows of the source that the destination lacks.
    pub fn missing(&self) -> u64 {
        self.count(DifferenceClass::MissingRow)
    }

    /// Rows of the destination that the source lacks.
    pub fn extra(&self) -> u64 {
        self.count(DifferenceClass::ExtraRow)
    }

    /// Rows that repeat the key of another row on the same side.
    pub fn duplicates(&self) -> u64 {
        self.count(DifferenceClass::DuplicateSourceRow)
            + self.count(DifferenceClass::DuplicateDestinationRow)
    }

    /// Cells that differ in rows that both sides have.
    pub fn different(&self) -> u64 {
        self.count(DifferenceClass::MissingField)
            + self.count(DifferenceClass::ExtraField)
            + self.count(DifferenceClass::ValueDiffers)
            + self.count(DifferenceClass::TypeDiffers)
    }

    /// Whether no difference of any class was found. An outcome of no rows at all is clean too.
    pub fn is_clean(&self) -> bool {
        self.counts.is_empty()
    }
}
