//! Latency: do the same queries answer the same, and fast enough, from both stores?
//!
//! Arrivals are open, both stores are asked in the same seconds in an order drawn from the seed,
//! and latency counts from the instant at which a question was due. Each pair of answers is
//! compared: a fast wrong answer fails.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use cutover_clients::influx::InfluxClient;
use cutover_clients::timestream::TimestreamClient;
use cutover_faults::{FaultKind, Scope};
use cutover_load::{
    Labelled, Operation, Outcome, OutcomeClass, Recording, RunOptions, Summary, run_open,
};
use cutover_model::event::{Fact, Figure};
use cutover_model::scenario::{
    LatencyExpect, LatencySabotage, LatencyStep, LatencySubject, QueryPair, Statistic,
};
use cutover_model::{
    Expectation, FieldValue, Finding, FindingCode, Judgement, Ratio, Shard, Store, Timing, Verdict,
};
use cutover_targets::Capabilities;
use serde::{Deserialize, Serialize};

use super::driven::{Faulty, Requests, class_of, schedule_of, service_unavailable};
use super::figures::{self, Standing};
use super::queries::{Agreement, Answers, Disagreement, Question, ask_destination, ask_source};
use super::timed::{self, Circumstances, Demand, Observed};
use super::{Check, CollectError};
use crate::step::StepCx;

/// Connections to each store. More questions than these are never under way at a time.
const CONNECTIONS: usize = 32;

/// How long a question may go unanswered before it counts as a timeout.
const TIMEOUT: Duration = Duration::from_secs(30);

/// The check, and the break to make if this run is for one.
pub(crate) struct LatencyCheck<'a> {
    pub(crate) step: &'a LatencyStep,
    pub(crate) sabotage: Option<&'a LatencySabotage>,
}

/// What was seen.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct LatencyEvidence {
    /// What clock readings on the source are worth.
    pub source_timing: Timing,
    /// What clock readings on the destination are worth.
    pub timing: Timing,
    /// The latencies of both stores, under the stores' words.
    pub recording: Recording,
    /// Whether the answers were the same.
    pub agreement: Agreement,
}

impl Check for LatencyCheck<'_> {
    type Evidence = LatencyEvidence;

    fn subject(&self) -> &'static str {
        "both stores answer the same queries"
    }

    async fn collect(&self, cx: &StepCx<'_>) -> Result<LatencyEvidence, CollectError> {
        let faulty = match self.sabotage {
            Some(sabotage) => {
                Some(Faulty::inject(cx.stores, fault(*sabotage), cx.planned.seed).await?)
            }
            None => None,
        };
        let destination = match &faulty {
            Some(faulty) => faulty.client.clone(),
            None => cx.stores.reader.clone(),
        };
        let shared = Arc::new(Shared {
            source: cx.stores.source.clone(),
            destination,
            pairs: self.step.queries.clone(),
            seed: cx.planned.seed,
            answers: Mutex::new(Answers::default()),
        });
        let operation = |store: Store| Labelled {
            label: store.word().to_owned(),
            weight: 1,
            operation: Asking { store, shared: Arc::clone(&shared) },
        };
        let operations = vec![operation(Store::Source), operation(Store::Destination)];
        // Each question asks both stores.
        let both = Requests { count: 2, for_arrivals: 1 };
        let schedule = schedule_of(&self.step.arrivals, both, cx.planned.seed)?;
        let options = RunOptions {
            duration: self.step.duration,
            warm_up: self.step.warm_up,
            timeout: TIMEOUT,
            connections: CONNECTIONS * 2,
            // One shard alone does this.
            shard: Shard::WHOLE,
        };
        let recording = run_open(operations, schedule, options, cx.cx.stop.receiver()).await?;
        drop(faulty);
        let answers = std::mem::take(&mut *shared.answers());
        let Capabilities { source_timing, timing, .. } = cx.target.capabilities;
        Ok(LatencyEvidence {
            source_timing,
            timing,
            recording,
            agreement: answers.into_agreement(),
        })
    }

    fn judge(&self, evidence: &LatencyEvidence) -> Verdict {
        judge(self.step, evidence)
    }

    fn facts(&self, evidence: &LatencyEvidence) -> Vec<Fact> {
        let mut facts = vec![
            Fact::count("answers compared", evidence.agreement.compared),
            Fact::count("values compared", evidence.agreement.points),
        ];
        let stores =
            [(Store::Source, evidence.source_timing), (Store::Destination, evidence.timing)];
        for (store, timing) in stores {
            if let Some(summary) = evidence.recording.summary(store.word()) {
                let plan = (&self.step.queries, &self.step.arrivals);
                let standing = Standing { timing, divided: None, plan };
                facts.push(figures::fact(store.word(), &summary, standing));
            }
        }
        facts
    }

    fn figures(&self, evidence: &LatencyEvidence) -> Vec<Figure> {
        let recordings = [&evidence.recording];
        let mut figures =
            vec![figures::percentiles("Latency from the intended start", &recordings)];
        figures.extend(figures::over_time(&recordings));
        figures
    }
}

fn fault(sabotage: LatencySabotage) -> (FaultKind, Scope) {
    let kind = match sabotage {
        LatencySabotage::FailQueries(ratio) => service_unavailable(ratio),
        LatencySabotage::WrongAnswer(ratio) => FaultKind::WrongAnswer { ratio },
        LatencySabotage::AddLatency(add) => FaultKind::Latency { add, ratio: Ratio::ONE },
    };
    (kind, Scope::queries())
}

struct Shared {
    source: TimestreamClient,
    destination: InfluxClient,
    pairs: Vec<QueryPair>,
    seed: u64,
    answers: Mutex<Answers>,
}

impl Shared {
    fn answers(&self) -> std::sync::MutexGuard<'_, Answers> {
        self.answers.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Asking one store.
#[derive(Clone)]
struct Asking {
    store: Store,
    shared: Arc<Shared>,
}

impl Operation for Asking {
    async fn run(&self, k: u64) -> Outcome {
        let shared = &self.shared;
        let Some(question) = Question::draw(&shared.pairs, shared.seed, k) else {
            return Outcome::failed(OutcomeClass::Error("no query"));
        };
        let answer = &question.pair.answer;
        let asked = match self.store {
            Store::Source => ask_source(&shared.source, &question.sql(), answer).await,
            Store::Destination => {
                ask_destination(&shared.destination, &question.flux(), answer).await
            }
        };
        let (outcome, points) = match asked {
            Ok(points) => (Outcome::ok(1), Some(points)),
            Err(error) => (Outcome::failed(class_of(&error)), None),
        };
        shared.answers().take((k, &question), self.store, points);
        outcome
    }
}

/// Holds the figures against what the file expects.
pub fn judge(step: &LatencyStep, evidence: &LatencyEvidence) -> Verdict {
    let of = |store: Store| evidence.recording.summary(store.word());
    let (source, destination) = (of(Store::Source), of(Store::Destination));
    let mut expectations = vec![agreement(&evidence.agreement)];
    for store in [Store::Source, Store::Destination] {
        if !limits_errors(step, store) {
            expectations.push(timed::no_errors(store.word(), &evidence.recording));
        }
    }
    let sides = (source.as_ref(), destination.as_ref());
    expectations.extend(step.expect.iter().map(|expect| expectation(expect, sides, evidence)));
    let mut findings: Vec<Finding> =
        evidence.agreement.witnesses.iter().map(disagreement).collect();
    for (store, summary) in [(Store::Source, &source), (Store::Destination, &destination)] {
        if let Some(summary) = summary {
            findings.extend(timed::failures(store.word(), &summary.outcomes));
        }
    }
    Verdict { expectations, findings }
}

fn limits_errors(step: &LatencyStep, store: Store) -> bool {
    step.expect.iter().any(|expect| {
        expect.statistic == Statistic::Errors && expect.subject == LatencySubject::Store(store)
    })
}

fn agreement(agreement: &Agreement) -> Expectation {
    let Agreement { compared, points, differing, .. } = *agreement;
    let (judgement, reason) = match (points, differing) {
        (0, 0) => (Judgement::Inconclusive, Some("no value was compared".to_owned())),
        (_, 0) => (Judgement::Pass, None),
        _ => (Judgement::Fail, None),
    };
    Expectation {
        expected: "answers that differ = 0".to_owned(),
        observed: format!("{differing} of {compared}"),
        judgement,
        reason,
        timed: false,
    }
}

fn expectation(
    expect: &LatencyExpect,
    (source, destination): (Option<&Summary>, Option<&Summary>),
    evidence: &LatencyEvidence,
) -> Expectation {
    let read = |summary: Option<&Summary>| timed::read(summary?, expect.statistic);
    let samples = |summary: Option<&Summary>| summary.map_or(0, |it| it.samples);
    let circumstances = |summary: Option<&Summary>| {
        summary.map_or_else(Circumstances::default, |summary| {
            Circumstances::of(summary, &evidence.recording)
        })
    };
    let (subject, observed) = match expect.subject {
        LatencySubject::Store(store) => {
            let side = if store == Store::Source { source } else { destination };
            let (reading, samples) = (read(side), samples(side));
            (store.word(), Observed { reading, samples, circumstances: circumstances(side) })
        }
        LatencySubject::DestinationBySource => {
            let both = read(destination).zip(read(source));
            let reading = both.and_then(|(ours, theirs)| timed::quotient(ours, theirs));
            let samples = samples(source).min(samples(destination));
            let circumstances = circumstances(destination).beside(&circumstances(source));
            ("destination / source", Observed { reading, samples, circumstances })
        }
    };
    // A quotient is worth what the lesser of its two readings is.
    let timing = match (expect.subject, evidence.source_timing, evidence.timing) {
        (LatencySubject::Store(Store::Source), source, _) => source,
        (LatencySubject::Store(Store::Destination), _, destination) => destination,
        (LatencySubject::DestinationBySource, Timing::Real, Timing::Real) => Timing::Real,
        (LatencySubject::DestinationBySource, ..) => Timing::Indicative,
    };
    let demand = Demand {
        subject: subject.to_owned(),
        statistic: expect.statistic,
        limit: expect.limit,
        min_samples: expect.min_samples,
    };
    timed::judge(&demand, &observed, timing)
}

fn disagreement(disagreement: &Disagreement) -> Finding {
    let Disagreement { question, time_ns, source, destination } = disagreement;
    let side = |value: &Option<FieldValue>| {
        value.as_ref().map_or_else(|| "nothing".to_owned(), ToString::to_string)
    };
    let at = time_ns.map_or_else(String::new, |time_ns| format!(" at {time_ns}"));
    let (source, destination) = (side(source), side(destination));
    Finding {
        code: FindingCode::AnswerDiffers,
        message: format!("{question}{at}: source {source}, destination {destination}"),
        witness: None,
    }
}
