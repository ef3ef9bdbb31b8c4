//! Reads both sides into a ledger, concurrently.

use std::sync::Mutex;

use engine::error::{Class, Error};
use engine::retry::retried;
use eventsourcing::contract::EVENTS_PREFIX;
use eventsourcing::{AggregateId, Commit, Envelope, EventStore};
use futures::future::{try_join, try_join_all};
use futures::{Stream, StreamExt, TryStreamExt, stream};
use jiff::Timestamp;
use serde_json::Value;
use storage::archive::hour;
use storage::bucket::is_of_one_object;
use storage::fault::chain;
use storage::scan::{Scan, ScanPosition, Share};

use super::{AT_ONCE, AuditReport, Contents, Difference, Finding, Ledger, Reference};
use crate::storage_errors::Classify;

/// The number of segments of the parallel scan ("Parallel scan", DynamoDB developer guide).
const SHARES: i32 = 8;
/// Progress of reading.
#[derive(Debug, Clone, Copy, Default)]
pub struct Counted {
    /// Events of the table read so far.
    pub events: usize,
    /// Archive objects read so far.
    pub objects: usize,
    /// Archive objects listed so far.
    pub of_objects: usize,
}

/// Both sides of an audit.
#[derive(Debug)]
pub struct Look<'a, T, S, R> {
    /// The whole table.
    pub table: &'a T,
    /// The table, one aggregate at a time.
    pub store: &'a S,
    /// What the table is compared with.
    pub reference: &'a R,
}

impl<T, S, R> Look<'_, T, S, R>
where
    T: Scan<Error: Classify>,
    S: EventStore<Error: Classify>,
    R: Reference,
{
    /// Reads both sides completely, and reports progress.
    ///
    /// # Errors
    /// Returns an error if the table could not be read, the archive could not be listed, or a call for an
    /// object failed. An object that is not valid is recorded as unread.
    pub async fn all(&self, ledger: &mut Ledger, on_progress: impl Fn(Counted)) -> Result<(), Error> {
        let (ledger, counted) = (Mutex::new(ledger), Mutex::new(Counted::default()));
        let count = |add: &dyn Fn(&mut Counted)| {
            let mut counted = counted.lock().expect("the lock is never poisoned");
            add(&mut counted);
            on_progress(*counted);
        };
        let shares = (0..SHARES).map(|share| self.share(Share { share, of: SHARES }, &ledger, &count));
        try_join(try_join_all(shares), self.archive(None, &ledger, &count)).await.map(drop)
    }

    /// Reads what may be new since the first read: objects from the hour of `from` on, and table items of the
    /// aggregates whose young events only the archive had.
    ///
    /// # Errors
    /// See [`Look::all`].
    pub async fn again(&self, ledger: &mut Ledger, from: Timestamp) -> Result<(), Error> {
        {
            let ledger = Mutex::new(&mut *ledger);
            self.archive(Some(hour(from)), &ledger, &|_: &dyn Fn(&mut Counted)| ()).await?;
        }
        // The table is read after the objects, because an event is in the table before it is in an object.
        let ids = ledger.to_look_up();
        let mut commits = stream::iter(&ids).map(|id| aggregate(self.store, id)).buffer_unordered(AT_ONCE);
        while let Some((commits, _)) = commits.try_next().await? {
            commits.into_iter().for_each(|commit| ledger.in_table(commit));
        }
        Ok(())
    }

    /// Adds both contents to the first difference of at most `of` aggregates.
    pub async fn contents(&self, report: &mut AuditReport, of: usize) {
        let differ = |finding: &&mut Finding| finding.first.difference == Difference::ContentsDiffer;
        for finding in report.findings.iter_mut().filter(differ).take(of) {
            // Contents that can no longer be read are omitted: the result of the comparison does not depend
            // on them.
            finding.first.contents = self.both(finding).await;
        }
    }

    async fn both(&self, finding: &Finding) -> Option<Contents> {
        let version = finding.first.version;
        let id = &finding.aggregate;
        let (commits, _) = aggregate(self.store, id).await.ok()?;
        let table =
            commits.into_iter().flat_map(Commit::into_envelopes).find(|event| event.version == version)?;
        let archive = read(self.reference, finding.first.object.as_ref()?).await.ok()?.ok()?;
        let same = |event: &Envelope| event.version == version && event.aggregate().is_ok_and(|of| of == *id);
        let archive = archive.into_iter().find(same)?;
        let value = |event: &Envelope| serde_json::from_slice::<Value>(&event.to_bytes()).ok();
        Some(Contents { table: value(&table)?, archive: value(&archive)? })
    }

    /// Reads one segment of the table.
    async fn share(
        &self,
        share: Share,
        ledger: &Mutex<&mut Ledger>,
        count: &impl Fn(&dyn Fn(&mut Counted)),
    ) -> Result<(), Error> {
        let mut after: Option<ScanPosition> = None;
        loop {
            let scan = async || self.table.scan(share, after.as_ref()).await.map_err(Classify::classify);
            let page = retried(scan).await?;
            let events: usize = page.commits.iter().flatten().map(|commit| commit.events.len()).sum();
            {
                let mut ledger = ledger.lock().expect("the lock is never poisoned");
                for commit in page.commits {
                    match commit {
                        Ok(commit) => ledger.in_table(commit),
                        Err(item) => {
                            let at = format!("{} version {}", item.at.aggregate_id, item.at.version);
                            ledger.broken_in_table(at, chain(&item.source));
                        }
                    }
                }
            }
            count(&|counted| counted.events += events);
            after = page.next;
            if after.is_none() {
                return Ok(());
            }
        }
    }

    /// Reads the archive objects with keys after `after` that were not read yet.
    async fn archive(
        &self,
        after: Option<String>,
        ledger: &Mutex<&mut Ledger>,
        count: &impl Fn(&dyn Fn(&mut Counted)),
    ) -> Result<(), Error> {
        let known = |key: &String| ledger.lock().expect("the lock is never poisoned").knows(key);
        let new = pages(self.reference, EVENTS_PREFIX.to_owned(), after).map_ok(|page| {
            count(&|counted| counted.of_objects += page.len());
            stream::iter(page.into_iter().filter(|key| !known(key)).collect::<Vec<_>>()).map(Ok)
        });
        let read = new.try_flatten().map_ok(|key| async move {
            let events = read(self.reference, &key).await?;
            Ok::<_, Error>((key, events))
        });
        let mut read = std::pin::pin!(read.try_buffer_unordered(AT_ONCE));
        while let Some((key, events)) = read.try_next().await? {
            let mut ledger = ledger.lock().expect("the lock is never poisoned");
            match events {
                Ok(events) => ledger.in_archive(key, events),
                Err(reason) => ledger.unread_in_archive(key, reason),
            }
            drop(ledger);
            count(&|counted| counted.objects += 1);
        }
        Ok(())
    }
}

/// Returns the keys that start with a prefix and come after `after`, in pages.
pub(super) fn pages<R: Reference>(
    reference: &R,
    prefix: String,
    after: Option<String>,
) -> impl Stream<Item = Result<Vec<String>, Error>> {
    stream::try_unfold((prefix, after), async |(prefix, after)| {
        let page: Vec<String> = retried(async || reference.keys(&prefix, after.as_deref()).await).await?;
        // Only an empty page means the end, so one more page is requested after the last key.
        let last = page.last().cloned();
        Ok(last.map(|last| (page, (prefix, Some(last)))))
    })
}

/// Reads one aggregate of the table: its commits up to the first invalid item, and why that item is invalid.
pub(super) async fn aggregate<S>(store: &S, id: &AggregateId) -> Result<(Vec<Commit>, Option<String>), Error>
where
    S: EventStore<Error: Classify>,
{
    let attempt = async || {
        let mut items = std::pin::pin!(store.read(id).map_err(Classify::classify));
        let mut commits = Vec::new();
        loop {
            match items.try_next().await {
                Ok(Some(commit)) => commits.push(commit),
                Ok(None) => return Ok((commits, None)),
                Err(error) if error.class == Class::Broken => return Ok((commits, Some(error.message))),
                Err(error) => return Err(error),
            }
        }
    };
    retried(attempt).await
}

/// Returns the events of a part of the reference, or the reason why it cannot be read.
///
/// # Errors
/// Returns an error if the call failed, which says nothing about the part. If such a part counted as
/// unreadable, a restore would skip its events and the later events of their aggregates.
pub(super) async fn read(
    reference: &impl Reference,
    key: &str,
) -> Result<Result<Vec<Envelope>, String>, Error> {
    match retried(async || reference.events(key).await).await {
        Err(error) if is_about_the_object(&error) => Ok(Err(error.to_string())),
        read => read,
    }
}

/// Returns whether an error concerns this object only: its content is invalid, or access to it is denied.
fn is_about_the_object(error: &Error) -> bool {
    let of_one = error.code.as_deref().is_some_and(is_of_one_object);
    of_one || matches!(error.class, Class::Broken | Class::Denied)
}
