//! The user's wish to stop: the first signal winds the run down, the second leaves at once.

use cutover_engine::StopSwitch;
use cutover_model::Exit;

use crate::printer::Printer;

/// Waits for signals for as long as the process lives. Must be called within a runtime.
pub(crate) fn watch(switch: StopSwitch, printer: Printer) {
    tokio::spawn(async move {
        asked().await;
        printer.say("stopping: what was started is given back; again to leave at once");
        switch.stop();
        asked().await;
        printer.say("left at once: servers of this process end with it");
        leave();
    });
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

#[expect(clippy::exit, reason = "the user asked twice, and waiting is what they do not want")]
fn leave() -> ! {
    std::process::exit(i32::from(Exit::Inconclusive.code()))
}
