//! The rollback drill: the migrated application in virtual time, on its way out and back.
//!
//! [`collect`] runs the drill and records a [`RollbackEvidence`]; [`judge`] holds that against the
//! step and never runs anything. The drill's world (`world`) is an in-memory network with both
//! stand-ins; on it run a small reference backend (`backend`) that reads the migration's flags
//! (`flag_store`) as the real application does, devices that use it (`devices`), and a controller
//! (`controller`) that climbs the ladder and comes back when a trigger fires. The triggers
//! and the ladder themselves are `cutover_traffic`'s, and faults are `cutover_faults`'.
//!
//! A sabotage can only be seen where its damage can happen:
//!
//! - `rollback_is_a_noop`, `one_instance_keeps_stale_flags`: in every drill that goes back.
//! - `rollback_to_previous_step`: where the step before `at` is above 0%.
//! - `triggers_count_in_total`: where breaches come and go, so in a drill with noise that must not
//!   go back. Under a steady fault the first breaches are in a row anyway.
//! - `lose_acknowledged_writes`: where there are more than 500 writes.
//! - `retry_with_new_time`: where copies fail and are tried again, so with 429, a 5xx or refused
//!   connections, and not with other statuses or mere latency.
//! - `queries_before_ingestion`: where a query falls into the settling of the first share.

mod backend;
mod collect;
mod controller;
mod devices;
mod error;
mod flag_store;
mod history;
mod invariants;
mod judge;
mod names;
mod shown;
mod stage;
mod stores;
#[cfg(test)]
mod tests;
mod world;

pub use collect::collect;
pub use error::DrillError;
pub use history::{
    Attempt, AttemptKind, FaultInterval, InstanceHistory, PublishedFlags, QueryEvent,
    RollbackEvidence, SeenFlags, StoredPoint, WriteEvent, WriteFate,
};
pub use judge::judge;
pub use shown::{facts, figure};
