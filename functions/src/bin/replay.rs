//! Feeds history to one handler.

use eventsourcing::contract::REPLAY;
use functions::{
    replay::cut_off,
    start::{serve, start},
};
use lambda_runtime::LambdaEvent;
use serde_json::Value;

#[tokio::main]
async fn main() -> Result<(), functions::Fault> {
    let replay = start(REPLAY).await?.replay()?;
    serve(|event: LambdaEvent<Value>| replay.answer(event.payload, cut_off(event.context.deadline()))).await
}
