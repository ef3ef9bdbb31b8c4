//! Reads of a bucket: one call for each part, each with its own error code for "not set".

use std::collections::{BTreeMap, BTreeSet};

use aws_sdk_s3::primitives::DateTime;
use aws_sdk_s3::types::BucketVersioningStatus;
use engine::error::{Class, Error};
use engine::resource::Tags;

use super::{Encryption, PublicAccessBlock, Rule};
use crate::policy::Policy;
use crate::{Aws, Called};

pub(super) async fn public_access_block(bucket: &str, aws: &Aws) -> Result<PublicAccessBlock, Error> {
    let answer = aws.s3.get_public_access_block().bucket(bucket).send().await;
    let answer = unset_is_none(answer.called(), "NoSuchPublicAccessBlockConfiguration")?;
    let block = answer.and_then(|answer| answer.public_access_block_configuration);
    Ok(block.map_or(PublicAccessBlock::all(false), |block| PublicAccessBlock {
        block_acls: block.block_public_acls.unwrap_or_default(),
        ignore_acls: block.ignore_public_acls.unwrap_or_default(),
        block_policy: block.block_public_policy.unwrap_or_default(),
        restrict_buckets: block.restrict_public_buckets.unwrap_or_default(),
    }))
}

/// Returns the object ownership. Without a setting it is the one that buckets had before S3 offered a choice.
pub(super) async fn ownership(bucket: &str, aws: &Aws) -> Result<String, Error> {
    let answer = aws.s3.get_bucket_ownership_controls().bucket(bucket).send().await;
    let answer = unset_is_none(answer.called(), "OwnershipControlsNotFoundError")?;
    let controls = answer.and_then(|answer| answer.ownership_controls);
    let rule = controls.and_then(|controls| controls.rules.into_iter().next());
    Ok(rule.map_or("ObjectWriter".to_owned(), |rule| rule.object_ownership.as_str().to_owned()))
}

/// Returns the default encryption. Without a setting it is S3's own, which cannot be turned off.
pub(super) async fn encryption(bucket: &str, aws: &Aws) -> Result<Encryption, Error> {
    let answer = aws.s3.get_bucket_encryption().bucket(bucket).send().await;
    let unset = "ServerSideEncryptionConfigurationNotFoundError";
    let answer = unset_is_none(answer.called(), unset)?;
    let configuration = answer.and_then(|answer| answer.server_side_encryption_configuration);
    let Some(rule) = configuration.and_then(|configuration| configuration.rules.into_iter().next()) else {
        return Ok(Encryption::with(None));
    };
    let default = rule.apply_server_side_encryption_by_default;
    let kms_key = default.as_ref().and_then(|default| default.kms_master_key_id.clone());
    Ok(Encryption {
        algorithm: default.map_or("AES256".to_owned(), |default| default.sse_algorithm.as_str().to_owned()),
        // A bucket key has an effect only with a KMS key.
        bucket_key: kms_key.is_some() && rule.bucket_key_enabled.unwrap_or_default(),
        kms_key,
    })
}

pub(super) async fn versioning(bucket: &str, aws: &Aws) -> Result<bool, Error> {
    let answer = aws.s3.get_bucket_versioning().bucket(bucket).send().await;
    let status = answer.called()?.status;
    Ok(status == Some(BucketVersioningStatus::Enabled))
}

pub(super) async fn lifecycle(bucket: &str, aws: &Aws) -> Result<BTreeMap<String, Rule>, Error> {
    let answer = aws.s3.get_bucket_lifecycle_configuration().bucket(bucket).send().await;
    let answer = unset_is_none(answer.called(), "NoSuchLifecycleConfiguration")?;
    let rules = answer.and_then(|answer| answer.rules).unwrap_or_default();
    Ok(rules.iter().map(|rule| (rule.id().unwrap_or_default().to_owned(), Rule::of(rule))).collect())
}

pub(super) async fn policy(bucket: &str, aws: &Aws) -> Result<Option<Policy>, Error> {
    let answer = aws.s3.get_bucket_policy().bucket(bucket).send().await;
    let answer = unset_is_none(answer.called(), "NoSuchBucketPolicy")?;
    let policy = answer.and_then(|answer| answer.policy).filter(|policy| !policy.is_empty());
    policy
        .map(|policy| Policy::parse(&policy))
        .transpose()
        .map_err(|error| Error::other("GetBucketPolicy", format!("a policy document is not JSON: {error}")))
}

pub(super) async fn cors_origins(bucket: &str, aws: &Aws) -> Result<BTreeSet<String>, Error> {
    let answer = aws.s3.get_bucket_cors().bucket(bucket).send().await;
    let answer = unset_is_none(answer.called(), "NoSuchCORSConfiguration")?;
    let rules = answer.and_then(|answer| answer.cors_rules).unwrap_or_default();
    Ok(rules.into_iter().flat_map(|rule| rule.allowed_origins).collect())
}

pub(super) async fn notified(bucket: &str, aws: &Aws) -> Result<BTreeSet<String>, Error> {
    let answer = aws.s3.get_bucket_notification_configuration().bucket(bucket).send().await;
    let answer = answer.called()?;
    let functions = answer.lambda_function_configurations().iter().map(|to| &to.lambda_function_arn);
    let queues = answer.queue_configurations().iter().map(|to| &to.queue_arn);
    let topics = answer.topic_configurations().iter().map(|to| &to.topic_arn);
    let bus = answer.event_bridge_configuration.as_ref().map(|_| "EventBridge".to_owned());
    Ok(functions.chain(queues).chain(topics).cloned().chain(bus).collect())
}

pub(super) async fn tags(bucket: &str, aws: &Aws) -> Result<Tags, Error> {
    let answer = aws.s3.get_bucket_tagging().bucket(bucket).send().await;
    let answer = unset_is_none(answer.called(), "NoSuchTagSet")?;
    let tags = answer.map(|answer| answer.tag_set).unwrap_or_default();
    Ok(tags.into_iter().map(|tag| (tag.key, tag.value)).collect())
}

/// Adds the reason why a bucket cannot be read: it is in another Region, or may belong to another account.
/// HeadBucket answers 301 for another Region and 403 without access ("HeadBucket", S3 API reference).
pub(super) async fn explained(error: Error, bucket: &str, aws: &Aws) -> Error {
    let moved = ["PermanentRedirect", "AuthorizationHeaderMalformed"];
    let elsewhere = error.code.as_deref().is_some_and(|code| moved.contains(&code));
    if error.class != Class::Denied && !elsewhere {
        return error;
    }
    let Err(refused) = aws.s3.head_bucket().bucket(bucket).send().await else {
        return error;
    };
    let Some(response) = refused.raw_response() else {
        return error;
    };
    let region = response.headers().get("x-amz-bucket-region");
    match (response.status().as_u16(), region) {
        (_, Some(region)) if region != aws.scope.region => Error {
            message: format!("the bucket {bucket} is in {region}"),
            ..error
        }
        .hint("an environment is in one region: correct `region` in the environment file, or remove the bucket"),
        (403, _) => error.hint(
            "the caller cannot access this bucket, or another account owns it: bucket names are globally unique",
        ),
        _ => error,
    }
}

/// Returns nothing if this part is not set. Every other error is returned, also that of a missing bucket.
fn unset_is_none<T>(answer: Result<T, Error>, unset: &str) -> Result<Option<T>, Error> {
    match answer {
        Err(error) if error.code.as_deref() == Some(unset) => Ok(None),
        other => other.map(Some),
    }
}

/// Returns when the bucket was created, in seconds since 1970. Only the listing of all buckets contains it.
pub(super) async fn made(bucket: &str, aws: &Aws) -> Result<Option<i64>, Error> {
    let buckets = aws.buckets().await?;
    let bucket = buckets.iter().find(|listed| listed.name() == Some(bucket));
    Ok(bucket.and_then(|bucket| bucket.creation_date()).map(DateTime::secs))
}
