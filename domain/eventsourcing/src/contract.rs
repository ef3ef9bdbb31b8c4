//! The names that functions and stack share: environment variables, table attributes, archive prefixes,
//! metrics, and the functions of every pipeline.
//!
//! Both sides use these constants, so a misspelt name does not compile. Nothing here knows how a name is
//! used.

use std::time::Duration;

/// The name of an environment variable of a function.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Variable(&'static str);

impl Variable {
    /// Returns the variable of this name.
    pub const fn named(name: &'static str) -> Self {
        Self(name)
    }

    /// Returns the name in the operating system's environment.
    pub const fn name(self) -> &'static str {
        self.0
    }
}

impl std::fmt::Display for Variable {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.0)
    }
}

/// Holds the name of the DynamoDB table that stores the events.
pub const EVENTS_TABLE: Variable = Variable("EVENTS_TABLE");
/// Holds the name of the Kinesis stream that events are published to.
pub const EVENT_STREAM: Variable = Variable("EVENT_STREAM");
/// Holds the name of the S3 bucket of the archive and of quarantined records.
pub const ARCHIVE_BUCKET: Variable = Variable("ARCHIVE_BUCKET");
/// Holds the names of the handlers that can be replayed, separated by commas.
pub const HANDLERS: Variable = Variable("HANDLERS");

/// The function that publishes each event of each commit in the table's stream to Kinesis.
pub const CAPTURE: &str = "capture";
/// The timeout of `capture`. Its largest batch, 100 commits of 100 events of one aggregate, takes 10,000
/// sequential calls, and fits at 30 ms per call.
pub const CAPTURE_LASTS: Duration = Duration::from_secs(6 * 60);
/// The function that stores each published event in the archive.
pub const ARCHIVE: &str = "archive";
/// The function that delivers history to one handler.
pub const REPLAY: &str = "replay";

/// The functions of every pipeline, by the names of their binaries.
pub const PIPELINE: [&str; 3] = [CAPTURE, ARCHIVE, REPLAY];
/// The cargo package with the binaries of [`PIPELINE`].
pub const PIPELINE_PACKAGE: &str = "runtime";

/// The attributes of an item of the events table that both sides name: one item is one commit.
/// `storage::table` has all attributes.
pub mod attribute {
    /// The hash key (string): `<aggregate type>#<uuid>`.
    pub const AGGREGATE_ID: &str = "AggregateId";
    /// The range key (number): the version of the first event of the commit.
    pub const VERSION: &str = "Version";
    /// The time at which the commit was restored (string). Its events were published before, so they are not
    /// published again.
    pub const RESTORED: &str = "Restored";
}

/// The key prefix of archived events in the bucket.
pub const EVENTS_PREFIX: &str = "events/";
/// The key prefix of quarantined records, stored with the reason.
pub const FAILED_PREFIX: &str = "failed/";
/// The key prefix of the progress of each handler's replay.
pub const REPLAYS_PREFIX: &str = "replays/";

/// The metrics that functions write into their logs (CloudWatch embedded metric format).
pub mod metric {
    /// The namespace of all metrics.
    pub const NAMESPACE: &str = "EventPipeline";
    /// A dimension: the deployed name of the function.
    pub const FUNCTION_NAME: &str = "FunctionName";
    /// A dimension: the deployed name of the table.
    pub const TABLE_NAME: &str = "TableName";
    /// Counts the records that a function quarantined, by function.
    pub const QUARANTINED: &str = "Quarantined";
    /// Counts the writes of events that a table throttled, by table. Each attempt of the SDK counts.
    pub const THROTTLED_WRITES: &str = "ThrottledWrites";
}
