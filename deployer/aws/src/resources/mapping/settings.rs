//! Conversion of a mapping's settings from and to the SDK, without calls. A setting that AWS omits has its
//! default, which is filled in here.

use std::collections::BTreeSet;

use aws_sdk_lambda::operation::create_event_source_mapping::builders::CreateEventSourceMappingInputBuilder;
use aws_sdk_lambda::operation::update_event_source_mapping::builders::UpdateEventSourceMappingInputBuilder;
use aws_sdk_lambda::types::{
    DestinationConfig, EventSourceMappingConfiguration, EventSourceMappingMetric,
    EventSourceMappingMetricsConfig, Filter, FilterCriteria, FunctionResponseType, OnFailure, ScalingConfig,
};
use serde::Serialize;
use serde_json::Value;

use crate::resources::lint;

const MOST_FILTERS: usize = 5;
const LONGEST_PATTERN: usize = 4096;

/// The settings for reading, batching and discarding. The defaults are AWS's for streams
/// ("CreateEventSourceMapping", Lambda API reference).
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct MappingSettings {
    /// Most records in one invocation.
    pub batch_size: i32,
    /// Seconds to wait for a fuller batch.
    pub batching_window_s: i32,
    /// Concurrent batches of one shard. Above 1, order is kept per partition key only; for a table, per item.
    pub parallelization_factor: i32,
    /// Whether a failed batch is split in halves and retried.
    pub bisect_on_error: bool,
    /// Retries of a failed batch; -1 means until its records expire.
    pub maximum_retry_attempts: i32,
    /// Seconds after which a record is discarded; -1 means when it expires.
    pub maximum_record_age_s: i32,
    /// ARN of the bucket, queue or topic for discarded batches.
    pub on_failure: Option<String>,
    /// Filter patterns, sorted by their text. A record has to match one of them; without patterns, all
    /// records match.
    pub filters: Vec<Value>,
    /// `ReportBatchItemFailures`, if the function reports which records failed.
    pub function_response_types: BTreeSet<String>,
    /// Seconds of a tumbling window; 0 means none.
    pub tumbling_window_s: i32,
    /// Most invocations at a time; only for queues.
    pub maximum_concurrency: Option<i32>,
    /// Groups of metrics for the mapping itself.
    pub metrics: BTreeSet<String>,
    /// ARN of the key that encrypts the filters; nothing means Lambda's own key.
    pub kms_key: Option<String>,
}

impl Default for MappingSettings {
    fn default() -> Self {
        Self {
            batch_size: 100,
            batching_window_s: 0,
            parallelization_factor: 1,
            bisect_on_error: false,
            maximum_retry_attempts: -1,
            maximum_record_age_s: -1,
            on_failure: None,
            filters: Vec::new(),
            function_response_types: BTreeSet::new(),
            tumbling_window_s: 0,
            maximum_concurrency: None,
            metrics: BTreeSet::new(),
            kms_key: None,
        }
    }
}

impl MappingSettings {
    /// Returns the settings with this filter pattern added.
    pub fn filter(mut self, pattern: Value) -> Self {
        self.filters.push(pattern);
        self.filters.sort_by_key(Value::to_string);
        self
    }

    /// Returns the mistakes in these settings for a stream ("CreateEventSourceMapping", Lambda API reference;
    /// "Control which events Lambda sends to your function").
    pub(super) fn mistakes(&self) -> Vec<String> {
        let mut mistakes = Vec::new();
        let numbers = [
            lint::range("the batch size", self.batch_size.into(), 1..=10_000),
            lint::range("the batching window in seconds", self.batching_window_s.into(), 0..=300),
            lint::range("the parallelization factor", self.parallelization_factor.into(), 1..=10),
            lint::range("the number of retries", self.maximum_retry_attempts.into(), -1..=10_000),
            lint::range("the tumbling window in seconds", self.tumbling_window_s.into(), 0..=900),
        ];
        mistakes.extend(numbers.into_iter().flatten());
        if self.maximum_record_age_s != -1 {
            let age = self.maximum_record_age_s.into();
            mistakes.extend(lint::range(
                "the maximum record age in seconds, unless it is -1,",
                age,
                60..=604_800,
            ));
        }
        mistakes.extend(lint::key_arn(self.kms_key.as_deref()));
        if self.filters.len() > MOST_FILTERS {
            mistakes.push(format!(
                "a mapping can have at most {MOST_FILTERS} filters, unless the quota is raised, but has {}",
                self.filters.len()
            ));
        }
        if self.filters.iter().any(|pattern| pattern.to_string().chars().count() > LONGEST_PATTERN) {
            mistakes.push(format!("a filter can have at most {LONGEST_PATTERN} characters"));
        }
        mistakes
    }

    /// Returns the settings of a live mapping.
    pub(super) fn from_live(live: &EventSourceMappingConfiguration) -> Self {
        let default = Self::default();
        let filters = live.filter_criteria().map(FilterCriteria::filters).unwrap_or_default();
        let mut filters: Vec<Value> = filters.iter().filter_map(Filter::pattern).map(parsed).collect();
        filters.sort_by_key(Value::to_string);
        Self {
            batch_size: live.batch_size.unwrap_or(default.batch_size),
            batching_window_s: live.maximum_batching_window_in_seconds.unwrap_or(default.batching_window_s),
            parallelization_factor: live.parallelization_factor.unwrap_or(default.parallelization_factor),
            bisect_on_error: live.bisect_batch_on_function_error.unwrap_or(default.bisect_on_error),
            maximum_retry_attempts: live.maximum_retry_attempts.unwrap_or(default.maximum_retry_attempts),
            maximum_record_age_s: live.maximum_record_age_in_seconds.unwrap_or(default.maximum_record_age_s),
            // A removed destination leaves `{"OnFailure": {}}`.
            on_failure: live
                .destination_config()
                .and_then(DestinationConfig::on_failure)
                .and_then(OnFailure::destination)
                .filter(|destination| !destination.is_empty())
                .map(str::to_owned),
            filters,
            function_response_types: live
                .function_response_types()
                .iter()
                .map(|kind| kind.as_str().to_owned())
                .collect(),
            tumbling_window_s: live.tumbling_window_in_seconds.unwrap_or(default.tumbling_window_s),
            maximum_concurrency: live.scaling_config().and_then(ScalingConfig::maximum_concurrency),
            metrics: live
                .metrics_config()
                .map(EventSourceMappingMetricsConfig::metrics)
                .unwrap_or_default()
                .iter()
                .map(|metric| metric.as_str().to_owned())
                .collect(),
            kms_key: live.kms_key_arn.clone().filter(|key| !key.is_empty()),
        }
    }

    /// Returns the call that creates a mapping with these settings, without its function and its source.
    /// Numeric defaults are also sent, so that they do not depend on AWS's defaults.
    pub(super) fn to_create(&self) -> CreateEventSourceMappingInputBuilder {
        CreateEventSourceMappingInputBuilder::default()
            .batch_size(self.batch_size)
            .maximum_batching_window_in_seconds(self.batching_window_s)
            .parallelization_factor(self.parallelization_factor)
            .bisect_batch_on_function_error(self.bisect_on_error)
            .maximum_retry_attempts(self.maximum_retry_attempts)
            .maximum_record_age_in_seconds(self.maximum_record_age_s)
            .tumbling_window_in_seconds(self.tumbling_window_s)
            .set_function_response_types(Some(self.function_response_types_to_sdk()))
            .set_destination_config(self.on_failure.is_some().then(|| self.destinations_to_sdk()))
            .set_filter_criteria((!self.filters.is_empty()).then(|| self.filters_to_sdk()))
            .set_scaling_config(self.maximum_concurrency.is_some().then(|| self.scaling_to_sdk()))
            .set_metrics_config((!self.metrics.is_empty()).then(|| self.metrics_to_sdk()))
            .set_kms_key_arn(self.kms_key.clone())
    }

    /// Returns the call that changes the settings that differ, without a UUID. An omitted setting does not
    /// change, so a setting to clear is sent empty.
    pub(super) fn to_update(&self, live: &Self) -> UpdateEventSourceMappingInputBuilder {
        /// Returns the value to send if `live` differs from the settings.
        macro_rules! differing {
            ($field:ident, $value:expr) => {
                (live.$field != self.$field).then(|| $value)
            };
        }
        UpdateEventSourceMappingInputBuilder::default()
            .set_batch_size(differing!(batch_size, self.batch_size))
            .set_maximum_batching_window_in_seconds(differing!(batching_window_s, self.batching_window_s))
            .set_parallelization_factor(differing!(parallelization_factor, self.parallelization_factor))
            .set_bisect_batch_on_function_error(differing!(bisect_on_error, self.bisect_on_error))
            .set_maximum_retry_attempts(differing!(maximum_retry_attempts, self.maximum_retry_attempts))
            .set_maximum_record_age_in_seconds(differing!(maximum_record_age_s, self.maximum_record_age_s))
            .set_tumbling_window_in_seconds(differing!(tumbling_window_s, self.tumbling_window_s))
            .set_function_response_types(differing!(
                function_response_types,
                self.function_response_types_to_sdk()
            ))
            .set_destination_config(differing!(on_failure, self.destinations_to_sdk()))
            .set_filter_criteria(differing!(filters, self.filters_to_sdk()))
            .set_scaling_config(differing!(maximum_concurrency, self.scaling_to_sdk()))
            .set_metrics_config(differing!(metrics, self.metrics_to_sdk()))
            .set_kms_key_arn(differing!(kms_key, self.kms_key.clone().unwrap_or_default()))
    }

    fn function_response_types_to_sdk(&self) -> Vec<FunctionResponseType> {
        self.function_response_types.iter().map(|kind| kind.as_str().into()).collect()
    }

    /// Returns the destinations. AWS rejects an `OnFailure` without a destination, so `OnFailure` is omitted
    /// if there is none (aws-controllers-k8s/community, issue 2865).
    fn destinations_to_sdk(&self) -> DestinationConfig {
        let to = |destination: &String| OnFailure::builder().destination(destination).build();
        DestinationConfig::builder().set_on_failure(self.on_failure.as_ref().map(to)).build()
    }

    fn filters_to_sdk(&self) -> FilterCriteria {
        let filters = self.filters.iter();
        let filters = filters.map(|pattern| Filter::builder().pattern(pattern.to_string()).build());
        FilterCriteria::builder()
            .set_filters(Some(filters.collect()).filter(|_| !self.filters.is_empty()))
            .build()
    }

    fn scaling_to_sdk(&self) -> ScalingConfig {
        ScalingConfig::builder().set_maximum_concurrency(self.maximum_concurrency).build()
    }

    fn metrics_to_sdk(&self) -> EventSourceMappingMetricsConfig {
        let metrics = self.metrics.iter().map(|metric| EventSourceMappingMetric::from(metric.as_str()));
        EventSourceMappingMetricsConfig::builder().set_metrics(Some(metrics.collect())).build()
    }
}

/// Returns a pattern as JSON, so that white space and the order of keys do not matter.
fn parsed(pattern: &str) -> Value {
    serde_json::from_str(pattern).unwrap_or_else(|_| Value::String(pattern.to_owned()))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn mapping_settings_left_empty_are_the_default() {
        let husk = DestinationConfig::builder().on_failure(OnFailure::builder().build()).build();
        let live = EventSourceMappingConfiguration::builder()
            .destination_config(husk)
            .filter_criteria(FilterCriteria::builder().build())
            .kms_key_arn("")
            .build();
        assert_eq!(MappingSettings::from_live(&live), MappingSettings::default());
    }

    #[test]
    fn filters_are_compared_parsed_and_in_any_order() {
        let filter = |pattern: &str| Filter::builder().pattern(pattern).build();
        let criteria = FilterCriteria::builder()
            .filters(filter(r#"{ "eventName" : ["INSERT"] }"#))
            .filters(filter(r#"{"b":[2],"a":[1]}"#))
            .build();
        let live = EventSourceMappingConfiguration::builder().filter_criteria(criteria).build();
        let desired = MappingSettings::default()
            .filter(json!({"eventName": ["INSERT"]}))
            .filter(json!({"a": [1], "b": [2]}));
        assert_eq!(MappingSettings::from_live(&live), desired);
        assert_eq!(
            desired.to_update(&MappingSettings::from_live(&live)),
            UpdateEventSourceMappingInputBuilder::default(),
        );
    }
}
