//! Reads of a table that are not in the answer of DescribeTable, one call each.

use std::time::Duration;

use aws_sdk_dynamodb::types::{ContinuousBackupsDescription, TimeToLiveDescription};
use engine::error::{Class, Error, GoneIsNone};
use engine::resource::Tags;

use super::arn;
use super::states::described;
use crate::policy::Policy;
use crate::{Aws, Called, wait_until};

/// How long the tags of a new table may take to appear.
const TAGS: Duration = Duration::from_secs(10);

/// Returns the state of the backups.
pub(super) async fn backups(name: &str, aws: &Aws) -> Result<Option<ContinuousBackupsDescription>, Error> {
    let call = aws.dynamodb.describe_continuous_backups().table_name(name);
    let answer = call.send().await.called()?;
    Ok(answer.continuous_backups_description)
}

/// Returns the time to live.
pub(super) async fn time_to_live(name: &str, aws: &Aws) -> Result<Option<TimeToLiveDescription>, Error> {
    let call = aws.dynamodb.describe_time_to_live().table_name(name);
    let answer = call.send().await.called()?;
    Ok(answer.time_to_live_description)
}

/// Returns the resource policy.
pub(super) async fn resource_policy(arn: &str, aws: &Aws) -> Result<Option<Policy>, Error> {
    const CALL: &str = "GetResourcePolicy";
    let call = aws.dynamodb.get_resource_policy().resource_arn(arn);
    let answer = match call.send().await.called() {
        Err(error) if error.code.as_deref() == Some("PolicyNotFoundException") => return Ok(None),
        other => other?,
    };
    let policy = answer.policy.filter(|policy| !policy.is_empty());
    let policy = policy.map(|policy| Policy::parse(&policy)).transpose();
    policy.map_err(|error| Error::other(CALL, format!("a policy document is not JSON: {error}")))
}

/// Returns the tags. For a missing table, DynamoDB denies access to them.
pub(super) async fn tags(name: &str, aws: &Aws) -> Result<Tags, Error> {
    let mut tags = Tags::new();
    let mut page = None;
    loop {
        let call = aws.dynamodb.list_tags_of_resource().resource_arn(arn(&aws.scope, name));
        let answer = match call.set_next_token(page).send().await.called() {
            Err(error) if error.class == Class::Denied => {
                described(name, aws).await?;
                return Err(error);
            }
            other => other?,
        };
        tags.extend(answer.tags.unwrap_or_default().into_iter().map(|tag| (tag.key, tag.value)));
        page = answer.next_token;
        if page.is_none() {
            return Ok(tags);
        }
    }
}

/// Returns the tags as soon as there are some: a new table shows them a moment later ("ListTagsOfResource",
/// DynamoDB API reference). Returns nothing if none appear.
pub(super) async fn shown_tags(name: &str, aws: &Aws) -> Result<Option<Tags>, Error> {
    let shown = wait_until("the table's tags to appear", TAGS, || async {
        let tags = tags(name, aws).await.gone_is_none()?;
        Ok(tags.filter(|tags| !tags.is_empty()))
    });
    match shown.await {
        Err(error) if error.operation == "wait" => Ok(None),
        other => other.map(Some),
    }
}
