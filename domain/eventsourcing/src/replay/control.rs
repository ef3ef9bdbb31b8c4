//! How a replay is started, watched and stopped: what its callers and the function `replay`
//! say to each other.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::{Does, KeptAside, Order};

/// What the function `replay` can be asked for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "do", rename_all = "snake_case")]
pub enum Request {
    /// Start a replay. The same order once more, by its id, makes sure that it runs.
    Start(Order),
    /// Tell how the last replay of a handler stands.
    Status(Which),
    /// Stop the replay of a handler, for good.
    Cancel(Which),
    /// Run the replay of this id on, from where it was saved.
    Continue(Runner),
}

/// A replay, by its handler.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Which {
    /// The handler, by the name of its binary.
    pub handler: String,
    /// Whether its dry run is meant.
    #[serde(default)]
    pub dry_run: bool,
}

/// A replay that is to be run on.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Runner {
    /// The handler, by the name of its binary.
    pub handler: String,
    /// Whether its dry run is meant.
    #[serde(default)]
    pub dry_run: bool,
    /// The replay. When the handler has another by now, nothing is done.
    pub id: Uuid,
    /// How often the caller knows it to have been saved. When it has been saved more often
    /// since, somebody runs it, and nothing is done.
    #[serde(default)]
    pub saves: Option<u64>,
}

/// What is answered: how a replay stands, or why it was refused, or both.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ControlAnswer {
    /// How the replay stands that is meant, or is in the way.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub status: Option<ReplayStatus>,
    /// Why nothing was done.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub refused: Option<ReplayRefusal>,
}

/// Why nothing was done.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ReplayRefusal {
    /// The reason, for programs.
    pub error: Reason,
    /// The reason, for people.
    pub message: String,
}

/// A reason for which nothing is done.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Reason {
    /// The order makes no sense.
    InvalidRequest,
    /// There is no such handler.
    UnknownHandler,
    /// The handler cannot be asked what it does.
    HandlerFailed,
    /// The handler acts on the outside, and nobody said that it shall do so once more.
    HandlerActs,
    /// A replay of the handler runs already.
    AlreadyRunning,
    /// There is no replay that this could be about.
    NoReplay,
}

/// How a replay stands.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ReplayStatus {
    /// What was ordered.
    pub order: Order,
    /// Whether it runs, or how it ended.
    pub state: ReplayState,
    /// When it was started.
    pub started_at: Timestamp,
    /// When this was saved.
    pub saved_at: Timestamp,
    /// How long ago that was, by the clock of whoever answers, in seconds.
    pub idle_s: u64,
    /// How often it was saved; what runs is saved every few seconds.
    pub saves: u64,
    /// How far it has read.
    pub reading: Reading,
    /// How many there were of everything.
    pub counts: Counts,
    /// How many events have gone, by type.
    pub by_type: BTreeMap<String, u64>,
    /// Events that never came, though later ones of their aggregate did; the first few.
    pub gaps: Vec<ReplayGap>,
    /// What the handler could not handle; the first few.
    pub kept_aside: Vec<KeptAside>,
    /// What could not be read; the first few.
    pub unreadable: Vec<Unreadable>,
    /// Events in whose place another one came first; the first few.
    #[serde(default)]
    pub contradictions: Vec<Contradiction>,
    /// How many events of each type the aggregates have that were asked for, whether or not that
    /// type was.
    #[serde(default)]
    pub read_by_type: BTreeMap<String, u64>,
    /// What the handler says it does; nothing when nobody has asked it.
    #[serde(default)]
    pub does: Option<Does>,
    /// Why it does not get on, or what ended it.
    pub trouble: Option<String>,
}

/// Whether a replay runs, or how it ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ReplayState {
    /// Somebody runs it, or should.
    Running,
    /// Everything has gone.
    Complete,
    /// All has gone that could, but something is missing, or contradicts something else.
    Incomplete,
    /// Somebody stopped it.
    Cancelled,
    /// It cannot go on.
    Failed,
}

/// How far a replay has read.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Reading {
    /// Which time everything is read, from 1: again when something came before its
    /// predecessors.
    pub pass: u32,
    /// What was read last: the key of an object, or an aggregate of the table.
    pub last: Option<String>,
    /// How many objects or pages were read this time.
    pub done: u64,
    /// How many there are, where that is known.
    pub total: Option<u64>,
    /// How many seconds more it waits until the archive has what happened before the replay was
    /// ordered; 0 while it reads, or when nothing is to be waited for.
    #[serde(default)]
    pub waits_s: u64,
}

/// How many there were of everything.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Counts {
    /// Events that were read the first time round.
    pub read: u64,
    /// Aggregates that they were of.
    pub aggregates: u64,
    /// Events of those that had been read before.
    pub duplicates: u64,
    /// Events that were delivered, or would have been in a dry run.
    pub delivered: u64,
    /// Events of those that the handler says it handled.
    pub handled: u64,
    /// Events of those that the handler kept aside.
    pub kept_aside: u64,
    /// Events that nobody asked for.
    pub passed_over: u64,
    /// Batches that were delivered.
    pub batches: u64,
    /// Events that have been read and are still to go.
    pub waiting: u64,
    /// Aggregates with a gap, once all is read.
    pub gaps: u64,
    /// Objects or items that could not be read.
    pub unreadable: u64,
    /// Events that were not delivered, as another one has their version.
    pub contradictions: u64,
}

/// A gap in the events of an aggregate.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ReplayGap {
    /// The type of the aggregate.
    pub aggregate_type: String,
    /// The aggregate.
    pub aggregate_id: Uuid,
    /// The first version that never came.
    pub missing: u64,
    /// The last version that did, and was not delivered.
    pub last: u64,
}

/// An event that was not delivered, as another one with its version came first.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Contradiction {
    /// The type of the aggregate.
    pub aggregate_type: String,
    /// The aggregate.
    pub aggregate_id: Uuid,
    /// The version of both.
    pub version: u64,
    /// The id of the event that was not delivered.
    pub id: Uuid,
}

/// Something that could not be read.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Unreadable {
    /// The key of the object or the item.
    pub key: String,
    /// What is wrong with it.
    pub reason: String,
}

impl ControlAnswer {
    /// Returns the answer that a replay stands like this.
    pub fn of(status: ReplayStatus) -> Self {
        Self { status: Some(status), refused: None }
    }

    /// Returns the answer that nothing was done.
    pub fn refused(error: Reason, message: impl Into<String>) -> Self {
        Self { status: None, refused: Some(ReplayRefusal { error, message: message.into() }) }
    }

    /// Returns the answer with the replay that is in the way.
    pub fn because_of(self, status: ReplayStatus) -> Self {
        Self { status: Some(status), ..self }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;
    use crate::replay::{Only, Source};

    fn order() -> Value {
        json!({"do": "start", "handler": "log-events", "id": Uuid::nil(), "by": "ann", "rate": 5})
    }

    fn read(request: Value) -> Result<Request, String> {
        serde_json::from_value(request).map_err(|error| error.to_string())
    }

    /// Pinned: the deployer may be of another release than the function.
    #[test]
    fn minimal_replay_request_is_understood() {
        let Ok(Request::Start(order)) = read(order()) else { panic!("it is an order") };
        assert_eq!((order.from, order.only.clone()), (Source::Archive, Only::default()));
        assert!(!order.even_if_it_acts && !order.dry_run);
        assert_eq!(order.mistake(), None);
        let which = Which { handler: "log-events".into(), dry_run: false };
        assert_eq!(
            read(json!({"do": "status", "handler": "log-events"})),
            Ok(Request::Status(which.clone()))
        );
        assert_eq!(read(json!({"do": "cancel", "handler": "log-events"})), Ok(Request::Cancel(which)));
        let runner = Runner { saves: Some(3), ..order.runner() };
        let request = json!({"do": "continue", "handler": "log-events", "id": Uuid::nil(), "saves": 3});
        assert_eq!(read(request), Ok(Request::Continue(runner)));
    }

    #[test]
    fn unknown_replay_request_is_refused() {
        let mut order = order();
        order["speed"] = json!(9);
        assert!(read(order).is_err_and(|error| error.contains("unknown field `speed`")));
        assert!(read(json!({"do": "sing"})).is_err());
    }

    #[test]
    fn invalid_replay_order_names_its_mistake() {
        let mistake = |key: &str, value: Value| {
            let mut order = order();
            order[key] = value;
            let Ok(Request::Start(order)) = read(order) else { panic!("it is an order") };
            order.mistake()
        };
        assert!(mistake("rate", json!(0)).is_some_and(|mistake| mistake.contains("rate")));
        assert!(mistake("handler", json!("")).is_some());
        let times = json!({"since": "2026-11-22T00:00:00Z", "until": "2026-11-22T00:00:00Z"});
        assert!(mistake("only", times).is_some_and(|mistake| mistake.contains("since")));
    }
}
