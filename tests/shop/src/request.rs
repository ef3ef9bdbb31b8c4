//! What callers of the functions of wishlists may send.

use eventsourcing::{Refusal, Request};
use runtime::request::{Fields, missing};
use serde_json::Value;
use uuid::Uuid;

use crate::wishlist::MakeWish;

/// Parses `{"wishlist_id", "item", "at_most_cents"}`.
///
/// # Errors
/// Fails if a field is missing, unknown or not of its type.
pub fn make_wish(payload: Value, default_id: Uuid) -> Result<Request<MakeWish>, Refusal> {
    let fields = Fields::of_command("make-wish", payload, &["wishlist_id", "item", "at_most_cents"])?;
    let command_id = fields.command_id(default_id)?;
    let wishlist_id = fields.required_id("wishlist_id")?;
    let item = fields.text("item")?.ok_or_else(|| missing("item"))?.to_owned();
    let at_most_cents = fields.integer("at_most_cents")?.ok_or_else(|| missing("at_most_cents"))?;
    fields.request(wishlist_id, MakeWish { item, at_most_cents }, command_id)
}

/// Parses `{"item"}`.
///
/// # Errors
/// Fails if the item is missing or empty, or there is another field.
pub fn find_wishes(payload: Value) -> Result<String, Refusal> {
    let fields = Fields::of_question(payload, &["item"])?;
    let item = fields.text("item")?.filter(|item| !item.is_empty());
    item.map(str::to_owned).ok_or_else(|| missing("item"))
}
