//! Executes a command: from the request to the answer.

use eventsourcing::{
    Answer, Answering, EventStore, Refusal, Repo, Request, Surroundings, transact,
    transaction::{Transaction, TransactionOutcome},
};
use lambda_runtime::LambdaEvent;
use serde_json::Value;
use storage::patience::Patience;
use tracing::field::display;
use uuid::Uuid;

use crate::{fault::Fault, request::Parse};

/// The namespace of command ids that are derived from invocations. It can never change.
const COMMANDS_BY_REQUEST: Uuid = Uuid::from_u128(0x8d0c_4a56_3c1f_4e7b_9a52_60d9_1be7_f3a4);

/// Answers one invocation of a function that changes aggregates of one type.
pub async fn answer<A: Answering, S: EventStore>(
    repo: &Repo<A, S>,
    parse: Parse<A::Command>,
    event: LambdaEvent<Value>,
    surroundings: &impl Surroundings,
) -> Result<Answer<A::View>, Fault> {
    let patience = Patience::until(event.context.deadline());
    let answer = match parse(event.payload, command_of(&event.context.request_id)) {
        Ok(request) => execute(repo, &request, patience, surroundings).await?,
        Err(refusal) => refusal.into(),
    };
    if let Answer::Refusal(Refusal { error, message, about, .. }) = &answer {
        let aggregate_id = about.map(|(_, id)| display(id));
        tracing::info!(error, message, aggregate_type = A::TYPE, aggregate_id, "refused");
    }
    Ok(answer)
}

/// Executes a command. Only `patience` limits the retries: the caller cares about the time, not the number of
/// attempts.
pub async fn execute<A: Answering, S: EventStore>(
    repo: &Repo<A, S>,
    request: &Request<A::Command>,
    mut patience: Patience,
    surroundings: &impl Surroundings,
) -> Result<Answer<A::View>, Fault> {
    let transaction = transact(repo, request, surroundings, async || patience.wait().await).await?;
    let Transaction { outcome, lost_races } = transaction;
    if let TransactionOutcome::Stored(decision) = &outcome {
        tracing::info!(
            aggregate_type = A::TYPE,
            aggregate_id = %request.aggregate_id,
            command_id = %request.command_id,
            version = decision.version,
            events = decision.events.len(),
            lost_races,
            "decided"
        );
    }
    Ok(Answer::to_command(request.aggregate_id, outcome))
}

/// Returns the id of a command that was sent without one. It is derived from the request id, which is the
/// same for all attempts that Lambda makes: an attempt that ended without an answer may have stored its
/// events.
fn command_of(request_id: &str) -> Uuid {
    Uuid::new_v5(&COMMANDS_BY_REQUEST, request_id.as_bytes())
}
