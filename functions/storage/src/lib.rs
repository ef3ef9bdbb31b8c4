#![doc = include_str!("../README.md")]
//!
//! # Where to start reading
//!
//! * [`event_store`], [`table`] and [`scan`]: commits as items of a DynamoDB table; `throttled` counts
//!   the writes that the table throttles.
//! * [`stream`], [`waves`] and [`publish`]: records of a Kinesis stream, in order.
//! * [`archive`] and [`bucket`]: objects of an S3 bucket.
//! * [`patience`]: the backoff between retries.
//! * [`fault`]: an error and its causes in one line.

pub mod archive;
pub mod bucket;
pub mod event_store;
pub mod fault;
pub mod patience;
pub mod publish;
pub mod scan;
pub mod stream;
pub mod table;
mod throttled;
pub mod waves;

pub use event_store::DynamoDbEventStore;
