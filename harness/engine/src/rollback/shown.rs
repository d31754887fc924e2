//! The drill as a report shows it: facts to read and a figure over time.

use std::time::Duration;

use cutover_model::event::{Fact, TrafficFigure, TriggerPoint};
use cutover_model::scenario::{Comparison, OutcomeClass, TriggerRule};
use cutover_model::{Ratio, ShortDuration, Store};
use cutover_traffic::{Cause, Evaluation, Flags, PeriodClass};

use super::controller::period;
use super::history::{RollbackEvidence, WriteFate};

/// The stretch over which the served share is counted when no trigger has periods.
const DEFAULT_STRETCH: Duration = Duration::from_mins(1);

/// What there is to read of a drill. All of it is virtual, so the same seed gives the same.
pub fn facts(evidence: &RollbackEvidence) -> Vec<Fact> {
    let acknowledged =
        evidence.writes.iter().filter(|write| write.fate == WriteFate::Acknowledged).count();
    let failed = |store| {
        let queries = evidence.queries.iter().filter(|query| query.store == store);
        queries.filter(|query| query.outcome != OutcomeClass::Success).count() as u64
    };
    let left = evidence.instances.iter().map(|instance| instance.left_for_repair).sum();
    let mut facts = vec![
        Fact::text("drill", format!("{} of virtual time", ShortDuration(evidence.ended))),
        Fact::count("writes", evidence.writes.len() as u64),
        Fact::count("writes acknowledged", acknowledged as u64),
        Fact::count("queries", evidence.queries.len() as u64),
        Fact::count("requests to the destination", evidence.attempts.len() as u64),
        Fact::count("requests exposed to the fault", evidence.exposed_requests()),
        Fact::count("queries failed at the destination", failed(Store::Destination)),
        Fact::count("queries failed at the source", failed(Store::Source)),
        Fact::count("copies left for repair", left),
        Fact::count("points in the source", evidence.source.len() as u64),
        Fact::count("points in the destination", evidence.destination.len() as u64),
    ];
    if let Some(fault) = &evidence.fault {
        let hits = format!("{} of {} requests", fault.hits, fault.requests);
        facts.push(Fact::text("hit by the fault", hits));
    }
    if let Some(back) = evidence.decisions.iter().rfind(|seen| seen.cause != Cause::Ladder) {
        for index in (0..).take(evidence.instances.len()) {
            let Some(last) = evidence.last_attempt(index) else { continue };
            let text = match last.sent.checked_sub(back.at) {
                Some(after) => format!("{} after the last flags", ShortDuration(after)),
                None => format!(
                    "{} before the last flags",
                    ShortDuration(back.at.saturating_sub(last.sent))
                ),
            };
            facts.push(Fact::text(format!("last request of instance {index}"), text));
        }
    }
    facts
}

/// The traffic and the triggers over the time of a drill.
pub fn figure(evidence: &RollbackEvidence) -> TrafficFigure {
    let flags = evidence.published.iter();
    let fired = evidence.decisions.iter().find_map(|decision| match decision.cause {
        Cause::Trigger(trigger) => Some((decision.at, trigger.key().to_owned())),
        Cause::Ladder => None,
    });
    let evaluations = evidence.evaluations.iter();
    TrafficFigure {
        flags: flags.map(|published| (published.at, share_of(&published.flags))).collect(),
        served: served(evidence),
        fault: evidence.fault.map(|fault| (fault.began, fault.ended)),
        evaluations: evaluations.map(|seen| trigger_point(evidence, seen)).collect(),
        fired,
    }
}

fn share_of(flags: &Flags) -> f64 {
    if flags.ingestion || flags.queries { flags.share.get() } else { 0.0 }
}

/// The share of the devices' requests that needed the destination, by stretches of time.
fn served(evidence: &RollbackEvidence) -> Vec<(Duration, f64)> {
    let stretch = evidence.triggers.iter().map(period).min().unwrap_or(DEFAULT_STRETCH);
    let writes = evidence.writes.iter();
    let writes = writes.map(|write| (write.sent, evidence.is_fed(write.version, write.device)));
    let queries = evidence.queries.iter();
    let queries = queries.map(|query| (query.sent, query.store == Store::Destination));
    let mut counts: Vec<(u64, u64)> = Vec::new();
    for (sent, is_at_destination) in writes.chain(queries) {
        let place = usize::try_from(sent.as_nanos() / stretch.as_nanos()).unwrap_or(0);
        if counts.len() <= place {
            counts.resize(place + 1, (0, 0));
        }
        counts[place].0 += u64::from(is_at_destination);
        counts[place].1 += 1;
    }
    let middles = (0..).map(|n: u32| stretch * n + stretch / 2);
    let shares = counts.iter().map(|(part, whole)| Ratio::of(*part, *whole));
    middles.zip(shares).filter_map(|(middle, share)| Some((middle, share?.get()))).collect()
}

fn trigger_point(evidence: &RollbackEvidence, seen: &Evaluation) -> TriggerPoint {
    let rule = evidence.triggers.iter().find(|rule| rule.name == seen.trigger);
    let is_known = seen.class != PeriodClass::NoData;
    let of_limit = rule.zip(seen.value.filter(|_| is_known));
    TriggerPoint {
        at: seen.at,
        trigger: seen.trigger.key().to_owned(),
        of_limit: of_limit.and_then(|(rule, value)| as_share_of_limit(rule, value)),
        breach: seen.class == PeriodClass::Breach,
    }
}

/// How much of what the rule allows is used up: above 1 is a breach.
fn as_share_of_limit(rule: &TriggerRule, value: f64) -> Option<f64> {
    let share = match rule.comparison {
        Comparison::Above | Comparison::AtLeast => value / rule.limit,
        // A share of successes allows what is missing from all.
        Comparison::Below | Comparison::AtMost => (1.0 - value) / (1.0 - rule.limit),
    };
    share.is_finite().then_some(share)
}
