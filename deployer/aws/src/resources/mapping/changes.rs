//! Creating and changing a mapping, and waiting until it reads.

use std::time::Duration;

use aws_sdk_lambda::types::{EventSourceMappingConfiguration, EventSourcePosition};
use engine::error::{Class, Error, GoneIsNone};
use engine::resource::{Cloud, Tags};
use futures::try_join;
use tokio::time::Instant;

use super::{Mapping, MappingSettings, answers, delete, health, reads, whole};
use crate::resources::lacking::judged;
use crate::resources::mapping_name::{MappingName, named};
use crate::{Aws, AwsNames, Called, wait_until};

pub(super) const CREATE: &str = "CreateEventSourceMapping";
/// How long a change may take. It takes seconds to a minute; Terraform allows ten minutes
/// (terraform-provider-aws, internal/service/lambda/event_source_mapping.go).
pub(super) const CHANGES_WITHIN: Duration = Duration::from_secs(600);

/// How long Lambda may still report the old state after a mapping was enabled.
const SHOWS_WITHIN: Duration = Duration::from_secs(30);

impl Mapping {
    /// Creates the mapping and returns its UUID.
    pub(super) async fn send(&self, source: &str, tags: Option<&Tags>, aws: &Aws) -> Result<String, Error> {
        let call = self.settings.to_create();
        let call = call.function_name(&self.function).event_source_arn(source).enabled(true);
        // `LATEST` misses records that are written while the mapping starts.
        let call = call.starting_position(EventSourcePosition::TrimHorizon);
        let call = call.set_tags(tags.map(|tags| tags.clone().into_iter().collect()));
        let sent = call.send_with(&aws.lambda).await.called();
        sent.map(|made| made.uuid.unwrap_or_default()).map_err(|error| self.judged(error, source))
    }

    fn judged(&self, error: Error, source: &str) -> Error {
        let concerned: Vec<&str> =
            [Some(source), self.settings.on_failure.as_deref()].into_iter().flatten().collect();
        judged(error, self.granted.as_ref(), &concerned)
    }

    /// Adopts the existing mapping whose UUID is in AWS's error.
    pub(super) async fn adopt(&self, exists: Error, aws: &Aws) -> Result<(), Error> {
        let Some(uuid) = answers::uuid_in(&exists.message) else {
            return self.put(aws).await;
        };
        let call = aws.lambda.get_event_source_mapping().uuid(uuid);
        let answer = call.send().await.called().gone_is_none()?;
        let Some(mapping) = answer.map(answers::configuration) else {
            return Err(Error { class: Class::InProgress, ..exists });
        };
        if !named(&mapping, &self.name) {
            return Err(exists);
        }
        self.change(&mapping, aws).await
    }

    /// Waits for the new mapping, and deletes a duplicate if another run created one as well.
    pub(super) async fn settled(&self, made: &str, source: &str, aws: &Aws) -> Result<(), Error> {
        let aws = aws.fresh();
        let (mappings, ()) = try_join!(aws.mappings(), enabled(made, &aws))?;
        let (found, others) = self.chosen(mappings, Some(source));
        // The listing may not contain the new mapping yet.
        let found = found.filter(|mapping| mapping.event_source_arn() == Some(source));
        let Some(uuid) = found.and_then(|mapping| mapping.uuid()) else {
            return Ok(());
        };
        for other in others {
            delete(other, &aws).await?;
        }
        if uuid == made { Ok(()) } else { enabled(uuid, &aws).await }
    }

    /// Applies the settings to the live mapping, enables it and deletes its duplicates.
    pub(super) async fn put(&self, aws: &Aws) -> Result<(), Error> {
        let aws = aws.fresh();
        let (mappings, current) = try_join!(aws.mappings(), self.source.current_arn(&aws))?;
        let (Some(mapping), others) = self.chosen(mappings, current.as_deref()) else {
            // It is not listed yet, or is being deleted: a retry helps in both cases.
            let text = format!("{} is not listed yet, or is being deleted", self.name);
            return Err(Error::new(Class::InProgress, "ListEventSourceMappings", text));
        };
        for other in others {
            delete(other, &aws).await?;
        }
        self.change(mapping, &aws).await
    }

    /// Sends the settings that differ, and enables the mapping. If Lambda had disabled it, Lambda then checks
    /// it again.
    async fn change(&self, listed: &EventSourceMappingConfiguration, aws: &Aws) -> Result<(), Error> {
        let Some(mapping) = whole(listed, aws).await? else {
            return Err(Error::new(
                Class::InProgress,
                "GetEventSourceMapping",
                format!("{} was deleted", self.name),
            ));
        };
        let call = self.settings.to_update(&MappingSettings::from_live(&mapping));
        let call = call.set_uuid(mapping.uuid.clone()).enabled(true);
        let sent = call.send_with(&aws.lambda).await.called();
        sent.map_err(|error| self.judged(error, mapping.event_source_arn().unwrap_or_default()))?;
        enabled(mapping.uuid().unwrap_or_default(), aws).await?;
        tagged(&mapping, aws).await
    }
}

/// Disables the mappings of this name and waits until they stop reading. Their function gets the tags.
pub(super) async fn disable(name: &str, tags: &Tags, aws: &Aws) -> Result<(), Error> {
    tag_function(name, tags, aws).await?;
    let mappings = aws.mappings().await?.iter();
    let reading: Vec<_> = mappings.filter(|mapping| named(mapping, name) && reads(mapping)).collect();
    for mapping in &reading {
        let call = aws.lambda.update_event_source_mapping().set_uuid(mapping.uuid.clone()).enabled(false);
        call.send().await.called().gone_is_none()?;
    }
    for mapping in reading {
        wait_until("the mapping to be Disabled", CHANGES_WITHIN, async || {
            let call = aws.lambda.get_event_source_mapping().set_uuid(mapping.uuid.clone());
            let answer = call.send().await.called().gone_is_none()?;
            let reads = answer.is_some_and(|answer| answer.state() != Some("Disabled"));
            Ok((!reads).then_some(()))
        })
        .await?;
    }
    Ok(())
}

/// Tags the function that a mapping of this name invokes.
async fn tag_function(name: &str, tags: &Tags, aws: &Aws) -> Result<(), Error> {
    let ours = MappingName::parse(name).filter(|name| name.function.starts_with(&aws.scope.prefix()));
    let Some(MappingName { function, .. }) = ours else {
        return Ok(());
    };
    let arn = aws.scope.arn("lambda", &format!("function:{function}"));
    let call = aws.lambda.tag_resource().resource(arn).set_tags(Some(tags.clone().into_iter().collect()));
    call.send().await.called().gone_is_none().map(drop)
}

/// Sets the tags of a mapping, where the Region supports them: an adopted mapping may have others.
async fn tagged(mapping: &EventSourceMappingConfiguration, aws: &Aws) -> Result<(), Error> {
    let Some(arn) = mapping.event_source_mapping_arn() else {
        return Ok(());
    };
    let call = aws.lambda.tag_resource().resource(arn);
    let call = call.set_tags(Some(aws.scope.all_tags().into_iter().collect()));
    match call.send().await.called() {
        Err(error) if answers::tags_refused(&error) => Ok(()),
        sent => sent.map(drop),
    }
}

async fn enabled(uuid: &str, aws: &Aws) -> Result<(), Error> {
    let started = Instant::now();
    wait_until("the mapping to be Enabled", CHANGES_WITHIN, async || {
        let call = aws.lambda.get_event_source_mapping().uuid(uuid);
        let mapping = call.send().await.called().gone_is_none()?;
        if mapping.is_none() {
            // It has not propagated yet, or another `up` deleted it as a duplicate. The retry finds the
            // mapping by its name.
            let text = format!("the mapping {uuid} does not exist, or not yet");
            return Err(Error::new(Class::InProgress, "GetEventSourceMapping", text));
        }
        match mapping.map(answers::configuration) {
            Some(mapping) if mapping.state() == Some("Enabled") => Ok(Some(())),
            // It was enabled above: if it stays disabled, waiting does not help.
            Some(mapping) if mapping.state() == Some("Disabled") && started.elapsed() > SHOWS_WITHIN => {
                let why =
                    health::failure(&mapping).unwrap_or_else(|| "it was disabled in the meantime".into());
                Err(Error::other("GetEventSourceMapping", format!("the mapping is Disabled: {why}")))
            }
            _ => Ok(None),
        }
    })
    .await
}
