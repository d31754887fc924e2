//! The `terraform` on PATH, run as a child that ends by itself.
//!
//! The main type is [`Terraform`]. A Ctrl-C in the terminal reaches Terraform as well as this
//! process, and Terraform then gives its lock back and writes its state; so this process only
//! waits. A termination, which reaches this process alone, is passed on.

use std::ffi::OsString;
use std::io;
use std::path::PathBuf;
use std::process::{ExitStatus, Stdio};

use rustix::process::{Pid, kill_process};
use tokio::process::{Child, Command};
use tokio::signal::unix::{Signal, SignalKind, signal};

use crate::printer::Printer;

/// Terraform in one folder.
#[derive(Debug)]
pub(crate) struct Terraform {
    pub(crate) program: PathBuf,
    pub(crate) folder: PathBuf,
    pub(crate) printer: Printer,
}

/// The signals that would end this process.
#[derive(Debug)]
struct Signals {
    interrupts: Signal,
    terminations: Signal,
}

impl Signals {
    /// Watches them from now on. That has to be before the child is there: one that came in between
    /// would end this process and leave the child alone.
    fn watch() -> io::Result<Self> {
        Ok(Self {
            interrupts: signal(SignalKind::interrupt())?,
            terminations: signal(SignalKind::terminate())?,
        })
    }
}

/// What Terraform has printed, and its exit code.
#[derive(Debug)]
pub(crate) struct Printed {
    pub(crate) code: u8,
    pub(crate) stdout: Vec<u8>,
}

impl Terraform {
    /// Runs it with its output where ours goes, and gives its exit code.
    pub(crate) async fn run(&self, args: &[OsString]) -> io::Result<u8> {
        let signals = Signals::watch()?;
        let mut child = self.command(args).spawn()?;
        let pid = child.id();
        self.waited(signals, pid, child.wait()).await.and_then(code)
    }

    /// Runs it and keeps what it prints; what it says beside that goes where ours goes.
    pub(crate) async fn capture(&self, args: &[OsString]) -> io::Result<Printed> {
        let signals = Signals::watch()?;
        let child: Child = self.command(args).stdout(Stdio::piped()).spawn()?;
        let pid = child.id();
        let output = self.waited(signals, pid, child.wait_with_output()).await?;
        Ok(Printed { code: code(output.status)?, stdout: output.stdout })
    }

    fn command(&self, args: &[OsString]) -> Command {
        let mut command = Command::new(&self.program);
        command.args(args).current_dir(&self.folder);
        command
    }

    /// Waits for the child and for nothing else: whoever interrupts is told what is waited for.
    async fn waited<T>(
        &self,
        mut signals: Signals,
        pid: Option<u32>,
        ended: impl Future<Output = io::Result<T>>,
    ) -> io::Result<T> {
        tokio::pin!(ended);
        loop {
            tokio::select! {
                biased;
                ended = &mut ended => return ended,
                _ = signals.interrupts.recv() => {
                    self.printer.say("waiting for terraform, which ends by itself");
                }
                _ = signals.terminations.recv() => {
                    let pid = pid.and_then(|pid| Pid::from_raw(pid.cast_signed()));
                    // One that has just ended cannot be asked any more, and need not.
                    pid.map(|pid| kill_process(pid, rustix::process::Signal::TERM).ok());
                    self.printer.say("asked terraform to end, and waiting for it");
                }
            }
        }
    }
}

/// The exit code, where there is one.
fn code(status: ExitStatus) -> io::Result<u8> {
    let code = status.code().and_then(|code| u8::try_from(code).ok());
    code.ok_or_else(|| io::Error::other(format!("terraform did not end by itself: {status}")))
}
