//! Publishing again what the archive lacks.
//!
//! An aggregate is published from its first missing event on, to its end: so whoever had to
//! stop at the gap gets all that is behind it, in order. Who has seen some of it drops that,
//! as it has to anyway.

use domain::{AggregateId, Commit, EventStore};
use futures::{StreamExt, TryStreamExt, stream};
use storage::bucket::Bucket;
use storage::patience::Patience;
use storage::publish::{PublishError, publish};
use storage::scan::Scan;
use storage::stream::PutRecords;
use storage::waves::{MAX_RECORD_BYTES, Record};
use tokio_util::sync::CancellationToken;

use super::{Look, Report};
use crate::error::Error;

/// How many events are published at a time, whole aggregates.
const AT_A_TIME: usize = 2_000;
/// How many aggregates are read at once.
const READ_AT_ONCE: usize = 32;
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
    /// The aggregate, as it is stored.
    pub aggregate: String,
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
pub async fn publish_again<T, S, B, P>(
    report: &Report,
    look: &Look<'_, T, S, B>,
    to: &P,
    stop: &CancellationToken,
    told: impl Fn(&Published),
) -> Result<Published, Error>
where
    T: Scan<Error: Into<Error>>,
    S: EventStore<Error: Into<Error>>,
    B: Bucket<Error: Into<Error>>,
    P: PutRecords,
    PublishError<P::Error>: Into<Error>,
{
    let lacking = report.findings.iter().filter_map(|finding| {
        let id: AggregateId = finding.aggregate.parse().ok()?;
        let from = finding.not_in_archive.first()?;
        Some((id, from, finding.disputed(from)))
    });
    let read = |(id, from, disputed): (AggregateId, u64, Option<u64>)| async move {
        let (commits, broken) = look.aggregate(&id).await?;
        Ok::<_, Error>((id, Suffix::of(commits, from, disputed, broken)))
    };
    // In order, so that a run that is killed leaves whole aggregates behind it.
    let aggregates = stream::iter(lacking).map(read).buffered(READ_AT_ONCE);
    let mut aggregates = std::pin::pin!(aggregates);
    let mut published = Published::default();
    let (mut records, mut waiting) = (Vec::new(), 0);
    loop {
        if stop.is_cancelled() {
            return Ok(Published { stopped: true, ..published });
        }
        let next = aggregates.try_next().await?;
        let ended = next.is_none();
        if let Some((id, suffix)) = next {
            waiting += usize::from(!suffix.records.is_empty());
            records.extend(suffix.records);
            let left_out = |(from, reason)| LeftOut { aggregate: id.to_string(), from, reason };
            published.left_out.extend(suffix.ends.map(left_out));
        }
        if ended || records.len() >= AT_A_TIME {
            let events = records.len();
            let batch = std::mem::take(&mut records);
            publish(to, batch, Patience::lasting(PATIENCE)).await.map_err(Into::into)?;
            published.events += events;
            published.aggregates += std::mem::take(&mut waiting);
            told(&published);
        }
        if ended {
            return Ok(published);
        }
    }
}

/// The events of an aggregate from a version on, as far as they can be published.
struct Suffix {
    records: Vec<Record>,
    /// The version at which it ends too early, and why.
    ends: Option<(u64, String)>,
}

impl Suffix {
    /// Returns the records up to the first that cannot be published: what is behind that would
    /// overtake it.
    fn of(commits: Vec<Commit>, from: u64, disputed: Option<u64>, broken: Option<String>) -> Self {
        let behind = commits.last().map_or(1, Commit::next_version);
        let mut records = Vec::new();
        for event in commits.into_iter().flat_map(Commit::into_envelopes) {
            if event.version < from {
                continue;
            }
            if disputed == Some(event.version) {
                // Published, it would be in the archive with both contents, and in handlers.
                let reason = format!("table and archive do not agree on version {}", event.version);
                return Self { records, ends: Some((event.version, reason)) };
            }
            let record = Record::of(&event);
            if record.size() > MAX_RECORD_BYTES {
                let reason = format!("an event makes a record of more than {MAX_RECORD_BYTES} bytes");
                return Self { records, ends: Some((event.version, reason)) };
            }
            records.push(record);
        }
        Self { records, ends: broken.map(|reason| (behind, reason)) }
    }
}
