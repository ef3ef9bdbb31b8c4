//! Reads of a stream that are not in its summary, one call each.

use engine::error::{Error, GoneIsNone};
use engine::resource::Tags;

use crate::policy::Policy;
use crate::{Aws, Called};

/// The most tags that a stream can have, and that one page contains.
const TAGS: i32 = 50;

/// Returns the resource policy. A stream without a policy has an empty one, and so has a missing stream: the
/// summary decides whether it exists.
pub(super) async fn resource_policy(arn: &str, aws: &Aws) -> Result<Option<Policy>, Error> {
    const CALL: &str = "GetResourcePolicy";
    let call = aws.kinesis.get_resource_policy().resource_arn(arn);
    let Some(answer) = call.send().await.called().gone_is_none()? else {
        return Ok(None);
    };
    let empty = ["", "{}"].contains(&answer.policy.trim());
    let policy = (!empty).then(|| Policy::parse(&answer.policy)).transpose();
    policy.map_err(|error| Error::other(CALL, format!("a policy document is not JSON: {error}")))
}

/// Returns the tags.
pub(super) async fn tags(name: &str, aws: &Aws) -> Result<Tags, Error> {
    let call = aws.kinesis.list_tags_for_stream().stream_name(name).limit(TAGS);
    let answer = call.send().await.called()?;
    let tags = answer.tags.into_iter();
    Ok(tags.map(|tag| (tag.key, tag.value.unwrap_or_default())).collect())
}
