//! Permissions that the caller needs for buckets. Many actions have another name than the operations that
//! they allow ("Required permissions for Amazon S3 API operations", S3 user guide).
//!
//! A customer managed KMS key needs no more permissions: S3 does not check the key before an object is
//! written ("PutBucketEncryption", S3 API reference).

use engine::scope::Scope;

use crate::AwsNames;
use crate::policy::Statement;

/// Returns the permissions for all calls about the scope's buckets.
pub(super) fn permissions(scope: &Scope) -> Vec<Statement> {
    let buckets = format!("arn:{}:s3:::{}", scope.partition(), scope.bucket_name("*"));
    let objects = format!("{buckets}/*");
    vec![
        // AWS supports no resource for it ("Actions, resources, and condition keys for Amazon
        // S3", Service Authorization Reference).
        Statement::new("BucketsList", ["s3:ListAllMyBuckets"], ["*".into()]),
        Statement::new(
            "BucketsRead",
            [
                "s3:GetBucketCORS",
                "s3:GetBucketNotification",
                "s3:GetBucketOwnershipControls",
                "s3:GetBucketPolicy",
                "s3:GetBucketPublicAccessBlock",
                "s3:GetBucketTagging",
                "s3:GetBucketVersioning",
                "s3:GetEncryptionConfiguration",
                "s3:GetLifecycleConfiguration",
                // For HeadBucket. Without it, S3 denies access to a missing bucket instead of answering "not
                // found".
                "s3:ListBucket",
            ],
            [buckets.clone()],
        ),
        Statement::new(
            "BucketsWrite",
            [
                "s3:CreateBucket",
                "s3:DeleteBucket",
                "s3:DeleteBucketPolicy",
                "s3:ListBucketMultipartUploads",
                "s3:ListBucketVersions",
                "s3:PutBucketCORS",
                "s3:PutBucketNotification",
                "s3:PutBucketOwnershipControls",
                "s3:PutBucketPolicy",
                "s3:PutBucketPublicAccessBlock",
                "s3:PutBucketTagging",
                "s3:PutBucketVersioning",
                "s3:PutEncryptionConfiguration",
                "s3:PutLifecycleConfiguration",
                // To create a bucket with tags ("CreateBucket", S3 API reference).
                "s3:TagResource",
            ],
            [buckets],
        ),
        Statement::new(
            "BucketsEmpty",
            ["s3:AbortMultipartUpload", "s3:DeleteObject", "s3:DeleteObjectVersion"],
            [objects],
        ),
    ]
}
