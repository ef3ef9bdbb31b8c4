//! What the Lambda functions of the cart share; each function itself is a small file in
//! `src/bin/`.
//!
//! The business rules are in `domain`, the infrastructure is made elsewhere: this crate
//! knows how to reach AWS, and nothing about how what it reaches came to be.
//!
//! # The way of a command
//!
//! * [`request`]: what a caller may send.
//! * [`command`] and [`query`]: fetch, decide, store, answer.
//! * [`event_store`] and [`table`]: commits as items of a DynamoDB table.
//!
//! # The way of an event
//!
//! * [`capture`]: from the table's stream to Kinesis, by way of [`waves`],
//!   [`publish`] and [`stream`].
//! * [`delivery`]: what arrives from Kinesis, and whether it can be understood.
//! * [`archive`] and [`log_events`]: what is done with it.
//! * [`failed`] and [`bucket`]: where the rest is kept, so that nothing is lost.
//!
//! # Beneath
//!
//! * [`start`], [`settings`] and [`fault`]: starting, and failing, with clear words.
//! * [`patience`]: the one way of waiting before something is tried again.

pub mod archive;
pub mod bucket;
pub mod capture;
pub mod command;
pub mod delivery;
pub mod event_store;
pub mod failed;
pub mod fault;
pub mod log_events;
pub mod patience;
pub mod publish;
pub mod query;
pub mod request;
pub mod settings;
pub mod start;
pub mod stream;
pub mod table;
pub mod waves;

pub use event_store::DynamoDbEventStore;
pub use fault::Fault;
