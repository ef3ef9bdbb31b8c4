//! The store of events in a DynamoDB table, one item per commit.

use std::collections::HashMap;

use aws_sdk_dynamodb::{
    Client,
    error::SdkError,
    operation::{put_item::PutItemError, query::QueryError},
    types::{AttributeValue, ReturnValuesOnConditionCheckFailure},
};
use eventsourcing::{AggregateId, Commit, EventStore, OccurredAt, contract::attribute, store::AppendError};
use futures::{Stream, StreamExt, TryStreamExt, stream};
use thiserror::Error;

use crate::{
    table::{ItemError, from_item, to_item, to_restored_item},
    throttled::ThrottledWrites,
};

/// Stores commits in a table with hash key `AggregateId` and range key `Version`.
#[derive(Debug, Clone)]
pub struct DynamoDbEventStore {
    client: Client,
    table: String,
}

/// A failed call to the table, or an invalid item in it.
#[derive(Debug, Error)]
pub enum DynamoDbError {
    /// A query failed.
    #[error("cannot read {id} from table {table}")]
    Read {
        /// The aggregate.
        id: AggregateId,
        /// The table.
        table: String,
        /// The cause; boxed, because it is a hundred times larger than the rest.
        source: Box<SdkError<QueryError>>,
    },
    /// A put failed for another reason than a taken version.
    #[error("cannot append to {id} in table {table}")]
    Append {
        /// The aggregate.
        id: AggregateId,
        /// The table.
        table: String,
        /// The cause.
        source: Box<SdkError<PutItemError>>,
    },
    /// An item is not a valid commit, or a commit cannot be stored as an item.
    #[error("an item of {id} in table {table} is invalid")]
    Item {
        /// The aggregate.
        id: AggregateId,
        /// The table.
        table: String,
        /// The cause.
        source: ItemError,
    },
}

type Item = HashMap<String, AttributeValue>;

/// The next page of a query.
enum Page {
    First,
    After(Item),
    None,
}

impl DynamoDbEventStore {
    /// Returns the store in a table.
    pub fn new(client: Client, table_name: impl Into<String>) -> Self {
        Self { client, table: table_name.into() }
    }

    /// Reads one page of an aggregate's commits after a version, and returns it with the next page.
    async fn read_page(
        &self,
        id: &AggregateId,
        version: u64,
        page: Page,
    ) -> Result<Option<(Vec<Item>, Page)>, DynamoDbError> {
        let start = match page {
            Page::First => None,
            Page::After(key) => Some(key),
            Page::None => return Ok(None),
        };
        let query = self
            .client
            .query()
            .table_name(&self.table)
            .consistent_read(true)
            .key_condition_expression("#id = :id AND #version > :version")
            .expression_attribute_names("#id", attribute::AGGREGATE_ID)
            .expression_attribute_names("#version", attribute::VERSION)
            .expression_attribute_values(":id", AttributeValue::S(id.to_string()))
            .expression_attribute_values(":version", AttributeValue::N(version.to_string()))
            .set_exclusive_start_key(start);
        let found = query.send().await.map_err(|error| DynamoDbError::Read {
            id: id.clone(),
            table: self.table.clone(),
            source: Box::new(error),
        })?;
        let next = found.last_evaluated_key.map_or(Page::None, Page::After);
        Ok(Some((found.items.unwrap_or_default(), next)))
    }

    fn broken(&self, id: &AggregateId) -> impl Fn(ItemError) -> DynamoDbError {
        let (id, table) = (id.clone(), self.table.clone());
        move |source| DynamoDbError::Item { id: id.clone(), table: table.clone(), source }
    }
}

impl EventStore for DynamoDbEventStore {
    type Error = DynamoDbError;

    fn read_after(
        &self,
        id: &AggregateId,
        version: u64,
    ) -> impl Stream<Item = Result<Commit, DynamoDbError>> + Send {
        stream::try_unfold(Page::First, move |page| self.read_page(id, version, page))
            .map_ok(move |items| {
                let broken = self.broken(id);
                stream::iter(items).map(move |item| from_item(item).map_err(&broken))
            })
            .try_flatten()
    }

    async fn append(&self, commit: &Commit) -> Result<(), AppendError<DynamoDbError>> {
        let broken = self.broken(&commit.aggregate_id);
        let item = to_item(commit).map_err(broken).map_err(AppendError::Store)?;
        self.put(commit, item).await
    }
}

impl DynamoDbEventStore {
    /// Writes a lost commit back into the table. Its events were published before; the item has a mark with
    /// the time, so they are not published again.
    ///
    /// # Errors
    /// See [`EventStore::append`].
    pub async fn restore(&self, commit: &Commit, at: OccurredAt) -> Result<(), AppendError<DynamoDbError>> {
        let broken = self.broken(&commit.aggregate_id);
        let item = to_restored_item(commit, at).map_err(broken).map_err(AppendError::Store)?;
        self.put(commit, item).await
    }

    /// Puts the item of a commit, unless another commit has this version.
    async fn put(&self, commit: &Commit, item: Item) -> Result<(), AppendError<DynamoDbError>> {
        let id = &commit.aggregate_id;
        let put = self
            .client
            .put_item()
            .table_name(&self.table)
            .set_item(Some(item))
            .condition_expression("attribute_not_exists(#id)")
            .expression_attribute_names("#id", attribute::AGGREGATE_ID)
            // The error then contains the item that has the version. The SDK retries a put whose response was
            // lost, so it can be the same commit.
            .return_values_on_condition_check_failure(ReturnValuesOnConditionCheckFailure::AllOld);
        let put = put.customize().interceptor(ThrottledWrites { table: self.table.clone() });
        let Err(error) = put.send().await else {
            return Ok(());
        };
        let Some(PutItemError::ConditionalCheckFailedException(taken)) = error.as_service_error() else {
            return Err(AppendError::Store(DynamoDbError::Append {
                id: id.clone(),
                table: self.table.clone(),
                source: Box::new(error),
            }));
        };
        // An item that is not a commit is reported by the next reader.
        match taken.item.clone().map(from_item) {
            Some(Ok(there)) if there.is(commit) => Ok(()),
            _ => Err(AppendError::Conflict),
        }
    }
}
