//! Event sourcing as functions from values to values, and the contracts of what is stored.
//!
//! This crate knows no business rules, no AWS, no async runtime, no clock and no randomness. Times
//! and fresh identifiers are passed in, stores are reached through a trait. (The names in [`contract`]
//! are those that functions and stack agree on; what is called by them is AWS's.)
//!
//! # Where to start reading
//!
//! * [`aggregate`] and [`event`]: what a set of business rules has to offer.
//! * [`commit`], [`envelope`], [`json`] and [`occurred_at`]: what is stored and published.
//! * [`history`]: what the commits of one aggregate fold to, and how a command is decided.
//! * [`store`], [`memory`] and [`repo`]: how commits are read and appended; [`id`]: how they are told apart.
//! * [`request`], [`transaction`], [`surroundings`] and [`answer`]: a command from request to answer.
//! * [`probe`] and [`replay`]: what is sent through the pipeline to test it, or once more.
//! * [`contract`]: the names that functions share with the program that deploys them.
//! * `testing`, a feature: a kit for tests of decisions and of stores.

pub mod aggregate;
pub mod answer;
pub mod commit;
pub mod contract;
pub mod envelope;
pub mod event;
pub mod history;
pub mod id;
pub mod json;
pub mod memory;
pub mod occurred_at;
pub mod probe;
mod regrouped;
pub mod replay;
pub mod repo;
pub mod request;
pub mod store;
pub mod surroundings;
#[cfg(feature = "testing")]
pub mod testing;
pub mod transaction;

pub use aggregate::Aggregate;
pub use answer::{Answer, Answering, Refusal};
pub use commit::{Commit, Context, StoredEvent};
pub use envelope::Envelope;
pub use history::{Decision, History};
pub use id::AggregateId;
pub use json::JsonText;
pub use memory::InMemoryStore;
pub use occurred_at::OccurredAt;
pub use repo::Repo;
pub use request::{Request, RequestHash};
pub use store::EventStore;
pub use surroundings::{Moment, Surroundings};
pub use transaction::transact;
