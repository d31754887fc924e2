//! What a recorded drill proves: the cause, the moment and the end of the rollback, and the
//! invariants.
//!
//! The main function is [`judge`]. It reads the evidence alone, so a recorded drill can be judged
//! again. Where the fault never met a request, or a rule never had enough of them, nothing is
//! known and nothing passes.

use std::time::Duration;

use cutover_model::scenario::{
    Fault, OutcomeClass, RollbackStep, TriggerName, TriggerRule, TriggerWindow,
};
use cutover_model::{Expectation, Finding, FindingCode, Judgement, Ratio, ShortDuration, Verdict};
use cutover_traffic::{Cause, Decision, Evaluation, PeriodClass};

use super::controller::{TICK, within};
use super::history::RollbackEvidence;
use super::invariants::prove;

/// Holds what a drill observed against what the step expects.
pub fn judge(step: &RollbackStep, evidence: &RollbackEvidence) -> Verdict {
    let drill = Drill { step, evidence };
    let mut expectations = Vec::new();
    expectations.extend(drill.fault_is_seen());
    expectations.push(drill.cause());
    expectations.extend(drill.moment());
    expectations.extend(drill.rule_holds());
    expectations.push(drill.final_share());
    expectations.extend(drill.happens_once());
    let mut findings: Vec<Finding> = expectations.iter().filter_map(rollback_wrong).collect();
    for invariant in &step.prove {
        let proof = prove(*invariant, step, evidence);
        expectations.push(proof.expectation);
        findings.extend(proof.findings);
    }
    Verdict { expectations, findings }
}

#[derive(Clone, Copy)]
struct Drill<'a> {
    step: &'a RollbackStep,
    evidence: &'a RollbackEvidence,
}

/// A rollback: the trigger that it was for and when it was decided on.
#[derive(Clone, Copy)]
struct Back {
    trigger: TriggerName,
    at: Duration,
}

impl Drill<'_> {
    /// The clients must have met the fault, or the drill has tried nothing.
    fn fault_is_seen(&self) -> Option<Expectation> {
        let fault = self.step.fault?;
        let expected = format!("clients meet the fault: {}", in_words(fault));
        let (seen, requests) = self.met(fault);
        let observed = format!("{seen} of {requests} requests to the destination");
        if seen > 0 {
            return Some(passed(expected, observed));
        }
        let reason = match self.evidence.fault {
            Some(_) => "no request to the destination met the fault",
            None => "the share at which the fault begins was not held for long enough",
        };
        Some(unknown(expected, observed, reason))
    }

    /// How many requests to the destination met the fault, and how many had the chance.
    fn met(&self, fault: Fault) -> (usize, usize) {
        let Some(interval) = self.evidence.fault else { return (0, 0) };
        let sent = |attempt: &&super::history::Attempt| {
            (interval.began..interval.ended).contains(&attempt.sent)
        };
        let attempts: Vec<_> = self.evidence.attempts.iter().filter(sent).collect();
        let met = attempts.iter().filter(|attempt| match fault {
            Fault::HttpError { .. } => {
                matches!(attempt.outcome, OutcomeClass::ServerError | OutcomeClass::ClientError)
            }
            Fault::Latency { add } => attempt.latency >= add.min(self.evidence.request_limit),
            Fault::RefuseConnections { .. } => attempt.outcome == OutcomeClass::ConnectionFailure,
        });
        (met.count(), attempts.len())
    }

    fn rollbacks(&self) -> Vec<Back> {
        let mut before = Cause::Ladder;
        let mut rollbacks = Vec::new();
        for Decision { at, cause, .. } in &self.evidence.decisions {
            if let Cause::Trigger(trigger) = *cause
                && *cause != before
            {
                rollbacks.push(Back { trigger, at: *at });
            }
            before = *cause;
        }
        rollbacks
    }

    /// The rule that is expected to fire.
    fn rule(&self) -> Option<&TriggerRule> {
        let expected = self.step.expect.rolled_back_by?;
        self.step.triggers.iter().find(|rule| rule.name == expected)
    }

    fn cause(&self) -> Expectation {
        let expected = match self.step.expect.rolled_back_by {
            Some(trigger) => format!("rolled back by {}", trigger.key()),
            None => "no rollback".to_owned(),
        };
        let first = self.rollbacks().first().copied();
        let observed = match first {
            Some(Back { trigger, at }) => {
                format!("rolled back by {} at {}", trigger.key(), ShortDuration(at))
            }
            None => "no rollback".to_owned(),
        };
        if first.map(|back| back.trigger) == self.step.expect.rolled_back_by {
            let watched = self.evidence.evaluations.iter().any(has_data);
            if first.is_none() && !watched {
                return unknown(expected, observed, "no trigger ever had enough requests");
            }
            return passed(expected, observed);
        }
        match self.excuse(first) {
            Some(reason) => unknown(expected, observed, reason),
            None => failed(expected, observed),
        }
    }

    /// Why the expected rollback could not be seen, where that is not the application's fault.
    fn excuse(&self, first: Option<Back>) -> Option<&'static str> {
        let rule = self.rule().filter(|_| first.is_none())?;
        let Some(fault) = self.evidence.fault else {
            return Some("there was no fault to roll back for");
        };
        if self.step.fault.is_none_or(|kind| self.met(kind).0 == 0) {
            return Some("no request to the destination met the fault");
        }
        let mut periods = self.evaluations_of(rule.name).filter(|seen| seen.at > fault.began);
        let starved = !periods.any(has_data);
        starved.then_some("no period after the fault had enough requests for the rule")
    }

    fn evaluations_of(&self, trigger: TriggerName) -> impl Iterator<Item = &Evaluation> {
        self.evidence.evaluations.iter().filter(move |seen| seen.trigger == trigger)
    }

    /// The rollback must come soon after the fault, and not before it.
    fn moment(&self) -> Option<Expectation> {
        self.step.expect.rolled_back_by?;
        let (limit, periods) = (within(self.step), self.step.expect.within_periods);
        let expected = format!("within {periods} periods ({}) of the fault", ShortDuration(limit));
        let (Some(back), Some(fault)) = (self.rollbacks().first().copied(), self.evidence.fault)
        else {
            let reason = "there was no rollback after a fault";
            return Some(unknown(expected, String::new(), reason));
        };
        let Some(after) = back.at.checked_sub(fault.began) else {
            let early = ShortDuration(fault.began.saturating_sub(back.at));
            return Some(failed(expected, format!("{early} before the fault")));
        };
        let observed = format!("{} after the fault", ShortDuration(after));
        // A sliding stretch breaks between two looks of the controller.
        let is_in_time = after <= limit + TICK;
        Some(if is_in_time { passed(expected, observed) } else { failed(expected, observed) })
    }

    /// A rollback must come at the first instant at which its rule asks for it, and at no other.
    fn rule_holds(&self) -> Option<Expectation> {
        let back = self.rollbacks().first().copied();
        let trigger = back.map(|back| back.trigger).or(self.step.expect.rolled_back_by)?;
        let rule = self.step.triggers.iter().find(|rule| rule.name == trigger)?;
        let expected = format!("{} fires at once when its rule says so", rule_in_words(rule));
        let evaluations: Vec<_> = self.evaluations_of(trigger).collect();
        let due = first_due(rule, &evaluations);
        let observed = match (back, due) {
            (None, None) => {
                return Some(unknown(expected, String::new(), "its rule never said so"));
            }
            (Some(back), Some(due)) if (due..=due + TICK).contains(&back.at) => {
                return Some(passed(expected, format!("at {}", ShortDuration(due))));
            }
            (Some(back), due) if due.is_none_or(|due| back.at < due) => {
                format!("fired at {} though its rule did not say so", ShortDuration(back.at))
            }
            (_, Some(due)) => format!("its rule said so at {}", ShortDuration(due)),
            (Some(_), None) => unreachable!("the arm above takes a rollback without a due time"),
        };
        Some(failed(expected, observed))
    }

    fn final_share(&self) -> Expectation {
        let expected = format!("final share {}", self.step.expect.final_share);
        let Some(newest) = self.evidence.published.last() else {
            return unknown(expected, String::new(), "no flags were published");
        };
        let observed = newest.flags.share.to_string();
        if newest.flags.share == self.step.expect.final_share {
            return passed(expected, observed);
        }
        match self.excuse(self.rollbacks().first().copied()) {
            Some(reason) => unknown(expected, observed, reason),
            None => failed(expected, observed),
        }
    }

    /// After a rollback nothing may climb again.
    fn happens_once(&self) -> Option<Expectation> {
        self.step.expect.rolled_back_by?;
        let expected = "one rollback, and no way back up".to_owned();
        let rollbacks = self.rollbacks();
        let Some(back) = rollbacks.first() else {
            return Some(unknown(expected, String::new(), "there was no rollback"));
        };
        let shares = self.evidence.published.iter().filter(|published| published.at >= back.at);
        let shares: Vec<Ratio> = shares.map(|published| published.flags.share).collect();
        let climbs = shares.windows(2).filter(|pair| pair[1] > pair[0]).count();
        let observed = format!("{} rollbacks, {climbs} steps up after the first", rollbacks.len());
        let is_once = rollbacks.len() == 1 && climbs == 0;
        Some(if is_once { passed(expected, observed) } else { failed(expected, observed) })
    }
}

/// When the rule first asks for a rollback, worked out anew from what each period said.
fn first_due(rule: &TriggerRule, evaluations: &[&Evaluation]) -> Option<Duration> {
    let needed = match rule.window {
        TriggerWindow::Consecutive { periods, .. } => periods as usize,
        TriggerWindow::Sliding { .. } => 1,
    };
    let known: Vec<_> = evaluations.iter().filter(|seen| has_data(seen)).collect();
    let mut rows = known.windows(needed);
    let row = rows.find(|row| row.iter().all(|seen| seen.class == PeriodClass::Breach))?;
    row.last().map(|last| last.at)
}

fn has_data(evaluation: &Evaluation) -> bool {
    evaluation.class != PeriodClass::NoData
}

fn in_words(fault: Fault) -> String {
    match fault {
        Fault::HttpError { status, ratio } => format!("status {status} for {ratio}"),
        Fault::Latency { add } => format!("{} more", ShortDuration(add)),
        Fault::RefuseConnections { ratio } => format!("no connection for {ratio}"),
    }
}

fn rule_in_words(rule: &TriggerRule) -> String {
    let key = rule.name.key();
    match rule.window {
        TriggerWindow::Consecutive { periods, .. } => {
            format!("{key} over {periods} periods in a row")
        }
        TriggerWindow::Sliding { length } => format!("{key} over {}", ShortDuration(length)),
    }
}

fn rollback_wrong(expectation: &Expectation) -> Option<Finding> {
    let Expectation { expected, observed, judgement, .. } = expectation;
    (*judgement == Judgement::Fail).then(|| Finding {
        code: FindingCode::RollbackWrong,
        message: format!("expected {expected}, and saw: {observed}"),
        witness: None,
    })
}

fn passed(expected: String, observed: String) -> Expectation {
    Expectation { expected, observed, judgement: Judgement::Pass, reason: None, timed: false }
}

fn failed(expected: String, observed: String) -> Expectation {
    Expectation { expected, observed, judgement: Judgement::Fail, reason: None, timed: false }
}

fn unknown(expected: String, observed: String, reason: &str) -> Expectation {
    Expectation {
        expected,
        observed,
        judgement: Judgement::Inconclusive,
        reason: Some(reason.to_owned()),
        timed: false,
    }
}
