//! The Lambda functions of the cart: their names and the variables that each reads.
//!
//! `functions` has a binary for each of them, and the stack has one line; both use these names.

use eventsourcing::contract::{EVENTS_TABLE, Function};

/// Opens a cart.
pub const OPEN_CART: Function =
    Function { name: "open-cart", description: "Opens a cart", reads: &[EVENTS_TABLE] };
/// Adds an item to an open cart.
pub const ADD_ITEM: Function =
    Function { name: "add-item", description: "Adds an item to an open cart", reads: &[EVENTS_TABLE] };
/// Closes a cart.
pub const CLOSE_CART: Function =
    Function { name: "close-cart", description: "Closes a cart", reads: &[EVENTS_TABLE] };
/// Returns the contents of a cart.
pub const GET_CART: Function =
    Function { name: "get-cart", description: "Returns the contents of a cart", reads: &[EVENTS_TABLE] };
/// All functions of the cart except handlers ([`Function::handler`]).
pub const FUNCTIONS: &[Function] = &[OPEN_CART, ADD_ITEM, CLOSE_CART, GET_CART];
