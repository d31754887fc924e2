//! How a load is told to end early.
//!
//! The main type is [`Stop`]: one is shared by all loads that run together, so that the breach of
//! one ends the others. The runs on the caller's runtime hear of a stop by a channel of tokio.

use std::sync::atomic::{AtomicU8, Ordering};

/// Tells loads to end early.
#[derive(Debug, Default)]
pub struct Stop(AtomicU8);

/// What loads were told.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Told {
    /// To go on.
    Nothing,
    /// To send nothing more and to wait for what is under way.
    Stop,
    /// To send nothing more and to wait for no more than a grace.
    Abort,
}

impl Stop {
    /// Nothing is told yet.
    pub const fn new() -> Self {
        Self(AtomicU8::new(0))
    }

    /// Nothing more is to be sent; what is under way is awaited.
    pub fn stop(&self) {
        self.0.fetch_max(1, Ordering::Relaxed);
    }

    /// Nothing more is to be sent, and what is under way has a quarter of a second left.
    pub fn abort(&self) {
        self.0.fetch_max(2, Ordering::Relaxed);
    }

    pub(crate) fn told(&self) -> Told {
        match self.0.load(Ordering::Relaxed) {
            0 => Told::Nothing,
            1 => Told::Stop,
            _ => Told::Abort,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_stop_does_not_take_an_abort_back() {
        let stop = Stop::new();
        assert_eq!(stop.told(), Told::Nothing);
        stop.abort();
        stop.stop();
        assert_eq!(stop.told(), Told::Abort);
    }
}
