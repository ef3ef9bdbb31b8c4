//! An event source mapping: Lambda's consumer of a stream on behalf of a function.
//!
//! AWS gives it a UUID and no name. It is known by what it joins, `<function>/<service>/
//! <source>`, so that nothing has to be remembered. It outlives its function, and would
//! wake up under the next function of that name.

mod settings;
mod source;

pub use settings::MappingSettings;
pub use source::Source;

use std::collections::BTreeSet;
use std::time::Duration;

use aws_sdk_lambda::types::{EventSourceMappingConfiguration, EventSourcePosition};
use futures::try_join;
use serde::Serialize;

use self::source::{name_of, named, source_name};
use super::function::Function;
use crate::aws::{Aws, Called, wait_until};
use crate::diff::Change;
use crate::error::{Class, Error, GoneIsNone};
use crate::policy::Statement;
use crate::resource::{Cloud, Effect, Live, Resource, ResourceId, Risk, Tags};
use crate::scope::Scope;

/// How long a change may take. It is seconds to a minute; Terraform allows ten
/// (terraform-provider-aws, internal/service/lambda/event_source_mapping.go).
const CHANGES_WITHIN: Duration = Duration::from_secs(600);

/// A mapping.
#[derive(Debug, Clone, Serialize)]
pub struct Mapping {
    name: String,
    #[serde(skip)]
    function: String,
    #[serde(skip)]
    source: Source,
    #[serde(skip)]
    needs: Vec<ResourceId>,
    /// Whether it reads the stream that the source has now. A table's stream that was
    /// turned off and on again is another stream, and the old one has no new records.
    reads_current_stream: bool,
    enabled: bool,
    /// How many more there are between this source and this function.
    duplicates: usize,
    settings: MappingSettings,
}

impl Mapping {
    /// Returns the mapping from the stream of this table to this function, both by name.
    pub fn table(function: &str, table: &str, settings: MappingSettings) -> Self {
        let source = Source::Table { name: table.to_owned() };
        Self::new(format!("{function}/dynamodb/{table}"), function, source, settings)
    }

    /// Returns the mapping from the Kinesis stream of this ARN to the function of this name.
    pub fn stream(function: &str, stream_arn: &str, settings: MappingSettings) -> Self {
        let source = Source::Stream { arn: stream_arn.to_owned() };
        let stream = source_name(stream_arn);
        Self::new(format!("{function}/kinesis/{stream}"), function, source, settings)
    }

    /// Returns the mapping, made once these exist besides its function and its source.
    pub fn needing(mut self, needs: impl IntoIterator<Item = ResourceId>) -> Self {
        self.needs.extend(needs);
        self
    }

    /// Returns the settings.
    pub fn settings(&self) -> &MappingSettings {
        &self.settings
    }

    /// Returns what it reads.
    pub fn source(&self) -> &Source {
        &self.source
    }

    fn new(name: String, function: &str, source: Source, settings: MappingSettings) -> Self {
        Self {
            name,
            needs: vec![ResourceId::new(Function::KIND, function), source.id()],
            function: function.to_owned(),
            source,
            reads_current_stream: true,
            enabled: true,
            duplicates: 0,
            settings,
        }
    }
}

impl Resource for Mapping {
    type Cloud = Aws;
    const KIND: &'static str = "lambda.event-source-mapping";
    const STANDS_ON: &'static [&'static str] = &["lambda.function", "dynamodb.table", "kinesis.stream"];

    fn name(&self) -> &str {
        &self.name
    }

    fn needs(&self) -> Vec<ResourceId> {
        self.needs.clone()
    }

    // Mappings cannot be tagged in every region.
    fn parent(&self) -> Option<ResourceId> {
        Some(ResourceId::new(Function::KIND, &self.function))
    }

    fn effect(&self, change: &Change) -> Effect {
        match change.path.as_str() {
            // A mapping keeps its source for life. A new one begins at the oldest record;
            // a starting position alone is no reason for one, and is not compared.
            "reads_current_stream" => Effect::Recreate(Risk::LosesPosition),
            // What only the other one has not read yet is not read from there any more.
            "duplicates" => Effect::InPlace(Risk::LosesPosition),
            _ => Effect::InPlace(Risk::Safe),
        }
    }

    fn permissions(_scope: &Scope) -> Vec<Statement> {
        Vec::new()
    }

    async fn read(&self, aws: &Aws) -> Result<Option<Live<Self>>, Error> {
        let (mappings, current) = try_join!(aws.mappings(), self.source.current_arn(aws))?;
        let (found, others) = self.chosen(mappings, current.as_deref());
        Ok(found.map(|mapping| Live {
            tags: None,
            resource: Self {
                reads_current_stream: current.is_some() && mapping.event_source_arn == current,
                enabled: !matches!(mapping.state(), Some("Disabled" | "Disabling")),
                duplicates: others.len(),
                settings: MappingSettings::from_live(mapping),
                ..self.clone()
            },
        }))
    }

    async fn create(&self, tags: &Tags, aws: &Aws) -> Result<(), Error> {
        const CALL: &str = "CreateEventSourceMapping";
        let Some(source) = self.source.current_arn(aws).await? else {
            return Err(Error::other(CALL, format!("the source of {} has no stream", self.name)));
        };
        let call = self.settings.to_create();
        let call = call.function_name(&self.function).event_source_arn(source).enabled(true);
        // `LATEST` misses what is written while the mapping comes up.
        let call = call.starting_position(EventSourcePosition::TrimHorizon);
        let call = call.set_tags(Some(tags.clone().into_iter().collect()));
        match call.send_with(&aws.lambda).await.called(CALL) {
            // An attempt cut short made it.
            Err(error) if error.class == Class::Exists => self.put(aws).await,
            created => enabled(created?.uuid().unwrap_or_default(), aws).await,
        }
    }

    async fn update(&self, _live: &Self, aws: &Aws) -> Result<(), Error> {
        self.put(aws).await
    }

    /// Not called: owner and stamp are those of the function.
    async fn tag(&self, _tags: &Tags, _aws: &Aws) -> Result<(), Error> {
        Ok(())
    }

    async fn delete(name: &str, aws: &Aws) -> Result<(), Error> {
        let aws = aws.fresh();
        let mappings: Vec<_> = aws.mappings().await?.iter().filter(|mapping| named(mapping, name)).collect();
        for mapping in &mappings {
            delete(mapping, &aws).await?;
        }
        for mapping in mappings {
            wait_until("the mapping to be gone", CHANGES_WITHIN, async || {
                let call = aws.lambda.get_event_source_mapping().set_uuid(mapping.uuid.clone());
                let answer = call.send().await.called("GetEventSourceMapping").gone_is_none()?;
                Ok(answer.is_none().then_some(()))
            })
            .await?;
        }
        Ok(())
    }

    async fn list(scope: &Scope, aws: &Aws) -> Result<Vec<String>, Error> {
        let names: BTreeSet<String> = aws.mappings().await?.iter().filter_map(name_of).collect();
        Ok(names.into_iter().filter(|name| name.starts_with(&scope.prefix())).collect())
    }

    async fn tags(name: &str, aws: &Aws) -> Result<Option<Tags>, Error> {
        let mappings: Vec<_> = aws.mappings().await?.iter().filter(|mapping| named(mapping, name)).collect();
        if mappings.is_empty() {
            return Ok(None);
        }
        for mapping in mappings {
            let tags = own_tags(mapping, aws).await?;
            if aws.scope.owns(&tags) {
                return Ok(Some(tags));
            }
        }
        let function = name.split('/').next().unwrap_or_default();
        Ok(Some(Function::tags(function, aws).await?.unwrap_or_default()))
    }
}

impl Mapping {
    /// Returns the mapping that is ours among these, preferably one that reads the current
    /// stream, and the others of the same source and function.
    fn chosen<'a>(
        &self,
        mappings: &'a [EventSourceMappingConfiguration],
        current: Option<&str>,
    ) -> (Option<&'a EventSourceMappingConfiguration>, Vec<&'a EventSourceMappingConfiguration>) {
        // One that is being deleted is as good as gone.
        let alive = mappings.iter().filter(|mapping| mapping.state() != Some("Deleting"));
        let mut found: Vec<_> = alive.filter(|mapping| named(mapping, &self.name)).collect();
        found.sort_by_key(|mapping| mapping.event_source_arn() != current);
        let mut found = found.into_iter();
        (found.next(), found.collect())
    }

    /// Gives the live mapping these settings, enables it and deletes its duplicates.
    async fn put(&self, aws: &Aws) -> Result<(), Error> {
        let aws = aws.fresh();
        let (mappings, current) = try_join!(aws.mappings(), self.source.current_arn(&aws))?;
        let (Some(mapping), others) = self.chosen(mappings, current.as_deref()) else {
            // It exists and is not listed, or is being deleted: both pass.
            let text = format!("{} is not there yet, or not gone yet", self.name);
            return Err(Error::new(Class::InProgress, "ListEventSourceMappings", text));
        };
        for other in others {
            delete(other, &aws).await?;
        }
        let call = self.settings.to_update(&MappingSettings::from_live(mapping));
        let call = call.set_uuid(mapping.uuid.clone()).enabled(true);
        call.send_with(&aws.lambda).await.called("UpdateEventSourceMapping")?;
        enabled(mapping.uuid().unwrap_or_default(), &aws).await
    }
}

async fn enabled(uuid: &str, aws: &Aws) -> Result<(), Error> {
    wait_until("the mapping to be Enabled", CHANGES_WITHIN, async || {
        let call = aws.lambda.get_event_source_mapping().uuid(uuid);
        let mapping = call.send().await.called("GetEventSourceMapping").gone_is_none()?;
        Ok(mapping.filter(|mapping| mapping.state() == Some("Enabled")).map(drop))
    })
    .await
}

async fn delete(mapping: &EventSourceMappingConfiguration, aws: &Aws) -> Result<(), Error> {
    if mapping.state() == Some("Deleting") {
        return Ok(());
    }
    let call = aws.lambda.delete_event_source_mapping().set_uuid(mapping.uuid.clone());
    call.send().await.called("DeleteEventSourceMapping").gone_is_none().map(drop)
}

async fn own_tags(mapping: &EventSourceMappingConfiguration, aws: &Aws) -> Result<Tags, Error> {
    let Some(arn) = mapping.event_source_mapping_arn() else {
        return Ok(Tags::new());
    };
    let call = aws.lambda.list_tags().resource(arn);
    let answer = call.send().await.called("ListTags").gone_is_none()?;
    let tags = answer.and_then(|answer| answer.tags).unwrap_or_default();
    Ok(tags.into_iter().collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn live(uuid: &str, source: &str, state: &str) -> EventSourceMappingConfiguration {
        EventSourceMappingConfiguration::builder()
            .uuid(uuid)
            .event_source_arn(source)
            .function_arn("arn:aws:lambda:eu-central-1:111111111111:function:capture")
            .state(state)
            .build()
    }

    const OLD: &str =
        "arn:aws:dynamodb:eu-central-1:111111111111:table/events/stream/2026-01-01T00:00:00.000";
    const NEW: &str =
        "arn:aws:dynamodb:eu-central-1:111111111111:table/events/stream/2026-02-02T00:00:00.000";

    #[test]
    fn the_mapping_that_reads_the_current_stream_is_the_one() {
        let mapping = Mapping::table("capture", "events", MappingSettings::default());
        let listed =
            [live("old", OLD, "Enabled"), live("gone", NEW, "Deleting"), live("new", NEW, "Enabled")];
        let (found, others) = mapping.chosen(&listed, Some(NEW));
        assert_eq!(found.and_then(|mapping| mapping.uuid()), Some("new"));
        assert_eq!(others.len(), 1);
    }
}
