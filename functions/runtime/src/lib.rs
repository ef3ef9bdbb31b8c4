//! What Lambda functions over events are made of, whatever the events are about.
//!
//! The business rules are an aggregate of `eventsourcing`; the infrastructure is made elsewhere:
//! this crate knows what is done in a function, and nothing about how what it reaches came to be.
//!
//! # The way of a command
//!
//! * [`request`]: the fields that a caller may send.
//! * [`command`] and [`query`]: fetch, decide, store, answer.
//!
//! # The way of an event
//!
//! * [`capture`]: from the table's stream to Kinesis.
//! * [`delivery`]: what arrives from Kinesis, and whether it can be understood.
//! * [`archive`]: every event for good.
//! * [`handler`]: one function over an event, made into a Lambda.
//! * [`failed`]: where the rest is kept, so that nothing is lost.
//! * [`replay`]: history, fed to one handler once more.
//!
//! # Beneath
//!
//! * [`start`], [`settings`], [`log`] and [`fault`]: starting, telling, and failing, with clear
//!   words.
//! * [`surroundings`]: the time and new ids.
//! * [`invoke`]: functions that are called by another.
//! * The crate `storage`: how events are kept and carried.
//! * `testing`, a feature: a stream and a bucket in memory.

pub mod archive;
pub mod capture;
pub mod command;
pub mod delivery;
pub mod failed;
pub mod fault;
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
