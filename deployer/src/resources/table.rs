//! A DynamoDB table, with its stream, its backups and its expiry of items.
//!
//! Not compared: the resource policy, which would cost a call for every table, and warm
//! throughput, which only ever rises. Both are set by nobody but a person.

use std::collections::BTreeSet;
use std::fmt::Display;
use std::time::Duration;

pub use aws_sdk_dynamodb::types::StreamViewType as StreamView;
use aws_sdk_dynamodb::types::{TableClass, TableStatus};
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

mod billing;
mod changes;
mod live;
mod requests;

pub use billing::Billing;
use changes::{SETTLED, active, change, described, status};

/// A new table is known at once as a rule; the listing of tags is eventually consistent.
const KNOWN: Duration = Duration::from_secs(60);

/// A table.
#[derive(Debug, Clone, Serialize)]
pub struct Table {
    name: String,
    #[serde(skip)]
    arn: String,
    #[serde(skip)]
    thing: String,
    /// The environment variable that tells a function the name.
    #[serde(skip)]
    variable: Option<String>,
    /// The hash key, and the range key if there is one.
    key: Vec<KeyAttribute>,
    billing: Billing,
    /// What a stream record shows; nothing means no stream.
    stream: Option<String>,
    /// Days that one can go back; nothing means not at all.
    point_in_time_recovery_days: Option<i32>,
    /// The attribute that says when an item may go; nothing means never.
    time_to_live: Option<String>,
    deletion_protection: bool,
    /// ARN of the KMS key; nothing means DynamoDB's own.
    kms_key: Option<String>,
    class: String,
    global_indexes: BTreeSet<String>,
    local_indexes: BTreeSet<String>,
    /// Other regions that hold a copy.
    replicas: BTreeSet<String>,
}

/// One attribute of the primary key.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
struct KeyAttribute {
    name: String,
    /// `HASH` or `RANGE`.
    role: String,
    /// `S`, `N` or `B`.
    of: String,
}

impl Table {
    /// Returns the table of this thing, billed by request, without a key yet.
    pub fn new(scope: &Scope, thing: &str) -> Self {
        let name = scope.name(thing);
        Self {
            arn: arn(scope, &name),
            name,
            thing: thing.to_owned(),
            variable: None,
            key: Vec::new(),
            billing: Billing::on_demand(),
            stream: None,
            point_in_time_recovery_days: None,
            time_to_live: None,
            deletion_protection: false,
            kms_key: None,
            class: TableClass::Standard.as_str().to_owned(),
            global_indexes: BTreeSet::new(),
            local_indexes: BTreeSet::new(),
            replicas: BTreeSet::new(),
        }
    }

    /// Returns the table with this hash key, a string, and this range key, a number.
    pub fn key(mut self, hash: &str, range: &str) -> Self {
        let attribute = |name: &str, role: &str, of: &str| KeyAttribute {
            name: name.to_owned(),
            role: role.to_owned(),
            of: of.to_owned(),
        };
        self.key = vec![attribute(hash, "HASH", "S"), attribute(range, "RANGE", "N")];
        self
    }

    /// Returns the table billed like this.
    pub fn billing(mut self, billing: Billing) -> Self {
        self.billing = billing;
        self
    }

    /// Returns the table with a stream whose records show this.
    pub fn stream(mut self, view: StreamView) -> Self {
        self.stream = Some(view.as_str().to_owned());
        self
    }

    /// Returns the table with backups that reach back this many days, 1 to 35.
    pub fn point_in_time_recovery(mut self, days: Option<i32>) -> Self {
        self.point_in_time_recovery_days = days;
        self
    }

    /// Returns the table whose items may go when this attribute, in epoch seconds, says so.
    pub fn time_to_live(mut self, attribute: &str) -> Self {
        self.time_to_live = Some(attribute.to_owned());
        self
    }

    /// Returns the table so that nobody can delete it, or can.
    pub fn deletion_protection(mut self, on: bool) -> Self {
        self.deletion_protection = on;
        self
    }

    /// Returns the table encrypted with the KMS key of this ARN, which is how AWS names a
    /// key when it is read back.
    pub fn encrypted_with(mut self, key: Option<String>) -> Self {
        self.kms_key = key;
        self
    }

    /// Returns the table whose name functions read from this environment variable.
    pub fn known_as(mut self, variable: impl Display) -> Self {
        self.variable = Some(variable.to_string());
        self
    }

    /// Returns the ARN.
    pub fn arn(&self) -> &str {
        &self.arn
    }

    /// Grants reading the items of one hash key.
    pub fn load(&self) -> Grant {
        self.grant("load", "dynamodb:Query")
    }

    /// Grants adding items, one at a time.
    pub fn append(&self) -> Grant {
        self.grant("append", "dynamodb:PutItem")
    }

    /// Returns what Lambda must be allowed to feed a function from the table's stream.
    pub fn polling(&self) -> Vec<Statement> {
        let mut polling = vec![
            Statement::new(
                sid(&["poll", "table", &self.thing]),
                ["dynamodb:DescribeStream", "dynamodb:GetRecords", "dynamodb:GetShardIterator"],
                [format!("{}/stream/*", self.arn)],
            ),
            // AWS supports no resource for it ("Actions, resources, and condition keys for
            // Amazon DynamoDB", Service Authorization Reference).
            Statement::new(
                sid(&["list", "streams", "for", "table", &self.thing]),
                ["dynamodb:ListStreams"],
                ["*".into()],
            ),
        ];
        polling.extend(self.decrypting());
        polling
    }
}

impl Resource for Table {
    type Cloud = Aws;
    const KIND: &'static str = "dynamodb.table";
    const STANDS_ON: &'static [&'static str] = &[];
    const STATEFUL: bool = true;

    fn name(&self) -> &str {
        &self.name
    }

    fn arn(&self) -> Option<&str> {
        Some(&self.arn)
    }

    fn effect(&self, change: &Change) -> Effect {
        let removed = !change.live.is_null();
        match change.path.as_str() {
            path if path.starts_with("key") => Effect::Refuse(
                "a table's key is fixed: copy the items to a table of another name, then move the functions to it",
            ),
            path if path.starts_with("local_indexes") => {
                Effect::Refuse("a local index lives as long as its table: copy the items to a new table")
            }
            path if path.starts_with("replicas") => Effect::Refuse(
                "the table has a copy in another region: delete the replica by hand, then run `up`",
            ),
            path if path.starts_with("global_indexes") => Effect::InPlace(Risk::Interrupts),
            "time_to_live" if removed && !change.desired.is_null() => Effect::Refuse(
                "AWS takes an hour between two changes of a time to live: turn it off by hand, wait, then run `up`",
            ),
            // From then on, items go by themselves.
            "time_to_live" if !removed => Effect::InPlace(Risk::LosesData),
            // What is written while the stream is off shows in no stream.
            "stream" if removed => Effect::InPlace(Risk::LosesData),
            "point_in_time_recovery_days" if fewer(change) => Effect::InPlace(Risk::LosesData),
            _ => Effect::InPlace(Risk::Safe),
        }
    }

    fn permissions(_scope: &Scope) -> Vec<Statement> {
        Vec::new()
    }

    async fn read(&self, aws: &Aws) -> Result<Option<Live<Self>>, Error> {
        let name = &self.name;
        let read = try_join!(
            described(name, aws),
            async {
                let call = aws.dynamodb.describe_continuous_backups().table_name(name);
                call.send().await.called("DescribeContinuousBackups").map_err(table_not_found)
            },
            async {
                let call = aws.dynamodb.describe_time_to_live().table_name(name);
                call.send().await.called("DescribeTimeToLive")
            },
            tags_of(name, aws),
        );
        let Some((table, backups, time_to_live, tags)) = read.gone_is_none()? else {
            return Ok(None);
        };
        // It answers like a live one until it is gone.
        if table.table_status == Some(TableStatus::Deleting) {
            return Ok(None);
        }
        Ok(Some(Live {
            resource: self.live(
                &table,
                backups.continuous_backups_description.as_ref(),
                time_to_live.time_to_live_description.as_ref(),
                &aws.scope.region,
            ),
            tags: Some(tags),
        }))
    }

    async fn create(&self, tags: &Tags, aws: &Aws) -> Result<(), Error> {
        let call = aws
            .dynamodb
            .create_table()
            .table_name(&self.name)
            .set_attribute_definitions(Some(self.key_definitions()?))
            .set_key_schema(Some(self.key_schema()?))
            .billing_mode(self.billing.mode())
            .set_provisioned_throughput(self.billing.throughput()?)
            .set_on_demand_throughput(self.billing.limits())
            .set_stream_specification(self.stream.as_deref().map(requests::stream).transpose()?)
            .set_sse_specification(self.kms_key.is_some().then(|| self.encryption()))
            .table_class(self.class.as_str().into())
            .deletion_protection_enabled(self.deletion_protection)
            .set_tags(Some(requests::tags(tags)?));
        match call.send().await.called("CreateTable") {
            // An attempt cut short made it, or an earlier table of this name is still going.
            Err(error) if error.class == Class::InProgress => match status(&self.name, aws).await? {
                None | Some(TableStatus::Deleting) => return Err(error),
                Some(_) => {}
            },
            other => other.map(drop)?,
        }
        let live = wait_until("the table to be known", KNOWN, || Self::tags(&self.name, aws)).await?;
        if !tags.iter().all(|(key, value)| live.get(key) == Some(value)) {
            self.tag(tags, aws).await?;
        }
        active(&self.name, aws).await?;
        // What CreateTable does not take, and whatever an attempt cut short left undone.
        match self.read(aws).await? {
            Some(live) => self.update(&live.resource, aws).await,
            None => Err(Error::other("CreateTable", format!("{} went away again", self.name))),
        }
    }

    async fn update(&self, live: &Self, aws: &Aws) -> Result<(), Error> {
        let name = &self.name;
        self.change_billing(live, aws).await?;
        if live.class != self.class {
            change(name, aws, |call| call.table_class(self.class.as_str().into())).await?;
        }
        if live.kms_key != self.kms_key {
            change(name, aws, |call| call.sse_specification(self.encryption())).await?;
        }
        if live.stream != self.stream {
            self.change_stream(live, aws).await?;
        }
        for index in live.global_indexes.difference(&self.global_indexes) {
            let without = requests::without_index(index)?;
            change(name, aws, |call| call.global_secondary_index_updates(without.clone())).await?;
        }
        if live.deletion_protection != self.deletion_protection {
            let on = self.deletion_protection;
            change(name, aws, |call| call.deletion_protection_enabled(on)).await?;
        }
        if live.point_in_time_recovery_days != self.point_in_time_recovery_days {
            self.change_recovery(aws).await?;
        }
        if live.time_to_live != self.time_to_live {
            self.change_time_to_live(live, aws).await?;
        }
        Ok(())
    }

    async fn tag(&self, tags: &Tags, aws: &Aws) -> Result<(), Error> {
        let call = aws.dynamodb.tag_resource().resource_arn(&self.arn);
        call.set_tags(Some(requests::tags(tags)?)).send().await.called("TagResource").map(drop)
    }

    async fn delete(name: &str, aws: &Aws) -> Result<(), Error> {
        let Some(table) = described(name, aws).await.gone_is_none()? else {
            return Ok(());
        };
        if table.table_status != Some(TableStatus::Deleting) {
            if table.deletion_protection_enabled == Some(true) {
                change(name, aws, |call| call.deletion_protection_enabled(false)).await?;
            }
            let call = aws.dynamodb.delete_table().table_name(name);
            call.send().await.called("DeleteTable").gone_is_none()?;
        }
        wait_until("the table to be gone", SETTLED, || async {
            Ok(status(name, aws).await?.is_none().then_some(()))
        })
        .await
    }

    async fn list(scope: &Scope, aws: &Aws) -> Result<Vec<String>, Error> {
        let names = aws.dynamodb.list_tables().into_paginator().items().send();
        let mut names: Vec<String> = names.try_collect().await.called("ListTables")?;
        names.retain(|name| name.starts_with(&scope.prefix()));
        Ok(names)
    }

    async fn tags(name: &str, aws: &Aws) -> Result<Option<Tags>, Error> {
        tags_of(name, aws).await.gone_is_none()
    }
}

/// Returns the ARN of the table's stream, which AWS names after the moment it was turned
/// on. Nothing when there is no stream or no table.
pub(crate) async fn latest_stream_arn(table: &str, aws: &Aws) -> Result<Option<String>, Error> {
    let table = described(table, aws).await.gone_is_none()?;
    // The ARN of a stream that was turned off stays.
    Ok(table.and_then(|table| live::view(&table).and(table.latest_stream_arn)))
}

impl Table {
    fn grant(&self, verb: &str, action: &'static str) -> Grant {
        Grant {
            statement: Statement::new(sid(&[verb, &self.thing]), [action], [self.arn.clone()]),
            key: self.decrypting(),
            variable: self.variable.clone().map(|variable| (variable, self.name.clone())),
            on: ResourceId::new(Self::KIND, &self.name),
        }
    }

    /// Returns what it takes to get at the items, whether to read or to write them: the
    /// table has a key of its own, which the KMS key encrypts ("DynamoDB encryption at rest:
    /// How it works", DynamoDB developer guide).
    fn decrypting(&self) -> Option<Statement> {
        key::through("dynamodb", "kms:Decrypt", self.kms_key.as_deref(), &["table", &self.thing])
    }
}

/// For a table that is not there, DynamoDB says that access to its tags is denied.
async fn tags_of(name: &str, aws: &Aws) -> Result<Tags, Error> {
    let mut tags = Tags::new();
    let mut page = None;
    loop {
        let call = aws.dynamodb.list_tags_of_resource().resource_arn(arn(&aws.scope, name));
        let answer = match call.set_next_token(page).send().await.called("ListTagsOfResource") {
            Err(error) if error.class == Class::Denied => {
                described(name, aws).await?;
                return Err(error);
            }
            other => other?,
        };
        tags.extend(answer.tags.unwrap_or_default().into_iter().map(|tag| (tag.key, tag.value)));
        page = answer.next_token;
        if page.is_none() {
            return Ok(tags);
        }
    }
}

fn arn(scope: &Scope, name: &str) -> String {
    scope.arn("dynamodb", &format!("table/{name}"))
}

/// The calls about backups have a code of their own for a table that is not there
/// ("DescribeContinuousBackups", DynamoDB API reference).
fn table_not_found(mut error: Error) -> Error {
    if error.code.as_deref() == Some("TableNotFoundException") {
        error.class = Class::Gone;
    }
    error
}

/// Tells whether a change of days takes some away. Nothing means none.
fn fewer(change: &Change) -> bool {
    let days = |value: &serde_json::Value| value.as_i64().unwrap_or_default();
    days(&change.desired) < days(&change.live)
}
