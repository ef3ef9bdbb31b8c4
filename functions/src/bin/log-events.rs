//! Writes one log line for each published event.

use aws_lambda_events::event::kinesis::KinesisEvent;
use domain::contract::LOG_EVENTS;
use functions::{
    log_events::log_events,
    start::{serve, start},
};
use lambda_runtime::LambdaEvent;

#[tokio::main]
async fn main() -> Result<(), functions::Fault> {
    let failed = start(LOG_EVENTS).await?.failed()?;
    serve(|event: LambdaEvent<KinesisEvent>| log_events(event.payload, &failed)).await
}
