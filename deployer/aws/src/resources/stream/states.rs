//! The states of a stream, and waiting for them.

use std::time::Duration;

use aws_sdk_kinesis::types::{StreamDescriptionSummary, StreamStatus};
use engine::error::{Error, GoneIsNone};

use crate::{Aws, Called, wait_until};

/// How long a change may take. Most take seconds; a change of many shards takes minutes.
pub(super) const SETTLED: Duration = Duration::from_secs(15 * 60);

/// Returns the stream as soon as it accepts changes.
pub(super) async fn active(name: &str, aws: &Aws) -> Result<StreamDescriptionSummary, Error> {
    wait_until("the stream to be ACTIVE", SETTLED, || async {
        // A new stream may not be known yet.
        let summary = summary(name, aws).await.gone_is_none()?;
        let status = summary.as_ref().map(|summary| &summary.stream_status);
        if status == Some(&StreamStatus::Deleting) {
            let message = format!("{name} is being deleted");
            return Err(Error::other("DescribeStreamSummary", message)
                .hint("run the command again when it is deleted"));
        }
        Ok(summary.filter(|summary| summary.stream_status == StreamStatus::Active))
    })
    .await
}

/// Waits until there is no stream of this name.
pub(super) async fn gone(what: &str, name: &str, aws: &Aws) -> Result<(), Error> {
    wait_until(what, SETTLED, || async { Ok(status(name, aws).await?.is_none().then_some(())) }).await
}

/// Waits until an earlier stream of this name is deleted. While it is being deleted, CreateStream answers
/// that it exists.
pub(super) async fn earlier_gone(name: &str, aws: &Aws) -> Result<(), Error> {
    if status(name, aws).await? != Some(StreamStatus::Deleting) {
        return Ok(());
    }
    gone("the earlier stream of this name to be deleted", name, aws).await
}

/// Returns the state of the stream, or nothing if there is none.
pub(super) async fn status(name: &str, aws: &Aws) -> Result<Option<StreamStatus>, Error> {
    let summary = summary(name, aws).await.gone_is_none()?;
    Ok(summary.map(|summary| summary.stream_status))
}

/// Returns the answer of DescribeStreamSummary.
pub(super) async fn summary(name: &str, aws: &Aws) -> Result<StreamDescriptionSummary, Error> {
    let call = aws.kinesis.describe_stream_summary().stream_name(name);
    let answer = call.send().await.called()?;
    let nothing =
        || Error::other("DescribeStreamSummary", format!("the answer for {name} contains no stream"));
    answer.stream_description_summary.ok_or_else(nothing)
}
