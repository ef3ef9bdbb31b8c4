//! The release record: the runs of an environment, each with its caller, its commit and the resources that it
//! creates.
//!
//! It is evidence and not a state file: plans follow from the live state. It distinguishes a deleted resource
//! from one that was never deployed, and resources that an interrupted run created from unmanaged ones. Entry
//! numbers reveal concurrent runs. There is no lock that could be left behind.

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

/// The version of the record's format.
pub const SCHEMA: u32 = 1;

/// The state of a run.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ReleaseState {
    /// It is changing resources, or was interrupted.
    Begun,
    /// All resources are as desired.
    Done,
    /// It failed and recorded the failure.
    Failed,
    /// It is deleting the environment, or was interrupted.
    Removing,
}

/// One entry of the record.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Release {
    /// The version of the format.
    pub schema: u32,
    /// The id that all entries of one run share.
    pub run: String,
    /// The state of the run.
    pub state: ReleaseState,
    /// The Git commit of the code; `-dirty` if there were uncommitted changes.
    pub release: Option<String>,
    /// The caller's name in the cloud.
    pub by: String,
    /// The number of resources for each action.
    pub changes: BTreeMap<Action, usize>,
    /// The ids of the resources that exist: after the run if it is done, otherwise before it.
    pub deployed: BTreeSet<String>,
    /// The ids of the resources that the run creates, whose names were free when it started. After the run:
    /// the ones that may or may not have been created.
    pub making: BTreeSet<String>,
    /// The ids of the resources that the run changes. After the run: the ones that may be changed only in
    /// part.
    #[serde(default)]
    pub changing: BTreeSet<String>,
    /// The identities of the existing resources, see [`Live::identity`].
    ///
    /// [`Live::identity`]: crate::resource::Live::identity
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub identities: BTreeMap<String, String>,
    /// The digest of each function's package when the run is done, by the function's name.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub packages: BTreeMap<String, String>,
    /// The schemas that deployed code reads and may have written, by name, each with its highest version. It
    /// is recorded before the first writer is changed.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub reads: BTreeMap<String, u32>,
}

/// Adds other schema versions; the highest version of each schema wins.
pub(crate) fn also_reads<'a>(
    reads: &mut BTreeMap<String, u32>,
    others: impl IntoIterator<Item = (&'a String, &'a u32)>,
) {
    for (name, version) in others {
        let read = reads.entry(name.clone()).or_default();
        *read = (*read).max(*version);
    }
}

/// A stored entry of the record.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Recorded {
    /// The entry.
    pub release: Release,
    /// Its number. Each is one more than the last; a new record begins with 1.
    pub number: u64,
    /// When it was written.
    pub at: Option<Timestamp>,
}

/// A cloud that stores the release record of an environment. Reads are strongly consistent.
pub trait ReleaseRecord: Cloud {
    /// Returns the id of the record in a plan.
    fn record_id(scope: &Scope) -> ResourceId;

    /// Returns the resource that stores the record, if that is a resource of its own. It is created with the
    /// first entry and deleted with the record.
    fn kept_in(scope: &Scope) -> Option<ResourceId>;

    /// Reads the last entry of the release record.
    fn last_release(&self) -> impl Future<Output = Result<Option<Recorded>, Error>> + Send;

    /// Reads the entries of the release record starting at this number, oldest first.
    fn releases(&self, from: u64) -> impl Future<Output = Result<Vec<Recorded>, Error>> + Send;

    /// Adds an entry to the release record under this number. The first entry, 1, creates the record.
    ///
    /// # Errors
    /// Fails if the number is taken ([`Class::Exists`]) or the record does not exist ([`Class::Gone`]).
    ///
    /// [`Class::Exists`]: crate::error::Class::Exists
    /// [`Class::Gone`]: crate::error::Class::Gone
    fn record(&self, release: &Release, number: u64) -> impl Future<Output = Result<(), Error>> + Send;

    /// Removes the entry of this number, which no other run has continued. Succeeds if it does not exist.
    fn withdraw(&self, number: u64) -> impl Future<Output = Result<(), Error>> + Send;

    /// Deletes the release record and the resource that stores it. Succeeds if there is none.
    fn forget_releases(&self) -> impl Future<Output = Result<(), Error>> + Send;
}
