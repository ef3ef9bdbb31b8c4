//! Where events are published: the Kinesis stream.

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

/// What a call says of one record: accepted, or why not.
pub type PutOutcome = Result<(), String>;

/// A stream that takes records, each on its own terms.
pub trait PutRecords: Send + Sync {
    /// Why a call failed as a whole.
    type Error: Error + Send + Sync + 'static;

    /// Hands over records in one call and returns what became of each, in their order.
    fn put_records(
        &self,
        records: &[&Record],
    ) -> impl Future<Output = Result<Vec<PutOutcome>, Self::Error>> + Send;
}

/// A stream of Kinesis.
#[derive(Debug, Clone)]
pub struct KinesisStream {
    client: Client,
    name: String,
}

/// A call to Kinesis failed as a whole.
#[derive(Debug, Error)]
pub enum KinesisError {
    /// A record cannot be put into a request.
    #[error("a record cannot be sent")]
    Record(#[from] BuildError),
    /// The call failed; the SDK has repeated it already.
    #[error("putting records into stream {stream} failed")]
    Call {
        /// The stream.
        stream: String,
        /// What happened.
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

/// An answer that says 200 can hold rejected records all the same; a code tells them.
fn outcome(entry: PutRecordsResultEntry) -> PutOutcome {
    match entry.error_code {
        None => Ok(()),
        Some(code) => Err(format!("{code}: {}", entry.error_message.unwrap_or_default())),
    }
}
