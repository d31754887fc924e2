//! Waits for sockets, and for instants to a few microseconds.
//!
//! The main types are [`Watch`], time counted from the start of a run, and [`Poller`]. A poller's
//! own timeout counts milliseconds on Linux, so there a timer of the kernel ends the wait; on
//! kqueue the timeout is exact by itself. The kernel's timer is some microseconds late, so the
//! last stretch before an instant is spent asking the poller without sleeping.

use std::io;
use std::time::{Duration, Instant};

use mio::{Events, Poll};

/// How long before an instant a thread stops sleeping.
const SPIN: Duration = Duration::from_micros(60);
/// The longest tick.
pub(crate) const TICK: Duration = Duration::from_millis(20);

/// Time counted from the start of the run.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Watch {
    start: Instant,
}

impl Watch {
    /// A watch of a run that starts so much later.
    pub(crate) fn starting_in(lead: Duration) -> Self {
        Self { start: Instant::now() + lead }
    }

    /// How long ago the run started; nothing before it.
    pub(crate) fn now(self) -> Duration {
        self.start.elapsed()
    }

    /// How long it is until the run starts.
    pub(crate) fn until_start(self) -> Duration {
        self.start.saturating_duration_since(Instant::now())
    }

    /// Whether the clock can name an instant so long after the start.
    pub(crate) fn reaches(self, after: Duration) -> bool {
        self.start.checked_add(after).is_some()
    }
}

#[derive(Debug)]
pub(crate) struct Poller {
    poll: Poll,
    #[cfg(target_os = "linux")]
    timer: timer::Timer,
    /// The instant for which the timer is set.
    #[cfg(target_os = "linux")]
    set_for: Option<Duration>,
    tick: Duration,
    /// Time spent asking without sleeping and without finding anything.
    pub(crate) spun: Duration,
}

impl Poller {
    /// A poller that never sleeps longer than a tick, so that a stop is heard.
    pub(crate) fn new(tick: Duration) -> io::Result<Self> {
        let poll = Poll::new()?;
        Ok(Self {
            #[cfg(target_os = "linux")]
            timer: timer::Timer::new(&poll)?,
            #[cfg(target_os = "linux")]
            set_for: None,
            poll,
            tick,
            spun: Duration::ZERO,
        })
    }

    pub(crate) fn tick(&self) -> Duration {
        self.tick
    }

    pub(crate) fn registry(&self) -> &mio::Registry {
        self.poll.registry()
    }

    /// Returns with events, shortly before or at `until`, or after a tick. `now` is a reading of
    /// the run's watch.
    pub(crate) fn wait(
        &mut self,
        events: &mut Events,
        now: Duration,
        until: Option<Duration>,
    ) -> io::Result<()> {
        let left = until.map_or(Duration::MAX, |until| until.saturating_sub(now));
        if left <= SPIN {
            let before = Instant::now();
            let polled = self.poll.poll(events, Some(Duration::ZERO));
            if events.is_empty() {
                self.spun += before.elapsed();
            }
            return uninterrupted(polled);
        }
        let sleep = left.saturating_sub(SPIN).min(self.tick);
        #[cfg(target_os = "linux")]
        if sleep < self.tick && self.set_for != until {
            self.timer.set(sleep)?;
            self.set_for = until;
        }
        uninterrupted(self.poll.poll(events, Some(sleep)))
    }
}

fn uninterrupted(polled: io::Result<()>) -> io::Result<()> {
    match polled {
        Err(error) if error.kind() == io::ErrorKind::Interrupted => Ok(()),
        other => other,
    }
}

#[cfg(target_os = "linux")]
mod timer {
    //! A timer of the kernel that a poller can wait for.

    use std::io;
    use std::os::fd::{AsRawFd, OwnedFd};
    use std::time::Duration;

    use mio::unix::SourceFd;
    use mio::{Interest, Poll, Token};
    use rustix::time::{
        Itimerspec, TimerfdClockId, TimerfdFlags, TimerfdTimerFlags, Timespec, timerfd_create,
        timerfd_settime,
    };

    /// No connection has this number.
    const TIMER: Token = Token(usize::MAX);

    #[derive(Debug)]
    pub(super) struct Timer(OwnedFd);

    impl Timer {
        pub(super) fn new(poll: &Poll) -> io::Result<Self> {
            let flags = TimerfdFlags::NONBLOCK | TimerfdFlags::CLOEXEC;
            let timer = timerfd_create(TimerfdClockId::Monotonic, flags)?;
            let source = &mut SourceFd(&timer.as_raw_fd());
            poll.registry().register(source, TIMER, Interest::READABLE)?;
            Ok(Self(timer))
        }

        /// Wakes the poller after so long, instead of after what was said before.
        pub(super) fn set(&self, after: Duration) -> io::Result<()> {
            let zero = Timespec { tv_sec: 0, tv_nsec: 0 };
            // All zeros would mean never.
            let after = after.max(Duration::from_nanos(1));
            let after = Timespec::try_from(after).expect("at most a tick");
            let spec = Itimerspec { it_interval: zero, it_value: after };
            timerfd_settime(&self.0, TimerfdTimerFlags::empty(), &spec)?;
            Ok(())
        }
    }
}
