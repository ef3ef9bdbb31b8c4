//! The write side's view of aggregates: fetch one, decide, store the decision.

mod recent;

use std::{pin::pin, sync::Arc};

use futures::TryStreamExt;
use thiserror::Error;
use uuid::Uuid;

use crate::{
    aggregate::Aggregate,
    commit::{Commit, CommitError, Context},
    history::{Decision, History, HistoryError},
    id::AggregateId,
    repo::recent::Recent,
    store::{AppendError, EventStore},
};

/// The aggregates of one type in an event store.
///
/// It caches the histories that were fetched last and reads only new commits for them: after a lost race, and
/// in a warm function, the whole history is not read again.
#[derive(Debug)]
pub struct Repo<A: Aggregate, S> {
    store: S,
    recent: Recent<A>,
}

/// Why an aggregate could not be fetched; all variants are faults.
#[derive(Debug, Error)]
pub enum FetchError<E: std::error::Error + 'static> {
    /// The store failed.
    #[error("the event store failed")]
    Store(#[source] E),
    /// The stored events are not a valid history.
    #[error("the stored events are not a valid history")]
    History(#[from] HistoryError),
}

/// Why a decision was not stored.
#[derive(Debug, Error)]
pub enum StoreError<E: std::error::Error + 'static> {
    /// Another decision was stored first: fetch again and decide again.
    #[error("another decision was stored first")]
    Conflict,
    /// The store failed, and it is not known whether the decision was stored.
    #[error("the event store failed")]
    Store(#[source] E),
    /// The events cannot be encoded, or do not fit into one commit.
    #[error("the new events cannot be stored")]
    Commit(#[from] CommitError),
}

impl<A: Aggregate, S: EventStore> Repo<A, S> {
    /// Returns the aggregates of this type in a store.
    pub fn new(store: S) -> Self {
        Self { store, recent: Recent::new() }
    }

    /// Returns the history of an aggregate, an empty one if it has no events.
    ///
    /// It includes all events that were stored before the call.
    pub async fn fetch(&self, uuid: Uuid) -> Result<Arc<History<A>>, FetchError<S::Error>> {
        let id = AggregateId::of::<A>(uuid);
        let known = self.recent.take(&id).unwrap_or_else(|| Arc::new(History::new(id.clone())));
        let history = match self.read_on(known).await {
            // Reading is not a snapshot: of two commits appended meanwhile, only the second may have been
            // read. Another read gets both; a gap that remains is real. The cached history of a table that
            // was replaced is wrong as well.
            Err(FetchError::History(HistoryError::Gap { .. } | HistoryError::Lost { .. })) => {
                self.read_on(Arc::new(History::new(id))).await?
            }
            read => read?,
        };
        self.recent.keep(Arc::clone(&history));
        Ok(history)
    }

    /// Stores a decision, unless another decision was stored first.
    ///
    /// `new_id` returns the id of each event. A decision without events is already stored.
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

    /// Reads the commits after the known history, whose last commit has to exist still.
    async fn read_on(&self, mut history: Arc<History<A>>) -> Result<Arc<History<A>>, FetchError<S::Error>> {
        let id = history.id().clone();
        let mut commits = pin!(self.store.read_after(&id, history.before_last_commit()));
        if history.version() > 0 {
            history.meets(commits.try_next().await.map_err(FetchError::Store)?.as_ref())?;
        }
        while let Some(commit) = commits.try_next().await.map_err(FetchError::Store)? {
            Arc::make_mut(&mut history).fold(&commit)?;
        }
        Ok(history)
    }
}
