//! Aggregates as the write side sees them: fetch one, decide, store what was decided.

use std::{marker::PhantomData, pin::pin};

use futures::TryStreamExt;
use thiserror::Error;
use uuid::Uuid;

use crate::{
    aggregate::Aggregate,
    commit::{Commit, CommitError, Context},
    history::{Decision, History, HistoryError},
    id::AggregateId,
    store::{AppendError, EventStore},
};

/// The aggregates of one type in a store of events.
#[derive(Debug, Clone)]
pub struct Repo<A, S> {
    store: S,
    of: PhantomData<fn() -> A>,
}

/// Why an aggregate could not be fetched; all of these are faults.
#[derive(Debug, Error)]
pub enum FetchError<E: std::error::Error + 'static> {
    /// The store failed.
    #[error("the store of events failed")]
    Store(#[source] E),
    /// What the store holds makes no aggregate.
    #[error("the stored events make no history")]
    History(#[from] HistoryError),
}

/// Why a decision was not stored.
#[derive(Debug, Error)]
pub enum StoreError<E: std::error::Error + 'static> {
    /// Another decision was faster: fetch again and decide again.
    #[error("another decision was faster")]
    Conflict,
    /// The store failed, and whether the decision was stored is not known.
    #[error("the store of events failed")]
    Store(#[source] E),
    /// The events cannot be written down, or are too much for one commit.
    #[error("the decided events cannot be written down")]
    Commit(#[from] CommitError),
}

impl<A: Aggregate, S: EventStore> Repo<A, S> {
    /// Returns the aggregates of this type in a store.
    pub fn new(store: S) -> Self {
        Self { store, of: PhantomData }
    }

    /// Returns the history of an aggregate, an empty one when nothing ever happened to it.
    pub async fn fetch(&self, uuid: Uuid) -> Result<History<A>, FetchError<S::Error>> {
        match self.fetch_once(uuid).await {
            // Reading is no snapshot: of two commits appended meanwhile, only the second may
            // have been seen. Whoever reads again sees both; a gap that stays is real.
            Err(FetchError::History(HistoryError::Gap { .. })) => self.fetch_once(uuid).await,
            fetched => fetched,
        }
    }

    /// Stores what was decided, unless another decision was faster.
    ///
    /// `new_id` is asked for the id of each event. A decision without events is stored
    /// already.
    pub async fn store(
        &self,
        decision: &Decision<A>,
        context: Context,
        new_id: impl FnMut() -> Uuid,
    ) -> Result<(), StoreError<S::Error>> {
        let Decision { id, events, version, .. } = decision;
        if events.is_empty() {
            return Ok(());
        }
        let behind = version - events.len() as u64;
        let commit = Commit::of(id.clone(), behind, events, context, new_id)?;
        self.store.append(&commit).await.map_err(|error| match error {
            AppendError::Conflict => StoreError::Conflict,
            AppendError::Store(error) => StoreError::Store(error),
        })
    }

    async fn fetch_once(&self, uuid: Uuid) -> Result<History<A>, FetchError<S::Error>> {
        let id = AggregateId::of::<A>(uuid);
        let mut history = History::new(id.clone());
        let mut commits = pin!(self.store.read(&id));
        while let Some(commit) = commits.try_next().await.map_err(FetchError::Store)? {
            history.fold(&commit)?;
        }
        Ok(history)
    }
}
