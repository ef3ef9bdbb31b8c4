//! What was seen from outside of the code under test: what callers were told, and what handlers
//! were given. The invariants compare it with the table.

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
    /// The replay that it came from, if it did.
    pub(crate) replay: Option<Uuid>,
}

/// What must be found under `failed/`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Aside {
    /// What the key of the object begins with.
    pub(crate) prefix: String,
    /// What the object says somewhere.
    pub(crate) says: Vec<String>,
}

/// A replay that somebody ordered.
#[derive(Debug, Clone)]
pub(crate) struct Replayed {
    /// What was ordered.
    pub(crate) order: Order,
    /// Whether it began while events were still coming, so that it need not have all of them,
    /// but those that are owed.
    pub(crate) early: bool,
    /// How it ended.
    pub(crate) ended: Option<ReplayState>,
    /// Why it was refused.
    pub(crate) refused: Option<Reason>,
}

/// What was seen.
#[derive(Debug, Default)]
pub(crate) struct Observed {
    /// What each handler has handled of each aggregate, in the order in which it did.
    pub(crate) handled: BTreeMap<(&'static str, Uuid), Vec<Handled>>,
    /// The commands that callers were told have come about: by cart and command.
    pub(crate) acknowledged: BTreeSet<(Uuid, Uuid)>,
    /// What cannot be understood, and by whom.
    pub(crate) asides: BTreeSet<Aside>,
    /// The replays.
    pub(crate) replays: Vec<Replayed>,
    /// What replays of the archive must have, by their id: aggregates and versions.
    pub(crate) owed: BTreeMap<Uuid, BTreeSet<(Uuid, u64)>>,
    /// Whether the code of the handlers was mended meanwhile: what was poison is none any more.
    pub(crate) mended: bool,
    /// How many callers have not got their answer.
    pub(crate) busy: usize,
}
