//! Errors of the crate that keeps and carries events, told like the errors of all calls.

use std::convert::Infallible;

use aws_sdk_sts::error::{ProvideErrorMetadata, SdkError};
use aws_smithy_runtime_api::client::orchestrator::HttpResponse;
use domain::store::AppendError;
use storage::bucket::S3Error;
use storage::event_store::DynamoDbError;
use storage::fault::chain;
use storage::publish::PublishError;
use storage::scan::ScanFailed;
use storage::stream::KinesisError;

use super::Called;
use crate::error::{Class, Error};

fn of_call<E>(operation: &str, error: SdkError<E, HttpResponse>) -> Error
where
    E: ProvideErrorMetadata + std::error::Error + 'static,
{
    let Err(error) = Err::<Infallible, _>(error).called(operation);
    error
}

impl From<DynamoDbError> for Error {
    fn from(error: DynamoDbError) -> Self {
        match error {
            DynamoDbError::Read { source, .. } => of_call("Query", *source),
            DynamoDbError::Append { source, .. } => of_call("PutItem", *source),
            DynamoDbError::Item { .. } => Self::new(Class::Broken, "events table", chain(&error)),
        }
    }
}

impl From<AppendError<DynamoDbError>> for Error {
    fn from(error: AppendError<DynamoDbError>) -> Self {
        match error {
            AppendError::Conflict => Self::other("PutItem", "the version is taken by another commit"),
            AppendError::Store(error) => error.into(),
        }
    }
}

impl From<ScanFailed> for Error {
    fn from(error: ScanFailed) -> Self {
        of_call("Scan", *error.source)
    }
}

impl From<S3Error> for Error {
    fn from(error: S3Error) -> Self {
        match error {
            S3Error::Put { source, .. } => of_call("PutObject", *source),
            S3Error::Get { source, .. } => of_call("GetObject", *source),
            S3Error::List { source, .. } => of_call("ListObjectsV2", *source),
            S3Error::Body { .. } => Self::other("GetObject", chain(&error)),
        }
    }
}

impl From<KinesisError> for Error {
    fn from(error: KinesisError) -> Self {
        match error {
            KinesisError::Call { source, .. } => of_call("PutRecords", *source),
            KinesisError::Record(_) => Self::other("PutRecords", chain(&error)),
        }
    }
}

impl From<PublishError<KinesisError>> for Error {
    fn from(error: PublishError<KinesisError>) -> Self {
        match error {
            PublishError::Call { source, .. } => source.into(),
            PublishError::Answer { .. } | PublishError::Rejected { .. } => {
                Self::other("PutRecords", chain(&error))
            }
        }
    }
}
