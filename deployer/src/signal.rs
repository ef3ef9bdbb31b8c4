//! Ctrl-C and SIGTERM: the first begins nothing more, the second leaves at once.

use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

use crate::render::Ui;

/// Exit code of a program that a signal ended early (128 + SIGINT).
const INTERRUPTED: i32 = 130;

/// Listens for signals until dropped.
pub(crate) struct Listening(JoinHandle<()>);

impl Drop for Listening {
    fn drop(&mut self) {
        self.0.abort();
    }
}

/// Cancels `stop` on the first signal and ends the process on the second.
pub(crate) fn stop_on_signal(stop: &CancellationToken, ui: &Ui) -> Listening {
    let (stop, ui) = (stop.clone(), ui.clone());
    Listening(tokio::spawn(async move {
        signal().await;
        ui.say("stopping: nothing more is begun; what is in flight is finished (again to leave at once)");
        stop.cancel();
        signal().await;
        crate::build::end_all();
        std::process::exit(INTERRUPTED);
    }))
}

/// Waits for Ctrl-C or SIGTERM.
pub(crate) async fn signal() {
    use tokio::signal::unix::{SignalKind, signal};
    let (interrupt, terminate) = (signal(SignalKind::interrupt()), signal(SignalKind::terminate()));
    match (interrupt, terminate) {
        (Ok(mut interrupt), Ok(mut terminate)) => {
            tokio::select! {
                _ = interrupt.recv() => {}
                _ = terminate.recv() => {}
            }
        }
        // Without handlers the signals keep their default: the process ends.
        _ => std::future::pending().await,
    }
}
