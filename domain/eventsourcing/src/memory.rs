//! An in-memory event store, for tests and examples.

use std::{
    collections::{BTreeMap, btree_map::Entry},
    convert::Infallible,
    sync::{Mutex, MutexGuard, PoisonError},
};

use futures::{Stream, stream};

use crate::{
    commit::Commit,
    id::AggregateId,
    store::{AppendError, EventStore},
};

/// Stores commits by aggregate and version, as the table does.
#[derive(Debug, Default)]
pub struct InMemoryStore {
    // A map of whole commits is valid after every step, so a poisoned lock is still usable.
    commits: Mutex<BTreeMap<(AggregateId, u64), Commit>>,
}

impl InMemoryStore {
    /// Returns an empty store.
    pub fn new() -> Self {
        Self::default()
    }

    fn lock(&self) -> MutexGuard<'_, BTreeMap<(AggregateId, u64), Commit>> {
        self.commits.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl EventStore for InMemoryStore {
    type Error = Infallible;

    fn read_after(
        &self,
        id: &AggregateId,
        version: u64,
    ) -> impl Stream<Item = Result<Commit, Infallible>> + Send {
        let commits = self.lock();
        let of_id = commits.range((id.clone(), version + 1)..=(id.clone(), u64::MAX));
        let found: Vec<_> = of_id.map(|(_, commit)| Ok(commit.clone())).collect();
        stream::iter(found)
    }

    async fn append(&self, commit: &Commit) -> Result<(), AppendError<Infallible>> {
        let key = (commit.aggregate_id.clone(), commit.version);
        match self.lock().entry(key) {
            Entry::Vacant(free) => {
                free.insert(commit.clone());
                Ok(())
            }
            Entry::Occupied(taken) if taken.get().is(commit) => Ok(()),
            Entry::Occupied(_) => Err(AppendError::Conflict),
        }
    }
}
