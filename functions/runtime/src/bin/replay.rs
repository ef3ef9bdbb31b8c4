//! Delivers history to one handler.

use eventsourcing::contract::REPLAY;
use lambda_runtime::LambdaEvent;
use runtime::{
    replay::cut_off,
    start::{serve, start},
};
use serde_json::Value;

#[tokio::main]
async fn main() -> Result<(), runtime::Fault> {
    let replay = start(REPLAY).await?.replay()?;
    serve(|event: LambdaEvent<Value>| replay.answer(event.payload, cut_off(event.context.deadline()))).await
}
