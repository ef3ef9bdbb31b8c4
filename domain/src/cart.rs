//! The shopping cart: its state, its events and its decisions.
//!
//! A cart is opened, filled and closed. This file holds all of the business rules and is
//! the one to replace by an aggregate of your own.

use eventsourcing::{
    Aggregate, Moment, Repo,
    event::{Event, Schema},
};
use serde::{Deserialize, Serialize};
use thiserror::Error;
use uuid::Uuid;

/// The longest name of an item, in characters.
pub const MAX_NAME_LENGTH: usize = 200;
/// The most that one command can add of an item.
pub const MAX_QUANTITY: u32 = 999;
/// The most different items that a cart can hold. The event that closes it has all of them, under names of
/// whatever bytes, and has to fit into one commit.
pub const MAX_ITEMS: usize = 200;

/// The namespace of cart identifiers derived from command ids; it can never change.
const CARTS_BY_COMMAND: Uuid = Uuid::from_u128(0x5b1f_6e0e_8a43_4d0c_9d0f_7a3c_21e6_54b8);

/// The carts in a store of events.
pub type ShoppingCartRepo<S> = Repo<ShoppingCart, S>;

/// Returns the id of the cart that a command opens when it names none.
///
/// It follows from the command id, so that a repeated command finds the same cart.
pub fn cart_opened_by(command_id: Uuid) -> Uuid {
    Uuid::new_v5(&CARTS_BY_COMMAND, command_id.as_bytes())
}

// State.

/// A shopping cart as its events tell it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ShoppingCart {
    status: Option<CartStatus>,
    lines: Vec<CartLine>,
}

/// Whether a cart still takes items.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum CartStatus {
    /// Items can be added.
    Open,
    /// Nothing can be changed any more.
    Closed,
}

/// One item of a cart, and how much of it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CartLine {
    /// The name of the item.
    pub item: String,
    /// The sum of all that was added of it.
    pub quantity: u64,
}

impl ShoppingCart {
    /// Returns whether the cart is open or closed, or nothing when it was never opened.
    pub fn status(&self) -> Option<CartStatus> {
        self.status
    }

    /// Returns the items in the order in which they first came into the cart.
    pub fn lines(&self) -> &[CartLine] {
        &self.lines
    }

    fn holds(&self, item: &str) -> bool {
        self.lines.iter().any(|line| line.item == item)
    }
}

// Events. The names of variants are stored, and never change. Changing a field takes a new schema
// version, an upcaster and a golden file.

/// What happened to a cart.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "type", content = "data", deny_unknown_fields)]
pub enum CartEvent {
    /// The cart came to be and takes items.
    CartOpened {},
    /// Some of an item was put into the cart, on top of what was there.
    ItemAdded {
        /// The name of the item.
        item: String,
        /// How much of it was added.
        quantity: u32,
    },
    /// The cart takes no more items. Readers of closed carts need no other event.
    CartClosed {
        /// What is in it, in the order in which it first came.
        items: Vec<CartLine>,
    },
}

impl Event for CartEvent {
    const SCHEMAS: &'static [Schema] =
        &[Schema::first("CartOpened"), Schema::first("ItemAdded"), Schema::first("CartClosed")];
}

// Decisions.

/// What somebody wants of a cart. Anything can be asked for; the decision checks it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum CartCommand {
    /// Opens the cart.
    Open,
    /// Adds some of an item.
    AddItem {
        /// The name of the item.
        item: String,
        /// How much of it.
        quantity: i64,
    },
    /// Closes the cart.
    Close,
}

/// The rule of a cart that a command would break.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum CartError {
    /// No cart was ever opened under this id.
    #[error("there is no such cart: open it first")]
    CartNotFound,
    /// The cart is closed, for good.
    #[error("the cart is closed and can no longer be changed")]
    CartClosed,
    /// The cart cannot take one more different item.
    #[error("the cart holds {MAX_ITEMS} different items, which is all it can hold")]
    CartFull,
    /// What should be added is not an item, or not a sensible amount of it.
    #[error("{0}")]
    InvalidItem(String),
}

impl CartError {
    /// Returns the name by which callers tell broken rules apart.
    pub fn name(&self) -> &'static str {
        match self {
            Self::CartNotFound => "CartNotFound",
            Self::CartClosed => "CartClosed",
            Self::CartFull => "CartFull",
            Self::InvalidItem(_) => "InvalidItem",
        }
    }
}

impl Aggregate for ShoppingCart {
    const TYPE: &'static str = "cart";
    // Some 325 bytes each: a third of what one query reads at a time.
    const MAX_EVENTS: u64 = 1_000;
    type Event = CartEvent;
    type Command = CartCommand;
    type Error = CartError;

    fn apply(&mut self, event: &CartEvent) {
        match event {
            CartEvent::CartOpened {} => self.status = Some(CartStatus::Open),
            CartEvent::ItemAdded { item, quantity } => {
                let quantity = u64::from(*quantity);
                match self.lines.iter_mut().find(|line| &line.item == item) {
                    Some(line) => line.quantity += quantity,
                    None => self.lines.push(CartLine { item: item.clone(), quantity }),
                }
            }
            CartEvent::CartClosed { .. } => self.status = Some(CartStatus::Closed),
        }
    }

    fn is_final(&self) -> bool {
        self.status == Some(CartStatus::Closed)
    }

    fn decide(&self, command: &CartCommand, _: &Moment<'_>) -> Result<Vec<CartEvent>, CartError> {
        use CartError::{CartClosed, CartFull, CartNotFound};
        use CartStatus::{Closed, Open};

        match (command, self.status) {
            (CartCommand::Open, None) => Ok(vec![CartEvent::CartOpened {}]),
            // The wish has come true already: whoever asks wants an open cart and has one.
            (CartCommand::Open, Some(Open)) => Ok(vec![]),
            // A closed cart is never reopened, and a caller must not believe it was.
            (CartCommand::Open, Some(Closed)) => Err(CartClosed),

            (CartCommand::AddItem { .. } | CartCommand::Close, None) => Err(CartNotFound),

            (CartCommand::AddItem { .. }, Some(Closed)) => Err(CartClosed),
            (CartCommand::AddItem { item, quantity }, Some(Open)) => {
                let quantity = checked(item, *quantity)?;
                if self.lines.len() >= MAX_ITEMS && !self.holds(item) {
                    return Err(CartFull);
                }
                Ok(vec![CartEvent::ItemAdded { item: item.clone(), quantity }])
            }

            (CartCommand::Close, Some(Open)) => Ok(vec![CartEvent::CartClosed { items: self.lines.clone() }]),
            (CartCommand::Close, Some(Closed)) => Ok(vec![]),
        }
    }
}

/// Returns the quantity when it and the name can stand in an event.
fn checked(item: &str, quantity: i64) -> Result<u32, CartError> {
    let invalid = |message| Err(CartError::InvalidItem(message));
    let length = item.chars().count();
    if !(1..=MAX_NAME_LENGTH).contains(&length) {
        return invalid(format!("item must have 1 to {MAX_NAME_LENGTH} characters, not {length}"));
    }
    match u32::try_from(quantity) {
        Ok(quantity @ 1..=MAX_QUANTITY) => Ok(quantity),
        _ => invalid(format!("quantity must be 1 to {MAX_QUANTITY}, not {quantity}")),
    }
}
