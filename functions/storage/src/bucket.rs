//! The bucket of the archive.

use std::error::Error;

use aws_sdk_s3::{
    Client,
    error::{ProvideErrorMetadata, SdkError},
    operation::{
        get_object::GetObjectError, list_objects_v2::ListObjectsV2Error, put_object::PutObjectError,
    },
    primitives::{ByteStream, ByteStreamError},
};
use thiserror::Error;

/// An object from the bucket.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Object {
    /// Its content.
    pub body: Vec<u8>,
    /// The entity tag, which identifies this state of the object.
    pub etag: String,
}

/// The precondition of a conditional put.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Expected {
    /// There is no object under the key.
    Nothing,
    /// The object is in the state with this entity tag.
    State(String),
}

/// A store from which objects can be read.
pub trait Objects: Send + Sync {
    /// Why a call failed.
    type Error: Error + Send + Sync + 'static;

    /// Returns the object under a key, or `None` if there is none.
    fn get(&self, key: &str) -> impl Future<Output = Result<Option<Object>, Self::Error>> + Send;

    /// Returns whether a call failed because of this object's state, so that a retry cannot succeed until an
    /// operator repairs the object.
    fn is_of_the_object(error: &Self::Error) -> bool {
        let _ = error;
        false
    }

    /// Returns keys that begin with a prefix and follow `after`, in their order. The list can be partial, but
    /// it is empty only if there are no more keys.
    fn list(
        &self,
        prefix: &str,
        after: Option<&str>,
    ) -> impl Future<Output = Result<Vec<String>, Self::Error>> + Send;
}

/// A store to which objects can be written. A put replaces an existing object.
pub trait Bucket: Objects {
    /// Writes an object under a key.
    fn put(
        &self,
        key: &str,
        content_type: &str,
        body: Vec<u8>,
    ) -> impl Future<Output = Result<(), Self::Error>> + Send;

    /// Writes an object if the precondition holds, and returns the entity tag of its new state. Returns
    /// `None` if the precondition does not hold.
    ///
    /// The SDK retries a put whose response was lost, and then its own object violates the precondition.
    /// After `None`, the caller must read the object to learn which writer stored it.
    fn put_if(
        &self,
        key: &str,
        content_type: &str,
        body: Vec<u8>,
        expected: &Expected,
    ) -> impl Future<Output = Result<Option<String>, Self::Error>> + Send;
}

/// The error codes of S3 that concern one object, while others may be readable: its storage class requires
/// that it is restored first ("GetObject", S3 API reference), or its KMS key cannot be used.
const OF_ONE_OBJECT: [&str; 4] =
    ["InvalidObjectState", "KMS.DisabledException", "KMS.NotFoundException", "KMS.KMSInvalidStateException"];

/// Returns whether this error code of S3 concerns one object's state.
pub fn is_of_one_object(code: &str) -> bool {
    OF_ONE_OBJECT.contains(&code)
}

/// A bucket in S3.
#[derive(Debug, Clone)]
pub struct S3Bucket {
    client: Client,
    name: String,
}

/// A call to S3 failed.
#[derive(Debug, Error)]
pub enum S3Error {
    /// An object could not be written.
    #[error("cannot put {key} into bucket {bucket}")]
    Put {
        /// The key of the object.
        key: String,
        /// The bucket.
        bucket: String,
        /// The cause.
        source: Box<SdkError<PutObjectError>>,
    },
    /// An object could not be read.
    #[error("cannot get {key} from bucket {bucket}")]
    Get {
        /// The key of the object.
        key: String,
        /// The bucket.
        bucket: String,
        /// The cause.
        source: Box<SdkError<GetObjectError>>,
    },
    /// The connection broke while an object was read.
    #[error("cannot get all of {key} from bucket {bucket}")]
    Body {
        /// The key of the object.
        key: String,
        /// The bucket.
        bucket: String,
        /// The cause.
        source: ByteStreamError,
    },
    /// The keys could not be listed.
    #[error("cannot list {prefix} in bucket {bucket}")]
    List {
        /// The prefix of the keys.
        prefix: String,
        /// The bucket.
        bucket: String,
        /// The cause.
        source: Box<SdkError<ListObjectsV2Error>>,
    },
}

impl S3Bucket {
    /// Returns the bucket with this name.
    pub fn new(client: Client, name: impl Into<String>) -> Self {
        Self { client, name: name.into() }
    }
}

impl Objects for S3Bucket {
    type Error = S3Error;

    async fn get(&self, key: &str) -> Result<Option<Object>, S3Error> {
        let (of, bucket) = (key.to_owned(), self.name.clone());
        let answer = match self.client.get_object().bucket(&self.name).key(key).send().await {
            Ok(answer) => answer,
            Err(error) if error.as_service_error().is_some_and(GetObjectError::is_no_such_key) => {
                return Ok(None);
            }
            Err(error) => return Err(S3Error::Get { key: of, bucket, source: Box::new(error) }),
        };
        let etag = answer.e_tag.unwrap_or_default();
        let body = answer.body.collect().await;
        let body = body.map_err(|source| S3Error::Body { key: of, bucket, source })?;
        Ok(Some(Object { body: body.to_vec(), etag }))
    }

    fn is_of_the_object(error: &S3Error) -> bool {
        matches!(error, S3Error::Get { source, .. } if source.code().is_some_and(is_of_one_object))
    }

    async fn list(&self, prefix: &str, after: Option<&str>) -> Result<Vec<String>, S3Error> {
        let list = self.client.list_objects_v2().bucket(&self.name).prefix(prefix);
        let list = list.set_start_after(after.map(str::to_owned));
        let mut next = None;
        loop {
            let answer = list.clone().set_continuation_token(next).send().await;
            let answer = answer.map_err(|error| S3Error::List {
                prefix: prefix.to_owned(),
                bucket: self.name.clone(),
                source: Box::new(error),
            })?;
            let keys = answer.contents.unwrap_or_default().into_iter().filter_map(|object| object.key);
            // The S3 console creates such objects for folders ("Organizing objects by using folders", S3 user
            // guide).
            let keys: Vec<String> = keys.filter(|key| !key.ends_with('/')).collect();
            // Only `IsTruncated` says whether there are more keys ("ListObjectsV2", S3 API reference): a page
            // can be empty without being the last.
            if !keys.is_empty() || answer.is_truncated != Some(true) {
                return Ok(keys);
            }
            next = answer.next_continuation_token;
        }
    }
}

impl Bucket for S3Bucket {
    async fn put(&self, key: &str, content_type: &str, body: Vec<u8>) -> Result<(), S3Error> {
        let put = self.client.put_object().bucket(&self.name).key(key);
        let put = put.content_type(content_type).body(ByteStream::from(body));
        put.send().await.map(drop).map_err(|error| S3Error::Put {
            key: key.to_owned(),
            bucket: self.name.clone(),
            source: Box::new(error),
        })
    }

    async fn put_if(
        &self,
        key: &str,
        content_type: &str,
        body: Vec<u8>,
        expected: &Expected,
    ) -> Result<Option<String>, S3Error> {
        let put = self.client.put_object().bucket(&self.name).key(key);
        let put = put.content_type(content_type).body(ByteStream::from(body));
        let put = match expected {
            Expected::Nothing => put.if_none_match("*"),
            Expected::State(etag) => put.if_match(etag),
        };
        match put.send().await {
            Ok(answer) => Ok(Some(answer.e_tag.unwrap_or_default())),
            // 412; 409 if another conditional put was in progress; 404 if the object to be replaced does not
            // exist ("Conditional requests", S3 user guide).
            Err(error)
                if matches!(
                    error.code(),
                    Some("PreconditionFailed" | "ConditionalRequestConflict" | "NoSuchKey")
                ) =>
            {
                Ok(None)
            }
            Err(error) => {
                Err(S3Error::Put { key: key.to_owned(), bucket: self.name.clone(), source: Box::new(error) })
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use aws_sdk_s3::{
        config::http::HttpResponse,
        error::{ErrorMetadata, SdkError},
        primitives::SdkBody,
    };

    use super::*;

    #[test]
    fn object_errors_are_distinguished_from_failed_calls() {
        let of_the_object = |code: &str| {
            let said = GetObjectError::generic(ErrorMetadata::builder().code(code).build());
            let answer = HttpResponse::new(400.try_into().expect("the status is valid"), SdkBody::empty());
            let source = Box::new(SdkError::service_error(said, answer));
            S3Bucket::is_of_the_object(&S3Error::Get { key: String::new(), bucket: String::new(), source })
        };
        assert!(of_the_object("InvalidObjectState"));
        assert!(of_the_object("KMS.DisabledException"));
        assert!(!of_the_object("SlowDown"));
        assert!(!of_the_object("KMS.ThrottlingException"));
    }
}
