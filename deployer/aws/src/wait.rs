//! The one wait: polls a state until it is reached, within a time, and says what for.

use std::time::Duration;

use engine::backoff::Backoff;
use engine::error::{Class, Error};
use engine::progress;
use tokio::time::Instant;

const DELAYS: Backoff = Backoff::new(Duration::from_millis(100), Duration::from_secs(2));

/// Probes until it answers something, and returns that.
///
/// `what` completes "waiting for …": `the table to be ACTIVE`.
///
/// # Errors
/// The probe's own error at once unless it passes by itself; [`Class::Other`] after `limit`.
pub async fn wait_until<T, Probe>(
    what: &str,
    limit: Duration,
    // Not `AsyncFnMut`: rustc cannot see that the future of one that borrows is `Send`.
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
                .hint("look at the resource in the AWS console, then run the command again"));
        }
        progress::waiting_for(what);
        tokio::time::sleep(delay).await;
    }
}
