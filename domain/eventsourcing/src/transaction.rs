//! A command from what was asked to what is stored: fetch, decide, store, and again whenever
//! another decision was faster.

use thiserror::Error;

use crate::{
    aggregate::Aggregate,
    commit::Context,
    history::{Decision, Refused},
    occurred_at::OccurredAt,
    repo::{FetchError, Repo, StoreError},
    request::Request,
    store::EventStore,
    surroundings::{Moment, Surroundings},
};

/// What became of a command.
#[derive(Debug)]
pub struct Transaction<A: Aggregate> {
    /// How it ended.
    pub outcome: TransactionOutcome<A>,
    /// How often it was decided anew because another decision was faster.
    pub lost_races: u32,
}

/// How a command ended.
#[derive(Debug)]
pub enum TransactionOutcome<A: Aggregate> {
    /// It was decided, and is stored.
    Stored(Decision<A>),
    /// It was refused, and nothing is stored.
    Refused(Refused<A::Error>),
    /// Other decisions were faster each time, and nothing is stored.
    Conflict,
}

/// Why a command was not carried out.
#[derive(Debug, Error)]
pub enum TransactError<E: std::error::Error + 'static> {
    /// The aggregate could not be fetched. Nothing was stored.
    #[error(transparent)]
    Fetch(#[from] FetchError<E>),
    /// The decision could not be written down, or the store failed and may have it all the same.
    #[error(transparent)]
    Store(#[from] StoreError<E>),
}

/// Carries out a command, deciding it again each time another decision was faster.
///
/// A lost race is normal life: the aggregate is fetched and the rules are checked anew, since
/// the command may mean something else by now. `again` waits before the next try and tells
/// whether there is to be one.
///
/// # Errors
/// The store failed, or holds what makes no history; or the decided events cannot be written down.
pub async fn transact<A: Aggregate, S: EventStore>(
    repo: &Repo<A, S>,
    request: &Request<A::Command>,
    surroundings: &impl Surroundings,
    mut again: impl AsyncFnMut() -> bool,
) -> Result<Transaction<A>, TransactError<S::Error>> {
    let mut lost_races = 0;
    let outcome = loop {
        let history = repo.fetch(request.aggregate_id).await?;
        let moment = Moment::of(surroundings);
        let decision = match history.decide(request, &moment) {
            Ok(decision) => decision,
            Err(refused) => break TransactionOutcome::Refused(refused),
        };
        let context = Context::of(request, OccurredAt::new(moment.now()));
        match repo.store(&decision, context, || moment.new_id()).await {
            Ok(()) => break TransactionOutcome::Stored(decision),
            Err(StoreError::Conflict) if again().await => lost_races += 1,
            Err(StoreError::Conflict) => break TransactionOutcome::Conflict,
            Err(error) => return Err(error.into()),
        }
    };
    Ok(Transaction { outcome, lost_races })
}
