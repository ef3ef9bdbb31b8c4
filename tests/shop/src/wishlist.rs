//! A wishlist: the items that a customer would buy, each with the highest price.

use std::collections::BTreeMap;

use eventsourcing::event::{Event, Schema};
use eventsourcing::surroundings::Moment;
use eventsourcing::{Aggregate, Answering, RefusalKind};
use serde::{Deserialize, Serialize};
use thiserror::Error;
use uuid::Uuid;

/// The items of a wishlist with their highest prices, in cents.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Wishlist {
    wishes: BTreeMap<String, u32>,
}

/// The events of a wishlist.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "type", content = "data", deny_unknown_fields)]
pub enum WishlistEvent {
    /// A customer wishes for an item, or for the same item at another price.
    WishMade {
        /// The name of the item.
        item: String,
        /// The highest price, in cents.
        at_most_cents: u32,
    },
}

impl Event for WishlistEvent {
    const SCHEMAS: &'static [Schema] = &[Schema::first("WishMade")];
}

/// The command on a wishlist.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MakeWish {
    /// The name of the item.
    pub item: String,
    /// The highest price, in cents.
    pub at_most_cents: i64,
}

/// Why a wishlist refuses a command.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum WishlistError {
    /// It has no wish.
    #[error("the wishlist does not exist: make a wish first")]
    WishlistNotFound,
    /// The item has no name, or a long one.
    #[error("item must have 1 to 100 characters")]
    InvalidItem,
    /// The price is not one.
    #[error("at_most_cents must be 1 to {}", u32::MAX)]
    InvalidPrice,
}

impl Aggregate for Wishlist {
    const TYPE: &'static str = "wishlist";
    const MAX_EVENTS: u64 = 1_000;
    type Event = WishlistEvent;
    type Command = MakeWish;
    type Error = WishlistError;

    fn apply(&mut self, event: &WishlistEvent) {
        let WishlistEvent::WishMade { item, at_most_cents } = event;
        self.wishes.insert(item.clone(), *at_most_cents);
    }

    fn is_final(&self) -> bool {
        false
    }

    fn decide(&self, wish: &MakeWish, _: &Moment<'_>) -> Result<Vec<WishlistEvent>, WishlistError> {
        if !(1..=100).contains(&wish.item.chars().count()) {
            return Err(WishlistError::InvalidItem);
        }
        let at_most_cents = match u32::try_from(wish.at_most_cents) {
            Ok(cents @ 1..) => cents,
            _ => return Err(WishlistError::InvalidPrice),
        };
        if self.wishes.get(&wish.item) == Some(&at_most_cents) {
            return Ok(vec![]);
        }
        Ok(vec![WishlistEvent::WishMade { item: wish.item.clone(), at_most_cents }])
    }
}

/// The state of a wishlist at one version.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct WishlistView {
    /// The wishlist.
    pub wishlist_id: Uuid,
    /// The version of the last event included in this answer.
    pub version: u64,
    /// The items with their highest prices, in cents.
    pub wishes: BTreeMap<String, u32>,
}

impl Answering for Wishlist {
    const ID_FIELD: &'static str = "wishlist_id";
    type View = WishlistView;

    fn view(&self, wishlist_id: Uuid, version: u64) -> Result<WishlistView, WishlistError> {
        if self.wishes.is_empty() {
            return Err(WishlistError::WishlistNotFound);
        }
        Ok(WishlistView { wishlist_id, version, wishes: self.wishes.clone() })
    }

    fn rule(error: &WishlistError) -> (RefusalKind, &'static str) {
        match error {
            WishlistError::WishlistNotFound => (RefusalKind::NotFound, "WishlistNotFound"),
            WishlistError::InvalidItem => (RefusalKind::InvalidRequest, "InvalidItem"),
            WishlistError::InvalidPrice => (RefusalKind::InvalidRequest, "InvalidPrice"),
        }
    }
}

#[cfg(test)]
mod tests {
    use eventsourcing::testing::given;

    use super::*;

    fn wish(at_most_cents: i64) -> MakeWish {
        MakeWish { item: "tea".to_owned(), at_most_cents }
    }

    fn made(at_most_cents: u32) -> WishlistEvent {
        WishlistEvent::WishMade { item: "tea".to_owned(), at_most_cents }
    }

    #[test]
    fn wish_is_made_once_for_each_price() {
        given::<Wishlist>([]).when(&wish(500)).then([made(500)]);
        given::<Wishlist>([made(500)]).when(&wish(500)).then_nothing();
        given::<Wishlist>([made(500)]).when(&wish(600)).then([made(600)]);
        given::<Wishlist>([]).when(&wish(0)).then_refused(&WishlistError::InvalidPrice);
        let unnamed = MakeWish { item: String::new(), at_most_cents: 500 };
        given::<Wishlist>([]).when(&unnamed).then_refused(&WishlistError::InvalidItem);
    }
}
