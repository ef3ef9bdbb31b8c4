//! How events are kept and carried on AWS: the formats, and the calls that move them.
//!
//! The functions write and read events through this crate, and so does the deployer when it
//! shows, compares, repairs or restores them: a format has one place. It knows neither the
//! Lambda runtime nor how infrastructure is made.
//!
//! * [`event_store`], [`table`] and [`scan`]: commits as items of a DynamoDB table; `throttled` counts
//!   the writes that the table refuses.
//! * [`stream`], [`waves`] and [`publish`]: records of a Kinesis stream, in order.
//! * [`archive`] and [`bucket`]: objects of an S3 bucket.
//! * [`patience`]: the one way of waiting before something is tried again.
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
