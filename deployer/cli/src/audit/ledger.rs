//! What each side has of each aggregate: a hash for each event, and where the archive has it.
//!
//! Whatever is read twice is written down once, so looking again at a part of either side is
//! how the ledger is kept up to date.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::num::NonZeroU64;
use std::ops::RangeInclusive;

use eventsourcing::{AggregateId, Commit, Envelope};
use jiff::Timestamp;
use sha2::{Digest, Sha256};

/// What tells one event from another: a part of the hash of its canonical bytes.
///
/// Only two events of one aggregate and version are ever compared, so 64 bits are plenty:
/// two that differ look alike once in 18 quintillion times.
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

/// What is known of one version of one aggregate.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Entry {
    pub(super) table: Option<Fingerprint>,
    pub(super) archive: Option<Fingerprint>,
    /// Which object of the archive has it.
    pub(super) object: u32,
    /// When the one of the table occurred, in seconds since 1970: 32 bits last until 2106.
    pub(super) second: Option<u32>,
    /// The side has another event of this version besides.
    pub(super) twice_in_table: bool,
    pub(super) twice_in_archive: bool,
}

/// One aggregate's versions.
pub(super) type Account = BTreeMap<u64, Entry>;

/// Both sides.
#[derive(Debug, Default)]
pub struct Ledger {
    pub(super) accounts: HashMap<AggregateId, Account>,
    /// The objects that were read, in the order in which they were.
    pub(super) objects: Vec<String>,
    known: HashSet<String>,
    /// Since when an event is young.
    since: Timestamp,
    /// Events that may still be under way, with their times.
    pub(super) young: HashMap<(AggregateId, u64), Timestamp>,
    /// Items of the table that are no commits, with the reason.
    pub(super) broken: BTreeMap<String, String>,
    /// Objects of the archive that could not be read, with the reason.
    pub(super) unread: BTreeMap<String, String>,
    /// How many lines the objects have.
    pub(super) lines: u64,
}

impl Ledger {
    /// Returns an empty ledger, to which events after this moment are young.
    pub fn new(since: Timestamp) -> Self {
        Self { since, ..Self::default() }
    }

    /// Writes down what the table has.
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

    /// Writes down that the table has an item that is no commit.
    pub fn broken_in_table(&mut self, item: String, reason: String) {
        self.broken.insert(item, reason);
    }

    /// Writes down what an object of the archive has.
    pub fn in_archive(&mut self, key: String, events: Vec<Envelope>) {
        let object = u32::try_from(self.objects.len()).expect("nobody has four billion objects");
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

    /// Writes down that an object of the archive could not be read.
    pub fn unread_in_archive(&mut self, key: String, reason: String) {
        self.unread.insert(key, reason);
    }

    /// Tells whether an object was read already.
    pub fn knows(&self, key: &str) -> bool {
        self.known.contains(key)
    }

    /// Returns how many of these events the archive lacks.
    pub fn lacking<'a>(&self, events: impl IntoIterator<Item = (&'a AggregateId, u64)>) -> usize {
        let archived = |(id, version): &(&AggregateId, u64)| {
            let entry = self.accounts.get(*id).and_then(|account| account.get(version));
            entry.is_some_and(|entry| entry.archive.is_some())
        };
        events.into_iter().filter(|event| !archived(event)).count()
    }

    /// Returns when the oldest of these events of the table occurred, and when the youngest did.
    pub fn times<'a>(
        &self,
        events: impl IntoIterator<Item = (&'a AggregateId, u64)>,
    ) -> Option<RangeInclusive<Timestamp>> {
        let entries = events.into_iter().filter_map(|(id, version)| self.accounts.get(id)?.get(&version));
        let times = entries.filter_map(|entry| Timestamp::from_second(entry.second?.into()).ok());
        let times: Vec<Timestamp> = times.collect();
        Some(*times.iter().min()?..=*times.iter().max()?)
    }

    /// Returns the aggregates of which the archive has young events that the table did not
    /// have when it was read: it may have them by now.
    pub fn to_look_up(&self) -> HashSet<AggregateId> {
        let only_archived = self.young.keys().filter(|(id, version)| {
            let entry = self.accounts.get(id).and_then(|account| account.get(version));
            entry.is_some_and(|entry| entry.table.is_none() && entry.archive.is_some())
        });
        only_archived.map(|(id, _)| id.clone()).collect()
    }

    /// Tells whether one side has a young event that the other did not have when it was read.
    /// The two are not read at the same moment, so that says nothing before both are looked at
    /// again.
    pub fn is_unsettled(&self) -> bool {
        self.young.keys().any(|(id, version)| {
            let entry = self.accounts.get(id).and_then(|account| account.get(version));
            entry.is_some_and(|entry| entry.table.is_none() || entry.archive.is_none())
        })
    }

    /// Returns whether an event may still be under way to the archive at this moment.
    pub(super) fn under_way(&self, id: &AggregateId, version: u64, until: Timestamp) -> bool {
        // Nearly always nothing is young, and then no key has to be made.
        !self.young.is_empty() && self.young.get(&(id.clone(), version)).is_some_and(|at| *at > until)
    }
}
