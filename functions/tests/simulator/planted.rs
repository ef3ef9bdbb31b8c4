//! Planted bugs, which the simulator has to find. Each wraps or replaces the real code, and breaks one
//! invariant.

use std::{
    sync::{Arc, Mutex},
    time::Duration,
};

use aws_lambda_events::event::dynamodb::Event;
use eventsourcing::{
    AggregateId, Commit, EventStore, Surroundings,
    contract::{EVENTS_PREFIX, FAILED_PREFIX, REPLAYS_PREFIX, attribute},
    replay::{Order, ReplayBatch, Replayed},
    store::AppendError,
};
use futures::{Stream, TryStreamExt};
use runtime::{
    Fault,
    handler::Input,
    invoke::{Invoke, Reply},
    replay::progress::Progress,
};
use serde_dynamo::Item;
use serde_json::json;
use storage::{
    archive,
    bucket::{Bucket, Expected, Object, Objects},
    stream::PutRecords,
    table::{from_item, to_item},
    waves::Record,
};

use crate::world::{
    World,
    bucket::BucketOf,
    functions::Functions,
    kinesis::Kinesis,
    lock,
    process::{OutOfReach, Process},
    table::{Table, TableError},
};

/// A planted bug.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Planted {
    /// The store puts without a condition.
    NoCondition,
    /// The store takes any conflicting commit for its own.
    TakesAnyForItsOwn,
    /// The store does not return which command led to a commit.
    ForgetsCommands,
    /// The publisher sends everything at once, and then repeats what was rejected.
    WithoutWaves,
    /// `capture` reports success also after a failure.
    GivesUp,
    /// `capture` publishes restored commits.
    RestoredIsNew,
    /// The archive names objects by the clock.
    NamedByClock,
    /// A handler skips an event now and then.
    Skips,
    /// Quarantined events and records are not stored.
    KeepsNothing,
    /// The handler library does not refuse replays to reactors.
    ReplaysThrough,
    /// A replay delivers events as it reads them.
    HoldsNothingBack,
    /// A replay takes a batch for delivered, even if the handler answers with an error.
    TakesAnyAnswer,
    /// A replay does not wait for events that are not archived yet.
    EndsAtOnce,
}

impl Planted {
    /// All bugs, each with the invariant that it breaks.
    pub(crate) const ALL: [(Self, &str); 13] = [
        (Self::NoCondition, "the table"),
        (Self::TakesAnyForItsOwn, "the table"),
        (Self::ForgetsCommands, "commands"),
        (Self::WithoutWaves, "handlers"),
        (Self::GivesUp, "handlers"),
        (Self::RestoredIsNew, "restored"),
        (Self::NamedByClock, "the archive"),
        (Self::Skips, "handlers"),
        (Self::KeepsNothing, "quarantine"),
        (Self::ReplaysThrough, "replays"),
        (Self::HoldsNothingBack, "replays"),
        (Self::TakesAnyAnswer, "replays"),
        (Self::EndsAtOnce, "replays"),
    ];
}

/// The store of events, or a buggy one, as seen by the process that is using it.
#[derive(Debug, Clone)]
pub(crate) struct Store(Arc<Mutex<Process>>);

impl Store {
    /// Returns the store as a process sees it.
    pub(crate) fn of(process: &Process) -> Self {
        Self(Arc::new(Mutex::new(process.clone())))
    }

    /// Passes the store on to another process.
    pub(crate) fn pass_to(&self, process: &Process) {
        *lock(&self.0) = process.clone();
    }

    fn process(&self) -> Process {
        lock(&self.0).clone()
    }
}

impl EventStore for Store {
    type Error = TableError;

    fn read_after(
        &self,
        id: &AggregateId,
        version: u64,
    ) -> impl Stream<Item = Result<Commit, TableError>> + Send {
        let process = self.process();
        let commits = futures::stream::once({
            let (table, id) = (Table(process.clone()), id.clone());
            async move { table.read_after(&id, version).try_collect::<Vec<_>>().await }
        });
        let forgets = process.world.planted == Some(Planted::ForgetsCommands);
        commits.map_ok(|commits| futures::stream::iter(commits.into_iter().map(Ok))).try_flatten().map_ok(
            move |mut commit| {
                if forgets {
                    commit.context.command_id = process.new_id();
                }
                commit
            },
        )
    }

    async fn append(&self, commit: &Commit) -> Result<(), AppendError<TableError>> {
        let process = self.process();
        let planted = process.world.planted;
        let appended = match planted {
            Some(Planted::NoCondition) => {
                let item = to_item(commit).map_err(|error| AppendError::Store(error.into()))?;
                let (item, id, version) = (Item::from(item), commit.aggregate_id.to_string(), commit.version);
                let put = move |world: &World| world.put_item_anyway(&id, version, &item);
                let put = process.call(|| "PutItem without a condition".to_owned(), put).await;
                return put.map_err(|error| AppendError::Store(error.into()));
            }
            _ => Table(process).append(commit).await,
        };
        match appended {
            Err(AppendError::Conflict) if planted == Some(Planted::TakesAnyForItsOwn) => Ok(()),
            appended => appended,
        }
    }
}

/// The bucket, or a buggy one.
#[derive(Debug, Clone)]
pub(crate) struct Shelf(pub(crate) Process);

impl Objects for Shelf {
    type Error = OutOfReach;

    async fn get(&self, key: &str) -> Result<Option<Object>, OutOfReach> {
        BucketOf(self.0.clone()).get(key).await
    }

    async fn list(&self, prefix: &str, after: Option<&str>) -> Result<Vec<String>, OutOfReach> {
        BucketOf(self.0.clone()).list(prefix, after).await
    }
}

impl Bucket for Shelf {
    async fn put(&self, key: &str, content_type: &str, body: Vec<u8>) -> Result<(), OutOfReach> {
        let mut key = key.to_owned();
        match self.0.world.planted {
            Some(Planted::NamedByClock) if key.starts_with(EVENTS_PREFIX) => {
                key = format!("{EVENTS_PREFIX}{:.0}.ndjson.gz", self.0.now());
            }
            Some(Planted::KeepsNothing) if key.starts_with(FAILED_PREFIX) => return Ok(()),
            _ => {}
        }
        BucketOf(self.0.clone()).put(&key, content_type, body).await
    }

    async fn put_if(
        &self,
        key: &str,
        content_type: &str,
        mut body: Vec<u8>,
        expected: &Expected,
    ) -> Result<Option<String>, OutOfReach> {
        if self.0.world.planted == Some(Planted::EndsAtOnce) && key.starts_with(REPLAYS_PREFIX) {
            let mut progress = Progress::from_bytes(&body).expect("replay can read what it saves");
            progress.settles_in = Duration::ZERO;
            body = progress.to_bytes();
        }
        BucketOf(self.0.clone()).put_if(key, content_type, body, expected).await
    }
}

/// The functions, or buggy ones, as `replay` calls them.
#[derive(Debug, Clone)]
pub(crate) struct Calls(pub(crate) Functions);

impl Invoke for Calls {
    type Error = OutOfReach;

    async fn call(&self, function: &str, payload: Vec<u8>) -> Result<Reply, OutOfReach> {
        let batch = payload.clone();
        let reply = self.0.call(function, payload).await;
        match reply {
            Err(_) | Ok(Reply::Failed(_)) if self.0.0.world.planted == Some(Planted::TakesAnyAnswer) => {
                let batch: ReplayBatch = serde_json::from_slice(&batch).expect("the payload is a batch");
                let answer = json!({"handler": function, "handler_kind": "projection", "handled": batch.events.len(),
                    "quarantined": [], "refused": false});
                Ok(Reply::Answer(answer.to_string().into_bytes()))
            }
            reply => reply,
        }
    }

    async fn send(&self, function: &str, payload: Vec<u8>) -> Result<(), OutOfReach> {
        self.0.send(function, payload).await
    }
}

/// Replays each object of the archive unchanged.
pub(crate) async fn replay_as_it_reads(process: &Process, order: &Order) {
    let (bucket, mut after) = (Shelf(process.clone()), None);
    while let Ok(keys) = bucket.list(EVENTS_PREFIX, after.as_deref()).await {
        let Some(last) = keys.last().cloned() else { return };
        for key in keys {
            let Ok(Some(object)) = bucket.get(&key).await else { continue };
            let Ok(mut events) = archive::events(&object.body) else { continue };
            events.retain(|event| order.only.has(event));
            let replay = Replayed { id: order.id, repeat_side_effects: order.repeat_side_effects };
            let batch = serde_json::to_vec(&ReplayBatch { replay, events })
                .expect("a batch can always be serialized as JSON");
            drop(Functions(process.clone()).call(&order.handler, batch).await);
        }
        after = Some(last);
    }
}

/// Publishes all events of a batch at once, and then repeats what was rejected.
pub(crate) async fn capture_without_waves(batch: Event, process: &Process) -> Result<(), Fault> {
    let mut records = Vec::new();
    for change in batch.records.into_iter().filter(|change| change.event_name == "INSERT") {
        if change.change.new_image.contains_key(attribute::RESTORED) {
            continue;
        }
        let Ok(commit) = from_item(change.change.new_image) else { continue };
        records.extend(commit.into_envelopes().map(|envelope| Record::of(&envelope)));
    }
    while !records.is_empty() {
        let outcomes = Kinesis(process.clone()).put_records(&records.iter().collect::<Vec<_>>()).await?;
        let mut outcomes = outcomes.into_iter();
        records.retain(|_| outcomes.next().is_some_and(|outcome| outcome.is_err()));
    }
    Ok(())
}

/// Removes the marks from restored commits.
pub(crate) fn forget_marks(batch: &mut Event) {
    for record in &mut batch.records {
        record.change.new_image.inner_mut().remove(attribute::RESTORED);
    }
}

/// Lets a replay through to a reactor.
pub(crate) fn permit(input: &mut Input) {
    if let Input::Replay(batch) = input {
        batch.replay.repeat_side_effects = true;
    }
}
