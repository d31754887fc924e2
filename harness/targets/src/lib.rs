//! Targets: obtaining the two stores that a scenario runs against, and giving them back.
//!
//! The main type is [`Target`]: addresses and credentials of both stores, what its clock readings
//! are worth, and the lease of what was started for it. A target is a way of getting connections,
//! not another implementation of a database: the clients that talk to it are the same everywhere.
//! Only this crate knows where a store comes from.

mod embedded;
mod serve;

use cutover_clients::influx::InfluxEndpoint;
use cutover_clients::timestream::TimestreamEndpoint;
use cutover_model::{Clock, TargetKind, Timing};

pub use serve::{Serving, influxdb_standin, timestream_standin};

/// Two stores that answer, until they are given back.
#[derive(Debug)]
pub struct Target {
    /// Where the source is.
    pub source: TimestreamEndpoint,
    /// Where the destination is, set up, with a token that may do everything.
    pub destination: InfluxEndpoint,
    /// What it can do.
    pub capabilities: Capabilities,
    lease: embedded::Lease,
}

/// What a target can do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Capabilities {
    /// What its clock readings are worth.
    pub timing: Timing,
}

/// A target that could not be obtained.
#[derive(Debug, thiserror::Error)]
#[error("failed to obtain the `{}` target", kind.word())]
pub struct AcquireError {
    /// Which target.
    pub kind: TargetKind,
    /// Why not.
    #[source]
    pub cause: AcquireCause,
}

/// Why a target could not be obtained.
#[derive(Debug, thiserror::Error)]
pub enum AcquireCause {
    /// No port on the loopback interface.
    #[error("no port could be opened on the loopback interface")]
    Bind(#[source] std::io::Error),
    /// The destination refuses its set-up.
    #[error("the InfluxDB could not be set up")]
    Setup(#[source] cutover_clients::ClientError),
}

/// Something of a target that could not be given back.
#[derive(Debug, thiserror::Error)]
#[error("the `{what}` did not stop")]
pub struct ReleaseError {
    /// What is left.
    pub what: &'static str,
}

/// Obtains a target: both stores answer when this returns.
pub async fn acquire(kind: TargetKind, clock: &Clock) -> Result<Target, AcquireError> {
    let obtained = match kind {
        TargetKind::Embedded => embedded::acquire(clock).await,
    };
    obtained.map_err(|cause| AcquireError { kind, cause })
}

impl Target {
    /// Gives everything back that was started for this target.
    ///
    /// # Errors
    ///
    /// What could not be given back, each.
    pub async fn release(self) -> Result<(), Vec<ReleaseError>> {
        self.lease.release().await
    }
}
