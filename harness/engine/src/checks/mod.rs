//! The checks: each is cut where the touching of the world ends.
//!
//! [`Check::collect`] observes and [`Check::judge`] decides. Evidence is written down before it is
//! judged, so that a recorded run can be judged again.

mod aborts;
mod driven;
mod figures;
pub mod find_rate;
pub mod latency;
#[cfg(test)]
mod lies;
pub mod load;
pub(crate) mod measured;
pub mod parity;
pub mod points;
mod queries;
mod readers;
mod replay;
pub mod rollback;
mod timed;

use std::path::{Path, PathBuf};

use cutover_model::event::{Fact, Figure};
use cutover_model::{RunEventKind, Verdict};
use serde::Serialize;
use serde::de::DeserializeOwned;

pub use self::replay::ReplayError;
use crate::events::messages;
use crate::step::{Ended, StepCx};

/// Something that is observed and then judged.
///
/// Not object-safe on purpose: [`dispatch`](crate::dispatch) has the one `match`.
pub(crate) trait Check {
    /// Everything that `judge` needs, so that a recorded run can be judged again.
    type Evidence: Serialize + DeserializeOwned + Send;

    /// What is expected, in a few words, for when nothing could be observed.
    fn subject(&self) -> &'static str;

    /// Observes the system. May touch the network, the clock and the disk.
    async fn collect(&self, cx: &StepCx<'_>) -> Result<Self::Evidence, CollectError>;

    /// Decides. Pure: the same evidence always gives the same verdict.
    fn judge(&self, evidence: &Self::Evidence) -> Verdict;

    /// What the report says of the evidence.
    fn facts(&self, evidence: &Self::Evidence) -> Vec<Fact>;

    /// What the report draws of the evidence.
    fn figures(&self, evidence: &Self::Evidence) -> Vec<Figure>;
}

/// Evidence that could not be collected. The check is inconclusive, whatever was expected.
#[derive(Debug, thiserror::Error)]
pub enum CollectError {
    /// The source does not answer as it should.
    #[error("the source could not be asked")]
    Source(#[source] cutover_clients::ClientError),
    /// The destination does not answer as it should.
    #[error("the destination could not be asked")]
    Destination(#[source] cutover_clients::ClientError),
    /// What a store answers is not of the expected shape.
    #[error("the {store} answers in an unexpected shape: {problem}")]
    Shape {
        /// Which store.
        store: &'static str,
        /// What is unexpected.
        problem: String,
    },
    /// A store answers rows out of order, so that they cannot be compared.
    #[error("the answers cannot be compared")]
    Comparison(#[from] cutover_parity::ComparisonError),
    /// The data set cannot be compared.
    #[error("the data set cannot be compared")]
    Schema(#[from] cutover_parity::SchemaError),
    /// The load could not be driven.
    #[error("the load could not be driven")]
    Load(#[from] cutover_load::RunError),
    /// The points cannot be made.
    #[error("the points to be written cannot be made")]
    Points(#[from] cutover_load::points::PointError),
    /// The rows to be written cannot be had.
    #[error("the rows to be written again cannot be had")]
    Replay(#[from] ReplayError),
    /// The rates cannot be searched.
    #[error("the highest rate cannot be looked for")]
    Search(#[from] cutover_load::find_rate::RateSearchError),
    /// The rate cannot be kept as a schedule.
    #[error("the arrivals cannot be scheduled")]
    Schedule(#[from] cutover_load::ScheduleError),
    /// The proxy that misbehaves on purpose did not start.
    #[error("the proxy in front of the destination did not start")]
    Proxy(#[from] cutover_faults::ProxyError),
    /// The drill broke off.
    #[error("the drill broke off")]
    Drill(#[from] crate::rollback::DrillError),
    /// The drill has a bug.
    #[error("the drill panicked: {0}")]
    Panicked(String),
    /// The break that was to be made could not be made.
    #[error("the sabotage could not be done: {0}")]
    Sabotage(String),
}

/// Collects, writes down, judges and tells.
pub(crate) async fn run_check<C: Check>(check: &C, cx: &StepCx<'_>) -> Ended {
    let (scenario, step) = (cx.planned.scenario.id.clone(), cx.id.clone());
    let judged = |facts, verdict, figures| RunEventKind::CheckJudged {
        scenario: scenario.clone(),
        step: step.clone(),
        facts,
        verdict,
        figures,
    };
    let collected = tokio::select! {
        biased;
        collected = check.collect(cx) => collected,
        // What was observed so far is incomplete, and the run is inconclusive as it is.
        () = cx.cx.stop.asked() => return Ended::Whole,
    };
    match collected {
        Ok(evidence) => {
            match write_evidence(cx, &evidence) {
                Ok(path) => cx.events.emit(RunEventKind::EvidenceWritten {
                    scenario: scenario.clone(),
                    step: step.clone(),
                    path,
                }),
                Err(error) => cx.events.error(Some(&scenario), Some(&step), &error),
            }
            let (facts, figures) = (check.facts(&evidence), check.figures(&evidence));
            cx.events.emit(judged(facts, check.judge(&evidence), figures));
        }
        Err(error) => {
            let reason = messages(&error).join(": ");
            let verdict = Verdict::not_collected(check.subject(), reason);
            cx.events.emit(judged(Vec::new(), verdict, Vec::new()));
        }
    }
    // A check leaves the stores as they were, so the next one can stand on them in any case.
    Ended::Whole
}

/// Evidence that could not be written down.
#[derive(Debug, thiserror::Error)]
#[error("failed to write the evidence to `{}`", path.display())]
struct EvidenceError {
    path: PathBuf,
    #[source]
    cause: std::io::Error,
}

fn write_evidence(cx: &StepCx<'_>, evidence: &impl Serialize) -> Result<PathBuf, EvidenceError> {
    let scenario = cx.planned.scenario.id.as_str();
    let relative = Path::new("evidence").join(scenario).join(format!("{}.json", cx.id));
    let path = cx.cx.folder.join(&relative);
    let write = || {
        if let Some(folder) = path.parent() {
            std::fs::create_dir_all(folder)?;
        }
        let file = std::io::BufWriter::new(std::fs::File::create(&path)?);
        serde_json::to_writer(file, evidence).map_err(std::io::Error::from)
    };
    match write() {
        Ok(()) => Ok(relative),
        Err(cause) => Err(EvidenceError { path: path.clone(), cause }),
    }
}
