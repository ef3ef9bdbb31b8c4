//! Answers a query: from the request to the current state of an aggregate.

use eventsourcing::{Answer, Answering, EventStore, History, Repo};
use lambda_runtime::LambdaEvent;
use serde_json::Value;

use crate::{fault::Fault, request::question};

/// Answers one invocation of a function that returns the state of an aggregate.
///
/// The state is built from the same events that commands are decided on, so a caller always sees its own
/// writes.
pub async fn answer<A: Answering, S: EventStore>(
    repo: &Repo<A, S>,
    event: LambdaEvent<Value>,
) -> Result<Answer<A::View>, Fault> {
    answer_with(repo, event, Answer::of).await
}

/// Answers one invocation of a function that computes its own answer from the history of an aggregate. The history
/// has version 0 if the aggregate does not exist.
pub async fn answer_with<A: Answering, S: EventStore, V>(
    repo: &Repo<A, S>,
    event: LambdaEvent<Value>,
    answer: impl FnOnce(&History<A>) -> Answer<V>,
) -> Result<Answer<V>, Fault> {
    match question::<A>(event.payload) {
        Ok(id) => Ok(answer(&*repo.fetch(id).await?)),
        Err(refusal) => Ok(refusal.into()),
    }
}
