//! A real `influxd` on a free port in a folder of its own, for as long as its value lives.

use std::net::{Ipv4Addr, TcpListener};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use tempfile::TempDir;
use tokio::time::{Instant, sleep};

use crate::server::{Server, ServerError};

/// How long the server may take until it is set up.
const START: Duration = Duration::from_secs(60);

/// A running server.
#[derive(Debug)]
pub struct Influxd {
    binary: PathBuf,
    child: Child,
    server: Server,
    // Removed after the child is gone.
    _folder: TempDir,
}

/// A real server that cannot be had.
#[derive(Debug, thiserror::Error)]
pub enum RealError {
    /// The program does not start.
    #[error("`{}` does not start", binary.display())]
    Start {
        /// The program.
        binary: PathBuf,
        /// Why not.
        #[source]
        cause: std::io::Error,
    },
    /// No folder or port for it.
    #[error("there is no folder or port for the real server")]
    Room(#[source] std::io::Error),
    /// It ended at once or never answered.
    #[error("`{}` is not ready after {START:?}; it said last: {last_seen}", binary.display())]
    NotReady {
        /// The program.
        binary: PathBuf,
        /// The last answer or error.
        last_seen: String,
    },
    /// The stand-in cannot be had either.
    #[error("the stand-in does not start")]
    Standin(#[source] ServerError),
}

impl Influxd {
    /// Starts the program and sets it up.
    pub async fn start(binary: &Path) -> Result<Self, RealError> {
        let folder = tempfile::tempdir().map_err(RealError::Room)?;
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).map_err(RealError::Room)?;
        let address = listener.local_addr().map_err(RealError::Room)?;
        drop(listener);
        let place = |name: &str| folder.path().join(name);
        let child = Command::new(binary)
            .args(["--reporting-disabled", "--log-level", "error", "--http-bind-address"])
            .arg(address.to_string())
            .arg("--bolt-path")
            .arg(place("bolt"))
            .arg("--sqlite-path")
            .arg(place("sqlite"))
            .arg("--engine-path")
            .arg(place("engine"))
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .map_err(|cause| RealError::Start { binary: binary.to_owned(), cause })?;
        let mut stopping = Stopping(Some(child));
        let server = ready(&format!("http://{address}"), &mut stopping).await;
        let server = server
            .map_err(|last_seen| RealError::NotReady { binary: binary.to_owned(), last_seen })?;
        let child = stopping.0.take().expect("the child is taken here only");
        Ok(Self { binary: binary.to_owned(), child, server, _folder: folder })
    }

    /// How it is asked.
    pub fn server(&self) -> &Server {
        &self.server
    }

    /// The program.
    pub fn binary(&self) -> &Path {
        &self.binary
    }
}

impl Drop for Influxd {
    fn drop(&mut self) {
        end(&mut self.child);
    }
}

/// Ends a child that never became a server.
struct Stopping(Option<Child>);

impl Drop for Stopping {
    fn drop(&mut self) {
        if let Some(child) = &mut self.0 {
            end(child);
        }
    }
}

fn end(child: &mut Child) {
    // A child that has ended by itself cannot be ended again, and that is as good.
    drop(child.kill());
    drop(child.wait());
}

async fn ready(base: &str, child: &mut Stopping) -> Result<Server, String> {
    let started = Instant::now();
    let mut last_seen = "nothing".to_owned();
    while started.elapsed() < START {
        match Server::connect(base).await {
            Ok(server) => return Ok(server),
            Err(error) => last_seen = error.to_string(),
        }
        if let Some(child) = &mut child.0
            && let Ok(Some(status)) = child.try_wait()
        {
            return Err(format!("it ended: {status}"));
        }
        sleep(Duration::from_millis(100)).await;
    }
    Err(last_seen)
}
