//! The shopping cart as a story of events, and the contracts of how that story is stored.
//!
//! Everything here is a function from values to values: this crate knows no AWS, no async
//! runtime, no clock and no randomness. Times and fresh identifiers are passed in, stores
//! are reached through a trait.
//!
//! # Where to start reading
//!
//! * [`cart`]: the business rules, and the one file to replace by an aggregate of your own.
//! * [`aggregate`] and [`event`]: what a set of business rules has to offer.
//! * [`commit`], [`envelope`], [`json`] and [`occurred_at`]: what is stored and published.
//! * [`history`]: what the commits of one aggregate fold to, and how a command is decided.
//! * [`store`], [`memory`] and [`repo`]: how commits are read and appended.
//! * [`answer`]: what a caller is told.
//! * [`probe`] and [`replay`]: what is sent through the pipeline to test it, or once more.
//! * [`contract`] and [`functions`]: the names shared with the program that deploys all this.
//!
//! # A cart in five lines
//!
//! ```
//! use domain::{Aggregate, cart::{CartCommand, CartEvent, ShoppingCart}};
//!
//! let mut cart = ShoppingCart::default();
//! let events = cart.decide(&CartCommand::Open)?;
//! events.iter().for_each(|event| cart.apply(event));
//! assert_eq!(events, [CartEvent::CartOpened {}]);
//! # Ok::<(), domain::cart::CartError>(())
//! ```

pub mod aggregate;
pub mod answer;
pub mod cart;
pub mod commit;
pub mod contract;
pub mod envelope;
pub mod event;
pub mod functions;
pub mod history;
pub mod id;
pub mod json;
pub mod memory;
pub mod occurred_at;
pub mod probe;
mod regrouped;
pub mod replay;
pub mod repo;
pub mod store;
#[cfg(feature = "testing")]
pub mod testing;

pub use aggregate::Aggregate;
pub use answer::Answer;
pub use cart::ShoppingCartRepo;
pub use commit::{Commit, Context, StoredEvent};
pub use envelope::Envelope;
pub use history::{Decision, History};
pub use id::AggregateId;
pub use json::JsonText;
pub use memory::InMemoryStore;
pub use occurred_at::OccurredAt;
pub use repo::Repo;
pub use store::EventStore;
