//! Stores every published event: one compressed object for each batch, one line for each event.
//!
//! The key and the bytes of an object depend only on its batch. A batch that is delivered again writes the
//! same object again, with the same bytes from the same release. A batch that is cut differently gets another
//! key, so no object is ever overwritten with other events.

use aws_lambda_events::event::kinesis::{KinesisEvent, KinesisEventRecord};
use jiff::Timestamp;
use storage::{
    archive::{self, compress},
    bucket::Bucket,
    patience::Patience,
};
use thiserror::Error;

use crate::{delivery::understand, failed::Failed, fault::Fault};

/// A record does not contain its position in the stream.
#[derive(Debug, Error)]
#[error("record {id:?} has no shard id or no arrival time")]
pub struct NoPlace {
    id: Option<String>,
}

/// Archives the events of a batch.
pub async fn archive<B: Bucket>(
    batch: KinesisEvent,
    failed: &Failed<B>,
    patience: &Patience,
) -> Result<(), Fault> {
    let deliveries = understand(&batch, failed, patience).await?;
    let (Some(first), Some(last)) = (batch.records.first(), batch.records.last()) else {
        return Ok(());
    };
    // Without events there is nothing to store, so a batch of unreadable records leaves no object.
    if deliveries.is_empty() {
        return Ok(());
    }
    let key = key(first, last)?;
    let object = compress(deliveries.iter().map(|delivery| delivery.bytes))?;
    let (events, bytes) = (deliveries.len(), object.len());
    failed.bucket().put(&key, "application/gzip", object).await?;
    tracing::info!(key, events, bytes, "archived");
    deliveries.iter().for_each(|delivery| delivery.tell_of_a_probe());
    Ok(())
}

/// Returns the key of the object for the batch from the first to the last record.
fn key(first: &KinesisEventRecord, last: &KinesisEventRecord) -> Result<String, NoPlace> {
    let no_place = || NoPlace { id: first.event_id.clone() };
    // An event id is `<shard>:<sequence number>`.
    let id = first.event_id.as_deref().unwrap_or_default();
    let (shard, _) = id.split_once(':').ok_or_else(no_place)?;
    let arrival = first.kinesis.approximate_arrival_timestamp.timestamp();
    let arrival = Timestamp::from_second(arrival).map_err(|_| no_place())?;
    Ok(archive::key(shard, arrival, &first.kinesis.sequence_number, &last.kinesis.sequence_number))
}
