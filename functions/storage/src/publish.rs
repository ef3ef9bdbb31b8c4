//! Publishing records to Kinesis, in order and without loss.

use std::error::Error;

use thiserror::Error;

use crate::{
    patience::Patience,
    stream::PutRecords,
    waves::{Record, Waves},
};

/// Why not all records were published.
#[derive(Debug, Error)]
pub enum PublishError<E: Error + 'static> {
    /// A whole call failed, after the retries of the SDK.
    #[error("publishing {records} records failed")]
    Call {
        /// The number of records in the call.
        records: usize,
        /// The cause.
        source: E,
    },
    /// The response does not have one outcome for each record.
    #[error("{answers} outcomes were reported for {records} records")]
    Answer {
        /// The number of records in the call.
        records: usize,
        /// The number of outcomes in the response.
        answers: usize,
    },
    /// Records were rejected until the patience ended.
    #[error("{records} records are still rejected, the first for {reason}")]
    Rejected {
        /// The number of records that the last call did not publish.
        records: usize,
        /// The reason for the first rejection.
        reason: String,
    },
}

/// Publishes all records, those of one key in their order.
///
/// After an error, some records may have been published. The caller then publishes all of them again; readers
/// recognise duplicates by aggregate and version.
///
/// Patience limits how long the stream may reject records. It is renewed by each wave that is accepted
/// completely.
pub async fn publish<S: PutRecords>(
    stream: &S,
    records: impl IntoIterator<Item = Record>,
    mut patience: Patience,
) -> Result<(), PublishError<S::Error>> {
    let mut waves = Waves::of(records);
    loop {
        let wave = waves.next();
        let records = wave.len();
        if records == 0 {
            return Ok(());
        }
        let outcomes = stream.put_records(&wave).await;
        let outcomes = outcomes.map_err(|source| PublishError::Call { records, source })?;
        if outcomes.len() != records {
            return Err(PublishError::Answer { records, answers: outcomes.len() });
        }
        waves.settle(outcomes.iter().map(Result::is_ok));

        let mut rejected = outcomes.into_iter().filter_map(Result::err);
        let Some(reason) = rejected.next() else {
            patience.renew();
            continue;
        };
        let rejected = 1 + rejected.count();
        tracing::warn!(rejected, records, reason, "the stream rejected records");
        if !patience.wait().await {
            return Err(PublishError::Rejected { records: rejected, reason });
        }
    }
}

#[cfg(test)]
mod tests {
    use std::{
        convert::Infallible,
        sync::atomic::{AtomicUsize, Ordering},
        time::Duration,
    };

    use super::*;
    use crate::stream::PutOutcome;

    const CALL: Duration = Duration::from_secs(1);

    /// A slow stream that rejects the records of certain calls.
    struct Slow<F>(AtomicUsize, F);

    impl<F: Fn(usize) -> bool + Send + Sync> PutRecords for Slow<F> {
        type Error = Infallible;

        async fn put_records(&self, records: &[&Record]) -> Result<Vec<PutOutcome>, Infallible> {
            tokio::time::sleep(CALL).await;
            let rejects = (self.1)(self.0.fetch_add(1, Ordering::Relaxed));
            let outcome = if rejects { Err("throttled".to_owned()) } else { Ok(()) };
            Ok(vec![outcome; records.len()])
        }
    }

    /// A stream that omits the outcome of one record, and accepts only one call.
    struct Silent(AtomicUsize);

    impl PutRecords for Silent {
        type Error = Infallible;

        async fn put_records(&self, records: &[&Record]) -> Result<Vec<PutOutcome>, Infallible> {
            assert_eq!(self.0.fetch_add(1, Ordering::Relaxed), 0, "the incomplete response was accepted");
            Ok(vec![Ok(()); records.len() - 1])
        }
    }

    #[tokio::test]
    async fn answer_that_leaves_a_record_out_is_an_error() {
        let records = ["a", "b"].map(|key| Record { partition_key: key.to_owned(), data: b"a".to_vec() });
        let silent = Silent(AtomicUsize::new(0));
        let refused =
            publish(&silent, records, Patience::lasting(CALL)).await.expect_err("one outcome is missing");
        assert_eq!(refused.to_string(), "1 outcomes were reported for 2 records");
    }

    async fn published(rejects: impl Fn(usize) -> bool + Send + Sync) -> Result<(), String> {
        let record = Record { partition_key: "a".to_owned(), data: b"a".to_vec() };
        let stream = Slow(AtomicUsize::new(0), rejects);
        let published = publish(&stream, vec![record; 50], Patience::lasting(5 * CALL)).await;
        published.map_err(|error| error.to_string())
    }

    /// Each record has its own wave, so publishing takes ten times the patience.
    #[tokio::test(start_paused = true)]
    async fn late_rejection_does_not_end_a_long_publish() {
        assert_eq!(published(|call| call % 20 == 19).await, Ok(()));
        let refused = published(|call| call >= 40).await.expect_err("the stream rejects all later records");
        assert_eq!(refused, "1 records are still rejected, the first for throttled");
    }
}
