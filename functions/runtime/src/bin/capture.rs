//! Publishes each event of each commit in the table's stream to Kinesis.

use aws_lambda_events::event::dynamodb::Event;
use lambda_runtime::LambdaEvent;
use runtime::{
    capture::capture,
    start::{serve, start},
};
use storage::patience::Patience;

#[tokio::main]
async fn main() -> Result<(), runtime::Fault> {
    let start = start(env!("CARGO_BIN_NAME")).await;
    let (stream, failed) = (start.stream()?, start.failed()?);
    serve(|event: LambdaEvent<Event>| {
        let patience = Patience::until(event.context.deadline());
        capture(event.payload, &stream, &failed, patience)
    })
    .await
}
