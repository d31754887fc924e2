//! How a thread's run ends: at its end, by a stop, by an abort, request by request at its deadline.
//!
//! The methods here are a [`Worker`]'s. Whatever was due is recorded, answered or not.

use std::cmp::Reverse;
use std::time::Duration;

use super::{Source, Worker};
use crate::operation::{Outcome, OutcomeClass};
use crate::recorder::Unsent;
use crate::stop::Told;

/// How long what is under way may go on after an abort: long enough for answers that are on their
/// way, and short beside the time that a frozen server could take.
const GRACE: Duration = Duration::from_millis(250);

impl Worker<'_> {
    /// Tells the lookout what is waiting, if it is time.
    pub(super) fn report(&mut self) {
        let Some(lookout) = self.lookout.as_mut().filter(|lookout| lookout.is_due(self.now)) else {
            return;
        };
        let now = self.now;
        let jobs = (0..self.slots.len()).filter_map(|index| self.slots[index].job);
        let queue = match &self.source {
            Source::Open(arrivals) => Some(arrivals.left().take_while(|due| *due <= now)),
            Source::Closed(_) => None,
        };
        lookout.report(now, jobs.map(|job| job.due).chain(queue.into_iter().flatten()));
    }

    /// Once told to stop, nothing more is sent, and who rests does not come back.
    pub(super) fn hear_stop(&mut self) {
        let told = self.shared.stop.told();
        if told == Told::Abort && self.cut_at.is_none() {
            self.cut_at = Some(self.now.saturating_add(GRACE));
        }
        if self.stopped.is_some() || told == Told::Nothing {
            return;
        }
        // What came due since has found no time to be sent, and is left out.
        self.stopped = Some(self.dispatched);
        self.later.clear();
        self.asking.clear();
        for index in 0..self.slots.len() {
            if let Some(told) = self.slots[index].job.and_then(|job| job.told) {
                self.finish(index, told);
            }
        }
    }

    pub(super) fn end_what_is_overdue(&mut self) {
        for index in 0..self.slots.len() {
            let Some(job) = self.slots[index].job.filter(|job| job.sent.is_some()) else {
                continue;
            };
            let overdue = job.deadline <= self.now;
            if !overdue && self.cut_at.is_none_or(|at| at > self.now) {
                continue;
            }
            let outcome = if let Some(told) = job.told {
                self.later.retain(|Reverse((_, resting))| *resting != index);
                told
            } else {
                self.slots[index].connection.close();
                let class = if overdue { OutcomeClass::Timeout } else { OutcomeClass::Cut };
                Outcome::failed(class)
            };
            self.finish(index, outcome);
        }
    }

    pub(super) fn is_over(&mut self) -> bool {
        if self.under_way > 0 {
            return false;
        }
        if !self.sends() {
            return true;
        }
        match &mut self.source {
            Source::Open(arrivals) => self.staged.is_none() && arrivals.peek().is_none(),
            Source::Closed(_) => self.now >= self.shared.end,
        }
    }

    /// Records what was due and never sent.
    pub(super) fn give_up(&mut self) {
        if let Some(lookout) = self.lookout.take() {
            lookout.leave(self.now);
        }
        let staged = self.staged.and_then(|index| self.slots[index].job);
        let Source::Open(arrivals) = &mut self.source else { return };
        let end = self.stopped.unwrap_or(Duration::MAX);
        let left = staged.map(|job| (job.turn, job.due)).into_iter().chain(arrivals);
        for (turn, due) in left.take_while(|(_, due)| *due < end) {
            let unsent = Unsent { operation: turn.operation, due, given_up: self.now };
            self.recorder.record_unsent(unsent);
        }
    }
}
