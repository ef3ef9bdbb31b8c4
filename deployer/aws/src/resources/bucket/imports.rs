//! The ids for importing a bucket into Terraform, whose AWS provider has a resource for each of its settings.

use engine::resource::ImportId;

use super::Bucket;

impl Bucket {
    /// Returns the ids of the bucket and of its settings. The import of a setting that is not set fails with
    /// "Cannot import non-existent remote object" (terraform, internal/terraform/node_resource_import.go).
    pub(super) fn imported(&self) -> Vec<ImportId> {
        let block = &self.public_access_block;
        let blocks = block.block_acls || block.ignore_acls || block.block_policy || block.restrict_buckets;
        let settings = [
            ("aws_s3_bucket", true),
            ("aws_s3_bucket_public_access_block", blocks),
            // A bucket without the setting has this value (`reads::ownership`).
            ("aws_s3_bucket_ownership_controls", self.ownership != "ObjectWriter"),
            // S3 encrypts every bucket, and always answers with a configuration ("Setting default server-side
            // encryption behavior for Amazon S3 buckets", S3 user guide).
            ("aws_s3_bucket_server_side_encryption_configuration", true),
            ("aws_s3_bucket_versioning", self.versioning),
            ("aws_s3_bucket_lifecycle_configuration", !self.lifecycle.is_empty()),
            ("aws_s3_bucket_policy", self.policy.is_some()),
            ("aws_s3_bucket_cors_configuration", !self.cors_origins.is_empty()),
            ("aws_s3_bucket_notification", !self.notified.is_empty()),
        ];
        let set = settings.into_iter().filter(|(_, is_set)| *is_set);
        set.map(|(type_name, _)| ImportId::new(type_name, &self.name)).collect()
    }
}
