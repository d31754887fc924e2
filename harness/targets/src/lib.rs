//! Targets: obtaining the two stores that a scenario runs against, and giving them back.
//!
//! The main type is [`Target`]: addresses and credentials of both stores, what its clock readings
//! are worth, and what was started for it. A target is a way of getting connections, not another
//! implementation of a database: the clients that talk to it are the same everywhere. Only this
//! crate knows where a store comes from. What is started outside of this process is written down
//! in [`Leases`] first, so that nothing is left behind unseen. The buckets and tokens that a
//! scenario needs are made by [`provision`].

pub mod container;
mod embedded;
mod leases;
pub mod process;
mod provision;
mod random;
mod serve;
mod setup;
mod tail;

use std::net::{Ipv4Addr, SocketAddr};
use std::path::PathBuf;

use cutover_clients::influx::InfluxEndpoint;
use cutover_clients::timestream::{Credentials, TimestreamAddress, TimestreamEndpoint};
use cutover_model::scenario::ContainerLimits;
use cutover_model::{Clock, TargetKind, Timing};

use crate::container::{Container, ContainerError, ImageName, Keep};
use crate::embedded::Embedded;
use crate::process::{Influxd, ProcessError};

pub use cutover_standin_influxdb::QuirkControl;
pub use embedded::EmbeddedError;
pub use leases::{CleanError, Leases, Left};
pub use provision::{ProvisionError, Provisioned, provision};
pub use serve::{Serving, influxdb_standin, timestream_standin};
pub use setup::SetUpError;

/// Which target, and what it has to be told.
#[derive(Clone, Debug)]
pub enum TargetSpec {
    /// Both stores are stand-ins in this process.
    Embedded,
    /// The destination is an `influxd` that is started from this binary.
    Process {
        /// The binary.
        influxd: PathBuf,
    },
    /// The destination is started from this image in a container engine.
    Container {
        /// The image.
        image: ImageName,
        /// Whether it outlives the run.
        keep: Keep,
    },
}

/// Two stores that answer, until they are given back.
#[derive(Debug)]
pub struct Target {
    /// Where the source is.
    pub source: TimestreamEndpoint,
    /// Where the destination is, set up, with a token that may do everything.
    pub destination: InfluxEndpoint,
    /// What it can do.
    pub capabilities: Capabilities,
    /// What the destination is, for reports.
    pub description: String,
    started: Started,
}

/// What a target can do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Capabilities {
    /// What clock readings on its source are worth.
    pub source_timing: Timing,
    /// What clock readings on its destination are worth.
    pub timing: Timing,
}

/// What was started for a target.
#[derive(Debug)]
struct Started {
    source: Serving,
    destination: Destination,
    keep: Keep,
}

#[derive(Debug)]
enum Destination {
    Embedded(Embedded),
    Process(Influxd),
    Container(Box<Container>),
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
    #[error("no port could be opened for the Timestream stand-in")]
    Source(#[source] std::io::Error),
    /// The InfluxDB stand-in.
    #[error(transparent)]
    Embedded(#[from] EmbeddedError),
    /// The InfluxDB binary.
    #[error(transparent)]
    Process(#[from] ProcessError),
    /// The InfluxDB container.
    #[error(transparent)]
    Container(#[from] ContainerError),
}

/// Something of a target that could not be given back.
#[derive(Debug, thiserror::Error)]
pub enum ReleaseError {
    /// A server of this process.
    #[error("the `{0}` did not stop")]
    Serving(&'static str),
    /// Something outside of this process.
    #[error("the InfluxDB could not be given back")]
    Clean(#[source] CleanError),
    /// A container that was to be kept.
    #[error("the container that was to be kept could not be noted down")]
    Keep(#[source] std::io::Error),
}

impl TargetSpec {
    /// The kind of target.
    pub fn kind(&self) -> TargetKind {
        match self {
            Self::Embedded => TargetKind::Embedded,
            Self::Process { .. } => TargetKind::Process,
            Self::Container { .. } => TargetKind::Container,
        }
    }
}

/// Obtains a target: both stores answer when this returns.
pub async fn acquire(
    spec: &TargetSpec,
    limits: ContainerLimits,
    leases: &Leases,
    clock: &Clock,
) -> Result<Target, AcquireError> {
    obtain(spec, limits, leases, clock)
        .await
        .map_err(|cause| AcquireError { kind: spec.kind(), cause })
}

async fn obtain(
    spec: &TargetSpec,
    limits: ContainerLimits,
    leases: &Leases,
    clock: &Clock,
) -> Result<Target, AcquireCause> {
    let any_port = SocketAddr::from((Ipv4Addr::LOCALHOST, 0));
    let source = timestream_standin(any_port, clock).await.map_err(AcquireCause::Source)?;
    let (destination, description, keep) = match spec {
        TargetSpec::Embedded => {
            let embedded = Embedded::start(clock).await?;
            (Destination::Embedded(embedded), "the InfluxDB stand-in".to_owned(), Keep::No)
        }
        TargetSpec::Process { influxd } => {
            let process = Influxd::start(influxd, leases).await?;
            let description = format!("InfluxDB {} as a process", process.version());
            (Destination::Process(process), description, Keep::No)
        }
        TargetSpec::Container { image, keep } => {
            let container = Container::start(image, limits, leases).await?;
            let version = container.version();
            let description = format!("InfluxDB {version} in a container of {image}, {limits}");
            (Destination::Container(Box::new(container)), description, *keep)
        }
    };
    let timing = match spec {
        TargetSpec::Embedded => Timing::Indicative,
        TargetSpec::Process { .. } | TargetSpec::Container { .. } => Timing::Real,
    };
    Ok(Target {
        source: TimestreamEndpoint {
            address: TimestreamAddress::fixed(source.url()),
            region: "us-east-1".to_owned(),
            credentials: Credentials::unchecked(),
        },
        destination: destination.endpoint().clone(),
        // The source of every target so far is a stand-in, whatever the destination is.
        capabilities: Capabilities { source_timing: Timing::Indicative, timing },
        description,
        started: Started { source, destination, keep },
    })
}

impl Target {
    /// How the destination has ended by itself, if it has.
    pub async fn destination_ended(&mut self) -> Option<String> {
        match &mut self.started.destination {
            Destination::Embedded(_) => None,
            Destination::Process(process) => process.ended(),
            Destination::Container(container) => container.ended().await,
        }
    }

    /// The last part of what the destination has written, where it writes anything.
    pub async fn destination_log(&self) -> Option<String> {
        match &self.started.destination {
            Destination::Embedded(_) => None,
            Destination::Process(process) => Some(process.log()),
            Destination::Container(container) => Some(container.log().await),
        }
    }

    /// Gives everything back that was started for this target, and tells what was kept.
    ///
    /// # Errors
    ///
    /// What could not be given back, each.
    pub async fn release(self) -> Result<Option<String>, Vec<ReleaseError>> {
        let Started { source, destination, keep } = self.started;
        let mut left = Vec::new();
        let mut kept = None;
        let destination = async {
            match (destination, keep) {
                (Destination::Embedded(embedded), _) => {
                    let stopped = embedded.serving.stop().await;
                    stopped.then_some(None).ok_or(ReleaseError::Serving("InfluxDB stand-in"))
                }
                (Destination::Process(process), _) => {
                    process.stop().await.map(|()| None).map_err(ReleaseError::Clean)
                }
                (Destination::Container(container), Keep::No) => {
                    container.stop().await.map(|()| None).map_err(ReleaseError::Clean)
                }
                (Destination::Container(container), Keep::Yes) => {
                    container.keep().map(Some).map_err(ReleaseError::Keep)
                }
            }
        };
        let (stopped, ended) = tokio::join!(source.stop(), destination);
        match ended {
            Ok(told) => kept = told,
            Err(error) => left.push(error),
        }
        if !stopped {
            left.push(ReleaseError::Serving("Timestream stand-in"));
        }
        if left.is_empty() { Ok(kept) } else { Err(left) }
    }
}

impl Destination {
    fn endpoint(&self) -> &InfluxEndpoint {
        match self {
            Self::Embedded(embedded) => &embedded.endpoint,
            Self::Process(process) => process.endpoint(),
            Self::Container(container) => container.endpoint(),
        }
    }
}

/// An error with its causes, in one line.
fn chain(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        text.push_str(": ");
        text.push_str(&error.to_string());
        cause = error.source();
    }
    text
}
