//! The ledger: the progress of the one replay that a handler can have at a time, in one object.
//!
//! It is written only by whoever knows its last state (a conditional put), so two that run the
//! same replay cannot both go on: the slower one finds the other's state, and stops.

use std::{error::Error, time::Duration};

use eventsourcing::{contract::REPLAYS_PREFIX, replay::Which};
use storage::{
    bucket::{Bucket, Expected},
    patience::Patience,
};
use thiserror::Error;

use super::progress::{BrokenProgress, Progress};

/// How long a put is tried again that was refused though nobody has written.
const PATIENCE: Duration = Duration::from_secs(5);

/// How a replay stands, or why that cannot be read.
pub type Standing = Result<Progress, BrokenProgress>;

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
    #[error("{key} of the bucket cannot be read; cancel the replay to begin anew")]
    Broken {
        /// The object.
        key: String,
        /// What is wrong.
        source: BrokenProgress,
    },
    /// Puts are refused, and nobody writes.
    #[error("{0} of the bucket cannot be written for now, though it is as it was")]
    Busy(String),
}

impl<'a, B: Bucket> Ledger<'a, B> {
    /// Returns the ledger of a handler, or the one of its dry runs.
    pub fn of(bucket: &'a B, which: &Which) -> Self {
        // No handler's name has a dot.
        let dry_run = if which.dry_run { ".dry-run" } else { "" };
        Self { bucket, key: format!("{REPLAYS_PREFIX}{}{dry_run}.json.gz", which.handler) }
    }

    /// Reads the progress with its lineup, and what to expect when it is written next.
    pub async fn read(&self) -> Result<Option<(Progress, Expected)>, LedgerError<B::Error>> {
        let Some(object) = self.bucket.get(&self.key).await? else { return Ok(None) };
        let progress = Progress::from_bytes(&object.body).map_err(|source| self.broken(source))?;
        Ok(Some((progress, Expected::State(object.etag))))
    }

    /// Reads how the replay stands, without the lineup.
    pub async fn standing(&self) -> Result<Option<(Progress, Expected)>, LedgerError<B::Error>> {
        let Some((standing, expected)) = self.look().await? else { return Ok(None) };
        Ok(Some((standing.map_err(|source| self.broken(source))?, expected)))
    }

    /// Reads how the replay stands, or why that cannot be read.
    pub async fn look(&self) -> Result<Option<(Standing, Expected)>, B::Error> {
        let Some(object) = self.bucket.get(&self.key).await? else { return Ok(None) };
        Ok(Some((Progress::standing(&object.body), Expected::State(object.etag))))
    }

    fn broken(&self, source: BrokenProgress) -> LedgerError<B::Error> {
        LedgerError::Broken { key: self.key.clone(), source }
    }

    /// Writes the progress in place of what was expected. Returns what to expect next, or
    /// nothing when somebody else has written.
    pub async fn write(
        &self,
        progress: &mut Progress,
        expected: &Expected,
    ) -> Result<Option<Expected>, LedgerError<B::Error>> {
        progress.saves += 1;
        let (body, ours) = (progress.to_bytes(), (progress.writer, progress.saves));
        let mut patience = Patience::lasting(PATIENCE);
        loop {
            let put = self.bucket.put_if(&self.key, "application/gzip", body.clone(), expected).await?;
            if let Some(etag) = put {
                return Ok(Some(Expected::State(etag)));
            }
            let (writer, state) = match self.look().await? {
                Some((found, state)) => (found.ok().map(|found| (found.writer, found.saves)), state),
                None => (None, Expected::Nothing),
            };
            // A put that is repeated because its answer got lost finds its own object.
            if writer == Some(ours) {
                return Ok(Some(state));
            }
            if state != *expected {
                return Ok(None);
            }
            // Nobody has written: the put met another one that is still under way, which may be
            // our own, given up and repeated by the SDK (409: "PutObject", S3 API reference). To
            // take that for a stranger's would stop the only runner there is.
            if !patience.wait().await {
                return Err(LedgerError::Busy(self.key.clone()));
            }
        }
    }
}
