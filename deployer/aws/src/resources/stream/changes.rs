//! Changes of a live stream: one at a time, each with the stream ACTIVE before and after.

use aws_sdk_kinesis::types::{EncryptionType, MetricsName, ScalingType, StreamDescriptionSummary};
use engine::error::{Class, Error, GoneIsNone};

use super::Stream;
use super::states::{SETTLED, active};
use crate::{Aws, Called, wait_until};

impl Stream {
    /// Changes the mode, then the shards: an on-demand stream that becomes provisioned keeps its shards. A
    /// stream that is being created reports no shards yet, so they are counted when it is ACTIVE.
    pub(super) async fn change_capacity(&self, aws: &Aws) -> Result<(), Error> {
        let live = self.live(&active(&self.name, aws).await?, None);
        let mut shards = live.shard_count();
        if shards.is_some() != self.shard_count().is_some() {
            let call = aws.kinesis.update_stream_mode().stream_arn(&self.arn);
            let call = call.stream_mode_details(self.mode()?);
            let send = || async { call.clone().send().await.called() };
            shards = Some(settled(&self.name, aws, send).await?.open_shard_count);
        }
        let (Some(mut shards), Some(desired)) = (shards, self.shard_count()) else {
            return Ok(());
        };
        while shards != desired {
            let call = aws.kinesis.update_shard_count().stream_name(&self.name);
            let call = call.target_shard_count(next_shard_count(shards, desired));
            let call = call.scaling_type(ScalingType::UniformScaling);
            let send = || async { call.clone().send().await.called() };
            settled(&self.name, aws, send).await?;
            shards = next_shard_count(shards, desired);
        }
        Ok(())
    }

    pub(super) async fn change_retention(&self, live: &Self, aws: &Aws) -> Result<(), Error> {
        if self.retention_hours > live.retention_hours {
            let call = aws.kinesis.increase_stream_retention_period().stream_name(&self.name);
            let call = call.retention_period_hours(self.retention_hours);
            let send = || async { kept(call.clone().send().await.called()) };
            settled(&self.name, aws, send).await?;
        } else {
            let call = aws.kinesis.decrease_stream_retention_period().stream_name(&self.name);
            let call = call.retention_period_hours(self.retention_hours);
            let send = || async { kept(call.clone().send().await.called()) };
            settled(&self.name, aws, send).await?;
        }
        Ok(())
    }

    /// Changes the encryption. Starting it with another key replaces the previous key.
    pub(super) async fn change_encryption(&self, live: &Self, aws: &Aws) -> Result<(), Error> {
        if let Some(key) = &self.kms_key {
            let call = aws.kinesis.start_stream_encryption().stream_name(&self.name);
            let call = call.encryption_type(EncryptionType::Kms).key_id(key);
            let send = || async { call.clone().send().await.called() };
            settled(&self.name, aws, send).await?;
        } else if let Some(key) = &live.kms_key {
            let call = aws.kinesis.stop_stream_encryption().stream_name(&self.name);
            let call = call.encryption_type(EncryptionType::Kms).key_id(key);
            let send = || async { call.clone().send().await.called() };
            settled(&self.name, aws, send).await?;
        }
        Ok(())
    }

    pub(super) async fn change_metrics(&self, live: &Self, aws: &Aws) -> Result<(), Error> {
        let unwanted = metrics(live.shard_metrics.difference(&self.shard_metrics));
        if !unwanted.is_empty() {
            let call = aws.kinesis.disable_enhanced_monitoring().stream_name(&self.name);
            let call = call.set_shard_level_metrics(Some(unwanted));
            let send = || async { call.clone().send().await.called() };
            settled(&self.name, aws, send).await?;
        }
        let missing = metrics(self.shard_metrics.difference(&live.shard_metrics));
        if !missing.is_empty() {
            let call = aws.kinesis.enable_enhanced_monitoring().stream_name(&self.name);
            let call = call.set_shard_level_metrics(Some(missing));
            let send = || async { call.clone().send().await.called() };
            settled(&self.name, aws, send).await?;
        }
        Ok(())
    }

    pub(super) async fn change_record_size(&self, aws: &Aws) -> Result<(), Error> {
        let call = aws.kinesis.update_max_record_size().stream_arn(&self.arn);
        let call = call.max_record_size_in_kib(self.max_record_kib);
        let send = || async { call.clone().send().await.called() };
        settled(&self.name, aws, send).await.map(drop)
    }

    /// Deletes the resource policy. The stack has none, so the live one was set by hand.
    pub(super) async fn delete_resource_policy(&self, aws: &Aws) -> Result<(), Error> {
        let call = aws.kinesis.delete_resource_policy().resource_arn(&self.arn);
        call.send().await.called().gone_is_none().map(drop)
    }

    /// Changes the distribution strategy. AWS supports this for on-demand streams only.
    pub(super) async fn change_distribution(&self, aws: &Aws) -> Result<(), Error> {
        let call = aws.kinesis.update_stream_record_distribution_strategy().stream_arn(&self.arn);
        let call = call.record_distribution_strategy(self.distribution.as_str().into());
        let send = || async { call.clone().send().await.called() };
        settled(&self.name, aws, send).await.map(drop)
    }
}

/// Ignores the error that the retention period is already set: an earlier attempt, whose answer was lost,
/// made the change. Kinesis rejects a period that does not change ("IncreaseStreamRetentionPeriod", Kinesis
/// API reference). The next read shows whether it is as desired.
fn kept<T>(changed: Result<T, Error>) -> Result<(), Error> {
    match changed {
        Err(error) if error.code.as_deref() == Some("InvalidArgumentException") && is_about_now(&error) => {
            Ok(())
        }
        other => other.map(drop),
    }
}

fn is_about_now(error: &Error) -> bool {
    let text = error.message.to_lowercase();
    text.contains("retention period")
        && (text.contains("same") || text.contains("current") || text.contains("equal"))
}

/// Makes one change as soon as the stream accepts it, and returns the changed stream.
pub(super) async fn settled<T, Sent>(
    name: &str,
    aws: &Aws,
    send: impl Fn() -> Sent,
) -> Result<StreamDescriptionSummary, Error>
where
    Sent: Future<Output = Result<T, Error>>,
{
    // The summary can still report ACTIVE while the previous change is in progress.
    wait_until("the stream to accept a change", SETTLED, || async {
        match send().await {
            Err(error) if error.class == Class::InProgress => Ok(None),
            other => other.map(Some),
        }
    })
    .await?;
    active(name, aws).await
}

fn metrics<'a>(names: impl Iterator<Item = &'a String>) -> Vec<MetricsName> {
    names.map(|name| name.as_str().into()).collect()
}

/// Returns the count nearest to `desired` that one call can reach: at most double, at least
/// half ("UpdateShardCount", Kinesis API reference).
fn next_shard_count(live: i32, desired: i32) -> i32 {
    // Twice 0 shards would still be 0.
    let live = live.max(1);
    desired.clamp(live - live / 2, live * 2)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shards_at_most_double_or_halve() {
        let steps = |mut live: i32, desired: i32| {
            let mut steps = Vec::new();
            while live != desired {
                live = next_shard_count(live, desired);
                steps.push(live);
            }
            steps
        };
        assert_eq!(steps(1, 5), [2, 4, 5]);
        assert_eq!(steps(7, 1), [4, 2, 1]);
        assert_eq!(steps(4, 4), [0; 0]);
        assert_eq!(steps(0, 3), [2, 3], "scaling from 0 shards ends");
    }
}
