//! Reading the whole table, a page at a time, in as many hands as one likes.

use std::collections::HashMap;

use aws_sdk_dynamodb::{Client, error::SdkError, operation::scan::ScanError, types::AttributeValue};
use eventsourcing::{Commit, contract::attribute};
use serde::{Deserialize, Serialize};
use thiserror::Error;

use crate::table::{ItemError, from_item};

/// Where in the table a scan stands: the key of the last item it has seen.
///
/// The key as it is stored: an item may be no commit and have any key at all.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct ScanPosition {
    /// The hash key.
    pub aggregate_id: String,
    /// The range key.
    pub version: String,
}

/// A share of the table: the `share`th of `of`, from 0.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Share {
    /// Which one.
    pub share: i32,
    /// How many there are.
    pub of: i32,
}

impl Share {
    /// The whole table in one hand.
    pub const WHOLE: Self = Self { share: 0, of: 1 };
}

/// An item of the table that is no commit.
#[derive(Debug, Error)]
#[error("the item {} version {} is no commit", .at.aggregate_id, .at.version)]
pub struct BrokenItem {
    /// Its key.
    pub at: ScanPosition,
    /// What is wrong with it.
    pub source: ItemError,
}

/// Some of a table's commits. All commits of one aggregate are in one share, in the order of
/// their versions, if need be over several pages.
#[derive(Debug)]
pub struct Page {
    /// The commits, and what is none.
    pub commits: Vec<Result<Commit, BrokenItem>>,
    /// Where the next page begins, if there is one.
    pub next: Option<ScanPosition>,
}

/// A table that can be read as a whole.
pub trait Scan: Send + Sync {
    /// Why a page could not be read.
    type Error: std::error::Error + Send + Sync + 'static;

    /// Returns a page of a share: the first, or the one behind `after`.
    fn scan(
        &self,
        share: Share,
        after: Option<&ScanPosition>,
    ) -> impl Future<Output = Result<Page, Self::Error>> + Send;
}

/// The events table.
#[derive(Debug, Clone)]
pub struct EventsTable {
    client: Client,
    table: String,
}

/// A page could not be read.
#[derive(Debug, Error)]
#[error("scanning table {table} failed")]
pub struct ScanFailed {
    /// The table.
    pub table: String,
    /// What happened.
    pub source: Box<SdkError<ScanError>>,
}

impl EventsTable {
    /// Returns the table with this name.
    pub fn new(client: Client, name: impl Into<String>) -> Self {
        Self { client, table: name.into() }
    }
}

impl Scan for EventsTable {
    type Error = ScanFailed;

    /// Consistent, so that what was appended before the scan is seen by it ("Scan", DynamoDB
    /// API reference). Items of one hash key come together, by range key.
    async fn scan(&self, share: Share, after: Option<&ScanPosition>) -> Result<Page, ScanFailed> {
        let scan = self.client.scan().table_name(&self.table).consistent_read(true);
        let scan = scan.segment(share.share).total_segments(share.of);
        let scan = scan.set_exclusive_start_key(after.map(|seen| {
            HashMap::from([
                (attribute::AGGREGATE_ID.to_owned(), AttributeValue::S(seen.aggregate_id.clone())),
                (attribute::VERSION.to_owned(), AttributeValue::N(seen.version.clone())),
            ])
        }));
        let found = scan.send().await;
        let found =
            found.map_err(|error| ScanFailed { table: self.table.clone(), source: Box::new(error) })?;
        let commit = |item: HashMap<String, AttributeValue>| {
            let at = key_of(&item);
            from_item(item).map_err(|source| BrokenItem { at, source })
        };
        Ok(Page {
            next: found.last_evaluated_key.as_ref().map(key_of),
            commits: found.items.unwrap_or_default().into_iter().map(commit).collect(),
        })
    }
}

fn key_of(item: &HashMap<String, AttributeValue>) -> ScanPosition {
    let text = |name| match item.get(name) {
        Some(AttributeValue::S(text) | AttributeValue::N(text)) => text.clone(),
        _ => String::new(),
    };
    ScanPosition { aggregate_id: text(attribute::AGGREGATE_ID), version: text(attribute::VERSION) }
}
