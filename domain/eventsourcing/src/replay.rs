//! What a replay and a handler say to each other. The names are part of the wire format, and
//! outlive any one release of either side.

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

/// Events that are handed to a handler once more, by a direct invocation. Those of one
/// aggregate stand in their order.
///
/// Without an event, it asks what the handler does.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ReplayBatch {
    /// Which replay it is.
    pub replay: Replayed,
    /// The events.
    pub events: Vec<Envelope>,
}

/// The mark of what is replayed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Replayed {
    /// What tells the replay from others.
    pub id: Uuid,
    /// Whether a handler shall act on the outside once more.
    pub even_if_it_acts: bool,
}

/// What a handler does with events, and so what handling them once more means.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Does {
    /// It acts on the outside: what was done is done a second time.
    Acts,
    /// It only builds state: the same events make the same state.
    BuildsState,
}

/// What became of a batch.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ReplayAnswer {
    /// The handler, by the name of its binary.
    pub handler: String,
    /// What it does with events.
    pub does: Does,
    /// How many events it handled. Those of aggregates that are not for it are passed over,
    /// and not counted.
    pub handled: usize,
    /// What it could not handle; the rest went on.
    pub kept_aside: Vec<KeptAside>,
    /// Whether it refused, as it acts on the outside: then nothing was touched.
    pub refused: bool,
}

/// An event that a handler could not handle and has kept aside.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct KeptAside {
    /// The type of its aggregate.
    pub aggregate_type: String,
    /// Its aggregate.
    pub aggregate_id: Uuid,
    /// Its place among those of its aggregate.
    pub version: u64,
    /// Why it could not be handled.
    pub reason: String,
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    /// Pinned: the two sides may be of different releases.
    #[test]
    fn replay_wire_format_is_pinned() {
        let id = Uuid::from_u128(1);
        let batch = ReplayBatch { replay: Replayed { id, even_if_it_acts: false }, events: vec![] };
        let expected = json!({"replay": {"id": id, "even_if_it_acts": false}, "events": []});
        assert_eq!(json!(batch), expected);
        let kept =
            KeptAside { aggregate_type: "tally".into(), aggregate_id: id, version: 3, reason: "odd".into() };
        let answer = ReplayAnswer {
            handler: "log-events".into(),
            does: Does::Acts,
            handled: 2,
            kept_aside: vec![kept],
            refused: false,
        };
        let expected = json!({
            "handler": "log-events",
            "does": "acts",
            "handled": 2,
            "kept_aside": [{"aggregate_type": "tally", "aggregate_id": id, "version": 3, "reason": "odd"}],
            "refused": false,
        });
        assert_eq!(json!(answer), expected);
        assert_eq!(json!(Does::BuildsState), json!("builds_state"));
    }
}
