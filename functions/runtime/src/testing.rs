//! Fakes of AWS services that store what they are given, and fail on request. Needs the feature `testing`.

use std::{
    collections::BTreeMap,
    sync::{
        Mutex, MutexGuard,
        atomic::{AtomicUsize, Ordering},
    },
    time::{Duration, SystemTime},
};

use aws_lambda_events::event::kinesis::KinesisEvent;
use base64::{Engine, prelude::BASE64_STANDARD};
use eventsourcing::testing::tally::{Tally, TallyEvent};
use eventsourcing::{AggregateId, Commit, Context, Envelope};
use lambda_runtime::LambdaEvent;
use serde_json::{Value, json};
use storage::{
    bucket::{Bucket, Expected, Object, Objects},
    stream::{PutOutcome, PutRecords},
    waves::Record,
};
use thiserror::Error;
use uuid::Uuid;

use crate::{delivery::Records, failed::Failed};

/// The reason why a call fails.
#[derive(Debug, Error)]
pub enum Refused {
    /// The service is unreachable.
    #[error("out of reach")]
    OutOfReach,
    /// The object cannot be read, now or later.
    #[error("not in this storage class")]
    Shut,
}

/// A stream that stores the records of a call in reverse, because Kinesis promises no order within a call.
#[derive(Debug, Default)]
pub struct FakeStream {
    taken: Mutex<Vec<Record>>,
    calls: Mutex<Vec<usize>>,
    rejects: Vec<(usize, usize)>,
    out_of_reach: bool,
}

impl FakeStream {
    /// Returns a stream that rejects these records: the number of the call and the position in it, from 0.
    pub fn rejecting(rejects: impl IntoIterator<Item = (usize, usize)>) -> Self {
        Self { rejects: rejects.into_iter().collect(), ..Self::default() }
    }

    /// Returns an unreachable stream.
    pub fn out_of_reach() -> Self {
        Self { out_of_reach: true, ..Self::default() }
    }

    /// Returns the accepted events, as versions, by aggregate.
    pub fn taken(&self) -> BTreeMap<Uuid, Vec<u64>> {
        let mut taken = BTreeMap::<_, Vec<_>>::new();
        for record in lock(&self.taken).iter() {
            let envelope = Envelope::from_bytes(&record.data).expect("only envelopes are published");
            assert_eq!(record.partition_key, envelope.aggregate_id.to_string());
            taken.entry(envelope.aggregate_id).or_default().push(envelope.version);
        }
        taken
    }

    /// Returns the number of records in each call.
    pub fn calls(&self) -> Vec<usize> {
        lock(&self.calls).clone()
    }
}

impl PutRecords for FakeStream {
    type Error = Refused;

    async fn put_records(&self, records: &[&Record]) -> Result<Vec<PutOutcome>, Refused> {
        if self.out_of_reach {
            return Err(Refused::OutOfReach);
        }
        let mut calls = lock(&self.calls);
        let rejects = |place| self.rejects.contains(&(calls.len(), place));
        let outcomes: Vec<_> = (0..records.len())
            .map(|place| if rejects(place) { Err("throttled".to_owned()) } else { Ok(()) })
            .collect();
        calls.push(records.len());
        let accepted = records.iter().zip(&outcomes).filter(|(_, outcome)| outcome.is_ok());
        lock(&self.taken).extend(accepted.rev().map(|(&record, _)| record.clone()));
        Ok(outcomes)
    }
}

/// A bucket in memory.
#[derive(Debug, Default)]
pub struct FakeBucket {
    objects: Mutex<BTreeMap<String, Vec<u8>>>,
    late: Mutex<Option<(String, Vec<u8>)>>,
    conflicts: AtomicUsize,
    fails: AtomicUsize,
    shut: Mutex<Option<String>>,
    out_of_reach: bool,
}

impl FakeBucket {
    /// Stores an object that exists when a test starts.
    pub fn keep(&self, key: &str, body: Vec<u8>) {
        lock(&self.objects).insert(key.to_owned(), body);
    }

    /// Stores an object as soon as a later one was read.
    pub fn keep_behind_the_reader(&self, key: &str, body: Vec<u8>) {
        *lock(&self.late) = Some((key.to_owned(), body));
    }

    /// Refuses this many conditional puts from now on, although no other writer exists.
    pub fn conflict(&self, times: usize) {
        self.conflicts.store(times, Ordering::Relaxed);
    }

    /// Fails this many puts from now on.
    pub fn fail(&self, times: usize) {
        self.fails.store(times, Ordering::Relaxed);
    }

    /// Refuses to return this object from now on.
    pub fn shut(&self, key: &str) {
        *lock(&self.shut) = Some(key.to_owned());
    }

    /// Returns an unreachable bucket.
    pub fn out_of_reach() -> Self {
        Self { out_of_reach: true, ..Self::default() }
    }

    /// Returns the keys of all objects.
    pub fn keys(&self) -> Vec<String> {
        lock(&self.objects).keys().cloned().collect()
    }

    /// Returns the bytes of an object.
    ///
    /// # Panics
    /// Panics if there is no such object.
    pub fn object(&self, key: &str) -> Vec<u8> {
        lock(&self.objects).get(key).cloned().unwrap_or_else(|| panic!("no {key} in {:?}", self.keys()))
    }

    /// Returns an object as JSON.
    ///
    /// # Panics
    /// Panics if there is no such object, or it is not JSON.
    pub fn json(&self, key: &str) -> Value {
        serde_json::from_slice(&self.object(key)).expect("the object is JSON")
    }
}

impl Objects for FakeBucket {
    type Error = Refused;

    async fn get(&self, key: &str) -> Result<Option<Object>, Refused> {
        if self.out_of_reach {
            return Err(Refused::OutOfReach);
        }
        if lock(&self.shut).as_deref() == Some(key) {
            return Err(Refused::Shut);
        }
        let mut objects = lock(&self.objects);
        let found = objects.get(key).map(|body| Object { body: body.clone(), etag: etag(body) });
        if let Some((late, body)) =
            lock(&self.late).take_if(|(late, _)| key.starts_with("events/") && key > late.as_str())
        {
            objects.insert(late, body);
        }
        Ok(found)
    }

    fn is_of_the_object(error: &Refused) -> bool {
        matches!(error, Refused::Shut)
    }

    async fn list(&self, prefix: &str, after: Option<&str>) -> Result<Vec<String>, Refused> {
        let objects = lock(&self.objects);
        let keys = objects.keys().filter(|key| key.starts_with(prefix));
        Ok(keys.filter(|key| after.is_none_or(|after| key.as_str() > after)).take(3).cloned().collect())
    }
}

impl Bucket for FakeBucket {
    async fn put(&self, key: &str, _: &str, body: Vec<u8>) -> Result<(), Refused> {
        let fails = self.fails.load(Ordering::Relaxed);
        self.fails.store(fails.saturating_sub(1), Ordering::Relaxed);
        if self.out_of_reach || fails > 0 {
            return Err(Refused::OutOfReach);
        }
        lock(&self.objects).insert(key.to_owned(), body);
        Ok(())
    }

    async fn put_if(
        &self,
        key: &str,
        _: &str,
        body: Vec<u8>,
        expected: &Expected,
    ) -> Result<Option<String>, Refused> {
        if self.conflicts.load(Ordering::Relaxed) > 0 {
            self.conflicts.fetch_sub(1, Ordering::Relaxed);
            return Ok(None);
        }
        let mut objects = lock(&self.objects);
        let state = objects.get(key).map(|body| etag(body));
        let as_expected = match expected {
            Expected::Nothing => state.is_none(),
            Expected::State(etag) => state.as_ref() == Some(etag),
        };
        let etag = etag(&body);
        if as_expected {
            objects.insert(key.to_owned(), body);
        }
        Ok(as_expected.then_some(etag))
    }
}

fn etag(body: &[u8]) -> String {
    format!("{:x}", Uuid::new_v5(&Uuid::NAMESPACE_OID, body))
}

/// Returns the quarantine of the function of this name, in a new bucket.
pub fn failed(function: &'static str) -> Failed<FakeBucket> {
    Failed::new(FakeBucket::default(), function)
}

/// Returns an invocation with this many seconds left and a new request id.
///
/// # Panics
/// Panics if the machine's clock is before 1970.
pub fn invocation(payload: Value, seconds: u64) -> LambdaEvent<Value> {
    let deadline = SystemTime::now() + Duration::from_secs(seconds);
    let mut context = lambda_runtime::Context::default();
    context.request_id = Uuid::now_v7().to_string();
    context.deadline = deadline
        .duration_since(SystemTime::UNIX_EPOCH)
        .expect("the clock is after 1970")
        .as_millis()
        .try_into()
        .expect("the deadline fits into 64 bits");
    LambdaEvent::new(payload, context)
}

/// Returns the id of a tally.
pub fn tally(n: u128) -> Uuid {
    Uuid::from_u128(n)
}

/// Returns a commit of a tally with one `Counted` event for each version.
///
/// # Panics
/// Panics if the first version is 0.
pub fn commit(id: Uuid, versions: std::ops::RangeInclusive<u64>) -> Commit {
    let aggregate_id = AggregateId::of::<Tally>(id);
    let time = "2026-11-21T19:02:03.123456Z".parse().expect("the time is well-formed");
    let behind = versions.start() - 1;
    let events: Vec<_> = versions.map(|_| TallyEvent::Counted { what: "tea".to_owned(), times: 1 }).collect();
    let context = Context::new(Uuid::from_u128(7), time);
    Commit::of(aggregate_id, behind, &events, context, Uuid::now_v7).expect("the events can be stored")
}

/// Returns the envelope of the event with this version; it is the same each time.
///
/// # Panics
/// Panics if the version is 0.
pub fn envelope(id: Uuid, version: u64) -> Envelope {
    let mut envelopes = commit(id, version..=version).into_envelopes();
    let envelope = envelopes.next().expect("the commit has one event");
    Envelope { id: Uuid::new_v5(&id, &version.to_be_bytes()), ..envelope }
}

/// Returns a batch of Kinesis with these records.
pub fn delivered(records: &[Vec<u8>]) -> KinesisEvent {
    let batch = batch(records).to_string();
    let Records(batch) = serde_json::from_str(&batch).expect("the batch is well-formed");
    batch
}

/// Returns a batch of Kinesis with these records, as the JSON that Lambda delivers.
pub fn batch(records: &[Vec<u8>]) -> Value {
    let record = |(n, data): (usize, &Vec<u8>)| {
        json!({
            "kinesis": {
                "kinesisSchemaVersion": "1.0",
                "partitionKey": "1",
                "sequenceNumber": format!("4959{n}"),
                "data": BASE64_STANDARD.encode(data),
                // Half a second before the hour ends.
                "approximateArrivalTimestamp": 1_795_294_799.5 + n as f64,
            },
            "eventSource": "aws:kinesis",
            "eventVersion": "1.0",
            "eventID": format!("shardId-000000000003:4959{n}"),
            "eventName": "aws:kinesis:record",
            "invokeIdentityArn": "arn:aws:iam::111111111111:role/archive",
            "awsRegion": "eu-central-1",
            "eventSourceARN": "arn:aws:kinesis:eu-central-1:111111111111:stream/events",
        })
    };
    let records: Vec<_> = records.iter().enumerate().map(record).collect();
    json!({ "Records": records })
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().expect("no test continues after a panic")
}
