//! What AWS says, in lower case, where its words tell more than its codes.

use engine::error::Class;

/// Words of a message by what they mean, the first that fit.
///
/// The sources are "Troubleshoot access denied error messages" (IAM user guide), and
/// terraform-provider-aws, internal/service/{iam,lambda,logs,cloudwatch}.
pub(super) const CLASSES: &[(Class, &[&str])] = &[
    // Somebody wrote that down: it does not pass.
    (Class::Denied, &["explicit deny in"]),
    // A managed policy that is not there; the role that was to have it may well be.
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
            // Lambda on a package that was put into a new bucket a moment ago.
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
            // So many tables or streams may come or go at once.
            "simultaneously",
        ],
    ),
    (Class::Throttled, &["rate exceeded", "throttled by ec2"]),
];

/// Words of a `LimitExceededException` that is about this moment.
pub(super) const BUSY: &[&str] =
    &["rate", "concurrent", "concurrently", "too many operations", "too many requests"];

/// Words of a missing permission.
pub(super) const DENIALS: &[&str] = &["is not authorized to perform", "no identity-based policy allows"];

/// Words of a connection that was lost on the way, rather than one that cannot be made.
pub(super) const CUT_OFF: &[&str] = &[
    "connection reset",
    "connection closed before",
    "connection was closed",
    "broken pipe",
    "unexpected end of file",
    "incomplete message",
    "unexpected eof",
];
