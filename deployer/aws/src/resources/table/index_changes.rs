//! Changes of the global indexes of a live table: one creation or deletion at a time.
//!
//! AWS shows where an earlier change has come to, so each change is decided from a new description of the
//! table. What an interrupted run left is continued in this way.

use std::time::Duration;

use aws_sdk_dynamodb::types::{AttributeDefinition, IndexStatus, TableDescription};
use engine::error::{Error, GoneIsNone};

use super::changes::{change, done_already};
use super::index::{Indexes, billed, deletion, live_globals};
use super::primary_key::{self, KeyAttribute};
use super::states::{active, described};
use super::{Billing, Table};
use crate::{Aws, wait_until};

/// How long the change of an index may take. DynamoDB copies the items into a new index, which takes minutes
/// to hours, depending on the table's size ("Managing global secondary indexes in DynamoDB", DynamoDB
/// developer guide). This is the longest job of GitHub Actions.
const BUILT: Duration = Duration::from_hours(6);

/// The next change of the global indexes.
#[derive(Debug, Clone, PartialEq, Eq)]
enum IndexChange {
    /// An earlier change has to finish first.
    Wait,
    Delete(String),
    Create(String),
    /// The index gets the billing of its table.
    Bill(String),
}

impl IndexChange {
    /// Returns the end of the change, as words that follow "waiting for".
    fn end(&self) -> String {
        match self {
            Self::Wait => "an earlier change of an index to finish".to_owned(),
            Self::Delete(name) => format!("the index {name} to be deleted"),
            Self::Create(name) => format!("the index {name} to be ACTIVE"),
            Self::Bill(name) => format!("the index {name} to have the table's billing"),
        }
    }
}

impl Table {
    /// Creates, deletes and replaces global indexes until they are as desired and ACTIVE.
    pub(super) async fn change_indexes(&self, aws: &Aws) -> Result<(), Error> {
        let mut latest = IndexChange::Wait;
        loop {
            // DescribeTable can still show the table before the latest change.
            let next = wait_until(&latest.end(), BUILT, || async {
                let table = described(&self.name, aws).await?;
                let next = next_change(&self.global_indexes, &table);
                let is_shown = next != Some(IndexChange::Wait) && next.as_ref() != Some(&latest);
                Ok(is_shown.then_some((next, table)))
            })
            .await?;
            let (Some(next), table) = next else {
                return Ok(());
            };
            self.change_index(&next, &table, aws).await?;
            latest = next;
        }
    }

    /// Makes one change. After a lost answer, it may be made already.
    async fn change_index(
        &self,
        next: &IndexChange,
        table: &TableDescription,
        aws: &Aws,
    ) -> Result<(), Error> {
        let billing = Billing::of(table);
        match next {
            IndexChange::Wait => Ok(()),
            IndexChange::Delete(name) => {
                let delete = deletion(name)?;
                let deleted =
                    change(&self.name, aws, |call| call.global_secondary_index_updates(delete.clone())).await;
                deleted.gone_is_none().map(drop)
            }
            IndexChange::Create(name) => {
                let Some(index) = self.global_indexes.get(name) else { return Ok(()) };
                let create = index.creation(name, &billing)?;
                let definitions = definitions_with(table, &index.key)?;
                let created = change(&self.name, aws, |call| {
                    let call = call.set_attribute_definitions(Some(definitions.clone()));
                    call.global_secondary_index_updates(create.clone())
                });
                done_already(created.await, "index which already exists")
            }
            IndexChange::Bill(name) => {
                let update = billed(name, &billing)?;
                let changed =
                    change(&self.name, aws, |call| call.global_secondary_index_updates(update.clone())).await;
                done_already(changed, "will not change")
            }
        }
    }

    /// Waits until the table accepts changes and all its indexes can be queried, and returns the table.
    pub(super) async fn settled(&self, aws: &Aws) -> Result<TableDescription, Error> {
        active(&self.name, aws).await?;
        wait_until("the table's indexes to be ACTIVE", BUILT, || async {
            let table = described(&self.name, aws).await?;
            Ok(unfinished(&table).is_none().then_some(table))
        })
        .await
    }
}

/// Returns the next change on the way to the desired indexes, or nothing if there is none.
///
/// A table has one creation or deletion of an index at a time, and an index that is being created can only be
/// deleted while it is backfilled ("GlobalSecondaryIndexDescription", DynamoDB API reference). Deletions come
/// first: two definitions of an attribute cannot exist at once.
fn next_change(desired: &Indexes, table: &TableDescription) -> Option<IndexChange> {
    let live = live_globals(table);
    let mut unwanted =
        live.iter().filter(|(name, live)| !desired.get(*name).is_some_and(|index| index.is_same_as(live)));
    if let Some((unfinished, is_backfilling)) = unfinished(table) {
        let is_deleted = is_backfilling && unwanted.any(|(name, _)| name == unfinished);
        let delete = is_deleted.then(|| IndexChange::Delete(unfinished.to_owned()));
        return Some(delete.unwrap_or(IndexChange::Wait));
    }
    if let Some((name, _)) = unwanted.next() {
        return Some(IndexChange::Delete(name.clone()));
    }
    if let Some(name) = desired.keys().find(|name| !live.contains_key(*name)) {
        return Some(IndexChange::Create(name.clone()));
    }
    let billed_apart = live.iter().find(|(_, live)| live.own_billing.is_some());
    billed_apart.map(|(name, _)| IndexChange::Bill(name.clone()))
}

/// Returns an index that is being created, updated or deleted, and whether it is being backfilled.
fn unfinished(table: &TableDescription) -> Option<(&str, bool)> {
    let is_active = |status: Option<&IndexStatus>| matches!(status, None | Some(IndexStatus::Active));
    let index =
        table.global_secondary_indexes().iter().find(|index| !is_active(index.index_status.as_ref()))?;
    let is_created = index.index_status == Some(IndexStatus::Creating);
    Some((index.index_name().unwrap_or_default(), is_created && index.backfilling == Some(true)))
}

/// Returns the attributes of the keys of a live table, of its indexes, and of a new index: a request may
/// define no other attribute.
fn definitions_with(
    table: &TableDescription,
    new: &[KeyAttribute],
) -> Result<Vec<AttributeDefinition>, Error> {
    let key = |schema| primary_key::live(schema, table.attribute_definitions());
    let mut keys = vec![key(table.key_schema())];
    keys.extend(table.global_secondary_indexes().iter().map(|index| key(index.key_schema())));
    keys.extend(table.local_secondary_indexes().iter().map(|index| key(index.key_schema())));
    primary_key::definitions(keys.iter().flatten().chain(new))
}
