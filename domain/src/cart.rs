//! The shopping cart: its state, its events, its decisions and its answers.
//!
//! A cart is opened, filled and closed. This file contains all business rules: replace it with an aggregate
//! of your own.

use eventsourcing::{
    Aggregate, Answering, Moment, RefusalKind, Repo,
    event::{Event, Schema},
};
use serde::{Deserialize, Serialize};
use thiserror::Error;
use uuid::Uuid;

/// The maximum length of an item's name, in characters.
pub const MAX_NAME_LENGTH: usize = 200;
/// The maximum quantity of one command.
pub const MAX_QUANTITY: u32 = 999;
/// The maximum number of different items in a cart. The event that closes the cart lists all of them, with
/// names of any characters, and has to fit into one commit.
pub const MAX_ITEMS: usize = 200;

/// The namespace of cart identifiers derived from command ids; it can never change.
const CARTS_BY_COMMAND: Uuid = Uuid::from_u128(0x5b1f_6e0e_8a43_4d0c_9d0f_7a3c_21e6_54b8);

/// The carts in an event store.
pub type ShoppingCartRepo<S> = Repo<ShoppingCart, S>;

/// Returns the id of a new cart for a command without a cart id.
///
/// It is derived from the command id, so that a repeated command finds the same cart.
pub fn cart_opened_by(command_id: Uuid) -> Uuid {
    Uuid::new_v5(&CARTS_BY_COMMAND, command_id.as_bytes())
}

// State.

/// A shopping cart, rebuilt from its events.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ShoppingCart {
    status: Option<CartStatus>,
    lines: Vec<CartLine>,
}

/// Whether items can be added to a cart.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum CartStatus {
    /// Items can be added.
    Open,
    /// Nothing can be changed.
    Closed,
}

/// One item of a cart, with its quantity.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CartLine {
    /// The name of the item.
    pub item: String,
    /// The total quantity that was added.
    pub quantity: u64,
}

impl ShoppingCart {
    /// Returns whether the cart is open or closed; `None` if it was never opened.
    pub fn status(&self) -> Option<CartStatus> {
        self.status
    }

    /// Returns the items in the order in which they were first added.
    pub fn lines(&self) -> &[CartLine] {
        &self.lines
    }

    fn holds(&self, item: &str) -> bool {
        self.lines.iter().any(|line| line.item == item)
    }
}

// Events. The names of variants are stored and never change. A changed field needs a new schema version, an
// upcaster and a golden file.

/// The events of a cart.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "type", content = "data", deny_unknown_fields)]
pub enum CartEvent {
    /// The cart was opened, and items can be added.
    CartOpened {},
    /// A quantity of an item was added to the quantity in the cart.
    ItemAdded {
        /// The name of the item.
        item: String,
        /// The added quantity.
        quantity: u32,
    },
    /// The cart was closed. Readers of closed carts need no other event.
    CartClosed {
        /// The contents, in the order in which the items were first added.
        items: Vec<CartLine>,
    },
}

impl Event for CartEvent {
    const SCHEMAS: &'static [Schema] =
        &[Schema::first("CartOpened"), Schema::first("ItemAdded"), Schema::first("CartClosed")];
}

// Decisions.

/// A command on a cart. The decision validates its values.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum CartCommand {
    /// Opens the cart.
    Open,
    /// Adds a quantity of an item.
    AddItem {
        /// The name of the item.
        item: String,
        /// The quantity.
        quantity: i64,
    },
    /// Closes the cart.
    Close,
}

/// The rule that a command would break.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum CartError {
    /// No cart was opened under this id.
    #[error("the cart does not exist: open it first")]
    CartNotFound,
    /// The cart is closed permanently.
    #[error("the cart is closed and can no longer be changed")]
    CartClosed,
    /// The cart is full and cannot take another item.
    #[error("the cart has {MAX_ITEMS} different items, the maximum")]
    CartFull,
    /// The item's name or quantity is invalid.
    #[error("{0}")]
    InvalidItem(String),
}

impl CartError {
    /// Returns the name by which callers distinguish broken rules.
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
    // About 325 bytes each: together a third of one page of a query.
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
            // Nothing to do: the caller wants an open cart, and it is open.
            (CartCommand::Open, Some(Open)) => Ok(vec![]),
            // A closed cart is never reopened, and the caller must not believe that it was.
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

/// Returns the quantity if it and the name are valid.
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

// Answers.

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

    fn rule(error: &CartError) -> (RefusalKind, &'static str) {
        let kind = match error {
            CartError::CartNotFound => RefusalKind::NotFound,
            CartError::CartClosed | CartError::CartFull => RefusalKind::Forbidden,
            CartError::InvalidItem(_) => RefusalKind::InvalidRequest,
        };
        (kind, error.name())
    }
}
