//! What the table is held against: its archive, or another table, such as one that was restored
//! to a point in time.
//!
//! Another table is read as if it were an archive, with a page of it for an object. So all that
//! is done with an archive can be done with a table.

use std::collections::BTreeMap;
use std::ops::Bound;
use std::sync::Mutex;

use engine::error::{Class, Error};
use eventsourcing::Commit;
use eventsourcing::contract::EVENTS_PREFIX;
use storage::archive::compress;
use storage::bucket::{Object, Objects, S3Bucket};
use storage::fault::chain;
use storage::scan::{EventsTable, Scan, Seen, Share};

use crate::storage_errors::Classify;

/// The archive, or what is taken for one.
#[derive(Debug)]
pub enum Reference {
    /// The bucket of the archive.
    Archive(S3Bucket),
    /// Another table.
    Table(Pages<EventsTable>),
}

impl Reference {
    /// Returns which of the two it is.
    pub fn kind(&self) -> Other {
        match self {
            Self::Archive(_) => Other::Archive,
            Self::Table(_) => Other::Table,
        }
    }
}

/// Which kind of thing a table is held against.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Other {
    /// Its archive.
    Archive,
    /// Another table.
    Table,
}

impl Other {
    /// Returns what it is called beside "the table".
    pub fn name(self) -> &'static str {
        match self {
            Self::Archive => "archive",
            Self::Table => "other table",
        }
    }
}

/// A table as an archive; nobody writes to it meanwhile.
#[derive(Debug)]
pub struct Pages<T> {
    table: T,
    /// The pages found so far by their keys, with where each begins. The one behind the last
    /// is known as soon as that is listed.
    found: Mutex<BTreeMap<String, Option<Seen>>>,
}

impl<T: Scan<Error: Classify>> Pages<T> {
    /// Returns the pages of a table.
    pub fn of(table: T) -> Self {
        Self { table, found: Mutex::new(BTreeMap::from([(key(0), None)])) }
    }

    fn found(&self) -> std::sync::MutexGuard<'_, BTreeMap<String, Option<Seen>>> {
        self.found.lock().expect("nobody panics while looking something up")
    }
}

/// Digits come before the `dt=` of an archive's keys, so nothing here is "since an hour".
fn key(page: usize) -> String {
    format!("{EVENTS_PREFIX}{page:09}")
}

fn key_of(commit: &Commit) -> Seen {
    Seen { aggregate_id: commit.aggregate_id.to_string(), version: commit.version.to_string() }
}

impl<T: Scan<Error: Classify>> Objects for Pages<T> {
    type Error = Error;

    /// Items that are no commits make the page one that cannot be read: nobody knows what they
    /// should have been.
    async fn get(&self, key: &str) -> Result<Option<Object>, Error> {
        let (mut after, behind) = {
            let found = self.found();
            let Some(begins) = found.get(key) else { return Ok(None) };
            let behind = found.range::<str, _>((Bound::Excluded(key), Bound::Unbounded)).next();
            (begins.clone(), behind.and_then(|(_, begins)| begins.clone()))
        };
        let mut lines = Vec::new();
        // Nobody promises that a page ends where it did when it was listed.
        'pages: loop {
            let page = self.table.scan(Share::WHOLE, after.as_ref()).await.map_err(Classify::classify)?;
            for commit in page.commits {
                let commit = commit.map_err(|item| Error::new(Class::Broken, "Scan", chain(&item)))?;
                let last = behind.as_ref().is_some_and(|behind| *behind == key_of(&commit));
                lines.extend(commit.into_envelopes().map(|event| event.to_bytes()));
                if last {
                    break 'pages;
                }
            }
            after = page.next;
            if after.is_none() || after == behind {
                break;
            }
        }
        let body = compress(lines.iter().map(Vec::as_slice));
        let body = body.map_err(|error| Error::other("Scan", error.to_string()))?;
        Ok(Some(Object { body, etag: String::new() }))
    }

    /// One page at a time: where the next begins is told by the one before it.
    async fn list(&self, prefix: &str, after: Option<&str>) -> Result<Vec<String>, Error> {
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
}

impl Objects for Reference {
    type Error = Error;

    async fn get(&self, key: &str) -> Result<Option<Object>, Error> {
        match self {
            Self::Archive(bucket) => bucket.get(key).await.map_err(Classify::classify),
            Self::Table(pages) => pages.get(key).await,
        }
    }

    async fn list(&self, prefix: &str, after: Option<&str>) -> Result<Vec<String>, Error> {
        match self {
            Self::Archive(bucket) => bucket.list(prefix, after).await.map_err(Classify::classify),
            Self::Table(pages) => pages.list(prefix, after).await,
        }
    }
}
