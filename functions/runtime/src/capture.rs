//! Publishes each event of each new commit from the table's stream to Kinesis, in order.
//!
//! A commit never changes after it was inserted, so only inserts are captured.

use std::error::Error;

use aws_lambda_events::event::dynamodb::{Event, EventRecord};
use eventsourcing::{
    Aggregate,
    contract::attribute,
    probe::{self, Probe},
};
use thiserror::Error;
use uuid::Uuid;

use storage::{
    bucket::Bucket,
    patience::Patience,
    publish::publish,
    stream::PutRecords,
    table::{ItemError, from_item},
    waves::{MAX_RECORD_BYTES, Record},
};

use crate::{failed::Failed, fault::Fault};

/// The reason why a record of the table's stream cannot be published.
#[derive(Debug, Error)]
pub enum CaptureError {
    /// The new item is not a commit.
    #[error("the record is not a commit")]
    Item(#[from] ItemError),
    /// The record is larger than the stream accepts.
    #[error("version {version} makes a record of {bytes} bytes; the limit is {MAX_RECORD_BYTES}")]
    TooLarge {
        /// The version of the event.
        version: u64,
        /// The size of its record.
        bytes: usize,
    },
}

/// Publishes the events in a batch of the table's stream.
///
/// A record that cannot be understood is quarantined and does not stop the others. If publishing or
/// quarantining fails, the whole batch fails and is delivered again.
pub async fn capture<S: PutRecords, B: Bucket>(
    batch: Event,
    stream: &S,
    failed: &Failed<B>,
    patience: Patience,
) -> Result<(), Fault> {
    let (mut records, mut probes) = (Vec::new(), Vec::new());
    for change in batch.records {
        match change.event_name.as_str() {
            // The events of a restored commit were already published.
            "INSERT" if is_restored(&change) => {
                tracing::info!(keys = ?change.change.keys, "skipped a restored commit");
            }
            "INSERT" => match pluck(&change) {
                Ok(plucked) => {
                    probes.extend(plucked.probe);
                    records.extend(plucked.records);
                }
                Err(reason) => {
                    let reason: &(dyn Error + Send + Sync) = &reason;
                    failed.keep(&change.event_id, reason, &change, &patience).await?;
                }
            },
            // Only people change or remove commits, and published events cannot be taken back.
            name => tracing::warn!(
                change = name,
                keys = ?change.change.keys,
                "ignored a changed or removed commit: only new commits are published"
            ),
        }
    }
    let events = records.len();
    publish(stream, records, patience).await?;
    tracing::info!(events, "captured");
    for id in probes {
        tracing::info!({ probe::PROBE } = %id, "{}", probe::PROBE);
    }
    Ok(())
}

fn is_restored(change: &EventRecord) -> bool {
    change.change.new_image.contains_key(attribute::RESTORED)
}

/// A commit to publish.
struct Plucked {
    /// One record for each event of the commit: either all of them or none.
    records: Vec<Record>,
    /// The probe's id, if the commit is a probe.
    probe: Option<Uuid>,
}

/// Returns the records to publish for the inserted commit.
fn pluck(change: &EventRecord) -> Result<Plucked, CaptureError> {
    let commit = from_item(change.change.new_image.clone())?;
    let id = &commit.aggregate_id;
    let probe = (id.aggregate_type() == Probe::TYPE).then(|| id.uuid());
    let record = |envelope: eventsourcing::Envelope| {
        let record = Record::of(&envelope);
        let (version, bytes) = (envelope.version, record.size());
        if bytes > MAX_RECORD_BYTES {
            return Err(CaptureError::TooLarge { version, bytes });
        }
        Ok(record)
    };
    let records = commit.into_envelopes().map(record).collect::<Result<_, _>>()?;
    Ok(Plucked { records, probe })
}
