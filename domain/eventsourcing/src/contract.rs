//! The names that functions and stack agree on: environment variables, table attributes, archive
//! prefixes, metrics, and the functions that every system of events has.
//!
//! Both sides take them from here, so a misspelt name does not compile. Nothing here knows
//! how a name is put to use.

use std::time::Duration;

/// The name of an environment variable of a function.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Variable(&'static str);

impl Variable {
    /// Returns the variable of this name.
    pub const fn named(name: &'static str) -> Self {
        Self(name)
    }

    /// Returns the name as the operating system knows it.
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
/// Holds the name of the S3 bucket of the archive and of what could not be understood.
pub const ARCHIVE_BUCKET: Variable = Variable("ARCHIVE_BUCKET");
/// Holds the names of the handlers that can be replayed, separated by commas.
pub const HANDLERS: Variable = Variable("HANDLERS");

/// What both sides know of one Lambda function.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Function {
    /// The name of its binary, and the last part of the deployed name.
    pub name: &'static str,
    /// What it does, for those who meet it in a console.
    pub does: &'static str,
    /// The variables that the function reads when it starts, and no others.
    pub reads: &'static [Variable],
}

impl Function {
    /// Returns the function that is a handler of published events, by the name of its binary.
    ///
    /// Handlers are known by their file and their line of the stack. What one reads besides, it
    /// declares as a function of its own.
    pub const fn handler(name: &'static str) -> Self {
        Self { name, does: "Handles each published event", reads: &[ARCHIVE_BUCKET] }
    }
}

/// Publishes each event of each commit in the table's stream to Kinesis.
pub const CAPTURE: Function = Function {
    name: "capture",
    does: "Publishes each event of each commit in the table's stream",
    reads: &[EVENT_STREAM, ARCHIVE_BUCKET],
};
/// How long `capture` may take. Its largest batch, 100 commits of 100 events of one aggregate, is 10,000 calls
/// one after another, and fits at 30 ms each.
pub const CAPTURE_LASTS: Duration = Duration::from_secs(6 * 60);

/// Feeds history to one handler.
pub const REPLAY: Function = Function {
    name: "replay",
    does: "Feeds history to one handler",
    reads: &[EVENTS_TABLE, ARCHIVE_BUCKET, HANDLERS],
};
/// Keeps each published event in the archive.
pub const ARCHIVE: Function =
    Function { name: "archive", does: "Keeps each published event in the archive", reads: &[ARCHIVE_BUCKET] };

/// The attributes of an item of the events table that both sides name: one item is one commit.
/// `storage::table` has all of them.
pub mod attribute {
    /// The hash key (string): `<aggregate type>#<uuid>`.
    pub const AGGREGATE_ID: &str = "AggregateId";
    /// The range key (number): the version of the first event of the commit.
    pub const VERSION: &str = "Version";
    /// When the commit was written back (string). Its events were published long before, so
    /// they are not published again.
    pub const RESTORED: &str = "Restored";
}

/// The key prefix of archived events in the bucket.
pub const EVENTS_PREFIX: &str = "events/";
/// The key prefix of what could not be understood, kept with its reason.
pub const FAILED_PREFIX: &str = "failed/";
/// The key prefix of how far the replay of each handler has come.
pub const REPLAYS_PREFIX: &str = "replays/";

/// The metrics that functions write into their logs (CloudWatch embedded metric format).
pub mod metric {
    /// The namespace of all of them.
    pub const NAMESPACE: &str = "EventPipeline";
    /// A dimension: the name of the function as it is deployed.
    pub const FUNCTION_NAME: &str = "FunctionName";
    /// A dimension: the name of the table as it is deployed.
    pub const TABLE_NAME: &str = "TableName";
    /// Counts what a function could not handle and has kept aside, by function.
    pub const KEPT_ASIDE: &str = "KeptAside";
    /// Counts the writes of events that a table refused because they were too many, by table.
    /// Each attempt of the SDK counts.
    pub const THROTTLED_WRITES: &str = "ThrottledWrites";
}
