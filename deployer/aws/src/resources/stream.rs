//! A Kinesis data stream.

mod changes;
mod grants;
mod live;
mod mistakes;
mod permissions;
mod reads;
mod states;

use std::collections::BTreeSet;
use std::fmt::Display;
use std::time::Duration;

use aws_sdk_kinesis::types::{RecordDistributionStrategy, StreamStatus};
use engine::error::{Class, Error, GoneIsNone};
use engine::resource::{
    Changed, Effect, ImportId, KindInfo, LeftOut, Live, Neighbours, Resource, Risk, Tags,
};
use engine::scope::Scope;
use futures::join;
use serde::{Deserialize, Serialize};
use struct_to_enum::FieldName;

use self::states::{SETTLED, active, earlier_gone, gone, status, summary};
use crate::policy::{Policy, Statement};
use crate::resources::created::{finish, retry_not_found};
use crate::resources::key::{self, Keys};
use crate::{Aws, AwsNames, Called, wait_until};

/// The default and minimum of `RetentionPeriodHours` ("CreateStream", Kinesis API reference).
const RETENTION_HOURS: i32 = 24;
/// The default of `MaxRecordSizeInKiB` ("CreateStream", Kinesis API reference).
const RECORD_KIB: i32 = 1024;

/// A stream. Fields are changed in the order of their declaration.
#[derive(Debug, Clone, Serialize, FieldName)]
#[stem_name_derive(PartialOrd, Ord, Deserialize)]
#[stem_name_attr(serde(rename_all = "snake_case"))]
#[stem_name_attr(expect(missing_docs, reason = "the fields have them"))]
pub struct Stream {
    name: String,
    #[serde(skip)]
    #[stem_name(skip)]
    arn: String,
    #[serde(skip)]
    #[stem_name(skip)]
    thing: String,
    /// The environment variable that holds the stream's name in a function.
    #[serde(skip)]
    #[stem_name(skip)]
    variable: Option<String>,
    /// Earlier KMS keys: existing records may be encrypted with them.
    #[serde(skip)]
    #[stem_name(skip)]
    former_keys: Vec<String>,
    /// The resource policy with permissions of others; none in the stack.
    resource_policy: Option<Policy>,
    /// `USER_PARTITION_KEY` keeps the order of records with the same key. Only an on-demand stream has
    /// another strategy, so it is changed before the mode.
    distribution: String,
    capacity: Capacity,
    retention_hours: i32,
    /// The KMS key; nothing means no encryption at rest.
    kms_key: Option<String>,
    /// Metrics that are billed per shard.
    shard_metrics: BTreeSet<String>,
    max_record_kib: i32,
}

/// The capacity of a stream. AWS manages the shards of an on-demand stream.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(tag = "mode", rename_all = "snake_case")]
enum Capacity {
    OnDemand,
    Provisioned { shards: i32 },
}

impl Stream {
    /// Returns the stream for `thing`, with one shard.
    pub fn new(scope: &Scope, thing: &str) -> Self {
        let name = scope.name(thing);
        Self {
            arn: scope.arn("kinesis", &format!("stream/{name}")),
            name,
            thing: thing.to_owned(),
            variable: None,
            former_keys: Vec::new(),
            capacity: Capacity::Provisioned { shards: 1 },
            retention_hours: RETENTION_HOURS,
            kms_key: None,
            shard_metrics: BTreeSet::new(),
            max_record_kib: RECORD_KIB,
            distribution: RecordDistributionStrategy::UserPartitionKey.as_str().to_owned(),
            resource_policy: None,
        }
    }

    /// Returns the stream with this number of shards, or in on-demand mode, in which AWS chooses the number.
    pub fn shards(mut self, shards: impl Into<Option<i32>>) -> Self {
        self.capacity = shards.into().map_or(Capacity::OnDemand, |shards| Capacity::Provisioned { shards });
        self
    }

    /// Returns the stream with this retention, 24 to 8760 hours.
    pub fn retention_hours(mut self, hours: i32) -> Self {
        self.retention_hours = hours;
        self
    }

    /// Returns the stream encrypted with this KMS key: an ARN, or `alias/aws/kinesis`; or with none.
    pub fn encrypted_with(mut self, keys: impl Into<Keys>) -> Self {
        Keys { today: self.kms_key, former: self.former_keys } = keys.into();
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

    /// Returns the retention of records.
    pub fn retention(&self) -> Duration {
        Duration::from_hours(self.retention_hours.unsigned_abs().into())
    }
}

impl Resource for Stream {
    type Cloud = Aws;
    type Field = StreamFieldName;
    const INFO: KindInfo = KindInfo {
        stateful: true,
        left_out: &[
            LeftOut { what: "warm throughput", why: "only on-demand streams have it" },
            LeftOut {
                what: "registered consumers",
                why: "they have their own read capacity and do not change the stream",
            },
            LeftOut { what: "the shards of an on-demand stream", why: "AWS sets their number" },
        ],
        ..KindInfo::new("kinesis.stream")
    };

    fn name(&self) -> &str {
        &self.name
    }

    fn arn(&self) -> Option<&str> {
        Some(&self.arn)
    }

    fn import_ids(&self) -> Vec<ImportId> {
        let policy = self.resource_policy.as_ref();
        let policy = policy.map(|_| ImportId::new("aws_kinesis_resource_policy", &self.arn));
        [ImportId::new("aws_kinesis_stream", &self.name)].into_iter().chain(policy).collect()
    }

    fn effect(&self, field: StreamFieldName, live: &Self) -> Effect {
        use StreamFieldName as Field;
        match field {
            // AWS deletes older records at once.
            Field::RetentionHours if self.retention_hours < live.retention_hours => {
                Effect::InPlace(Risk::LosesData)
            }
            // Functions can no longer read the records in the stream, which then expire.
            Field::KmsKey if key::is_left_behind(live.kms_key.as_deref(), &self.former_keys) => {
                Effect::InPlace(Risk::LosesData)
            }
            Field::Name
            | Field::ResourcePolicy
            | Field::Distribution
            | Field::Capacity
            | Field::RetentionHours
            | Field::KmsKey
            | Field::ShardMetrics
            | Field::MaxRecordKib => Effect::InPlace(Risk::Safe),
        }
    }

    fn mistakes(&self, stack: &Neighbours<'_>) -> Vec<String> {
        self.found_mistakes(stack)
    }

    fn permissions(scope: &Scope) -> Vec<Statement> {
        permissions::permissions(scope)
    }

    async fn read(&self, aws: &Aws) -> Result<Option<Live<Self>>, Error> {
        let (summary, policy, tags) = join!(
            summary(&self.name, aws),
            reads::resource_policy(&self.arn, aws),
            reads::tags(&self.name, aws),
        );
        let Some(summary) = summary.gone_is_none()? else {
            return Ok(None);
        };
        // A stream that is being deleted still answers like a live one.
        if summary.stream_status == StreamStatus::Deleting {
            return Ok(None);
        }
        // The summary decides whether the stream exists. Other reads may not find a new stream yet.
        let (policy, tags) = (policy?, tags.map_err(retry_not_found)?);
        let identity = Some(summary.stream_creation_timestamp.secs().to_string());
        Ok(Some(Live { resource: self.live(&summary, policy), tags: Some(tags), identity }))
    }

    async fn create(&self, tags: &Tags, aws: &Aws) -> Result<(), Error> {
        earlier_gone(&self.name, aws).await?;
        let call = aws
            .kinesis
            .create_stream()
            .stream_name(&self.name)
            .stream_mode_details(self.mode()?)
            .set_shard_count(self.shard_count())
            .max_record_size_in_kib(self.max_record_kib)
            .set_tags(Some(tags.clone().into_iter().collect()));
        match call.send().await.called() {
            // The code means that the stream exists, that it is being deleted, or that too many streams are
            // being created. The state distinguishes them.
            Err(error) if error.class == Class::InProgress => match status(&self.name, aws).await? {
                None | Some(StreamStatus::Deleting) => return Err(error),
                Some(_) => {
                    let live = Self::tags(&self.name, aws).await?;
                    // A stream without tags was left by an attempt that was interrupted before it set them.
                    if live.as_ref().is_none_or(|tags| !tags.is_empty()) {
                        aws.adopt(error, live.as_ref())?;
                    }
                }
            },
            other => other.map(drop)?,
        }
        active(&self.name, aws).await?;
        finish(self, tags, aws).await
    }

    async fn ready(&self, aws: &Aws) -> Result<(), Error> {
        active(&self.name, aws).await.map(drop)
    }

    async fn update(&self, live: &Self, changed: &Changed<Self>, aws: &Aws) -> Result<(), Error> {
        use StreamFieldName as Field;
        for field in changed {
            match field {
                Field::ResourcePolicy => self.delete_resource_policy(aws).await?,
                Field::Distribution => self.change_distribution(aws).await?,
                Field::Capacity => self.change_capacity(aws).await?,
                Field::RetentionHours => self.change_retention(live, aws).await?,
                Field::KmsKey => self.change_encryption(live, aws).await?,
                Field::ShardMetrics => self.change_metrics(live, aws).await?,
                Field::MaxRecordKib => self.change_record_size(aws).await?,
                Field::Name => {}
            }
        }
        Ok(())
    }

    async fn tag(&self, tags: &Tags, aws: &Aws) -> Result<(), Error> {
        let call = aws.kinesis.add_tags_to_stream().stream_name(&self.name);
        let call = call.set_tags(Some(tags.clone().into_iter().collect()));
        call.send().await.called().map(drop)
    }

    async fn delete(name: &str, aws: &Aws) -> Result<(), Error> {
        let Some(status_now) = status(name, aws).await? else {
            return Ok(());
        };
        if status_now != StreamStatus::Deleting {
            // Only a stream that is ACTIVE can be deleted.
            wait_until("the stream to accept its deletion", SETTLED, || async {
                let call = aws.kinesis.delete_stream().stream_name(name);
                let call = call.enforce_consumer_deletion(true);
                match call.send().await.called() {
                    Err(error) if error.class == Class::InProgress => Ok(None),
                    other => other.gone_is_none().map(Some),
                }
            })
            .await?;
        }
        gone("the stream to be deleted", name, aws).await
    }

    async fn list(scope: &Scope, aws: &Aws) -> Result<Vec<String>, Error> {
        let pages = aws.kinesis.list_streams().into_paginator().send();
        let pages = pages.try_collect().await.called()?;
        let names = pages.into_iter().flat_map(|page| page.stream_names);
        Ok(names.filter(|name| name.starts_with(&scope.prefix())).collect())
    }

    async fn tags(name: &str, aws: &Aws) -> Result<Option<Tags>, Error> {
        reads::tags(name, aws).await.gone_is_none()
    }
}

#[cfg(test)]
mod tests;
