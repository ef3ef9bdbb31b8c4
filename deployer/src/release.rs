//! The release record: who deployed what, and what a run set out to make.
//!
//! It is evidence and no state file: what is changed follows from what is live. It tells a
//! deleted thing from one never deployed, and what a run that was killed had made from what
//! somebody else made. Its number tells a run that another one was at work meanwhile.
//! There is no lock, so none gets stuck.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::error::{Class, Error};
use crate::plan::{Action, Plan};
use crate::resource::{Cloud, ResourceId};
use crate::retry::retried;
use crate::scope::Scope;

/// The version of the record's form.
pub const SCHEMA: u32 = 1;

/// How far a run has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum State {
    /// It makes changes, or was cut short.
    Begun,
    /// Everything is as it wanted it.
    Done,
    /// Something went wrong, and it said so.
    Failed,
    /// It removes everything, or was cut short.
    Removing,
}

/// One entry of the record.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Release {
    /// The version of this form.
    pub schema: u32,
    /// What the entries of one run have in common.
    pub run: String,
    /// How far the run has come.
    pub state: State,
    /// The commit that the code is of, `-dirty` when it is not just that.
    pub release: Option<String>,
    /// The ARN of who runs it.
    pub by: String,
    /// How many resources get each action.
    pub changes: BTreeMap<Action, usize>,
    /// The ids of what is there: after the run when it is done, before it otherwise.
    pub deployed: BTreeSet<String>,
    /// The ids of what the run makes, whose names were free when it began.
    pub making: BTreeSet<String>,
}

/// An entry as it is kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Recorded {
    /// What it says.
    pub release: Release,
    /// Its number. Each is one more than the last; a new record begins with 1.
    pub number: u64,
    /// When it was written.
    pub at: Option<Timestamp>,
}

/// Returns the name of the record: `/cart/dev/release`.
pub fn name(scope: &Scope) -> String {
    format!("/{}/{}/release", scope.stack, scope.environment)
}

/// Returns the record's id.
pub fn id(scope: &Scope) -> ResourceId {
    ResourceId::new("ssm.parameter", name(scope))
}

/// A run that the record knows of.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Run {
    begun: Release,
    number: u64,
}

impl Run {
    /// Returns the entry of a run that carries out this plan, not yet written.
    pub fn entry(plan: &Plan, before: Option<&Release>, release: Option<String>, by: String) -> Release {
        let creates = plan.writes().filter(|step| step.action == Action::Create);
        let mut making: BTreeSet<String> = creates.map(|step| step.id.to_string()).collect();
        // What an earlier run made and did not come to tag is still to be told from a stranger's.
        making.extend(before.iter().flat_map(|before| before.making.iter().cloned()));
        let changes = plan.actions.iter().filter(|(action, count)| **action != Action::Keep && **count > 0);
        Release {
            schema: SCHEMA,
            run: format!("{:08x}", fastrand::u32(..)),
            state: State::Begun,
            release,
            by,
            changes: changes.map(|(action, count)| (*action, *count)).collect(),
            deployed: before.map(|before| before.deployed.clone()).unwrap_or_default(),
            making,
        }
    }

    /// Writes that a run begins, unless another one has begun since `before` was read.
    ///
    /// # Errors
    /// Another run was faster ([`Class::Exists`]), or the record cannot be written.
    pub async fn begin<C: Cloud>(
        cloud: &C,
        before: Option<&Recorded>,
        release: Release,
    ) -> Result<Self, Error> {
        let last = before.map_or(0, |before| before.number);
        match entered(cloud, &release, last).await? {
            Entered::Next(number) => Ok(Self { begun: release, number }),
            Entered::After(other) => Err(Error::new(
                Class::Exists,
                "release record",
                format!("another run, by {}, began since this one looked", other.by),
            )
            .hint("wait until it has ended, then run the command again: it looks anew")),
        }
    }

    /// Writes how the run ended. Returns the last entry of another run that was at work
    /// meanwhile.
    ///
    /// # Errors
    /// The record cannot be written.
    pub async fn end<C: Cloud>(
        &self,
        cloud: &C,
        state: State,
        deployed: BTreeSet<String>,
    ) -> Result<Option<Release>, Error> {
        let mut release = Release { state, deployed, ..self.begun.clone() };
        if state == State::Done {
            release.making.clear();
        }
        match entered(cloud, &release, self.number).await? {
            Entered::Next(_) => Ok(None),
            Entered::After(other) => Ok(Some(other)),
        }
    }
}

/// Where an entry came to stand.
enum Entered {
    /// Right behind the last one known, or behind our own.
    Next(u64),
    /// Behind one of another run.
    After(Release),
}

/// Adds an entry and looks whose entries are between it and the last one known.
async fn entered<C: Cloud>(cloud: &C, release: &Release, last: u64) -> Result<Entered, Error> {
    match retried(async || cloud.record(release, last == 0).await).await {
        Ok(number) if number == last + 1 => return Ok(Entered::Next(number)),
        // The record was deleted meanwhile and begins anew.
        Ok(number) if number <= last => return Ok(Entered::After(removed(release))),
        Err(error) if error.class != Class::Exists => return Err(error),
        _ => {}
    }
    // Somebody else was faster; or an answer got lost, and the entries between are our own.
    let entries = retried(async || cloud.releases().await).await?;
    let mut since = entries.into_iter().filter(|entry| entry.number > last);
    let number = since.clone().map(|entry| entry.number).max().unwrap_or(last + 1);
    Ok(match since.rfind(|entry| entry.release.run != release.run) {
        Some(other) => Entered::After(other.release),
        None => Entered::Next(number),
    })
}

/// Returns what stands for the entries of a run that deleted the record.
fn removed(release: &Release) -> Release {
    Release { state: State::Removing, by: "somebody who ran `down`".into(), ..release.clone() }
}

/// A run as the record has it, all its entries taken together.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Entry {
    /// What the run is called in the record.
    pub run: String,
    /// How it ended.
    pub ending: Ending,
    /// The commit that the code was of.
    pub release: Option<String>,
    /// The ARN of who ran it.
    pub by: String,
    /// When its last entry was written.
    pub at: Option<Timestamp>,
    /// How many resources got each action.
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
pub fn history(recorded: Vec<Recorded>) -> Vec<Entry> {
    let last = recorded.last().map(|recorded| recorded.release.run.clone());
    let mut runs: Vec<Recorded> = Vec::new();
    for entry in recorded {
        runs.retain(|earlier| earlier.release.run != entry.release.run);
        runs.push(entry);
    }
    let entries = runs.into_iter().rev().map(|Recorded { release, at, .. }| Entry {
        ending: match release.state {
            State::Done => Ending::Done,
            State::Failed => Ending::Failed,
            State::Removing => Ending::Removing,
            State::Begun if last.as_ref() == Some(&release.run) => Ending::Open,
            State::Begun => Ending::CutShort,
        },
        run: release.run,
        release: release.release,
        by: release.by,
        at,
        changes: release.changes,
        deployed: release.deployed,
    });
    entries.collect()
}
