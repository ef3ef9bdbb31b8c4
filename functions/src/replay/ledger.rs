//! The ledger: the progress of the one replay that a handler can have at a time, in one object.
//!
//! It is written only by whoever knows its last state (a conditional put), so two that run the
//! same replay cannot both go on: the slower one finds the other's state, and stops.

use std::error::Error;

use domain::{contract::REPLAYS_PREFIX, replay::Which};
use storage::bucket::{Bucket, Expected};
use thiserror::Error;

use super::progress::{BrokenProgress, Progress};

/// The progress of the last replay of a handler.
#[derive(Debug)]
pub struct Ledger<'a, B> {
    bucket: &'a B,
    key: String,
}

/// Why a ledger cannot be read or written.
#[derive(Debug, Error)]
pub enum LedgerError<E: Error + 'static> {
    /// The bucket is out of reach.
    #[error(transparent)]
    Bucket(#[from] E),
    /// There is something else in its place.
    #[error("{key} of the bucket cannot be read; delete it to begin anew")]
    Broken {
        /// The object.
        key: String,
        /// What is wrong.
        source: BrokenProgress,
    },
}

impl<'a, B: Bucket> Ledger<'a, B> {
    /// Returns the ledger of a handler, or the one of its dry runs.
    pub fn of(bucket: &'a B, which: &Which) -> Self {
        // No handler's name has a dot.
        let dry_run = if which.dry_run { ".dry-run" } else { "" };
        Self { bucket, key: format!("{REPLAYS_PREFIX}{}{dry_run}.json.gz", which.handler) }
    }

    /// Reads the progress, and what to expect when it is written next.
    pub async fn read(&self) -> Result<Option<(Progress, Expected)>, LedgerError<B::Error>> {
        let Some(object) = self.bucket.get(&self.key).await? else { return Ok(None) };
        let progress = Progress::from_bytes(&object.body);
        let progress = progress.map_err(|source| LedgerError::Broken { key: self.key.clone(), source })?;
        Ok(Some((progress, Expected::State(object.etag))))
    }

    /// Writes the progress in place of what was expected. Returns what to expect next, or
    /// nothing when somebody else has written.
    pub async fn write(
        &self,
        progress: &mut Progress,
        expected: &Expected,
    ) -> Result<Option<Expected>, LedgerError<B::Error>> {
        progress.saves += 1;
        let body = progress.to_bytes();
        if let Some(etag) = self.bucket.put_if(&self.key, "application/gzip", body, expected).await? {
            return Ok(Some(Expected::State(etag)));
        }
        // A put that is repeated because its answer got lost finds its own object.
        let (writer, saves) = (progress.writer, progress.saves);
        let found = self.read().await?;
        let ours = found.filter(|(found, _)| (found.writer, found.saves) == (writer, saves));
        Ok(ours.map(|(_, expected)| expected))
    }
}
