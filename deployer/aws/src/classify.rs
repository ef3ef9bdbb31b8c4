//! The classifier of AWS errors: a service's code, status and message yield a [`Class`].
//!
//! Codes are matched as they arrive on the wire, not as the SDK models them: several are
//! not modelled on the operations that send them. Hints for users are in `hint`.

use std::any::type_name;
use std::time::Duration;

use aws_sdk_sts::error::{ProvideErrorMetadata, SdkError};
use aws_sdk_sts::operation::RequestId;
use aws_smithy_runtime_api::client::orchestrator::HttpResponse;
use engine::error::{Class, Error};

use self::page::Page;
use super::hint::{self, Said};
use super::read_only::only_reads;

mod debug_form;
mod page;
mod words;

/// Converts the result of an SDK call into one with the engine's error.
pub trait Called<T> {
    /// Converts the error, with the SDK's name of the operation.
    ///
    /// # Errors
    /// Returns the call's error with its class and hint.
    fn called(self) -> Result<T, Error>;
}

impl<T, E> Called<T> for Result<T, SdkError<E, HttpResponse>>
where
    E: ProvideErrorMetadata + std::error::Error + 'static,
{
    fn called(self) -> Result<T, Error> {
        self.map_err(|error| {
            let operation = operation::<E>();
            let status = error.raw_response().map(|response| response.status().as_u16());
            let request_id = error.request_id().map(str::to_owned);
            if let Some(page) = error.raw_response().and_then(Page::of) {
                return Error::new(page.class(), operation, page.message()).hint(page::HINT);
            }
            let code = error.code().map(str::to_owned);
            let message = match error.message() {
                Some(message) => message.to_owned(),
                None => chain(&error),
            };
            let message = without_values(message);
            let class = classify_call(operation, code.as_deref(), status, &message);
            let said = Said::new(operation, class, code.as_deref(), status, &message);
            let (hint, message) = (hint::hint(&said), hint::plain_message(&said).unwrap_or(message));
            let (awaited, patience) = (awaited(class, &message), patience(class, &message));
            Error { hint, code, request_id, awaited, patience, ..Error::new(class, operation, message) }
        })
    }
}

/// Returns the operation of this error type: the SDK has a type `<operation>Error` for each.
fn operation<E>() -> &'static str {
    let name = type_name::<E>();
    let name = name.rsplit("::").next().unwrap_or(name);
    name.strip_suffix("Error").unwrap_or(name)
}

/// Returns what a retry of the error waits for, where its message says more than its class.
fn awaited(class: Class, message: &str) -> Option<&'static str> {
    let says = |words: &str| message.to_lowercase().contains(words);
    match class {
        Class::Throttled => Some("AWS to accept more calls"),
        Class::Propagating if says("assumed") => Some("the role to be assumable"),
        Class::Propagating if says("role") => Some("the role's permissions to propagate"),
        _ => None,
    }
}

/// Returns how long an error is worth retrying, where its message is less certain than its class: a denial
/// can also be final, and should not take two minutes.
fn patience(class: Class, message: &str) -> Option<Duration> {
    let doubtful = class == Class::Propagating && message.contains("is not authorized to perform");
    doubtful.then_some(Duration::from_secs(20))
}

/// Returns the message without the values of environment variables. Lambda quotes all of them if they are too
/// large: "… exceeded the 4KB limit. String measured: {…}" (github-aws-runners/terraform-aws-github-runner,
/// issue 3594). They must not appear in logs.
fn without_values(mut message: String) -> String {
    const QUOTED: &str = "string measured:";
    // ASCII lower case keeps all positions.
    if let Some(at) = message.to_ascii_lowercase().find(QUOTED) {
        message.truncate(at);
        message.truncate(message.trim_end().len());
    }
    message
}

/// Returns an error and its causes, without repetitions and without values in Debug form.
/// (The SDK's `DisplayErrorContext` adds the whole response.)
fn chain(error: &dyn std::error::Error) -> String {
    let causes = std::iter::successors(Some(error), |cause| cause.source());
    let mut said: Vec<String> =
        causes.map(|cause| debug_form::left_out(&cause.to_string()).into_owned()).collect();
    said.dedup();
    let said = said.join(": ");
    said.strip_prefix("dispatch failure: other: ").unwrap_or(&said).to_owned()
}

/// Classifies the error of an operation. A denied change can be temporary: a role of the environment, or
/// another resource that the call needs, may have changed a moment ago. A denied read is final. AWS uses the
/// same message for every missing permission ("Troubleshoot access denied error messages", IAM user guide).
fn classify_call(operation: &str, code: Option<&str>, status: Option<u16>, message: &str) -> Class {
    match classify(code, status, message) {
        Class::Propagating if only_reads(operation) && is_denial(message) => Class::Denied,
        class => class,
    }
}

fn is_denial(message: &str) -> bool {
    let text = message.to_lowercase();
    words::DENIALS.iter().any(|part| text.contains(part))
}

/// Classifies an error, by its message before its code: one code often has several meanings.
fn classify(code: Option<&str>, status: Option<u16>, message: &str) -> Class {
    let text = message.to_lowercase();
    let by_words = words::CLASSES.iter().find(|(_, known)| known.iter().any(|part| text.contains(part)));
    if let Some((class, _)) = by_words {
        return *class;
    }
    let Some(code) = code else {
        return match status {
            Some(404) => Class::Gone,
            Some(403) => Class::Denied,
            None if text.contains("credential") => Class::Credentials,
            // The connection broke, and the SDK has already retried for some seconds.
            None if words::CUT_OFF.iter().any(|part| text.contains(part)) => Class::Throttled,
            _ => by_status(status),
        };
    };
    // A service denies this to a role: either the permission is missing, or it was granted a moment ago.
    let denied = text.contains("is not authorized to perform");
    let otherwise = || if denied { Class::Propagating } else { by_status(status) };
    by_code(code, &text).unwrap_or_else(otherwise)
}

/// Classifies an error without a known code. Server errors are temporary ("Retry behavior", AWS SDKs and
/// Tools reference guide); right after a change they are often propagation.
fn by_status(status: Option<u16>) -> Class {
    match status {
        Some(429 | 500 | 502 | 503 | 504) => Class::Throttled,
        _ => Class::Other,
    }
}

fn by_code(code: &str, text: &str) -> Option<Class> {
    Some(match code {
        "NoSuchEntity"
        | "NoSuchEntityException"
        | "ResourceNotFoundException"
        | "ResourceNotFound"
        | "DashboardNotFoundError"
        | "NoSuchBucket"
        | "NoSuchKey"
        | "NoSuchUpload"
        // DynamoDB, in calls about backups.
        | "TableNotFoundException"
        | "NotFound"
        | "404" => Class::Gone,

        // The SDK's list ("retry behavior", aws-runtime), except for one code below.
        "Throttling"
        | "ThrottlingException"
        | "ThrottledException"
        | "RequestThrottledException"
        | "RequestThrottled"
        | "TooManyRequestsException"
        | "ProvisionedThroughputExceededException"
        | "TransactionInProgressException"
        | "RequestLimitExceeded"
        | "BandwidthLimitExceeded"
        | "SlowDown"
        | "PriorRequestNotComplete"
        | "EC2ThrottledException"
        | "KMSThrottlingException"
        | "RequestTimeout"
        | "RequestTimeoutException"
        | "ServiceUnavailable"
        | "ServiceUnavailableException"
        | "InternalFailure"
        | "InternalServerError"
        | "InternalServiceError"
        | "InternalError"
        | "ServiceException"
        | "ServiceFailure" => Class::Throttled,

        // Lambda uses this code both for "already exist" and for "in progress". About a URL it says
        // "FunctionUrlConfig exists for this Lambda function".
        "ResourceConflictException"
            if text.contains("already exist") || text.contains("functionurlconfig exists") =>
        {
            Class::Exists
        }
        "ResourceConflictException"
        | "ResourceInUseException"
        | "OperationAborted"
        | "OperationAbortedException"
        | "ConcurrentModification"
        | "ConcurrentModificationException"
        | "ConflictException"
        | "ConditionalRequestConflict"
        | "DeleteConflict"
        | "EntityTemporarilyUnmodifiable"
        | "ContinuousBackupsUnavailableException" => Class::InProgress,

        "EntityAlreadyExists"
        | "EntityAlreadyExistsException"
        | "ResourceAlreadyExistsException"
        | "TableAlreadyExistsException"
        | "BucketAlreadyOwnedByYou"
        | "BucketAlreadyExists" => Class::Exists,

        // DynamoDB, Kinesis and CloudWatch Logs use it both for quotas and for rate limits.
        "LimitExceededException" if words::BUSY.iter().any(|busy| says(text, busy)) => Class::Throttled,
        "LimitExceeded" | "LimitExceededException" | "TooManyBuckets" | "CodeStorageExceededException" => {
            Class::Quota
        }

        "AccessDenied"
        | "AccessDeniedException"
        | "UnauthorizedOperation"
        | "NotAuthorized"
        | "KMSAccessDeniedException"
        | "OptInRequired"
        | "403" => Class::Denied,

        "ExpiredToken"
        | "ExpiredTokenException"
        | "RequestExpired"
        | "TokenRefreshRequired"
        | "InvalidClientTokenId"
        | "InvalidAccessKeyId"
        | "InvalidToken"
        | "UnrecognizedClientException"
        | "AuthFailure"
        | "MissingAuthenticationToken"
        | "MissingAuthenticationTokenException"
        | "IncompleteSignature"
        | "SignatureDoesNotMatch"
        | "InvalidSignatureException"
        | "RequestTimeTooSkewed" => Class::Credentials,
        _ => return None,
    })
}

/// Returns whether a text contains these words as whole words: "operate" does not contain "rate".
fn says(text: &str, words: &str) -> bool {
    let ends = |text: &str| text.chars().next_back().is_none_or(|c| !c.is_alphabetic());
    let begins = |text: &str| text.chars().next().is_none_or(|c| !c.is_alphabetic());
    text.match_indices(words).any(|(at, found)| ends(&text[..at]) && begins(&text[at + found.len()..]))
}

#[cfg(test)]
mod tests;
