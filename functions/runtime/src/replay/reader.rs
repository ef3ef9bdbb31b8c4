//! The reader: reads events from the archive or the table, in steps, and continues where it stopped.

use std::{collections::VecDeque, error::Error};

use eventsourcing::{Envelope, contract::EVENTS_PREFIX, replay::Source};
use futures::future::try_join_all;
use jiff::{SignedDuration, Timestamp};
use storage::{
    archive::{self, Unread, object},
    bucket::Objects,
    fault::chain,
    scan::{Scan, Share},
};
use thiserror::Error;

use super::progress::{Progress, ReadingPosition};

/// How many objects are read at once: each read takes a while, and the objects are processed in order anyway.
const AT_ONCE: usize = 8;
/// After how many listings, of 1,000 keys each, counting objects at the start of a replay is abandoned: the
/// total is worth about a second.
const LISTINGS: usize = 10;

/// Reads events.
#[derive(Debug)]
pub struct Reader<'a, B, T> {
    bucket: &'a B,
    table: &'a T,
    /// The keys of the archive that were listed and not read yet.
    listed: VecDeque<String>,
}

/// The result of a read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Read {
    /// It read some events, or reached the end.
    On,
    /// It read nothing: the next events may not be archived completely.
    NotYet,
}

/// The reason why events could not be read.
#[derive(Debug, Error)]
pub enum ReadError<B: Error + 'static, T: Error + 'static> {
    /// The archive is unreachable.
    #[error(transparent)]
    Archive(B),
    /// The table is unreachable.
    #[error(transparent)]
    Table(T),
}

impl<'a, B: Objects, T: Scan> Reader<'a, B, T> {
    /// Returns a reader of this archive and this table.
    pub fn new(bucket: &'a B, table: &'a T) -> Self {
        Self { bucket, table, listed: VecDeque::new() }
    }

    /// Reads some more events into the progress, or none at the end. The end of the archive is read only if
    /// it has `settled`.
    pub async fn read(
        &mut self,
        progress: &mut Progress,
        settled: bool,
    ) -> Result<Read, ReadError<B::Error, T::Error>> {
        match progress.place.clone() {
            ReadingPosition::Archive(after) => {
                self.read_archive(after, progress, settled).await.map_err(ReadError::Archive)
            }
            ReadingPosition::Table(_) => self.read_table(progress).await.map_err(ReadError::Table),
            ReadingPosition::End => Ok(Read::On),
        }
    }

    /// Returns how many objects there are to read, if counting them does not take too long.
    pub async fn count(&self, progress: &Progress) -> Result<Option<u64>, B::Error> {
        if progress.order.from == Source::Table {
            return Ok(None);
        }
        let (end, mut count, mut after) = (end(progress.started_at), 0, None);
        for _ in 0..LISTINGS {
            let keys = self.bucket.list(EVENTS_PREFIX, after.as_deref()).await?;
            count += keys.iter().filter(|key| **key < end).count() as u64;
            after = match keys.into_iter().next_back() {
                Some(last) if last < end => Some(last),
                _ => return Ok(Some(count)),
            };
        }
        Ok(None)
    }

    async fn read_archive(
        &mut self,
        after: Option<String>,
        progress: &mut Progress,
        settled: bool,
    ) -> Result<Read, B::Error> {
        if self.listed.is_empty() {
            let keys = self.bucket.list(EVENTS_PREFIX, after.as_deref()).await?;
            let started_at = progress.started_at;
            let end = if settled { end(started_at) } else { unsettled(started_at) };
            self.listed = keys.into_iter().take_while(|key| *key < end).collect();
        }
        let keys: Vec<String> = self.listed.drain(..AT_ONCE.min(self.listed.len())).collect();
        let objects = try_join_all(keys.iter().map(|key| self.object(key))).await?;
        let read = keys.len() as u64;
        let Some(last) = keys.last().cloned() else {
            if !settled {
                return Ok(Read::NotYet);
            }
            progress.place = ReadingPosition::End;
            return Ok(Read::On);
        };
        for (key, object) in keys.into_iter().zip(objects) {
            match object {
                Ok(events) => events.into_iter().for_each(|event| progress.take(event)),
                Err(reason) => progress.cannot_read(key, reason),
            }
        }
        let done = progress.reading.done + read;
        // Objects were counted when the replay was started, and more may have been added since.
        let total = progress.reading.total.map(|total| total.max(done));
        (progress.reading.done, progress.reading.total) = (done, total);
        progress.reading.last = Some(last.clone());
        progress.place = ReadingPosition::Archive(Some(last));
        Ok(Read::On)
    }

    /// Returns the events of an object, or why the object is skipped.
    async fn object(&self, key: &str) -> Result<Result<Vec<Envelope>, String>, B::Error> {
        match object(self.bucket, key).await {
            Ok(events) => Ok(Ok(events)),
            Err(Unread::Call(error)) if !B::is_of_the_object(&error) => Err(error),
            Err(other) => Ok(Err(chain(&other))),
        }
    }

    async fn read_table(&mut self, progress: &mut Progress) -> Result<Read, T::Error> {
        let ReadingPosition::Table(after) = &progress.place else { return Ok(Read::On) };
        let page = self.table.scan(Share::WHOLE, after.as_ref()).await?;
        for commit in page.commits {
            match commit {
                Ok(commit) => commit.into_envelopes().for_each(|event| progress.take(event)),
                Err(broken) => {
                    let key = format!("{}/{}", broken.at.aggregate_id, broken.at.version);
                    progress.cannot_read(key, chain(&broken.source));
                }
            }
        }
        progress.reading.done += 1;
        progress.place = match page.next {
            Some(next) => {
                progress.reading.last = Some(next.aggregate_id.clone());
                ReadingPosition::Table(Some(next))
            }
            None => ReadingPosition::End,
        };
        Ok(Read::On)
    }
}

/// Returns a key before all keys that may still be added while the archive settles. It is the hour before the
/// replay's start, in which the first record of an object may have arrived, minus one more hour, as the clock
/// of the start may be fast.
fn unsettled(started_at: Timestamp) -> String {
    let hours = SignedDuration::from_hours(2);
    archive::hour(started_at.checked_sub(hours).unwrap_or(Timestamp::MIN))
}

/// Returns a key after all keys of the archive that the replay reads. It is the end of the hour of the
/// replay's start, plus one more hour, as the clock of the start may be slow. Without an end, the replay
/// would follow live events for ever.
fn end(started_at: Timestamp) -> String {
    let hours = SignedDuration::from_hours(2);
    archive::hour(started_at.checked_add(hours).unwrap_or(Timestamp::MAX))
}
