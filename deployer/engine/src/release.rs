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
pub enum ReleaseState {
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
    pub state: ReleaseState,
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
    /// Of what is there, what tells each from another of the same name, see [`Live::identity`].
    ///
    /// [`Live::identity`]: crate::resource::Live::identity
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub identities: BTreeMap<String, String>,
    /// The package that each function is made of when the run is done, by the function's name: a digest.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub packages: BTreeMap<String, String>,
    /// The data that code deployed here reads, and so may have written, by name, each with the highest version of
    /// its schema. It is recorded before the first writer is changed.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub reads: BTreeMap<String, u32>,
}

/// Takes over what others read, of each the highest version.
pub(crate) fn also_reads<'a>(
    reads: &mut BTreeMap<String, u32>,
    others: impl IntoIterator<Item = (&'a String, &'a u32)>,
) {
    for (name, version) in others {
        let read = reads.entry(name.clone()).or_default();
        *read = (*read).max(*version);
    }
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

/// A cloud that keeps the record of an environment. Whatever was written is shown to whoever asks next.
pub trait ReleaseRecord: Cloud {
    /// Returns the id under which a plan names the record.
    fn record_id(scope: &Scope) -> ResourceId;

    /// Returns what the record is kept in, if that is a thing among others. It is made with the first entry, and
    /// goes with the record.
    fn kept_in(scope: &Scope) -> Option<ResourceId>;

    /// Reads the last entry of the release record.
    fn last_release(&self) -> impl Future<Output = Result<Option<Recorded>, Error>> + Send;

    /// Reads the entries of the release record from this number on, oldest first.
    fn releases(&self, from: u64) -> impl Future<Output = Result<Vec<Recorded>, Error>> + Send;

    /// Adds an entry to the release record under this number. The first, 1, makes the record.
    ///
    /// # Errors
    /// The number is taken ([`Class::Exists`]), or there is no record ([`Class::Gone`]).
    ///
    /// [`Class::Exists`]: crate::error::Class::Exists
    /// [`Class::Gone`]: crate::error::Class::Gone
    fn record(&self, release: &Release, number: u64) -> impl Future<Output = Result<(), Error>> + Send;

    /// Takes back the entry of this number, which nobody has built on. Succeeds when it is gone.
    fn withdraw(&self, number: u64) -> impl Future<Output = Result<(), Error>> + Send;

    /// Deletes the release record, and what it is kept in. Succeeds when there is none.
    fn forget_releases(&self) -> impl Future<Output = Result<(), Error>> + Send;
}
