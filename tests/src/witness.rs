//! The events in the table, and those that each consumer has seen, read with AWS's APIs.

use aws::AwsNames;
use std::collections::{BTreeMap, BTreeSet};
use std::io::Read;

use eventsourcing::Envelope;
use flate2::read::MultiGzDecoder;
use serde_json::Value;
use storage::scan::{EventsTable, Scan, Share};
use uuid::Uuid;

use crate::deployed::Deployed;

/// The most lines in one answer about a log ("FilterLogEvents", Amazon CloudWatch Logs API reference).
const PAGE: i32 = 10_000;

/// Events by aggregate and version, which identify an event everywhere.
pub type Events = BTreeMap<(Uuid, u64), Seen>;

/// What a consumer knows about one event.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Seen {
    id: Uuid,
    /// The event as it was published, if the consumer stores it.
    text: Option<String>,
}

/// The events that one consumer has seen, in its order.
#[derive(Debug)]
pub struct Witness {
    /// The name of the consumer.
    pub name: &'static str,
    order: Vec<(Uuid, u64)>,
    seen: Events,
    /// Contradictions between deliveries of the same event.
    torn: Vec<String>,
}

impl Witness {
    /// Returns the events that log-events has logged, of a replay or of live deliveries.
    pub fn of_log(up: &Deployed<'_>, replay: Option<Uuid>) -> Self {
        let (mut log, mut until) = (Self::new("log-events"), 0);
        up.wait(Watching::read_log(&mut log, &mut until, replay, up));
        log
    }

    fn new(name: &'static str) -> Self {
        Self { name, order: Vec::new(), seen: Events::new(), torn: Vec::new() }
    }

    /// Adds a delivery.
    fn sees(&mut self, event: (Uuid, u64), seen: Seen) {
        self.order.push(event);
        let (name, (cart, version)) = (self.name, event);
        let first = self.seen.entry(event).or_insert_with(|| seen.clone());
        if *first != seen {
            self.torn.push(format!("{name} saw two events as version {version} of {cart}"));
        }
    }

    /// Returns how many different events it saw.
    pub fn events(&self) -> usize {
        self.seen.len()
    }

    /// Returns how many deliveries were repetitions.
    pub fn repetitions(&self) -> usize {
        self.order.len() - self.seen.len()
    }

    /// Returns the differences to the table: events that are missing, unknown or changed, or that came before
    /// their predecessor.
    pub fn differences(&self, table: &Events) -> Vec<String> {
        let name = self.name;
        let mut differences = self.torn.clone();
        for ((cart, version), stored) in table {
            let same =
                |seen: &Seen| seen.id == stored.id && (seen.text.is_none() || seen.text == stored.text);
            match self.seen.get(&(*cart, *version)) {
                None => differences.push(format!("{name} never saw version {version} of {cart}")),
                Some(seen) if !same(seen) => differences
                    .push(format!("{name} saw version {version} of {cart} as {seen:?}, which is {stored:?}")),
                Some(_) => {}
            }
        }
        let invented = self.seen.keys().filter(|event| !table.contains_key(event));
        differences.extend(
            invented.map(|(cart, version)| {
                format!("{name} saw version {version} of {cart}, which the table lacks")
            }),
        );
        let (mut known, mut next) = (BTreeSet::new(), BTreeMap::new());
        for (cart, version) in self.order.iter().filter(|event| known.insert(**event)) {
            let expected = next.entry(*cart).or_insert(1);
            if version != expected {
                differences.push(format!("{name} saw version {version} of {cart} when {expected} was next"));
            }
            *expected = version + 1;
        }
        differences
    }
}

/// The consumers, as far as they were read.
pub(crate) struct Watching {
    /// The lines of the archive's objects by key. The objects never change.
    objects: BTreeMap<String, Vec<String>>,
    log: Witness,
    /// The time of the last line of the log that was read.
    until: i64,
}

impl Watching {
    pub(crate) fn new() -> Self {
        Self { objects: BTreeMap::new(), log: Witness::new("log-events"), until: 0 }
    }

    /// Reads what is new, and returns whether each consumer has as many events as the table.
    pub(crate) async fn has_all(&mut self, up: &Deployed<'_>, table: &Events) -> bool {
        futures::join!(
            Self::read_archive(&mut self.objects, up),
            Self::read_log(&mut self.log, &mut self.until, None, up)
        );
        self.log.events() >= table.len() && self.archive().events() >= table.len()
    }

    /// Returns what the consumers have seen.
    pub(crate) fn witnesses(self) -> Vec<Witness> {
        vec![self.archive(), self.log]
    }

    /// Returns what the archive has seen: its objects in the order of their keys, which is that of the
    /// stream.
    fn archive(&self) -> Witness {
        let mut archive = Witness::new("archive");
        for line in self.objects.values().flatten() {
            let event: Envelope = serde_json::from_str(line).expect("the archive contains events");
            let seen = Seen { id: event.id, text: Some(line.clone()) };
            archive.sees((event.aggregate_id, event.version), seen);
        }
        archive
    }

    async fn read_archive(objects: &mut BTreeMap<String, Vec<String>>, up: &Deployed<'_>) {
        let (s3, bucket) = (&up.aws.s3, up.aws.scope.bucket_name("archive"));
        let pages =
            s3.list_objects_v2().bucket(&bucket).prefix("events/").into_paginator().send().try_collect();
        let pages = pages.await.expect("the bucket can be listed");
        let keys = pages.iter().flat_map(|page| page.contents()).filter_map(|object| object.key());
        for key in keys {
            if objects.contains_key(key) {
                continue;
            }
            let object = s3.get_object().bucket(&bucket).key(key).send().await;
            let body = object.expect("no objects are deleted").body.collect().await;
            let body = body.expect("an object can be read").into_bytes();
            let mut text = String::new();
            MultiGzDecoder::new(&*body).read_to_string(&mut text).expect("the archive is compressed text");
            objects.insert(key.to_owned(), text.lines().map(str::to_owned).collect());
        }
    }

    /// Continues reading the log, a page at a time. The local cloud returns no second page, and writes all
    /// lines of an invocation at once, with the same time.
    async fn read_log(log: &mut Witness, until: &mut i64, replay: Option<Uuid>, up: &Deployed<'_>) {
        let group = format!("/aws/lambda/{}", up.aws.scope.name("log-events"));
        loop {
            let call = up.aws.logs.filter_log_events().log_group_name(&group).start_time(*until + 1);
            let page = call.limit(PAGE).send().await.expect("a deployed function has a log group");
            let full = page.events().len() >= PAGE as usize;
            let last = page.events().last().and_then(|line| line.timestamp());
            let Some(last) = last else { return };
            // A full page may contain only some of the lines with the last time.
            let lines = page.events().iter().filter(|line| !full || line.timestamp() != Some(last));
            for line in lines {
                *until = line.timestamp().expect("each line has a time").max(*until);
                let Some(Ok(line)) = line.message().map(serde_json::from_str::<Value>) else { continue };
                if let Some((event, id)) = logged(&line, replay) {
                    log.sees(event, Seen { id, text: None });
                }
            }
            if !full {
                return;
            }
        }
    }
}

/// Returns the event of a line of log-events; `None` for other lines, and for those of another replay.
fn logged(line: &Value, replay: Option<Uuid>) -> Option<((Uuid, u64), Uuid)> {
    let id = |field: &str| line[field].as_str()?.parse::<Uuid>().ok();
    if line["message"] != "event" || id("replay") != replay {
        return None;
    }
    Some(((id("aggregate_id")?, line["version"].as_u64()?), id("event_id")?))
}

/// Returns the events in the table.
pub(crate) async fn table_of(up: &Deployed<'_>) -> Events {
    let table = EventsTable::new(up.aws.dynamodb.clone(), up.aws.scope.name("events"));
    let (mut events, mut after) = (Events::new(), None);
    loop {
        let page = table.scan(Share::WHOLE, after.as_ref()).await.expect("the table can be read");
        for commit in page.commits {
            for event in commit.expect("the table contains commits").into_envelopes() {
                let text = String::from_utf8(event.to_bytes()).expect("JSON is text");
                let seen = Seen { id: event.id, text: Some(text) };
                events.insert((event.aggregate_id, event.version), seen);
            }
        }
        match page.next {
            Some(next) => after = Some(next),
            None => return events,
        }
    }
}
