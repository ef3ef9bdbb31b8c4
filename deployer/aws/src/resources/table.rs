//! A DynamoDB table, with its indexes, its stream, its backups and its time to live.

mod billing;
mod changes;
mod creation;
mod effects;
mod grants;
mod index;
mod index_changes;
mod index_mistakes;
mod live;
mod mistakes;
mod permissions;
mod primary_key;
mod reads;
mod requests;
mod states;

pub use billing::Billing;
pub use index::Projection;
pub use primary_key::{KeyType, PrimaryKey};

use std::collections::BTreeSet;
use std::fmt::Display;
use std::time::Duration;

pub use aws_sdk_dynamodb::types::StreamViewType as StreamView;
use aws_sdk_dynamodb::types::{TableClass, TableStatus};
use engine::error::{Class, Error, GoneIsNone};
use engine::resource::{Changed, Effect, ImportId, KindInfo, LeftOut, Live, Neighbours, Resource, Tags};
use engine::scope::Scope;
use futures::join;
use serde::{Deserialize, Serialize};
use struct_to_enum::FieldName;

use self::changes::change;
use self::index::{Index, Indexes};
use self::primary_key::KeyAttribute;
use self::states::{SETTLED, described, earlier_gone, gone, status};
use crate::policy::{Policy, Statement};
use crate::resources::created::{finish, retry_not_found};
use crate::resources::key::Keys;
use crate::{Aws, AwsNames, Called, wait_until};

/// How long a table's stream keeps a record, in hours ("Change data capture for DynamoDB
/// Streams", DynamoDB developer guide). It cannot be changed.
pub const STREAM_KEEPS_HOURS: i32 = 24;
/// The same as a duration.
pub(crate) const STREAM_KEEPS: Duration = Duration::from_hours(STREAM_KEEPS_HOURS as u64);

/// A table. Fields are changed in the order of their declaration.
///
/// ```
/// # let scope = aws::testing::scope();
/// use aws::resources::table::{KeyType, PrimaryKey, Projection, Table};
///
/// let key = PrimaryKey::hash("Id", KeyType::Binary).range("At", KeyType::Number);
/// let owner = PrimaryKey::hash("Owner", KeyType::String).range("At", KeyType::Number);
/// let items = Table::new(&scope, "items", key)
///     .global_index("by-owner", owner, Projection::including(["Title"]))
///     .local_index("by-size", "Size", KeyType::Number, Projection::KeysOnly);
/// // A Lambda takes it: `.may(items.query_index("by-owner"))`.
/// assert_eq!(items.query_index("by-owner").mistake, None);
/// ```
#[derive(Debug, Clone, Serialize, FieldName)]
#[stem_name_derive(PartialOrd, Ord, Deserialize)]
#[stem_name_attr(serde(rename_all = "snake_case"))]
#[stem_name_attr(expect(missing_docs, reason = "the fields have them"))]
pub struct Table {
    name: String,
    #[serde(skip)]
    #[stem_name(skip)]
    arn: String,
    #[serde(skip)]
    #[stem_name(skip)]
    thing: String,
    /// The environment variable that holds the table's name in a function.
    #[serde(skip)]
    #[stem_name(skip)]
    variable: Option<String>,
    /// Earlier KMS keys: existing data may be encrypted with them.
    #[serde(skip)]
    #[stem_name(skip)]
    former_keys: Vec<String>,
    /// The hash key, and the range key if there is one.
    key: Vec<KeyAttribute>,
    /// The resource policy with permissions of others; none in the stack.
    resource_policy: Option<Policy>,
    /// The global indexes by name. Deleted before a change of billing, which would need units for them.
    global_indexes: Indexes,
    /// The local indexes by name, which exist from the creation of the table.
    local_indexes: Indexes,
    /// Other Regions with a replica.
    replicas: BTreeSet<String>,
    billing: Billing,
    class: String,
    /// ARN of the KMS key; nothing means DynamoDB's own key.
    kms_key: Option<String>,
    /// The view type of the stream; nothing means no stream.
    stream: Option<String>,
    deletion_protection: bool,
    /// The attribute with the time when an item expires; nothing means never. Changed before the backups,
    /// because it can be rejected while they are being turned on.
    time_to_live: Option<String>,
    /// Days that backups reach back; nothing means no backups.
    point_in_time_recovery_days: Option<i32>,
    /// Why the table cannot be used; never desired.
    unusable: Option<String>,
    /// Mistakes of the stack that only the builder can see.
    #[serde(skip)]
    #[stem_name(skip)]
    built_wrong: Vec<String>,
}

impl Table {
    /// Returns the table for `thing` with this key, billed on demand.
    pub fn new(scope: &Scope, thing: &str, key: PrimaryKey) -> Self {
        let name = scope.name(thing);
        Self {
            arn: arn(scope, &name),
            name,
            thing: thing.to_owned(),
            variable: None,
            former_keys: Vec::new(),
            key: key.into_attributes(),
            billing: Billing::on_demand(),
            stream: None,
            point_in_time_recovery_days: None,
            time_to_live: None,
            deletion_protection: false,
            kms_key: None,
            class: TableClass::Standard.as_str().to_owned(),
            global_indexes: Indexes::new(),
            local_indexes: Indexes::new(),
            built_wrong: Vec::new(),
            replicas: BTreeSet::new(),
            resource_policy: None,
            unusable: None,
        }
    }

    /// Returns the table with this global index: its items by another key, with copies of these attributes.
    pub fn global_index(mut self, name: &str, key: PrimaryKey, projection: Projection) -> Self {
        let earlier = self.global_indexes.insert(name.to_owned(), Index::global(key, projection));
        self.built_wrong.extend(earlier.map(|_| format!("two global indexes have the name `{name}`")));
        self
    }

    /// Returns the table with this local index: the items of one hash key sorted by another range key, with
    /// copies of these attributes. A local index can only be created with its table.
    pub fn local_index(mut self, name: &str, range: &str, of: KeyType, projection: Projection) -> Self {
        let index = Index::local(&self.key, KeyAttribute::range(range, of), projection);
        let earlier = self.local_indexes.insert(name.to_owned(), index);
        self.built_wrong.extend(earlier.map(|_| format!("two local indexes have the name `{name}`")));
        self
    }

    /// Returns the table with this billing.
    pub fn billing(mut self, billing: Billing) -> Self {
        self.billing = billing;
        self
    }

    /// Returns the table with a stream of this view type.
    pub fn stream(mut self, view: StreamView) -> Self {
        self.stream = Some(view.as_str().to_owned());
        self
    }

    /// Returns the table with backups that reach back this many days, 1 to 35.
    pub fn point_in_time_recovery(mut self, days: Option<i32>) -> Self {
        self.point_in_time_recovery_days = days;
        self
    }

    /// Returns the table whose items expire at the time in this attribute, in epoch seconds.
    pub fn time_to_live(mut self, attribute: &str) -> Self {
        self.time_to_live = Some(attribute.to_owned());
        self
    }

    /// Returns the table with or without deletion protection.
    pub fn deletion_protection(mut self, on: bool) -> Self {
        self.deletion_protection = on;
        self
    }

    /// Returns the table encrypted with the KMS key of this ARN, which is the form that AWS returns, or with
    /// DynamoDB's own key.
    pub fn encrypted_with(mut self, keys: impl Into<Keys>) -> Self {
        Keys { today: self.kms_key, former: self.former_keys } = keys.into();
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
}

impl Resource for Table {
    type Cloud = Aws;
    type Field = TableFieldName;
    const INFO: KindInfo = KindInfo {
        stateful: true,
        left_out: &[
            LeftOut { what: "warm throughput", why: "it can be raised but not lowered" },
            LeftOut {
                what: "the policy of the stream",
                why: "one more call on every read, for a stream that keeps records for a day",
            },
            LeftOut {
                what: "contributor insights and Kinesis destinations",
                why: "one more call each on every read",
            },
        ],
        ..KindInfo::new("dynamodb.table")
    };

    fn name(&self) -> &str {
        &self.name
    }

    fn arn(&self) -> Option<&str> {
        Some(&self.arn)
    }

    fn import_ids(&self) -> Vec<ImportId> {
        let policy = self.resource_policy.as_ref();
        let policy = policy.map(|_| ImportId::new("aws_dynamodb_resource_policy", &self.arn));
        [ImportId::new("aws_dynamodb_table", &self.name)].into_iter().chain(policy).collect()
    }

    fn renews(&self, field: TableFieldName) -> bool {
        field == TableFieldName::Stream
    }

    fn effect(&self, field: TableFieldName, live: &Self) -> Effect {
        self.effect_of(field, live)
    }

    fn mistakes(&self, stack: &Neighbours<'_>) -> Vec<String> {
        self.found_mistakes(stack)
    }

    fn permissions(scope: &Scope) -> Vec<Statement> {
        permissions::permissions(scope)
    }

    async fn read(&self, aws: &Aws) -> Result<Option<Live<Self>>, Error> {
        let name = &self.name;
        let (table, backups, time_to_live, policy, tags) = join!(
            described(name, aws),
            reads::backups(name, aws),
            reads::time_to_live(name, aws),
            reads::resource_policy(&self.arn, aws),
            reads::tags(name, aws),
        );
        let Some(table) = table.gone_is_none()? else {
            return Ok(None);
        };
        // A table that is being deleted still answers like a live one.
        if table.table_status == Some(TableStatus::Deleting) {
            return Ok(None);
        }
        // DescribeTable decides whether the table exists. Other reads may not find a new table yet.
        let (backups, time_to_live) =
            (backups.map_err(retry_not_found)?, time_to_live.map_err(retry_not_found)?);
        let (policy, tags) = (policy.map_err(retry_not_found)?, tags.map_err(retry_not_found)?);
        let region = &aws.scope.region;
        let resource = self.live(&table, backups.as_ref(), time_to_live.as_ref(), policy, region);
        Ok(Some(Live { resource, tags: Some(tags), identity: table.table_id }))
    }

    async fn create(&self, tags: &Tags, aws: &Aws) -> Result<(), Error> {
        earlier_gone(&self.name, aws).await?;
        match self.creation(tags, aws)?.send().await.called() {
            // The code means that the table exists, that it is being deleted, or that too many tables are
            // being created. The state distinguishes them.
            Err(error) if error.class == Class::InProgress => match status(&self.name, aws).await? {
                None | Some(TableStatus::Deleting) => return Err(error),
                Some(_) => aws.adopt(error, reads::shown_tags(&self.name, aws).await?.as_ref())?,
            },
            other => other.map(drop)?,
        }
        self.settled(aws).await?;
        finish(self, tags, aws).await
    }

    async fn ready(&self, aws: &Aws) -> Result<(), Error> {
        self.settled(aws).await.map(drop)
    }

    async fn update(&self, live: &Self, changed: &Changed<Self>, aws: &Aws) -> Result<(), Error> {
        use TableFieldName as Field;
        let name = &self.name;
        for field in changed {
            match field {
                Field::ResourcePolicy => self.delete_resource_policy(aws).await?,
                Field::GlobalIndexes => self.change_indexes(aws).await?,
                Field::Billing => self.change_billing(aws).await?,
                Field::Class => {
                    change(name, aws, |call| call.table_class(self.class.as_str().into())).await?
                }
                Field::KmsKey => change(name, aws, |call| call.sse_specification(self.encryption())).await?,
                Field::Stream => self.change_stream(live, aws).await?,
                Field::DeletionProtection => {
                    let on = self.deletion_protection;
                    change(name, aws, |call| call.deletion_protection_enabled(on)).await?;
                }
                Field::TimeToLive => self.change_time_to_live(live, aws).await?,
                Field::PointInTimeRecoveryDays => self.change_recovery(aws).await?,
                // The plan refuses to change these fields.
                Field::Name | Field::Key | Field::LocalIndexes | Field::Replicas | Field::Unusable => {}
            }
        }
        Ok(())
    }

    async fn tag(&self, tags: &Tags, aws: &Aws) -> Result<(), Error> {
        let call = aws.dynamodb.tag_resource().resource_arn(&self.arn);
        call.set_tags(Some(requests::tags(tags)?)).send().await.called().map(drop)
    }

    async fn delete(name: &str, aws: &Aws) -> Result<(), Error> {
        let Some(table) = described(name, aws).await.gone_is_none()? else {
            return Ok(());
        };
        if table.table_status != Some(TableStatus::Deleting) {
            if table.deletion_protection_enabled == Some(true) {
                change(name, aws, |call| call.deletion_protection_enabled(false)).await?;
            }
            wait_until("the table to accept its deletion", SETTLED, || async {
                let call = aws.dynamodb.delete_table().table_name(name);
                match call.send().await.called() {
                    Err(error) if error.class == Class::InProgress => Ok(None),
                    other => other.gone_is_none().map(Some),
                }
            })
            .await?;
        }
        gone("the table to be deleted", name, aws).await
    }

    async fn list(scope: &Scope, aws: &Aws) -> Result<Vec<String>, Error> {
        let names = aws.dynamodb.list_tables().into_paginator().items().send();
        let mut names: Vec<String> = names.try_collect().await.called()?;
        names.retain(|name| name.starts_with(&scope.prefix()));
        Ok(names)
    }

    async fn tags(name: &str, aws: &Aws) -> Result<Option<Tags>, Error> {
        reads::tags(name, aws).await.gone_is_none()
    }
}

/// Returns the ARN of the table's stream, which contains the time when the stream was turned on. Returns
/// nothing if there is no stream or no table.
pub(crate) async fn latest_stream_arn(table: &str, aws: &Aws) -> Result<Option<String>, Error> {
    let table = described(table, aws).await.gone_is_none()?;
    // A stream that was turned off keeps its ARN.
    Ok(table.and_then(|table| live::view(&table).and(table.latest_stream_arn)))
}

fn arn(scope: &Scope, name: &str) -> String {
    scope.arn("dynamodb", &format!("table/{name}"))
}

#[cfg(test)]
mod tests;
