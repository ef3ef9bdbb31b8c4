//! A second system for the acceptance tests: the cart, and beside it wishlists in the same events table.
//!
//! It has what the cart's own system does not need: a second type of aggregate, a handler that builds state
//! in a table of its own, with a binary key and two indexes, and a function that queries one of them.

pub mod request;
pub mod variables;
pub mod wishes;
pub mod wishlist;
