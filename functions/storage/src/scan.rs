//! Reading the whole table, page by page, in one or more parallel segments.

use std::collections::HashMap;

use aws_sdk_dynamodb::{Client, error::SdkError, operation::scan::ScanError, types::AttributeValue};
use eventsourcing::{Commit, contract::attribute};
use serde::{Deserialize, Serialize};
use thiserror::Error;

use crate::table::{ItemError, from_item};

/// The position of a scan in the table: the key of the last item that was read.
///
/// The key is kept as it is stored, because an item that is not a commit can have any key.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct ScanPosition {
    /// The hash key.
    pub aggregate_id: String,
    /// The range key.
    pub version: String,
}

/// A segment of the table for a parallel scan: number `share` of `of`, from 0.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Share {
    /// The number of this segment.
    pub share: i32,
    /// The number of segments.
    pub of: i32,
}

impl Share {
    /// The whole table as one segment.
    pub const WHOLE: Self = Self { share: 0, of: 1 };
}

/// An item of the table that is not a valid commit.
#[derive(Debug, Error)]
#[error("the item {} version {} is not a valid commit", .at.aggregate_id, .at.version)]
pub struct BrokenItem {
    /// The key of the item.
    pub at: ScanPosition,
    /// The cause.
    pub source: ItemError,
}

/// One page of a table's commits. All commits of an aggregate are in one segment, in the order of their
/// versions, on one or more pages.
#[derive(Debug)]
pub struct Page {
    /// The commits, and the items that are not valid commits.
    pub commits: Vec<Result<Commit, BrokenItem>>,
    /// The position before the next page, if there is one.
    pub next: Option<ScanPosition>,
}

/// A table that can be read as a whole.
pub trait Scan: Send + Sync {
    /// Why a page could not be read.
    type Error: std::error::Error + Send + Sync + 'static;

    /// Returns a page of a segment: the first, or the one after `after`.
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
#[error("cannot scan table {table}")]
pub struct ScanFailed {
    /// The table.
    pub table: String,
    /// The cause.
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

    /// The reads are consistent, so the scan includes all earlier appends ("Scan", DynamoDB API reference).
    /// Items with the same hash key follow each other, ordered by range key.
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
