//! The states of a stream, and waiting for them.

use std::time::Duration;

use aws_sdk_kinesis::types::{StreamDescriptionSummary, StreamStatus};
use engine::error::{Error, GoneIsNone};

use crate::{Aws, Called, wait_until};

/// Most changes take seconds; one of many shards takes minutes.
pub(super) const SETTLED: Duration = Duration::from_secs(15 * 60);

/// Returns the stream as soon as it takes changes.
pub(super) async fn active(name: &str, aws: &Aws) -> Result<StreamDescriptionSummary, Error> {
    wait_until("the stream to be ACTIVE", SETTLED, || async {
        // A stream that was just made may not be known yet.
        let summary = summary(name, aws).await.gone_is_none()?;
        let status = summary.as_ref().map(|summary| &summary.stream_status);
        if status == Some(&StreamStatus::Deleting) {
            let message = format!("somebody deletes {name} at this moment");
            return Err(
                Error::other("DescribeStreamSummary", message).hint("run the command again when it is gone")
            );
        }
        Ok(summary.filter(|summary| summary.stream_status == StreamStatus::Active))
    })
    .await
}

/// Returns when there is no stream of this name.
pub(super) async fn gone(what: &str, name: &str, aws: &Aws) -> Result<(), Error> {
    wait_until(what, SETTLED, || async { Ok(status(name, aws).await?.is_none().then_some(())) }).await
}

/// Returns when no earlier stream of this name is in the way of a new one. One that is being
/// deleted answers to CreateStream like a live one.
pub(super) async fn earlier_gone(name: &str, aws: &Aws) -> Result<(), Error> {
    if status(name, aws).await? != Some(StreamStatus::Deleting) {
        return Ok(());
    }
    gone("the earlier stream of this name to be gone", name, aws).await
}

/// Returns the state of the stream, or nothing when there is none.
pub(super) async fn status(name: &str, aws: &Aws) -> Result<Option<StreamStatus>, Error> {
    let summary = summary(name, aws).await.gone_is_none()?;
    Ok(summary.map(|summary| summary.stream_status))
}

/// Returns what DescribeStreamSummary says of the stream.
pub(super) async fn summary(name: &str, aws: &Aws) -> Result<StreamDescriptionSummary, Error> {
    let call = aws.kinesis.describe_stream_summary().stream_name(name);
    let answer = call.send().await.called()?;
    let nothing = || Error::other("DescribeStreamSummary", format!("the answer for {name} holds no stream"));
    answer.stream_description_summary.ok_or_else(nothing)
}
