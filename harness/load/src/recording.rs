//! What a run leaves behind: everything a judge needs, in bounded memory.
//!
//! The main type is [`Recording`]. It holds histograms and counters for each operation and phase,
//! and one entry for each second, so that any window can be judged later without a second run. It
//! can be written down, read back and merged with the recordings of other shards; percentiles are
//! made from it in [`Summary`](crate::Summary), never stored.

use std::collections::BTreeMap;
use std::ops::Range;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::abort::Aborted;
use crate::counts::Counts;
use crate::histogram::Histogram;
use crate::operation::OutcomeClass;

/// How arrivals came about. Latencies of the two models are not comparable.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Model {
    /// Arrivals were due at instants fixed beforehand.
    Open,
    /// Each user waited for an answer before asking again: latency leaves out the queueing of
    /// users who were not there to ask.
    Closed,
}

/// The record of one run, or of several shards of one.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Recording {
    /// How arrivals came about.
    pub model: Model,
    /// Whether the run went on to its planned end.
    pub complete: bool,
    /// The planned length of the warm-up.
    pub warm_up: Duration,
    /// The planned length of the measured phase.
    pub duration: Duration,
    /// How much of the measured phase took place: all of it unless the run was stopped.
    pub covered: Duration,
    /// From the beginning of the measured phase until its last arrival was sent: longer than
    /// `covered` if the load could not be sent in time.
    pub span: Duration,
    /// The rule that ended the run early, if one did. A run that was stopped otherwise, as by the
    /// breach of another load, is incomplete without one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub aborted: Option<Aborted>,
    /// What the generator itself was busy with; absent where it shares its threads with others.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub generator: Option<Generator>,
    /// The operations by label.
    pub operations: BTreeMap<String, OperationRecording>,
}

/// What a generator was busy with, over all of its threads.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Generator {
    /// How many threads it had.
    pub threads: u64,
    /// From the start to the end of each thread, added up.
    pub lived: Duration,
    /// Processor time that the threads took.
    pub cpu: Duration,
    /// How much of `cpu` at most went into waiting awake for an instant that was close: this
    /// share could have done work as well.
    pub awake: Duration,
    /// How long the threads had something to do and no core to do it on; zero where the system does
    /// not tell.
    #[serde(default)]
    pub starved: Duration,
    /// The largest difference between a step of the wall clock and the same step of the steady
    /// clock: that far the wall clock was set, or the machine was suspended.
    pub clock_step: Duration,
}

impl Generator {
    /// The share of its threads' time that the generator was at work, or would have been with a
    /// core of its own, from 0 to 1. Near 1 it has nothing to spare and measures itself.
    pub fn busy(&self) -> f64 {
        if self.lived.is_zero() {
            return 0.0;
        }
        let wanted = self.cpu.saturating_sub(self.awake) + self.starved;
        (wanted.as_secs_f64() / self.lived.as_secs_f64()).min(1.0)
    }

    /// The share of its threads' time in which they had something to do and no core to do it on.
    pub fn starving(&self) -> f64 {
        if self.lived.is_zero() {
            return 0.0;
        }
        (self.starved.as_secs_f64() / self.lived.as_secs_f64()).min(1.0)
    }

    fn merge(&mut self, other: &Self) {
        self.threads += other.threads;
        self.lived += other.lived;
        self.cpu += other.cpu;
        self.awake += other.awake;
        self.starved += other.starved;
        self.clock_step = self.clock_step.max(other.clock_step);
    }
}

/// The record of one operation.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct OperationRecording {
    /// Arrivals that were due during the warm-up.
    pub warm_up: Samples,
    /// Arrivals that were due in the measured phase.
    pub measured: Samples,
    /// Both phases by second, counted from the start of the run; seconds without any event have
    /// no entry.
    pub seconds: BTreeMap<u64, Second>,
}

/// Everything recorded about the arrivals of one operation in one phase.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Samples {
    /// From the instant at which each arrival was due to its answer. Every arrival is in it,
    /// failed ones included; one that was never sent is in it with the time that it waited.
    pub response: Histogram,
    /// From the sending to the answer; arrivals that were never sent are not in it.
    pub service: Histogram,
    /// How late the generator itself was: from the instant at which an arrival was due and a
    /// connection free to the sending. Waiting for a connection is the service's doing and not
    /// in it.
    pub lag: Histogram,
    /// Arrivals that found no free connection when they were due.
    pub waited: u64,
    /// How often an arrival was told to come back later and did: its response has the wait in it.
    #[serde(default)]
    pub retries: u64,
    /// How the arrivals ended.
    pub outcomes: OutcomeCounts,
    /// The work that was done.
    pub work: u64,
}

/// How many operations ended in which way.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct OutcomeCounts {
    /// Answered, and right.
    pub ok: u64,
    /// Failed, by code.
    pub errors: BTreeMap<String, u64>,
    /// Refused, by code.
    pub rejected: BTreeMap<String, u64>,
    /// Not answered in time.
    pub timeouts: u64,
    /// Answered wrongly.
    pub wrong_answers: u64,
    /// Due, and never sent for want of a connection.
    pub unsent: u64,
    /// Sent, and cut off unanswered when the load was aborted: how they would have ended is not
    /// known. They are in the percentile base with the time that they had waited.
    #[serde(default)]
    pub cut: u64,
}

/// One second of one operation.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Second {
    /// The responses of arrivals that were due in this second.
    pub response: Counts,
    /// Operations that ended in this second, in whatever way.
    pub ended: u64,
    /// Those of them that did not end well.
    pub failed: u64,
    /// The work that was done by operations that ended in this second.
    pub work: u64,
}

/// Two recordings that are not shards of one run.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum MergeError {
    /// One was open, the other closed.
    #[error("recordings of an open and of a closed load have no common percentiles")]
    Model,
    /// The phases do not coincide.
    #[error("the recordings have phases of different lengths")]
    Phases,
}

impl Recording {
    /// Adds the recording of another shard that ran at the same time.
    pub fn merge(&mut self, other: &Self) -> Result<(), MergeError> {
        if self.model != other.model {
            return Err(MergeError::Model);
        }
        if (self.warm_up, self.duration) != (other.warm_up, other.duration) {
            return Err(MergeError::Phases);
        }
        self.complete &= other.complete;
        self.covered = self.covered.max(other.covered);
        self.span = self.span.max(other.span);
        let aborted = [self.aborted, other.aborted].into_iter().flatten();
        self.aborted = aborted.min_by_key(|aborted| aborted.at);
        if let Some(other) = &other.generator {
            self.generator.get_or_insert_default().merge(other);
        }
        for (label, operation) in &other.operations {
            self.operations.entry(label.clone()).or_default().merge(operation);
        }
        Ok(())
    }
}

impl OperationRecording {
    /// Adds another recording of the same operation.
    pub fn merge(&mut self, other: &Self) {
        self.warm_up.merge(&other.warm_up);
        self.measured.merge(&other.measured);
        for (second, entry) in &other.seconds {
            self.seconds.entry(*second).or_default().merge(entry);
        }
    }

    /// The responses of arrivals that were due in a range of seconds.
    pub fn response_in(&self, seconds: Range<u64>) -> Histogram {
        let mut histogram = Histogram::default();
        for (_, second) in self.seconds.range(seconds) {
            histogram.merge(&second.response());
        }
        histogram
    }
}

impl Samples {
    /// Adds other samples of the same operation and phase.
    pub fn merge(&mut self, other: &Self) {
        self.response.merge(&other.response);
        self.service.merge(&other.service);
        self.lag.merge(&other.lag);
        self.waited += other.waited;
        self.retries += other.retries;
        self.outcomes.merge(&other.outcomes);
        self.work += other.work;
    }
}

impl OutcomeCounts {
    /// All endings together.
    pub fn total(&self) -> u64 {
        self.ok + self.not_ok()
    }

    /// All endings but the good ones.
    pub fn not_ok(&self) -> u64 {
        let coded = self.errors.values().chain(self.rejected.values());
        coded.sum::<u64>() + self.timeouts + self.wrong_answers + self.unsent + self.cut
    }

    pub(crate) fn count(&mut self, class: OutcomeClass) {
        match class {
            OutcomeClass::Ok => self.ok += 1,
            OutcomeClass::Error(code) => count_code(&mut self.errors, code, 1),
            OutcomeClass::Rejected(code) => count_code(&mut self.rejected, code, 1),
            OutcomeClass::Timeout => self.timeouts += 1,
            OutcomeClass::WrongAnswer => self.wrong_answers += 1,
            OutcomeClass::Cut => self.cut += 1,
        }
    }

    fn merge(&mut self, other: &Self) {
        let Self { ok, errors, rejected, timeouts, wrong_answers, unsent, cut } = other;
        self.ok += ok;
        self.timeouts += timeouts;
        self.wrong_answers += wrong_answers;
        self.unsent += unsent;
        self.cut += cut;
        for (code, count) in errors {
            count_code(&mut self.errors, code, *count);
        }
        for (code, count) in rejected {
            count_code(&mut self.rejected, code, *count);
        }
    }
}

fn count_code(codes: &mut BTreeMap<String, u64>, code: &str, by: u64) {
    // The text is copied only for the first of its kind.
    match codes.get_mut(code) {
        Some(count) => *count += by,
        None => drop(codes.insert(code.to_owned(), by)),
    }
}

impl Second {
    /// The responses as a histogram. Its extremes and its mean have three digits, like its values.
    pub fn response(&self) -> Histogram {
        let mut histogram = Histogram::default();
        for (value, count) in self.response.iter() {
            histogram.record_times(value, count);
        }
        histogram
    }

    fn merge(&mut self, other: &Self) {
        self.response.merge(&other.response);
        self.ended += other.ended;
        self.failed += other.failed;
        self.work += other.work;
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::operation::Outcome;
    use crate::recorder::{Arrived, Frame, Recorder};

    fn arrived() -> impl Strategy<Value = Arrived> {
        let class = prop_oneof![
            Just(OutcomeClass::Ok),
            Just(OutcomeClass::Error("503")),
            Just(OutcomeClass::Rejected("400")),
            Just(OutcomeClass::Timeout),
            Just(OutcomeClass::WrongAnswer),
            Just(OutcomeClass::Cut),
        ];
        (0_usize..2, 0_u64..9_000, 0_u64..50, 0_u64..50, 0_u64..3_000, class, 0_u64..100).prop_map(
            |(operation, due, free, sent, done, class, work)| {
                let at = |micros: u64| Duration::from_micros(micros * 1003);
                Arrived {
                    operation,
                    due: at(due),
                    free: at(due + free),
                    sent: at(due + free + sent),
                    done: at(due + free + sent + done),
                    outcome: Outcome { class, work },
                }
            },
        )
    }

    fn recorded(arrivals: &[Arrived]) -> Recording {
        let mut recorder = Recorder::new(2, Duration::from_secs(3), Duration::from_secs(1));
        for arrived in arrivals {
            recorder.record(*arrived);
        }
        let frame = Frame { model: Model::Open, duration: Duration::from_secs(6), stopped: None };
        recorder.finish(frame, vec!["read".into(), "write".into()])
    }

    proptest! {
        // Each case builds and walks dozens of histograms.
        #![proptest_config(ProptestConfig::with_cases(48))]

        #[test]
        fn merged_shards_equal_one_recording_of_the_whole(
            arrivals in proptest::collection::vec((arrived(), 0_usize..3), 0..80),
        ) {
            let shard = |number| {
                let share = arrivals.iter().filter(|(_, shard)| *shard == number);
                recorded(&share.map(|(arrived, _)| *arrived).collect::<Vec<_>>())
            };
            let mut merged = shard(2);
            merged.merge(&shard(0)).unwrap();
            merged.merge(&shard(1)).unwrap();
            let all: Vec<_> = arrivals.iter().map(|(arrived, _)| *arrived).collect();
            prop_assert_eq!(merged, recorded(&all));
        }

        #[test]
        fn a_recording_survives_json(
            arrivals in proptest::collection::vec(arrived(), 0..40),
        ) {
            let recording = recorded(&arrivals);
            let json = serde_json::to_string(&recording).unwrap();
            prop_assert_eq!(serde_json::from_str::<Recording>(&json).unwrap(), recording);
        }

        #[test]
        fn every_arrival_is_in_the_base_and_in_one_second(
            arrivals in proptest::collection::vec(arrived(), 0..80),
        ) {
            let recording = recorded(&arrivals);
            let operations = || recording.operations.values();
            let in_phases: u64 = operations()
                .map(|operation| {
                    operation.warm_up.response.samples() + operation.measured.response.samples()
                })
                .sum();
            let in_seconds: u64 = operations()
                .map(|operation| operation.response_in(0..u64::MAX).samples())
                .sum();
            prop_assert_eq!(in_phases, arrivals.len() as u64);
            prop_assert_eq!(in_seconds, arrivals.len() as u64);
        }
    }

    #[test]
    fn a_generator_that_waits_for_a_core_has_nothing_to_spare() {
        let half = Duration::from_secs(5);
        let lived = Duration::from_secs(10);
        let alone = Generator { lived, cpu: half, ..Generator::default() };
        let starved = Generator { starved: half, ..alone };
        assert!((alone.busy() - 0.5).abs() < 1e-9 && (starved.busy() - 1.0).abs() < 1e-9);
    }

    #[test]
    fn recordings_of_different_models_do_not_merge() {
        let mut open = recorded(&[]);
        let closed = Recording { model: Model::Closed, ..recorded(&[]) };
        assert_eq!(open.merge(&closed), Err(MergeError::Model));
    }

    #[test]
    fn recordings_of_different_lengths_do_not_merge() {
        let mut one = recorded(&[]);
        let other = Recording { duration: Duration::from_secs(7), ..recorded(&[]) };
        assert_eq!(one.merge(&other), Err(MergeError::Phases));
    }
}
