//! The event pipeline: the events table, the stream that its events are published to, the archive, and the
//! functions between them. An application adds its commands, queries and handlers.

mod mappings;

use std::time::Duration;

use engine::scope::Scope;
use engine::stack::Stack;
use eventsourcing::contract::{
    ARCHIVE, ARCHIVE_BUCKET, CAPTURE, CAPTURE_LASTS, EVENT_STREAM, EVENTS_PREFIX, FAILED_PREFIX, HANDLERS,
    REPLAY, REPLAYS_PREFIX,
};

use super::{Composites, EventsTable, Lambda, LambdaDefaults};
use crate::Aws;
use crate::resources::Keys;
use crate::resources::bucket::Bucket;
use crate::resources::stream::Stream;

/// The events table, its stream to Kinesis, the archive, the functions `capture`, `archive` and `replay`, and
/// the application's own functions.
#[derive(Debug, Clone)]
pub struct EventPipeline {
    events: EventsTable,
    stream: Stream,
    archive: Bucket,
    retention_hours: i32,
    /// `capture`, `archive` and `replay`.
    own: [Lambda; 3],
    handlers: Vec<Lambda>,
}

/// The settings of a pipeline that differ between environments.
#[derive(Debug, Clone)]
pub struct EventPipelineSettings {
    /// How many days back the events table can be restored to any second; `None` disables this.
    pub point_in_time_recovery_days: Option<i32>,
    /// Whether AWS refuses to delete the events table.
    pub deletion_protection: bool,
    /// The shards of the stream; `None` lets Kinesis choose them (on demand).
    pub shards: Option<i32>,
    /// How long the stream keeps events, in hours.
    pub retention_hours: i32,
    /// Whether the archive refuses requests without TLS.
    pub tls_only: bool,
    /// The KMS keys of the table.
    pub table_keys: Keys,
    /// The KMS keys of the stream.
    pub stream_keys: Keys,
    /// The KMS keys of the archive.
    pub bucket_keys: Keys,
}

impl EventPipeline {
    /// The events table, by its name in the stack.
    pub const TABLE: &'static str = EventsTable::NAME;
    /// The stream, by its name in the stack.
    pub const STREAM: &'static str = "events";
    /// The bucket of the archive, by its name in the stack.
    pub const BUCKET: &'static str = "archive";

    /// Returns a pipeline without commands, queries and handlers.
    pub fn new(scope: &Scope, defaults: &LambdaDefaults, settings: EventPipelineSettings) -> Self {
        let retention_hours = settings.retention_hours;
        let events = EventsTable::new(scope, &settings).streaming();
        let stream = Stream::new(scope, Self::STREAM)
            .shards(settings.shards)
            .retention_hours(retention_hours)
            .encrypted_with(settings.stream_keys)
            .known_as(EVENT_STREAM);
        let archive = Bucket::new(scope, Self::BUCKET)
            .tls_only(settings.tls_only)
            .encrypted_with(settings.bucket_keys)
            // A replay overwrites its progress every few seconds, and earlier versions are not needed.
            .expiring_versions(REPLAYS_PREFIX, 1)
            .known_as(ARCHIVE_BUCKET);
        let own = [
            Lambda::new(scope, CAPTURE, defaults)
                .description("Publishes each event of each commit in the table's stream")
                .timeout(CAPTURE_LASTS)
                .may(stream.publish())
                .may(archive.write(FAILED_PREFIX))
                .consumes_discarding_to(&archive, &events.table, mappings::capture()),
            Lambda::new(scope, ARCHIVE, defaults)
                .description("Stores each published event in the archive")
                .may(archive.write(EVENTS_PREFIX))
                .may(archive.write(FAILED_PREFIX))
                .consumes_discarding_to(&archive, &stream, mappings::archive(retention_hours)),
            // The longest timeout that Lambda allows: `replay` stops shortly before it, and has itself invoked
            // again.
            Lambda::new(scope, REPLAY, defaults)
                .description("Replays history to one handler")
                .timeout(Duration::from_secs(15 * 60))
                .memory_at_least_mb(1024)
                .may(events.table.scan())
                .may(archive.browse())
                .may(archive.get(EVENTS_PREFIX))
                .may(archive.get(REPLAYS_PREFIX))
                .may(archive.write(REPLAYS_PREFIX)),
        ];
        Self { events, stream, archive, retention_hours, own, handlers: Vec::new() }
    }

    /// Adds a function that changes aggregates: it may read their events, and append to them.
    pub fn command(&mut self, lambda: Lambda) -> &mut Self {
        self.events.command(lambda);
        self
    }

    /// Adds a function that answers with the state of aggregates: it may read their events.
    pub fn query(&mut self, lambda: Lambda) -> &mut Self {
        self.events.query(lambda);
        self
    }

    /// Adds a function that handles published events: it gets them all, and may quarantine those that it cannot
    /// handle.
    pub fn handler(&mut self, lambda: Lambda) -> &mut Self {
        let lambda = lambda.may(self.archive.write(FAILED_PREFIX)).consumes_discarding_to(
            &self.archive,
            &self.stream,
            mappings::handler(self.retention_hours),
        );
        self.handlers.push(lambda);
        self
    }

    /// Adds the pipeline and its functions to a stack.
    pub(super) fn add_to(self, stack: &mut Stack<Aws>) {
        let Self {
            events: EventsTable { table, commands, queries },
            stream,
            archive,
            own: [capture, archiver, replay],
            handlers,
            ..
        } = self;
        stack.add(table).add(stream).add(archive);
        // Readers of events are updated first, so that no reader gets an event of a type that it does not know.
        let readers = || handlers.iter().chain(&queries);
        let commands: Vec<Lambda> = commands.into_iter().map(|lambda| lambda.after(readers())).collect();
        let replay = replay.calls(HANDLERS, &handlers);
        let all = commands.into_iter().chain([capture, archiver, replay]).chain(queries).chain(handlers);
        for lambda in all {
            stack.lambda(lambda);
        }
    }
}
