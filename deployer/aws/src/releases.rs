//! The release record as objects in the deployment bucket, one per entry.
//!
//! A conditional put in S3 creates an object only if the key is free, so only one of two runs gets a number.
//! New objects are visible at once ("Amazon S3 data consistency model", S3 user guide).

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

/// The number of entries that are kept, for about fifty runs.
const KEPT: u64 = 100;
/// The number of entries that are read concurrently.
const TOGETHER: usize = 16;
/// The longest time until a new bucket is known (terraform-provider-aws, internal/service/s3).
const KNOWN: Duration = Duration::from_secs(120);

/// An entry in a listing.
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
        // The entry `from` usually exists, because the caller has written or read it. So it is read while the
        // later entries are listed.
        let known = async {
            match from {
                0 => Ok(None),
                number => self.entry(Listed { number, at: None }).await,
            }
        };
        let (known, later) = try_join!(known, self.entries(from + 1))?;
        let later = later.into_iter().map(async |listed| self.entry(listed).await);
        // A listed entry that is missing now was deleted meanwhile: because of its age, by `withdraw`, or with
        // the whole record.
        let later = stream::iter(later).buffered(TOGETHER).try_filter_map(async |entry| Ok(entry));
        let later: Vec<Recorded> = later.try_collect().await?;
        Ok(known.into_iter().chain(later).collect())
    }

    async fn record(&self, release: &Release, number: u64) -> Result<(), Error> {
        if number == 1 {
            match deployment_bucket(&self.scope).make(&self.scope.all_tags(), self).await {
                // The bucket exists with other tags. If `up` adopts it, its step in the plan writes the tags;
                // otherwise that step fails.
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
        let text = serde_json::to_vec_pretty(release).expect("a release can be serialized");
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
            // Other objects, such as `99.json`, are not entries.
            (object.key()? == key(number)).then_some(())?;
            let at = object.last_modified().and_then(|at| Timestamp::from_second(at.secs()).ok());
            Some(Listed { number, at })
        });
        Ok(listed.collect())
    }

    /// Reads an entry; `None` if it was deleted.
    async fn entry(&self, Listed { number, at }: Listed) -> Result<Option<Recorded>, Error> {
        const CALL: &str = "GetObject";
        let call = self.s3.get_object().bucket(self.deployments()).key(key(number));
        let Some(object) = call.send().await.called().gone_is_none()? else { return Ok(None) };
        let at = at.or_else(|| Timestamp::from_second(object.last_modified()?.secs()).ok());
        let body = object.body.collect().await.map_err(|error| {
            Error::new(Class::Throttled, CALL, format!("the response ended early: {error}"))
        })?;
        read(&body.into_bytes(), &format!("s3://{}/{}", self.deployments(), key(number)))
            .map(|release| Some(Recorded { release, number, at }))
    }
}

/// Returns the key of an entry, padded with zeros: S3 lists keys in byte order.
fn key(number: u64) -> String {
    format!("{RELEASES}{number:010}.json")
}

fn read(text: &[u8], address: &str) -> Result<Release, Error> {
    let release = serde_json::from_slice::<Release>(text).ok();
    release.filter(|release| release.schema == SCHEMA).ok_or_else(|| {
        let message = format!("{address} is not a release record that this deployer can read");
        Error::new(Class::Other, "GetObject", message).hint(format!(
            "use the newer deployer that wrote it; if no deployer wrote it, delete it with `aws s3 rm {address}`"
        ))
    })
}

#[cfg(test)]
mod tests;
