//! Parts of AWS messages, in lower case, that say more than the error code.

use engine::error::Class;

/// The classes and parts of messages that have them; the first match counts.
///
/// Sources: "Troubleshoot access denied error messages" (IAM user guide), and
/// terraform-provider-aws, internal/service/{iam,lambda,logs,cloudwatch}.
pub(super) const CLASSES: &[(Class, &[&str])] = &[
    // A policy contains this denial, so it is final.
    (Class::Denied, &["explicit deny in"]),
    // The managed policy is missing. The role can exist.
    (Class::Other, &["does not exist or is not attachable"]),
    (Class::Quota, &["unreservedconcurrentexecution below its minimum"]),
    (
        Class::Propagating,
        &[
            "cannot be assumed",
            "role defined for the function",
            "execution role does not have permissions",
            "please ensure the role can perform",
            "cannot access stream",
            "received exception while reading from provided stream",
            "invalid principal in policy",
            "invalid principals",
            "kms key is invalid for creategrant",
            "no identity-based policy allows the logs:",
            // Lambda, about a package that was stored in a new bucket a moment ago.
            "s3 error code: nosuchbucket",
            "s3 error code: nosuchkey",
        ],
    ),
    (
        Class::InProgress,
        &[
            "currently in the following state: pending",
            "concurrent update operation",
            "because it is in use",
            "an update is in progress for resource",
            "a separate request to update this alarm is in progress",
            "conflicting conditional operation",
            // The limit of tables or streams that are created or deleted at the same time.
            "simultaneously",
        ],
    ),
    (Class::Throttled, &["rate exceeded", "throttled by ec2"]),
];

/// Words of a `LimitExceededException` that is about a rate, not a quota.
pub(super) const BUSY: &[&str] =
    &["rate", "concurrent", "concurrently", "too many operations", "too many requests"];

/// Words of a missing permission.
pub(super) const DENIALS: &[&str] = &["is not authorized to perform", "no identity-based policy allows"];

/// Words of a connection that broke, as opposed to one that could not be opened.
pub(super) const CUT_OFF: &[&str] = &[
    "connection reset",
    "connection closed before",
    "connection was closed",
    "broken pipe",
    "unexpected end of file",
    "incomplete message",
    "unexpected eof",
];
