use aws_sdk_sts::operation::get_caller_identity::GetCallerIdentityError;

use super::*;
use crate::testing::{Script, body, fault};
use Class::*;

fn insist(cases: &[(&str, u16, &str, Class)]) {
    for (code, status, message, class) in cases {
        let code = Some(*code).filter(|code| !code.is_empty());
        let status = Some(*status).filter(|status| *status != 0);
        assert_eq!(classify(code, status, message), *class, "{code:?} {status:?} {message:?}");
    }
}

/// The codes as services send them, with the status from their API references.
#[test]
fn error_codes_have_their_class() {
    insist(&[
        // IAM.
        ("NoSuchEntity", 404, "The role with name r cannot be found.", Gone),
        ("EntityAlreadyExists", 409, "Role with name r already exists.", Exists),
        ("DeleteConflict", 409, "Cannot delete entity, must detach all policies first.", InProgress),
        ("ConcurrentModification", 409, "", InProgress),
        ("EntityTemporarilyUnmodifiable", 409, "", InProgress),
        ("LimitExceeded", 409, "Cannot exceed quota for RolesPerAccount: 1000", Quota),
        ("MalformedPolicyDocument", 400, "Syntax errors in policy.", Other),
        ("MalformedPolicyDocument", 400, "Invalid principal in policy: \"AWS\":\"AROA\"", Propagating),
        ("InvalidInput", 400, "", Other),
        ("UnmodifiableEntity", 400, "", Other),
        ("PolicyNotAttachable", 400, "", Other),
        ("ServiceFailure", 500, "", Throttled),
        (
            "NoSuchEntity",
            404,
            "Scope ARN: arn:aws:iam::1:policy/b does not exist or is not attachable.",
            Other,
        ),
        // CloudWatch.
        ("LimitExceeded", 400, "The maximum limit of 5000 alarms is exceeded.", Quota),
        ("ResourceNotFound", 404, "", Gone),
        ("InvalidParameterInput", 400, "", Other),
        ("ConcurrentModificationException", 429, "", InProgress),
        ("ConflictException", 409, "", InProgress),
        ("InternalServiceError", 500, "", Throttled),
        ("ValidationError", 400, "A separate request to update this alarm is in progress", InProgress),
        ("ValidationError", 400, "Period must be a multiple of 60", Other),
        // Lambda.
        ("ResourceConflictException", 409, "Function already exist: f", Exists),
        ("ResourceConflictException", 409, "FunctionUrlConfig exists for this Lambda function", Exists),
        ("ResourceConflictException", 409, "An update is in progress for resource: f", InProgress),
        (
            "ResourceConflictException",
            409,
            "The operation cannot be performed at this time. The function is currently in the following state: Pending",
            InProgress,
        ),
        (
            "ResourceInUseException",
            400,
            "Cannot update the event source mapping because it is in use.",
            InProgress,
        ),
        ("InvalidParameterValueException", 400, "Timeout is wrong", Other),
        (
            "InvalidParameterValueException",
            400,
            "Error occurred while GetObject. S3 Error Code: NoSuchBucket. S3 Error Message: The specified bucket \
             does not exist",
            Propagating,
        ),
        ("TooManyRequestsException", 429, "Rate Exceeded.", Throttled),
        ("ResourceNotFoundException", 404, "", Gone),
        ("PreconditionFailedException", 412, "", Other),
        ("CodeStorageExceededException", 400, "", Quota),
        ("ServiceException", 500, "", Throttled),
        (
            "InvalidParameterValueException",
            400,
            "Specified ReservedConcurrentExecutions for function decreases account's UnreservedConcurrentExecution \
             below its minimum value of [100].",
            Quota,
        ),
        // S3.
        ("NoSuchBucket", 404, "", Gone),
        ("BucketAlreadyOwnedByYou", 409, "", Exists),
        ("BucketAlreadyExists", 409, "", Exists),
        ("OperationAborted", 409, "A conflicting conditional operation is currently in progress", InProgress),
        ("MalformedPolicy", 400, "Invalid principal in policy", Propagating),
        ("MalformedPolicy", 400, "Policy has invalid action", Other),
        ("SlowDown", 503, "", Throttled),
        ("PermanentRedirect", 301, "", Other),
        // DynamoDB, Kinesis, Logs.
        ("ResourceInUseException", 400, "Table is being created: t", InProgress),
        ("ContinuousBackupsUnavailableException", 400, "Backups are being enabled for the table", InProgress),
        (
            "LimitExceededException",
            400,
            "Subscriber limit exceeded: There is a limit of 500 tables that can be created simultaneously",
            InProgress,
        ),
        ("LimitExceededException", 400, "Rate exceeded for stream s under account 1.", Throttled),
        ("LimitExceededException", 400, "Too many operations for a given subscriber", Throttled),
        ("LimitExceededException", 400, "Resource limit exceeded.", Quota),
        // "Rate" counts only as a whole word.
        ("LimitExceededException", 400, "You may operate 5 separate streams. Generate fewer.", Quota),
        ("LimitExceededException", 400, "The rate of your requests is too high", Throttled),
        ("LimitExceededException", 400, "Operations on tables are limited to 500 concurrently", Throttled),
        // Calls about backups; all other calls return `ResourceNotFoundException`.
        ("TableNotFoundException", 400, "Table not found: t", Gone),
        ("OperationAbortedException", 400, "", InProgress),
        ("ResourceAlreadyExistsException", 400, "", Exists),
        ("ValidationException", 400, "no", Other),
    ]);
}

/// The SDK retries these itself ("retry behavior", aws-runtime), and returns them when its attempts are used
/// up.
#[test]
fn sdk_retryable_errors_count_as_throttled() {
    let codes = [
        "Throttling",
        "ThrottlingException",
        "ThrottledException",
        "RequestThrottledException",
        "RequestThrottled",
        "TooManyRequestsException",
        "ProvisionedThroughputExceededException",
        "TransactionInProgressException",
        "RequestLimitExceeded",
        "BandwidthLimitExceeded",
        "SlowDown",
        "PriorRequestNotComplete",
        "EC2ThrottledException",
        "RequestTimeout",
        "RequestTimeoutException",
    ];
    for code in codes {
        assert_eq!(classify(Some(code), Some(400), ""), Throttled, "{code}");
    }
    for status in [429, 500, 502, 503, 504] {
        assert_eq!(classify(None, Some(status), ""), Throttled, "{status} without a code");
        assert_eq!(classify(Some("Unheard"), Some(status), ""), Throttled, "{status} with a new code");
    }
    for message in
        ["dispatch failure: io error: connection reset by peer", "connection closed before message completed"]
    {
        assert_eq!(classify(None, None, message), Throttled, "{message}");
    }
    insist(&[
        ("", 0, "dispatch failure: io error: tcp connect error: connection refused", Other),
        ("", 501, "", Other),
        ("", 400, "", Other),
        ("Unheard", 400, "Rate exceeded", Throttled),
        ("", 404, "", Gone),
        ("", 403, "", Denied),
    ]);
}

#[test]
fn propagation_errors_are_recognised() {
    let invalid = "InvalidParameterValueException";
    insist(&[
        (invalid, 400, "The role defined for the function cannot be assumed by Lambda.", Propagating),
        (
            invalid,
            400,
            "The provided execution role does not have permissions to call GetRecords",
            Propagating,
        ),
        (
            invalid,
            400,
            "Please ensure the role can perform the GetRecords Action on your stream",
            Propagating,
        ),
        (
            invalid,
            400,
            "Cannot access stream arn:aws:dynamodb:r:1:table/t/stream/x. Please ensure",
            Propagating,
        ),
        (
            invalid,
            400,
            "Received Exception while reading from provided stream. The security token included in the request is \
             invalid",
            Propagating,
        ),
        (
            invalid,
            400,
            "Lambda was unable to configure access because the KMS key is invalid for CreateGrant",
            Propagating,
        ),
        (invalid, 400, "Your request has been throttled by EC2", Throttled),
        (
            invalid,
            400,
            "Queue visibility timeout: 30 seconds is less than Function timeout: 60 seconds",
            Other,
        ),
        (
            "AccessDeniedException",
            400,
            "because no identity-based policy allows the logs:PutX action",
            Propagating,
        ),
        // The first denies it to a role, the second to the caller.
        ("ValidationException", 400, "role r is not authorized to perform: kinesis:ListShards", Propagating),
        ("AccessDenied", 403, "User: u is not authorized to perform: iam:CreateRole", Denied),
    ]);
}

/// The caller's read permissions do not change during a run. A role of the environment, or a resource that a
/// change needs, may be new.
#[tokio::test]
async fn denied_reads_are_final_and_denied_changes_may_pass() {
    let words =
        "is not authorized to perform: logs:X because no identity-based policy allows the logs:X action";
    let denied = |code| fault(400, code, words);
    let script = Script::new()
        .on("DescribeLogGroups", denied("AccessDeniedException"))
        .on("ListTagsForResource", denied("AccessDeniedException"))
        .on("DescribeStreamSummary", denied("SomethingNewException"))
        .on("FilterLogEvents", denied("AccessDeniedException"))
        .on("CreateLogGroup", denied("AccessDeniedException"));
    let aws = script.aws();
    let (logs, kinesis) = (&aws.logs, &aws.kinesis);
    let reads = [
        logs.describe_log_groups().send().await.called().map(drop),
        logs.list_tags_for_resource().send().await.called().map(drop),
        kinesis.describe_stream_summary().send().await.called().map(drop),
        logs.filter_log_events().send().await.called().map(drop),
    ];
    for read in reads {
        let error = read.expect_err("the call is denied");
        assert_eq!(error.class, Denied, "{error}");
        assert!(error.hint.is_some(), "{error} has a hint");
    }
    let change = logs.create_log_group().log_group_name("g").send().await.called();
    assert_eq!(change.expect_err("the call is denied").class, Propagating);
}

#[test]
fn explicit_deny_is_final() {
    let deny =
        "role r is not authorized to perform: logs:PutX with an explicit deny in a service control policy";
    for code in ["AccessDeniedException", "InvalidParameterValueException", "ValidationException"] {
        assert_eq!(classify(Some(code), Some(400), deny), Denied, "{code}");
    }
}

#[test]
fn credentials_errors_are_recognised() {
    let codes = [
        "ExpiredToken",
        "ExpiredTokenException",
        "RequestExpired",
        "TokenRefreshRequired",
        "InvalidClientTokenId",
        "InvalidAccessKeyId",
        "UnrecognizedClientException",
        "SignatureDoesNotMatch",
        "InvalidSignatureException",
        "IncompleteSignature",
        "RequestTimeTooSkewed",
        "AuthFailure",
    ];
    for code in codes {
        assert_eq!(classify(Some(code), Some(403), ""), Credentials, "{code}");
    }
    let chain = "dispatch failure: other: the credential provider was not enabled";
    assert_eq!(classify(None, None, chain), Credentials);
}

#[test]
fn error_never_has_the_payload_of_a_request() {
    let says = "failed to apply endpoint `localhost:1` to request `Request { body: SdkBody { inner: \
                Once(Some(b\"secret\")), retryable: true } }`";
    let failed: Result<(), SdkError<GetCallerIdentityError, HttpResponse>> =
        Err(SdkError::construction_failure(says));
    let error = failed.called().expect_err("the request cannot be constructed");
    assert_eq!(
        error.message,
        "failed to construct request: failed to apply endpoint `localhost:1` to request …"
    );
}

#[tokio::test]
async fn unexpected_xml_error_has_no_debug_form() {
    let script = Script::new().on("GetCallerIdentity", body("<Other><A/></Other>"));
    let answer = script.aws().sts.get_caller_identity().send().await;
    let error = answer.called().expect_err("the answer is unexpected XML");
    assert!(error.message.ends_with("expected GetCallerIdentityResponse got …"), "{error}");
}

#[tokio::test]
async fn page_in_place_of_an_answer_is_named() {
    let html = body("<!DOCTYPE html>\n<html><body>This page is blocked</body></html>");
    let script = Script::new().on("GetCallerIdentity", html.clone()).on("ListTables", html);
    let aws = script.aws();
    let xml = aws.sts.get_caller_identity().send().await.called().map(drop);
    let json = aws.dynamodb.list_tables().send().await.called().map(drop);
    for error in [xml, json].map(|answer| answer.expect_err("the answer is a page")) {
        assert_eq!(
            (error.class, error.message.as_str()),
            (Other, "a web page answered instead of AWS (HTTP 200)")
        );
        assert!(error.hint.is_some_and(|hint| hint.contains("proxy or web filter")));
    }
    let gone = Script::new().on("DescribeTable", fault(404, "ResourceNotFoundException", "no"));
    let answer = gone.aws().dynamodb.describe_table().table_name("t").send().await;
    assert_eq!(answer.called().map(drop).map_err(|error| error.class), Err(Gone));
}

#[test]
fn awaited_condition_is_named() {
    let says = |class, message| awaited(class, message);
    assert_eq!(says(Class::Throttled, "Rate exceeded"), Some("AWS to accept more calls"));
    let assumed = "The role defined for the function cannot be assumed by Lambda.";
    assert_eq!(says(Class::Propagating, assumed), Some("the role to be assumable"));
    let missing = "The provided execution role does not have permissions to call ReceiveMessage on SQS";
    assert_eq!(says(Class::Propagating, missing), Some("the role's permissions to propagate"));
    assert_eq!(says(Class::Propagating, "not yet"), None);
}

#[test]
fn propagating_denial_is_retried_for_less_time() {
    let denied = "User: arn:aws:sts::1:r is not authorized to perform: kinesis:ListShards";
    assert!(patience(Class::Propagating, denied).is_some());
    assert_eq!(patience(Class::Propagating, "The role cannot be assumed"), None);
    assert_eq!(patience(Class::Denied, denied), None);
}

/// The name is derived from the error's type, which the SDK does not document: it must equal the name in the
/// SDK's metadata, which the script records.
#[tokio::test]
async fn operation_of_an_error_is_the_one_of_the_sdk() {
    let no = || fault(400, "NotNow", "no");
    let operations = [
        "DescribeTable",
        "GetBucketLifecycleConfiguration",
        "ListObjectsV2",
        "GetRole",
        "GetFunction",
        "DescribeStreamSummary",
        "DescribeLogGroups",
        "DescribeAlarms",
        "GetCallerIdentity",
    ];
    let script = operations.iter().fold(Script::new(), |script, operation| script.on(operation, no()));
    let aws = script.aws();
    let errors = [
        aws.dynamodb.describe_table().table_name("t").send().await.called().err(),
        aws.s3.get_bucket_lifecycle_configuration().bucket("b").send().await.called().err(),
        aws.s3.list_objects_v2().bucket("b").into_paginator().send().try_collect().await.called().err(),
        aws.iam.get_role().role_name("r").send().await.called().err(),
        aws.lambda.get_function().function_name("f").send().await.called().err(),
        aws.kinesis.describe_stream_summary().stream_name("s").send().await.called().err(),
        aws.logs.describe_log_groups().send().await.called().err(),
        aws.cloudwatch.describe_alarms().send().await.called().err(),
        aws.sts.get_caller_identity().send().await.called().err(),
    ];
    let named = errors.map(|error| error.expect("the call is refused").operation);
    assert_eq!(named, operations);
    assert_eq!(script.calls(), operations);
}
