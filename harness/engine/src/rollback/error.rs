//! Why a drill could not be carried out. What the drill shows is never an error.

use cutover_clients::ClientError;
use cutover_model::Ratio;
use cutover_traffic::{RolloutError, TriggerError};

/// A drill that could not be carried out to its end.
#[derive(Debug, thiserror::Error)]
pub enum DrillError {
    /// No runtime could be made.
    #[error("failed to make a runtime for virtual time")]
    Runtime(#[source] std::io::Error),
    /// The in-memory network refused to serve.
    #[error("failed to serve `{host}` on the in-memory network")]
    Serve {
        /// The host.
        host: &'static str,
        /// What the network said.
        #[source]
        cause: std::io::Error,
    },
    /// The ladder cannot be climbed.
    #[error("the rollout cannot be planned")]
    Rollout(#[source] RolloutError),
    /// The triggers cannot be watched.
    #[error("the triggers cannot be watched")]
    Triggers(#[source] TriggerError),
    /// The fault is to begin at a share that is never reached.
    #[error("the fault begins at `{0}`, which is no step of the rollout")]
    NoSuchStep(Ratio),
    /// The fault cannot be made.
    #[error("`{0}` is no status that a fault can answer with")]
    Status(u16),
    /// There is nobody to serve, or nobody who serves.
    #[error("a drill needs at least one instance, one device and some time between polls")]
    NoWorkload,
    /// A store could not be set up or read back.
    #[error("failed to {what} the {store}")]
    Store {
        /// What was tried: `set up` or `read back`.
        what: &'static str,
        /// Which store.
        store: &'static str,
        /// What the client said.
        #[source]
        cause: ClientError,
    },
    /// A row that was read back is not one that the drill can have written.
    #[error("the {store} holds a row that no drill has written: {what}")]
    StrangeRow {
        /// Which store.
        store: &'static str,
        /// What is strange.
        what: String,
    },
    /// Somebody asked for the end before the drill had come to its own.
    #[error("the drill was stopped before its end")]
    Stopped,
}
