//! Finds out whether rows stand at another time than they should, all by the same distance.
//!
//! The main type is [`ShiftVotes`]. It sees only rows that are missing, extra or differing. Each
//! is remembered for a while by what it is apart from its time; when the other side shows the
//! same row at another time, the distance between them gets a vote. On a regular grid a shift
//! by one step leaves nearly every key in place and every value wrong, which is why differing
//! rows take part.

use std::collections::{BTreeMap, HashMap, VecDeque};

use crate::diagnosis::{Diagnosis, Pattern};

/// How many rows of each side are remembered: the longest shift, in rows, that can be seen.
const REMEMBERED: usize = 4096;
/// How many different distances are counted; a true shift comes up at once.
const DISTANCES: usize = 256;

#[derive(Debug, Default)]
pub(crate) struct ShiftVotes {
    source: Recent,
    destination: Recent,
    votes: BTreeMap<i64, u64>,
    suspects: u64,
}

/// The latest rows of one side, by their timeless word.
#[derive(Debug, Default)]
struct Recent {
    times: HashMap<u64, i64>,
    order: VecDeque<u64>,
}

impl ShiftVotes {
    /// Takes note of a row of the source that is missing or differs in the destination.
    pub(crate) fn source(&mut self, word: u64, time_ns: i64) {
        self.suspects += 1;
        match self.destination.take(word) {
            Some(there) => self.vote(time_ns, there),
            None => self.source.remember(word, time_ns),
        }
    }

    /// Takes note of a row of the destination that is extra or differs from the source.
    pub(crate) fn destination(&mut self, word: u64, time_ns: i64) {
        match self.source.take(word) {
            Some(here) => self.vote(here, time_ns),
            None => self.destination.remember(word, time_ns),
        }
    }

    fn vote(&mut self, source_ns: i64, destination_ns: i64) {
        let Some(by_ns) = destination_ns.checked_sub(source_ns).filter(|by| *by != 0) else {
            return;
        };
        if self.votes.len() < DISTANCES || self.votes.contains_key(&by_ns) {
            *self.votes.entry(by_ns).or_default() += 1;
        }
    }

    /// The distance that explains more than half of the suspects. Less is what swapped or
    /// repeated values give by chance.
    pub(crate) fn diagnose(&self) -> Option<Diagnosis> {
        let (by_ns, explained) = self.votes.iter().max_by_key(|(_, votes)| **votes)?;
        (explained * 2 > self.suspects).then_some(Diagnosis {
            pattern: Pattern::TimeShifted { by_ns: *by_ns },
            explained: *explained,
            of: self.suspects,
        })
    }
}

impl Recent {
    fn remember(&mut self, word: u64, time_ns: i64) {
        if self.times.insert(word, time_ns).is_none() {
            self.order.push_back(word);
        }
        if self.order.len() > REMEMBERED
            && let Some(oldest) = self.order.pop_front()
        {
            self.times.remove(&oldest);
        }
    }

    fn take(&mut self, word: u64) -> Option<i64> {
        self.times.remove(&word)
    }
}
