//! The Kinesis stream to which events are published.

use std::error::Error;

use aws_sdk_kinesis::{
    Client,
    error::{BuildError, SdkError},
    operation::put_records::PutRecordsError,
    primitives::Blob,
    types::{PutRecordsRequestEntry, PutRecordsResultEntry},
};
use thiserror::Error;

use crate::waves::Record;

/// The outcome of a call for one record: accepted, or the reason for the rejection.
pub type PutOutcome = Result<(), String>;

/// A stream that accepts or rejects each record on its own.
pub trait PutRecords: Send + Sync {
    /// Why a whole call failed.
    type Error: Error + Send + Sync + 'static;

    /// Sends records in one call, and returns the outcome of each, in the same order.
    fn put_records(
        &self,
        records: &[&Record],
    ) -> impl Future<Output = Result<Vec<PutOutcome>, Self::Error>> + Send;
}

/// A stream in Kinesis.
#[derive(Debug, Clone)]
pub struct KinesisStream {
    client: Client,
    name: String,
}

/// A whole call to Kinesis failed.
#[derive(Debug, Error)]
pub enum KinesisError {
    /// A record cannot be put into a request.
    #[error("a record cannot be sent")]
    Record(#[from] BuildError),
    /// The call failed, after the retries of the SDK.
    #[error("cannot put records into stream {stream}")]
    Call {
        /// The stream.
        stream: String,
        /// The cause.
        source: Box<SdkError<PutRecordsError>>,
    },
}

impl KinesisStream {
    /// Returns the stream with this name.
    pub fn new(client: Client, name: impl Into<String>) -> Self {
        Self { client, name: name.into() }
    }
}

impl PutRecords for KinesisStream {
    type Error = KinesisError;

    async fn put_records(&self, records: &[&Record]) -> Result<Vec<PutOutcome>, KinesisError> {
        let entry = |record: &&Record| {
            let entry = PutRecordsRequestEntry::builder().partition_key(&record.partition_key);
            entry.data(Blob::new(record.data.clone())).build()
        };
        let entries = records.iter().map(entry).collect::<Result<Vec<_>, _>>()?;
        let put = self.client.put_records().stream_name(&self.name).set_records(Some(entries));
        let answer = put
            .send()
            .await
            .map_err(|error| KinesisError::Call { stream: self.name.clone(), source: Box::new(error) })?;
        Ok(answer.records.into_iter().map(outcome).collect())
    }
}

/// Returns the outcome in an entry of a response. A response with status 200 can contain rejected records,
/// which have an error code.
fn outcome(entry: PutRecordsResultEntry) -> PutOutcome {
    match entry.error_code {
        None => Ok(()),
        Some(code) => Err(format!("{code}: {}", entry.error_message.unwrap_or_default())),
    }
}
