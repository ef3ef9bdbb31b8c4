//! The release record as people read it: runs, the latest first.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;
use serde::Serialize;

use super::{Recorded, ReleaseState};
use crate::action::Action;

/// A run as the record has it, all its entries taken together.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct PastRun {
    /// What the run is called in the record.
    pub run: String,
    /// How it ended.
    pub ending: Ending,
    /// The commit that the code was of.
    pub release: Option<String>,
    /// Who ran it, by their name in the cloud.
    pub by: String,
    /// When its last entry was written.
    pub at: Option<Timestamp>,
    /// How many resources were to get each action.
    pub changes: BTreeMap<Action, usize>,
    /// The ids of what was there afterwards, as far as the record knows.
    pub deployed: BTreeSet<String>,
}

/// How a run ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Ending {
    /// Everything was as it wanted it.
    Done,
    /// Something went wrong, and it said so.
    Failed,
    /// It never said that it ended, and others came after it.
    CutShort,
    /// It has not said that it ended: it was cut short, or is at work.
    Open,
    /// A `down` that did not come to its end, which deletes the record.
    Removing,
}

/// Returns the runs of a record, the latest first.
pub fn history(recorded: Vec<Recorded>) -> Vec<PastRun> {
    let last = recorded.last().map(|recorded| recorded.release.run.clone());
    let mut last_entries: Vec<Recorded> = Vec::new();
    for entry in recorded {
        last_entries.retain(|earlier| earlier.release.run != entry.release.run);
        last_entries.push(entry);
    }
    let runs = last_entries.into_iter().rev().map(|Recorded { release, at, .. }| PastRun {
        ending: match release.state {
            ReleaseState::Done => Ending::Done,
            ReleaseState::Failed => Ending::Failed,
            ReleaseState::Removing => Ending::Removing,
            ReleaseState::Begun if last.as_ref() == Some(&release.run) => Ending::Open,
            ReleaseState::Begun => Ending::CutShort,
        },
        run: release.run,
        release: release.release,
        by: release.by,
        at,
        changes: release.changes,
        deployed: release.deployed,
    });
    runs.collect()
}
