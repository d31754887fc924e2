//! How operations come about: at a rate, or by users who wait.

use crate::shape::{choice, record};

use super::List;
use super::scalar::{ArrivalRate, Length, PositiveLength, Size};

record! {
    /// Arrivals at a rate, whatever the answers do. The rate counts from the start of the load,
    /// warm-up included.
    struct OpenWire, ExactlyOneOf("rate", "ramp", "steps", "stages") {
        /// Always the same rate: `20/s`, for writers `10_000 points/s`.
        rate: optional ArrivalRate,
        /// A rate that changes steadily and then stays.
        ramp: optional RampWire,
        /// A rate that jumps at equal distances.
        steps: optional StepsWire,
        /// A rate that goes through these, in order, and then stays.
        stages: optional List<StageWire, 1>,
        /// How arrivals lie between each other. Default: `even`.
        spacing: optional SpacingWire,
    }
}

record! {
    /// A rate that changes steadily and then stays.
    struct RampWire {
        /// The rate at its beginning. Default: `0/s`.
        from: optional ArrivalRate,
        /// The rate at its end, and from then on.
        to: required ArrivalRate,
        /// How long the change takes.
        over: required PositiveLength,
    }
}

record! {
    /// A rate that jumps at equal distances, up to the end of the load.
    struct StepsWire {
        /// The first rate.
        from: required ArrivalRate,
        /// By how much it rises each time.
        by: required ArrivalRate,
        /// How long each rate stays.
        every: required PositiveLength,
    }
}

record! {
    /// A stretch in which the rate changes steadily, or stays.
    struct StageWire {
        /// The rate at its beginning. Default: the one before, `0/s` for the first.
        from: optional ArrivalRate,
        /// The rate at its end.
        to: required ArrivalRate,
        /// How long it is.
        over: required PositiveLength,
    }
}

choice! {
    /// How arrivals lie between each other.
    enum SpacingWire {
        words {
            /// As evenly as the rate allows.
            Even = "even",
            /// At random, each independent of the others, as from very many users.
            Poisson = "poisson",
        }
    }
}

record! {
    /// Users who each wait for their answer before they go on.
    struct ClosedWire {
        /// How many users.
        users: required Size,
        /// Over which time they start, evenly. Default: `0s`.
        ramp_up: optional Length,
        /// How long each pauses after an answer. Default: `0s`.
        think: optional Length,
    }
}
