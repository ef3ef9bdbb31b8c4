//! Objects of the archive: where one is kept, and the lines in it.
//!
//! An object is one batch of a consumer of the stream: compressed lines, an event in its
//! envelope each, exactly as it was published. Name and bytes follow from the batch alone.
//! The same event can be in several objects, and in any order among them: readers tell events
//! apart by aggregate and version.

use std::io::{self, BufRead, BufReader, Write};

use eventsourcing::{Envelope, contract::EVENTS_PREFIX};
use flate2::{Compression, GzBuilder, read::MultiGzDecoder};
use jiff::{Timestamp, tz::TimeZone};
use thiserror::Error;

/// The gzip header's word for an unknown operating system: where it ran must not show.
const ANY_SYSTEM: u8 = 255;

/// An object that holds something other than events.
#[derive(Debug, Error)]
pub enum BrokenObject {
    /// It is not compressed text.
    #[error("it is not gzip")]
    Gzip(#[from] io::Error),
    /// A line is not an event in its envelope.
    #[error("line {line} is not an event in its envelope")]
    Line {
        /// The line, from 1.
        line: usize,
        /// What is wrong.
        source: serde_json::Error,
    },
}

/// Returns the key of the object for the batch of a shard from one sequence number to another.
///
/// Date and hour are those of the first record's arrival, never of the clock: a retry after
/// midnight has to find the same key.
pub fn key(shard: &str, arrival: Timestamp, first: &str, last: &str) -> String {
    format!("{}{shard}-{first}-{last}.ndjson.gz", hour(arrival))
}

/// Returns what the keys of all objects of this hour begin with.
pub fn hour(time: Timestamp) -> String {
    let time = time.to_zoned_datetime(TimeZone::UTC);
    format!("{EVENTS_PREFIX}dt={}/hour={:02}/", time.date(), time.hour())
}

/// Returns the events as compressed lines; equal events are equal bytes.
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
/// Something in it is not an event: nothing is left out in silence.
pub fn events(object: &[u8]) -> Result<Vec<Envelope>, BrokenObject> {
    let lines = BufReader::new(MultiGzDecoder::new(object)).split(b'\n');
    let mut events = Vec::new();
    for (line, bytes) in (1..).zip(lines) {
        let event = Envelope::from_bytes(&bytes?);
        events.push(event.map_err(|source| BrokenObject::Line { line, source })?);
    }
    Ok(events)
}
