//! The process target's destination: an `influxd` binary, started here.
//!
//! [`Influxd`] owns the process and the folder that it writes to. It runs in a process group of its
//! own, so that a Ctrl-C in the terminal reaches the harness alone, which then stops it in order.

use std::fs::File;
use std::io;
use std::net::{Ipv4Addr, TcpListener};
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;

use cutover_clients::influx::InfluxEndpoint;
use rustix::process::{Pid, Signal, kill_process};
use tokio::process::{Child, Command};
use tokio::time::timeout;

use crate::leases::{CleanError, Holding, Lease, Leases};
use crate::setup::{Ready, SetUpError, Starting};
use crate::tail::tail;

/// How long the server may take to stop when it is asked to, before it is killed.
const STOP_WITHIN: Duration = Duration::from_secs(10);

/// How long a binary may take to tell its version.
const VERSION_WITHIN: Duration = Duration::from_secs(10);

/// How often another port is tried when somebody else took the one that was free.
const PORTS_TRIED: u32 = 5;

/// How much of the server's output an error shows, and how much is kept as evidence.
const SHOWN: u64 = 2_000;
const KEPT: u64 = 256 << 10;

/// The server's output, in its folder.
const LOG: &str = "influxd.log";

/// A running InfluxDB that was started from a binary. Dropping it kills it.
#[derive(Debug)]
pub struct Influxd {
    server: Server,
    ready: Ready,
}

/// The process and its folder.
#[derive(Debug)]
struct Server {
    child: Child,
    /// Taken when it is given back.
    lease: Option<Lease>,
}

/// An InfluxDB that could not be started from a binary.
#[derive(Debug, thiserror::Error)]
pub enum ProcessError {
    /// No folder for its data.
    #[error("no folder for the data of `influxd` can be made")]
    Folder(#[source] io::Error),
    /// No free port.
    #[error("no port on the loopback interface is free")]
    Port(#[source] io::Error),
    /// The binary cannot be run.
    #[error("`{}` cannot be run", program.display())]
    Spawn {
        /// The binary.
        program: PathBuf,
        /// Why not.
        #[source]
        cause: io::Error,
    },
    /// It runs and is of no use.
    #[error("`{}` did not become ready", program.display())]
    SetUp {
        /// The binary.
        program: PathBuf,
        /// Why not.
        #[source]
        cause: SetUpError,
    },
}

impl Influxd {
    /// Starts a server on a free port of the loopback interface, with its data in a folder of its
    /// own, and sets it up.
    ///
    /// # Errors
    ///
    /// When the binary cannot be run, ends at once or does not become ready in time. Nothing is
    /// left behind then.
    pub async fn start(program: &Path, leases: &Leases) -> Result<Self, ProcessError> {
        let mut tried = 0;
        loop {
            tried += 1;
            match Self::start_once(program, leases).await {
                // Between looking for a free port and listening on it, somebody else may take it.
                Err(ProcessError::SetUp { cause: SetUpError::Ended { log, .. }, .. })
                    if log.contains("address already in use") && tried < PORTS_TRIED => {}
                ended => return ended,
            }
        }
    }

    async fn start_once(program: &Path, leases: &Leases) -> Result<Self, ProcessError> {
        let port = free_port().map_err(ProcessError::Port)?;
        let lease = leases.take(&Holding::Process).map_err(ProcessError::Folder)?;
        let child = match spawn(program, port, lease.folder()) {
            Ok(child) => child,
            Err(cause) => {
                // The folder is empty but for our own files; what went wrong first counts.
                drop(lease.remove());
                return Err(ProcessError::Spawn { program: program.to_owned(), cause });
            }
        };
        let mut server = Server { child, lease: Some(lease) };
        match server.become_ready(format!("http://127.0.0.1:{port}")).await {
            Ok(ready) => Ok(Self { server, ready }),
            Err(cause) => Err(ProcessError::SetUp { program: program.to_owned(), cause }),
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

    /// The process's id, for as long as it runs.
    pub fn pid(&self) -> Option<u32> {
        self.server.child.id()
    }

    /// How it has ended by itself, if it has.
    pub fn ended(&mut self) -> Option<String> {
        self.server.ended()
    }

    /// The last part of what it has written.
    pub fn log(&self) -> String {
        self.server.log(KEPT)
    }

    /// Stops it in order and removes its folder.
    pub async fn stop(mut self) -> Result<(), CleanError> {
        let child = &mut self.server.child;
        if let Some(pid) = child.id().and_then(|pid| Pid::from_raw(pid.cast_signed())) {
            // A process that has just ended cannot be asked any more, and need not.
            kill_process(pid, Signal::TERM).ok();
        }
        if timeout(STOP_WITHIN, child.wait()).await.is_err() {
            let pid = child.id().unwrap_or_default();
            child.kill().await.map_err(|_| CleanError::Process { pid })?;
        }
        self.server.lease.take().map_or(Ok(()), Lease::remove)
    }
}

impl Server {
    async fn become_ready(&mut self, url: String) -> Result<Ready, SetUpError> {
        let starting = Starting::at(url)?;
        loop {
            if let Some(how) = self.ended() {
                return Err(SetUpError::Ended { how, log: self.log(SHOWN) });
            }
            if let Some(ready) = starting.ask().await? {
                return Ok(ready);
            }
        }
    }

    fn ended(&mut self) -> Option<String> {
        // The standard form says `exit status: 1` or `signal: 9 (SIGKILL)`.
        self.child.try_wait().ok().flatten().map(|status| status.to_string())
    }

    fn log(&self, bytes: u64) -> String {
        let folder = self.lease.as_ref().map(Lease::folder);
        folder.map(|folder| tail(&folder.join(LOG), bytes)).unwrap_or_default()
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        if let Some(lease) = self.lease.take() {
            drop(self.child.start_kill());
            // What cannot be removed now is found and named by the next run.
            drop(lease.remove());
        }
    }
}

/// What a binary says that it is: `InfluxDB v2.7.12 …`.
///
/// # Errors
///
/// When it cannot be run, fails, or says nothing within a few seconds.
pub async fn version_of(program: &Path) -> io::Result<String> {
    let asked = Command::new(program)
        .arg("version")
        .env_clear()
        // Some of its libraries make folders at home as soon as they are loaded.
        .env("HOME", "/nonexistent")
        .stdin(Stdio::null())
        .kill_on_drop(true)
        .output();
    let output = timeout(VERSION_WITHIN, asked).await.map_err(io::Error::other)??;
    let text = String::from_utf8_lossy(&output.stdout);
    match text.lines().next().filter(|_| output.status.success()) {
        Some(line) => Ok(line.trim().to_owned()),
        None => Err(io::Error::other(format!("`influxd version` ended with {}", output.status))),
    }
}

fn spawn(program: &Path, port: u16, folder: &Path) -> io::Result<Child> {
    let log = File::create(folder.join(LOG))?;
    let errors = log.try_clone()?;
    Command::new(program)
        .args(["--reporting-disabled", "--log-level", "info"])
        .args(["--http-bind-address", &format!("127.0.0.1:{port}")])
        .arg("--bolt-path")
        .arg(folder.join("influxd.bolt"))
        .arg("--sqlite-path")
        .arg(folder.join("influxd.sqlite"))
        .arg("--engine-path")
        .arg(folder.join("engine"))
        // Settings of the user's own server have no part in a test.
        .env_clear()
        .env("HOME", folder)
        .current_dir(folder)
        .stdin(Stdio::null())
        .stdout(log)
        .stderr(errors)
        .process_group(0)
        .kill_on_drop(true)
        .spawn()
}

fn free_port() -> io::Result<u16> {
    Ok(TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?.local_addr()?.port())
}
