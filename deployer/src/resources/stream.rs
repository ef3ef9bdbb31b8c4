//! A Kinesis data stream.
//!
//! Not compared: the resource policy, which would cost a call for every stream, and warm
//! throughput, which only on-demand streams have.

use std::collections::BTreeSet;
use std::fmt::Display;
use std::time::Duration;

use aws_sdk_kinesis::types::{
    EncryptionType, RecordDistributionStrategy, StreamDescriptionSummary, StreamMode, StreamModeDetails,
    StreamStatus,
};
use futures::try_join;
use serde::Serialize;

use crate::aws::{Aws, Called, wait_until};
use crate::diff::Change;
use crate::error::{Class, Error, GoneIsNone};
use crate::policy::Statement;
use crate::resource::{Effect, Live, Resource, ResourceId, Risk, Tags};
use crate::resources::key;
use crate::resources::sid::sid;
use crate::scope::Scope;
use crate::stack::Grant;

mod changes;

use changes::{SETTLED, active, status, summary};

/// The default and least of `RetentionPeriodHours` ("CreateStream", Kinesis API reference).
const RETENTION_HOURS: i32 = 24;
/// The default of `MaxRecordSizeInKiB` ("CreateStream", Kinesis API reference).
const RECORD_KIB: i32 = 1024;
/// The most tags that a stream can have, and that one page can hold.
const TAGS: i32 = 50;
/// A new stream is known at once as a rule.
const KNOWN: Duration = Duration::from_secs(60);

/// A stream.
#[derive(Debug, Clone, Serialize)]
pub struct Stream {
    name: String,
    #[serde(skip)]
    arn: String,
    #[serde(skip)]
    thing: String,
    /// The environment variable that tells a function the name.
    #[serde(skip)]
    variable: Option<String>,
    capacity: Capacity,
    retention_hours: i32,
    /// The KMS key; nothing means not encrypted at rest.
    kms_key: Option<String>,
    /// Metrics that are paid for by the shard.
    shard_metrics: BTreeSet<String>,
    max_record_kib: i32,
    /// `USER_PARTITION_KEY` keeps the order of what has one key.
    distribution: String,
}

/// How much a stream takes. The shards of an on-demand stream are AWS's affair.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(tag = "mode", rename_all = "snake_case")]
enum Capacity {
    OnDemand,
    Provisioned { shards: i32 },
}

impl Stream {
    /// Returns the stream of this thing, with one shard.
    pub fn new(scope: &Scope, thing: &str) -> Self {
        let name = scope.name(thing);
        Self {
            arn: scope.arn("kinesis", &format!("stream/{name}")),
            name,
            thing: thing.to_owned(),
            variable: None,
            capacity: Capacity::Provisioned { shards: 1 },
            retention_hours: RETENTION_HOURS,
            kms_key: None,
            shard_metrics: BTreeSet::new(),
            max_record_kib: RECORD_KIB,
            distribution: RecordDistributionStrategy::UserPartitionKey.as_str().to_owned(),
        }
    }

    /// Returns the stream with so many shards.
    pub fn shards(mut self, shards: i32) -> Self {
        self.capacity = Capacity::Provisioned { shards };
        self
    }

    /// Returns the stream with as many shards as AWS finds it needs.
    pub fn on_demand(mut self) -> Self {
        self.capacity = Capacity::OnDemand;
        self
    }

    /// Returns the stream that keeps records so long, 24 to 8760 hours.
    pub fn retention_hours(mut self, hours: i32) -> Self {
        self.retention_hours = hours;
        self
    }

    /// Returns the stream encrypted with this KMS key: an ARN, or `alias/aws/kinesis`.
    pub fn encrypted_with(mut self, key: Option<String>) -> Self {
        self.kms_key = key;
        self
    }

    /// Returns the stream whose name functions read from this environment variable.
    pub fn known_as(mut self, variable: impl Display) -> Self {
        self.variable = Some(variable.to_string());
        self
    }

    /// Returns the ARN.
    pub fn arn(&self) -> &str {
        &self.arn
    }

    /// Grants adding records.
    pub fn publish(&self) -> Grant {
        let variable = self.variable.clone();
        Grant {
            statement: Statement::new(
                sid(&["publish", &self.thing]),
                ["kinesis:PutRecords"],
                [self.arn.clone()],
            ),
            key: self.key("kms:GenerateDataKey"),
            variable: variable.map(|variable| (variable, self.name.clone())),
            on: ResourceId::new(Self::KIND, &self.name),
        }
    }

    /// Returns what Lambda must be allowed to feed a function from the stream.
    pub fn polling(&self) -> Vec<Statement> {
        let mut polling = vec![
            Statement::new(
                sid(&["poll", "stream", &self.thing]),
                [
                    "kinesis:DescribeStream",
                    "kinesis:DescribeStreamSummary",
                    "kinesis:GetRecords",
                    "kinesis:GetShardIterator",
                    "kinesis:ListShards",
                ],
                [self.arn.clone()],
            ),
            // AWS supports no resource for it ("Actions, resources, and condition keys for
            // Amazon Kinesis Data Streams", Service Authorization Reference).
            Statement::new(
                sid(&["list", "streams", "for", "stream", &self.thing]),
                ["kinesis:ListStreams"],
                ["*".into()],
            ),
        ];
        polling.extend(self.key("kms:Decrypt"));
        polling
    }
}

impl Stream {
    /// Returns what it takes to put records into the stream, or to get them ("Permissions to
    /// use user-generated KMS keys", Kinesis developer guide).
    fn key(&self, action: &'static str) -> Option<Statement> {
        key::through("kinesis", action, self.kms_key.as_deref(), &["stream", &self.thing])
    }
}

impl Resource for Stream {
    type Cloud = Aws;
    const KIND: &'static str = "kinesis.stream";
    const STANDS_ON: &'static [&'static str] = &[];
    const STATEFUL: bool = true;

    fn name(&self) -> &str {
        &self.name
    }

    fn arn(&self) -> Option<&str> {
        Some(&self.arn)
    }

    fn effect(&self, change: &Change) -> Effect {
        match change.path.as_str() {
            // AWS drops what is older at once.
            "retention_hours" if change.desired.as_i64() < change.live.as_i64() => {
                Effect::InPlace(Risk::LosesData)
            }
            _ => Effect::InPlace(Risk::Safe),
        }
    }

    fn permissions(_scope: &Scope) -> Vec<Statement> {
        Vec::new()
    }

    async fn read(&self, aws: &Aws) -> Result<Option<Live<Self>>, Error> {
        let read = try_join!(summary(&self.name, aws), tags_of(&self.name, aws));
        let Some((summary, tags)) = read.gone_is_none()? else {
            return Ok(None);
        };
        // It answers like a live one until it is gone.
        if summary.stream_status == StreamStatus::Deleting {
            return Ok(None);
        }
        Ok(Some(Live { resource: self.live(&summary), tags: Some(tags) }))
    }

    async fn create(&self, tags: &Tags, aws: &Aws) -> Result<(), Error> {
        let call = aws
            .kinesis
            .create_stream()
            .stream_name(&self.name)
            .stream_mode_details(self.mode()?)
            .set_shard_count(self.shard_count())
            .max_record_size_in_kib(self.max_record_kib)
            .set_tags(Some(tags.clone().into_iter().collect()));
        match call.send().await.called("CreateStream") {
            // An attempt cut short made it, or an earlier stream of this name is still going.
            Err(error) if error.class == Class::InProgress => match status(&self.name, aws).await? {
                None | Some(StreamStatus::Deleting) => return Err(error),
                Some(_) => {}
            },
            other => other.map(drop)?,
        }
        let live = wait_until("the stream to be known", KNOWN, || Self::tags(&self.name, aws)).await?;
        if !tags.iter().all(|(key, value)| live.get(key) == Some(value)) {
            self.tag(tags, aws).await?;
        }
        // What CreateStream does not take, and whatever an attempt cut short left undone.
        let live = self.live(&active(&self.name, aws).await?);
        self.update(&live, aws).await
    }

    async fn update(&self, live: &Self, aws: &Aws) -> Result<(), Error> {
        if live.capacity != self.capacity {
            self.change_capacity(live, aws).await?;
        }
        if live.retention_hours != self.retention_hours {
            self.change_retention(live, aws).await?;
        }
        if live.kms_key != self.kms_key {
            self.change_encryption(live, aws).await?;
        }
        if live.shard_metrics != self.shard_metrics {
            self.change_metrics(live, aws).await?;
        }
        if live.max_record_kib != self.max_record_kib {
            self.change_record_size(aws).await?;
        }
        if live.distribution != self.distribution {
            self.change_distribution(aws).await?;
        }
        Ok(())
    }

    async fn tag(&self, tags: &Tags, aws: &Aws) -> Result<(), Error> {
        let call = aws.kinesis.add_tags_to_stream().stream_name(&self.name);
        let call = call.set_tags(Some(tags.clone().into_iter().collect()));
        call.send().await.called("AddTagsToStream").map(drop)
    }

    async fn delete(name: &str, aws: &Aws) -> Result<(), Error> {
        let Some(status_now) = status(name, aws).await? else {
            return Ok(());
        };
        if status_now != StreamStatus::Deleting {
            let call = aws.kinesis.delete_stream().stream_name(name);
            let call = call.enforce_consumer_deletion(true);
            call.send().await.called("DeleteStream").gone_is_none()?;
        }
        wait_until("the stream to be gone", SETTLED, || async {
            Ok(status(name, aws).await?.is_none().then_some(()))
        })
        .await
    }

    async fn list(scope: &Scope, aws: &Aws) -> Result<Vec<String>, Error> {
        let pages = aws.kinesis.list_streams().into_paginator().send();
        let pages = pages.try_collect().await.called("ListStreams")?;
        let names = pages.into_iter().flat_map(|page| page.stream_names);
        Ok(names.filter(|name| name.starts_with(&scope.prefix())).collect())
    }

    async fn tags(name: &str, aws: &Aws) -> Result<Option<Tags>, Error> {
        tags_of(name, aws).await.gone_is_none()
    }
}

impl Stream {
    /// Returns the stream as it is, with what Kinesis leaves out filled in.
    fn live(&self, summary: &StreamDescriptionSummary) -> Self {
        let mode = summary.stream_mode_details.as_ref().map(|details| &details.stream_mode);
        let encrypted = summary.encryption_type == Some(EncryptionType::Kms);
        let metrics = summary.enhanced_monitoring.iter().flat_map(|metrics| metrics.shard_level_metrics());
        let distribution = summary.record_distribution_strategy.as_ref();
        Self {
            capacity: match mode {
                Some(StreamMode::OnDemand) => Capacity::OnDemand,
                _ => Capacity::Provisioned { shards: summary.open_shard_count },
            },
            retention_hours: summary.retention_period_hours,
            kms_key: summary.key_id.as_deref().filter(|_| encrypted).map(key_name),
            shard_metrics: metrics.map(|name| name.as_str().to_owned()).collect(),
            max_record_kib: summary.max_record_size_in_kib.unwrap_or(RECORD_KIB),
            distribution: distribution
                .unwrap_or(&RecordDistributionStrategy::UserPartitionKey)
                .as_str()
                .to_owned(),
            ..self.clone()
        }
    }

    fn mode(&self) -> Result<StreamModeDetails, Error> {
        let mode = match self.capacity {
            Capacity::OnDemand => StreamMode::OnDemand,
            Capacity::Provisioned { .. } => StreamMode::Provisioned,
        };
        let details = StreamModeDetails::builder().stream_mode(mode).build();
        details.map_err(|error| Error::other("request", error.to_string()))
    }

    fn shard_count(&self) -> Option<i32> {
        match self.capacity {
            Capacity::OnDemand => None,
            Capacity::Provisioned { shards } => Some(shards),
        }
    }
}

async fn tags_of(name: &str, aws: &Aws) -> Result<Tags, Error> {
    let call = aws.kinesis.list_tags_for_stream().stream_name(name).limit(TAGS);
    let answer = call.send().await.called("ListTagsForStream")?;
    let tags = answer.tags.into_iter();
    Ok(tags.map(|tag| (tag.key, tag.value.unwrap_or_default())).collect())
}

/// Returns an alias as one writes it, and the ARN of a key as it is.
fn key_name(key: &str) -> String {
    match key.split_once(":alias/") {
        Some((_, alias)) => format!("alias/{alias}"),
        None => key.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_alias_reads_the_same_in_both_forms() {
        let arn = "arn:aws:kms:eu-central-1:111111111111:alias/aws/kinesis";
        assert_eq!(key_name(arn), key_name("alias/aws/kinesis"));
    }
}
