//! Changes of a bucket: each call replaces one part as a whole.

use aws_sdk_s3::types::{
    BucketLifecycleConfiguration, BucketVersioningStatus, NotificationConfiguration, OwnershipControls,
    OwnershipControlsRule, PublicAccessBlockConfiguration, ServerSideEncryptionByDefault,
    ServerSideEncryptionConfiguration, ServerSideEncryptionRule, Tag, Tagging, VersioningConfiguration,
};
use aws_smithy_types::error::operation::BuildError;
use engine::error::Error;
use engine::resource::Tags;

use super::Bucket;
use crate::{Aws, Called};

impl Bucket {
    pub(super) async fn put_public_access_block(&self, aws: &Aws) -> Result<(), Error> {
        let block = PublicAccessBlockConfiguration::builder()
            .block_public_acls(self.public_access_block.block_acls)
            .ignore_public_acls(self.public_access_block.ignore_acls)
            .block_public_policy(self.public_access_block.block_policy)
            .restrict_public_buckets(self.public_access_block.restrict_buckets)
            .build();
        let call = aws.s3.put_public_access_block().bucket(&self.name);
        let call = call.public_access_block_configuration(block);
        call.send().await.called().map(drop)
    }

    pub(super) async fn put_ownership(&self, aws: &Aws) -> Result<(), Error> {
        let rule = OwnershipControlsRule::builder().object_ownership(self.ownership.as_str().into());
        let controls = OwnershipControls::builder().rules(rule.build().map_err(incomplete)?);
        let call = aws.s3.put_bucket_ownership_controls().bucket(&self.name);
        let call = call.ownership_controls(controls.build().map_err(incomplete)?);
        call.send().await.called().map(drop)
    }

    pub(super) async fn put_encryption(&self, aws: &Aws) -> Result<(), Error> {
        let default = ServerSideEncryptionByDefault::builder()
            .sse_algorithm(self.encryption.algorithm.as_str().into())
            .set_kms_master_key_id(self.encryption.kms_key.clone())
            .build()
            .map_err(incomplete)?;
        let rule = ServerSideEncryptionRule::builder().apply_server_side_encryption_by_default(default);
        let rule = rule.bucket_key_enabled(self.encryption.bucket_key).build();
        let configuration = ServerSideEncryptionConfiguration::builder().rules(rule);
        let call = aws.s3.put_bucket_encryption().bucket(&self.name);
        let call = call.server_side_encryption_configuration(configuration.build().map_err(incomplete)?);
        call.send().await.called().map(drop)
    }

    pub(super) async fn put_versioning(&self, aws: &Aws) -> Result<(), Error> {
        let status =
            if self.versioning { BucketVersioningStatus::Enabled } else { BucketVersioningStatus::Suspended };
        let call = aws.s3.put_bucket_versioning().bucket(&self.name);
        let call = call.versioning_configuration(VersioningConfiguration::builder().status(status).build());
        call.send().await.called().map(drop)
    }

    pub(super) async fn put_lifecycle(&self, aws: &Aws) -> Result<(), Error> {
        let rules = self.lifecycle.iter().map(|(id, rule)| rule.to_sdk(id));
        let rules = rules.collect::<Result<_, _>>().map_err(incomplete)?;
        let rules = BucketLifecycleConfiguration::builder().set_rules(Some(rules)).build();
        let call = aws.s3.put_bucket_lifecycle_configuration().bucket(&self.name);
        let call = call.lifecycle_configuration(rules.map_err(incomplete)?);
        call.send().await.called().map(drop)
    }

    pub(super) async fn put_policy(&self, aws: &Aws) -> Result<(), Error> {
        match &self.policy {
            Some(policy) => {
                let call = aws.s3.put_bucket_policy().bucket(&self.name).policy(policy.to_json());
                call.send().await.called().map(drop)
            }
            None => {
                let call = aws.s3.delete_bucket_policy().bucket(&self.name);
                call.send().await.called().map(drop)
            }
        }
    }

    pub(super) async fn delete_cors(&self, aws: &Aws) -> Result<(), Error> {
        let call = aws.s3.delete_bucket_cors().bucket(&self.name);
        call.send().await.called().map(drop)
    }

    pub(super) async fn delete_notifications(&self, aws: &Aws) -> Result<(), Error> {
        let call = aws.s3.put_bucket_notification_configuration().bucket(&self.name);
        let call = call.notification_configuration(NotificationConfiguration::builder().build());
        call.send().await.called().map(drop)
    }

    pub(super) async fn put_tags(&self, tags: &Tags, aws: &Aws) -> Result<(), Error> {
        let tagging = Tagging::builder().set_tag_set(Some(to_sdk(tags)?)).build().map_err(incomplete)?;
        let call = aws.s3.put_bucket_tagging().bucket(&self.name).tagging(tagging);
        call.send().await.called().map(drop)
    }
}

pub(super) fn to_sdk(tags: &Tags) -> Result<Vec<Tag>, Error> {
    let tags = tags.iter().map(|(key, value)| Tag::builder().key(key).value(value).build());
    tags.collect::<Result<_, _>>().map_err(incomplete)
}

pub(super) fn incomplete(error: BuildError) -> Error {
    Error::other("request", error.to_string())
}
