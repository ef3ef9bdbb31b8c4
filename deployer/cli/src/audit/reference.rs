//! What the table is compared with: its archive, or another table, such as one restored to a point in time.
//!
//! Both consist of parts with keys, and each part contains events: the objects of the archive, the pages of a
//! table. So every operation on an archive also works on a table.

use std::collections::BTreeMap;
use std::ops::Bound;
use std::sync::Mutex;

use engine::error::Error;
use eventsourcing::contract::EVENTS_PREFIX;
use eventsourcing::{Commit, Envelope};
use storage::archive::{Unread, object};
use storage::bucket::{Objects, S3Bucket};
use storage::fault::chain;
use storage::scan::{EventsTable, Scan, ScanPosition, Share};

use crate::storage_errors::Classify;

/// Published events that a table is compared with, in parts that have keys.
pub trait Reference: Send + Sync {
    /// Returns some of the keys that start with a prefix and come after `after`, in order. The list is empty
    /// only if there are no more keys.
    fn keys(
        &self,
        prefix: &str,
        after: Option<&str>,
    ) -> impl Future<Output = Result<Vec<String>, Error>> + Send;

    /// Returns the events of a part, or the reason why it is not valid.
    ///
    /// # Errors
    /// Returns an error if the call failed, which says nothing about the part.
    fn events(&self, key: &str) -> impl Future<Output = Result<Result<Vec<Envelope>, String>, Error>> + Send;
}

/// The archive in its bucket.
impl<B: Objects<Error: Classify>> Reference for B {
    async fn keys(&self, prefix: &str, after: Option<&str>) -> Result<Vec<String>, Error> {
        self.list(prefix, after).await.map_err(Classify::classify)
    }

    async fn events(&self, key: &str) -> Result<Result<Vec<Envelope>, String>, Error> {
        match object(self, key).await {
            Ok(events) => Ok(Ok(events)),
            Err(Unread::Call(error)) => Err(error.classify()),
            Err(other) => Ok(Err(chain(&other))),
        }
    }
}

/// The archive or another table, as chosen on the command line.
#[derive(Debug)]
pub enum ArchiveOrTable {
    /// The bucket of the archive.
    Archive(S3Bucket),
    /// Another table.
    Table(Pages<EventsTable>),
}

impl ArchiveOrTable {
    /// Returns the kind of this reference.
    pub fn kind(&self) -> Other {
        match self {
            Self::Archive(_) => Other::Archive,
            Self::Table(_) => Other::Table,
        }
    }
}

impl Reference for ArchiveOrTable {
    async fn keys(&self, prefix: &str, after: Option<&str>) -> Result<Vec<String>, Error> {
        match self {
            Self::Archive(bucket) => bucket.keys(prefix, after).await,
            Self::Table(pages) => pages.keys(prefix, after).await,
        }
    }

    async fn events(&self, key: &str) -> Result<Result<Vec<Envelope>, String>, Error> {
        match self {
            Self::Archive(bucket) => bucket.events(key).await,
            Self::Table(pages) => pages.events(key).await,
        }
    }
}

/// The kind of reference that a table is compared with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Other {
    /// Its archive.
    Archive,
    /// Another table.
    Table,
}

impl Other {
    /// Returns its name in reports, where the other side is "the table".
    pub fn name(self) -> &'static str {
        match self {
            Self::Archive => "archive",
            Self::Table => "second table",
        }
    }
}

/// A table used like an archive. It must not be written to while it is read.
#[derive(Debug)]
pub struct Pages<T> {
    table: T,
    /// The pages found so far: key and start position. The next page is found when the page before it is
    /// listed.
    found: Mutex<BTreeMap<String, Option<ScanPosition>>>,
}

impl<T: Scan<Error: Classify>> Pages<T> {
    /// Returns the pages of a table.
    pub fn of(table: T) -> Self {
        Self { table, found: Mutex::new(BTreeMap::from([(key(0), None)])) }
    }

    fn found(&self) -> std::sync::MutexGuard<'_, BTreeMap<String, Option<ScanPosition>>> {
        self.found.lock().expect("the lock is never poisoned")
    }
}

/// Digits sort before the `dt=` of archive keys, so a listing that starts at an hour contains no page.
fn key(page: usize) -> String {
    format!("{EVENTS_PREFIX}{page:09}")
}

fn key_of(commit: &Commit) -> ScanPosition {
    ScanPosition { aggregate_id: commit.aggregate_id.to_string(), version: commit.version.to_string() }
}

impl<T: Scan<Error: Classify>> Reference for Pages<T> {
    /// Returns one page at a time, because a page gives the start of the next one.
    async fn keys(&self, prefix: &str, after: Option<&str>) -> Result<Vec<String>, Error> {
        let next = {
            let found = self.found();
            let behind = |key: &&String| after.is_none_or(|after| key.as_str() > after);
            let next = found.keys().find(|key| key.starts_with(prefix) && behind(key));
            next.map(|key| (key.clone(), found[key].clone(), found.len()))
        };
        let Some((this, begins, pages)) = next else {
            return Ok(Vec::new());
        };
        let page = self.table.scan(Share::WHOLE, begins.as_ref()).await.map_err(Classify::classify)?;
        if let Some(next) = page.next {
            let mut found = self.found();
            if !found.values().any(|known| known.as_ref() == Some(&next)) {
                found.insert(key(pages), Some(next));
            }
        }
        Ok(vec![this])
    }

    /// An item that is not a valid commit makes the whole page unreadable: its content is unknown.
    async fn events(&self, key: &str) -> Result<Result<Vec<Envelope>, String>, Error> {
        let (mut after, behind) = {
            let found = self.found();
            let Some(begins) = found.get(key) else { return Ok(Err("the page was not listed".to_owned())) };
            let behind = found.range::<str, _>((Bound::Excluded(key), Bound::Unbounded)).next();
            (begins.clone(), behind.and_then(|(_, begins)| begins.clone()))
        };
        let mut events = Vec::new();
        // DynamoDB does not promise that a page ends where it ended when it was listed.
        loop {
            let page = self.table.scan(Share::WHOLE, after.as_ref()).await.map_err(Classify::classify)?;
            for commit in page.commits {
                let commit = match commit {
                    Ok(commit) => commit,
                    Err(item) => return Ok(Err(chain(&item))),
                };
                let last = behind.as_ref().is_some_and(|behind| *behind == key_of(&commit));
                events.extend(commit.into_envelopes());
                if last {
                    return Ok(Ok(events));
                }
            }
            after = page.next;
            if after.is_none() || after == behind {
                return Ok(Ok(events));
            }
        }
    }
}
