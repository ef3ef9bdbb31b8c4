//! Every event for good: one compressed object for each batch, one line for each event.
//!
//! The name and the bytes of an object follow from its batch alone. A batch that is
//! delivered again writes the same object again, and one that is cut in another way gets
//! another name, so nothing is ever overwritten by something else.

use std::io::Write;

use aws_lambda_events::event::kinesis::{KinesisEvent, KinesisEventRecord};
use domain::contract::EVENTS_PREFIX;
use flate2::{Compression, GzBuilder};
use jiff::{Timestamp, tz::TimeZone};
use thiserror::Error;

use crate::{
    bucket::Bucket,
    delivery::{Delivery, understand},
    failed::Failed,
    fault::Fault,
};

/// The gzip header's word for an unknown operating system: where it ran must not show.
const ANY_SYSTEM: u8 = 255;

/// A record does not say where in its stream it stands.
#[derive(Debug, Error)]
#[error("record {id:?} does not name its shard, or no time at which it arrived")]
pub struct NoPlace {
    id: Option<String>,
}

/// Keeps the events of a batch.
pub async fn archive<B: Bucket>(batch: KinesisEvent, failed: &Failed<B>) -> Result<(), Fault> {
    let deliveries = understand(&batch, failed).await?;
    let (Some(first), Some(last)) = (batch.records.first(), batch.records.last()) else {
        return Ok(());
    };
    // Without an event there is nothing to keep; a batch of nothing but trash is no batch.
    if deliveries.is_empty() {
        return Ok(());
    }
    let key = key(first, last)?;
    let object = compress(&deliveries)?;
    let (events, bytes) = (deliveries.len(), object.len());
    failed.bucket().put(&key, "application/gzip", object).await?;
    tracing::info!(key, events, bytes, "archived");
    Ok(())
}

/// Returns the key of the object for the batch from one record to another.
///
/// Date and hour are those of the first record's arrival, never of the clock: a retry after
/// midnight has to find the same key.
fn key(first: &KinesisEventRecord, last: &KinesisEventRecord) -> Result<String, NoPlace> {
    let no_place = || NoPlace { id: first.event_id.clone() };
    // An event id is `<shard>:<sequence number>`.
    let id = first.event_id.as_deref().unwrap_or_default();
    let (shard, _) = id.split_once(':').ok_or_else(no_place)?;
    let arrival = first.kinesis.approximate_arrival_timestamp.timestamp();
    let arrival = Timestamp::from_second(arrival).map_err(|_| no_place())?;
    let time = arrival.to_zoned(TimeZone::UTC);
    Ok(format!(
        "{EVENTS_PREFIX}dt={}/hour={:02}/{shard}-{}-{}.ndjson.gz",
        time.date(),
        time.hour(),
        first.kinesis.sequence_number,
        last.kinesis.sequence_number,
    ))
}

/// Returns the events as compressed lines; equal events are equal bytes.
fn compress(deliveries: &[Delivery<'_>]) -> std::io::Result<Vec<u8>> {
    let header = GzBuilder::new().mtime(0).operating_system(ANY_SYSTEM);
    let mut gzip = header.write(Vec::new(), Compression::default());
    for delivery in deliveries {
        gzip.write_all(delivery.bytes)?;
        gzip.write_all(b"\n")?;
    }
    gzip.finish()
}
