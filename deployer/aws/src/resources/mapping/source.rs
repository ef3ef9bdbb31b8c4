//! The source of a mapping.

use std::time::Duration;

use engine::error::Error;
use engine::resource::{Neighbours, Resource, ResourceId, Tags};

use super::MappingSettings;
use crate::Aws;
use crate::resources::mapping_name::{MappingName, Service, source_name};
use crate::resources::stream::Stream;
use crate::resources::table::{self, Table};

/// The source that a mapping reads.
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
    /// Returns the id of the source.
    pub fn id(&self) -> ResourceId {
        match self {
            Self::Table { name } => ResourceId::new(Table::KIND, name),
            Self::Stream { arn } => ResourceId::new(Stream::KIND, source_name(arn)),
        }
    }

    /// Returns the name of the mapping to this function.
    pub(super) fn mapping_name(&self, function: &str) -> MappingName {
        let (service, source) = match self {
            Self::Table { name } => (Service::DynamoDb, name.as_str()),
            Self::Stream { arn } => (Service::Kinesis, source_name(arn)),
        };
        MappingName { function: function.to_owned(), service, source: source.to_owned() }
    }

    /// Returns the Kinesis stream in the stack, if the source is one.
    pub(super) fn stream<'a>(&self, stack: &Neighbours<'a>) -> Option<&'a Stream> {
        match self {
            Self::Table { .. } => None,
            Self::Stream { arn } => stack.get(source_name(arn)),
        }
    }

    /// Returns the retention of records. It is unknown for a stream that is not in the stack.
    pub fn retention(&self, stack: &Neighbours<'_>) -> Option<Duration> {
        match self {
            Self::Table { .. } => Some(table::STREAM_KEEPS),
            Self::Stream { .. } => self.stream(stack).map(Stream::retention),
        }
    }

    /// Returns the ARN of the current stream.
    pub(super) async fn current_arn(&self, aws: &Aws) -> Result<Option<String>, Error> {
        match self {
            Self::Table { name } => table::latest_stream_arn(name, aws).await,
            Self::Stream { arn } => Ok(Some(arn.clone())),
        }
    }
}

impl Source {
    /// Returns the settings that conflict with this source, as the stack defines it.
    pub(super) fn mistakes(&self, settings: &MappingSettings, stack: &Neighbours<'_>) -> Vec<String> {
        let mut mistakes = Vec::new();
        let kept_s = self.retention(stack).and_then(|kept| i64::try_from(kept.as_secs()).ok());
        let age = i64::from(settings.maximum_record_age_s);
        let (age_unbounded, tries_unbounded) = (age == -1, settings.maximum_retry_attempts == -1);
        if let Some(kept_s) = kept_s.filter(|kept_s| age >= *kept_s) {
            mistakes.push(format!(
                "the maximum record age is {age} s, but the source keeps records for {kept_s} s: they expire before \
                 Lambda discards them"
            ));
        }
        if age_unbounded && tries_unbounded {
            mistakes.push(
                "batches are never discarded: a batch that fails blocks its shard until it expires".into(),
            );
        }
        if let Self::Table { .. } = self {
            if settings.parallelization_factor > 1 {
                mistakes.push(
                    "above a parallelization factor of 1, a table's stream keeps the order per item only: use 1".into(),
                );
            }
            let gives_up = !(age_unbounded && tries_unbounded);
            if gives_up && settings.on_failure.is_none() {
                mistakes.push("discarded batches are lost: set a destination for them".into());
            }
        }
        mistakes
    }
}

/// Returns the tags of the source of a mapping, if its kind is managed here.
pub(super) async fn tags_of_source(name: &MappingName, aws: &Aws) -> Result<Option<Tags>, Error> {
    match name.service {
        Service::DynamoDb => Table::tags(&name.source, aws).await,
        Service::Kinesis => Stream::tags(&name.source, aws).await,
        Service::Other(_) => Ok(None),
    }
}
