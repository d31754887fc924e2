//! What the arguments mean here: the environment and the wall clock are read in this one place.

use std::io::IsTerminal;
use std::path::PathBuf;
use std::time::{SystemTime, UNIX_EPOCH};

use cutover_model::Clock;
use cutover_report::Style;
use cutover_targets::Leases;

/// What this process found around it.
#[derive(Clone, Debug)]
pub(crate) struct Settings {
    /// How a run is shown while it goes on.
    pub(crate) progress: ProgressStyle,
    /// Whether the closing summary may use colour.
    pub(crate) style: Style,
    /// The wall clock, as it was at the start and as time has passed since.
    pub(crate) clock: Clock,
    /// The wall clock as it is, even if somebody sets it.
    pub(crate) system_clock: Clock,
    /// Where what is started outside of this process is written down.
    pub(crate) leases: Leases,
    /// Where programs are looked for.
    pub(crate) path: Vec<PathBuf>,
}

/// How a run is shown while it goes on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum ProgressStyle {
    /// Bars that are drawn over.
    Bars,
    /// One line per event.
    Lines,
    /// Not at all.
    Silent,
}

impl Settings {
    pub(crate) fn resolve(quiet: bool) -> Self {
        let progress = match (quiet, std::io::stderr().is_terminal()) {
            (true, _) => ProgressStyle::Silent,
            (false, true) => ProgressStyle::Bars,
            (false, false) => ProgressStyle::Lines,
        };
        let colour = std::io::stdout().is_terminal() && !no_color();
        let style = if colour { Style::Colour } else { Style::Plain };
        let leases = Leases::of_user(&std::env::temp_dir());
        let (clock, system_clock) = (wall_clock(), Clock::new(system_time_ns));
        Self { progress, style, clock, system_clock, leases, path: search_path() }
    }
}

/// Whether the user wants no colour: `NO_COLOR` is set and not empty (no-color.org).
#[expect(clippy::disallowed_methods, reason = "the one place that reads the environment")]
fn no_color() -> bool {
    std::env::var_os("NO_COLOR").is_some_and(|value| !value.is_empty())
}

/// The folders in which programs are looked for.
#[expect(clippy::disallowed_methods, reason = "the one place that reads the environment")]
fn search_path() -> Vec<PathBuf> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    std::env::split_paths(&path).collect()
}

/// The wall clock, read once and then moved on by the monotonic one, so that a step of the system's
/// clock moves nothing in a run.
fn wall_clock() -> Clock {
    let started = std::time::Instant::now();
    let started_ns = system_time_ns();
    Clock::new(move || {
        let elapsed = i64::try_from(started.elapsed().as_nanos()).unwrap_or(i64::MAX);
        started_ns.saturating_add(elapsed)
    })
}

/// What the system's clock says now, in nanoseconds since the epoch.
#[expect(clippy::disallowed_methods, reason = "the one place that reads the wall clock")]
fn system_time_ns() -> i64 {
    let since_epoch = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    i64::try_from(since_epoch.as_nanos()).unwrap_or(i64::MAX)
}
