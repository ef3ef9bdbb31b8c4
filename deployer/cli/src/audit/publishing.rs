//! Republishes events that are missing in the archive.
//!
//! An aggregate is republished from its first missing event to its end. So a handler that parked the
//! aggregate at the gap receives the missing event and all later ones, in order. Handlers that already have
//! some of these events drop them, as they drop every duplicate.
//!
//! New commits are published by `capture` before the republished events that precede them: a handler that
//! parked the aggregate quarantines them. So an aggregate is read again until it has no new events.

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

/// How many events one portion has, in whole aggregates.
const AT_A_TIME: usize = 2_000;
/// How often an aggregate that grows while it is republished is read again.
const ROUNDS: usize = 30;
/// The reason for aggregates that still grow after all rounds.
const OUTRUN: &str = "events are appended faster than they are republished, so a handler that parked this \
                      aggregate may park it again: replay this aggregate to it";
/// How long the stream may reject records without a pause: a shard takes 1,000 records per second.
const PATIENCE: std::time::Duration = std::time::Duration::from_secs(120);

/// The result of republishing.
#[derive(Debug, Clone, Default, PartialEq, Eq, serde::Serialize)]
pub struct Published {
    /// The number of aggregates.
    pub aggregates: usize,
    /// The number of events.
    pub events: usize,
    /// Events that could not be published, each with the later events of its aggregate.
    pub left_out: Vec<LeftOut>,
    /// Whether republishing was stopped before the end.
    pub stopped: bool,
}

/// The last events of an aggregate, which were not published.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct LeftOut {
    /// The aggregate.
    pub aggregate: AggregateId,
    /// The first version that was not published.
    pub from: u64,
    /// Why it was not published.
    pub reason: String,
}

/// Republishes the events that are missing in the archive according to a report, and reports progress.
///
/// # Errors
/// Returns an error if the table cannot be read or the stream rejects records for too long. Events published
/// before stay published; a second run continues there and may repeat a few events.
pub async fn publish_again<S, P>(
    report: &AuditReport,
    store: &S,
    to: &P,
    stop: &CancellationToken,
    on_progress: impl Fn(&Published),
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
    // In order, so that a run that is killed has published whole aggregates.
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
            on_progress(&published);
        }
        if ended {
            return Ok(published);
        }
    }
}

/// The events that are published together.
#[derive(Default)]
struct Portion {
    records: Vec<Record>,
    /// The aggregates that are published to their end, with the versions in this portion.
    open: Vec<(AggregateId, Range<u64>)>,
}

impl Portion {
    fn add(&mut self, id: AggregateId, suffix: Suffix, published: &mut Published) {
        self.records.extend(suffix.records);
        let left_out = |(from, reason)| LeftOut { aggregate: id.clone(), from, reason };
        published.left_out.extend(suffix.ends.map(left_out));
        self.open.extend(suffix.open.map(|versions| (id, versions)));
    }

    /// Publishes the portion and then new events of its aggregates, until there are none. From then on,
    /// `capture` publishes in order.
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

/// Reads the events of an aggregate from a version to the last one that can be published.
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

/// The events of an aggregate from a version to the last one that can be published.
struct Suffix {
    records: Vec<Record>,
    /// The first version that cannot be published, and why.
    ends: Option<(u64, String)>,
    /// The versions of the records, if there are any and all of them can be published.
    open: Option<Range<u64>>,
}

impl Suffix {
    /// Returns the records before the first event that cannot be published: later events must not overtake
    /// it.
    fn of(commits: Vec<Commit>, from: u64, disputed: Option<u64>, broken: Option<String>) -> Self {
        let behind = commits.last().map_or(1, Commit::next_version);
        let (mut records, mut first) = (Vec::new(), None);
        for event in commits.into_iter().flat_map(Commit::into_envelopes) {
            if event.version < from {
                continue;
            }
            if disputed == Some(event.version) {
                // If it were published, the archive and the handlers would get both contents.
                let reason =
                    format!("the content of version {} differs between table and archive", event.version);
                return Self::ending(records, event.version, reason);
            }
            let record = Record::of(&event);
            if record.size() > MAX_RECORD_BYTES {
                let reason = format!("the record of an event has more than {MAX_RECORD_BYTES} bytes");
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
