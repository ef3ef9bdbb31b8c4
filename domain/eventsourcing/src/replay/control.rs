//! Starting, following and stopping a replay: the messages between callers and the function `replay`.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::{HandlerKind, Order, QuarantinedEvent};

/// The requests to the function `replay`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "do", rename_all = "snake_case")]
pub enum Request {
    /// Start a replay. A repeated order with the same id makes sure that the replay runs.
    Start(Order),
    /// Return the status of the last replay of a handler.
    Status(Which),
    /// Cancel the replay of a handler, permanently.
    Cancel(Which),
    /// Continue the replay of this id from its saved state.
    Continue(Runner),
}

/// Selects a replay by its handler.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Which {
    /// The handler, by the name of its binary.
    pub handler: String,
    /// Whether the handler's dry run is meant.
    #[serde(default)]
    pub dry_run: bool,
}

/// A replay to continue.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Runner {
    /// The handler, by the name of its binary.
    pub handler: String,
    /// Whether the handler's dry run is meant.
    #[serde(default)]
    pub dry_run: bool,
    /// The id of the replay. If the handler has another replay by now, nothing is done.
    pub id: Uuid,
    /// The number of saves that the caller knows of. If there are more, another runner is active, and nothing
    /// is done.
    #[serde(default)]
    pub saves: Option<u64>,
}

/// An answer: the status of a replay, the reason of a refusal, or both.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ControlAnswer {
    /// The status of the requested replay, or of the one that prevents it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub status: Option<ReplayStatus>,
    /// Why nothing was done.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub refused: Option<ReplayRefusal>,
}

/// Why a request was refused.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ReplayRefusal {
    /// The reason, for programs.
    pub error: Reason,
    /// The reason, for people.
    pub message: String,
}

/// The reason of a refusal.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Reason {
    /// The order is invalid.
    InvalidRequest,
    /// The handler does not exist.
    UnknownHandler,
    /// The handler did not answer when asked what it does.
    HandlerFailed,
    /// The handler has side effects, and the order does not allow to repeat them.
    HandlerHasSideEffects,
    /// A replay of the handler is already running.
    AlreadyRunning,
    /// There is no replay for this request.
    NoReplay,
}

/// The status of a replay.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ReplayStatus {
    /// The order.
    pub order: Order,
    /// Whether the replay is running, or how it ended.
    pub state: ReplayState,
    /// When the replay was started.
    pub started_at: Timestamp,
    /// When this status was saved.
    pub saved_at: Timestamp,
    /// The time since then in seconds, by the clock of the answering function.
    pub idle_s: u64,
    /// The number of saves; a running replay is saved every few seconds.
    pub saves: u64,
    /// The progress of reading.
    pub reading: Reading,
    /// The counts.
    pub counts: Counts,
    /// The number of delivered events, by type.
    pub by_type: BTreeMap<String, u64>,
    /// Missing events whose successors were read; the first few.
    pub gaps: Vec<ReplayGap>,
    /// Events that the handler quarantined; the first few.
    pub quarantined: Vec<QuarantinedEvent>,
    /// Objects or items that could not be read; the first few.
    pub unreadable: Vec<Unreadable>,
    /// Events that were not delivered because another event with the same version came first; the first few.
    #[serde(default)]
    pub contradictions: Vec<Contradiction>,
    /// The number of events of each type in the selected aggregates, including types that were not selected.
    #[serde(default)]
    pub read_by_type: BTreeMap<String, u64>,
    /// What the handler says that it does; `None` if it was not asked.
    #[serde(default)]
    pub handler_kind: Option<HandlerKind>,
    /// Why the replay does not progress, or what ended it.
    pub problem: Option<String>,
}

/// Whether a replay runs, or how it ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ReplayState {
    /// It is running, or should be.
    Running,
    /// All events were delivered.
    Complete,
    /// All available events were delivered, but some are missing or contradict others.
    Incomplete,
    /// It was cancelled.
    Cancelled,
    /// It cannot continue.
    Failed,
}

/// The progress of a replay's reading.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Reading {
    /// The number of the current pass, from 1. Another pass is needed when events were read before their
    /// predecessors.
    pub pass: u32,
    /// The last position that was read: the key of an object, or an aggregate of the table.
    pub last: Option<String>,
    /// The number of objects or pages read in this pass.
    pub done: u64,
    /// The total number, where it is known.
    pub total: Option<u64>,
    /// How many more seconds the replay waits until the archive has all events from before the order; 0 while
    /// it reads, or when there is no need to wait.
    #[serde(default)]
    pub waits_s: u64,
}

/// The counts of a replay.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Counts {
    /// Events that were read in the first pass.
    pub read: u64,
    /// Aggregates of these events.
    pub aggregates: u64,
    /// Events that had been read before.
    pub duplicates: u64,
    /// Events that were delivered, or would be delivered without dry run.
    pub delivered: u64,
    /// Delivered events that the handler reports as handled.
    pub handled: u64,
    /// Delivered events that the handler quarantined.
    pub quarantined: u64,
    /// Events that were not selected.
    pub skipped: u64,
    /// Batches that were delivered.
    pub batches: u64,
    /// Events that were read and not delivered yet.
    pub waiting: u64,
    /// Aggregates with a gap, counted after reading.
    pub gaps: u64,
    /// Objects or items that could not be read.
    pub unreadable: u64,
    /// Events that were not delivered because another event has the same version.
    pub contradictions: u64,
}

/// A gap in the events of an aggregate.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ReplayGap {
    /// The type of the aggregate.
    pub aggregate_type: String,
    /// The aggregate.
    pub aggregate_id: Uuid,
    /// The first missing version.
    pub missing: u64,
    /// The last version that was read; it was not delivered.
    pub last: u64,
}

/// An event that was not delivered because another event with the same version came first.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Contradiction {
    /// The type of the aggregate.
    pub aggregate_type: String,
    /// The aggregate.
    pub aggregate_id: Uuid,
    /// The version of both events.
    pub version: u64,
    /// The id of the event that was not delivered.
    pub id: Uuid,
}

/// An object or item that could not be read.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Unreadable {
    /// The key of the object or the item.
    pub key: String,
    /// The cause.
    pub reason: String,
}

impl ControlAnswer {
    /// Returns the answer with this status.
    pub fn of(status: ReplayStatus) -> Self {
        Self { status: Some(status), refused: None }
    }

    /// Returns the answer of a refusal.
    pub fn refused(error: Reason, message: impl Into<String>) -> Self {
        Self { status: None, refused: Some(ReplayRefusal { error, message: message.into() }) }
    }

    /// Returns the answer with the status of the replay that prevents the request.
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

    /// The deployer and the function may be of different releases.
    #[test]
    fn minimal_replay_request_is_understood() {
        let Ok(Request::Start(order)) = read(order()) else { panic!("the request is an order") };
        assert_eq!((order.from, order.only.clone()), (Source::Archive, Only::default()));
        assert!(!order.repeat_side_effects && !order.dry_run);
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
            let Ok(Request::Start(order)) = read(order) else { panic!("the request is an order") };
            order.mistake()
        };
        assert!(mistake("rate", json!(0)).is_some_and(|mistake| mistake.contains("rate")));
        assert!(mistake("handler", json!("")).is_some());
        let times = json!({"since": "2026-11-22T00:00:00Z", "until": "2026-11-22T00:00:00Z"});
        assert!(mistake("only", times).is_some_and(|mistake| mistake.contains("since")));
    }
}
