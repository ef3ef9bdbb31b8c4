//! Answers a query: from the request to the current state of an aggregate.

use eventsourcing::{Answer, Answering, EventStore, Repo};
use lambda_runtime::LambdaEvent;
use serde_json::Value;

use crate::{fault::Fault, request::question};

/// Answers one invocation of a function that reads an aggregate.
///
/// The state is built from the same events that commands are decided on, so a caller always sees its own
/// writes.
pub async fn answer<A: Answering, S: EventStore>(
    repo: &Repo<A, S>,
    event: LambdaEvent<Value>,
) -> Result<Answer<A::View>, Fault> {
    let id = match question::<A>(event.payload) {
        Ok(id) => id,
        Err(refusal) => return Ok(refusal.into()),
    };
    let history = repo.fetch(id).await?;
    Ok(Answer::of(&history))
}
