//! Load: does the destination take the points and answer the queries at the asked rate, and is
//! every point that it acknowledged still there afterwards?

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use bytes::Bytes;
use cutover_clients::influx::line_protocol::encode;
use cutover_clients::influx::{
    Encoding, FluxValue, InfluxClient, Precision, Retention, WriteOutcome,
};
use cutover_faults::{FaultKind, Scope};
use cutover_load::{
    Arrival, Closed, Labelled, Operation, OperationRecording, Outcome, OutcomeClass, Recording,
    RunOptions, Schedule, Summary, run_closed, run_open,
};
use cutover_model::draw::draw_unit;
use cutover_model::event::{Fact, Figure};
use cutover_model::scenario::{
    LoadExpect, LoadModel, LoadSabotage, LoadStep, LoadSubject, QueryPair, ReadLoad, Statistic,
    WriteLoad,
};
use cutover_model::{
    Expectation, FieldValue, Finding, FindingCode, Judgement, Ratio, Row, Tags, Timing, Verdict,
};
use serde::{Deserialize, Serialize};

use super::latency::{Faulty, class_of, rate_of, service_unavailable};
use super::queries::{Question, ask_destination};
use super::timed::{self, Demand, Observed};
use super::{Check, CollectError};
use crate::dispatch::StepCx;
use crate::names::flux_text;

/// Where the generated points go. They never mix with migrated data.
const BUCKET: &str = "cutover_load";
const MEASUREMENT: &str = "cutover_load";

const WRITE: &str = "write";
const READ: &str = "read";

/// Connections of an open load.
const CONNECTIONS: usize = 64;

/// How long a request may go unanswered before it counts as a timeout.
const TIMEOUT: Duration = Duration::from_secs(30);

/// Lost points that are told one by one.
const WITNESSES: usize = 20;

/// The check, and the break to make if this run is for one.
pub(crate) struct LoadCheck<'a> {
    pub(crate) step: &'a LoadStep,
    pub(crate) sabotage: Option<&'a LoadSabotage>,
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
}

/// What became of the generated points, warm-up included.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct PointEvidence {
    /// Points that the destination acknowledged.
    pub acknowledged: u64,
    /// Points that it did not acknowledge, and may have stored all the same.
    pub unacknowledged: u64,
    /// Different points that were read back.
    pub read_back: u64,
    /// Acknowledged points that were not read back.
    pub lost: u64,
    /// The numbers of the first of them.
    pub first_lost: Vec<u64>,
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
        let destination = faulty.as_ref().map_or(&cx.stores.destination, |faulty| &faulty.client);
        let writers = match self.step.write {
            Some(write) => Some(Writers::new(destination, write, cx).await?),
            None => None,
        };
        let (write, read) = tokio::join!(
            self.drive_writers(writers.as_ref(), cx),
            self.drive_readers(destination, cx)
        );
        let (write, read) = (write?, read?);
        drop(faulty);
        // Reading back goes past the fault: it is the destination that is asked what it holds.
        let points = match writers {
            Some(writers) => Some(writers.read_back(&cx.stores.destination).await?),
            None => None,
        };
        Ok(LoadEvidence { timing: cx.target.capabilities.timing, write, read, points })
    }

    fn judge(&self, evidence: &LoadEvidence) -> Verdict {
        judge(self.step, evidence)
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
            facts.push(count("points read back", points.read_back));
            facts.push(Fact::count("acknowledged points lost", points.lost));
        }
        for (label, recording) in [(WRITE, &evidence.write), (READ, &evidence.read)] {
            if let Some(summary) = recording.as_ref().and_then(|it| it.summary(label)) {
                facts.extend(timed::facts(label, &summary));
            }
        }
        facts
    }

    fn figures(&self, evidence: &LoadEvidence) -> Vec<Figure> {
        let both: Vec<&Recording> = evidence.write.iter().chain(&evidence.read).collect();
        let mut figures = vec![timed::percentiles("Latency of the load", &both)];
        if let Some(write) = &evidence.write {
            figures.push(timed::per_second("Points acknowledged", "points", &[write]));
        }
        if let Some(read) = &evidence.read {
            figures.push(timed::per_second("Queries answered", "queries", &[read]));
        }
        figures
    }
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
        writers: Option<&Writers>,
        cx: &StepCx<'_>,
    ) -> Result<Option<Recording>, CollectError> {
        let (Some(writers), Some(WriteLoad { model, batch, .. })) = (writers, self.step.write)
        else {
            return Ok(None);
        };
        let operation = Labelled { label: WRITE.to_owned(), operation: writers.clone() };
        self.drive(operation, (model, batch), cx).await.map(Some)
    }

    async fn drive_readers(
        &self,
        destination: &InfluxClient,
        cx: &StepCx<'_>,
    ) -> Result<Option<Recording>, CollectError> {
        let Some(ReadLoad { model, queries }) = &self.step.read else { return Ok(None) };
        let operation = Labelled {
            label: READ.to_owned(),
            operation: Readers {
                destination: destination.clone(),
                pairs: queries.as_slice().into(),
                seed: cx.planned.seed,
            },
        };
        self.drive(operation, (*model, 1), cx).await.map(Some)
    }

    async fn drive<O: Operation>(
        &self,
        operation: Labelled<O>,
        (model, work_per_request): (LoadModel, u32),
        cx: &StepCx<'_>,
    ) -> Result<Recording, CollectError> {
        let options = RunOptions {
            duration: self.step.duration,
            warm_up: self.step.warm_up,
            timeout: TIMEOUT,
            connections: CONNECTIONS,
        };
        let (seed, stop) = (cx.planned.seed, cx.cx.stop.receiver());
        let recording = match model {
            LoadModel::Open { rate } => {
                let rate = rate_of(rate, work_per_request);
                let schedule = Schedule::new(Arrival::Constant { rate }, seed)?;
                run_open(vec![operation], schedule, options, stop).await?
            }
            LoadModel::Closed { users, ramp_up } => {
                let closed = Closed { users, think: Duration::ZERO, ramp_up, seed };
                run_closed(vec![operation], closed, options, stop).await?
            }
        };
        Ok(recording)
    }
}

/// Writing generated points, and remembering which were acknowledged.
#[derive(Clone)]
struct Writers {
    destination: InfluxClient,
    batch: u64,
    series: u64,
    seed: u64,
    /// Marks the points of this step, so that an earlier run's cannot stand in for them.
    run: String,
    first_ns: i64,
    ledger: Arc<Mutex<Ledger>>,
}

#[derive(Default)]
struct Ledger {
    /// The batches that were acknowledged.
    acknowledged: Bits,
    batches_acknowledged: u64,
    batches_unacknowledged: u64,
}

impl Writers {
    async fn new(
        destination: &InfluxClient,
        write: WriteLoad,
        cx: &StepCx<'_>,
    ) -> Result<Self, CollectError> {
        cx.stores
            .destination
            .ensure_bucket(BUCKET, Retention::Infinite)
            .await
            .map_err(CollectError::Destination)?;
        let first_ns = cx.cx.clock.now_ns();
        Ok(Self {
            destination: destination.clone(),
            batch: u64::from(write.batch),
            series: u64::from(write.series),
            seed: cx.planned.seed,
            run: format!("{first_ns:x}"),
            first_ns,
            ledger: Arc::default(),
        })
    }

    fn ledger(&self) -> MutexGuard<'_, Ledger> {
        self.ledger.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The points of batch `k`, numbered through all batches.
    fn lines(&self, k: u64) -> Bytes {
        let mut lines = Vec::new();
        for number in k * self.batch..(k + 1) * self.batch {
            // Names and values of our own making are always expressible.
            drop(encode(&mut lines, MEASUREMENT, &self.point(number), Precision::Nanoseconds));
        }
        Bytes::from(lines)
    }

    fn point(&self, number: u64) -> Row {
        let series = format!("s{:05}", number % self.series);
        let tags = [("run".to_owned(), self.run.clone()), ("series".to_owned(), series)];
        let value = draw_unit(self.seed, 0, number) * 1_000.0;
        let number = i64::try_from(number).unwrap_or(i64::MAX);
        let fields = [
            ("number".to_owned(), FieldValue::Integer(number)),
            ("value".to_owned(), FieldValue::Float(value)),
        ];
        Row {
            time_ns: self.first_ns.saturating_add(number),
            tags: Tags::from(tags),
            fields: fields.into(),
        }
    }

    /// Asks the destination which points it holds, and looks for the acknowledged ones.
    async fn read_back(self, destination: &InfluxClient) -> Result<PointEvidence, CollectError> {
        let (bucket, run) = (flux_text(BUCKET), flux_text(&self.run));
        let flux = format!(
            "from(bucket: {bucket})\n  \
             |> range(start: 1970-01-01T00:00:00Z, stop: 2262-01-01T00:00:00Z)\n  \
             |> filter(fn: (r) => r._measurement == \"{MEASUREMENT}\" and r.run == {run} \
             and r._field == \"number\")\n  \
             |> keep(columns: [\"_value\"])"
        );
        let mut held = Bits::default();
        let mut rows = destination.query(&flux).await.map_err(CollectError::Destination)?;
        while let Some(chunk) = rows.next().await.map_err(CollectError::Destination)? {
            let place = chunk.schema().position("_value").ok_or_else(|| CollectError::Shape {
                store: "destination",
                problem: "an answer has no column `_value`".to_owned(),
            })?;
            for row in chunk.rows() {
                let value = row.value(place).map_err(CollectError::Destination)?;
                if let FluxValue::Integer(number) = value {
                    held.set(number.cast_unsigned());
                }
            }
        }
        Ok(self.account(&held))
    }

    fn account(&self, held: &Bits) -> PointEvidence {
        let ledger = self.ledger();
        let mut evidence = PointEvidence {
            acknowledged: ledger.batches_acknowledged * self.batch,
            unacknowledged: ledger.batches_unacknowledged * self.batch,
            read_back: held.count(),
            ..PointEvidence::default()
        };
        for k in ledger.acknowledged.iter() {
            for number in (k * self.batch..(k + 1) * self.batch).filter(|it| !held.get(*it)) {
                evidence.lost += 1;
                if evidence.first_lost.len() < WITNESSES {
                    evidence.first_lost.push(number);
                }
            }
        }
        evidence
    }
}

impl Operation for Writers {
    async fn run(&self, k: u64) -> Outcome {
        let written = self
            .destination
            .write(BUCKET, Precision::Nanoseconds, self.lines(k), Encoding::Plain)
            .await;
        let class = match written {
            Ok(WriteOutcome::Stored) => {
                let mut ledger = self.ledger();
                ledger.acknowledged.set(k);
                ledger.batches_acknowledged += 1;
                return Outcome::ok(self.batch);
            }
            Ok(WriteOutcome::Partial { .. }) => OutcomeClass::Rejected("partial write"),
            Ok(WriteOutcome::Throttled { .. }) => OutcomeClass::Error("throttled"),
            Ok(WriteOutcome::Failed { .. }) => OutcomeClass::Error("server error"),
            Ok(_) => OutcomeClass::Rejected("refused"),
            Err(error) => class_of(&error),
        };
        self.ledger().batches_unacknowledged += 1;
        Outcome::failed(class)
    }
}

/// Asking the destination alone.
#[derive(Clone)]
struct Readers {
    destination: InfluxClient,
    pairs: Arc<[QueryPair]>,
    seed: u64,
}

impl Operation for Readers {
    async fn run(&self, k: u64) -> Outcome {
        let Some(question) = Question::draw(&self.pairs, self.seed, k) else {
            return Outcome::failed(OutcomeClass::Error("no query"));
        };
        let answer = &question.pair.answer;
        match ask_destination(&self.destination, &question.flux(), answer).await {
            Ok(points) if points.is_empty() => Outcome::failed(OutcomeClass::WrongAnswer),
            Ok(_) => Outcome::ok(1),
            Err(error) => Outcome::failed(class_of(&error)),
        }
    }
}

/// A set of numbers from zero, one bit each.
#[derive(Default)]
struct Bits(Vec<u64>);

impl Bits {
    /// Numbers beyond this are none of ours: a set of them would be a gigabyte.
    const LIMIT: u64 = 1 << 33;

    fn set(&mut self, number: u64) {
        if number >= Self::LIMIT {
            return;
        }
        let (word, bit) = Self::place(number);
        if word >= self.0.len() {
            self.0.resize(word + 1, 0);
        }
        self.0[word] |= bit;
    }

    fn get(&self, number: u64) -> bool {
        let (word, bit) = Self::place(number);
        self.0.get(word).is_some_and(|it| it & bit != 0)
    }

    fn count(&self) -> u64 {
        self.0.iter().map(|word| u64::from(word.count_ones())).sum()
    }

    fn iter(&self) -> impl Iterator<Item = u64> {
        (0..self.0.len() as u64 * 64).filter(|number| self.get(*number))
    }

    fn place(number: u64) -> (usize, u64) {
        (usize::try_from(number / 64).unwrap_or(usize::MAX), 1 << (number % 64))
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

fn limits_errors(step: &LoadStep, subject: LoadSubject) -> bool {
    step.expect.iter().any(|expect| {
        expect.statistic == Statistic::Errors
            && (expect.subject == subject || expect.subject == LoadSubject::All)
    })
}

fn expectation(expect: &LoadExpect, evidence: &LoadEvidence) -> Expectation {
    let summary = |label: &str, recording: &Option<Recording>| recording.as_ref()?.summary(label);
    let (subject, summary) = match expect.subject {
        LoadSubject::Write => (WRITE, summary(WRITE, &evidence.write)),
        LoadSubject::Read => (READ, summary(READ, &evidence.read)),
        LoadSubject::All => ("all", all(evidence)),
    };
    let demand = Demand {
        subject: subject.to_owned(),
        statistic: expect.statistic,
        limit: expect.limit,
        min_samples: expect.min_samples,
    };
    let observed = Observed {
        value: summary.as_ref().and_then(|summary| timed::read(summary, expect.statistic)),
        samples: summary.as_ref().map_or(0, |summary| summary.samples),
        lag: summary.as_ref().and_then(|summary| summary.lag_p95),
    };
    timed::judge(&demand, &observed, evidence.timing)
}

/// Writers and readers together; nothing if one is an open load and the other a closed one, whose
/// latencies have no common percentiles.
fn all(evidence: &LoadEvidence) -> Option<Summary> {
    let mut parts = [&evidence.write, &evidence.read].into_iter().flatten();
    let mut whole = one_operation(parts.next()?);
    for part in parts {
        whole.merge(&one_operation(part)).ok()?;
    }
    whole.summary("all")
}

fn one_operation(recording: &Recording) -> Recording {
    let mut all = OperationRecording::default();
    for operation in recording.operations.values() {
        all.merge(operation);
    }
    Recording { operations: BTreeMap::from([("all".to_owned(), all)]), ..recording.clone() }
}

fn nothing_lost(points: Option<&PointEvidence>) -> Expectation {
    let (observed, judgement, reason) = match points {
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
    fn a_set_of_bits_holds_what_was_set() {
        let mut bits = Bits::default();
        for number in [0, 63, 64, 1_000] {
            bits.set(number);
        }
        assert_eq!(bits.iter().collect::<Vec<_>>(), [0, 63, 64, 1_000]);
        assert_eq!(bits.count(), 4);
        assert!(!bits.get(5_000));
    }

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
}
