//! What arrives from Kinesis: events in their envelopes, and whatever else got in there.

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
    /// The bytes it came in.
    pub bytes: &'a [u8],
    /// The record around them.
    pub record: &'a KinesisEventRecord,
}

impl Delivery<'_> {
    /// Tells whether the event is a probe.
    pub fn is_probe(&self) -> bool {
        self.envelope.aggregate_type == Probe::TYPE
    }

    /// Writes a log line when the event is a probe: it has come this far.
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

/// Why a record holds no event.
#[derive(Debug, Error)]
pub enum Unreadable {
    /// It is not the JSON of an envelope.
    #[error("the record is not an event in its envelope")]
    Envelope(#[from] serde_json::Error),
    /// It is, but would take more than one line of an archive.
    #[error("the record spans several lines, so it was not published by capture")]
    Lines,
    /// It is, but of an aggregate that no store takes.
    #[error("the event is of no aggregate, so it was not published by capture")]
    Aggregate(#[from] InvalidAggregateId),
    /// It is, but it has no place among the events of its aggregate.
    #[error("the event has version 0, so it was not published by capture: the first is 1")]
    Version,
}

/// Returns the events of a batch in their order; what cannot be read is kept aside.
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
    // Nobody who lines events up by their aggregate could do anything with these, and in an
    // object of the archive they would be in the way for ever.
    envelope.aggregate()?;
    if envelope.version == 0 {
        return Err(Unreadable::Version);
    }
    Ok(Delivery { envelope, bytes, record })
}
