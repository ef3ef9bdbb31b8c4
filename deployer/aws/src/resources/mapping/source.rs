//! What a mapping reads.

use engine::error::Error;
use engine::resource::{Resource, ResourceId, States, Tags};

use super::MappingSettings;
use crate::Aws;
use crate::resources::mapping_name::source_name;
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

impl Source {
    /// Returns what does not go together with this source, whose state is in the stack.
    pub(super) fn mistakes(&self, settings: &MappingSettings, stack: &States) -> Vec<String> {
        let mut mistakes = Vec::new();
        let kept_hours = match self {
            Self::Table { .. } => Some(table::STREAM_KEEPS_HOURS.into()),
            // Somebody else's stream is not in the stack, and its retention not known.
            Self::Stream { .. } => {
                stack.get(&self.id()).and_then(|stream| stream["retention_hours"].as_i64())
            }
        };
        let kept_s = kept_hours.map(|hours| hours * 3600);
        let age = i64::from(settings.maximum_record_age_s);
        let (age_unbounded, tries_unbounded) = (age == -1, settings.maximum_retry_attempts == -1);
        if let Some(kept_s) = kept_s.filter(|kept_s| age >= *kept_s) {
            mistakes.push(format!(
                "a record may get {age} seconds old and its source keeps it for {kept_s}: what is not given up \
                 before is dropped by the source"
            ));
        }
        if age_unbounded && tries_unbounded {
            mistakes.push(
                "nothing is ever given up: what cannot be handled blocks its shard until it expires".into(),
            );
        }
        if let Self::Table { .. } = self {
            if settings.parallelization_factor > 1 {
                mistakes.push(
                    "of a table's stream, batches at a time keep the order of single items only: leave it at 1".into(),
                );
            }
            let gives_up = !(age_unbounded && tries_unbounded);
            if gives_up && settings.on_failure.is_none() {
                mistakes.push("what is given up is lost: there is no destination for it".into());
            }
        }
        mistakes
    }
}

/// Reads the tags of the source that a mapping of this name has, if it is of a kind of ours.
pub(super) async fn tags_of_source(name: &str, aws: &Aws) -> Result<Option<Tags>, Error> {
    let parts: Vec<&str> = name.splitn(3, '/').collect();
    match parts.as_slice() {
        [_, "dynamodb", table] => Table::tags(table, aws).await,
        [_, "kinesis", stream] => Stream::tags(stream, aws).await,
        _ => Ok(None),
    }
}
