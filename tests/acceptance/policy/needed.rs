//! The actions that a call needs ("Actions, resources, and condition keys for AWS services", Service
//! Authorization Reference). They are written again here, independently, to check the deployer's own lists.

/// Actions that no call on the local cloud needs, and why they are granted nevertheless.
pub(super) const UNREACHED: &[(&str, &str)] = &[
    ("iam:AttachRolePolicy", "for roles with managed policies; the cart's have none"),
    ("kinesis:DisableEnhancedMonitoring", "MiniStack does not show metrics by the shard"),
    ("kinesis:EnableEnhancedMonitoring", "for streams with metrics by the shard; the cart's has none"),
    ("kinesis:UpdateMaxRecordSize", "MiniStack does not know it"),
    ("kinesis:UpdateStreamMode", "MiniStack does not know it"),
    ("kinesis:UpdateStreamRecordDistributionStrategy", "MiniStack does not know it"),
    ("lambda:PutFunctionConcurrency", "for functions with reserved concurrency; the cart's have none"),
    ("logs:AssociateKmsKey", "MiniStack does not know it"),
    ("logs:DeleteRetentionPolicy", "for groups without a retention; the cart's have one"),
    ("logs:DisassociateKmsKey", "MiniStack does not know it"),
    ("logs:PutLogGroupDeletionProtection", "MiniStack does not know it"),
];

/// Returns the actions that a call needs.
pub(super) fn needed_by(service: &str, operation: &str) -> Vec<String> {
    let of = match service {
        "CloudWatch" => "cloudwatch",
        "CloudWatch Logs" => "logs",
        "DynamoDB" => "dynamodb",
        "IAM" => "iam",
        "Kinesis" => "kinesis",
        "Lambda" => "lambda",
        "S3" => "s3",
        // Every caller may ask for its own identity.
        "STS" => return Vec::new(),
        other => panic!("unknown call: {other} {operation}"),
    };
    let own = format!("{of}:{}", if of == "s3" { of_s3(operation) } else { operation });
    let besides = besides(of, operation).iter().map(|action| (*action).to_owned());
    [own].into_iter().chain(besides).collect()
}

/// Returns the actions that a call needs in addition to the one with its name: for tags at creation, and for
/// roles that are passed to a service.
fn besides(service: &str, operation: &str) -> &'static [&'static str] {
    match (service, operation) {
        ("cloudwatch", "PutMetricAlarm") => &["cloudwatch:TagResource"],
        ("dynamodb", "CreateTable") => &["dynamodb:TagResource"],
        ("iam", "CreateRole") => &["iam:TagRole"],
        ("kinesis", "CreateStream") => &["kinesis:AddTagsToStream"],
        ("kinesis", "StartStreamEncryption") => &["kms:DescribeKey"],
        ("lambda", "CreateEventSourceMapping") => &["lambda:TagResource"],
        // Lambda reads the package with the caller's permissions.
        ("lambda", "CreateFunction") => &["iam:PassRole", "lambda:TagResource", "s3:GetObject"],
        ("lambda", "UpdateFunctionCode") => &["s3:GetObject"],
        // The answer includes the tags.
        ("lambda", "GetFunction") => &["lambda:ListTags"],
        ("lambda", "UpdateFunctionConfiguration") => &["iam:PassRole"],
        ("logs", "CreateLogGroup") => &["logs:TagResource"],
        ("s3", "CreateBucket") => &["s3:TagResource"],
        ("s3", "DeleteObject" | "DeleteObjects") => &["s3:DeleteObjectVersion"],
        _ => &[],
    }
}

/// Returns S3's own name for the action of a call.
fn of_s3(operation: &str) -> &str {
    match operation {
        "DeleteBucketCors" => "PutBucketCORS",
        "DeleteObjects" => "DeleteObject",
        "GetBucketCors" => "GetBucketCORS",
        "GetBucketEncryption" => "GetEncryptionConfiguration",
        "GetBucketLifecycleConfiguration" => "GetLifecycleConfiguration",
        "GetBucketNotificationConfiguration" => "GetBucketNotification",
        "GetPublicAccessBlock" => "GetBucketPublicAccessBlock",
        "HeadBucket" => "ListBucket",
        "ListBuckets" => "ListAllMyBuckets",
        "ListObjectsV2" => "ListBucket",
        "ListMultipartUploads" => "ListBucketMultipartUploads",
        "ListObjectVersions" => "ListBucketVersions",
        "PutBucketEncryption" => "PutEncryptionConfiguration",
        "PutBucketLifecycleConfiguration" => "PutLifecycleConfiguration",
        "PutBucketNotificationConfiguration" => "PutBucketNotification",
        "PutPublicAccessBlock" => "PutBucketPublicAccessBlock",
        other => other,
    }
}
