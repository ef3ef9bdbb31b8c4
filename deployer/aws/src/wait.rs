//! Waiting for a state: polls until it is reached or a time limit ends, and reports the wait as progress.

use std::time::Duration;

use engine::backoff::Backoff;
use engine::error::{Class, Error};
use engine::progress;
use tokio::time::Instant;

const DELAYS: Backoff = Backoff::new(Duration::from_millis(100), Duration::from_secs(2));

/// Calls `probe` until it returns a value, and returns that value.
///
/// `what` completes "waiting for …": `the table to be ACTIVE`.
///
/// # Errors
/// Returns the probe's error at once unless it is throttling, and [`Class::Other`] after `limit`.
pub async fn wait_until<T, Probe>(
    what: &str,
    limit: Duration,
    // Not `AsyncFnMut`: rustc cannot prove that the future of a borrowing one is `Send`.
    mut probe: impl FnMut() -> Probe,
) -> Result<T, Error>
where
    Probe: Future<Output = Result<Option<T>, Error>>,
{
    let started = Instant::now();
    let mut delays = DELAYS;
    loop {
        match probe().await {
            Ok(Some(reached)) => return Ok(reached),
            Ok(None) => {}
            Err(error) if error.class == Class::Throttled => {}
            Err(error) => return Err(error),
        }
        let delay = delays.delay();
        if started.elapsed() + delay > limit {
            let waited = started.elapsed().as_secs();
            return Err(Error::other("wait", format!("waited {waited} s for {what}"))
                .hint("check the resource in the AWS console, then run the command again"));
        }
        progress::waiting_for(what);
        tokio::time::sleep(delay).await;
    }
}
