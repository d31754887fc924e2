//! Waits for sockets, and for instants to a few microseconds.
//!
//! The main types are [`Watch`], time counted from the start of a run, and [`Poller`]. A poller's
//! own timeout counts milliseconds on Linux, so there a timer of the kernel ends the wait; on
//! kqueue the timeout is exact by itself. A wake-up is some microseconds late, so the last stretch
//! before an instant is spent asking the poller without sleeping: as long a stretch as wake-ups
//! have lately been late, since it costs processor time.

use std::io;
use std::time::{Duration, Instant};

use mio::{Events, Poll};

/// How long before an instant a thread stops sleeping, at most and at least.
const LONGEST_SPIN: Duration = Duration::from_micros(60);
const SHORTEST_SPIN: Duration = Duration::from_micros(10);
/// How much earlier a thread stops sleeping than it would have to.
const MARGIN: Duration = Duration::from_micros(3);
/// Asking once takes less time than this, unless the thread was interrupted.
const ASKING: Duration = Duration::from_micros(5);
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
    /// How long before an instant it stops sleeping now.
    spin: Duration,
    /// The instant for which it was asked last without sleeping and found nothing, and when.
    asked: Option<(Option<Duration>, Instant)>,
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
            spin: LONGEST_SPIN,
            asked: None,
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
        if left <= self.spin {
            return self.ask(events, until);
        }
        self.asked = None;
        let sleep = left.saturating_sub(self.spin).min(self.tick);
        if sleep == self.tick {
            return uninterrupted(self.poll.poll(events, Some(sleep)));
        }
        #[cfg(target_os = "linux")]
        if self.set_for != until {
            self.timer.set(sleep)?;
            self.set_for = until;
        }
        let wakes = Instant::now() + sleep;
        uninterrupted(self.poll.poll(events, Some(sleep)))?;
        // Whoever was woken by a socket has slept too short for a timer to be late.
        self.learn(Instant::now().saturating_duration_since(wakes));
        Ok(())
    }

    /// Looks for events without sleeping.
    fn ask(&mut self, events: &mut Events, until: Option<Duration>) -> io::Result<()> {
        let now = Instant::now();
        if let Some((_, asked)) = self.asked.filter(|(last, _)| *last == until) {
            // Nothing was found and nothing was done in between.
            self.spun += now.duration_since(asked).min(ASKING);
        }
        uninterrupted(self.poll.poll(events, Some(Duration::ZERO)))?;
        self.asked = events.is_empty().then_some((until, now));
        Ok(())
    }

    /// Quick to wake earlier after a late wake-up, slow to trust the timer again.
    fn learn(&mut self, late: Duration) {
        if late.is_zero() {
            return;
        }
        let wanted = late.saturating_add(MARGIN).clamp(SHORTEST_SPIN, LONGEST_SPIN);
        let trust = self.spin.saturating_sub(wanted) / 32;
        self.spin = wanted.max(self.spin.saturating_sub(trust));
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

#[cfg(test)]
mod tests {
    use super::*;

    fn poller() -> Poller {
        Poller::new(TICK).unwrap()
    }

    #[test]
    fn a_poller_that_wakes_in_time_comes_to_ask_for_a_short_while_only() {
        let mut poller = poller();
        for _ in 0..1_000 {
            poller.learn(Duration::from_micros(1));
        }
        assert!(poller.spin < SHORTEST_SPIN + Duration::from_micros(1), "{:?}", poller.spin);
    }

    #[test]
    fn one_late_wake_up_is_enough_to_wake_earlier() {
        let mut poller = poller();
        poller.spin = SHORTEST_SPIN;
        poller.learn(Duration::from_micros(30));
        assert_eq!(poller.spin, Duration::from_micros(33));
        poller.learn(Duration::from_millis(9));
        assert_eq!(poller.spin, LONGEST_SPIN);
    }

    #[test]
    fn waiting_awake_is_counted_and_an_interruption_is_not_taken_for_it() {
        let mut poller = poller();
        let mut events = Events::with_capacity(4);
        let until = Some(Duration::from_secs(1));
        for _ in 0..10 {
            poller.ask(&mut events, until).unwrap();
        }
        assert!(poller.spun > Duration::ZERO && poller.spun <= ASKING * 9, "{:?}", poller.spun);
    }

    #[test]
    fn what_was_done_between_two_instants_is_no_waiting() {
        let mut poller = poller();
        let mut events = Events::with_capacity(4);
        for second in 0..10 {
            poller.ask(&mut events, Some(Duration::from_secs(second))).unwrap();
        }
        assert_eq!(poller.spun, Duration::ZERO);
    }
}
