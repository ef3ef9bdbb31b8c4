//! The bucket that deploying keeps its own things in: the release record and the packages.

use engine::scope::Scope;

use super::{Aws, AwsNames};
use crate::policy::Statement;
use crate::resources::bucket::Bucket;

/// The thing that the bucket is named after.
pub(crate) const THING: &str = "deployment";
/// What the keys of the entries of the release record begin with.
pub(crate) const RELEASES: &str = "releases/";
/// What the keys of packages begin with.
pub(crate) const PACKAGES: &str = "packages/";
/// Days that an entry of the record is kept that was deleted.
const DELETED_DAYS: i32 = 30;

/// Returns the bucket that deploying leaves its marks in. Every stack has it.
pub fn deployment_bucket(scope: &Scope) -> Bucket {
    Bucket::new(scope, THING).expiring_versions(RELEASES, DELETED_DAYS)
}

/// Returns what the caller has to be allowed on the release record, beyond what buckets take.
pub fn release_permissions(scope: &Scope) -> Vec<Statement> {
    let entries = objects(scope, RELEASES);
    vec![
        Statement::new("ReleaseRead", ["s3:GetObject"], [entries.clone()]),
        Statement::new("ReleaseWrite", ["s3:PutObject"], [entries]),
    ]
}

/// Returns what deploying functions takes on their packages, beyond what buckets take: Lambda reads a
/// package as the caller ("Creating and updating functions using .zip files", Lambda developer guide).
pub fn package_permissions(scope: &Scope) -> Vec<Statement> {
    let packages = objects(scope, PACKAGES);
    vec![Statement::new("PackagesWrite", ["s3:GetObject", "s3:PutObject"], [packages])]
}

fn objects(scope: &Scope, prefix: &str) -> String {
    format!("arn:{}:s3:::{}/{prefix}*", scope.partition(), scope.bucket_name(THING))
}

impl Aws {
    /// Returns the name of the bucket.
    pub(crate) fn deployments(&self) -> String {
        self.scope.bucket_name(THING)
    }
}
