//! The one classifier: from a service's code, status and message to what we can do about it.
//!
//! Codes are matched as they arrive on the wire, not as the SDK models them: several are
//! not modelled on the operations that send them.

use aws_sdk_sts::error::{ProvideErrorMetadata, SdkError};
use aws_sdk_sts::operation::RequestId;
use aws_smithy_runtime_api::client::orchestrator::HttpResponse;

use crate::error::{Class, Error};

/// Turns the outcome of a call into ours.
pub trait Called<T> {
    /// Names the operation in the error.
    ///
    /// # Errors
    /// The call's error, classified.
    fn called(self, operation: &str) -> Result<T, Error>;
}

impl<T, E> Called<T> for Result<T, SdkError<E, HttpResponse>>
where
    E: ProvideErrorMetadata + std::error::Error + 'static,
{
    fn called(self, operation: &str) -> Result<T, Error> {
        self.map_err(|error| {
            let status = error.raw_response().map(|response| response.status().as_u16());
            let request_id = error.request_id().map(str::to_owned);
            let code = error.code().map(str::to_owned);
            let message = match error.message() {
                Some(message) => message.to_owned(),
                None => chain(&error),
            };
            let class = classify(code.as_deref(), status, &message);
            let unreachable = matches!(error, SdkError::DispatchFailure(_) | SdkError::TimeoutError(_));
            let hint = hint(class).or_else(|| unreachable.then(endpoint_hint).flatten());
            Error { hint, class, operation: operation.to_owned(), code, message, request_id }
        })
    }
}

/// Returns an error and what it was because of, without repeating what the next one says.
/// (The SDK's own `DisplayErrorContext` adds the whole response for debugging.)
fn chain(error: &dyn std::error::Error) -> String {
    let causes = std::iter::successors(Some(error), |cause| cause.source());
    let mut said: Vec<String> = causes.map(ToString::to_string).collect();
    said.dedup();
    said.join(": ")
}

/// Messages of a change that is not known everywhere yet, in lower case
/// (terraform-provider-aws, internal/service/{iam,lambda,logs}).
const PROPAGATING: &[&str] = &[
    "cannot be assumed",
    "role defined for the function",
    "execution role does not have permissions",
    "please ensure the role can perform",
    "cannot access stream",
    "received exception while reading from provided stream",
    "invalid principal in policy",
    "kms key is invalid for creategrant",
];

/// Messages of a thing that is busy, in lower case.
const IN_PROGRESS: &[&str] = &[
    "currently in the following state: pending",
    "concurrent update operation",
    "because it is in use",
    "an update is in progress for resource",
    "a separate request to update this alarm is in progress",
    "conflicting conditional operation",
];

fn classify(code: Option<&str>, status: Option<u16>, message: &str) -> Class {
    let text = message.to_lowercase();
    let says = |known: &[&str]| known.iter().any(|part| text.contains(part));
    if says(PROPAGATING) {
        return Class::Propagating;
    }
    if says(IN_PROGRESS) {
        return Class::InProgress;
    }
    let Some(code) = code else {
        return match status {
            Some(404) => Class::Gone,
            Some(403) => Class::Denied,
            Some(429 | 500..=599) => Class::Throttled,
            None if text.contains("credential") => Class::Credentials,
            _ => Class::Other,
        };
    };
    match code {
        "NoSuchEntity"
        | "NoSuchEntityException"
        | "ResourceNotFoundException"
        | "ResourceNotFound"
        | "NoSuchBucket"
        | "NotFound"
        | "404" => Class::Gone,

        "Throttling"
        | "ThrottlingException"
        | "ThrottledException"
        | "TooManyRequestsException"
        | "RequestLimitExceeded"
        | "SlowDown"
        | "ServiceUnavailable"
        | "InternalFailure"
        | "InternalServerError"
        | "InternalError"
        | "ServiceException"
        | "ServiceFailure" => Class::Throttled,

        "ResourceInUseException"
        | "OperationAborted"
        | "OperationAbortedException"
        | "ConcurrentModification"
        | "ConcurrentModificationException"
        | "DeleteConflict"
        | "EntityTemporarilyUnmodifiable"
        | "ContinuousBackupsUnavailableException" => Class::InProgress,
        "LimitExceededException" if text.contains("simultaneously") => Class::InProgress,

        // Lambda says both "already exist" and "in progress" with this one.
        "ResourceConflictException" if text.contains("already exist") => Class::Exists,
        "ResourceConflictException" => Class::InProgress,
        "EntityAlreadyExists"
        | "EntityAlreadyExistsException"
        | "ResourceAlreadyExistsException"
        | "BucketAlreadyOwnedByYou"
        | "BucketAlreadyExists" => Class::Exists,

        "AccessDenied" | "AccessDeniedException" | "UnauthorizedOperation" | "403" => Class::Denied,
        "LimitExceeded" | "LimitExceededException" | "TooManyBuckets" | "CodeStorageExceededException" => {
            Class::Quota
        }
        "ExpiredToken"
        | "ExpiredTokenException"
        | "InvalidClientTokenId"
        | "InvalidAccessKeyId"
        | "UnrecognizedClientException"
        | "SignatureDoesNotMatch"
        | "InvalidSignatureException" => Class::Credentials,
        _ => Class::Other,
    }
}

fn hint(class: Class) -> Option<String> {
    let hint = match class {
        Class::Credentials => "log in again (`aws sso login`, `aws login`) or set AWS_PROFILE",
        Class::Denied => "the caller's IAM policies, or one of its organisation, do not allow this",
        Class::Quota => "ask for a higher quota in the Service Quotas console",
        _ => return None,
    };
    Some(hint.to_owned())
}

/// An endpoint set in the environment and forgotten is the usual reason for not reaching AWS.
fn endpoint_hint() -> Option<String> {
    let endpoint = std::env::var("AWS_ENDPOINT_URL").ok().filter(|endpoint| !endpoint.is_empty())?;
    Some(format!("AWS_ENDPOINT_URL is set to {endpoint}: is that what you mean, and does it answer?"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_and_messages_are_classified() {
        let cases = [
            (Some("NoSuchEntity"), 404, "role gone", Class::Gone),
            (None, 404, "", Class::Gone),
            (None, 503, "", Class::Throttled),
            (
                Some("InvalidParameterValueException"),
                400,
                "The role defined for the function cannot be assumed by Lambda.",
                Class::Propagating,
            ),
            (Some("ResourceConflictException"), 409, "Function already exist: f", Class::Exists),
            (
                Some("ResourceConflictException"),
                409,
                "The operation cannot be performed at this time. An update is in progress for resource: f",
                Class::InProgress,
            ),
            (Some("LimitExceededException"), 400, "too many tables", Class::Quota),
            (Some("ValidationException"), 400, "no", Class::Other),
        ];
        for (code, status, message, class) in cases {
            assert_eq!(classify(code, Some(status), message), class, "{code:?} {message}");
        }
    }
}
