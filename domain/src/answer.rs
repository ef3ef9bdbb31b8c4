//! What a caller is told: how the cart stands, or which rule forbade the command.
//!
//! A broken rule is an answer like any other. Faults are not answers; they never come here.

use eventsourcing::{Decision, History, history::Refused, id::InvalidId};
use serde::Serialize;
use uuid::Uuid;

use crate::cart::{CartError, Line, ShoppingCart, Status};

/// The answer to a command or a question.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(untagged)]
pub enum Answer {
    /// How the cart stands.
    Cart(CartView),
    /// Why nothing was done.
    Refusal(Refusal),
}

/// How a cart stands at one version.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct CartView {
    /// The cart.
    pub cart_id: Uuid,
    /// The version of the last event that the rest of the answer accounts for.
    pub version: u64,
    /// Whether items can be added.
    pub status: Status,
    /// What is in the cart.
    pub items: Vec<Line>,
}

/// Why nothing was done.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Refusal {
    /// A name to tell reasons apart by, such as `CartClosed`.
    pub error: &'static str,
    /// A sentence for people.
    pub message: String,
    /// The cart it was about, if one was named.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cart_id: Option<Uuid>,
}

impl Answer {
    /// Returns the answer to somebody who asks how a cart stands.
    pub fn of(history: &History<ShoppingCart>) -> Self {
        view(history.id().uuid(), history.version(), history.state())
    }

    /// Returns the answer to a command that was decided and stored.
    pub fn decided(decision: &Decision<ShoppingCart>) -> Self {
        view(decision.id.uuid(), decision.version, &decision.state)
    }
}

impl Refusal {
    /// Returns the refusal of a request that says something other than it may.
    pub fn invalid_request(message: impl Into<String>) -> Self {
        Self::new("InvalidRequest", message)
    }

    /// Returns the refusal of a command that lost the race too many times.
    pub fn conflict() -> Self {
        Self::new(
            "Conflict",
            "the cart is being changed by too many at once: repeat the command, with the same command_id",
        )
    }

    /// Returns the same refusal, saying which cart it is about.
    #[must_use]
    pub fn about(mut self, cart_id: Uuid) -> Self {
        self.cart_id = Some(cart_id);
        self
    }

    fn new(error: &'static str, message: impl Into<String>) -> Self {
        Self { error, message: message.into(), cart_id: None }
    }
}

fn view(cart_id: Uuid, version: u64, cart: &ShoppingCart) -> Answer {
    match cart.status() {
        Some(status) => Answer::Cart(CartView { cart_id, version, status, items: cart.lines().to_vec() }),
        None => Refusal::from(CartError::CartNotFound).about(cart_id).into(),
    }
}

impl From<Refusal> for Answer {
    fn from(refusal: Refusal) -> Self {
        Self::Refusal(refusal)
    }
}

impl From<CartError> for Refusal {
    fn from(error: CartError) -> Self {
        Self::new(error.name(), error.to_string())
    }
}

impl From<InvalidId> for Refusal {
    fn from(error: InvalidId) -> Self {
        Self::new("InvalidId", error.to_string())
    }
}

impl From<Refused<CartError>> for Refusal {
    fn from(refused: Refused<CartError>) -> Self {
        match refused {
            Refused::Rule(error) => error.into(),
            Refused::CommandReused { .. } => Self::new("CommandReused", refused.to_string()),
        }
    }
}

#[cfg(test)]
mod tests {
    use eventsourcing::Aggregate;
    use serde_json::json;

    use super::*;
    use crate::cart::CartEvent;

    #[test]
    fn a_cart_and_a_refusal_look_as_promised() {
        let mut cart = ShoppingCart::default();
        cart.apply(&CartEvent::CartOpened {});
        cart.apply(&CartEvent::ItemAdded { item: "tea".to_owned(), quantity: 2 });
        let answer = view(Uuid::nil(), 2, &cart);
        assert_eq!(
            json!(answer),
            json!({"cart_id": Uuid::nil(), "version": 2, "status": "open",
                "items": [{"item": "tea", "quantity": 2}]})
        );
        let refusal = Refusal::from(CartError::CartClosed).about(Uuid::nil());
        assert_eq!(
            json!(Answer::from(refusal)),
            json!({"error": "CartClosed", "cart_id": Uuid::nil(),
                "message": "the cart is closed and can no longer be changed"})
        );
    }
}
