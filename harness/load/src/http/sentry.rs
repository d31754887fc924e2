//! Watches a load for the breach of a limit that is to end it.
//!
//! [`Sentry`] is what the threads of a load share: each has a [`Lookout`] of its own, which counts
//! without a lock, and reports what it saw ten times in a second. The thread whose report completes
//! a slot of time holds the rules against the window that ends with it; what the window says is
//! not known here: see [`Window`].

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use crate::abort::{AbortRule, Aborted, Tally, Window, together};
use crate::counts::{LiveCounts, Packer};
use crate::operation::OutcomeClass;
use crate::recorder::Arrived;
use crate::stop::Stop;

/// Watches one load.
#[derive(Debug)]
pub(crate) struct Sentry<'a> {
    rules: Vec<AbortRule>,
    /// The length of a slot.
    slot: Duration,
    /// The measured phase: slots are counted from its start.
    from: Duration,
    to: Duration,
    timeout: Duration,
    /// Ends this load and those that run with it.
    stop: &'a Stop,
    seen: Mutex<Seen>,
}

#[derive(Debug)]
struct Seen {
    window: Window,
    threads: Vec<Report>,
    judged: u64,
    aborted: Option<Aborted>,
}

/// What one thread said last.
#[derive(Clone, Debug)]
struct Report {
    /// How many slots it has reported.
    slots: u64,
    waiting: Tally,
}

impl<'a> Sentry<'a> {
    /// A sentry over a measured phase, for so many threads.
    pub(crate) fn new(
        rules: Vec<AbortRule>,
        (from, to): (Duration, Duration),
        timeout: Duration,
        (threads, stop): (usize, &'a Stop),
    ) -> Self {
        let report = Report { slots: 0, waiting: Tally::new(rules.len()) };
        let window = Window::new(rules.clone());
        let slot = window.slot();
        let threads = vec![report; threads];
        let seen = Mutex::new(Seen { window, threads, judged: 0, aborted: None });
        Self { rules, slot, from, to, timeout, stop, seen }
    }

    /// The lookout of one thread; none where there is nothing to look for.
    pub(crate) fn lookout(&self, thread: usize) -> Option<Lookout<'_>> {
        (!self.rules.is_empty()).then(|| Lookout {
            sentry: self,
            thread,
            reported: 0,
            ended: Tally::new(self.rules.len()),
            responses: LiveCounts::new(),
            packer: Packer::new(),
        })
    }

    /// What ended the load, if it was one of the rules.
    pub(crate) fn aborted(&self) -> Option<Aborted> {
        self.seen().aborted
    }

    fn seen(&self) -> MutexGuard<'_, Seen> {
        self.seen.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// How many slots are over.
    fn slots_until(&self, now: Duration) -> u64 {
        let within = now.min(self.to).saturating_sub(self.from);
        let slots = within.as_nanos() / self.slot.as_nanos().max(1);
        u64::try_from(slots).expect("a run is shorter than five centuries")
    }

    /// Takes what a thread saw up to a slot, and judges what is complete by it.
    fn take(&self, thread: usize, (slot, ended): (u64, &Tally), report: Report, now: Duration) {
        let mut seen = self.seen();
        let Seen { window, threads, judged, aborted } = &mut *seen;
        window.add(slot, ended);
        threads[thread] = report;
        let complete = threads.iter().map(|report| report.slots).min().unwrap_or(0);
        if aborted.is_some() || complete <= *judged || complete == Report::GONE {
            return;
        }
        *judged = complete;
        let waiting = together(self.rules.len(), threads.iter().map(|report| &report.waiting));
        if let Some((rule, observed)) = window.judge(complete, &waiting) {
            *aborted = Some(Aborted { rule, observed, at: now });
            self.stop.abort();
        }
    }
}

impl Report {
    /// The slots of a thread that has nothing more to tell.
    const GONE: u64 = u64::MAX;
}

/// What one thread sees.
#[derive(Debug)]
pub(crate) struct Lookout<'a> {
    sentry: &'a Sentry<'a>,
    thread: usize,
    reported: u64,
    /// What ended since the last report.
    ended: Tally,
    responses: LiveCounts,
    packer: Packer,
}

impl Lookout<'_> {
    /// Counts what ended. The warm-up is not looked at.
    pub(crate) fn see(&mut self, arrived: &Arrived) {
        if arrived.due < self.sentry.from {
            return;
        }
        let response = arrived.response(self.sentry.timeout);
        self.ended.count(&self.sentry.rules, response);
        self.responses.record(response);
        if arrived.outcome.class != OutcomeClass::Ok {
            self.ended.count_failure();
        }
    }

    /// Whether there is something to report.
    pub(crate) fn is_due(&self, now: Duration) -> bool {
        self.sentry.slots_until(now) > self.reported
    }

    /// Reports what ended, and what has been due for so long without having ended.
    pub(crate) fn report(&mut self, now: Duration, due: impl Iterator<Item = Duration>) {
        self.reported = self.sentry.slots_until(now);
        let last = self.reported.saturating_sub(1);
        self.ended.responses = vec![self.responses.pack(&mut self.packer)];
        let rules = &self.sentry.rules;
        let mut waiting = Tally::new(rules.len());
        for due in due.filter(|due| (self.sentry.from..=now).contains(due)) {
            let waited = now.saturating_sub(due);
            waiting.count(rules, waited);
            self.responses.record(waited);
        }
        waiting.responses = vec![self.responses.pack(&mut self.packer)];
        let report = Report { slots: self.reported, waiting };
        self.sentry.take(self.thread, (last, &self.ended), report, now);
        self.ended = Tally::new(rules.len());
    }

    /// Says that this thread has nothing more to tell, so that the others do not wait for it.
    pub(crate) fn leave(mut self, now: Duration) {
        let slot = self.sentry.slots_until(now);
        self.ended.responses = vec![self.responses.pack(&mut self.packer)];
        let waiting = Tally::new(self.sentry.rules.len());
        let report = Report { slots: Report::GONE, waiting };
        self.sentry.take(self.thread, (slot, &self.ended), report, now);
    }
}

#[cfg(test)]
mod tests;
