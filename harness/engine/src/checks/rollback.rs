//! Rollback: a rollout in virtual time, a fault in it, and the way back.
//!
//! The drill itself is [`crate::rollback`]. It runs on a thread of its own, where time is virtual,
//! and needs neither of the scenario's stores: it brings its own.

use cutover_model::Verdict;
use cutover_model::event::{Fact, Figure};
use cutover_model::scenario::{RollbackSabotage, RollbackStep};

use super::{Check, CollectError};
use crate::rollback::{self, RollbackEvidence};
use crate::step::StepCx;

/// The check, and the break to make if this run is for one.
pub(crate) struct RollbackCheck<'a> {
    pub(crate) step: &'a RollbackStep,
    pub(crate) sabotage: Option<RollbackSabotage>,
}

impl Check for RollbackCheck<'_> {
    type Evidence = RollbackEvidence;

    fn subject(&self) -> &'static str {
        "traffic goes back and nothing is lost"
    }

    async fn collect(&self, cx: &StepCx<'_>) -> Result<RollbackEvidence, CollectError> {
        let (step, sabotage, seed) = (self.step.clone(), self.sabotage, cx.planned.seed);
        let stop = cx.cx.stop.clone();
        let drill = move || rollback::collect(&step, sabotage, seed, &stop);
        match tokio::task::spawn_blocking(drill).await {
            Ok(collected) => Ok(collected?),
            Err(panicked) => Err(CollectError::Panicked(panicked.to_string())),
        }
    }

    fn judge(&self, evidence: &RollbackEvidence) -> Verdict {
        rollback::judge(self.step, evidence)
    }

    fn facts(&self, evidence: &RollbackEvidence) -> Vec<Fact> {
        rollback::facts(evidence)
    }

    fn figures(&self, evidence: &RollbackEvidence) -> Vec<Figure> {
        vec![Figure::Traffic(rollback::figure(evidence))]
    }
}
