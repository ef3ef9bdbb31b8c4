//! How far a long piece of work has come: a line that moves on a terminal, a line now and then
//! elsewhere.

use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use engine::progress;

use super::{Busy, Ui};

/// How often a line moves, at most.
const MOVES: Duration = Duration::from_millis(100);
/// How often there is a line where none can move.
const LINES: Duration = Duration::from_secs(10);

/// Somebody to be told.
#[derive(Clone)]
pub(crate) struct ProgressLine {
    busy: Arc<Busy>,
    ui: Ui,
    last: Arc<Mutex<Instant>>,
}

impl ProgressLine {
    /// Begins a piece of work.
    pub(crate) fn new(ui: &Ui, what: &str) -> Self {
        let last = Arc::new(Mutex::new(Instant::now()));
        Self { busy: Arc::new(ui.busy(what)), ui: ui.clone(), last }
    }

    /// Tells how far it has come.
    pub(crate) fn now(&self, how_far: impl FnOnce() -> String) {
        let every = if self.ui.moves() { MOVES } else { LINES };
        {
            let mut last = self.last.lock().expect("nobody panics while looking at the clock");
            if last.elapsed() < every {
                return;
            }
            *last = Instant::now();
        }
        if self.ui.moves() { self.busy.now(&how_far()) } else { self.ui.say(&how_far()) }
    }

    /// Does it, and tells what it waits for.
    pub(crate) async fn heard<T>(&self, work: impl Future<Output = T>) -> T {
        let told = self.clone();
        progress::heard(move |what| told.now(|| format!("waiting for {what}")), work).await
    }
}
