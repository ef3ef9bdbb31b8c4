//! Conversion of Kinesis's answers about a stream, with the defaults of omitted fields.

use aws_sdk_kinesis::types::{
    EncryptionType, RecordDistributionStrategy, StreamDescriptionSummary, StreamMode, StreamModeDetails,
};
use engine::error::Error;

use super::{Capacity, RECORD_KIB, Stream};
use crate::policy::Policy;

impl Stream {
    /// Returns the live stream, with the defaults of fields that Kinesis omits.
    pub(super) fn live(&self, summary: &StreamDescriptionSummary, resource_policy: Option<Policy>) -> Self {
        let mode = summary.stream_mode_details.as_ref().map(|details| &details.stream_mode);
        let encrypted = summary.encryption_type == Some(EncryptionType::Kms);
        let metrics = summary.enhanced_monitoring.iter().flat_map(|metrics| metrics.shard_level_metrics());
        let capacity = match mode {
            Some(StreamMode::OnDemand) => Capacity::OnDemand,
            _ => Capacity::Provisioned { shards: summary.open_shard_count },
        };
        // Only on-demand streams have another strategy, and a call that changes it
        // ("UpdateStreamRecordDistributionStrategy", Kinesis API reference).
        let distribution = summary.record_distribution_strategy.as_ref();
        let distribution = distribution.filter(|_| capacity == Capacity::OnDemand);
        Self {
            capacity,
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

    pub(in crate::resources) fn shard_count(&self) -> Option<i32> {
        match self.capacity {
            Capacity::OnDemand => None,
            Capacity::Provisioned { shards } => Some(shards),
        }
    }

    /// Returns how many shards the stream has at least. AWS creates a stream on demand with four ("Choose the
    /// right mode in Amazon Kinesis Data Streams", Kinesis developer guide).
    pub(in crate::resources) fn least_shards(&self) -> i32 {
        self.shard_count().unwrap_or(4)
    }
}

/// Returns an alias in its short form, and the ARN of a key unchanged.
fn key_name(key: &str) -> String {
    match key.split_once(":alias/") {
        Some((_, alias)) => format!("alias/{alias}"),
        None => key.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use aws_sdk_kinesis::primitives::DateTime;
    use aws_sdk_kinesis::types::builders::StreamDescriptionSummaryBuilder;
    use aws_sdk_kinesis::types::{EnhancedMetrics, MetricsName, StreamStatus};
    use engine::diff::diff;

    use super::*;
    use crate::testing::scope;

    fn made() -> StreamDescriptionSummaryBuilder {
        StreamDescriptionSummary::builder()
            .stream_name("demo-dev-events")
            .stream_arn("arn")
            .stream_status(StreamStatus::Active)
            .stream_creation_timestamp(DateTime::from_secs(0))
            .retention_period_hours(24)
            .open_shard_count(1)
            .enhanced_monitoring(EnhancedMetrics::builder().build())
    }

    /// Returns the paths at which this live stream differs from the desired one.
    fn paths(live: StreamDescriptionSummaryBuilder) -> Vec<String> {
        let wanted = Stream::new(&scope(), "events");
        let live = wanted.live(&live.build().expect("all required fields are set"), None);
        let state = |stream: &Stream| serde_json::to_value(stream).expect("the stream serializes to JSON");
        diff(&state(&live), &state(&wanted)).into_iter().map(|change| change.path).collect()
    }

    #[test]
    fn stream_fields_left_out_have_defaults() {
        assert_eq!(paths(made()), [""; 0]);
    }

    #[test]
    fn stream_drift_names_the_field() {
        let on_demand = StreamModeDetails::builder().stream_mode(StreamMode::OnDemand);
        let on_demand = on_demand.build().expect("all required fields are set");
        let metrics = EnhancedMetrics::builder().shard_level_metrics(MetricsName::IncomingBytes).build();
        let rows = [
            (made().stream_mode_details(on_demand.clone()), ["capacity.mode", "capacity.shards"].as_slice()),
            (made().open_shard_count(2), &["capacity.shards"]),
            (made().retention_period_hours(48), &["retention_hours"]),
            (made().encryption_type(EncryptionType::Kms).key_id("alias/aws/kinesis"), &["kms_key"]),
            (made().enhanced_monitoring(metrics), &["shard_metrics"]),
            (made().max_record_size_in_kib(10_240), &["max_record_kib"]),
            (
                made()
                    .stream_mode_details(on_demand.clone())
                    .record_distribution_strategy(RecordDistributionStrategy::from("AUTO")),
                &["capacity.mode", "capacity.shards", "distribution"],
            ),
        ];
        for (live, expected) in rows {
            assert_eq!(paths(live), expected);
        }
    }

    #[test]
    fn key_alias_reads_the_same_in_both_forms() {
        let arn = "arn:aws:kms:eu-central-1:111111111111:alias/aws/kinesis";
        assert_eq!(key_name(arn), key_name("alias/aws/kinesis"));
    }
}
