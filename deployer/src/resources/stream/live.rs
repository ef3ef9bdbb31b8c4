//! What Kinesis says of a stream, with everything that it leaves out filled in.

use aws_sdk_kinesis::types::{
    EncryptionType, RecordDistributionStrategy, StreamDescriptionSummary, StreamMode, StreamModeDetails,
};

use super::{Capacity, RECORD_KIB, Stream};
use crate::error::Error;
use crate::policy::Policy;

impl Stream {
    /// Returns the stream as it is, with what Kinesis leaves out filled in.
    pub(super) fn live(&self, summary: &StreamDescriptionSummary, resource_policy: Option<Policy>) -> Self {
        let mode = summary.stream_mode_details.as_ref().map(|details| &details.stream_mode);
        let encrypted = summary.encryption_type == Some(EncryptionType::Kms);
        let metrics = summary.enhanced_monitoring.iter().flat_map(|metrics| metrics.shard_level_metrics());
        let distribution = summary.record_distribution_strategy.as_ref();
        Self {
            capacity: match mode {
                Some(StreamMode::OnDemand) => Capacity::OnDemand,
                _ => Capacity::Provisioned { shards: summary.open_shard_count },
            },
            retention_hours: summary.retention_period_hours,
            kms_key: summary.key_id.as_deref().filter(|_| encrypted).map(key_name),
            shard_metrics: metrics.map(|name| name.as_str().to_owned()).collect(),
            max_record_kib: summary.max_record_size_in_kib.unwrap_or(RECORD_KIB),
            distribution: distribution
                .unwrap_or(&RecordDistributionStrategy::UserPartitionKey)
                .as_str()
                .to_owned(),
            resource_policy,
            ..self.clone()
        }
    }

    pub(super) fn mode(&self) -> Result<StreamModeDetails, Error> {
        let mode = match self.capacity {
            Capacity::OnDemand => StreamMode::OnDemand,
            Capacity::Provisioned { .. } => StreamMode::Provisioned,
        };
        let details = StreamModeDetails::builder().stream_mode(mode).build();
        details.map_err(|error| Error::other("request", error.to_string()))
    }

    pub(super) fn shard_count(&self) -> Option<i32> {
        match self.capacity {
            Capacity::OnDemand => None,
            Capacity::Provisioned { shards } => Some(shards),
        }
    }
}

/// Returns an alias as one writes it, and the ARN of a key as it is.
fn key_name(key: &str) -> String {
    match key.split_once(":alias/") {
        Some((_, alias)) => format!("alias/{alias}"),
        None => key.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_alias_reads_the_same_in_both_forms() {
        let arn = "arn:aws:kms:eu-central-1:111111111111:alias/aws/kinesis";
        assert_eq!(key_name(arn), key_name("alias/aws/kinesis"));
    }
}
