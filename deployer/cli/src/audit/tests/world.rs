//! A table, an archive and a stream in memory, for the tests of the audit.

use std::array::IntoIter;
use std::collections::{BTreeMap, VecDeque};
use std::iter::Cycle;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

use engine::error::{Class, Error};
use eventsourcing::store::AppendError;
use eventsourcing::{AggregateId, Commit, Context, Envelope, EventStore, JsonText, OccurredAt, StoredEvent};
use futures::{Stream, stream};
use serde_json::json;
use storage::archive;
use storage::bucket::{Object, Objects};
use storage::scan::{Page, Scan, ScanPosition, Share};
use storage::stream::{KinesisError, PutOutcome, PutRecords};
use storage::waves::Record;
use tokio_util::sync::CancellationToken;

use crate::audit::{Look, WriteBack};

/// When every event occurred.
pub(super) const OCCURRED_AT: &str = "2026-11-21T19:02:03.123456Z";

/// The table, the bucket and the stream.
#[derive(Debug, Default)]
pub(super) struct World {
    pub(super) table: Mutex<Vec<Commit>>,
    pub(super) bucket: Shelf,
    pub(super) stream: Sink,
    /// Items of the table that are not valid commits.
    pub(super) broken: Vec<(AggregateId, u64)>,
    left: Mutex<Option<(AtomicUsize, CancellationToken)>>,
}

/// A bucket that lists three keys at a time.
#[derive(Debug, Default)]
pub(super) struct Shelf {
    objects: Mutex<BTreeMap<String, Vec<u8>>>,
    /// The errors of the next calls for an object.
    failures: Mutex<BTreeMap<String, Vec<Error>>>,
}

/// A stream that stores its records.
#[derive(Debug, Default)]
pub(super) struct Sink(Mutex<Vec<Envelope>>);

/// Returns the aggregate with this number.
pub(super) fn id(number: u128) -> AggregateId {
    format!("demo#{}", uuid(number)).parse().expect("the id is valid")
}

fn uuid(number: u128) -> String {
    format!("00000000-0000-4000-8000-{number:012x}")
}

/// Returns a commit of this many events.
pub(super) fn commit(number: u128, version: u64, size: usize, command: usize) -> Commit {
    let at: OccurredAt = OCCURRED_AT.parse().expect("the text is a valid time");
    let id_of = |n: usize| uuid(n as u128).parse().expect("the text is a valid UUID");
    let event = |n: usize| StoredEvent {
        id: id_of(command * 10 + n),
        event_type: "ItemAdded".to_owned(),
        schema_version: 1,
        data: JsonText::canonical(&json!({"item": "tea", "quantity": n})).expect("it is valid JSON"),
        more: Default::default(),
    };
    Commit {
        aggregate_id: id(number),
        version,
        events: (0..size).map(event).collect(),
        context: Context::new(id_of(command), at),
    }
}

/// Returns consecutive commits of these sizes.
pub(super) fn commits(number: u128, sizes: impl IntoIterator<Item = usize>) -> Vec<Commit> {
    let mut version = 1;
    let commit = |(command, size)| {
        let commit = commit(number, version, size, command);
        version = commit.next_version();
        commit
    };
    (1..).zip(sizes).map(commit).collect()
}

/// Returns the commit with other data.
pub(super) fn altered(commit: &Commit) -> Commit {
    let mut commit = commit.clone();
    for event in &mut commit.events {
        event.data = JsonText::canonical(&json!({"item": "coffee"})).expect("it is valid JSON");
    }
    commit
}

impl World {
    /// Returns both sides.
    pub(super) fn look(&self) -> Look<'_, Self, Self, Shelf> {
        Look { table: self, store: self, reference: &self.bucket }
    }

    /// Archives events in a new object.
    pub(super) fn archive(&mut self, events: impl IntoIterator<Item = Envelope>) {
        self.archive_as_of(19, events);
    }

    /// Archives events in a new object that is named after this hour.
    pub(super) fn archive_as_of(&mut self, hour: u8, events: impl IntoIterator<Item = Envelope>) {
        let lines: Vec<Vec<u8>> = events.into_iter().map(|event| event.to_bytes()).collect();
        let object = archive::compress(lines.iter().map(Vec::as_slice)).expect("events can be compressed");
        let number = self.bucket.objects.get_mut().expect("the lock is never poisoned").len();
        self.bucket.keep(&format!("events/dt=2026-11-21/hour={hour:02}/{number:06}.ndjson.gz"), object);
    }

    /// Stops the run after this many writes.
    pub(super) fn stop_after(&self, writes: usize, stop: &CancellationToken) {
        *self.left.lock().expect("the lock is never poisoned") =
            Some((AtomicUsize::new(writes), stop.clone()));
    }

    /// Returns the versions of an aggregate in the table, in order.
    pub(super) fn versions(&self, id: &AggregateId) -> Vec<u64> {
        let table = self.table.lock().expect("the lock is never poisoned");
        let mut versions: Vec<u64> = table
            .iter()
            .filter(|commit| commit.aggregate_id == *id)
            .flat_map(|commit| commit.version..commit.next_version())
            .collect();
        versions.sort_unstable();
        versions
    }
}

impl Scan for World {
    type Error = Error;

    async fn scan(&self, share: Share, _: Option<&ScanPosition>) -> Result<Page, Error> {
        let table = self.table.lock().expect("the lock is never poisoned");
        let share = |commit: &&Commit| {
            commit.aggregate_id.uuid().as_u128() % u128::from(share.of.unsigned_abs())
                == u128::from(share.share.unsigned_abs())
        };
        Ok(Page { commits: table.iter().filter(share).cloned().map(Ok).collect(), next: None })
    }
}

/// The table of a world, read in pages of these sizes, repeated in order.
pub(super) struct InPages<'a>(pub(super) &'a World, pub(super) Mutex<Cycle<IntoIter<usize, 3>>>);

impl<'a> InPages<'a> {
    pub(super) fn new(world: &'a World, sizes: [usize; 3]) -> Self {
        Self(world, Mutex::new(sizes.into_iter().cycle()))
    }
}

impl Scan for InPages<'_> {
    type Error = Error;

    async fn scan(&self, _: Share, after: Option<&ScanPosition>) -> Result<Page, Error> {
        let Self(world, sizes) = self;
        let size = sizes.lock().expect("the lock is never poisoned").next().expect("a cycle is endless");
        let table = world.table.lock().expect("the lock is never poisoned");
        let key = |commit: &Commit| ScanPosition {
            aggregate_id: commit.aggregate_id.to_string(),
            version: commit.version.to_string(),
        };
        let from = after
            .map_or(0, |seen| 1 + table.iter().position(|commit| key(commit) == *seen).expect("it is known"));
        let to = table.len().min(from + size);
        let next = (to < table.len()).then(|| key(&table[to - 1]));
        Ok(Page { commits: table[from..to].iter().cloned().map(Ok).collect(), next })
    }
}

impl EventStore for World {
    type Error = Error;

    fn read_after(&self, id: &AggregateId, version: u64) -> impl Stream<Item = Result<Commit, Error>> + Send {
        let table = self.table.lock().expect("the lock is never poisoned");
        let mut commits: Vec<Commit> =
            table.iter().filter(|commit| commit.aggregate_id == *id).cloned().collect();
        commits.sort_by_key(|commit| commit.version);
        let mut items: Vec<(u64, Result<Commit, Error>)> =
            commits.into_iter().map(|commit| (commit.version, Ok(commit))).collect();
        for (_, version) in self.broken.iter().filter(|(of, _)| of == id) {
            items.push((*version, Err(Error::new(Class::Broken, "events table", "missing field `Events`"))));
        }
        items.retain(|(of, _)| *of > version);
        items.sort_by_key(|(version, _)| *version);
        stream::iter(items.into_iter().map(|(_, item)| item))
    }

    async fn append(&self, _: &Commit) -> Result<(), AppendError<Error>> {
        unreachable!("these tests run no commands")
    }
}

impl WriteBack for World {
    async fn write_back(&self, commit: &Commit, _: OccurredAt) -> Result<(), Error> {
        let mut table = self.table.lock().expect("the lock is never poisoned");
        let taken =
            |other: &Commit| other.aggregate_id == commit.aggregate_id && other.version == commit.version;
        assert!(!table.iter().any(taken), "a restored commit is a new item");
        table.push(commit.clone());
        if let Some((left, stop)) = &*self.left.lock().expect("the lock is never poisoned")
            && left.fetch_sub(1, Ordering::Relaxed) == 1
        {
            stop.cancel();
        }
        Ok(())
    }
}

impl Shelf {
    /// Stores an object.
    pub(super) fn keep(&mut self, key: &str, body: Vec<u8>) {
        self.objects.get_mut().expect("the lock is never poisoned").insert(key.to_owned(), body);
    }

    /// Lets the next calls for an object fail with these errors.
    pub(super) fn fail(&mut self, key: &str, errors: impl IntoIterator<Item = Error>) {
        let failures = self.failures.get_mut().expect("the lock is never poisoned");
        failures.entry(key.to_owned()).or_default().extend(errors);
    }
}

impl Objects for Shelf {
    type Error = Error;

    async fn get(&self, key: &str) -> Result<Option<Object>, Error> {
        let failure =
            self.failures.lock().expect("the lock is never poisoned").get_mut(key).and_then(Vec::pop);
        if let Some(error) = failure {
            return Err(error);
        }
        let objects = self.objects.lock().expect("the lock is never poisoned");
        Ok(objects.get(key).map(|body| Object { body: body.clone(), etag: String::new() }))
    }

    async fn list(&self, prefix: &str, after: Option<&str>) -> Result<Vec<String>, Error> {
        let objects = self.objects.lock().expect("the lock is never poisoned");
        let behind = objects.keys().filter(|key| after.is_none_or(|after| key.as_str() > after));
        Ok(behind.filter(|key| key.starts_with(prefix)).take(3).cloned().collect())
    }
}

impl Sink {
    /// Returns and removes the stored events, in order.
    pub(super) fn take(&mut self) -> Vec<Envelope> {
        std::mem::take(self.0.get_mut().expect("the lock is never poisoned"))
    }
}

/// A stream with concurrent writes: after each call, a commit is appended to the table and published.
pub(super) struct Meanwhile<'a>(pub(super) &'a World, pub(super) Mutex<VecDeque<Commit>>);

impl PutRecords for Meanwhile<'_> {
    type Error = KinesisError;

    async fn put_records(&self, records: &[&Record]) -> Result<Vec<PutOutcome>, KinesisError> {
        let Self(world, commits) = self;
        let outcomes = world.stream.put_records(records).await;
        if let Some(commit) = commits.lock().expect("the lock is never poisoned").pop_front() {
            world.table.lock().expect("the lock is never poisoned").push(commit.clone());
            world.stream.0.lock().expect("the lock is never poisoned").extend(commit.into_envelopes());
        }
        outcomes
    }
}

impl PutRecords for Sink {
    type Error = KinesisError;

    async fn put_records(&self, records: &[&Record]) -> Result<Vec<PutOutcome>, KinesisError> {
        let events =
            records.iter().map(|record| Envelope::from_bytes(&record.data).expect("it is a valid event"));
        self.0.lock().expect("the lock is never poisoned").extend(events);
        Ok(vec![Ok(()); records.len()])
    }
}
