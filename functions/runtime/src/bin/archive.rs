//! Stores each published event in the archive.

use eventsourcing::contract::ARCHIVE;
use lambda_runtime::LambdaEvent;
use runtime::{
    archive::archive,
    delivery::Records,
    start::{serve, start},
};
use storage::patience::Patience;

#[tokio::main]
async fn main() -> Result<(), runtime::Fault> {
    let failed = start(ARCHIVE).await?.failed()?;
    serve(async |event: LambdaEvent<Records>| {
        let patience = Patience::until(event.context.deadline());
        archive(event.payload.0, &failed, &patience).await
    })
    .await
}
