//! Ctrl-C, SIGTERM and SIGHUP: after the first signal no new step starts; the second signal ends the process.
//!
//! A separate thread listens, and ends the process when the time after the first signal is over. It writes
//! nothing and takes no lock that a writer can hold: in a terminal that is not read (Ctrl-S, an ssh session
//! that stalls), every write blocks, together with its task and the locks it holds.
//!
//! Commands that build, change resources or write events start the thread, and so does `replay` while it
//! follows a run. Without the thread, the kernel ends the program. A build needs it, because cargo runs in a
//! separate process group, which the terminal's SIGINT and SIGHUP do not reach.

use std::fs;
use std::process;
use std::sync::OnceLock;
use std::sync::mpsc;
use std::thread;
use std::time::Duration;

use rustix::process::{Signal, getpid, kill_process};
use tokio::runtime;
use tokio::signal::unix::{self, SignalKind};
use tokio::task::JoinHandle;
use tokio::time::timeout;
use tokio_util::sync::CancellationToken;

use crate::exit::{Exit, Problem};
use crate::render::Ui;

/// How long the remaining work may take once the run is stopped.
const CLEANUP_TIME: Duration = Duration::from_secs(2);

/// How long the program may continue after the first signal. Calls in flight and the remaining work take six
/// seconds together; with the exit, the program ends within seven.
const SHUTDOWN_TIME: Duration = Duration::from_millis(6_500);

/// How long the exit may take, which flushes standard output.
const EXIT_TIME: Duration = Duration::from_millis(300);

/// Listens for signals until dropped.
pub(crate) struct Listening(JoinHandle<()>);

impl Drop for Listening {
    fn drop(&mut self) {
        self.0.abort();
    }
}

/// Cancels `stop` on the first signal. The process ends on the second signal, or when the time is over.
pub(crate) fn stop_on_signal(stop: &CancellationToken, ui: &Ui) -> Listening {
    let (stop, ui, first) = (stop.clone(), ui.clone(), first_signal());
    Listening(tokio::spawn(async move {
        first.cancelled().await;
        stop.cancel();
        ui.say("stopping: steps in progress get a few seconds to finish; press Ctrl-C again to quit now");
    }))
}

/// Does the remaining work and returns its result. Returns `None` if it is not finished two seconds after the
/// run was stopped.
pub(crate) async fn within<T>(stop: &CancellationToken, work: impl Future<Output = T>) -> Option<T> {
    let out_of_time = async {
        stop.cancelled().await;
        tokio::time::sleep(CLEANUP_TIME).await;
    };
    tokio::select! {
        done = work => Some(done),
        () = out_of_time => None,
    }
}

/// Runs a build until the first signal. The signal does not reach cargo, so the build is dropped, which ends
/// cargo.
pub(crate) async fn interruptible<T>(build: impl Future<Output = T>) -> Result<T, Problem> {
    // Before cargo starts: without the thread, a signal would leave cargo running.
    let first = first_signal();
    tokio::select! {
        // Ctrl-C also ends cargo, whose failure is not the reason then.
        biased;
        () = first.cancelled() => {
            Err(Problem { exit: Exit::INTERRUPTED, ..Problem::new("interrupted while building") })
        }
        built = build => Ok(built),
    }
}

/// Waits for the first Ctrl-C, SIGTERM or SIGHUP of this process.
#[cfg(feature = "pipeline")]
pub(crate) async fn signal() {
    first_signal().cancelled().await;
}

/// Returns the token that the first signal cancels. From then on signals no longer end the process by
/// themselves.
fn first_signal() -> &'static CancellationToken {
    static FIRST: OnceLock<CancellationToken> = OnceLock::new();
    FIRST.get_or_init(|| {
        let first = CancellationToken::new();
        let (listens, begun) = mpsc::channel();
        let thread = {
            let first = first.clone();
            move || watch(&first, &listens)
        };
        // Without the thread, signals keep their default action: the process ends.
        if thread::Builder::new().name("signals".to_owned()).spawn(thread).is_ok() {
            // This fails if the thread could not listen and has ended.
            let _ = begun.recv();
        }
        first
    })
}

/// Waits for a first signal, cancels `first`, and ends the process on a second signal or when the time is
/// over.
fn watch(first: &CancellationToken, listens: &mpsc::Sender<()>) {
    let Ok(runtime) = runtime::Builder::new_current_thread().enable_all().build() else { return };
    runtime.block_on(async {
        let Ok(mut signals) = Signals::listen() else { return };
        // The receiver waits for this message.
        let _ = listens.send(());
        signals.next().await;
        first.cancel();
        let _ = timeout(SHUTDOWN_TIME, signals.next()).await;
        leave();
    });
}

/// Ends cargo, its compilers and the process.
fn leave() {
    crate::build::end_all();
    // The exit flushes standard output, which can block until the output is read.
    let exit = thread::Builder::new().spawn(|| process::exit(Exit::INTERRUPTED.code().into()));
    if exit.is_ok() {
        thread::sleep(EXIT_TIME);
    }
    // This cannot fail: a process may always kill itself.
    let _ = kill_process(getpid(), Signal::KILL);
}

/// The signals that end the program.
struct Signals {
    interrupt: unix::Signal,
    terminate: unix::Signal,
    /// `None` if SIGHUP is ignored.
    hangup: Option<unix::Signal>,
}

impl Signals {
    fn listen() -> std::io::Result<Self> {
        let hangup = if hangup_is_ignored() { None } else { Some(unix::signal(SignalKind::hangup())?) };
        Ok(Self {
            interrupt: unix::signal(SignalKind::interrupt())?,
            terminate: unix::signal(SignalKind::terminate())?,
            hangup,
        })
    }

    async fn next(&mut self) {
        let hangup = async {
            match &mut self.hangup {
                Some(hangup) => drop(hangup.recv().await),
                None => std::future::pending().await,
            }
        };
        tokio::select! {
            _ = self.interrupt.recv() => {}
            _ = self.terminate.recv() => {}
            () = hangup => {}
        }
    }
}

/// Returns whether SIGHUP is ignored, as under `nohup`: the program then continues without its terminal. Only
/// Linux reports this; elsewhere the answer is no.
fn hangup_is_ignored() -> bool {
    let status = fs::read_to_string("/proc/self/status").unwrap_or_default();
    let ignored = status.lines().find_map(|line| line.strip_prefix("SigIgn:"));
    let ignored = ignored.and_then(|mask| u64::from_str_radix(mask.trim(), 16).ok());
    // The lowest bit is signal 1, SIGHUP.
    ignored.is_some_and(|mask| mask & 1 == 1)
}
