//! The connections of one thread, and which of them are free.
//!
//! The main type is [`Slots`]. A free connection that stands is taken before one that would have
//! to be opened, and of those that stand the one that has been free for longest.

use std::collections::VecDeque;
use std::ops::{Index, IndexMut};
use std::time::Duration;

use super::connection::Connection;
use crate::interleave::Turn;
use crate::operation::Outcome;

/// Where a connection is to be found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Place {
    /// Among those that stand and are free.
    Warm,
    /// Among those that are free and have to be opened first, or are being opened.
    Cold,
    /// With an arrival, or with a user.
    Taken,
}

/// One connection and the arrival that it carries.
#[derive(Debug)]
pub(crate) struct Slot {
    pub(crate) connection: Connection,
    pub(crate) job: Option<Job>,
    /// Which of the server's addresses it was last opened to.
    pub(crate) address: usize,
    /// When it became free.
    free: Duration,
    place: Place,
}

/// One arrival on its way.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Job {
    pub(crate) turn: Turn,
    pub(crate) due: Duration,
    /// When its connection became free.
    pub(crate) free: Duration,
    /// None while it is written down and not due yet.
    pub(crate) sent: Option<Duration>,
    pub(crate) deadline: Duration,
    pub(crate) work: u64,
    /// How many addresses of the server can still be tried.
    pub(crate) addresses: usize,
    /// What the service said when it asked to be left alone for a while.
    pub(crate) told: Option<Outcome>,
}

impl Job {
    /// Whether something is expected of the service just now.
    pub(crate) fn is_under_way(&self) -> bool {
        self.sent.is_some() && self.told.is_none()
    }
}

#[derive(Debug)]
pub(crate) struct Slots {
    all: Vec<Slot>,
    // What has left its place is passed over when its turn comes.
    warm: VecDeque<usize>,
    cold: VecDeque<usize>,
}

impl Slots {
    /// So many closed connections, all of them free.
    pub(crate) fn new(connections: usize) -> Self {
        let slot = |_| Slot {
            connection: Connection::new(),
            job: None,
            address: 0,
            free: Duration::ZERO,
            place: Place::Cold,
        };
        Self {
            all: (0..connections).map(slot).collect(),
            warm: VecDeque::with_capacity(connections),
            cold: (0..connections).collect(),
        }
    }

    pub(crate) fn len(&self) -> usize {
        self.all.len()
    }

    /// Takes a free connection; says which, and since when it is free.
    pub(crate) fn take(&mut self) -> Option<(usize, Duration)> {
        let Self { all, warm, cold } = self;
        let first = |queue: &mut VecDeque<usize>, place| {
            std::iter::from_fn(|| queue.pop_front()).find(|index| all[*index].place == place)
        };
        let index = first(warm, Place::Warm).or_else(|| first(cold, Place::Cold))?;
        self.all[index].place = Place::Taken;
        Some((index, self.all[index].free))
    }

    /// A connection that was taken is free again.
    pub(crate) fn give_back(&mut self, index: usize, now: Duration) {
        self.all[index].free = now;
        if self.all[index].connection.is_idle() {
            self.put(index, Place::Warm);
        } else {
            self.put(index, Place::Cold);
        }
    }

    /// A connection stands now. One that is taken stays so.
    pub(crate) fn stands(&mut self, index: usize) {
        if self.all[index].place == Place::Cold {
            self.put(index, Place::Warm);
        }
    }

    /// A connection is closed now. One that is taken stays so.
    pub(crate) fn closed(&mut self, index: usize) {
        if self.all[index].place == Place::Warm {
            self.put(index, Place::Cold);
        }
    }

    fn put(&mut self, index: usize, place: Place) {
        self.all[index].place = place;
        match place {
            Place::Warm => self.warm.push_back(index),
            Place::Cold => self.cold.push_back(index),
            Place::Taken => {}
        }
    }
}

impl Index<usize> for Slots {
    type Output = Slot;

    fn index(&self, index: usize) -> &Slot {
        &self.all[index]
    }
}

impl IndexMut<usize> for Slots {
    fn index_mut(&mut self, index: usize) -> &mut Slot {
        &mut self.all[index]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_connection_can_be_taken_once() {
        let mut slots = Slots::new(3);
        let taken: Vec<_> = std::iter::from_fn(|| slots.take()).map(|(index, _)| index).collect();
        assert_eq!(taken, [0, 1, 2]);
    }

    #[test]
    fn one_that_stands_is_taken_first_and_only_once() {
        let mut slots = Slots::new(3);
        slots.stands(2);
        assert_eq!(slots.take(), Some((2, Duration::ZERO)));
        assert_eq!(slots.take(), Some((0, Duration::ZERO)));
        assert_eq!(slots.take(), Some((1, Duration::ZERO)));
        assert_eq!(slots.take(), None);
    }

    #[test]
    fn one_that_is_given_back_tells_since_when_it_is_free() {
        let mut slots = Slots::new(1);
        slots.take();
        slots.give_back(0, Duration::from_secs(3));
        assert_eq!(slots.take(), Some((0, Duration::from_secs(3))));
    }

    #[test]
    fn one_that_breaks_while_it_is_taken_stays_taken() {
        let mut slots = Slots::new(1);
        slots.take();
        slots.closed(0);
        slots.stands(0);
        assert_eq!(slots.take(), None);
    }
}
