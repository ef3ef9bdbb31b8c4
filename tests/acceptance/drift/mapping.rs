//! Manual changes to an event source mapping.
//!
//! MiniStack does not store the tumbling window, metrics and key of a mapping, and never discards a batch:
//! [`super::complete`] names the unit tests that cover them.

use aws::{Aws, AwsNames};
use aws_sdk_lambda::operation::update_event_source_mapping::builders::UpdateEventSourceMappingFluentBuilder;
use aws_sdk_lambda::types::{
    DestinationConfig, EventSourceMappingConfiguration, Filter, FilterCriteria, FunctionResponseType,
    OnFailure,
};
use engine::scope::Scope;
use futures::FutureExt;

use super::row::{GONE, Raw, Row};

pub(super) fn first(scope: &Scope) -> Vec<Row> {
    let archive = id(scope, "archive", "kinesis");
    let log_events = id(scope, "log-events", "kinesis");
    let capture = id(scope, "capture", "dynamodb");
    vec![
        Row::new("batch size", &archive, &["settings.batch_size"], |aws| {
            changed(aws, "archive", |call| call.batch_size(7))
        }),
        Row::new("window", &archive, &["settings.batching_window_s"], |aws| {
            changed(aws, "archive", |call| call.maximum_batching_window_in_seconds(60))
        }),
        Row::new("retries", &archive, &["settings.maximum_retry_attempts"], |aws| {
            changed(aws, "archive", |call| call.maximum_retry_attempts(0))
        }),
        Row::new("age of records", &archive, &["settings.maximum_record_age_s"], |aws| {
            changed(aws, "archive", |call| call.maximum_record_age_in_seconds(60))
        }),
        Row::new("batches at a time", &archive, &["settings.parallelization_factor"], |aws| {
            changed(aws, "archive", |call| call.parallelization_factor(5))
        }),
        Row::new("a filter", &capture, &["settings.filters"], |aws| {
            let only = Filter::builder().pattern(r#"{"eventName":["INSERT"]}"#).build();
            let criteria = FilterCriteria::builder().filters(only).build();
            changed(aws, "capture", |call| call.filter_criteria(criteria))
        }),
        Row::new("no destination", &log_events, &["settings.on_failure"], |aws| {
            let none = DestinationConfig::builder().on_failure(OnFailure::builder().build()).build();
            changed(aws, "log-events", |call| call.destination_config(none))
        }),
        Row::new("no halving", &log_events, &["settings.bisect_on_error"], |aws| {
            changed(aws, "log-events", |call| call.bisect_batch_on_function_error(false))
        }),
        Row::new("answers by record", &log_events, &["settings.function_response_types"], |aws| {
            let kind = FunctionResponseType::ReportBatchItemFailures;
            changed(aws, "log-events", |call| call.function_response_types(kind))
        }),
    ]
}

pub(super) fn second(scope: &Scope) -> Vec<Row> {
    vec![
        Row::new("disabled", id(scope, "archive", "kinesis"), &["enabled"], |aws| {
            changed(aws, "archive", |call| call.enabled(false))
        }),
        Row::new("another destination", id(scope, "archive", "kinesis"), &["settings.on_failure"], |aws| {
            let to = OnFailure::builder().destination(aws.scope.arn("sqs", "by-hand")).build();
            let to = DestinationConfig::builder().on_failure(to).build();
            changed(aws, "archive", |call| call.destination_config(to))
        }),
        // AWS refuses a second mapping while the first has the same source; MiniStack does not.
        Row::new("duplicated", id(scope, "log-events", "kinesis"), &["duplicates"], |aws| {
            duplicated(aws, "log-events").boxed()
        }),
    ]
}

pub(super) fn gone(scope: &Scope) -> Vec<Row> {
    vec![Row::new("mapping deleted", id(scope, "archive", "kinesis"), GONE, |aws| {
        deleted(aws, "archive").boxed()
    })]
}

/// Returns the id of the mapping between a function and the source `events`.
pub(super) fn id(scope: &Scope, function: &str, service: &str) -> String {
    format!("lambda.event-source-mapping/{}/{service}/{}", scope.name(function), scope.name("events"))
}

type Done = Result<(), Box<dyn std::error::Error + Send + Sync>>;
type Update = UpdateEventSourceMappingFluentBuilder;

/// Changes the only mapping of a function.
pub(super) fn changed<'a>(
    aws: &'a Aws,
    thing: &'static str,
    with: impl FnOnce(Update) -> Update + Send + 'a,
) -> Raw<'a> {
    async move {
        let uuid = mapping(aws, thing).await?.uuid;
        with(aws.lambda.update_event_source_mapping().set_uuid(uuid)).send().await?;
        Ok(())
    }
    .boxed()
}

/// Creates another mapping like the existing one. Whichever is taken for the managed one has its settings.
async fn duplicated(aws: &Aws, thing: &str) -> Done {
    let like = mapping(aws, thing).await?;
    let call = aws.lambda.create_event_source_mapping().function_name(aws.scope.name(thing));
    let call = call.set_event_source_arn(like.event_source_arn).starting_position("TRIM_HORIZON".into());
    let call = call.set_batch_size(like.batch_size).set_destination_config(like.destination_config);
    let call = call.set_bisect_batch_on_function_error(like.bisect_batch_on_function_error);
    let call = call.set_maximum_record_age_in_seconds(like.maximum_record_age_in_seconds);
    let call = call.set_maximum_retry_attempts(like.maximum_retry_attempts);
    call.set_parallelization_factor(like.parallelization_factor).send().await?;
    Ok(())
}

async fn deleted(aws: &Aws, thing: &str) -> Done {
    let uuid = mapping(aws, thing).await?.uuid;
    aws.lambda.delete_event_source_mapping().set_uuid(uuid).send().await?;
    Ok(())
}

/// Returns the first mapping of a function.
async fn mapping(
    aws: &Aws,
    thing: &str,
) -> Result<EventSourceMappingConfiguration, Box<dyn std::error::Error + Send + Sync>> {
    let call = aws.lambda.list_event_source_mappings().function_name(aws.scope.name(thing));
    let listed = call.send().await?.event_source_mappings.unwrap_or_default();
    Ok(listed.into_iter().next().ok_or("the function has no mapping")?)
}
