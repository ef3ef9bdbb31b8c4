//! A plan being carried out: a bar for each step at work, a line for each that ended.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use super::style::{BAD, DIM, GOOD, done, duration};
use super::ui::{Busy, Ui};
use crate::apply::{Event, Failure, Outcome};
use crate::resource::ResourceId;

/// Shows the events of one run.
#[derive(Clone)]
pub struct Live {
    ui: Ui,
    bars: Arc<Mutex<BTreeMap<ResourceId, Busy>>>,
}

impl Live {
    /// Returns a display on these streams.
    pub fn new(ui: &Ui) -> Self {
        Self { ui: ui.clone(), bars: Arc::default() }
    }

    /// Shows one event.
    pub fn show(&self, event: Event) {
        let mut bars = self.bars.lock().expect("nothing panics while it holds the bars");
        match event {
            Event::Started(id, _) => {
                let bar = self.ui.busy(&id.to_string());
                bars.insert(id, bar);
            }
            Event::Waiting(id, what) => {
                if let Some(bar) = bars.get(&id) {
                    bar.now(&format!("{id} {DIM}waiting for {what}{DIM:#}"));
                }
            }
            Event::Ended(outcome) => {
                bars.remove(&outcome.id);
                self.ui.say(&line(&outcome));
            }
        }
    }
}

fn line(outcome: &Outcome) -> String {
    let (id, took) = (&outcome.id, duration(outcome.took));
    match &outcome.result {
        Ok(()) => format!("  {GOOD}✓{GOOD:#} {} {id} {DIM}{took}{DIM:#}", done(outcome.action)),
        Err(Failure::Failed(error)) => {
            let hint = error.hint.as_ref().map(|hint| format!("\n      hint: {hint}"));
            format!("  {BAD}✗{BAD:#} {id} {DIM}{took}{DIM:#}\n      {error}{}", hint.unwrap_or_default())
        }
        Err(Failure::Skipped(cause)) => format!("  {DIM}- {id} skipped: {cause} failed{DIM:#}"),
        Err(Failure::Stopped) => format!("  {DIM}- {id} not begun{DIM:#}"),
    }
}
