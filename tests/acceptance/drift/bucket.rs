//! Manual changes to a bucket.

use aws::{Aws, AwsNames};
use aws_sdk_s3::error::BuildError;
use aws_sdk_s3::types::{
    BucketLifecycleConfiguration, BucketVersioningStatus, CorsConfiguration, CorsRule,
    EventBridgeConfiguration, ExpirationStatus, LifecycleExpiration, LifecycleRule, LifecycleRuleFilter,
    NotificationConfiguration, ObjectOwnership, OwnershipControls, OwnershipControlsRule,
    PublicAccessBlockConfiguration, ServerSideEncryption, ServerSideEncryptionByDefault,
    ServerSideEncryptionConfiguration, ServerSideEncryptionRule, VersioningConfiguration,
};
use engine::scope::Scope;
use futures::FutureExt;
use serde_json::json;

use super::row::{GONE, Raw, Row, sent};

/// The rule for earlier versions of the progress of replays.
const REPLAYS: &str = "lifecycle.expire-versions-of-replays";

pub(super) fn first(scope: &Scope) -> Vec<Row> {
    let id = id(scope);
    vec![
        Row::new(
            "no public access block",
            &id,
            &[
                "public_access_block.block_acls",
                "public_access_block.block_policy",
                "public_access_block.ignore_acls",
                "public_access_block.restrict_buckets",
            ],
            |aws| {
                let call = aws.s3.delete_public_access_block().bucket(aws.scope.bucket_name("archive"));
                sent(call.send())
            },
        ),
        Row::new("another owner of objects", &id, &["ownership"], |aws| {
            owned_by(aws, ObjectOwnership::ObjectWriter).boxed()
        }),
        Row::new("versioning suspended", &id, &["versioning"], |aws| {
            let off = VersioningConfiguration::builder().status(BucketVersioningStatus::Suspended).build();
            let call = aws.s3.put_bucket_versioning().bucket(aws.scope.bucket_name("archive"));
            sent(call.versioning_configuration(off).send())
        }),
        Row::new(
            "encryption",
            &id,
            &["encryption.algorithm", "encryption.bucket_key", "encryption.kms_key"],
            |aws| encrypted(aws, "key/by-hand").boxed(),
        ),
        Row::new("no lifecycle", &id, &["lifecycle.abort-uploads", REPLAYS], |aws| {
            let call = aws.s3.delete_bucket_lifecycle().bucket(aws.scope.bucket_name("archive"));
            sent(call.send())
        }),
        Row::new("policy added", &id, &["policy"], |aws| {
            let arn = format!("arn:aws:s3:::{}/*", aws.scope.bucket_name("archive"));
            policy(
                aws,
                json!([{
                    "Effect": "Allow", "Principal": {"AWS": aws.scope.iam_arn("root")},
                    "Action": "s3:GetObject", "Resource": arn,
                }]),
            )
        }),
        Row::new("origins", &id, &["cors_origins"], |aws| shared(aws).boxed()),
        Row::new("notifications", &id, &["notified"], |aws| {
            let bus = EventBridgeConfiguration::builder().build();
            let all = NotificationConfiguration::builder().event_bridge_configuration(bus).build();
            let call = aws.s3.put_bucket_notification_configuration();
            let call = call.bucket(aws.scope.bucket_name("archive")).notification_configuration(all);
            sent(call.send())
        }),
    ]
}

pub(super) fn second(scope: &Scope) -> Vec<Row> {
    let id = id(scope);
    vec![
        Row::new(
            "half a public access block",
            &id,
            &["public_access_block.block_policy", "public_access_block.restrict_buckets"],
            |aws| {
                let half = PublicAccessBlockConfiguration::builder();
                let half = half.block_public_acls(true).ignore_public_acls(true).build();
                let call = aws.s3.put_public_access_block().bucket(aws.scope.bucket_name("archive"));
                sent(call.public_access_block_configuration(half).send())
            },
        ),
        Row::new("no owner of objects", &id, &["ownership"], |aws| {
            let call = aws.s3.delete_bucket_ownership_controls().bucket(aws.scope.bucket_name("archive"));
            sent(call.send())
        }),
        Row::new(
            "another lifecycle",
            &id,
            &["lifecycle.abort-uploads", "lifecycle.by-hand", REPLAYS],
            |aws| expiring(aws).boxed(),
        ),
    ]
}

/// Rows about the bucket's policy, which does not exist in a cloud without TLS.
pub(super) fn of_the_policy(scope: &Scope) -> [Vec<Row>; 2] {
    let id = id(scope);
    [
        vec![Row::new("policy removed", &id, &["policy"], |aws| {
            let call = aws.s3.delete_bucket_policy().bucket(aws.scope.bucket_name("archive"));
            sent(call.send())
        })],
        vec![Row::new("policy altered", &id, &["policy.statements.TlsOnly.Action"], |aws| {
            let arn = format!("arn:aws:s3:::{}", aws.scope.bucket_name("archive"));
            policy(
                aws,
                json!([{
                    "Sid": "TlsOnly", "Effect": "Deny", "Principal": "*", "Action": "s3:DeleteBucket",
                    "Resource": [arn, format!("{arn}/*")],
                    "Condition": {"Bool": {"aws:SecureTransport": "false"}},
                }]),
            )
        })],
    ]
}

pub(super) fn gone(scope: &Scope) -> Vec<Row> {
    vec![Row::new("bucket deleted", id(scope), GONE, |aws| {
        let call = aws.s3.delete_bucket().bucket(aws.scope.bucket_name("archive"));
        sent(call.send())
    })]
}

fn id(scope: &Scope) -> String {
    format!("s3.bucket/{}", scope.bucket_name("archive"))
}

type Done = Result<(), Box<dyn std::error::Error + Send + Sync>>;

/// Replaces the policy.
pub(super) fn policy(aws: &Aws, statements: serde_json::Value) -> Raw<'_> {
    let document = json!({"Version": "2012-10-17", "Statement": statements}).to_string();
    let call = aws.s3.put_bucket_policy().bucket(aws.scope.bucket_name("archive")).policy(document);
    sent(call.send())
}

async fn owned_by(aws: &Aws, whom: ObjectOwnership) -> Done {
    let rule = OwnershipControlsRule::builder().object_ownership(whom).build()?;
    let controls = OwnershipControls::builder().rules(rule).build()?;
    let call = aws.s3.put_bucket_ownership_controls().bucket(aws.scope.bucket_name("archive"));
    call.ownership_controls(controls).send().await?;
    Ok(())
}

async fn encrypted(aws: &Aws, key: &str) -> Done {
    let default = ServerSideEncryptionByDefault::builder().sse_algorithm(ServerSideEncryption::AwsKms);
    let default = default.kms_master_key_id(aws.scope.arn("kms", key)).build()?;
    let rule = ServerSideEncryptionRule::builder().apply_server_side_encryption_by_default(default);
    let rule = rule.bucket_key_enabled(true).build();
    let configuration = ServerSideEncryptionConfiguration::builder().rules(rule).build()?;
    let call = aws.s3.put_bucket_encryption().bucket(aws.scope.bucket_name("archive"));
    call.server_side_encryption_configuration(configuration).send().await?;
    Ok(())
}

async fn shared(aws: &Aws) -> Done {
    let rule = CorsRule::builder().allowed_methods("GET").allowed_origins("https://example.com").build()?;
    let configuration = CorsConfiguration::builder().cors_rules(rule).build()?;
    let call = aws.s3.put_bucket_cors().bucket(aws.scope.bucket_name("archive"));
    call.cors_configuration(configuration).send().await?;
    Ok(())
}

async fn expiring(aws: &Aws) -> Done {
    let rule: Result<LifecycleRule, BuildError> = LifecycleRule::builder()
        .id("by-hand")
        .status(ExpirationStatus::Enabled)
        .filter(LifecycleRuleFilter::builder().prefix("events/").build())
        .expiration(LifecycleExpiration::builder().days(1).build())
        .build();
    let all = BucketLifecycleConfiguration::builder().rules(rule?).build()?;
    let call = aws.s3.put_bucket_lifecycle_configuration().bucket(aws.scope.bucket_name("archive"));
    call.lifecycle_configuration(all).send().await?;
    Ok(())
}
