//! What callers of the cart's functions may send.

use domain::cart::{CartCommand, cart_opened_by};
use eventsourcing::{Refusal, Request};
use serde_json::Value;
use uuid::Uuid;

use runtime::request::{Fields, missing};

/// Parses `{"cart_id"?}`.
pub fn open_cart(payload: Value, default_id: Uuid) -> Result<Request<CartCommand>, Refusal> {
    let fields = Fields::of_command("open-cart", payload, &["cart_id"])?;
    let command_id = fields.command_id(default_id)?;
    let cart_id = fields.id("cart_id")?.unwrap_or_else(|| cart_opened_by(command_id));
    fields.request(cart_id, CartCommand::Open, command_id)
}

/// Parses `{"cart_id", "item", "quantity"?}`.
pub fn add_item(payload: Value, default_id: Uuid) -> Result<Request<CartCommand>, Refusal> {
    let fields = Fields::of_command("add-item", payload, &["cart_id", "item", "quantity"])?;
    let command_id = fields.command_id(default_id)?;
    let cart_id = fields.required_id("cart_id")?;
    let item = fields.text("item")?.ok_or_else(|| missing("item"))?.to_owned();
    let quantity = fields.integer("quantity")?.unwrap_or(1);
    fields.request(cart_id, CartCommand::AddItem { item, quantity }, command_id)
}

/// Parses `{"cart_id"}`.
pub fn close_cart(payload: Value, default_id: Uuid) -> Result<Request<CartCommand>, Refusal> {
    let fields = Fields::of_command("close-cart", payload, &["cart_id"])?;
    let command_id = fields.command_id(default_id)?;
    let cart_id = fields.required_id("cart_id")?;
    fields.request(cart_id, CartCommand::Close, command_id)
}

#[cfg(test)]
mod tests {
    use domain::cart::ShoppingCart;
    use serde_json::json;

    use super::*;
    use runtime::request::{Parse, question};

    const CART: Uuid = Uuid::from_u128(1);
    const COMMAND: Uuid = Uuid::from_u128(2);
    const FRESH: Uuid = Uuid::from_u128(3);

    fn refusal(parse: Parse<CartCommand>, payload: Value) -> (&'static str, String) {
        let refusal = parse(payload, FRESH).expect_err("the request is refused");
        (refusal.error, refusal.message)
    }

    #[test]
    fn minimal_cart_requests_are_accepted() {
        let opened = open_cart(json!({}), FRESH).expect("the request is valid");
        assert_eq!(opened.aggregate_id, cart_opened_by(FRESH));
        assert_eq!((opened.command_id, opened.correlation_id), (FRESH, FRESH));

        let payload = json!({"cart_id": CART, "item": "tea", "actor": null});
        let added = add_item(payload, FRESH).expect("the request is valid");
        let one = CartCommand::AddItem { item: "tea".to_owned(), quantity: 1 };
        assert_eq!((added.aggregate_id, added.command, added.actor), (CART, one, None));

        assert_eq!(question::<ShoppingCart>(json!({"cart_id": CART})), Ok(CART));
    }

    #[test]
    fn optional_request_fields_are_all_taken() {
        let payload = json!({"cart_id": CART, "command_id": COMMAND, "correlation_id": FRESH, "causation_id": CART, "actor": "zoë"});
        for (parse, command) in [
            (open_cart as Parse<CartCommand>, CartCommand::Open),
            (close_cart as Parse<CartCommand>, CartCommand::Close),
        ] {
            let parsed = parse(payload.clone(), Uuid::nil()).expect("the request is valid");
            let expected = Request {
                aggregate_id: CART,
                command,
                command_id: COMMAND,
                hash: parsed.hash,
                correlation_id: FRESH,
                causation_id: Some(CART),
                actor: Some("zoë".to_owned()),
            };
            assert_eq!(parsed, expected);
        }
    }

    /// The hash distinguishes a repeated command from a different one with the same id.
    #[test]
    fn request_hash_ignores_command_and_correlation_ids() {
        let hash = |parse: Parse<CartCommand>, payload: Value| {
            parse(payload, FRESH).expect("the request is valid").hash
        };
        let least = json!({"cart_id": CART, "item": "tea"});
        let one = hash(add_item, least.clone());
        let with = |field: &str, value: Value| {
            let mut payload = least.clone();
            payload[field] = value;
            payload
        };
        for (field, value) in
            [("command_id", json!(COMMAND)), ("correlation_id", json!(FRESH)), ("actor", json!(null))]
        {
            assert_eq!(hash(add_item, with(field, value)), one, "{field}");
        }
        for (field, value) in [("item", json!("Tea")), ("quantity", json!(1)), ("actor", json!("zoë"))] {
            assert_ne!(hash(add_item, with(field, value)), one, "{field}");
        }
        let cart = json!({"cart_id": CART});
        assert_ne!(hash(open_cart, cart.clone()), hash(close_cart, cart), "another command");
    }

    #[test]
    fn cart_opened_without_an_id_follows_from_command() {
        let open = |fresh_id| open_cart(json!({"command_id": COMMAND}), fresh_id);
        assert_eq!(open(FRESH), open(Uuid::nil()));
    }

    #[test]
    fn unknown_field_is_named_with_known_ones() {
        assert_eq!(
            refusal(add_item, json!({"cart_id": CART, "item": "tea", "quantiy": 2})),
            (
                "InvalidRequest",
                "unknown field \"quantiy\"; allowed fields: cart_id, item, quantity, command_id, correlation_id, causation_id, actor"
                    .to_owned()
            )
        );
        assert_eq!(
            question::<ShoppingCart>(json!({"cart_id": CART, "version": 3})),
            Err(Refusal::invalid_request("unknown field \"version\"; allowed fields: cart_id"))
        );
    }

    #[test]
    fn wrong_field_is_named_with_its_expected_form() {
        let invalid = |message: &str| ("InvalidRequest", message.to_owned());
        let add = |field: &str, value: Value| {
            let mut payload = json!({"cart_id": CART, "item": "tea"});
            payload[field] = value;
            refusal(add_item, payload)
        };
        assert_eq!(add("quantity", json!("two")), invalid("quantity must be a whole number"));
        assert_eq!(add("quantity", json!(1.5)), invalid("quantity must be a whole number"));
        assert_eq!(add("item", json!(7)), invalid("item must be a string"));
        assert_eq!(add("item", json!(null)), invalid("item is missing"));
        assert_eq!(add("actor", json!("")), invalid("actor must have 1 to 200 characters, not 0"));
        assert_eq!(refusal(close_cart, json!({})), invalid("cart_id is missing"));
        assert_eq!(
            refusal(open_cart, json!("open")),
            invalid(
                "the request must be a JSON object; allowed fields: cart_id, command_id, correlation_id, causation_id, actor"
            )
        );
    }

    #[test]
    fn field_that_is_no_uuid_is_an_invalid_id() {
        for field in ["cart_id", "command_id", "correlation_id"] {
            for value in [json!("1"), json!(1), json!({}), json!("")] {
                let (error, message) = refusal(open_cart, json!({ field: value }));
                assert_eq!(error, "InvalidId");
                assert!(message.starts_with(&format!("{field} must be a UUID")), "{message}");
            }
        }
    }
}
