//! The vocabulary of cutover: pure values without I/O, clock or randomness.
//!
//! Every other crate speaks in these types. A scenario becomes a plan, a plan's run becomes
//! events, and the events fold into one report; none of these arrows runs backwards.

pub mod calibration;
pub mod clock;
pub mod draw;
pub mod event;
pub mod exit;
pub mod ids;
pub mod measured;
pub mod report;
pub mod row;
pub mod scenario;
pub mod secret;
pub mod shard;
pub mod units;
pub mod verdict;

pub use calibration::Calibration;
pub use clock::Clock;
pub use event::{RunEvent, RunEventKind};
pub use exit::Exit;
pub use ids::{DataName, RunId, ScenarioId, StepId, StepKind, Store, TargetKind, Timing};
pub use report::RunReport;
pub use row::{FieldType, FieldValue, Row, Tags, TimeRange};
pub use scenario::Scenario;
pub use secret::Secret;
pub use shard::{Shard, ShardError};
pub use units::{Rate, Ratio, ShortDuration};
pub use verdict::{Expectation, Finding, FindingCode, Judgement, Verdict, Witness};
