//! Quarantined events and discarded batches: possible reasons why events are missing in the archive.

use std::collections::{BTreeMap, HashMap};
use std::ops::RangeInclusive;
use std::pin::pin;

use engine::error::Error;
use eventsourcing::AggregateId;
use eventsourcing::contract::{ARCHIVE, CAPTURE, FAILED_PREFIX};
use futures::{StreamExt, TryStreamExt, future, stream};
use serde_json::Value;
use storage::bucket::Objects;

use super::look::pages;
use super::{AT_ONCE, AuditReport, Broken, QuarantinedRecords};
use crate::storage_errors::Classify;

/// Where Lambda stores discarded batches ("Configuring an Amazon S3 destination", Lambda developer guide).
const DISCARDED_BATCHES: &str = "aws/lambda/";
/// The functions between the table and the archive. Events that a handler quarantined are archived anyway.
const ON_THE_WAY: [&str; 2] = [CAPTURE, ARCHIVE];
/// How many quarantined records of each function are read.
const LOOKED_INTO: usize = 500;

/// The records quarantined between the table and the archive, and the events they contain.
#[derive(Debug, Default)]
pub struct Kept {
    by_function: BTreeMap<String, usize>,
    about: HashMap<AggregateId, Vec<(RangeInclusive<u64>, Broken)>>,
}

/// Counts the records quarantined between the table and the archive, and reads which events they contain.
///
/// # Errors
/// Returns an error if the bucket could not be listed.
pub async fn quarantined<B: Objects<Error: Classify>>(bucket: &B) -> Result<Kept, Error> {
    let mut kept = Kept::default();
    for function in ON_THE_WAY {
        let mut pages = pin!(pages(bucket, format!("{FAILED_PREFIX}{function}/"), None));
        let (mut records, mut keys) = (0, Vec::new());
        while let Some(page) = pages.try_next().await? {
            records += page.len();
            keys.extend(page.into_iter().take(LOOKED_INTO - keys.len()));
        }
        if records > 0 {
            kept.by_function.insert(function.to_owned(), records);
        }
        let looked_into = stream::iter(keys).map(|key| kept_at(bucket, key)).buffered(AT_ONCE);
        let mut understood = pin!(looked_into.filter_map(future::ready));
        while let Some((id, versions, why)) = understood.next().await {
            kept.about.entry(id).or_default().push((versions, why));
        }
    }
    Ok(kept)
}

/// Counts the batches that Lambda discarded, for all functions.
///
/// # Errors
/// Returns an error if the bucket could not be listed.
pub async fn discarded_batches<B: Objects<Error: Classify>>(bucket: &B) -> Result<usize, Error> {
    pages(bucket, DISCARDED_BATCHES.to_owned(), None)
        .try_fold(0, async |batches, page| Ok(batches + page.len()))
        .await
}

/// Returns which events a quarantined record contains, if it can be read.
async fn kept_at<B: Objects>(bucket: &B, key: String) -> Option<(AggregateId, RangeInclusive<u64>, Broken)> {
    let object = bucket.get(&key).await.ok()??;
    let (id, versions, reason) = about(&object.body)?;
    Some((id, versions, Broken { at: key, reason }))
}

impl Kept {
    /// Adds to a report the quarantined records that may explain missing events in the archive.
    pub fn explain(self, report: &mut AuditReport) {
        if report.lacking().next().is_none() {
            return;
        }
        let all = self.by_function.into_iter();
        report.quarantined =
            all.map(|(function, records)| QuarantinedRecords { function, records }).collect();
        for finding in &mut report.findings {
            let about = self.about.get(&finding.aggregate).into_iter().flatten();
            let mut why = about.filter(|(versions, _)| finding.not_in_archive.overlaps(versions));
            finding.quarantined = why.next().map(|(_, kept)| kept.clone());
        }
    }
}

/// Returns the aggregate and versions of a quarantined change of the table, and why it was quarantined. The
/// function could not understand the record, so a record that cannot be parsed here is not an error either.
/// Records that `archive` quarantined belong to no aggregate.
fn about(object: &[u8]) -> Option<(AggregateId, RangeInclusive<u64>, String)> {
    let kept: Value = serde_json::from_slice(object).ok()?;
    let reason = kept.get("reason")?.as_str()?;
    let change = kept.pointer("/record/dynamodb")?;
    let id = change.pointer("/Keys/AggregateId/S")?.as_str()?.parse().ok()?;
    let version: u64 = change.pointer("/Keys/Version/N")?.as_str()?.parse().ok()?;
    let events = change.pointer("/NewImage/Events/L").and_then(Value::as_array).map_or(1, Vec::len);
    let last = version.saturating_add(events.saturating_sub(1) as u64);
    Some((id, version..=last, reason.to_owned()))
}
