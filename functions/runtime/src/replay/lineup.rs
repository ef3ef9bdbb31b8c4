//! The lineup: which events have gone, which may go, and which are held back until those
//! before them have come.
//!
//! Pure, and the heart of a replay. Events come in any order and any number of times; of each
//! aggregate they go in the order of their versions, from 1, each when all before it have gone.
//! What may go stays in the lineup until it is said to have gone, so that the lineup can be
//! saved at any time: what was on its way then goes once more.

mod load;

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use eventsourcing::{AggregateId, Envelope, replay::ReplayGap};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

pub use load::Load;

/// What is held back at most for what comes before it.
///
/// It is in memory and in what is saved. More is let go, and found again when everything is
/// read once more. An event may have 1 MB, so their number alone bounds nothing: the function
/// has 1,024 MB, and needs several times what it holds while it saves and reads that.
const ROOM: Load = Load { events: 10_000, bytes: 64_000_000 };
/// Of how many events that have gone it is remembered which they were, to tell a copy that comes
/// later from another event in the same place. Two bytes each, in memory and in what is saved.
const REMEMBERED: u64 = 10_000_000;
/// What an event needs beside its data, about: its ids and names, as text.
const FRAME: u64 = 500;

/// Events on their way to one handler, lined up by their aggregate.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(from = "Saved")]
pub struct Lineup {
    /// What has gone, of each aggregate that was seen.
    gone: BTreeMap<AggregateId, Gone>,
    /// What has come and not gone; none of these is empty.
    waiting: BTreeMap<AggregateId, AggregateLine>,
    /// What is held back at most.
    room: Load,
    /// The aggregates whose next version has come.
    #[serde(skip)]
    ready: BTreeSet<AggregateId>,
    /// What may go.
    #[serde(skip)]
    may_go: Load,
    /// What is held back.
    #[serde(skip)]
    held: Load,
    /// Of how many events that have gone it is remembered which they were.
    #[serde(skip)]
    remembered: u64,
}

/// What has gone of an aggregate.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
struct Gone {
    /// The version that goes next.
    next: u64,
    /// The marks of the first events, from version 1.
    marks: Vec<u16>,
}

/// An event that has come and not gone.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct Turn {
    mark: u16,
    /// Nothing for an event that nobody asked for, which only has its turn.
    event: Option<Arc<Envelope>>,
}

/// What is saved of a lineup; the rest follows from it.
#[derive(Deserialize)]
struct Saved {
    gone: BTreeMap<AggregateId, Gone>,
    waiting: BTreeMap<AggregateId, AggregateLine>,
    room: Load,
}

/// The events of one aggregate that have come and not gone.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct AggregateLine {
    /// By version.
    events: BTreeMap<u64, Turn>,
    /// The first version that has not come: what is before it may go.
    upto: u64,
    /// The last version that was let go for want of room.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    let_go: Option<u64>,
}

/// What became of an event that came.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Taken {
    /// It stands in the lineup.
    LinedUp,
    /// It came before.
    Known,
    /// Another event came before that has its version.
    Contradicts,
    /// There is no room for it until others have come.
    LetGo,
}

/// The events of one aggregate that may go now, in their order.
#[derive(Debug)]
pub struct Ready<'a> {
    /// The aggregate.
    pub aggregate: &'a AggregateId,
    /// The events by their version; nothing stands for one that nobody asked for.
    pub events: Vec<(u64, Option<&'a Arc<Envelope>>)>,
}

impl Default for Lineup {
    fn default() -> Self {
        Self::with_room(ROOM)
    }
}

impl Lineup {
    /// Returns a lineup that holds back as much at most.
    pub fn with_room(room: Load) -> Self {
        Saved { gone: BTreeMap::new(), waiting: BTreeMap::new(), room }.into()
    }

    /// Takes an event of an aggregate that came; `wanted` says whether it is to be delivered in
    /// its turn.
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

    /// Returns what may go now, by aggregate.
    pub fn ready(&self) -> impl Iterator<Item = Ready<'_>> {
        self.ready.iter().filter_map(|aggregate| {
            let line = self.waiting.get(aggregate)?;
            let events = line.events.range(..line.upto);
            let events = events.map(|(&version, turn)| (version, turn.event.as_ref())).collect();
            Some(Ready { aggregate, events })
        })
    }

    /// Notes that the events of an aggregate have gone, up to this version.
    pub fn gone(&mut self, aggregate: &AggregateId, through: u64) {
        let Some(line) = self.waiting.get_mut(aggregate) else { return };
        let through = through.min(line.upto - 1);
        let rest = line.events.split_off(&(through + 1));
        self.may_go -= line.events.values().map(Turn::load).sum();
        let gone = self.gone.entry(aggregate.clone()).or_default();
        gone.next = through + 1;
        for (&version, turn) in &line.events {
            // Those from version 1 on, without a hole.
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

    /// Returns what may go now.
    pub fn may_go(&self) -> Load {
        self.may_go
    }

    /// Returns how many events have come and not gone.
    pub fn waiting(&self) -> u64 {
        self.may_go.events + self.held.events
    }

    /// Returns how many aggregates were seen.
    pub fn aggregates(&self) -> u64 {
        self.gone.len() as u64
    }

    /// Notes that everything is read once more: what was let go will come again.
    pub fn again(&mut self) {
        for line in self.waiting.values_mut() {
            line.let_go = None;
        }
        self.waiting.retain(|_, line| !line.events.is_empty());
    }

    /// Returns where something is missing, once nothing more will come.
    pub fn gaps(&self) -> impl Iterator<Item = ReplayGap> {
        self.waiting.iter().filter_map(|(aggregate, line)| {
            let last = line.events.last_key_value().map(|(&version, _)| version);
            Some(ReplayGap {
                aggregate_type: aggregate.aggregate_type().to_owned(),
                aggregate_id: aggregate.uuid(),
                missing: line.upto,
                // What may go has no gap before it.
                last: last.max(line.let_go).filter(|&last| last >= line.upto)?,
            })
        })
    }
}

impl AggregateLine {
    fn at(next: u64) -> Self {
        Self { events: BTreeMap::new(), upto: next, let_go: None }
    }

    /// Lets those go whose turn it is, and returns what these are.
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
    /// Returns the mark of the event that has gone with this version, if it is remembered.
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

/// Returns what is remembered of an event's id. Equal events have equal marks; of 65,536 others
/// one has it as well.
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
