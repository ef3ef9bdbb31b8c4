//! The settings of the event source mappings, with a reason for each number.
//!
//! All mappings have this in common: a batch fails as a whole and is retried, because a report of single
//! failures that is empty by mistake would count as success. There is no filter: records that do not match
//! would be lost without a log line, for example a commit that was changed by hand, a record that is not an
//! event, or a probe. Discarded batches go to the bucket with their payload. The ranges and meanings are
//! those of "CreateEventSourceMapping" (Lambda API reference); `docs/pipeline.md` describes the cost of each
//! setting, and when to change it.

use crate::resources::mapping::MappingSettings;
use crate::resources::table::STREAM_KEEPS_HOURS;

/// Returns the settings from the table's stream to Kinesis.
pub(super) fn capture() -> MappingSettings {
    MappingSettings {
        // One call to Kinesis if each commit is of another aggregate, and one call for each event if all are of
        // one aggregate: at most 10,000, for which the timeout is sufficient (`CAPTURE_LASTS`). Items have at most
        // 400 KB, so a batch of large items is limited by the 6 MB of an invocation.
        batch_size: 100,
        // All later records wait for this stage, and calls are cheap.
        batching_window_s: 0,
        // Above 1, order is kept per item only ("Using AWS Lambda with Amazon DynamoDB"), and two commits of
        // one aggregate are two items.
        parallelization_factor: 1,
        // Most failures are unreachable services, which fail each half too. But when Kinesis is slow, the
        // largest batch could exceed the timeout on every attempt; a half takes half the time.
        bisect_on_error: true,
        ..until_the_source_forgets(STREAM_KEEPS_HOURS)
    }
}

/// Returns the settings from Kinesis to the bucket. Records expire after this many hours.
pub(super) fn archive(retention_hours: i32) -> MappingSettings {
    MappingSettings {
        // Each batch becomes one object, and S3 charges for each put and get. 1,000 events of half a
        // kilobyte, in base64, take one of the 6 MB of an invocation.
        batch_size: 1000,
        // At most 17,280 objects a day per shard; to put them costs about ten cents. A minute would cost less
        // than a cent, but readers of the archive, audit and probe would wait for it.
        batching_window_s: 5,
        // A higher factor would create more and smaller objects.
        parallelization_factor: 1,
        // Failures are unreachable services; and another split would create another object with the same
        // events.
        bisect_on_error: false,
        ..until_the_source_forgets(retention_hours)
    }
}

/// Returns the settings from Kinesis to a handler. Records expire after this many hours.
pub(super) fn handler(retention_hours: i32) -> MappingSettings {
    MappingSettings {
        // At 100 ms per event and ten aggregates at a time, a batch takes one second; a batch of one aggregate takes
        // ten. After a failure the whole batch is repeated.
        batch_size: 100,
        // A caller may be waiting for the handler's effect.
        batching_window_s: 0,
        // Above 1, order is kept per partition key ("How Lambda processes records from Amazon Kinesis Data
        // Streams"), which is the aggregate. Raise this first when a handler is slow.
        parallelization_factor: 1,
        // The handler quarantines poison itself. A killed process (out of memory, timeout, crash) cannot
        // report at which event: finding it takes seven halvings of 100.
        bisect_on_error: true,
        // Halving uses up no attempt. An unreachable service is awaited for 20 seconds per attempt: at least
        // five hours. A crash takes a second or two: its shard stops for half an hour, raises an alarm, and
        // continues without the event.
        maximum_retry_attempts: 1000,
        ..until_the_source_forgets(retention_hours)
    }
}

/// Returns settings that retry until just before the source drops the records without a trace. Consumers that
/// quarantine poison themselves fail only when a service is unreachable, which is worth retrying.
fn until_the_source_forgets(retention_hours: i32) -> MappingSettings {
    MappingSettings {
        maximum_retry_attempts: -1,
        // An hour to discard the remaining records; at most the week that Lambda allows.
        maximum_record_age_s: ((retention_hours - 1) * 3600).min(604_800),
        ..MappingSettings::default()
    }
}
