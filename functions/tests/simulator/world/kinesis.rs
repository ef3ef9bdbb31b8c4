//! Kinesis: a stream that accepts or rejects each record of a call separately.
//!
//! Any records of a `PutRecords` call may be rejected, and the accepted ones get any order ("PutRecords",
//! Kinesis API reference: the order of records is not guaranteed). If the answer of a call is lost, the SDK
//! repeats the whole call, and all its records are in the stream twice.

use std::sync::Arc;

use aws_lambda_events::event::kinesis::KinesisEventRecord;
use serde_json::json;
use storage::{
    stream::{PutOutcome, PutRecords},
    waves::Record,
};

use super::{
    World, lock,
    process::{OutOfReach, Process},
};

/// The stream, as one process sees it.
#[derive(Debug, Clone)]
pub(crate) struct Kinesis(pub(crate) Process);

impl World {
    /// Adds a record, and returns its event id.
    pub(crate) fn put_record(&self, record: &Record) -> String {
        let serial = self.serial();
        // Arrival times come from many hosts, with a precision of milliseconds.
        let arrival = self.now().as_millisecond() - self.chance.mostly_small(2000) as i64;
        let mut kinesis = lock(&self.kinesis);
        let mut event_id = String::new();
        kinesis.push(&record.partition_key, |shard| {
            let mut taken = KinesisEventRecord::default();
            taken.kinesis.data.0.clone_from(&record.data);
            taken.kinesis.partition_key.clone_from(&record.partition_key);
            taken.kinesis.sequence_number = format!("4959{serial:052}");
            taken.kinesis.approximate_arrival_timestamp =
                serde_json::from_value(json!(arrival as f64 / 1000.0)).expect("the arrival is a time");
            event_id = format!("{shard}:{}", taken.kinesis.sequence_number);
            taken.event_id = Some(event_id.clone());
            taken.event_source = Some("aws:kinesis".to_owned());
            Arc::new(taken)
        });
        drop(kinesis);
        self.change();
        event_id
    }

    fn put_records(&self, records: &[Record], rejected: u32) -> Vec<PutOutcome> {
        if self.chance.happens(self.weather().resharded) {
            let said = lock(&self.kinesis).reshard(&self.chance);
            self.trace.note("kinesis", || said);
        }
        let mut outcomes = Vec::new();
        for _ in records {
            let throttled = self.chance.happens(rejected);
            outcomes.push(if throttled { Err("throttled".to_owned()) } else { Ok(()) });
        }
        let mut order: Vec<usize> = (0..records.len()).filter(|&n| outcomes[n].is_ok()).collect();
        self.chance.shuffle(&mut order);
        for n in order {
            self.put_record(&records[n]);
        }
        outcomes
    }
}

impl PutRecords for Kinesis {
    type Error = OutOfReach;

    async fn put_records(&self, records: &[&Record]) -> Result<Vec<PutOutcome>, OutOfReach> {
        let count = records.len();
        let records: Arc<[Record]> = records.iter().copied().cloned().collect();
        let rejected = self.0.weather().rejected;
        let outcomes = self
            .0
            .call(|| format!("PutRecords of {count}"), move |world| world.put_records(&records, rejected));
        let outcomes = outcomes.await?;
        let rejected = outcomes.iter().filter(|outcome| outcome.is_err()).count();
        if rejected > 0 {
            self.0.note(|| format!("PutRecords: {rejected} of {count} are rejected"));
        }
        Ok(outcomes)
    }
}
