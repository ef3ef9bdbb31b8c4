//! Observations from outside of the code under test: the answers that callers got, and the events that
//! handlers got. The invariants compare them with the table.

use std::collections::{BTreeMap, BTreeSet};

use eventsourcing::replay::{Order, Reason, ReplayState};
use uuid::Uuid;

/// An event that a handler has handled.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Handled {
    /// Its version.
    pub(crate) version: u64,
    /// Its id.
    pub(crate) id: Uuid,
    /// The replay that delivered it, if one did.
    pub(crate) replay: Option<Uuid>,
}

/// An object that must be under `failed/`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Aside {
    /// The prefix of the object's key.
    pub(crate) prefix: String,
    /// Texts that the object must contain.
    pub(crate) says: Vec<String>,
}

/// A replay that was ordered.
#[derive(Debug, Clone)]
pub(crate) struct Replayed {
    /// The order.
    pub(crate) order: Order,
    /// Whether it started while events were still arriving. Then it need not deliver all events, only those
    /// that are owed.
    pub(crate) early: bool,
    /// How it ended.
    pub(crate) ended: Option<ReplayState>,
    /// Why it was refused.
    pub(crate) refused: Option<Reason>,
}

/// All observations.
#[derive(Debug, Default)]
pub(crate) struct Observed {
    /// The events that each handler has handled, by aggregate, in its order.
    pub(crate) handled: BTreeMap<(&'static str, Uuid), Vec<Handled>>,
    /// The commands that were acknowledged to callers, by cart and command.
    pub(crate) acknowledged: BTreeSet<(Uuid, Uuid)>,
    /// The events and records that must be quarantined, and by which function.
    pub(crate) asides: BTreeSet<Aside>,
    /// The replays.
    pub(crate) replays: Vec<Replayed>,
    /// The events that replays of the archive must deliver, by replay: aggregates and versions.
    pub(crate) owed: BTreeMap<Uuid, BTreeSet<(Uuid, u64)>>,
    /// Whether the handlers' code was repaired meanwhile: events that were poison are not poison any more.
    pub(crate) mended: bool,
    /// How many callers are still waiting for an answer.
    pub(crate) busy: usize,
}
