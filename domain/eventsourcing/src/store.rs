//! What a store of events has to do: read the commits of one aggregate, append one commit.

use futures::Stream;
use thiserror::Error;

use crate::{commit::Commit, id::AggregateId};

/// A place where commits are kept for good.
///
/// Whether a store does what is asked here is told by the suite in `testing::conformance`
/// (feature `testing`), which every store has to pass.
pub trait EventStore: Send + Sync {
    /// A fault of the store: it was out of reach, or what it holds cannot be read.
    type Error: std::error::Error + Send + Sync + 'static;

    /// Returns the commits of an aggregate behind a version, in the order of their versions: those whose
    /// first event has a later one.
    ///
    /// Whatever was appended before the call is there. Of commits appended meanwhile some
    /// may be there, and a later one may even be there without an earlier one.
    fn read_after(
        &self,
        id: &AggregateId,
        version: u64,
    ) -> impl Stream<Item = Result<Commit, Self::Error>> + Send;

    /// Returns all commits of an aggregate, as [`EventStore::read_after`] does.
    fn read(&self, id: &AggregateId) -> impl Stream<Item = Result<Commit, Self::Error>> + Send {
        self.read_after(id, 0)
    }

    /// Appends a commit, all of it or nothing, unless its version is taken.
    ///
    /// A commit follows on the last version its writer has read, so a taken version means
    /// that another writer was faster. When the version is taken by this very commit (see
    /// [`Commit::is`]), the append has come about and succeeds.
    fn append(&self, commit: &Commit) -> impl Future<Output = Result<(), AppendError<Self::Error>>> + Send;
}

/// Why a commit was not appended.
#[derive(Debug, Error)]
pub enum AppendError<E: std::error::Error + 'static> {
    /// Another writer was faster: read again and decide again.
    #[error("another commit was faster")]
    Conflict,
    /// The store failed, and whether the commit was appended is not known.
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
