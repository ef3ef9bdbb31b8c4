//! What a mapping reads, and the name that follows from it.

use aws_sdk_lambda::types::EventSourceMappingConfiguration;

use crate::aws::Aws;
use crate::error::Error;
use crate::resource::{Resource, ResourceId};
use crate::resources::stream::Stream;
use crate::resources::table::{self, Table};

/// What a mapping reads.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Source {
    /// The stream of a DynamoDB table; its ARN ends with the time it was turned on.
    Table {
        /// The name of the table.
        name: String,
    },
    /// A Kinesis stream.
    Stream {
        /// The ARN.
        arn: String,
    },
}

impl Source {
    /// Returns the id of the resource.
    pub(super) fn id(&self) -> ResourceId {
        match self {
            Self::Table { name } => ResourceId::new(Table::KIND, name),
            Self::Stream { arn } => ResourceId::new(Stream::KIND, source_name(arn)),
        }
    }

    /// Returns the ARN of the stream that there is to read now.
    pub(super) async fn current_arn(&self, aws: &Aws) -> Result<Option<String>, Error> {
        match self {
            Self::Table { name } => table::latest_stream_arn(name, aws).await,
            Self::Stream { arn } => Ok(Some(arn.clone())),
        }
    }
}

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
