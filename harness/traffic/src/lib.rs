//! Flags, bucketing, triggers and the rollout state machine, as pure functions of time.
//!
//! The pieces fit in a circle: [`Flags`] say what an application instance does with a device, by
//! way of [`bucketing`]; a [`TriggerEngine`] turns the outcomes of its requests into
//! [`Evaluation`]s; a [`Rollout`] climbs its ladder, comes back on a trigger that fires, and says
//! so in [`Decision`]s that hold the next flags. Time comes in as a [`std::time::Duration`] since
//! the start, so nothing here waits, draws at random or talks to a service.

pub mod bucketing;
pub mod flags;
mod measure;
pub mod rollout;
pub mod triggers;

pub use flags::{Flags, FlagsError};
pub use rollout::{Cause, Decision, Rollout, RolloutError, RolloutPhase, RolloutPlan};
pub use triggers::{Evaluation, Observation, PeriodClass, TriggerEngine, TriggerError};
