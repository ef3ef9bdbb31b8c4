//! What callers may send: the fields of each request, and clear words for everything else.
//!
//! A request with a field that nobody knows is refused as a whole. It is most likely a
//! misspelt one, and ignoring `quantiy` would put one of something into the cart.

use domain::{
    answer::Refusal,
    cart::{CartCommand, cart_opened_by},
};
use eventsourcing::id;
use serde_json::{Map, Value};
use uuid::Uuid;

/// The longest name of an actor, in characters.
const MAX_ACTOR_LENGTH: usize = 200;

/// A command as it was asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Request {
    /// The cart it is about.
    pub cart_id: Uuid,
    /// What is wanted of it.
    pub command: CartCommand,
    /// What tells a repeat from another command.
    pub command_id: Uuid,
    /// What the messages of a conversation share; the command id when none was given.
    pub correlation_id: Uuid,
    /// Who asks, as the caller says.
    pub actor: Option<String>,
}

/// Understands a request; the id is for a command that came without one.
pub type Parse = fn(Value, Uuid) -> Result<Request, Refusal>;

/// Understands `{"cart_id"?}`.
pub fn open_cart(payload: Value, fresh_id: Uuid) -> Result<Request, Refusal> {
    let fields = Fields::of(payload, &["cart_id", "command_id", "correlation_id", "actor"])?;
    let command_id = fields.command_id(fresh_id)?;
    let cart_id = fields.id("cart_id")?.unwrap_or_else(|| cart_opened_by(command_id));
    fields.request(cart_id, CartCommand::Open, command_id)
}

/// Understands `{"cart_id", "item", "quantity"?}`.
pub fn add_item(payload: Value, fresh_id: Uuid) -> Result<Request, Refusal> {
    let allowed = ["cart_id", "item", "quantity", "command_id", "correlation_id", "actor"];
    let fields = Fields::of(payload, &allowed)?;
    let command_id = fields.command_id(fresh_id)?;
    let cart_id = fields.cart_id()?;
    let item = fields.text("item")?.ok_or_else(|| missing("item"))?.to_owned();
    let quantity = fields.integer("quantity")?.unwrap_or(1);
    fields.request(cart_id, CartCommand::AddItem { item, quantity }, command_id)
}

/// Understands `{"cart_id"}`.
pub fn close_cart(payload: Value, fresh_id: Uuid) -> Result<Request, Refusal> {
    let fields = Fields::of(payload, &["cart_id", "command_id", "correlation_id", "actor"])?;
    let command_id = fields.command_id(fresh_id)?;
    let cart_id = fields.cart_id()?;
    fields.request(cart_id, CartCommand::Close, command_id)
}

/// Understands `{"cart_id"}` as a question, which needs nothing of what a command has.
pub fn get_cart(payload: Value) -> Result<Uuid, Refusal> {
    Fields::of(payload, &["cart_id"])?.cart_id()
}

/// The fields of a request. One that is null counts as not given.
struct Fields(Map<String, Value>);

impl Fields {
    fn of(payload: Value, allowed: &[&str]) -> Result<Self, Refusal> {
        let Value::Object(mut fields) = payload else {
            return Err(Refusal::invalid_request(format!(
                "the request must be a JSON object; allowed are {}",
                allowed.join(", ")
            )));
        };
        if let Some(unknown) = fields.keys().find(|name| !allowed.contains(&name.as_str())) {
            return Err(Refusal::invalid_request(format!(
                "unknown field {unknown:?}; allowed are {}",
                allowed.join(", ")
            )));
        }
        fields.retain(|_, value| !value.is_null());
        Ok(Self(fields))
    }

    fn request(self, cart_id: Uuid, command: CartCommand, command_id: Uuid) -> Result<Request, Refusal> {
        let actor = self.text("actor")?;
        let length = actor.map_or(1, |actor| actor.chars().count());
        if !(1..=MAX_ACTOR_LENGTH).contains(&length) {
            return Err(Refusal::invalid_request(format!(
                "actor must have 1 to {MAX_ACTOR_LENGTH} characters, not {length}"
            )));
        }
        Ok(Request {
            cart_id,
            command,
            command_id,
            correlation_id: self.id("correlation_id")?.unwrap_or(command_id),
            actor: actor.map(str::to_owned),
        })
    }

    fn command_id(&self, fresh_id: Uuid) -> Result<Uuid, Refusal> {
        Ok(self.id("command_id")?.unwrap_or(fresh_id))
    }

    fn cart_id(&self) -> Result<Uuid, Refusal> {
        self.id("cart_id")?.ok_or_else(|| missing("cart_id"))
    }

    fn id(&self, field: &'static str) -> Result<Option<Uuid>, Refusal> {
        // A number is no more a UUID than a wrong text is: both are told in the same words.
        let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
        let given = self.0.get(field).map(text);
        Ok(given.map(|text| id::parse(field, &text)).transpose()?)
    }

    fn text(&self, field: &str) -> Result<Option<&str>, Refusal> {
        self.typed(field, "a string", Value::as_str)
    }

    fn integer(&self, field: &str) -> Result<Option<i64>, Refusal> {
        self.typed(field, "a whole number", Value::as_i64)
    }

    fn typed<'a, T>(
        &'a self,
        field: &str,
        kind: &str,
        read: impl Fn(&'a Value) -> Option<T>,
    ) -> Result<Option<T>, Refusal> {
        let wrong = || Refusal::invalid_request(format!("{field} must be {kind}"));
        let given = self.0.get(field);
        given.map(|value| read(value).ok_or_else(wrong)).transpose()
    }
}

fn missing(field: &str) -> Refusal {
    Refusal::invalid_request(format!("{field} is missing"))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    const CART: Uuid = Uuid::from_u128(1);
    const COMMAND: Uuid = Uuid::from_u128(2);
    const FRESH: Uuid = Uuid::from_u128(3);

    fn told(parse: Parse, payload: Value) -> (&'static str, String) {
        let refusal = parse(payload, FRESH).expect_err("the request is refused");
        (refusal.error, refusal.message)
    }

    #[test]
    fn the_least_is_enough() {
        let opened = open_cart(json!({}), FRESH).expect("the request is understood");
        assert_eq!(opened.cart_id, cart_opened_by(FRESH));
        assert_eq!((opened.command_id, opened.correlation_id), (FRESH, FRESH));

        let payload = json!({"cart_id": CART, "item": "tea", "actor": null});
        let added = add_item(payload, FRESH).expect("the request is understood");
        let one = CartCommand::AddItem { item: "tea".to_owned(), quantity: 1 };
        assert_eq!((added.cart_id, added.command, added.actor), (CART, one, None));

        assert_eq!(get_cart(json!({"cart_id": CART})), Ok(CART));
    }

    #[test]
    fn everything_that_is_given_is_taken() {
        let payload =
            json!({"cart_id": CART, "command_id": COMMAND, "correlation_id": FRESH, "actor": "zoë"});
        for (parse, command) in
            [(open_cart as Parse, CartCommand::Open), (close_cart as Parse, CartCommand::Close)]
        {
            let expected = Request {
                cart_id: CART,
                command,
                command_id: COMMAND,
                correlation_id: FRESH,
                actor: Some("zoë".to_owned()),
            };
            assert_eq!(parse(payload.clone(), Uuid::nil()), Ok(expected));
        }
    }

    #[test]
    fn a_cart_opened_without_an_id_follows_from_the_command() {
        let open = |fresh_id| open_cart(json!({"command_id": COMMAND}), fresh_id);
        assert_eq!(open(FRESH), open(Uuid::nil()));
    }

    #[test]
    fn an_unknown_field_is_named_together_with_the_known_ones() {
        assert_eq!(
            told(add_item, json!({"cart_id": CART, "item": "tea", "quantiy": 2})),
            (
                "InvalidRequest",
                "unknown field \"quantiy\"; allowed are cart_id, item, quantity, command_id, correlation_id, actor"
                    .to_owned()
            )
        );
        assert_eq!(
            get_cart(json!({"cart_id": CART, "version": 3})),
            Err(Refusal::invalid_request("unknown field \"version\"; allowed are cart_id"))
        );
    }

    #[test]
    fn a_wrong_field_is_named_together_with_what_it_must_be() {
        let invalid = |message: &str| ("InvalidRequest", message.to_owned());
        let add = |field: &str, value: Value| {
            let mut payload = json!({"cart_id": CART, "item": "tea"});
            payload[field] = value;
            told(add_item, payload)
        };
        assert_eq!(add("quantity", json!("two")), invalid("quantity must be a whole number"));
        assert_eq!(add("quantity", json!(1.5)), invalid("quantity must be a whole number"));
        assert_eq!(add("item", json!(7)), invalid("item must be a string"));
        assert_eq!(add("item", json!(null)), invalid("item is missing"));
        assert_eq!(add("actor", json!("")), invalid("actor must have 1 to 200 characters, not 0"));
        assert_eq!(told(close_cart, json!({})), invalid("cart_id is missing"));
        assert_eq!(
            told(open_cart, json!("open")),
            invalid(
                "the request must be a JSON object; allowed are cart_id, command_id, correlation_id, actor"
            )
        );
    }

    #[test]
    fn what_is_not_a_uuid_is_an_invalid_id() {
        for field in ["cart_id", "command_id", "correlation_id"] {
            for value in [json!("1"), json!(1), json!({}), json!("")] {
                let (error, message) = told(open_cart, json!({ field: value }));
                assert_eq!(error, "InvalidId");
                assert!(message.starts_with(&format!("{field} must be a UUID")), "{message}");
            }
        }
    }
}
