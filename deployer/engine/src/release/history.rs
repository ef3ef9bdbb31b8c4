//! The runs of a release record, latest first, for display.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;
use serde::Serialize;

use super::{Recorded, ReleaseState};
use crate::action::Action;

/// A run, with all its entries in the record combined.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct PastRun {
    /// The id of the run in the record.
    pub run: String,
    /// How it ended.
    pub ending: Ending,
    /// The Git commit of the code.
    pub release: Option<String>,
    /// The caller's name in the cloud.
    pub by: String,
    /// When its last entry was written.
    pub at: Option<Timestamp>,
    /// How many seconds the changes took, if the run recorded its end.
    pub took_s: Option<i64>,
    /// The planned number of resources for each action.
    pub changes: BTreeMap<Action, usize>,
    /// The ids of the resources that existed afterwards, as far as the record knows.
    pub deployed: BTreeSet<String>,
    /// The digest of each function's package, by the function's name.
    pub packages: BTreeMap<String, String>,
}

/// How a run ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Ending {
    /// All resources were as desired.
    Done,
    /// It failed and recorded the failure.
    Failed,
    /// It did not record its end, and other runs followed.
    CutShort,
    /// It has not recorded its end: it was interrupted or is still running.
    Open,
    /// A `down` that did not finish; a finished one deletes the record.
    Removing,
}

/// Returns the runs of a record, the latest first.
pub fn history(recorded: Vec<Recorded>) -> Vec<PastRun> {
    let last = recorded.last().map(|recorded| recorded.release.run.clone());
    let mut started: BTreeMap<String, Timestamp> = BTreeMap::new();
    for Recorded { release, at, .. } in &recorded {
        if let Some(at) = at {
            started.entry(release.run.clone()).or_insert(*at);
        }
    }
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
        took_s: match release.state {
            ReleaseState::Done | ReleaseState::Failed => {
                at.zip(started.get(&release.run)).map(|(at, started)| at.duration_since(*started).as_secs())
            }
            // Another run may have repeated the entry.
            ReleaseState::Begun | ReleaseState::Removing => None,
        },
        run: release.run,
        release: release.release,
        by: release.by,
        at,
        changes: release.changes,
        deployed: release.deployed,
        packages: release.packages,
    });
    runs.collect()
}
