//! The progress of a replay: its saved state, from which the next runner continues.
//!
//! It is true whenever it is saved: it says which events were delivered, never which are about to be.

mod saved;

use std::{collections::BTreeMap, time::Duration};

use eventsourcing::{
    AggregateId, Envelope,
    replay::{
        Contradiction, Counts, HandlerKind, Only, Order, QuarantinedEvent, Reading, ReplayAnswer, ReplayGap,
        ReplayState, ReplayStatus, Source, Unreadable, Which,
    },
};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use storage::{fault::chain, scan::ScanPosition};
use uuid::Uuid;

pub use saved::BrokenProgress;

use super::{
    lanes::{Batch, MAX_EVENTS},
    lineup::{Lineup, Taken},
};
use saved::FORMAT;

/// How many items of a list are reported; all of them are counted.
const TOLD: usize = 20;
/// How long after its start a replay waits before it reads the end of the archive. By then, the archive has
/// the events that the handler received before the start.
///
/// A handler gets an event at once, while `archive` waits five seconds for a batch to fill. It is invoked
/// within a second, starts within another, and puts the object within a third. The value is more than twice
/// the sum, for a put that the SDK repeats, or a slow day. A larger lag of the archive cannot be detected
/// here.
const SETTLES: Duration = Duration::from_secs(20);

/// The progress of a replay.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Progress {
    format: u32,
    /// The order.
    pub order: Order,
    /// Whether the replay is running, or how it ended.
    pub state: ReplayState,
    /// When the replay was started.
    pub started_at: Timestamp,
    /// When the progress was saved.
    pub saved_at: Timestamp,
    /// How often the progress was saved.
    pub saves: u64,
    /// The id of the invocation that saved it. Without it, two runners with equal progress would save equal
    /// bytes, and neither would notice the other.
    pub writer: Uuid,
    /// Where reading continues.
    pub place: ReadingPosition,
    /// How much was read.
    pub reading: Reading,
    /// How long runners still have to run before the end of the archive can be read.
    #[serde(default)]
    pub settles_in: Duration,
    /// How many events were delivered in this pass.
    pub gone_in_pass: u64,
    /// The most events in a batch.
    #[serde(default = "at_most")]
    pub most: usize,
    /// The events that arrived and are not delivered yet. Empty if only the status was read.
    #[serde(skip)]
    pub lineup: Lineup,
    counts: Counts,
    by_type: BTreeMap<String, u64>,
    gaps: Vec<ReplayGap>,
    quarantined: Vec<QuarantinedEvent>,
    unreadable: Vec<Unreadable>,
    contradictions: Vec<Contradiction>,
    read_by_type: BTreeMap<String, u64>,
    /// Whether the handler has side effects, as it reports.
    pub handler_kind: Option<HandlerKind>,
    /// Why the replay makes no progress, or why it ended.
    pub problem: Option<String>,
}

/// Where reading continues.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ReadingPosition {
    /// After this object of the archive; `None` is the beginning.
    Archive(Option<String>),
    /// After this item of the table; `None` is the beginning.
    Table(Option<ScanPosition>),
    /// Nowhere: everything was read.
    End,
}

impl Progress {
    /// Returns the progress of a new replay.
    pub fn begin(order: Order, now: Timestamp) -> Self {
        let mut begin = Self {
            format: FORMAT,
            settles_in: settles_in(&order),
            order,
            state: ReplayState::Running,
            started_at: now,
            saved_at: now,
            saves: 0,
            writer: Uuid::nil(),
            place: ReadingPosition::End,
            reading: Reading::default(),
            gone_in_pass: 0,
            most: MAX_EVENTS,
            lineup: Lineup::default(),
            counts: Counts::default(),
            by_type: BTreeMap::new(),
            gaps: Vec::new(),
            quarantined: Vec::new(),
            unreadable: Vec::new(),
            contradictions: Vec::new(),
            read_by_type: BTreeMap::new(),
            handler_kind: None,
            problem: None,
        };
        begin.read_again();
        begin
    }

    /// Restarts reading from the beginning, for another pass.
    pub fn read_again(&mut self) {
        self.place = match self.order.from {
            Source::Archive => ReadingPosition::Archive(None),
            Source::Table => ReadingPosition::Table(None),
        };
        let (pass, total) = (self.reading.pass + 1, self.reading.total);
        self.reading = Reading { pass, last: None, done: 0, total, waits_s: 0 };
        self.gone_in_pass = 0;
        // This pass finds the contradictions again.
        self.counts.contradictions = 0;
        self.contradictions.clear();
        self.lineup.again();
    }

    /// Adds an event that was read.
    pub fn take(&mut self, event: Envelope) {
        // Later passes read the same events again, so only the first one counts them.
        let first_time = u64::from(self.reading.pass == 1);
        self.counts.read += first_time;
        let only = &self.order.only;
        if !only.has_aggregate_of(&event) {
            return;
        }
        let (wanted, version, id) = (only.has(&event), event.version, event.id);
        let event_type = event.event_type.clone();
        match event.aggregate() {
            Ok(aggregate) => match self.lineup.take(aggregate.clone(), event, wanted) {
                Taken::Known => self.counts.duplicates += first_time,
                Taken::Contradicts => self.contradicts(&aggregate, version, id),
                Taken::LinedUp | Taken::LetGo => {
                    *self.read_by_type.entry(event_type).or_default() += first_time;
                }
            },
            Err(error) => self.cannot_read(format!("event {}", event.id), error.to_string()),
        }
    }

    /// Notes an event that is not delivered, because a different event has the same version: the histories
    /// contradict each other, and nothing here shows which one is true.
    fn contradicts(&mut self, aggregate: &AggregateId, version: u64, id: Uuid) {
        tracing::warn!(%aggregate, version, %id, "skipping an event: a different event has the same version");
        self.counts.contradictions += 1;
        if self.contradictions.len() < TOLD {
            let (aggregate_type, aggregate_id) = (aggregate.aggregate_type().to_owned(), aggregate.uuid());
            self.contradictions.push(Contradiction { aggregate_type, aggregate_id, version, id });
        }
    }

    /// Notes an object or item that could not be read.
    pub fn cannot_read(&mut self, key: String, reason: String) {
        tracing::warn!(key, reason, "skipping unreadable data");
        // Another pass finds the same key again.
        if self.unreadable.iter().any(|unreadable| unreadable.key == key) {
            return;
        }
        self.counts.unreadable += 1;
        if self.unreadable.len() < TOLD {
            self.unreadable.push(Unreadable { key, reason });
        }
    }

    /// Notes that a batch was delivered.
    pub fn gone(&mut self, batch: &Batch) {
        let before = self.lineup.waiting();
        for (aggregate, &through) in &batch.through {
            self.lineup.gone(aggregate, through);
        }
        let (gone, delivered) = (before - self.lineup.waiting(), batch.events.len() as u64);
        self.gone_in_pass += gone;
        self.counts.delivered += delivered;
        self.counts.skipped += gone.saturating_sub(delivered);
        for event in &batch.events {
            *self.by_type.entry(event.event_type.clone()).or_default() += 1;
        }
    }

    /// Notes the handler's answer to a batch.
    pub fn answered(&mut self, answer: ReplayAnswer) {
        self.counts.batches += 1;
        self.counts.handled += answer.handled as u64;
        self.counts.quarantined += answer.quarantined.len() as u64;
        let room = TOLD.saturating_sub(self.quarantined.len());
        self.quarantined.extend(answer.quarantined.into_iter().take(room));
    }

    /// Notes whether batches are delivered, or why one was not.
    ///
    /// A batch may need more time than the handler has, which looks like any other failure. So the next
    /// runner tries half as many events, and increases the number again after a success.
    pub fn goes(&mut self, problem: Option<String>) {
        self.most = match &problem {
            None => (self.most * 2).min(MAX_EVENTS),
            Some(_) => (self.most / 2).max(1),
        };
        self.problem = problem;
    }

    /// Returns a replacement for a progress that cannot be read: a cancelled replay of which nothing else is
    /// known.
    pub fn lost(which: &Which, id: Uuid, now: Timestamp, why: &BrokenProgress) -> Self {
        let order = Order {
            handler: which.handler.clone(),
            id,
            by: "unknown".to_owned(),
            from: Source::default(),
            only: Only::default(),
            rate: 1,
            repeat_side_effects: false,
            dry_run: which.dry_run,
        };
        let mut lost = Self::begin(order, now);
        lost.problem = Some(format!("the saved progress could not be read: {}", chain(why)));
        lost.cancel();
        lost
    }

    /// Ends the replay: no more events will arrive.
    pub fn end(&mut self) {
        self.gaps = self.lineup.gaps().take(TOLD).collect();
        self.counts.gaps = self.lineup.gaps().count() as u64;
        let counts = &self.counts;
        let whole = counts.gaps == 0 && counts.unreadable == 0 && counts.contradictions == 0;
        self.stop(if whole { ReplayState::Complete } else { ReplayState::Incomplete });
    }

    /// Stops the replay for good.
    pub fn stop(&mut self, state: ReplayState) {
        self.count();
        self.state = state;
        // The lineup is not needed any more, and is most of what is saved.
        self.lineup = Lineup::default();
    }

    /// Cancels the replay without knowing the lineup: the counts of the last save remain.
    pub fn cancel(&mut self) {
        self.state = ReplayState::Cancelled;
        self.reading.waits_s = 0;
    }

    /// Returns the status of the replay.
    pub fn status(&self, now: Timestamp) -> ReplayStatus {
        ReplayStatus {
            order: self.order.clone(),
            state: self.state,
            started_at: self.started_at,
            saved_at: self.saved_at,
            idle_s: now.duration_since(self.saved_at).as_secs().try_into().unwrap_or_default(),
            saves: self.saves,
            reading: self.reading.clone(),
            counts: self.counts,
            by_type: self.by_type.clone(),
            gaps: self.gaps.clone(),
            quarantined: self.quarantined.clone(),
            unreadable: self.unreadable.clone(),
            contradictions: self.contradictions.clone(),
            read_by_type: self.read_by_type.clone(),
            handler_kind: self.handler_kind,
            problem: self.problem.clone(),
        }
    }

    /// Updates the counts that depend on the lineup, if the lineup is still there.
    fn count(&mut self) {
        if self.state == ReplayState::Running {
            self.counts.aggregates = self.lineup.aggregates();
            self.counts.waiting = self.lineup.waiting();
        }
    }
}

/// A field that is added to the format needs a default: a release must read what the previous one saved.
fn at_most() -> usize {
    MAX_EVENTS
}

/// Returns how long to wait until the archive has what the handler received before the replay was started, if
/// that matters. `occurred_at` does not help: `capture` may have been late.
fn settles_in(order: &Order) -> Duration {
    // A dry run counts only what is there.
    if order.from == Source::Table || order.dry_run { Duration::ZERO } else { SETTLES }
}
