//! Waits for an instant more exactly than a timer can.
//!
//! tokio's timers tick once in a millisecond and fire late rather than early.
//! [`until`] therefore sleeps until shortly before the instant and then lets other tasks run until
//! it has come: at most [`SPIN`] of one core for each arrival, and only one connection waits at a
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

/// Waits like [`until_or_stop`], by the timer alone: up to a tick late, and free. For pauses of
/// users, of whom many rest at once.
pub(crate) async fn rest_or_stop(due: Instant, stop: &mut watch::Receiver<bool>) -> Waited {
    tokio::select! {
        biased;
        () = stopped(stop) => Waited::Stopped,
        () = sleep_until(due) => Waited::Due,
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

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_wait_on_the_real_clock_never_ends_early() {
        for micros in [0, 1, 300, 1_100, 2_300, 3_700] {
            let due = Instant::now() + Duration::from_micros(micros);
            until(due).await;
            assert!(Instant::now() >= due, "{micros} µs");
        }
    }

    #[tokio::test(start_paused = true)]
    async fn a_wait_on_a_paused_clock_ends_within_a_tick() {
        for micros in [0, 1, 300, 1_100, 2_300, 3_700, 1_000_000] {
            let due = Instant::now() + Duration::from_micros(micros);
            until(due).await;
            let late = Instant::now().saturating_duration_since(due);
            assert!(Instant::now() >= due && late <= Duration::from_millis(1), "{late:?}");
        }
    }

    #[tokio::test(start_paused = true)]
    async fn a_stop_is_heard_while_waiting() {
        let (told, mut stop) = watch::channel(false);
        let due = Instant::now() + Duration::from_mins(1);
        told.send(true).unwrap();
        assert_eq!(until_or_stop(due, &mut stop).await, Waited::Stopped);
        assert!(Instant::now() < due);
    }

    #[tokio::test(start_paused = true)]
    async fn a_signal_that_nobody_can_give_any_more_stops_nothing() {
        let (told, mut stop) = watch::channel(false);
        drop(told);
        let due = Instant::now() + Duration::from_millis(5);
        assert_eq!(until_or_stop(due, &mut stop).await, Waited::Due);
    }
}
