//! The packages of functions in the deployment bucket, each under its digest. Lambda reads them from there,
//! and an earlier package can be deployed again without a build.

use std::collections::BTreeSet;

use aws_sdk_s3::primitives::ByteStream;
use aws_sdk_s3::types::ObjectVersion;
use engine::error::{Error, GoneIsNone};
use engine::progress;
use futures::stream::{self, StreamExt, TryStreamExt};
use jiff::{SignedDuration, Timestamp};

use super::{Aws, Called, Package};
use crate::deployment::PACKAGES;
use crate::packages::Built;

/// The minimum age of a package that is deleted: a younger one can belong to a run that has not recorded it
/// yet.
const YOUNG: SignedDuration = SignedDuration::from_hours(24);
/// The number of packages that are deleted concurrently.
const TOGETHER: usize = 16;

impl Aws {
    /// Stores the package of this binary, and returns it with its key. A retried step does not upload it
    /// again.
    ///
    /// # Errors
    /// Fails if this binary was not built in this run, or if the upload fails.
    pub(crate) async fn stored_package(&self, binary: &str) -> Result<(&Package, &str), Error> {
        let Built { package, key } = self.packages.get(binary)?;
        Ok((package, key.get_or_try_init(|| self.store_package(package)).await?))
    }

    /// Stores a package unless it is stored already, and returns its key.
    async fn store_package(&self, package: &Package) -> Result<String, Error> {
        let key = key(&package.digest());
        progress::waiting_for(&format!("the upload of its package, {}", package.size()));
        let call = self.s3.put_object().bucket(self.deployments()).key(&key).if_none_match("*");
        let body = ByteStream::from(package.zip.to_vec());
        match call.content_type("application/zip").body(body).send().await.called() {
            Err(error) if error.code.as_deref() == Some("PreconditionFailed") => Ok(key),
            stored => stored.map(|_| key),
        }
    }

    /// Deletes all packages, except those with these digests and those younger than 24 hours. It deletes their
    /// object versions, because the bucket would keep those for ever.
    ///
    /// # Errors
    /// Fails if the bucket cannot be listed, or if a package cannot be deleted.
    pub async fn prune_packages(&self, kept: &BTreeSet<&str>, now: Timestamp) -> Result<(), Error> {
        let (mut key, mut id) = (None, None);
        loop {
            let call = self.s3.list_object_versions().bucket(self.deployments()).prefix(PACKAGES);
            let page = call.set_key_marker(key).set_version_id_marker(id).send().await.called()?;
            let unused = page.versions().iter().filter(|version| is_unused(version, kept, now));
            let delete = |version: &ObjectVersion| {
                let call = self.s3.delete_object().bucket(self.deployments()).set_key(version.key.clone());
                let call = call.set_version_id(version.version_id.clone());
                async move { call.send().await.called().gone_is_none().map(drop) }
            };
            let deletions: Vec<_> = unused.map(delete).collect();
            stream::iter(deletions).buffer_unordered(TOGETHER).try_collect::<()>().await?;
            if page.is_truncated != Some(true) {
                return Ok(());
            }
            (key, id) = (page.next_key_marker, page.next_version_id_marker);
        }
    }
}

impl Package {
    /// Checks that Lambda took this package from the deployment bucket.
    ///
    /// # Errors
    /// Fails if the code has another hash: the stored object was replaced.
    pub(crate) fn verify(&self, operation: &str, code_sha256: Option<&str>) -> Result<(), Error> {
        if code_sha256.is_none_or(|code| code == self.sha256) {
            return Ok(());
        }
        let (function, key) = (&self.function, key(&self.digest()));
        Err(Error::other(operation, format!("{function} now has code that is not its package: {key} was replaced"))
            .hint("find out who can write to the deployment bucket, delete that object with all its versions, and run `up` again"))
    }
}

/// Returns whether an object version is a package that is not kept and older than [`YOUNG`].
fn is_unused(version: &ObjectVersion, kept: &BTreeSet<&str>, now: Timestamp) -> bool {
    let stored = version.last_modified().and_then(|at| Timestamp::from_second(at.secs()).ok());
    let digest = version.key().and_then(|key| key.strip_prefix(PACKAGES)?.strip_suffix(".zip"));
    let (Some(stored), Some(digest)) = (stored, digest) else { return false };
    !kept.contains(digest) && now.duration_since(stored) > YOUNG
}

fn key(digest: &str) -> String {
    format!("{PACKAGES}{digest}.zip")
}

#[cfg(test)]
mod tests {
    use std::sync::{Arc, Mutex};

    use super::*;
    use crate::Packages;
    use crate::testing::{Script, body, fault, scope};

    fn package() -> Package {
        let zip = b"zip".to_vec().into();
        Package { function: "capture".into(), zip, sha256: String::new(), path: "capture.zip".into() }
    }

    /// Keys are stored for ever, so their form must not change.
    #[test]
    fn key_of_a_package_is_its_digest() {
        let digest = "2a1a9dc29d2ea4b5a7e9e6cb3c9c3d7e";
        assert_eq!(key(digest), format!("packages/{digest}.zip"));
        assert_eq!(package().digest().len(), 64);
    }

    #[tokio::test]
    async fn package_that_is_stored_already_is_kept() {
        let taken =
            fault(412, "PreconditionFailed", "At least one of the pre-conditions you specified did not hold");
        let script = Script::new().on("PutObject", taken);
        let key = script.aws().store_package(&package()).await.expect("the package is stored");
        assert_eq!(key, super::key(&package().digest()));
        assert_eq!(script.writes(), ["PutObject"]);
    }

    /// An upload over a slow connection takes minutes.
    #[tokio::test]
    async fn upload_is_reported_as_a_wait() {
        let script = Script::new().on("PutObject", body(""));
        let heard: Arc<Mutex<Vec<String>>> = Arc::default();
        let listener = {
            let heard = heard.clone();
            move |what: &str| heard.lock().expect("the lock is never poisoned").push(what.to_owned())
        };
        let (aws, package) = (script.aws(), package());
        progress::heard(listener, aws.store_package(&package)).await.expect("the package is stored");
        let heard = heard.lock().expect("the lock is never poisoned").clone();
        assert_eq!(heard, ["the upload of its package, 0.0 MB"]);
    }

    #[tokio::test]
    async fn package_is_uploaded_once_however_often_it_is_wanted() {
        let script = Script::new().on("PutObject", fault(503, "SlowDown", "no")).on("PutObject", body(""));
        let packages = Packages::new([("capture".to_owned(), package())].into());
        let aws = Aws { packages, ..script.aws() };
        aws.stored_package("capture").await.expect_err("S3 is throttling");
        for _ in 0..2 {
            let (_, key) = aws.stored_package("capture").await.expect("the package is stored");
            assert_eq!(key, super::key(&package().digest()));
        }
        assert_eq!(script.writes(), ["PutObject", "PutObject"]);
    }

    #[tokio::test]
    async fn old_package_without_a_release_is_deleted() {
        let object = |name: &str, day: u8| {
            format!(
                "<Version><Key>packages/{name}.zip</Key><VersionId>{name}-1</VersionId><LastModified>2026-11-{day:02}T00:00:00Z</LastModified></Version>"
            )
        };
        let listed = [object("used", 1), object("old", 1), object("young", 29)].concat();
        let listed = format!("<ListVersionsResult>{listed}</ListVersionsResult>");
        let script = Script::new().on("ListObjectVersions", body(listed)).on("DeleteObject", body(""));
        let now = "2026-11-29T12:00:00Z".parse().expect("the time is valid");
        let aws = script.aws_of(scope());
        aws.prune_packages(&["used"].into(), now).await.expect("the package is deleted");
        let deleted = script.asked().into_iter().filter(|asked| asked.operation == "DeleteObject");
        let deleted: Vec<String> = deleted.map(|asked| asked.uri).collect();
        assert_eq!(deleted.len(), 1);
        assert!(deleted[0].contains("/packages/old.zip?"), "{deleted:?}");
        assert!(deleted[0].contains("versionId=old-1"), "{deleted:?}");
    }
}
