//! How carts behave, seen from outside: one module per behaviour.

#![expect(clippy::unwrap_used, reason = "a panic is how a test fails")]

mod cart;
mod cart_properties;
mod golden;
