//! Load: does the destination take the points and answer the queries at the asked rate, and is
//! every point that it acknowledged still there afterwards?

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use cutover_clients::influx::{InfluxClient, Precision, flux_body};
use cutover_faults::{FaultKind, Scope};
use cutover_load::{
    Arrival, Body, BodyRule, Closed, Endpoint, HttpLoad, HttpRequest, Labelled, MergeError,
    OperationRecording, Pace, Recording, RunOptions, Schedule,
};
use cutover_model::event::{Fact, Figure};
use cutover_model::scenario::{
    LoadExpect, LoadModel, LoadSabotage, LoadStep, LoadSubject, QueryPair, ReadLoad, Statistic,
    WriteLoad,
};
use cutover_model::{Expectation, Finding, FindingCode, Judgement, Ratio, Shard, Timing, Verdict};
use serde::{Deserialize, Serialize};

use super::driven::{Faulty, rate_of, service_unavailable};
use super::figures::{self, Standing};
use super::measured::{drive, endpoint_of, request_of};
use super::points::{PointEvidence, Writers};
use super::queries::{Question, has_values};
use super::timed::{self, Demand, GeneratorState, Observed};
use super::{Check, CollectError};
use crate::step::StepCx;

const WRITE: &str = "write";
const READ: &str = "read";
const ALL: &str = "all";

/// Connections of an open load.
const CONNECTIONS: usize = 64;

/// Threads that send, for writers and readers each. One is far faster than any server here.
const THREADS: usize = 1;

/// How long a request may go unanswered before it counts as a timeout.
const TIMEOUT: Duration = Duration::from_secs(30);

/// The check, and the break to make if this run is for one.
pub(crate) struct LoadCheck<'a> {
    pub(crate) step: &'a LoadStep,
    pub(crate) sabotage: Option<&'a LoadSabotage>,
    /// The part of the load that is driven here, if it is shared.
    pub(crate) shard: Option<Shard>,
}

/// What was seen.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct LoadEvidence {
    /// What the clock readings are worth.
    pub timing: Timing,
    /// The writers' latencies, if there were writers.
    pub write: Option<Recording>,
    /// The readers' latencies, if there were readers.
    pub read: Option<Recording>,
    /// What became of the points, if there were writers.
    pub points: Option<PointEvidence>,
    /// Why what several shards drove was not together the load of the file, if so. Figures that a
    /// clock enters are not judged then.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub divided: Option<String>,
}

impl LoadEvidence {
    /// Adds what another shard saw of the same load.
    pub fn merge(&mut self, other: Self) -> Result<(), MergeError> {
        for (own, other) in [(&mut self.write, other.write), (&mut self.read, other.read)] {
            match (own, other) {
                (Some(own), Some(other)) => own.merge(&other)?,
                (None, None) => {}
                // A load that only one of them drove.
                _ => return Err(MergeError::Phases),
            }
        }
        match (&mut self.points, other.points) {
            (Some(own), Some(other)) => own.merge(other),
            (None, None) => {}
            _ => return Err(MergeError::Phases),
        }
        Ok(())
    }
}

impl Check for LoadCheck<'_> {
    type Evidence = LoadEvidence;

    fn subject(&self) -> &'static str {
        "the destination holds the load"
    }

    async fn collect(&self, cx: &StepCx<'_>) -> Result<LoadEvidence, CollectError> {
        let faulty = match self.sabotage {
            Some(sabotage) => {
                Some(Faulty::inject(cx.stores, fault(*sabotage), cx.planned.seed).await?)
            }
            None => None,
        };
        let through = |client| faulty.as_ref().map_or(client, |faulty| &faulty.client);
        let writers = self.step.write.map(|write| Writers::new(write, cx)).transpose()?;
        let writers = writers.map(Arc::new);
        let (write, read) = tokio::join!(
            self.drive_writers(through(&cx.stores.destination), writers.as_ref(), cx),
            self.drive_readers(through(&cx.stores.reader), cx)
        );
        let (write, read) = (write?, read?);
        drop(faulty);
        // Reading back goes past the fault: it is the destination that is asked what it holds.
        let points = match writers {
            Some(writers) => {
                let sent = write.as_ref().map_or(0, batches_sent);
                Some(writers.read_back(&cx.stores.reader, sent).await)
            }
            None => None,
        };
        let timing = cx.target.capabilities.timing;
        Ok(LoadEvidence { timing, write, read, points, divided: None })
    }

    fn judge(&self, evidence: &LoadEvidence) -> Verdict {
        let verdict = judge(self.step, evidence);
        match self.shard {
            Some(shard) => left_to_merge(verdict, shard),
            None => verdict,
        }
    }

    fn facts(&self, evidence: &LoadEvidence) -> Vec<Fact> {
        let mut facts = Vec::new();
        if let Some(points) = &evidence.points {
            // An open load has as many points as its schedule; a closed one as many as fit.
            let open = matches!(self.step.write.map(|it| it.model), Some(LoadModel::Open { .. }));
            let count = |name: &str, count| {
                let fact = Fact::count(name, count);
                if open { fact } else { timed_count(fact) }
            };
            facts.push(count("points acknowledged", points.acknowledged));
            if points.unread.is_none() {
                facts.push(count("points read back", points.read_back));
                facts.push(Fact::count("acknowledged points lost", points.lost));
            }
        }
        for (label, recording) in [(WRITE, &evidence.write), (READ, &evidence.read)] {
            if let Some(summary) = recording.as_ref().and_then(|it| it.summary(label)) {
                let standing = Standing {
                    timing: evidence.timing,
                    divided: evidence.divided.as_ref(),
                    plan: (&self.step.write, &self.step.read),
                };
                facts.push(figures::fact(label, &summary, standing));
            }
        }
        facts
    }

    fn figures(&self, evidence: &LoadEvidence) -> Vec<Figure> {
        let both: Vec<&Recording> = evidence.write.iter().chain(&evidence.read).collect();
        let mut figures = vec![figures::percentiles("Latency of the load", &both)];
        if let Some(write) = &evidence.write {
            figures.push(figures::per_second("Points acknowledged", "points", &[write]));
        }
        figures.extend(figures::over_time(&both));
        figures
    }
}

/// How many batches went out, warm-up included.
fn batches_sent(recording: &Recording) -> u64 {
    let phases = recording.operations.values().flat_map(|it| [&it.warm_up, &it.measured]);
    phases.map(|samples| samples.service.samples()).sum()
}

fn timed_count(fact: Fact) -> Fact {
    match fact.value {
        cutover_model::event::FactValue::Count(count) => {
            Fact { value: cutover_model::event::FactValue::TimedCount(count), ..fact }
        }
        _ => fact,
    }
}

fn fault(sabotage: LoadSabotage) -> (FaultKind, Scope) {
    match sabotage {
        LoadSabotage::SwallowWrites(ratio) => (FaultKind::SwallowWrites { ratio }, Scope::writes()),
        LoadSabotage::FailRequests(ratio) => (service_unavailable(ratio), Scope::all()),
        LoadSabotage::AddLatency(add) => {
            (FaultKind::Latency { add, ratio: Ratio::ONE }, Scope::all())
        }
    }
}

impl LoadCheck<'_> {
    async fn drive_writers(
        &self,
        client: &InfluxClient,
        writers: Option<&Arc<Writers>>,
        cx: &StepCx<'_>,
    ) -> Result<Option<Recording>, CollectError> {
        let (Some(writers), Some(WriteLoad { model, batch, .. })) = (writers, self.step.write)
        else {
            return Ok(None);
        };
        let request = client.prepared_write(LoadStep::BUCKET, Precision::Nanoseconds);
        let endpoint = endpoint_of(&request)?;
        let (lines, ledger) = (Arc::clone(writers), Arc::clone(writers));
        let body = Body::Written(Arc::new(move |k, out: &mut Vec<u8>| lines.write(k, out)));
        let stored = BodyRule::Judged(Arc::new(move |k, _: &[u8]| {
            ledger.acknowledge(k);
            true
        }));
        let operation = request_of(request, body, (204, stored));
        let labelled = Labelled { label: WRITE.to_owned(), operation };
        let recording = self.drive(endpoint, labelled, (model, batch), cx).await?;
        Ok(Some(recording))
    }

    async fn drive_readers(
        &self,
        client: &InfluxClient,
        cx: &StepCx<'_>,
    ) -> Result<Option<Recording>, CollectError> {
        let Some(ReadLoad { model, queries }) = &self.step.read else { return Ok(None) };
        let request = client.prepared_query();
        let endpoint = endpoint_of(&request)?;
        let (pairs, seed): (Arc<[QueryPair]>, u64) = (queries.as_slice().into(), cx.planned.seed);
        let asked = Arc::clone(&pairs);
        let body = Body::Written(Arc::new(move |k, out: &mut Vec<u8>| {
            let question = Question::draw(&asked, seed, k);
            out.extend(question.map(|it| flux_body(&it.flux())).unwrap_or_default());
            1
        }));
        let answered = BodyRule::Judged(Arc::new(move |k, body: &[u8]| {
            let question = Question::draw(&pairs, seed, k);
            question.is_some_and(|it| has_values(body, &it.pair.answer))
        }));
        let operation = request_of(request, body, (200, answered));
        let labelled = Labelled { label: READ.to_owned(), operation };
        let recording = self.drive(endpoint, labelled, (*model, 1), cx).await?;
        Ok(Some(recording))
    }

    async fn drive(
        &self,
        endpoint: Endpoint,
        request: Labelled<HttpRequest>,
        (model, work_per_request): (LoadModel, u32),
        cx: &StepCx<'_>,
    ) -> Result<Recording, CollectError> {
        let seed = cx.planned.seed;
        let pace = match model {
            LoadModel::Open { rate } => {
                let rate = rate_of(rate, work_per_request);
                Pace::Open(Schedule::new(Arrival::Constant { rate }, seed)?)
            }
            LoadModel::Closed { users, ramp_up } => {
                Pace::Closed(Closed { users, think: Duration::ZERO, ramp_up, seed })
            }
        };
        let load = HttpLoad {
            endpoint,
            requests: vec![request],
            pace,
            options: RunOptions {
                duration: self.step.duration,
                warm_up: self.step.warm_up,
                timeout: TIMEOUT,
                connections: CONNECTIONS,
                shard: self.shard.unwrap_or(Shard::WHOLE),
            },
            threads: THREADS,
            wall: cx.cx.clock.clone(),
        };
        drive(load, cx.cx.stop.receiver()).await
    }
}

/// Holds the figures against what the file expects.
pub fn judge(step: &LoadStep, evidence: &LoadEvidence) -> Verdict {
    let mut expectations = Vec::new();
    let mut findings = Vec::new();
    for (subject, label, recording) in
        [(LoadSubject::Write, WRITE, &evidence.write), (LoadSubject::Read, READ, &evidence.read)]
    {
        let Some(recording) = recording else { continue };
        let summary = recording.summary(label);
        if !limits_errors(step, subject) {
            expectations.push(timed::no_errors(label, summary.as_ref()));
        }
        if let Some(summary) = summary {
            findings.extend(timed::failures(label, &summary.outcomes));
        }
    }
    expectations.extend(step.expect.iter().map(|expect| expectation(expect, evidence)));
    if step.prove_no_acknowledged_write_lost {
        let points = evidence.points.as_ref();
        expectations.push(nothing_lost(points));
        findings.extend(points.into_iter().flat_map(lost));
    }
    Verdict { expectations, findings }
}

/// What is expected of a load says nothing of a part of it, so that a shard judges none of it.
fn left_to_merge(verdict: Verdict, shard: Shard) -> Verdict {
    let skipped = |expectation| Expectation {
        judgement: Judgement::Skipped,
        reason: Some(format!("judged by merge: shard {shard} is a part of the load")),
        ..expectation
    };
    let expectations = verdict.expectations.into_iter().map(skipped).collect();
    Verdict { expectations, ..verdict }
}

fn limits_errors(step: &LoadStep, subject: LoadSubject) -> bool {
    step.expect.iter().any(|expect| {
        expect.statistic == Statistic::Errors
            && (expect.subject == subject || expect.subject == LoadSubject::All)
    })
}

fn expectation(expect: &LoadExpect, evidence: &LoadEvidence) -> Expectation {
    let (label, recording) = match expect.subject {
        LoadSubject::Write => (WRITE, evidence.write.as_ref().map(Cow::Borrowed)),
        LoadSubject::Read => (READ, evidence.read.as_ref().map(Cow::Borrowed)),
        LoadSubject::All => (ALL, both(evidence).map(Cow::Owned)),
    };
    let demand = Demand {
        subject: label.to_owned(),
        statistic: expect.statistic,
        limit: expect.limit,
        min_samples: expect.min_samples,
    };
    let seen = (recording.as_deref(), label);
    let observed = observed(seen, expect.statistic, evidence.divided.as_ref());
    timed::judge(&demand, &observed, evidence.timing)
}

fn observed(
    (recording, label): (Option<&Recording>, &str),
    statistic: Statistic,
    divided: Option<&String>,
) -> Observed {
    let Some(recording) = recording else { return Observed::default() };
    let Some(summary) = recording.summary(label) else { return Observed::default() };
    Observed {
        reading: timed::read(&summary, statistic),
        samples: summary.samples,
        generator: GeneratorState::of(&summary, recording).divided(divided.cloned()),
    }
}

/// Writers and readers together; nothing if one is an open load and the other a closed one, whose
/// latencies have no common percentiles.
fn both(evidence: &LoadEvidence) -> Option<Recording> {
    let mut parts = [&evidence.write, &evidence.read].into_iter().flatten();
    let mut whole = one_operation(parts.next()?);
    for part in parts {
        whole.merge(&one_operation(part)).ok()?;
    }
    Some(whole)
}

fn one_operation(recording: &Recording) -> Recording {
    let mut all = OperationRecording::default();
    for operation in recording.operations.values() {
        all.merge(operation);
    }
    Recording { operations: BTreeMap::from([(ALL.to_owned(), all)]), ..recording.clone() }
}

fn nothing_lost(points: Option<&PointEvidence>) -> Expectation {
    let (observed, judgement, reason) = match points {
        Some(PointEvidence { unread: Some(why), lost: 0, .. }) => {
            (String::new(), Judgement::Inconclusive, Some(format!("not read back: {why}")))
        }
        Some(points) if points.acknowledged > 0 => {
            let judgement = if points.lost == 0 { Judgement::Pass } else { Judgement::Fail };
            (format!("{} of {}", points.lost, points.acknowledged), judgement, None)
        }
        _ => {
            let reason = "no write was acknowledged".to_owned();
            (String::new(), Judgement::Inconclusive, Some(reason))
        }
    };
    let expected = "acknowledged points that are lost = 0".to_owned();
    // How many a closed load writes depends on the machine.
    Expectation { expected, observed, judgement, reason, timed: true }
}

fn lost(points: &PointEvidence) -> Vec<Finding> {
    let finding = |number: &u64| Finding {
        code: FindingCode::AcknowledgedWriteLost,
        message: format!("point {number} was acknowledged and cannot be read back"),
        witness: None,
    };
    points.first_lost.iter().map(finding).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_acknowledged_write_proves_nothing() {
        let expectation = nothing_lost(Some(&PointEvidence::default()));
        assert_eq!(expectation.judgement, Judgement::Inconclusive);
    }

    #[test]
    fn one_lost_point_fails() {
        let points = PointEvidence { acknowledged: 10, lost: 1, ..PointEvidence::default() };
        assert_eq!(nothing_lost(Some(&points)).judgement, Judgement::Fail);
    }

    #[test]
    fn points_that_cannot_be_read_back_are_neither_lost_nor_kept() {
        let unread = Some("no connection".to_owned());
        let points = PointEvidence { acknowledged: 10, unread, ..PointEvidence::default() };
        assert_eq!(nothing_lost(Some(&points)).judgement, Judgement::Inconclusive);
    }
}
