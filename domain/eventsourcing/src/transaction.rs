//! Carries out a command: fetch, decide and store, repeated whenever another decision was stored first.

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

/// The result of a command.
#[derive(Debug)]
pub struct Transaction<A: Aggregate> {
    /// The outcome.
    pub outcome: TransactionOutcome<A>,
    /// How often it was decided again because another decision was stored first.
    pub lost_races: u32,
}

/// The outcome of a command.
#[derive(Debug)]
pub enum TransactionOutcome<A: Aggregate> {
    /// It was decided and stored.
    Stored(Decision<A>),
    /// It was refused, and nothing is stored.
    Refused(Refused<A::Error>),
    /// Other decisions were stored first each time, and nothing is stored.
    Conflict,
}

/// Why a command failed.
#[derive(Debug, Error)]
pub enum TransactError<E: std::error::Error + 'static> {
    /// The aggregate could not be fetched. Nothing was stored.
    #[error(transparent)]
    Fetch(#[from] FetchError<E>),
    /// The decision could not be encoded, or the store failed and may have stored it.
    #[error(transparent)]
    Store(#[from] StoreError<E>),
}

/// Carries out a command, and decides it again whenever another decision was stored first.
///
/// Losing a race is normal. The aggregate is fetched and the rules are checked again, because the command may
/// have another effect by now. `again` waits before the next attempt, and returns whether to make one.
///
/// # Errors
/// Returns an error if the store fails or has an invalid history, or if the events cannot be encoded.
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
