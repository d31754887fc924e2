//! The way out of the engine: events in order, numbered and timed.

use std::sync::{Arc, Mutex, PoisonError};

use cutover_model::{RunEvent, RunEventKind};
use tokio::sync::mpsc;
use tokio::time::Instant;

/// Numbers events and hands them to whoever follows the run. Clones share the numbering.
#[derive(Clone, Debug)]
pub struct Events(Arc<Mutex<Numbering>>);

#[derive(Debug)]
struct Numbering {
    started: Instant,
    next: u64,
    sender: mpsc::UnboundedSender<RunEvent>,
}

impl Events {
    /// The events of a run that starts now, and where to follow them.
    pub fn new() -> (Self, mpsc::UnboundedReceiver<RunEvent>) {
        let (sender, receiver) = mpsc::unbounded_channel();
        let numbering = Numbering { started: Instant::now(), next: 0, sender };
        (Self(Arc::new(Mutex::new(numbering))), receiver)
    }

    /// Tells that something happened.
    pub fn emit(&self, kind: RunEventKind) {
        // The number and the sending are one step, so that events arrive in their order.
        let mut numbering = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let event = RunEvent { seq: numbering.next, elapsed: numbering.started.elapsed(), kind };
        numbering.next += 1;
        // Nobody following is the follower's choice; the run goes on and gives back what it took.
        drop(numbering.sender.send(event));
    }
}
