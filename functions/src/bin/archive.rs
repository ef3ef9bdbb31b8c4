//! Keeps each published event in the archive.

use aws_lambda_events::event::kinesis::KinesisEvent;
use domain::contract::ARCHIVE;
use functions::{
    archive::archive,
    start::{serve, start},
};
use lambda_runtime::LambdaEvent;

#[tokio::main]
async fn main() -> Result<(), functions::Fault> {
    let failed = start(ARCHIVE).await?.failed()?;
    serve(|event: LambdaEvent<KinesisEvent>| archive(event.payload, &failed)).await
}
