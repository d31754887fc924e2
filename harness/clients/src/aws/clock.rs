//! The clock as the SDK wants it.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use aws_smithy_async::time::TimeSource;
use cutover_model::Clock;

/// A [`Clock`] for the SDK, which signs and caches by it.
#[derive(Debug)]
pub(crate) struct ClockTime(Clock);

impl ClockTime {
    pub(crate) fn of(clock: &Clock) -> Self {
        Self(clock.clone())
    }
}

impl TimeSource for ClockTime {
    fn now(&self) -> SystemTime {
        // Signatures know no time before 1970; a clock that stands there signs for the epoch.
        UNIX_EPOCH + Duration::from_nanos(u64::try_from(self.0.now_ns()).unwrap_or(0))
    }
}
