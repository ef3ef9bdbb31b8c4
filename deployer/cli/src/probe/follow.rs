//! Sends a probe and searches for it in the logs of the functions and in the archive. All stages are read
//! concurrently.

use std::cell::RefCell;
use std::collections::BTreeSet;
use std::pin::pin;
use std::time::Duration;

use aws_sdk_cloudwatchlogs::types::FilteredLogEvent;
use engine::error::Error;
use engine::retry::retried;
use eventsourcing::contract::EVENTS_PREFIX;
use eventsourcing::probe::{KINESIS_ARRIVAL, PROBE, Probe, ProbeEvent};
use eventsourcing::{AggregateId, Commit, Context, EventStore, OccurredAt};
use futures::future::{FutureExt, LocalBoxFuture, select};
use futures::stream::{FuturesUnordered, StreamExt};
use jiff::{SignedDuration, Timestamp};
use serde_json::Value;
use storage::DynamoDbEventStore;
use storage::archive;
use storage::bucket::{Objects, S3Bucket};
use storage::fault::chain;
use tokio::time::{Instant, sleep, timeout_at};
use uuid::Uuid;

use super::{Passage, Stage, StageKind};
use crate::storage_errors::Classify;
use aws::{Aws, Called, Clock, LogQuery};

/// The pause between two reads. The reported times come from the log lines, so a longer pause does not change
/// them.
const PAUSE: Duration = Duration::from_secs(1);

/// The pause between two reads of all archive hours in which the object can be. They list many keys, so the
/// reads of recent hours do not wait for them.
const FAR_PAUSE: Duration = Duration::from_secs(10);

/// By how much the clocks of AWS's services may differ, including rounding: AWS reports its time in whole
/// seconds.
const CLOCKS: SignedDuration = SignedDuration::from_secs(10);

/// A probe that was sent.
#[derive(Debug, Clone, Copy)]
pub struct SentProbe {
    /// The aggregate whose only event is the probe.
    pub id: Uuid,
    /// When it was created, by `clock`.
    pub at: Timestamp,
    /// AWS's clock, which all stages use for their times.
    pub clock: Clock,
}

/// Where a probe was seen.
struct Sighting {
    kind: StageKind,
    name: String,
    after: Duration,
    /// When its record arrived in the stream, if the log line says so.
    arrival: Option<Timestamp>,
}

/// Appends a probe to the events table.
///
/// # Errors
/// Returns an error if the table rejects the probe.
pub async fn send(store: &DynamoDbEventStore, clock: Clock) -> Result<SentProbe, Error> {
    let sent = SentProbe { id: Uuid::now_v7(), at: clock.now(), clock };
    let context = Context::new(Uuid::now_v7(), OccurredAt::new(sent.at));
    let events = [ProbeEvent::Probed {}];
    let commit = Commit::of(AggregateId::of::<Probe>(sent.id), 0, &events, context, Uuid::now_v7);
    let commit = commit.map_err(|error| Error::other("PutItem", chain(&error)))?;
    store.append(&commit).await.map_err(Classify::classify)?;
    Ok(sent)
}

/// Searches for a probe at all stages until it was seen everywhere or the time is over.
///
/// # Errors
/// Returns an error if a stage could not be read.
pub async fn follow(
    sent: SentProbe,
    passage: &mut Passage,
    retention: Duration,
    within: Duration,
    aws: &Aws,
    mut seen: impl FnMut(Stage),
) -> Result<(), Error> {
    let deadline = Instant::now() + within;
    let mut looks: FuturesUnordered<LocalBoxFuture<'_, Result<Sighting, Error>>> = FuturesUnordered::new();
    for stage in passage.missing().cloned().collect::<Vec<_>>() {
        match stage.kind {
            StageKind::Capture | StageKind::Handler => looks.push(in_log(sent, stage, aws).boxed_local()),
            StageKind::Archive => looks.push(in_archive(sent, stage, retention, aws).boxed_local()),
            // Reported by the functions after them.
            StageKind::Table | StageKind::Stream => {}
        }
    }
    let stream =
        passage.stages.iter().find(|stage| stage.kind == StageKind::Stream).map(|stage| stage.name.clone());
    while let Ok(Some(sighting)) = timeout_at(deadline, looks.next()).await {
        let Sighting { kind, name, after, arrival } = sighting?;
        if let (Some(stream), Some(arrival)) = (&stream, arrival) {
            passage.seen(StageKind::Stream, stream, since(sent, arrival)).map(&mut seen);
        }
        passage.seen(kind, &name, after).map(&mut seen);
    }
    Ok(())
}

/// Searches for the log line that a function writes when it receives a probe.
async fn in_log(sent: SentProbe, stage: Stage, aws: &Aws) -> Result<Sighting, Error> {
    loop {
        let lines = lines(&stage.name, sent, aws).await?;
        let found = lines.iter().find_map(|line| {
            let (at, arrival) = passed(line.message()?, sent.id)?;
            Some((at.or_else(|| Timestamp::from_millisecond(line.timestamp()?).ok()), arrival))
        });
        if let Some((at, arrival)) = found {
            let after = since(sent, at.unwrap_or_else(|| sent.clock.now()));
            return Ok(Sighting { kind: stage.kind, name: stage.name, after, arrival });
        }
        sleep(PAUSE).await;
    }
}

/// Reads the log lines of a function that contain the id of a probe.
async fn lines(function: &str, sent: SentProbe, aws: &Aws) -> Result<Vec<FilteredLogEvent>, Error> {
    let from = sent.at.checked_sub(CLOCKS).unwrap_or(sent.at).as_millisecond();
    // A quoted filter matches anywhere in the line, in any log format.
    let filter = format!("\"{}\"", sent.id);
    aws.log_lines(LogQuery { function, from, filter: Some(&filter) }).await
}

/// Returns from a log line when the function received the probe, and when its record arrived in the stream.
fn passed(line: &str, id: Uuid) -> Option<(Option<Timestamp>, Option<Timestamp>)> {
    let line: Value = serde_json::from_str(line).ok()?;
    let time = |field: &str| line[field].as_str()?.parse().ok();
    let passed = line["message"] == PROBE && line[PROBE].as_str() == Some(id.to_string().as_str());
    passed.then(|| (time("timestamp"), time(KINESIS_ARRIVAL)))
}

/// Searches for the archive object that has a probe, among the objects written since it was sent: often from
/// the hour of the probe on, and sometimes in all hours within the retention of the stream. An object is
/// named after the hour of its first record, which can be an old one when `archive` catches up.
async fn in_archive(
    sent: SentProbe,
    stage: Stage,
    retention: Duration,
    aws: &Aws,
) -> Result<Sighting, Error> {
    let since_then = sent.at.checked_sub(CLOCKS).unwrap_or(sent.at);
    let oldest = since_then.checked_sub(retention).unwrap_or(since_then);
    let looker = Looker { sent, since_then, archive: &stage.name, aws, known: RefCell::default() };
    let near = looker.look_from(since_then, PAUSE);
    let far = async {
        sleep(FAR_PAUSE).await;
        looker.look_from(oldest, FAR_PAUSE).await
    };
    select(pin!(near), pin!(far)).await.factor_first().0?;
    let after = since(sent, sent.clock.now());
    Ok(Sighting { kind: stage.kind, name: stage.name.clone(), after, arrival: None })
}

/// A search for a probe in the archive.
struct Looker<'a> {
    sent: SentProbe,
    since_then: Timestamp,
    archive: &'a str,
    aws: &'a Aws,
    /// The objects that do not have the probe.
    known: RefCell<BTreeSet<String>>,
}

impl Looker<'_> {
    /// Reads objects of this hour and later ones until one has the probe.
    async fn look_from(&self, from: Timestamp, pause: Duration) -> Result<(), Error> {
        let bucket = S3Bucket::new(self.aws.s3.clone(), self.archive);
        loop {
            for key in retried(async || self.young(&archive::hour(from)).await).await? {
                if self.known.borrow().contains(&key) {
                    continue;
                }
                let object = retried(async || bucket.get(&key).await.map_err(Classify::classify)).await?;
                let events = object.map(|object| archive::events(&object.body)).transpose();
                let events =
                    events.map_err(|error| Error::other("GetObject", format!("{key}: {}", chain(&error))))?;
                if events.unwrap_or_default().iter().any(|event| event.aggregate_id == self.sent.id) {
                    return Ok(());
                }
                self.known.borrow_mut().insert(key);
            }
            sleep(pause).await;
        }
    }

    /// Returns the keys after `after` of the objects written since the probe was sent: only a few.
    async fn young(&self, after: &str) -> Result<Vec<String>, Error> {
        let list = self.aws.s3.list_objects_v2().bucket(self.archive).prefix(EVENTS_PREFIX);
        let pages = list.start_after(after).into_paginator().send();
        let pages = pages.try_collect().await.called()?;
        let objects = pages.into_iter().flat_map(|page| page.contents.unwrap_or_default());
        let since = self.since_then.as_second();
        let young =
            objects.filter(|object| object.last_modified().is_none_or(|modified| modified.secs() >= since));
        Ok(young.filter_map(|object| object.key).collect())
    }
}

/// Returns the time from sending to `at`; zero if `at` is earlier because AWS's clocks differ.
fn since(sent: SentProbe, at: Timestamp) -> Duration {
    Duration::try_from(at.duration_since(sent.at)).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use engine::error::Class;
    use tokio::time::timeout;

    use super::*;
    use aws::testing::{Script, body, fault};

    const ID: Uuid = Uuid::from_u128(7);

    #[tokio::test]
    async fn probe_send_error_has_class_and_operation() {
        let gone = fault(400, "ResourceNotFoundException", "Requested resource not found");
        let script = Script::new().on("PutItem", gone);
        let store = DynamoDbEventStore::new(script.aws().dynamodb, "demo-dev-events");
        let error = send(&store, Clock::default()).await.expect_err("there is no table");
        assert_eq!((error.class, error.operation.as_str()), (Class::Gone, "PutItem"));
    }

    #[tokio::test]
    async fn probe_has_the_time_of_aws() {
        let slow = Clock::ahead_by(SignedDuration::from_mins(4));
        let script = Script::new().on("PutItem", body("{}"));
        let store = DynamoDbEventStore::new(script.aws().dynamodb, "demo-dev-events");
        let sent = send(&store, slow).await.expect("the table accepts it");
        assert!(sent.at > Timestamp::now() + SignedDuration::from_mins(3));
        let put = script.asked().remove(0).body;
        let at = OccurredAt::new(sent.at).to_string();
        assert!(put.to_string().contains(&at), "{at} is not in {put}");
    }

    #[test]
    fn probe_log_line_is_recognised_by_its_id() {
        let line = |message: &str, id: Uuid| {
            format!(
                r#"{{"timestamp":"2026-11-22T04:00:00.250Z","level":"INFO","message":"{message}","probe":"{id}","kinesis_arrival":"2026-11-22T04:00:00.1Z"}}"#
            )
        };
        let time = |text: &str| Some(text.parse::<Timestamp>().expect("the text is a valid time"));
        let expected = (time("2026-11-22T04:00:00.250Z"), time("2026-11-22T04:00:00.1Z"));
        assert_eq!(passed(&line("probe", ID), ID), Some(expected));
        assert_eq!(passed(&line("probe", Uuid::from_u128(8)), ID), None);
        assert_eq!(passed(&line("event", ID), ID), None);
        assert_eq!(passed("START RequestId", ID), None);
    }

    #[tokio::test(start_paused = true)]
    async fn late_probe_is_looked_for_in_older_archive_hours() {
        let script = Script::new().on("ListObjectsV2", body("<ListBucketResult/>"));
        let sent = SentProbe {
            id: ID,
            at: "2026-11-22T04:00:00Z".parse().expect("the text is a valid time"),
            clock: Clock::default(),
        };
        let stage = Stage { kind: StageKind::Archive, name: "archive".to_owned(), after_ms: None };
        let retention = Duration::from_secs(24 * 3_600);
        let aws = script.aws();
        let looked = timeout(3 * FAR_PAUSE, in_archive(sent, stage, retention, &aws)).await;
        assert!(looked.is_err(), "the probe is in no object");
        let asked = script.asked();
        let from = |hour: &str| asked.iter().filter(|asked| asked.uri.contains(hour)).count();
        let (near, far) = (from("dt%3D2026-11-22%2Fhour%3D03%2F"), from("dt%3D2026-11-21%2Fhour%3D03%2F"));
        assert!(near >= 25 && (2..=3).contains(&far), "{near} and {far} of {asked:#?}");
    }

    #[test]
    fn probe_is_never_seen_before_it_was_sent() {
        let sent = SentProbe {
            id: ID,
            at: "2026-11-22T04:00:00Z".parse().expect("the text is a valid time"),
            clock: Clock::default(),
        };
        let after = |text: &str| since(sent, text.parse().expect("the text is a valid time"));
        assert_eq!(after("2026-11-22T04:00:01.5Z"), Duration::from_millis(1500));
        assert_eq!(after("2026-11-22T03:59:59Z"), Duration::ZERO);
    }
}
