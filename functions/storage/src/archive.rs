//! Objects of the archive: their keys and their content.
//!
//! An object is one batch that a consumer of the stream received: compressed lines, each with one event in
//! its envelope, exactly as it was published. Key and bytes depend only on the batch. The same event can be
//! in several objects, in any order among them: readers identify events by aggregate and version.

use std::{
    error::Error,
    io::{self, BufRead, BufReader, Write},
};

use eventsourcing::{Envelope, contract::EVENTS_PREFIX};
use flate2::{Compression, GzBuilder, read::MultiGzDecoder};
use jiff::{Timestamp, tz::TimeZone};
use thiserror::Error;

use crate::bucket::Objects;

/// The gzip header's value for an unknown operating system: the bytes must not depend on the machine.
const ANY_SYSTEM: u8 = 255;

/// Why an object does not consist of events.
#[derive(Debug, Error)]
pub enum BrokenObject {
    /// It is not compressed with gzip.
    #[error("it is not gzip")]
    Gzip(#[from] io::Error),
    /// A line is not an event in its envelope.
    #[error("line {line} is not an event in its envelope")]
    Line {
        /// The number of the line, from 1.
        line: usize,
        /// The cause.
        source: serde_json::Error,
    },
}

/// Returns the key of the object for a batch: the records of a shard between two sequence numbers.
///
/// Date and hour are those of the first record's arrival, not of the clock: a retry after midnight must
/// produce the same key.
pub fn key(shard: &str, arrival: Timestamp, first: &str, last: &str) -> String {
    format!("{}{shard}-{first}-{last}.ndjson.gz", hour(arrival))
}

/// Returns the key prefix of all objects of this hour.
pub fn hour(time: Timestamp) -> String {
    let time = time.to_zoned_datetime(TimeZone::UTC);
    format!("{EVENTS_PREFIX}dt={}/hour={:02}/", time.date(), time.hour())
}

/// Returns the events as compressed lines. Equal events yield equal bytes.
pub fn compress<'a>(events: impl IntoIterator<Item = &'a [u8]>) -> io::Result<Vec<u8>> {
    let header = GzBuilder::new().mtime(0).operating_system(ANY_SYSTEM);
    let mut gzip = header.write(Vec::new(), Compression::default());
    for event in events {
        gzip.write_all(event)?;
        gzip.write_all(b"\n")?;
    }
    gzip.finish()
}

/// Returns the events in an object, in the order of its lines.
///
/// # Errors
/// Fails if a line is not an event; no line is skipped.
pub fn events(object: &[u8]) -> Result<Vec<Envelope>, BrokenObject> {
    let lines = BufReader::new(MultiGzDecoder::new(object)).split(b'\n');
    let mut events = Vec::new();
    for (line, bytes) in (1..).zip(lines) {
        let event = Envelope::from_bytes(&bytes?);
        events.push(event.map_err(|source| BrokenObject::Line { line, source })?);
    }
    Ok(events)
}

/// Why an object could not be read.
#[derive(Debug, Error)]
pub enum Unread<E: Error + 'static> {
    /// The call failed.
    #[error(transparent)]
    Call(E),
    /// It was deleted after it was listed.
    #[error("it was deleted after it was listed")]
    Gone,
    /// It does not consist of events.
    #[error(transparent)]
    Broken(BrokenObject),
}

/// Reads one object.
///
/// # Errors
/// Fails if the call fails, if the object is missing, or if a line is not an event.
pub async fn object<B: Objects>(bucket: &B, key: &str) -> Result<Vec<Envelope>, Unread<B::Error>> {
    match bucket.get(key).await.map_err(Unread::Call)? {
        Some(object) => events(&object.body).map_err(Unread::Broken),
        None => Err(Unread::Gone),
    }
}

#[cfg(test)]
mod tests {
    use std::{collections::BTreeMap, convert::Infallible};

    use super::*;
    use crate::bucket::Object;

    /// A bucket of two objects.
    struct Shelf(BTreeMap<String, Vec<u8>>);

    impl Objects for Shelf {
        type Error = Infallible;

        async fn get(&self, key: &str) -> Result<Option<Object>, Infallible> {
            let object = |body: &Vec<u8>| Object { body: body.clone(), etag: String::new() };
            Ok(self.0.get(key).map(object))
        }

        async fn list(&self, _: &str, _: Option<&str>) -> Result<Vec<String>, Infallible> {
            unreachable!("nothing is listed while an object is read")
        }
    }

    const EVENT: &[u8] = br#"{"aggregate_id":"00000000-0000-0000-0000-000000000001","aggregate_type":"tally",
        "command_id":"00000000-0000-0000-0000-000000000002","correlation_id":"00000000-0000-0000-0000-000000000002",
        "data":{},"id":"00000000-0000-0000-0000-000000000003","occurred_at":"2026-11-21T19:02:03.123456Z",
        "request_hash":"00000000000000000000000000000000","schema_version":1,"type":"TallyOpened","version":1}"#;

    fn shelf() -> Shelf {
        let line: Vec<u8> = EVENT.iter().copied().filter(|byte| *byte != b'\n').collect();
        let whole = compress([line.as_slice()]).expect("events can be compressed");
        let objects = [("events/whole", whole), ("events/broken", b"{}".to_vec())];
        Shelf(objects.map(|(key, body)| (key.to_owned(), body)).into())
    }

    #[tokio::test]
    async fn archive_object_is_read_or_refused_with_reason() {
        let shelf = shelf();
        let read = async |key: &str| object(&shelf, key).await.map(|events| events.len());
        assert_eq!(read("events/whole").await.ok(), Some(1));
        let broken = read("events/broken").await.map_err(|error| error.to_string());
        assert_eq!(broken, Err("it is not gzip".to_owned()));
        let gone = read("events/gone").await.map_err(|error| error.to_string());
        assert_eq!(gone, Err("it was deleted after it was listed".to_owned()));
    }
}
