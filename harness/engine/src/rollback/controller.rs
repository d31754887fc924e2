//! The controller: climbs the ladder, watches the triggers, and comes back when one fires.
//!
//! The main type is [`Controller`]. It decides by [`Rollout`] and [`TriggerEngine`] and publishes
//! what they say; where the drill is sabotaged, it publishes something else. It also times the
//! fault, which belongs to a share of the ladder, and knows when everything has been seen.

use std::sync::Arc;
use std::time::Duration;

use cutover_faults::{FaultGuard, FaultKind, Faults, Scope};
use cutover_model::Ratio;
use cutover_model::scenario::{
    RollbackSabotage, RollbackStep, TriggerName, TriggerRule, TriggerWindow,
};
use cutover_traffic::{
    Cause, Decision, Evaluation, Flags, PeriodClass, Rollout, RolloutPhase, RolloutPlan,
    TriggerEngine,
};

use super::error::DrillError;
use super::history::FaultInterval;
use super::names::REQUEST_LIMIT;
use super::stage::Stage;
use crate::Stop;

/// How often the controller looks, beside the ends of periods.
pub(super) const TICK: Duration = Duration::from_secs(1);

/// The controller of a rollout.
pub(super) struct Controller<'a> {
    step: &'a RollbackStep,
    stage: Arc<Stage>,
    rollout: Rollout,
    engine: TriggerEngine,
    fault: PlannedFault,
    decisions: Vec<Decision>,
    evaluations: Vec<Evaluation>,
}

/// The fault, before and while it is in force.
struct PlannedFault {
    faults: Faults,
    kind: Option<FaultKind>,
    /// When it is due; unknown until its share is reached.
    due: Option<Duration>,
    in_force: Option<(Duration, FaultGuard)>,
}

/// What the controller saw and did.
pub(super) struct ControllerHistory {
    pub(super) fault: Option<FaultInterval>,
    pub(super) decisions: Vec<Decision>,
    pub(super) evaluations: Vec<Evaluation>,
}

/// How long it takes until every instance has surely polled: one poll may just have been missed,
/// and the next one comes late by its jitter.
pub(super) fn settle(poll_every: Duration) -> Duration {
    2 * poll_every
}

/// How long after a decision an instance may still send requests to a store that it leaves.
pub(super) fn convergence(poll_every: Duration, request_limit: Duration) -> Duration {
    settle(poll_every) + request_limit
}

impl<'a> Controller<'a> {
    /// A controller at the foot of the ladder.
    pub(super) fn new(
        step: &'a RollbackStep,
        stage: Arc<Stage>,
        faults: Faults,
    ) -> Result<Self, DrillError> {
        let plan = RolloutPlan {
            steps: step.steps.clone(),
            hold: step.hold,
            settle: settle(step.workload.poll_every),
        };
        if !step.steps.contains(&step.at) {
            return Err(DrillError::NoSuchStep(step.at));
        }
        let kind = step.fault.map(FaultKind::try_from).transpose();
        let kind = kind.map_err(|_| DrillError::Status(status_of(step)))?;
        Ok(Self {
            step,
            stage,
            rollout: Rollout::new(plan).map_err(DrillError::Rollout)?,
            engine: TriggerEngine::new(step.triggers.clone()).map_err(DrillError::Triggers)?,
            fault: PlannedFault { faults, kind, due: None, in_force: None },
            decisions: Vec::new(),
            evaluations: Vec::new(),
        })
    }

    /// Runs the rollout until everything has been seen.
    pub(super) async fn run(&mut self, stop: &Stop) -> Result<(), DrillError> {
        loop {
            if stop.is_asked() {
                return Err(DrillError::Stopped);
            }
            let now = self.stage.now();
            self.look(now);
            if self.end().is_some_and(|end| now >= end) {
                return Ok(());
            }
            self.stage.until(self.next_look(now)).await;
        }
    }

    /// Lifts the fault and hands over what was seen.
    pub(super) fn finish(self) -> ControllerHistory {
        let fault = self.fault.in_force.map(|(began, guard)| {
            let id = guard.id();
            drop(guard);
            let observed = self.fault.faults.observed();
            let observed = observed.iter().find(|observed| observed.id == id);
            let (requests, hits) = observed.map_or((0, 0), |seen| (seen.requests, seen.hits));
            FaultInterval { began, ended: self.stage.now(), requests, hits }
        });
        ControllerHistory { fault, decisions: self.decisions, evaluations: self.evaluations }
    }

    fn look(&mut self, now: Duration) {
        for observation in self.stage.take_reports() {
            self.engine.observe(observation);
        }
        let evaluations = self.engine.advance_to(now);
        self.evaluations.extend_from_slice(&evaluations);
        // Going back comes before climbing on, where both are due.
        if let Some(trigger) = self.fires(&evaluations) {
            for decision in self.rollout.roll_back(now, trigger) {
                self.publish(decision);
            }
        }
        for decision in self.rollout.advance_to(now) {
            if decision.flags.share == self.step.at && decision.cause == Cause::Ladder {
                self.fault.due.get_or_insert(decision.at + self.step.hold / 2);
            }
            self.publish(decision);
        }
        self.fault.begin_if_due(now);
    }

    /// The first rule that says to go back.
    fn fires(&self, evaluations: &[Evaluation]) -> Option<TriggerName> {
        if self.stage.is_sabotaged_by(RollbackSabotage::TriggersCountInTotal) {
            let fires = |rule: &&TriggerRule| self.is_breached_in_total(rule);
            return self.step.triggers.iter().find(fires).map(|rule| rule.name);
        }
        evaluations.iter().find(|evaluation| evaluation.firing).map(|firing| firing.trigger)
    }

    fn is_breached_in_total(&self, rule: &TriggerRule) -> bool {
        let seen = self.evaluations.iter().filter(|seen| seen.trigger == rule.name);
        let breaches = seen.filter(|seen| seen.class == PeriodClass::Breach).count();
        let needed = match rule.window {
            TriggerWindow::Consecutive { periods, .. } => periods as usize,
            TriggerWindow::Sliding { .. } => 1,
        };
        breaches >= needed
    }

    fn publish(&mut self, decision: Decision) {
        self.decisions.push(decision);
        if let Some(flags) = self.flags_to_publish(&decision) {
            self.stage.flags.publish(self.stage.now(), flags, decision.cause);
        }
    }

    /// What a decision becomes: itself, unless the controller is sabotaged.
    fn flags_to_publish(&self, decision: &Decision) -> Option<Flags> {
        let Decision { flags, cause, .. } = *decision;
        match (self.stage.sabotage, cause) {
            (Some(RollbackSabotage::RollbackIsANoop), Cause::Trigger(_)) => None,
            (Some(RollbackSabotage::RollbackToPreviousStep), Cause::Trigger(_)) => {
                let is_first = flags.ingestion;
                let back = Flags { queries: true, share: self.share_below(flags.share), ..flags };
                is_first.then_some(back)
            }
            (Some(RollbackSabotage::QueriesBeforeIngestion), Cause::Ladder)
                if flags.ingestion && !flags.queries =>
            {
                Some(Flags { ingestion: false, queries: true, ..flags })
            }
            _ => Some(flags),
        }
    }

    fn share_below(&self, share: Ratio) -> Ratio {
        let below = self.step.steps.iter().rev().find(|step| **step < share);
        below.copied().unwrap_or(Ratio::ZERO)
    }

    /// When everything has been seen, if that can be told already.
    fn end(&self) -> Option<Duration> {
        let last = self.decisions.last()?.at;
        // Stragglers show in the half hold after everyone must have followed, and flapping in a
        // whole hold without a step upwards.
        let converged = convergence(self.step.workload.poll_every, REQUEST_LIMIT);
        let watch = self.step.hold.max(converged + self.step.hold / 2);
        match self.rollout.phase() {
            RolloutPhase::Climbing | RolloutPhase::RollingBack(_) => None,
            RolloutPhase::RolledBack(_) => Some(last + watch),
            RolloutPhase::Complete => {
                let due = self.fault.due.unwrap_or(last);
                Some(last.max(due + within(self.step)) + watch)
            }
        }
    }

    /// The next instant at which anything can be due.
    fn next_look(&self, now: Duration) -> Duration {
        let periods = self.step.triggers.iter().filter_map(|rule| match rule.window {
            TriggerWindow::Consecutive { period, .. } => Some(next_multiple(period, now)),
            TriggerWindow::Sliding { .. } => None,
        });
        let due = self.rollout.next_due().into_iter().chain(self.fault.next_due());
        let due = due.filter(|due| *due > now);
        periods.chain(due).fold(now + TICK, Duration::min)
    }
}

impl PlannedFault {
    fn next_due(&self) -> Option<Duration> {
        self.due.filter(|_| self.kind.is_some() && self.in_force.is_none())
    }

    fn begin_if_due(&mut self, now: Duration) {
        if self.next_due().is_some_and(|due| due <= now) {
            let guard = self.kind.map(|kind| self.faults.inject(kind, Scope::all()));
            self.in_force = guard.map(|guard| (now, guard));
        }
    }
}

/// The longest time from the fault to the trigger that the step allows.
pub(super) fn within(step: &RollbackStep) -> Duration {
    step.expect.rolled_back_by.map_or(Duration::ZERO, |trigger| {
        let rule = step.triggers.iter().find(|rule| rule.name == trigger);
        rule.map_or(Duration::ZERO, period) * step.expect.within_periods
    })
}

/// The period of a rule; a sliding stretch is one.
pub(super) fn period(rule: &TriggerRule) -> Duration {
    match rule.window {
        TriggerWindow::Consecutive { period, .. } => period,
        TriggerWindow::Sliding { length } => length,
    }
}

fn next_multiple(period: Duration, now: Duration) -> Duration {
    let nanos = period.as_nanos();
    let next = (now.as_nanos() / nanos + 1) * nanos;
    u64::try_from(next).map_or(Duration::MAX, Duration::from_nanos)
}

fn status_of(step: &RollbackStep) -> u16 {
    match step.fault {
        Some(cutover_model::scenario::Fault::HttpError { status, .. }) => status,
        _ => 0,
    }
}
