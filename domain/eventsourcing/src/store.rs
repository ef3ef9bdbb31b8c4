//! The trait of an event store: read the commits of one aggregate, append one commit.

use futures::Stream;
use thiserror::Error;

use crate::{commit::Commit, id::AggregateId};

/// A durable store of commits.
///
/// The suite in `testing::conformance` (feature `testing`) checks the rules here, and every store has to pass
/// it.
pub trait EventStore: Send + Sync {
    /// A fault of the store: it is not reachable, or its data cannot be read.
    type Error: std::error::Error + Send + Sync + 'static;

    /// Returns the commits of an aggregate whose first event is after this version, in the order of their
    /// versions.
    ///
    /// All commits appended before the call are included. Of commits appended meanwhile some may be included,
    /// even a later one without an earlier one.
    fn read_after(
        &self,
        id: &AggregateId,
        version: u64,
    ) -> impl Stream<Item = Result<Commit, Self::Error>> + Send;

    /// Returns all commits of an aggregate, as [`EventStore::read_after`] does.
    fn read(&self, id: &AggregateId) -> impl Stream<Item = Result<Commit, Self::Error>> + Send {
        self.read_after(id, 0)
    }

    /// Appends a commit, completely or not at all, unless its version is taken.
    ///
    /// A commit follows the last version that its writer has read, so a taken version means that another
    /// writer was faster. If the version is taken by this same commit (see [`Commit::is`]), the earlier
    /// append succeeded, and this one succeeds too.
    fn append(&self, commit: &Commit) -> impl Future<Output = Result<(), AppendError<Self::Error>>> + Send;
}

/// Why a commit was not appended.
#[derive(Debug, Error)]
pub enum AppendError<E: std::error::Error + 'static> {
    /// Another writer was faster: read again and decide again.
    #[error("another commit was stored first")]
    Conflict,
    /// The store failed, and it is not known whether the commit was appended.
    #[error(transparent)]
    Store(E),
}

impl<S: EventStore> EventStore for &S {
    type Error = S::Error;

    fn read_after(
        &self,
        id: &AggregateId,
        version: u64,
    ) -> impl Stream<Item = Result<Commit, S::Error>> + Send {
        S::read_after(self, id, version)
    }

    fn append(&self, commit: &Commit) -> impl Future<Output = Result<(), AppendError<S::Error>>> + Send {
        S::append(self, commit)
    }
}
