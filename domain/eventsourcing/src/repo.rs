//! Aggregates as the write side sees them: fetch one, decide, store what was decided.

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

/// The aggregates of one type in a store of events.
///
/// It remembers the last that it fetched, and of those reads only what is new: a lost race and a warm
/// function cost no second look at the whole.
#[derive(Debug)]
pub struct Repo<A: Aggregate, S> {
    store: S,
    recent: Recent<A>,
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
        Self { store, recent: Recent::new() }
    }

    /// Returns the history of an aggregate, an empty one when nothing ever happened to it.
    ///
    /// It has whatever was stored before the call.
    pub async fn fetch(&self, uuid: Uuid) -> Result<Arc<History<A>>, FetchError<S::Error>> {
        let id = AggregateId::of::<A>(uuid);
        let known = self.recent.take(&id).unwrap_or_else(|| Arc::new(History::new(id.clone())));
        let history = match self.read_on(known).await {
            // Reading is no snapshot: of two commits appended meanwhile, only the second may
            // have been seen. Whoever reads again sees both; a gap that stays is real. And what is
            // remembered of a table that was replaced says nothing.
            Err(FetchError::History(HistoryError::Gap { .. } | HistoryError::Lost { .. })) => {
                self.read_on(Arc::new(History::new(id))).await?
            }
            read => read?,
        };
        self.recent.keep(Arc::clone(&history));
        Ok(history)
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

    /// Reads what follows on what is known, which ends with a commit that has to be there still.
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
