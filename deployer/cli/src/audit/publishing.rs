//! Publishing again what the archive lacks.
//!
//! An aggregate is published from its first missing event on, to its end: so whoever had to
//! stop at the gap gets all that is behind it, in order. Who has seen some of it drops that,
//! as it has to anyway.
//!
//! What is appended meanwhile is published by `capture`, before what it follows has come: whoever
//! stopped at the gap keeps it aside. So an aggregate is read again until nothing was appended.

use std::ops::Range;

use engine::error::Error;
use eventsourcing::{AggregateId, Commit, EventStore};
use futures::{StreamExt, TryStreamExt, stream};
use storage::patience::Patience;
use storage::publish::{PublishError, publish};
use storage::stream::PutRecords;
use storage::waves::{MAX_RECORD_BYTES, Record};
use tokio_util::sync::CancellationToken;

use super::look::aggregate;
use super::{AT_ONCE, AuditReport};
use crate::storage_errors::Classify;

/// How many events are published at a time, whole aggregates.
const AT_A_TIME: usize = 2_000;
/// How often aggregates are read again that grow while they are published.
const ROUNDS: usize = 30;
/// What is said of those that still do.
const OUTRUN: &str = "it is written to faster than it is published here, so a handler that stood still before what \
                      was lacking may do so again: replay this aggregate to it";
/// How long the stream may go on refusing records, at a stretch: a shard takes 1,000 a second.
const PATIENCE: std::time::Duration = std::time::Duration::from_secs(120);

/// What was published.
#[derive(Debug, Clone, Default, PartialEq, Eq, serde::Serialize)]
pub struct Published {
    /// How many aggregates.
    pub aggregates: usize,
    /// How many events.
    pub events: usize,
    /// What could not be published, with what is behind it.
    pub left_out: Vec<LeftOut>,
    /// Whether it was stopped before all was published.
    pub stopped: bool,
}

/// The end of an aggregate that was left out.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct LeftOut {
    /// The aggregate.
    pub aggregate: AggregateId,
    /// From this version on.
    pub from: u64,
    /// Why.
    pub reason: String,
}

/// Publishes what the archive lacks according to a report, and tells how far it has come.
///
/// # Errors
/// The table cannot be read, or the stream takes no more. What is published is published; the
/// same again goes on from there, or publishes a little twice.
pub async fn publish_again<S, P>(
    report: &AuditReport,
    store: &S,
    to: &P,
    stop: &CancellationToken,
    told: impl Fn(&Published),
) -> Result<Published, Error>
where
    S: EventStore<Error: Classify>,
    P: PutRecords,
    PublishError<P::Error>: Classify,
{
    let lacking = report.lacking().filter_map(|finding| {
        let from = finding.not_in_archive.first()?;
        Some(read(store, finding.aggregate.clone(), from, finding.disputed(from)))
    });
    // In order, so that a run that is killed leaves whole aggregates behind it.
    let aggregates = stream::iter(lacking).buffered(AT_ONCE);
    let mut aggregates = std::pin::pin!(aggregates);
    let mut published = Published::default();
    let mut portion = Portion::default();
    loop {
        if stop.is_cancelled() {
            return Ok(Published { stopped: true, ..published });
        }
        let next = aggregates.try_next().await?;
        let ended = next.is_none();
        if let Some((id, suffix)) = next {
            published.aggregates += usize::from(!suffix.records.is_empty());
            portion.add(id, suffix, &mut published);
        }
        if ended || portion.records.len() >= AT_A_TIME {
            std::mem::take(&mut portion).publish(store, to, &mut published).await?;
            told(&published);
        }
        if ended {
            return Ok(published);
        }
    }
}

/// What is published at a time.
#[derive(Default)]
struct Portion {
    records: Vec<Record>,
    /// The aggregates in it that do not end too early, with the versions that are in it.
    open: Vec<(AggregateId, Range<u64>)>,
}

impl Portion {
    fn add(&mut self, id: AggregateId, suffix: Suffix, published: &mut Published) {
        self.records.extend(suffix.records);
        let left_out = |(from, reason)| LeftOut { aggregate: id.clone(), from, reason };
        published.left_out.extend(suffix.ends.map(left_out));
        self.open.extend(suffix.open.map(|versions| (id, versions)));
    }

    /// Publishes it, and then what was appended to its aggregates meanwhile, until nothing was. From
    /// there on `capture` publishes in order.
    async fn publish<S, P>(mut self, store: &S, to: &P, published: &mut Published) -> Result<(), Error>
    where
        S: EventStore<Error: Classify>,
        P: PutRecords,
        PublishError<P::Error>: Classify,
    {
        for _ in 0..ROUNDS {
            if self.records.is_empty() {
                return Ok(());
            }
            published.events += self.records.len();
            publish(to, self.records, Patience::lasting(PATIENCE)).await.map_err(Classify::classify)?;
            let behind = self.open.into_iter().map(|(id, versions)| read(store, id, versions.end, None));
            let mut grown = stream::iter(behind).buffered(AT_ONCE);
            self = Self::default();
            while let Some((id, suffix)) = grown.try_next().await? {
                self.add(id, suffix, published);
            }
        }
        let left_out = |(id, versions): (AggregateId, Range<u64>)| LeftOut {
            aggregate: id,
            from: versions.start,
            reason: OUTRUN.to_owned(),
        };
        published.left_out.extend(self.open.into_iter().map(left_out));
        Ok(())
    }
}

/// Reads the events of an aggregate from a version on, as far as they can be published.
async fn read<S>(
    store: &S,
    id: AggregateId,
    from: u64,
    disputed: Option<u64>,
) -> Result<(AggregateId, Suffix), Error>
where
    S: EventStore<Error: Classify>,
{
    let (commits, broken) = aggregate(store, &id).await?;
    Ok((id, Suffix::of(commits, from, disputed, broken)))
}

/// The events of an aggregate from a version on, as far as they can be published.
struct Suffix {
    records: Vec<Record>,
    /// The version at which it ends too early, and why.
    ends: Option<(u64, String)>,
    /// The versions of the records, where there are any and it does not end too early.
    open: Option<Range<u64>>,
}

impl Suffix {
    /// Returns the records up to the first that cannot be published: what is behind that would
    /// overtake it.
    fn of(commits: Vec<Commit>, from: u64, disputed: Option<u64>, broken: Option<String>) -> Self {
        let behind = commits.last().map_or(1, Commit::next_version);
        let (mut records, mut first) = (Vec::new(), None);
        for event in commits.into_iter().flat_map(Commit::into_envelopes) {
            if event.version < from {
                continue;
            }
            if disputed == Some(event.version) {
                // Published, it would be in the archive with both contents, and in handlers.
                let reason = format!("table and archive do not agree on version {}", event.version);
                return Self::ending(records, event.version, reason);
            }
            let record = Record::of(&event);
            if record.size() > MAX_RECORD_BYTES {
                let reason = format!("an event makes a record of more than {MAX_RECORD_BYTES} bytes");
                return Self::ending(records, event.version, reason);
            }
            first.get_or_insert(event.version);
            records.push(record);
        }
        match broken {
            Some(reason) => Self::ending(records, behind, reason),
            None => Self { records, ends: None, open: first.map(|first| first..behind) },
        }
    }

    fn ending(records: Vec<Record>, at: u64, reason: String) -> Self {
        Self { records, ends: Some((at, reason)), open: None }
    }
}
