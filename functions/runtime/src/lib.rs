#![doc = include_str!("../README.md")]
//!
//! The business rules are an aggregate of `eventsourcing`, and the deployer creates the infrastructure.
//!
//! # The path of a command
//!
//! * [`request`]: the fields that a caller may send.
//! * [`command`] and [`query`]: fetch, decide, store, answer.
//! * [`function_url`]: the same by HTTPS.
//!
//! # The path of an event
//!
//! * [`capture`]: from the table's stream to Kinesis.
//! * [`delivery`]: reads events from Kinesis and checks them.
//! * [`archive`]: stores every published event.
//! * [`handler`]: makes a Lambda function from one function over events.
//! * [`failed`]: quarantines the rest, so that nothing is lost.
//! * [`replay`]: delivers history to one handler again.
//!
//! # Common parts
//!
//! * [`start`], [`settings`], [`log`] and [`fault`]: start a function, log, and fail with clear messages.
//! * [`surroundings`]: the time and new ids.
//! * [`invoke`]: calls other functions.
//! * The crate `storage`: stores and transports events.
//! * `testing`, a feature: a stream and a bucket in memory.

pub mod archive;
pub mod capture;
pub mod command;
pub mod delivery;
pub mod failed;
pub mod fault;
pub mod function_url;
pub mod handler;
pub mod invoke;
pub mod log;
pub mod query;
pub mod replay;
pub mod request;
pub mod settings;
pub mod start;
pub mod surroundings;
#[cfg(feature = "testing")]
pub mod testing;

pub use fault::Fault;
