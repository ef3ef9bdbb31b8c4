//! The Lambda functions of the cart: their names and the variables that each reads.
//!
//! `functions` has a binary for each, and the stack a line; both take the names from here.

use eventsourcing::contract::{ARCHIVE, CAPTURE, EVENTS_TABLE, Function, REPLAY};

/// Opens a cart.
pub const OPEN_CART: Function = Function { name: "open-cart", does: "Opens a cart", reads: &[EVENTS_TABLE] };
/// Adds an item to an open cart.
pub const ADD_ITEM: Function =
    Function { name: "add-item", does: "Adds an item to an open cart", reads: &[EVENTS_TABLE] };
/// Closes a cart.
pub const CLOSE_CART: Function =
    Function { name: "close-cart", does: "Closes a cart", reads: &[EVENTS_TABLE] };
/// Answers what is in a cart.
pub const GET_CART: Function =
    Function { name: "get-cart", does: "Answers what is in a cart", reads: &[EVENTS_TABLE] };
/// Every function of the system apart from handlers ([`Function::handler`]).
pub const FUNCTIONS: &[Function] = &[OPEN_CART, ADD_ITEM, CLOSE_CART, GET_CART, CAPTURE, ARCHIVE, REPLAY];
