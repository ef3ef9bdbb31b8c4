//! The deployment bucket, which holds the release record and the packages.

use engine::scope::Scope;

use super::{Aws, AwsNames};
use crate::policy::Statement;
use crate::resources::bucket::Bucket;

/// The name of the bucket in code.
pub(crate) const THING: &str = "deployment";
/// The key prefix of the entries of the release record.
pub(crate) const RELEASES: &str = "releases/";
/// The key prefix of packages.
pub(crate) const PACKAGES: &str = "packages/";
/// Days that a deleted entry of the release record is kept.
const DELETED_DAYS: i32 = 30;

/// Returns the deployment bucket. Every stack has one.
pub fn deployment_bucket(scope: &Scope) -> Bucket {
    Bucket::new(scope, THING).expiring_versions(RELEASES, DELETED_DAYS)
}

/// Returns the permissions for the release record, in addition to those for buckets.
pub fn release_permissions(scope: &Scope) -> Vec<Statement> {
    let entries = objects(scope, RELEASES);
    vec![
        Statement::new("ReleaseRead", ["s3:GetObject"], [entries.clone()]),
        Statement::new("ReleaseWrite", ["s3:PutObject"], [entries]),
    ]
}

/// Returns the permissions for packages, in addition to those for buckets. Lambda reads a package with the
/// permissions of its caller ("Creating and updating functions using .zip files", Lambda developer guide).
pub fn package_permissions(scope: &Scope) -> Vec<Statement> {
    let packages = objects(scope, PACKAGES);
    vec![Statement::new("PackagesWrite", ["s3:GetObject", "s3:PutObject"], [packages])]
}

fn objects(scope: &Scope, prefix: &str) -> String {
    format!("arn:{}:s3:::{}/{prefix}*", scope.partition(), scope.bucket_name(THING))
}

impl Aws {
    /// Returns the name of the deployment bucket.
    pub(crate) fn deployments(&self) -> String {
        self.scope.bucket_name(THING)
    }
}
