//! The messages between a replay and a handler. The names are part of the wire format, and must stay valid
//! across the releases of both sides.

mod control;
mod order;

pub use control::{
    Contradiction, ControlAnswer, Counts, Reading, Reason, ReplayGap, ReplayRefusal, ReplayState,
    ReplayStatus, Request, Runner, Unreadable, Which,
};
pub use order::{Only, Order, Source};

use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::envelope::Envelope;

/// Events that are delivered to a handler again, by a direct invocation, in order within each aggregate.
///
/// A batch without events asks what the handler does.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ReplayBatch {
    /// The mark of the replay.
    pub replay: Replayed,
    /// The events.
    pub events: Vec<Envelope>,
}

/// The mark of replayed events.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Replayed {
    /// The id of the replay.
    pub id: Uuid,
    /// Whether a handler may repeat its side effects.
    pub repeat_side_effects: bool,
}

/// What a handler does with events, and so what a replay to it means.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum HandlerKind {
    /// It has side effects, which a replay repeats.
    Reactor,
    /// It only builds state: the same events produce the same state.
    Projection,
}

/// The result of a batch.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ReplayAnswer {
    /// The handler, by the name of its binary.
    pub handler: String,
    /// What it does with events.
    pub handler_kind: HandlerKind,
    /// The number of handled events. Events of other aggregate types are skipped and not counted.
    pub handled: usize,
    /// The quarantined events; all others were handled.
    pub quarantined: Vec<QuarantinedEvent>,
    /// Whether the handler refused the batch because it has side effects. Then nothing was handled.
    pub refused: bool,
}

/// An event that a handler could not handle and quarantined.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct QuarantinedEvent {
    /// The type of its aggregate.
    pub aggregate_type: String,
    /// The id of its aggregate.
    pub aggregate_id: Uuid,
    /// Its version in the aggregate.
    pub version: u64,
    /// Why it could not be handled.
    pub reason: String,
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    /// The two sides may be of different releases.
    #[test]
    fn replay_wire_format_is_pinned() {
        let id = Uuid::from_u128(1);
        let batch = ReplayBatch { replay: Replayed { id, repeat_side_effects: false }, events: vec![] };
        let expected = json!({"replay": {"id": id, "repeat_side_effects": false}, "events": []});
        assert_eq!(json!(batch), expected);
        let kept = QuarantinedEvent {
            aggregate_type: "tally".into(),
            aggregate_id: id,
            version: 3,
            reason: "odd".into(),
        };
        let answer = ReplayAnswer {
            handler: "log-events".into(),
            handler_kind: HandlerKind::Reactor,
            handled: 2,
            quarantined: vec![kept],
            refused: false,
        };
        let expected = json!({
            "handler": "log-events",
            "handler_kind": "reactor",
            "handled": 2,
            "quarantined": [{"aggregate_type": "tally", "aggregate_id": id, "version": 3, "reason": "odd"}],
            "refused": false,
        });
        assert_eq!(json!(answer), expected);
        assert_eq!(json!(HandlerKind::Projection), json!("projection"));
    }
}
