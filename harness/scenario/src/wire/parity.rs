//! The parity step.

use crate::shape::{choice, record};

use super::scalar::{Count, Positive, PositiveCount, PositiveLength, SeriesKey, Size, Slug};
use super::{List, Names};

record! {
    /// Compares what both stores hold of some data sets.
    struct ParityWire {
        /// The data sets, in order.
        data: required List<Slug, 1>,
        /// Fields whose values may differ. Every other field is compared exactly.
        fields: optional Names<SeriesKey, ParityFieldWire, 0>,
        /// What the comparison must come to, over all data sets together.
        expect: required ParityExpectWire,
        /// Breaks that must turn this check red.
        sabotage: optional List<ParitySabotageWire, 0>,
    }
}

record! {
    /// How a field is compared.
    struct ParityFieldWire {
        /// How far two values may be apart and still be the same.
        tolerance: required ToleranceWire,
    }
}

choice! {
    /// How far two values may be apart and still be the same.
    enum ToleranceWire {
        words {
            /// Not at all: same type, same bits.
            Exact = "exact",
        }
        cases {
            /// By this much, in the field's own unit.
            Absolute(Positive) = "absolute",
            /// By this share of the source's value.
            Relative(Positive) = "relative",
            /// By this many representable floats.
            Ulps(PositiveCount) = "ulps",
        }
    }
}

record! {
    /// What a comparison must come to.
    struct ParityExpectWire {
        /// Rows of the source that the destination may lack. Default: 0.
        missing: optional Count,
        /// Rows of the destination that the source may lack. Default: 0.
        extra: optional Count,
        /// Field values that may differ. Default: 0.
        different: optional Count,
        /// Rows that must have been compared for the check to say anything.
        min_rows: required PositiveCount,
    }
}

choice! {
    /// A break of the destination that a parity check must see.
    enum ParitySabotageWire {
        cases {
            /// Deletes this many rows.
            DropRows(Size) = "drop_rows",
            /// Adds this many rows that the source does not have.
            AddRows(Size) = "add_rows",
            /// Moves one row by this much.
            ShiftTime(PositiveLength) = "shift_time",
            /// Changes one value of this field by its lowest bit.
            FlipLowestBit(SeriesKey) = "flip_lowest_bit",
        }
    }
}
