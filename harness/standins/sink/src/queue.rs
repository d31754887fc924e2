//! Servers that stand behind one queue, as a service of known capacity has them.
//!
//! The main type is [`Queue`]: who comes first is served first, by whichever server is free first.

use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::num::NonZeroU16;
use std::time::{Duration, Instant};

/// When each server is free again.
#[derive(Debug)]
pub(crate) struct Queue {
    free: BinaryHeap<Reverse<Instant>>,
}

impl Queue {
    /// So many servers, all of them free.
    pub(crate) fn new(servers: NonZeroU16, now: Instant) -> Self {
        Self { free: (0..servers.get()).map(|_| Reverse(now)).collect() }
    }

    /// How long a request that comes now takes, its wait included.
    pub(crate) fn serve(&mut self, now: Instant, service: Duration) -> Duration {
        let Reverse(free) = self.free.pop().expect("there is at least one server");
        let done = free.max(now) + service;
        self.free.push(Reverse(done));
        done - now
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_third_request_waits_for_the_first_of_two_servers() {
        let now = Instant::now();
        let mut queue = Queue::new(NonZeroU16::new(2).unwrap(), now);
        let ms = Duration::from_millis;
        assert_eq!(queue.serve(now, ms(10)), ms(10));
        assert_eq!(queue.serve(now + ms(4), ms(10)), ms(10));
        assert_eq!(queue.serve(now + ms(5), ms(10)), ms(15));
        assert_eq!(queue.serve(now + ms(30), ms(10)), ms(10));
    }
}
