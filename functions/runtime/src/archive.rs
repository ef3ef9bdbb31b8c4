//! Every event for good: one compressed object for each batch, one line for each event.
//!
//! The name and the bytes of an object follow from its batch alone. A batch that is
//! delivered again writes the same object again, and one that is cut in another way gets
//! another name, so nothing is ever overwritten by something else.

use aws_lambda_events::event::kinesis::{KinesisEvent, KinesisEventRecord};
use jiff::Timestamp;
use storage::{
    archive::{self, compress},
    bucket::Bucket,
    patience::Patience,
};
use thiserror::Error;

use crate::{delivery::understand, failed::Failed, fault::Fault};

/// A record does not say where in its stream it stands.
#[derive(Debug, Error)]
#[error("record {id:?} does not name its shard, or no time at which it arrived")]
pub struct NoPlace {
    id: Option<String>,
}

/// Keeps the events of a batch.
pub async fn archive<B: Bucket>(
    batch: KinesisEvent,
    failed: &Failed<B>,
    patience: &Patience,
) -> Result<(), Fault> {
    let deliveries = understand(&batch, failed, patience).await?;
    let (Some(first), Some(last)) = (batch.records.first(), batch.records.last()) else {
        return Ok(());
    };
    // Without an event there is nothing to keep; a batch of nothing but trash is no batch.
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

/// Returns the key of the object for the batch from one record to another.
fn key(first: &KinesisEventRecord, last: &KinesisEventRecord) -> Result<String, NoPlace> {
    let no_place = || NoPlace { id: first.event_id.clone() };
    // An event id is `<shard>:<sequence number>`.
    let id = first.event_id.as_deref().unwrap_or_default();
    let (shard, _) = id.split_once(':').ok_or_else(no_place)?;
    let arrival = first.kinesis.approximate_arrival_timestamp.timestamp();
    let arrival = Timestamp::from_second(arrival).map_err(|_| no_place())?;
    Ok(archive::key(shard, arrival, &first.kinesis.sequence_number, &last.kinesis.sequence_number))
}
