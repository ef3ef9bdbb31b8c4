//! How far a long piece of work has come: a line that moves on a terminal, a line now and then
//! elsewhere.

use std::cell::Cell;
use std::time::{Duration, Instant};

use super::{Busy, Ui};

/// How often a line moves, at most.
const MOVES: Duration = Duration::from_millis(100);
/// How often there is a line where none can move.
const LINES: Duration = Duration::from_secs(10);

/// Somebody to be told.
pub(crate) struct Told {
    busy: Busy,
    ui: Ui,
    last: Cell<Instant>,
}

impl Told {
    /// Begins a piece of work.
    pub(crate) fn new(ui: &Ui, what: &str) -> Self {
        Self { busy: ui.busy(what), ui: ui.clone(), last: Cell::new(Instant::now()) }
    }

    /// Tells how far it has come.
    pub(crate) fn now(&self, how_far: impl FnOnce() -> String) {
        let every = if self.ui.moves() { MOVES } else { LINES };
        if self.last.get().elapsed() < every {
            return;
        }
        self.last.set(Instant::now());
        match self.ui.moves() {
            true => self.busy.now(&how_far()),
            false => self.ui.say(&how_far()),
        }
    }
}
