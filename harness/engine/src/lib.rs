//! The engine: orders the steps of a plan, collects the evidence of every check and judges it.
//!
//! The main entry is [`run`]. It takes a [`Plan`], obtains a target for each scenario, goes through
//! the steps in order, and gives the target back in every outcome. What happens is told as
//! [`RunEvent`](cutover_model::RunEvent)s through [`Events`]; nothing here prints, reads YAML or
//! knows where a store comes from. Each check is a `collect`, which touches the world, and a
//! `judge`, which is pure; [`dispatch`] has the one `match` over the kinds of step.

pub mod calibrate;
pub mod checks;
mod cx;
mod dispatch;
mod events;
mod names;
mod plan;
pub mod rollback;
mod run;
mod sabotage;
mod seed;
pub mod shards;
mod step;
mod stores;
mod streams;

pub use cx::{RunCx, Stop, StopSwitch};
pub use events::Events;
pub use plan::{IndivisibleError, Plan, PlannedScenario, Sabotage};
pub use run::run;
