//! Where objects are kept: the bucket of the archive.

use std::error::Error;

use aws_sdk_s3::{Client, error::SdkError, operation::put_object::PutObjectError, primitives::ByteStream};
use thiserror::Error;

/// A place for objects. Putting one where one is replaces it.
pub trait Bucket: Send + Sync {
    /// Why an object could not be kept.
    type Error: Error + Send + Sync + 'static;

    /// Keeps an object under a key.
    fn put(
        &self,
        key: &str,
        content_type: &str,
        body: Vec<u8>,
    ) -> impl Future<Output = Result<(), Self::Error>> + Send;
}

/// A bucket of S3.
#[derive(Debug, Clone)]
pub struct S3Bucket {
    client: Client,
    name: String,
}

/// An object could not be kept.
#[derive(Debug, Error)]
#[error("putting {key} into bucket {bucket} failed")]
pub struct S3Error {
    key: String,
    bucket: String,
    source: Box<SdkError<PutObjectError>>,
}

impl S3Bucket {
    /// Returns the bucket with this name.
    pub fn new(client: Client, name: impl Into<String>) -> Self {
        Self { client, name: name.into() }
    }
}

impl Bucket for S3Bucket {
    type Error = S3Error;

    async fn put(&self, key: &str, content_type: &str, body: Vec<u8>) -> Result<(), S3Error> {
        let put = self.client.put_object().bucket(&self.name).key(key);
        let put = put.content_type(content_type).body(ByteStream::from(body));
        put.send().await.map(drop).map_err(|error| S3Error {
            key: key.to_owned(),
            bucket: self.name.clone(),
            source: Box::new(error),
        })
    }
}
