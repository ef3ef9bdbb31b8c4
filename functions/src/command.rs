//! A command from request to answer: fetch, decide, store, and again if somebody was faster.

use domain::{Answer, ShoppingCartRepo, answer::Refusal};
use eventsourcing::{Context, EventStore, OccurredAt, repo::StoreError};
use lambda_runtime::LambdaEvent;
use serde_json::Value;
use storage::patience::Patience;

use crate::{
    fault::Fault,
    request::{Parse, Request},
    surroundings::Surroundings,
};

/// Answers one invocation of a function that changes carts.
pub async fn answer<S: EventStore>(
    carts: &ShoppingCartRepo<S>,
    parse: Parse,
    event: LambdaEvent<Value>,
    surroundings: &impl Surroundings,
) -> Result<Answer, Fault> {
    let patience = Patience::until(event.context.deadline());
    let answer = match parse(event.payload, surroundings.new_id()) {
        Ok(request) => execute(carts, &request, patience, surroundings).await?,
        Err(refusal) => refusal.into(),
    };
    if let Answer::Refusal(Refusal { error, message, cart_id }) = &answer {
        tracing::info!(error, message, cart_id = cart_id.map(tracing::field::display), "refused");
    }
    Ok(answer)
}

/// Executes a command, deciding it again each time another one was faster.
///
/// A lost race is normal life: the cart is fetched and the rules are checked anew, since
/// the command may mean something else by now. Patience alone bounds how often: what counts
/// for the caller is the time, not the number.
pub async fn execute<S: EventStore>(
    carts: &ShoppingCartRepo<S>,
    request: &Request,
    mut patience: Patience,
    surroundings: &impl Surroundings,
) -> Result<Answer, Fault> {
    for lost_races in 0.. {
        let history = carts.fetch(request.cart_id).await?;
        let decision = match history.decide(request.command_id, &request.command) {
            Ok(decision) => decision,
            Err(refused) => return Ok(Refusal::from(refused).about(request.cart_id).into()),
        };
        let context = Context {
            correlation_id: request.correlation_id,
            actor: request.actor.clone(),
            ..Context::new(request.command_id, OccurredAt::new(surroundings.now()))
        };
        match carts.store(&decision, context, || surroundings.new_id()).await {
            Ok(()) => {
                tracing::info!(
                    cart_id = %request.cart_id,
                    command_id = %request.command_id,
                    version = decision.version,
                    events = decision.events.len(),
                    lost_races,
                    "decided"
                );
                return Ok(Answer::decided(&decision));
            }
            Err(StoreError::Conflict) if patience.wait().await => {}
            Err(StoreError::Conflict) => break,
            Err(fault) => return Err(fault.into()),
        }
    }
    Ok(Refusal::conflict().about(request.cart_id).into())
}
