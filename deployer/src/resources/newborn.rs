//! What was made a moment ago, and is not known everywhere yet.

use std::time::Duration;

use crate::aws::{Aws, wait_until};
use crate::error::{Class, Error};
use crate::resource::{Resource, Tags};

/// A new bucket is known everywhere after two minutes at the latest
/// (terraform-provider-aws, internal/service/s3). A table and a stream are at once as a rule.
const KNOWN: Duration = Duration::from_secs(120);

/// Waits until a thing that was just made is known, and gives it what its creation did not take,
/// or what an attempt cut short left undone.
pub(super) async fn finish<R>(newborn: &R, tags: &Tags, aws: &Aws) -> Result<(), Error>
where
    R: Resource<Cloud = Aws>,
{
    let what = format!("{} to be known", newborn.name());
    let live = wait_until(&what, KNOWN, || async {
        match newborn.read(aws).await {
            Err(error) if error.class == Class::Propagating => Ok(None),
            other => other,
        }
    })
    .await?;
    let tagged = live.tags.unwrap_or_default();
    if !tags.iter().all(|(key, value)| tagged.get(key) == Some(value)) {
        newborn.tag(tags, aws).await.map_err(not_known_yet)?;
    }
    newborn.update(&live.resource, aws).await.map_err(not_known_yet)
}

/// Turns "there is no such thing" into what passes by itself: a thing that was just made can be
/// missing for a moment in any answer.
pub(super) fn not_known_yet(error: Error) -> Error {
    match error.class {
        Class::Gone => Error { class: Class::Propagating, ..error },
        _ => error,
    }
}
