//! Writes one log line for each published event, for people who want to watch the events.

use runtime::{
    handler::{Delivered, Everything, HandlerError, reactor},
    start::start,
};

#[tokio::main]
async fn main() -> Result<(), runtime::Fault> {
    let start = start(env!("CARGO_BIN_NAME")).await;
    reactor(log).serve(&start).await
}

/// Logs an event.
///
/// The data of events is not logged: more people may read logs than the table, and removing data from logs is
/// hard. An event may be logged twice; `event_id` identifies it.
async fn log(Delivered { envelope, replay, .. }: Delivered<Everything>) -> Result<(), HandlerError> {
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
        replay = replay.map(display),
        "event"
    );
    Ok(())
}
