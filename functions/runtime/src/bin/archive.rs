//! Stores each published event in the archive.

use lambda_runtime::LambdaEvent;
use runtime::{
    archive::archive,
    delivery::Records,
    start::{serve, start},
};
use storage::patience::Patience;

#[tokio::main]
async fn main() -> Result<(), runtime::Fault> {
    let failed = start(env!("CARGO_BIN_NAME")).await.failed()?;
    serve(async |event: LambdaEvent<Records>| {
        let patience = Patience::until(event.context.deadline());
        archive(event.payload.0, &failed, &patience).await
    })
    .await
}
