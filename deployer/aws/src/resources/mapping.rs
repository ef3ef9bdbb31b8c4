//! An event source mapping: Lambda's consumer of a stream on behalf of a function.
//!
//! AWS gives it a UUID and no name. Its name here is derived from its function and its source,
//! `<function>/<service>/<source>`, so nothing has to be stored. A mapping outlives its function, and would
//! invoke the next function of the same name.

mod answers;
mod changes;
mod health;
mod settings;
mod source;

pub use settings::MappingSettings;
pub use source::Source;

use std::collections::BTreeSet;

use aws_sdk_lambda::types::EventSourceMappingConfiguration;
use engine::error::{Class, Error, GoneIsNone};
use engine::resource::{
    Changed, Cloud, Effect, ImportId, KindInfo, LeftOut, Live, Neighbours, Resource, ResourceId, Risk, Tags,
};
use engine::scope::Scope;
use futures::try_join;
use serde::{Deserialize, Serialize};
use struct_to_enum::FieldName;

use self::changes::{CHANGES_WITHIN, CREATE};
use self::source::tags_of_source;
use super::function::Function;
use super::mapping_name::{self, MappingName, named};
use crate::policy::{Policy, Statement};
use crate::{Aws, AwsNames, Called, wait_until};

/// A mapping.
#[derive(Debug, Clone, Serialize, FieldName)]
#[stem_name_derive(PartialOrd, Ord, Deserialize)]
#[stem_name_attr(serde(rename_all = "snake_case"))]
#[stem_name_attr(expect(missing_docs, reason = "the fields have them"))]
pub struct Mapping {
    name: String,
    #[serde(skip)]
    #[stem_name(skip)]
    function: String,
    #[serde(skip)]
    #[stem_name(skip)]
    source: Source,
    #[serde(skip)]
    #[stem_name(skip)]
    needs: Vec<ResourceId>,
    /// The policy of the function's role. It distinguishes a missing permission from one that has not
    /// propagated yet.
    #[serde(skip)]
    #[stem_name(skip)]
    granted: Option<Policy>,
    /// The live UUID, which Lambda assigns.
    #[serde(skip)]
    #[stem_name(skip)]
    uuid: Option<String>,
    /// Whether it reads the current stream of the source. A table's stream that was turned off and on again
    /// is a new stream, and the old one has no new records.
    reads_current_stream: bool,
    enabled: bool,
    /// The number of other mappings between this source and this function.
    duplicates: usize,
    /// Why the mapping does not work, as Lambda reports it. Never desired.
    failure: Option<String>,
    settings: MappingSettings,
}

impl Mapping {
    /// Returns the mapping from the stream of this table to this function, both by name.
    pub fn table(function: &str, table: &str, settings: MappingSettings) -> Self {
        let source = Source::Table { name: table.to_owned() };
        Self::new(function, source, settings)
    }

    /// Returns the mapping from the Kinesis stream of this ARN to the function of this name.
    pub fn stream(function: &str, stream_arn: &str, settings: MappingSettings) -> Self {
        let source = Source::Stream { arn: stream_arn.to_owned() };
        Self::new(function, source, settings)
    }

    /// Returns the mapping, created after these resources and after its function and its source.
    pub fn needing(mut self, needs: impl IntoIterator<Item = ResourceId>) -> Self {
        self.needs.extend(needs);
        self
    }

    /// Returns the mapping to a function whose role has this policy.
    pub fn granted(mut self, policy: &Policy) -> Self {
        self.granted = Some(policy.clone());
        self
    }

    /// Returns the name of the function.
    pub fn function(&self) -> &str {
        &self.function
    }

    /// Returns the settings.
    pub fn settings(&self) -> &MappingSettings {
        &self.settings
    }

    /// Returns the source.
    pub fn source(&self) -> &Source {
        &self.source
    }

    fn new(function: &str, source: Source, settings: MappingSettings) -> Self {
        Self {
            name: source.mapping_name(function).to_string(),
            needs: vec![ResourceId::new(Function::KIND, function), source.id()],
            function: function.to_owned(),
            source,
            reads_current_stream: true,
            enabled: true,
            duplicates: 0,
            failure: None,
            granted: None,
            uuid: None,
            settings,
        }
    }
}

impl Resource for Mapping {
    type Cloud = Aws;
    type Field = MappingFieldName;
    const INFO: KindInfo = KindInfo {
        // Lambda stores discarded batches in the bucket until the mapping is deleted.
        depends_on: &["lambda.function", "dynamodb.table", "kinesis.stream", "s3.bucket"],
        disables: true,
        left_out: &[
            LeftOut { what: "starting position", why: "it has no effect after the mapping has started" },
            LeftOut { what: "its own tags", why: "not every Region supports them" },
            LeftOut { what: "settings of queues and Kafka", why: "a mapping of a stream has none" },
        ],
        ..KindInfo::new(mapping_name::KIND)
    };

    fn name(&self) -> &str {
        &self.name
    }

    fn needs(&self) -> Vec<ResourceId> {
        self.needs.clone()
    }

    fn import_ids(&self) -> Vec<ImportId> {
        self.uuid.iter().map(|uuid| ImportId::new("aws_lambda_event_source_mapping", uuid)).collect()
    }

    // Mappings cannot be tagged in every Region.
    fn parent(&self) -> Option<ResourceId> {
        Some(ResourceId::new(Function::KIND, &self.function))
    }

    // The source of a mapping cannot be changed, and a table's stream that is turned off and on is a new
    // stream.
    fn bound_to(&self) -> Option<ResourceId> {
        Some(self.source.id())
    }

    fn effect(&self, field: MappingFieldName, _live: &Self) -> Effect {
        use MappingFieldName as Field;
        match field {
            // The source of a mapping cannot be changed. A new mapping starts at the oldest record; another
            // starting position alone does not need a new mapping, and is not compared.
            Field::ReadsCurrentStream => Effect::Recreate(Risk::LosesPosition),
            // Each mapping has its own position in the source. A deleted duplicate no longer delivers the
            // records that only it had not read yet.
            Field::Duplicates => Effect::InPlace(Risk::LosesPosition),
            Field::Name | Field::Enabled | Field::Failure | Field::Settings => Effect::InPlace(Risk::Safe),
        }
    }

    fn mistakes(&self, stack: &Neighbours<'_>) -> Vec<String> {
        let mut mistakes = [self.settings.mistakes(), self.source.mistakes(&self.settings, stack)].concat();
        mistakes.extend(self.starved(stack));
        mistakes
    }

    /// "Actions, resources, and condition keys for AWS Lambda" (Service Authorization Reference). A UUID does
    /// not identify the environment, so the condition is on the function. A deleted mapping has no function:
    /// it has to be answered with "not found", not "denied", hence `IfExists`.
    fn permissions(scope: &Scope) -> Vec<Statement> {
        let functions = scope.arn("lambda", &format!("function:{}*", scope.prefix()));
        let mappings = scope.arn("lambda", "event-source-mapping:*");
        let ours = |statement: Statement| statement.when("ArnLikeIfExists", "lambda:FunctionArn", &functions);
        let of_ours = [
            "lambda:DeleteEventSourceMapping",
            "lambda:GetEventSourceMapping",
            "lambda:UpdateEventSourceMapping",
        ];
        vec![
            // Neither action supports a resource.
            Statement::new("MappingsList", ["lambda:ListEventSourceMappings"], ["*".to_owned()]),
            ours(Statement::new("MappingsCreate", ["lambda:CreateEventSourceMapping"], ["*".to_owned()])),
            ours(Statement::new("MappingsWrite", of_ours, [mappings.clone()])),
            // Tags at creation need `TagResource` before there is a UUID.
            Statement::new("MappingsTags", ["lambda:ListTags", "lambda:TagResource"], [mappings]),
        ]
    }

    async fn read(&self, aws: &Aws) -> Result<Option<Live<Self>>, Error> {
        let (mappings, current) = try_join!(aws.mappings(), self.source.current_arn(aws))?;
        let (found, others) = self.chosen(mappings, current.as_deref());
        let Some(listed) = found else {
            return Ok(None);
        };
        let Some(mapping) = whole(listed, aws).await? else {
            return Ok(None);
        };
        Ok(Some(Live {
            tags: None,
            identity: None,
            resource: Self {
                reads_current_stream: current.is_some() && mapping.event_source_arn == current,
                enabled: !matches!(mapping.state(), Some("Disabled" | "Disabling")),
                duplicates: others.len(),
                failure: health::failure(&mapping),
                settings: MappingSettings::from_live(&mapping),
                uuid: mapping.uuid,
                ..self.clone()
            },
        }))
    }

    async fn create(&self, tags: &Tags, aws: &Aws) -> Result<(), Error> {
        let Some(source) = self.source.current_arn(aws).await? else {
            // A table turns its stream on a moment after it becomes ACTIVE.
            let text = format!("the source of {} has no stream yet", self.name);
            return Err(Error::new(Class::InProgress, CREATE, text));
        };
        let created = match self.send(&source, Some(tags), aws).await {
            Err(error) if answers::tags_refused(&error) => self.send(&source, None, aws).await,
            sent => sent,
        };
        match created {
            // An interrupted attempt created it.
            Err(error) if error.class == Class::Exists => self.adopt(error, aws).await,
            created => self.settled(&created?, &source, aws).await,
        }
    }

    async fn update(&self, _live: &Self, _changed: &Changed<Self>, aws: &Aws) -> Result<(), Error> {
        self.put(aws).await
    }

    /// Not called: the owner and the stamp are in the tags of the function.
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
            wait_until("the mapping to be deleted", CHANGES_WITHIN, async || {
                let call = aws.lambda.get_event_source_mapping().set_uuid(mapping.uuid.clone());
                let answer = call.send().await.called().gone_is_none()?;
                Ok(answer.is_none().then_some(()))
            })
            .await?;
        }
        Ok(())
    }

    async fn activity(name: &str, aws: &Aws) -> Result<Option<&'static str>, Error> {
        let mut named = aws.mappings().await?.iter().filter(|mapping| named(mapping, name));
        Ok(named.any(reads).then_some("still reads its stream and invokes its function"))
    }

    async fn disable(name: &str, tags: &Tags, aws: &Aws) -> Result<(), Error> {
        changes::disable(name, tags, &aws.fresh()).await
    }

    async fn list(scope: &Scope, aws: &Aws) -> Result<Vec<String>, Error> {
        let names = aws.mappings().await?.iter().filter_map(MappingName::of);
        // A mapping outlives its function and its source, so it can be identified by either of them.
        let ours = |end: &str| end.starts_with(&scope.prefix());
        let at_one_end = names.filter(|name| ours(&name.function) || ours(&name.source));
        Ok(at_one_end.map(|name| name.to_string()).collect::<BTreeSet<_>>().into_iter().collect())
    }

    async fn tags(name: &str, aws: &Aws) -> Result<Option<Tags>, Error> {
        let mappings: Vec<_> = aws.mappings().await?.iter().filter(|mapping| named(mapping, name)).collect();
        if mappings.is_empty() {
            return Ok(None);
        }
        let mut unread = None;
        for mapping in mappings {
            match own_tags(mapping, aws).await {
                Ok(tags) if aws.scope.owns(&tags) => return Ok(Some(tags)),
                Ok(_) => {}
                // Where mappings have no tags, the function or the source identifies the owner.
                Err(error) if answers::tags_refused(&error) => {}
                Err(error) => unread = Some(error),
            }
        }
        // An unmanaged function may read a managed source, but the deployer has no permission to read that
        // function.
        let ours = MappingName::parse(name).filter(|name| name.function.starts_with(&aws.scope.prefix()));
        let tags = match ours {
            Some(name) => match Function::tags(&name.function, aws).await? {
                Some(tags) => tags,
                // The function is deleted. Its name belongs to the environment if the source does.
                None => tags_of_source(&name, aws).await?.unwrap_or_default(),
            },
            None => Tags::new(),
        };
        match unread {
            Some(error) if !aws.scope.owns(&tags) => Err(error),
            _ => Ok(Some(tags)),
        }
    }
}

impl Mapping {
    /// Returns a mistake if the mapping sends more batches at a time than its function may run. A function
    /// without any executions is paused on purpose.
    fn starved(&self, stack: &Neighbours<'_>) -> Option<String> {
        let executions = stack.get::<Function>(&self.function)?.executions().filter(|most| *most > 0)?;
        let shards = self.source.stream(stack)?.least_shards();
        let at_a_time = shards * self.settings.parallelization_factor;
        (at_a_time > executions).then(|| {
            format!(
                "it sends {at_a_time} batches at a time, but the `reserved_concurrency` of {} is {executions}: it \
                 will fall behind",
                self.function
            )
        })
    }

    /// Returns the managed mapping among these, and the duplicates with the same source and function. It is
    /// the mapping that reads the current stream, and among several the one with the lowest UUID, so that two
    /// concurrent runs keep the same one.
    fn chosen<'a>(
        &self,
        mappings: &'a [EventSourceMappingConfiguration],
        current: Option<&str>,
    ) -> (Option<&'a EventSourceMappingConfiguration>, Vec<&'a EventSourceMappingConfiguration>) {
        // A mapping that is being deleted counts as absent.
        let alive = mappings.iter().filter(|mapping| mapping.state() != Some("Deleting"));
        let mut found: Vec<_> = alive.filter(|mapping| named(mapping, &self.name)).collect();
        found.sort_by_key(|mapping| (mapping.event_source_arn() != current, mapping.uuid()));
        let mut found = found.into_iter();
        (found.next(), found.collect())
    }
}

/// Returns a listed mapping with all its settings, or nothing if it was deleted. A listing omits filters that
/// are encrypted with a customer managed key.
async fn whole(
    listed: &EventSourceMappingConfiguration,
    aws: &Aws,
) -> Result<Option<EventSourceMappingConfiguration>, Error> {
    const CALL: &str = "GetEventSourceMapping";
    if listed.kms_key_arn().unwrap_or_default().is_empty() {
        return Ok(Some(listed.clone()));
    }
    let call = aws.lambda.get_event_source_mapping().set_uuid(listed.uuid.clone());
    let answer = call.send().await.called().gone_is_none()?;
    let mapping = answer.map(answers::configuration);
    if let Some(error) = mapping.as_ref().and_then(|mapping| mapping.filter_criteria_error()) {
        let reason = error.message().unwrap_or("Lambda gives no reason");
        return Err(Error::other(CALL, format!("the filters could not be read: {reason}")));
    }
    Ok(mapping)
}

/// Returns whether a mapping reads its source, or is about to.
fn reads(mapping: &EventSourceMappingConfiguration) -> bool {
    !matches!(mapping.state(), Some("Disabled" | "Disabling" | "Deleting"))
}

async fn delete(mapping: &EventSourceMappingConfiguration, aws: &Aws) -> Result<(), Error> {
    if mapping.state() == Some("Deleting") {
        return Ok(());
    }
    let call = aws.lambda.delete_event_source_mapping().set_uuid(mapping.uuid.clone());
    call.send().await.called().gone_is_none().map(drop)
}

async fn own_tags(mapping: &EventSourceMappingConfiguration, aws: &Aws) -> Result<Tags, Error> {
    let Some(arn) = mapping.event_source_mapping_arn() else {
        return Ok(Tags::new());
    };
    let call = aws.lambda.list_tags().resource(arn);
    let answer = call.send().await.called().gone_is_none()?;
    let tags = answer.and_then(|answer| answer.tags).unwrap_or_default();
    Ok(tags.into_iter().collect())
}

#[cfg(test)]
mod tests;
