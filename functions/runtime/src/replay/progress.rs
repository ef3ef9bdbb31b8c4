//! How far a replay has come: what is saved of it, and read by whoever goes on with it.
//!
//! What is in it is true whenever it is saved: it says what has gone, never what is about to.

mod saved;

use std::{collections::BTreeMap, time::Duration};

use eventsourcing::{
    AggregateId, Envelope,
    replay::{
        Contradiction, Counts, Does, KeptAside, Only, Order, Reading, ReplayAnswer, ReplayGap, ReplayState,
        ReplayStatus, Source, Unreadable, Which,
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

/// How many things of a kind are told one by one; all are counted.
const TOLD: usize = 20;
/// How long after the beginning of a replay the archive has what its handler was given before.
///
/// A handler has an event at once, and `archive` waits five seconds for a batch to fill. Then it
/// is asked for within a second, starts within another, and puts within a third; this is more
/// than twice as long, for a put that the SDK repeats, or a slow day. When the archive is further
/// behind than that, nobody here can know it.
const SETTLES: Duration = Duration::from_secs(20);

/// How far a replay has come.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Progress {
    format: u32,
    /// What was ordered.
    pub order: Order,
    /// Whether it runs, or how it ended.
    pub state: ReplayState,
    /// When it was started.
    pub started_at: Timestamp,
    /// When this was saved.
    pub saved_at: Timestamp,
    /// How often it was saved.
    pub saves: u64,
    /// Who saved it: each invocation has a name of its own. Two that have come equally far
    /// would otherwise save equal bytes, and neither would see the other.
    pub writer: Uuid,
    /// Where reading goes on.
    pub place: ReadingPosition,
    /// How far it has read.
    pub reading: Reading,
    /// After which time, in the hands of runners, the end of the archive can be read.
    #[serde(default)]
    pub settles_in: Duration,
    /// How many events have gone in this pass.
    pub gone_in_pass: u64,
    /// How many events a batch has at most.
    #[serde(default = "at_most")]
    pub most: usize,
    /// What has come and not gone; empty for whoever only wants to know how the replay stands.
    #[serde(skip)]
    pub lineup: Lineup,
    counts: Counts,
    by_type: BTreeMap<String, u64>,
    gaps: Vec<ReplayGap>,
    kept_aside: Vec<KeptAside>,
    unreadable: Vec<Unreadable>,
    contradictions: Vec<Contradiction>,
    read_by_type: BTreeMap<String, u64>,
    /// What the handler says it does.
    pub does: Option<Does>,
    /// Why it does not get on, or what ended it.
    pub trouble: Option<String>,
}

/// Where reading goes on.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ReadingPosition {
    /// Behind this object of the archive; with the first, when there is none.
    Archive(Option<String>),
    /// Behind this item of the table; with the first, when there is none.
    Table(Option<ScanPosition>),
    /// Nowhere: all is read.
    End,
}

impl Progress {
    /// Returns the progress of a replay that begins.
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
            kept_aside: Vec::new(),
            unreadable: Vec::new(),
            contradictions: Vec::new(),
            read_by_type: BTreeMap::new(),
            does: None,
            trouble: None,
        };
        begin.read_again();
        begin
    }

    /// Goes back to where reading begins, for one more pass.
    pub fn read_again(&mut self) {
        self.place = match self.order.from {
            Source::Archive => ReadingPosition::Archive(None),
            Source::Table => ReadingPosition::Table(None),
        };
        let (pass, total) = (self.reading.pass + 1, self.reading.total);
        self.reading = Reading { pass, last: None, done: 0, total, waits_s: 0 };
        self.gone_in_pass = 0;
        // What contradicts what has gone is found again.
        self.counts.contradictions = 0;
        self.contradictions.clear();
        self.lineup.again();
    }

    /// Notes an event that was read.
    pub fn take(&mut self, event: Envelope) {
        // Later passes read the same once more.
        let first_time = u64::from(self.reading.pass == 1);
        self.counts.read += first_time;
        let only = &self.order.only;
        if !only.has_aggregate(event.aggregate_id) {
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

    /// Notes an event that is not delivered, as another one has its place: history forked there,
    /// and nobody here can know which of them is true.
    fn contradicts(&mut self, aggregate: &AggregateId, version: u64, id: Uuid) {
        tracing::warn!(%aggregate, version, %id, "another event has this version; this one is left out");
        self.counts.contradictions += 1;
        if self.contradictions.len() < TOLD {
            let (aggregate_type, aggregate_id) = (aggregate.aggregate_type().to_owned(), aggregate.uuid());
            self.contradictions.push(Contradiction { aggregate_type, aggregate_id, version, id });
        }
    }

    /// Notes something that could not be read.
    pub fn cannot_read(&mut self, key: String, reason: String) {
        tracing::warn!(key, reason, "something cannot be read, and is left out of the replay");
        // Another pass finds it again.
        if self.unreadable.iter().any(|unreadable| unreadable.key == key) {
            return;
        }
        self.counts.unreadable += 1;
        if self.unreadable.len() < TOLD {
            self.unreadable.push(Unreadable { key, reason });
        }
    }

    /// Notes that a batch has gone.
    pub fn gone(&mut self, batch: &Batch) {
        let before = self.lineup.waiting();
        for (aggregate, &through) in &batch.through {
            self.lineup.gone(aggregate, through);
        }
        let (gone, delivered) = (before - self.lineup.waiting(), batch.events.len() as u64);
        self.gone_in_pass += gone;
        self.counts.delivered += delivered;
        self.counts.passed_over += gone.saturating_sub(delivered);
        for event in &batch.events {
            *self.by_type.entry(event.event_type.clone()).or_default() += 1;
        }
    }

    /// Notes what the handler said of a batch.
    pub fn answered(&mut self, answer: ReplayAnswer) {
        self.counts.batches += 1;
        self.counts.handled += answer.handled as u64;
        self.counts.kept_aside += answer.kept_aside.len() as u64;
        let room = TOLD.saturating_sub(self.kept_aside.len());
        self.kept_aside.extend(answer.kept_aside.into_iter().take(room));
    }

    /// Notes that batches go through, or why one does not.
    ///
    /// A batch may take the handler more time than it has, which looks like any failure. So the
    /// next runner tries half as many events, and goes back to more when that has helped.
    pub fn goes(&mut self, trouble: Option<String>) {
        self.most = match &trouble {
            None => (self.most * 2).min(MAX_EVENTS),
            Some(_) => (self.most / 2).max(1),
        };
        self.trouble = trouble;
    }

    /// Returns what takes the place of a progress that cannot be read: a replay that was stopped,
    /// of which nothing else is known.
    pub fn lost(which: &Which, id: Uuid, now: Timestamp, why: &BrokenProgress) -> Self {
        let order = Order {
            handler: which.handler.clone(),
            id,
            by: "somebody unknown".to_owned(),
            from: Source::default(),
            only: Only::default(),
            rate: 1,
            even_if_it_acts: false,
            dry_run: which.dry_run,
        };
        let mut lost = Self::begin(order, now);
        lost.trouble = Some(format!("what was saved of it could not be read: {}", chain(why)));
        lost.cancel();
        lost
    }

    /// Ends the replay: nothing more will come.
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
        // It is of use to nobody any more, and most of what is saved.
        self.lineup = Lineup::default();
    }

    /// Stops the replay for good, as somebody wants it who does not know the lineup: what was
    /// counted when it was saved stands.
    pub fn cancel(&mut self) {
        self.state = ReplayState::Cancelled;
        self.reading.waits_s = 0;
    }

    /// Returns how the replay stands.
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
            kept_aside: self.kept_aside.clone(),
            unreadable: self.unreadable.clone(),
            contradictions: self.contradictions.clone(),
            read_by_type: self.read_by_type.clone(),
            does: self.does,
            trouble: self.trouble.clone(),
        }
    }

    /// Counts what follows from the lineup, as long as there is one.
    fn count(&mut self) {
        if self.state == ReplayState::Running {
            self.counts.aggregates = self.lineup.aggregates();
            self.counts.waiting = self.lineup.waiting();
        }
    }
}

/// What is added to a format has a default: a release must understand what the one before saved.
fn at_most() -> usize {
    MAX_EVENTS
}

/// Returns how long the archive may be without what its handler was given before a replay was
/// ordered, as far as that matters. When it occurred says nothing: `capture` may have been late.
fn settles_in(order: &Order) -> Duration {
    // A dry run counts what is there.
    if order.from == Source::Table || order.dry_run { Duration::ZERO } else { SETTLES }
}
