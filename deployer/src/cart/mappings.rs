//! How each consumer reads its stream: every number, and the reason for it.
//!
//! What all have in common: a batch fails as a whole and comes again, since a report of single
//! failures that is empty by mistake would pass for success. There is no filter: what does not
//! match would be gone without a log line, be it a commit that somebody changed by hand, a
//! record that is no event, or a probe. Whatever is given up goes to the bucket with its
//! payload. Ranges and meanings are those of "CreateEventSourceMapping" (Lambda API reference);
//! `docs/pipeline.md` says what each setting costs, and when to change it.

use aws::resources::mapping::MappingSettings;
use aws::resources::table::STREAM_KEEPS_HOURS;

/// From the table's stream to Kinesis.
pub(super) fn capture() -> MappingSettings {
    MappingSettings {
        // One call to Kinesis when each commit is of another cart, and one for each event when all are
        // of one: 10,000 at most, for which the function has the time (`CAPTURE_LASTS`). Items
        // have 400 KB at most, so it is the 6 MB of an invocation that cut a batch of large ones.
        batch_size: 100,
        // Everything behind waits for this hop, and calls are cheap.
        batching_window_s: 0,
        // Above 1, order holds per item ("Using AWS Lambda with Amazon DynamoDB"), and two
        // commits of one cart are two items.
        parallelization_factor: 1,
        // What fails is out of reach, for each half as well. But on a day on which Kinesis is slow, the
        // largest batch could take more time than the function has, each time; halves take half of it.
        bisect_on_error: true,
        ..until_the_source_forgets(STREAM_KEEPS_HOURS)
    }
}

/// From Kinesis to the bucket, where a record lives for so many hours.
pub(super) fn archive(retention_hours: i32) -> MappingSettings {
    MappingSettings {
        // An object for each batch, and S3 charges for each object put and got. 1,000 events of
        // half a kilobyte, in base64, are a megabyte of the 6 of an invocation.
        batch_size: 1000,
        // At most 17,280 objects a day of each shard, for some ten cents to put. A minute would
        // cost less than a cent; readers of the archive, audit and probe would wait for it.
        batching_window_s: 5,
        // More at a time would make more and smaller objects.
        parallelization_factor: 1,
        // What fails is out of reach; and another cut makes another object of the same events.
        bisect_on_error: false,
        ..until_the_source_forgets(retention_hours)
    }
}

/// From Kinesis to a handler, where a record lives for so many hours.
pub(super) fn handler(retention_hours: i32) -> MappingSettings {
    MappingSettings {
        // At 100 ms for an event and ten carts at a time, a batch takes a second; all of one
        // cart, ten. After a failure, all of it is done again.
        batch_size: 100,
        // Somebody may be waiting for what the handler does.
        batching_window_s: 0,
        // Above 1, order holds per partition key ("How Lambda processes records from Amazon
        // Kinesis Data Streams"), which is the cart: what to raise first when a handler is slow.
        parallelization_factor: 1,
        // Poison is kept aside by the handler. A process that is killed (no memory, no time, a
        // crash) cannot say at which event: it takes seven halvings of 100 to know.
        bisect_on_error: true,
        // Halving uses up none. What is out of reach is waited for, for 20 seconds of each
        // attempt: five hours at least. A crash takes a second or two: its shard stands for half
        // an hour, rings, and goes on without the event.
        maximum_retry_attempts: 1000,
        ..until_the_source_forgets(retention_hours)
    }
}

/// Those who keep poison aside themselves fail only when something is out of reach, which is
/// worth trying again until just before the source drops the records without a trace.
fn until_the_source_forgets(retention_hours: i32) -> MappingSettings {
    MappingSettings {
        maximum_retry_attempts: -1,
        // An hour to give up what is left; no more than the week that Lambda allows.
        maximum_record_age_s: ((retention_hours - 1) * 3600).min(604_800),
        ..MappingSettings::default()
    }
}
