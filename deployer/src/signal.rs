//! Ctrl-C and SIGTERM: the first begins nothing more, the second leaves at once.

use std::time::Duration;

use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

use crate::exit::{Exit, Problem};
use crate::render::Ui;

/// How long what is left to do may take once the run is stopped. With what the executor gives
/// to what is in flight, a stopped run ends within seven seconds.
const LAST_WORD: Duration = Duration::from_secs(2);

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
        std::process::exit(Exit::INTERRUPTED.code().into());
    }))
}

/// Does what is left to do, for a moment only once the run is stopped.
pub(crate) async fn within<T>(stop: &CancellationToken, work: impl Future<Output = T>) -> Option<T> {
    let out_of_time = async {
        stop.cancelled().await;
        tokio::time::sleep(LAST_WORD).await;
    };
    tokio::select! {
        done = work => Some(done),
        () = out_of_time => None,
    }
}

/// Gives up a build at the first signal: at the terminal it does not reach cargo, which ends
/// with the future.
pub(crate) async fn interruptible<T>(build: impl Future<Output = T>) -> Result<T, Problem> {
    tokio::select! {
        built = build => Ok(built),
        () = signal() => {
            Err(Problem { exit: Exit::INTERRUPTED, ..Problem::new("interrupted while building") })
        }
    }
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
