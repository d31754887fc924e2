//! Writes what happens during a run into a [`Recording`].
//!
//! The main type is [`Recorder`]; the connections of a run share one. It decides the phase of an
//! arrival by the instant at which it was due, so that a slow warm-up cannot leak into the
//! measured phase.

use std::time::Duration;

use crate::counts::{Counts, LiveCounts, Packer};
use crate::operation::{Outcome, OutcomeClass};
use crate::recording::{Model, OperationRecording, Recording};

/// One arrival, with instants counted from the start of the run.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Arrived {
    pub(crate) operation: usize,
    pub(crate) due: Duration,
    /// When a connection was there for it.
    pub(crate) free: Duration,
    pub(crate) sent: Duration,
    pub(crate) done: Duration,
    pub(crate) outcome: Outcome,
}

impl Arrived {
    /// The time from the instant at which it was due, under the timeout of its run.
    pub(crate) fn response(&self, timeout: Duration) -> Duration {
        self.at_least(self.done.saturating_sub(self.due), timeout)
    }

    fn at_least(&self, time: Duration, timeout: Duration) -> Duration {
        match self.outcome.class {
            // An operation may give up earlier by a rule of its own; it got no answer either way.
            OutcomeClass::Timeout => time.max(timeout),
            _ => time,
        }
    }
}

/// An arrival that was due and never sent.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Unsent {
    pub(crate) operation: usize,
    pub(crate) due: Duration,
    pub(crate) given_up: Duration,
}

#[derive(Debug)]
pub(crate) struct Recorder {
    warm_up: Duration,
    timeout: Duration,
    last_sent: Duration,
    operations: Vec<OperationRecording>,
    live: Vec<LiveSeconds>,
    packer: Packer,
}

/// The responses of two seconds of one operation while they come in: those of neighbouring
/// seconds overlap.
#[derive(Debug)]
struct LiveSeconds([(u64, LiveCounts); 2]);

impl Recorder {
    pub(crate) fn new(operations: usize, warm_up: Duration, timeout: Duration) -> Self {
        let live = |_| LiveSeconds([(0, LiveCounts::new()), (1, LiveCounts::new())]);
        Self {
            warm_up,
            timeout,
            last_sent: Duration::ZERO,
            operations: (0..operations).map(|_| OperationRecording::default()).collect(),
            live: (0..operations).map(live).collect(),
            packer: Packer::new(),
        }
    }

    pub(crate) fn record(&mut self, arrived: Arrived) {
        let Arrived { operation, due, free, sent, done, outcome } = arrived;
        let response = arrived.response(self.timeout);
        let service = arrived.at_least(done.saturating_sub(sent), self.timeout);
        let recording = &mut self.operations[operation];
        let measured = due >= self.warm_up;
        let samples = if measured { &mut recording.measured } else { &mut recording.warm_up };
        samples.response.record(response);
        samples.service.record(service);
        samples.lag.record(sent.saturating_sub(due.max(free)));
        samples.waited += u64::from(free > due);
        samples.outcomes.count(outcome.class);
        samples.work += outcome.work;
        if measured {
            self.last_sent = self.last_sent.max(sent);
        }
        let second = recording.seconds.entry(done.as_secs()).or_default();
        second.ended += 1;
        second.failed += u64::from(outcome.class != OutcomeClass::Ok);
        second.work += outcome.work;
        self.count_response(operation, due, response);
    }

    fn count_response(&mut self, operation: usize, due: Duration, response: Duration) {
        let second = due.as_secs();
        let (of, counts) = &mut self.live[operation].0[usize::from(second % 2 == 1)];
        if *of != second {
            self.operations[operation].keep(*of, &counts.pack(&mut self.packer));
            *of = second;
        }
        counts.record(response);
    }

    /// Notes that an arrival was told to come back later, and did.
    pub(crate) fn record_retry(&mut self, operation: usize, due: Duration) {
        let recording = &mut self.operations[operation];
        let measured = due >= self.warm_up;
        let samples = if measured { &mut recording.measured } else { &mut recording.warm_up };
        samples.retries += 1;
    }

    pub(crate) fn record_unsent(&mut self, unsent: Unsent) {
        let Unsent { operation, due, given_up } = unsent;
        let waited = given_up.saturating_sub(due);
        let recording = &mut self.operations[operation];
        let samples =
            if due >= self.warm_up { &mut recording.measured } else { &mut recording.warm_up };
        samples.response.record(waited);
        samples.waited += 1;
        samples.outcomes.unsent += 1;
        self.count_response(operation, due, waited);
    }

    /// Ends the recording. `stopped` is the instant at which the run was told to stop, if it was.
    pub(crate) fn finish(mut self, frame: Frame, labels: Vec<String>) -> Recording {
        for (operation, LiveSeconds(live)) in self.operations.iter_mut().zip(&mut self.live) {
            for (second, counts) in live {
                operation.keep(*second, &counts.pack(&mut self.packer));
            }
        }
        let Frame { model, duration, stopped } = frame;
        let since = |instant: Duration| instant.saturating_sub(self.warm_up);
        let covered = stopped.map_or(duration, |stopped| since(stopped).min(duration));
        Recording {
            model,
            complete: stopped.is_none(),
            warm_up: self.warm_up,
            duration,
            covered,
            span: covered.max(since(self.last_sent)),
            aborted: None,
            generator: None,
            operations: labels.into_iter().zip(self.operations).collect(),
        }
    }
}

/// What a recorder has to be told about its run.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Frame {
    pub(crate) model: Model,
    pub(crate) duration: Duration,
    pub(crate) stopped: Option<Duration>,
}

impl OperationRecording {
    /// Keeps the responses of a second that is over, or adds late ones to it.
    fn keep(&mut self, second: u64, counts: &Counts) {
        if *counts != Counts::default() {
            self.seconds.entry(second).or_default().response.merge(counts);
        }
    }
}
