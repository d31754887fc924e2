//! What a drill records: every write, query and request to the destination, the flags and who saw
//! them, the controller's decisions, and what both stores hold at the end.
//!
//! The main type is [`RollbackEvidence`]. It is complete, so that it can be judged again elsewhere
//! and later; everything in it is in the order of time and then of identity.

use std::time::Duration;

use cutover_model::Store;
use cutover_model::scenario::{OutcomeClass, TriggerRule};
use cutover_traffic::{Cause, Decision, Evaluation, Flags};
use serde::{Deserialize, Serialize};

use super::names::device_name;

/// Everything that a drill observed. Times are counted from its start.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct RollbackEvidence {
    /// When the devices stopped.
    #[serde(with = "nanos")]
    pub ended: Duration,
    /// The longest time after which a request of the backend is given up.
    #[serde(with = "nanos")]
    pub request_limit: Duration,
    /// The triggers that were watched.
    pub triggers: Vec<TriggerRule>,
    /// The fault, if one was injected.
    pub fault: Option<FaultInterval>,
    /// What the controller decided.
    pub decisions: Vec<Decision>,
    /// The flags that were published, by rising version.
    pub published: Vec<PublishedFlags>,
    /// The triggers, period by period.
    pub evaluations: Vec<Evaluation>,
    /// The instances of the backend, by number.
    pub instances: Vec<InstanceHistory>,
    /// Every write that a device sent.
    pub writes: Vec<WriteEvent>,
    /// Every query that a device sent.
    pub queries: Vec<QueryEvent>,
    /// Every request that an instance sent to the destination.
    pub attempts: Vec<Attempt>,
    /// What the source holds at the end.
    pub source: Vec<StoredPoint>,
    /// What the destination holds at the end.
    pub destination: Vec<StoredPoint>,
}

/// When a fault was in force and what it did.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct FaultInterval {
    /// When it was injected.
    #[serde(with = "nanos")]
    pub began: Duration,
    /// When it was lifted.
    #[serde(with = "nanos")]
    pub ended: Duration,
    /// The requests that the destination got in that time.
    pub requests: u64,
    /// Those among them that the fault hit.
    pub hits: u64,
}

/// A version of the flags.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct PublishedFlags {
    /// Its number, from 1. Version 0 is what an instance does before it has seen any.
    pub version: u64,
    /// When it was published.
    #[serde(with = "nanos")]
    pub at: Duration,
    /// What it says.
    pub flags: Flags,
    /// Why it was published.
    pub cause: Cause,
}

/// What one instance of the backend went through.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct InstanceHistory {
    /// The versions of the flags that it took over.
    pub seen: Vec<SeenFlags>,
    /// Writes whose copy in the destination still waited for repair at the end.
    pub left_for_repair: u64,
}

/// A version of the flags that an instance took over.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SeenFlags {
    /// The version.
    pub version: u64,
    /// When it was taken over.
    #[serde(with = "nanos")]
    pub at: Duration,
}

/// How a write ended for the device that sent it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum WriteFate {
    /// The backend said that it is stored.
    Acknowledged,
    /// The backend said that it is not.
    Refused,
    /// The backend cannot tell.
    Unknown,
}

/// A write of a device.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct WriteEvent {
    /// Its identity, which is also the value that it stores.
    pub id: u64,
    /// Which device.
    pub device: u32,
    /// The time of the point, in nanoseconds since 1970.
    pub time_ns: i64,
    /// Which instance took it.
    pub instance: u32,
    /// The version of the flags that was in force there.
    pub version: u64,
    /// When it was sent.
    #[serde(with = "nanos")]
    pub sent: Duration,
    /// When the device had its answer.
    #[serde(with = "nanos")]
    pub answered: Duration,
    /// What the answer was.
    pub fate: WriteFate,
}

/// A query of a device.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct QueryEvent {
    /// Which device, whose own points it asks for.
    pub device: u32,
    /// Which instance took it.
    pub instance: u32,
    /// The version of the flags that was in force there.
    pub version: u64,
    /// The store that was asked.
    pub store: Store,
    /// When it was sent.
    #[serde(with = "nanos")]
    pub sent: Duration,
    /// When the device had its answer.
    #[serde(with = "nanos")]
    pub answered: Duration,
    /// How it ended; anything but success is an error to the device.
    pub outcome: OutcomeClass,
}

/// What a request to the destination was for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum AttemptKind {
    /// A point.
    Write,
    /// A device's last points.
    Query,
}

/// A request that an instance sent to the destination.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Attempt {
    /// Which instance.
    pub instance: u32,
    /// What for.
    pub kind: AttemptKind,
    /// For which device.
    pub device: u32,
    /// When it was sent.
    #[serde(with = "nanos")]
    pub sent: Duration,
    /// How long it took.
    #[serde(with = "nanos")]
    pub latency: Duration,
    /// How it ended.
    pub outcome: OutcomeClass,
}

/// A point as a store holds it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct StoredPoint {
    /// The write that it came from.
    pub id: u64,
    /// The device of its series.
    pub device: u32,
    /// Its time, in nanoseconds since 1970.
    pub time_ns: i64,
}

impl RollbackEvidence {
    /// The flags of a version. Version 0 is what an instance does before it has seen any.
    pub fn flags(&self, version: u64) -> Flags {
        let published = self.published.iter().find(|published| published.version == version);
        published.map_or(Flags::SOURCE_ONLY, |published| published.flags)
    }

    /// The flags in force at the end.
    pub fn final_flags(&self) -> Flags {
        self.published.last().map_or(Flags::SOURCE_ONLY, |published| published.flags)
    }

    /// Whether an instance with this version of the flags copies a device's writes to the
    /// destination.
    pub(super) fn is_fed(&self, version: u64, device: u32) -> bool {
        self.flags(version).feeds(&device_name(device))
    }

    /// Client requests that needed the destination after the fault had begun.
    pub fn exposed_requests(&self) -> u64 {
        let Some(fault) = &self.fault else { return 0 };
        let writes = self
            .writes
            .iter()
            .filter(|write| write.sent >= fault.began && self.is_fed(write.version, write.device));
        let queries = self
            .queries
            .iter()
            .filter(|query| query.sent >= fault.began && query.store == Store::Destination);
        (writes.count() + queries.count()) as u64
    }

    /// The last request that `instance` sent to the destination.
    pub fn last_attempt(&self, instance: u32) -> Option<&Attempt> {
        self.attempts.iter().rfind(|attempt| attempt.instance == instance)
    }
}

/// Durations as whole nanoseconds: shorter than seconds and a rest, and as exact.
mod nanos {
    use std::time::Duration;

    use serde::{Deserialize, Deserializer, Serializer};

    pub(super) fn serialize<S: Serializer>(
        duration: &Duration,
        serializer: S,
    ) -> Result<S::Ok, S::Error> {
        let nanos = u64::try_from(duration.as_nanos()).map_err(serde::ser::Error::custom)?;
        serializer.serialize_u64(nanos)
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(
        deserializer: D,
    ) -> Result<Duration, D::Error> {
        u64::deserialize(deserializer).map(Duration::from_nanos)
    }
}
