//! Captures the log of a function.

use std::{
    io,
    sync::{Arc, LazyLock, Mutex},
};

use serde_json::Value;
use tracing::{Dispatch, instrument::WithSubscriber, level_filters::LevelFilter};

/// The deployed name of the functions in these tests.
pub(crate) const DEPLOYED: &str = "tally-dev-tested";

#[derive(Clone, Default)]
struct Lines(Arc<Mutex<Vec<u8>>>);

impl io::Write for Lines {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().expect("no test continues after a panic").write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// A log that drops every line and is never closed. Without it, parallel tests remove lines from a test's
/// log.
///
/// `tracing` caches for the whole process whether any log wants the lines of a place in the code, from when
/// that place is first reached until the next log is opened. While at most one log is open, `tracing` asks
/// only the log of the thread that reached the place, not the open one (`Rebuilder::JustOne`, `tracing-core`
/// 0.1.36, `callsite.rs`). A test that captures nothing runs on a thread without a log, so the cached answer
/// is "never", and the lines of a capturing test are dropped.
///
/// With this log, two are open as soon as a test captures, so `tracing` asks all open logs, under the lock
/// that opening a log takes. It has to be the first: before any log with a level is open, no place in the
/// code asks at all. The assertion fails if another log was opened first.
static SILENT: LazyLock<Dispatch> = LazyLock::new(|| {
    let silent = Dispatch::new(runtime::log::to(io::sink, DEPLOYED, LevelFilter::OFF));
    assert_eq!(LevelFilter::current(), LevelFilter::OFF, "a log was opened without `logged`");
    silent
});

/// Returns the result of the work, and the lines of its log. All logs of these tests are opened here: see
/// [`SILENT`].
pub(crate) async fn logged<T>(work: impl Future<Output = T>) -> (T, Vec<Value>) {
    LazyLock::force(&SILENT);
    let lines = Lines::default();
    let writer = lines.clone();
    let log = runtime::log::to(move || writer.clone(), DEPLOYED, LevelFilter::INFO);
    let done = work.with_subscriber(log).await;
    let lines = lines.0.lock().expect("no test continues after a panic");
    let lines = lines.split(|&byte| byte == b'\n').filter(|line| !line.is_empty());
    (done, lines.map(|line| serde_json::from_slice(line).expect("a line is JSON")).collect())
}

/// Returns the lines with this message.
pub(crate) fn of<'a>(message: &str, lines: &'a [Value]) -> Vec<&'a Value> {
    lines.iter().filter(|line| line["message"] == message).collect()
}

/// A parallel test may reach a log line first, on a thread without a log.
#[tokio::test]
async fn log_line_first_reached_without_a_log_is_captured() {
    let say = || tracing::info!("said");
    let ((), lines) = logged(async {
        std::thread::spawn(say).join().expect("the thread succeeds");
        say();
    })
    .await;
    assert_eq!(of("said", &lines).len(), 1, "{lines:?}");
}
