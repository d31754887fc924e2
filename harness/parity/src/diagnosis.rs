//! Names for what whole groups of differences have in common.
//!
//! The main type is [`Diagnosis`]: a [`Pattern`] and how many differences it explains. Twenty
//! thousand missing and twenty thousand extra rows are one fault if every time was cut to
//! milliseconds. Patterns are found from bounded state: in `time_patterns` (times that were cut or
//! misread), `shift` (rows that moved) and `tally` (types that changed).

use std::fmt;

use cutover_model::FieldType;
use serde::{Deserialize, Serialize};

/// A pattern and its weight.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Diagnosis {
    /// What the differences have in common.
    pub pattern: Pattern,
    /// How many rows or cells fit the pattern; a lower bound where other differences blur it.
    pub explained: u64,
    /// How many rows or cells could have: missing rows for times that were cut or misread,
    /// missing and differing rows for shifts, differing cells of the field for the rest.
    pub of: u64,
}

/// What differences can have in common.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Pattern {
    /// Times of the destination are the source's, cut down to a multiple of the unit.
    TimeTruncated {
        /// The unit in nanoseconds.
        unit_ns: i64,
    },
    /// Times of the destination are the source's, divided by the factor: digits in a coarser unit
    /// were written as if they were in a finer one.
    TimeDivided {
        /// 10^3, 10^6 or 10^9.
        factor: i64,
    },
    /// Times of the destination are the source's, multiplied by the factor.
    TimeMultiplied {
        /// 10^3, 10^6 or 10^9.
        factor: i64,
    },
    /// Rows stand in the destination this much later (or earlier, if negative) than in the source.
    TimeShifted {
        /// The distance in nanoseconds.
        by_ns: i64,
    },
    /// A field changed its type and kept its value as far as the new type can hold it.
    TypeChanged {
        /// The field key.
        field: String,
        /// The type in the source.
        from: FieldType,
        /// The type in the destination.
        to: FieldType,
    },
    /// Integers of a field have the value that is left after passing through a float.
    IntegerRounded {
        /// The field key.
        field: String,
    },
}

impl fmt::Display for Pattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::TimeTruncated { unit_ns } => {
                write!(f, "times are cut to whole {}", unit_word(*unit_ns))
            }
            Self::TimeDivided { factor } => {
                write!(f, "times are divided by {factor}: a coarser unit was read as a finer one")
            }
            Self::TimeMultiplied { factor } => {
                write!(
                    f,
                    "times are multiplied by {factor}: a finer unit was read as a coarser one"
                )
            }
            Self::TimeShifted { by_ns } => {
                let direction = if *by_ns < 0 { "earlier" } else { "later" };
                write!(f, "rows stand {} ns {direction}", by_ns.unsigned_abs())
            }
            Self::TypeChanged { field, from, to } => {
                write!(f, "`{field}` turned from {} into {}", from.word(), to.word())
            }
            Self::IntegerRounded { field } => {
                write!(f, "integers of `{field}` were rounded by passing through a float")
            }
        }
    }
}

fn unit_word(unit_ns: i64) -> String {
    match unit_ns {
        1_000 => "microseconds".into(),
        1_000_000 => "milliseconds".into(),
        1_000_000_000 => "seconds".into(),
        other => format!("multiples of {other} ns"),
    }
}
