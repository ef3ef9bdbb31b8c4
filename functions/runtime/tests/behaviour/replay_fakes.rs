//! Fakes for tests of replays: a handler that records its events, a table, and a slow bucket.

use std::{
    collections::VecDeque,
    sync::{
        Mutex, MutexGuard,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use eventsourcing::{
    Commit, Surroundings,
    replay::{HandlerKind, ReplayAnswer, ReplayBatch},
};
use jiff::Timestamp;
use runtime::invoke::{Invoke, Reply};
use runtime::testing::Refused;
use serde_json::{Value, json};
use storage::{
    bucket::{Bucket, Expected, Object, Objects},
    scan::{Page, Scan, ScanPosition, Share},
};
use tokio::time::sleep;
use uuid::Uuid;

/// How long a call to the bucket takes before its effect, and again after it.
const WAY: Duration = Duration::from_millis(10);

/// A fake handler, and the requests that were sent to the replay function.
#[derive(Default)]
pub(crate) struct FakeHandler {
    /// Whether it has side effects; by default, it builds state.
    pub(crate) handler_kind: Option<HandlerKind>,
    /// Its answer, if it is not that of a handler.
    pub(crate) answers: Option<Value>,
    /// The most events that it can handle, if there is a limit.
    pub(crate) most: Option<usize>,
    /// How long it takes.
    pub(crate) takes: Duration,
    /// How often it fails before it succeeds.
    pub(crate) fails: AtomicUsize,
    pub(crate) batches: Mutex<Vec<ReplayBatch>>,
    pub(crate) left: Mutex<VecDeque<Value>>,
    pub(crate) sent: AtomicUsize,
}

impl FakeHandler {
    /// Makes it fail this many times from now on.
    pub(crate) fn fail(&self, times: usize) {
        self.fails.store(times, Ordering::Relaxed);
    }

    /// Returns the batches that it got.
    pub(crate) fn batches(&self) -> Vec<ReplayBatch> {
        lock(&self.batches).clone()
    }

    /// Returns the versions of an aggregate that it got.
    pub(crate) fn seen(&self, id: Uuid) -> Vec<u64> {
        let batches = lock(&self.batches);
        let events = batches.iter().flat_map(|batch| &batch.events);
        events.filter(|event| event.aggregate_id == id).map(|event| event.version).collect()
    }

    /// Returns the versions of an aggregate that it got, without repetitions.
    pub(crate) fn seen_first(&self, id: Uuid) -> Vec<u64> {
        let mut first = Vec::new();
        for version in self.seen(id) {
            if !first.contains(&version) {
                first.push(version);
            }
        }
        first
    }

    /// Takes the oldest request that was sent.
    pub(crate) fn left(&self) -> Option<Value> {
        lock(&self.left).pop_front()
    }

    /// Returns how many requests were sent.
    pub(crate) fn sent(&self) -> usize {
        self.sent.load(Ordering::Relaxed)
    }
}

impl Invoke for FakeHandler {
    type Error = Refused;

    async fn call(&self, function: &str, payload: Vec<u8>) -> Result<Reply, Refused> {
        let half = self.takes / 2;
        sleep(half).await;
        if self.fails.load(Ordering::Relaxed) > 0 {
            self.fails.fetch_sub(1, Ordering::Relaxed);
            return Ok(Reply::Failed("the handler is out of order".to_owned()));
        }
        let batch: ReplayBatch = serde_json::from_slice(&payload).expect("the payload is a batch");
        if self.most.is_some_and(|most| batch.events.len() > most) {
            return Ok(Reply::Failed("the handler timed out".to_owned()));
        }
        let handler_kind = self.handler_kind.unwrap_or(HandlerKind::Projection);
        let answer = ReplayAnswer {
            handler: function.to_owned(),
            handler_kind,
            handled: batch.events.len(),
            quarantined: Vec::new(),
            refused: handler_kind == HandlerKind::Reactor && !batch.replay.repeat_side_effects,
        };
        lock(&self.batches).push(batch);
        sleep(half).await;
        let answer = self.answers.clone().unwrap_or_else(|| json!(answer));
        Ok(Reply::Answer(answer.to_string().into_bytes()))
    }

    async fn send(&self, function: &str, payload: Vec<u8>) -> Result<(), Refused> {
        assert_eq!(function, "replay");
        self.sent.fetch_add(1, Ordering::Relaxed);
        lock(&self.left).push_back(serde_json::from_slice(&payload).expect("the payload is a request"));
        Ok(())
    }
}

/// A table of these commits, with two on a page.
pub(crate) struct FakeTable(pub(crate) Vec<Commit>);

impl Scan for FakeTable {
    type Error = Refused;

    async fn scan(&self, _: Share, after: Option<&ScanPosition>) -> Result<Page, Refused> {
        let place: usize = after.map_or(0, |seen| seen.version.parse().expect("the version is a position"));
        let commits: Vec<_> = self.0.iter().skip(place).take(2).cloned().map(Ok).collect();
        let (next, more) = (place + 2, self.0.len() > place + 2);
        let next = more.then(|| ScanPosition { aggregate_id: "tally".to_owned(), version: next.to_string() });
        Ok(Page { commits, next })
    }
}

/// A bucket with slow calls, so that a caller can be killed before or after the effect.
pub(crate) struct Slow<B>(pub(crate) B);

impl<B: Objects> Objects for Slow<B> {
    type Error = B::Error;

    async fn get(&self, key: &str) -> Result<Option<Object>, B::Error> {
        sleep(WAY).await;
        self.0.get(key).await
    }

    fn is_of_the_object(error: &B::Error) -> bool {
        B::is_of_the_object(error)
    }

    async fn list(&self, prefix: &str, after: Option<&str>) -> Result<Vec<String>, B::Error> {
        sleep(WAY).await;
        self.0.list(prefix, after).await
    }
}

impl<B: Bucket> Bucket for Slow<B> {
    async fn put(&self, key: &str, content_type: &str, body: Vec<u8>) -> Result<(), B::Error> {
        sleep(WAY).await;
        let put = self.0.put(key, content_type, body).await;
        sleep(WAY).await;
        put
    }

    async fn put_if(
        &self,
        key: &str,
        content_type: &str,
        body: Vec<u8>,
        expected: &Expected,
    ) -> Result<Option<String>, B::Error> {
        sleep(WAY).await;
        let put = self.0.put_if(key, content_type, body, expected).await;
        sleep(WAY).await;
        put
    }
}

/// A clock that does not move, and ids that are counted.
#[derive(Default)]
pub(crate) struct Counting(AtomicUsize);

impl Surroundings for Counting {
    fn now(&self) -> Timestamp {
        "2026-11-22T00:00:00Z".parse().expect("the time is well-formed")
    }

    fn new_id(&self) -> Uuid {
        Uuid::from_u128(0xabc0_0000 + self.0.fetch_add(1, Ordering::Relaxed) as u128)
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().expect("no test continues after a panic")
}
