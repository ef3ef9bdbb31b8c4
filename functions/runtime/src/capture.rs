//! From the table's stream to Kinesis: each event of each new commit, in order.
//!
//! A commit that was inserted will never change, so inserts are all there is to capture.

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

/// Why a record of the table's stream cannot be published.
#[derive(Debug, Error)]
pub enum CaptureError {
    /// The new item is not a commit.
    #[error("the record holds no commit")]
    Item(#[from] ItemError),
    /// The stream would never take it.
    #[error("version {version} makes a record of {bytes} bytes, and the stream takes {MAX_RECORD_BYTES}")]
    TooLarge {
        /// The version of the event.
        version: u64,
        /// The size of its record.
        bytes: usize,
    },
}

/// Publishes the events in a batch of the table's stream.
///
/// What cannot be understood is kept aside and holds up nothing. When publishing or keeping
/// fails, the whole batch fails and is delivered again.
pub async fn capture<S: PutRecords, B: Bucket>(
    batch: Event,
    stream: &S,
    failed: &Failed<B>,
    patience: Patience,
) -> Result<(), Fault> {
    let (mut records, mut probes) = (Vec::new(), Vec::new());
    for change in batch.records {
        match change.event_name.as_str() {
            // Its events were published when they happened.
            "INSERT" if is_restored(&change) => {
                tracing::info!(keys = ?change.change.keys, "passed over a commit that was written back");
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
            // Nobody but people changes or removes commits, and what was published is out.
            name => tracing::warn!(
                change = name,
                keys = ?change.change.keys,
                "ignored a change of a commit: only new commits are events"
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

/// A commit on its way.
struct Plucked {
    /// A record for each of its events, all of them or none.
    records: Vec<Record>,
    /// The probe that it is, if it is one.
    probe: Option<Uuid>,
}

/// Returns what is to be published of the commit that was inserted.
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
