//! Waits for an instant more exactly than a timer can.
//!
//! tokio's timers tick once in a millisecond and fire late rather than early.
//! [`until`] therefore sleeps until shortly before the instant and then lets other tasks run until it
//! has come: at most [`SPIN`] of one core for each arrival, and only one connection waits at a
//! time. On a paused clock nothing moves while tasks run, which is noticed, and the timer does the
//! rest.

use std::time::Duration;

use tokio::sync::watch;
use tokio::task::yield_now;
use tokio::time::{Instant, sleep_until};

/// How long before an instant the timer is left. Timers fire up to a tick late, so somewhat more
/// than a tick.
const SPIN: Duration = Duration::from_micros(1_100);

/// Waits until the instant has come. Costs nothing if it has.
pub(crate) async fn until(due: Instant) {
    let now = Instant::now();
    if now >= due {
        return;
    }
    if due - now > SPIN {
        sleep_until(due - SPIN).await;
    }
    let mut last = Instant::now();
    while last < due {
        yield_now().await;
        let now = Instant::now();
        if now == last {
            return sleep_until(due).await;
        }
        last = now;
    }
}

/// Waits until the instant has come, or until the run is told to stop; says which.
pub(crate) async fn until_or_stop(due: Instant, stop: &mut watch::Receiver<bool>) -> Waited {
    tokio::select! {
        biased;
        () = stopped(stop) => Waited::Stopped,
        () = until(due) => Waited::Due,
    }
}

/// How a wait ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Waited {
    Due,
    Stopped,
}

/// Resolves when the signal says stop; never if nobody is left who could say it.
pub(crate) async fn stopped(stop: &mut watch::Receiver<bool>) {
    if stop.wait_for(|stop| *stop).await.is_err() {
        std::future::pending::<()>().await;
    }
}
