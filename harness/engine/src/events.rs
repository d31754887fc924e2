//! The way out of the engine: events in order, numbered and timed.

use std::error::Error;
use std::sync::{Arc, Mutex, PoisonError};

use cutover_model::{Judgement, RunEvent, RunEventKind, ScenarioId, StepId};
use tokio::sync::mpsc;
use tokio::time::Instant;

/// Numbers events and hands them to whoever follows the run. Clones share the numbering.
#[derive(Clone, Debug)]
pub struct Events(Arc<Mutex<Numbering>>);

#[derive(Debug)]
struct Numbering {
    started: Instant,
    next: u64,
    /// Whether something went wrong since this was last asked.
    trouble: bool,
    sender: mpsc::UnboundedSender<RunEvent>,
}

impl Events {
    /// The events of a run that starts now, and where to follow them.
    pub fn new() -> (Self, mpsc::UnboundedReceiver<RunEvent>) {
        let (sender, receiver) = mpsc::unbounded_channel();
        let numbering = Numbering { started: Instant::now(), next: 0, trouble: false, sender };
        (Self(Arc::new(Mutex::new(numbering))), receiver)
    }

    /// Tells that something happened.
    pub fn emit(&self, kind: RunEventKind) {
        // The number and the sending are one step, so that events arrive in their order.
        let mut numbering = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let event = RunEvent { seq: numbering.next, elapsed: numbering.started.elapsed(), kind };
        numbering.next += 1;
        numbering.trouble |= is_trouble(&event.kind);
        // Nobody following is the follower's choice; the run goes on and gives back what it took.
        drop(numbering.sender.send(event));
    }

    /// Whether an error was told, or a check that did not pass, since this was last asked.
    pub(crate) fn take_trouble(&self) -> bool {
        std::mem::take(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner).trouble)
    }

    /// Tells that the harness or its environment failed, with the causes.
    pub(crate) fn error(
        &self,
        scenario: Option<&ScenarioId>,
        step: Option<&StepId>,
        error: &(dyn Error + 'static),
    ) {
        let (scenario, step) = (scenario.cloned(), step.cloned());
        self.emit(RunEventKind::ErrorRaised { scenario, step, messages: messages(error) });
    }
}

fn is_trouble(kind: &RunEventKind) -> bool {
    let judged = matches!(kind.judgement(), Some(Judgement::Fail | Judgement::Inconclusive));
    judged || matches!(kind, RunEventKind::ErrorRaised { .. })
}

/// An error and its causes, outermost first.
pub(crate) fn messages(error: &(dyn Error + 'static)) -> Vec<String> {
    let mut messages = vec![error.to_string()];
    let mut cause = error.source();
    while let Some(error) = cause {
        messages.push(error.to_string());
        cause = error.source();
    }
    messages
}
