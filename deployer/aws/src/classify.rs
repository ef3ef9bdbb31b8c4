//! The one classifier: from a service's code, status and message to what we can do about it.
//!
//! Codes are matched as they arrive on the wire, not as the SDK models them: several are
//! not modelled on the operations that send them. What there is to say to people about an
//! error is `hint`'s business.

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

/// Turns the outcome of a call into ours.
pub trait Called<T> {
    /// Names the operation in the error, as the SDK does.
    ///
    /// # Errors
    /// The call's error, classified.
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
            let (hint, message) = (hint::hint(&said), hint::plainly(&said).unwrap_or(message));
            let (awaited, patience) = (awaited(class, &message), patience(class, &message));
            Error { hint, code, request_id, awaited, patience, ..Error::new(class, operation, message) }
        })
    }
}

/// Returns the operation that fails with this error: the SDK makes a type `<operation>Error` for each.
fn operation<E>() -> &'static str {
    let name = type_name::<E>();
    let name = name.rsplit("::").next().unwrap_or(name);
    name.strip_suffix("Error").unwrap_or(name)
}

/// Returns what an error waits for, where its words say more than its class.
fn awaited(class: Class, message: &str) -> Option<&'static str> {
    let says = |words: &str| message.to_lowercase().contains(words);
    match class {
        Class::Throttled => Some("AWS to accept more calls"),
        Class::Propagating if says("assumed") => Some("the role to be assumable"),
        Class::Propagating if says("role") => Some("the role's permissions to be known everywhere"),
        _ => None,
    }
}

/// Returns how long to believe that an error passes, where its words say less than its class: a denial
/// can also just be so, which nobody wants to wait two minutes for.
fn patience(class: Class, message: &str) -> Option<Duration> {
    let doubtful = class == Class::Propagating && message.contains("is not authorized to perform");
    doubtful.then_some(Duration::from_secs(20))
}

/// Leaves out what Lambda quotes of an environment that is too large, which is all of it: "…
/// exceeded the 4KB limit. String measured: {…}" (github-aws-runners/terraform-aws-github-runner,
/// issue 3594). Nobody's log is the place for that.
fn without_values(mut message: String) -> String {
    const QUOTED: &str = "string measured:";
    // Lower case in ASCII has the same positions.
    if let Some(at) = message.to_ascii_lowercase().find(QUOTED) {
        message.truncate(at);
        message.truncate(message.trim_end().len());
    }
    message
}

/// Returns an error and what it was because of, without repeating what the next one says,
/// and without the words and values of the SDK's own insides.
/// (The SDK's own `DisplayErrorContext` adds the whole response for debugging.)
fn chain(error: &dyn std::error::Error) -> String {
    let causes = std::iter::successors(Some(error), |cause| cause.source());
    let mut said: Vec<String> =
        causes.map(|cause| debug_form::left_out(&cause.to_string()).into_owned()).collect();
    said.dedup();
    let said = said.join(": ");
    said.strip_prefix("dispatch failure: other: ").unwrap_or(&said).to_owned()
}

/// Sorts the error of an operation. A denial passes where a role of ours makes the call, or where
/// something was changed that the call needs. What the caller only reads is simply denied to it: the
/// words are AWS's for every missing permission ("Troubleshoot access denied error messages", IAM
/// user guide).
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

/// Sorts an error. What it says comes before its code: one code often means several things.
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
            // The line broke after the SDK had tried again for some seconds.
            None if words::CUT_OFF.iter().any(|part| text.contains(part)) => Class::Throttled,
            _ => by_status(status),
        };
    };
    // A service says it about a role: either it is so, or the role was given the permission a moment
    // ago.
    let denied = text.contains("is not authorized to perform");
    let otherwise = || if denied { Class::Propagating } else { by_status(status) };
    by_code(code, &text).unwrap_or_else(otherwise)
}

/// What AWS does not explain and is not the caller's fault passes ("Retry behavior", AWS SDKs
/// and Tools reference guide). Right after a change it is often propagation, too.
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
        // DynamoDB, where backups are asked about or set.
        | "TableNotFoundException"
        | "NotFound"
        | "404" => Class::Gone,

        // The list of the SDK ("retry behavior", aws-runtime), without one that is below.
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

        // Lambda says both "already exist" and "in progress" with this one.
        "ResourceConflictException" if text.contains("already exist") => Class::Exists,
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

        // DynamoDB, Kinesis and Logs say it of hard quotas and of busy moments alike.
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

/// Tells whether a text has these words, and not only as a part of others: "operate" says nothing of
/// a rate.
fn says(text: &str, words: &str) -> bool {
    let ends = |text: &str| text.chars().next_back().is_none_or(|c| !c.is_alphabetic());
    let begins = |text: &str| text.chars().next().is_none_or(|c| !c.is_alphabetic());
    text.match_indices(words).any(|(at, found)| ends(&text[..at]) && begins(&text[at + found.len()..]))
}

#[cfg(test)]
mod tests;
