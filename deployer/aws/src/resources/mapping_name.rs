//! The name of a mapping: what it joins. What is joined counts its mappings by their names, and does
//! not know more of them.

use aws_sdk_lambda::types::EventSourceMappingConfiguration;
use engine::resource::States;

/// The kind of mappings.
pub(super) const KIND: &str = "lambda.event-source-mapping";

/// Tells whether a mapping has this name.
pub(super) fn named(mapping: &EventSourceMappingConfiguration, name: &str) -> bool {
    name_of(mapping).as_deref() == Some(name)
}

/// Returns the name of a mapping, by the ARNs of what it joins. One without a source in AWS
/// reads somebody's own Kafka, and has none.
pub(super) fn name_of(mapping: &EventSourceMappingConfiguration) -> Option<String> {
    // A version or an alias is part of the function's name.
    let (_, function) = mapping.function_arn()?.split_once(":function:")?;
    let source = mapping.event_source_arn()?;
    let service = source.split(':').nth(2)?;
    Some(format!("{function}/{service}/{}", source_name(source)))
}

/// Counts the mappings of the stack that read this source, by their names.
pub(super) fn readers(stack: &States, service: &str, source: &str) -> usize {
    let end = format!("/{service}/{source}");
    let mappings = stack.keys().filter(|id| id.kind() == KIND);
    mappings.filter(|id| id.name().ends_with(&end)).count()
}

/// Returns the name of a source: of the table in `table/<name>/stream/<time>`, of the stream
/// in `stream/<name>`, of the queue in `<name>`.
pub(super) fn source_name(arn: &str) -> &str {
    let resource = arn.splitn(6, ':').nth(5).unwrap_or(arn);
    resource.split('/').nth(1).unwrap_or(resource)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_mapping_is_named_by_what_it_joins() {
        let names = [
            (
                "arn:aws:dynamodb:eu-central-1:111111111111:table/events/stream/2026-01-01T00:00:00.000",
                "capture/dynamodb/events",
            ),
            ("arn:aws:kinesis:eu-central-1:111111111111:stream/events", "capture/kinesis/events"),
            ("arn:aws:sqs:eu-central-1:111111111111:events", "capture/sqs/events"),
        ];
        for (source, name) in names {
            let mapping = EventSourceMappingConfiguration::builder()
                .event_source_arn(source)
                .function_arn("arn:aws:lambda:eu-central-1:111111111111:function:capture")
                .build();
            assert_eq!(name_of(&mapping).as_deref(), Some(name));
        }
    }
}
