//! The events table, and its stream.
//!
//! Puts are conditional and atomic. A query is consistent and paged, but not a snapshot. Each new item is in
//! the stream once. The items of one aggregate go through one lineage of shards: they have one hash key, and
//! are only added after the last one.

use std::{
    collections::{BTreeMap, HashMap},
    sync::Arc,
};

use aws_lambda_events::event::dynamodb::{EventRecord, StreamRecord};
use eventsourcing::{AggregateId, Commit, EventStore, contract::attribute, store::AppendError};
use futures::{Stream, StreamExt, TryStreamExt, stream};
use serde_dynamo::{AttributeValue, Item};
use storage::{
    scan::{BrokenItem, Page, Scan, ScanPosition, Share},
    table::{ItemError, from_item, to_item},
};
use thiserror::Error;
use tokio::time::Instant;

use super::{
    World, lock,
    process::{OutOfReach, Process},
    shards::place,
};

/// The items of the table, by key.
#[derive(Debug, Default)]
pub(crate) struct Items(BTreeMap<(String, u64), Stored>);

#[derive(Debug, Clone)]
struct Stored {
    item: Item,
    since: Instant,
}

/// The table, as one process sees it.
#[derive(Debug, Clone)]
pub(crate) struct Table(pub(crate) Process);

/// The table is unreachable, or an item is invalid.
#[derive(Debug, Error)]
pub(crate) enum TableError {
    #[error(transparent)]
    OutOfReach(#[from] OutOfReach),
    #[error("an item is broken")]
    Item(#[from] ItemError),
}

impl Items {
    /// Returns all items in the order of their keys.
    pub(crate) fn all(&self) -> impl Iterator<Item = &Item> {
        self.0.values().map(|stored| &stored.item)
    }
}

impl World {
    /// Puts an item unless one exists; returns the existing one.
    pub(crate) fn put_item(&self, id: &str, version: u64, item: &Item) -> Option<Item> {
        let key = (id.to_owned(), version);
        if let Some(there) = lock(&self.table).0.get(&key) {
            return Some(there.item.clone());
        }
        self.put_item_anyway(id, version, item);
        None
    }

    /// Puts an item, and replaces an existing one.
    pub(crate) fn put_item_anyway(&self, id: &str, version: u64, item: &Item) {
        let stored = Stored { item: item.clone(), since: Instant::now() };
        let before = lock(&self.table).0.insert((id.to_owned(), version), stored);
        let name = if before.is_some() { "MODIFY" } else { "INSERT" };
        self.stream_item(id, version, name, Some(item));
    }

    /// Adds the record of a change to the table's stream, and returns its id.
    pub(crate) fn stream_item(&self, id: &str, version: u64, name: &str, item: Option<&Item>) -> String {
        let serial = self.serial();
        let keys = HashMap::from([
            (attribute::AGGREGATE_ID.to_owned(), AttributeValue::S(id.to_owned())),
            (attribute::VERSION.to_owned(), AttributeValue::N(version.to_string())),
        ]);
        let mut change = StreamRecord::default();
        change.keys = keys.into();
        change.new_image = item.cloned().unwrap_or_default();
        change.sequence_number = Some(format!("{serial:021}"));
        let mut record = EventRecord::default();
        record.event_id = format!("{serial:032x}");
        record.event_name = name.to_owned();
        record.change = change;
        let event_id = record.event_id.clone();
        let mut stream = lock(&self.table_stream);
        if self.chance.happens(self.weather().resharded) {
            let said = stream.reshard(&self.chance);
            self.trace.note("table stream", || said);
        }
        stream.push(id, |_| Arc::new(record));
        drop(stream);
        self.change();
        event_id
    }

    /// Returns some of an aggregate's items, like a query that started some time ago.
    fn query(&self, id: &str, after: u64, began: Instant) -> Vec<Item> {
        let table = lock(&self.table);
        let of_id = table.0.range((id.to_owned(), after + 1)..=(id.to_owned(), u64::MAX));
        let mut page: Vec<_> =
            of_id.take(1 + self.chance.mostly_small(8)).map(|(_, stored)| stored).collect();
        // Items that were added meanwhile may be seen in part.
        let torn = page.iter().rev().skip(1).position(|stored| stored.since > began);
        if let Some(place) = torn
            && self.chance.happens(self.weather().torn_reads)
        {
            page.remove(page.len() - 2 - place);
        }
        page.into_iter().map(|stored| stored.item.clone()).collect()
    }
}

/// Returns the number in an item's range key, or 0 if it has none.
pub(crate) fn version_of(item: &Item) -> u64 {
    match item.inner().get(attribute::VERSION) {
        Some(AttributeValue::N(version)) => version.parse().unwrap_or_default(),
        _ => 0,
    }
}

/// Returns an item's hash key.
pub(crate) fn id_of(item: &Item) -> &str {
    match item.inner().get(attribute::AGGREGATE_ID) {
        Some(AttributeValue::S(id)) => id,
        _ => "",
    }
}

impl EventStore for Table {
    type Error = TableError;

    fn read_after(
        &self,
        id: &AggregateId,
        version: u64,
    ) -> impl Stream<Item = Result<Commit, TableError>> + Send {
        let (id, began) = (id.to_string(), Instant::now());
        let pages = stream::try_unfold(version, move |after| {
            let id = id.clone();
            async move {
                let of = id.clone();
                let query = move |world: &World| world.query(&of, after, began);
                let page = self.0.call(|| format!("Query {id} after {after}"), query).await?;
                let last = page.last().map(version_of);
                Ok::<_, TableError>(last.map(|last| (stream::iter(page), last)))
            }
        });
        pages.map_ok(|page| page.map(|item| Ok(from_item(item)?))).try_flatten()
    }

    async fn append(&self, commit: &Commit) -> Result<(), AppendError<TableError>> {
        let item = to_item(commit).map_err(|error| AppendError::Store(error.into()))?;
        let (item, id, version) = (Item::from(item), commit.aggregate_id.to_string(), commit.version);
        let what = || format!("PutItem {id} {version} for {}", commit.context.command_id);
        let of = id.clone();
        let put = move |world: &World| world.put_item(&of, version, &item);
        let taken = self.0.call(what, put).await.map_err(|error| AppendError::Store(error.into()))?;
        match taken.map(from_item) {
            None => Ok(()),
            Some(Ok(there)) if there.is(commit) => Ok(()),
            Some(_) => Err(AppendError::Conflict),
        }
    }
}

impl Scan for Table {
    type Error = OutOfReach;

    async fn scan(&self, share: Share, after: Option<&ScanPosition>) -> Result<Page, OutOfReach> {
        let of = u32::try_from(share.of).unwrap_or(1);
        let start = after.map(|seen| (seen.aggregate_id.clone(), seen.version.parse().unwrap_or(0)));
        let scan = move |world: &World| {
            let table = lock(&world.table);
            let in_share = |id: &str| place(id, of) as i32 == share.share;
            let mut items = table.0.iter().filter(|((id, _), _)| in_share(id));
            let behind = |key: &(String, u64)| start.as_ref().is_none_or(|start| key > start);
            let size = 1 + world.chance.mostly_small(12);
            let page: Vec<_> = items
                .by_ref()
                .filter(|(key, _)| behind(key))
                .take(size)
                .map(|(_, s)| s.item.clone())
                .collect();
            (page, items.next().is_some())
        };
        let (items, more) = self.0.call(|| format!("Scan {share:?} after {after:?}"), scan).await?;
        let seen = |item: &Item| ScanPosition {
            aggregate_id: id_of(item).to_owned(),
            version: version_of(item).to_string(),
        };
        Ok(Page {
            next: items.last().filter(|_| more).map(seen),
            commits: items
                .into_iter()
                .map(|item| {
                    let at = seen(&item);
                    from_item(item).map_err(|source| BrokenItem { at, source })
                })
                .collect(),
        })
    }
}
