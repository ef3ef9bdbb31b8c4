//! What was kept aside on the way to the archive, or given up: why it may lack something.

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
use super::{AT_ONCE, AuditReport, Broken, KeptAside};
use crate::storage_errors::Classify;

/// Where Lambda puts the batches that it gives up ("Configuring an Amazon S3 destination", Lambda
/// developer guide).
const GIVEN_UP: &str = "aws/lambda/";
/// Who is between the table and the archive. What a handler kept aside is archived all the same.
const ON_THE_WAY: [&str; 2] = [CAPTURE.name, ARCHIVE.name];
/// How many of the things that each of them kept aside are looked into.
const LOOKED_INTO: usize = 500;

/// The things that were kept aside on the way to the archive, and which events they are about.
#[derive(Debug, Default)]
pub struct Kept {
    by_function: BTreeMap<String, usize>,
    about: HashMap<AggregateId, Vec<(RangeInclusive<u64>, Broken)>>,
}

/// Counts what was kept aside on the way to the archive, and finds out what it is about.
///
/// # Errors
/// The bucket could not be listed.
pub async fn kept_aside<B: Objects<Error: Classify>>(bucket: &B) -> Result<Kept, Error> {
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

/// Counts the batches that Lambda gave up, whoever they were for.
///
/// # Errors
/// The bucket could not be listed.
pub async fn given_up<B: Objects<Error: Classify>>(bucket: &B) -> Result<usize, Error> {
    pages(bucket, GIVEN_UP.to_owned(), None).try_fold(0, async |batches, page| Ok(batches + page.len())).await
}

/// Returns what a thing that was kept aside is about, if that can be found out.
async fn kept_at<B: Objects>(bucket: &B, key: String) -> Option<(AggregateId, RangeInclusive<u64>, Broken)> {
    let object = bucket.get(&key).await.ok()??;
    let (id, versions, reason) = about(&object.body)?;
    Some((id, versions, Broken { at: key, reason }))
}

impl Kept {
    /// Adds to a report what may be why the archive lacks something.
    pub fn explain(self, report: &mut AuditReport) {
        if report.lacking().next().is_none() {
            return;
        }
        let all = self.by_function.into_iter();
        report.kept_aside = all.map(|(function, records)| KeptAside { function, records }).collect();
        for finding in &mut report.findings {
            let about = self.about.get(&finding.aggregate).into_iter().flatten();
            let mut why = about.filter(|(versions, _)| finding.not_in_archive.overlaps(versions));
            finding.kept_aside = why.next().map(|(_, kept)| kept.clone());
        }
    }
}

/// Returns which versions of which aggregate a change of the table is about that was kept
/// aside, and why it was. Who kept it aside could not understand it, so here nothing is an error
/// either. What `archive` kept belongs to no aggregate.
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
