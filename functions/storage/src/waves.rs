//! Publishing in order through calls that do not keep order.
//!
//! Kinesis can accept some records of a `PutRecords` call and reject others, and does not guarantee the order
//! of the accepted ones. So each call carries a *wave*, which has at most one record of each partition key,
//! and a rejected record is sent again before later records of its key.

use std::collections::{HashMap, VecDeque};

use eventsourcing::Envelope;

/// The maximum number of records in one call.
const MAX_RECORDS: usize = 500;
/// The maximum number of bytes in one call.
///
/// Kinesis now accepts twice as much, but this limit has always been accepted in all regions.
const MAX_WAVE_BYTES: usize = 5_000_000;
/// The maximum number of bytes of one record, including its key.
///
/// A stream must be configured for larger records; the streams of this project are not.
pub const MAX_RECORD_BYTES: usize = 1_000_000;

/// A record to be published.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Record {
    /// Records with the same key are published in their order.
    pub partition_key: String,
    /// The payload.
    pub data: Vec<u8>,
}

impl Record {
    /// Returns the record of an event: its envelope, under the id of its aggregate.
    pub fn of(event: &Envelope) -> Self {
        Self { partition_key: event.aggregate_id.to_string(), data: event.to_bytes() }
    }

    /// Returns the size that counts towards the limits, in bytes.
    pub fn size(&self) -> usize {
        self.partition_key.len() + self.data.len()
    }
}

/// Records that are not published yet, in one queue per key.
#[derive(Debug, Default)]
pub struct Waves {
    /// The queues, none of them empty, in the order of each key's first record.
    lines: Vec<VecDeque<Record>>,
}

impl Waves {
    /// Returns the waves of these records.
    pub fn of(records: impl IntoIterator<Item = Record>) -> Self {
        let mut places = HashMap::new();
        let mut lines: Vec<VecDeque<Record>> = Vec::new();
        for record in records {
            let place = *places.entry(record.partition_key.clone()).or_insert(lines.len());
            if place == lines.len() {
                lines.push(VecDeque::new());
            }
            lines[place].push_back(record);
        }
        Self { lines }
    }

    /// Returns the records of the next wave; empty if all are published.
    pub fn next(&self) -> Vec<&Record> {
        let mut bytes = 0;
        self.lines
            .iter()
            .filter_map(VecDeque::front)
            .take(MAX_RECORDS)
            .take_while(|record| {
                let first = bytes == 0;
                bytes += record.size();
                first || bytes <= MAX_WAVE_BYTES
            })
            .collect()
    }

    /// Removes the accepted records of the last wave, given in its order. Rejected records stay at the head
    /// of their queue.
    pub fn settle(&mut self, accepted: impl IntoIterator<Item = bool>) {
        for (line, accepted) in self.lines.iter_mut().zip(accepted) {
            if accepted {
                line.pop_front();
            }
        }
        self.lines.retain(|line| !line.is_empty());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn record(key: &str, data: &str) -> Record {
        Record { partition_key: key.to_owned(), data: data.as_bytes().to_vec() }
    }

    fn shown(waves: &Waves) -> String {
        let data = waves.next().into_iter().map(|record| String::from_utf8_lossy(&record.data));
        data.collect::<Vec<_>>().join(" ")
    }

    #[test]
    fn wave_has_one_record_of_each_key() {
        let mut waves = Waves::of([
            record("a", "a1"),
            record("a", "a2"),
            record("b", "b1"),
            record("c", "c1"),
            record("b", "b2"),
        ]);
        assert_eq!(shown(&waves), "a1 b1 c1");
        waves.settle([true, false, true]);
        assert_eq!(shown(&waves), "a2 b1", "a rejected record is sent before later ones of its key");
        waves.settle([true, true]);
        assert_eq!(shown(&waves), "b2");
        waves.settle([true]);
        assert_eq!(shown(&waves), "");
    }

    #[test]
    fn wave_keeps_to_the_limits_of_a_call() {
        let waves = Waves::of((0..700).map(|n| record(&n.to_string(), "x")));
        assert_eq!(waves.next().len(), MAX_RECORDS);

        let large = "x".repeat(MAX_RECORD_BYTES - 1);
        let mut waves = Waves::of((0..7).map(|n| record(&n.to_string(), &large)));
        assert_eq!(waves.next().len(), 5);
        waves.settle([true; 5]);
        assert_eq!(waves.next().len(), 2);
    }
}
