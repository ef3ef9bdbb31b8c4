#![doc = include_str!("../README.md")]
//!
//! This crate knows no business rules, no AWS, no async runtime, no clock and no randomness. (The names in
//! [`contract`] are shared by functions and stack; some of them name AWS resources.)
//!
//! # Where to start reading
//!
//! * [`aggregate`] and [`event`]: the traits that business rules implement.
//! * [`commit`], [`envelope`], [`json`] and [`occurred_at`]: the stored and published data.
//! * [`history`]: the folded commits of one aggregate, and decisions on them.
//! * [`store`], [`memory`] and [`repo`]: reading and appending commits; [`id`]: identifiers.
//! * [`request`], [`transaction`], [`surroundings`] and [`answer`]: a command from request to answer.
//! * [`probe`] and [`replay`]: test events, and the repeated delivery of events.
//! * [`contract`]: the names that functions share with the program that deploys them.
//! * `testing`, a feature: a test kit for decisions and stores.

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

/// The crate of [`Moment::now`] and of dates and times in events.
pub use jiff;

pub use aggregate::Aggregate;
pub use answer::{Answer, Answering, Refusal, RefusalKind};
pub use commit::{Commit, Context, StoredEvent};
pub use envelope::Envelope;
pub use event::{Event, Schema};
pub use history::{Decision, History};
pub use id::AggregateId;
pub use json::JsonText;
pub use memory::InMemoryStore;
pub use occurred_at::OccurredAt;
pub use repo::Repo;
pub use request::{Request, RequestHash};
pub use store::EventStore;
pub use surroundings::{Moment, Surroundings};
pub use transaction::{Transaction, TransactionOutcome, transact};
