//! What this harness has started outside of its own process, written down before it is started.
//!
//! A [`Lease`] is a folder with a locked file in it. The lock ends with the process that holds it,
//! however that process ends, so a folder whose file can be locked is one that somebody left
//! behind: [`Leases::left`] finds those, and [`Left::clean`] ends what belongs to them. Data and
//! logs of a server live in the folder of its lease.

use std::fs::{self, File, TryLockError};
use std::io;
use std::os::unix::fs::DirBuilderExt;
use std::path::{Path, PathBuf};

use rustix::process::{Pid, Signal, kill_process};
use serde::{Deserialize, Serialize};

use crate::container;
use crate::random::random_hex;

/// The file that is locked for as long as its holder lives.
const LOCK: &str = "lock";

/// The file that says what belongs to a lease.
const NOTE: &str = "lease.json";

/// How often a folder that is still being written to is removed again.
const REMOVALS: u32 = 20;

/// The folder in which the harnesses of one user write down what they have started.
#[derive(Clone, Debug)]
pub struct Leases {
    root: PathBuf,
}

/// What belongs to a lease besides its folder.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Holding {
    /// Processes that have the folder in their arguments.
    Process,
    /// The container of this name.
    Container(String),
    /// The container of this name, which the user asked to keep.
    Kept(String),
}

/// Something that was started and is not given back yet.
#[derive(Debug)]
pub(crate) struct Lease {
    folder: PathBuf,
    lock: File,
}

/// Something whose holder is gone.
#[derive(Debug)]
pub struct Left {
    lease: Lease,
    holding: Holding,
}

/// Something left behind that could not be cleaned.
#[derive(Debug, thiserror::Error)]
pub enum CleanError {
    /// A process that would not end.
    #[error("process {pid} did not end")]
    Process {
        /// Which.
        pid: u32,
    },
    /// The container engine.
    #[error("the container `{name}` could not be removed")]
    Container {
        /// Which.
        name: String,
        /// Why not.
        #[source]
        cause: container::EngineError,
    },
    /// The folder.
    #[error("the folder `{}` could not be removed", path.display())]
    Folder {
        /// Which.
        path: PathBuf,
        /// Why not.
        #[source]
        cause: io::Error,
    },
}

impl Leases {
    /// The leases below a folder, which is made when the first is taken.
    pub fn new(root: PathBuf) -> Self {
        Self { root }
    }

    /// The leases of this user, below the system's folder for temporary files.
    pub fn of_user(temporary: &Path) -> Self {
        let user = rustix::process::getuid().as_raw();
        Self::new(temporary.join(format!("cutover-{user}")))
    }

    /// Takes a lease, before anything that belongs to it is started.
    pub(crate) fn take(&self, holding: &Holding) -> io::Result<Lease> {
        let _guard = self.guard()?;
        let folder = self.root.join(random_hex(8)?);
        fs::create_dir(&folder)?;
        let lock = File::create(folder.join(LOCK))?;
        lock.lock()?;
        let lease = Lease { folder, lock };
        lease.note(holding)?;
        Ok(lease)
    }

    /// What harnesses that are gone have left behind. A lease that nobody can read is one whose
    /// holder ended while it was being taken: its folder is all there is of it.
    pub fn left(&self) -> io::Result<Vec<Left>> {
        if !self.root.exists() {
            return Ok(Vec::new());
        }
        let _guard = self.guard()?;
        let mut left = Vec::new();
        for entry in fs::read_dir(&self.root)? {
            let folder = entry?.path();
            if folder.is_dir()
                && let Some(lease) = Lease::adopt(folder)?
            {
                let holding = lease.holding().unwrap_or(Holding::Process);
                left.push(Left { lease, holding });
            }
        }
        left.sort_by(|one, other| one.lease.folder.cmp(&other.lease.folder));
        Ok(left)
    }

    /// Keeps others from looking while a lease is being taken.
    fn guard(&self) -> io::Result<File> {
        fs::DirBuilder::new().recursive(true).mode(0o700).create(&self.root)?;
        let guard = File::create(self.root.join(LOCK))?;
        guard.lock()?;
        Ok(guard)
    }
}

impl Lease {
    pub(crate) fn folder(&self) -> &Path {
        &self.folder
    }

    /// Says anew what belongs to the lease.
    pub(crate) fn note(&self, holding: &Holding) -> io::Result<()> {
        fs::write(self.folder.join(NOTE), serde_json::to_vec(holding)?)
    }

    fn holding(&self) -> io::Result<Holding> {
        Ok(serde_json::from_slice(&fs::read(self.folder.join(NOTE))?)?)
    }

    /// Takes over the lease of a folder, unless its holder lives.
    fn adopt(folder: PathBuf) -> io::Result<Option<Self>> {
        let lock = File::create(folder.join(LOCK))?;
        match lock.try_lock() {
            Ok(()) => Ok(Some(Self { folder, lock })),
            Err(TryLockError::WouldBlock) => Ok(None),
            Err(TryLockError::Error(error)) => Err(error),
        }
    }

    /// Removes the folder. What wrote to it has ended.
    pub(crate) fn remove(self) -> Result<(), CleanError> {
        let Self { folder, lock } = self;
        let mut removed = fs::remove_dir_all(&folder);
        // A process that was just killed may have had a file under way.
        for _ in 1..REMOVALS {
            if removed.is_ok() {
                break;
            }
            removed = fs::remove_dir_all(&folder);
        }
        drop(lock);
        match removed {
            Err(cause) if cause.kind() != io::ErrorKind::NotFound => {
                Err(CleanError::Folder { path: folder, cause })
            }
            _ => Ok(()),
        }
    }
}

impl Left {
    /// What it is, for people.
    pub fn describe(&self) -> String {
        let folder = self.lease.folder.display();
        match &self.holding {
            Holding::Process => {
                let pids = processes_of(&self.lease.folder);
                let pids: Vec<String> = pids.iter().map(|pid| format!(", process {pid}")).collect();
                format!("influxd in {folder}{}", pids.concat())
            }
            Holding::Container(name) => format!("container {name}, with its folder {folder}"),
            Holding::Kept(name) => format!(
                "container {name}, kept as asked; when you are done: docker rm --force --volumes \
                 {name} && rm -r {folder}"
            ),
        }
    }

    /// Whether it stays because the user asked for it.
    pub fn is_kept(&self) -> bool {
        matches!(self.holding, Holding::Kept(_))
    }

    /// Ends what belongs to it and removes its folder.
    pub async fn clean(self) -> Result<(), CleanError> {
        match &self.holding {
            Holding::Process => end_processes_of(&self.lease.folder).await?,
            Holding::Container(name) | Holding::Kept(name) => {
                container::remove(name)
                    .await
                    .map_err(|cause| CleanError::Container { name: name.clone(), cause })?;
            }
        }
        self.lease.remove()
    }
}

/// Ends all processes that have `folder` in their arguments.
async fn end_processes_of(folder: &Path) -> Result<(), CleanError> {
    const LOOKS: u32 = 100;
    for _ in 0..LOOKS {
        let pids = processes_of(folder);
        if pids.is_empty() {
            return Ok(());
        }
        for pid in pids.into_iter().filter_map(|pid| Pid::from_raw(pid.cast_signed())) {
            // One that has ended meanwhile is what is wanted.
            kill_process(pid, Signal::KILL).ok();
        }
        tokio::time::sleep(std::time::Duration::from_millis(20)).await;
    }
    match processes_of(folder).first() {
        Some(pid) => Err(CleanError::Process { pid: *pid }),
        None => Ok(()),
    }
}

/// The processes that have `folder` in their arguments, which no other process has.
#[cfg(target_os = "linux")]
fn processes_of(folder: &Path) -> Vec<u32> {
    use std::os::unix::ffi::OsStrExt;
    let wanted = folder.as_os_str().as_bytes();
    let Ok(processes) = fs::read_dir("/proc") else { return Vec::new() };
    let pid = |entry: io::Result<fs::DirEntry>| {
        let entry = entry.ok()?;
        let pid = entry.file_name().to_str()?.parse::<u32>().ok()?;
        // Processes of other users cannot be read, and are not ours.
        let arguments = fs::read(entry.path().join("cmdline")).ok()?;
        arguments.windows(wanted.len()).any(|part| part == wanted).then_some(pid)
    };
    let own = std::process::id();
    processes.filter_map(pid).filter(|pid| *pid != own).collect()
}

/// The processes that have `folder` in their arguments, which no other process has.
#[cfg(not(target_os = "linux"))]
fn processes_of(folder: &Path) -> Vec<u32> {
    let listed = std::process::Command::new("ps").args(["-A", "-ww", "-o", "pid=,args="]).output();
    let Ok(listed) = listed else { return Vec::new() };
    let wanted = folder.display().to_string();
    let text = String::from_utf8_lossy(&listed.stdout);
    let own = std::process::id();
    let of = text.lines().filter(|line| line.contains(&wanted));
    of.filter_map(|line| line.split_whitespace().next()?.parse().ok())
        .filter(|pid| *pid != own)
        .collect()
}

#[cfg(test)]
mod tests {
    use std::process::Stdio;

    use tokio::io::AsyncReadExt;

    use super::*;

    #[test]
    fn a_lease_whose_holder_lives_is_not_left() {
        let root = tempfile::tempdir().unwrap();
        let leases = Leases::new(root.path().join("leases"));
        let lease = leases.take(&Holding::Process).unwrap();
        assert!(leases.left().unwrap().is_empty());
        lease.remove().unwrap();
    }

    #[test]
    fn a_lease_whose_holder_is_gone_is_left() {
        let root = tempfile::tempdir().unwrap();
        let leases = Leases::new(root.path().join("leases"));
        let holding = Holding::Container("cutover-abc".to_owned());
        drop(leases.take(&holding).unwrap());
        let left = leases.left().unwrap();
        assert_eq!(left.iter().map(|left| left.holding.clone()).collect::<Vec<_>>(), [holding]);
    }

    #[test]
    fn a_removed_lease_leaves_no_folder() {
        let root = tempfile::tempdir().unwrap();
        let leases = Leases::new(root.path().join("leases"));
        let lease = leases.take(&Holding::Process).unwrap();
        let folder = lease.folder().to_owned();
        lease.remove().unwrap();
        assert!(!folder.exists());
    }

    #[tokio::test]
    async fn cleaning_ends_the_process_that_was_left() {
        let root = tempfile::tempdir().unwrap();
        let leases = Leases::new(root.path().join("leases"));
        let lease = leases.take(&Holding::Process).unwrap();
        let folder = lease.folder().to_owned();
        // The folder stands in the arguments of the process, as a server's does.
        let mut child = tokio::process::Command::new("sh")
            .args(["-c", "echo runs; while :; do read line; done"])
            .arg(&folder)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        // The system shows a process's arguments only once its program is loaded.
        let mut told = [0; 4];
        child.stdout.take().unwrap().read_exact(&mut told).await.unwrap();
        drop(lease);
        let left = leases.left().unwrap().pop().unwrap();
        assert!(left.describe().contains(&child.id().unwrap().to_string()));
        let reaped = tokio::spawn(async move { child.wait().await.unwrap() });
        left.clean().await.unwrap();
        assert!(!reaped.await.unwrap().success());
        assert!(!folder.exists());
    }
}
