//! Converts errors of the crate `storage` into errors of the engine.

use std::convert::Infallible;

use aws_sdk_sts::error::{ProvideErrorMetadata, SdkError};
use aws_smithy_runtime_api::client::orchestrator::HttpResponse;
use engine::error::{Class, Error};
use eventsourcing::store::AppendError;
use storage::bucket::S3Error;
use storage::event_store::DynamoDbError;
use storage::fault::chain;
use storage::publish::PublishError;
use storage::scan::ScanFailed;
use storage::stream::KinesisError;

use aws::Called;

/// An error that can be converted into an error of the engine, from a crate that does not know the engine.
pub trait Classify {
    /// Returns the engine's error, with its class and hint.
    fn classify(self) -> Error;
}

fn of_call<E>(error: SdkError<E, HttpResponse>) -> Error
where
    E: ProvideErrorMetadata + std::error::Error + 'static,
{
    let Err(error) = Err::<Infallible, _>(error).called();
    error
}

/// Returns the engine's error with the table's name. DynamoDB's error does not contain it, and the user can
/// name another table than the environment's.
fn of_table<E>(error: SdkError<E, HttpResponse>, table: &str) -> Error
where
    E: ProvideErrorMetadata + std::error::Error + 'static,
{
    let called = of_call(error);
    Error { message: format!("{} (table {table})", called.message), ..called }
}

impl Classify for Error {
    fn classify(self) -> Error {
        self
    }
}

impl Classify for DynamoDbError {
    fn classify(self) -> Error {
        match self {
            DynamoDbError::Read { source, table, .. } => of_table(*source, &table),
            DynamoDbError::Append { source, table, .. } => of_table(*source, &table),
            DynamoDbError::Item { .. } => Error::new(Class::Broken, "events table", chain(&self)),
        }
    }
}

impl Classify for AppendError<DynamoDbError> {
    fn classify(self) -> Error {
        match self {
            AppendError::Conflict => Error::other("PutItem", "another commit already has this version"),
            AppendError::Store(error) => error.classify(),
        }
    }
}

impl Classify for ScanFailed {
    fn classify(self) -> Error {
        of_table(*self.source, &self.table)
    }
}

impl Classify for S3Error {
    fn classify(self) -> Error {
        match self {
            S3Error::Put { source, .. } => of_call(*source),
            S3Error::Get { source, .. } => of_call(*source),
            S3Error::List { source, .. } => of_call(*source),
            // The connection broke while the body was read. The SDK does not retry after it has returned the
            // response, so the class makes the engine retry.
            S3Error::Body { .. } => Error::new(Class::Throttled, "GetObject", chain(&self)),
        }
    }
}

impl Classify for KinesisError {
    fn classify(self) -> Error {
        match self {
            KinesisError::Call { source, .. } => of_call(*source),
            KinesisError::Record(_) => Error::other("PutRecords", chain(&self)),
        }
    }
}

impl Classify for PublishError<KinesisError> {
    fn classify(self) -> Error {
        match self {
            PublishError::Call { source, .. } => source.classify(),
            PublishError::Answer { .. } | PublishError::Rejected { .. } => {
                Error::other("PutRecords", chain(&self))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use aws_sdk_dynamodb::operation::scan::ScanError;
    use aws_sdk_dynamodb::types::error::ResourceNotFoundException;
    use aws_smithy_types::body::SdkBody;
    use aws_smithy_types::error::ErrorMetadata;

    use super::*;

    #[test]
    fn truncated_object_read_is_retried() {
        let source = std::io::Error::from(std::io::ErrorKind::UnexpectedEof).into();
        let error = S3Error::Body { key: "k".to_owned(), bucket: "b".to_owned(), source }.classify();
        assert!(error.class.passes(), "{error:?}");
    }

    #[test]
    fn unreadable_table_is_named() {
        let meta = ErrorMetadata::builder()
            .code("ResourceNotFoundException")
            .message("Requested resource not found");
        let gone = ResourceNotFoundException::builder().meta(meta.build()).build();
        let status = 400.try_into().expect("400 is a valid status");
        let answer = HttpResponse::new(status, SdkBody::empty());
        let failed = SdkError::service_error(ScanError::ResourceNotFoundException(gone), answer);
        let error = ScanFailed { table: "copy".to_owned(), source: Box::new(failed) }.classify();
        assert_eq!(error.class, Class::Gone);
        assert_eq!(
            error.to_string(),
            "Scan: ResourceNotFoundException: Requested resource not found (table copy)"
        );
    }
}
