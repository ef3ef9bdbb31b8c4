//! Reads batches from Kinesis: events in their envelopes, and anything else that was written to the stream.

mod records;

use aws_lambda_events::event::kinesis::{KinesisEvent, KinesisEventRecord};
use eventsourcing::{
    Aggregate, Envelope,
    id::InvalidAggregateId,
    probe::{self, Probe},
};
use jiff::Timestamp;
use storage::{bucket::Bucket, patience::Patience};
use thiserror::Error;

pub use self::records::Records;
use crate::failed::Failed;

/// A record that holds an event.
#[derive(Debug, Clone)]
pub struct Delivery<'a> {
    /// The event.
    pub envelope: Envelope,
    /// The bytes of the envelope.
    pub bytes: &'a [u8],
    /// The record that contains the envelope.
    pub record: &'a KinesisEventRecord,
}

impl Delivery<'_> {
    /// Returns whether the event is a probe.
    pub fn is_probe(&self) -> bool {
        self.envelope.aggregate_type == Probe::TYPE
    }

    /// Writes a log line if the event is a probe, to record that the probe has reached this function.
    pub fn tell_of_a_probe(&self) {
        if self.is_probe() {
            let arrival = self.record.kinesis.approximate_arrival_timestamp.timestamp_millis();
            tracing::info!(
                { probe::PROBE } = %self.envelope.aggregate_id,
                { probe::KINESIS_ARRIVAL } = Timestamp::from_millisecond(arrival).ok().map(display),
                "{}",
                probe::PROBE
            );
        }
    }
}

/// The reason why a record is not an event.
#[derive(Debug, Error)]
pub enum Unreadable {
    /// The record is not the JSON of an envelope.
    #[error("the record is not an event in its envelope")]
    Envelope(#[from] serde_json::Error),
    /// The envelope spans several lines, but the archive stores one line for each event.
    #[error("the record spans several lines, so it was not published by capture")]
    Lines,
    /// The envelope's aggregate id is invalid.
    #[error("the event has no valid aggregate id, so it was not published by capture")]
    Aggregate(#[from] InvalidAggregateId),
    /// The envelope's version is not a position among the events of its aggregate.
    #[error("the event has version 0, so it was not published by capture: versions start at 1")]
    Version,
}

/// Returns the events of a batch in their order, and quarantines records that cannot be read.
pub async fn understand<'a, B: Bucket>(
    batch: &'a KinesisEvent,
    failed: &Failed<B>,
    patience: &Patience,
) -> Result<Vec<Delivery<'a>>, B::Error> {
    let mut deliveries = Vec::new();
    for record in &batch.records {
        match read(record) {
            Ok(delivery) => deliveries.push(delivery),
            Err(reason) => {
                let id = record.event_id.as_deref().unwrap_or(&record.kinesis.sequence_number);
                failed.keep(id, &reason, record, patience).await?;
            }
        }
    }
    Ok(deliveries)
}

fn read(record: &KinesisEventRecord) -> Result<Delivery<'_>, Unreadable> {
    let bytes = record.kinesis.data.as_slice();
    let envelope = Envelope::from_bytes(bytes)?;
    if bytes.iter().any(|byte| b"\r\n".contains(byte)) {
        return Err(Unreadable::Lines);
    }
    // No consumer that orders events by aggregate can use these, and in an archive object they would cause
    // errors for ever.
    envelope.aggregate()?;
    if envelope.version == 0 {
        return Err(Unreadable::Version);
    }
    Ok(Delivery { envelope, bytes, record })
}
