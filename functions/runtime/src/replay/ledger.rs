//! The ledger: one object with the progress of a handler's replay. A handler has at most one replay at a
//! time.
//!
//! Writing it requires its current state (a conditional put), so two runners of the same replay cannot both
//! continue: the slower one finds the other runner's state, and stops.

use std::{error::Error, time::Duration};

use eventsourcing::{contract::REPLAYS_PREFIX, replay::Which};
use storage::{
    bucket::{Bucket, Expected},
    patience::Patience,
};
use thiserror::Error;

use super::progress::{BrokenProgress, Progress};

/// How long a put is retried that was refused although the object did not change.
const PATIENCE: Duration = Duration::from_secs(5);

/// The progress of a replay, or why it cannot be read.
pub type Standing = Result<Progress, BrokenProgress>;

/// The progress of the last replay of a handler.
#[derive(Debug)]
pub struct Ledger<'a, B> {
    bucket: &'a B,
    key: String,
}

/// The reason why a ledger cannot be read or written.
#[derive(Debug, Error)]
pub enum LedgerError<E: Error + 'static> {
    /// The bucket is unreachable.
    #[error(transparent)]
    Bucket(#[from] E),
    /// The object is not a readable progress.
    #[error("the progress {key} cannot be read; cancel the replay to start a new one")]
    Broken {
        /// The key of the object.
        key: String,
        /// The reason.
        source: BrokenProgress,
    },
    /// Puts are refused although the object does not change.
    #[error("the progress {0} cannot be written for now, although no other writer changed it")]
    Busy(String),
}

impl<'a, B: Bucket> Ledger<'a, B> {
    /// Returns the ledger of a handler, or of its dry runs.
    pub fn of(bucket: &'a B, which: &Which) -> Self {
        // Names of handlers have no dots.
        let dry_run = if which.dry_run { ".dry-run" } else { "" };
        Self { bucket, key: format!("{REPLAYS_PREFIX}{}{dry_run}.json.gz", which.handler) }
    }

    /// Reads the progress with its lineup, and the state to expect at the next write.
    pub async fn read(&self) -> Result<Option<(Progress, Expected)>, LedgerError<B::Error>> {
        let Some(object) = self.bucket.get(&self.key).await? else { return Ok(None) };
        let progress = Progress::from_bytes(&object.body).map_err(|source| self.broken(source))?;
        Ok(Some((progress, Expected::State(object.etag))))
    }

    /// Reads the progress without its lineup.
    pub async fn standing(&self) -> Result<Option<(Progress, Expected)>, LedgerError<B::Error>> {
        let Some((standing, expected)) = self.look().await? else { return Ok(None) };
        Ok(Some((standing.map_err(|source| self.broken(source))?, expected)))
    }

    /// Reads the progress without its lineup, or why it cannot be read.
    pub async fn look(&self) -> Result<Option<(Standing, Expected)>, B::Error> {
        let Some(object) = self.bucket.get(&self.key).await? else { return Ok(None) };
        Ok(Some((Progress::standing(&object.body), Expected::State(object.etag))))
    }

    fn broken(&self, source: BrokenProgress) -> LedgerError<B::Error> {
        LedgerError::Broken { key: self.key.clone(), source }
    }

    /// Writes the progress if the object is still in the expected state. Returns the state to expect at the
    /// next write, or `None` if another writer changed the object.
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
            // A put that was repeated because its answer was lost finds its own object.
            if writer == Some(ours) {
                return Ok(Some(state));
            }
            if state != *expected {
                return Ok(None);
            }
            // The object is unchanged, so the put collided with another put that is still in flight (409:
            // "PutObject", S3 API reference). That may be this runner's own, which the SDK abandoned and
            // repeated. To take it for another runner's would stop the only runner.
            if !patience.wait().await {
                return Err(LedgerError::Busy(self.key.clone()));
            }
        }
    }
}
