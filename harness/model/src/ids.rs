//! Names of the things that a run is made of. Checked once, then passed as types.

use std::fmt;

use serde::{Deserialize, Serialize};

macro_rules! name {
    ($(#[$doc:meta])* $type:ident) => {
        $(#[$doc])*
        #[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(transparent)]
        pub struct $type(String);

        impl $type {
            /// Takes a name that the caller has checked.
            pub fn new(name: impl Into<String>) -> Self {
                Self(name.into())
            }

            /// The name as text.
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl fmt::Display for $type {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }
    };
}

name! {
    /// A scenario: its `id` in the file, unique within a run.
    ScenarioId
}
name! {
    /// A step of a scenario: its place and kind, such as `3-parity`.
    StepId
}
name! {
    /// A run: its start in UTC and its seed, such as `20230101T000000Z-7`. Names a folder.
    RunId
}
name! {
    /// A data set of a scenario.
    DataName
}

impl StepId {
    /// The id of the step of `kind` at `index`, counted from 0 in the file.
    pub fn at(index: usize, kind: StepKind) -> Self {
        Self(format!("{}-{}", index + 1, kind.word()))
    }
}

/// What a step does.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum StepKind {
    /// Puts a file's rows into a store.
    Seed,
    /// Copies from the source to the destination.
    Migrate,
    /// Compares what both stores hold.
    Parity,
    /// Measures queries on both stores.
    Latency,
    /// Writes and reads at a rate.
    Load,
    /// Looks for the highest rate that holds.
    FindRate,
    /// Shifts traffic, injects a fault and expects the way back.
    Rollback,
}

impl StepKind {
    /// The word used in files and reports.
    pub fn word(self) -> &'static str {
        match self {
            Self::Seed => "seed",
            Self::Migrate => "migrate",
            Self::Parity => "parity",
            Self::Latency => "latency",
            Self::Load => "load",
            Self::FindRate => "find_rate",
            Self::Rollback => "rollback",
        }
    }

    /// Whether the step ends in a verdict.
    pub fn is_check(self) -> bool {
        !matches!(self, Self::Seed | Self::Migrate)
    }
}

/// One of the two stores of a migration.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Store {
    /// Timestream for LiveAnalytics.
    Source,
    /// InfluxDB.
    Destination,
}

impl Store {
    /// The word used in files and reports.
    pub fn word(self) -> &'static str {
        match self {
            Self::Source => "source",
            Self::Destination => "destination",
        }
    }
}

/// Where a scenario runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum TargetKind {
    /// Both stores are stand-ins in this process.
    Embedded,
    /// The destination is a real `influxd`, started from its binary.
    Process,
    /// The destination is a real InfluxDB in a container.
    Container,
    /// The destination is a stack on AWS that somebody has deployed.
    Deployed,
}

impl TargetKind {
    /// All kinds.
    pub const ALL: [Self; 4] = [Self::Embedded, Self::Process, Self::Container, Self::Deployed];

    /// The word used on the command line and in reports.
    pub fn word(self) -> &'static str {
        match self {
            Self::Embedded => "embedded",
            Self::Process => "process",
            Self::Container => "container",
            Self::Deployed => "deployed",
        }
    }
}

/// What a store's clock readings are worth.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Timing {
    /// Measured on the store that will serve: judged.
    Real,
    /// Measured on a stand-in: shown, never judged.
    Indicative,
}
