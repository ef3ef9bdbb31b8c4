//! The shopping cart, as an example of event sourcing.
//!
//! Everything here is a function from values to values: this crate knows no AWS, no async
//! runtime, no clock and no randomness.
//!
//! # Where to start reading
//!
//! [`cart`] has the business rules and the answers; replace it with an aggregate of your own.
//!
//! The general parts, such as events, commits, histories and stores, are in the crate `eventsourcing`.
//!
//! # A cart in five lines
//!
//! ```
//! use domain::cart::{CartCommand, CartEvent, ShoppingCart};
//! use eventsourcing::{Aggregate, Moment, testing::Fixed};
//!
//! let (mut cart, surroundings) = (ShoppingCart::default(), Fixed::default());
//! let events = cart.decide(&CartCommand::Open, &Moment::of(&surroundings))?;
//! events.iter().for_each(|event| cart.apply(event));
//! assert_eq!(events, [CartEvent::CartOpened {}]);
//! # Ok::<(), domain::cart::CartError>(())
//! ```

pub mod cart;

pub use cart::ShoppingCartRepo;
