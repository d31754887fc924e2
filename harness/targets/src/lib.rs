//! Targets: obtaining the two stores that a scenario runs against, and giving them back.
//!
//! The main type is [`Target`]: addresses and credentials of both stores, what its clock readings
//! are worth, and what was started for it. A target is a way of getting connections, not another
//! implementation of a database: the clients that talk to it are the same everywhere. Only this
//! crate knows where a store comes from. What is started outside of this process is written down
//! in [`Leases`] first, so that nothing is left behind unseen. The buckets and tokens that a
//! scenario needs are made by [`provision`].

pub mod container;
pub mod deployed;
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
use crate::deployed::{Deployed, DeployedError, DeployedSpec};
use crate::embedded::Embedded;
use crate::process::{Influxd, ProcessError};

pub use cutover_standin_influxdb::QuirkControl;
pub use embedded::EmbeddedError;
pub use leases::{CleanError, Leases, Left};
pub use provision::{Buckets, Destination, ProvisionError, Provisioned, provision};
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
    /// The destination is a stack on AWS, which stays.
    Deployed(Box<DeployedSpec>),
}

/// Two stores that answer, until they are given back.
#[derive(Debug)]
pub struct Target {
    /// Where the source is.
    pub source: TimestreamEndpoint,
    /// Where the destination is, set up.
    pub destination: Destination,
    /// What it can do.
    pub capabilities: Capabilities,
    /// What the destination is, for reports.
    pub description: String,
    started: Started,
}

/// What a target can do.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Capabilities {
    /// What clock readings on its source are worth.
    pub source_timing: Timing,
    /// What clock readings on its destination are worth.
    pub timing: Timing,
    /// Whether rows may be put into its source.
    pub seeding: Permission,
    /// Whether its destination may be written to.
    pub writing: Permission,
    /// Whether rows that are in its destination may be broken on purpose.
    pub breaking: Permission,
}

/// Whether something may be done.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Permission {
    /// It may.
    Granted,
    /// It may not, and why.
    Refused(String),
}

/// What was started for a target.
#[derive(Debug)]
struct Started {
    source: Option<Serving>,
    server: Server,
}

#[derive(Debug)]
enum Server {
    Embedded(Embedded),
    Process(Influxd),
    Container(Box<Container>, Keep),
    /// It was there before, and stays.
    Theirs,
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
    /// The stack.
    #[error(transparent)]
    Deployed(#[from] DeployedError),
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
            Self::Deployed(_) => TargetKind::Deployed,
        }
    }

    /// What clock readings on its destination are worth.
    pub fn timing(&self) -> Timing {
        match self {
            Self::Embedded => Timing::Indicative,
            Self::Process { .. } | Self::Container { .. } | Self::Deployed(_) => Timing::Real,
        }
    }
}

impl Permission {
    /// Why it may not be done, where it may not.
    pub fn refusal(&self) -> Option<&str> {
        match self {
            Self::Granted => None,
            Self::Refused(reason) => Some(reason),
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
    match spec {
        TargetSpec::Embedded => {
            let source = standin(clock).await?;
            let embedded = Embedded::start(clock).await?;
            let endpoint = embedded.endpoint.clone();
            let described = ("the InfluxDB stand-in".to_owned(), Timing::Indicative);
            Ok(Target::of_ours(source, (Server::Embedded(embedded), endpoint), described))
        }
        TargetSpec::Process { influxd } => {
            let source = standin(clock).await?;
            let process = Influxd::start(influxd, leases).await?;
            let endpoint = process.endpoint().clone();
            let described = (format!("InfluxDB {} as a process", process.version()), Timing::Real);
            Ok(Target::of_ours(source, (Server::Process(process), endpoint), described))
        }
        TargetSpec::Container { image, keep } => {
            let source = standin(clock).await?;
            let container = Container::start(image, limits, leases).await?;
            let endpoint = container.endpoint().clone();
            let version = container.version();
            let description = format!("InfluxDB {version} in a container of {image}, {limits}");
            let server = Server::Container(Box::new(container), *keep);
            Ok(Target::of_ours(source, (server, endpoint), (description, Timing::Real)))
        }
        TargetSpec::Deployed(spec) => theirs(spec, clock).await,
    }
}

/// A stack that is there. Only a stand-in for the source is started for it.
async fn theirs(spec: &DeployedSpec, clock: &Clock) -> Result<Target, AcquireCause> {
    let Deployed { reader, writer, writing, source, description } =
        Deployed::find(spec, clock).await?;
    let (source, standin, source_timing, seeding) = if let Some(source) = source {
        let reason = "the source is a real LiveAnalytics, which is only read".to_owned();
        (source, None, Timing::Real, Permission::Refused(reason))
    } else {
        let standin = standin(clock).await?;
        (asked_at(&standin), Some(standin), Timing::Indicative, Permission::Granted)
    };
    let breaking =
        Permission::Refused("the rows of a deployed stack are not broken on purpose".to_owned());
    Ok(Target {
        source,
        destination: Destination::Given { reader, writer },
        capabilities: Capabilities {
            source_timing,
            timing: Timing::Real,
            seeding,
            writing,
            breaking,
        },
        description,
        started: Started { source: standin, server: Server::Theirs },
    })
}

async fn standin(clock: &Clock) -> Result<Serving, AcquireCause> {
    let any_port = SocketAddr::from((Ipv4Addr::LOCALHOST, 0));
    timestream_standin(any_port, clock).await.map_err(AcquireCause::Source)
}

fn asked_at(standin: &Serving) -> TimestreamEndpoint {
    TimestreamEndpoint {
        address: TimestreamAddress::fixed(standin.url()),
        region: "us-east-1".to_owned(),
        credentials: Credentials::unchecked(),
    }
}

impl Target {
    /// A target whose stores were both started for the run: everything may be done to them.
    fn of_ours(
        source: Serving,
        (server, endpoint): (Server, InfluxEndpoint),
        (description, timing): (String, Timing),
    ) -> Self {
        Self {
            source: asked_at(&source),
            destination: Destination::Ours(endpoint),
            capabilities: Capabilities {
                // The source is a stand-in, whatever the destination is.
                source_timing: Timing::Indicative,
                timing,
                seeding: Permission::Granted,
                writing: Permission::Granted,
                breaking: Permission::Granted,
            },
            description,
            started: Started { source: Some(source), server },
        }
    }

    /// How the destination has ended by itself, if it has.
    pub async fn destination_ended(&mut self) -> Option<String> {
        match &mut self.started.server {
            Server::Embedded(_) | Server::Theirs => None,
            Server::Process(process) => process.ended(),
            Server::Container(container, _) => container.ended().await,
        }
    }

    /// The last part of what the destination has written, where it writes anything.
    pub async fn destination_log(&self) -> Option<String> {
        match &self.started.server {
            Server::Embedded(_) | Server::Theirs => None,
            Server::Process(process) => Some(process.log()),
            Server::Container(container, _) => Some(container.log().await),
        }
    }

    /// Gives everything back that was started for this target, and tells what was kept.
    ///
    /// # Errors
    ///
    /// What could not be given back, each.
    pub async fn release(self) -> Result<Option<String>, Vec<ReleaseError>> {
        let Started { source, server } = self.started;
        let mut left = Vec::new();
        let mut kept = None;
        let destination = async {
            match server {
                Server::Embedded(embedded) => {
                    let stopped = embedded.serving.stop().await;
                    stopped.then_some(None).ok_or(ReleaseError::Serving("InfluxDB stand-in"))
                }
                Server::Process(process) => {
                    process.stop().await.map(|()| None).map_err(ReleaseError::Clean)
                }
                Server::Container(container, Keep::No) => {
                    container.stop().await.map(|()| None).map_err(ReleaseError::Clean)
                }
                Server::Container(container, Keep::Yes) => {
                    container.keep().map(Some).map_err(ReleaseError::Keep)
                }
                Server::Theirs => Ok(None),
            }
        };
        let source = async {
            match source {
                Some(source) => source.stop().await,
                None => true,
            }
        };
        let (stopped, ended) = tokio::join!(source, destination);
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
