//! What a scenario wants of the destination: its buckets, and how much of a machine it gets.

use std::fmt;
use std::time::Duration;

use serde::{Deserialize, Serialize};

/// A bucket that the scenario uses.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Bucket {
    /// Its name.
    pub name: String,
    /// How long it keeps its data, in whole seconds; `None` for ever.
    pub retention: Option<Duration>,
}

/// What a container may use. The default is no limit.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ContainerLimits {
    /// Memory in bytes.
    pub memory_bytes: Option<u64>,
    /// Thousandths of a processor.
    pub millicpus: Option<u32>,
}

impl fmt::Display for ContainerLimits {
    /// As a person reads it: `2 CPUs, 4 GiB of memory`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.millicpus {
            Some(1_000) => f.write_str("1 CPU")?,
            Some(millis) => write!(f, "{} CPUs", f64::from(millis) / 1_000.0)?,
            None => f.write_str("all CPUs")?,
        }
        match self.memory_bytes {
            Some(bytes) if bytes % (1 << 30) == 0 => write!(f, ", {} GiB of memory", bytes >> 30),
            Some(bytes) => write!(f, ", {} MiB of memory", bytes >> 20),
            None => f.write_str(", all memory"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn limits_are_told_in_their_units() {
        let limits = ContainerLimits { memory_bytes: Some(4 << 30), millicpus: Some(1_500) };
        assert_eq!(limits.to_string(), "1.5 CPUs, 4 GiB of memory");
    }

    #[test]
    fn no_limit_is_told_as_such() {
        assert_eq!(ContainerLimits::default().to_string(), "all CPUs, all memory");
    }
}
