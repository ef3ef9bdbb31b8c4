//! A question from request to answer: how a cart stands right now.

use domain::{Answer, ShoppingCartRepo};
use eventsourcing::EventStore;
use lambda_runtime::LambdaEvent;
use serde_json::Value;

use crate::{fault::Fault, request};

/// Answers one invocation of a function that asks for a cart.
///
/// The cart is folded from the same events that commands are decided on, so a caller sees
/// what it wrote a moment ago.
pub async fn answer<S: EventStore>(
    carts: &ShoppingCartRepo<S>,
    event: LambdaEvent<Value>,
) -> Result<Answer, Fault> {
    match request::get_cart(event.payload) {
        Ok(cart_id) => Ok(Answer::of(&carts.fetch(cart_id).await?)),
        Err(refusal) => Ok(refusal.into()),
    }
}
