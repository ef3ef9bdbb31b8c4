//! Publishing records to Kinesis, in order and without loss.

use std::error::Error;

use thiserror::Error;

use crate::{
    patience::Patience,
    stream::PutRecords,
    waves::{Record, Waves},
};

/// Why not everything was published.
#[derive(Debug, Error)]
pub enum PublishError<E: Error + 'static> {
    /// A call failed as a whole; the SDK has repeated it already.
    #[error("publishing {records} records failed")]
    Call {
        /// How many records the call carried.
        records: usize,
        /// What happened.
        source: E,
    },
    /// An answer does not account for every record.
    #[error("{answers} outcomes were reported for {records} records")]
    Answer {
        /// How many records the call carried.
        records: usize,
        /// How many outcomes came back.
        answers: usize,
    },
    /// Records were rejected again and again.
    #[error("{records} records are still rejected, the first for {reason}")]
    Rejected {
        /// How many records the last call left over.
        records: usize,
        /// What the stream said of the first.
        reason: String,
    },
}

/// Publishes all records, those of one key in their order.
///
/// When this fails, some may have been published; publishing everything again is how it is
/// mended. Readers know records they have seen by aggregate and version.
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
        if let Some(reason) = rejected.next() {
            let rejected = 1 + rejected.count();
            tracing::warn!(rejected, records, reason, "the stream rejected records");
            if !patience.wait().await {
                return Err(PublishError::Rejected { records: rejected, reason });
            }
        }
    }
}
