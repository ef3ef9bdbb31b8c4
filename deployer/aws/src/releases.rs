//! The release record as objects in a bucket of the environment, one for each entry.
//!
//! S3 puts an object only where there is none, so of two runs that want a number, one gets it; and it shows what
//! it has taken at once ("Amazon S3 data consistency model", S3 user guide).

use std::time::Duration;

use aws_sdk_s3::primitives::ByteStream;
use engine::error::{Class, Error, GoneIsNone};
use engine::release::{Recorded, Release, ReleaseRecord, SCHEMA};
use engine::resource::{Resource, ResourceId};
use engine::scope::Scope;
use futures::stream::{self, StreamExt, TryStreamExt};
use futures::try_join;
use jiff::Timestamp;

use super::{Aws, AwsNames, Called, wait_until};
use crate::deployment::{RELEASES, THING, deployment_bucket};
use crate::resources::bucket::Bucket;

/// How many entries are kept, those of some fifty runs.
const KEPT: u64 = 100;
/// How many entries are read at a time.
const TOGETHER: usize = 16;
/// How long a new bucket can be unknown at most (terraform-provider-aws, internal/service/s3).
const KNOWN: Duration = Duration::from_secs(120);

/// An entry as a listing shows it.
struct Listed {
    number: u64,
    at: Option<Timestamp>,
}

impl ReleaseRecord for Aws {
    fn record_id(scope: &Scope) -> ResourceId {
        ResourceId::new("s3.object", format!("{}/{RELEASES}", scope.bucket_name(THING)))
    }

    fn kept_in(scope: &Scope) -> Option<ResourceId> {
        Some(ResourceId::new(Bucket::KIND, scope.bucket_name(THING)))
    }

    async fn last_release(&self) -> Result<Option<Recorded>, Error> {
        let Some(last) = self.entries(0).await?.pop() else { return Ok(None) };
        self.entry(last).await
    }

    async fn releases(&self, from: u64) -> Result<Vec<Recorded>, Error> {
        // Who asks from a number on has written it, as a rule: there is nothing to wait for.
        let known = async {
            match from {
                0 => Ok(None),
                number => self.entry(Listed { number, at: None }).await,
            }
        };
        let (known, later) = try_join!(known, self.entries(from + 1))?;
        let later = later.into_iter().map(async |listed| self.entry(listed).await);
        // One that is not there any more was too old to be kept.
        let later = stream::iter(later).buffered(TOGETHER).try_filter_map(async |entry| Ok(entry));
        let later: Vec<Recorded> = later.try_collect().await?;
        Ok(known.into_iter().chain(later).collect())
    }

    async fn record(&self, release: &Release, number: u64) -> Result<(), Error> {
        if number == 1 {
            match deployment_bucket(&self.scope).make(&self.scope.all_tags(), self).await {
                // One that is to be ours, and gets its tags with everything else.
                Err(error) if error.code.as_deref() == Some("BucketAlreadyOwnedByYou") => {}
                made => made?,
            }
            let put = async || self.put(release, number).await.gone_is_none();
            return wait_until("the deployment bucket to be known", KNOWN, put).await;
        }
        self.put(release, number).await?;
        match number.checked_sub(KEPT) {
            Some(old) if old > 0 => self.withdraw(old).await,
            _ => Ok(()),
        }
    }

    async fn withdraw(&self, number: u64) -> Result<(), Error> {
        let call = self.s3.delete_object().bucket(self.deployments()).key(key(number));
        call.send().await.called().gone_is_none().map(drop)
    }

    async fn forget_releases(&self) -> Result<(), Error> {
        Bucket::delete(&self.deployments(), self).await
    }
}

impl Aws {
    async fn put(&self, release: &Release, number: u64) -> Result<(), Error> {
        let text = serde_json::to_vec_pretty(release).expect("a release is plain data");
        let call = self.s3.put_object().bucket(self.deployments()).key(key(number)).if_none_match("*");
        let call = call.content_type("application/json").body(ByteStream::from(text));
        match call.send().await.called() {
            Err(error) if error.code.as_deref() == Some("PreconditionFailed") => {
                Err(Error { class: Class::Exists, ..error })
            }
            put => put.map(drop),
        }
    }

    /// Lists the entries from this number on, oldest first.
    async fn entries(&self, from: u64) -> Result<Vec<Listed>, Error> {
        let call = self.s3.list_objects_v2().bucket(self.deployments()).prefix(RELEASES);
        let call = call.set_start_after(from.checked_sub(1).map(key));
        let pages = call.into_paginator().send().try_collect().await;
        let pages = pages.called().gone_is_none()?.unwrap_or_default();
        let objects = pages.into_iter().flat_map(|page| page.contents.unwrap_or_default());
        let listed = objects.filter_map(|object| {
            let number = object.key()?.strip_prefix(RELEASES)?.strip_suffix(".json")?.parse().ok()?;
            // Somebody may have put `99.json` there.
            (object.key()? == key(number)).then_some(())?;
            let at = object.last_modified().and_then(|at| Timestamp::from_second(at.secs()).ok());
            Some(Listed { number, at })
        });
        Ok(listed.collect())
    }

    /// Reads an entry, or nothing when it is not there any more.
    async fn entry(&self, Listed { number, at }: Listed) -> Result<Option<Recorded>, Error> {
        const CALL: &str = "GetObject";
        let call = self.s3.get_object().bucket(self.deployments()).key(key(number));
        let Some(object) = call.send().await.called().gone_is_none()? else { return Ok(None) };
        let at = at.or_else(|| Timestamp::from_second(object.last_modified()?.secs()).ok());
        let body =
            object.body.collect().await.map_err(|error| {
                Error::new(Class::Throttled, CALL, format!("the answer broke off: {error}"))
            })?;
        read(&body.into_bytes(), &format!("s3://{}/{}", self.deployments(), key(number)))
            .map(|release| Some(Recorded { release, number, at }))
    }
}

/// Returns the key of an entry. Keys are listed in the order of their bytes.
fn key(number: u64) -> String {
    format!("{RELEASES}{number:010}.json")
}

fn read(text: &[u8], address: &str) -> Result<Release, Error> {
    let release = serde_json::from_slice::<Release>(text).ok();
    release.filter(|release| release.schema == SCHEMA).ok_or_else(|| {
        let message = format!("{address} holds no release record that this program knows");
        Error::new(Class::Other, "GetObject", message).hint(format!(
            "a newer deployer wrote it: use that one; or somebody put it there: delete it (`aws s3 rm {address}`)"
        ))
    })
}

#[cfg(test)]
mod tests;
