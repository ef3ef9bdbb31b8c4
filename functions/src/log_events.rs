//! One log line for each event, for people who want to see what happens.

use aws_lambda_events::event::kinesis::KinesisEvent;

use storage::bucket::Bucket;

use crate::{delivery::understand, failed::Failed, fault::Fault};

/// Logs the events of a batch.
///
/// The data of events stay out of the log: more people read logs than may read the table,
/// and logs are hard to take things out of.
pub async fn log_events<B: Bucket>(batch: KinesisEvent, failed: &Failed<B>) -> Result<(), Fault> {
    for delivery in understand(&batch, failed).await? {
        let envelope = delivery.envelope;
        tracing::info!(
            event_id = %envelope.id,
            event_type = envelope.event_type,
            schema_version = envelope.schema_version,
            aggregate_type = envelope.aggregate_type,
            aggregate_id = %envelope.aggregate_id,
            version = envelope.version,
            occurred_at = %envelope.occurred_at,
            command_id = %envelope.command_id,
            correlation_id = %envelope.correlation_id,
            causation_id = envelope.causation_id.map(display),
            actor = envelope.actor,
            "event"
        );
    }
    Ok(())
}
