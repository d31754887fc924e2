//! The rollback step.

use std::time::Duration;

use cutover_model::scenario::{
    Fault, Invariant, RollbackExpect, RollbackSabotage, RollbackStep, TriggerName, TriggerRule,
    TriggerWindow, Workload,
};
use cutover_model::{Rate, Ratio};

use super::Lowering;
use crate::reader::At;
use crate::suggest::listing;
use crate::wire::items;
use crate::wire::rollback::{
    FaultWire, HttpErrorWire, InvariantWire, LateWire, RefuseWire, RollbackExpectWire,
    RollbackSabotageWire, RollbackWire, RolledBackByWire, WorkloadWire,
};
use crate::wire::scalar::{PerSecond, Percent, Size};

/// How long each share is held, unless the file says.
const DEFAULT_HOLD: Duration = Duration::from_mins(10);

impl Lowering<'_> {
    pub(super) fn rollback(&mut self, wire: &At<RollbackWire>) -> Option<RollbackStep> {
        let RollbackWire { steps, hold, at: _, fault, triggers, workload, expect, .. } =
            &wire.value;
        let RollbackWire { prove, sabotage, .. } = &wire.value;
        let ladder = items(steps.as_ref());
        // With a share that could not be read, the others say nothing of the ladder.
        let ladder_is_clear = !self.mistakes.mention(&wire.place, "steps");
        if ladder_is_clear {
            self.check_ladder(ladder);
        }
        let start = self.fault_start(wire, if ladder_is_clear { ladder } else { &[] });
        let fault = fault.as_ref().and_then(|fault| fault_of(&fault.value));
        let workload = workload_of(workload.as_ref().map(|workload| &workload.value));
        let triggers = self.trigger_rules(triggers.as_ref())?;
        let expect = &expect.as_ref()?.value;
        self.check_rolled_back_by(expect, &triggers);
        let last = ladder.last()?.value.0;
        let lowered = rollback_expect(expect, &triggers, last)?;
        let rule = triggers.iter().find(|rule| Some(rule.name) == lowered.rolled_back_by);
        if let (Some(rule), Some(at)) = (rule, start) {
            self.check_reachable(rule, (at, workload), expect);
        }
        Some(RollbackStep {
            steps: ladder.iter().map(|step| step.value.0).collect(),
            hold: hold.as_ref().map_or(DEFAULT_HOLD, |hold| hold.value.0),
            at: start?,
            fault,
            triggers,
            workload,
            expect: lowered,
            prove: items(prove.as_ref()).iter().map(|wire| invariant(&wire.value)).collect(),
            sabotage: items(sabotage.as_ref()).iter().map(|wire| broken(&wire.value)).collect(),
        })
    }

    fn check_ladder(&mut self, ladder: &[At<Percent>]) {
        if let Some(first) = ladder.first().filter(|first| first.value.0 != Ratio::ZERO) {
            let message = format!("the first share of traffic is {}, not 0%", first.value.0);
            let help = "start with `0%`: a rollout starts where nothing goes to InfluxDB";
            self.mistakes.error(&first.place, message, help);
        }
        for pair in ladder.windows(2) {
            let [earlier, later] = pair else { continue };
            if later.value.0 <= earlier.value.0 {
                let message = format!(
                    "the shares of traffic do not rise: {} is not above {}",
                    later.value.0, earlier.value.0
                );
                self.mistakes.error(
                    &later.place,
                    message,
                    "write each share once, in rising order",
                );
            }
        }
    }

    /// The share at which the fault begins. A healthy rollout may leave it out.
    fn fault_start(&mut self, wire: &At<RollbackWire>, ladder: &[At<Percent>]) -> Option<Ratio> {
        let RollbackWire { at, fault, .. } = &wire.value;
        let Some(at) = at else {
            if fault.is_some() && !self.mistakes.mention(&wire.place, "at") {
                let help = "add `at`: the share of traffic at which the fault begins";
                self.mistakes.error(&wire.place, "`rollback` lacks the key `at`", help);
            }
            return ladder.last().map(|last| last.value.0).filter(|_| fault.is_none());
        };
        let share = at.value.0;
        if !ladder.is_empty() && ladder.iter().all(|step| step.value.0 != share) {
            let shown: Vec<String> = ladder.iter().map(|step| step.value.0.to_string()).collect();
            let message = format!("`at` is {share}, which is not among the steps");
            let help = format!("the steps are {}", listing(shown.iter().map(String::as_str)));
            self.mistakes.error(&at.place, message, help);
        } else if share == Ratio::ZERO && fault.is_some() {
            let message = "at 0% nothing goes to InfluxDB, so the fault would hit nothing";
            self.mistakes.error(&at.place, message, "name a later step");
        }
        Some(share)
    }

    /// Refuses an expected trigger that is not watched, or that needs longer than is allowed.
    fn check_rolled_back_by(&mut self, expect: &RollbackExpectWire, rules: &[TriggerRule]) {
        let Some(by) = &expect.rolled_back_by else { return };
        let Some(name) = trigger_name(&by.value) else {
            if let Some(within) = &expect.within {
                let message = "`within` has no meaning when nothing is to roll back";
                self.mistakes.error(&within.place, message, "remove it");
            }
            return;
        };
        let Some(rule) = rules.iter().find(|rule| rule.name == name) else {
            let known = rules.iter().map(|rule| rule.name.key());
            let message = format!("`{}` is not among the triggers of this step", name.key());
            let help = format!("the triggers are {}: add it, or expect another", listing(known));
            self.mistakes.error(&by.place, message, help);
            return;
        };
        if let (Some(within), TriggerWindow::Consecutive { periods, .. }) =
            (&expect.within, rule.window)
            && within.value.0 < periods
        {
            let has = within.value.0;
            let message =
                format!("`{}` needs {periods} periods to fire, and has {has}", name.key());
            let help = format!("write `{} periods`, since it starts in mid-period", periods + 1);
            self.mistakes.error(&within.place, message, help);
        }
    }

    /// Warns of an expected rollback that the workload cannot bring about.
    fn check_reachable(
        &mut self,
        rule: &TriggerRule,
        (at, workload): (Ratio, Workload),
        wire: &RollbackExpectWire,
    ) {
        let Some(by) = &wire.rolled_back_by else { return };
        if let TriggerWindow::Consecutive { period, min_samples, .. } = rule.window {
            let rate = workload.writes.per_second() + workload.queries.per_second();
            let samples = rate * at.get() * period.as_secs_f64();
            // That nothing happens at 0% is an error of its own.
            if at != Ratio::ZERO && samples < min_samples as f64 {
                let message = format!(
                    "`{}` sees about {samples:.0} requests per period at {at}, and needs \
                     {min_samples}",
                    rule.name.key()
                );
                let help = "raise `workload`, lower `min_samples`, or start the fault later";
                self.mistakes.warning(&by.place, message, help);
            }
        }
        if let Some(last) = wire.final_share.as_ref().filter(|last| last.value.0 != Ratio::ZERO) {
            let message = format!("a rollback ends at 0%, not at {}", last.value.0);
            self.mistakes.warning(&last.place, message, "write `final: 0%`");
        }
    }
}

fn rollback_expect(
    wire: &RollbackExpectWire,
    rules: &[TriggerRule],
    last: Ratio,
) -> Option<RollbackExpect> {
    let RollbackExpectWire { rolled_back_by, within, final_share } = wire;
    let name = trigger_name(&rolled_back_by.as_ref()?.value);
    let needed = rules.iter().find(|rule| Some(rule.name) == name).map(|rule| match rule.window {
        // The fault begins in mid-period, so one more than the trigger itself needs.
        TriggerWindow::Consecutive { periods, .. } => periods.saturating_add(1),
        TriggerWindow::Sliding { .. } => 1,
    });
    let share = if name.is_some() { Ratio::ZERO } else { last };
    Some(RollbackExpect {
        rolled_back_by: name,
        within_periods: within.as_ref().map(|within| within.value.0).or(needed).unwrap_or(0),
        final_share: final_share.as_ref().map_or(share, |share| share.value.0),
    })
}

fn trigger_name(wire: &RolledBackByWire) -> Option<TriggerName> {
    match wire {
        RolledBackByWire::ErrorRate => Some(TriggerName::ErrorRate),
        RolledBackByWire::LatencyDifference => Some(TriggerName::LatencyDifference),
        RolledBackByWire::ConnectionFailures => Some(TriggerName::ConnectionFailures),
        RolledBackByWire::SuccessRate => Some(TriggerName::SuccessRate),
        RolledBackByWire::Nothing => None,
    }
}

fn workload_of(wire: Option<&WorkloadWire>) -> Workload {
    let absent = WorkloadWire {
        instances: None,
        poll_every: None,
        devices: None,
        writes: None,
        queries: None,
    };
    let WorkloadWire { instances, poll_every, devices, writes, queries } = wire.unwrap_or(&absent);
    let size =
        |wire: &Option<At<Size>>, default| wire.as_ref().map_or(default, |size| size.value.0);
    let rate = |wire: &Option<At<PerSecond>>, default: f64| {
        let default = Rate::try_from(default).expect("the default rates are above zero");
        wire.as_ref().map_or(default, |rate| rate.value.0)
    };
    Workload {
        instances: size(instances, 4),
        poll_every: poll_every.as_ref().map_or(Duration::from_secs(45), |every| every.value.0),
        devices: size(devices, 200),
        writes: rate(writes, 10.0),
        queries: rate(queries, 2.0),
    }
}

fn fault_of(wire: &FaultWire) -> Option<Fault> {
    match wire {
        FaultWire::HttpError(wire) => {
            let HttpErrorWire { status, ratio } = &wire.value;
            let (status, ratio) = (status.as_ref()?.value.0, ratio.as_ref()?.value.0);
            Some(Fault::HttpError { status, ratio })
        }
        FaultWire::Latency(wire) => {
            let LateWire { add } = &wire.value;
            Some(Fault::Latency { add: add.as_ref()?.value.0 })
        }
        FaultWire::RefuseConnections(wire) => {
            let RefuseWire { ratio } = &wire.value;
            Some(Fault::RefuseConnections { ratio: ratio.as_ref()?.value.0 })
        }
    }
}

fn invariant(wire: &InvariantWire) -> Invariant {
    match wire {
        InvariantWire::NoAcknowledgedWriteLost => Invariant::NoAcknowledgedWriteLost,
        InvariantWire::NoWriteAppliedTwice => Invariant::NoWriteAppliedTwice,
        InvariantWire::EveryClientConverged => Invariant::EveryClientConverged,
        InvariantWire::ReadersNeverPrecedeWriters => Invariant::ReadersNeverPrecedeWriters,
    }
}

fn broken(wire: &RollbackSabotageWire) -> RollbackSabotage {
    match wire {
        RollbackSabotageWire::RollbackIsANoop => RollbackSabotage::RollbackIsANoop,
        RollbackSabotageWire::RollbackToPreviousStep => RollbackSabotage::RollbackToPreviousStep,
        RollbackSabotageWire::OneInstanceKeepsStaleFlags => {
            RollbackSabotage::OneInstanceKeepsStaleFlags
        }
        RollbackSabotageWire::TriggersCountInTotal => RollbackSabotage::TriggersCountInTotal,
        RollbackSabotageWire::LoseAcknowledgedWrites => RollbackSabotage::LoseAcknowledgedWrites,
        RollbackSabotageWire::RetryWithNewTime => RollbackSabotage::RetryWithNewTime,
        RollbackSabotageWire::QueriesBeforeIngestion => RollbackSabotage::QueriesBeforeIngestion,
    }
}
