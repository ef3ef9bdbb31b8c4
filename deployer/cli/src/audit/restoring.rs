//! Restores events that only the archive has into the table.
//!
//! Commits are written whole, in order for each aggregate, and only as new items: a run that is killed leaves
//! the beginning of an aggregate, and the next run continues after it. They are marked as restored, because
//! they were published before.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use engine::error::Error;
use engine::retry::retried;
use eventsourcing::{AggregateId, Commit, Envelope, OccurredAt};
use futures::{StreamExt, stream};
use serde::Serialize;
use storage::DynamoDbEventStore;
use tokio_util::sync::CancellationToken;

use super::ledger::{Account, Entry};
use super::look::read;
use super::{AT_ONCE, Broken, Fingerprint, Ledger, Reference};
use crate::storage_errors::Classify;

/// How many events one portion holds in memory. The needed archive objects are read again for each portion.
const AT_A_TIME: usize = 100_000;

/// The aggregates that can be restored, and those that cannot.
#[derive(Debug, Clone, Default)]
pub struct Restorable {
    /// The aggregates, with the number of missing events.
    pub aggregates: BTreeMap<AggregateId, u64>,
    /// The aggregates that cannot be restored, with the reason.
    pub not: BTreeMap<AggregateId, NotRestorable>,
}

/// Why an aggregate cannot be restored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum NotRestorable {
    /// Neither side has these versions, so later events make no complete history.
    Nowhere(super::Versions),
    /// The contents of this version differ between table and archive.
    OtherContent(u64),
    /// The archive has this version with different contents.
    Ambiguous(u64),
    /// There is a version 0, which is not valid.
    VersionZero,
}

/// A table into which commits are restored.
pub trait WriteBack {
    /// Writes a commit as a new item, marked as restored at this time.
    ///
    /// # Errors
    /// Returns an error if the call failed, or if another commit has this version.
    fn write_back(&self, commit: &Commit, at: OccurredAt) -> impl Future<Output = Result<(), Error>>;
}

impl WriteBack for DynamoDbEventStore {
    async fn write_back(&self, commit: &Commit, at: OccurredAt) -> Result<(), Error> {
        self.restore(commit, at).await.map_err(Classify::classify)
    }
}

/// The result of a restore.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Restored {
    /// The number of aggregates with restored commits.
    pub aggregates: usize,
    /// The number of commits written.
    pub commits: usize,
    /// The number of events in these commits.
    pub events: usize,
    /// What could not be restored, with the reason.
    pub failed: Vec<Broken>,
    /// Whether the restore was stopped before the end.
    pub stopped: bool,
}

/// Returns which aggregates with missing events in the table can be restored.
pub fn restorable(ledger: &Ledger) -> Restorable {
    let mut all = Restorable::default();
    for (id, account) in &ledger.accounts {
        let lacking = account.values().filter(|entry| lacks(entry)).count() as u64;
        if lacking == 0 {
            continue;
        }
        match obstacle(account) {
            None => drop(all.aggregates.insert(id.clone(), lacking)),
            Some(why) => drop(all.not.insert(id.clone(), why)),
        }
    }
    all
}

fn lacks(entry: &Entry) -> bool {
    entry.table.is_none() && entry.archive.is_some()
}

fn obstacle(account: &Account) -> Option<NotRestorable> {
    if account.contains_key(&0) {
        return Some(NotRestorable::VersionZero);
    }
    let at = |found: &dyn Fn(&Entry) -> bool| {
        account.iter().find(|(_, entry)| found(entry)).map(|(version, _)| *version)
    };
    let other = |entry: &Entry| {
        entry.twice_in_table
            || (entry.table.is_some() && entry.archive.is_some() && entry.table != entry.archive)
    };
    if let Some(version) = at(&other) {
        return Some(NotRestorable::OtherContent(version));
    }
    if let Some(version) = at(&|entry| entry.twice_in_archive) {
        return Some(NotRestorable::Ambiguous(version));
    }
    let gaps = super::compare::gaps(account);
    (!gaps.is_empty()).then_some(NotRestorable::Nowhere(gaps))
}

/// Restores these aggregates, reports progress, and records written commits in the ledger.
///
/// # Errors
/// Never fails as a whole: the result lists failures per aggregate.
pub async fn restore<R, W>(
    restorable: &Restorable,
    ledger: &mut Ledger,
    reference: &R,
    table: &W,
    at: OccurredAt,
    stop: &CancellationToken,
    on_progress: impl Fn(&Restored),
) -> Restored
where
    R: Reference,
    W: WriteBack,
{
    let mut restored = Restored::default();
    for ids in portions(restorable) {
        if stop.is_cancelled() {
            break;
        }
        let events = fetch(&ids, ledger, reference, &mut restored).await;
        let write = |(id, events): (AggregateId, BTreeMap<u64, Envelope>)| async {
            let lacking =
                |version: &u64| ledger.accounts.get(&id).and_then(|a| a.get(version)).is_some_and(lacks);
            let commits = whole(events, lacking);
            let mut written = Vec::new();
            let ended = match commits {
                Err(reason) => Err(reason),
                Ok(commits) => write(commits, &mut written, table, at, stop).await,
            };
            (id, written, ended)
        };
        let written: Vec<_> = {
            let all = stream::iter(events).map(write).buffer_unordered(AT_ONCE);
            all.inspect(|(id, written, ended)| note(&mut restored, id, written, ended, &on_progress))
                .collect()
                .await
        };
        for (_, commits, _) in written {
            commits.into_iter().for_each(|commit| ledger.in_table(commit));
        }
    }
    restored.stopped = stop.is_cancelled();
    restored
}

fn note(
    restored: &mut Restored,
    id: &AggregateId,
    written: &[Commit],
    ended: &Result<(), String>,
    on_progress: &impl Fn(&Restored),
) {
    restored.aggregates += usize::from(!written.is_empty());
    restored.commits += written.len();
    restored.events += written.iter().map(|commit| commit.events.len()).sum::<usize>();
    if let Err(reason) = ended {
        restored.failed.push(Broken { at: id.to_string(), reason: reason.clone() });
    }
    on_progress(restored);
}

/// Splits the aggregates so that the events of each portion fit into memory.
fn portions(restorable: &Restorable) -> Vec<Vec<AggregateId>> {
    let mut portions: Vec<(u64, Vec<AggregateId>)> = Vec::new();
    for (id, lacking) in &restorable.aggregates {
        match portions.last_mut() {
            Some((events, ids)) if *events + lacking <= AT_A_TIME as u64 => {
                *events += lacking;
                ids.push(id.clone());
            }
            _ => portions.push((*lacking, vec![id.clone()])),
        }
    }
    portions.into_iter().map(|(_, ids)| ids).collect()
}

/// Reads the missing events of these aggregates and their neighbours. The neighbours show whether the table
/// has a part of a commit.
async fn fetch<R>(
    ids: &[AggregateId],
    ledger: &Ledger,
    reference: &R,
    restored: &mut Restored,
) -> HashMap<AggregateId, BTreeMap<u64, Envelope>>
where
    R: Reference,
{
    let mut wanted: BTreeMap<&AggregateId, BTreeMap<u64, Fingerprint>> = BTreeMap::new();
    let mut objects = BTreeSet::new();
    for id in ids {
        let account = &ledger.accounts[id];
        for (version, entry) in account {
            let beside = [version.saturating_sub(1), *version, version + 1];
            let near = beside.iter().any(|version| account.get(version).is_some_and(lacks));
            if let Some(fingerprint) = entry.archive.filter(|_| near) {
                wanted.entry(id).or_default().insert(*version, fingerprint);
                objects.insert(entry.object);
            }
        }
    }
    let mut fetched: HashMap<AggregateId, BTreeMap<u64, Envelope>> = HashMap::new();
    let keys = objects.into_iter().map(|object| &ledger.objects[object as usize]);
    // After any error, the events of this object and their successors are not written.
    let failed = |error: Error| Err(error.to_string());
    let read =
        stream::iter(keys).map(|key| async move { (key, read(reference, key).await.unwrap_or_else(failed)) });
    let mut read = read.buffer_unordered(AT_ONCE);
    while let Some((key, events)) = read.next().await {
        match events {
            Ok(events) => {
                for event in events {
                    let Ok(id) = event.aggregate() else { continue };
                    let fingerprint = wanted.get(&id).and_then(|versions| versions.get(&event.version));
                    if fingerprint.is_some_and(|wanted| *wanted == Fingerprint::of(&event)) {
                        fetched.entry(id).or_default().insert(event.version, event);
                    }
                }
            }
            Err(reason) => restored.failed.push(Broken { at: key.clone(), reason }),
        }
    }
    // If an object can no longer be read, its aggregates are not restored.
    for (id, versions) in wanted {
        let missing = versions.len() - fetched.get(id).map_or(0, BTreeMap::len);
        if missing > 0 {
            let reason = format!("{missing} of its events can no longer be read");
            restored.failed.push(Broken { at: id.to_string(), reason });
            fetched.remove(id);
        }
    }
    fetched
}

/// Returns the commits to write. The table must have no part of them.
fn whole(events: BTreeMap<u64, Envelope>, lacking: impl Fn(&u64) -> bool) -> Result<Vec<Commit>, String> {
    let commits = Commit::from_envelopes(events.into_values()).map_err(|error| error.to_string())?;
    let mut to_write = Vec::new();
    for commit in commits {
        let versions = commit.version..commit.next_version();
        let missing = versions.clone().filter(|version| lacking(version)).count();
        match missing {
            0 => {}
            all if all == commit.events.len() => to_write.push(commit),
            _ => {
                let (from, to) = (versions.start, versions.end - 1);
                return Err(format!("the table has only a part of the commit with versions {from} to {to}"));
            }
        }
    }
    Ok(to_write)
}

/// Writes the commits of one aggregate in order.
async fn write(
    commits: Vec<Commit>,
    written: &mut Vec<Commit>,
    table: &impl WriteBack,
    at: OccurredAt,
    stop: &CancellationToken,
) -> Result<(), String> {
    for commit in commits {
        if stop.is_cancelled() {
            return Ok(());
        }
        let put = retried(async || table.write_back(&commit, at).await).await;
        put.map_err(|error| format!("version {}: {error}", commit.version))?;
        written.push(commit);
    }
    Ok(())
}
