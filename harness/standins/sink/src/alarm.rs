//! Waits for sockets, or for an instant, to a few microseconds.
//!
//! The main type is [`Alarm`]. On Linux a timer of the kernel wakes the poller, whose own timeout
//! counts milliseconds; elsewhere (kqueue) the poller's timeout is exact by itself. The last
//! stretch before an instant is spent asking the poller again and again.

use std::io;
use std::time::{Duration, Instant};

use mio::{Events, Poll, Token};

/// How long before an instant the sink stops sleeping.
const SPIN: Duration = Duration::from_micros(80);
/// The longest sleep, so that a stop is heard.
const TICK: Duration = Duration::from_millis(20);

pub(crate) const TIMER: Token = Token(usize::MAX);

#[derive(Debug)]
pub(crate) struct Alarm {
    pub(crate) poll: Poll,
    #[cfg(target_os = "linux")]
    timer: timer::Timer,
}

impl Alarm {
    pub(crate) fn new() -> io::Result<Self> {
        let poll = Poll::new()?;
        Ok(Self {
            #[cfg(target_os = "linux")]
            timer: timer::Timer::new(&poll)?,
            poll,
        })
    }

    /// Returns with events, at the instant, or after a tick.
    pub(crate) fn wait(&mut self, events: &mut Events, until: Option<Instant>) -> io::Result<()> {
        let sleep = match until {
            None => TICK,
            Some(until) => {
                let left = until.saturating_duration_since(Instant::now()).saturating_sub(SPIN);
                #[cfg(target_os = "linux")]
                if !left.is_zero() && left < TICK {
                    self.timer.set(left)?;
                }
                left.min(TICK)
            }
        };
        match self.poll.poll(events, Some(sleep)) {
            Err(error) if error.kind() == io::ErrorKind::Interrupted => Ok(()),
            other => other,
        }
    }
}

#[cfg(target_os = "linux")]
mod timer {
    use std::io;
    use std::os::fd::{AsRawFd, OwnedFd};
    use std::time::Duration;

    use mio::unix::SourceFd;
    use mio::{Interest, Poll};
    use rustix::time::{
        Itimerspec, TimerfdClockId, TimerfdFlags, TimerfdTimerFlags, Timespec, timerfd_create,
        timerfd_settime,
    };

    #[derive(Debug)]
    pub(super) struct Timer(OwnedFd);

    impl Timer {
        pub(super) fn new(poll: &Poll) -> io::Result<Self> {
            let flags = TimerfdFlags::NONBLOCK | TimerfdFlags::CLOEXEC;
            let timer = timerfd_create(TimerfdClockId::Monotonic, flags)?;
            let source = &mut SourceFd(&timer.as_raw_fd());
            poll.registry().register(source, super::TIMER, Interest::READABLE)?;
            Ok(Self(timer))
        }

        pub(super) fn set(&self, after: Duration) -> io::Result<()> {
            let zero = Timespec { tv_sec: 0, tv_nsec: 0 };
            let after = Timespec::try_from(after).expect("at most a tick");
            let spec = Itimerspec { it_interval: zero, it_value: after };
            timerfd_settime(&self.0, TimerfdTimerFlags::empty(), &spec)?;
            Ok(())
        }
    }
}
