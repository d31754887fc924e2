//! What a step works with, and how it ends.

use cutover_model::event::Fact;
use cutover_model::scenario::DataSet;
use cutover_model::{DataName, Finding, RunEventKind, StepId};
use cutover_targets::Target;

use crate::cx::RunCx;
use crate::events::Events;
use crate::plan::PlannedScenario;
use crate::stores::Stores;

/// What a step works with.
pub(crate) struct StepCx<'a> {
    pub(crate) planned: &'a PlannedScenario,
    /// The place of the step in the scenario.
    pub(crate) index: usize,
    pub(crate) id: &'a StepId,
    pub(crate) stores: &'a Stores,
    pub(crate) target: &'a Target,
    pub(crate) cx: &'a RunCx,
    pub(crate) events: &'a Events,
}

/// Whether the steps after this one have something to stand on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Ended {
    /// They have.
    Whole,
    /// They have not: what this step should have done is not there.
    Broken,
}

impl<'a> StepCx<'a> {
    /// The declared break to make in this step, if this run is for one.
    pub(crate) fn sabotage<'s, S>(&self, declared: &'s [S]) -> Option<&'s S> {
        self.planned.break_of(self.index).map(|entry| &declared[entry])
    }

    /// The data sets of those names, in that order.
    pub(crate) fn data(&self, names: &'a [DataName]) -> impl Iterator<Item = &'a DataSet> {
        let sets = &self.planned.scenario.data;
        // A validated scenario names only data sets that it declares.
        names.iter().filter_map(move |name| sets.iter().find(|data| data.name == *name))
    }

    /// Tells how far the step is.
    pub(crate) fn progress(&self, done: u64, total: Option<u64>, unit: &str) {
        self.events.emit(RunEventKind::StepProgressed {
            scenario: self.planned.scenario.id.clone(),
            step: self.id.clone(),
            done,
            total,
            unit: unit.to_owned(),
        });
    }

    pub(crate) fn finish(&self, facts: Vec<Fact>, findings: Vec<Finding>) -> Ended {
        self.events.emit(RunEventKind::StepFinished {
            scenario: self.planned.scenario.id.clone(),
            step: self.id.clone(),
            facts,
            findings,
        });
        Ended::Whole
    }

    pub(crate) fn fail(&self, error: &(dyn std::error::Error + 'static)) -> Ended {
        self.events.error(Some(&self.planned.scenario.id), Some(self.id), error);
        Ended::Broken
    }
}
