//! The container target's destination: `influxdb:2.7`, or another image, in a container engine.
//!
//! [`Container`] owns the container. Its name is drawn and written into its lease before it is
//! started, so that whatever ends the harness, the next one can remove it. The port is published on
//! the loopback interface alone.

use std::fmt;
use std::io;
use std::str::FromStr;
use std::sync::Arc;

use cutover_clients::influx::InfluxEndpoint;
use cutover_model::scenario::ContainerLimits;
use futures_util::StreamExt;
use testcontainers::bollard::Docker;
use testcontainers::bollard::errors::Error as BollardError;
use testcontainers::bollard::models::{HostConfig, PortBinding};
use testcontainers::bollard::query_parameters::{
    InspectContainerOptions, LogsOptionsBuilder, RemoveContainerOptionsBuilder,
};
use testcontainers::core::client::docker_client_instance;
use testcontainers::core::error::ClientError;
use testcontainers::core::{IntoContainerPort, WaitFor};
use testcontainers::runners::AsyncRunner;
use testcontainers::{ContainerAsync, GenericImage, ImageExt, TestcontainersError};

use crate::leases::{CleanError, Holding, Lease, Leases};
use crate::random::random_hex;
use crate::setup::{Ready, SetUpError, Starting};
use crate::tail::last_lines;

/// The port that InfluxDB serves inside its container.
const PORT: u16 = 8086;

/// How much of the server's output an error shows, and how much is kept as evidence.
const SHOWN: u64 = 2_000;
const KEPT: u64 = 256 << 10;

/// The file with the token of a container that is kept, in the folder of its lease.
const TOKEN: &str = "token";

/// An image of a container engine.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ImageName {
    /// `influxdb`, or with its registry.
    name: String,
    /// `2.7`.
    tag: String,
}

/// Whether the container outlives the run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Keep {
    /// It is removed at the end.
    No,
    /// It stays, to look inside.
    Yes,
}

/// A running InfluxDB in a container.
#[derive(Debug)]
pub struct Container {
    running: ContainerAsync<GenericImage>,
    name: String,
    ready: Ready,
    lease: Lease,
}

/// A container engine that does not do what is asked of it.
#[derive(Debug, thiserror::Error)]
pub enum EngineError {
    /// Nobody answers.
    #[error("no container engine answers: start one, or choose another target")]
    NoEngine(#[source] BollardError),
    /// It answers others.
    #[error("this user may not use the container engine's socket: join its group (`docker`)")]
    NotAllowed(#[source] BollardError),
    /// The image is not there and cannot be fetched.
    #[error(
        "the image `{image}` is not there and cannot be pulled: build it with \
         `tools/influxd/image`, or name another: --image NAME:TAG"
    )]
    NoImage {
        /// Which.
        image: String,
        /// Why it cannot be pulled.
        #[source]
        cause: BollardError,
    },
    /// Somebody has the port.
    #[error("the port is taken on this machine")]
    PortTaken(#[source] BollardError),
    /// No room.
    #[error("the container engine's disk is full")]
    DiskFull(#[source] BollardError),
    /// The limits of the scenario are more than this machine has.
    #[error("the container engine refuses the container; its limits are {limits}")]
    Refused {
        /// The limits.
        limits: String,
        /// Why.
        #[source]
        cause: BollardError,
    },
    /// Anything else.
    #[error("the container engine failed")]
    Other(#[source] BollardError),
    /// What the library on top of the engine finds.
    #[error("the container could not be started")]
    Library(#[source] TestcontainersError),
}

/// An InfluxDB that could not be started in a container.
#[derive(Debug, thiserror::Error)]
pub enum ContainerError {
    /// No lease for it.
    #[error("no folder for the lease of the container can be made")]
    Folder(#[source] io::Error),
    /// The engine.
    #[error(transparent)]
    Engine(#[from] EngineError),
    /// It runs and is of no use.
    #[error("the container of `{image}` did not become ready")]
    SetUp {
        /// The image.
        image: String,
        /// Why not.
        #[source]
        cause: SetUpError,
    },
}

impl Container {
    /// Starts a container on a free port of the loopback interface and sets the server up.
    ///
    /// # Errors
    ///
    /// When the engine refuses, the container ends at once or its server does not become ready in
    /// time. No container is left behind then.
    pub async fn start(
        image: &ImageName,
        limits: ContainerLimits,
        leases: &Leases,
    ) -> Result<Self, ContainerError> {
        // Without an engine nothing can be left behind, so nothing is leased either.
        engine().await?;
        let draw = || Ok(format!("cutover-{}", random_hex(6)?));
        let name = draw().map_err(ContainerError::Folder)?;
        let lease =
            leases.take(&Holding::Container(name.clone())).map_err(ContainerError::Folder)?;
        match launch(image, limits, &name).await {
            Ok((running, ready)) => Ok(Self { running, name, ready, lease }),
            Err(error) => {
                // What was started of it; the first error is the one that counts.
                if remove(&name).await.is_ok() {
                    drop(lease.remove());
                }
                Err(error)
            }
        }
    }

    /// Where it is, with a token that may do everything.
    pub fn endpoint(&self) -> &InfluxEndpoint {
        &self.ready.endpoint
    }

    /// The version that the server tells: `v2.7.12`.
    pub fn version(&self) -> &str {
        &self.ready.version
    }

    /// How it has ended by itself, if it has.
    pub async fn ended(&self) -> Option<String> {
        let docker = engine().await.ok()?;
        ended(&docker, &self.name).await
    }

    /// The last part of what the server has written.
    pub async fn log(&self) -> String {
        match engine().await {
            Ok(docker) => log(&docker, &self.name, KEPT).await,
            Err(_) => String::new(),
        }
    }

    /// Removes the container, its volumes and its lease.
    pub async fn stop(self) -> Result<(), CleanError> {
        let Self { running, name, lease, .. } = self;
        let removed = remove(&name).await;
        // It is gone, or named by the next run.
        std::mem::forget(running);
        removed.map_err(|cause| CleanError::Container { name, cause })?;
        lease.remove()
    }

    /// Leaves it running and tells how to look inside.
    pub fn keep(self) -> io::Result<String> {
        let Self { running, name, ready: Ready { endpoint, .. }, lease } = self;
        std::mem::forget(running);
        lease.note(&Holding::Kept(name.clone()))?;
        let path = lease.folder().join(TOKEN);
        write_secret(&path, endpoint.token.expose())?;
        let (url, path) = (&endpoint.url, path.display());
        Ok(format!("container {name} is kept at {url}; its token is in {path}"))
    }
}

impl ImageName {
    /// The public image that Timestream for InfluxDB 2 follows.
    pub fn influxdb() -> Self {
        Self { name: "influxdb".to_owned(), tag: "2.7".to_owned() }
    }
}

impl FromStr for ImageName {
    type Err = String;

    /// Reads `NAME:TAG`; the part before the last colon may have a registry with a port.
    fn from_str(text: &str) -> Result<Self, String> {
        let split = text.rsplit_once(':').filter(|(_, tag)| !tag.contains('/'));
        match split {
            Some((name, tag)) if !name.is_empty() && !tag.is_empty() => {
                Ok(Self { name: name.to_owned(), tag: tag.to_owned() })
            }
            _ => Err(format!("`{text}` is no image with its tag, as `influxdb:2.7` is")),
        }
    }
}

impl fmt::Display for ImageName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.name, self.tag)
    }
}

/// The engine that this user has.
///
/// # Errors
///
/// That there is none, or that this user may not use it.
async fn engine() -> Result<Docker, EngineError> {
    let docker = docker_client_instance().await.map_err(|error| match error {
        ClientError::Init(cause) => unreachable_engine(cause),
        other => EngineError::Library(TestcontainersError::Client(other)),
    })?;
    docker.ping().await.map_err(unreachable_engine)?;
    Ok(docker)
}

/// Whether the engine has an image.
pub async fn has_image(image: &ImageName) -> Result<bool, EngineError> {
    match engine().await?.inspect_image(&image.to_string()).await {
        Ok(_) => Ok(true),
        Err(BollardError::DockerResponseServerError { status_code: 404, .. }) => Ok(false),
        Err(error) => Err(EngineError::Other(error)),
    }
}

/// What the engine says that it is: its version.
pub async fn engine_version() -> Result<String, EngineError> {
    let version = engine().await?.version().await.map_err(EngineError::Other)?;
    Ok(version.version.unwrap_or_default())
}

/// Removes a container and its volumes; one that is not there is as good as removed.
pub(crate) async fn remove(name: &str) -> Result<(), EngineError> {
    let docker = engine().await?;
    let options = RemoveContainerOptionsBuilder::default().force(true).v(true).build();
    match docker.remove_container(name, Some(options)).await {
        Ok(()) | Err(BollardError::DockerResponseServerError { status_code: 404, .. }) => Ok(()),
        Err(error) => Err(EngineError::Other(error)),
    }
}

async fn launch(
    image: &ImageName,
    limits: ContainerLimits,
    name: &str,
) -> Result<(ContainerAsync<GenericImage>, Ready), ContainerError> {
    let docker = engine().await?;
    let ports = Arc::new(move |config: &mut HostConfig| {
        let loopback = PortBinding { host_ip: Some("127.0.0.1".to_owned()), host_port: None };
        let bindings = [(format!("{PORT}/tcp"), Some(vec![loopback]))];
        config.port_bindings = Some(bindings.into_iter().collect());
        config.publish_all_ports = Some(false);
        config.memory = limits.memory_bytes.and_then(|bytes| i64::try_from(bytes).ok());
        // Without swap of its own, the limit of memory is one.
        config.memory_swap = config.memory;
        config.nano_cpus = limits.millicpus.map(|cpus| i64::from(cpus) * 1_000_000);
    });
    let request = GenericImage::new(&image.name, &image.tag)
        .with_exposed_port(PORT.tcp())
        .with_wait_for(WaitFor::Nothing)
        .with_container_name(name)
        .with_env_var("INFLUXD_REPORTING_DISABLED", "true")
        .with_host_config_modifier(move |config| ports(config));
    let container = request.start().await.map_err(|error| classed(error, image, limits))?;
    let ready = become_ready(&container, &docker, name).await.map_err(|error| match error {
        NotReady::Engine(error) => ContainerError::Engine(error),
        NotReady::SetUp(cause) => ContainerError::SetUp { image: image.to_string(), cause },
    })?;
    Ok((container, ready))
}

/// Why a container that was started is of no use.
enum NotReady {
    Engine(EngineError),
    SetUp(SetUpError),
}

async fn become_ready(
    container: &ContainerAsync<GenericImage>,
    docker: &Docker,
    name: &str,
) -> Result<Ready, NotReady> {
    let port = match container.get_host_port_ipv4(PORT).await {
        Ok(port) => port,
        // A container that has ended has no ports any more.
        Err(error) => {
            let died = died(docker, name).await.map(NotReady::SetUp);
            return Err(died.unwrap_or(NotReady::Engine(EngineError::Library(error))));
        }
    };
    let starting = Starting::at(format!("http://127.0.0.1:{port}")).map_err(NotReady::SetUp)?;
    loop {
        if let Some(died) = died(docker, name).await {
            return Err(NotReady::SetUp(died));
        }
        if let Some(ready) = starting.ask().await.map_err(NotReady::SetUp)? {
            return Ok(ready);
        }
    }
}

/// That a container has ended, if it has, with its last words.
async fn died(docker: &Docker, name: &str) -> Option<SetUpError> {
    let how = ended(docker, name).await?;
    Some(SetUpError::Ended { how, log: log(docker, name, SHOWN).await })
}

/// How a container has ended, if it has.
async fn ended(docker: &Docker, name: &str) -> Option<String> {
    let inspected = docker.inspect_container(name, None::<InspectContainerOptions>).await;
    let state = match inspected {
        Ok(inspected) => inspected.state?,
        Err(BollardError::DockerResponseServerError { status_code: 404, .. }) => {
            return Some("it was removed".to_owned());
        }
        Err(_) => return None,
    };
    if state.running == Some(true) {
        return None;
    }
    let code = state.exit_code.unwrap_or_default();
    let mut how = format!("the container ended with exit code {code}");
    if state.oom_killed == Some(true) {
        how.push_str(", killed for want of memory");
    } else if code == 137 {
        how.push_str(", killed");
    }
    Some(how)
}

async fn log(docker: &Docker, name: &str, bytes: u64) -> String {
    let options = LogsOptionsBuilder::default().stdout(true).stderr(true).tail("5000").build();
    let mut parts = docker.logs(name, Some(options));
    let mut text = Vec::new();
    while let Some(Ok(part)) = parts.next().await {
        text.extend_from_slice(&part.into_bytes());
    }
    last_lines(&text, bytes)
}

fn unreachable_engine(error: BollardError) -> EngineError {
    if text_of(&error).contains("permission denied") {
        EngineError::NotAllowed(error)
    } else {
        EngineError::NoEngine(error)
    }
}

/// What an error of the start means to the user.
fn classed(error: TestcontainersError, image: &ImageName, limits: ContainerLimits) -> EngineError {
    let TestcontainersError::Client(error) = error else { return EngineError::Library(error) };
    match error {
        ClientError::PullImage { err, .. } => {
            let text = text_of(&err);
            if text.contains("no space left") {
                return EngineError::DiskFull(err);
            }
            EngineError::NoImage { image: image.to_string(), cause: err }
        }
        ClientError::CreateContainer(error) | ClientError::StartContainer(error) => {
            let text = text_of(&error);
            if text.contains("port is already allocated") || text.contains("address already in use")
            {
                EngineError::PortTaken(error)
            } else if text.contains("no space left") {
                EngineError::DiskFull(error)
            } else {
                EngineError::Refused { limits: limits.to_string(), cause: error }
            }
        }
        ClientError::Init(error) => unreachable_engine(error),
        other => EngineError::Library(TestcontainersError::Client(other)),
    }
}

/// An error with its causes, in small letters, to look for what the engine says.
fn text_of(error: &BollardError) -> String {
    crate::chain(error).to_lowercase()
}

fn write_secret(path: &std::path::Path, secret: &str) -> io::Result<()> {
    use std::io::Write;
    use std::os::unix::fs::OpenOptionsExt;
    let mut file =
        std::fs::OpenOptions::new().write(true).create_new(true).mode(0o600).open(path)?;
    file.write_all(secret.as_bytes())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_image_keeps_the_port_of_its_registry() {
        let image: ImageName = "localhost:5000/influxdb:2.7".parse().unwrap();
        assert_eq!((image.name.as_str(), image.tag.as_str()), ("localhost:5000/influxdb", "2.7"));
    }

    #[test]
    fn an_image_without_a_tag_is_refused() {
        assert!("localhost:5000/influxdb".parse::<ImageName>().is_err());
    }
}
