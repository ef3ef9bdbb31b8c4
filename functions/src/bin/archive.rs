//! Keeps each published event in the archive.

use domain::contract::ARCHIVE;
use functions::{
    archive::archive,
    delivery::Records,
    start::{serve, start},
};
use lambda_runtime::LambdaEvent;

#[tokio::main]
async fn main() -> Result<(), functions::Fault> {
    let failed = start(ARCHIVE).await?.failed()?;
    serve(|event: LambdaEvent<Records>| archive(event.payload.0, &failed)).await
}
