//! What a run is given from outside: the clock, the folder for evidence, and the wish to stop.

use std::path::PathBuf;
use std::time::Duration;

use cutover_clients::Timeouts;
use cutover_model::Clock;
use cutover_targets::{Leases, TargetSpec};
use tokio::sync::watch;

/// What a run is given from outside.
#[derive(Clone, Debug)]
pub struct RunCx {
    /// The present, for what stores and signatures need of it.
    pub clock: Clock,
    /// The system's clock as it is at any time: whether it is set in the middle of a load.
    pub system_clock: Clock,
    /// The folder of the run. Evidence goes below it, and nothing is written elsewhere.
    pub folder: PathBuf,
    /// How long requests may take.
    pub timeouts: Timeouts,
    /// Whether the user wants the run to end.
    pub stop: Stop,
    /// Where the scenarios run.
    pub target: TargetSpec,
    /// Where what is started outside of this process is written down.
    pub leases: Leases,
}

/// The wish to stop, as those who work see it.
#[derive(Clone, Debug)]
pub struct Stop(watch::Receiver<bool>);

/// The wish to stop, as the one who utters it holds it. Dropping it utters nothing.
#[derive(Debug)]
pub struct StopSwitch(watch::Sender<bool>);

impl StopSwitch {
    /// A switch, and the wish that it utters.
    pub fn new() -> (Self, Stop) {
        let (sender, receiver) = watch::channel(false);
        (Self(sender), Stop(receiver))
    }

    /// Asks everyone to stop.
    pub fn stop(&self) {
        self.0.send_replace(true);
    }
}

impl Stop {
    /// Whether the run should end.
    pub fn is_asked(&self) -> bool {
        *self.0.borrow()
    }

    /// The wish in the form that the load generator watches.
    pub(crate) fn receiver(&self) -> watch::Receiver<bool> {
        self.0.clone()
    }

    /// Waits until the run should end; for ever, if nobody asks.
    pub async fn asked(&self) {
        let mut receiver = self.0.clone();
        if receiver.wait_for(|stop| *stop).await.is_err() {
            // The switch is gone, so nobody will ask any more.
            std::future::pending::<()>().await;
        }
    }
}

/// How long requests may take unless the user says otherwise.
pub(crate) const DEFAULT_TIMEOUTS: Timeouts = Timeouts {
    connect: Duration::from_secs(5),
    answer: Duration::from_mins(1),
    idle: Duration::from_secs(30),
};

impl RunCx {
    /// A context with the usual timeouts.
    pub fn new(
        (clock, system_clock): (Clock, Clock),
        folder: PathBuf,
        stop: Stop,
        (target, leases): (TargetSpec, Leases),
    ) -> Self {
        Self { clock, system_clock, folder, timeouts: DEFAULT_TIMEOUTS, stop, target, leases }
    }
}
