//! Deserializes a batch of the event stream from Lambda's JSON.

use std::time::Duration;

use aws_lambda_events::event::kinesis::{KinesisEvent, KinesisEventRecord};
use serde::{
    Deserialize,
    de::{Deserializer, Error},
};
use serde_json::{Value, value::RawValue};

/// A batch of the event stream, with arrival times that are exact to the millisecond.
///
/// `aws_lambda_events` 1.2 reads the fraction of the seconds as a number of milliseconds, so half a second
/// (`.5`) becomes 5 ms.
#[derive(Debug, Clone, PartialEq)]
pub struct Records(pub KinesisEvent);

#[derive(Deserialize)]
struct Batch {
    #[serde(rename = "Records")]
    records: Vec<Box<RawValue>>,
}

#[derive(Deserialize)]
struct Arrived {
    kinesis: Arrival,
}

#[derive(Deserialize)]
struct Arrival {
    #[serde(rename = "approximateArrivalTimestamp")]
    seconds: Value,
}

impl Records {
    /// Returns the batch with these records.
    pub(crate) fn of(records: &[Box<RawValue>]) -> serde_json::Result<Self> {
        let mut batch = KinesisEvent::default();
        batch.records = records.iter().map(|record| read(record.get())).collect::<Result<_, _>>()?;
        Ok(Self(batch))
    }
}

impl<'de> Deserialize<'de> for Records {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let batch = Batch::deserialize(deserializer)?;
        Self::of(&batch.records).map_err(D::Error::custom)
    }
}

fn read(text: &str) -> serde_json::Result<KinesisEventRecord> {
    let mut record: KinesisEventRecord = serde_json::from_str(text)?;
    let Arrived { kinesis: Arrival { seconds } } = serde_json::from_str(text)?;
    if let Some(seconds) = seconds.as_f64() {
        let arrival = &mut record.kinesis.approximate_arrival_timestamp.0;
        let wrong = Duration::from_nanos(arrival.timestamp_subsec_nanos().into());
        // An `f64` represents the seconds since 1970 to less than a microsecond.
        let right = Duration::from_millis((seconds.fract() * 1000.0).round() as u64);
        *arrival = *arrival - wrong + right;
    }
    Ok(record)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn arrival_is_right_to_the_millisecond() {
        for (seconds, millis) in
            [(1.5, 1500), (1.05, 1050), (1.005, 1005), (1_795_294_799.98, 1_795_294_799_980)]
        {
            let record = json!({"kinesis": {"approximateArrivalTimestamp": seconds, "data": ""}});
            let Records(batch) = serde_json::from_str(&json!({"Records": [record]}).to_string()).unwrap();
            let arrival = &batch.records[0].kinesis.approximate_arrival_timestamp;
            assert_eq!(arrival.timestamp_millis(), millis, "{seconds}");
        }
    }
}
