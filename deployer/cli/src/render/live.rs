//! The progress of a run: a spinner for each step in progress, a line for each that ended.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};
use std::time::Instant;

use engine::apply::{Event, Failure, StepOutcome};
use engine::resource::ResourceId;

use super::style::{BAD, DIM, GOOD, done, duration};
use super::ui::{Busy, Ui};
use super::waits::Waits;

/// Shows the events of one run.
#[derive(Clone)]
pub struct LiveProgress {
    ui: Ui,
    shown: Arc<Mutex<Shown>>,
}

#[derive(Default)]
struct Shown {
    bars: BTreeMap<ResourceId, Busy>,
    waits: Waits,
}

impl LiveProgress {
    /// Returns a progress display on these streams.
    pub fn new(ui: &Ui) -> Self {
        Self { ui: ui.clone(), shown: Arc::default() }
    }

    /// Shows one event.
    pub fn show(&self, event: Event) {
        let mut shown = self.shown.lock().expect("the lock is never poisoned");
        match event {
            Event::Started(id, _) => {
                let bar = self.ui.busy(&id.to_string());
                shown.bars.insert(id, bar);
            }
            Event::Waiting(id, what) => self.waiting(&mut shown, &id, &what),
            Event::Ended(outcome) => {
                shown.bars.remove(&outcome.id);
                shown.waits.ended(&outcome.id);
                self.ui.say(&line(&outcome));
            }
        }
    }

    /// Shows a wait: on a terminal with its seconds, elsewhere as a line every ten seconds.
    fn waiting(&self, shown: &mut Shown, id: &ResourceId, what: &str) {
        let now = Instant::now();
        if shown.waits.heard(id, what, now)
            && let Some(bar) = shown.bars.get(id)
        {
            bar.waiting(&format!("{id} {DIM}waiting for {what}{DIM:#}"));
        }
        if !self.ui.moves()
            && let Some(line) = shown.waits.due(id, now)
        {
            self.ui.say(&format!("  {DIM}… {line}{DIM:#}"));
        }
    }
}

fn line(outcome: &StepOutcome) -> String {
    let (id, took) = (&outcome.id, duration(outcome.took));
    match &outcome.result {
        Ok(()) => format!("  {GOOD}✓{GOOD:#} {} {id} {DIM}{took}{DIM:#}", done(outcome.action)),
        // The complete error is shown at the end of the run (`failures`).
        Err(Failure::Failed(error)) => {
            let code = error.code.as_ref().map(|code| format!(": {code}")).unwrap_or_default();
            format!("  {BAD}✗{BAD:#} {id} {DIM}{took}{DIM:#} {}{code}", error.operation)
        }
        Err(Failure::Skipped(cause)) => format!("  {DIM}- {id} skipped: {cause} failed{DIM:#}"),
        Err(Failure::Stopped) => format!("  {DIM}- {id} not started{DIM:#}"),
        Err(Failure::Interrupted) => format!("  {BAD}✗{BAD:#} {id} did not finish in time"),
    }
}
