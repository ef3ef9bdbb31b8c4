//! The progress of a long task: one line that is updated on a terminal, a line every ten seconds elsewhere.

use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use engine::progress;

use super::{Busy, Ui};

/// The shortest time between two updates of the line on a terminal.
const MOVES: Duration = Duration::from_millis(100);
/// The shortest time between two lines elsewhere.
const LINES: Duration = Duration::from_secs(10);

/// Shows the progress of a task.
#[derive(Clone)]
pub(crate) struct ProgressLine {
    busy: Arc<Busy>,
    ui: Ui,
    last: Arc<Mutex<Instant>>,
}

impl ProgressLine {
    /// Returns the progress of a new task, and shows its name.
    pub(crate) fn new(ui: &Ui, what: &str) -> Self {
        let last = Arc::new(Mutex::new(Instant::now()));
        Self { busy: Arc::new(ui.busy(what)), ui: ui.clone(), last }
    }

    /// Shows the current progress, unless the last update was just now.
    pub(crate) fn now(&self, how_far: impl FnOnce() -> String) {
        let every = if self.ui.moves() { MOVES } else { LINES };
        {
            let mut last = self.last.lock().expect("the lock is never poisoned");
            if last.elapsed() < every {
                return;
            }
            *last = Instant::now();
        }
        if self.ui.moves() { self.busy.now(&how_far()) } else { self.ui.say(&how_far()) }
    }

    /// Does the work, and shows what it waits for.
    pub(crate) async fn heard<T>(&self, work: impl Future<Output = T>) -> T {
        let line = self.clone();
        progress::heard(move |what| line.now(|| format!("waiting for {what}")), work).await
    }
}
