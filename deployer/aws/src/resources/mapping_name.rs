//! The name of an event source mapping: its function and its source. Tables and streams count their mappings
//! by name, without knowing more of them.

use std::fmt;

use aws_sdk_lambda::types::EventSourceMappingConfiguration;
use engine::resource::Neighbours;

use crate::arn_part;

/// The kind of mappings.
pub(super) const KIND: &str = "lambda.event-source-mapping";

/// The name of a mapping, from its function and its source: `<function>/<service>/<source>`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct MappingName {
    /// The function, with its version or alias if it has one.
    pub(super) function: String,
    pub(super) service: Service,
    /// The table, stream or queue.
    pub(super) source: String,
}

/// The service of a mapping's source.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Service {
    DynamoDb,
    Kinesis,
    /// A service that no kind here belongs to: the mapping is unmanaged.
    Other(String),
}

impl Service {
    /// Returns the service with this name in ARNs and mapping names.
    fn named(name: &str) -> Self {
        match name {
            "dynamodb" => Self::DynamoDb,
            "kinesis" => Self::Kinesis,
            other => Self::Other(other.to_owned()),
        }
    }
}

impl fmt::Display for Service {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::DynamoDb => "dynamodb",
            Self::Kinesis => "kinesis",
            Self::Other(name) => name,
        })
    }
}

impl MappingName {
    /// Returns the name of a live mapping, from its ARNs. A mapping without a source ARN reads a self-managed
    /// Kafka cluster, and has no name.
    pub(super) fn of(mapping: &EventSourceMappingConfiguration) -> Option<Self> {
        let (_, function) = mapping.function_arn()?.split_once(":function:")?;
        let source = mapping.event_source_arn()?;
        let service = Service::named(arn_part(source, 2)?);
        Some(Self { function: function.to_owned(), service, source: source_name(source).to_owned() })
    }

    /// Parses the name of a mapping.
    pub(super) fn parse(name: &str) -> Option<Self> {
        let (function, rest) = name.split_once('/')?;
        let (service, source) = rest.split_once('/')?;
        let service = Service::named(service);
        Some(Self { function: function.to_owned(), service, source: source.to_owned() })
    }
}

impl fmt::Display for MappingName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}/{}", self.function, self.service, self.source)
    }
}

/// Returns whether a mapping has this name.
pub(super) fn named(mapping: &EventSourceMappingConfiguration, name: &str) -> bool {
    MappingName::of(mapping).is_some_and(|of| of.to_string() == name)
}

/// Returns the number of mappings in the stack that read this source.
pub(super) fn readers(stack: &Neighbours<'_>, service: &Service, source: &str) -> usize {
    let names = stack.names(KIND).filter_map(|name| MappingName::parse(&name));
    names.filter(|name| name.service == *service && name.source == source).count()
}

/// Returns the name of a source: of the table in `table/<name>/stream/<time>`, of the stream
/// in `stream/<name>`, of the queue in `<name>`.
pub(super) fn source_name(arn: &str) -> &str {
    let resource = arn_part(arn, 5).unwrap_or(arn);
    resource.split('/').nth(1).unwrap_or(resource)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn mapping_is_named_by_function_and_source() {
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
            let of = MappingName::of(&mapping).expect("the mapping has a function and a source");
            assert_eq!(of.to_string(), name);
            assert_eq!(MappingName::parse(name), Some(of));
        }
    }
}
