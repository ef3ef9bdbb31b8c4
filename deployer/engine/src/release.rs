//! The release record: who deployed what, and what a run set out to make.
//!
//! It is evidence and no state file: what is changed follows from what is live. It tells a
//! deleted thing from one never deployed, and what a run that was killed had made from what
//! somebody else made. Its number tells a run that another one was at work meanwhile.
//! There is no lock, so none gets stuck.

mod history;
mod maker;

pub use history::{Ending, PastRun, history};
pub use maker::maker;

use std::collections::{BTreeMap, BTreeSet};
use std::future::Future;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::action::Action;
use crate::error::Error;
use crate::resource::{Cloud, ResourceId};
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
    /// Who runs it, by their name in the cloud.
    pub by: String,
    /// How many resources get each action.
    pub changes: BTreeMap<Action, usize>,
    /// The ids of what is there: after the run when it is done, before it otherwise.
    pub deployed: BTreeSet<String>,
    /// The ids of what the run makes, whose names were free when it began. When it has ended:
    /// those of which it does not know whether they were made.
    pub making: BTreeSet<String>,
    /// The ids of what the run changes. When it has ended: those of which it does not know how
    /// far it came.
    #[serde(default)]
    pub changing: BTreeSet<String>,
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

/// A cloud that keeps the record of an environment.
pub trait ReleaseRecord: Cloud {
    /// The kind under which a plan names the record.
    const RECORD_KIND: &'static str;

    /// Reads the last entry of the release record.
    fn last_release(&self) -> impl Future<Output = Result<Option<Recorded>, Error>> + Send;

    /// Reads all entries of the release record that there are, oldest first.
    fn releases(&self) -> impl Future<Output = Result<Vec<Recorded>, Error>> + Send;

    /// Adds an entry to the release record and returns its number: one more than the last
    /// one's. With `first`, an entry that is there already is an error, [`Class::Exists`].
    ///
    /// [`Class::Exists`]: crate::error::Class::Exists
    fn record(&self, release: &Release, first: bool) -> impl Future<Output = Result<u64, Error>> + Send;

    /// Deletes the release record. Succeeds when there is none.
    fn forget_releases(&self) -> impl Future<Output = Result<(), Error>> + Send;
}

/// Returns the name of the record: `/demo/dev/release`.
pub fn name(scope: &Scope) -> String {
    format!("/{}/{}/release", scope.stack, scope.environment)
}

/// Returns the record's id.
pub fn id<C: ReleaseRecord>(scope: &Scope) -> ResourceId {
    ResourceId::new(C::RECORD_KIND, name(scope))
}

/// Returns the numbers of the entries of runs that stopped before their first write, because
/// another was faster: they said again what the other had said.
pub(crate) fn withdrawn(entries: &[Recorded]) -> BTreeSet<u64> {
    let said_before = |at: usize, again: &Release| entries[..at].iter().any(|entry| entry.release == *again);
    let alone = |run: &str| entries.iter().filter(|entry| entry.release.run == run).count() == 1;
    let pairs = entries.windows(2).enumerate();
    let withdrew = pairs.filter(|(at, pair)| {
        let [one, next] = [&pair[0].release, &pair[1].release];
        one.run != next.run && alone(&one.run) && said_before(*at, next)
    });
    withdrew.map(|(_, pair)| pair[0].number).collect()
}
