//! What a function tells its log.

use std::{
    io,
    sync::{Arc, Mutex},
};

use serde_json::Value;
use tracing::{instrument::WithSubscriber, level_filters::LevelFilter};

/// The name that the functions of these tests are deployed under.
pub(crate) const DEPLOYED: &str = "cart-dev-tested";

#[derive(Clone, Default)]
struct Lines(Arc<Mutex<Vec<u8>>>);

impl io::Write for Lines {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().expect("no test goes on after a panic").write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// Returns what the work comes to, and the lines of its log.
pub(crate) async fn told<T>(work: impl Future<Output = T>) -> (T, Vec<Value>) {
    let lines = Lines::default();
    let writer = lines.clone();
    let log = functions::log::to(move || writer.clone(), DEPLOYED, LevelFilter::INFO);
    let done = work.with_subscriber(log).await;
    let lines = lines.0.lock().expect("no test goes on after a panic");
    let lines = lines.split(|&byte| byte == b'\n').filter(|line| !line.is_empty());
    (done, lines.map(|line| serde_json::from_slice(line).expect("a line is JSON")).collect())
}

/// Returns the lines of this message.
pub(crate) fn of<'a>(message: &str, lines: &'a [Value]) -> Vec<&'a Value> {
    lines.iter().filter(|line| line["message"] == message).collect()
}
