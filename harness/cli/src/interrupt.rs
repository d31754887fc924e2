//! The user's wish to stop: the first signal winds the run down, the second leaves at once.

use cutover_engine::StopSwitch;
use tokio::sync::oneshot;

use crate::printer::Printer;

/// Waits for signals for as long as the process lives; the answer comes with the second, when the
/// user wants to leave at once. Must be called within a runtime.
pub(crate) fn watch(switch: StopSwitch, printer: Printer) -> oneshot::Receiver<()> {
    let (leave, left) = oneshot::channel();
    tokio::spawn(async move {
        asked().await;
        printer.say("stopping: what was started is given back; again to leave at once");
        switch.stop();
        asked().await;
        printer.say("left at once: what this process has started ends with it");
        // Nobody waits for it any more when the run has just ended.
        leave.send(()).ok();
        // Dropping the switch would utter nothing, and there is nothing more to wait for.
        drop(switch);
    });
    left
}

/// Waits until the user or the system asks this process to end.
pub(crate) async fn asked() {
    #[cfg(unix)]
    {
        use tokio::signal::unix::{SignalKind, signal};
        if let Ok(mut terminate) = signal(SignalKind::terminate()) {
            tokio::select! {
                _ = tokio::signal::ctrl_c() => {}
                _ = terminate.recv() => {}
            }
            return;
        }
    }
    if tokio::signal::ctrl_c().await.is_err() {
        // Without a handler the system's own applies, which ends the process.
        std::future::pending::<()>().await;
    }
}
