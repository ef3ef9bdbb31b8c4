//! The content of both sides per aggregate: a hash of each event, and the archive object that has it.
//!
//! Events that are read twice are stored once, so reading a part of either side again brings the ledger up to
//! date.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::num::NonZeroU64;
use std::ops::RangeInclusive;

use eventsourcing::{AggregateId, Commit, Envelope};
use jiff::Timestamp;
use sha2::{Digest, Sha256};

/// Identifies the content of an event: a part of the hash of its canonical bytes.
///
/// Only events of the same aggregate and version are compared, so 64 bits are enough: two different events
/// have the same fingerprint once in 18 quintillion comparisons.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Fingerprint(NonZeroU64);

impl Fingerprint {
    /// Returns the fingerprint of an event.
    pub fn of(event: &Envelope) -> Self {
        let hash = Sha256::digest(event.to_bytes());
        let first = hash.first_chunk().copied().map_or(0, u64::from_be_bytes);
        Self(NonZeroU64::new(first).unwrap_or(NonZeroU64::MAX))
    }
}

/// The two sides' events for one version of one aggregate.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Entry {
    pub(super) table: Option<Fingerprint>,
    pub(super) archive: Option<Fingerprint>,
    /// The index of the archive object that has the event.
    pub(super) object: u32,
    /// When the event in the table occurred, in seconds since 1970: 32 bits last until 2106.
    pub(super) second: Option<u32>,
    /// Whether the table also has another event of this version.
    pub(super) twice_in_table: bool,
    pub(super) twice_in_archive: bool,
}

/// The versions of one aggregate.
pub(super) type Account = BTreeMap<u64, Entry>;

/// The events of the table and the archive, as far as they were read.
#[derive(Debug, Default)]
pub struct Ledger {
    pub(super) accounts: HashMap<AggregateId, Account>,
    /// The keys of the objects read so far, in reading order.
    pub(super) objects: Vec<String>,
    known: HashSet<String>,
    /// Events after this moment are young.
    since: Timestamp,
    /// Young events, which may not have reached the archive yet, with their times.
    pub(super) young: HashMap<(AggregateId, u64), Timestamp>,
    /// Items of the table that are not valid commits, with the reason.
    pub(super) broken: BTreeMap<String, String>,
    /// Archive objects that could not be read, with the reason.
    pub(super) unread: BTreeMap<String, String>,
    /// The number of lines in all objects.
    pub(super) lines: u64,
}

impl Ledger {
    /// Returns an empty ledger that treats events after this moment as young.
    pub fn new(since: Timestamp) -> Self {
        Self { since, ..Self::default() }
    }

    /// Records a commit of the table.
    pub fn in_table(&mut self, commit: Commit) {
        let id = commit.aggregate_id.clone();
        let account = self.accounts.entry(id.clone()).or_default();
        for event in commit.into_envelopes() {
            let fingerprint = Fingerprint::of(&event);
            let entry = account.entry(event.version).or_default();
            entry.twice_in_table |= entry.table.is_some_and(|known| known != fingerprint);
            entry.table.get_or_insert(fingerprint);
            let at = event.occurred_at.timestamp();
            entry.second = u32::try_from(at.as_second()).ok();
            if at > self.since {
                self.young.insert((id.clone(), event.version), at);
            }
        }
    }

    /// Records an item of the table that is not a valid commit.
    pub fn broken_in_table(&mut self, item: String, reason: String) {
        self.broken.insert(item, reason);
    }

    /// Records the events of an archive object.
    pub fn in_archive(&mut self, key: String, events: Vec<Envelope>) {
        let object =
            u32::try_from(self.objects.len()).expect("the archive has fewer than four billion objects");
        self.unread.remove(&key);
        for event in events {
            self.lines += 1;
            let id = match event.aggregate() {
                Ok(id) => id,
                Err(error) => {
                    self.unread.insert(key.clone(), error.to_string());
                    continue;
                }
            };
            let fingerprint = Fingerprint::of(&event);
            let at = event.occurred_at.timestamp();
            if at > self.since {
                self.young.insert((id.clone(), event.version), at);
            }
            let entry = self.accounts.entry(id).or_default().entry(event.version).or_default();
            entry.twice_in_archive |= entry.archive.is_some_and(|known| known != fingerprint);
            if entry.archive.is_none() {
                (entry.archive, entry.object) = (Some(fingerprint), object);
            }
        }
        self.known.insert(key.clone());
        self.objects.push(key);
    }

    /// Records that an archive object could not be read.
    pub fn unread_in_archive(&mut self, key: String, reason: String) {
        self.unread.insert(key, reason);
    }

    /// Returns whether an object was already read.
    pub fn knows(&self, key: &str) -> bool {
        self.known.contains(key)
    }

    /// Returns how many of these events are missing in the archive.
    pub fn lacking<'a>(&self, events: impl IntoIterator<Item = (&'a AggregateId, u64)>) -> usize {
        let archived = |(id, version): &(&AggregateId, u64)| {
            let entry = self.accounts.get(*id).and_then(|account| account.get(version));
            entry.is_some_and(|entry| entry.archive.is_some())
        };
        events.into_iter().filter(|event| !archived(event)).count()
    }

    /// Returns when the oldest and the newest of these events of the table occurred.
    pub fn times<'a>(
        &self,
        events: impl IntoIterator<Item = (&'a AggregateId, u64)>,
    ) -> Option<RangeInclusive<Timestamp>> {
        let entries = events.into_iter().filter_map(|(id, version)| self.accounts.get(id)?.get(&version));
        let times = entries.filter_map(|entry| Timestamp::from_second(entry.second?.into()).ok());
        let times: Vec<Timestamp> = times.collect();
        Some(*times.iter().min()?..=*times.iter().max()?)
    }

    /// Returns the aggregates with young events that only the archive had: the table may have them now.
    pub fn to_look_up(&self) -> HashSet<AggregateId> {
        let only_archived = self.young.keys().filter(|(id, version)| {
            let entry = self.accounts.get(id).and_then(|account| account.get(version));
            entry.is_some_and(|entry| entry.table.is_none() && entry.archive.is_some())
        });
        only_archived.map(|(id, _)| id.clone()).collect()
    }

    /// Returns whether a young event was found on one side only. The sides are not read at the same moment,
    /// so this means nothing until both are read again.
    pub fn is_unsettled(&self) -> bool {
        self.young.keys().any(|(id, version)| {
            let entry = self.accounts.get(id).and_then(|account| account.get(version));
            entry.is_some_and(|entry| entry.table.is_none() || entry.archive.is_none())
        })
    }

    /// Returns whether an event may still be in flight to the archive: it occurred after `until`.
    pub(super) fn in_flight(&self, id: &AggregateId, version: u64, until: Timestamp) -> bool {
        // Usually nothing is young, and then no key is cloned.
        !self.young.is_empty() && self.young.get(&(id.clone(), version)).is_some_and(|at| *at > until)
    }
}
