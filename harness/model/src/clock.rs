//! Time as a value that is handed in, so that nothing below the CLI reads the wall clock itself.

use std::fmt;
use std::sync::Arc;

/// A source of the current instant, in nanoseconds since 1970-01-01T00:00:00Z.
///
/// The CLI makes one from the wall clock, drills make one from virtual time, tests a fixed one.
#[derive(Clone)]
pub struct Clock(Arc<dyn Fn() -> i64 + Send + Sync>);

impl Clock {
    /// A clock that asks `now_ns` each time.
    pub fn new(now_ns: impl Fn() -> i64 + Send + Sync + 'static) -> Self {
        Self(Arc::new(now_ns))
    }

    /// A clock that stands still.
    pub fn fixed(now_ns: i64) -> Self {
        Self::new(move || now_ns)
    }

    /// The current instant, in nanoseconds since the epoch.
    pub fn now_ns(&self) -> i64 {
        (self.0)()
    }
}

impl fmt::Debug for Clock {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Clock({})", self.now_ns())
    }
}
