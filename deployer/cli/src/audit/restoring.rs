//! Writing back into the table what only the archive has.
//!
//! Commits are written whole, one after another for each aggregate, and only where nothing is:
//! a run that is killed leaves the beginning of an aggregate, and the next one goes on behind
//! it. They carry a mark, because they were published long ago.

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

/// How many events are held in memory at a time; the archive is read once for each time.
const AT_A_TIME: usize = 100_000;

/// What can be written back, and what cannot.
#[derive(Debug, Clone, Default)]
pub struct Restorable {
    /// The aggregates, with how many events each lacks.
    pub aggregates: BTreeMap<AggregateId, u64>,
    /// Those that something is wrong with.
    pub not: BTreeMap<AggregateId, NotRestorable>,
}

/// Why an aggregate cannot be written back.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum NotRestorable {
    /// Versions are nowhere, so what is behind them makes no history.
    Nowhere(super::Versions),
    /// The table has other events than the archive.
    OtherContent(u64),
    /// The archive has an event with more than one content.
    Ambiguous(u64),
    /// There is a version 0, and there can be none.
    VersionZero,
}

/// A table into which commits are written back.
pub trait WriteBack {
    /// Writes a commit where nothing is, with the mark of one that was written back then.
    ///
    /// # Errors
    /// The call failed, or another commit is there.
    fn write_back(&self, commit: &Commit, at: OccurredAt) -> impl Future<Output = Result<(), Error>>;
}

impl WriteBack for DynamoDbEventStore {
    async fn write_back(&self, commit: &Commit, at: OccurredAt) -> Result<(), Error> {
        self.restore(commit, at).await.map_err(Classify::classify)
    }
}

/// What was written back.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Restored {
    /// How many aggregates got something back.
    pub aggregates: usize,
    /// How many commits were written.
    pub commits: usize,
    /// How many events these have.
    pub events: usize,
    /// What could not be written, with the reason.
    pub failed: Vec<Broken>,
    /// Whether it was stopped before all was written.
    pub stopped: bool,
}

/// Tells of each aggregate that the table lacks something of whether it can be written back.
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

/// Writes back these aggregates, and tells how far it has come. What was written is noted in
/// the ledger.
///
/// # Errors
/// None of the whole: what fails is told aggregate by aggregate.
pub async fn restore<R, W>(
    restorable: &Restorable,
    ledger: &mut Ledger,
    reference: &R,
    table: &W,
    at: OccurredAt,
    stop: &CancellationToken,
    told: impl Fn(&Restored),
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
            all.inspect(|(id, written, ended)| note(&mut restored, id, written, ended, &told)).collect().await
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
    told: &impl Fn(&Restored),
) {
    restored.aggregates += usize::from(!written.is_empty());
    restored.commits += written.len();
    restored.events += written.iter().map(|commit| commit.events.len()).sum::<usize>();
    if let Err(reason) = ended {
        restored.failed.push(Broken { at: id.to_string(), reason: reason.clone() });
    }
    told(restored);
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

/// Fetches what these aggregates lack, and the events around it: a commit of which the table
/// has a part is told by them.
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
    // Whatever it is, what is in it is not written now, nor what is behind that.
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
    // An object that could be read a moment ago and cannot now takes its aggregates with it.
    for (id, versions) in wanted {
        let missing = versions.len() - fetched.get(id).map_or(0, BTreeMap::len);
        if missing > 0 {
            let reason = format!("{missing} of its events cannot be read where they were a moment ago");
            restored.failed.push(Broken { at: id.to_string(), reason });
            fetched.remove(id);
        }
    }
    fetched
}

/// Returns the commits that are to be written, each of which has to be lacking as a whole.
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
                return Err(format!("the table has a part of the commit of versions {from} to {to}"));
            }
        }
    }
    Ok(to_write)
}

/// Writes the commits of one aggregate one after another.
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
