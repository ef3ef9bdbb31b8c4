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

use super::{Broken, Look, Report};
use crate::error::Error;

/// How many events are published at a time, whole aggregates.
const AT_A_TIME: usize = 2_000;
/// How many aggregates are read at once.
const READ_AT_ONCE: usize = 32;
/// How long the stream may go on refusing records: a shard takes 1,000 a second.
const PATIENCE: std::time::Duration = std::time::Duration::from_secs(120);

/// What was published.
#[derive(Debug, Clone, Default, PartialEq, Eq, serde::Serialize)]
pub struct Published {
    /// How many aggregates.
    pub aggregates: usize,
    /// How many events.
    pub events: usize,
    /// What the stream would never take.
    pub too_large: Vec<Broken>,
    /// Whether it was stopped before all was published.
    pub stopped: bool,
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
        Some((id, finding.not_in_archive.first()?))
    });
    let read = |(id, from): (AggregateId, u64)| async move {
        let commits = look.aggregate(&id).await?;
        Ok::<_, Error>((id, suffix(commits, from)))
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
            let fit = suffix.iter().position(|record| record.size() > MAX_RECORD_BYTES);
            if fit.is_some() {
                let reason = format!("an event makes a record of more than {MAX_RECORD_BYTES} bytes");
                published.too_large.push(Broken { at: id.to_string(), reason });
            }
            // What is behind an event that cannot be published would overtake it.
            let fit = fit.unwrap_or(suffix.len());
            waiting += usize::from(fit > 0);
            records.extend(suffix.into_iter().take(fit));
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

/// Returns the records of all events from a version on.
fn suffix(commits: Vec<Commit>, from: u64) -> Vec<Record> {
    let events = commits.into_iter().flat_map(Commit::into_envelopes);
    events.filter(|event| event.version >= from).map(|event| Record::of(&event)).collect()
}
