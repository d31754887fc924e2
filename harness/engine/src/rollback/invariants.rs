//! What must hold over a recorded drill, whatever was expected of it.
//!
//! The main function is [`prove`]. Each invariant is a reading of the history and of what the
//! stores hold; one for which nothing was observed is inconclusive, never passed.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use cutover_model::scenario::{Invariant, RollbackStep};
use cutover_model::{
    Expectation, FieldValue, Finding, FindingCode, Judgement, ShortDuration, Store, Tags, Witness,
};
use cutover_traffic::Cause;

use super::controller::convergence;
use super::history::{Attempt, RollbackEvidence, StoredPoint, WriteEvent, WriteFate};
use super::names::{BUCKET, DEVICE, ID, MEASUREMENT, at_ns, device_name};

/// How many places an invariant points at; the count in its expectation is of all.
pub(super) const WITNESSES: usize = 20;

/// An invariant as it was found.
pub(super) struct Proof {
    pub(super) expectation: Expectation,
    pub(super) findings: Vec<Finding>,
}

/// Judges one invariant.
pub(super) fn prove(
    invariant: Invariant,
    step: &RollbackStep,
    evidence: &RollbackEvidence,
) -> Proof {
    match invariant {
        Invariant::NoAcknowledgedWriteLost => nothing_lost(evidence),
        Invariant::NoWriteAppliedTwice => nothing_twice(evidence),
        Invariant::EveryClientConverged => everyone_converged(step, evidence),
        Invariant::ReadersNeverPrecedeWriters => readers_follow(evidence),
    }
}

fn nothing_lost(evidence: &RollbackEvidence) -> Proof {
    let acknowledged: Vec<&WriteEvent> =
        evidence.writes.iter().filter(|write| write.fate == WriteFate::Acknowledged).collect();
    let source: BTreeSet<StoredPoint> = evidence.source.iter().copied().collect();
    let destination: BTreeSet<StoredPoint> = evidence.destination.iter().copied().collect();
    let flags = evidence.final_flags();
    let mut findings = Vec::new();
    let mut lost = 0_u64;
    for write in &acknowledged {
        let point = point_of(write);
        // The source is the system of record; what was fed to the destination must also be there
        // when the destination serves. What was written earlier is the migration's to bring over.
        let serves = flags.reads(&device_name(write.device));
        let is_fed = evidence.is_fed(write.version, write.device);
        let store = if !source.contains(&point) {
            Store::Source
        } else if serves && is_fed && !destination.contains(&point) {
            Store::Destination
        } else {
            continue;
        };
        lost += 1;
        if findings.len() < WITNESSES {
            let message = format!(
                "write {} was acknowledged at {} and is not in the {}, which serves",
                write.id,
                ShortDuration(write.answered),
                store.word()
            );
            let value = FieldValue::Integer(write.id.cast_signed());
            let mut witness = witness(write.device, write.time_ns);
            witness.source = source.contains(&point).then(|| value.clone());
            witness.destination = destination.contains(&point).then_some(value);
            findings.push(finding(FindingCode::AcknowledgedWriteLost, message, Some(witness)));
        }
    }
    let observed = format!("{lost} lost of {} acknowledged", acknowledged.len());
    let nothing = acknowledged.is_empty().then_some("no write was acknowledged");
    proof(Invariant::NoAcknowledgedWriteLost, observed, (nothing, findings))
}

fn nothing_twice(evidence: &RollbackEvidence) -> Proof {
    let sent: BTreeSet<u64> = evidence.writes.iter().map(|write| write.id).collect();
    let mut findings = Vec::new();
    let mut counts = Vec::new();
    for (store, points) in
        [(Store::Source, &evidence.source), (Store::Destination, &evidence.destination)]
    {
        let mut places: BTreeMap<u64, Vec<&StoredPoint>> = BTreeMap::new();
        for point in points {
            places.entry(point.id).or_default().push(point);
        }
        let is_wrong =
            |(id, places): &(&u64, &Vec<&StoredPoint>)| places.len() > 1 || !sent.contains(id);
        let wrong: Vec<_> = places.iter().filter(is_wrong).collect();
        counts.push(format!("{} of {} in the {}", wrong.len(), places.len(), store.word()));
        for (id, places) in wrong.into_iter().take(WITNESSES) {
            let times = places.len();
            let message = if sent.contains(id) {
                format!("write {id} is in the {} {times} times", store.word())
            } else {
                format!("the {} holds write {id}, which nobody sent", store.word())
            };
            let last = places[times - 1];
            let witness = witness(last.device, last.time_ns);
            findings.push(finding(FindingCode::WriteAppliedTwice, message, Some(witness)));
        }
    }
    let observed = format!("more than once: {}", counts.join(", "));
    let nothing = evidence.source.is_empty() && evidence.destination.is_empty();
    let nothing = nothing.then_some("neither store holds a write");
    proof(Invariant::NoWriteAppliedTwice, observed, (nothing, findings))
}

fn readers_follow(evidence: &RollbackEvidence) -> Proof {
    let read: Vec<_> =
        evidence.queries.iter().filter(|query| query.store == Store::Destination).collect();
    let unfed: Vec<_> =
        read.iter().filter(|query| !evidence.is_fed(query.version, query.device)).collect();
    let finding = |query: &&&super::history::QueryEvent| {
        let message = format!(
            "instance {} answered a query of {} at {} from InfluxDB, which its flags did not feed",
            query.instance,
            device_name(query.device),
            ShortDuration(query.sent)
        );
        let witness = witness(query.device, at_ns(query.sent));
        finding(FindingCode::ReaderPrecededWriter, message, Some(witness))
    };
    let findings = unfed.iter().take(WITNESSES).map(finding).collect();
    let observed = format!("{} of {} queries to the destination unfed", unfed.len(), read.len());
    let nothing = read.is_empty().then_some("no query was served by the destination");
    proof(Invariant::ReadersNeverPrecedeWriters, observed, (nothing, findings))
}

/// Every instance has the flags in force, and after a rollback none sends to the destination.
fn everyone_converged(step: &RollbackStep, evidence: &RollbackEvidence) -> Proof {
    let invariant = Invariant::EveryClientConverged;
    let allowed = convergence(step.workload.poll_every, evidence.request_limit);
    let Some(newest) = evidence.published.last() else {
        return proof(invariant, String::new(), (Some("no flags were published"), Vec::new()));
    };
    let back = evidence.decisions.iter().rev().find(|seen| seen.cause != Cause::Ladder);
    let settled = back.map_or(newest.at, |back| back.at.max(newest.at)) + allowed;
    if evidence.ended < settled {
        let reason = "the drill ended before the last flags can have reached everyone";
        return proof(invariant, String::new(), (Some(reason), Vec::new()));
    }
    let mut findings = Vec::new();
    let mut last_sent: Option<(u32, &Attempt)> = None;
    for (index, instance) in (0..).zip(&evidence.instances) {
        let version = instance.seen.last().map_or(0, |seen| seen.version);
        if version != newest.version {
            let message = format!(
                "instance {index} stayed with version {version} of the flags, and {} is in force",
                newest.version
            );
            findings.push(finding(FindingCode::ClientNotConverged, message, None));
        }
        let Some(last) = evidence.last_attempt(index) else { continue };
        if back.is_some_and(|back| last.sent > back.at + allowed) {
            findings.push(straggler(index, last, back.map_or(Duration::ZERO, |back| back.at)));
        }
        if last_sent.is_none_or(|(_, latest)| latest.sent < last.sent) {
            last_sent = Some((index, last));
        }
    }
    let straggled = late_queries(step, evidence);
    findings.extend(straggled);
    findings.truncate(WITNESSES);
    let observed = match (back, last_sent) {
        (Some(back), Some((index, last))) => format!(
            "last request to InfluxDB {} the last flags, from instance {index}",
            distance(last.sent, back.at)
        ),
        (Some(_), None) => "no request ever went to InfluxDB".to_owned(),
        (None, _) => format!("version {} of the flags in force", newest.version),
    };
    let nothing = evidence.instances.is_empty().then_some("no instance was observed");
    proof(invariant, observed, (nothing, findings))
}

/// Queries that still went to the destination after the first flags of the rollback must have
/// been heard: readers leave before writers do.
fn late_queries(step: &RollbackStep, evidence: &RollbackEvidence) -> Option<Finding> {
    let left = evidence.decisions.iter().find(|seen| seen.cause != Cause::Ladder)?.at;
    let allowed = convergence(step.workload.poll_every, evidence.request_limit);
    let late = |query: &&super::history::QueryEvent| {
        query.store == Store::Destination && query.sent > left + allowed
    };
    let first = evidence.queries.iter().find(late)?;
    let count = evidence.queries.iter().filter(late).count();
    let message = format!(
        "instance {} answered queries from InfluxDB {} the rollback; {count} queries in all did so",
        first.instance,
        distance(first.sent, left)
    );
    let witness = witness(first.device, at_ns(first.sent));
    Some(finding(FindingCode::ClientNotConverged, message, Some(witness)))
}

fn straggler(index: u32, last: &Attempt, back: Duration) -> Finding {
    let message = format!(
        "instance {index} sent its last request to InfluxDB {} the last flags of the rollback",
        distance(last.sent, back)
    );
    let witness = witness(last.device, at_ns(last.sent));
    finding(FindingCode::ClientNotConverged, message, Some(witness))
}

fn distance(at: Duration, from: Duration) -> String {
    match at.checked_sub(from) {
        Some(after) => format!("{} after", ShortDuration(after)),
        None => format!("{} before", ShortDuration(from.saturating_sub(at))),
    }
}

fn point_of(write: &WriteEvent) -> StoredPoint {
    StoredPoint { id: write.id, device: write.device, time_ns: write.time_ns }
}

fn witness(device: u32, time_ns: i64) -> Witness {
    Witness {
        bucket: BUCKET.to_owned(),
        measurement: MEASUREMENT.to_owned(),
        tags: Tags::from([(DEVICE.to_owned(), device_name(device))]),
        time_ns,
        field: Some(ID.to_owned()),
        source: None,
        destination: None,
    }
}

fn finding(code: FindingCode, message: String, witness: Option<Witness>) -> Finding {
    Finding { code, message, witness }
}

fn proof(
    invariant: Invariant,
    observed: String,
    (nothing, findings): (Option<&str>, Vec<Finding>),
) -> Proof {
    // Something wrong is wrong, however little else was observed.
    let judgement = match (findings.is_empty(), nothing) {
        (false, _) => Judgement::Fail,
        (true, Some(_)) => Judgement::Inconclusive,
        (true, None) => Judgement::Pass,
    };
    let reason = nothing.filter(|_| judgement == Judgement::Inconclusive).map(str::to_owned);
    let expectation = Expectation {
        expected: invariant.key().to_owned(),
        observed,
        judgement,
        reason,
        timed: false,
    };
    Proof { expectation, findings }
}
