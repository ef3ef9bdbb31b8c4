//! The behaviour of carts through the public interface: one module per subject.

#![expect(clippy::unwrap_used, reason = "a panic is how a test fails")]

mod cart;
mod cart_properties;
mod golden;
