//! Answers about a cart.

use eventsourcing::Answering;
use serde::Serialize;
use uuid::Uuid;

use crate::cart::{CartError, CartLine, CartStatus, ShoppingCart};

/// The state of a cart at one version.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct CartView {
    /// The cart.
    pub cart_id: Uuid,
    /// The version of the last event included in this answer.
    pub version: u64,
    /// Whether items can be added.
    pub status: CartStatus,
    /// The contents of the cart.
    pub items: Vec<CartLine>,
}

impl Answering for ShoppingCart {
    const ID_FIELD: &'static str = "cart_id";
    type View = CartView;

    fn view(&self, cart_id: Uuid, version: u64) -> Result<CartView, CartError> {
        let status = self.status().ok_or(CartError::CartNotFound)?;
        Ok(CartView { cart_id, version, status, items: self.lines().to_vec() })
    }

    fn rule(error: &CartError) -> &'static str {
        error.name()
    }
}

#[cfg(test)]
mod tests {
    use eventsourcing::{Aggregate, Answer, Refusal};
    use serde_json::json;

    use super::*;
    use crate::cart::CartEvent;

    #[test]
    fn cart_and_refusal_answers_have_the_documented_form() {
        let mut cart = ShoppingCart::default();
        cart.apply(&CartEvent::CartOpened {});
        cart.apply(&CartEvent::ItemAdded { item: "tea".to_owned(), quantity: 2 });
        let answer = Answer::View(cart.view(Uuid::nil(), 2).expect("the cart is open"));
        assert_eq!(
            json!(answer),
            json!({"cart_id": Uuid::nil(), "version": 2, "status": "open",
                "items": [{"item": "tea", "quantity": 2}]})
        );
        let refusal =
            Refusal::rule::<ShoppingCart>(&CartError::CartClosed).about::<ShoppingCart>(Uuid::nil());
        assert_eq!(
            json!(Answer::<CartView>::from(refusal)),
            json!({"error": "CartClosed", "cart_id": Uuid::nil(),
                "message": "the cart is closed and can no longer be changed"})
        );
    }
}
