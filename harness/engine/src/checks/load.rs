//! Load: does the destination take the points and answer the queries at the asked rate, and is
//! every point that it acknowledged still there afterwards?

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::sync::Arc;

use cutover_clients::influx::InfluxClient;
use cutover_faults::{FaultKind, Scope};
use cutover_load::{
    Body, BodyRule, Endpoint, HttpLoad, HttpRequest, Labelled, MergeError, OperationRecording,
    Pace, Recording, RunOptions, Stop,
};
use cutover_model::event::{Fact, Figure};
use cutover_model::scenario::{
    LoadExpect, LoadSabotage, LoadStep, LoadSubject, QueryLanguage, ReadLoad, Statistic,
};
use cutover_model::{Expectation, Finding, FindingCode, Judgement, Ratio, Shard, Timing, Verdict};
use cutover_targets::Capabilities;
use serde::{Deserialize, Serialize};

use super::driven::{Faulty, Requests, pace_of, service_unavailable};
use super::figures::{self, Standing};
use super::measured::{drive, endpoint_of, request_of};
use super::points::{PointEvidence, Writers, precision_of};
use super::readers::Readers;
use super::timed::{self, Circumstances, Demand, Doubt, Observed};
use super::{Check, CollectError, aborts};
use crate::step::StepCx;

const WRITE: &str = "write";
const READ: &str = "read";
const ALL: &str = "all";

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
    /// What clock readings on the destination are worth.
    pub timing: Timing,
    /// What clock readings on the store that the readers ask are worth.
    pub read_timing: Timing,
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
    /// What was seen of the writers, of all readers, or of both together, under one label. Nothing
    /// if one is an open load and the other a closed one: their latencies have no common
    /// percentiles.
    pub(super) fn of(&self, subject: LoadSubject) -> Option<(&'static str, Cow<'_, Recording>)> {
        let label = word(subject);
        let one = |recording| Cow::Owned(one_operation(recording, label));
        let recording = match subject {
            LoadSubject::Write => Cow::Borrowed(self.write.as_ref()?),
            LoadSubject::Read => one(self.read.as_ref()?),
            LoadSubject::All => {
                let mut parts = [&self.write, &self.read].into_iter().flatten();
                let mut whole = one_operation(parts.next()?, label);
                for part in parts {
                    whole.merge(&one_operation(part, label)).ok()?;
                }
                Cow::Owned(whole)
            }
        };
        Some((label, recording))
    }

    /// What clock readings are worth. Of both together they are worth what the lesser is.
    fn timing_of(&self, subject: LoadSubject) -> Timing {
        let read = self.read.as_ref().map_or(self.timing, |_| self.read_timing);
        match (subject, self.timing, read) {
            (LoadSubject::Write, write, _) => write,
            (LoadSubject::Read, _, read) => read,
            (LoadSubject::All, Timing::Real, Timing::Real) => Timing::Real,
            (LoadSubject::All, ..) => Timing::Indicative,
        }
    }

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
                Some(Faulty::inject(cx.stores, self.fault(*sabotage), cx.planned.seed).await?)
            }
            None => None,
        };
        let through = |client| faulty.as_ref().map_or(client, |faulty| &faulty.client);
        let writers = self.step.write.as_ref().map(|write| Writers::new(write, cx)).transpose()?;
        let writers = writers.map(Arc::new);
        let readers = match &self.step.read {
            Some(read) => Some(Readers::new(read, cx).await?),
            None => None,
        };
        // A limit that is broken on one side ends both.
        let stop = Arc::new(Stop::new());
        let (write, read) = tokio::join!(
            self.drive_writers((through(&cx.stores.destination), &stop), writers.as_ref(), cx),
            self.drive_readers((through(&cx.stores.reader), &stop), readers.as_ref(), cx)
        );
        let (write, read) = (write?, read?);
        drop(faulty);
        // Reading back goes past the fault: it is the destination that is asked what it holds.
        let points = match (writers, write.as_ref().map_or(0, batches_sent)) {
            (Some(writers), sent) if self.step.prove_no_acknowledged_write_lost => {
                Some(writers.read_back(&cx.stores.reader, sent).await)
            }
            (Some(writers), sent) => Some(writers.not_read_back(sent)),
            (None, _) => None,
        };
        let Capabilities { timing, source_timing, .. } = cx.target.capabilities;
        let read_timing = match &self.step.read {
            Some(ReadLoad { language: QueryLanguage::Sql, .. }) => source_timing,
            _ => timing,
        };
        Ok(LoadEvidence { timing, read_timing, write, read, points, divided: None })
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
            let open = self.step.write.as_ref().is_some_and(|write| write.source.is_open());
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
        let sides = [(&evidence.write, evidence.timing), (&evidence.read, evidence.read_timing)];
        for (recording, timing) in sides {
            let Some(recording) = recording else { continue };
            let LoadStep { write, read, transport, .. } = self.step;
            let plan = (write, read, transport);
            let standing = Standing { timing, divided: evidence.divided.as_ref(), plan };
            for label in recording.operations.keys() {
                let summary = recording.summary(label);
                facts.extend(summary.map(|summary| figures::fact(label, &summary, standing)));
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

impl LoadCheck<'_> {
    fn fault(&self, sabotage: LoadSabotage) -> (FaultKind, Scope) {
        match sabotage {
            LoadSabotage::SwallowWrites(ratio) => {
                (FaultKind::SwallowWrites { ratio }, Scope::writes())
            }
            LoadSabotage::FailRequests(ratio) => (service_unavailable(ratio), Scope::all()),
            LoadSabotage::WrongAnswer(ratio) => {
                let language = self.step.read.as_ref().map(|read| read.language);
                let scope = match language {
                    Some(QueryLanguage::InfluxQl) => Scope::influxql(),
                    _ => Scope::queries(),
                };
                (FaultKind::WrongAnswer { ratio }, scope)
            }
            LoadSabotage::AddLatency(add) => {
                (FaultKind::Latency { add, ratio: Ratio::ONE }, Scope::all())
            }
        }
    }

    async fn drive_writers(
        &self,
        (client, stop): (&InfluxClient, &Arc<Stop>),
        writers: Option<&Arc<Writers>>,
        cx: &StepCx<'_>,
    ) -> Result<Option<Recording>, CollectError> {
        let (Some(writers), Some(write)) = (writers, &self.step.write) else { return Ok(None) };
        let request = client.prepared_write(LoadStep::BUCKET, precision_of(write.precision));
        let endpoint = endpoint_of(&request)?;
        let (lines, ledger) = (Arc::clone(writers), Arc::clone(writers));
        let body = Body::Written(Arc::new(move |k, out: &mut Vec<u8>| lines.write(k, out)));
        let stored = BodyRule::Judged(Arc::new(move |k, _: &[u8]| {
            ledger.acknowledge(k);
            true
        }));
        let operation = request_of(request, body, (204, stored));
        let operation = HttpRequest { gzip: write.gzip, ..operation };
        let labelled = Labelled { label: WRITE.to_owned(), weight: 1, operation };
        let length = self.step.warm_up.saturating_add(self.step.duration);
        let pace = writers.pace(length, cx.planned.seed)?;
        let load = self.load_of(endpoint, (vec![labelled], pace), (LoadSubject::Write, cx));
        Ok(Some(drive(load, Arc::clone(stop), cx.cx.stop.receiver()).await?))
    }

    async fn drive_readers(
        &self,
        (client, stop): (&InfluxClient, &Arc<Stop>),
        readers: Option<&Readers<'_>>,
        cx: &StepCx<'_>,
    ) -> Result<Option<Recording>, CollectError> {
        let (Some(readers), Some(read)) = (readers, &self.step.read) else { return Ok(None) };
        let pace = pace_of(&read.model, Requests::one_for(1), cx.planned.seed)?;
        let recording = match read.language {
            QueryLanguage::Sql => readers.ask_source(pace, self.options(), cx).await?,
            QueryLanguage::Flux | QueryLanguage::InfluxQl => {
                let endpoint = endpoint_of(&client.prepared_query())?;
                let asked = (readers.requests(client), pace);
                let load = self.load_of(endpoint, asked, (LoadSubject::Read, cx));
                drive(load, Arc::clone(stop), cx.cx.stop.receiver()).await?
            }
        };
        Ok(Some(recording))
    }

    fn load_of(
        &self,
        endpoint: Endpoint,
        (requests, pace): (Vec<Labelled<HttpRequest>>, Pace),
        (subject, cx): (LoadSubject, &StepCx<'_>),
    ) -> HttpLoad {
        let timing = cx.target.capabilities.timing;
        HttpLoad {
            endpoint,
            requests,
            pace,
            options: self.options(),
            threads: self.step.transport.threads as usize,
            abort: aborts::rules_of(&self.step.abort, subject, timing),
            wall: cx.cx.system_clock.clone(),
        }
    }

    fn options(&self) -> RunOptions {
        let LoadStep { warm_up, duration, transport, .. } = self.step;
        RunOptions {
            duration: *duration,
            warm_up: *warm_up,
            timeout: transport.timeout,
            connections: transport.connections as usize,
            shard: self.shard.unwrap_or(Shard::WHOLE),
        }
    }
}

/// Holds the figures against what the file expects.
pub fn judge(step: &LoadStep, evidence: &LoadEvidence) -> Verdict {
    let mut expectations = Vec::new();
    let mut findings = Vec::new();
    for subject in [LoadSubject::Write, LoadSubject::Read] {
        let Some((label, recording)) = evidence.of(subject) else { continue };
        if !limits_errors(step, subject) {
            expectations.push(timed::no_errors(label, &recording));
        }
    }
    for recording in evidence.write.iter().chain(&evidence.read) {
        for (label, operation) in &recording.operations {
            findings.extend(timed::failures(label, &operation.measured.outcomes));
        }
    }
    expectations.extend(step.expect.iter().map(|expect| expectation(expect, evidence)));
    expectations.extend(step.abort.iter().map(|abort| {
        let seen = evidence.of(abort.subject);
        let recording = seen.as_ref().map(|(_, recording)| recording.as_ref());
        let timing = evidence.timing_of(abort.subject);
        aborts::judge(abort, word(abort.subject), (recording, timing))
    }));
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
    let (demand, observed) = seen(expect, evidence);
    timed::judge(&demand, &observed, evidence.timing_of(expect.subject))
}

/// Whether each limit held, unless that is in doubt.
pub(super) fn limits_of(step: &LoadStep, evidence: &LoadEvidence) -> Vec<Result<bool, Doubt>> {
    let held = |expect: &LoadExpect| {
        let (demand, observed) = seen(expect, evidence);
        timed::holds(&demand, &observed, evidence.timing_of(expect.subject))
    };
    step.expect.iter().map(held).collect()
}

/// Whether operations failed that no limit speaks of.
pub(super) fn failed_without_limit(
    step: &LoadStep,
    subject: LoadSubject,
    evidence: &LoadEvidence,
) -> bool {
    let failed = |(label, recording): (&str, Cow<'_, Recording>)| {
        recording.summary(label).is_some_and(|summary| timed::failed(&summary.outcomes) > 0)
    };
    !limits_errors(step, subject) && evidence.of(subject).is_some_and(failed)
}

/// What a limit asks for, and what was seen of it.
fn seen(expect: &LoadExpect, evidence: &LoadEvidence) -> (Demand, Observed) {
    let LoadExpect { subject, statistic, limit, min_samples } = *expect;
    let seen = evidence.of(subject);
    let summary = seen.as_ref().and_then(|(label, it)| Some((it, it.summary(label)?)));
    let observed = summary.map_or_else(Observed::default, |(recording, summary)| Observed {
        reading: timed::read(&summary, statistic),
        samples: summary.samples,
        circumstances: Circumstances::of(&summary, recording).divided(evidence.divided.clone()),
    });
    (Demand { subject: word(subject).to_owned(), statistic, limit, min_samples }, observed)
}

fn word(subject: LoadSubject) -> &'static str {
    match subject {
        LoadSubject::Write => WRITE,
        LoadSubject::Read => READ,
        LoadSubject::All => ALL,
    }
}

/// All operations of a recording as one.
fn one_operation(recording: &Recording, label: &str) -> Recording {
    let mut all = OperationRecording::default();
    for operation in recording.operations.values() {
        all.merge(operation);
    }
    Recording { operations: BTreeMap::from([(label.to_owned(), all)]), ..recording.clone() }
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
