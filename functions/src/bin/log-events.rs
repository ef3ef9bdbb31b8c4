//! Writes one log line for each published event, for people who want to see what happens.

use eventsourcing::contract::Function;
use runtime::{
    handler::{Delivered, Everything, Trouble, acts},
    start::start,
};

#[tokio::main]
async fn main() -> Result<(), runtime::Fault> {
    let start = start(Function::handler(env!("CARGO_BIN_NAME"))).await?;
    acts(log).serve(&start).await
}

/// Logs an event.
///
/// The data of events stay out of the log: more people read logs than may read the table,
/// and logs are hard to take things out of. A line may be there twice; `event_id` tells.
async fn log(Delivered { envelope, replay, .. }: Delivered<Everything>) -> Result<(), Trouble> {
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
