//! Parsing of Lambda's answers about mappings.

use aws_sdk_lambda::operation::get_event_source_mapping::GetEventSourceMappingOutput;
use aws_sdk_lambda::types::EventSourceMappingConfiguration;
use engine::error::{Class, Error};

/// Returns whether a call failed because of tags: not every Region supports tags on mappings
/// (terraform-provider-aws, issues 39820 and 39849), and not every caller may set them.
pub(super) fn tags_refused(error: &Error) -> bool {
    let text = error.message.to_lowercase();
    text.contains("unsupported resource type for tagging")
        || (error.class == Class::Denied && text.contains("lambda:tagresource"))
}

/// Returns the UUID in a text such as "… already exists. Please update or delete the
/// existing mapping with UUID …".
pub(super) fn uuid_in(text: &str) -> Option<&str> {
    const GROUPS: [usize; 5] = [8, 4, 4, 4, 12];
    let words = text.split(|c: char| !c.is_ascii_hexdigit() && c != '-');
    words.into_iter().find(|word| word.split('-').map(str::len).eq(GROUPS))
}

/// Returns the answer in the form that a listing has.
pub(super) fn configuration(answer: GetEventSourceMappingOutput) -> EventSourceMappingConfiguration {
    EventSourceMappingConfiguration::builder()
        .set_uuid(answer.uuid)
        .set_event_source_mapping_arn(answer.event_source_mapping_arn)
        .set_event_source_arn(answer.event_source_arn)
        .set_function_arn(answer.function_arn)
        .set_state(answer.state)
        .set_state_transition_reason(answer.state_transition_reason)
        .set_last_processing_result(answer.last_processing_result)
        .set_batch_size(answer.batch_size)
        .set_maximum_batching_window_in_seconds(answer.maximum_batching_window_in_seconds)
        .set_parallelization_factor(answer.parallelization_factor)
        .set_bisect_batch_on_function_error(answer.bisect_batch_on_function_error)
        .set_maximum_retry_attempts(answer.maximum_retry_attempts)
        .set_maximum_record_age_in_seconds(answer.maximum_record_age_in_seconds)
        .set_tumbling_window_in_seconds(answer.tumbling_window_in_seconds)
        .set_destination_config(answer.destination_config)
        .set_filter_criteria(answer.filter_criteria)
        .set_filter_criteria_error(answer.filter_criteria_error)
        .set_function_response_types(answer.function_response_types)
        .set_scaling_config(answer.scaling_config)
        .set_metrics_config(answer.metrics_config)
        .set_kms_key_arn(answer.kms_key_arn)
        .build()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn mapping_uuid_is_found_in_the_error() {
        let uuid = "14e0db71-35b1-4f44-8a2d-2f5b1f7e0a6c";
        let text = format!(
            "An event source mapping with event source arn (\" arn:aws:kinesis:eu-central-1:111111111111:stream/e \") \
             and function (\" f \") already exists. Please update or delete the existing mapping with UUID {uuid}"
        );
        assert_eq!(uuid_in(&text), Some(uuid));
        assert_eq!(uuid_in(&format!("({uuid}).")), Some(uuid));
        assert_eq!(uuid_in("it exists already"), None);
    }

    #[test]
    fn tags_refusal_is_recognised() {
        let refused = |class, text: &str| tags_refused(&Error::new(class, "Call", text));
        assert!(refused(Class::Other, "Unsupported resource type for tagging"));
        assert!(refused(Class::Denied, "not authorized to perform: lambda:TagResource on resource: arn"));
        assert!(!refused(Class::Denied, "not authorized to perform: lambda:CreateEventSourceMapping"));
        assert!(!refused(Class::Throttled, "Rate exceeded"));
    }
}
