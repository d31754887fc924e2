//! Notices that the wall clock was set, or the machine suspended, during a run.
//!
//! The main type is [`WallCheck`]: it compares each step of the wall clock with the same step of
//! the steady one. Clocks that are slewed differ by less than it looks for.

use std::time::Duration;

use cutover_model::Clock;

use super::poller::Watch;

/// Compares the two clocks from look to look.
#[derive(Debug)]
pub(crate) struct WallCheck {
    wall: Clock,
    watch: Watch,
    last: Reading,
    largest_ns: u64,
}

/// The wall clock, read between two readings of the steady clock. In nanoseconds.
#[derive(Clone, Copy, Debug)]
struct Reading {
    before: i64,
    wall: i64,
    after: i64,
}

impl WallCheck {
    pub(crate) fn new(wall: &Clock, watch: Watch) -> Self {
        Self { wall: wall.clone(), watch, last: read(wall, watch), largest_ns: 0 }
    }

    /// Looks once more.
    pub(crate) fn look(&mut self) {
        let next = read(&self.wall, self.watch);
        self.largest_ns = self.largest_ns.max(step_ns(self.last, next));
        self.last = next;
    }

    /// The largest step so far.
    pub(crate) fn largest(&self) -> Duration {
        Duration::from_nanos(self.largest_ns)
    }
}

fn read(wall: &Clock, watch: Watch) -> Reading {
    let steady = || i64::try_from(watch.now().as_nanos()).unwrap_or(i64::MAX);
    let before = steady();
    let wall = wall.now_ns();
    Reading { before, wall, after: steady() }
}

/// By how much the wall clock's step is outside of what the steady clock's may have been.
fn step_ns(last: Reading, next: Reading) -> u64 {
    let wall = next.wall.saturating_sub(last.wall);
    let least = next.before.saturating_sub(last.after);
    let most = next.after.saturating_sub(last.before);
    let outside = wall.saturating_sub(most).max(least.saturating_sub(wall)).max(0);
    outside.unsigned_abs()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn reading(before: i64, wall: i64, after: i64) -> Reading {
        Reading { before, wall, after }
    }

    #[test]
    fn a_wait_between_the_readings_is_no_step() {
        let step = step_ns(reading(0, 1_000, 10), reading(100, 1_500, 600));
        assert_eq!(step, 0);
    }

    #[test]
    fn a_clock_that_is_set_forward_or_back_has_stepped_by_as_much() {
        let last = reading(0, 1_000_000, 0);
        assert_eq!(step_ns(last, reading(100, 6_000_100, 100)), 5_000_000);
        assert_eq!(step_ns(last, reading(100, 500_100, 100)), 500_000);
    }
}
