//! A question from request to answer: how an aggregate stands right now.

use eventsourcing::{Answer, Answering, EventStore, Repo};
use lambda_runtime::LambdaEvent;
use serde_json::Value;

use crate::{fault::Fault, request::question};

/// Answers one invocation of a function that asks for an aggregate.
///
/// It is folded from the same events that commands are decided on, so a caller sees what it wrote a
/// moment ago.
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
