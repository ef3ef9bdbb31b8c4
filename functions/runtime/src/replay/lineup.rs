//! The lineup: which events were delivered, which are ready to be delivered, and which are held back until
//! earlier ones arrive.
//!
//! Pure, and the core of a replay. Events arrive in any order and any number of times. The events of each
//! aggregate are delivered in the order of their versions, from 1, each after all earlier ones. Events that
//! are ready stay in the lineup until their delivery is noted, so the lineup can be saved at any time: after
//! a restart, events in flight are delivered again.

mod load;

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use eventsourcing::{AggregateId, Envelope, replay::ReplayGap};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

pub use load::Load;

/// The most that is held back.
///
/// Held events are in memory and in the saved progress. Events beyond this limit are dropped, and found again
/// when everything is read again. The number of events alone is no limit, because an event may have 1 MB: the
/// function has 1,024 MB, and needs several times the size of the held events to save and read them.
const ROOM: Load = Load { events: 10_000, bytes: 64_000_000 };
/// For how many delivered events a mark is kept, which distinguishes a later copy from a different event with
/// the same version. Each takes two bytes, in memory and in the saved progress.
const REMEMBERED: u64 = 10_000_000;
/// The approximate size of an event without its data: its ids and names, as text.
const FRAME: u64 = 500;

/// Events on their way to one handler, lined up by aggregate.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(from = "Saved")]
pub struct Lineup {
    /// The delivered events, by aggregate.
    gone: BTreeMap<AggregateId, Gone>,
    /// The events that arrived and are not delivered yet. None of the lines is empty.
    waiting: BTreeMap<AggregateId, AggregateLine>,
    /// The most that is held back.
    room: Load,
    /// The aggregates whose next version has arrived.
    #[serde(skip)]
    ready: BTreeSet<AggregateId>,
    /// The size of the events that are ready.
    #[serde(skip)]
    may_go: Load,
    /// The size of the events that are held back.
    #[serde(skip)]
    held: Load,
    /// For how many delivered events a mark is kept.
    #[serde(skip)]
    remembered: u64,
}

/// The delivered events of an aggregate.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
struct Gone {
    /// The next version to deliver.
    next: u64,
    /// The marks of the first events, starting with version 1.
    marks: Vec<u16>,
}

/// An event that arrived and is not delivered yet.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct Turn {
    mark: u16,
    /// `None` for an event that was not requested: it is not delivered, but others wait for its turn.
    event: Option<Arc<Envelope>>,
}

/// The saved fields of a lineup; the others are derived from them.
#[derive(Deserialize)]
struct Saved {
    gone: BTreeMap<AggregateId, Gone>,
    waiting: BTreeMap<AggregateId, AggregateLine>,
    room: Load,
}

/// The events of one aggregate that arrived and are not delivered yet.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct AggregateLine {
    /// The events by version.
    events: BTreeMap<u64, Turn>,
    /// The first version that has not arrived. Earlier versions are ready.
    upto: u64,
    /// The highest version that was dropped for lack of room.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    let_go: Option<u64>,
}

/// What the lineup did with an event.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Taken {
    /// It was added to the lineup.
    LinedUp,
    /// It arrived before.
    Known,
    /// A different event with the same version arrived before.
    Contradicts,
    /// It was dropped: there is no room for it until earlier versions arrive.
    LetGo,
}

/// The events of one aggregate that are ready to be delivered, in their order.
#[derive(Debug)]
pub struct Ready<'a> {
    /// The aggregate.
    pub aggregate: &'a AggregateId,
    /// The events by version; `None` for an event that was not requested.
    pub events: Vec<(u64, Option<&'a Arc<Envelope>>)>,
}

impl Default for Lineup {
    fn default() -> Self {
        Self::with_room(ROOM)
    }
}

impl Lineup {
    /// Returns a lineup that holds back at most this much.
    pub fn with_room(room: Load) -> Self {
        Saved { gone: BTreeMap::new(), waiting: BTreeMap::new(), room }.into()
    }

    /// Adds an event of an aggregate. `wanted` says whether it is delivered in its turn.
    pub fn take(&mut self, aggregate: AggregateId, event: Envelope, wanted: bool) -> Taken {
        let (version, mark) = (event.version, mark(event.id));
        let gone = self.gone.entry(aggregate.clone()).or_insert_with(|| Gone { next: 1, marks: Vec::new() });
        if version < gone.next {
            let other = gone.mark(version).is_some_and(|known| known != mark);
            return if other { Taken::Contradicts } else { Taken::Known };
        }
        let line = self.waiting.entry(aggregate.clone()).or_insert_with(|| AggregateLine::at(gone.next));
        if let Some(known) = line.events.get(&version) {
            return if known.mark == mark { Taken::Known } else { Taken::Contradicts };
        }
        let turn = Turn { mark, event: wanted.then(|| Arc::new(event)) };
        let held = self.held + turn.load();
        if version != line.upto && (held.events > self.room.events || held.bytes > self.room.bytes) {
            line.let_go = line.let_go.max(Some(version));
            return Taken::LetGo;
        }
        line.events.insert(version, turn);
        self.held = held;
        let called = line.call();
        if called.events > 0 {
            self.held -= called;
            self.may_go += called;
            self.ready.insert(aggregate);
        }
        Taken::LinedUp
    }

    /// Returns the events that are ready, by aggregate.
    pub fn ready(&self) -> impl Iterator<Item = Ready<'_>> {
        self.ready.iter().filter_map(|aggregate| {
            let line = self.waiting.get(aggregate)?;
            let events = line.events.range(..line.upto);
            let events = events.map(|(&version, turn)| (version, turn.event.as_ref())).collect();
            Some(Ready { aggregate, events })
        })
    }

    /// Notes that the events of an aggregate were delivered, up to this version.
    pub fn gone(&mut self, aggregate: &AggregateId, through: u64) {
        let Some(line) = self.waiting.get_mut(aggregate) else { return };
        let through = through.min(line.upto - 1);
        let rest = line.events.split_off(&(through + 1));
        self.may_go -= line.events.values().map(Turn::load).sum();
        let gone = self.gone.entry(aggregate.clone()).or_default();
        gone.next = through + 1;
        for (&version, turn) in &line.events {
            // Marks are kept from version 1 on, without a hole.
            if self.remembered < REMEMBERED && gone.marks.len() as u64 + 1 == version {
                gone.marks.push(turn.mark);
                self.remembered += 1;
            }
        }
        line.events = rest;
        if line.upto == through + 1 {
            self.ready.remove(aggregate);
        }
        if line.events.is_empty() && line.let_go.is_none() {
            self.waiting.remove(aggregate);
        }
    }

    /// Returns the size of the events that are ready.
    pub fn may_go(&self) -> Load {
        self.may_go
    }

    /// Returns how many events arrived and are not delivered yet.
    pub fn waiting(&self) -> u64 {
        self.may_go.events + self.held.events
    }

    /// Returns how many aggregates were seen.
    pub fn aggregates(&self) -> u64 {
        self.gone.len() as u64
    }

    /// Prepares for reading everything again: dropped events will arrive again.
    pub fn again(&mut self) {
        for line in self.waiting.values_mut() {
            line.let_go = None;
        }
        self.waiting.retain(|_, line| !line.events.is_empty());
    }

    /// Returns the gaps, once no more events will arrive.
    pub fn gaps(&self) -> impl Iterator<Item = ReplayGap> {
        self.waiting.iter().filter_map(|(aggregate, line)| {
            let last = line.events.last_key_value().map(|(&version, _)| version);
            Some(ReplayGap {
                aggregate_type: aggregate.aggregate_type().to_owned(),
                aggregate_id: aggregate.uuid(),
                missing: line.upto,
                // Events that are ready have no gap before them.
                last: last.max(line.let_go).filter(|&last| last >= line.upto)?,
            })
        })
    }
}

impl AggregateLine {
    fn at(next: u64) -> Self {
        Self { events: BTreeMap::new(), upto: next, let_go: None }
    }

    /// Makes the events ready whose turn it is. Returns their size.
    fn call(&mut self) -> Load {
        let mut called = Load::default();
        while let Some(turn) = self.events.get(&self.upto) {
            called += turn.load();
            self.upto += 1;
        }
        called
    }
}

impl Gone {
    /// Returns the mark of the delivered event with this version, if it was kept.
    fn mark(&self, version: u64) -> Option<u16> {
        let place = usize::try_from(version.checked_sub(1)?).ok()?;
        self.marks.get(place).copied()
    }
}

impl Turn {
    fn load(&self) -> Load {
        let bytes = self.event.as_ref().map_or(0, |event| FRAME + event.data.as_str().len() as u64);
        Load { events: 1, bytes }
    }
}

/// Returns the mark of an event's id. Equal ids have equal marks; so does one in 65,536 pairs of different
/// ids.
fn mark(id: Uuid) -> u16 {
    id.as_bytes()
        .chunks_exact(2)
        .fold(0, |mark, two| mark.rotate_left(3) ^ u16::from_le_bytes([two[0], two[1]]))
}

impl From<Saved> for Lineup {
    fn from(Saved { gone, waiting, room }: Saved) -> Self {
        let called = |line: &AggregateLine| line.events.range(..line.upto).map(|(_, turn)| turn.load()).sum();
        let ready = waiting.iter().filter(|(_, line)| line.events.range(..line.upto).next().is_some());
        let ready = ready.map(|(id, _)| id.clone()).collect();
        let may_go = waiting.values().map(called).sum();
        let mut held: Load = waiting.values().flat_map(|line| line.events.values()).map(Turn::load).sum();
        held -= may_go;
        let remembered = gone.values().map(|gone| gone.marks.len() as u64).sum();
        Self { gone, waiting, room, ready, may_go, held, remembered }
    }
}
