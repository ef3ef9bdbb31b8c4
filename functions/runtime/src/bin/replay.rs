//! Delivers history to one handler.

use lambda_runtime::LambdaEvent;
use runtime::{
    replay::cut_off,
    start::{serve, start},
};
use serde_json::Value;

#[tokio::main]
async fn main() -> Result<(), runtime::Fault> {
    let replay = start(env!("CARGO_BIN_NAME")).await.replay()?;
    serve(|event: LambdaEvent<Value>| replay.answer(event.payload, cut_off(event.context.deadline()))).await
}
